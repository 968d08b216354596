"""The loss of a model in its checkpoint: saved, found again, refused by name."""

import json
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

import minilayer as ml
from minilayer.checkpoint.format import VERSION_WITHOUT_METADATA, content_checksum
from minilayer.checkpoint.stored_loss import decode_loss
from minilayer.nn import configured
from minilayer.utils.types import Array
from tests.helpers.paths import ROOT

LOSSES: tuple[ml.Loss, ...] = (
    ml.BinaryCrossEntropy(),
    ml.CategoricalCrossEntropy(),
    ml.SquaredError(),
    ml.Poisson(),
    ml.Huber(0.1),
    ml.PinballLoss(0.9, smoothing=1e-3),
)


class Cubed(ml.ElementwiseLoss):
    """abs(r)**3 * size, a loss of the user's own."""

    output_activation = None

    def __init__(self, size: float = 1.0) -> None:
        self.size = size

    def value(self, z: Array, target: Array) -> Array:
        return np.asarray(self.size * np.abs(z - target) ** 3)

    def derivative(self, z: Array, target: Array) -> Array:
        r = z - target
        return np.asarray(3 * self.size * np.abs(r) * r)


@pytest.fixture
def registered_cubed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(configured, "_REGISTRY", dict(configured._REGISTRY))
    ml.register(Cubed)


def model() -> ml.Sequential:
    return ml.mlp(2, 3, 1, seed=0)


@pytest.mark.parametrize("loss", LOSSES, ids=repr)
def test_a_loss_comes_back_with_its_arguments(loss: ml.Loss, tmp_path: Path) -> None:
    saved = model()
    ml.save(saved, tmp_path / "m.h5", loss=loss, state={"epoch": 3})
    again = ml.load_loss(tmp_path / "m.h5")
    assert type(again) is type(loss)
    assert again.config() == loss.config()
    assert ml.load_state(tmp_path / "m.h5") == {"epoch": 3}
    np.testing.assert_array_equal(ml.load(tmp_path / "m.h5").parameters, saved.parameters)


def test_a_file_without_a_loss_gives_none(tmp_path: Path) -> None:
    ml.save(model(), tmp_path / "m.h5")
    assert ml.load_loss(tmp_path / "m.h5") is None
    for version in (1, 2):
        assert ml.load_loss(ROOT / "tests" / "fixtures" / f"checkpoint-{version}.h5") is None


def test_a_file_of_version_3_with_a_loss_keeps_loading() -> None:
    path = ROOT / "tests" / "fixtures" / "checkpoint-3-loss.h5"
    assert repr(ml.load_loss(path)) == "PinballLoss(quantile=0.9, smoothing=0.125)"
    loaded = ml.load(path)
    assert repr(loaded[1]) == "ELU(alpha=0.5)"
    np.testing.assert_array_equal(loaded.parameters, np.arange(13) / 8)
    assert ml.load_state(path) == {"epoch": 3}


def test_the_file_shows_the_loss(tmp_path: Path) -> None:
    ml.save(model(), tmp_path / "m.h5", loss=ml.Huber(0.5))
    with h5py.File(tmp_path / "m.h5") as file:
        expected = {"class": "Huber", "config": {"delta": 0.5}}
        assert json.loads(file.attrs["loss"]) == expected


def test_a_loss_that_is_not_registered_is_not_saved(tmp_path: Path) -> None:
    message = (
        r"^loss: expected a registered class, found Cubed\(size=1.0\): "
        r"put @minilayer.register before `class Cubed`$"
    )
    with pytest.raises(ml.CheckpointError, match=message):
        ml.save(model(), tmp_path / "m.h5", loss=Cubed())
    assert list(tmp_path.iterdir()) == []


def test_what_is_no_loss_is_refused(tmp_path: Path) -> None:
    with pytest.raises(TypeError, match=r"loss: expected a Loss .* found .*: write Huber\(...\)"):
        ml.save(model(), tmp_path / "m.h5", loss=ml.Huber)  # type: ignore[arg-type]


@pytest.mark.usefixtures("registered_cubed")
def test_a_long_argument_is_stored_beside_a_long_state_or_refused(tmp_path: Path) -> None:
    path = tmp_path / "m.h5"
    for length in (63_000, 64_000):
        loss = Cubed("a" * length)  # type: ignore[arg-type]
        if length == 64_000:
            message = "^loss: expected at most 64000 bytes as JSON, found 64042$"
            with pytest.raises(ml.CheckpointError, match=message):
                ml.save(model(), path, loss=loss)
            continue
        ml.save(model(), path, loss=loss, state={"text": "b" * 63_000})
        again = ml.load_loss(path)
        assert again is not None
        assert again.config() == loss.config()
        assert ml.load_state(path) == {"text": "b" * 63_000}


@pytest.mark.usefixtures("registered_cubed")
def test_a_registered_loss_of_the_users_own_comes_back(tmp_path: Path) -> None:
    ml.save(model(), tmp_path / "m.h5", loss=Cubed(0.25))
    again = ml.load_loss(tmp_path / "m.h5")
    assert isinstance(again, Cubed)
    assert again.size == 0.25


def test_a_loss_of_an_unknown_class_is_refused_and_the_network_loads(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "m.h5"
    with monkeypatch.context() as patch:
        patch.setattr(configured, "_REGISTRY", dict(configured._REGISTRY))
        ml.register(Cubed)
        ml.save(model(), path, loss=Cubed(0.25))
    message = r"m.h5: /: loss: expected a registered loss with its arguments, found .*Cubed"
    with pytest.raises(ml.CheckpointError, match=message):
        ml.load_loss(path)
    np.testing.assert_array_equal(ml.load(path).parameters, model().parameters)


def rewrite(path: Path, text: str, *, checksum: bool = True) -> None:
    """Put another loss into a file, under a valid checksum or the old one."""
    with h5py.File(path, "r+") as file:
        file.attrs["loss"] = np.bytes_(text.encode())
        if not checksum:
            return
        layers = []
        for index in range(int(file.attrs["layers"])):
            group = file[f"layers/{index}"]
            sums = {name: group[name].attrs["sha256"].decode() for name in group}
            about = (group.attrs["class"].decode(), group.attrs["config"].decode(), sums)
            layers.append(about)
        total = content_checksum(layers, {}, VERSION_WITHOUT_METADATA, text)
        file.attrs["sha256"] = np.bytes_(total)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "null",
        "[]",
        "3",
        "{",
        "[" * 5000,
        '{"class": "Huber"}',
        '{"class": "Huber", "config": {"delta": -1}}',
        '{"class": "Huber", "config": {"delta": NaN}}',
        '{"class": "Huber", "config": {"delta": "1"}}',
        '{"class": "Huber", "config": {}}',
        '{"class": "Huber", "config": {"epsilon": 1.0}}',
        '{"class": "Huber", "config": {"delta": 1.0}, "more": 1}',
        '{"class": "Dense", "config": {"inputs": 1, "units": 1}}',
        '{"class": "PinballLoss", "config": {"quantile": 0.5}}',
        '{"class": "os.system", "config": {}}',
        '{"class": "\\u001b[31m", "config": {}}',
    ],
)
def test_other_texts_are_refused(text: str, tmp_path: Path) -> None:
    path = tmp_path / "m.h5"
    ml.save(model(), path, loss=ml.Huber())
    rewrite(path, text)
    with pytest.raises(ml.CheckpointError, match="loss") as caught:
        ml.load_loss(path)
    assert str(caught.value).isprintable()
    ml.load(path)


def test_a_changed_loss_is_found_by_the_checksum(tmp_path: Path) -> None:
    path = tmp_path / "m.h5"
    ml.save(model(), path, loss=ml.Huber(1.0))
    rewrite(path, '{"class": "Huber", "config": {"delta": 20.0}}', checksum=False)
    for function in (ml.load, ml.load_loss, ml.load_state):
        with pytest.raises(ml.CheckpointError, match="the file is damaged"):
            function(path)


def test_a_loss_that_is_no_string_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "m.h5"
    ml.save(model(), path, loss=ml.Huber(1.0))
    with h5py.File(path, "r+") as file:
        file.attrs["loss"] = 3
    with pytest.raises(ml.CheckpointError, match="expected loss = a string of JSON, found 3"):
        ml.load(path)


@pytest.mark.parametrize("trainer", [ml.LBFGS, ml.GradientDescent, ml.ScipyTrainer])
def test_the_checkpoint_of_a_run_has_its_loss(trainer: Any, tmp_path: Path) -> None:
    X = np.linspace(-1, 1, 20)[:, None]
    objective = ml.Objective(ml.mlp(1, 3, 1, seed=0), X, X, ml.Huber(0.25))
    trainer(max_iterations=3).minimize(objective, checkpoint=tmp_path / "run.h5")
    assert repr(ml.load_loss(tmp_path / "run.h5")) == "Huber(delta=0.25)"


@pytest.mark.parametrize("loss", [Cubed(0.5), None], ids=["not registered", "a function"])
def test_a_run_may_have_a_loss_that_files_cannot_name(loss: ml.Loss | None, tmp_path: Path) -> None:
    X = np.linspace(-1, 1, 20)[:, None]
    objective = ml.Objective(ml.mlp(1, 3, 1, seed=0), X, X, loss or ml.Huber())

    class Without(ml.ProblemWrapper):
        """An objective that has no Loss."""

        loss = None

    problem = objective if loss else Without(objective)
    ml.LBFGS(max_iterations=3).minimize(problem, checkpoint=tmp_path / "run.h5")
    assert ml.load_loss(tmp_path / "run.h5") is None


def test_arguments_nested_too_deep_are_refused() -> None:
    deep = '{"class": "Huber", "config": ' * 3000 + "{}" + "}" * 3000
    with pytest.raises(ml.CheckpointError, match="expected a registered loss"):
        decode_loss(deep)
