"""What users do wrong, and what they are told: nothing of it is accepted silently."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import minilayer as ml
from minilayer import plots
from minilayer.nn import configured
from minilayer.testing import check_layer
from minilayer.utils.types import Array

Row = tuple[str, type[Exception], str]
"""Code, the exception that it raises, and the beginning of the message."""

FEWEST_ROWS = 120

MISTAKES: dict[str, list[Row]] = {
    "rows and targets": [
        (
            "ml.fit(classifier, X[:, 0], labels)",
            ValueError,
            "X: expected 2 dimensions (rows are examples), found 1 of length 20: use",
        ),
        (
            "ml.fit(classifier, X[:, :2], labels)",
            ValueError,
            "X: expected 3 columns (inputs of Dense(3, 3)), found 2",
        ),
        (
            "ml.fit(classifier, X, labels[:5])",
            ValueError,
            "Y: expected as many rows as X, 20, found 5",
        ),
        (
            "ml.fit(classifier, X, labels + 1)",
            ValueError,
            "Y: expected labels 0..2 (the model has 3 outputs), found 1..3: ",
        ),
        (
            "ml.fit(classifier, X, labels.astype(float))",
            TypeError,
            "Y: expected integers as labels, or 3 columns, found dtype float64: use Y.astype(int)",
        ),
        (
            "ml.fit(classifier, X, labels + 0.5)",
            TypeError,
            "Y: expected integers as labels, or 3 columns, found dtype float64",
        ),
        (
            "ml.fit(classifier, X, labels[:, None])",
            ValueError,
            "Y: expected 3 columns (outputs of the model; use Y.ravel() for labels), found 1",
        ),
        (
            'ml.fit(classifier, X, np.array(["a", "b", "c", "a"] * 5))',
            TypeError,
            "Y: expected numbers, found strings: minilayer.encode_labels(Y) gives",
        ),
        (
            "ml.fit(classifier, X * np.nan, labels)",
            ValueError,
            "X: expected finite numbers, found nan in row 0, column 0",
        ),
        (
            "ml.fit(classifier, X.astype(object), labels)",
            TypeError,
            "X: expected numbers, found dtype object, values of several kinds: try",
        ),
        (
            "ml.fit(classifier, X.astype(str), labels)",
            TypeError,
            "X: expected numbers, found dtype <U32: try numpy.asarray(X, dtype=float)",
        ),
        (
            "ml.fit(classifier, [[1, 2, 3], [1, 2]], [0, 1])",
            TypeError,
            "X: expected a rectangular array of numbers:",
        ),
        (
            "ml.fit(classifier, X[:0], labels[:0])",
            ValueError,
            "X: expected at least one row and one column, found shape (0, 3)",
        ),
        (
            "ml.fit(classifier, X[None], labels)",
            ValueError,
            "X: expected 2 dimensions (rows are examples), found shape (1, 20, 3)",
        ),
        (
            "ml.fit(classifier, X.astype(complex), labels)",
            TypeError,
            "X: expected numbers, found dtype complex128",
        ),
        ("ml.fit(classifier, None, labels)", TypeError, "X: expected numbers, found None"),
        ("ml.fit(classifier, X, None)", TypeError, "Y: expected numbers, found None"),
        (
            "ml.fit(classifier, np.ma.masked_array(X, X > 0), labels)",
            TypeError,
            "X: expected an array without a mask, found a masked array: fill or drop what it",
        ),
        ('ml.fit(classifier, "X.csv", labels)', TypeError, "X: expected numbers, found 'X.csv'"),
        (
            "ml.fit(regressor, X, np.stack([numbers, numbers], axis=1))",
            ValueError,
            "Y: expected 1 columns (outputs of the model), found 2",
        ),
        (
            "ml.fit(regressor, X, numbers * np.nan)",
            ValueError,
            "Y: expected finite numbers, found nan in row 0, column 0",
        ),
        (
            "ml.fit(ml.mlp(3, 2, seed=0), X, labels % 2)",
            ValueError,
            "Y: expected 2 columns (outputs of the model), found shape (20,): for integer labels",
        ),
        (
            "classifier.predict(X[0])",
            ValueError,
            "X: expected 2 dimensions (rows are examples), found 1 of length 3: use X.reshape(1,",
        ),
        (
            "classifier.predict(X[:, :1])",
            ValueError,
            "X: expected 3 columns (inputs of Dense(3, 3)), found 1",
        ),
        (
            "classifier.predict(X + np.nan)",
            ValueError,
            "X: expected finite numbers, found nan in row 0, column 0",
        ),
        (
            "regressor.predict_class(X)",
            ValueError,
            "predict_class: expected a model of several outputs or one that ends with Sigmoid(),",
        ),
        (
            "classifier.forward(X[0])",
            ValueError,
            "X: expected 2 dimensions (rows are examples), found 1 of length 3: use X.reshape(1,",
        ),
    ],
    "models": [
        (
            "ml.Sequential(ml.Dense(2, 1))",
            TypeError,
            "layers: expected a list of layers, found Dense(2, 1)",
        ),
        (
            "ml.Sequential([])",
            ValueError,
            "layers: expected at least one layer with a size, such as Dense(2, 1), found []",
        ),
        (
            "ml.Sequential([ml.Sigmoid()])",
            ValueError,
            "layers: expected at least one layer with a size, such as Dense(2, 1), found",
        ),
        (
            "ml.Sequential([ml.Dense(2, 3), ml.Dense(2, 1)])",
            ValueError,
            "layers[1]: Dense(2, 1) takes 2 columns, but layers[0] Dense(2, 3) gives 3",
        ),
        (
            "ml.Sequential([ml.Dense(2, 1), ml.Sigmoid])",
            TypeError,
            "layers[1]: expected a Layer, found <class 'minilayer.nn.activations.Sigmoid'>:",
        ),
        (
            'ml.Sequential([ml.Dense(2, 1), "sigmoid"])',
            TypeError,
            "layers[1]: expected a Layer, found 'sigmoid'",
        ),
        (
            "ml.Sequential([ml.Dense(2, 1)], seed=True)",
            TypeError,
            "seed: expected an integer from 0 up or a Generator, found True",
        ),
        (
            'ml.Sequential([ml.Dense(2, 1)], seed="0")',
            TypeError,
            "seed: expected an integer from 0 up or a Generator, found '0'",
        ),
        (
            "ml.Sequential([layer := ml.Dense(2, 2), layer])",
            ValueError,
            "layers[1]: Dense(2, 2) is used twice: make a new layer for each place",
        ),
        (
            "ml.Sequential(classifier.layers)",
            ValueError,
            "layers[0]: Dense(3, 3) is part of another model: make a new layer for each model",
        ),
        ("ml.Dense(2.0, 1)", TypeError, "inputs of Dense: expected an integer, found 2.0"),
        ("ml.Dense(0, 1)", ValueError, "inputs of Dense: expected at least 1, found 0"),
        (
            'ml.Dense(2, 1, "glorot")',
            TypeError,
            "initializer of Dense: expected an Initializer such as Glorot(), found 'glorot'",
        ),
        (
            "ml.Dense(2, 1, ml.Glorot)",
            TypeError,
            "initializer of Dense: expected an Initializer such as Glorot(), found <class",
        ),
        ("ml.Dense(2, 1, bias=1)", TypeError, "bias of Dense: expected True or False, found 1"),
        (
            "ml.Dense(2, 1).theta",
            RuntimeError,
            "Dense(2, 1) has no parameters before a Sequential is made of it",
        ),
        ("ml.mlp(3)", ValueError, "widths: expected at least two, such as mlp(4, 1), found [3]"),
        (
            'ml.mlp(3, 4, 1, hidden="relu")',
            TypeError,
            "hidden: expected an activation such as Sigmoid or Sigmoid(), found 'relu'",
        ),
        (
            "ml.mlp(3, 4, 1, output=ml.Dense)",
            TypeError,
            "output: expected an activation such as Sigmoid or Sigmoid(), found <class",
        ),
        (
            "ml.mlp([3, 4, 1])",
            ValueError,
            "widths: expected at least two, such as mlp(4, 1), found [[3, 4, 1]]: write mlp(3,",
        ),
        (
            "ml.mlp(3, 1, activation=ml.Tanh)",
            TypeError,
            "mlp() has no argument 'activation': write hidden=...",
        ),
        (
            "ml.mlp(3, 1, random_state=0)",
            TypeError,
            "mlp() has no argument 'random_state': write seed=...",
        ),
        (
            "classifier.parameters = np.zeros(5)",
            AttributeError,
            "parameters cannot be rebound, the layers are views of it: model.parameters[:] = x",
        ),
        (
            'classifier.layers[0].parameters["weights"]',
            KeyError,
            "\"expected one of 'theta', found 'weights'\"",
        ),
        (
            'classifier.layers[0].parameters["theta"] = 0',
            TypeError,
            "'theta' cannot be rebound, it is a view of the model's vector: write ['theta'][...]",
        ),
        (
            "classifier.backward(np.ones((2, 3)))",
            RuntimeError,
            "backward: expected a forward before it, found none",
        ),
        (
            "classifier.replica(np.zeros(3))",
            ValueError,
            "parameters: expected shape (12,), found (3,)",
        ),
        ("classifier[7]", IndexError, "layers: expected an index below 2, found 7"),
        (
            "classifier.initialize(seed=1.5)",
            TypeError,
            "seed: expected an integer from 0 up or a Generator, found 1.5",
        ),
    ],
    "objective and fit": [
        (
            "ml.fit(ml.Sigmoid(), X, labels)",
            TypeError,
            "model: expected a Sequential, found Sigmoid()",
        ),
        (
            "ml.fit(ml.mlp(3, 3, output=ml.Tanh), X, labels)",
            ValueError,
            "model: expected Sigmoid() as the last layer for yes or no, Softmax() for one of",
        ),
        (
            "ml.fit(classifier, X, labels, loss=ml.SquaredError())",
            ValueError,
            "Y: expected 3 columns (outputs of the model), found shape (20,)",
        ),
        (
            'ml.fit(classifier, X, labels, loss="crossentropy")',
            TypeError,
            "loss: expected a Loss such as BinaryCrossEntropy(), found 'crossentropy'",
        ),
        (
            "ml.fit(classifier, X, labels, loss=ml.CategoricalCrossEntropy)",
            TypeError,
            "loss: expected a Loss such as BinaryCrossEntropy(), found <class",
        ),
        (
            "ml.fit(ml.mlp(3, 1, output=MySigmoid), X, labels % 2)",
            ValueError,
            "model: expected Sigmoid() as the last layer, found MySigmoid(), a subclass of",
        ),
        (
            "ml.Objective(ml.mlp(3, 1, output=MySigmoid), X, labels % 2, ml.BinaryCrossEntropy())",
            ValueError,
            "loss: BinaryCrossEntropy() needs Sigmoid as the last layer, found MySigmoid(), a",
        ),
        (
            "ml.fit(classifier, X, labels, l2=-1)",
            ValueError,
            "l2: expected a finite number >= 0, found -1",
        ),
        (
            'ml.fit(classifier, X, labels, trainer="lbfgs")',
            TypeError,
            "trainer: expected a Trainer such as LBFGS(), found 'lbfgs'",
        ),
        (
            "ml.fit(classifier, X, labels, trainer=ml.LBFGS)",
            TypeError,
            "trainer: expected a Trainer such as LBFGS(), found <class",
        ),
        (
            "ml.fit(classifier, X, labels, trainer=ml.Adam())",
            TypeError,
            "trainer: expected a Trainer, found Adam(beta1=0.9, beta2=0.999, epsilon=1e-08):",
        ),
        (
            "ml.fit(classifier, X, labels, trainer=ml.LBFGS(), max_iterations=3)",
            ValueError,
            "max_evaluations, max_iterations, max_seconds: expected without a trainer, found",
        ),
        (
            "ml.fit(classifier, X, labels, max_iterations=0)",
            ValueError,
            "max_iterations: expected at least 1, found 0",
        ),
        (
            "ml.fit(classifier, X, labels, max_seconds=0)",
            ValueError,
            "max_seconds: expected a finite number > 0, found 0",
        ),
        (
            "ml.fit(classifier, X, labels, epochs=3)",
            TypeError,
            "fit() has no argument 'epochs': write max_iterations=...",
        ),
        (
            "ml.fit(classifier, X, labels, alpha=1)",
            TypeError,
            "fit() has no argument 'alpha': write l2=...",
        ),
        (
            "ml.fit(classifier, X, labels, learning_rate=0.1)",
            TypeError,
            "fit() has no argument 'learning_rate': write trainer=GradientDescent(learning_rate)",
        ),
        (
            "ml.fit(classifier, X, labels, batch_size=8)",
            TypeError,
            "fit() has no argument 'batch_size': write trainer=GradientDescent(batch_size=...)",
        ),
        (
            "ml.fit(classifier, X, labels, tol=1e-3)",
            TypeError,
            "fit() has no argument 'tol': write trainer=LBFGS(tolerance=...)",
        ),
        (
            "ml.fit(classifier, X, labels, max_iter=100)",
            TypeError,
            "fit() has no argument 'max_iter': write max_iterations=...",
        ),
        (
            "ml.fit(classifier, X, labels, verbose=1)",
            TypeError,
            "fit() has no argument 'verbose': write progress=...",
        ),
        (
            "ml.fit(classifier, X, labels, validaton=(X, labels))",
            TypeError,
            "fit() has no argument 'validaton': did you mean 'validation'?",
        ),
        (
            "ml.fit(classifier, X, labels, sample_weight=np.ones(3))",
            ValueError,
            "sample_weight: expected shape (20,), found (3,)",
        ),
        (
            "ml.fit(classifier, X, labels, sample_weight=-np.ones(20))",
            ValueError,
            "sample_weight: expected numbers >= 0, found -1 in row 0",
        ),
        (
            "ml.fit(classifier, X, labels, sample_weight=np.zeros(20))",
            ValueError,
            "sample_weight and class_weight: expected at least one row of positive weight, found",
        ),
        (
            'ml.fit(classifier, X, labels, class_weight="balance")',
            ValueError,
            "class_weight: expected 'balanced' or a weight for each class, found 'balance'",
        ),
        (
            "ml.fit(classifier, X, labels, class_weight=[1, 2])",
            ValueError,
            "class_weight: expected 3 weights, one a class, found [1, 2]",
        ),
        (
            "ml.fit(classifier, X, labels, class_weight={7: 1.0})",
            ValueError,
            "class_weight: expected classes 0..2, found 7",
        ),
        (
            'ml.fit(regressor, X, numbers, class_weight="balanced")',
            ValueError,
            "class_weight: expected a loss for classes, such as CategoricalCrossEntropy, found",
        ),
        (
            'ml.fit(classifier, X, labels, dtype="float16")',
            ValueError,
            "dtype: expected 'float64' or 'float32', found 'float16'",
        ),
        (
            "ml.fit(classifier, X, labels, shards=0)",
            ValueError,
            "shards: expected at least 1, found 0",
        ),
        (
            'ml.fit(classifier, X, labels, warm_start="yes")',
            TypeError,
            "warm_start: expected True or False, found 'yes'",
        ),
        (
            "ml.fit(classifier, X, labels, seed=True)",
            TypeError,
            "seed: expected an integer from 0 up or a Generator, found True",
        ),
        (
            'ml.fit(classifier, X, labels, progress="yes")',
            TypeError,
            "progress: expected True or False, found 'yes'",
        ),
        (
            'ml.fit(classifier, X, labels, callback="print")',
            TypeError,
            "callback: expected a function of an Iteration, found 'print'",
        ),
        (
            "ml.fit(classifier, X, labels, callback=lambda: None)",
            TypeError,
            "callback: expected a function of an Iteration, called as callback(iteration), found",
        ),
        (
            "ml.fit(classifier, X, labels, checkpoint=7)",
            TypeError,
            "checkpoint: expected a file's path, found 7",
        ),
        (
            "ml.fit(classifier, X, labels, checkpoint=folder)",
            IsADirectoryError,
            "checkpoint: expected a file, found a folder at FOLDER",
        ),
        (
            'ml.fit(classifier, X, labels, checkpoint=folder / "missing" / "run.h5")',
            FileNotFoundError,
            "checkpoint: expected a folder to write FOLDER/missing/run.h5 to, found none at",
        ),
        (
            "ml.fit(classifier, X, labels, checkpoint=run, checkpoint_every=0)",
            ValueError,
            "checkpoint_every: expected at least 1, found 0",
        ),
        ("objective(np.zeros(3))", ValueError, "x: expected shape (12,), found (3,)"),
        (
            "objective.hessp(objective.x0, np.zeros(3))",
            ValueError,
            "v: expected shape (12,), found (3,)",
        ),
        (
            "objective.minibatch(objective.x0, [0, 20])",
            ValueError,
            "rows: expected numbers from 0 to 19, found 0..20",
        ),
        (
            "objective.minibatch(objective.x0, labels > 0)",
            ValueError,
            "rows: expected a 1-D array of row numbers, found an array of shape (20,): use",
        ),
        ("objective.set_parameters([1.0])", ValueError, "x: expected shape (12,), found (1,)"),
        (
            "ml.LBFGS().minimize(objective, [0.0])",
            ValueError,
            "x0: expected shape (12,), found (1,)",
        ),
        (
            "ml.LBFGS().minimize(objective, objective.x0 * np.nan)",
            ValueError,
            "x0: expected finite numbers, found nan in row 0, column 0",
        ),
    ],
    "validation and metrics": [
        (
            "ml.fit(classifier, X, labels, validation=0.2)",
            TypeError,
            "validation: expected Validation(X, Y), found 0.2",
        ),
        (
            "ml.fit(classifier, X, labels, validation=(X,))",
            TypeError,
            "validation: expected Validation(X, Y), found (an array of shape (20, 3),)",
        ),
        (
            "ml.fit(classifier, X, labels, validation=(X, labels, labels))",
            TypeError,
            "validation: expected Validation(X, Y), found (an array of shape (20, 3), an array",
        ),
        (
            "ml.fit(classifier, X, labels, validation=(X[:, :2], labels))",
            ValueError,
            "validation: X: expected 3 columns (inputs of Dense(3, 3)), found 2",
        ),
        (
            "ml.fit(classifier, X, labels, validation=(X, labels[:3]))",
            ValueError,
            "validation: Y: expected as many rows as X, 20, found 3",
        ),
        (
            "ml.fit(classifier, X, labels, validation=(X, labels + 1))",
            ValueError,
            "validation: Y: expected labels 0..2 (the model has 3 outputs), found 1..3:",
        ),
        (
            'ml.Validation(X, labels, metric="f1")',
            ValueError,
            "metric: expected one of 'accuracy', 'mse', 'mae' or a function of targets and",
        ),
        (
            "ml.Validation(X, labels, metric=3)",
            TypeError,
            "metric: expected a function of targets and predictions, or one of 'accuracy',",
        ),
        (
            'ml.Validation(X, labels, metrics=["accuracy"])',
            TypeError,
            "Validation() has no argument 'metrics': write metric=...",
        ),
        (
            'ml.Validation(X, labels, monitor="loss")',
            ValueError,
            "monitor: expected 'cost' or 'metric', found 'loss'",
        ),
        (
            'ml.Validation(X, labels, monitor="metric")',
            ValueError,
            "monitor: expected 'cost' without a metric, found 'metric': give one, such as",
        ),
        (
            "ml.Validation(X, labels, patience=0)",
            ValueError,
            "patience: expected at least 1, found 0",
        ),
        (
            "ml.Validation(X, labels, min_delta=-1)",
            ValueError,
            "min_delta: expected a finite number >= 0, found -1",
        ),
        (
            "rows = ml.Validation(X, labels, metric=lambda y, p: None); "
            "ml.fit(classifier, X, labels, validation=rows)",
            TypeError,
            "metric: expected a function that returns a number, found None from user.<lambda>",
        ),
        (
            "rows = ml.Validation(X, numbers, metric=lambda y, p: (y - p) ** 2); "
            "ml.fit(regressor, X, numbers, validation=rows)",
            TypeError,
            "metric: expected a function that returns a number, found an array of shape (20,)",
        ),
        (
            'rows = ml.Validation(X, numbers, metric="accuracy"); '
            "ml.fit(regressor, X, numbers, validation=rows)",
            TypeError,
            "labels: expected integers, found dtype float64",
        ),
        (
            "ml.Validation(X, labels, metric=lambda y: 1.0)",
            TypeError,
            "metric: expected a function of targets and predictions, or one of 'accuracy',",
        ),
        (
            "ml.accuracy(labels, labels[:3])",
            ValueError,
            "predicted: expected as many as labels, 20, found 3",
        ),
        (
            "ml.accuracy(labels, labels + 0.5)",
            ValueError,
            "labels: expected 0..1 for scores of 2 classes, found 2",
        ),
        (
            'ml.accuracy(["a", "b"], ["a", "b"])',
            TypeError,
            "labels: expected numbers, found dtype <U1: minilayer.encode_labels(labels)",
        ),
        (
            "ml.accuracy([], [])",
            ValueError,
            "labels: expected a 1-D array of class numbers, found shape (0,)",
        ),
        (
            "ml.confusion_matrix(labels, labels, 2)",
            ValueError,
            "classes: expected more than the highest class number, 2, found 2",
        ),
        (
            "ml.confusion_matrix(labels, classifier.predict(X), 3)",
            ValueError,
            "predicted: expected a 1-D array of class numbers, found shape (20, 3): of scores",
        ),
        (
            "ml.confusion_table([[1, 2]])",
            ValueError,
            "matrix: expected as many columns as rows, 1, found 2",
        ),
        (
            'ml.confusion_table([[1, 0], [0, 1]], class_names=["a"])',
            ValueError,
            "class_names: expected 2, one a class, found 1",
        ),
        (
            "ml.top_k_accuracy(labels, classifier.predict(X), k=4)",
            ValueError,
            "k: expected at most the number of classes, 3, found 4",
        ),
        (
            "ml.top_k_accuracy(labels, labels)",
            ValueError,
            "scores: expected 2 dimensions (rows are examples), found 1 of length 20: use",
        ),
        (
            "ml.mean_squared_error(numbers, regressor.predict(X))",
            ValueError,
            "predicted: expected the shape of targets, (20,), found (20, 1): use predicted[:, 0]",
        ),
        (
            "ml.predicted_classes([0.2, 1.7])",
            ValueError,
            "scores: expected probabilities from 0 to 1 in one column, found numbers from 0.2 to",
        ),
        ("ml.one_hot(labels, 2)", ValueError, "labels: expected 0..1 for 2 classes, found 2"),
        ("ml.one_hot([0.5], 2)", TypeError, "labels: expected integers, found dtype float64"),
        (
            "ml.stratified_split(labels, 2)",
            ValueError,
            "test_size: expected a share between 0 and 1, found 2",
        ),
        (
            "ml.stratified_split(labels, 0.2, seed=True)",
            TypeError,
            "seed: expected an integer from 0 up or a Generator, found True",
        ),
        (
            "ml.stratified_split(labels, 0.001)",
            ValueError,
            "test_size: expected a share of at least one row of a class, found 0.001",
        ),
        (
            "ml.stratified_split(X, 0.2)",
            ValueError,
            "labels: expected a 1-D array of class numbers, found shape (20, 3): of scores use",
        ),
    ],
    "trainers": [
        ("ml.LBFGS(tol=1e-3)", TypeError, "LBFGS() has no argument 'tol': write tolerance=..."),
        ("ml.LBFGS(memory=0)", ValueError, "memory: expected at least 1, found 0"),
        (
            "ml.LBFGS(max_iter=10)",
            TypeError,
            "LBFGS() has no argument 'max_iter': write max_iterations=...",
        ),
        (
            'ml.LBFGS(max_evaluations="many")',
            TypeError,
            "max_evaluations: expected an integer, found 'many'",
        ),
        (
            "ml.GradientDescent(0)",
            ValueError,
            "learning_rate: expected a finite number > 0, found 0",
        ),
        (
            "ml.GradientDescent(0.1, momentum=1)",
            ValueError,
            "momentum: expected a number below 1, found 1",
        ),
        (
            "ml.GradientDescent(0.1, momentum=0.5, rule=ml.Adam())",
            TypeError,
            "momentum: expected without a rule, found 0.5 beside Adam(beta1=0.9, beta2=0.999,",
        ),
        (
            'ml.GradientDescent(0.1, rule="adam")',
            TypeError,
            "rule: expected a Rule such as Adam(), found 'adam'",
        ),
        (
            "ml.GradientDescent(0.1, schedule=lambda k: 1.0)",
            TypeError,
            "schedule: expected a Schedule such as CosineDecay(100), found <function <lambda>>",
        ),
        ("ml.GradientDescent(0.1, seed=True)", TypeError, "seed: expected an integer, found True"),
        (
            "ml.GradientDescent(0.1, batch_size=0)",
            ValueError,
            "batch_size: expected at least 1, found 0",
        ),
        (
            "ml.GradientDescent(lr=0.1)",
            TypeError,
            "GradientDescent() has no argument 'lr': write learning_rate=...",
        ),
        (
            "ml.GradientDescent(0.1, batch_size=21).minimize(objective)",
            ValueError,
            "batch_size: expected at most the rows, 20, found 21",
        ),
        (
            "ml.GradientDescent(0.1, batch_size=2).minimize(square, [1.0])",
            TypeError,
            "batch_size: expected an Objective, which has rows, found <function",
        ),
        (
            "ml.Adam(0.001)",
            TypeError,
            "Adam(): expected named arguments, found 0.001: name it, such as beta1=...",
        ),
        ("ml.Adam(beta1=1)", ValueError, "beta1: expected a number below 1, found 1"),
        ("ml.StepDecay(10, 2)", ValueError, "factor: expected a number up to 1, found 2"),
        ("ml.ExponentialDecay(0)", ValueError, "factor: expected a finite number > 0, found 0"),
        (
            "ml.Warmup(10, then=ml.StepDecay)",
            TypeError,
            "then: expected a Schedule such as CosineDecay(100), found <class",
        ),
        (
            'ml.ScipyTrainer("Adam")',
            ValueError,
            "method: expected one of TNC, L-BFGS-B, CG, BFGS, SLSQP, trust-constr, Newton-CG,",
        ),
        (
            'ml.ScipyTrainer("lbfgs")',
            ValueError,
            "method: expected one of TNC, L-BFGS-B, CG, BFGS, SLSQP, trust-constr, Newton-CG,",
        ),
        (
            'ml.ScipyTrainer("TNC", maxiter=5)',
            TypeError,
            "options: TNC has no option 'maxiter' (its budget is 'maxfun')",
        ),
        (
            'ml.ScipyTrainer("CG", tol=1e-3)',
            TypeError,
            "options: CG has no option 'tol' (did you mean 'gtol'?)",
        ),
        (
            'ml.ScipyTrainer("BFGS", max_bytes=99).minimize(objective)',
            ValueError,
            "max_bytes: expected at least 8,064 for BFGS, which holds 7 matrices of 12 x 12",
        ),
        (
            'ml.ScipyTrainer("L-BFGS-B", gauss_newton=True)',
            TypeError,
            "gauss_newton: expected a method that uses Hessian products, found L-BFGS-B",
        ),
        (
            'ml.ScipyTrainer("Newton-CG").minimize(square, [1.0])',
            ml.CurvatureError,
            "objective: expected one with hessp(x, v), as the method needs Hessian products,",
        ),
        (
            "ml.LBFGS().minimize(3)",
            TypeError,
            "objective: expected a function x -> (cost, gradient), such as Objective(model, X,",
        ),
        (
            "ml.LBFGS().minimize(lambda x: (x @ x, x[:1]), [1.0, 2.0])",
            ValueError,
            "objective's gradient: expected shape (2,), found (1,)",
        ),
        (
            "ml.LBFGS().minimize(lambda x: (x, 2 * x), [1.0, 2.0])",
            ValueError,
            "objective's cost: expected one number, found an array of shape (2,)",
        ),
        (
            "ml.LBFGS().minimize(square)",
            TypeError,
            "x0: expected a starting point, as the objective has no x0 of its own",
        ),
        (
            "ml.LBFGS().minimize(objective, epochs=3)",
            TypeError,
            "minimize() has no argument 'epochs': give it to the trainer, such as",
        ),
        (
            "ml.LBFGS().minimize(model=classifier)",
            TypeError,
            "minimize() has no argument 'model': write objective=...",
        ),
        (
            "ml.LBFGS().minimize(square, [1.0], validation=(X, labels))",
            TypeError,
            "validation: expected an Objective, which can evaluate other rows, found <function",
        ),
        (
            'ml.LBFGS().minimize(square, [1.0], checkpoint=folder / "run.h5")',
            TypeError,
            "checkpoint: expected an Objective with a model, found <function",
        ),
    ],
    "checkpoints": [
        ("ml.save(classifier, 7)", TypeError, "path: expected a file's path, found 7"),
        (
            'ml.save([ml.Dense(2, 1)], folder / "a.h5")',
            TypeError,
            "model: expected a Sequential, found [Dense(2, 1)]",
        ),
        (
            "ml.save(classifier, folder)",
            IsADirectoryError,
            "FOLDER: expected a file to write, found a folder",
        ),
        (
            'ml.save(classifier, folder / "missing" / "a.h5")',
            FileNotFoundError,
            "FOLDER/missing/a.h5: expected a folder to write it to, found none at FOLDER/missing",
        ),
        (
            'ml.save(diverged, folder / "a.h5")',
            ml.CheckpointError,
            "layers[0] Dense(3, 1), theta: expected finite numbers: save(...,",
        ),
        (
            'ml.save(classifier, folder / "a.h5", state=[1, 2])',
            TypeError,
            "state: expected numbers, strings and arrays by name, found [1, 2]",
        ),
        (
            'ml.save(classifier, folder / "a.h5", state={"a": [1, 2]})',
            TypeError,
            "state: expected numbers, strings and non-empty float64 arrays by name, found 'a':",
        ),
        (
            'ml.save(ml.Sequential([Unregistered(), ml.Dense(2, 1)]), folder / "a.h5")',
            ml.CheckpointError,
            "layers[0]: expected a registered class, found Unregistered(): put",
        ),
        (
            'ml.load(folder / "missing.h5")',
            FileNotFoundError,
            "FOLDER/missing.h5: expected a checkpoint, found no file there",
        ),
        (
            "ml.load(text_file)",
            ml.CheckpointError,
            "FOLDER/notes.txt: /: expected an HDF5 file, found other bytes",
        ),
        ("ml.load(folder)", IsADirectoryError, "FOLDER: expected a checkpoint, found a folder"),
        (
            "ml.load(saved, max_bytes=10)",
            ml.CheckpointError,
            "FOLDER/saved.h5: /: expected at most 10 bytes, found",
        ),
        ("ml.load(3)", TypeError, "path: expected a file's path, found 3"),
        (
            "ml.load_parameters(regressor, saved)",
            ml.CheckpointError,
            "FOLDER/saved.h5: /layers: expected [Dense(3, 1)], found [Dense(3, 3), Softmax()]",
        ),
        (
            "ml.load_parameters(saved, regressor)",
            TypeError,
            "model: expected a Sequential, found PosixPath('FOLDER/saved.h5')",
        ),
        (
            "ml.fit(classifier, X, labels, checkpoint=saved)",
            ml.ResumeError,
            "FOLDER/saved.h5: expected the checkpoint of this run (same data, layers and",
        ),
        (
            "ml.fit(classifier, X, labels, checkpoint=text_file)",
            ml.CheckpointError,
            "FOLDER/notes.txt: /: expected an HDF5 file, found other bytes",
        ),
        (
            "ml.fit(classifier, X, labels, 0.1, checkpoint=run)",
            ml.ResumeError,
            "FOLDER/run.h5: expected the checkpoint of this run (same data, layers and options),",
        ),
        (
            "classifier.initialize(seed=9); ml.fit(classifier, X, labels, checkpoint=run)",
            ml.ResumeError,
            "FOLDER/run.h5: expected a model with the parameters that the run started with or",
        ),
        (
            'ml.load_ex4(folder / "missing.mat")',
            FileNotFoundError,
            "FOLDER/missing.mat: expected a MATLAB file with X and y, found no file there",
        ),
        (
            "ml.load_ex4(text_file)",
            ValueError,
            "FOLDER/notes.txt: expected a MATLAB 5 file, found other bytes",
        ),
    ],
    "plots": [
        (
            "plots.cost_curve(result)",
            TypeError,
            "history: expected a History such as result.history, found the whole",
        ),
        (
            "plots.cost_curve([1, 2])",
            TypeError,
            "history: expected a History such as result.history, found [1, 2]",
        ),
        (
            "plots.cost_curve(result.history, ax=3)",
            TypeError,
            "ax: expected the Axes of a figure, such as plt.subplots()[1], found 3",
        ),
        ("plots.cost_comparison({})", ValueError, "histories: expected at least one, found none"),
        (
            'plots.cost_comparison({"a": result})',
            TypeError,
            "histories['a']: expected a History, found the whole TrainingResult",
        ),
        (
            'plots.cost_comparison({"a": result.history}, against="time")',
            ValueError,
            "against: expected 'evaluations' or 'seconds', found 'time'",
        ),
        (
            'plots.cost_comparison({"a": result.history}, targets={"low": -1})',
            ValueError,
            "targets['low']: expected a finite number > 0, found -1",
        ),
        (
            "plots.confusion_heatmap([[1, 2]])",
            ValueError,
            "matrix: expected as many columns as rows, 1, found 2",
        ),
        (
            "plots.confusion_heatmap([[1.5, 0], [0, 1]])",
            TypeError,
            "matrix: expected integers, found dtype float64",
        ),
        (
            'plots.confusion_heatmap([[1, 0], [0, 1]], class_names="ab")',
            TypeError,
            "class_names: expected a list of strings, such as ['no', 'yes'], found 'ab'",
        ),
    ],
}

LAYER = """
class Scale(ml.Layer):
    def __init__(self, inputs):
        self.inputs = self.units = inputs

    def shapes(self):
        return {"factor": (self.inputs,)}

    def initialize(self, rng):
        self.parameters["factor"][:] = 1

    def forward(self, x):
        self.x = x
        return x * self.parameters["factor"]

    def input_gradient(self, dy):
        return dy * self.parameters["factor"]

    def parameter_gradient(self, dy):
        self.gradients["factor"][:] = np.sum(dy * self.x, axis=0)

"""
"""A right layer, in which each row of the next table changes something."""
TRAIN = "ml.fit(network(Scale(3)), X, labels, max_iterations=2)"
TRAIN_BEHIND = "ml.fit(network(ml.Dense(3, 3), Scale(3)), X, labels, max_iterations=2)"
MAKE = "network(Scale(3))"
CHECK = "check_layer(Scale(3))"


def scale(old: str, new: str, use: str = TRAIN) -> str:
    """Return code that uses the layer after a change."""
    assert LAYER.count(old) >= 1, old
    return LAYER.replace(old, new) + use


MISTAKES["layers of your own"] = [
    (
        scale("return x * self", "x * self"),
        ml.LayerError,
        "Scale(inputs=3): expected forward to return an output of shape (20, 3), found None",
    ),
    (
        scale("return x * self", "return x[:, :2] * self"),
        ml.LayerError,
        "Scale(inputs=3): expected forward to fit x of shape (20, 3), parameter factor of shape",
    ),
    (
        scale('factor"]\n\n    def input', 'factor"][:1] @ np.ones((1, 2))\n\n    def input'),
        ml.LayerError,
        "Scale(inputs=3): expected forward to fit x of shape (20, 3), parameter factor of shape",
    ),
    (
        scale("return x * self", "return x.sum() * self"),
        ml.LayerError,
        "Scale(inputs=3): expected forward to return an output of shape (20, 3), found shape (3,)",
    ),
    (
        scale("return x * self", "return 3 or self"),
        ml.LayerError,
        "Scale(inputs=3): expected forward to return an output of shape (20, 3), found 3",
    ),
    (
        scale("return dy * self", "dy * self", TRAIN_BEHIND),
        ml.LayerError,
        "Scale(inputs=3): expected input_gradient to return an input gradient of shape (20, 3), "
        "found None: is a return missing?",
    ),
    (
        scale("return dy * self", "return dy.sum(axis=0) * self", TRAIN_BEHIND),
        ml.LayerError,
        "Scale(inputs=3): expected input_gradient to return an input gradient of shape (20, 3), "
        "found shape (3,)",
    ),
    (
        scale('self.gradients["factor"][:] =', "return"),
        ml.LayerError,
        "Scale(inputs=3): expected parameter_gradient to write into self.gradients and to return "
        "nothing, found that it returns an array of shape (3,)",
    ),
    (
        scale("np.sum(dy * self.x, axis=0)", "dy * self.x"),
        ml.LayerError,
        "Scale(inputs=3): expected parameter_gradient to fit dy of shape (20, 3), parameter factor",
    ),
    (
        scale('self.gradients["factor"][:] =', 'self.gradients["factor"] ='),
        TypeError,
        "'factor' cannot be rebound, it is a view of the model's vector: write ['factor'][...]",
    ),
    (
        scale('self.gradients["factor"]', 'self.gradients["scale"]'),
        KeyError,
        "\"expected one of 'factor', found 'scale'\"",
    ),
    (
        scale("def forward(self, x):", "def forward(self):"),
        TypeError,
        "Scale.forward: expected forward(self, x), found forward(self)",
    ),
    (
        scale("def parameter_gradient(self, dy):", "def parameter_gradient(self, dy, x):"),
        TypeError,
        "Scale.parameter_gradient: expected parameter_gradient(self, dy), found "
        "parameter_gradient(self, dy, x)",
    ),
    (
        scale("def initialize(self, rng):", "def initialize(self):"),
        TypeError,
        "Scale.initialize: expected initialize(self, rng), found initialize(self)",
    ),
    (
        scale("def shapes(self):", "shapes = 3\n\n    def other(self):"),
        TypeError,
        "Scale.shapes: expected a method shapes(self), found 3",
    ),
    (
        scale('{"factor": (self.inputs,)}', '{"factor": self.inputs}'),
        TypeError,
        "layers[0]: expected Scale.shapes() to give a tuple of integers for each parameter",
    ),
    (
        scale('return {"factor": (self.inputs,)}', "pass"),
        TypeError,
        "layers[0]: expected Scale.shapes() to give a tuple of integers for each parameter, such "
        "as {'weight': (3, 2)}, found None",
    ),
    (
        scale('["factor"][:] = 1', '["factor"][:] = np.ones(2)'),
        ml.LayerError,
        "Scale(inputs=3): expected initialize to fit parameter factor of shape (3,), found:",
    ),
    (
        scale("self.units = inputs", "self.units = 1.5 * inputs"),
        TypeError,
        "layers[0]: expected inputs of Scale to be a positive integer or None, found 4.5",
    ),
    (
        scale("self, inputs):", "self, inputs, power=1):", "network(Scale(3, power=2))"),
        TypeError,
        "layers[0]: expected Scale.config() to give every argument of Scale(...), found none for "
        "'power': copies of the layer would differ from it",
    ),
    (
        scale("def shapes", 'def config(self):\n        return {"inputs": 4}\n\n    def shapes'),
        TypeError,
        "layers[0]: expected Scale(**config()) to make an equal layer, found inputs = 4 instead "
        "of 3: copies of the layer would differ from it",
    ),
    (
        scale("def shapes", "def config(self):\n        pass\n\n    def shapes"),
        TypeError,
        "layers[0]: expected Scale.config() to return a mapping, found None",
    ),
    (
        scale("def shapes", "def l2_mask(self, name):\n        return [True]\n\n    def shapes"),
        ml.LayerError,
        "Scale(inputs=3): expected l2_mask('factor') to be True, False or booleans of shape (3,), "
        "found bool of shape (1,)",
    ),
    (
        scale("def parameter_gradient", "def parameters_gradient"),
        TypeError,
        "layers[0]: expected Scale to define parameter_gradient(self, dy), as it has parameters: "
        "factor",
    ),
    (
        scale("def input_gradient", "def inputs_gradient"),
        TypeError,
        "Can't instantiate abstract class Scale",
    ),
    (
        scale("self.units = inputs", "self.units = inputs; self.start = self.parameters"),
        RuntimeError,
        "Scale(inputs=3) has no parameters before a Sequential is made of it",
    ),
    (
        scale("", "", 'ml.save(network(Scale(3)), folder / "a.h5")'),
        ml.CheckpointError,
        "layers[0]: expected a registered class, found Scale(inputs=3): put @minilayer.register",
    ),
    (
        "@ml.register\n"
        + scale("inputs):", "inputs, tags=None):\n        self.tags = tags", "")
        + 'ml.save(network(Scale(3, {1: 2})), folder / "a.h5")',
        ml.CheckpointError,
        "layers[0] Scale(inputs=3, tags={1: 2}): expected a configuration that a file can hold",
    ),
    (
        scale("", "", "check_layer(Scale)"),
        TypeError,
        "layer: expected a Layer, found <class 'user.Scale'>: write Scale(...)",
    ),
    (
        scale("return dy * self", "return 2 * dy * self", CHECK),
        ml.GradientError,
        "Scale(inputs=3), gradient by the input: analytic",
    ),
    (
        scale(", axis=0", "", CHECK),
        ml.GradientError,
        "Scale(inputs=3), gradient by factor: analytic",
    ),
    (
        scale("[:] = np.sum", "[:] += np.sum", CHECK),
        ml.LayerError,
        "Scale(inputs=3): expected parameter_gradient to overwrite the gradient of factor",
    ),
    (
        scale("self.x = x", "self.x = x; x *= 2", CHECK),
        ml.LayerError,
        "Scale(inputs=3): expected forward to leave its argument alone, found that it writes",
    ),
    (
        scale("", "", "check_layer(network(Scale(3))[0])"),
        ValueError,
        "layer: expected one that no model holds yet, found Scale(inputs=3): make a new one",
    ),
    (
        scale("", "", TRAIN.replace("max_iterations=2", "trainer=ml.ScipyTrainer('Newton-CG')")),
        ml.CurvatureError,
        "hessp: expected layers with jvp, but Scale does not define it",
    ),
    (
        scale("", "", "ml.register(Scale(3))"),
        TypeError,
        "register: expected a subclass of Layer, Loss or Initializer, found Scale(inputs=3)",
    ),
    (
        scale("class Scale", "class Dense", "ml.register(Dense)"),
        ValueError,
        "register: the name Dense is taken by minilayer.nn.dense.Dense",
    ),
    (
        "ml.register(int)",
        TypeError,
        "register: expected a subclass of Layer, Loss or Initializer, found <class 'int'>",
    ),
]

ACTIVATION = """
class Half(ml.Activation):
    def function(self, x, out):
        np.divide(x, 2, out=out)

    def gradient(self, x, y, dy, out):
        np.divide(dy, 2, out=out)

"""


def half(old: str, new: str) -> str:
    """Return code that trains with the activation after a change."""
    assert ACTIVATION.count(old) == 1, old
    return ACTIVATION.replace(old, new) + "ml.fit(network(ml.Dense(3, 3), Half()), X, labels)"


MISTAKES["activations of your own"] = [
    (
        half("np.divide(x, 2, out=out)", "return x / 2"),
        ml.LayerError,
        "Half(): expected function to write into out and to return nothing, found that it returns "
        "an array of shape (20, 3)",
    ),
    (
        half("np.divide(dy, 2, out=out)", "return dy / 2"),
        ml.LayerError,
        "Half(): expected gradient to write into out and to return nothing",
    ),
    (
        half("def function(self, x, out):", "def function(self, x):"),
        TypeError,
        "Half.function: expected function(self, x, out), found function(self, x)",
    ),
    (
        half("def gradient", "def derivative"),
        TypeError,
        "Can't instantiate abstract class Half",
    ),
    (
        half("np.divide(dy, 2, out=out)", "out[:] = np.ones(2)"),
        ml.LayerError,
        "Half(): expected gradient to fit x of shape (20, 3), y of shape (20, 3), dy of shape",
    ),
]


def schedule(value: str) -> str:
    """Return code that trains with a schedule that gives this value."""
    return (
        "class Own(ml.Schedule):\n"
        f"    def __call__(self, iterations):\n        return {value}\n"
        "ml.GradientDescent(0.1, schedule=Own()).minimize(objective)"
    )


def rule(result: str, state: str = "{}") -> str:
    """Return code that trains with a rule whose update returns this."""
    return (
        "class Own(ml.Rule):\n"
        f"    def init(self, size):\n        return {state}\n"
        f"    def update(self, state, gradient, learning_rate):\n        return {result}\n"
        "ml.GradientDescent(0.1, rule=Own()).minimize(objective)"
    )


def trainer(end: str) -> str:
    """Return code that trains with a method that ends so."""
    return (
        "class Own(ml.Trainer):\n    name = 'own'\n"
        "    def settings(self):\n        return {}\n"
        f"    def _search(self, run, x0):\n        {end}\n"
        "Own().minimize(objective)"
    )


def initializer(sample: str) -> str:
    """Return code that uses an initializer whose sample is this."""
    return (
        "class Own(ml.Initializer):\n"
        f"    def sample(self, shape, fan_in, fan_out, rng):\n        return {sample}\n"
        "network(ml.Dense(3, 3, Own()))"
    )


MISTAKES["methods of your own"] = [
    (
        schedule("None"),
        TypeError,
        "schedule: expected Own() to give a number >= 0, found None after 0 iterations",
    ),
    (
        schedule("float('nan')"),
        ValueError,
        "schedule: expected Own() to give a number >= 0, found nan after 0 iterations",
    ),
    (
        schedule("-1.0"),
        ValueError,
        "schedule: expected Own() to give a number >= 0, found -1.0 after 0 iterations",
    ),
    (
        schedule("np.ones(3)"),
        TypeError,
        "schedule: expected Own() to give a number >= 0, found an array of shape (3,)",
    ),
    (
        rule("-learning_rate * gradient"),
        TypeError,
        "rule: expected Own().update to return (step, state), found an array of shape (12,)",
    ),
    (rule("None"), TypeError, "rule: expected Own().update to return (step, state), found None"),
    (
        rule("(gradient[:1], state)"),
        ValueError,
        "rule: expected Own().update to return a step of shape (12,), found an array of shape (1,)",
    ),
    (
        rule("(gradient, state)", "None"),
        TypeError,
        "rule: expected Own().update to return a dict as the state, found None",
    ),
    (
        trainer("pass"),
        TypeError,
        "trainer: expected Own._search to return (Status, reason), found None",
    ),
    (
        trainer("return 'done'"),
        TypeError,
        "trainer: expected Own._search to return (Status, reason), found 'done'",
    ),
    (
        initializer("np.ones(3)"),
        ValueError,
        "initializer: expected Own().sample to return an array of shape (3, 3), found an array",
    ),
    (
        initializer("None"),
        ValueError,
        "initializer: expected Own().sample to return an array of shape (3, 3), found None",
    ),
    (
        initializer("np.full(shape, np.nan)"),
        ValueError,
        "initializer: expected Own().sample to return finite numbers, found others",
    ),
    (
        "ml.check_gradient(square)",
        TypeError,
        "objective: expected an Objective, found <function square",
    ),
    (
        "ml.check_gradient(objective, np.zeros(3))",
        ValueError,
        "x: expected shape (12,), found (3,)",
    ),
    (
        "ml.check_gradient(objective, directions=0)",
        ValueError,
        "directions: expected at least 1, found 0",
    ),
]

MISTAKES["calls"] = [
    (
        "ml.fit(classifier, X, labels, 0.1, 5)",
        TypeError,
        "fit(): expected only model, X, Y, l2 without a name, found 5: name it, such as",
    ),
    (
        "ml.LBFGS(objective)",
        TypeError,
        "LBFGS(): expected named arguments, found Objective(",
    ),
    (
        "ml.GradientDescent(0.1, 0.9)",
        TypeError,
        "GradientDescent(): expected only learning_rate without a name, found 0.9: name it, such "
        "as momentum=...",
    ),
    (
        "ml.LBFGS().minimize(classifier)",
        TypeError,
        "objective: expected a function x -> (cost, gradient), such as Objective(model, X, Y, "
        "loss), found Sequential([Dense(3, 3), Softmax()])",
    ),
    (
        "ml.LBFGS().minimize(ml.Objective)",
        TypeError,
        "objective: expected a function x -> (cost, gradient), such as Objective(model, X, Y, "
        "loss), found <class",
    ),
    (
        "ml.fit(classifier, X, labels, validation=[X, labels])",
        TypeError,
        "validation: expected Validation(X, Y), found [an array of shape (20, 3), an array of",
    ),
    (
        "ml.accuracy(labels, classifier)",
        TypeError,
        "predicted: expected numbers, found Sequential([Dense(3, 3), Softmax()])",
    ),
    (
        "classifier.predict(classifier)",
        TypeError,
        "X: expected numbers, found Sequential([Dense(3, 3), Softmax()])",
    ),
    (
        "plots.cost_curve(ml.History())",
        ValueError,
        "history: expected a History of at least one iteration, found none",
    ),
    (
        "plots.cost_comparison({'a': ml.History()})",
        ValueError,
        "histories['a']: expected a History of at least one iteration, found none",
    ),
]


class MySigmoid(ml.Sigmoid):  # type: ignore[misc]  # that it is final is the mistake
    """A subclass that changes nothing."""


class Unregistered(ml.Activation):
    """The identity, not registered."""

    def function(self, x: Array, out: Array) -> None:
        np.copyto(out, x)

    def gradient(self, x: Array, y: Array, dy: Array, out: Array) -> None:
        np.copyto(out, dy)


def square(x: Array) -> tuple[float, Array]:
    return float(x @ x), 2 * x


def network(*layers: ml.Layer) -> ml.Sequential:
    """Return a classifier that begins with these layers."""
    return ml.Sequential([*layers, ml.Dense(3, 3), ml.Softmax()], seed=0)


def names(folder: Path) -> dict[str, Any]:
    """Return what the code of the tables uses."""
    X = np.random.default_rng(0).standard_normal((20, 3))
    labels = np.arange(20) % 3
    classifier = ml.mlp(3, 3, output=ml.Softmax, seed=0)
    diverged = ml.mlp(3, 1, seed=0)
    diverged.parameters[0] = np.nan
    (folder / "notes.txt").write_text("not a checkpoint")
    ml.save(classifier, folder / "saved.h5")
    trained = ml.mlp(3, 3, output=ml.Softmax, seed=0)
    result = ml.fit(trained, X, labels, checkpoint=folder / "run.h5", max_iterations=2)
    return {
        "__name__": "user",
        "ml": ml,
        "np": np,
        "plots": plots,
        "check_layer": check_layer,
        "X": X,
        "labels": labels,
        "numbers": X @ [1.0, 2.0, 3.0],
        "classifier": classifier,
        "regressor": ml.mlp(3, 1, seed=0),
        "yes_or_no": ml.mlp(3, 1, output=ml.Sigmoid, seed=0),
        "diverged": diverged,
        "objective": ml.Objective(
            ml.mlp(3, 3, output=ml.Softmax, seed=0), X, labels, ml.CategoricalCrossEntropy()
        ),
        "result": result,
        "square": square,
        "network": network,
        "MySigmoid": MySigmoid,
        "Unregistered": Unregistered,
        "folder": folder,
        "text_file": folder / "notes.txt",
        "saved": folder / "saved.h5",
        "run": folder / "run.h5",
    }


ROWS = [(group, row) for group, rows in MISTAKES.items() for row in rows]


@pytest.mark.parametrize(("group", "row"), ROWS, ids=[f"{g}-{k}" for k, (g, _) in enumerate(ROWS)])
def test_a_mistake_is_told(
    group: str, row: Row, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    code, kind, message = row
    monkeypatch.setattr(configured, "_REGISTRY", dict(configured._REGISTRY))
    user = names(tmp_path)
    with pytest.raises(kind) as error:
        exec(code, user)
    assert type(error.value) is kind
    found = re.sub(r" at 0x[0-9a-f]+", "", str(error.value)).replace(str(tmp_path), "FOLDER")
    assert found.startswith(message), found


def test_the_table_is_long_and_has_no_row_twice() -> None:
    codes = [code for _, (code, _, _) in ROWS]
    assert len(codes) == len(set(codes)) >= FEWEST_ROWS


def test_the_layer_of_the_table_is_right() -> None:
    user: dict[str, Any] = {"ml": ml, "np": np, "check_layer": check_layer, "__name__": "user"}
    exec(LAYER + "report = check_layer(Scale(3))" + ACTIVATION + "check_layer(Half())", user)
    assert user["report"].worst < 1e-8


def test_a_rule_that_gives_nan_ends_the_run_and_is_named() -> None:
    class Broken(ml.Rule):
        """Its steps are NaN."""

        def init(self, size: int) -> dict[str, Any]:
            return {}

        def update(
            self, state: dict[str, Any], gradient: Array, learning_rate: float
        ) -> tuple[Array, dict[str, Any]]:
            return gradient * np.nan, state

    result = ml.GradientDescent(0.1, rule=Broken()).minimize(square, [1.0, 2.0])
    assert result.status == ml.Status.NON_FINITE
    assert "the step of Broken() has nan in entry 0" in result.message
