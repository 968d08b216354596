"""The command ``minilayer``, or ``python -m minilayer``: networks in files, without a script.

    minilayer inspect FILE [--json]     what a file holds, and whether it is as it was written
    minilayer predict FILE X OUT        predictions for rows in X.npy or X.csv, as OUT.npy or .csv
    minilayer export FILE OUT           the network as OUT.onnx, or as a page to draw on, OUT.html

Files are read as ``load`` does: without trust, and without running any code of them.
"""

from .parser import main

__all__ = ["main"]
