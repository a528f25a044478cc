"""Reductions, orders and products on what random numbers never bring: ties, NaN, infinities, nothing, whole numbers, bools.

Both libraries run the same line.  Values, dtypes, shapes and gradients have to agree; or both have to refuse, with the same
kind of error.
"""

from __future__ import annotations

import itertools
import warnings

import numpy as np
import pytest
import torch

from .operations import flat, is_tensor, plain

COMPONENT = "reductions"
INF, NAN = float("inf"), float("nan")

ARRAYS = {
    "ties": np.array([[1.0, 3.0, 3.0, 2.0], [2.0, 2.0, 2.0, 2.0], [0.0, -1.0, -1.0, 0.5]]),
    "nan": np.array([[1.0, NAN, 3.0], [2.0, 5.0, 4.0]]),
    "zeros": np.array([[0.0, 2.0, 3.0], [0.0, 0.0, 4.0], [0.0, 0.0, 0.0]]),
    "float32": np.array([[0.5, 1.5, -2.0], [3.0, -1.0, 0.25]], dtype=np.float32),
    "float16": np.array([[0.5, 1.5, -2.0], [3.0, -1.0, 0.25]], dtype=np.float16),
    "int64": np.array([[3, 1, 2], [-1, 5, 0]]),
    "uint8": np.array([[3, 1, 2], [7, 5, 0]], dtype=np.uint8),
    "bool": np.array([[True, False, True], [False, False, True]]),
    "number": np.array(1.5),
    "whole number": np.array(2),
    "no rows": np.zeros((0, 3)),
    "no columns": np.zeros((2, 0)),
    "nothing": np.zeros(0),
}

WHOLE = (
    "sum nansum prod mean nanmean var std var_mean std_mean max min amax amin aminmax all any norm count_nonzero argmax "
    "argmin nanmedian"
)
ALONG = (
    "sum nansum prod mean var std max min amax amin aminmax all any norm count_nonzero argmax argmin logsumexp cumsum "
    "cumprod cummax cummin logcumsumexp softmax log_softmax median nanmedian sort"
)

# Where the two mean something else by the gradient of what is not a number, or of the spread of nothing.
UNDEFINED = {
    ("nanmean", "nan"),
    ("cummax", "no rows"),  # after a gradient through nothing PyTorch's own indices ask for one
    ("cummax", "no columns"),
    ("cummax", "nothing"),
    ("cummin", "no rows"),
    ("cummin", "no columns"),
    ("cummin", "nothing"),
}
UNORDERED = {("median", "ties"), ("median", "zeros"), ("nanmedian", "ties"), ("nanmedian", "zeros"), ("median", "bool")}

TOLERANCES = {"float64": 1e-12, "float32": 2e-6, "float16": 2e-3}


def run(side, call, array):
    """Outputs and gradient; or the error."""
    x = side.from_numpy(array.copy())
    if array.dtype.kind == "f":
        x.requires_grad_()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of few degrees of freedom, which test_spread_of_too_few asks about
        try:
            outputs = [out for out in flat(call(side, x)) if is_tensor(out)]
        except Exception as error:
            return error
    ends = [out for out in outputs if out.requires_grad]
    values = [plain(out) for out in outputs]
    if not ends:
        return values
    weights = [
        side.from_numpy(np.cos(np.arange(out.numel())).reshape(tuple(out.shape)).astype(plain(out).dtype))
        for out in ends
    ]
    (g,) = side.autograd.grad(ends, x, weights, allow_unused=True)
    return [*values, np.zeros_like(array) if g is None else plain(g)]


def agree(ours, theirs, what):
    if isinstance(theirs, Exception):
        assert isinstance(ours, Exception), f"{what}: {ours} instead of {theirs!r}"
        kind = RuntimeError if isinstance(theirs, NotImplementedError) else type(theirs)
        assert isinstance(ours, kind), f"{what}: {ours!r} instead of {theirs!r}"
        return
    assert not isinstance(ours, Exception), f"{what}: {ours!r}"
    assert len(ours) == len(theirs)
    for k, (a, b) in enumerate(itertools.zip_longest(ours, theirs)):
        assert (a.dtype, a.shape) == (b.dtype, b.shape), (
            f"{what}, {k}: {a.dtype}{a.shape} instead of {b.dtype}{b.shape}"
        )
        bound = TOLERANCES.get(str(b.dtype), 0)
        assert np.allclose(a, b, rtol=bound, atol=bound, equal_nan=True), f"{what}, {k}: {a} instead of {b}"


def compare(implementation, name, data, call):
    if (name, data) in UNDEFINED:
        pytest.skip("gradients of what is not a number differ")
    agree(run(implementation("operations"), call, ARRAYS[data]), run(torch, call, ARRAYS[data]), f"{name} of {data}")


@pytest.mark.parametrize("data", ARRAYS)
@pytest.mark.parametrize("name", WHOLE.split())
def test_of_all(name, data, implementation):
    compare(implementation, name, data, lambda side, x: getattr(side, name)(x))


@pytest.mark.parametrize("data", ARRAYS)
@pytest.mark.parametrize("name", ALONG.split())
def test_along_one(name, data, implementation):
    if (name, data) in UNORDERED:
        pytest.skip("which of several equal ones is the middle is nobody's promise")
    for dim in (0, -1, 3):
        compare(implementation, name, data, lambda side, x, dim=dim: getattr(side, name)(x, dim=dim))


@pytest.mark.parametrize("p", [0, 0.5, 1, 1.5, 2, 3, INF, -INF, -1])
@pytest.mark.parametrize("data", ARRAYS)
def test_norms(data, p, implementation):
    compare(implementation, "norm", data, lambda side, x: side.norm(x, p))
    compare(implementation, "norm", data, lambda side, x: x.norm(p, -1, True))


@pytest.mark.parametrize("k", [0, 1, 2, 9])
@pytest.mark.parametrize("data", ["ties", "nan", "int64", "uint8", "bool", "number", "no rows", "float16"])
def test_values_of_the_best(data, k, implementation):
    """Values only: which of several equal ones is taken is nobody's promise."""
    compare(implementation, "topk", data, lambda side, x: side.topk(x.detach(), k).values)
    compare(implementation, "topk", data, lambda side, x: side.topk(x.detach(), k, 0, False)[0])
    compare(implementation, "kthvalue", data, lambda side, x: side.kthvalue(x.detach(), k)[0])


@pytest.mark.parametrize("descending", [False, True])
@pytest.mark.parametrize("data", ARRAYS)
def test_equal_numbers_keep_their_order(data, descending, implementation):
    compare(implementation, "sort", data, lambda side, x: side.sort(x, stable=True, descending=descending))
    compare(implementation, "argsort", data, lambda side, x: side.argsort(x, dim=0, stable=True, descending=descending))


def test_results_have_names(implementation):
    ours = implementation("operations")
    x = ours.tensor([[1.0, 3.0, 2.0]])
    for name, arguments in {"max": (1,), "min": (1,), "median": (1,), "sort": (), "topk": (2,), "cummax": (1,)}.items():
        result = getattr(ours, name)(x, *arguments)
        assert type(result).__name__ == name
        values, indices = result
        assert result.values is values
        assert result.indices is indices
        assert indices.dtype == ours.int64
    low, high = ours.aminmax(x)
    assert (low.item(), high.item()) == (1.0, 3.0)


def test_spread_of_too_few(implementation):
    for side in (implementation("operations"), torch):
        with pytest.warns(UserWarning, match="degrees of freedom is <= 0"):
            assert np.isnan(plain(side.var(side.ones(1))))


def test_second_derivative_of_a_product_with_two_zeros(implementation):
    """d2(x y z) / dx dy = z, also at x = y = 0, where PyTorch gives 0."""
    ours = implementation("operations")
    x = ours.tensor([0.0, 0.0, 3.0], dtype=ours.float64, requires_grad=True)
    (g,) = ours.autograd.grad(x.prod(), x, create_graph=True)
    assert g.tolist() == [0.0, 0.0, 0.0]
    assert ours.autograd.grad(g[0], x)[0].tolist() == [0.0, 3.0, 0.0]


@pytest.mark.parametrize("call", ["unique", "unique_consecutive"])
@pytest.mark.parametrize("data", ["ties", "int64", "uint8", "bool", "nothing", "number"])
def test_different_values(data, call, implementation):
    for options in (
        {},
        {"return_inverse": True},
        {"return_counts": True},
        {"return_inverse": True, "return_counts": True},
    ):
        compare(implementation, call, data, lambda side, x, o=options: getattr(side, call)(x.detach(), **o))
    if ARRAYS[data].ndim:
        compare(implementation, call, data, lambda side, x: getattr(side, call)(x.detach(), dim=0))
