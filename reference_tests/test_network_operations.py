"""Operations of networks beside their table: the fused one, half precision, seeds and memory, and what is refused."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pytest
import torch

import minimal
from minimal.autograd.functions import conv_relu_pool

COMPONENT = "operations"

FUSED = [  # samples, channels, height, width, filters, kernel, stride, padding
    (2, 3, 9, 8, 4, 3, 1, 1),
    (2, 1, 12, 12, 8, 3, 1, 0),
    (3, 5, 7, 9, 6, 2, 2, 1),
    (2, 8, 6, 6, 16, 5, 1, 2),
]


def pooled(namespace: Any, x: Any, w: Any, b: Any, stride: int, padding: int) -> Any:
    F = namespace.nn.functional
    return F.max_pool2d(F.relu(F.conv2d(x, w, b, stride, padding)), 2)


def twice(namespace: Any, function: Any, arrays: list[np.ndarray]) -> list[np.ndarray]:
    """The output, the gradients, and the gradients of a function of the gradients."""
    leaves = [namespace.from_numpy(a.copy()).requires_grad_() for a in arrays]
    out = function(*leaves)
    first = namespace.autograd.grad((out * out).sum(), leaves, create_graph=True)
    second = namespace.autograd.grad(sum((g * g).sum() for g in first), leaves)
    return [t.detach().numpy() for t in (out, *first, *second)]


@pytest.mark.parametrize("size", FUSED, ids=str)
def test_the_fused_operation_has_the_derivatives_of_its_parts(size, engine, parity):
    n, c, h, w, o, k, stride, padding = size
    rng = np.random.default_rng(0)
    arrays = [rng.standard_normal(shape) for shape in ((n, c, h, w), (o, c, k, k), (o,))]
    ours = twice(minimal, lambda *leaves: conv_relu_pool(*leaves, stride, padding), arrays)
    theirs = twice(torch, lambda *leaves: pooled(torch, *leaves, stride, padding), arrays)
    names = ["output", "dx", "dw", "db", "second dx", "second dw", "second db"]
    for name, a, b in zip(names, ours, theirs, strict=True):
        parity.rounding(
            a, b, bound=1e-12, reason="sums in another order", what=f"conv_relu_pool: {name}", data=str(size)
        )


def test_a_second_derivative_does_not_walk_into_what_made_the_input():
    """With w in both layers, each layer's own gradient must stop at its input."""
    rng = np.random.default_rng(1)
    x, w, b = (rng.uniform(0.1, 1.0, shape) for shape in ((1, 2, 14, 14), (2, 2, 3, 3), (2,)))  # so that relu lets pass
    stacked = lambda layer: lambda x, w, b: layer(layer(x, w, b), w, b)  # noqa: E731
    ours = twice(minimal, stacked(conv_relu_pool), [x, w, b])
    theirs = twice(torch, stacked(lambda *a: pooled(torch, *a, 1, 0)), [x, w, b])
    for a, b_ in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(a, b_, rtol=1e-11, atol=1e-12)


@pytest.mark.parametrize("name", ["max_pool2d", "avg_pool2d", "relu", "gelu", "silu", "batch_norm", "layer_norm"])
def test_half_precision(name, engine):
    x = np.random.default_rng(2).standard_normal((2, 3, 4, 6)).astype(np.float16)
    more: dict[str, Any] = {
        "max_pool2d": {"kernel_size": 2},
        "avg_pool2d": {"kernel_size": 2},
        "batch_norm": {"running_mean": None, "running_var": None, "training": True},
        "layer_norm": {"normalized_shape": (6,)},
    }.get(name, {})
    results = []
    for namespace in (minimal, torch):
        leaf = namespace.from_numpy(x.copy()).requires_grad_()
        out = getattr(namespace.nn.functional, name)(leaf, **more)
        (out * out).sum().backward()
        results.append((out.detach().numpy(), leaf.grad.numpy()))
    (out, gradient), (their_out, their_gradient) = results
    assert out.dtype == gradient.dtype == np.float16
    np.testing.assert_allclose(out, their_out, atol=4e-3)  # a few roundings to 11 bits
    np.testing.assert_allclose(gradient, their_gradient, atol=2e-2)


def test_dropout_after_a_convolution_draws_as_the_reference_does(engine):
    """Channels lie last in memory here and not there; the mask must not notice."""
    x = np.random.default_rng(3).standard_normal((2, 3, 8, 8))
    w = np.random.default_rng(4).standard_normal((40, 3, 3, 3))
    kept = []
    for namespace in (minimal, torch):
        namespace.manual_seed(5)
        F = namespace.nn.functional
        kept.append(F.dropout(F.conv2d(namespace.from_numpy(x), namespace.from_numpy(w)), 0.4).numpy() != 0)
    assert np.array_equal(*kept)


REFUSED = """
F.conv2d(r(2, 3, 5, 5), r(4, 2, 3, 3))
F.conv2d(r(2, 3, 5, 5), r(4, 3, 3, 3), r(5))
F.conv2d(r(2, 3, 2, 2), r(4, 3, 3, 3))
F.conv2d(r(5, 5), r(4, 3, 3, 3))
F.conv2d(r(2, 3, 5, 5), r(4, 3, 3))
F.conv2d(r(2, 3, 5, 5).double(), r(4, 3, 3, 3))
F.conv2d(r(2, 3, 5, 5), r(4, 3, 3, 3), stride=0)
F.conv2d(r(2, 3, 5, 5), r(4, 3, 3, 3), padding=-1)
F.conv2d(r(2, 4, 5, 5), r(3, 2, 3, 3), groups=2)
F.conv2d(r(2, 4, 5, 5), r(4, 4, 3, 3), groups=2)
F.conv2d(r(2, 3, 5, 5), r(4, 3, 3, 3), padding="same", stride=2)
F.conv2d(r(2, 3, 5, 5), r(4, 3, 3, 3), stride=(1, 2, 3))
F.conv1d(r(2, 3, 5), r(4, 2, 3))
F.conv_transpose2d(r(2, 3, 5, 5), r(4, 2, 3, 3))
F.conv_transpose2d(r(2, 3, 5, 5), r(3, 2, 3, 3), stride=2, output_padding=2)
F.max_pool2d(r(5, 5), 2)
F.max_pool2d(r(1, 1, 5, 5), 2, padding=2)
F.max_pool2d(r(1, 1, 5, 5), 7)
F.max_pool1d(r(5, 5), 7)
F.avg_pool2d(r(1, 1, 5, 5), 2, divisor_override=0)
F.adaptive_avg_pool2d(r(5, 5), 2)
F.cross_entropy(r(3, 4), i(0, 1))
F.cross_entropy(r(3, 4), i(0, 1, 7))
F.cross_entropy(r(3, 4), r(3))
F.cross_entropy(r(4), i(2, 3))
F.cross_entropy(r(2, 3, 4), i(0, 1))
F.cross_entropy(r(2, 3), i(0, 1), weight=r(4))
F.cross_entropy(r(2, 3), i(0, 1), weight=r(3).double())
F.cross_entropy(r(2, 3), i(0, 1), label_smoothing=1.5)
F.cross_entropy(r(2, 3), r(2, 3), ignore_index=1)
F.nll_loss(r(3, 4), i(0, 1))
F.mse_loss(r(3), r(3), reduction="x")
F.binary_cross_entropy(r(3) * 99, r(3))
F.binary_cross_entropy(r(3).sigmoid(), r(3) * 99)
F.binary_cross_entropy_with_logits(r(3), i(0, 1, 1))
F.batch_norm(r(4, 3), None, None)
F.batch_norm(r(1, 3), None, None, training=True)
F.batch_norm(r(4, 3), r(2), r(3))
F.layer_norm(r(3, 4), (3,))
F.layer_norm(r(3, 4), 4)
F.group_norm(r(2, 4, 3), 3)
F.group_norm(r(1, 4), 4)
F.instance_norm(r(2, 3, 1))
F.dropout(r(3), 1.5)
F.dropout(i(1, 2), 0.5)
F.linear(r(2, 3), r(4, 5))
F.linear(r(2, 5), r(4, 5), r(3))
F.linear(r(2, 5).double(), r(4, 5))
F.embedding(i(0, 5), r(3, 2))
F.embedding(r(2), r(3, 2))
F.one_hot(i(0, 4), 3)
F.pad(r(3, 4), (1,))
F.pad(r(3, 4), (-3, -3))
F.pad(r(2, 3, 4), (4, 4), mode="reflect")
F.pad(r(2, 3, 4), (5, 5), mode="circular")
F.pad(r(4), (1, 1), mode="reflect")
F.pad(r(3, 4), (1, 1), mode="reflect", value=2)
F.unfold(r(2, 3, 4, 4), 5)
F.fold(r(2, 12, 8), 4, 2)
F.fold(r(2, 11, 9), 4, 2)
F.pixel_shuffle(r(1, 3, 2, 2), 2)
F.prelu(r(2, 3), r(2))
F.gelu(i(1, 2))
F.softshrink(r(3), -1)
F.triplet_margin_loss(r(3, 4), r(3, 4), r(4))
F.margin_ranking_loss(r(3), r(3, 1), r(3))
F.scaled_dot_product_attention(r(4), r(4), r(4))
"""


def refusal(namespace: Any, text: str) -> Exception:
    names = {
        "F": namespace.nn.functional,
        "r": lambda *shape: namespace.zeros(*shape) + 0.5,
        "i": lambda *numbers: namespace.tensor(numbers),
    }
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            eval(text, names)  # the texts stand above
        except Exception as error:
            return error
    raise AssertionError(f"{text} is not refused")


@pytest.mark.parametrize("text", REFUSED.strip().splitlines())
def test_what_cannot_be_is_refused_with_the_references_kind_of_error(text):
    ours, theirs = refusal(minimal, text), refusal(torch, text)
    assert type(ours) is type(theirs), f"{ours!r} instead of {theirs!r}"
    assert str(ours)


@pytest.mark.parametrize(
    ("text", "shapes"),
    [
        ("F.conv2d(r(2, 3, 5, 5), r(4, 2, 3, 3))", ("[2, 3, 5, 5]", "[4, 2, 3, 3]")),
        ("F.linear(r(2, 3), r(4, 5))", ("[2, 3]", "[4, 5]")),
        ("F.layer_norm(r(3, 4), (3,))", ("[3, 4]", "[3]")),
        ("F.cross_entropy(r(3, 4), i(0, 1))", ("[3, 4]", "[2]")),
        ("F.batch_norm(r(4, 3), r(2), r(3))", ("[4, 3]", "2")),
        ("F.prelu(r(2, 3), r(2))", ("[2, 3]", "[2]")),
    ],
)
def test_shapes_that_do_not_fit_are_both_named(text, shapes):
    message = str(refusal(minimal, text))
    assert all(shape in message for shape in shapes), message
