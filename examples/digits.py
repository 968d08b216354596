"""The digits, end to end: train the exercise's network, report, draw, save, and load it again.

The exercise is number 4 of Andrew Ng's machine-learning course, neural networks learning: a
400-25-10 network reads 5000 handwritten digits. The article is part 5, neural networks, of a series
that does the course's exercises in Python. It trains with TNC, as this program does by default.

python examples/digits.py                                  # the article's run
python examples/digits.py --method LBFGS --test-share 0.2  # faster, judged by a fifth of the digits
"""

import json
from pathlib import Path
from typing import Any

import numpy as np
import shared
from shared import plots

import minilayer as ml

SAVE = Path("results/digits.h5")
parser = shared.new_parser(__doc__)
option = parser.add_argument
count, number = shared.count, shared.number
option("--data", metavar="FILE", default=shared.DATA, help=f"a MATLAB file ({shared.DATA})")
option("--hidden", metavar="N", type=count, help="hidden units (25)")
option("--l2", metavar="X", type=number, default=1.0, help="weight of the penalty, lambda (1)")
option("--method", default="TNC", help="LBFGS, GradientDescent, or a method of SciPy (TNC)")
option("--learning-rate", metavar="X", type=number, help="of GradientDescent (1)")
option("--evaluations", metavar="N", type=count, help="budget of cost and gradient (250)")
option("--iterations", metavar="N", type=count, help="budget of iterations (none)")
option("--seed", metavar="N", type=shared.seed, default=0, help="of start and test rows (0)")
option("--test-share", metavar="X", type=number, help="share of each digit to test with (none)")
option("--load", metavar="H5", help="continue from this checkpoint (none)")
option("--save", metavar="H5", type=Path, default=SAVE, help=f"checkpoint to write ({SAVE})")
shared.add_figures_option(parser, Path("results"))
option("--check-gradient", action="store_true", help="compare with finite differences first (no)")
option("--quiet", action="store_true", help="print nothing but errors (no)")
option("--json", action="store_true", help="print the result as JSON and nothing else (no)")


def main(options: Any) -> int:
    say = (lambda *_: None) if options.quiet or options.json else print
    X, labels = ml.load_ex4(options.data)
    train, test = np.arange(len(X)), np.arange(0)
    if options.test_share is not None:
        train, test = ml.stratified_split(labels, options.test_share, options.seed)
    model = new_model(options)
    trainer = new_trainer(options)
    loss = ml.BinaryCrossEntropy()
    objective = ml.Objective(model, X[train], labels[train], loss, l2=options.l2)
    shared.check_file("--save", options.save)
    say(f"{model.summary()}\n")
    if options.check_gradient:
        say(f"gradient check: largest relative error {ml.check_gradient(objective).worst:.1e}\n")

    result = trainer.minimize(objective, progress=False if options.quiet or options.json else None)
    shared.check_begun(result)
    ml.save(model, options.save)
    prediction = model.predict(X)
    is_same = bool(np.array_equal(ml.load(options.save).predict(X), prediction))
    digits = prediction.argmax(axis=1)
    report: dict[str, Any] = {
        "cost": result.fun,
        "evaluations": result.nfev,
        "iterations": result.nit,
        "seconds": round(result.seconds, 3),
        "training accuracy": ml.accuracy(labels[train], digits[train]),
    }
    if len(test):
        report["test accuracy"] = ml.accuracy(labels[test], digits[test])
    report["ended"] = result.message
    report["checkpoint"] = str(options.save)
    report["reloaded predicts identically"] = is_same
    for name, value in report.items():
        form = ".2%" if "accuracy" in name else ".6g" if isinstance(value, float) else ""
        say(f"{name:30} {value:{form}}")
    judged = test if len(test) else train
    say("\n" + ml.confusion_table(ml.confusion_matrix(labels[judged], digits[judged], 10)))
    if options.json and not options.quiet:
        print(json.dumps(report))
    drawings = {
        "digits": lambda ax: plots.digit_grid(X[judged], ax=ax),
        "hidden_units": lambda ax: plots.hidden_units(model, ax=ax),
        "cost": lambda ax: plots.cost_curve(result.history, ax=ax),
        "mistakes": lambda ax: plots.confident_mistakes(
            X[judged], labels[judged], prediction[judged], ax=ax
        ),
    }
    say(shared.save_figures(options.figures, drawings))
    return shared.exit_code(result) or (0 if is_same else 1)


def new_model(options: Any) -> ml.Sequential:
    if options.load is None:
        hidden = 25 if options.hidden is None else options.hidden
        return shared.article_network(options.seed, hidden)
    if options.hidden is not None:
        raise ValueError("--hidden: expected without --load, as a checkpoint has its own")
    return ml.load(options.load)


def new_trainer(options: Any) -> ml.Trainer:
    budget = {"max_evaluations": options.evaluations, "max_iterations": options.iterations}
    if options.evaluations is None and options.iterations is None:
        budget["max_evaluations"] = 250
    method = options.method.lower()
    if method == "gradientdescent":
        rate = 1.0 if options.learning_rate is None else options.learning_rate
        return ml.GradientDescent(rate, momentum=0.5, **budget)
    if options.learning_rate is not None:
        raise ValueError(
            f"--learning-rate: expected with --method GradientDescent, found {options.method}"
        )
    return ml.LBFGS(**budget) if method == "lbfgs" else ml.ScipyTrainer(options.method, **budget)


if __name__ == "__main__":
    shared.run_parsed(main, parser)
