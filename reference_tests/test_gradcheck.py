"""gradcheck and gradgradcheck: they pass what is right, catch what is wrong, and say what PyTorch's own say.

Every mistake is made in both libraries with the same text, so the reference has to catch it too.
"""

from __future__ import annotations

import warnings

import numpy as np
import pytest
import torch

COMPONENT = "gradcheck"

X = [0.3, -0.7, 1.2]


@pytest.fixture
def ours(implementation):
    return implementation("operations")


def leaf(side, values=X, dtype="float64"):
    return side.tensor(values, dtype=getattr(side, dtype), requires_grad=True)


def cube(side, backward):
    """x^3 with somebody's idea of its gradient."""

    class Cube(side.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            ctx.save_for_backward(x)
            return x**3

    Cube.backward = staticmethod(backward)
    return Cube.apply


def right(ctx, g):
    (x,) = ctx.saved_tensors
    return 3 * x**2 * g


def wrong_factor(ctx, g):
    (x,) = ctx.saved_tensors
    return 2 * x**2 * g


def a_little_wrong(ctx, g):
    (x,) = ctx.saved_tensors
    return 3.01 * x**2 * g


def wrong_sign(ctx, g):
    (x,) = ctx.saved_tensors
    return -3 * x**2 * g


def no_gradient(ctx, g):
    return None


def mixed_up(ctx, g):
    (x,) = ctx.saved_tensors
    return 3 * x**2 * g.flip(0)


def not_scaled(ctx, g):
    (x,) = ctx.saved_tensors
    return 3 * x**2 * g + 1e-6 * (g == 0) * (g.sum() == 0)


def kind_of_error(side, call):
    with pytest.raises(Exception) as caught:  # noqa: PT011 - which one is what is asked
        call(side)
    return caught.value


# ---------------------------------------------------------------- what is right passes

RIGHT = {
    "a sum of products": lambda side, x: (x * x.exp()).sum(),
    "several outputs": lambda side, x: (x.sin(), x.prod(), x.sort().indices),
    "something constant": lambda side, x: (x * 2, side.ones(2, dtype=side.float64)),
    "no numbers": lambda side, x: x[:0] * 2,
    "a function of one's own": lambda side, x: cube(side, right)(x),
    "in place": lambda side, x: x.clone().mul_(3).exp_(),
}


@pytest.mark.parametrize("name", RIGHT)
@pytest.mark.parametrize("check", ["gradcheck", "gradgradcheck"])
def test_what_is_right_passes(name, check, ours):
    for side in (ours, torch):
        assert getattr(side.autograd, check)(lambda x, side=side: RIGHT[name](side, x), (leaf(side),)) is True


def test_inputs_of_every_kind(ours):
    for side in (ours, torch):
        matrix = side.arange(6, dtype=side.float64).reshape(2, 3).t().requires_grad_()
        rest = (side.tensor([0, 2]), 2.5, side.ones(3, dtype=side.float32))
        assert side.autograd.gradcheck(
            lambda m, index, number, other: (m[index] ** 2 * number).sum() + other.sum(), (matrix, *rest)
        )


def test_inputs_are_given_back_as_they_were(ours):
    x = leaf(ours)
    ours.autograd.gradcheck(lambda x: x**2, (x,))
    assert x.tolist() == X
    assert x.grad is None


def test_gradients_that_are_given(ours):
    for side in (ours, torch):
        g = side.tensor([1.0, 2.0, -1.0], dtype=side.float64, requires_grad=True)
        assert side.autograd.gradgradcheck(lambda x: x**3, leaf(side), g)
        assert side.autograd.gradgradcheck(lambda x: x**3, (leaf(side),), (g,))


# ---------------------------------------------------------------- what is wrong is caught

WRONG = {f.__name__: f for f in (wrong_factor, a_little_wrong, wrong_sign, no_gradient, mixed_up, not_scaled)}


@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_gradient_is_caught(name, ours):
    for side in (ours, torch):
        function = cube(side, WRONG[name])
        with pytest.raises(RuntimeError):
            side.autograd.gradcheck(function, (leaf(side),))
        assert side.autograd.gradcheck(function, (leaf(side),), raise_exception=False) is False


def test_the_message_shows_both_jacobians(ours):
    error = kind_of_error(ours, lambda side: side.autograd.gradcheck(cube(side, wrong_factor), (leaf(side),)))
    theirs = kind_of_error(torch, lambda side: side.autograd.gradcheck(cube(side, wrong_factor), (leaf(side),)))
    assert type(error).__name__ == type(theirs).__name__ == "GradcheckError"
    for words in ("Jacobian mismatch for output 0 with respect to input 0", "numerical:", "analytical:"):
        assert words in str(error)
        assert words in str(theirs)
    assert "4.32" in str(error)  # 3 x^2 at 1.2, measured
    assert "2.88" in str(error)  # 2 x^2, claimed


def test_the_message_names_the_output_and_the_input(ours):
    def run(side):
        bad = cube(side, wrong_factor)
        pair = (leaf(side), leaf(side, [1.0, 2.0]))
        return side.autograd.gradcheck(lambda x, y: (x.sum() + y.sum(), x.sum() * bad(y)), pair)

    for side in (ours, torch):
        assert "for output 1 with respect to input 1" in str(kind_of_error(side, run))


def test_a_wrong_second_derivative_is_caught(ours):
    """The gradient is right, but its own gradient does not see x."""

    def detached(ctx, g):
        (x,) = ctx.saved_tensors
        return 3 * x.detach() ** 2 * g

    for side in (ours, torch):
        function = cube(side, detached)
        assert side.autograd.gradcheck(function, (leaf(side),))
        with pytest.raises(RuntimeError, match=r"Jacobian mismatch|expected to be zero"):
            side.autograd.gradgradcheck(function, (leaf(side),))
        assert side.autograd.gradgradcheck(function, (leaf(side),), raise_exception=False) is False


def test_a_gradient_that_was_cut_off_is_caught(ours):
    """An output without a gradient must not move."""
    for side in (ours, torch):
        with pytest.raises(RuntimeError, match="Numerical gradient for function expected to be zero"):
            side.autograd.gradcheck(lambda x: (x.detach() * 2, x)[:1], (leaf(side),))


def test_a_gradient_that_changes_from_call_to_call_is_caught(ours):
    for side in (ours, torch):
        calls = iter(range(10_000))

        def unsteady(ctx, g, calls=calls):
            (x,) = ctx.saved_tensors
            return 3 * x**2 * g * (1 + 1e-7 * (next(calls) % 2))

        function = cube(side, unsteady)
        with pytest.raises(RuntimeError, match="not reentrant"):
            side.autograd.gradcheck(function, (leaf(side),))
        assert side.autograd.gradcheck(function, (leaf(side),), nondet_tol=1e-5)


def test_tolerances_decide(ours):
    for side in (ours, torch):
        function = cube(side, a_little_wrong)
        assert side.autograd.gradcheck(function, (leaf(side),), rtol=0.01)
        assert side.autograd.gradcheck(function, (leaf(side),), atol=0.1)
        assert not side.autograd.gradcheck(function, (leaf(side),), raise_exception=False)


# ---------------------------------------------------------------- what cannot be checked


def test_no_input_that_requires_a_gradient(ours):
    for side in (ours, torch):
        with pytest.raises(ValueError, match="at least one input tensor to require gradient"):
            side.autograd.gradcheck(lambda x: x * 2, (side.ones(2, dtype=side.float64),))


def test_single_precision_is_warned_of(ours):
    for side in (ours, torch):
        with pytest.warns(UserWarning, match="not a double precision floating point"):
            side.autograd.gradcheck(lambda x: x * 2, (leaf(side, dtype="float32"),), eps=1e-2, atol=1e-2)


def test_double_precision_is_not_warned_of(ours):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert ours.autograd.gradcheck(lambda x: x * 2, (leaf(ours),))


def test_one_element_for_many(ours):
    """An element that stands for a whole row cannot be moved alone."""
    for side in (ours, torch):
        row = side.ones(1, dtype=side.float64).expand(3).requires_grad_()
        with pytest.raises(RuntimeError, match="stride 0"):
            side.autograd.gradcheck(lambda x: x * 2, (row,))


def test_random_numbers_are_left_alone(ours):
    ours.manual_seed(3)
    expected = ours.rand(4).tolist()
    ours.manual_seed(3)
    ours.autograd.gradgradcheck(lambda x: x**2, (leaf(ours),))
    assert ours.rand(4).tolist() == expected


def test_gradients_are_checked_inside_no_grad_too(ours):
    with ours.no_grad():
        assert ours.autograd.gradcheck(lambda x: x**2, (leaf(ours),))
        with pytest.raises(RuntimeError):
            ours.autograd.gradcheck(cube(ours, wrong_sign), (leaf(ours),))


def test_a_function_with_a_sharp_bend_shows_it(ours):
    """|x| at 0 has two slopes: finite differences see their mean, which is the gradient 0 here."""
    x = leaf(ours, [0.0, 1.0])
    assert ours.autograd.gradcheck(lambda x: x.abs(), (x,))
    with pytest.raises(RuntimeError):
        ours.autograd.gradcheck(lambda x: x.abs() + ours.relu(x), (x,))


def test_jacobians_are_whole(ours):
    """Each entry counts: a mistake in one place of a matrix product is caught."""
    rng = np.random.default_rng(0)
    for side in (ours, torch):

        class Product(side.autograd.Function):
            @staticmethod
            def forward(ctx, a, b):
                ctx.save_for_backward(a, b)
                return a @ b

            @staticmethod
            def backward(ctx, g, side=side):
                a, b = ctx.saved_tensors
                slip = side.zeros(b.shape[0], a.shape[0], dtype=b.dtype)
                slip[1, 0] = 0.01
                return g @ b.t() + slip.t() * g.sum(), a.t() @ g

        a, b = (side.from_numpy(rng.standard_normal(s)).requires_grad_() for s in ((2, 3), (3, 2)))
        with pytest.raises(RuntimeError, match="with respect to input 0"):
            side.autograd.gradcheck(Product.apply, (a, b))
