"""PyTorch's generator: a Mersenne Twister that remembers its seed, and half of the last pair of normal numbers.

After this page you can stop a stream of random numbers, write down its state, and go on with it later, here or in PyTorch:
the bytes of a state are the same.

The twister itself is NumPy's ``MT19937``, whose memory the compiled kernels share, so both engines go on from one state.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from functools import cached_property
from operator import index
from typing import Any

import numpy as np
from numpy.typing import NDArray

Bytes = NDArray[np.uint8]

DEFAULT_SEED = 67280421310721  # of a new generator
N = 624  # words of the twister's state

# How PyTorch's C++ struct lies in memory.  Words are 32 bits wide, but each has 64.
LAYOUT = np.dtype(
    {
        "names": ["seed", "left", "seeded", "next", "words", "second", "has_second"],
        "formats": ["<u8", "<i4", "<i4", "<u8", ("<u8", N), "<f8", "<i4"],
        "offsets": [0, 8, 12, 16, 24, 5024, 5040],
        "itemsize": 5056,
    }
)


class Generator:
    """A stream of random numbers, the one of PyTorch's generator with the same seed.

    Parameters
    ----------
    device : "cpu" or None, default="cpu"

    Attributes
    ----------
    device : str
        Always ``"cpu"``.

    Raises
    ------
    RuntimeError
        For another device.

    Notes
    -----
    Source: ``torch.Generator``, 2.13.0.  A new generator has the seed 67280421310721.

    Differs from the reference when a state is written down: :meth:`get_state` returns an array.

    Examples
    --------
    >>> from minimal.generator import Generator, random_integers
    >>> random_integers(Generator().manual_seed(0), 0, 10, (5,), "int64")
    array([4, 9, 3, 0, 3])
    """

    def __init__(self, device: object = "cpu") -> None:
        if device is not None and str(device).partition(":")[0] != "cpu":
            raise RuntimeError(f"minimal computes on the CPU only: a generator's device must be 'cpu', got {device!r}.")
        self.device = "cpu"
        self.bits = np.random.MT19937(0)
        self.random_state = np.random.RandomState(self.bits)
        self.second = np.array([np.nan])  # the second normal number of a pair; NaN: there is none
        self.manual_seed(DEFAULT_SEED)

    @cached_property
    def memory(self) -> NDArray[np.uint32]:
        """The twister's own memory, for compiled kernels: 624 words of state, then how many of them are used up."""
        return np.asarray(_Memory(self.bits))

    def manual_seed(self, seed: int) -> Generator:
        """Begin the stream that belongs to a seed.

        Parameters
        ----------
        seed : int
            From -2**63 to 2**64 - 1; a negative one counts from 2**64 downwards.  The stream depends on its lowest 32 bits.

        Returns
        -------
        Generator
            This one.

        Raises
        ------
        RuntimeError
            If ``seed`` is no integer.
        ValueError
            If it is out of range.
        """
        if isinstance(seed, bool) or not hasattr(seed, "__index__") or isinstance(seed, np.ndarray):
            raise RuntimeError(f"manual_seed expects an int, but got {type(seed).__name__}.")
        number = index(seed)
        if not -(2**63) <= number < 2**64:
            raise ValueError(f"A seed must be in [-2**63, 2**64 - 1]. Got {number} instead.")
        self._seed = number % 2**64
        self.random_state.seed(self._seed % 2**32)
        self.second[0] = np.nan
        return self

    def skip(self, n: int) -> None:
        """Leave out the next ``n`` words."""
        self.bits.random_raw(n, output=False)

    def seed(self) -> int:
        """Begin a stream that nobody can foresee, and return its seed."""
        self.manual_seed(secrets.randbits(64))
        return self._seed

    def initial_seed(self) -> int:
        """The seed that this stream began with."""
        return self._seed

    def get_state(self) -> Bytes:
        """Write down where the stream is.

        Returns
        -------
        ndarray of shape (5056,), uint8
            Byte for byte what PyTorch's generator gives at the same place of the same stream.
        """
        twister = self.bits.state["state"]
        used = int(twister["pos"])
        state = np.zeros((), LAYOUT)
        state["seed"], state["seeded"], state["words"] = self._seed, 1, twister["key"]
        state["left"] = N + 1 - used
        state["next"] = 0 if used == N and self._is_fresh(twister["key"]) else used
        if not np.isnan(self.second[0]):
            state["second"], state["has_second"] = self.second[0], 1
        return np.frombuffer(state.tobytes(), np.uint8).copy()

    def _is_fresh(self, words: NDArray[np.uint32]) -> bool:
        """Whether the words are still those that the seed gave: PyTorch then says that none of them is used."""
        first = self._seed % 2**32
        second = (1812433253 * (first ^ (first >> 30)) + 1) % 2**32
        return int(words[0]) == first and int(words[1]) == second

    def set_state(self, new_state: Any) -> Generator:
        """Go on from where :meth:`get_state` was called, of this generator, another one, or PyTorch's.

        Parameters
        ----------
        new_state : ndarray of uint8 with 5056 elements, or a tensor of them

        Returns
        -------
        Generator
            This one.

        Raises
        ------
        TypeError
            If it is no array of bytes.
        RuntimeError
            If it has another size, or is no state.
        """
        content = getattr(new_state, "array", new_state)
        if not isinstance(content, np.ndarray) or content.dtype != np.uint8:
            raise TypeError("The state of a generator must be a uint8 array, as get_state() returns it.")
        if content.size != LAYOUT.itemsize:
            raise RuntimeError(f"The state of a generator has {LAYOUT.itemsize} bytes, but these are {content.size}.")
        state = np.frombuffer(content.tobytes(), LAYOUT)[0]
        left, used = int(state["left"]), int(state["next"])
        fresh = (left, used) == (1, 0)  # see get_state
        if state["seeded"] != 1 or not 1 <= left <= N or not (fresh or left == N + 1 - used):
            raise RuntimeError("These bytes are not the state of a generator.")
        words = state["words"].astype(np.uint32)
        self.bits.state = {"bit_generator": "MT19937", "state": {"key": words, "pos": N if fresh else used}}
        self._seed = int(state["seed"])
        self.second[0] = state["second"] if state["has_second"] else np.nan
        return self

    def clone_state(self) -> Generator:
        """A new generator at the same place of the same stream."""
        return type(self)().set_state(self.get_state())

    def __reduce__(self) -> tuple[Callable[[Bytes], Generator], tuple[Bytes]]:
        return _generator_at, (self.get_state(),)

    def __repr__(self) -> str:
        return f"Generator(device='cpu', initial_seed={self._seed})"


def _generator_at(state: Bytes) -> Generator:
    return Generator().set_state(state)


class _Memory:
    """A twister's memory, described by NumPy's array interface.  Whoever looks at it keeps it alive."""

    def __init__(self, bits: np.random.MT19937) -> None:
        self.bits = bits
        self.__array_interface__ = {
            "shape": (N + 1,),
            "typestr": "<u4",
            "data": (bits.ctypes.state_address, False),
            "version": 3,
        }


default_generator = Generator()
default_generator.seed()


def manual_seed(seed: Any) -> Generator:
    """Begin the stream of a seed in the generator that everything draws from which is given no other.

    Parameters
    ----------
    seed : int
        From -2**63 to 2**64 - 1, or what ``int`` makes one of.

    Returns
    -------
    Generator
        The default generator.

    Raises
    ------
    ValueError
        If the seed is out of range.

    Source: ``torch.manual_seed``, 2.13.0.
    """
    return default_generator.manual_seed(int(seed))


def seed() -> int:
    """Begin a stream that nobody can foresee in the default generator, and return its seed."""
    return default_generator.seed()


def initial_seed() -> int:
    """The seed that the default generator's stream began with."""
    return default_generator.initial_seed()


def get_rng_state() -> Bytes:
    """Write down where the default generator is: see :meth:`Generator.get_state`."""
    return default_generator.get_state()


def set_rng_state(new_state: Any) -> None:
    """Let the default generator go on from a state: see :meth:`Generator.set_state`."""
    default_generator.set_state(new_state)


@contextmanager
def fork_rng(devices: Iterable[object] | None = None, enabled: bool = True) -> Iterator[None]:
    """Inside the ``with`` block, draw what you like: after it, the default generator is where it was before.

    Parameters
    ----------
    devices : iterable, optional
        Accepted for the reference's sake; the CPU's generator is the only one.
    enabled : bool, default=True
        If False, nothing is put back.

    Source: ``torch.random.fork_rng``, 2.13.0.
    """
    state = get_rng_state() if enabled else None
    try:
        yield
    finally:
        if state is not None:
            set_rng_state(state)
