# %% [markdown]
# # Finding minima
#
# Training a model means finding the lowest point of a function. After this lesson you can derive every step that BFGS
# takes, you will have written its core yourself, and you will have seen `minimize` visit SciPy's points one by one,
# without a single differing bit.

# %%
import matplotlib.pyplot as plt
import numpy as np
import scipy.optimize
from matplotlib.colors import ListedColormap
from numba import njit
from toolkit import BLUE, GREEN, GREY, HEIGHT, ORANGE, ROSE, VIOLET, check, picture, seconds, show

from minimal.optimize import bfgs, minimize

# %% [markdown]
# ## A map with valleys
#
# Two functions that people have tortured optimizers with for decades. Rosenbrock's is a narrow valley that bends: finding
# the valley is easy, following it to $(1, 1)$ is not. Himmelblau's has four minima, all at height zero.
#
# $$ r(x, y) = 100 \, (y - x^2)^2 + (1 - x)^2 $$
#
# $$ h(x, y) = (x^2 + y - 11)^2 + (x + y^2 - 7)^2 $$
#
# The **gradient** collects the slopes along the axes. It points straight uphill, at a right angle to the contour line,
# and vanishes at a minimum. The **Hessian** collects the second derivatives: how the gradient turns.


# %%
def rosenbrock(p):
    x, y = p
    return 100 * (y - x * x) ** 2 + (1 - x) ** 2


def rosenbrock_gradient(p):
    x, y = p
    return np.array([-400 * x * (y - x * x) - 2 * (1 - x), 200 * (y - x * x)])


def rosenbrock_hessian(p):
    x, y = p
    return np.array([[1200 * x * x - 400 * y + 2, -400 * x], [-400 * x, 200.0]])


def himmelblau(p):
    x, y = p
    return (x * x + y - 11) ** 2 + (x + y * y - 7) ** 2


def himmelblau_gradient(p):
    x, y = p
    return np.array(
        [
            4 * x * (x * x + y - 11) + 2 * (x + y * y - 7),
            2 * (x * x + y - 11) + 4 * y * (x + y * y - 7),
        ]
    )


def contours(axis, f, x_range, y_range, levels, colors=None):
    """Draw the lines of equal height; warmer is higher."""
    colors = colors or HEIGHT(np.linspace(0, 1, len(levels)))
    x, y = np.linspace(*x_range, 240), np.linspace(*y_range, 240)
    height = f(np.meshgrid(x, y))
    axis.contour(x, y, height, levels=levels, colors=colors, linewidths=0.9, alpha=0.75)
    axis.grid(False)


ROSENBROCK = (rosenbrock, (-2, 2), (-1, 3), np.geomspace(0.2, 1500, 12))
HIMMELBLAU = (himmelblau, (-5.5, 5.5), (-5.5, 5.5), np.geomspace(2, 900, 13))

# %% tags=["hide-input"]
figure, axes = plt.subplots(1, 2, figsize=(8, 3.8))
contours(axes[0], *ROSENBROCK)
axes[0].plot(1, 1, "*", color=ORANGE, markersize=13)
axes[0].set(title="Rosenbrock: a bent valley", xlabel="x", ylabel="y")
contours(axes[1], *HIMMELBLAU)
for x, y in [(3, 2), (-2.805118, 3.131312), (-3.779310, -3.283186), (3.584428, -1.848127)]:
    axes[1].plot(x, y, "*", color=ORANGE, markersize=13)
    assert himmelblau((x, y)) < 1e-9
axes[1].set(title="Himmelblau: four minima", xlabel="x", ylabel="y")
picture(figure, "Contour maps of the two functions, their minima marked with stars.")

# %% [markdown]
# A formula for a gradient is easily wrong. So compare it with what it claims to be, a slope: the difference of the heights
# a tiny step ahead and behind, over the distance between them.


# %%
def slope(f, p, axis, step=6e-6):
    """The slope of f along one axis, from two heights."""
    ahead, behind = np.array(p, dtype=float), np.array(p, dtype=float)
    ahead[axis] += step
    behind[axis] -= step
    return (f(ahead) - f(behind)) / (2 * step)


for f, gradient in [(rosenbrock, rosenbrock_gradient), (himmelblau, himmelblau_gradient)]:
    for p in [(-1.2, 1.0), (0.3, -2.0), (2.5, 2.5)]:
        measured = [slope(f, p, axis) for axis in (0, 1)]
        assert np.allclose(gradient(p), measured, rtol=1e-6, atol=1e-6)

# %% [markdown]
# ## Gradient descent
#
# Walk downhill: $x_{k+1} = x_k - \alpha \, g(x_k)$. How long may the step $\alpha$ be? Close to a minimum every smooth
# function looks like a bowl $\tfrac12 x^\top A x$, with the gradient $A x$. So one step multiplies the error by
# $I - \alpha A$, and its part along an eigenvector with curvature $\lambda$ by $1 - \alpha \lambda$. This shrinks only if
# $\alpha < 2 / \lambda_{\max}$. The best single step, $2 / (\lambda_{\min} + \lambda_{\max})$, shrinks the worst part by
#
# $$ \frac{\kappa - 1}{\kappa + 1}, \qquad \kappa = \frac{\lambda_{\max}}{\lambda_{\min}} . $$
#
# The **condition number** $\kappa$ is the shape of the valley, length to width squared. A tenfold longer valley costs a
# hundredfold more steps, and standardizing the columns of your data is nothing but making this valley round.


# %%
def gradient_descent(gradient, start, step, n_steps):
    """Walk downhill with one fixed step; return every point visited."""
    path = [np.array(start, dtype=float)]
    for _ in range(n_steps):
        path.append(path[-1] - step * gradient(path[-1]))
    return np.array(path)


curvature = np.array([1.0, 12.0])  # along x and y: kappa = 12
best = 2 / curvature.sum()


def bowl(p):
    return 0.5 * (curvature[0] * p[0] ** 2 + curvature[1] * p[1] ** 2)


# %% tags=["hide-input"]
figure, axes = plt.subplots(1, 3, figsize=(8, 2.5), sharey=True)
for axis, step, color, title in zip(
    axes, (0.03, best, 0.169), (BLUE, GREEN, ROSE), ("too timid", "best", "too bold: it diverges")
):
    path = gradient_descent(lambda p: curvature * p, (4, 1), step, 25)
    contours(axis, bowl, (-4.5, 4.5), (-1.8, 1.8), np.geomspace(0.1, 30, 9))
    axis.plot(*path.T, "o-", color=color, markersize=3, linewidth=1.1)
    axis.set(title=f"{title}\nstep {step:.3f}", xlim=(-4.5, 4.5), ylim=(-1.8, 1.8))
picture(figure, "Gradient descent in an elongated bowl with a short, the best and a too long step.")

# %%
path = gradient_descent(lambda p: curvature * p, (1, 1), best, 20)
shrink = np.abs(path[1:] / path[:-1])
assert np.allclose(shrink, (12 - 1) / (12 + 1))  # both parts shrink by just what the theory says
assert bowl(gradient_descent(lambda p: curvature * p, (1, 1), 0.169, 100)[-1]) > bowl((1, 1))

# %% [markdown]
# ## Line search: how far to walk
#
# Nobody knows $\lambda_{\max}$ in advance, so measure as you go. Along a direction $p$ the function is a curve in one
# variable, $\varphi(\alpha) = f(x + \alpha p)$, and its slope at the start is $\varphi'(0) = g^\top p < 0$. Exactness
# would be wasted. Two conditions, named after Wolfe, are enough:
#
# $$ \varphi(\alpha) \le \varphi(0) + c_1 \alpha \, \varphi'(0), \qquad |\varphi'(\alpha)| \le c_2 \, |\varphi'(0)| . $$
#
# The first (after Armijo) demands that we fall a fair share of what the slope promised: the step is not too long. The
# second demands that the curve has flattened: the step is not too short.

# %%
start = np.array([-1.2, 1.0])
downhill = -rosenbrock_gradient(start) / np.linalg.norm(rosenbrock_gradient(start))
c1, c2 = 0.1, 0.4  # stricter than the usual 1e-4 and 0.9, so that there is something to see
alphas = np.linspace(0, 0.85, 400)
heights = np.array([rosenbrock(start + alpha * downhill) for alpha in alphas])
slopes = np.array([rosenbrock_gradient(start + alpha * downhill) @ downhill for alpha in alphas])
falls_enough = heights <= heights[0] + c1 * alphas * slopes[0]
is_flat = np.abs(slopes) <= c2 * np.abs(slopes[0])
assert np.any(falls_enough & is_flat)
assert not np.all(falls_enough | is_flat)

# %% tags=["hide-input"]
figure, axis = plt.subplots(figsize=(8, 3.2))
axis.plot(alphas, heights, color=BLUE)
axis.plot(alphas, heights[0] + c1 * alphas * slopes[0], color=ORANGE, linestyle="--", linewidth=1.2)
axis.text(0.47, 15, "low enough: below this line", color=ORANGE)
axis.fill_between(alphas, 0, 40, where=falls_enough & is_flat, color=GREEN, alpha=0.25, linewidth=0)
axis.set(
    xlabel="step",
    ylabel="height",
    title="Rosenbrock, straight downhill from (-1.2, 1): green steps are good enough",
)
axis.set(ylim=(0, 30), xlim=(0, 0.7))
picture(
    figure, "The height along a line, with the range of steps that satisfy both conditions shaded."
)

# %% [markdown]
# The simplest search that guarantees the first condition halves the step until it holds.


# %%
def halve_until_lower(f, x, fx, p, slope, c1=1e-4):
    """A step that satisfies the first Wolfe condition, found by halving from 1."""
    alpha = 1.0
    while f(x + alpha * p) > fx + c1 * alpha * slope:
        alpha /= 2
    return alpha


# %% [markdown]
# ## Newton: use the curvature
#
# Replace the function near $x$ by its Taylor parabola and jump to *its* minimum:
#
# $$ f(x + p) \approx f + g^\top p + \tfrac12 p^\top H p \quad \Longrightarrow \quad H p = -g . $$
#
# The Hessian straightens the valley, whatever its condition number. Close to the minimum the number of right digits
# doubles with every step. The price: second derivatives, a linear system per step ($n^3$ operations), and a parabola that
# may open downwards far from the minimum; then $p$ points uphill and something has to be mended.


# %%
def newton(f, gradient, hessian, start, n_steps=50):
    """Newton's method with a halving line search; return every point visited."""
    path = [np.array(start, dtype=float)]
    while len(path) <= n_steps and np.abs(gradient(path[-1])).max() > 1e-12:
        x, g = path[-1], gradient(path[-1])
        p = np.linalg.solve(hessian(x), -g)
        if g @ p >= 0:  # the parabola opens downwards: fall back to downhill
            p = -g
        path.append(x + halve_until_lower(f, x, f(x), p, g @ p) * p)
    return np.array(path)


newton_path = newton(rosenbrock, rosenbrock_gradient, rosenbrock_hessian, start)
distance = np.linalg.norm(newton_path - 1, axis=1)
print("the last distances from the minimum:", *(f"{d:.0e}" for d in distance[-5:]))
near = distance[(distance < 0.1) & (distance > 1e-7)]
assert np.all(near[1:] < 30 * near[:-1] ** 2)  # quadratic: the error is squared

# %% [markdown]
# ## BFGS: learn the curvature while walking
#
# The gradients at both ends of a step $s = x_{k+1} - x_k$ tell something about the curvature on the way: their difference
# $y = g_{k+1} - g_k$ is what the Hessian, averaged along the step, makes of $s$. So demand of an estimate $H$ of the
# **inverse** Hessian that it agrees with the latest step, the *secant equation*
#
# $$ H_{+} \, y = s . $$
#
# One equation for a whole matrix leaves much freedom. We want $H_+$ symmetric and positive definite (so that $-Hg$ goes
# downhill), and not to forget what $H$ knew. Let us build it. With $\rho = 1 / y^\top s$, look at the matrix
# $V = I - \rho \, y s^\top$. It annihilates the new information, $V y = y - \rho \, y \, (s^\top y) = 0$, and leaves alone
# whatever is orthogonal to $s$. So
#
# $$ V^\top H \, V \, y = 0 \qquad \text{and} \qquad \rho \, s s^\top y = s . $$
#
# The first forgets what $H$ believed about $y$, the second says the new truth about it. Add them:
#
# $$ H_{+} = (I - \rho \, s y^\top) \, H \, (I - \rho \, y s^\top) + \rho \, s s^\top . $$
#
# For any vector $z \neq 0$, $\; z^\top H_+ z = (Vz)^\top H (Vz) + \rho \, (s^\top z)^2$. Both terms are non-negative if
# $\rho > 0$, and they cannot vanish together, since $s^\top z = 0$ makes $Vz = z$. So $H_+$ stays positive definite as
# long as $y^\top s > 0$, and this is just what the second Wolfe condition ensures. This is the update of Broyden,
# Fletcher, Goldfarb and Shanno, all 1970; of all symmetric matrices with $H_+ y = s$ it is, in a norm that has no units,
# the closest to $H$.


# %%
def learn(H, s, y):
    """The BFGS update of the inverse Hessian."""
    rho = 1 / (y @ s)
    V = np.eye(len(s)) - rho * np.outer(y, s)
    return V.T @ H @ V + rho * np.outer(s, s)


random = np.random.default_rng(1)
A = np.cov(random.normal(size=(4, 10)))  # the Hessian of some bowl
H = np.eye(4)
for _ in range(20):
    s = random.normal(size=4)
    y = A @ s
    H = learn(H, s, y)
    assert np.allclose(H @ y, s)
    assert np.allclose(H, H.T)
    assert np.linalg.eigvalsh(H)[0] > 0


def simple_bfgs(f, gradient, start, n_steps=100):
    """BFGS with the halving line search; return every point visited."""
    path, H = [np.array(start, dtype=float)], np.eye(len(start))
    while len(path) <= n_steps and np.abs(gradient(path[-1])).max() > 1e-8:
        x, g = path[-1], gradient(path[-1])
        p = -H @ g
        path.append(x + halve_until_lower(f, x, f(x), p, g @ p) * p)
        s, y = path[-1] - x, gradient(path[-1]) - g
        if y @ s > 1e-10:  # halving alone does not promise it
            H = learn(H, s, y)
    return np.array(path)


# %%
descent_path = gradient_descent(rosenbrock_gradient, start, 0.0012, 4_000)
bfgs_path = simple_bfgs(rosenbrock, rosenbrock_gradient, start)
paths = {
    "gradient descent": (descent_path, BLUE),
    "Newton": (newton_path, VIOLET),
    "BFGS": (bfgs_path, ORANGE),
}

# %% tags=["hide-input"]
figure, axes = plt.subplots(1, 3, figsize=(8, 3.1), sharey=True)
for axis, (name, (path, color)) in zip(axes, paths.items()):
    contours(axis, *ROSENBROCK)
    axis.plot(*path.T, "o-", color=color, markersize=3, linewidth=1.3)
    axis.plot(1, 1, "*", color=GREY, markersize=12, zorder=0)
    axis.set(title=f"{name}\n{len(path) - 1} steps", xlabel="x", xlim=(-2, 2), ylim=(-1, 3))
axes[0].set_ylabel("y")
picture(figure, "The paths of three methods on Rosenbrock's valley.")

# %% tags=["hide-input"]
figure, axis = plt.subplots(figsize=(8, 3))
for name, (path, color) in paths.items():
    gap = np.maximum([rosenbrock(p) for p in path], 1e-30)
    axis.loglog(np.arange(1, len(gap) + 1), gap, color=color, label=name)
axis.set(
    xlabel="step",
    ylabel="height above the minimum",
    title="Straight lines crawl, bent ones fall off a cliff",
)
axis.legend()
picture(figure, "Height by step: gradient descent declines slowly, Newton and BFGS fall steeply.")

# %%
assert rosenbrock(descent_path[-1]) > 1e-6  # four thousand steps, and still on its way
assert rosenbrock(bfgs_path[-1]) < 1e-15
assert len(newton_path) < len(bfgs_path) < 50

# %% [markdown]
# BFGS needs a few more steps than Newton, but no second derivatives, and no linear system to solve.
#
# ## The package's BFGS
#
# Here is the loop that `minimize` runs, taken from the installed module, with the same names as above. Three things are
# more careful than in ours. The first step cannot know the scale, so it aims at a length of about one. The line search
# ensures both Wolfe conditions, by the method of Moré and Thuente. And every way to end has its own status.

# %%
show(bfgs.iterate)

# %% [markdown]
# The update is the formula that we derived, with its two matrix products. Multiplied out it would cost $n^2$ instead of
# $n^3$ operations, but round differently, and the promise here is another:

# %%
show(bfgs.Update.__call__)

# %% [markdown]
# ## The same points as SciPy, bit for bit
#
# An optimizer repeats its own rounding errors: one different bit in step 3 is a different path in step 30. So we compare
# *every point visited*, the number of evaluations, and the final inverse Hessian, not to some digits but with
# `array_equal`: from eleven starts on both functions, and in ten dimensions with gradients estimated by differences.


# %%
def rosenbrock_chain(p):
    """Rosenbrock's valley in any number of dimensions."""
    return np.sum(100 * (p[1:] - p[:-1] ** 2) ** 2 + (1 - p[:-1]) ** 2)


problems = [
    (rosenbrock, rosenbrock_gradient, start),
    (rosenbrock_chain, None, np.tile([-1.2, 1.0], 5)),
]
problems += [(rosenbrock, rosenbrock_gradient, p) for p in ([3.0, -2.0], [-1.5, 2.5], [0.0, 0.0])]
far_and_wide = 4 * np.random.default_rng(2).normal(size=(7, 2))
problems += [(himmelblau, himmelblau_gradient, p) for p in far_and_wide]

for f, gradient, x0 in problems:
    how = {"jac": gradient, "method": "BFGS", "options": {"return_all": True}}
    ours, theirs = minimize(f, x0, **how), scipy.optimize.minimize(f, x0, **how)
    assert np.array_equal(ours.allvecs, theirs.allvecs)
    assert np.array_equal(ours.hess_inv, theirs.hess_inv)
    for field in ("nit", "nfev", "njev", "status", "message"):
        assert ours[field] == theirs[field]
    counts = f"{len(ours.allvecs):>3} points and {ours.nfev:>3} evaluations"
    print(f"{f.__name__:<17} {len(x0):>2} dimensions: {counts}, identical")

# %% [markdown]
# ## The kernel
#
# In two dimensions the arithmetic of a step takes less than a microsecond; the rest is Python, calling. If the objective
# and its gradient are compiled by Numba, `minimize` runs a compiled twin of the whole loop, with the same result.

# %%
fast = njit(himmelblau)
fast_gradient = njit(himmelblau_gradient)
x0 = np.array([-4.0, 4.5])
compiled = minimize(fast, x0, jac=fast_gradient)
plain = minimize(himmelblau, x0, jac=himmelblau_gradient)
assert np.array_equal(compiled.x, plain.x)
assert (compiled.nit, compiled.nfev) == (plain.nit, plain.nfev)

times = {
    "SciPy": seconds(
        lambda: scipy.optimize.minimize(himmelblau, x0, jac=himmelblau_gradient, method="BFGS")
    ),
    "minimal": seconds(lambda: minimize(himmelblau, x0, jac=himmelblau_gradient)),
    "minimal, compiled": seconds(lambda: minimize(fast, x0, jac=fast_gradient)),
}
print(*(f"{name}: {1e6 * t:.0f} microseconds" for name, t in times.items()), sep="\n")

# %% [markdown]
# (These times are those of the machine that built this page.) Speed makes other questions askable: which of the four
# minima does BFGS find, from every point of the map? Some fifteen thousand minimizations answer.

# %%
side = np.linspace(-5.5, 5.5, 121)
minima = np.array([(3, 2), (-2.805118, 3.131312), (-3.779310, -3.283186), (3.584428, -1.848127)])
found = np.empty((len(side), len(side)), dtype=int)
for i, y in enumerate(side):
    for j, x in enumerate(side):
        end = minimize(fast, np.array([x, y]), jac=fast_gradient).x
        distances = np.linalg.norm(minima - end, axis=1)
        found[i, j] = distances.argmin() if distances.min() < 1e-3 else 4  # 4: it stopped elsewhere
counts = np.bincount(found.ravel(), minlength=5)
print("starts that led to each minimum, and to none:", *counts)
assert np.all(counts[:4] > 0)
assert counts[4] < 0.01 * counts.sum()

# %% tags=["hide-input"]
figure, axis = plt.subplots(figsize=(8, 5.2))
axis.imshow(
    found,
    origin="lower",
    extent=(-5.5, 5.5, -5.5, 5.5),
    cmap=ListedColormap([BLUE, ORANGE, GREEN, ROSE, GREY]),
    vmin=0,
    vmax=4,
    alpha=0.6,
    interpolation="nearest",
)
contours(axis, *HIMMELBLAU, colors=[GREY])
axis.plot(*minima.T, "*", color="white", markeredgecolor=GREY, markersize=15)
axis.set(title="Which minimum BFGS finds from each start", xlabel="x", ylabel="y", aspect="equal")
picture(
    figure,
    "The plane coloured by the minimum that BFGS reaches: large regions with frayed, scattered borders.",
)

# %% [markdown]
# The regions are not cut where a ball would roll. The first step has about length one, whatever the slope, and later ones
# may leap over a ridge: between the large regions lie splinters of others. A minimizer promises *a* minimum, not the
# nearest.

# %% [markdown]
# ## Exercises
#
# Replace `pass` and run the cell: it says at once whether you are right. What is returned counts, not how.
#
# **1. A gradient.** Beale's function is $(1.5 - x + xy)^2 + (2.25 - x + xy^2)^2 + (2.625 - x + xy^3)^2$. Return its
# gradient at `p = (x, y)`, an array of two numbers.


# %%
def beale_gradient(p):
    pass  # your turn


check(beale_gradient)

# %% [markdown]
# **2. Wolfe's conditions.** Is a step `alpha` good enough? `f0` and `slope0` are height and slope at its start, `f` and
# `slope` those at its end. Return true or false.


# %%
def is_good_step(f0, slope0, alpha, f, slope, c1=1e-4, c2=0.9):
    pass  # your turn


check(is_good_step)

# %% [markdown]
# **3. BFGS in one dimension.** With one variable, the secant equation alone determines $H$. From two points and their
# slopes, return the point that BFGS would try next.


# %%
def secant_step(x0, g0, x1, g1):
    pass  # your turn


check(secant_step)

# %% [markdown]
# **4. BFGS without a matrix** (harder). With a million variables, $H$ has $10^{12}$ numbers. *Limited-memory* BFGS keeps
# the last few pairs $(s, y)$ only and computes $-Hg$ from them. Begin with $H = I$, apply the updates for the pairs in
# `steps` and `changes` (oldest first), and return the direction $-Hg$. You may build the matrix and pass. Without a
# matrix: unroll the update, multiply $g$ by $V$ for the newest pair first, and come back.


# %%
def limited_memory_direction(g, steps, changes):
    pass  # your turn


check(limited_memory_direction)
