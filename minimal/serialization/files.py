"""``save`` and ``load``: a file is replaced as a whole or not at all, and read without trust."""

from __future__ import annotations

import os
import secrets
import shutil
from contextlib import suppress
from pathlib import Path
from typing import Any

from minimal.serialization.archives import (
    PICKLE_ADVICE,
    read_npz,
    read_safetensors,
    safetensors_library,
    write_npz,
    write_safetensors,
)
from minimal.serialization.tree import put_together, take_apart

WRITERS = {".npz": write_npz, ".safetensors": write_safetensors}


def save(obj: Any, f: str | os.PathLike[str]) -> None:
    """Keep tensors, and plain things around them, in a file.

    Parameters
    ----------
    obj : dict of Tensor, or nested
        A ``state_dict``; or dicts, lists and tuples of such, of NumPy arrays, and of numbers, text, bool and None.
    f : path
        Ends in ``.safetensors`` (needs the safetensors library) or ``.npz``.  An existing file is replaced at the very
        end: until the new one is complete and on the disk, the old one stays.

    Raises
    ------
    TypeError
        If there is something else in ``obj``.
    ValueError
        If the name ends otherwise, or ``obj`` contains itself.
    ImportError
        If the safetensors library is needed and not there.

    Notes
    -----
    A ``.safetensors`` file of a state_dict loads in PyTorch with ``safetensors.torch.load_file``: same names, same bits.

    Tensors are written in C order whatever their memory layout, without gradients and history.  Two names for one tensor
    become two tensors.  A subclass of dict, list or tuple is loaded as a dict, list or tuple.

    Differs from the reference, torch.save 2.13.0, which pickles.  How things around the tensors are kept is written in
    ``minimal/serialization/tree.py``.
    """
    path = Path(os.path.realpath(os.fspath(f)))  # through a link, the file itself is replaced
    if path.suffix not in WRITERS:
        advice = " Pickles, PyTorch's .pt and .pth, are not written." if path.suffix in (".pt", ".pth", ".pkl") else ""
        raise ValueError(f"The name of the file must end in .safetensors or .npz. Got {path.name!r}.{advice}")
    arrays, description = take_apart(obj)
    _replace(path, WRITERS[path.suffix](arrays, description))


def load(f: str | os.PathLike[str]) -> Any:
    """Read what :func:`save` wrote, or a state_dict that PyTorch wrote with ``safetensors.torch.save_file``.

    Parameters
    ----------
    f : path
        What the file is, its beginning tells, not its name.

    Returns
    -------
    object
        As it was saved; tensors do not require a gradient.  From other writers: a dict of tensors, and bfloat16 as float32.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    RuntimeError
        If it is no such file, or a damaged or malicious one.  Nothing in a file is ever executed.
    ImportError
        If the safetensors library is needed and not there.

    Notes
    -----
    Differs from the reference, torch.load 2.13.0, which reads pickles: convert those with PyTorch and safetensors.  An
    ``.npz`` archive must not be compressed.
    """
    path = os.fspath(f)
    content = Path(path).read_bytes()
    is_zip = content[:4] in (b"PK\x03\x04", b"PK\x05\x06")
    is_pickle = content.startswith(b"\x80") and content[8:9] != b"{"
    if not is_zip and not is_pickle:
        safetensors_library()
    try:
        if is_pickle:
            raise ValueError(PICKLE_ADVICE)
        arrays, description = read_npz(content) if is_zip else read_safetensors(content)
        return put_together(arrays, description)
    except Exception as error:  # whatever a damaged or malicious file leads to
        raise RuntimeError(f"Cannot load {path!r}: {error or type(error).__name__}") from error


def _replace(path: Path, content: bytes) -> None:
    """Put the content under a name of its own beside the file, safely on the disk, then rename it."""
    beside = path.with_name(f".{path.name}.{secrets.token_hex(4)}.tmp")
    try:
        with open(beside, "xb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        if path.exists():
            shutil.copymode(path, beside)
        os.replace(beside, path)
    except BaseException:
        with suppress(OSError):
            beside.unlink()
        raise
    _sync_folder(path.parent)


def _sync_folder(folder: Path) -> None:
    """Have the new name on the disk too, where the system can do that."""
    if os.name != "posix":
        return
    with suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
