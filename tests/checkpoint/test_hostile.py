"""load on files from strangers: the original network or a CheckpointError, for any bytes."""

import json
import os
import resource
import struct
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

import minilayer as ml
from tests.checkpoint.hostile import SECRET, model, outcome, refused, save_with_state
from tests.helpers.paths import ROOT


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A valid checkpoint, with a foreign file and a foreign HDF5 file beside it."""
    (tmp_path / "secret").write_bytes(SECRET * 100)
    with h5py.File(tmp_path / "other.h5", "w") as other:
        other["theta"] = np.ones((3, 3))
        other.create_group("layers")
    save_with_state(tmp_path / "model.h5")
    return tmp_path / "model.h5"


def virtual(file: h5py.File, name: str) -> None:
    layout = h5py.VirtualLayout((3, 3), "f8")
    layout[:] = h5py.VirtualSource("other.h5", "theta", (3, 3))
    file.create_virtual_dataset(name, layout)


def vlen_dataset(file: h5py.File, name: str) -> None:
    file.create_dataset(name, (3,), h5py.vlen_dtype(np.float64))


OBJECTS: dict[str, Callable[[h5py.File, str], object]] = {
    "soft link": lambda f, name: f.__setitem__(name, h5py.SoftLink("/layers/2/theta")),
    "soft link to itself": lambda f, name: f.__setitem__(name, h5py.SoftLink(name)),
    "dangling soft link": lambda f, name: f.__setitem__(name, h5py.SoftLink("/nowhere")),
    "external link": lambda f, name: f.__setitem__(name, h5py.ExternalLink("other.h5", "theta")),
    "hard link to the root": lambda f, name: f.__setitem__(name, f["/"]),
    "virtual dataset": virtual,
    "external storage": lambda f, name: f.create_dataset(
        name, (3, 3), "f8", external=[("secret", 0, 72)]
    ),
    "chunked": lambda f, name: f.create_dataset(name, data=np.ones((3, 3)), chunks=(1, 3)),
    "compressed": lambda f, name: f.create_dataset(name, data=np.ones((3, 3)), compression="gzip"),
    "checksummed": lambda f, name: f.create_dataset(name, data=np.ones((3, 3)), fletcher32=True),
    "resizable": lambda f, name: f.create_dataset(name, data=np.ones((3, 3)), maxshape=(None, 3)),
    "claims a terabyte": lambda f, name: f.create_dataset(name, (1 << 20, 1 << 17), "f8"),
    "claims a chunked terabyte": lambda f, name: f.create_dataset(
        name, (1 << 20, 1 << 17), "f8", chunks=(1, 1 << 10)
    ),
    "other shape": lambda f, name: f.create_dataset(name, data=np.ones((9, 1))),
    "other rank": lambda f, name: f.create_dataset(name, data=np.ones((3, 3, 1))),
    "scalar": lambda f, name: f.create_dataset(name, data=1.0),
    "null": lambda f, name: f.create_dataset(name, data=h5py.Empty("f8")),
    "never written": lambda f, name: f.create_dataset(name, (3, 3), "f8"),
    "single precision": lambda f, name: f.create_dataset(name, data=np.ones((3, 3), "f4")),
    "big endian": lambda f, name: f.create_dataset(name, data=np.ones((3, 3), ">f8")),
    "integers": lambda f, name: f.create_dataset(name, data=np.ones((3, 3), "i8")),
    "compound": lambda f, name: f.create_dataset(
        name, data=np.ones((3, 3), [("a", "f4"), ("b", "f4")])
    ),
    "texts": lambda f, name: f.create_dataset(name, data=np.full((3, 3), b"12345678")),
    "variable length": vlen_dataset,
    "references": lambda f, name: f.create_dataset(name, data=f["/"].ref, dtype=h5py.ref_dtype),
    "opaque": lambda f, name: f.create_dataset(name, data=np.full((3, 3), np.void(b"12345678"))),
    "a group": lambda f, name: f.create_group(name),
    "a named type": lambda f, name: f.__setitem__(name, np.dtype("f8")),
}
PLACES = (
    "layers",
    "layers/0",
    "layers/1",
    "layers/3",
    "layers/0/theta",
    "layers/2/theta",
    "state",
    "state/velocity",
    "metadata",
    "metadata/feature_names",
    "metadata/class_names",
    "metadata/values",
    "metadata/arrays",
    "metadata/arrays/pixels",
)


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("kind", OBJECTS)
def test_other_objects_in_every_place(path: Path, place: str, kind: str) -> None:
    with h5py.File(path, "r+") as file:
        del file[place]
        OBJECTS[kind](file, place)
    assert refused(path)


ATTRIBUTES: dict[str, Callable[[], Any]] = {
    "variable length": lambda: "x" * 40,
    "an array": lambda: np.arange(3),
    "an array of texts": lambda: np.full(3, b"Dense"),
    "a float": lambda: 1.5,
    "a negative": lambda: -1,
    "a huge number": lambda: np.uint64(2**64 - 1),
    "big endian": lambda: np.array(1, ">i8"),
    "compound": lambda: np.zeros((), [("a", "i4")]),
    "null": lambda: h5py.Empty("i8"),
    "an opaque": lambda: np.void(b"1234"),
    "not UTF-8": lambda: np.bytes_(b"\xff\xfe"),
    "a boolean": lambda: True,
    "a huge text": lambda: np.bytes_(b"[" * 60_000),
    "nested JSON": lambda: np.bytes_(b'{"a":' * 9_000),
    "JSON that is no object": lambda: np.bytes_(b"[1, 2]"),
    "an array of a terabyte": lambda: np.bytes_(
        b'{"values": {}, "arrays": {"velocity": [1048576, 131072]}}'
    ),
    "an array of another shape": lambda: np.bytes_(
        b'{"values": {"step": 7}, "arrays": {"velocity": [9]}}'
    ),
    "an array of negative size": lambda: np.bytes_(
        b'{"values": {"step": 7}, "arrays": {"velocity": [-3, -3]}}'
    ),
    "another value": lambda: np.bytes_(b'{"values": {"step": 8}, "arrays": {"velocity": [3, 3]}}'),
    "a value of another kind": lambda: np.bytes_(b'{"values": {"step": [8]}, "arrays": {}}'),
    "a huge layer": lambda: np.bytes_(b'{"inputs": 1000000000, "units": 1000000000}'),
    "an astronomic layer": lambda: np.bytes_(b'{"inputs": 2, "units": 1' + b"0" * 3000 + b"}"),
    "a layer with a start of its own": lambda: np.bytes_(
        b'{"inputs": 2, "units": 3, "initializer": null}'
    ),
    "another registered class": lambda: np.bytes_(b"ReLU"),
    "a class that is not registered": lambda: np.bytes_(b"os.system"),
    "a base class": lambda: np.bytes_(b"Activation"),
}


@pytest.mark.parametrize(
    "name",
    [
        "/:format",
        "/:version",
        "/:layers",
        "/:sha256",
        "/:state",
        "layers/0:class",
        "layers/0:config",
        "metadata:arrays",
        "metadata/values:sha256",
        "metadata/arrays/pixels:sha256",
    ],
)
@pytest.mark.parametrize("kind", [*ATTRIBUTES, "missing"])
def test_other_attributes_in_every_place(path: Path, name: str, kind: str) -> None:
    place, attribute = name.split(":")
    with h5py.File(path, "r+") as file:
        del file[place].attrs[attribute]
        if kind != "missing":
            file[place].attrs[attribute] = ATTRIBUTES[kind]()
    assert refused(path)


def test_numbers_and_layers_are_sealed(path: Path) -> None:
    """A change that leaves a valid file is found by the checksums."""
    content = path.read_bytes()
    swapped = content.replace(b"Tanh", b"ReLU")
    assert swapped != content
    path.write_bytes(swapped)
    assert outcome(path).endswith(
        "expected the checksum of all content, found another: the file is damaged"
    )
    path.write_bytes(
        content.replace(model().parameters[:9].tobytes(), model().parameters[:9][::-1].tobytes())
    )
    assert outcome(path).endswith(
        "/layers/0/theta: expected its checksum, found other numbers: damaged"
    )


def test_what_is_not_asked_for_does_no_harm(path: Path) -> None:
    with h5py.File(path, "r+") as file:
        file["extra"] = h5py.ExternalLink("other.h5", "theta")
    assert refused(path)  # libhdf5 rewrites the whole group in a newer form for such a link
    save_with_state(path)
    with h5py.File(path, "r+", libver="earliest") as file:
        file["extra"] = np.ones(3)
        file.attrs["note"] = "from a friend"
    assert outcome(path) == "original"


def test_every_length_of_a_truncated_file(path: Path) -> None:
    content = path.read_bytes()
    for length in [*range(0, len(content), 13), len(content) - 1]:
        path.write_bytes(content[:length])
        assert refused(path)
    path.write_bytes(content + b"\0")
    assert refused(path)


@pytest.mark.parametrize(
    ("mode", "seed"), [("bytes", 1), ("bytes", 2), ("fields", 3), ("fields", 4)]
)
def test_random_damage_in_a_process_of_its_own(path: Path, mode: str, seed: int) -> None:
    """2000 files a run: no crash, no hang, no other exception, no memory."""
    command = [sys.executable, "-m", "tests.checkpoint.hostile", str(path), mode, str(seed), "2000"]
    done = subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, timeout=240, check=False
    )
    assert done.returncode == 0, done.stderr
    original, refused, kilobytes = (int(number) for number in done.stdout.split())
    assert original + refused == 2000
    assert refused > 300  # the damage reaches what is read; much of a file is room that HDF5 leaves
    assert kilobytes < (1 << 20)


def test_a_tree_that_is_its_own_child_ends(path: Path) -> None:
    content = bytearray(path.read_bytes())
    start = content.index(b"TREE")
    while start >= 0:
        content[start + 5] = 1  # an inner node
        content[start + 32 : start + 40] = struct.pack("<Q", start)
        start = content.find(b"TREE", start + 8)
    path.write_bytes(content)
    assert "expected each byte in one structure, found some in several" in outcome(path)


def test_a_file_larger_than_allowed_is_not_read(path: Path) -> None:
    size = path.stat().st_size
    assert repr(ml.load(path, max_bytes=size)) == repr(model())
    with pytest.raises(
        ml.CheckpointError,
        match=rf"expected at most {size - 1} bytes, found {size}: max_bytes allows",
    ):
        ml.load(path, max_bytes=size - 1)
    with path.open("r+b") as file:
        file.truncate(1 << 40)  # sparse: a terabyte that takes no room
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(
        ml.CheckpointError, match="expected at most 1073741824 bytes, found 1099511627776"
    ):
        ml.load(path)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 1 << 16


def test_things_that_are_no_files(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(FileNotFoundError, match="expected a checkpoint, found no file there"):
        ml.load(tmp_path / "pipe")
    with pytest.raises(IsADirectoryError, match="expected a checkpoint, found a folder"):
        ml.load(tmp_path)


def test_load_parameters_checks_all_before_it_changes_any(path: Path) -> None:
    target = model()
    target.parameters[:] = 7
    other = ml.Sequential([ml.Dense(2, 3), ml.ReLU(), ml.Dense(3, 1), ml.Sigmoid()])
    with pytest.raises(
        ml.CheckpointError, match=r"/layers: expected \[Dense\(2, 3\), ReLU.*found \[Dense.*Tanh"
    ):
        ml.load_parameters(other, path)
    content = bytearray(path.read_bytes())
    place = content.index(model().parameters[9:].tobytes())
    content[place] ^= 1  # in the second Dense: the first is read before
    damaged = path.with_name("damaged.h5")
    damaged.write_bytes(content)
    with pytest.raises(ml.CheckpointError, match="/layers/2/theta: expected its checksum"):
        ml.load_parameters(target, damaged)
    assert (target.parameters == 7).all()
    ml.load_parameters(target, path)
    assert target.parameters.tobytes() == model().parameters.tobytes()


def test_the_config_is_a_constructor_call(path: Path) -> None:
    """What load passes to a class is what its author's own checks see."""
    with h5py.File(path, "r+") as file:
        file["layers/0"].attrs["config"] = np.bytes_(json.dumps({"inputs": 2, "units": 0}).encode())
    assert "/layers/0: expected arguments of Dense" in outcome(path)
    assert "units of Dense: expected at least 1, found 0" in outcome(path)
