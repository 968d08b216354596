"""XOR: true where one of two inputs is 1 and the other 0, which no straight line separates, so hidden units are needed.

python examples/xor.py                      # 2-4-1: four predictions, pictures of the decision surface and the network
python examples/xor.py --hidden 2 --seed 4  # two hidden units could do it too, but from many starts they do not
"""

import argparse
import sys
from pathlib import Path

import numpy as np

import minilayer as ml

parser = argparse.ArgumentParser(usage="xor.py [options]", description=__doc__.splitlines()[0])
parser.add_argument("--hidden", type=int, default=4, help="hidden units (4)")
parser.add_argument("--seed", type=int, default=0, help="of the start (0)")
parser.add_argument(
    "--figures",
    metavar="DIR",
    type=Path,
    default=Path("results/xor"),
    help="folder for the figures",
)

X = np.array([[0, 0], [0, 1], [1, 0], [1, 1]])
labels = np.array([0, 1, 1, 0])


def main(args: argparse.Namespace) -> int:
    layers = [ml.Dense(2, args.hidden), ml.Tanh(), ml.Dense(args.hidden, 1), ml.Sigmoid()]
    model = ml.Sequential(layers, seed=args.seed)
    # Without the l2 penalty the cost falls for ever while the weights grow for ever.
    result = ml.fit(model, X, labels, l2=1e-3, trainer=ml.LBFGS(max_evaluations=500))

    prediction = model.predict(X)[:, 0]
    print(f"{result.message}\ncost {result.fun:.4f} after {result.nfev} evaluations\n")
    print("inputs  target  prediction")
    for (a, b), target, p in zip(X, labels, prediction, strict=True):
        print(f"{a:4} {b}{target:8}{p:12.3f}")
    learned = bool(((prediction > 0.5) == labels).all())
    if not learned:
        why = "this start leads to a local minimum, try another --seed"
        if not result.success:
            why = "the run ended before it reached a minimum"
        elif args.hidden == 1:
            why = "one hidden unit is too few, it draws a single line"
        print(f"\nnot learned: {why}")
    print("\n" + draw(args.figures, model))
    if result.status == ml.Status.INTERRUPTED:
        return 130
    return 0 if learned else 1


def draw(folder: Path, model: ml.Sequential) -> str:
    try:
        from minilayer import plots
    except ImportError as missing:
        return f"no figures: {missing}"
    drawings = {
        "surface": lambda ax: plots.decision_surface(model, X, labels, ax=ax),
        "network": lambda ax: plots.network_diagram(model, ax=ax),
    }
    return f"figures: {', '.join(map(str, plots.save_figures(folder, drawings)))}"


if __name__ == "__main__":
    try:
        sys.exit(main(parser.parse_args()))
    except KeyboardInterrupt:
        print("xor.py: interrupted", file=sys.stderr)
        sys.exit(130)
    except (OSError, ValueError, TypeError) as error:
        print(f"xor.py: error: {error}", file=sys.stderr)
        sys.exit(1)
