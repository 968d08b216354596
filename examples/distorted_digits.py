"""A file of any size with digits made from the exercise's: turned, scaled, sheared, moved, bent."""

import os
import shutil
from itertools import pairwise
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from tqdm import tqdm

SIDE = 20
"""Pixels of an image's side."""
PADDED = SIDE + 2
"""With a border of zeros, so that pixels from outside are empty."""
ROW_BYTES = 4 * SIDE * SIDE + 1
"""400 pixels as float32, and the label."""
ROWS_PER_BLOCK = 500
"""Some 10 MB of arrays."""
TURN_RADIANS = 0.18
STRETCH = 0.1
SHEAR = 0.15
SHIFT_PIXELS = 1.0
BEND_PIXELS = 0.35
"""Standard deviation of the distance that one bump moves its centre."""
BUMPS = 4
"""In each direction."""


def make_file(path: Path, rows: int, digits: Any, labels: Any, seed: int) -> bool:
    """Write X (rows, 400) and labels (rows,) into an HDF5 file; False if it is there already.

    The file appears when it is whole. Without chunks, HDF5 reads it fastest.
    """
    content = f"{rows} rows distorted from {len(digits)} digits, seed {seed}"
    if path.exists():
        if content == (found := content_of(path)):
            return False
        if found is None:
            raise ValueError(f"--file: expected a file of this program or none, found {path}")
    check_space(path, rows * ROW_BYTES)
    unfinished = path.with_name(f"{path.name}.part")
    try:
        with h5py.File(unfinished, "w") as file:
            file.attrs["content"] = content
            X = file.create_dataset("X", (rows, SIDE * SIDE), "float32")
            y = file.create_dataset("labels", (rows,), "uint8")
            write_rows(X, y, digits, labels, np.random.default_rng(seed), path.name)
        os.replace(unfinished, path)
    finally:
        unfinished.unlink(missing_ok=True)
    return True


def content_of(path: Path) -> str | None:
    """Return what a file of this program holds; None for another file."""
    try:
        with h5py.File(path, "r") as file:
            return str(file.attrs["content"])
    except (OSError, KeyError):
        return None


def check_space(path: Path, size: int) -> None:
    """Raise OSError if the disk has too little space."""
    free = shutil.disk_usage(path.parent).free
    if size > free:
        raise OSError(
            f"--gigabytes: expected at most the {free / 1e9:.3g} GB that are free in "
            f"{path.parent}, found {size / 1e9:.3g}"
        )


def write_rows(X: Any, y: Any, digits: Any, labels: Any, rng: Any, title: str) -> None:
    """Fill two datasets, with a progress bar in a terminal."""
    images = np.pad(digits.reshape(-1, SIDE, SIDE), ((0, 0), (1, 1), (1, 1))).astype(np.float32)
    size = len(X) * ROW_BYTES
    with tqdm(total=size, desc=title, unit="B", unit_scale=True, disable=None) as bar:
        for start, stop in pairwise([*range(0, len(X), ROWS_PER_BLOCK), len(X)]):
            chosen = rng.integers(len(images), size=stop - start)
            X[start:stop] = distort(images, chosen, rng)
            y[start:stop] = labels[chosen]
            bar.update((stop - start) * ROW_BYTES)


def distort(images: Any, chosen: Any, rng: Any) -> Any:
    """Return rows (b, 400): each pixel is taken from a place nearby in its image, bilinearly."""
    corner, rest = np.divmod(source_places(len(chosen), rng), np.float32(1))
    row, column = np.swapaxes(rest, 0, 1)
    corner = corner.astype(np.int32)
    at = PADDED * (PADDED * chosen[:, None] + corner[:, 0]) + corner[:, 1]
    pixels = images.ravel()
    above = pixels[at] + column * (pixels[at + 1] - pixels[at])
    at += PADDED
    below = pixels[at] + column * (pixels[at + 1] - pixels[at])
    return above + row * (below - above)


def source_places(count: int, rng: Any) -> Any:
    """Return row and column (count, 2, 400) in the padded images, for each pixel of new ones."""
    centred = np.mgrid[:SIDE, :SIDE].reshape(2, -1).astype(np.float32) - (SIDE - 1) / 2
    angle = rng.uniform(-TURN_RADIANS, TURN_RADIANS, count)
    height, width = 1 + rng.uniform(-STRETCH, STRETCH, (2, count))
    shear = rng.uniform(-SHEAR, SHEAR, count)
    sine, cosine = np.sin(angle), np.cos(angle)
    matrix = np.array([[height * cosine, width * (shear - sine)], [height * sine, width * cosine]])
    places = np.moveaxis(matrix, 2, 0).astype(np.float32) @ centred
    places += rng.uniform(-SHIFT_PIXELS, SHIFT_PIXELS, (count, 2, 1)).astype(np.float32)
    bends = BEND_PIXELS * rng.standard_normal((count, 2, BUMPS * BUMPS), np.float32)
    places += bends @ smooth_bumps(centred)
    return np.clip(places + PADDED / 2 - 0.5, 0, PADDED - 1.001)


def smooth_bumps(centred: Any) -> Any:
    """Return bell curves (16, 400) around the points of a coarse grid."""
    spacing = SIDE / BUMPS
    centres = (np.mgrid[:BUMPS, :BUMPS].reshape(2, -1) - (BUMPS - 1) / 2) * spacing
    squares = ((centred[:, None] - centres[:, :, None]) ** 2).sum(axis=0)
    return np.exp(-squares / (2 * (0.7 * spacing) ** 2)).astype(np.float32)
