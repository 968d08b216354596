"""Regression: a network learns a known function from noisy points, and gets closer to it than the points are.

python examples/regression.py           # 200 points with noise of 0.2; data, truth and network in one picture
python examples/regression.py --seed 1  # other points, another start
"""

import argparse
import sys
from pathlib import Path
from typing import Any

import numpy as np

import minilayer as ml

ROWS, NOISE, LOW, HIGH = 200, 0.2, -3.0, 3.0
parser = argparse.ArgumentParser(
    usage="regression.py [options]", description=__doc__.splitlines()[0]
)
option = parser.add_argument
option("--seed", type=int, default=0, help="of the points and of the start (0)")
option(
    "--figures",
    metavar="DIR",
    type=Path,
    default=Path("results/regression"),
    help="folder for the figures",
)


def truth(x: Any) -> Any:
    """What is to be learned: a wave on a slope."""
    return np.sin(2 * x) + x / 2


def main(args: argparse.Namespace) -> int:
    model = ml.Sequential(
        [ml.Dense(1, 12), ml.Tanh(), ml.Dense(12, 1), ml.Identity()], seed=args.seed
    )
    rng = np.random.default_rng(args.seed)
    X = rng.uniform(LOW, HIGH, (ROWS, 1))
    Y = truth(X) + NOISE * rng.standard_normal((ROWS, 1))

    result = ml.fit(model, X, Y, l2=0.01, trainer=ml.LBFGS(max_evaluations=500))

    fresh = rng.uniform(LOW, HIGH, (1000, 1))
    report = {
        "noise of the data": NOISE,
        "training RMSE": rmse(
            model.predict(X), Y
        ),  # near the noise: far below it, the noise was learned by heart
        "RMSE from the truth": rmse(model.predict(fresh), truth(fresh)),
    }
    print(f"{result.message}\ncost {result.fun:.4f} after {result.nfev} evaluations\n")
    for name, value in report.items():
        print(f"{name:20} {value:.4f}")
    print("\n" + draw(args.figures, model, result.history, X, Y))
    return 130 if result.status == ml.Status.INTERRUPTED else 0


def rmse(predicted: Any, expected: Any) -> float:
    """The root of the mean squared error."""
    return float(np.sqrt(np.mean((predicted - expected) ** 2)))


def draw(folder: Path, model: ml.Sequential, history: ml.History, X: Any, Y: Any) -> str:
    try:
        from minilayer import plots
    except ImportError as missing:
        return f"no figures: {missing}"

    def fit(ax: Any) -> None:
        x = np.linspace(LOW, HIGH, 400)[:, None]
        ax.plot(X, Y, ".", color="#aaaaaa", label=f"data, noise {NOISE}")
        ax.plot(x, truth(x), "--", color="#333333", label="truth")
        ax.plot(x, model.predict(x), color="#d1495b", linewidth=2, label="network")
        ax.set(xlabel="x", ylabel="y", title="sin(2x) + x/2 from noisy points")
        ax.legend(frameon=False)

    drawings = {"fit": fit, "cost": lambda ax: plots.cost_curve(history, ax=ax)}
    return f"figures: {', '.join(map(str, plots.save_figures(folder, drawings)))}"


if __name__ == "__main__":
    try:
        sys.exit(main(parser.parse_args()))
    except KeyboardInterrupt:
        print("regression.py: interrupted", file=sys.stderr)
        sys.exit(130)
    except (OSError, ValueError, TypeError) as error:
        print(f"regression.py: error: {error}", file=sys.stderr)
        sys.exit(1)
