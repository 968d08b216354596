"""ONNX: the network that reads digits leaves Python, and onnxruntime computes the same numbers.

The files need neither minilayer nor Python: programs in C++, Java, JavaScript or C# read them too.

python examples/export_onnx.py  # after pip install 'minilayer[onnx]' onnxruntime
"""

from functools import partial
from timeit import repeat
from typing import Any

import numpy as np
import shared

import minilayer as ml
from minilayer.export import to_onnx

try:
    import onnxruntime
except ImportError:
    onnxruntime = None


def main(options: Any) -> int:
    if onnxruntime is None:
        raise ImportError("it needs onnxruntime: pip install 'minilayer[onnx]' onnxruntime")
    files = {name: options.figures / f"digits_{name}.onnx" for name in ("float64", "float32")}
    shared.check_file("--figures", files["float64"])
    X, labels = ml.load_ex4(options.data)
    model = shared.article_network(options.seed)
    result = ml.fit(model, X, labels, l2=1.0, max_evaluations=options.evaluations)
    shared.report(result)

    computed: dict[str, Any] = {"minilayer's predict": (model.predict, X)}
    for dtype, path in files.items():
        to_onnx(model, path, dtype, class_names=list("0123456789"))
        run = onnxruntime.InferenceSession(path).run
        title = f"{path.name}, {path.stat().st_size // 1000} kB"
        computed[title] = (lambda rows, run=run: run(["Y"], {"X": rows})[0]), X.astype(dtype)
    table = shared.Table("computed by", "right", "us a row", "difference", first_width=26)
    differences = {}
    for name, (compute, rows) in computed.items():
        output = compute(rows)
        differences[name] = np.abs(output - model.predict(X))
        right = f"{ml.accuracy(labels, output):.2%}"
        microseconds = f"{1e4 * min(repeat(partial(compute, rows[:1]), number=100)):.0f}"
        table.print_row(name, right, microseconds, f"{differences[name].max():.0e}")

    def draw_differences(ax: Any) -> None:
        for name, values in list(differences.items())[1:]:
            ax.hist(np.log10(values[values > 0]), 60, label=name)
        ax.set(xlabel="log10 of the difference from predict", ylabel="outputs")
        ax.legend(loc="lower center", bbox_to_anchor=(0.5, 1), frameon=False)

    print(shared.save_figures(options.figures, {"differences": draw_differences}))
    return shared.exit_code(result)


if __name__ == "__main__":
    shared.run(main, __doc__, evaluations=60, seed=0, data=shared.DATA)
