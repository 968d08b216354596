"""The shape of the project: who imports whom, what is public, and the linter's, formatter's and type checker's word."""

import ast
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

import minilayer as ml
from tests.conftest import ROOT

PACKAGE = ROOT / "minilayer"
MODULES = sorted(PACKAGE.rglob("*.py"))

GROUND = {"utils", "errors"}
"""They import nothing of minilayer, and everything may import them."""

MAY_IMPORT = {
    "nn": "",
    "labels": "",
    "metrics": "labels",
    "objective": "nn labels",
    "checkpoint": "nn",
    "training/history": "",
    "training/problem": "nn",
    "training/resume": "training/history training/problem checkpoint",
    "training": "training/history training/problem training/resume",
    "training/methods": "training training/history training/problem",
    "fit": "nn objective training training/methods",
    "ex4": "nn",
    "testing": "nn objective checkpoint",
    "plots": "nn training/history labels",
}
"""Each folder (or file beside the folders), and the folders that it may import from."""

ONLY_IMPORTER = {
    "scipy.optimize": {
        "training/methods/scipy_trainer.py",
        "training/result.py",  # for OptimizeResult
    },
    "scipy.linalg": {"training/methods/inverse_hessian.py"},
    "threadpoolctl": {"utils/cpus.py"},
    "tqdm": {"training/progress.py"},
    "h5py": {"checkpoint/writer.py"},
    "matplotlib": {"plots/axes.py"},
}


def imports(path: Path) -> set[str]:
    """Absolute module names that a file imports."""
    package = ("minilayer", *path.relative_to(PACKAGE).parent.parts)
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else ()
            found.add(".".join([*base, *([node.module] if node.module else [])]))
    return found


def room_of(module: str) -> str:
    """The row of the table that a module, named below minilayer, belongs to; the longest that fits."""
    place = module.replace(".", "/")
    rooms = [
        room for room in {*GROUND, *MAY_IMPORT} if place == room or place.startswith(f"{room}/")
    ]
    return max(rooms, key=len, default="")


@pytest.mark.parametrize("path", MODULES, ids=str)
def test_imports_point_one_way(path: Path) -> None:
    room = room_of(path.relative_to(PACKAGE).with_suffix("").as_posix())
    if (
        not room or not (PACKAGE / room).is_dir()
    ):  # the package itself, or a file that has not moved yet
        return
    inside = {
        room_of(name.removeprefix("minilayer."))
        for name in imports(path)
        if name.startswith("minilayer.")
    }
    allowed = GROUND | {room, *MAY_IMPORT[room].split()} if room in MAY_IMPORT else {room}
    assert inside - {""} <= allowed, f"{path.name} imports from {inside}"


@pytest.mark.parametrize("library", ONLY_IMPORTER)
def test_each_library_has_its_importer(library: str) -> None:
    importers = {
        path.relative_to(PACKAGE).as_posix()
        for path in MODULES
        if any(name == library or name.startswith(f"{library}.") for name in imports(path))
    }
    assert importers == ONLY_IMPORTER[library]


def test_no_import_points_upward() -> None:
    order: list[str] = []
    while len(order) < len(MAY_IMPORT):
        ready = [
            room
            for room, seen in MAY_IMPORT.items()
            if room not in order and set(seen.split()) <= set(order)
        ]
        assert ready, f"a cycle among {set(MAY_IMPORT) - set(order)}"
        order += ready


def test_public_names_are_exported_sorted_and_documented() -> None:
    capitals_first = sorted(
        ml.__all__, key=lambda name: (not name.isupper(), name)
    )  # as the linter has it
    assert capitals_first == list(ml.__all__)
    for name in ml.__all__:
        assert (getattr(ml, name).__doc__ or "").strip(), name
    readme_names = {
        "Sequential",
        "Dense",
        "Sigmoid",
        "BinaryCrossEntropy",
        "Objective",
        "ScipyTrainer",
    }
    assert readme_names | {"GradientDescent", "save", "load", "load_ex4"} <= set(ml.__all__)


def test_layers_are_abstract_or_final() -> None:
    pending: list[type] = [ml.Layer, ml.Loss, ml.Initializer, ml.Trainer, ml.Rule, ml.Schedule]
    while pending:
        kinds: list[type] = pending.pop().__subclasses__()
        for kind in kinds:
            if not kind.__module__.startswith("minilayer."):
                continue
            abstract = bool(getattr(kind, "__abstractmethods__", ()))
            assert abstract != getattr(kind, "__final__", False), f"{kind} is both or neither"
            pending.append(kind)


def test_the_changelog_has_the_version() -> None:
    version = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"][
        "version"
    ]
    assert f"## {version}" in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")


def test_the_top_level_is_what_it_is_to_be() -> None:
    listed = subprocess.run(
        ["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    if listed.returncode:
        pytest.skip("not a git checkout")
    tops = {line.split("/")[0] for line in listed.stdout.splitlines()}
    allowed = {
        "minilayer",
        "examples",
        "tests",
        "data",
        "pyproject.toml",
        "README.md",
        "LICENSE",
        "CHANGELOG.md",
        "CONTRIBUTING.md",
    }
    assert tops <= allowed | {".gitignore", ".ci"}


def test_links_of_the_readme_lead_somewhere() -> None:
    for target in re.findall(r"\]\(([^)#]+)\)", (ROOT / "README.md").read_text(encoding="utf-8")):
        assert target.startswith("http") or (ROOT / target).exists(), target


@pytest.mark.parametrize("command", ["ruff check .", "ruff format --check .", "mypy"])
def test_quality(command: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", *command.split()],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
