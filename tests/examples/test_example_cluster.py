"""The example of a cluster, as its users run it."""

from pathlib import Path

from tests.examples.running import figures, run, succeed
from tests.helpers.paths import ROOT

SHORT = ["--evaluations", "15", "--workers", "2"]


def test_a_killed_worker_does_not_change_the_bits(tmp_path: Path) -> None:
    out = succeed(tmp_path, "cluster", *SHORT)
    assert out.startswith("8 parts on 2 workers\nworker killed after iteration 2\n")
    assert "same bits as on one machine  True" in out
    assert figures(tmp_path / "results" / "cluster") == {"parts", "cost", "overview"}


def test_a_wrong_folder_is_told_of_before_any_training(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("where a folder would have to be")
    done = run(tmp_path, "cluster", "--figures", "file/x")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == (
        "cluster.py: error: --figures: expected a folder to write to, "
        "found file/x: Not a directory\n"
    )


def test_the_gallery_shows_it() -> None:
    gallery = (ROOT / "examples" / "README.md").read_text(encoding="utf-8")
    assert "python examples/cluster.py" in gallery
    assert "](cluster.png)" in gallery
    assert (ROOT / "examples" / "cluster.png").stat().st_size < 256_000
