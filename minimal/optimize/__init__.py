"""Finding minima: BFGS and L-BFGS-B under the names, with the options and with the answers of ``scipy.optimize`` 1.17.1.

Read in this order: ``differences`` (gradients without calculus), ``scalar_function`` (counting and remembering),
``more_thuente`` and ``wolfe`` (how far to walk), ``bfgs`` (where to walk), and ``bfgs_numba`` for the same compiled.
"""

from minimal.optimize.differences import approx_fprime, check_grad
from minimal.optimize.result import OptimizeResult

__all__ = ["OptimizeResult", "approx_fprime", "check_grad"]
