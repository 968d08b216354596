"""A page to draw digits on: the exercise's network reads them while you draw.

It trains the network, or loads one, and writes a web page that needs neither Python nor a
connection. The page shows the 20x20 pixels that the network sees, its ten outputs, and its 25
hidden units, which light up.

python examples/draw_digit.py                           # then open results/draw_digit.html
python examples/draw_digit.py --model results/digits.h5  # the network of digits.py
"""

from pathlib import Path
from typing import Any

import numpy as np
import shared

import minilayer as ml
from minilayer.export import to_html

PAGE = Path("results/draw_digit.html")
parser = shared.new_parser(__doc__)
option = parser.add_argument
option("--data", metavar="FILE", default=shared.DATA, help=f"a MATLAB file ({shared.DATA})")
option("--model", metavar="H5", help="a checkpoint of a network that reads digits (train one)")
option("--seed", metavar="N", type=shared.seed, default=0, help="of start and examples (0)")
option("--page", metavar="HTML", type=Path, default=PAGE, help=f"page to write ({PAGE})")


def main(options: Any) -> int:
    X, labels = ml.load_ex4(options.data)
    shared.check_file("--page", options.page)
    code = 0
    if options.model is not None:
        model = ml.load(options.model)
    else:
        model = shared.article_network(options.seed)
        trainer = ml.LBFGS(max_evaluations=250)
        result = ml.fit(model, X, labels, l2=1.0, trainer=trainer)
        shared.report(result)
        code = shared.exit_code(result)

    print(f"accuracy on the digits: {ml.accuracy(labels, model.predict_class(X)):.1%}")
    rng = np.random.default_rng(options.seed)
    chosen = [rng.choice(np.flatnonzero(labels == digit)) for digit in np.unique(labels)]
    title = "Draw a digit"
    to_html(model, options.page, title=title, examples=X[chosen], labels=labels[chosen])
    print(f"open {options.page} in a browser and draw")
    return code


if __name__ == "__main__":
    shared.run_parsed(main, parser)
