"""Adagrad: smaller steps where the gradients so far were large."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from minimal.optim.optimizer import Group, Optimizer, begin_count, count_on, like, steps_for
from minimal.optim.options import check_implementation, check_option, number
from minimal.optim.rules import AdagradRule


class Adagrad(Optimizer):
    """The gradient over the root of the sum of all its squares so far.

    s <- s + g**2,    p <- p - lr / (1 + (t - 1) lr_decay) g / (sqrt(s) + eps)    in step t.

    Parameters
    ----------
    params : iterable of Tensor, of (name, Tensor), or of dict
        What to optimize; see :class:`Optimizer`.
    lr : float or Tensor of one element, default 1e-2
    lr_decay : float, default 0
    weight_decay : float, default 0
        weight_decay * p is added to the gradient g.
    initial_accumulator_value : float, default 0
        s before the first step.
    eps : float, default 1e-10
    foreach, fused : bool, optional
        Accepted and kept, without effect: there is one way to compute a step, that of PyTorch's default.
    maximize : bool, default False
        Go uphill.
    differentiable : bool, default False
        Only False.

    Raises
    ------
    ValueError
        If a number is negative.
    RuntimeError
        If ``differentiable`` is asked for.

    Notes
    -----
    torch.optim.Adagrad, 2.13.0; Duchi, Hazan & Singer, 2011, "Adaptive subgradient methods for online learning and
    stochastic optimization".  Remembers ``step`` and ``sum`` (s), from the beginning.
    """

    def __init__(
        self,
        params: Iterable[Any],
        lr: Any = 1e-2,
        lr_decay: float = 0,
        weight_decay: float = 0,
        initial_accumulator_value: float = 0,
        eps: float = 1e-10,
        foreach: bool | None = None,
        *,
        maximize: bool = False,
        differentiable: bool = False,
        fused: bool | None = None,
    ) -> None:
        check_option("lr", lr)
        check_option("lr_decay", lr_decay)
        check_option("weight_decay", weight_decay)
        check_option("initial_accumulator_value", initial_accumulator_value)
        check_option("eps", eps)
        check_implementation(differentiable, foreach, fused)
        defaults = {
            "lr": lr,
            "lr_decay": lr_decay,
            "eps": eps,
            "weight_decay": weight_decay,
            "initial_accumulator_value": initial_accumulator_value,
            "foreach": foreach,
            "maximize": maximize,
            "differentiable": differentiable,
            "fused": fused,
        }
        super().__init__(params, defaults)
        for group in self.param_groups:
            for param in group["params"]:
                self._begin(group, param)

    def _begin(self, group: Group, param: Any) -> None:
        state = self.state[param]
        state["step"] = begin_count(group)
        state["sum"] = like(param, self.defaults["initial_accumulator_value"])

    def update(self, group: Group) -> None:
        """One step; ``adagrad_step`` has the arithmetic."""
        rule = AdagradRule(**{name: number(group[name]) for name in AdagradRule._fields})
        for param, grad in self._with_gradient(group):
            state = self.state[param]
            if not state:
                self._begin(group, param)
            steps_for(param).adagrad_step(param.array, grad, state["sum"].array, rule, count_on(state["step"]))
            param._bump_version()
