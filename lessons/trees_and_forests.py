# %% [markdown]
# # Trees and forests
#
# A decision tree asks one question after the other until the answer is clear. After this lesson you can find the best
# question in one pass over sorted data, say why two libraries grow the same tree from the same seed, cut a tree back to
# what it can justify, and explain why a hundred bad trees are one good forest.

# %%
from functools import partial
from itertools import pairwise

import matplotlib.pyplot as plt
import numpy as np
import sklearn.ensemble
import sklearn.tree
from matplotlib.colors import to_rgba
from numba import njit
from sklearn.datasets import load_breast_cancer, load_iris
from toolkit import BLUE, GREEN, GREY, ORANGE, ROSE, VIOLET, check, picture, seconds, show

from minimal.ensemble import RandomForestClassifier
from minimal.tree import (
    DecisionTreeClassifier,
    export_text,
    growing_numpy,
    plot_tree,
    walking_numpy,
)

# %% [markdown]
# ## Questions
#
# A node of a tree asks whether one feature is at most some threshold, and sends a sample left (yes) or right (no). A leaf
# answers. So a tree cuts the plane by lines parallel to the axes, one piece at a time: here is a field of points in two
# classes, and what trees of growing depth make of it.

# %%
random = np.random.default_rng(7)
turn = random.uniform(0, np.pi, 240)
label = np.arange(240) % 2
moons = np.c_[np.cos(turn), np.sin(turn)] * np.where(label, 1, -1)[:, None]
moons += np.where(label, 0, 1)[:, None] * [1, 0.45] + random.normal(0, 0.28, (240, 2))


# %% tags=["hide-input"]
def regions(axis, model, X, y, title):
    """Colour the plane by the prediction, the stronger the surer, and put the points on it."""
    side = [np.linspace(X[:, i].min() - 0.3, X[:, i].max() + 0.3, 220) for i in (0, 1)]
    grid = np.stack(np.meshgrid(*side), axis=-1)
    surface = model.predict_proba(grid.reshape(-1, 2))[:, 1].reshape(grid.shape[:2])
    tones = np.where((surface > 0.5)[..., None], to_rgba(BLUE), to_rgba(ROSE))
    tones[..., 3] = 0.5 * np.abs(2 * surface - 1)
    extent = (side[0][0], side[0][-1], side[1][0], side[1][-1])
    axis.imshow(tones, origin="lower", extent=extent, aspect="auto", interpolation="nearest")
    for k, color in ((0, ROSE), (1, BLUE)):
        axis.plot(*X[y == k].T, "o", color=color, markersize=2.6)
    axis.set(title=title, xticks=[], yticks=[])
    axis.grid(False)


figure, axes = plt.subplots(1, 4, figsize=(8, 2.4))
for axis, depth in zip(axes, (1, 2, 4, None)):
    tree = DecisionTreeClassifier(max_depth=depth, random_state=0).fit(moons, label)
    n_leaves = tree.get_n_leaves()
    regions(axis, tree, moons, label, f"{n_leaves} leaves" if depth else f"no limit: {n_leaves}")
picture(
    figure, "The plane cut by trees with two, four, more and all leaves, from a halving to slivers."
)

# %%
assert DecisionTreeClassifier(random_state=0).fit(moons, label).score(moons, label) == 1.0

# %% [markdown]
# Without a limit every training point gets its own way, slivers included. We will come back to that.
#
# ## Impurity: how unclear is a node?
#
# Let $p_k$ be the share of class $k$ in a node. The node is pure if one share is 1. Two measures of how far it is from
# that, both 0 for a pure node and largest for equal shares:
#
# $$ \text{Gini} = 1 - \sum_k p_k^2 \qquad \text{entropy} = -\sum_k p_k \log_2 p_k . $$
#
# Gini is the chance that two samples drawn from the node differ. Entropy is the number of yes-no questions that it takes
# on average to name a sample's class. The share of *errors*, $1 - \max_k p_k$, looks like the natural measure, but it is
# made of straight lines: a split that leaves the majority what it was on both sides gains nothing by it, even if one of
# the sides became much clearer. The two curved measures always reward that.


# %%
def gini(counts):
    p = counts / counts.sum()
    return 1 - (p**2).sum()


def entropy(counts):
    p = counts[counts > 0] / counts.sum()
    return -(p * np.log2(p)).sum()


def error(counts):
    return 1 - counts.max() / counts.sum()


def gain(impurity, left, right):
    """By how much a split lowers the impurity, the children weighted by their sizes."""
    n_left, n_right = left.sum(), right.sum()
    children = (n_left * impurity(left) + n_right * impurity(right)) / (n_left + n_right)
    return impurity(left + right) - children


left, right = np.array([5, 25]), np.array([35, 35])  # the left half became much clearer
assert abs(gain(error, left, right)) < 1e-12
assert gain(gini, left, right) > 0.04

# %% tags=["hide-input"]
figure, axis = plt.subplots(figsize=(8, 3))
share = np.linspace(0, 1, 401)
mixes = [np.array([p, 1 - p]) for p in share]
for impurity, scale, color in ((entropy, 1, GREEN), (gini, 2, BLUE), (error, 2, GREY)):
    values = np.array([scale * impurity(mix) for mix in mixes])
    axis.plot(
        share, values, color=color, label=impurity.__name__ + (" (doubled)" if scale == 2 else "")
    )
axis.set(xlabel="share of the first class", title="Curved measures see what the error does not")
axis.legend()
picture(
    figure, "Entropy, Gini impurity and error rate of a node with two classes, by the share of one."
)

# %% [markdown]
# ## The best question about one feature
#
# The only thresholds that matter lie between two neighbouring values. With **loops**, ask each of them, and count:


# %%
def best_cut_by_loops(x, y, n_classes):
    """The threshold with the largest gain: every candidate counts all samples again."""
    best_gain, best_threshold = 0.0, None
    values = sorted(set(x))
    for low, high in pairwise(values):
        threshold = low / 2 + high / 2
        left, right = [0] * n_classes, [0] * n_classes
        for value, k in zip(x, y):
            if value <= threshold:
                left[k] += 1
            else:
                right[k] += 1
        g = gain(gini, np.array(left), np.array(right))
        if g > best_gain:
            best_gain, best_threshold = g, threshold
    return best_gain, best_threshold


# %% [markdown]
# That is $n$ candidates times $n$ samples. Sorted, the next candidate differs from the last by *one* sample that moves
# from right to left. **NumPy** says it without a loop: sort, write each label as a row with a single one, and the running
# sums down the columns are the counts on the left of every candidate, all at once.


# %%
def best_cut(x, y, n_classes):
    """The same with running sums: n log n for the sort, then n."""
    order = np.argsort(x, kind="stable")
    x, y = x[order], y[order]
    left = np.cumsum(y[:, None] == np.arange(n_classes), axis=0)[:-1]
    right = np.bincount(y, minlength=n_classes) - left
    n_left, n_right = left.sum(axis=1), right.sum(axis=1)
    impurity_left = 1 - (left**2).sum(axis=1) / n_left**2
    impurity_right = 1 - (right**2).sum(axis=1) / n_right**2
    g = gini(np.bincount(y)) - (n_left * impurity_left + n_right * impurity_right) / len(x)
    g[x[:-1] == x[1:]] = 0  # no threshold separates equal values
    at = g.argmax()
    return g[at], x[at] / 2 + x[at + 1] / 2


# %% [markdown]
# And a **kernel** goes through the sorted samples with two counters in its hands. It need not even add up squares: moving
# one sample of class $k$ from right to left changes $\sum_k c_k^2$ by $2 c_k + 1$ on the left and by $-(2 c_k - 1)$ on the
# right.


# %%
@njit
def best_cut_compiled(x, y, counts):
    left, right = np.zeros_like(counts), counts.copy()
    squares_left, squares_right = 0, (counts**2).sum()
    n, best, at = len(x), -1.0, 0
    for i in range(n - 1):
        k = y[i]
        squares_left += 2 * left[k] + 1
        squares_right -= 2 * right[k] - 1
        left[k] += 1
        right[k] -= 1
        purity = squares_left / (i + 1) + squares_right / (n - 1 - i)
        if x[i] != x[i + 1] and purity > best:
            best, at = purity, i
    return x[at] / 2 + x[at + 1] / 2


X, y = load_breast_cancer(return_X_y=True)
for feature in (0, 7, 22):
    x = X[:, feature]
    order = np.argsort(x, kind="stable")
    by_loops, by_sums = best_cut_by_loops(x, y, 2), best_cut(x, y, 2)
    compiled = best_cut_compiled(x[order], y[order], np.bincount(y))
    stump = sklearn.tree.DecisionTreeClassifier(max_depth=1).fit(
        X[:, [feature]].astype(np.float32), y
    )
    assert abs(by_loops[0] - by_sums[0]) < 1e-12
    assert by_loops[1] == by_sums[1] == compiled
    assert abs(stump.tree_.threshold[0] - compiled) < 1e-4 * compiled  # trees look at float32

# %%
x = X[:, 22]
order = np.argsort(x, kind="stable")
sorted_x, sorted_y, counts = x[order], y[order], np.bincount(y)
times = {
    "loops": seconds(lambda: best_cut_by_loops(x, y, 2), repeats=1),
    "NumPy": seconds(lambda: best_cut(x, y, 2)),
    "kernel, sorted": seconds(lambda: best_cut_compiled(sorted_x, sorted_y, counts)),
}
print(*(f"{name}: {1e6 * t:,.1f} microseconds" for name, t in times.items()), sep="\n")

# %% tags=["hide-input"]
figure, axes = plt.subplots(2, 1, figsize=(8, 3.8), sharex=True, height_ratios=(1, 1.6))
for k, color in ((0, ROSE), (1, BLUE)):
    axes[0].plot(x[y == k], random.uniform(-1, 1, (y == k).sum()), "o", color=color, markersize=2)
axes[0].set(yticks=[], title="Worst perimeter of 569 tumours, and the gain of every threshold")
running = np.cumsum(sorted_y[:, None] == np.arange(2), axis=0)[:-1]
gains = [gain(gini, row, counts - row) for row in running]
middle = sorted_x[:-1] / 2 + sorted_x[1:] / 2
axes[1].plot(middle, gains, color=GREY, linewidth=1.2)
axes[1].axvline(best_cut(x, y, 2)[1], color=ORANGE)
axes[0].axvline(best_cut(x, y, 2)[1], color=ORANGE)
axes[1].set(xlabel="threshold", ylabel="gain")
picture(
    figure, "Two classes along one feature, and the gain of each threshold with its single peak."
)

# %% [markdown]
# Here is the package's text: all cuts of a node by one feature, and the loop over the features. Missing values are tried on
# both sides. What the criterion makes of the running sums stands in a module of its own.

# %%
show(growing_numpy.Search.all_cuts, growing_numpy.Search.best_split)

# %% [markdown]
# ## Grow
#
# The rest is repetition: find the best question over all features, split, and go on with both halves.


# %%
def grow(X, y, n_classes, depth):
    """A tree of nested tuples (feature, threshold, left, right); a leaf is the counts of its classes."""
    counts = np.bincount(y, minlength=n_classes)
    if depth == 0 or (counts > 0).sum() == 1:
        return counts
    varied = [f for f in range(X.shape[1]) if X[:, f].min() < X[:, f].max()]
    if not varied:
        return counts
    cuts = [best_cut(X[:, f], y, n_classes) for f in varied]
    at = int(np.argmax([g for g, _ in cuts]))
    feature, threshold = varied[at], cuts[at][1]
    goes_left = X[:, feature] <= threshold
    branches = [grow(X[side], y[side], n_classes, depth - 1) for side in (goes_left, ~goes_left)]
    return feature, threshold, *branches


def walk(tree, x):
    while isinstance(tree, tuple):
        feature, threshold, left, right = tree
        tree = left if x[feature] <= threshold else right
    return tree.argmax()


own = grow(moons, label, 2, depth=4)
own_answers = np.array([walk(own, x) for x in moons])
library = sklearn.tree.DecisionTreeClassifier(max_depth=4, random_state=0).fit(moons, label)
print(f"the same answer for {np.mean(own_answers == library.predict(moons)):.0%} of the points")
assert np.mean(own_answers == library.predict(moons)) > 0.97

# %% [markdown]
# Twenty lines, and (nearly) scikit-learn's tree. Walking down needs no more than `walk` above; the package sends all samples
# down together:

# %%
show(walking_numpy._walk)

# %% [markdown]
# ## Ties, and why a tree has a seed
#
# On small nodes several questions are equally good: any feature that separates three samples from one will do. Which one
# is taken? scikit-learn goes through the features in a random order and keeps the *first* of the best; `random_state`
# seeds that order, even when all features are looked at. So different seeds give different trees, and a tree is only
# reproduced by reproducing the draws: the generator, the order of its calls, which constant features are skipped, and the
# last bit of each gain, since a rounding error can turn a tie into a winner.

# %%
X, y = load_iris(return_X_y=True)
ARRAYS = (
    "children_left",
    "children_right",
    "feature",
    "threshold",
    "impurity",
    "value",
    "n_node_samples",
)
different = set()
for seed in range(20):
    ours = DecisionTreeClassifier(random_state=seed).fit(X, y).tree_
    theirs = sklearn.tree.DecisionTreeClassifier(random_state=seed).fit(X, y).tree_
    for name in ARRAYS:
        assert np.array_equal(getattr(ours, name), getattr(theirs, name))
    different.add((ours.feature.tobytes(), ours.threshold.tobytes()))
print(
    f"20 seeds grow {len(different)} different trees on iris, each of them scikit-learn's, bit for bit"
)
assert len(different) > 1

# %%
tree = DecisionTreeClassifier(max_depth=2, random_state=0).fit(X, y)
print(export_text(tree, feature_names=load_iris().feature_names))

# %% tags=["hide-input"]
figure, axis = plt.subplots(figsize=(8, 4.6))
plot_tree(
    tree,
    feature_names=load_iris().feature_names,
    class_names=load_iris().target_names,
    filled=True,
    rounded=True,
    ax=axis,
)
for note in axis.texts:
    box = note.get_bbox_patch()
    if box is not None:
        note.set_color("black")
        box.set_edgecolor(GREY)
picture(
    figure,
    "A tree of depth two on iris: petal length or width first separates setosa, then the others.",
)

# %% [markdown]
# ## Too deep, and how to prune
#
# A tree without a limit learns the training data by heart. How it does on data that it has not seen, cross-validated:

# %%
X, y = load_breast_cancer(return_X_y=True)
shuffled = np.random.default_rng(0).permutation(len(y))
folds = np.array_split(shuffled, 10)


def scores(make):
    """Accuracy on the training part and on the held-out part, averaged over ten folds."""
    results = []
    for held_out in folds:
        train = np.setdiff1d(shuffled, held_out)
        model = make().fit(X[train], y[train])
        results.append((model.score(X[train], y[train]), model.score(X[held_out], y[held_out])))
    return np.mean(results, axis=0)


# %% [markdown]
# Instead of stopping early (a dull split may open the way to a bright one), grow fully and **prune**. Charge a price
# $\alpha$ for each leaf and minimize
#
# $$ \text{impurity of the leaves} + \alpha \cdot \text{number of leaves} . $$
#
# A branch with $k$ leaves that lowers the (weighted) impurity by $\Delta$ pays as long as $\Delta \ge \alpha (k - 1)$. So
# $\Delta / (k - 1)$ is what each of its leaves is worth. Collapse the cheapest branch, again and again, and note the price
# at which each collapse happens: this gives *all* the trees that are best for some $\alpha$, in one row.

# %%
path = DecisionTreeClassifier(random_state=0).cost_complexity_pruning_path(X, y)
reference = sklearn.tree.DecisionTreeClassifier(random_state=0).cost_complexity_pruning_path(X, y)
assert np.array_equal(path.ccp_alphas, reference.ccp_alphas)
assert np.all(np.diff(path.ccp_alphas) >= 0)
assert np.all(np.diff(path.impurities) >= -1e-12)

alphas = np.unique(np.r_[0.0, np.geomspace(5e-4, 0.05, 14)])
by_alpha = np.array(
    [scores(partial(DecisionTreeClassifier, random_state=0, ccp_alpha=a)) for a in alphas]
)
leaves = [
    DecisionTreeClassifier(random_state=0, ccp_alpha=a).fit(X, y).get_n_leaves() for a in alphas
]
print(f"unpruned: {by_alpha[0, 1]:.3f} with {leaves[0]} leaves")
print(f"best pruned: {by_alpha[:, 1].max():.3f} with {leaves[by_alpha[:, 1].argmax()]} leaves")
assert leaves == sorted(leaves, reverse=True)
assert by_alpha[0, 0] == 1.0
assert by_alpha[:, 1].max() >= by_alpha[0, 1]

# %% tags=["hide-input"]
figure, axis = plt.subplots(figsize=(8, 3))
price = np.maximum(alphas, 3e-4)
axis.semilogx(price, by_alpha[:, 0], "o-", color=GREY, label="on what it has learned")
axis.semilogx(price, by_alpha[:, 1], "o-", color=ORANGE, label="on what it has not seen")
for at, n, accuracy in zip(price, leaves, by_alpha[:, 0]):
    axis.annotate(n, (at, accuracy), (0, 5), textcoords="offset points", ha="center", fontsize=8)
axis.set(
    xlabel="price of a leaf (the first one: free)",
    ylabel="accuracy",
    title="Breast cancer, pruned at different prices; the numbers count leaves",
    ylim=(0.88, 1.02),
)
axis.legend()
picture(
    figure,
    "Accuracy by the price of a leaf: on training data it falls from one, on other data it first rises.",
)

# %% [markdown]
# ## Forests
#
# A deep tree is right on average and wrong in detail: other samples would have grown a different one. Averages of many
# *different* wrong answers are less wrong. If $T$ predictions each have variance $\sigma^2$ and any two of them correlation
# $\rho$, their mean has variance
#
# $$ \rho \, \sigma^2 + \frac{1 - \rho}{T} \, \sigma^2 . $$
#
# More trees remove the second part; only *different* trees lower the first. A random forest makes them differ twice: each
# tree gets its own **bootstrap sample** ($n$ draws with replacement, so about $1 - 1/e = 63\,\%$ of the samples, some of
# them repeatedly), and each node looks at a few **randomly drawn features** only, $\sqrt d$ of $d$.

# %% tags=["hide-input"]
figure, axes = plt.subplots(1, 3, figsize=(8, 2.9))
for axis, n_trees in zip(axes, (1, 10, 200)):
    forest = RandomForestClassifier(n_estimators=n_trees, random_state=0).fit(moons, label)
    regions(axis, forest, moons, label, f"{n_trees} tree" + "s" * (n_trees > 1))
picture(
    figure,
    "Regions of a single bootstrap tree, of ten and of two hundred trees: the border grows smooth.",
)

# %% [markdown]
# In the package a bootstrap sample is not a copy of rows but a **weight** for each row: how often it was drawn. A hundred
# trees then share one table, sorted once. The draws are scikit-learn's, so the forest is, too:

# %%
ours = RandomForestClassifier(n_estimators=20, random_state=3, oob_score=True).fit(X, y)
theirs = sklearn.ensemble.RandomForestClassifier(n_estimators=20, random_state=3, oob_score=True)
theirs.fit(X, y)
for mine, yours in zip(ours.estimators_, theirs.estimators_):
    assert np.array_equal(mine.tree_.threshold, yours.tree_.threshold)
assert np.array_equal(ours.predict_proba(X), theirs.predict_proba(X))
assert ours.oob_score_ == theirs.oob_score_

# %% [markdown]
# `oob_score_` is a gift of the bootstrap: a sample is *out of the bag* of every third tree, and those trees can be asked
# about it without cheating. The estimate costs no fold and comes close to that of cross-validation:

# %%
_, cross_validated = scores(partial(RandomForestClassifier, n_estimators=100, random_state=0))
out_of_bag = (
    RandomForestClassifier(n_estimators=100, random_state=0, oob_score=True).fit(X, y).oob_score_
)
print(
    f"cross-validated {cross_validated:.3f}, out of bag {out_of_bag:.3f}, single tree {by_alpha[0, 1]:.3f}"
)
assert abs(cross_validated - out_of_bag) < 0.02
assert cross_validated > by_alpha[:, 1].max()

# %%
fit_times = {
    "a tree": (DecisionTreeClassifier, sklearn.tree.DecisionTreeClassifier, {}),
    "a forest of 20": (
        RandomForestClassifier,
        sklearn.ensemble.RandomForestClassifier,
        {"n_estimators": 20, "n_jobs": 1},
    ),
}
for name, (Ours, Theirs, options) in fit_times.items():
    ours_takes, theirs_takes = (
        seconds(partial(Kind(random_state=0, **options).fit, X, y), repeats=3)
        for Kind in (Ours, Theirs)
    )
    print(f"{name}: {1e3 * ours_takes:.2f} ms, scikit-learn {1e3 * theirs_takes:.2f} ms")

# %% tags=["hide-input"]
growing = [1, 2, 3, 5, 8, 12, 20, 35, 60, 100]
proofs = [
    scores(partial(RandomForestClassifier, n_estimators=n, random_state=0))[1] for n in growing
]
figure, axis = plt.subplots(figsize=(8, 2.8))
axis.semilogx(growing, proofs, "o-", color=VIOLET, label="forest")
axis.axhline(
    by_alpha[:, 1].max(), color=ORANGE, linestyle="--", linewidth=1.2, label="best pruned tree"
)
axis.set(xlabel="trees", ylabel="accuracy", title="Breast cancer, ten folds", xticks=growing)
axis.set_xticklabels(growing)
axis.legend()
picture(
    figure, "Accuracy of forests by number of trees: it rises and settles above the pruned tree's."
)

# %% [markdown]
# ## Exercises
#
# Replace `pass` and run the cell: it says at once whether you are right. What is returned counts, not how.
#
# **1. Regression.** With numbers for targets, the impurity is their variance. Return the threshold on `x` after which the
# two sides have the smallest sum of squared deviations from their own means. (Maximizing
# $S_l^2 / n_l + S_r^2 / n_r$, with $S$ the sums of the targets, comes to the same: why?)


# %%
def best_cut_for_numbers(x, y):
    pass  # your turn


check(best_cut_for_numbers)

# %% [markdown]
# **2. The price of a branch.** `risk` is what a node would add to the impurity as a leaf, `leaf_risks` what the leaves
# below it add. Return the $\alpha$ at which collapsing the branch costs nothing.


# %%
def price_of_a_branch(risk, leaf_risks):
    pass  # your turn


check(price_of_a_branch)

# %% [markdown]
# **3. Which features matter.** A split of a node with weighted impurity $w_t i_t$ into children $l, r$ lowers the impurity
# by $w_t i_t - w_l i_l - w_r i_r$. Add this up for each feature and divide by the sum over all features. The arrays are those
# of `tree_`: a leaf has `left == -1`.


# %%
def importances(left, right, feature, impurity, weight, n_features):
    pass  # your turn


check(importances)

# %% [markdown]
# **4. Out of the bag.** `drawn` holds the row numbers of one bootstrap sample of `n` rows. Return the rows that were not
# drawn, in rising order.


# %%
def out_of_bag_rows(drawn, n):
    pass  # your turn


check(out_of_bag_rows)
