"""Places in the repository."""

from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
EX4 = ROOT / "data" / "ex4data1.mat"
