"""Functions whose arguments PyTorch's top level takes in another order than its ``nn.functional``.

``minimal.batch_norm`` is the one of this module, ``minimal.nn.functional.batch_norm`` that of ``normalization``.
"""

from __future__ import annotations

from minimal.autograd.functions import layers, normalization
from minimal.autograd.tensor import Tensor


def batch_norm(
    input: Tensor,
    weight: Tensor | None,
    bias: Tensor | None,
    running_mean: Tensor | None,
    running_var: Tensor | None,
    training: bool,
    momentum: float,
    eps: float,
    cudnn_enabled: bool = False,
) -> Tensor:
    """(x - mean) / sqrt(var + eps) * weight + bias for each channel: see ``nn.functional.batch_norm``.

    Source: torch.batch_norm, 2.13.0.
    """
    return normalization.batch_norm(input, running_mean, running_var, weight, bias, training, momentum, eps)


def instance_norm(
    input: Tensor,
    weight: Tensor | None,
    bias: Tensor | None,
    running_mean: Tensor | None,
    running_var: Tensor | None,
    use_input_stats: bool,
    momentum: float,
    eps: float,
    cudnn_enabled: bool = False,
) -> Tensor:
    """(x - mean) / sqrt(var + eps) * weight + bias for each channel of each sample: see ``nn.functional.instance_norm``.

    Source: torch.instance_norm, 2.13.0.
    """
    return normalization.instance_norm(input, running_mean, running_var, weight, bias, use_input_stats, momentum, eps)


def embedding(
    weight: Tensor, indices: Tensor, padding_idx: int = -1, scale_grad_by_freq: bool = False, sparse: bool = False
) -> Tensor:
    """The rows of ``weight`` that ``indices`` name; -1 for ``padding_idx`` means none: see ``nn.functional.embedding``.

    Raises
    ------
    NotImplementedError
        If ``sparse``: there are no sparse gradients here.

    Source: torch.embedding, 2.13.0.
    """
    if sparse:
        raise NotImplementedError("There are no sparse gradients here: use sparse=False.")
    return layers.embedding(indices, weight, padding_idx if padding_idx >= 0 else None, scale_grad_by_freq)
