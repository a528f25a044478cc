"""The table of losses, with every reduction, weighting and kind of target."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from .operations import Case, Input, apart, buffer, described, index, named, probabilities, real, unit

Inputs = list[tuple[Input, ...]]
REDUCTIONS = ("mean", "sum", "none")


def loss(name: str, inputs: Inputs, *, reductions: tuple[str, ...] = REDUCTIONS, **keywords: Any) -> list[Case]:
    """One loss with each reduction."""
    options = [{"reduction": r, **keywords} for r in reductions]
    return [Case(f"F.{name}", named(f"F.{name}", **o), inputs, described(o)) for o in options]


def contiguous(case: Case) -> Case:
    """The same with its first tensor in C order, where the reference itself asks for that in its backward pass."""
    return replace(case, call=lambda torch, F, x, *more: case.call(torch, F, x.contiguous(), *more))


def less_exact(case: Case) -> Case:
    """The same, where the reference adds 1e-12 to what it divides by in its second derivative."""
    return replace(case, loose_twice=1e3, reason="the reference's second derivative divides by x + 1e-12")


def weighted(name: str, inputs: Inputs, weight: str = "weight", **keywords: Any) -> list[Case]:
    """One loss whose third tensor is given by name."""

    def call(torch: Any, F: Any, x: Any, y: Any, w: Any, **options: Any) -> Any:
        return getattr(F, name)(x, y, **{weight: w}, **options)

    return [
        Case(
            f"F.{name}",
            lambda *a, r=r: call(*a, reduction=r, **keywords),
            inputs,
            described({weight: "...", "reduction": r, **keywords}),
        )
        for r in REDUCTIONS
    ]


PAIRS: Inputs = [(apart(3, 4), real(3, 4)), (apart(5), real(5)), (real(2, 3, 2), real(2, 3, 2)), (real(), real())]
LOGITS: Inputs = [(real(4, 3), index(3)(4)), (real(2, 3, 4), index(3)(2, 4)), (real(2, 3, 2, 2), index(3)(2, 2, 2))]
ONE_SAMPLE: Inputs = [(real(3), index(3)())]
SPREAD: Inputs = [(real(4, 3), probabilities(4, 3)), (real(2, 3, 4), probabilities(2, 3, 4))]
BINARY: Inputs = [(unit(3, 4), unit(3, 4)), (unit(5), unit(5))]
BINARY_LOGITS: Inputs = [(real(3, 4), unit(3, 4)), (real(5), unit(5))]


def with_weights(inputs: Inputs, *shape: int) -> Inputs:
    return [(*row, buffer(*shape)) for row in inputs]


LOSSES = [
    *loss("mse_loss", PAIRS),
    *loss("l1_loss", PAIRS),
    *loss("smooth_l1_loss", PAIRS),
    *loss("smooth_l1_loss", PAIRS, beta=0.3),
    *loss("huber_loss", PAIRS),
    *loss("huber_loss", PAIRS, delta=0.4),
    *loss("cross_entropy", LOGITS + ONE_SAMPLE),
    *loss("cross_entropy", LOGITS, ignore_index=1),
    *loss("cross_entropy", LOGITS, label_smoothing=0.2),
    *loss("cross_entropy", LOGITS, label_smoothing=0.2, ignore_index=0),
    *loss("cross_entropy", SPREAD),
    *loss("cross_entropy", SPREAD, label_smoothing=0.3),
    *weighted("cross_entropy", with_weights(LOGITS, 3)),
    *weighted("cross_entropy", with_weights(LOGITS, 3), ignore_index=2, label_smoothing=0.1),
    *weighted("cross_entropy", with_weights(SPREAD, 3)),
    *weighted("cross_entropy", with_weights(SPREAD, 3), label_smoothing=0.1),
    *map(contiguous, loss("nll_loss", LOGITS + ONE_SAMPLE)),
    *map(contiguous, loss("nll_loss", LOGITS, ignore_index=1)),
    *map(contiguous, weighted("nll_loss", with_weights(LOGITS, 3))),
    *map(less_exact, loss("binary_cross_entropy", BINARY)),
    *map(less_exact, weighted("binary_cross_entropy", with_weights(BINARY[:1], 3, 4))),
    *loss("binary_cross_entropy_with_logits", BINARY_LOGITS),
    *weighted("binary_cross_entropy_with_logits", with_weights(BINARY_LOGITS[:1], 4)),
    *weighted("binary_cross_entropy_with_logits", with_weights(BINARY_LOGITS[:1], 4), weight="pos_weight"),
    # Its mean is asked for elsewhere: it warns.
    *loss("kl_div", [(real(3, 4), probabilities(3, 4))], reductions=("sum", "none", "batchmean")),
    *loss("kl_div", [(real(3, 4), real(3, 4))], reductions=("sum", "none", "batchmean"), log_target=True),
]
