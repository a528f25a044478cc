"""SGD: downhill along the gradient, with or without the momentum of the steps before."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from minimal.optim.optimizer import Group, Optimizer, like, steps_for
from minimal.optim.options import check_implementation, check_option, number
from minimal.optim.rules import SGDRule


class SGD(Optimizer):
    """Gradient descent, with momentum if asked for.

    p <- p - lr b,    b <- momentum b + (1 - dampening) g,    where b is g at first, and always without momentum.

    Parameters
    ----------
    params : iterable of Tensor, of (name, Tensor), or of dict
        What to optimize; see :class:`Optimizer`.
    lr : float or Tensor of one element, default 1e-3
    momentum : float, default 0
    dampening : float, default 0
    weight_decay : float, default 0
        weight_decay * p is added to the gradient g.
    nesterov : bool, default False
        Step along g + momentum b instead of b.
    maximize : bool, default False
        Go uphill.
    foreach, fused : bool, optional
        Accepted and kept, without effect: there is one way to compute a step.
    differentiable : bool, default False
        Only False.

    Raises
    ------
    ValueError
        If a number is negative, or ``nesterov`` lacks momentum or has dampening.
    RuntimeError
        If ``differentiable`` is asked for.

    Notes
    -----
    torch.optim.SGD, 2.13.0.  Remembers ``momentum_buffer``.
    """

    def __init__(
        self,
        params: Iterable[Any],
        lr: Any = 1e-3,
        momentum: float = 0,
        dampening: float = 0,
        weight_decay: float = 0,
        nesterov: bool = False,
        *,
        maximize: bool = False,
        foreach: bool | None = None,
        differentiable: bool = False,
        fused: bool | None = None,
    ) -> None:
        check_option("lr", lr)
        check_option("momentum", momentum)
        check_option("weight_decay", weight_decay)
        if nesterov and (momentum <= 0 or dampening != 0):
            raise ValueError("Nesterov momentum requires a momentum and zero dampening")
        check_implementation(differentiable, foreach, fused)
        defaults = {
            "lr": lr,
            "momentum": momentum,
            "dampening": dampening,
            "weight_decay": weight_decay,
            "nesterov": nesterov,
            "maximize": maximize,
            "foreach": foreach,
            "differentiable": differentiable,
            "fused": fused,
        }
        super().__init__(params, defaults)

    def update(self, group: Group) -> None:
        """One step; ``sgd_step`` has the arithmetic."""
        rule = SGDRule(**{name: number(group[name]) for name in SGDRule._fields})
        for param, grad in self._with_gradient(group):
            buffer, step = None, 1
            if rule.momentum != 0:
                state = self.state[param]
                if state.get("momentum_buffer") is None:
                    state["momentum_buffer"] = like(param, 0.0)
                else:
                    step = 2
                buffer = state["momentum_buffer"].array
            steps_for(param).sgd_step(param.array, grad, buffer, rule, step)
            param._bump_version()
