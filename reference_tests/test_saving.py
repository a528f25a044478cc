"""Files that keep tensors: what goes in comes out, also in PyTorch; a damaged or malicious file is an error, no more."""

from __future__ import annotations

import contextlib
import io
import json
import os
import pickle
import stat
import string
import subprocess
import sys
import zipfile

import numpy as np
import pytest
import safetensors
import safetensors.torch
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

import minimal
from minimal import serialization
from minimal.autograd.tensor import Tensor

COMPONENT = "save"
ENDINGS = [".npz", ".safetensors"]
DTYPES = ["float16", "float32", "float64", "int8", "int16", "int32", "int64", "uint8", "bool"]
QUICK = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.fixture(params=ENDINGS)
def path(request, tmp_path):
    return tmp_path / f"file{request.param}"


def same(a, b):
    """Whether two objects are equal to the bit, types and order of keys included."""
    if type(a) is not type(b):
        return False
    if isinstance(a, Tensor):
        return same(a.detach().array, b.detach().array)
    if isinstance(a, np.ndarray):
        return a.dtype == b.dtype and a.shape == b.shape and a.tobytes() == b.tobytes()
    if isinstance(a, dict):
        return same(list(a), list(b)) and all(same(a[key], b[key]) for key in a)
    if isinstance(a, (list, tuple)):
        return len(a) == len(b) and all(map(same, a, b))
    return a == b or (a != a and b != b)


# ---------------------------------------------------------------- what goes in comes out


def layouts(array):
    spread = np.repeat(array, 2, axis=0)[::2] if array.ndim else array
    last = np.moveaxis(np.ascontiguousarray(np.moveaxis(array, 1, -1)), -1, 1) if array.ndim > 2 else array
    return st.sampled_from([array, array.copy("F"), spread, last, array[::-1] if array.ndim else array])


arrays = (
    st.sampled_from(DTYPES)
    .flatmap(lambda dtype: npst.arrays(dtype, npst.array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=4)))
    .flatmap(layouts)
)
leaves = (
    st.none()
    | st.booleans()
    | st.integers(-(10**30), 10**30)
    | st.floats()
    | st.text(max_size=5)
    | arrays
    | arrays.map(Tensor)
)
keys = (
    st.text(max_size=4) | st.integers() | st.none() | st.booleans() | st.sampled_from(["a", "a.b", "b", "__metadata__"])
)
objects = st.recursive(
    leaves,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(keys, inner, max_size=3) | st.lists(inner, max_size=3).map(tuple)
    ),
    max_leaves=8,
)


@QUICK
@given(objects)
def test_objects_come_back_as_they_were(path, obj):
    serialization.save(obj, path)
    back = serialization.load(path)
    assert same(back, obj), f"{obj!r} came back as {back!r}"


@QUICK
@given(st.dictionaries(st.text(string.ascii_letters + "._0", min_size=1, max_size=6), arrays, max_size=4))
def test_state_dicts_cross_to_pytorch_and_back(tmp_path, arrays):
    """In both directions: the same names and the same bits, through safetensors and through npz."""
    path, other = tmp_path / "ours.safetensors", tmp_path / "theirs.safetensors"
    serialization.save({name: Tensor(array) for name, array in arrays.items()}, path)
    theirs = safetensors.torch.load_file(path)
    assert {name: same(array, np.asarray(theirs[name].numpy())) for name, array in arrays.items()} == dict.fromkeys(
        arrays, True
    )
    assert set(theirs) == set(arrays)

    safetensors.torch.save_file({name: torch.tensor(array.copy()) for name, array in arrays.items()}, other)
    back = serialization.load(other)
    assert set(back) == set(arrays)
    assert all(same(back[name], Tensor(array)) for name, array in arrays.items())

    serialization.save({name: Tensor(array) for name, array in arrays.items()}, tmp_path / "ours.npz")
    with np.load(tmp_path / "ours.npz", allow_pickle=False) as archive:
        assert all(same(archive[name], np.asarray(array, order="C")) for name, array in arrays.items())


def test_names_that_would_meet_in_a_file_stay_apart(path):
    """Dots join names, some names mean something to a format, and others cannot be written: the description knows better."""
    names = [
        "a.b",
        "__metadata__",
        "",
        "x\n",
        "tensor",
        "c\\d",
        "c/d",
        "nul\0",
        "nul",
        1,
        "1",
        1.5,
        None,
        "None",
        "minimal.json",
    ]
    obj = {"a": {"b": Tensor(np.array(-1))}, **{name: Tensor(np.array(i)) for i, name in enumerate(names)}}
    serialization.save(obj, path)
    assert same(serialization.load(path), obj)


def test_a_model_of_pytorch_and_its_optimizer_cross(path):
    """A checkpoint as people write them: epoch, model, optimizer, scheduler; goes on as if nothing had happened."""
    weights = [np.random.default_rng(0).normal(size=shape) for shape in [(3, 4), (3,)]]
    params = [Tensor(array.copy()).requires_grad_() for array in weights]

    def made(params):
        optimizer = minimal.optim.Adam([{"params": params[:1]}, {"params": params[1:], "lr": 0.1}], amsgrad=True)
        return optimizer, minimal.optim.lr_scheduler.MultiStepLR(optimizer, [2, 5])

    def train(params, optimizer, scheduler, steps):
        for i in range(steps):
            for param in params:
                param.grad = Tensor(np.sin(param.array + i))
            optimizer.step()
            scheduler.step()

    optimizer, scheduler = made(params)
    train(params, optimizer, scheduler, 4)
    checkpoint = {"epoch": 4, "model": dict(zip("wb", params))}
    serialization.save({**checkpoint, "optimizer": optimizer.state_dict(), "scheduler": scheduler.state_dict()}, path)
    train(params, optimizer, scheduler, 4)

    found = serialization.load(path)
    assert found["epoch"] == 4
    assert not found["model"]["w"].requires_grad
    others = [Tensor(found["model"][name].array).requires_grad_() for name in "wb"]
    optimizer, scheduler = made(others)
    optimizer.load_state_dict(found["optimizer"])
    scheduler.load_state_dict(found["scheduler"])
    train(others, optimizer, scheduler, 4)
    for param, other in zip(params, others):
        np.testing.assert_array_equal(param.array, other.array)


def test_bfloat16_becomes_float32(tmp_path):
    values = torch.tensor([[1.0, -0.5], [float("inf"), 3.14159]], dtype=torch.bfloat16)
    safetensors.torch.save_file({"x": values, "y": values[0, 0].clone()}, tmp_path / "x.safetensors")
    found = serialization.load(tmp_path / "x.safetensors")
    assert found["x"].dtype == np.float32
    np.testing.assert_array_equal(found["x"].array, values.float().numpy())
    assert found["y"].shape == ()


@pytest.mark.parametrize("dtype", ["complex64", "uint16", "float8_e4m3fn"])
def test_dtypes_that_no_tensor_has_are_told(tmp_path, dtype):
    path = tmp_path / "x.safetensors"
    safetensors.torch.save_file({"x": torch.ones(2).to(getattr(torch, dtype))}, path)
    with pytest.raises(RuntimeError, match="which no Tensor has: convert it before saving"):
        serialization.load(path)
    if dtype != "float8_e4m3fn":
        with pytest.raises(TypeError, match="which no Tensor has"):
            serialization.save({"x": np.ones(2, dtype)}, path)


def test_big_endian_and_odd_bools_become_native(tmp_path):
    np.savez(tmp_path / "x.npz", big=np.arange(3, dtype=">i4"), odd=np.array([0, 2, 255], np.uint8).view(np.bool_))
    found = serialization.load(tmp_path / "x.npz")
    assert found["big"].dtype == np.int32
    assert found["big"].tolist() == [0, 1, 2]
    assert found["odd"].array.view(np.uint8).tolist() == [0, 1, 1]


def test_what_comes_out_can_be_changed(path):
    serialization.save({"x": Tensor(np.ones(2))}, path)
    serialization.load(path)["x"].array[...] = 3


# ---------------------------------------------------------------- what cannot be saved

itself: list = []
itself.append(itself)
UNSAVEABLE = {
    "a set": ({"a": {1}}, TypeError, "Cannot save 'a': it is of type set"),
    "a function": ({"a": [0, len]}, TypeError, r"Cannot save 'a\.1'"),
    "an object": (object(), TypeError, "Cannot save the object"),
    "an optimizer": (minimal.optim.SGD([Tensor(np.ones(1))]), TypeError, r"save its state_dict\(\)"),
    "objects in an array": ({"a": np.array([None])}, TypeError, "dtype object"),
    "complex": ({"a": 1j}, TypeError, "of type complex"),
    "a tuple as key": ({(1, 2): 3}, TypeError, r"the key \(1, 2\)"),
    "itself": (itself, ValueError, "contains itself"),
}


@pytest.mark.parametrize("case", UNSAVEABLE)
def test_what_cannot_be_saved_leaves_the_file_alone(case, path):
    obj, kind, words = UNSAVEABLE[case]
    serialization.save({"x": Tensor(np.ones(2))}, path)
    before = path.read_bytes()
    with pytest.raises(kind, match=words):
        serialization.save(obj, path)
    assert path.read_bytes() == before
    assert os.listdir(path.parent) == [path.name]


@pytest.mark.parametrize("name", ["model.pt", "model.pth", "model.pkl", "model", "model.npy"])
def test_other_endings_are_refused(name, tmp_path):
    with pytest.raises(ValueError, match=r"must end in \.safetensors or \.npz"):
        serialization.save({}, tmp_path / name)
    assert not os.listdir(tmp_path)


@pytest.mark.parametrize("moment", ["fsync", "replace"])
def test_an_error_while_writing_keeps_the_old_file(path, moment, monkeypatch):
    serialization.save({"x": Tensor(np.ones(2))}, path)
    before = path.read_bytes()

    def fail(*args):
        raise OSError("the disk is full")

    monkeypatch.setattr(os, moment, fail)
    with pytest.raises(OSError, match="disk is full"):
        serialization.save({"x": Tensor(np.zeros(9))}, path)
    monkeypatch.undo()
    assert path.read_bytes() == before
    assert os.listdir(path.parent) == [path.name]


@pytest.mark.skipif(os.name != "posix", reason="modes and links of POSIX")
def test_a_replaced_file_keeps_its_mode_and_links_stay(path, tmp_path):
    serialization.save({}, path)
    assert stat.S_IMODE(path.stat().st_mode) & 0o600 == 0o600
    path.chmod(0o640)
    link = tmp_path / f"link{path.suffix}"
    link.symlink_to(path)
    serialization.save({"x": Tensor(np.ones(2))}, str(link))
    assert link.is_symlink()
    assert stat.S_IMODE(path.stat().st_mode) == 0o640
    assert list(serialization.load(path)) == ["x"]


# ---------------------------------------------------------------- damaged and malicious files


def good(path):
    obj = {
        "a": Tensor(np.arange(6.0).reshape(2, 3)),
        "n": [1, {"b": Tensor(np.ones((), np.float32))}],
        "e": np.zeros((0, 2)),
    }
    serialization.save(obj, path)
    return obj, path.read_bytes()


@QUICK
@given(cut=st.floats(0, 1, exclude_max=True))
def test_a_file_that_is_cut_off_anywhere(path, cut):
    _, content = good(path)
    path.write_bytes(content[: int(cut * len(content))])
    with pytest.raises(RuntimeError, match="Cannot load"):
        serialization.load(path)


@settings(QUICK, max_examples=300)
@given(data=st.data())
def test_a_file_with_any_byte_changed_is_an_error_or_loads_plain_things(path, data):
    """No checksum guards safetensors files, so numbers may change; nothing but our own error may come of it."""
    _, content = good(path)
    place = data.draw(st.integers(0, len(content) - 1))
    damaged = bytearray(content)
    damaged[place] ^= data.draw(st.integers(1, 255))
    path.write_bytes(damaged)
    found = {}
    with contextlib.suppress(RuntimeError):  # any other error goes through
        found = serialization.load(path)
    assert all(isinstance(leaf, (Tensor, np.ndarray, list)) for leaf in found.values())


@QUICK
@given(
    st.binary(max_size=200),
    st.sampled_from([b"", b"PK\x03\x04", b"PK\x05\x06", b"\x80\x02", b"\x10" + bytes(7) + b"{"]),
)
def test_any_bytes_are_an_error(tmp_path, content, beginning):
    (tmp_path / "x").write_bytes(beginning + content)
    with pytest.raises(RuntimeError, match="Cannot load"):
        serialization.load(tmp_path / "x")


class Bomb:
    """Unpickling it makes a file."""

    def __init__(self, path):
        self.path = str(path)

    def __reduce__(self):
        return (open, (self.path, "w"))


def npy(descr="'<f8'", shape="(2,)", data=bytes(16), fortran=False, version=b"\x01\x00"):
    header = f"{{'descr': {descr}, 'fortran_order': {fortran}, 'shape': {shape}, }}\n".encode()
    size = len(header).to_bytes(2 if version == b"\x01\x00" else 4, "little")
    return b"\x93NUMPY" + version + size + header + data


def zipped(members, compression=zipfile.ZIP_STORED):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", compression) as archive:
        for name, content in members:
            archive.writestr(name, content)
    return buffer.getvalue()


def described(tree):
    return zipped([("minimal.json", json.dumps({"version": 1, "tree": tree})), ("a.npy", npy())])


def tensors(header, data=b""):
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return len(text).to_bytes(8, "little") + text + data


def entry(dtype="F32", shape=(2,), offsets=(0, 8)):
    return {"a": {"dtype": dtype, "shape": list(shape), "data_offsets": list(offsets)}}


def with_description(text):
    return tensors({"__metadata__": {"minimal": text}, **entry()}, bytes(8))


def malicious(marker):
    """Files by name, with words of the error that each must be."""
    pickled = pickle.dumps(Bomb(marker))
    by_numpy, by_torch = io.BytesIO(), io.BytesIO()
    np.savez(by_numpy, a=np.array([Bomb(marker)], dtype=object))
    torch.save({"a": Bomb(marker)}, by_torch)
    deep = "[" * 100_000 + "]" * 100_000
    overlapping = zipped([("a.npy", npy()), ("b.npy", npy())])
    return {
        "a pickle": (pickled, "It is a pickle"),
        "a file of torch.save": (by_torch.getvalue(), "It is a pickle.*safetensors.torch.save_file"),
        "objects in an npz": (by_numpy.getvalue(), "Python objects"),
        "a pickle among the members": (zipped([("a.npy", npy()), ("b.pkl", pickled)]), "is no array"),
        "a pickle as a member": (zipped([("a.npy", pickled)]), ""),
        "a shape too large": (zipped([("a.npy", npy(shape="(10**9, 10**9)"))]), ""),
        "a shape too large, plainly": (zipped([("a.npy", npy(shape="(1000000000000, 8)"))]), "do not fill"),
        "a shape too small": (zipped([("a.npy", npy(shape="(1,)"))]), "do not fill"),
        "a negative shape": (zipped([("a.npy", npy(shape="(-1, -2)"))]), "do not fill"),
        "a shape beyond any": (zipped([("a.npy", npy(shape="(0, 99999999999999999999)", data=b""))]), ""),
        "a dtype that is code": (zipped([("a.npy", npy(descr="__import__('os')"))]), ""),
        "a dtype of records": (zipped([("a.npy", npy(descr="[('x', '<f4'), ('y', '<f4')]"))]), "no Tensor has"),
        "a dtype of text": (zipped([("a.npy", npy(descr="'<U2'"))]), "no Tensor has"),
        "another npy version": (zipped([("a.npy", npy(version=b"\x03\x00"))]), "version"),
        "a compressed bomb": (zipped([("a.npy", npy(data=bytes(10**6)))], zipfile.ZIP_DEFLATED), "compressed"),
        "a member twice": (_twice(), "one name"),
        "a size that lies": (_with_larger_size(overlapping), "claim to be larger than the file"),
        "a description that is no JSON": (zipped([("minimal.json", "{")]), ""),
        "a description of another version": (zipped([("minimal.json", '{"version": 99, "tree": 1}')]), "version 1"),
        "a description that is a list": (zipped([("minimal.json", "[]")]), "version 1"),
        "a description without end": (zipped([("minimal.json", deep)]), ""),
        "a tensor that is not there": (described([{"tensor": "a"}, {"tensor": "b"}]), "b"),
        "a tensor named twice": (described([{"tensor": "a"}, {"tensor": "a"}]), "a"),
        "a tensor left out": (described([]), "leaves out"),
        "a place of unknown kind": (described({"module": "os"}), "says nothing"),
        "a place of two kinds": (described({"tensor": "a", "array": "a"}), "says nothing"),
        "a float in words": (described({"float": "__import__('os')"}), "says nothing"),
        "a dict without pairs": (described({"dict": [1]}), ""),
        "a list as key": (described({"dict": [[[1], {"tensor": "a"}]]}), "key"),
        "a list as name": (described({"tensor": ["a"]}), ""),
        "a header too large": (b"\xff" * 7 + b"\x7f{}", "header"),
        "a header that is no JSON": (tensors(b"{'a': 1}"), "header"),
        "a header of one list": (tensors([1, 2]), "header"),
        "offsets out of range": (tensors(entry(offsets=(0, 800)), bytes(8)), ""),
        "offsets that overlap": (tensors({**entry(), "b": entry()["a"]}, bytes(8)), ""),
        "offsets backwards": (tensors(entry(offsets=(8, 0)), bytes(8)), ""),
        "offsets below zero": (tensors(entry(offsets=(-8, 0)), bytes(8)), ""),
        "bytes that nobody names": (tensors(entry(), bytes(99)), ""),
        "a tensor shape too large": (tensors(entry(shape=(2**40, 2**40)), bytes(8)), ""),
        "a tensor dtype that is not": (tensors(entry(dtype="O"), bytes(8)), ""),
        "metadata that is no JSON": (with_description("{"), ""),
        "metadata that is code": (with_description("__import__('os').abort()"), ""),
        "an empty file": (b"", ""),
        "text": (b"hello, I am not a model", ""),
    }


def _twice():
    with pytest.warns(UserWarning, match="Duplicate name"):
        return zipped([("a.npy", npy()), ("a.npy", npy())])


def _with_larger_size(content):
    """Let the central directory claim a gigabyte for each member."""
    changed = bytearray(content)
    place = -1
    while (place := content.find(b"PK\x01\x02", place + 1)) >= 0:
        changed[place + 20 : place + 28] = (2**30).to_bytes(4, "little") * 2
    return bytes(changed)


@pytest.mark.parametrize("case", malicious("unused"))
@pytest.mark.component("load")
def test_malicious_files_are_errors_and_run_nothing(case, tmp_path, implementation):
    marker = tmp_path / "code ran"
    content, words = malicious(marker)[case]
    (tmp_path / "file").write_bytes(content)
    with pytest.raises(RuntimeError, match=f"(?s)Cannot load.*{words}"):
        implementation("load")(tmp_path / "file")
    assert not marker.exists()


def test_the_bomb_of_these_tests_is_one(tmp_path):
    marker = tmp_path / "code ran"
    pickle.loads(pickle.dumps(Bomb(marker))).close()
    assert marker.exists()


def test_a_file_that_is_not_there(tmp_path):
    with pytest.raises(FileNotFoundError):
        serialization.load(tmp_path / "nothing.npz")


NO_SAFETENSORS = """
import sys
sys.modules["safetensors"] = None
import minimal
from minimal.autograd.tensor import Tensor
import numpy as np
path = sys.argv[1]
minimal.save({"x": Tensor(np.ones(2))}, path + "/x.npz")
assert list(minimal.load(path + "/x.npz")) == ["x"]
open(path + "/x.safetensors", "wb").write(b"\\x02" + bytes(7) + b"{}")
for job in (lambda: minimal.save({}, path + "/y.safetensors"), lambda: minimal.load(path + "/x.safetensors")):
    try:
        job()
    except ImportError as error:
        assert "pip install safetensors" in str(error), error
    else:
        raise AssertionError("no ImportError")
"""


def test_npz_needs_no_other_library(tmp_path):
    done = subprocess.run(
        [sys.executable, "-c", NO_SAFETENSORS, str(tmp_path)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert sorted(os.listdir(tmp_path)) == ["x.npz", "x.safetensors"]
