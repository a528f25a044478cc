"""OneCycleLR: up to a high rate and far down again, once in a training, while momentum goes the other way."""

from __future__ import annotations

from math import cos, pi
from typing import Any

from minimal.optim.lr_scheduler.base import LRScheduler, Rates, checked_optimizer, copied
from minimal.optim.optimizer import Optimizer

Values = float | list[float]


class OneCycleLR(LRScheduler):
    """lr from max_lr / div_factor up to max_lr, then down to a last rate that is final_div_factor below the first.

    Parameters
    ----------
    optimizer : Optimizer
        With ``momentum`` or ``betas``, if momentum shall be cycled.
    max_lr : float, or a list with one for each group
    total_steps : int, optional
        Steps of the cycle; or else ``epochs * steps_per_epoch``.
    epochs, steps_per_epoch : int, optional
    pct_start : float in [0, 1], default 0.3
        The part of the cycle in which the rate rises.
    anneal_strategy : {"cos", "linear"}, default "cos"
        Along half a cosine or a line.
    cycle_momentum : bool, default True
        Whether momentum (or the first beta) goes from ``max_momentum`` to ``base_momentum`` and back.
    base_momentum, max_momentum : float or list, default 0.85 and 0.95
    div_factor : float, default 25
    final_div_factor : float, default 1e4
    three_phase : bool, default False
        Back to the first rate as fast as it rose, then to the last one.
    last_epoch : int, default -1
        See :class:`LRScheduler`.

    Raises
    ------
    ValueError
        If an option is out of its range, the optimizer has no momentum to cycle; or at a step beyond the cycle.

    Notes
    -----
    torch.optim.lr_scheduler.OneCycleLR, 2.13.0; Smith & Topin, 2018, "Super-convergence".  Step it after each batch.
    """

    def __init__(
        self,
        optimizer: Optimizer,
        max_lr: Values,
        total_steps: int | None = None,
        epochs: int | None = None,
        steps_per_epoch: int | None = None,
        pct_start: float = 0.3,
        anneal_strategy: str = "cos",
        cycle_momentum: bool = True,
        base_momentum: Values = 0.85,
        max_momentum: Values = 0.95,
        div_factor: float = 25.0,
        final_div_factor: float = 1e4,
        three_phase: bool = False,
        last_epoch: int = -1,
    ) -> None:
        self.optimizer = checked_optimizer(optimizer)
        self.total_steps = _length(total_steps, epochs, steps_per_epoch)
        if not isinstance(pct_start, float) or not 0 <= pct_start <= 1:
            raise ValueError(f"Expected float between 0 and 1 pct_start, but got {pct_start}")
        if anneal_strategy not in ("cos", "linear"):
            raise ValueError(f"anneal_strategy must be one of 'cos' or 'linear', instead got {anneal_strategy}")
        self._schedule_phases = _phases(pct_start, self.total_steps, three_phase)
        self._anneal_func_type = anneal_strategy
        self.cycle_momentum = cycle_momentum
        highest = _for_each_group("max_lr", optimizer, max_lr)
        if cycle_momentum:
            if not {"momentum", "betas"} & set(optimizer.defaults):
                raise ValueError("optimizer must support momentum or beta1 with `cycle_momentum` option enabled")
            self.use_beta1 = "betas" in optimizer.defaults
            most = _for_each_group("max_momentum", optimizer, max_momentum)
            least = _for_each_group("base_momentum", optimizer, base_momentum)
        if last_epoch == -1:
            for i, group in enumerate(optimizer.param_groups):
                group["initial_lr"] = highest[i] / div_factor
                group["max_lr"] = highest[i]
                group["min_lr"] = group["initial_lr"] / final_div_factor
                if cycle_momentum:
                    group["max_momentum"], group["base_momentum"] = most[i], least[i]
                    self._set_momentum(group, most[i])
        super().__init__(optimizer, last_epoch)

    def _set_momentum(self, group: dict[str, Any], value: float) -> None:
        if self.use_beta1:
            group["betas"] = (value, *group["betas"][1:])
        else:
            group["momentum"] = value

    def next_lrs(self) -> Rates:
        """The rate of each group at this step of the cycle; sets its momentum on the way."""
        step, phases = self.last_epoch, self._schedule_phases
        if step > self.total_steps:
            raise ValueError(f"Tried to step {step} times. The specified number of total steps is {self.total_steps}")
        i = next((i for i, phase in enumerate(phases) if step <= phase["end_step"]), len(phases) - 1)
        begin = phases[i - 1]["end_step"] if i else 0.0
        phase = phases[i]
        part = (step - begin) / (phase["end_step"] - begin)
        between = _along_cosine if self._anneal_func_type == "cos" else _along_line
        rates = []
        for group in self.optimizer.param_groups:
            rates.append(between(group[phase["start_lr"]], group[phase["end_lr"]], part))
            if self.cycle_momentum:
                momentum = between(group[phase["start_momentum"]], group[phase["end_momentum"]], part)
                self._set_momentum(group, momentum)
        return rates


def _along_cosine(start: float, end: float, part: float) -> float:
    return end + (start - end) / 2.0 * (cos(pi * part) + 1)


def _along_line(start: float, end: float, part: float) -> float:
    return (end - start) * part + start


def _phases(pct_start: float, total_steps: int, three_phase: bool) -> list[dict[str, Any]]:
    """Where each phase ends, and between which options of a group it goes."""

    def phase(end_step: float, lr: tuple[str, str], momentum: tuple[str, str]) -> dict[str, Any]:
        return {
            "end_step": end_step,
            "start_lr": lr[0],
            "end_lr": lr[1],
            "start_momentum": momentum[0],
            "end_momentum": momentum[1],
        }

    less, more = ("max_momentum", "base_momentum"), ("base_momentum", "max_momentum")
    up = phase(float(pct_start * total_steps) - 1, ("initial_lr", "max_lr"), less)
    if not three_phase:
        return [up, phase(total_steps - 1, ("max_lr", "min_lr"), more)]
    down = phase(float(2 * pct_start * total_steps) - 2, ("max_lr", "initial_lr"), more)
    return [up, down, phase(total_steps - 1, ("initial_lr", "min_lr"), ("max_momentum", "max_momentum"))]


def _length(total_steps: int | None, epochs: int | None, steps_per_epoch: int | None) -> int:
    given = {"total_steps": total_steps} if total_steps is not None else {}
    if total_steps is None:
        if epochs is None or steps_per_epoch is None:
            raise ValueError("You must define either total_steps OR (epochs AND steps_per_epoch)")
        given = {"epochs": epochs, "steps_per_epoch": steps_per_epoch}
    length = 1
    for name, value in given.items():
        if not isinstance(value, int) or value <= 0:
            raise ValueError(f"Expected positive integer {name}, but got {value}")
        length *= value
    return length


def _for_each_group(name: str, optimizer: Optimizer, value: Any) -> list[Any]:
    n = len(optimizer.param_groups)
    if not isinstance(value, (list, tuple)):
        return [copied(value)] * n
    if len(value) != n:
        raise ValueError(
            f"{name} must have the same length as optimizer.param_groups. "
            f"{name} has {len(value)} values, param_groups has {n}."
        )
    return [copied(each) for each in value]
