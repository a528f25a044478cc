"""One step of each optimizer on arrays: both twins against ``torch.optim``, step after step.

PyTorch takes square roots from Intel's library, which on some processors rounds one in six float32 roots to the neighbour.
So there are two claims.  Against ``torch.optim`` as it is, after many steps: rounding.  Against PyTorch's own arithmetic
with correctly rounded roots, the compiled twin: identical.
"""

from __future__ import annotations

import numpy as np
import pytest
import torch

from minimal import threads
from minimal.engine import twin
from minimal.optim import steps_numba
from minimal.optim.rules import AdagradRule, AdamRule, RMSpropRule, SGDRule

COMPONENT = "optimizer steps"
DTYPES = pytest.mark.parametrize("dtype", [np.float32, np.float64])

SGD = [
    SGDRule(0.1),
    SGDRule(0.1, maximize=True),
    SGDRule(0.05, weight_decay=0.3),
    SGDRule(0.05, momentum=0.9),
    SGDRule(0.05, momentum=0.9, dampening=0.25, weight_decay=0.1),
    SGDRule(0.05, momentum=0.8, weight_decay=0.1, nesterov=True, maximize=True),
]
ADAM = [
    AdamRule(),
    AdamRule(0.01, 0.4, 0.9, 1e-3),  # beta1 below a half: PyTorch moves the mean from the other end
    AdamRule(0.02, weight_decay=0.2),
    AdamRule(0.02, weight_decay=0.2, maximize=True),
    AdamRule(0.02, weight_decay=0.2, decoupled=True),
    AdamRule(0.02, weight_decay=0.2, decoupled=True, maximize=True),
]
RMSPROP = [
    RMSpropRule(),
    RMSpropRule(0.003, 0.9, 1e-4, weight_decay=0.1),
    RMSpropRule(0.003, momentum=0.9),
    RMSpropRule(0.003, momentum=0.5, weight_decay=0.1, maximize=True),
]
ADAGRAD = [AdagradRule(), AdagradRule(0.1, 0.01, 0.2, 1e-6), AdagradRule(0.1, 0.01, maximize=True)]


def steps():
    return twin("minimal.optim.steps")


def memory(shape, dtype, layout):
    """An array of zeros in one of several orders of memory."""
    if layout == "transposed":
        return np.zeros(shape[::-1], dtype).T
    return np.zeros((*shape[:-1], 2 * shape[-1]), dtype)[..., ::2] if layout == "strided" else np.zeros(shape, dtype)


def train(start, gradients, layout, step, n_states):
    """The parameter after all gradients, and what the optimizer remembers: ``step(p, g, states, number of the step)``."""
    p, *states = (memory(start.shape, start.dtype, layout) for _ in range(1 + n_states))
    p[...] = start
    for number, gradient in enumerate(gradients, 1):
        kept = gradient.copy()
        step(p, gradient, states, number)
        np.testing.assert_array_equal(gradient, kept)
    return p, states


def their_training(optimizer, start, gradients, **options):
    p = torch.nn.Parameter(torch.tensor(start))
    rule = optimizer([p], **options)
    for gradient in gradients:
        p.grad = torch.tensor(gradient)
        rule.step()
    return p.detach().numpy(), rule.state[p]


def problem(dtype, shape=(7, 13), n_steps=25):
    rng = np.random.default_rng(len(shape))
    return rng.standard_normal(shape).astype(dtype), rng.standard_normal((n_steps, *shape)).astype(dtype)


def betas(rule):
    options = rule._asdict()
    options["betas"] = options.pop("beta1"), options.pop("beta2")
    return torch.optim.AdamW if options.pop("decoupled") else torch.optim.Adam, options


def near(parity, ours, theirs, what):
    """Twenty-five steps, each with a few roundings that may fall the other way."""
    bound = 8 * np.finfo(ours.dtype).eps
    parity.rounding(ours, theirs, what=what, bound=bound, reason="25 steps of a few roundings each")


LAYOUTS = pytest.mark.parametrize(
    "layout", ["contiguous", pytest.param("transposed", marks=pytest.mark.wide), "strided"]
)


@DTYPES
@LAYOUTS
@pytest.mark.parametrize("rule", SGD, ids=str)
def test_sgd(rule, layout, dtype, engine, parity):
    start, gradients = problem(dtype)
    with_momentum = bool(rule.momentum)
    p, states = train(
        start, gradients, layout, lambda p, g, b, i: steps().sgd_step(p, g, *(b or [None]), rule, i), with_momentum
    )
    theirs, state = their_training(torch.optim.SGD, start, gradients, **rule._asdict())
    compare = parity.identical if engine == "numba" else lambda a, b, what: near(parity, a, b, what)
    compare(np.ascontiguousarray(p), theirs, what="sgd")
    for ours in states:
        compare(np.ascontiguousarray(ours), state["momentum_buffer"].numpy(), what="momentum")


@DTYPES
@LAYOUTS
@pytest.mark.parametrize("amsgrad", [False, True])
@pytest.mark.parametrize("rule", ADAM, ids=str)
def test_adam(rule, amsgrad, layout, dtype, engine, parity):
    start, gradients = problem(dtype)

    def step(p, g, states, number):
        steps().adam_step(p, g, *states[:2], states[2] if amsgrad else None, rule, number)

    p, states = train(start, gradients, layout, step, 2 + amsgrad)
    optimizer, options = betas(rule)
    theirs, state = their_training(optimizer, start, gradients, amsgrad=amsgrad, **options)
    near(parity, p, theirs, "adam")
    for ours, name in zip(states, ("exp_avg", "exp_avg_sq", "max_exp_avg_sq")):
        near(parity, ours, state[name].numpy(), name)


@DTYPES
@LAYOUTS
@pytest.mark.parametrize("centered", [False, True])
@pytest.mark.parametrize("rule", RMSPROP, ids=str)
def test_rmsprop(rule, centered, layout, dtype, engine, parity):
    start, gradients = problem(dtype)
    given = [True, centered, rule.momentum > 0]

    def step(p, g, states, number):
        left = iter(states)
        steps().rmsprop_step(p, g, *(next(left) if wanted else None for wanted in given), rule)

    p, states = train(start, gradients, layout, step, sum(given))
    theirs, state = their_training(torch.optim.RMSprop, start, gradients, centered=centered, **rule._asdict())
    near(parity, p, theirs, "rmsprop")
    names = [n for n, wanted in zip(("square_avg", "grad_avg", "momentum_buffer"), given) if wanted]
    for ours, name in zip(states, names):
        near(parity, ours, state[name].numpy(), name)


@DTYPES
@LAYOUTS
@pytest.mark.parametrize("rule", ADAGRAD, ids=str)
def test_adagrad(rule, layout, dtype, engine, parity):
    start, gradients = problem(dtype)
    p, (total,) = train(
        start, gradients, layout, lambda p, g, states, i: steps().adagrad_step(p, g, *states, rule, i), 1
    )
    theirs, state = their_training(torch.optim.Adagrad, start, gradients, **rule._asdict())
    near(parity, p, theirs, "adagrad")
    near(parity, total, state["sum"].numpy(), "sum of squares")


def rounded_root(t):
    return torch.from_numpy(np.sqrt(t.numpy()))


@DTYPES
@pytest.mark.parametrize("amsgrad", [False, True])
@pytest.mark.parametrize("rule", ADAM, ids=str)
def test_compiled_adam_rounds_as_pytorch_does(rule, amsgrad, dtype, parity):
    """``torch.optim.adam`` operation by operation, with correctly rounded roots."""
    start, gradients = problem(dtype, (1013,), 8)
    p, m, v, largest = torch.tensor(start), *(torch.zeros(start.shape, dtype=torch.tensor(start).dtype) for _ in "mvl")
    q, *states = start.copy(), *(np.zeros_like(start) for _ in "mvl")
    for step, gradient in enumerate(gradients, 1):
        g = torch.tensor(-gradient if rule.maximize else gradient)
        if rule.decoupled:
            p.mul_(1 - rule.lr * rule.weight_decay)
        elif rule.weight_decay:
            g = g.add(p, alpha=rule.weight_decay)
        m.lerp_(g, 1 - rule.beta1)
        v.mul_(rule.beta2).addcmul_(g, g, value=1 - rule.beta2)
        torch.maximum(largest, v, out=largest)
        root = rounded_root(largest if amsgrad else v) / (1 - rule.beta2**step) ** 0.5
        p.addcdiv_(m, root.add_(rule.eps), value=-(rule.lr / (1 - rule.beta1**step)))

        steps_numba.adam_step(q, gradient, *states[:2], states[2] if amsgrad else None, rule, step)
    parity.identical(q, p.numpy(), what="adam with rounded roots")
    parity.identical(states[0], m.numpy(), what="exp_avg")
    parity.identical(states[1], v.numpy(), what="exp_avg_sq")


@DTYPES
@pytest.mark.parametrize("centered", [False, True])
@pytest.mark.parametrize("rule", RMSPROP, ids=str)
def test_compiled_rmsprop_rounds_as_pytorch_does(rule, centered, dtype, parity):
    """``torch.optim.rmsprop`` operation by operation, with correctly rounded roots."""
    start, gradients = problem(dtype, (1013,), 8)
    p, v, mean, buffer = (
        torch.tensor(start),
        *(torch.zeros(start.shape, dtype=torch.tensor(start).dtype) for _ in "vmb"),
    )
    q, *states = start.copy(), *(np.zeros_like(start) for _ in "vmb")
    for gradient in gradients:
        g = torch.tensor(-gradient if rule.maximize else gradient)
        if rule.weight_decay:
            g = g.add(p, alpha=rule.weight_decay)
        v.mul_(rule.alpha).addcmul_(g, g, value=1 - rule.alpha)
        variance = v
        if centered:
            mean.lerp_(g, 1 - rule.alpha)
            variance = v.addcmul(mean, mean, value=-1)
        root = rounded_root(variance).add_(rule.eps)
        if rule.momentum:
            buffer.mul_(rule.momentum).addcdiv_(g, root)
            p.add_(buffer, alpha=-rule.lr)
        else:
            p.addcdiv_(g, root, value=-rule.lr)
        given = states[0], states[1] if centered else None, states[2] if rule.momentum else None
        steps_numba.rmsprop_step(q, gradient, *given, rule)
    parity.identical(q, p.numpy(), what="rmsprop with rounded roots")


@DTYPES
@pytest.mark.parametrize("rule", ADAGRAD, ids=str)
def test_compiled_adagrad_rounds_as_pytorch_does(rule, dtype, parity):
    """``torch.optim.adagrad`` operation by operation, with correctly rounded roots."""
    start, gradients = problem(dtype, (1013,), 8)
    p, total = torch.tensor(start), torch.zeros(start.shape, dtype=torch.tensor(start).dtype)
    q, ours = start.copy(), np.zeros_like(start)
    for step, gradient in enumerate(gradients, 1):
        g = torch.tensor(-gradient if rule.maximize else gradient)
        if rule.weight_decay:
            g = g.add(p, alpha=rule.weight_decay)
        total.addcmul_(g, g, value=1)
        p.addcdiv_(g, rounded_root(total).add_(rule.eps), value=-(rule.lr / (1 + (step - 1) * rule.lr_decay)))
        steps_numba.adagrad_step(q, gradient, ours, rule, step)
    parity.identical(q, p.numpy(), what="adagrad with rounded roots")


def test_adam_by_hand(engine):
    """At the first step m' = g and v' = g**2, so p moves by lr against the sign of g, however large g is."""
    p, m, v = np.array([1.0, 1.0, 1.0]), np.zeros(3), np.zeros(3)
    steps().adam_step(p, np.array([5.0, -1e-3, 0.0]), m, v, None, AdamRule(0.5, eps=0.0 + 1e-300), 1)
    np.testing.assert_allclose(p, [0.5, 1.5, 1.0], rtol=1e-15)


def test_many_threads_and_one_give_the_same_bits(monkeypatch):
    start, gradients = problem(np.float32, (300_001,), 3)
    answers = []
    for n in (1, 2):
        monkeypatch.setattr(threads, "_num_threads", n)
        p, m, v = start.copy(), np.zeros_like(start), np.zeros_like(start)
        for step, g in enumerate(gradients, 1):
            steps_numba.adam_step(p, g, m, v, None, AdamRule(), step)
        answers.append(p)
    np.testing.assert_array_equal(*answers)
