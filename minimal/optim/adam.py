"""Adam and AdamW: steps of about the size ``lr`` in every direction, whatever the size of the gradient."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from minimal.autograd.tensor import Tensor
from minimal.optim.optimizer import Group, Optimizer, begin_count, count_on, like, steps_for
from minimal.optim.options import check_implementation, check_option, number
from minimal.optim.rules import AdamRule


class Adam(Optimizer):
    """Adam: the running mean of the gradient over the root of the running mean of its square.

    m <- beta1 m + (1 - beta1) g,    v <- beta2 v + (1 - beta2) g**2,
    p <- p - lr m' / (sqrt(v') + eps)    with    m' = m / (1 - beta1**t)    and    v' = v / (1 - beta2**t)    in step t.

    Parameters
    ----------
    params : iterable of Tensor, of (name, Tensor), or of dict
        What to optimize; see :class:`Optimizer`.
    lr : float or Tensor of one element, default 1e-3
    betas : (float, float), default (0.9, 0.999)
        How much of the running means stays at each step.
    eps : float, default 1e-8
    weight_decay : float, default 0
        weight_decay * p is added to the gradient g.
    amsgrad : bool, default False
        Divide by the root of the largest v so far.
    maximize : bool, default False
        Go uphill.
    decoupled_weight_decay : bool, default False
        Shrink p by the factor 1 - lr * weight_decay instead: AdamW.
    foreach, capturable, fused : bool
        Accepted and kept, without effect: there is one way to compute a step, that of PyTorch's default.
    differentiable : bool, default False
        Only False.

    Raises
    ------
    ValueError
        If a number is negative, or a beta is not in [0, 1).
    RuntimeError
        If ``differentiable`` is asked for.

    Notes
    -----
    torch.optim.Adam, 2.13.0; Kingma & Ba, 2015, "Adam: a method for stochastic optimization"; Reddi, Kale & Kumar, 2018,
    "On the convergence of Adam and beyond" (amsgrad).  Remembers ``step``, ``exp_avg`` (m), ``exp_avg_sq`` (v) and, with
    amsgrad, ``max_exp_avg_sq``.
    """

    def __init__(
        self,
        params: Iterable[Any],
        lr: Any = 1e-3,
        betas: tuple[Any, Any] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0,
        amsgrad: bool = False,
        *,
        foreach: bool | None = None,
        maximize: bool = False,
        capturable: bool = False,
        differentiable: bool = False,
        fused: bool | None = None,
        decoupled_weight_decay: bool = False,
    ) -> None:
        check_option("lr", lr)
        check_option("eps", eps)
        _check_betas(betas)
        check_option("weight_decay", weight_decay)
        check_implementation(differentiable, foreach, fused)
        defaults = {
            "lr": lr,
            "betas": tuple(betas),
            "eps": eps,
            "weight_decay": weight_decay,
            "amsgrad": amsgrad,
            "maximize": maximize,
            "foreach": foreach,
            "capturable": capturable,
            "differentiable": differentiable,
            "fused": fused,
            "decoupled_weight_decay": decoupled_weight_decay,
        }
        super().__init__(params, defaults)

    def update(self, group: Group) -> None:
        """One step; ``adam_step`` has the arithmetic."""
        rule = AdamRule(
            lr=number(group["lr"]),
            beta1=number(group["betas"][0]),
            beta2=number(group["betas"][1]),
            eps=group["eps"],
            weight_decay=group["weight_decay"],
            decoupled=group["decoupled_weight_decay"],
            maximize=group["maximize"],
        )
        for param, grad in self._with_gradient(group):
            state = self.state[param]
            if not state:
                state["step"] = begin_count(group)
                state["exp_avg"] = like(param, 0.0)
                state["exp_avg_sq"] = like(param, 0.0)
                if group["amsgrad"]:
                    state["max_exp_avg_sq"] = like(param, 0.0)
            largest = state["max_exp_avg_sq"].array if group["amsgrad"] else None
            step = count_on(state["step"])
            steps_for(param).adam_step(
                param.array, grad, state["exp_avg"].array, state["exp_avg_sq"].array, largest, rule, step
            )
            param._bump_version()


class AdamW(Adam):
    """Adam with weight decay apart from the gradient: each step first shrinks p by the factor 1 - lr * weight_decay.

    Parameters
    ----------
    params, lr, betas, eps, amsgrad, maximize, foreach, capturable, differentiable, fused
        As for :class:`Adam`.
    weight_decay : float, default 1e-2

    Notes
    -----
    torch.optim.AdamW, 2.13.0; Loshchilov & Hutter, 2019, "Decoupled weight decay regularization".
    """

    def __init__(
        self,
        params: Iterable[Any],
        lr: Any = 1e-3,
        betas: tuple[Any, Any] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 1e-2,
        amsgrad: bool = False,
        *,
        maximize: bool = False,
        foreach: bool | None = None,
        capturable: bool = False,
        differentiable: bool = False,
        fused: bool | None = None,
    ) -> None:
        super().__init__(
            params,
            lr,
            betas,
            eps,
            weight_decay,
            amsgrad,
            foreach=foreach,
            maximize=maximize,
            capturable=capturable,
            differentiable=differentiable,
            fused=fused,
            decoupled_weight_decay=True,
        )

    def _completed(self, group: Group) -> Group:
        return {**super()._completed(group), "decoupled_weight_decay": True}  # also where the state is Adam's


def _check_betas(betas: tuple[Any, Any]) -> None:
    for i in (0, 1):
        if not 0.0 <= number(betas[i]) < 1.0:
            raise ValueError(f"Invalid beta parameter at index {i}: {betas[i]}")
    if not (all(isinstance(beta, float) for beta in betas) or all(isinstance(beta, Tensor) for beta in betas)):
        raise ValueError("betas must be either both floats or both Tensors")
