"""Newton's method for smooth convex functions: where the curvature says the minimum is, and how far to trust it.

Near a point the function is a parabola with the gradient g and the Hessian H, whose minimum lies at the step s with

    H s = -g

:func:`newton_cg` finds s by conjugate gradients, which need only products H v; it suits many coefficients.
:func:`newton_cholesky` builds H and solves the system; it suits many samples and few coefficients, also ill-conditioned ones.
A line search then shortens the step where the parabola promised too much.

The decisions (tolerances, order of the tests, when to fall back) are those of scikit-learn 1.9.1.

References
----------
Nocedal & Wright, *Numerical Optimization*, 2nd edition, chapters 3, 6 and 7.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from minimal.exceptions import ConvergenceWarning, LinAlgWarning, kin
from minimal.linear_model.logistic_objective import Objective
from minimal.optimize import more_thuente
from minimal.optimize.lbfgs import lbfgs

Floats = NDArray[np.float64]
Evaluation = tuple[float, Floats]

LBFGS_FTOL = 64 * np.finfo(np.float64).eps
TINY = 16 * np.finfo(np.float64).eps  # differences of the loss below this share of it are rounding
WOLFE = more_thuente.Rules(ftol=1e-4, gtol=0.9, xtol=1e-14, stpmin=1e-8, stpmax=50.0)
MOST_TRIALS = 100
MOST_CG_STEPS = 200
N_PROBES = 8
SAFE_CONDITION = 1e10


# ---------------------------------------------------------------- Newton with conjugate gradients


def newton_cg(objective: Objective, x0: Floats, *, tol: float, max_iter: int, verbose: int = 0) -> tuple[Floats, int]:
    """Minimize by truncated Newton steps.

    Parameters
    ----------
    objective : Objective
    x0 : ndarray of shape (n,)
    tol : float
        Stop when max |g_i| <= tol.
    max_iter : int
        The most Newton steps; reaching it is a ConvergenceWarning.
    verbose : int

    Returns
    -------
    x : ndarray of shape (n,)
    n_iter : int
        Newton steps made.

    Source: ``sklearn.utils.optimize._newton_cg``, 1.9.1.  Differs from the reference when float32 is given (all is float64
    here), and when its first line search fails and the second would not: here that ends the run with the same warning.
    """
    x, n_iter = x0.copy(), 0
    loss, gradient = objective.loss_gradient(x)
    previous_loss: float | None = None
    while n_iter < max_iter:
        if verbose:
            print(f"newton-cg: step {n_iter}, loss {loss:.10g}, largest gradient {np.abs(gradient).max():.3g}")
        if np.abs(gradient).max() <= tol:
            break
        size = np.abs(gradient).sum()
        step = conjugate_gradients(objective.hessian_product(x), gradient, min(0.5, np.sqrt(size)) * size)
        found = _wolfe_step(objective, x, step, (loss, gradient), previous_loss)
        if found is None:
            warnings.warn("Line Search failed", UserWarning, stacklevel=4)
            break
        previous_loss = loss
        x, (loss, gradient) = found
        n_iter += 1
    if n_iter >= max_iter:
        warnings.warn(
            f"newton-cg failed to converge at loss = {loss}. Increase the number of iterations.",
            kin(ConvergenceWarning),
            stacklevel=4,
        )
    return x, n_iter


def conjugate_gradients(product: Callable[[Floats], Floats], gradient: Floats, tol: float) -> Floats:
    """Solve H s = -g for s by conjugate gradients, until sum |H s + g| <= tol.

    A direction with (almost) no curvature ends it: the parabola has no minimum that way that rounding could find
    (Royer, O'Neill & Wright, 2018).
    """
    step = np.zeros_like(gradient)
    residual = gradient.copy()
    direction = -residual
    squared = residual @ residual
    direction_squared = squared
    for i in range(MOST_CG_STEPS + 1):
        if np.abs(residual).sum() <= tol:
            break
        image = product(direction)
        curvature = direction @ image
        if 0 <= curvature <= TINY * direction_squared:
            break
        if curvature < 0:
            return step if i > 0 else squared / curvature * direction
        alpha = squared / curvature
        step += alpha * direction
        residual += alpha * image
        new_squared = residual @ residual
        beta = new_squared / squared
        direction = beta * direction - residual
        direction_squared = new_squared + beta**2 * direction_squared
        squared = new_squared
    return step


def _wolfe_step(
    objective: Objective, x: Floats, step: Floats, here: Evaluation, previous_loss: float | None
) -> tuple[Floats, Evaluation] | None:
    """The next point along ``step`` and what was found there, or None.

    First the strong Wolfe conditions; where rounding hides the descent, the full step if it makes the gradient smaller.
    """
    loss, gradient = here
    slope = float(gradient @ step)
    trial = 1.0
    if previous_loss is not None and slope != 0:
        trial = min(1.0, 1.01 * 2 * (loss - previous_loss) / slope)
        trial = 1.0 if trial < 0 else trial
    task, search = more_thuente.start(trial, loss, slope, WOLFE)
    for _ in range(MOST_TRIALS):
        if task != more_thuente.EVALUATE or not np.isfinite(trial):
            break
        point = x + trial * step
        there = objective.loss_gradient(point)
        task, next_trial, search = more_thuente.advance_python(search, trial, there[0], float(there[1] @ step), WOLFE)
        if task == more_thuente.CONVERGENCE:
            return point, there
        trial = float(next_trial)
    there = objective.loss_gradient(x + step)
    if abs(there[0] - loss) <= abs(loss * TINY) and np.abs(there[1]).sum() < np.abs(gradient).sum():
        return x + step, there
    return None


# ---------------------------------------------------------------- Newton with the whole Hessian


class _Trouble(Exception):
    """The Newton step cannot be used; L-BFGS goes on from here.  Holds the warning to give, if there is one."""


def newton_cholesky(
    objective: Objective, x0: Floats, *, tol: float, max_iter: int, eps: float, verbose: int = 0
) -> tuple[Floats, int]:
    """Minimize by Newton steps from the whole Hessian.

    Parameters
    ----------
    objective : Objective
    x0 : ndarray of shape (n,)
    tol : float
        Stop when max |g_i| <= tol and half the squared Newton decrement s H s is <= tol.
    max_iter : int
    eps : float
        Rounding of the loss: 16 times the machine epsilon of X's dtype.
    verbose : int

    Returns
    -------
    x : ndarray of shape (n,)
    n_iter : int
        Newton steps, and those of L-BFGS where it had to take over (with a warning that says why).

    Source: ``sklearn.linear_model._glm._newton_solver.NewtonCholeskySolver``, 1.9.1.  Differs from the reference when it
    solves the system: NumPy's general LU here, LAPACK's symmetric solver there, which is rounding; and the condition number
    that sends both to L-BFGS is exact here and estimated there.  float32 data have a float64 Hessian here.
    """
    x = objective.settle(x0, symmetric=False)
    free = ~objective.fixed()
    here = objective.loss_gradient(x)
    n_iter, converged = 0, False
    while n_iter < max_iter and not converged:
        try:
            hessian, step = _newton_step(objective, x, here[1], free, n_iter + 1)
            x, here = _backtrack(objective, x, step, here, eps, n_iter + 1)
        except _Trouble as trouble:
            if trouble.args:
                warnings.warn(trouble.args[0], stacklevel=4)
            x, more = run_lbfgs(objective, x, tol=tol, max_iter=max_iter - n_iter - 1)
            n_iter, converged = n_iter + more, True
            break
        n_iter += 1
        if verbose:
            print(f"newton-cholesky: step {n_iter}, loss {here[0]:.10g}, largest gradient {np.abs(here[1]).max():.3g}")
        converged = bool(np.abs(here[1]).max() <= tol and 0.5 * step @ hessian @ step <= tol)
    if not converged:
        warnings.warn(
            f"Newton solver did not converge after {n_iter} iterations.", kin(ConvergenceWarning), stacklevel=4
        )
    return objective.settle(x, symmetric=True), n_iter


def _newton_step(
    objective: Objective, x: Floats, gradient: Floats, free: NDArray[np.bool_], iteration: int
) -> tuple[Floats, Floats]:
    """The Hessian at ``x`` and the step s with H s = -g; the coefficients that are not free stay."""
    hessian, trusted = objective.hessian(x)
    if not trusted:
        raise _Trouble(
            kin(ConvergenceWarning)(
                f"At iteration #{iteration} the curvature is zero for more than a quarter of the samples. It will now "
                "resort to lbfgs instead."
            )
        )
    step = np.zeros_like(x)
    step[free], inverse_condition = solve_and_judge(hessian[np.ix_(free, free)], -gradient[free])
    if not inverse_condition >= np.finfo(np.float64).eps:
        raise _Trouble(
            kin(LinAlgWarning)(
                f"The Hessian is singular or very ill-conditioned at iteration {iteration} (inverse condition number "
                f"{inverse_condition:.3g}). It will now resort to lbfgs instead. Remove collinear features of X, or "
                "regularize more, or use another solver."
            )
        )
    if gradient @ step > 0:
        raise _Trouble
    return hessian, step


def solve_and_judge(matrix: Floats, right: Floats) -> tuple[Floats, float]:
    """Solve ``matrix @ s = right``; s, and 1 / (|A|_1 |A^-1|_1), which is near eps where rounding makes s worthless.

    |A^-1 v| / |v| for a few vectors v of random signs is hardly ever a thousand times smaller than |A^-1|, and costs little
    with the same factorization; only where it hints at trouble is A inverted.
    """
    signs = np.random.default_rng(0).choice([-1.0, 1.0], size=(len(right), N_PROBES))
    try:
        solved = np.linalg.solve(matrix, np.column_stack([right, signs]))
        size = np.abs(matrix).sum(axis=0).max()
        condition = size * np.abs(solved[:, 1:]).sum(axis=0).max() / len(right)
        if not condition < SAFE_CONDITION:
            condition = size * np.abs(np.linalg.inv(matrix)).sum(axis=0).max()
    except np.linalg.LinAlgError:
        return np.zeros_like(right), 0.0
    return solved[:, 0], float(1.0 / condition)


def _backtrack(
    objective: Objective, x: Floats, step: Floats, here: Evaluation, eps: float, iteration: int
) -> tuple[Floats, Evaluation]:
    """Halve the step until the loss sinks enough (Armijo), or, where rounding hides it, the gradient does."""
    loss, gradient = here
    enough = 2.0**-11 * (gradient @ step)
    length = 1.0
    for _ in range(21):
        point = x + length * step
        there = objective.loss_gradient(point)
        gain = there[0] - loss
        if gain <= length * enough:
            return point, there
        if abs(gain) <= abs(loss * eps) and np.abs(there[1]).sum() < np.abs(gradient).sum():
            return point, there
        length *= 0.5
    raise _Trouble(
        kin(ConvergenceWarning)(
            f"The line search of newton-cholesky at iteration #{iteration} did not converge after 21 refinements. It will "
            "now resort to lbfgs instead."
        )
    )


def run_lbfgs(objective: Objective, x0: Floats, *, tol: float, max_iter: int) -> tuple[Floats, int]:
    """Minimize by L-BFGS with scikit-learn's settings for logistic regression; a ConvergenceWarning if it does not converge.

    Returns
    -------
    x : ndarray of shape (n,)
    n_iter : int
        At most ``max_iter``.
    """
    result: Any = lbfgs(
        objective.loss_gradient,
        x0,
        ftol=LBFGS_FTOL,
        gtol=tol,
        maxiter=max_iter,
        maxls=50,
        descend=objective.descent(),
    )
    n_iter = min(result.nit, max_iter)
    if result.status != 0:
        hint = f"\nIncrease max_iter ({max_iter})." if n_iter == max_iter else ""
        warnings.warn(
            f"lbfgs failed to converge after {n_iter} iteration(s) (status={result.status}):\n{result.message}\n{hint}\n"
            "Features on very different scales make it slow: scale them, for example with "
            "minimal.preprocessing.StandardScaler, or use solver='newton-cholesky'.",
            kin(ConvergenceWarning),
            stacklevel=4,
        )
    return result.x, n_iter
