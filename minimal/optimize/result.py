"""What an optimizer hands back: a dictionary whose keys can be read as attributes, and that prints itself in columns."""

from __future__ import annotations

from typing import Any

import numpy as np

__all__ = ["OptimizeResult"]

_FIRST = ("message", "success", "status", "fun", "x", "nit")  # then all others in the order in which they were set


class OptimizeResult(dict[str, Any]):
    """The outcome of :func:`minimal.optimize.minimize`.

    Attributes
    ----------
    x : ndarray of shape (n,)
        Where the search ended.
    success : bool
        Whether it ended at a minimum, as far as the tolerances tell.
    status : int
        0 success, 99 the callback said stop.  BFGS: 1 too many iterations, 2 precision loss, 3 NaN.  L-BFGS-B: 1 too many
        iterations or evaluations, 2 no lower point found.
    message : str
        The same in words.
    fun : float
        The objective at ``x``.
    jac : ndarray of shape (n,)
        The gradient at ``x``.
    hess_inv : ndarray of shape (n, n)
        The inverse Hessian as far as the search got to know it (L-BFGS-B: an operator with ``todense``).
    nfev, njev, nit : int
        Evaluations of the objective and of the gradient, and iterations.
    allvecs : list of ndarray
        The points of all iterations, if ``return_all`` asked for them.

    Notes
    -----
    As in ``scipy.optimize`` 1.17.1, fields that a method does not have are missing; ``result.keys()`` tells.
    """

    def __getattr__(self, name: str) -> Any:
        try:
            return self[name]
        except KeyError:
            raise AttributeError(name) from None

    __setattr__ = dict.__setitem__
    __delattr__ = dict.__delitem__

    def __dir__(self) -> list[str]:
        return list(self)

    def __repr__(self) -> str:
        if not self:
            return f"{type(self).__name__}()"
        names = [name for name in _FIRST if name in self] + [name for name in self if name not in _FIRST]
        width = max(map(len, names)) + 1
        return "\n".join(f"{name:>{width}}: {_indented(self[name], width + 2)}" for name in names)


def _indented(value: Any, indent: int) -> str:
    if isinstance(value, OptimizeResult):
        text = repr(value)
    else:
        with np.printoptions(
            linewidth=76 - indent, edgeitems=2, threshold=12, formatter={"float_kind": _ten_characters}
        ):
            text = str(value)
    return text.replace("\n", "\n" + " " * indent)


def _ten_characters(number: Any) -> str:
    if not np.isfinite(number):
        return f"{number:10}"
    return np.format_float_scientific(number, precision=3, pad_left=2, unique=False)
