"""Finding minima: BFGS and L-BFGS-B under the names, with the options and with the answers of ``scipy.optimize`` 1.17.1.

Read in this order: ``differences`` (gradients without calculus), ``scalar_function`` (counting and remembering),
``more_thuente`` and ``wolfe`` (how far to walk), ``bfgs`` (where to walk), then ``lbfgs_numpy`` (the same with less memory).
The modules that end in ``_numba`` are compiled twins; ``blas_numba`` tells how they come by NumPy's very bits.
"""

from minimal.optimize.differences import approx_fprime, check_grad
from minimal.optimize.dispatch import fmin_bfgs, minimize
from minimal.optimize.result import OptimizeResult
from minimal.optimize.rosenbrock import rosen, rosen_der
from minimal.optimize.wolfe import line_search

__all__ = [
    "OptimizeResult",
    "approx_fprime",
    "check_grad",
    "fmin_bfgs",
    "line_search",
    "minimize",
    "rosen",
    "rosen_der",
]
