"""The table of matrix products, convolutions, pooling and normalization: where minimal has kernels of its own."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .operations import Case, Input, apart, buffer, described, index, named, not_zero, real

Inputs = list[tuple[Input, ...]]
SUMS = "a sum of dozens of products, added up in another order"

# ---------------------------------------------------------------- products

MATMUL: Inputs = [
    (real(4), real(4)),
    (real(3, 4), real(4)),
    (real(4), real(4, 5)),
    (real(3, 4), real(4, 5)),
    (real(2, 3, 4), real(4)),
    (real(4), real(2, 4, 5)),
    (real(2, 3, 4), real(4, 5)),
    (real(3, 4), real(2, 4, 5)),
    (real(2, 3, 4), real(2, 4, 5)),
    (real(1, 3, 4), real(2, 4, 5)),
    (real(2, 1, 3, 4), real(5, 4, 2)),
    (real(2, 3, 4, 1), real(1, 1, 2)),
    (real(0, 4), real(4, 5)),
    (real(3, 0), real(0, 5)),
    (real(2, 3, 0), real(0, 2)),
    (real(0), real(0)),
]
ONE_PRODUCT: Inputs = [(real(3, 4), real(4, 5)), (real(1, 4), real(4, 1)), (real(3, 0), real(0, 2))]
BATCHES: Inputs = [(real(2, 3, 4), real(2, 4, 5)), (real(0, 3, 4), real(0, 4, 5))]

EINSUM = {
    "i,i->": (real(4), real(4)),
    "i,j->ij": (real(3), real(4)),
    "ij->ji": (real(3, 4),),
    "ij->": (real(3, 4),),
    "ij->i": (real(3, 4),),
    "ij->j": (real(3, 4),),
    "ii->i": (real(3, 3),),
    "ii": (real(3, 3),),
    "iij->j": (real(3, 3, 2),),
    "ij,jk->ik": (real(3, 4), real(4, 5)),
    "ij,jk": (real(3, 4), real(4, 5)),
    "ij,kj->ik": (real(3, 4), real(5, 4)),
    "bij,bjk->bik": (real(2, 3, 4), real(2, 4, 5)),
    "bij,bkj->bik": (real(2, 3, 4), real(2, 5, 4)),
    "bhid,bhjd->bhij": (real(2, 2, 3, 4), real(2, 2, 5, 4)),
    "ij,ij->ij": (real(3, 4), real(3, 4)),
    "ij,ij->": (real(3, 4), real(3, 4)),
    "ij,j->i": (real(3, 4), real(4)),
    "ij,j->ij": (real(3, 4), real(4)),
    "ij,kl->": (real(2, 3), real(4, 2)),
    "ijk,kl->ijl": (real(2, 3, 4), real(4, 5)),
    "ij,jk,kl->il": (real(2, 3), real(3, 4), real(4, 2)),
    "i,ij,j->": (real(3), real(3, 4), real(4)),
    "bn,anm,bm->ba": (real(2, 3), real(5, 3, 4), real(2, 4)),
    "...ij,...jk->...ik": (real(2, 3, 4), real(4, 5)),
    "...ij->...ji": (real(2, 3, 4),),
    "...,...->...": (real(2, 1), real(3)),
    "i...->...": (real(3, 2, 4),),
    "i...,i...->...": (real(3, 2), real(3, 2)),
    "ik...,...kj->ij...": (real(2, 3), real(3, 4)),
    "ij , jk -> ki": (real(3, 4), real(4, 5)),
    "Ab,bC->CA": (real(3, 4), real(4, 5)),
    "ij,jk->ik ": (real(3, 1), real(4, 5)),
}

PRODUCTS = [
    Case("matmul", named("matmul"), MATMUL),
    Case("matmul", lambda torch, F, x, y: x @ y, MATMUL, "x @ y"),
    Case("mm", named("mm"), ONE_PRODUCT),
    Case("bmm", named("bmm"), BATCHES),
    Case("mv", named("mv"), [(real(3, 4), real(4))]),
    Case("dot", named("dot"), [(real(4), real(4)), (real(0), real(0))]),
    Case("inner", named("inner"), [(real(4), real(4)), (real(3, 4), real(5, 4))]),
    Case("outer", named("outer"), [(real(3), real(4))]),
    Case("kron", named("kron"), [(real(2, 3), real(3, 2))]),
    Case("tensordot", named("tensordot", dims=2), [(real(2, 3, 4), real(3, 4, 5))], "dims=2"),
    Case("tensordot", named("tensordot", dims=([0], [1])), [(real(2, 3), real(4, 2))], "dims=([0], [1])"),
    *[
        Case(name, named(name, **o), inputs, described(o))
        for name, inputs in (
            ("addmm", [(real(3, 5), real(3, 4), real(4, 5)), (real(5), real(3, 4), real(4, 5))]),
            ("baddbmm", [(real(2, 3, 5), real(2, 3, 4), real(2, 4, 5)), (real(5), real(2, 3, 4), real(2, 4, 5))]),
            ("addmv", [(real(3), real(3, 4), real(4))]),
        )
        for o in ({}, {"beta": 0.5, "alpha": -2.0})
    ],
    *[
        Case("einsum", lambda torch, F, *xs, text=text: torch.einsum(text, *xs), [inputs], text, loose=4.0, reason=SUMS)
        for text, inputs in EINSUM.items()
    ],
    Case("F.linear", named("F.linear"), [(real(2, 4), real(3, 4)), (real(4), real(3, 4)), (real(2, 0, 4), real(3, 4))]),
    Case(
        "F.linear", named("F.linear"), [(real(2, 4), real(3, 4), real(3)), (real(2, 2, 4), real(3, 4), real(3))], "bias"
    ),
    Case("F.bilinear", named("F.bilinear"), [(real(2, 3), real(2, 4), real(5, 3, 4), real(5))]),
]

# ---------------------------------------------------------------- convolutions


def convolution(name: str, inputs: Inputs, option: str = "", **keywords: Any) -> Case:
    """A convolution with these options."""
    return Case(
        f"F.{name}", named(f"F.{name}", **keywords), inputs, option or described(keywords), loose=2.0, reason=SUMS
    )


IMAGES: Inputs = [(real(2, 3, 7, 6), real(4, 3, 3, 2), real(4)), (real(3, 7, 6), real(4, 3, 3, 3), real(4))]
GROUPED: Inputs = [(real(2, 4, 6, 5), real(6, 2, 3, 3), real(6))]
EACH: Inputs = [(real(2, 3, 6, 5), real(6, 1, 3, 3), real(6))]

TINY: Inputs = [(real(1, 2, 3, 3), real(2, 2, 2, 2), real(2))]
CONVOLUTIONS = [
    convolution("conv1d", [(real(1, 2, 4), real(2, 2, 2), real(2))], "small"),
    convolution("conv2d", TINY, "small"),
    convolution("conv2d", TINY, "small, stride=2, padding=1", stride=2, padding=1),
    convolution("conv_transpose2d", TINY, "small, stride=2", stride=2),
    convolution("conv2d", IMAGES),
    convolution("conv2d", [(x, w) for x, w, _ in IMAGES], "no bias"),
    convolution("conv2d", IMAGES, stride=2),
    convolution("conv2d", IMAGES, stride=(2, 1), padding=(0, 2)),
    convolution("conv2d", IMAGES, padding=1),
    convolution("conv2d", [(real(2, 3, 7, 6), real(4, 3, 3, 5), real(4))], padding="same"),
    convolution("conv2d", IMAGES, padding="valid"),
    convolution("conv2d", IMAGES, dilation=2, padding=2),
    convolution("conv2d", IMAGES, stride=3, padding=2, dilation=(2, 1)),
    convolution("conv2d", GROUPED, groups=2, padding=1),
    convolution("conv2d", EACH, groups=3),
    convolution("conv2d", [(real(2, 1, 5, 5), real(1, 1, 1, 1), real(1))], "1x1"),
    convolution("conv2d", [(real(1, 2, 5, 9), real(3, 2, 5, 5), real(3))], "5x5 on a wide image", padding=2),
    convolution("conv2d", [(real(0, 2, 5, 5), real(3, 2, 3, 3), real(3))], "no image"),
    convolution("conv1d", [(real(2, 3, 9), real(4, 3, 3), real(4)), (real(3, 9), real(4, 3, 4), real(4))]),
    convolution("conv1d", [(real(2, 3, 9), real(4, 3, 3))], "no bias", stride=2, padding=1),
    convolution("conv1d", [(real(2, 4, 9), real(4, 2, 3), real(4))], stride=2, padding=3, dilation=2, groups=2),
    convolution(
        "conv_transpose2d", [(real(2, 3, 4, 5), real(3, 4, 3, 2), real(4)), (real(3, 4, 4), real(3, 2, 3, 3), real(2))]
    ),
    convolution("conv_transpose2d", [(real(2, 3, 4, 5), real(3, 4, 3, 2))], "no bias", stride=2),
    convolution(
        "conv_transpose2d", [(real(2, 3, 4, 5), real(3, 4, 3, 3), real(4))], stride=2, padding=1, output_padding=1
    ),
    convolution(
        "conv_transpose2d", [(real(2, 3, 4, 3), real(3, 4, 3, 2), real(4))], stride=(2, 3), output_padding=(0, 2)
    ),
    convolution("conv_transpose2d", [(real(2, 4, 3, 3), real(4, 3, 2, 2), real(6))], groups=2, dilation=2, stride=2),
    convolution("conv_transpose1d", [(real(2, 3, 5), real(3, 4, 3), real(4))], stride=2, padding=1, output_padding=1),
]

# ---------------------------------------------------------------- pooling


def pool(name: str, kind: Callable[..., Input], *shapes: tuple[int, ...], **keywords: Any) -> Case:
    """A pooling with these options; where the largest counts, no two numbers are the same."""
    inputs: Inputs = [(kind(*shape),) for shape in shapes]
    claims = {"values": "identical"} if "max" in name else {}
    return Case(
        f"F.{name}", named(f"F.{name}", **keywords), inputs, described(keywords), stretched=kind is real, **claims
    )


POOLS = [
    pool("max_pool2d", apart, (2, 3, 6, 7), (3, 4, 4), kernel_size=2),
    pool("max_pool2d", apart, (2, 3, 6, 7), (3, 5, 4), kernel_size=3, stride=1),
    pool("max_pool2d", apart, (2, 3, 6, 7), kernel_size=(3, 2), stride=(2, 1), padding=1),
    pool("max_pool2d", apart, (2, 3, 6, 7), kernel_size=2, ceil_mode=True),
    pool("max_pool2d", apart, (2, 2, 7, 7), kernel_size=3, stride=2, padding=1, ceil_mode=True),
    pool("max_pool2d", apart, (2, 2, 7, 8), kernel_size=2, dilation=2, stride=1),
    pool("max_pool2d", apart, (2, 2, 6, 6), kernel_size=2, return_indices=True),
    pool("max_pool1d", apart, (2, 3, 7), (3, 6), kernel_size=2),
    pool("max_pool1d", apart, (2, 3, 7), kernel_size=3, stride=2, padding=1),
    pool("avg_pool2d", real, (2, 3, 6, 7), (3, 4, 4), kernel_size=2),
    pool("avg_pool2d", real, (2, 3, 6, 7), kernel_size=(3, 2), stride=(2, 1), padding=1),
    pool("avg_pool2d", real, (2, 3, 6, 7), kernel_size=3, stride=2, padding=1, count_include_pad=False),
    pool("avg_pool2d", real, (2, 3, 6, 7), kernel_size=2, ceil_mode=True),
    pool("avg_pool2d", real, (2, 3, 7, 7), kernel_size=3, stride=2, padding=1, ceil_mode=True),
    pool("avg_pool2d", real, (2, 3, 7, 7), kernel_size=3, stride=2, padding=1, ceil_mode=True, count_include_pad=False),
    pool("avg_pool2d", real, (2, 3, 6, 7), kernel_size=2, divisor_override=3),
    pool("avg_pool1d", real, (2, 3, 7), (3, 6), kernel_size=2),
    pool("avg_pool1d", real, (2, 3, 7), kernel_size=3, stride=2, padding=1, count_include_pad=False),
    pool("adaptive_avg_pool2d", real, (2, 3, 6, 7), (3, 4, 4), output_size=(2, 3)),
    pool("adaptive_avg_pool2d", real, (2, 3, 6, 7), output_size=1),
    pool("adaptive_avg_pool2d", real, (2, 3, 6, 7), output_size=(None, 2)),
    pool("adaptive_avg_pool2d", real, (2, 3, 3, 2), output_size=(5, 4)),
    pool("adaptive_avg_pool1d", real, (2, 3, 7), (3, 6), output_size=3),
    pool("adaptive_max_pool2d", apart, (2, 3, 6, 7), output_size=(2, 3)),
]

# ---------------------------------------------------------------- normalization, embedding, dropout

CANCELS = "the gradient is a small difference of larger sums"


def batch_norm(
    torch: Any, F: Any, x: Any, mean: Any, var: Any, *affine: Any, training: bool = True, **more: Any
) -> Any:
    """The output, and the running statistics as the call leaves them."""
    mean, var = mean.clone(), var.clone()
    out = F.batch_norm(x, mean, var, *affine, training=training, **more)
    return out, mean, var


BATCH: Inputs = [
    (real(4, 3), buffer(3), buffer(3), not_zero(3), real(3)),
    (real(3, 2, 4), buffer(2), buffer(2), not_zero(2), real(2)),
    (real(2, 3, 3, 2), buffer(3), buffer(3), not_zero(3), real(3)),
]


def dropout(torch: Any, F: Any, x: Any, *, name: str = "dropout", **keywords: Any) -> Any:
    """The same seed first, so that the same numbers drop."""
    torch.manual_seed(3)
    return getattr(F, name)(x, **keywords)


CLAIMS: dict[str, Any] = {"loose": 10.0, "reason": CANCELS, "stretched": False}
OTHERS = [
    Case("F.batch_norm", batch_norm, BATCH, **CLAIMS),
    Case("F.batch_norm", lambda *a: batch_norm(*a, momentum=0.3, eps=0.1), BATCH, "momentum=0.3, eps=0.1", **CLAIMS),
    Case("F.batch_norm", lambda *a: batch_norm(*a, training=False), BATCH, "training=False", **CLAIMS),
    Case("F.batch_norm", batch_norm, [row[:3] for row in BATCH], "no weight and bias", **CLAIMS),
    Case(
        "F.batch_norm",
        lambda torch, F, x: F.batch_norm(x, None, None, training=True),
        [row[:1] for row in BATCH],
        "no running statistics",
        **CLAIMS,
    ),
    *[
        Case("F.layer_norm", lambda torch, F, x, *wb, s=shape: F.layer_norm(x, s, *wb), inputs, str(shape), **CLAIMS)
        for shape, inputs in (
            ((4,), [(real(3, 4),), (real(2, 3, 4), not_zero(4), real(4)), (real(4), not_zero(4)), (real(0, 4),)]),
            ((3, 4), [(real(2, 3, 4),), (real(2, 3, 4), not_zero(3, 4), real(3, 4))]),
        )
    ],
    Case("F.layer_norm", lambda torch, F, x: F.layer_norm(x, [4], eps=0.1), [(real(3, 4),)], "eps=0.1", **CLAIMS),
    Case("F.group_norm", named("F.group_norm", num_groups=2), [(real(2, 4, 3),), (real(2, 4, 2, 2),)], **CLAIMS),
    Case(
        "F.embedding",
        named("F.embedding"),
        [(index(5)(3), real(5, 2)), (index(5)(2, 3), real(5, 2)), (index(5)(), real(5, 2))],
    ),
    Case(
        "F.embedding",
        named("F.embedding", padding_idx=1),
        [(index(3)(2, 4), real(3, 2))],
        "padding_idx=1",
        smooth=False,
    ),
    Case(
        "F.embedding",
        named("F.embedding", padding_idx=-1),
        [(index(3)(2, 4), real(3, 2))],
        "padding_idx=-1",
        smooth=False,
    ),
    Case("F.one_hot", named("F.one_hot", num_classes=6), [(index(5)(3),), (index(5)(2, 3),)], differentiable=False),
    Case("F.dropout", lambda torch, F, x: dropout(torch, F, x, p=0.4), [(real(5, 6),), (real(2, 3, 4),), (real(),)]),
    Case("F.dropout", lambda torch, F, x: dropout(torch, F, x, p=0.4, training=False), [(real(5, 6),)], "not training"),
    Case("F.dropout", lambda torch, F, x: dropout(torch, F, x, p=0.0), [(real(5, 6),)], "p=0"),
    Case("F.dropout", lambda torch, F, x: dropout(torch, F, x, p=1.0), [(real(5, 6),)], "p=1"),
    Case("F.dropout2d", lambda torch, F, x: dropout(torch, F, x, name="dropout2d", p=0.4), [(real(3, 4, 2, 2),)]),
    Case("F.cosine_similarity", named("F.cosine_similarity"), [(not_zero(3, 4), not_zero(3, 4))]),
]

KERNELS = CONVOLUTIONS + POOLS + OTHERS
LAYERS = PRODUCTS + KERNELS
