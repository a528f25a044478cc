# %% [markdown]
# # Arrays and standardization
#
# After this lesson you can say where in memory any element of an array lies, why the same sum comes out different in its
# last digits, and how to compute a variance that survives numbers far from zero. You will know every line of
# `StandardScaler`, and see it give scikit-learn's numbers bit for bit.

# %%
import math

import matplotlib.pyplot as plt
import numpy as np
import sklearn.preprocessing
from sklearn.datasets import load_wine
from toolkit import BLUE, GREEN, GREY, ORANGE, ROSE, VIOLET, check, picture, seconds, show

import minimal
from minimal.preprocessing import (
    StandardScaler,
    moments,
    moments_numba,
    moments_numpy,
    standard_scaler,
)

random = np.random.default_rng(0)

# %% [markdown]
# ## An array is a strip of memory and a rule for walking it
#
# Memory has one dimension. A matrix is a strip of numbers plus its **strides**: how many bytes to walk for one step along
# each axis. Element $(i, j)$ lies at
#
# $$ \text{address}(i, j) = \text{start} + i \, s_0 + j \, s_1 . $$

# %%
X = np.arange(12.0).reshape(3, 4)
print(X)
print("one number:", X.itemsize, "bytes; strides:", X.strides)

strip = np.frombuffer(X.tobytes())  # the bytes as they lie
for i in range(3):
    for j in range(4):
        assert strip[(i * X.strides[0] + j * X.strides[1]) // X.itemsize] == X[i, j]

# %% [markdown]
# Rows one after another are called *C order*. With the columns one after another (*Fortran order*) the same matrix is
# another strip. Follow row 1 (orange edge) in both: neighbours in one, scattered in the other.


# %% tags=["hide-input"]
def draw_strip(axis, order, title):
    """Paint the memory of a 3 x 4 array; a colour is a column, an edge marks row 1."""
    colors = [BLUE, GREEN, ROSE, VIOLET]
    A = np.arange(12).reshape(3, 4)
    for place, number in enumerate(A.ravel(order)):
        i, j = divmod(int(number), 4)
        mine = i == 1
        axis.add_patch(
            plt.Rectangle(
                (place + 0.06, 0.06),
                0.88,
                0.88,
                facecolor=colors[j],
                alpha=0.9 if mine else 0.35,
                edgecolor=ORANGE if mine else "none",
                linewidth=3,
            )
        )
        axis.text(place + 0.5, 0.5, f"{i},{j}", ha="center", va="center")
    axis.set(xlim=(0, 12), ylim=(0, 1), xticks=np.arange(12) + 0.5, yticks=[], title=title)
    axis.set_xticklabels([str(8 * place) for place in range(12)])
    axis.spines[:].set_visible(False)
    axis.grid(False)
    axis.tick_params(length=0)


figure, axes = plt.subplots(2, 1, figsize=(8, 2.8))
draw_strip(axes[0], "C", "C order: strides (32, 8)")
draw_strip(axes[1], "F", "Fortran order: strides (8, 24)")
axes[1].set_xlabel("bytes from the start")
picture(
    figure, "The twelve elements of a matrix in memory, once row by row and once column by column."
)

# %% [markdown]
# Many operations never touch the numbers: they return a **view**, the same strip with other strides. Transposing swaps
# them, `[::2]` doubles one, a reversed axis makes one negative, and **broadcasting** is nothing but a stride of zero: the
# walk stays where it is.

# %%
row = np.array([10.0, 20.0, 30.0, 40.0])
for name, view, base in [
    ("X.T", X.T, X),
    ("X[::2]", X[::2], X),
    ("X[:, ::-1]", X[:, ::-1], X),
    ("X[:, 1]", X[:, 1], X),
    ("broadcast_to(row, (3, 4))", np.broadcast_to(row, (3, 4)), row),
]:
    assert np.shares_memory(view, base)
    print(f"{name:<26} shape {view.shape!s:<8} strides {view.strides}")

assert np.broadcast_to(row, (3, 4)).strides == (0, 8)
assert not np.shares_memory(X[[0, 2]], X)  # a list of indices has no stride: NumPy must copy

# %% [markdown]
# Strides decide speed. Memory arrives in lines of 64 bytes, eight numbers at once. Walking along the strip uses all
# eight; jumping down a column of a wide C-ordered matrix uses one and throws seven away. So a kernel reads **row after
# row**, and a column's sum grows a little with each row.
#
# ## The order of a sum is part of its result
#
# A `float64` keeps 53 binary digits, and every addition rounds to the nearest such number. Rounding depends on what was
# added before, so addition is not associative:

# %%
print((0.1 + 0.2) + 0.3, "is not", 0.1 + (0.2 + 0.3))
assert (0.1 + 0.2) + 0.3 != 0.1 + (0.2 + 0.3)


def column_sums(X):
    """Add up each column, one row after another."""
    total = [0.0] * len(X[0])
    for row in X:
        for j, x in enumerate(row):
            total[j] += x
    return np.array(total)


X = random.normal(5, 1, (10_000, 40))
in_row_order = column_sums(X.tolist())
c_order = X.sum(axis=0)
fortran_order = np.asfortranarray(X).sum(axis=0)  # the same numbers!

assert np.array_equal(in_row_order, c_order)  # NumPy walks a C-ordered matrix row by row, too
differs = c_order != fortran_order
print("columns whose sums differ between the two layouts:", differs.sum(), "of 40")
assert differs.any()

# %% [markdown]
# The loop and NumPy agree to the last bit, because they add in the same order. But the Fortran-ordered copy of the same
# matrix has other sums: a column is contiguous there, and NumPy adds contiguous numbers *pairwise*, as in a knockout
# tournament. A running sum of $n$ numbers rounds $n$ times and its error may grow like $n$; a number in a tournament is
# rounded only $\log_2 n$ times. Python's `math.fsum` gives the correctly rounded truth to measure with. The unit is the
# **ulp**, the distance between neighbouring floats.

# %%
truth = np.array([math.fsum(column) for column in X.T.tolist()])
errors = {
    "one row after another": (c_order - truth) / np.spacing(truth),
    "pairwise": (fortran_order - truth) / np.spacing(truth),
}

# %% tags=["hide-input"]
figure, axis = plt.subplots(figsize=(8, 2.8))
for color, (name, error) in zip((BLUE, ORANGE), errors.items()):
    axis.vlines(
        np.arange(40) + (0.3 if color == ORANGE else 0),
        0,
        error,
        color=color,
        linewidth=4,
        label=name,
    )
axis.set(xlabel="column", ylabel="error in ulps", title="10,000 numbers, added in two orders")
axis.legend(ncols=2, loc="upper right")
picture(
    figure,
    "Errors of forty column sums: many ulps for the running sum, hardly any for the pairwise one.",
)

# %%
assert np.abs(errors["pairwise"]).max() < np.abs(errors["one row after another"]).max()

# %% [markdown]
# Neither is wrong: both err by about a part in $10^{14}$. But they are *different*, and so whoever wants the same bits as
# another program has to add in the same order. This is what `minimal` does when it claims **identical** results.
#
# ## Why standardize?
#
# The chemical measurements of wine come in all sorts of units. To a method that adds up squares (distances, penalties,
# gradients), proline, in hundreds, is everything and hue, around one, is nothing. **Standardization** gives each column
# mean 0 and standard deviation 1:
#
# $$ z_{ij} = \frac{x_{ij} - \mu_j}{\sigma_j}, \qquad
#    \mu_j = \frac{1}{n} \sum_{i=1}^{n} x_{ij}, \qquad
#    \sigma_j^2 = \frac{1}{n} \sum_{i=1}^{n} (x_{ij} - \mu_j)^2 . $$

# %%
wine = load_wine()
hue, proline = (wine.feature_names.index(name) for name in ("hue", "proline"))
raw = wine.data[:, [proline, hue]]
scaled = (raw - raw.mean(axis=0)) / raw.std(axis=0)

# %% tags=["hide-input"]
figure, axes = plt.subplots(1, 2, figsize=(8, 3.4))
for kind, color in enumerate((BLUE, ORANGE, GREEN)):
    mine = wine.target == kind
    axes[0].scatter(*raw[mine].T, s=16, color=color, alpha=0.8, linewidth=0)
    axes[1].scatter(
        *scaled[mine].T, s=16, color=color, alpha=0.8, linewidth=0, label=wine.target_names[kind]
    )
axes[0].set(
    xlabel="proline (mg/l)",
    ylabel="hue",
    title="true proportions",
    aspect="equal",
    ylim=(-400, 400),
)
axes[1].set(
    xlabel="proline, standardized", ylabel="hue, standardized", title="standardized", aspect="equal"
)
axes[1].legend(loc="lower right", fontsize=8, handletextpad=0)
picture(
    figure,
    "Three kinds of wine. In true proportions they lie on a line; standardized, they form three clouds.",
)

# %% [markdown]
# ## A variance in loops, and how it breaks
#
# Expanding the square seems clever, because one pass over the data is then enough:
#
# $$ \frac{1}{n} \sum_i (x_i - \mu)^2 = \frac{1}{n} \sum_i x_i^2 - \mu^2 . $$
#
# On paper. In floating point it subtracts two huge, nearly equal numbers, and what is left are their rounding errors.
# The **two-pass** form first finds the mean and then adds up deviations, which are small. Its last weakness is that the
# mean itself was rounded. Let $T$ be what we took for the mean. Then, exactly,
#
# $$ \sum_i (x_i - \mu)^2 = \sum_i (x_i - T)^2 - \frac{1}{n} \Big( \sum_i (x_i - T) \Big)^2 , $$
#
# which you can check by writing $x_i - \mu = (x_i - T) - (\mu - T)$ and $\mu - T = \frac{1}{n} \sum_i (x_i - T)$. The
# second sum would be zero for a perfect mean; subtracting its square takes back what rounding left
# (Chan, Golub and LeVeque, 1983).


# %%
def one_pass(x):
    """Mean of squares minus square of mean: one pass, and unsafe."""
    total = squares = 0.0
    for value in x:
        total += value
        squares += value * value
    return squares / len(x) - (total / len(x)) ** 2


def two_pass(x):
    """Deviations from the mean, and the correction for the mean's own rounding."""
    total = 0.0
    for value in x:
        total += value
    mean = total / len(x)
    off = square = 0.0
    for value in x:
        off += value - mean
        square += (value - mean) ** 2
    return (square - off * off / len(x)) / len(x)


def exact_variance(x):
    """The variance in rational arithmetic: floats are fractions, and Python's integers never round."""
    fractions = [value.as_integer_ratio() for value in x]
    scale = max(
        denominator for _, denominator in fractions
    )  # powers of two: each divides the largest
    whole = [numerator * (scale // denominator) for numerator, denominator in fractions]
    n, total = len(whole), sum(whole)
    return (n * sum(v * v for v in whole) - total * total) / (n * scale) ** 2


offsets = 10.0 ** np.arange(0, 13)
errors = {one_pass: [], two_pass: []}
for offset in offsets:
    x = (random.normal(0, 1, 1_000) + offset).tolist()
    for variance in errors:
        errors[variance].append(abs(variance(x) / exact_variance(x) - 1))

assert max(errors[two_pass]) < 1e-13
assert errors[one_pass][9] > 1  # a mean of 10**9: not one digit is right

# %% tags=["hide-input"]
figure, axis = plt.subplots(figsize=(8, 3.2))
for (variance, error), color in zip(errors.items(), (ROSE, BLUE)):
    axis.loglog(
        offsets, np.maximum(error, 1e-17), "o-", color=color, label=variance.__name__, markersize=4
    )
axis.axhline(1, color=GREY, linestyle=":")
axis.text(1, 3, "above this line nothing is right", va="bottom")
axis.set(
    xlabel="mean of the data (standard deviation 1)",
    ylabel="relative error of the variance",
    ylim=(1e-17, 1e10),
)
axis.legend(loc="upper left")
picture(
    figure,
    "The one-pass variance loses two digits per factor of ten in the mean; the two-pass variance loses none.",
)

# %% [markdown]
# ## The same in NumPy
#
# Loops over columns become whole-array operations, and one more thing is needed: real data has holes. **NaN** marks a
# missing value; `x != x` is true for it alone, and any sum that meets it is NaN. So the holes are left out, and each
# column has its own count. This is the text that the package runs under `minimal.set_engine("numpy")`; the lesson takes
# it from the installed module, so what you see is what runs.

# %%
show(moments_numpy.column_sums, moments_numpy.column_deviations, moments_numpy._sum_known)

# %% [markdown]
# The variance is then `(off2 - off**2 / count) / count`, as derived above:

# %%
with_holes = random.normal(3, 2, (500, 4))
with_holes[random.random((500, 4)) < 0.1] = np.nan
missing, total = moments_numpy.column_sums(with_holes)
count = len(with_holes) - missing
off, off2 = moments_numpy.column_deviations(with_holes, total / count)
by_numpy = (off2 - off**2 / count) / count

for j, column in enumerate(with_holes.T):
    known = column[~np.isnan(column)].tolist()
    assert math.isclose(by_numpy[j], exact_variance(known), rel_tol=1e-14)

# %% [markdown]
# ## The kernel
#
# Each NumPy operation reads whole arrays and writes a whole new one: `X - center` alone costs as much memory as `X`. A
# kernel does everything to a number while it is at hand. The compiled twin has the same functions; these are its two
# inner loops, for a few rows that lie together. Every column `j` takes the rows one after another, so the order of addition
# is that of the plain loop, and so are the bits; yet the columns do not wait for each other, and the processor works on
# several at once.

# %%
show(moments_numba._add, moments_numba._deviate)

for X in (with_holes, np.asfortranarray(with_holes), with_holes.astype(np.float32)):
    assert np.array_equal(moments_numpy.column_sums(X), moments_numba.column_sums(X))
    center = total / count
    text = moments_numpy.column_deviations(X, center)
    compiled = moments_numba.column_deviations(X, center)
    assert np.array_equal(text, compiled)

# %% [markdown]
# ## The limit is the memory
#
# A large matrix does not fit into a core's own caches, and what lies outside arrives at five to thirty gigabytes a second,
# depending on the machine, and no faster. The moments need each number twice, so their floor is two reads of `X`. Beside
# each version stands what it achieves, in bytes of `X` per second. The dashed line is a plain copy, which also touches
# twice as many bytes as `X` has: the nearer a kernel comes to it, the less is left to gain by any trick. (All this depends
# on the machine that built this page. Nothing here is asserted about time; racing is the benchmarks' job.)

# %%
X = random.normal(size=(500_000, 20))
part = X[:2_000].tolist()
center = X.mean(axis=0)


def moments_in_loops():
    for column in zip(*part):
        two_pass(column)


def moments_by(module):
    module.column_sums(X)
    module.column_deviations(X, center)


out = np.empty_like(X)
minimal.set_num_threads(1)
theirs = sklearn.preprocessing.StandardScaler()
times = {
    "loops": 250 * seconds(moments_in_loops, repeats=2),  # on one row in 250
    "scikit-learn's fit": seconds(lambda: theirs.fit(X), repeats=2),
    "NumPy": seconds(lambda: moments_by(moments_numpy), repeats=2),
    "kernel": seconds(lambda: moments_by(moments_numba), repeats=9),
}
copy = 2 * X.nbytes / seconds(lambda: np.copyto(out, X), repeats=9)
speeds = {name: 2 * X.nbytes / t for name, t in times.items()}

# %% tags=["hide-input"]
figure, axis = plt.subplots(figsize=(8, 2.4))
axis.barh(
    list(speeds),
    [speed / 1e9 for speed in speeds.values()],
    color=[ROSE, GREY, BLUE, GREEN],
    height=0.65,
)
for place, speed in enumerate(speeds.values()):
    axis.text(speed / 1e9, place, f"  {speed / 1e9:.2g}", va="center")
axis.axvline(copy / 1e9, color=ORANGE, linestyle="--", linewidth=1.2)
axis.grid(axis="y", visible=False)
axis.set(xlabel="GB of X per second, one thread", title="Mean and variance of 500,000 x 20 numbers")
picture(
    figure, "Bytes per second of loops, scikit-learn, NumPy and the kernel, beside a plain copy."
)

# %% [markdown]
# ## StandardScaler
#
# What remains is arithmetic on one number per column: sums become moments, the moments of a new part merge with what was
# learned before, and a column that is constant gets the scale 1. A constant does not show as a variance of exactly zero:
# ten times `0.1` has a rounded mean, hence tiny deviations. So a variance that rounding alone could have made counts as
# none.

# %%
show(moments.first_moments, moments.merge, standard_scaler._scale_of)

# %% [markdown]
# And now the claim of this project: not *similar* numbers, **the same**. `array_equal` compares all 64 bits of each number
# (for NaN as well), on real data, with holes, in both memory orders, in single precision, and learned piece by piece.

# %%
holes = wine.data.copy()
holes[random.random(holes.shape) < 0.05] = np.nan
constant = wine.data.copy()
constant[:, 3] = 0.1
variants = {
    "wine": wine.data,
    "Fortran order": np.asfortranarray(wine.data),
    "float32": wine.data.astype(np.float32),
    "with NaN": holes,
    "a constant column": constant,
    "far from zero": wine.data + 1e9,
}
for engine in ("numpy", "numba"):
    with minimal.engine(engine):
        for name, X in variants.items():
            ours, theirs = StandardScaler().fit(X), sklearn.preprocessing.StandardScaler().fit(X)
            pieces, their_pieces = StandardScaler(), sklearn.preprocessing.StandardScaler()
            for start in (0, 50, 100):
                pieces.partial_fit(X[start : start + 50])
                their_pieces.partial_fit(X[start : start + 50])
            for a, b in [(ours, theirs), (pieces, their_pieces)]:
                for attribute in ("mean_", "var_", "scale_", "n_samples_seen_"):
                    assert np.array_equal(
                        getattr(a, attribute), getattr(b, attribute), equal_nan=True
                    )
            assert np.array_equal(ours.transform(X), theirs.transform(X), equal_nan=True)
            print(f"{engine:<6} {name:<18} identical, bit for bit")

# %% [markdown]
# ## Exercises
#
# Replace `pass` and run the cell: it says at once whether you are right. What is returned counts, not how.
#
# **1. Find an element.** Given a strip of memory (a one-dimensional array) and the strides in bytes, return the element
# $(i, j)$.


# %%
def element(strip, strides, i, j):
    pass  # your turn


check(element)

# %% [markdown]
# **2. A safe variance.** Return the population variance of a one-dimensional array. Leave NaN out, and be right for
# numbers around $10^9$, too.


# %%
def variance(x):
    pass  # your turn


check(variance)

# %% [markdown]
# **3. Standardize a matrix.** A column that is constant has standard deviation 0; only subtract its mean. NaN stays NaN.


# %%
def standardize(X):
    pass  # your turn


check(standardize)

# %% [markdown]
# **4. Merge two parts.** Each part of the data comes as its count, its mean and its sum of squared deviations `m2`. Return
# the three numbers `(n, mean, m2)` of both parts together. This is how `partial_fit` learns from data that comes in
# pieces, and how threads share a big matrix.


# %%
def merge_moments(n_a, mean_a, m2_a, n_b, mean_b, m2_b):
    pass  # your turn


check(merge_moments)
