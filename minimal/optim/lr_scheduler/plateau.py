"""ReduceLROnPlateau: a lower rate when the loss has stopped falling."""

from __future__ import annotations

import warnings
from math import inf
from typing import Any, SupportsFloat

from minimal.optim.lr_scheduler.base import EPOCH_WARNING, LRScheduler, checked_optimizer, set_value, values_of
from minimal.optim.optimizer import Optimizer


class ReduceLROnPlateau(LRScheduler):
    """lr <- factor lr, when a metric has not got better for more than ``patience`` epochs.

    Parameters
    ----------
    optimizer : Optimizer
    mode : {"min", "max"}, default "min"
        Whether a smaller or a larger metric is better.
    factor : float below 1, default 0.1
    patience : int, default 10
        How many epochs in a row may be no better.
    threshold : float, default 1e-4
        How much better is better: relative to the best, or absolute.
    threshold_mode : {"rel", "abs"}, default "rel"
    cooldown : int, default 0
        How many epochs after a reduction are not counted.
    min_lr : float, or a list with one for each group, default 0
    eps : float, default 1e-8
        A smaller reduction is not made.

    Raises
    ------
    TypeError
        If ``optimizer`` is none.
    ValueError
        If an option is out of its range.
    RuntimeError
        At a step: if ``min_lr`` is a list and the optimizer has got more groups.

    Notes
    -----
    torch.optim.lr_scheduler.ReduceLROnPlateau, 2.13.0.
    """

    def __init__(
        self,
        optimizer: Optimizer,
        mode: str = "min",
        factor: float = 0.1,
        patience: int = 10,
        threshold: float = 1e-4,
        threshold_mode: str = "rel",
        cooldown: int = 0,
        min_lr: float | list[float] = 0,
        eps: float = 1e-8,
    ) -> None:
        if factor >= 1.0:
            raise ValueError(f"Factor should be < 1.0. Got factor={factor}.")
        if mode not in ("min", "max"):
            raise ValueError(f"mode {mode} is unknown! It is 'min' or 'max'.")
        if threshold_mode not in ("rel", "abs"):
            raise ValueError(f"threshold mode {threshold_mode} is unknown! It is 'rel' or 'abs'.")
        self.optimizer = checked_optimizer(optimizer)
        n = len(optimizer.param_groups)
        self.default_min_lr = None if isinstance(min_lr, (list, tuple)) else min_lr
        self.min_lrs = list(min_lr) if isinstance(min_lr, (list, tuple)) else [min_lr] * n
        if len(self.min_lrs) != n:
            raise ValueError(f"expected {n} min_lrs, got {len(self.min_lrs)}")
        self.factor = factor
        self.patience = patience
        self.cooldown = cooldown
        self.eps = eps
        self.mode = mode
        self.threshold = threshold
        self.threshold_mode = threshold_mode
        self.mode_worse = inf if mode == "min" else -inf
        self.last_epoch = 0
        self.best = self.mode_worse
        self.cooldown_counter = 0
        self.num_bad_epochs = 0
        self._last_lr = values_of(optimizer, "lr")

    @property
    def in_cooldown(self) -> bool:
        """Whether epochs are not counted now."""
        return self.cooldown_counter > 0

    def step(self, metrics: SupportsFloat, epoch: int | None = None) -> None:  # type: ignore[override]
        """Look at the metric of an epoch, and reduce the rates if patience is at its end.

        Parameters
        ----------
        metrics : float or Tensor of one element
        epoch : int, optional
            Deprecated.
        """
        current = float(metrics)
        if epoch is not None:
            warnings.warn(EPOCH_WARNING, UserWarning, stacklevel=2)
        self.last_epoch = self.last_epoch + 1 if epoch is None else epoch
        if self._is_better(current, self.best):
            self.best, self.num_bad_epochs = current, 0
        else:
            self.num_bad_epochs += 1
        if self.in_cooldown:
            self.cooldown_counter -= 1
            self.num_bad_epochs = 0
        if self.num_bad_epochs > self.patience:
            self._reduce()
            self.cooldown_counter, self.num_bad_epochs = self.cooldown, 0
        self._last_lr = values_of(self.optimizer, "lr")

    def _is_better(self, a: float, best: float) -> bool:
        sign = 1.0 if self.mode == "max" else -1.0
        border = best * (1.0 + sign * self.threshold) if self.threshold_mode == "rel" else best + sign * self.threshold
        return a > border if self.mode == "max" else a < border

    def _reduce(self) -> None:
        groups = self.optimizer.param_groups
        if len(groups) != len(self.min_lrs):
            if self.default_min_lr is None:
                raise RuntimeError(
                    f"The number of param groups in the `optimizer` ({len(groups)}) differs from when "
                    f"`ReduceLROnPlateau` was initialized ({len(self.min_lrs)}), usually due to a new param group being "
                    "added to the optimizer. Please modify the `min_lrs` field to match the length of the groups."
                )
            self.min_lrs = [self.default_min_lr] * len(groups)
        for group, least in zip(groups, self.min_lrs):
            old = float(group["lr"])
            new = max(old * self.factor, least)
            if old - new > self.eps:
                set_value(group, "lr", new)

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Go on where another scheduler of this kind stopped."""
        super().load_state_dict(state_dict)
        self.mode_worse = inf if self.mode == "min" else -inf
