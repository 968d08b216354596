"""Arguments of the estimators: unknown ones and wrong values are refused by name."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import pytest

import minilayer as ml
from minilayer.estimators import MLPClassifier, MLPRegressor
from minilayer.utils.extras import require
from tests.estimators.data import diabetes, iris


@pytest.mark.parametrize(
    ("argument", "hint"),
    [
        ("l2", ": write alpha=..."),
        ("hidden", ": write activation=..."),
        ("seed", ": write random_state=..."),
        ("epochs", ": write max_iter=..."),
        ("lr", ": write learning_rate_init=..."),
        ("optimizer", ": write solver=..."),
        ("patience", ": write n_iter_no_change=..."),
        ("validation_data", ": write early_stopping=True"),
        ("hidden_layer_size", ": did you mean 'hidden_layer_sizes'?"),
        ("n_jobs", ""),
    ],
)
def test_an_argument_that_there_is_not_is_refused(argument: str, hint: str) -> None:
    arguments: dict[str, Any] = {argument: 1}
    with pytest.raises(TypeError) as refused:
        MLPClassifier(**arguments)
    assert str(refused.value) == f"MLPClassifier() has no argument {argument!r}{hint}"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"alpha": -1.0}, "The 'alpha' parameter of MLPClassifier must be a float in the range"),
        ({"solver": "newton"}, "The 'solver' parameter of MLPClassifier must be a str among"),
        ({"activation": "relu6"}, "The 'activation' parameter of MLPClassifier must be a str"),
        ({"momentum": 1.0}, "The 'momentum' parameter of MLPClassifier must be a float in the"),
        ({"standardize": "yes"}, "The 'standardize' parameter of MLPClassifier must be an inst"),
        ({"hidden_layer_sizes": (5, 0)}, "hidden_layer_sizes: expected at least 1, found 0"),
        (
            {"hidden_layer_sizes": (5, 5), "activation": ["tanh"]},
            "activation: expected one for all, or 2, one a hidden layer, found 1",
        ),
        (
            {"activation": ["relu6"]},
            "activation: expected one of 'identity', 'logistic', 'tanh', 'relu', 'elu', 'gelu', ",
        ),
        (
            {"layers": [ml.Dense(4, 2), ml.Softmax()]},
            "layers: expected 4 inputs and 3 outputs, as the data have, found 4 and 2",
        ),
        (
            {"layers": [ml.Dense(4, 3)]},
            "loss: BinaryCrossEntropy() needs Sigmoid as the last layer, found Dense(4, 3)",
        ),
        (
            {"early_stopping": True, "validation_fraction": 0.005},
            "The validation set is too small: expected at least 2 rows, found 1: raise validation",
        ),
    ],
)
def test_wrong_values_are_refused_before_training(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=r":|must be") as refused:
        MLPClassifier(**arguments).fit(*iris())
    assert str(refused.value).startswith(message)


def test_layers_must_be_layers() -> None:
    with pytest.raises(TypeError) as refused:
        MLPClassifier(layers=[ml.Dense]).fit(*iris())  # type: ignore[list-item]
    assert str(refused.value).startswith("layers: expected layers such as Dense(4, 10), found")
    with pytest.raises(TypeError) as refused:
        MLPClassifier(layers=lambda inputs, outputs: None).fit(*iris())  # type: ignore[arg-type]
    assert str(refused.value) == "layers: expected a function that returns a Sequential, found None"


def test_weights_must_weigh_something() -> None:
    with pytest.raises(ValueError, match="class_weight") as refused:
        MLPClassifier(class_weight={0: 0.0, 1: 0.0, 2: 0.0}).fit(*iris())
    expected = "sample_weight, class_weight: expected at least one positive weight, found none"
    assert str(refused.value) == expected


def test_partial_fit_needs_adam_or_sgd() -> None:
    assert not hasattr(MLPRegressor(), "partial_fit")
    with pytest.raises(AttributeError) as refused:
        MLPRegressor().partial_fit(*diabetes())
    expected = "partial_fit: expected solver='adam' or solver='sgd', found 'lbfgs'"
    assert str(refused.value.__cause__) == expected


def test_partial_fit_knows_its_classes() -> None:
    network = MLPClassifier(solver="adam")
    network.partial_fit([[0.0], [1.0]], ["no", "yes"], classes=["no", "yes"])
    with pytest.raises(ValueError, match=r":|must be") as refused:
        network.partial_fit([[0.0], [1.0]], ["no", "maybe"])
    assert str(refused.value) == "y: expected classes among ['no' 'yes'], found ['maybe']"


def test_numbers_that_are_too_large_are_refused() -> None:
    with pytest.raises(ValueError, match="need to be preprocessed"):
        MLPRegressor(random_state=0).fit([[1e300], [-1e300], [1e299]], [1e300, 0.0, 3.0])


def test_minilayer_itself_does_not_import_scikit_learn() -> None:
    code = "import minilayer, sys; print('sklearn' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"


def test_without_scikit_learn_the_error_says_what_to_type() -> None:
    code = "import sys; sys.modules['sklearn'] = None; import minilayer.estimators"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    expected = (
        "ImportError: sklearn: expected it to be installed, found no such module: "
        "pip install 'minilayer[sklearn]'"
    )
    assert done.stderr.splitlines()[-1] == expected


def test_a_library_that_lacks_another_is_not_called_missing(tmp_path: Any) -> None:
    (tmp_path / "half_installed.py").write_text("import no_such_module_at_all\n")
    sys.path.insert(0, str(tmp_path))
    try:
        with pytest.raises(ModuleNotFoundError, match="no_such_module_at_all"):
            require("half_installed", "sklearn")
    finally:
        sys.path.remove(str(tmp_path))
