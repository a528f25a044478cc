"""The layers and losses that are compared with PyTorch's: how each is made, and what goes in.

``minimal.nn`` has the names of ``torch.nn``, so one function makes a module on either side.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

import minimal


@dataclass(frozen=True)
class Layer:
    """One layer with one set of options: each of ``shapes`` is one call of it, with one input or with several."""

    make: Callable[[Any], Any]
    shapes: list[Any]
    kinds: tuple[str, ...] = ("real", "real")  # of the inputs: "real", "unit" for between 0 and 1, "label" for below 4
    draws: bool = False  # whether forward draws random numbers
    bound: float = 1e-12
    reason: str = ""


SINGLE = "the reference rounds a constant to single precision"
LAYERS = {
    "Identity": Layer(lambda nn: nn.Identity(7, unused=True), [(2, 3)]),
    "Linear": Layer(lambda nn: nn.Linear(3, 5), [(4, 3), (3,), (2, 4, 3)]),
    "Linear without bias": Layer(lambda nn: nn.Linear(20, 1, bias=False), [(4, 20)]),
    "Bilinear": Layer(lambda nn: nn.Bilinear(3, 4, 2), [((5, 3), (5, 4))]),
    "Conv1d": Layer(lambda nn: nn.Conv1d(2, 3, 3, stride=2, padding=1), [(2, 2, 9), (2, 7)]),
    "Conv1d same": Layer(lambda nn: nn.Conv1d(2, 4, 4, padding="same", dilation=2), [(2, 2, 9)]),
    "Conv1d valid": Layer(lambda nn: nn.Conv1d(2, 4, 3, padding="valid", bias=False), [(2, 2, 9)]),
    "Conv1d reflect": Layer(lambda nn: nn.Conv1d(2, 3, 3, padding=2, padding_mode="reflect"), [(2, 2, 6)]),
    "Conv2d": Layer(lambda nn: nn.Conv2d(2, 3, (3, 2), stride=(1, 2), padding=(1, 0)), [(2, 2, 6, 5), (2, 5, 5)]),
    "Conv2d groups": Layer(lambda nn: nn.Conv2d(4, 6, 3, groups=2, dilation=2, bias=False), [(2, 4, 7, 8)]),
    "Conv2d same": Layer(lambda nn: nn.Conv2d(1, 2, (5, 3), padding="same"), [(2, 1, 6, 5)]),
    "Conv2d replicate": Layer(lambda nn: nn.Conv2d(1, 2, 3, padding=(2, 1), padding_mode="replicate"), [(2, 1, 4, 5)]),
    "Conv2d circular": Layer(
        lambda nn: nn.Conv2d(1, 2, (3, 4), padding="same", padding_mode="circular"), [(2, 1, 4, 5)]
    ),
    "ConvTranspose1d": Layer(lambda nn: nn.ConvTranspose1d(3, 2, 3, stride=2, output_padding=1), [(2, 3, 4)]),
    "ConvTranspose2d": Layer(
        lambda nn: nn.ConvTranspose2d(4, 2, 3, stride=(2, 1), padding=1, output_padding=(1, 0), groups=2, dilation=2),
        [(2, 4, 3, 4)],
    ),
    "MaxPool1d": Layer(lambda nn: nn.MaxPool1d(3, stride=2, padding=1), [(2, 3, 8)]),
    "MaxPool2d": Layer(lambda nn: nn.MaxPool2d(2), [(2, 3, 6, 5), (3, 4, 4)]),
    "MaxPool2d ceil": Layer(lambda nn: nn.MaxPool2d((3, 2), stride=2, ceil_mode=True), [(2, 1, 6, 5)]),
    "AvgPool1d": Layer(lambda nn: nn.AvgPool1d(3, 2, 1, count_include_pad=False), [(2, 3, 8)]),
    "AvgPool2d": Layer(lambda nn: nn.AvgPool2d(2), [(2, 3, 6, 5)]),
    "AvgPool2d divisor": Layer(lambda nn: nn.AvgPool2d(3, (2, 1), 1, divisor_override=4), [(2, 1, 6, 5)]),
    "AdaptiveAvgPool1d": Layer(lambda nn: nn.AdaptiveAvgPool1d(3), [(2, 3, 8)]),
    "AdaptiveAvgPool2d": Layer(lambda nn: nn.AdaptiveAvgPool2d((3, None)), [(2, 3, 8, 4)]),
    "BatchNorm1d": Layer(lambda nn: nn.BatchNorm1d(3), [(5, 3), (2, 3, 4)]),
    "BatchNorm1d cumulative": Layer(lambda nn: nn.BatchNorm1d(3, eps=1e-3, momentum=None), [(5, 3)]),
    "BatchNorm1d without weights": Layer(lambda nn: nn.BatchNorm1d(3, affine=False), [(5, 3)]),
    "BatchNorm1d without bias": Layer(lambda nn: nn.BatchNorm1d(3, bias=False), [(5, 3)]),
    "BatchNorm2d": Layer(lambda nn: nn.BatchNorm2d(2, momentum=0.3), [(3, 2, 4, 3)]),
    "BatchNorm2d untracked": Layer(lambda nn: nn.BatchNorm2d(2, track_running_stats=False), [(3, 2, 4, 3)]),
    "LayerNorm": Layer(lambda nn: nn.LayerNorm(4), [(3, 4), (2, 3, 4)]),
    "LayerNorm of a matrix": Layer(lambda nn: nn.LayerNorm((3, 4), eps=1e-3, bias=False), [(2, 3, 4)]),
    "LayerNorm without weights": Layer(lambda nn: nn.LayerNorm([4], elementwise_affine=False), [(3, 4)]),
    "GroupNorm": Layer(lambda nn: nn.GroupNorm(2, 6), [(3, 6, 4), (2, 6)]),
    "Dropout": Layer(lambda nn: nn.Dropout(0.4), [(5, 7)], draws=True),
    "Dropout of everything": Layer(lambda nn: nn.Dropout(1.0), [(5, 7)], draws=True),
    "Dropout1d": Layer(lambda nn: nn.Dropout1d(), [(3, 5, 4), (5, 4)], draws=True),
    "Dropout2d": Layer(lambda nn: nn.Dropout2d(0.3), [(3, 5, 2, 4)], draws=True),
    "Flatten": Layer(lambda nn: nn.Flatten(), [(2, 3, 4)]),
    "Flatten some": Layer(lambda nn: nn.Flatten(0, 1), [(2, 3, 4)]),
    "Unflatten": Layer(lambda nn: nn.Unflatten(1, (2, 3)), [(4, 6)]),
    "ReLU": Layer(lambda nn: nn.ReLU(), [(3, 4)]),
    "ReLU6": Layer(lambda nn: nn.ReLU6(), [(3, 4)]),
    "LeakyReLU": Layer(lambda nn: nn.LeakyReLU(0.2), [(3, 4)]),
    "PReLU": Layer(lambda nn: nn.PReLU(), [(3, 4)]),
    "PReLU of channels": Layer(lambda nn: nn.PReLU(3, init=0.1), [(2, 3, 4)]),
    "Threshold": Layer(lambda nn: nn.Threshold(0.1, 20), [(3, 4)]),
    "Hardtanh": Layer(lambda nn: nn.Hardtanh(-0.5, 2), [(3, 4)]),
    "ELU": Layer(lambda nn: nn.ELU(0.7), [(3, 4)]),
    "CELU": Layer(lambda nn: nn.CELU(1.3), [(3, 4)], bound=1e-7, reason=SINGLE),
    "SELU": Layer(lambda nn: nn.SELU(), [(3, 4)]),
    "GELU": Layer(lambda nn: nn.GELU(), [(3, 4)]),
    "GELU by tanh": Layer(lambda nn: nn.GELU("tanh"), [(3, 4)]),
    "SiLU": Layer(lambda nn: nn.SiLU(), [(3, 4)]),
    "Mish": Layer(lambda nn: nn.Mish(), [(3, 4)]),
    "Sigmoid": Layer(lambda nn: nn.Sigmoid(), [(3, 4)]),
    "LogSigmoid": Layer(lambda nn: nn.LogSigmoid(), [(3, 4)]),
    "Tanh": Layer(lambda nn: nn.Tanh(), [(3, 4)]),
    "Tanhshrink": Layer(lambda nn: nn.Tanhshrink(), [(3, 4)], bound=1e-11, reason="x - tanh(x) cancels"),
    "Softsign": Layer(lambda nn: nn.Softsign(), [(3, 4)]),
    "Softplus": Layer(lambda nn: nn.Softplus(2, 1), [(3, 4)]),
    "Hardsigmoid": Layer(lambda nn: nn.Hardsigmoid(), [(3, 4)], bound=1e-7, reason=SINGLE),
    "Hardswish": Layer(lambda nn: nn.Hardswish(), [(3, 4)]),
    "Softshrink": Layer(lambda nn: nn.Softshrink(), [(3, 4)]),
    "Hardshrink": Layer(lambda nn: nn.Hardshrink(0.3), [(3, 4)]),
    "Softmax": Layer(lambda nn: nn.Softmax(dim=1), [(3, 4)]),
    "LogSoftmax": Layer(lambda nn: nn.LogSoftmax(-2), [(3, 4)]),
    "Softmin": Layer(lambda nn: nn.Softmin(dim=0), [(3, 4)]),
    "Softmax2d": Layer(lambda nn: nn.Softmax2d(), [(2, 3, 2, 2), (3, 2, 2)]),
    "GLU": Layer(lambda nn: nn.GLU(), [(3, 4)]),
    "Sequential": Layer(
        lambda nn: nn.Sequential(
            nn.Conv2d(1, 3, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(12, 2), nn.Dropout(0.5)
        ),
        [(3, 1, 4, 5)],
        draws=True,
    ),
}

LABELS = ("real", "label")
LOSSES = {
    "L1Loss": Layer(lambda nn: nn.L1Loss(), [((3, 4), (3, 4))]),
    "MSELoss": Layer(lambda nn: nn.MSELoss(reduction="sum"), [((3, 4), (3, 4))]),
    "SmoothL1Loss": Layer(lambda nn: nn.SmoothL1Loss(beta=0.5), [((3, 4), (3, 4))]),
    "HuberLoss": Layer(lambda nn: nn.HuberLoss("none", 0.7), [((3, 4), (3, 4))]),
    "BCELoss": Layer(lambda nn: nn.BCELoss(), [((3, 4), (3, 4))], ("unit", "unit")),
    "BCEWithLogitsLoss": Layer(lambda nn: nn.BCEWithLogitsLoss(), [((3, 4), (3, 4))], ("real", "unit")),
    "KLDivLoss": Layer(lambda nn: nn.KLDivLoss(reduction="batchmean"), [((3, 4), (3, 4))], ("real", "unit")),
    "NLLLoss": Layer(lambda nn: nn.NLLLoss(ignore_index=1), [((6, 4), (6,)), ((2, 4, 3), (2, 3))], LABELS),
    "CrossEntropyLoss": Layer(lambda nn: nn.CrossEntropyLoss(), [((6, 4), (6,)), ((4,), ())], LABELS),
    "CrossEntropyLoss smoothed": Layer(
        lambda nn: nn.CrossEntropyLoss(ignore_index=2, label_smoothing=0.1), [((6, 4), (6,))], LABELS
    ),
}


def inputs_of(layer: Layer, seed: int = 0, dtype: str = "float64") -> list[list[np.ndarray]]:
    """The arrays of each call: one for each of its shapes."""
    rng = np.random.default_rng(seed)
    calls = []
    for shape in layer.shapes:
        shapes = shape if shape and isinstance(shape[0], tuple) else (shape,)
        calls.append([_draw(rng, kind, one, dtype) for kind, one in zip(layer.kinds, shapes)])
    return calls


def _draw(rng: np.random.Generator, kind: str, shape: tuple[int, ...], dtype: str) -> np.ndarray:
    if kind == "label":
        return np.asarray(rng.integers(0, 4, shape))
    if kind == "unit":
        return rng.uniform(0.1, 0.9, shape).astype(dtype)
    return rng.standard_normal(shape).astype(dtype)


def both(make: Callable[[Any], Any], nn: Any, seed: int = 0) -> tuple[Any, Any]:
    """The module here and there, made from the same seed."""
    minimal.manual_seed(seed)
    ours = make(nn)
    torch.manual_seed(seed)
    return ours, make(torch.nn)


def arrays(named: Any) -> dict[str, np.ndarray]:
    """Named tensors as named arrays."""
    return {name: tensor.detach().numpy().copy() for name, tensor in named}
