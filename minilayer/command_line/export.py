"""``minilayer export``: the network for other programs, by the end of the file's name."""

from __future__ import annotations

from pathlib import Path

from ..checkpoint import load


def export(file: Path, out: Path) -> None:
    """Write the network of a file as an ONNX file or as a page."""
    suffix = out.suffix.lower()
    if suffix not in (".onnx", ".html"):
        raise ValueError(f"OUT: expected a file that ends in .onnx or .html, found {out}")
    model = load(file)
    from ..export import to_html, to_onnx  # after the file has been found to be a network

    if suffix == ".onnx":
        to_onnx(model, out, feature_names=model.feature_names, class_names=model.class_names)
    else:
        to_html(model, out, class_names=model.class_names)
    print(f"{out}: {out.stat().st_size} bytes")
