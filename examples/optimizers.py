"""Optimizers compared on the exercise's digits: evaluations and seconds to the article's cost, and to a lower one.

python examples/optimizers.py                       # all of them, about two minutes
python examples/optimizers.py --only TNC,Newton-CG  # some of them

A product with the Hessian counts as an evaluation, and so do the batches of an epoch together; an epoch ends with an
evaluation of all rows besides, for the curve.
"""

import argparse
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import minilayer as ml

DATA = Path(__file__).resolve().parent.parent / "data" / "ex4data1.mat"
TARGETS = (
    0.339,
    0.31,
)  # the article's cost after 250 evaluations of TNC, and one that is near the minimum
CONTESTANTS: dict[str, Callable[..., ml.Trainer]] = {
    "LBFGS": ml.LBFGS,
    "L-BFGS-B (memory 50)": ml.ScipyTrainer,
    "TNC": lambda **budget: ml.ScipyTrainer("TNC", **budget),
    "CG": lambda **budget: ml.ScipyTrainer("CG", **budget),
    "Newton-CG": lambda **budget: ml.ScipyTrainer("Newton-CG", **budget),
    "trust-ncg": lambda **budget: ml.ScipyTrainer("trust-ncg", **budget),
    "gradient descent": lambda **budget: ml.GradientDescent(
        1.0, momentum=0.9, max_iterations=None, **budget
    ),
    "Adam (all rows)": lambda **budget: ml.GradientDescent(
        0.1, rule=ml.Adam(), max_iterations=None, **budget
    ),
    "Adam (batches of 128)": lambda **budget: ml.GradientDescent(
        0.03,
        rule=ml.Adam(),
        batch_size=128,
        schedule=ml.CosineDecay(300),
        max_iterations=300,
        **budget,
    ),
}
parser = argparse.ArgumentParser(
    usage="optimizers.py [options]", description=__doc__.splitlines()[0]
)
option = parser.add_argument
option("--only", help=f"some of these, by the beginnings of their names: {', '.join(CONTESTANTS)}")
option("--evaluations", type=int, default=2000, help="budget of evaluations for each (2000)")
option("--seed", type=int, default=0, help="of the start (0)")
option("--data", default=DATA, help="the course's MATLAB file, or another of its form")
option(
    "--figures",
    metavar="DIR",
    type=Path,
    default=Path("results/optimizers"),
    help="folder for the figures",
)


def main(args: argparse.Namespace) -> int:
    names = chosen(args.only)
    X, labels = ml.load_ex4(args.data)
    start = ml.UniformEpsilon(0.125)
    layers = [ml.Dense(400, 25, start), ml.Sigmoid(), ml.Dense(25, 10, start), ml.Sigmoid()]
    objective = ml.Objective(
        ml.Sequential(layers, args.seed), X, labels, ml.BinaryCrossEntropy(), l2=1.0
    )
    x0 = objective.x0
    histories: dict[str, ml.History] = {}
    columns = "".join(f"   evaluations  seconds to {target:5}" for target in TARGETS)
    print(f"{'':22}{columns}   lowest cost")
    for name in names:
        cells = []
        for target in TARGETS:
            trainer = CONTESTANTS[name](max_evaluations=args.evaluations, target_cost=target)
            result = trainer.minimize(
                objective, x0
            )  # from the start again: the second run takes the path of the first
            if result.status == ml.Status.INTERRUPTED:
                return 130
            histories[name] = result.history
            if not result.success:
                break
            cells.append(f"{result.nfev + result.nhev:14}{result.seconds:18.1f}")
        cells += [f"{'-':>14}{'-':>18}"] * (len(TARGETS) - len(cells))
        print(f"{name:22}{''.join(cells)}{result.fun:14.4f}", flush=True)
    print("\n" + draw(args.figures, histories))
    return 0


def chosen(only: str | None) -> list[str]:
    if only is None:
        return list(CONTESTANTS)
    parts = [part.strip().lower() for part in only.split(",")]
    found = [
        [name for name in CONTESTANTS if part and name.lower().startswith(part)] for part in parts
    ]
    for part, names in zip(parts, found, strict=True):
        if not names:
            raise ValueError(f"--only: expected some of {', '.join(CONTESTANTS)}, found {part!r}")
    return [name for names in found for name in names]


def draw(folder: Path, histories: dict[str, ml.History]) -> str:
    try:
        from minilayer import plots
    except ImportError as missing:
        return f"no figures: {missing}"

    def against(column: str, ax: Any) -> None:
        for name, history in histories.items():
            ax.plot(getattr(history, column), history.cost, label=name)
        for target in TARGETS:
            ax.axhline(target, color="#999999", linestyle=":")
        ax.set(xlabel=column, ylabel="cost", xscale="log", yscale="log")
        ax.legend(frameon=False, loc="lower center", bbox_to_anchor=(0.5, 1), ncols=2, fontsize=8)

    drawings = {
        column: lambda ax, column=column: against(column, ax)
        for column in ("evaluations", "seconds")
    }
    return f"figures: {', '.join(map(str, plots.save_figures(folder, drawings)))}"


if __name__ == "__main__":
    try:
        sys.exit(main(parser.parse_args()))
    except KeyboardInterrupt:
        print("optimizers.py: interrupted", file=sys.stderr)
        sys.exit(130)
    except (OSError, ValueError, TypeError) as error:
        print(f"optimizers.py: error: {error}", file=sys.stderr)
        sys.exit(1)
