"""Shapes, axes, indices and windows that nobody wrote down: drawn by Hypothesis, the same ones on every run.

The tables hold what a person thinks of; these draw from everything that the reference accepts.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, basic_indices, mutually_broadcastable_shapes

from .operations import LAYOUTS, Case, Input, Side, apart, compared, index, not_zero, real

COMPONENT = "operations"
FEW = settings(
    max_examples=60,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.filter_too_much],
)
MANY = settings(FEW, max_examples=400)
BOUND = 20.0  # times the ordinary bound: sums of hundreds of numbers, of which some cancel

layouts = st.sampled_from(LAYOUTS)


def hold(implementation: Any, name: str, call: Any, inputs: tuple[Input, ...], layout: str, **claims: Any) -> None:
    """Assert one case on one layout."""
    case = Case(name, call, [inputs], loose=BOUND, **claims)
    for one in compared(Side.of(implementation("operations")), case, inputs, "float64", layout):
        assert one.excess <= 1, f"{name}: {one}"


# ---------------------------------------------------------------- what is drawn


def broadcast_pairs() -> Any:
    return mutually_broadcastable_shapes(num_shapes=2, max_dims=4, min_side=0, max_side=4).map(lambda s: s.input_shapes)


@st.composite
def products(draw: Any) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Two shapes that matmul takes."""
    n, k, m = (draw(st.integers(0, 5)) for _ in range(3))
    left, right = draw(mutually_broadcastable_shapes(num_shapes=2, max_dims=2, min_side=1, max_side=3)).input_shapes
    a = draw(st.sampled_from([(k,), (*left, n, k)]))
    b = draw(st.sampled_from([(k,), (*right, k, m)]))
    return a, b


@st.composite
def axes(draw: Any) -> tuple[tuple[int, ...], Any, bool]:
    """A shape, some of its axes (or one, or all), and whether they stay."""
    shape = draw(array_shapes(min_dims=1, max_dims=4, min_side=1, max_side=4))
    n = len(shape)
    several = st.lists(st.integers(0, n - 1), min_size=1, max_size=n, unique=True)
    some = several.map(lambda chosen: tuple(axis - n * (axis % 2) for axis in chosen))
    return shape, draw(st.one_of(st.integers(-n, n - 1), some)), draw(st.booleans())


@st.composite
def indexed(draw: Any) -> tuple[tuple[int, ...], Any]:
    """A shape and what stands between the brackets: numbers, slices with positive steps, None, Ellipsis."""
    shape = draw(array_shapes(min_dims=1, max_dims=4, min_side=1, max_side=5))
    found = draw(basic_indices(shape, allow_newaxis=True))
    parts = found if isinstance(found, tuple) else (found,)
    parts = tuple(slice(p.start, p.stop, p.step) if isinstance(p, slice) and (p.step or 1) > 0 else p for p in parts)
    return shape, tuple(slice(None) if isinstance(p, slice) and (p.step or 1) < 0 else p for p in parts)


@st.composite
def mixed(draw: Any) -> tuple[tuple[int, ...], tuple[Any, ...]]:
    """A shape, and for each of its axes a slice, a number, a list of places, or a mask."""
    shape = draw(array_shapes(min_dims=1, max_dims=4, min_side=1, max_side=4))
    length = draw(st.integers(1, 3))
    parts: list[Any] = []
    for n in shape[: draw(st.integers(1, len(shape)))]:
        places = st.lists(st.integers(-n, n - 1), min_size=length, max_size=length).map(np.array)
        truths = st.permutations([True] * min(length, n) + [False] * (n - min(length, n))).map(np.array)
        choices = [places, st.slices(n).map(forwards), st.integers(-n, n - 1)]
        choices += [truths] if n >= length else []
        parts.append(draw(st.one_of(*choices)))
        if draw(st.integers(0, 5)) == 0:
            parts.append(None)
    return shape, tuple(parts)


def forwards(part: slice) -> slice:
    return part if (part.step or 1) > 0 else slice(None, None, -part.step)


def as_tensors(torch: Any, parts: tuple[Any, ...]) -> tuple[Any, ...]:
    return tuple(torch.from_numpy(part) if isinstance(part, np.ndarray) else part for part in parts)


@st.composite
def windows(draw: Any) -> tuple[dict[str, Any], tuple[int, ...], tuple[int, ...], bool]:
    """A convolution that fits: its options, the shapes of image and weight, and whether there is a bias."""
    groups, per_group, out = draw(st.integers(1, 3)), draw(st.integers(1, 3)), draw(st.integers(1, 3))
    kernel = draw(st.tuples(st.integers(1, 4), st.integers(1, 4)))
    stride, dilation = (draw(st.tuples(st.integers(1, 3), st.integers(1, 2))) for _ in range(2))
    padding = draw(st.tuples(st.integers(0, 2), st.integers(0, 2)))
    spare = draw(st.tuples(st.integers(0, 5), st.integers(0, 5)))
    size = tuple(max(1, d * (k - 1) + 1 - 2 * p) + s for d, k, p, s in zip(dilation, kernel, padding, spare))
    options = {"stride": stride, "padding": padding, "dilation": dilation, "groups": groups}
    batch = draw(st.integers(1, 3))
    return options, (batch, groups * per_group, *size), (groups * out, per_group, *kernel), draw(st.booleans())


@st.composite
def pools(draw: Any) -> tuple[tuple[int, ...], dict[str, Any]]:
    """An image and a pooling that fits it."""
    kernel = draw(st.tuples(st.integers(1, 4), st.integers(1, 4)))
    padding = tuple(draw(st.integers(0, k // 2)) for k in kernel)
    spare = draw(st.tuples(st.integers(0, 5), st.integers(0, 5)))
    size = tuple(max(1, k - 2 * p) + s for k, p, s in zip(kernel, padding, spare))
    options = {"stride": draw(st.tuples(st.integers(1, 3), st.integers(1, 3))), "padding": padding}
    return (draw(st.integers(1, 2)), draw(st.integers(1, 3)), *size), {"kernel_size": kernel, **options}


@st.composite
def equations(draw: Any) -> tuple[str, list[tuple[int, ...]]]:
    """An einsum of up to three tensors, letters repeated as it comes."""
    sizes = {letter: draw(st.integers(1, 3)) for letter in "abcd"}
    terms = draw(st.lists(st.text("abcd", min_size=1, max_size=3), min_size=1, max_size=3))
    used = sorted(set("".join(terms)))
    output = draw(
        st.permutations(used).flatmap(lambda order: st.integers(0, len(order)).map(lambda n: "".join(order[:n])))
    )
    return f"{','.join(terms)}->{output}", [tuple(sizes[letter] for letter in term) for term in terms]


# ---------------------------------------------------------------- the checks


def broadcasting(implementation: Any, shapes: Any, layout: str) -> None:
    a, b = shapes
    hold(implementation, "mul", lambda torch, F, x, y: x * y, (real(*a), real(*b)), layout)
    hold(implementation, "div", lambda torch, F, x, y: torch.div(x, y), (real(*a), not_zero(*b)), layout)
    hold(implementation, "where", lambda torch, F, x, y: torch.where(x > 0, x, y), (real(*a), real(*b)), layout)


def matmul(implementation: Any, shapes: Any, layout: str) -> None:
    a, b = shapes
    hold(implementation, "matmul", lambda torch, F, x, y: torch.matmul(x, y), (real(*a), real(*b)), layout)


def reductions(implementation: Any, choice: Any, layout: str) -> None:
    shape, dim, keepdim = choice
    for name, kind in (("sum", real), ("mean", real), ("amax", apart), ("logsumexp", real)):
        call = lambda torch, F, x, name=name: getattr(torch, name)(x, dim, keepdim=keepdim)  # noqa: E731
        hold(implementation, name, call, (kind(*shape),), layout, stretched=kind is real)


def reading(implementation: Any, choice: Any, layout: str) -> None:
    shape, parts = choice
    hold(implementation, f"getitem {parts}", lambda torch, F, x: x[as_tensors(torch, parts)], (real(*shape),), layout)


def writing(implementation: Any, choice: Any, layout: str) -> None:
    shape, parts = choice

    def call(torch: Any, F: Any, x: Any, z: Any) -> Any:
        y = x * 2
        y[as_tensors(torch, parts)] = z
        return y

    hold(implementation, f"setitem {parts}", call, (real(*shape), real()), layout)


def convolution(implementation: Any, choice: Any, layout: str) -> None:
    options, image, weight, biased = choice
    inputs = (real(*image), real(*weight), *([real(weight[0])] if biased else []))
    hold(implementation, f"conv2d {options}", lambda torch, F, *t: F.conv2d(*t, **options), inputs, layout)


def transposed(implementation: Any, choice: Any, layout: str) -> None:
    """The same options the other way; where they give no output, on a larger image."""
    options, image, weight, _ = choice
    size = []
    for n, k, s, p, d in zip(image[2:], weight[2:], options["stride"], options["padding"], options["dilation"]):
        n = 1 + n % 3
        while (n - 1) * s - 2 * p + d * (k - 1) + 1 < 1:
            n += 1
        size.append(n)
    inputs = (real(image[0], weight[0], *size), real(*weight))
    call = lambda torch, F, *t: F.conv_transpose2d(*t, **options)  # noqa: E731
    hold(implementation, f"conv_transpose2d {options}", call, inputs, layout)


def pooling(implementation: Any, choice: Any, layout: str) -> None:
    shape, options = choice
    call = lambda torch, F, x: F.max_pool2d(x, **options)  # noqa: E731
    hold(implementation, f"max_pool2d {options}", call, (apart(*shape),), layout, stretched=False)
    hold(
        implementation, f"avg_pool2d {options}", lambda torch, F, x: F.avg_pool2d(x, **options), (real(*shape),), layout
    )


def einsum(implementation: Any, choice: Any, layout: str) -> None:
    text, shapes = choice
    inputs = tuple(real(*shape) for shape in shapes)
    hold(implementation, f"einsum {text}", lambda torch, F, *t: torch.einsum(text, *t), inputs, layout)


def gathering(implementation: Any, choice: Any, layout: str) -> None:
    shape, dim, _ = choice
    dim = dim if isinstance(dim, int) else dim[0]
    places = index(shape[dim])(*shape)
    hold(
        implementation, f"gather {dim}", lambda torch, F, x, i: torch.gather(x, dim, i), (real(*shape), places), layout
    )
    inputs = (real(*shape), places, real(*shape))
    hold(implementation, f"scatter_add {dim}", lambda torch, F, x, i, y: x.scatter_add(dim, i, y), inputs, layout)


ORDINARY = {
    "broadcasting": (broadcasting, broadcast_pairs()),
    "matmul": (matmul, products()),
    "reductions": (reductions, axes()),
    "reading": (reading, indexed()),
    "writing": (writing, indexed()),
    "reading mixed places": (reading, mixed()),
    "einsum": (einsum, equations()),
    "gathering": (gathering, axes()),
}
TWINS = {
    "convolution": (convolution, windows()),
    "transposed convolution": (transposed, windows()),
    "pooling": (pooling, pools()),
}


def throw(check: Any, choices: Any, implementation: Any, how_many: settings) -> None:
    @how_many
    @given(choices, layouts)
    def thrown(choice: Any, layout: str) -> None:
        check(implementation, choice, layout)

    thrown()


@pytest.mark.parametrize("name", ORDINARY)
def test_generated(name, implementation):
    throw(*ORDINARY[name], implementation, FEW)


@pytest.mark.parametrize("name", TWINS)
def test_generated_on_both_engines(name, engine, implementation):
    throw(*TWINS[name], implementation, FEW)


@pytest.mark.wide
@pytest.mark.parametrize("name", ORDINARY)
def test_generated_many(name, implementation):
    throw(*ORDINARY[name], implementation, MANY)


@pytest.mark.wide
@pytest.mark.parametrize("name", TWINS)
def test_generated_many_on_both_engines(name, engine, implementation):
    throw(*TWINS[name], implementation, MANY)
