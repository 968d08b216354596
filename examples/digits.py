"""The exercise's network, end to end: train 400-25-10 on the 5000 digits, report, draw, save, reload.

python examples/digits.py                               # the article: TNC, 250 evaluations, lambda 1
python examples/digits.py --method LBFGS --holdout 0.2  # the fastest optimizer, a fifth of the digits held out
"""

import argparse
import json
import sys
from pathlib import Path
from typing import Any

import numpy as np

import minilayer as ml

DATA = Path(__file__).resolve().parent.parent / "data" / "ex4data1.mat"
START = ml.UniformEpsilon(0.125)  # the article's (rand - 0.5) * 0.25
parser = argparse.ArgumentParser(usage="digits.py [options]", description=__doc__.splitlines()[0])
option = parser.add_argument
option("--data", default=DATA, help="the course's MATLAB file, or another of its form")
option("--hidden", type=int, help="hidden units (25)")
option("--l2", type=float, default=1.0, help="the exercise's lambda (1)")
option("--method", default="TNC", help="LBFGS, GradientDescent, or a method of SciPy (TNC)")
option("--learning-rate", type=float, help="of GradientDescent (1)")
option("--evaluations", type=int, help="budget of evaluations of cost and gradient (250)")
option("--iterations", type=int, help="budget of iterations (none)")
option("--seed", type=int, default=0, help="of the start and of the held-out part (0)")
option("--holdout", type=float, help="share of each digit to keep out of training, such as 0.2")
option("--load", metavar="H5", help="continue from this checkpoint")
option(
    "--save", metavar="H5", type=Path, default=Path("results/digits.h5"), help="checkpoint to write"
)
option(
    "--figures", metavar="DIR", type=Path, default=Path("results"), help="folder for the figures"
)
option(
    "--check-gradient", action="store_true", help="compare the derivatives with differences first"
)
option("--quiet", action="store_true", help="print nothing but errors")
option("--json", action="store_true", help="print the result as a JSON object and nothing else")


def main(args: argparse.Namespace) -> int:
    say = (lambda *_: None) if args.quiet or args.json else print
    X, labels = ml.load_ex4(args.data)
    train, held = np.arange(len(X)), np.arange(0)
    if args.holdout is not None:
        train, held = ml.stratified_split(labels, args.holdout, args.seed)
    model, trainer = make_model(args), make_trainer(args)
    objective = ml.Objective(model, X[train], labels[train], ml.BinaryCrossEntropy(), l2=args.l2)
    args.save.parent.mkdir(parents=True, exist_ok=True)
    say(f"{model.summary()}\n")
    if args.check_gradient:
        say(f"gradient check: largest relative error {ml.check_gradient(objective).worst:.1e}\n")
    result = trainer.minimize(objective, progress=False if args.quiet or args.json else None)
    prediction = model.predict(X)
    digits = prediction.argmax(axis=1)
    ml.save(model, args.save)
    report: dict[str, Any] = {
        "cost": result.fun,
        "evaluations": result.nfev,
        "iterations": result.nit,
        "seconds": round(result.seconds, 3),
        "training accuracy": ml.accuracy(labels[train], digits[train]),
        **({"held-out accuracy": ml.accuracy(labels[held], digits[held])} if len(held) else {}),
        "ended": result.message,
        "checkpoint": str(args.save),
        "reloaded predicts identically": bool(
            np.array_equal(ml.load(args.save).predict(X), prediction)
        ),
    }
    for name, value in report.items():
        say(f"{name:30} {f'{value:.2%}' if 'accuracy' in name else value}")
    shown = held if len(held) else train
    say("\n" + ml.confusion_table(ml.confusion_matrix(labels[shown], digits[shown], 10)))
    if args.json and not args.quiet:
        print(json.dumps(report))
    if result.status == ml.Status.INTERRUPTED:
        return 130
    say(
        "\n" + draw(args.figures, model, result.history, X[shown], labels[shown], prediction[shown])
    )
    return 0 if report["reloaded predicts identically"] else 1


def make_model(args: argparse.Namespace) -> ml.Sequential:
    if args.load is None:
        hidden = 25 if args.hidden is None else args.hidden
        layers = [
            ml.Dense(400, hidden, START),
            ml.Sigmoid(),
            ml.Dense(hidden, 10, START),
            ml.Sigmoid(),
        ]
        return ml.Sequential(layers, seed=args.seed)
    if args.hidden is not None:
        raise ValueError(
            "--hidden: expected without --load, as the checkpoint has hidden units of its own"
        )
    return ml.load(args.load)


def make_trainer(args: argparse.Namespace) -> ml.Trainer:
    evaluations = 250 if args.evaluations is None and args.iterations is None else args.evaluations
    budget = {"max_evaluations": evaluations, "max_iterations": args.iterations}
    if args.method.lower() == "gradientdescent":
        return ml.GradientDescent(
            1.0 if args.learning_rate is None else args.learning_rate, momentum=0.5, **budget
        )
    if args.learning_rate is not None:
        raise ValueError(
            f"--learning-rate: expected with --method GradientDescent, found with {args.method}"
        )
    return (
        ml.LBFGS(**budget)
        if args.method.lower() == "lbfgs"
        else ml.ScipyTrainer(args.method, **budget)
    )


def draw(
    folder: Path, model: ml.Sequential, history: ml.History, X: Any, labels: Any, prediction: Any
) -> str:
    try:
        from minilayer import plots
    except ImportError as missing:
        return f"no figures: {missing}"
    drawings = {
        "digits": lambda ax: plots.digit_grid(X, ax=ax),
        "hidden_units": lambda ax: plots.hidden_units(model, ax=ax),
        "cost": lambda ax: plots.cost_curve(history, ax=ax),
        "mistakes": lambda ax: plots.confident_mistakes(X, labels, prediction, ax=ax),
    }
    return f"figures: {', '.join(map(str, plots.save_figures(folder, drawings)))}"


if __name__ == "__main__":
    try:
        sys.exit(main(parser.parse_args()))
    except KeyboardInterrupt:
        print("digits.py: interrupted", file=sys.stderr)
        sys.exit(130)
    except (OSError, ValueError, TypeError, ml.GradientError) as error:
        print(f"digits.py: error: {error}", file=sys.stderr)
        sys.exit(1)
