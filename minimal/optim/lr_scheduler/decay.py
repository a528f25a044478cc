"""Schedules that go one way: in stairs, by a factor each epoch, along a line or half a cosine, or by a function of yours.

Where a rate follows from the one before it, it is computed so, as in PyTorch: somebody may have changed it in between.
``_get_closed_form_lr`` says the same at once, for ``SequentialLR`` and for those who jump to an epoch.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from collections.abc import Callable, Iterable
from math import cos, pi
from types import FunctionType
from typing import Any

from minimal.optim.lr_scheduler.base import LRScheduler, Rates, values_of
from minimal.optim.optimizer import Optimizer

Factor = Callable[[int], float]


class LambdaLR(LRScheduler):
    """lr = initial lr * f(epoch).

    Parameters
    ----------
    optimizer : Optimizer
    lr_lambda : callable ``f(epoch) -> float``, or a list of them, one for each group
    last_epoch : int, default -1
        See :class:`LRScheduler`.

    Raises
    ------
    ValueError
        If there are not as many functions as groups.

    Notes
    -----
    torch.optim.lr_scheduler.LambdaLR, 2.13.0.  ``state_dict`` holds the attributes of callable objects; functions and
    lambdas have none, and are left out.
    """

    def __init__(self, optimizer: Optimizer, lr_lambda: Factor | list[Factor], last_epoch: int = -1) -> None:
        n = len(optimizer.param_groups)
        self.lr_lambdas = list(lr_lambda) if isinstance(lr_lambda, (list, tuple)) else [lr_lambda] * n
        if len(self.lr_lambdas) != n:
            raise ValueError(f"Expected {n} lr_lambdas, but got {len(self.lr_lambdas)}")
        super().__init__(optimizer, last_epoch)

    def next_lrs(self) -> Rates:
        """Initial rates times the factors at ``last_epoch``."""
        return [base * factor(self.last_epoch) for factor, base in zip(self.lr_lambdas, self.base_lrs)]

    def state_dict(self) -> dict[str, Any]:
        """Everything but the optimizer; of each factor its attributes, if it is a callable object, else None."""
        factors = [None if isinstance(f, FunctionType) else f.__dict__.copy() for f in self.lr_lambdas]
        return {**super().state_dict(), "lr_lambdas": factors}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Go on where another scheduler of this kind stopped; the factors stay, callable objects get their attributes."""
        super().load_state_dict({name: value for name, value in state_dict.items() if name != "lr_lambdas"})
        for factor, attributes in zip(self.lr_lambdas, state_dict["lr_lambdas"]):
            if attributes is not None:
                factor.__dict__.update(attributes)


class StepLR(LRScheduler):
    """lr <- gamma lr, every ``step_size`` epochs.

    Parameters
    ----------
    optimizer : Optimizer
    step_size : int
    gamma : float, default 0.1
    last_epoch : int, default -1
        See :class:`LRScheduler`.

    Notes
    -----
    torch.optim.lr_scheduler.StepLR, 2.13.0.
    """

    def __init__(self, optimizer: Optimizer, step_size: int, gamma: float = 0.1, last_epoch: int = -1) -> None:
        self.step_size = step_size
        self.gamma = gamma
        super().__init__(optimizer, last_epoch)

    def next_lrs(self) -> Rates:
        """The rates, or gamma times the rates where a stair ends."""
        rates = values_of(self.optimizer, "lr")
        if self.last_epoch == 0 or self.last_epoch % self.step_size != 0:
            return rates
        return [rate * self.gamma for rate in rates]

    def _get_closed_form_lr(self) -> Rates:
        return [base * self.gamma ** (self.last_epoch // self.step_size) for base in self.base_lrs]


class MultiStepLR(LRScheduler):
    """lr <- gamma lr, at given epochs.

    Parameters
    ----------
    optimizer : Optimizer
    milestones : iterable of int
        An epoch that is named twice counts twice.
    gamma : float, default 0.1
    last_epoch : int, default -1
        See :class:`LRScheduler`.

    Notes
    -----
    torch.optim.lr_scheduler.MultiStepLR, 2.13.0.
    """

    def __init__(
        self, optimizer: Optimizer, milestones: Iterable[int], gamma: float = 0.1, last_epoch: int = -1
    ) -> None:
        self.milestones = Counter(milestones)
        self.gamma = gamma
        super().__init__(optimizer, last_epoch)

    def next_lrs(self) -> Rates:
        """The rates, or gamma times the rates at a milestone."""
        rates = values_of(self.optimizer, "lr")
        if self.last_epoch not in self.milestones:
            return rates
        return [rate * self.gamma ** self.milestones[self.last_epoch] for rate in rates]

    def _get_closed_form_lr(self) -> Rates:
        passed = bisect_right(sorted(self.milestones.elements()), self.last_epoch)
        return [base * self.gamma**passed for base in self.base_lrs]

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Go on where another scheduler of this kind stopped; milestones may have become a plain dict in a file."""
        super().load_state_dict({**state_dict, "milestones": Counter(state_dict["milestones"])})


class ExponentialLR(LRScheduler):
    """lr <- gamma lr, every epoch.

    Parameters
    ----------
    optimizer : Optimizer
    gamma : float
    last_epoch : int, default -1
        See :class:`LRScheduler`.

    Notes
    -----
    torch.optim.lr_scheduler.ExponentialLR, 2.13.0.
    """

    def __init__(self, optimizer: Optimizer, gamma: float, last_epoch: int = -1) -> None:
        self.gamma = gamma
        super().__init__(optimizer, last_epoch)

    def next_lrs(self) -> Rates:
        """Gamma times the rates."""
        rates = values_of(self.optimizer, "lr")
        return rates if self._is_initial else [rate * self.gamma for rate in rates]

    def _get_closed_form_lr(self) -> Rates:
        return [base * self.gamma**self.last_epoch for base in self.base_lrs]


class LinearLR(LRScheduler):
    """lr goes along a line from start_factor to end_factor times the initial lr, then stays: a warm-up, as a rule.

    Parameters
    ----------
    optimizer : Optimizer
    start_factor : float in (0, 1], default 1/3
    end_factor : float in [0, 1], default 1
    total_iters : int, default 5
        Epochs until the end of the line.
    last_epoch : int, default -1
        See :class:`LRScheduler`.

    Raises
    ------
    ValueError
        If a factor is out of its range.

    Notes
    -----
    torch.optim.lr_scheduler.LinearLR, 2.13.0.
    """

    def __init__(
        self,
        optimizer: Optimizer,
        start_factor: float = 1.0 / 3,
        end_factor: float = 1.0,
        total_iters: int = 5,
        last_epoch: int = -1,
    ) -> None:
        if not 0 < start_factor <= 1.0:
            raise ValueError(
                "Starting multiplicative factor expected to be greater than 0 and less or equal to 1. "
                f"Got start_factor={start_factor}."
            )
        if not 0 <= end_factor <= 1.0:
            raise ValueError(
                f"Ending multiplicative factor expected to be between 0 and 1. Got end_factor={end_factor}."
            )
        self.start_factor = start_factor
        self.end_factor = end_factor
        self.total_iters = total_iters
        super().__init__(optimizer, last_epoch)

    def next_lrs(self) -> Rates:
        """The rates, each times what is left to the next point of the line."""
        rates = values_of(self.optimizer, "lr")
        if self.last_epoch == 0:
            return [rate * self.start_factor for rate in rates]
        if self._is_initial or self.last_epoch > self.total_iters:
            return rates
        rise = self.end_factor - self.start_factor
        before = self.total_iters * self.start_factor + (self.last_epoch - 1) * rise
        return [rate * (1.0 + rise / before) for rate in rates]

    def _get_closed_form_lr(self) -> Rates:
        rise = self.end_factor - self.start_factor
        factor = self.start_factor + rise * min(self.total_iters, self.last_epoch) / self.total_iters
        return [base * factor for base in self.base_lrs]


class CosineAnnealingLR(LRScheduler):
    """lr = eta_min + (initial lr - eta_min) (1 + cos(pi epoch / T_max)) / 2.

    Parameters
    ----------
    optimizer : Optimizer
    T_max : int
        Epochs until the lowest rate; after them it rises again.
    eta_min : float, default 0
        The lowest rate.
    last_epoch : int, default -1
        See :class:`LRScheduler`.

    Notes
    -----
    torch.optim.lr_scheduler.CosineAnnealingLR, 2.13.0; Loshchilov & Hutter, 2017, "SGDR" (without its restarts).
    """

    def __init__(self, optimizer: Optimizer, T_max: int, eta_min: float = 0.0, last_epoch: int = -1) -> None:
        self.T_max = T_max
        self.eta_min = eta_min
        super().__init__(optimizer, last_epoch)

    def next_lrs(self) -> Rates:
        """The rates above eta_min, times the quotient of two neighbouring values of 1 + cos."""
        epoch, low = self.last_epoch, self.eta_min
        rates = values_of(self.optimizer, "lr")
        if self._is_initial:
            return rates
        if (epoch - 1 - self.T_max) % (2 * self.T_max) == 0:  # the value before was 0: a quotient would not leave it
            rise = 1 - cos(pi / self.T_max)
            return [rate + (base - low) * rise / 2 for base, rate in zip(self.base_lrs, rates)]
        quotient = (1 + cos(pi * epoch / self.T_max)) / (1 + cos(pi * (epoch - 1) / self.T_max))
        return [quotient * (rate - low) + low for rate in rates]

    def _get_closed_form_lr(self) -> Rates:
        low, height = self.eta_min, 1 + cos(pi * self.last_epoch / self.T_max)
        return [low + (base - low) * height / 2 for base in self.base_lrs]
