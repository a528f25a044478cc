# %% [markdown]
# # Automatic differentiation
#
# Whatever a program computes, it can also say how the result depends on each number that went in, exactly and at about
# the price of computing it once more. After this lesson you can build the machine that does this in forty lines, say
# why the order of its steps matters, add operations of your own, differentiate twice, and you will have seen
# `minimal.autograd` give PyTorch's numbers.

# %%
import matplotlib.pyplot as plt
import numpy as np
import torch
from toolkit import BLUE, GREEN, GREY, ORANGE, ROSE, VIOLET, check, picture, seconds, show

import minimal
from minimal import autograd
from minimal.autograd import broadcasting, graph
from minimal.autograd.operations import elementwise

torch.set_num_threads(1)

# %% [markdown]
# ## Three ways to a slope
#
# Here is a function, small but crooked, and we want its slope at $x = 0.7$:
#
# $$ f(x) = \sin(x^2) \, e^{-x} . $$
#
# **By hand**, $f'(x) = \left( 2 x \cos(x^2) - \sin(x^2) \right) e^{-x}$. That is exact, and a page of work for a real
# model. **By differences**, $(f(x + h) - f(x - h)) / 2h$: no work, but how large is $h$? A large one sees the bend of
# the curve, a small one subtracts two numbers that agree in most of their digits. And a model with a million parameters
# would have to be run two million times. The third way is this lesson.


# %%
def f(x):
    return np.sin(x**2) * np.exp(-x)


def slope_by_hand(x):
    return (2 * x * np.cos(x**2) - np.sin(x**2)) * np.exp(-x)


x = minimal.tensor(0.7, dtype=minimal.float64, requires_grad=True)
(minimal.sin(x**2) * minimal.exp(-x)).backward()  # the third way

steps = np.geomspace(1e-14, 1, 200)
errors = np.abs((f(0.7 + steps) - f(0.7 - steps)) / (2 * steps) - slope_by_hand(0.7))
third_way = abs(x.grad.item() - slope_by_hand(0.7))
print(f"differences: {errors.min():.0e} off at best, automatic: {third_way:.0e}")
assert errors.min() > 1e-14
assert third_way < 2e-16

# %% tags=["hide-input"]
figure, axis = plt.subplots(figsize=(8, 3))
axis.loglog(steps, np.maximum(errors, 1e-13), color=BLUE)
axis.text(3e-13, 3e-11, "digits that cancel", color=BLUE)
axis.text(2e-2, 3e-7, "the curve bends", color=BLUE)
axis.axhline(1e-16, color=ORANGE)
axis.text(1e-14, 2.2e-16, "automatic", color=ORANGE)
axis.set(xlabel="step h", ylabel="error of the slope", ylim=(3e-17, 10))
axis.set_title("Differences have a best step, and it is not good")
picture(
    figure,
    "The error of a difference quotient falls and rises again as the step shrinks; automatic slopes are exact.",
)

# %% [markdown]
# ## From one multiplication to a graph
#
# A program is a sequence of small operations, and each of them has a slope that everybody knows. Take a single one, $z =
# x y$. Somewhere later a number $L$ comes out, the **loss**. If we know how $L$ depends on $z$, the chain rule says how
# it depends on $x$ and on $y$:
#
# $$ \frac{\partial L}{\partial x} = \frac{\partial L}{\partial z} \, y, \qquad
#    \frac{\partial L}{\partial y} = \frac{\partial L}{\partial z} \, x . $$
#
# Nothing else about the program matters: the multiplication needs one number from those who used its result, and its own
# two inputs, which it has seen. That is the whole trick. Let every number remember **what it was made of, and the slope
# along each of these edges**. What arises while the program runs is a graph, and differentiating means walking back
# through it.
#
# When a number is used in several places, a change of it acts along each of them, and the effects add up. So for a number
# $a$ deep in the graph
#
# $$ \frac{\partial L}{\partial a} = \sum_{\text{paths from } a \text{ to } L} \;
#    \prod_{\text{edges on the path}} \text{slope} . $$
#
# In forty lines of **loops**, with five operations:


# %%
class Number:
    """A number that remembers how it was made: ``edges`` holds (input, slope) pairs."""

    def __init__(self, value, edges=()):
        self.value, self.edges, self.grad = value, edges, 0.0

    def __add__(self, other):
        other = as_number(other)
        return Number(self.value + other.value, ((self, 1.0), (other, 1.0)))

    def __mul__(self, other):
        other = as_number(other)
        return Number(self.value * other.value, ((self, other.value), (other, self.value)))

    def __pow__(self, n):
        return Number(self.value**n, ((self, n * self.value ** (n - 1)),))

    def exp(self):
        value = np.exp(self.value)
        return Number(value, ((self, value),))

    def tanh(self):
        value = np.tanh(self.value)
        return Number(value, ((self, 1 - value**2),))

    __radd__, __rmul__ = __add__, __mul__


def as_number(x):
    """Constants take part, too."""
    return x if isinstance(x, Number) else Number(float(x))


# %% [markdown]
# ## Why the order matters
#
# The walk back starts at the end with $\partial L / \partial L = 1$ and sends shares along the edges. The obvious
# program sends them on as soon as they arrive. Look at what it makes of the smallest graph in which a result is used
# twice:
#
#     b = a + a
#     c = b + b
#
# There are four paths from `a` to `c`, each of slope one, so $\partial c / \partial a = 4$.


# %%
def hasty_walk(number, g=1.0):
    """Send on what a number has received so far, and visit its inputs only once.  Wrong!"""
    number.grad = g
    sent_on = set()

    def visit(number):
        if number not in sent_on:
            sent_on.add(number)
            for source, slope in number.edges:
                source.grad += slope * number.grad
                visit(source)

    visit(number)


def repeating_walk(number, g=1.0):
    """Send on all that a number has received, each time that something arrives.  Wrong!"""
    number.grad += g
    for source, slope in number.edges:
        repeating_walk(source, slope * number.grad)


def walk_every_path(number, g=1.0):
    """Send on each share by itself.  Right, but look at how often it is called."""
    number.grad += g
    calls = 1
    for source, slope in number.edges:
        calls += walk_every_path(source, slope * g)
    return calls


found = {}
for walk in (hasty_walk, repeating_walk, walk_every_path):
    a = Number(3.0)
    b = a + a
    c = b + b
    walk(c)
    found[walk.__name__] = a.grad
    print(f"{walk.__name__:<16} dc/da = {a.grad}")
assert found == {"hasty_walk": 2.0, "repeating_walk": 6.0, "walk_every_path": 4.0}

# %% [markdown]
# The first is too hasty: `c` sends 1 along its first edge, `b` passes that 1 on to `a` twice, and when the second 1
# arrives at `b`, it has had its turn. The second counts the first share again when the second one comes. The third is
# right, since it follows every path by itself; but after $n$ such lines there are $2^n$ paths.
#
# What is missing is patience. **A number may send only when all who used it have sent.** Then it sends once, the sum, and
# each edge is walked once. An order in which every number stands before its inputs is a *topological order*, and there
# is a simple way to find one: follow the edges down to the end, and write a number down when all that it was made of is
# written. Read backwards, the list is the order.


# %%
def topological_order(last):
    """Every number behind ``last``, each before those that it was made of."""
    order, seen = [], set()

    def visit(number):
        if number not in seen:
            seen.add(number)
            for source, _ in number.edges:
                visit(source)
            order.append(number)

    visit(last)
    return order[::-1]


def walk_back(last):
    """The gradient of ``last`` in every number behind it.  Returns how many numbers there were."""
    order = topological_order(last)
    last.grad = 1.0
    for number in order:
        for source, slope in number.edges:
            source.grad += slope * number.grad
    return len(order)


a = Number(3.0)
b = a + a
c = b + b
walk_back(c)
print(f"in order: dc/db = {b.grad}, dc/da = {a.grad}")
assert (b.grad, a.grad) == (2.0, 4.0)

# %%
depths = np.arange(1, 15)
work = {"every path": [], "in order": []}
for depth in depths:
    for name, walk in (("every path", walk_every_path), ("in order", walk_back)):
        first = last = Number(1.0)
        for _ in range(depth):
            last = last + last
        work[name].append(walk(last))
        assert first.grad == 2.0**depth
assert work["every path"][-1] == 2**15 - 1
assert work["in order"][-1] == 15

# %% tags=["hide-input"]
figure, axis = plt.subplots(figsize=(8, 2.8))
for (name, visits), color in zip(work.items(), (ROSE, GREEN)):
    axis.semilogy(depths, visits, "o-", color=color, markersize=4, label=name)
axis.set(xlabel="lines like b = a + a", ylabel="numbers visited")
axis.set_title("Both walks are right, only one of them is usable")
axis.legend()
picture(
    figure,
    "Visits by depth: every path doubles with each line, the walk in order grows by one.",
)

# %% [markdown]
# This is *reverse mode*. One could also walk forwards, from one input to everything that depends on it; but then each of
# a million parameters needs a walk of its own. Backwards, one walk serves them all, because there is only one loss. The
# price is memory: what the slopes need has to be kept until the walk.
#
# And it is enough to train a model. Five neurons, forty points, and the machine from above, number by number:

# %%
random = np.random.default_rng(0)
at = np.linspace(-2, 2, 40)
wanted = np.sin(2 * at) + 0.4 * at
start = [random.normal(0, s, 5) for s in (1.5, 1.0, 0.6)]  # weights, shifts, heights


def training(n_steps, step_size):
    """Gradient descent on 15 parameters.  The mean squared error of each step, and the last curve."""
    weights, shifts, heights = ([Number(p) for p in row] for row in start)
    losses = []
    for _ in range(n_steps):
        loss, curve = Number(0.0), []
        for x, y in zip(at, wanted):
            neurons = [h * (w * x + s).tanh() for w, s, h in zip(weights, shifts, heights)]
            curve.append(sum(neurons))
            loss = loss + (curve[-1] + -y) ** 2
        loss = loss * (1 / len(at))
        walk_back(loss)
        losses.append(loss.value)
        for parameters in (weights, shifts, heights):
            for i, p in enumerate(parameters):
                parameters[i] = Number(p.value - step_size * p.grad)
    return np.array(losses), np.array([y.value for y in curve])


losses, curve = training(n_steps=300, step_size=0.2)
print(f"mean squared error {losses[0]:.3f} at first, {losses[-1]:.4f} after {len(losses)} steps")
assert losses[-1] < 0.02 * losses[0]

# %% tags=["hide-input"]
figure, axes = plt.subplots(1, 2, figsize=(8, 2.8))
axes[0].semilogy(losses, color=BLUE)
axes[0].set(title="The loss, step by step", xlabel="step", ylabel="mean squared error")
axes[1].plot(at, wanted, "o", color=GREY, markersize=3, label="samples")
axes[1].plot(at, curve, color=ORANGE, label="five neurons")
axes[1].set(title="What it has learned", xlabel="x")
axes[1].legend()
picture(figure, "The loss falls over 300 steps; the learned curve runs through the samples.")

# %% [markdown]
# ## The same with arrays
#
# Number by number is clear, and slow. Nothing changes in principle if a node of the graph holds a whole array: an
# elementwise operation has elementwise slopes. There is one new thing. **Broadcasting** stretches a small array over a
# large one. A row $b$ that is added to all rows of a matrix is used once for each row, and the rule for a number used
# several times is to add up:
#
# $$ Z_{ij} = X_{ij} + b_j \quad \Longrightarrow \quad
#    \frac{\partial L}{\partial b_j} = \sum_i \frac{\partial L}{\partial Z_{ij}} . $$

# %%
show(broadcasting.sum_to)

# %%
X, b = random.normal(size=(3, 4)), random.normal(size=4)
numbers = [Number(value) for value in b]
loss = Number(0.0)
for i in range(3):
    for j in range(4):
        loss = loss + (X[i, j] + numbers[j]) ** 3
walk_back(loss)

g = 3 * (X + b) ** 2  # dL/dZ, an array like Z
assert np.allclose([number.grad for number in numbers], broadcasting.sum_to(g, b.shape), rtol=1e-14)

# %% [markdown]
# ## `minimal.autograd`
#
# `Tensor` is the machine from above on NumPy arrays, under PyTorch's names. An operation is a class in which the
# derivation, the forward and the backward formula stand together:

# %%
show(elementwise.Mul, elementwise.Div, elementwise.Tanh)

# %% [markdown]
# `g` is what arrives from those who used the result. To find the order, nobody has to follow edges down to the end: an
# operation is always recorded after those that made its inputs. So nodes are numbered as they arise, and to sort by
# number, last first, is to have a topological order. No recursion is needed, and a chain of a hundred thousand
# operations is just longer than a short one.

# %%
show(graph.reachable)

# %%
a = minimal.tensor(3.0, requires_grad=True)
b = a + a
c = b + b
c.backward()
assert a.grad == 4

chain = x = minimal.tensor(1.0, dtype=minimal.float64, requires_grad=True)
for _ in range(100_000):
    chain = chain * 1.00001
chain.backward()
assert np.isclose(x.grad.item(), 1.00001**100_000, rtol=1e-10)

# %% [markdown]
# And this is the walk, with what the small one did not have: hooks through which people watch, operations with several
# results, and gradients of chosen inputs only.

# %%
show(graph.walk_back)

# %% [markdown]
# ## The graph, drawn
#
# A neuron, a loss, and what each node receives. Read it from below: the leaves are at the bottom, and gradients flow from
# the top down along the arrows.

# %%
weight = minimal.tensor([0.5, -0.3], requires_grad=True)
shift = minimal.tensor(0.1, requires_grad=True)
inputs = minimal.tensor([2.0, 1.0])
loss = (minimal.tanh((weight * inputs).sum() + shift) - 1) ** 2
autograd.draw(loss, {"weight": weight, "shift": shift})

# %%
loss.backward()
h = np.tanh(0.5 * 2 - 0.3 + 0.1)
by_hand = 2 * (h - 1) * (1 - h**2)
assert np.allclose(shift.grad.numpy(), by_hand, rtol=1e-6)
assert np.allclose(weight.grad.numpy(), by_hand * np.array([2.0, 1.0]), rtol=1e-6)

# %% [markdown]
# ## The same numbers as PyTorch
#
# The names are PyTorch's, so one text can run on both. Here are six programs, from broadcasting to indexing and the
# logarithm of a sum of exponentials, each with the gradient of everything that went in.

# %%
programs = {
    "broadcasting": lambda t, x, y: (x * y[0] + y[:, :1] / (x * x + 1)).sum(),
    "a neuron layer": lambda t, x, y: t.tanh(x @ y.t()).pow(2).mean(),
    "reuse": lambda t, x, y: ((x + y) * (x + y) * x).sum(),
    "indexing": lambda t, x, y: (x[::2, 1:] * y[1:, [0, 2, 0]]).sum() + x[x > 0].prod(),
    "where": lambda t, x, y: t.where(x > y, t.exp(x), t.sin(y)).sum(),
    "logsumexp": lambda t, x, y: (t.logsumexp(x, 1) - t.log_softmax(y, 0).sum(1)[:3]).sum(),
}
values = random.normal(size=(3, 4)), random.normal(size=(3, 4))
for name, program in programs.items():
    results = []
    for library in (minimal, torch):
        leaves = [library.tensor(v, dtype=library.float64, requires_grad=True) for v in values]
        loss = program(library, *leaves)
        loss.backward()
        results.append([loss.item(), *(leaf.grad.numpy() for leaf in leaves)])
    off = max(np.abs(ours - theirs).max() for ours, theirs in zip(*results))
    print(f"{name:<16} largest difference {off:.0e}")
    assert off < 1e-14

# %% [markdown]
# ## An operation of your own
#
# Not every formula should be differentiated as it stands. Take the *softplus* $\log(1 + e^x)$. Its slope is the sigmoid,
# a tame function; but computed piece by piece, it is $e^x / (1 + e^x)$, which for $x = 800$ is infinity over infinity.

# %%
x = minimal.tensor([-800.0, 0.0, 800.0], dtype=minimal.float64, requires_grad=True)
minimal.log(1 + minimal.exp(x)).sum().backward()
print("piece by piece:", x.grad.numpy())
assert np.isnan(x.grad.numpy()[2])


# %% [markdown]
# `Function` lets you say both directions yourself. `ctx` carries what backward will need.


# %%
class Softplus(autograd.Function):
    """out = log(1 + e^x),  so  dx = g / (1 + e^-x)."""

    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return minimal.logaddexp(x, minimal.zeros_like(x))

    @staticmethod
    def backward(ctx, g):
        (x,) = ctx.saved_tensors
        return g * minimal.sigmoid(x)


x.grad = None
Softplus.apply(x).sum().backward()
print("at one go:     ", x.grad.numpy())
assert np.array_equal(x.grad.numpy(), [0.0, 0.5, 1.0])

# %% [markdown]
# A formula for a gradient is easily wrong, and the loss may still fall. `gradcheck` compares it with differences, in
# double precision and with the best step from the first picture: not good enough to compute with, but good enough to
# tell right from wrong.


# %%
class Slip(Softplus):
    """The same with a minus too many."""

    @staticmethod
    def backward(ctx, g):
        (x,) = ctx.saved_tensors
        return g * minimal.sigmoid(-x)


somewhere = minimal.tensor(random.normal(size=5), requires_grad=True)
assert autograd.gradcheck(Softplus.apply, (somewhere,))
assert not autograd.gradcheck(Slip.apply, (somewhere,), raise_exception=False)

# %% [markdown]
# ## Differentiating twice
#
# The walk back is itself a computation: a few multiplications and additions. If it runs on tensors, it leaves a graph
# behind, and that graph can be walked, too. This is what `create_graph=True` asks for.

# %%
at = minimal.linspace(-3, 3, 241, dtype=minimal.float64).requires_grad_()
derivatives = [minimal.tanh(at)]
for _ in range(3):
    (slope,) = autograd.grad(derivatives[-1].sum(), at, create_graph=True)
    derivatives.append(slope)
t, t1, t2, t3 = (d.detach().numpy() for d in derivatives)
assert np.allclose(t1, 1 - t**2, atol=1e-14)
assert np.allclose(t2, -2 * t * (1 - t**2), atol=1e-14)
assert np.allclose(t3, (6 * t**2 - 2) * (1 - t**2), atol=1e-13)

# %% tags=["hide-input"]
figure, axis = plt.subplots(figsize=(8, 3))
names = ("tanh", "first derivative", "second", "third")
for d, color, name in zip((t, t1, t2, t3), (BLUE, ORANGE, GREEN, VIOLET), names):
    axis.plot(at.detach().numpy(), d, color=color, label=name)
axis.set(xlabel="x", title="tanh, and what three walks back make of it")
axis.legend()
picture(figure, "Curves of tanh and of its first three derivatives.")

# %% [markdown]
# The second derivatives of a function of several variables form the **Hessian**. Its row $i$ is the gradient of the
# gradient's $i$-th number. With it, Newton's method (from *Finding minima*) needs no formula by hand, only the function:


# %%
def rosenbrock(p):
    return 100 * (p[1] - p[0] ** 2) ** 2 + (1 - p[0]) ** 2


def gradient_and_hessian(f, p):
    """Two arrays, from one walk and one more for each variable."""
    p = minimal.tensor(p, requires_grad=True)
    (g,) = autograd.grad(f(p), p, create_graph=True)
    rows = [autograd.grad(g[i], p, retain_graph=True)[0].numpy() for i in range(len(p))]
    return g.detach().numpy(), np.array(rows)


path = [np.array([-1.2, 1.0])]
for _ in range(7):
    g, H = gradient_and_hessian(rosenbrock, path[-1])
    x, y = path[-1]
    assert np.allclose(H, [[1200 * x**2 - 400 * y + 2, -400 * x], [-400 * x, 200]], rtol=1e-13)
    path.append(path[-1] - np.linalg.solve(H, g))
print("distance from the minimum:", *(f"{np.linalg.norm(p - 1):.0e}" for p in path))
assert np.linalg.norm(path[-1] - 1) < 1e-12

# %% [markdown]
# With a million variables nobody can hold a Hessian. But its product with a vector $v$ costs only one more walk, because
#
# $$ H v = \nabla \left( \nabla f \cdot v \right) $$
#
# for a fixed $v$: the inner product is a single number again. The last exercise asks for it.
#
# ## What a small operation costs
#
# On large arrays the arithmetic costs most, on small ones the bookkeeping. So a library is judged by chains of tiny
# operations: forward, recorded, and the walk back. This is the kernel of this lesson, and it is not compiled at all: its
# only secret is to do little. A node is one object with few fields, and what it needs was decided when the class was made,
# not when the operation runs.


# %%
def chain_of_small_operations(library, n=300):
    x = library.ones(4, requires_grad=True)
    y = x
    for _ in range(n // 3):
        y = library.tanh(y * 1.5 + x)
    y.sum().backward()
    return x.grad.numpy()


per_operation = {"PyTorch": np.inf, "minimal": np.inf}
for _ in range(10):  # by turns, so that whatever else the machine does disturbs both
    for name, library in {"PyTorch": torch, "minimal": minimal}.items():
        work = seconds(lambda library=library: chain_of_small_operations(library), repeats=3)
        per_operation[name] = min(per_operation[name], 1e6 * work / 300)
for name, microseconds in per_operation.items():
    print(f"{name:<8} {microseconds:.1f} microseconds an operation, there and back")
both = chain_of_small_operations(minimal), chain_of_small_operations(torch)
assert np.allclose(*both, rtol=1e-4)


def number_chain(n=300):
    x = y = Number(1.0)
    for _ in range(n // 3):
        y = (y * 1.5 + x).tanh()
    walk_back(y)


per_operation["our forty lines"] = 1e6 * seconds(number_chain, repeats=20) / 300

# %% tags=["hide-input"]
figure, axis = plt.subplots(figsize=(8, 1.9))
axis.barh(list(per_operation), list(per_operation.values()), color=[ORANGE, BLUE, GREY], height=0.6)
axis.set(xlabel="microseconds for one small operation, forward and backward")
axis.grid(False)
axis.invert_yaxis()
picture(
    figure, "Bars: what one small operation costs in PyTorch, in minimal and in the lesson's loops."
)

# %% [markdown]
# (These times are those of the machine that built this page.) The forty lines are the cheapest, for they know one kind of
# number and trust the reader. Shapes, dtypes, changes in place and a graph that others may look at have their price; on
# arrays of a thousand numbers and more, nobody notices it.
#
# ## What it cannot see
#
# Autograd differentiates what the program did, not what you meant. At a corner, such as $|x|$ at zero, there is no slope
# and a convention takes its place. A number that was rounded or compared has slope zero everywhere. And a saved value
# that somebody overwrites would give wrong slopes, without a word; so tensors count their changes, and the walk refuses:

# %%
x = minimal.tensor([1.0, 2.0], requires_grad=True)
y = minimal.exp(x)
y.add_(1)  # but exp remembered its output: that is its slope
try:
    y.sum().backward()
except RuntimeError as error:
    print(str(error).split(":")[0])
else:
    raise AssertionError("it should have noticed")

# %% [markdown]
# ## Exercises
#
# Replace `pass` and run the cell: it says at once whether you are right. What is returned counts, not how.
#
# **1. Division.** `z = x / y` with arrays of one shape, and `g` is $\partial L / \partial z$. Return the gradients of
# `x` and of `y`, in this order.


# %%
def division_backward(g, x, y):
    pass  # your turn


check(division_backward)

# %% [markdown]
# **2. Broadcasting backwards.** An array of the given `shape` was broadcast to the shape of `g`. Return its gradient: an
# array of that shape, with everything added up that went to the same place. Axes of length one were stretched, missing
# ones put in front.


# %%
def add_up_to(g, shape):
    pass  # your turn


check(add_up_to)

# %% [markdown]
# **3. The order.** `inputs[i]` lists the nodes from which node `i` was made (perhaps one of them twice). Return all nodes
# from which `last` can be reached, `last` included, so that each stands before those from which it was made. The chain
# may be long: Python gives up after a thousand calls inside each other.


# %%
def order_of_the_walk(inputs, last):
    pass  # your turn


check(order_of_the_walk)

# %% [markdown]
# **4. Hessian times vector** (harder). `f` takes a tensor and gives a tensor with one number; `x` and `v` are arrays.
# Return $H v$ at `x`, an array, without ever building $H$: two calls of `autograd.grad` are enough. (In this cell,
# `minimal` and `autograd` are at hand.)


# %%
def hessian_times(f, x, v):
    pass  # your turn


check(hessian_times)
