# %% [markdown]
# # k-means
#
# Nobody has labelled the data, and still it falls into groups. After this lesson you can derive the two steps of
# Lloyd's algorithm, say why it always ends and why it may end badly, choose where to begin, leave out most distances
# without changing the answer, and you will have seen `KMeans` give scikit-learn's centres without a single differing
# bit.

# %%
import matplotlib.pyplot as plt
import numpy as np
import sklearn.cluster
from numba import njit
from sklearn.datasets import load_digits
from threadpoolctl import threadpool_limits
from toolkit import BLUE, GREEN, GREY, ORANGE, ROSE, VIOLET, check, picture, seconds, show

from minimal.cluster import (
    KMeans,
    kmeans_plusplus,
    lloyd_numba,
    lloyd_numpy,
    rounds,
    seeding_numpy,
)

# %% [markdown]
# ## The idea
#
# Choose $k$ points, the **centres**, so that every sample has one nearby. "Nearby" is measured by squared distances,
# and the sum over all samples is called the **inertia**:
#
# $$ J(c_1, \dots, c_k) = \sum_{i=1}^{n} \min_j \, {\lVert x_i - c_j \rVert}^2 . $$
#
# The samples that share a nearest centre are a **cluster**. Here are six clouds, and six centres in bad places.

# %%
random = np.random.default_rng(4)
clouds = np.array([[-4.2, 2.6], [-1.0, 3.6], [3.8, 3.0], [-3.2, -2.6], [0.6, -1.2], [4.2, -2.4]])
X = np.concatenate([c + random.normal(0, 0.85, (70, 2)) for c in clouds])
start = X[[2, 9, 15, 40, 61, 100]]  # five in one cloud, one in the next


# %% tags=["hide-input"]
COLORS = np.array([BLUE, ORANGE, GREEN, ROSE, VIOLET, GREY])
side_x, side_y = np.linspace(-7, 7, 281), np.linspace(-5.4, 6.2, 233)
plane = np.stack(np.meshgrid(side_x, side_y), axis=-1).reshape(-1, 2)


def regions(axis, centers, title=""):
    """Colour each place of the plane like its nearest centre, and put the samples on it."""
    owner = ((plane[:, None] - centers) ** 2).sum(axis=2).argmin(axis=1)
    rgba = plt.matplotlib.colors.to_rgba_array(COLORS)[owner]
    rgba[:, 3] = 0.22
    extent = (side_x[0], side_x[-1], side_y[0], side_y[-1])
    image = rgba.reshape(len(side_y), len(side_x), 4)
    axis.imshow(image, origin="lower", extent=extent, interpolation="nearest")
    axis.plot(*X.T, "o", color=GREY, markersize=1.6, alpha=0.8)
    axis.plot(*centers.T, "o", color="white", markersize=8)
    for center, color in zip(centers, COLORS):
        axis.plot(*center, "o", color=color, markersize=6)
    axis.set(title=title, xticks=[], yticks=[], xlim=(-7, 7), ylim=(-5.4, 6.2))
    axis.grid(False)


figure, axis = plt.subplots(figsize=(6, 4.6))
regions(axis, start, "Each region: the places that are nearest to one centre")
picture(
    figure,
    "Six clouds of points; six centres crowd in the upper left, and each owns a polygon of the plane.",
)

# %% [markdown]
# The regions have straight edges: the places as near to $c_1$ as to $c_2$ are a line, because ${\lVert x \rVert}^2$
# cancels in ${\lVert x - c_1 \rVert}^2 = {\lVert x - c_2 \rVert}^2$ and what is left is linear in $x$. Such a map is called
# a Voronoi diagram.
#
# ## Two steps, each the best it can be
#
# Finding the centres with the least inertia is hard (NP-hard, even in the plane). But it splits into two easy
# questions.
#
# **Given the centres, which label is best for each sample?** The nearest centre's, for each sample by itself.
#
# **Given the labels, which centre is best for each cluster?** Let $m$ be the mean of its $n$ samples and $a$ any other
# place. Then
#
# $$ \sum_i {\lVert x_i - a \rVert}^2 = \sum_i {\lVert x_i - m + m - a \rVert}^2
#    = \sum_i {\lVert x_i - m \rVert}^2 + n \, {\lVert m - a \rVert}^2 , $$
#
# since the mixed term $2 \, (m - a)^\top \sum_i (x_i - m)$ is zero: that is what a mean is. So the mean is best, and
# being off by $\lVert m - a \rVert$ costs exactly $n {\lVert m - a \rVert}^2$.

# %%
for _ in range(100):
    cluster, a = random.normal(size=(17, 3)), random.normal(size=3)
    m = cluster.mean(axis=0)
    spread = ((cluster - m) ** 2).sum() + 17 * ((m - a) ** 2).sum()
    assert np.isclose(((cluster - a) ** 2).sum(), spread, rtol=1e-13)

# %% [markdown]
# Take the two steps in turn, and the inertia can only fall. There are finitely many ways to label $n$ samples, and none
# comes back once the inertia has fallen below it. So the steps come to rest, after some finite number of rounds. That
# is the whole algorithm, found by Stuart Lloyd in 1957. As **loops**, in which nothing is hidden:


# %%
def assign(X, centers):
    """The nearest centre of each sample; the first, if several are as near."""
    labels = np.empty(len(X), dtype=int)
    for i in range(len(X)):
        least = np.inf
        for j in range(len(centers)):
            squared = 0.0
            for f in range(X.shape[1]):
                squared += (X[i, f] - centers[j, f]) ** 2
            if squared < least:  # not <=: the first of equals wins
                labels[i], least = j, squared
    return labels


def average(X, labels, centers):
    """The mean of the samples of each cluster; an empty one stays where it is."""
    sums, count = np.zeros_like(centers), np.zeros(len(centers))
    for i in range(len(X)):
        count[labels[i]] += 1
        for f in range(X.shape[1]):
            sums[labels[i], f] += X[i, f]
    moved = centers.copy()
    for j in range(len(centers)):
        if count[j] > 0:
            moved[j] = sums[j] / count[j]
    return moved


def inertia(X, labels, centers):
    return ((X - centers[labels]) ** 2).sum()


def lloyd(X, centers):
    """Both steps until the labels repeat: the centres of every round, and the inertia before each half of a round."""
    path, falls, before = [centers], [], None
    while True:
        labels = assign(X, path[-1])
        falls.append(inertia(X, labels, path[-1]))
        if np.array_equal(labels, before):
            return np.array(path), np.array(falls), labels
        path.append(average(X, labels, path[-1]))
        falls.append(inertia(X, labels, path[-1]))
        before = labels


path, falls, labels = lloyd(X, start)
print(f"{len(path) - 1} rounds; inertia {falls[0]:.0f} at first, {falls[-1]:.0f} at last")
assert np.all(np.diff(falls) <= 1e-9)  # neither half of any round makes it worse
assert np.allclose(path[-1], [X[labels == j].mean(axis=0) for j in range(6)])

# %% tags=["hide-input"]
figure, axes = plt.subplots(2, 4, figsize=(8.4, 4.1))
last = len(path) - 1
for axis, r in zip(axes.flat, [0, 1, 2, 3, 4, 6, 9, last]):
    r = min(r, last)
    regions(
        axis, path[r], "the start" if r == 0 else f"after {r} rounds" if r > 1 else "after 1 round"
    )
    for trail, color in zip(path[: r + 1].transpose(1, 0, 2), COLORS):
        axis.plot(*trail.T, "-", color=color, linewidth=1.2)
picture(
    figure,
    "Eight small maps: round by round the centres leave the upper left and spread over the clouds, their regions with them.",
)

# %% [markdown]
# In the first round most samples belong to the two outermost centres, and their means drag these far out. Then the
# others find room. Look at the end, though: two centres share one cloud, one serves two, and nothing moves any more.

# %%
own_cloud = ((path[-1][:, None] - clouds) ** 2).sum(axis=2).argmin(axis=1)
assert len(set(own_cloud)) == 5  # six centres, five clouds

# %% tags=["hide-input"]
figure, axis = plt.subplots(figsize=(8, 2.8))
axis.plot(np.arange(len(falls)) / 2, falls, "o-", markersize=4)
axis.set(
    xlabel="round",
    ylabel="inertia",
    title="Down with every half of a round, steeply at first",
    yscale="log",
)
picture(
    figure, "The inertia falls with every half round, fast in the first ones, then in small steps."
)

# %% [markdown]
# ## The same, for whole arrays
#
# The nearest centre does not need the distance. Multiply out,
#
# $$ {\lVert x - c \rVert}^2 = {\lVert x \rVert}^2 - 2 \, x^\top c + {\lVert c \rVert}^2 , $$
#
# and drop ${\lVert x \rVert}^2$, which is the same for all centres. What remains is a matrix product, the operation that
# machines are best at. This is the text that runs when you choose the NumPy engine:

# %%
show(lloyd_numpy.nearest, lloyd_numpy.gather)

# %%
for centers in path:
    assert np.array_equal(lloyd_numpy.nearest(X, centers), assign(X, centers))
samples = lloyd_numpy.begin(X, np.ones(len(X)), 6)
sums, count = lloyd_numpy.gather(samples, labels, 6)
assert np.allclose(sums / count[:, np.newaxis], path[-1], rtol=1e-13)

# %% [markdown]
# The short form has a price: where ${\lVert x \rVert}^2$ is huge and the distances are small, the difference of large
# numbers keeps few digits. So `KMeans` first moves the data to its mean. That changes no distance, and makes ${\lVert x
# \rVert}^2$ as small as it can be.

# %%
far = X + 1e8
centers = path[-1] + 1e8
honest = ((far[:, None] - centers) ** 2).sum(axis=2)
short = (far**2).sum(axis=1)[:, None] - 2 * far @ centers.T + (centers**2).sum(axis=1)
print(f"a squared distance, honest: {honest[0, 0]:.4f}, by the short form: {short[0, 0]:.4f}")
assert np.abs(short - honest).max() > 1
about_zero, near_zero = far - far.mean(axis=0), centers - far.mean(axis=0)
assert np.array_equal(lloyd_numpy.nearest(about_zero, near_zero), honest.argmin(axis=1))

# %% [markdown]
# ## Where to begin
#
# The steps end in *a* minimum, no more: no sample and no centre can improve anything by itself. Let us see how many
# such resting places there are, from 300 random starts, and how good they are.

# %%
starts = [X[np.random.default_rng(s).choice(len(X), 6, replace=False)] for s in range(300)]
ends = {"random samples": [KMeans(6, init=s, tol=0).fit(X).inertia_ for s in starts]}
ends["k-means++"] = [KMeans(6, random_state=s, tol=0).fit(X).inertia_ for s in range(300)]
best = min(map(min, ends.values()))
good = {name: np.mean(np.array(found) < 1.001 * best) for name, found in ends.items()}
for name, found in ends.items():
    n_ends = len(set(np.round(found, 3)))
    print(f"{name:<15} {n_ends:>3} different ends, the best one in {good[name]:.0%} of the runs")
assert good["k-means++"] > good["random samples"] + 0.2
assert len(set(np.round(ends["random samples"], 3))) > 3
assert falls[-1] > 1.5 * best  # the run that we watched was one of the bad ones

# %% tags=["hide-input"]
figure, axis = plt.subplots(figsize=(8, 2.6))
bins = np.linspace(best * 0.96, max(map(max, ends.values())) * 1.02, 36)
axis.hist(list(ends.values()), bins=bins, color=[BLUE, ORANGE], label=list(ends))
axis.set(
    xlabel="inertia at the end", ylabel="runs", title="Where 300 runs end, by where they began"
)
axis.legend()
picture(
    figure,
    "Histogram: runs from random samples end in many places, those from k-means++ mostly in the best one.",
)

# %% [markdown]
# The second name is a way to choose the start. David Arthur and Sergei Vassilvitskii (2007) draw one sample after the
# other, each with a chance proportional to $D_i^2$, its squared distance to the nearest of those already drawn. A
# sample beside a centre is hardly ever drawn, one in an empty region often; and an outlier, though far away, is only
# *one*: it cannot win against a whole cloud. On average over the draws, the start alone is no worse than $8 (2 + \ln
# k)$ times the best inertia there is. In the picture a dot is the larger, the likelier it is to be drawn next.


# %%
def draw_far_apart(X, k, random):
    """Plain k-means++: the indices of k samples."""
    chosen = [random.integers(len(X))]
    while len(chosen) < k:
        D2 = ((X[:, None] - X[chosen]) ** 2).sum(axis=2).min(axis=1)
        chosen.append(random.choice(len(X), p=D2 / D2.sum()))
    return np.array(chosen)


# %% tags=["hide-input"]
chosen = draw_far_apart(X, 6, np.random.default_rng(1))
figure, axes = plt.subplots(1, 4, figsize=(8.4, 2.3))
for axis, n_chosen in zip(axes, (1, 2, 4, 6)):
    D2 = ((X[:, None] - X[chosen[:n_chosen]]) ** 2).sum(axis=2).min(axis=1)
    axis.scatter(*X.T, s=1 + 900 * D2 / D2.sum(), color=BLUE, alpha=0.55, linewidth=0)
    axis.plot(*X[chosen[:n_chosen]].T, "*", color=ORANGE, markersize=12)
    axis.set(title=f"{n_chosen} drawn", xticks=[], yticks=[])
    axis.grid(False)
picture(
    figure,
    "With one seed the samples far from it have large chances, with six all chances are small and even.",
)

# %% [markdown]
# scikit-learn is greedier: it draws $2 + \lfloor \ln k \rfloor$ candidates at each step and keeps the one that leaves
# the least inertia. Everything random comes from one generator, drawn from in one order. So the same seed must choose
# the same samples, and it does:

# %%
for seed in range(50):
    _, ours = kmeans_plusplus(X, 6, random_state=seed)
    _, theirs = sklearn.cluster.kmeans_plusplus(X, 6, random_state=seed)
    assert np.array_equal(ours, theirs)

# %% [markdown]
# One step of it draws candidates, and asks for all of them at once what would be left:

# %%
show(seeding_numpy.Nearest.draw, seeding_numpy.Nearest.add_best)

# %% [markdown]
# ## Empty clusters
#
# A centre from which every sample has a nearer one owns nothing, and a mean of nothing does not exist. Our loop let it
# stand where it was, for ever. The reference sends it to the sample that is worst served, the farthest from its centre,
# and takes that sample out of its old cluster's sum. This is the whole of it:

# %%
show(rounds.relocate_empty)

# %%
line = np.array([[0.0], [1.0], [2.0], [3.0], [10.0]])
model = KMeans(2, init=[[0.0], [1000.0]]).fit(line)  # at first nobody belongs to the second centre
print("centres", model.cluster_centers_.ravel(), "labels", model.labels_)
assert np.array_equal(model.labels_, [0, 0, 0, 0, 1])
_, _, stuck = lloyd(line, np.array([[0.0], [1000.0]]))
assert not stuck.any()

# %% [markdown]
# ## Distances that need not be computed
#
# Almost all the time goes into distances, $n \cdot k$ of them in every round, and after a few rounds hardly any label
# changes. The triangle inequality says which ones cannot. Let a sample's own centre be at most $u$ away, and every
# other centre at least $l$. If its own centre moves by $s$ and no other by more than $s_{\max}$, then afterwards
#
# $$ u + s \;\ge\; \text{distance to its own}, \qquad l - s_{\max} \;\le\; \text{distance to any other}. $$
#
# As long as $u < l$, the nearest centre is still the same, and nobody needs to look. If not, look: compute all $k$
# distances, and both bounds are exact again. Two numbers per sample are enough (Greg Hamerly, 2010). Charles Elkan
# (2003) keeps $k + 1$ of them and computes even fewer distances, for more memory: `algorithm="elkan"`.


# %%
fast_average = njit(average)  # the loops from above, compiled


def lloyd_with_bounds(X, centers, n_rounds):
    """The labels of every round, and how many samples were looked at in it."""
    n = len(X)
    labels, upper, lower = np.zeros(n, dtype=int), np.full(n, np.inf), np.zeros(n)
    history, looked_at = [], []
    for _ in range(n_rounds):
        look = np.flatnonzero(upper >= lower)
        distance = np.sqrt(((X[look, None] - centers) ** 2).sum(axis=2))
        labels[look] = distance.argmin(axis=1)
        two_least = np.partition(distance, 1, axis=1)
        upper[look], lower[look] = two_least[:, 0], two_least[:, 1]
        history.append(labels.copy())
        looked_at.append(len(look))

        moved = fast_average(X, labels, centers)
        shift = np.sqrt(((moved - centers) ** 2).sum(axis=1))
        upper += shift[labels]
        lower -= shift.max()
        centers = moved
    return history, np.array(looked_at)


def lloyd_without(X, centers, n_rounds):
    """The labels of every round."""
    history = []
    for _ in range(n_rounds):
        history.append(lloyd_numpy.nearest(X, centers))
        centers = fast_average(X, history[-1], centers)
    return history


tight = np.concatenate([c + random.normal(0, 0.5, (500, 8)) for c in random.normal(0, 2, (12, 8))])
loose = random.normal(size=(6000, 8))
looks = {}
for name, data in {"twelve clouds": tight, "one cloud, no groups": loose}.items():
    centers = data[np.random.default_rng(0).choice(len(data), 12, replace=False)]
    history, looked_at = lloyd_with_bounds(data, centers, 25)
    for ours, plain in zip(history, lloyd_without(data, centers, 25)):
        assert np.array_equal(ours, plain)  # every sample, in every round
    looks[name] = looked_at / len(data)
    print(f"{name:<22} {looks[name].mean():.0%} of the distances computed")
assert looks["twelve clouds"].mean() < 0.3

# %% tags=["hide-input"]
figure, axis = plt.subplots(figsize=(8, 2.8))
for (name, share), color in zip(looks.items(), (BLUE, ORANGE)):
    axis.plot(np.arange(1, 26), 100 * share, "o-", color=color, markersize=4, label=name)
axis.set(xlabel="round", ylabel="samples looked at, %", ylim=(0, 104))
axis.set_title("Who must be looked at: soon almost nobody, where there are groups")
axis.legend()
picture(
    figure,
    "The share of samples looked at drops to nearly nothing for clouds; without groups it sinks slowly.",
)

# %% [markdown]
# There is one trap. Arithmetic rounds: a computed distance may be off in its last digits, and so may both bounds. If
# $u$ and $l$ differ by less than that, "cannot have changed" is a claim about numbers that nobody has computed exactly.
# So the kernel keeps a margin, larger than all rounding errors together, and skips a sample only when the bounds are
# further apart. What is left is not an approximation. It is Lloyd's algorithm with less work.
#
# ## The kernel, and the same numbers as scikit-learn
#
# The compiled twin packs samples in tiles, feature after feature, so that one instruction works on 16 of them at a time.
# Two such registers of samples meet four centres: eight registers of sums stay where they are while the features pass by,
# and each number that is read of a sample serves four products.

# %%
show(lloyd_numba.products)

# %% [markdown]
# Around it stand the two bounds, where they pay, and one more saving of the same kind: scores are computed in single
# precision first, twice as many at a time, and in double precision only where the two nearest centres are closer to each
# other than the error of the first look. Sums that nobody entered or left stay as they are; the others run over the
# samples from first to last, however many threads share the work. So the promise can be the strictest one there is:
# `array_equal`.

# %%
digits = load_digits().data
ours = KMeans(10, random_state=0).fit(digits)
with threadpool_limits(1):  # on several threads scikit-learn's own sums change from run to run
    theirs = sklearn.cluster.KMeans(10, random_state=0).fit(digits)
assert np.array_equal(ours.labels_, theirs.labels_)
assert np.array_equal(ours.cluster_centers_, theirs.cluster_centers_)
assert (ours.inertia_, ours.n_iter_) == (theirs.inertia_, theirs.n_iter_)
print(f"{ours.n_iter_} rounds, inertia {ours.inertia_}: identical")

for algorithm in ("lloyd", "elkan"):
    for seed in range(5):
        for data in (X, tight, digits):
            how = {"n_clusters": 8, "random_state": seed, "algorithm": algorithm}
            with threadpool_limits(1):
                theirs = sklearn.cluster.KMeans(**how).fit(data)
            mine = KMeans(**how).fit(data)
            assert np.array_equal(mine.cluster_centers_, theirs.cluster_centers_)
            assert np.array_equal(mine.labels_, theirs.labels_)

# %%
crowd = np.concatenate([c + random.normal(0, 1, (2500, 16)) for c in random.normal(0, 4, (20, 16))])
begin = crowd[np.random.default_rng(0).choice(len(crowd), 20, replace=False)]
with threadpool_limits(1):
    times = {
        "scikit-learn, one thread": seconds(
            lambda: sklearn.cluster.KMeans(20, init=begin, max_iter=20).fit(crowd), repeats=3
        ),
        "minimal": seconds(lambda: KMeans(20, init=begin, max_iter=20).fit(crowd), repeats=3),
    }
print(*(f"{name}: {1e3 * t:.0f} ms" for name, t in times.items()), sep="\n")

# %% [markdown]
# (These times are those of the machine that built this page.) And what has it found? Nobody told it that the 1797
# pictures show digits, nor which. The ten centres are pictures themselves, the means of their clusters:

# %% tags=["hide-input"]
truth = load_digits().target
figure, axes = plt.subplots(1, 10, figsize=(8.4, 1.3))
order = np.argsort([np.bincount(truth[ours.labels_ == j]).argmax() for j in range(10)])
for axis, j in zip(axes, order):
    share = np.bincount(truth[ours.labels_ == j], minlength=10) / (ours.labels_ == j).sum()
    ink = np.zeros((8, 8, 4))
    ink[..., :3] = plt.matplotlib.colors.to_rgb(BLUE)
    ink[..., 3] = np.clip(ours.cluster_centers_[j].reshape(8, 8) / 16, 0, 1)
    axis.imshow(ink, interpolation="nearest")
    axis.set_title(f"{share.max():.0%}\nare {share.argmax()}", fontsize=9, loc="center")
    axis.axis("off")
picture(
    figure,
    "Ten blurred digits, the centres of ten clusters, with the share of their commonest digit.",
)

# %%
commonest = [np.bincount(truth[ours.labels_ == j]).max() for j in range(10)]
purity = sum(commonest) / len(truth)
print(f"{purity:.0%} of the pictures lie in a cluster where their digit is the commonest")
assert purity > 0.7

# %% [markdown]
# ## What it cannot see
#
# The inertia knows round groups of like size, and nothing else. A long group is cut through the middle, because that
# saves more than telling two thin ones apart; and a column in millimetres outweighs one in metres a million times.
# Scaling the columns is part of the question, not of the answer.

# %%
stripes = random.normal(size=(400, 2)) * [6.0, 0.35] + np.repeat([[0, 0.0], [0, 3.0]], 200, axis=0)
stripe = np.repeat([0, 1], 200)
raw = KMeans(2, random_state=0).fit_predict(stripes)
scaled = KMeans(2, random_state=0).fit_predict(stripes / [6.0, 0.35])


def agreement(labels):
    """The share of samples that are told apart rightly, whichever cluster has which number."""
    share = (labels == stripe).mean()
    return max(share, 1 - share)


assert agreement(raw) < 0.6
assert agreement(scaled) == 1.0

# %% tags=["hide-input"]
figure, axes = plt.subplots(1, 2, figsize=(8, 2.3), sharey=True)
for axis, found, title in zip(axes, (raw, scaled), ("as measured", "each column in its own unit")):
    for j, color in ((0, BLUE), (1, ORANGE)):
        axis.plot(*stripes[found == j].T, "o", color=color, markersize=2.5)
    axis.set(title=f"{title}: {agreement(found):.0%} right", xlabel="x")
picture(
    figure,
    "Two long stripes: cut in left and right halves on raw data, told apart when the columns are scaled.",
)

# %% [markdown]
# ## Exercises
#
# Replace `pass` and run the cell: it says at once whether you are right. What is returned counts, not how.
#
# **1. Labels.** `X` has n rows and `centers` has k. Return the index of the nearest centre of each row,
# the first of several, an array of n numbers. The rows may lie far from zero: think of the digits that the short form
# loses.


# %%
def nearest_centers(X, centers):
    pass  # your turn


check(nearest_centers)

# %% [markdown]
# **2. What a union costs.** Two clusters of `n_a` and `n_b` samples have the means `mean_a` and `mean_b`. By how much
# does the inertia rise if they become one? (The formula above, used twice, says it without any sample.)


# %%
def price_of_a_union(n_a, mean_a, n_b, mean_b):
    pass  # your turn


check(price_of_a_union)

# %% [markdown]
# **3. The next seed.** The samples with the indices `chosen` are seeds already. Return the chance of each sample to be
# drawn next by k-means++, an array that sums to one; `weight` says how many times each sample counts.


# %%
def chances_of_the_next_seed(X, chosen, weight):
    pass  # your turn


check(chances_of_the_next_seed)

# %% [markdown]
# **4. Who must be looked at** (harder). `upper` bounds each sample's distance to its own centre from above, `lower`
# those to all other centres from below, and the centre $j$ has just moved by `shift[j]`. Return, for each sample,
# whether its nearest centre may have changed. Make the best of it: if the sample's own centre is the one that moved
# most, the others moved less.


# %%
def must_look(upper, lower, labels, shift):
    pass  # your turn


check(must_look)
