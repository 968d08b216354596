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

MAY_IMPORT = {
    "checks": "",
    "workspace": "checks",
    "initializers": "checks",
    "layers": "checks workspace",
    "dense": "checks initializers layers",
    "activations": "checks layers",
    "losses": "activations checks workspace",
    "chain": "checks layers",
    "sequential": "chain checks layers",
    "cpus": "",
    "parallel": "",
    "shards": "checks workspace",
    "curvature": "chain checks sequential workspace",
    "evaluator": "checks curvature losses parallel sequential shards workspace",
    "preconditioner": "checks cpus layers sequential",
    "held_out": "checks cpus evaluator shards",
    "preparation": "checks data losses sequential",
    "objective": "checkpoint checkpoint_reader checks cpus evaluator held_out losses preconditioner preparation "
    "sequential shards workspace",
    "data": "checks",
    "metrics": "checks data",
    "differences": "checks layers",
    "gradcheck": "checks differences objective sequential workspace",
    "testing": "checkpoint checks dense differences layers sequential",
    "files": "",
    "plain_hdf5": "checks",
    "checkpoint_reader": "checks layers plain_hdf5",
    "checkpoint": "checkpoint_reader checks files layers sequential",
    "interchange": "activations checks data dense files layers sequential",
    "training": "checks cpus files",
    "canvas": "checks",
    "diagrams": "canvas checks data dense layers sequential",
    "fit": "checks losses objective preparation sequential training",
    "plots": "canvas checks data dense diagrams sequential training",
}
"""The rooms of the house, and the rooms that each looks into."""

ONLY_IMPORTER = {
    "scipy.optimize": {"training/scipy_trainer.py", "training/trainer.py", "fit.py"},  # two for OptimizeResult
    "scipy.linalg": {"training/secants.py"},
    "threadpoolctl": {"cpus.py"},
    "tqdm": {"training/progress.py"},
    "h5py": {"checkpoint.py"},
    "matplotlib": {"canvas.py"},
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


@pytest.mark.parametrize("path", MODULES, ids=str)
def test_imports_point_one_way(path: Path) -> None:
    room = path.relative_to(PACKAGE).parts[0].removesuffix(".py")
    if room == "__init__":
        return
    inside = {name.split(".")[1] for name in imports(path) if name.startswith("minilayer.")} - {room}
    assert inside <= set(MAY_IMPORT[room].split()), f"{path.name} looks into {inside}"


@pytest.mark.parametrize("library", ONLY_IMPORTER)
def test_each_library_has_its_importer(library: str) -> None:
    importers = {
        path.relative_to(PACKAGE).as_posix()
        for path in MODULES
        if any(name == library or name.startswith(f"{library}.") for name in imports(path))
    }
    assert importers == ONLY_IMPORTER[library]


def test_rooms_are_acyclic() -> None:
    order: list[str] = []
    while len(order) < len(MAY_IMPORT):
        ready = [room for room, seen in MAY_IMPORT.items() if room not in order and set(seen.split()) <= set(order)]
        assert ready, f"a cycle among {set(MAY_IMPORT) - set(order)}"
        order += ready


@pytest.mark.parametrize("path", MODULES, ids=str)
def test_one_idea_a_file(path: Path) -> None:
    assert len(path.read_text(encoding="utf-8").splitlines()) <= 220


def test_public_names_are_exported_sorted_and_documented() -> None:
    capitals_first = sorted(ml.__all__, key=lambda name: (not name.isupper(), name))  # as the linter has it
    assert capitals_first == list(ml.__all__)
    for name in ml.__all__:
        assert (getattr(ml, name).__doc__ or "").strip(), name
    readme_names = {"Sequential", "Dense", "Sigmoid", "BinaryCrossEntropy", "Objective", "ScipyTrainer"}
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
    version = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"]
    assert f"## {version}" in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")


def test_the_top_level_is_what_it_is_to_be() -> None:
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=False)
    if listed.returncode:
        pytest.skip("not a git checkout")
    tops = {line.split("/")[0] for line in listed.stdout.splitlines()}
    allowed = {"minilayer", "examples", "tests", "data", "pyproject.toml", "README.md", "LICENSE", "CHANGELOG.md"}
    assert tops <= allowed | {".gitignore", ".ci"}


def test_links_of_the_readme_lead_somewhere() -> None:
    for target in re.findall(r"\]\(([^)#]+)\)", (ROOT / "README.md").read_text(encoding="utf-8")):
        assert target.startswith("http") or (ROOT / target).exists(), target


@pytest.mark.parametrize("command", ["ruff check .", "ruff format --check .", "mypy"])
def test_quality(command: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", *command.split()], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
