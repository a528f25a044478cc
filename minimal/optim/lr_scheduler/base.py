"""LRScheduler: what all schedules share.  To write one, say in ``next_lrs`` what the rates are at ``self.last_epoch``."""

from __future__ import annotations

import warnings
from typing import Any

from minimal.autograd.tensor import Tensor
from minimal.optim.optimizer import Optimizer

Rates = list[Any]  # one for each group: a float, or a Tensor where the optimizer was given one

EPOCH_WARNING = (
    "The epoch parameter of `scheduler.step()` is deprecated, as in PyTorch: call `scheduler.step()` without it. "
    "Where a schedule has a closed form, that is used now, which may differ from the step by step form by rounding."
)


class LRScheduler:
    """The base of all schedules.

    Parameters
    ----------
    optimizer : Optimizer
        Whose groups get their ``lr``; what it is now is kept as ``group["initial_lr"]``.
    last_epoch : int, default -1
        -1 begins anew.  Otherwise the number of the last epoch of an earlier run, whose optimizer state is loaded already.

    Attributes
    ----------
    last_epoch : int
        0 at first; one more at each step.
    base_lrs : list
        The initial rate of each group.

    Raises
    ------
    TypeError
        If ``optimizer`` is none.
    KeyError
        If ``last_epoch`` is given and a group has no ``initial_lr``.

    Notes
    -----
    torch.optim.lr_scheduler.LRScheduler, 2.13.0, with its ``state_dict``.
    """

    _is_initial = False
    _get_lr_called_within_step = False

    def __init__(self, optimizer: Optimizer, last_epoch: int = -1) -> None:
        self.optimizer = checked_optimizer(optimizer)
        for i, group in enumerate(optimizer.param_groups):
            if last_epoch == -1:
                group.setdefault("initial_lr", copied(group["lr"]))
            elif "initial_lr" not in group:
                raise KeyError(
                    f"param 'initial_lr' is not specified in param_groups[{i}] when resuming scheduler with last_epoch >= 0: "
                    "load the state of the optimizer first, or leave last_epoch at -1 to begin anew"
                )
        self.base_lrs: Rates = values_of(optimizer, "initial_lr")
        self.last_epoch = last_epoch
        optimizer.watch_steps()
        self._initial_step()

    def _initial_step(self) -> None:
        self._step_count = 0
        self._is_initial = True
        try:
            self.step()
        finally:
            self._is_initial = False

    # ---------------------------------------------------------------- rates

    def get_last_lr(self) -> Rates:
        """The rate of each group that the last step set."""
        return self._last_lr

    def get_lr(self) -> Rates:
        """The rate of each group at ``last_epoch``; only ``step`` should ask: for a person there is :meth:`get_last_lr`."""
        if not self._get_lr_called_within_step:
            warnings.warn(
                "To get the last learning rate computed by the scheduler, please use `get_last_lr()`.",
                UserWarning,
                stacklevel=2,
            )
        return self.next_lrs()

    def next_lrs(self) -> Rates:
        """The rate of each group at ``last_epoch``, as a rule from those of the epoch before: what a subclass writes."""
        raise NotImplementedError(f"{type(self).__name__} should implement next_lrs(), or get_lr().")

    def step(self, epoch: int | None = None) -> None:
        """Go to the next epoch and set the rates.

        Parameters
        ----------
        epoch : int, optional
            Deprecated: go to this epoch instead.

        Warns
        -----
        UserWarning
            If the optimizer has not taken a step before the first call: the first rate would never be used.
        """
        if self._step_count == 1:
            self._check_order()
        self._step_count += 1
        if epoch is not None:
            warnings.warn(EPOCH_WARNING, UserWarning, stacklevel=2)
        self._update_lr(epoch)

    def _update_lr(self, epoch: int | None = None) -> None:
        self.last_epoch = self.last_epoch + 1 if epoch is None else epoch
        at_once = getattr(self, "_get_closed_form_lr", None) if epoch is not None else None
        self._get_lr_called_within_step = True
        try:
            rates = self.get_lr() if at_once is None else at_once()
        finally:
            self._get_lr_called_within_step = False
        for group, rate in zip(self.optimizer.param_groups, rates, strict=True):
            set_value(group, "lr", rate)
        self._last_lr: Rates = values_of(self.optimizer, "lr")

    def _check_order(self) -> None:
        if not getattr(self.optimizer.step, "tells_schedulers", False):
            warnings.warn(
                "Seems like `optimizer.step()` has been overridden after learning rate scheduler initialization. Please, "
                "make sure to call `optimizer.step()` before `lr_scheduler.step()`.",
                UserWarning,
                stacklevel=3,
            )
        elif not self.optimizer.has_stepped:
            warnings.warn(
                "Detected call of `lr_scheduler.step()` before `optimizer.step()`. Call them in the opposite order: "
                "otherwise the first value of the learning rate schedule is skipped.",
                UserWarning,
                stacklevel=3,
            )

    # ---------------------------------------------------------------- checkpoints

    def state_dict(self) -> dict[str, Any]:
        """Everything but the optimizer."""
        return {name: value for name, value in self.__dict__.items() if name != "optimizer"}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Go on where another scheduler of this kind stopped.

        Parameters
        ----------
        state_dict : dict
            From :meth:`state_dict`; PyTorch's is as good.  Load the optimizer's state too: the rates are there.
        """
        self.__dict__.update(state_dict)


def checked_optimizer(optimizer: Any) -> Optimizer:
    """The optimizer, if it is one; else TypeError."""
    if not isinstance(optimizer, Optimizer):
        raise TypeError(f"{type(optimizer).__name__} is not an Optimizer")
    return optimizer


def copied(value: Any) -> Any:
    """A number as it is, a tensor's numbers in a tensor of their own."""
    return value.detach().clone() if isinstance(value, Tensor) else value


def values_of(optimizer: Optimizer, name: str) -> list[Any]:
    """Copies of one option of all groups."""
    return [copied(group[name]) for group in optimizer.param_groups]


def set_value(group: dict[str, Any], name: str, value: Any) -> None:
    """Set an option, inside its tensor where it is one."""
    if isinstance(group[name], Tensor):
        group[name].fill_(value)
    else:
        group[name] = value
