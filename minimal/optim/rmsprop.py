"""RMSprop: the gradient, measured by its usual size in each direction."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from minimal.optim.optimizer import Group, Optimizer, begin_count, count_on, like, steps_for
from minimal.optim.options import check_implementation, check_option, number
from minimal.optim.rules import RMSpropRule


class RMSprop(Optimizer):
    """The gradient over the root of the running mean of its square.

    v <- alpha v + (1 - alpha) g**2,    p <- p - lr g / (sqrt(v) + eps).

    Parameters
    ----------
    params : iterable of Tensor, of (name, Tensor), or of dict
        What to optimize; see :class:`Optimizer`.
    lr : float or Tensor of one element, default 1e-2
    alpha : float, default 0.99
        How much of the running mean stays at each step.
    eps : float, default 1e-8
    weight_decay : float, default 0
        weight_decay * p is added to the gradient g.
    momentum : float, default 0
        p <- p - lr b    with    b <- momentum b + g / (sqrt(v) + eps).
    centered : bool, default False
        Take the square of the running mean of g from v: what is left is an estimate of the variance.
    capturable, foreach : bool
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
    torch.optim.RMSprop, 2.13.0; Tieleman & Hinton, 2012; Graves, 2013, "Generating sequences with recurrent neural
    networks" (centered).  Remembers ``step``, ``square_avg`` (v), and as asked ``momentum_buffer`` (b) and ``grad_avg``.
    """

    def __init__(
        self,
        params: Iterable[Any],
        lr: Any = 1e-2,
        alpha: float = 0.99,
        eps: float = 1e-8,
        weight_decay: float = 0,
        momentum: float = 0,
        centered: bool = False,
        capturable: bool = False,
        foreach: bool | None = None,
        maximize: bool = False,
        differentiable: bool = False,
    ) -> None:
        check_option("lr", lr)
        check_option("eps", eps)
        check_option("momentum", momentum)
        check_option("weight_decay", weight_decay)
        check_option("alpha", alpha)
        check_implementation(differentiable)
        defaults = {
            "lr": lr,
            "momentum": momentum,
            "alpha": alpha,
            "eps": eps,
            "centered": centered,
            "weight_decay": weight_decay,
            "capturable": capturable,
            "foreach": foreach,
            "maximize": maximize,
            "differentiable": differentiable,
        }
        super().__init__(params, defaults)

    def update(self, group: Group) -> None:
        """One step; ``rmsprop_step`` has the arithmetic."""
        rule = RMSpropRule(**{name: number(group[name]) for name in RMSpropRule._fields})
        for param, grad in self._with_gradient(group):
            state = self.state[param]
            if not state:
                state["step"] = begin_count(group)
                state["square_avg"] = like(param, 0.0)
                if rule.momentum > 0:
                    state["momentum_buffer"] = like(param, 0.0)
                if group["centered"]:
                    state["grad_avg"] = like(param, 0.0)
            buffer = state["momentum_buffer"].array if rule.momentum > 0 else None
            mean = state["grad_avg"].array if group["centered"] else None
            count_on(state["step"])
            steps_for(param).rmsprop_step(param.array, grad, state["square_avg"].array, mean, buffer, rule)
            param._bump_version()
