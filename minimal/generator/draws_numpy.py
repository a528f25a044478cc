"""What PyTorch makes of random words: uniform numbers, coin flips, integers and permutations, as vectorized text.

After this page you know every random stream of PyTorch's CPU side but the normal one (next door, ``normal_numpy``).  They
all begin with the 32-bit words of one Mersenne Twister, of which NumPy has the same one.  A single precision number takes
one word, a double precision number or a wide integer takes two, the first one high.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from minimal.generator.fused_numpy import fused

if TYPE_CHECKING:
    from minimal.generator.state import Generator


def words(generator: Generator, n: int) -> NDArray[np.uint64]:
    """The next ``n`` words of the generator, each below 2**32."""
    return generator.bits.random_raw(n)


def wide_words(generator: Generator, n: int) -> NDArray[np.uint64]:
    """The next ``n`` pairs of words as integers of 64 bits."""
    pairs = words(generator, 2 * n)
    return pairs[0::2] << np.uint64(32) | pairs[1::2]


def unit(generator: Generator, n: int, dtype: Any = np.float64) -> NDArray[np.floating]:
    """Uniform numbers in [0, 1): as many of the lower bits as the format holds digits, 24 or 53, over 2**24 or 2**53."""
    if dtype == np.float64:
        return (wide_words(generator, n) & np.uint64(2**53 - 1)) * 2.0**-53
    return (words(generator, n) & np.uint64(2**24 - 1)).astype(np.float32) * np.float32(2.0**-24)


def uniform(generator: Generator, n: int, dtype: Any, low: float, high: float) -> NDArray[np.floating]:
    """Draw uniform numbers x (high - low) + low, product and sum rounded once, and ``low`` where that gives ``high``.

    Parameters
    ----------
    generator : Generator
    n : int
    dtype : float32 or float64
    low, high : float
        Rounded to ``dtype`` first.

    Returns
    -------
    ndarray of shape (n,)

    Notes
    -----
    Twin: ``draws_numba.uniform``, same bits.
    """
    number = np.dtype(dtype).type
    first, last = number(low), number(high)
    x = fused(unit(generator, n, dtype), last - first, first)
    x[x == last] = first
    return x


def bernoulli(generator: Generator, n: int, dtype: Any, p: float, value: float) -> NDArray[Any]:
    """Draw ``value`` with probability ``p``, else 0: where a uniform number in double precision is below ``p``.

    Parameters
    ----------
    generator : Generator
    n : int
    dtype : bool, float32 or float64
        Of the result; two words are used for each number whatever it is.
    p : float
    value : float

    Returns
    -------
    ndarray of shape (n,)

    Notes
    -----
    Twin: ``draws_numba.bernoulli``, same bits.
    """
    return (unit(generator, n) < p) * np.dtype(dtype).type(value)


def integers(generator: Generator, n: int, count: int, base: int, wide: bool) -> NDArray[np.int64]:
    """Draw integers base + word mod count.

    Parameters
    ----------
    generator : Generator
    n : int
    count : int
        How many integers there are to choose from: up to 2**64, or up to 2**31 where not ``wide``.
    base : int
        The smallest of them.
    wide : bool
        Whether a pair of words is used for each, instead of one.

    Returns
    -------
    ndarray of shape (n,), int64

    Notes
    -----
    Twin: ``draws_numba.integers``, same bits.
    """
    value = wide_words(generator, n) if wide else words(generator, n)
    if count < 2**64:
        value %= np.uint64(count)
    return (value + np.uint64(base % 2**64)).view(np.int64)  # modulo 2**64, so a negative base comes out right


def permutation(generator: Generator, n: int) -> NDArray[np.int64]:
    """Shuffle 0, ..., n - 1: each place in turn changes with one of the places from it to the end (Fisher & Yates, 1938).

    Parameters
    ----------
    generator : Generator
        Gives a word for each place but the last.
    n : int

    Returns
    -------
    ndarray of shape (n,), int64

    Notes
    -----
    Twin: ``draws_numba.permutation``, same bits.
    """
    if n < 2:
        return np.arange(n)
    order = np.arange(n)
    place = order.data  # as quick as a list to index, and it changes the array
    further = words(generator, n - 1) % np.arange(n, 1, -1, dtype=np.uint64)
    for i, j in enumerate((np.arange(n - 1) + further.view(np.int64)).tolist()):
        place[i], place[j] = place[j], place[i]
    return order


def large_permutation(generator: Generator, n: int) -> NDArray[np.int64]:
    """Shuffle 0, ..., n - 1 where a word is too short for a fair choice: i takes the place of any j <= i, which moves to i.

    Parameters
    ----------
    generator : Generator
        Gives two words for each place.
    n : int

    Returns
    -------
    ndarray of shape (n,), int64

    Notes
    -----
    Twin: ``draws_numba.large_permutation``, same bits.
    """
    order = np.empty(n, np.int64)
    for i in range(n):
        (wide,) = wide_words(generator, 1)
        j = int(wide) % (i + 1)
        order[i] = order[j] if j < i else i
        order[j] = i
    return order
