"""L-BFGS for two classes and little data, compiled from the second evaluation to the last.

With some hundred rows an evaluation takes a few microseconds, and the way from Python into compiled text as many.  Here the
conversation of ``minimal.optimize.lbfgs`` with its objective happens in one call: same functions, same numbers.
"""

from __future__ import annotations

from numba import njit

from minimal.linear_model.logistic_loss_numba import _binary_whole
from minimal.optimize.lbfgs_numba import advance
from minimal.optimize.lbfgs_state import EVALUATE, NEW_X, TOO_MANY_EVALUATIONS, TOO_MANY_ITERATIONS

__all__ = ["descend"]


@njit(cache=True, nogil=True, error_model="numpy")
def descend(X, sign, weight, l2, x, f, g, memory, state, limits):
    """Go on from f and g at x to the end.

    Parameters
    ----------
    X, sign, weight, l2
        As in ``logistic_loss_numpy.binary_loss_gradient``.
    x, f, g
        The start, moved in place, and the objective there.
    memory, state
        From ``lbfgs_state.begin``.
    limits : (int, int)
        maxiter and maxfun.

    Returns
    -------
    f, g : at the end
    reason : int
        Of ``lbfgs_state``: why it ended.
    nit, nfev : int
    """
    nit, nfev = 0, 1
    task = advance(x, f, g, memory, state)
    while task <= NEW_X:
        if task == EVALUATE:
            f, g = _binary_whole(X, sign, weight, x, l2)
            nfev += 1
        else:
            nit += 1
            if nit >= limits[0]:
                return f, g, TOO_MANY_ITERATIONS, nit, nfev
            if nfev > limits[1]:
                return f, g, TOO_MANY_EVALUATIONS, nit, nfev
        task = advance(x, f, g, memory, state)
    return f, g, task, nit, nfev
