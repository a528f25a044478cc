"""One step of an optimizer, for one parameter: what is added to the numbers, given their gradient.

After this page you know what SGD, Adam, RMSprop and Adagrad do, and in how few lines.  Each function changes the parameter
``p`` and what the optimizer remembers about it in place; the gradient ``g`` stays as it is.  All arrays have one shape.

The order of operations is PyTorch's.  The compiled twin also rounds as PyTorch does, which multiplies and adds in one
instruction; here products are rounded on their own, so single steps differ by a unit in the last place.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from minimal.optim.rules import AdagradRule, AdamRule, RMSpropRule, SGDRule

Array = NDArray[Any]


def sgd_step(p: Array, g: Array, buffer: Array | None, rule: SGDRule, step: int) -> None:
    """Gradient descent with momentum.

    b <- momentum b + (1 - dampening) g,    p <- p - lr b,    or with nesterov    p <- p - lr (g + momentum b).

    Parameters
    ----------
    p, g : ndarray, one shape, float32 or float64
        The parameter, changed in place, and its gradient.
    buffer : ndarray or None
        b, changed in place; at step 1 it becomes g, whatever it held.  None without momentum.
    rule : SGDRule
    step : int
        1, 2, 3, ...

    Source: ``torch.optim.SGD``, 2.13.0; Sutskever et al., 2013, "On the importance of initialization and momentum".
    """
    g = _signed_and_decayed(p, g, rule)
    if buffer is not None:
        if step == 1:
            buffer[...] = g
        else:
            buffer *= rule.momentum
            buffer += (1 - rule.dampening) * g
        g = g + rule.momentum * buffer if rule.nesterov else buffer
    p -= rule.lr * g


def adam_step(p: Array, g: Array, mean: Array, square: Array, largest: Array | None, rule: AdamRule, step: int) -> None:
    """Adam: the step is the running mean of the gradient over the root of the running mean of its square.

    m <- m + (1 - beta1) (g - m),    v <- beta2 v + (1 - beta2) g**2,
    p <- p - lr m' / (sqrt(v') + eps)    with    m' = m / (1 - beta1**step),  v' = v / (1 - beta2**step).

    Parameters
    ----------
    p, g : ndarray, one shape, float32 or float64
        The parameter, changed in place, and its gradient.
    mean, square : ndarray
        m and v, changed in place; zeros at first.
    largest : ndarray or None
        For amsgrad: the largest v so far, changed in place, which takes the place of v in the step.  Zeros at first.
    rule : AdamRule
        With ``decoupled`` weight decay (AdamW) p shrinks by itself; otherwise the decay is a part of g.
    step : int
        1, 2, 3, ...

    Source: ``torch.optim.Adam`` and ``AdamW``, 2.13.0; Kingma & Ba, 2015; Loshchilov & Hutter, 2019; Reddi et al., 2018.
    """
    if rule.decoupled:
        g = -g if rule.maximize else g
        if rule.weight_decay:
            p *= 1 - rule.lr * rule.weight_decay
    else:
        g = _signed_and_decayed(p, g, rule)
    _move_towards(mean, g, 1 - rule.beta1)
    square *= rule.beta2
    square += (1 - rule.beta2) * g * g
    if largest is not None:
        np.maximum(largest, square, out=largest)
    step_size = rule.lr / (1 - rule.beta1**step)
    root = np.sqrt(square if largest is None else largest) / (1 - rule.beta2**step) ** 0.5 + rule.eps
    p -= step_size * mean / root


def rmsprop_step(
    p: Array, g: Array, square: Array, mean: Array | None, buffer: Array | None, rule: RMSpropRule
) -> None:
    """RMSprop: the gradient over the root of the running mean of its square.

    v <- alpha v + (1 - alpha) g**2,    p <- p - lr g / (sqrt(v) + eps).

    Parameters
    ----------
    p, g : ndarray, one shape, float32 or float64
        The parameter, changed in place, and its gradient.
    square : ndarray
        v, changed in place; zeros at first.
    mean : ndarray or None
        If given (centered), the running mean of g, changed in place: its square is taken from v before the root.
    buffer : ndarray or None
        If given, the step with momentum: b <- momentum b + g / (sqrt(v) + eps) and p <- p - lr b.
    rule : RMSpropRule

    Source: ``torch.optim.RMSprop``, 2.13.0; Tieleman & Hinton, 2012; Graves, 2013 (centered).
    """
    g = _signed_and_decayed(p, g, rule)
    square *= rule.alpha
    square += (1 - rule.alpha) * g * g
    variance = square
    if mean is not None:
        _move_towards(mean, g, 1 - rule.alpha)
        variance = square - mean * mean
    root = np.sqrt(variance) + rule.eps
    if buffer is None:
        p -= rule.lr * g / root
    else:
        buffer *= rule.momentum
        buffer += g / root
        p -= rule.lr * buffer


def adagrad_step(p: Array, g: Array, total: Array, rule: AdagradRule, step: int) -> None:
    """Adagrad: the gradient over the root of the sum of all squares so far.

    s <- s + g**2,    p <- p - lr' g / (sqrt(s) + eps)    with    lr' = lr / (1 + (step - 1) lr_decay).

    Parameters
    ----------
    p, g : ndarray, one shape, float32 or float64
        The parameter, changed in place, and its gradient.
    total : ndarray
        s, changed in place.
    rule : AdagradRule
    step : int
        1, 2, 3, ...

    Source: ``torch.optim.Adagrad``, 2.13.0; Duchi, Hazan & Singer, 2011.
    """
    g = _signed_and_decayed(p, g, rule)
    total += g * g
    p -= rule.lr / (1 + (step - 1) * rule.lr_decay) * g / (np.sqrt(total) + rule.eps)


def _signed_and_decayed(p: Array, g: Array, rule: Any) -> Array:
    """The gradient of what shall become small: turned round to maximize, and with weight_decay / 2 * |p|**2 in the loss."""
    g = -g if rule.maximize else g
    return g + rule.weight_decay * p if rule.weight_decay else g


def _move_towards(mean: Array, g: Array, weight: float) -> None:
    """mean <- (1 - weight) mean + weight g, from whichever end is nearer."""
    mean[...] = mean + weight * (g - mean) if weight < 0.5 else g - (g - mean) * (1 - weight)
