"""``import minilayer`` leaves out what takes a while and what not everybody needs."""

import subprocess
import sys
import typing

import pytest

import minilayer as ml
from minilayer import training

NOT_IMPORTED = (
    *("h5py", "scipy", "tqdm", "threadpoolctl", "importlib.metadata"),
    *(
        "matplotlib",
        "pandas",
        "polars",
        "sklearn",
        "onnx",
        "dask",
        "distributed",
        "torch",
        "IPython",
    ),
)


def run(code: str) -> str:
    """Run code in a process of its own, and return what it prints."""
    command = [sys.executable, "-W", "error", "-c", code]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def test_import_leaves_out_what_takes_a_while() -> None:
    found = run("import sys, minilayer; print(*sys.modules)").split()
    assert "minilayer.fit" in found
    assert not set(NOT_IMPORTED) & set(found)


def test_a_network_is_loaded_and_predicts_without_h5py_and_scipy() -> None:
    code = (
        "import sys, minilayer as ml; "
        "model = ml.load('tests/fixtures/checkpoint-4.h5'); model.predict([[1.0, 2.0]]); "
        "ml.load_metadata('tests/fixtures/checkpoint-4.h5'); print(*sys.modules)"
    )
    assert not {"h5py", "scipy"} & set(run(code).split())


def test_lazy_names_are_where_they_were() -> None:
    code = (
        "import minilayer as ml; assert 'TrainingResult' in dir(ml) and '__version__' in dir(ml); "
        "from minilayer import TrainingResult, __version__; from minilayer import *; "
        "from scipy.optimize import OptimizeResult; "
        "print(issubclass(TrainingResult, OptimizeResult), ml.TrainingResult is TrainingResult)"
    )
    assert run(code).split() == ["True", "True"]
    assert training.TrainingResult is ml.TrainingResult
    assert set(ml.__all__) <= set(dir(ml))
    for module in (ml, training):
        with pytest.raises(
            AttributeError, match=rf"module '{module.__name__}' has no attribute 'x'"
        ):
            module.x  # noqa: B018


def test_type_hints_resolve() -> None:
    """Tools that read them, such as Sphinx, see what the type checker sees."""
    assert "return" in ml.fit.__annotations__
    assert typing.get_type_hints(ml.predicted_classes)


def test_scipy_s_blas_is_held_too_although_it_is_loaded_late() -> None:
    code = """
import numpy as np
import minilayer as ml
from minilayer.utils.cpus import single_threaded_blas

model = ml.mlp(2, 3, 1, seed=0)
ml.Objective(model, np.ones((4, 2)), np.ones(4), ml.SquaredError())
import scipy.linalg.blas
from threadpoolctl import threadpool_info
with single_threaded_blas():
    print(*[one["num_threads"] for one in threadpool_info() if one["user_api"] == "blas"])
"""
    found = run(code).split()
    assert found
    assert set(found) == {"1"}
