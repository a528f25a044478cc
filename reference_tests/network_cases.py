"""The table of what networks need beside their layers: patches, distances, attention, rarer norms, odd convolutions."""

from __future__ import annotations

from typing import Any

from .layer_cases import CLAIMS, SUMS, Inputs, buffer
from .operations import Case, apart, described, index, named, not_zero, real


def each(name: str, inputs: Inputs, *options: dict[str, Any], **claims: Any) -> list[Case]:
    """One function with several sets of options."""
    return [Case(f"F.{name}", named(f"F.{name}", **o), inputs, described(o), **claims) for o in options or ({},)]


def signs(torch: Any, like: Any) -> Any:
    """A target of 1 and -1, the same on both sides."""
    n = like.shape[0]
    return torch.tensor([1.0 if k % 3 else -1.0 for k in range(n)], dtype=like.dtype)


def masked(torch: Any, F: Any, q: Any, k: Any, v: Any) -> Any:
    """Attention where some queries see little, and one sees nothing."""
    mask = torch.tensor([[True, False, True, True, False], [False] * 5, [True] * 5])
    return F.scaled_dot_product_attention(q, k, v, attn_mask=mask)


QKV: Inputs = [(real(2, 3, 4), real(2, 5, 4), real(2, 5, 3))]
NORMED: Inputs = [(real(2, 4, 3, 2), not_zero(4), real(4)), (real(3, 2, 5), not_zero(2), real(2))]

PATCHES = [
    *each("unfold", [(real(2, 3, 4, 4),), (real(2, 5, 6),)], {"kernel_size": 2, "padding": 1}),
    *each(
        "unfold",
        [(real(2, 2, 5, 7),)],
        {"kernel_size": (2, 3), "dilation": (2, 1), "padding": (1, 0), "stride": (1, 2)},
    ),
    *each(
        "fold",
        [(real(2, 12, 10),), (real(12, 10),)],
        {"output_size": (5, 6), "kernel_size": (2, 3), "dilation": (2, 1), "padding": (1, 0), "stride": (1, 2)},
    ),
    *each("pixel_shuffle", [(real(2, 8, 3, 2),), (real(4, 3, 3),)], {"upscale_factor": 2}),
    *each("pixel_unshuffle", [(real(2, 2, 4, 6),)], {"downscale_factor": 2}),
    *each("adaptive_max_pool2d", [(apart(2, 3, 6, 7),), (apart(3, 5, 4),)], {"output_size": (2, 3)}, stretched=False),
    *each("adaptive_max_pool1d", [(apart(2, 3, 7),)], {"output_size": 3, "return_indices": True}, stretched=False),
]

EDGES = [
    *each(
        "conv_transpose2d",
        [(real(2, 3, 4, 5), real(3, 2, 3, 2), real(2))],
        {"dilation": (2, 3), "output_padding": (1, 2), "padding": 1},  # more than the stride
        {"stride": (2, 1), "dilation": 3, "output_padding": (2, 1)},
        loose=2.0,
        reason=SUMS,
    ),
    *each(
        "conv1d", [(real(2, 3, 9), real(4, 3, 4), real(4))], {"padding": "same", "dilation": 2}, loose=2.0, reason=SUMS
    ),
]

NORMS = [
    *each("instance_norm", [row[:1] for row in NORMED], {}, {"eps": 0.1}, **CLAIMS),
    Case("F.instance_norm", lambda torch, F, x, w, b: F.instance_norm(x, weight=w, bias=b), NORMED, "affine", **CLAIMS),
    Case(
        "F.instance_norm",
        lambda torch, F, x, mean, var: (F.instance_norm(x, mean, var, momentum=0.3), mean, var),
        [(real(3, 2, 5), buffer(2), buffer(2))],
        "running statistics",
        **CLAIMS,
    ),
    Case("F.rms_norm", lambda torch, F, x, *w: F.rms_norm(x, (4,), *w), [(real(3, 4),), (real(2, 3, 4), real(4))]),
    Case(
        "F.group_norm",
        lambda torch, F, x, w, b: F.group_norm(x, 2, w, b),
        [(real(2, 4, 3), not_zero(4), real(4))],
        "affine",
        **CLAIMS,
    ),
    Case(
        "F.batch_norm",
        lambda torch, F, x, b: F.batch_norm(x, None, None, None, b, training=True),
        [(real(4, 3, 2), real(3))],
        "bias alone",
        twice=False,  # the reference does not come back from it
        **CLAIMS,
    ),
    Case(
        "batch_norm",
        lambda torch, F, x, w, b, m, v: (torch.batch_norm(x, w, b, m, v, True, 0.3, 1e-5, False), m, v),
        [(real(4, 3, 2), not_zero(3), real(3), buffer(3), buffer(3))],
        "at the top level",
        **CLAIMS,
    ),
]

VECTORS = [
    Case("embedding", lambda torch, F, i, w: torch.embedding(w, i), [(index(5)(2, 3), real(5, 2))], "at the top level"),
    Case(
        "F.embedding",
        named("F.embedding", scale_grad_by_freq=True),
        [(index(5)(2, 4), real(5, 2))],
        "by frequency",
        smooth=False,
        twice=False,
    ),
    *each("pairwise_distance", [(real(3, 4), real(3, 4))], {}, {"p": 3.0, "keepdim": True}),
    *each("cosine_similarity", [(not_zero(3, 4), not_zero(4))], {"dim": 1}),
    *each("margin_ranking_loss", [(apart(6), real(6), buffer(6))], {"margin": 0.3, "reduction": "sum"}),
    Case("F.hinge_embedding_loss", lambda torch, F, x: F.hinge_embedding_loss(x, signs(torch, x)), [(real(6),)]),
    Case(
        "F.cosine_embedding_loss",
        lambda torch, F, x, y: F.cosine_embedding_loss(x, y, signs(torch, x), margin=-0.3),
        [(not_zero(6, 4), real(6, 4))],
    ),
    *each("triplet_margin_loss", [(real(5, 3), real(5, 3), real(5, 3))], {}, {"swap": True, "reduction": "none"}),
    *each("scaled_dot_product_attention", QKV, {}, {"is_causal": True}, {"scale": 0.3}),
    Case("F.scaled_dot_product_attention", masked, QKV, "a mask of bools"),
    Case(
        "F.alpha_dropout",
        lambda torch, F, x: (torch.manual_seed(3), F.alpha_dropout(x, 0.4, training=True))[1],
        [(real(5, 6),), (real(2, 3, 4),)],
    ),
]

NETWORKS = PATCHES + EDGES + NORMS + VECTORS
