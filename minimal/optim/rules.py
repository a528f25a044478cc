"""The numbers that rule an optimizer's step, one small record for each optimizer."""

from __future__ import annotations

from typing import NamedTuple


class SGDRule(NamedTuple):
    """Parameters of ``torch.optim.SGD``, with its defaults."""

    lr: float = 1e-3
    momentum: float = 0.0
    dampening: float = 0.0
    weight_decay: float = 0.0
    nesterov: bool = False
    maximize: bool = False


class AdamRule(NamedTuple):
    """Parameters of ``torch.optim.Adam``, with its defaults; ``decoupled`` weight decay makes it AdamW."""

    lr: float = 1e-3
    beta1: float = 0.9
    beta2: float = 0.999
    eps: float = 1e-8
    weight_decay: float = 0.0
    decoupled: bool = False
    maximize: bool = False


class RMSpropRule(NamedTuple):
    """Parameters of ``torch.optim.RMSprop``, with its defaults."""

    lr: float = 1e-2
    alpha: float = 0.99
    eps: float = 1e-8
    weight_decay: float = 0.0
    momentum: float = 0.0
    maximize: bool = False


class AdagradRule(NamedTuple):
    """Parameters of ``torch.optim.Adagrad``, with its defaults."""

    lr: float = 1e-2
    lr_decay: float = 0.0
    weight_decay: float = 0.0
    eps: float = 1e-10
    maximize: bool = False
