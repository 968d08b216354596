"""The shape of the project: imports, public names, and what linter and type checker say."""

import ast
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

import minilayer as ml
from tests.helpers.paths import ROOT

PACKAGE = ROOT / "minilayer"
MODULES = sorted(PACKAGE.rglob("*.py"))

GROUND = {"utils", "errors"}
"""Everything may import them. They import nothing of minilayer."""

MAY_IMPORT = {
    "nn": "",
    "labels": "",
    "metrics": "labels",
    "objective": "nn labels",
    "checkpoint": "nn",
    "training/history": "training/history_html",
    "training/history_html": "",
    "training/problem": "nn",
    "training/resume": "training/history training/problem checkpoint",
    "training": "training/history training/history_html training/problem training/resume metrics",
    "training/methods": "training training/history training/problem training/resume",
    "distributed": "nn objective",
    "fit": "nn objective training training/methods distributed",
    "ex4": "nn objective",
    "estimators": "nn objective training training/methods",
    "testing": "nn objective checkpoint",
    "plots": "nn training/history labels",
    "export": "nn labels estimators",
    "command_line": "nn checkpoint labels export",
    "__main__": "command_line",
}
"""Each folder (or file beside the folders), and the folders that it may import from."""

ONLY_IMPORTER = {
    "scipy.optimize": {
        "training/methods/scipy_trainer.py",
        "training/result.py",  # for OptimizeResult
    },
    "scipy.linalg": {"utils/cpus.py"},  # so that its BLAS is held to one thread too
    "threadpoolctl": {"utils/cpus.py"},
    "tqdm": {"training/progress.py"},
    "h5py": {"checkpoint/writer.py"},
    "matplotlib": {"plots/axes.py"},
    "onnx": {"export/onnx_model.py", "export/skl2onnx_converter.py"},
    "skl2onnx": {"export/skl2onnx_converter.py"},
}


def imports(path: Path) -> set[str]:
    """Return the absolute names of the modules that a file imports."""
    package = path.relative_to(ROOT).parent.parts
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else ()
            found.add(".".join([*base, *([node.module] if node.module else [])]))
    return found


def row_of(module: str) -> str:
    """Return the longest row of the table that a module, named below minilayer, belongs to."""
    place = module.replace(".", "/")
    rows = {*GROUND, *MAY_IMPORT}
    fitting = [row for row in rows if place == row or place.startswith(f"{row}/")]
    return max(fitting, key=len, default="")


@pytest.mark.parametrize("path", MODULES, ids=str)
def test_imports_are_those_of_the_table(path: Path) -> None:
    if path == PACKAGE / "__init__.py":
        return
    row = row_of(path.relative_to(PACKAGE).with_suffix("").as_posix())
    own = [name for name in imports(path) if name.startswith("minilayer.")]
    found = {row_of(name.removeprefix("minilayer.")) for name in own}
    allowed = {row, *GROUND, *MAY_IMPORT.get(row, "").split()}
    assert row in {*GROUND, *MAY_IMPORT}
    assert found <= allowed, f"{path.name} imports from {found - allowed}"


@pytest.mark.parametrize("library", ONLY_IMPORTER)
def test_each_library_is_imported_in_one_place(library: str) -> None:
    importers = {
        path.relative_to(PACKAGE).as_posix()
        for path in MODULES
        if any(name == library or name.startswith(f"{library}.") for name in imports(path))
    }
    assert importers == ONLY_IMPORTER[library]


def test_the_table_has_no_cycle() -> None:
    order: list[str] = []
    while len(order) < len(MAY_IMPORT):
        left = [row for row in MAY_IMPORT if row not in order]
        ready = [row for row in left if set(MAY_IMPORT[row].split()) <= set(order)]
        assert ready, f"a cycle among {set(MAY_IMPORT) - set(order)}"
        order += ready


def test_public_names_are_exported_sorted_and_documented() -> None:
    capitals_first = sorted(ml.__all__, key=lambda name: (not name.isupper(), name))
    assert capitals_first == list(ml.__all__)  # the linter's order
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


def test_classes_are_abstract_or_final() -> None:
    pending: list[type] = [ml.Layer, ml.Loss, ml.Initializer, ml.Trainer, ml.Rule, ml.Schedule]
    while pending:
        kinds: list[type] = pending.pop().__subclasses__()
        for kind in kinds:
            if not kind.__module__.startswith("minilayer."):
                continue
            if getattr(sys.modules[kind.__module__], kind.__name__, None) is not kind:
                continue  # an example in a docstring, if that has run before
            abstract = bool(getattr(kind, "__abstractmethods__", ()))
            assert abstract != getattr(kind, "__final__", False), f"{kind} is both or neither"
            pending.append(kind)


def test_the_changelog_has_the_version() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    version = project["version"]
    assert f"## {version}" in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")


def test_the_top_folder_holds_nothing_else() -> None:
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


TESTS = sorted((ROOT / "tests").rglob("test_*.py"))


@pytest.mark.parametrize("path", TESTS, ids=str)
def test_no_test_file_imports_from_another(path: Path) -> None:
    own = [name for name in imports(path) if name.startswith("tests")]
    files = {name.rpartition(".")[2] for name in own}
    assert not any(name == "conftest" or name.startswith("test_") for name in files)


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
