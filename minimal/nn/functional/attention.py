"""Attention: each query takes a mixture of values, more of those whose keys point its way.

Source of all: torch.nn.functional, 2.13.0.
"""

from __future__ import annotations

import math

import numpy as np

from minimal.autograd.functions import dropout, softmax
from minimal.autograd.tensor import Tensor

__all__ = ["scaled_dot_product_attention"]


def scaled_dot_product_attention(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attn_mask: Tensor | None = None,
    dropout_p: float = 0.0,
    is_causal: bool = False,
    scale: float | None = None,
    enable_gqa: bool = False,
) -> Tensor:
    """softmax(q k^T / sqrt(E) + mask) v.

    Parameters
    ----------
    query : Tensor of shape (..., L, E)
    key : Tensor of shape (..., S, E)
    value : Tensor of shape (..., S, V)
    attn_mask : Tensor of shape (..., L, S), optional
        Bools say who may look at whom; other numbers are added to the scores.
    dropout_p : float
        How much of the mixture drops out, always: give 0 in evaluation.  Default: 0.
    is_causal : bool
        Whether query i sees only keys 0 .. i.  Default: False.
    scale : float, optional
        Instead of 1 / sqrt(E).
    enable_gqa : bool
        Whether several heads of queries share one of keys and values (dimension -3).  Default: False.

    Returns
    -------
    Tensor of shape (..., L, V)

    Raises
    ------
    RuntimeError
        If the shapes do not fit, or a mask is given although ``is_causal``.
    """
    if min(query.ndim, key.ndim, value.ndim) < 2:
        raise RuntimeError(
            "Expected query, key, and value to all be  at least 2 dimensional, but got query.dim: "
            f"{query.ndim} key.dim: {key.ndim} and value.dim: {value.ndim} instead."
        )
    if enable_gqa:
        key, value = (t.repeat_interleave(query.shape[-3] // t.shape[-3], -3) for t in (key, value))
    scores = query.matmul(key.transpose(-2, -1)) * (1 / math.sqrt(query.shape[-1]) if scale is None else scale)
    if is_causal:
        if attn_mask is not None:
            raise RuntimeError("scaled_dot_product_attention: Explicit attn_mask should not be set when is_causal=True")
        attn_mask = Tensor(np.tri(*scores.shape[-2:], dtype=bool))
    if attn_mask is not None:
        scores = scores.masked_fill(~attn_mask, -math.inf) if attn_mask.dtype == bool else scores + attn_mask
    shares = softmax(scores, -1)
    if attn_mask is not None and attn_mask.dtype == bool:  # who sees nobody takes nothing
        shares = shares.masked_fill(~attn_mask.any(-1, keepdim=True), 0.0)
    return dropout(shares, dropout_p, True).matmul(value)
