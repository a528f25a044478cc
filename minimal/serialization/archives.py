"""The two file formats as bytes: named arrays and a description in, bytes out, and back.

Reading trusts nothing: a size that a file claims is compared with what is there before memory is asked for, and no format
is read in which a file could say what to run.
"""

from __future__ import annotations

import io
import json
import math
import zipfile
from typing import Any

import numpy as np
from numpy.typing import NDArray

from minimal.serialization.tree import DTYPES, Arrays

DESCRIPTION = "minimal"  # the entry of a safetensors file's metadata
DESCRIPTION_FILE = "minimal.json"  # the member of an npz archive

PICKLE_ADVICE = (
    "It is a pickle, as torch.save writes it, and opening one can run any code that somebody put in: minimal does not. In "
    'PyTorch, write safetensors.torch.save_file(model.state_dict(), "model.safetensors"), and load that.'
)

Archive = tuple[Arrays, "str | None"]


# ---------------------------------------------------------------- npz


def write_npz(arrays: Arrays, description: str) -> bytes:
    """An archive as ``numpy.savez`` writes it, with the description as one more member."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:
        archive.writestr(zipfile.ZipInfo(DESCRIPTION_FILE), description)
        for name, array in arrays.items():
            with archive.open(zipfile.ZipInfo(f"{name}.npy"), "w", force_zip64=True) as member:
                np.lib.format.write_array(member, array, allow_pickle=False)
    return buffer.getvalue()


def read_npz(content: bytes) -> Archive:
    """What :func:`write_npz`, or ``numpy.savez``, wrote."""
    arrays: Arrays = {}
    description = None
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        members = archive.infolist()
        names = [member.filename for member in members]
        if any(name.split("/")[-1] == "data.pkl" for name in names):
            raise ValueError(PICKLE_ADVICE)
        if len(set(names)) != len(names):
            raise ValueError("two of its members have one name")
        if any(member.compress_type != zipfile.ZIP_STORED for member in members):
            raise ValueError("it is compressed, so that its true size is not known beforehand: use numpy.savez")
        if sum(member.file_size for member in members) > len(content):
            raise ValueError("its members claim to be larger than the file")
        for member in members:
            if member.filename == DESCRIPTION_FILE:
                description = archive.read(member).decode()
            elif member.filename.endswith(".npy"):
                arrays[member.filename.removesuffix(".npy")] = _read_npy(archive.read(member))
            else:
                raise ValueError(f"its member {member.filename!r} is no array")
    return arrays, description


def _read_npy(content: bytes) -> NDArray[Any]:
    """One array, whose header must tell exactly the bytes that follow."""
    member = io.BytesIO(content)
    version = np.lib.format.read_magic(member)
    if version == (1, 0):
        shape, fortran_order, dtype = np.lib.format.read_array_header_1_0(member)
    elif version == (2, 0):
        shape, fortran_order, dtype = np.lib.format.read_array_header_2_0(member)
    else:
        raise ValueError(f"an array has format version {version}")
    if dtype.hasobject:
        raise ValueError("an array holds Python objects, which are pickled: opening those can run any code")
    array = _array(content[member.tell() :], dtype, shape[::-1] if fortran_order else shape)
    return array.T if fortran_order else array


# ---------------------------------------------------------------- safetensors

SAFETENSORS = {
    "F16": "<f2",
    "F32": "<f4",
    "F64": "<f8",
    "I8": "i1",
    "I16": "<i2",
    "I32": "<i4",
    "I64": "<i8",
    "U8": "u1",
    "BOOL": "?",
}


def safetensors_library() -> Any:
    """The library, or an ImportError that says how to get it."""
    try:
        import safetensors.numpy
    except ImportError as error:
        raise ImportError(
            "Files that end in .safetensors need the safetensors library: pip install safetensors. "
            "Files that end in .npz need nothing."
        ) from error
    return safetensors


def write_safetensors(arrays: Arrays, description: str) -> bytes:
    """A safetensors file; the description is in its metadata, which other readers pass over."""
    return safetensors_library().numpy.save(arrays, metadata={"format": "pt", DESCRIPTION: description})


def read_safetensors(content: bytes) -> Archive:
    """What any writer of safetensors wrote; bfloat16 becomes float32, which holds the same numbers."""
    found = dict(safetensors_library().deserialize(content))  # checks the header: sizes, offsets, no gaps
    header = json.loads(content[8 : 8 + int.from_bytes(content[:8], "little")])
    description = (header.get("__metadata__") or {}).get(DESCRIPTION)
    return {name: _tensor(name, found[name]) for name in header if name != "__metadata__"}, description


def _tensor(name: str, entry: dict[str, Any]) -> NDArray[Any]:
    kind, shape = entry["dtype"], tuple(entry["shape"])
    if kind == "BF16":  # the upper half of a float32
        return np.asarray(_bits(entry["data"], "<u2", shape).astype(np.uint32) << 16).view(np.float32)
    if kind not in SAFETENSORS:
        raise ValueError(f"{name!r} is of dtype {kind}, which no Tensor has: convert it before saving")
    return _array(entry["data"], np.dtype(SAFETENSORS[kind]), shape)


# ---------------------------------------------------------------- arrays


def _array(content: bytes, dtype: np.dtype[Any], shape: tuple[int, ...]) -> NDArray[Any]:
    """Bytes as an array of its own, in this machine's byte order."""
    native = dtype.newbyteorder("=")
    if native not in DTYPES:
        raise ValueError(f"an array is of dtype {dtype}, which no Tensor has: convert it before saving")
    if native == np.bool_:  # whose bytes need not be 0 and 1 in a file
        return _bits(content, np.uint8, shape).astype(np.bool_)
    return _bits(content, dtype, shape).astype(native)


def _bits(content: bytes, dtype: Any, shape: tuple[int, ...]) -> NDArray[Any]:
    if any(size < 0 for size in shape) or math.prod(shape) * np.dtype(dtype).itemsize != len(content):
        raise ValueError(f"an array claims the shape {shape}, which its {len(content)} bytes do not fill")
    return np.frombuffer(content, dtype).reshape(shape)
