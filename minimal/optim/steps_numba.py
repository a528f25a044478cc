"""Twin of ``steps_numpy``, compiled: one walk through memory for each step, and PyTorch's bits.

PyTorch makes a step of several operations on whole arrays; here all of them happen to one number before the next is read.
The roundings are PyTorch's own: where its operations (``add`` with alpha, ``addcmul``, ``lerp``) multiply and add in one
instruction, ``fused`` does; where they do not (``addcdiv``), nor is it done here.  Only square roots can differ: PyTorch
takes them from Intel's library, whose last bit is not always the nearest one.

A number's step depends on nothing but itself, so threads share large parameters, and any number of threads gives the same
bits.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from minimal.generator.fused_numba import fused
from minimal.kernel_input import as_kernel_input
from minimal.optim.rules import AdagradRule, AdamRule, RMSpropRule, SGDRule
from minimal.threads import get_num_threads, run_blocks

Array = NDArray[Any]

kernel = njit(cache=True, nogil=True, error_model="numpy")

SHARED_SIZE = 1 << 17  # numbers below which a second thread costs more than it gives
BLOCK = 1 << 15  # numbers in one block


def sgd_step(p: Array, g: Array, buffer: Array | None, rule: SGDRule, step: int) -> None:
    """Twin of ``steps_numpy.sgd_step``, PyTorch's bits."""
    lr, momentum, dampening, decay, nesterov, maximize = rule
    sign = -1.0 if maximize else 1.0
    if buffer is None:
        _update(_sgd, (p, g), (lr, decay, sign))
    elif step == 1:
        _update(_sgd_first, (p, g, buffer), (lr, momentum, decay, sign, nesterov))
    else:
        _update(_sgd_momentum, (p, g, buffer), (lr, momentum, 1 - dampening, decay, sign, nesterov))


def adam_step(p: Array, g: Array, mean: Array, square: Array, largest: Array | None, rule: AdamRule, step: int) -> None:
    """Twin of ``steps_numpy.adam_step``, PyTorch's bits with correctly rounded square roots."""
    lr, beta1, beta2, eps, decay, decoupled, maximize = rule
    sign = -1.0 if maximize else 1.0
    shrink, decay = (1 - lr * decay, 0.0) if decoupled else (1.0, decay)
    step_size, correction = lr / (1 - beta1**step), (1 - beta2**step) ** 0.5
    numbers = 1 - beta1, beta2, 1 - beta2, -step_size, correction, eps, shrink, decay, sign
    if largest is None:
        _update(_adam, (p, g, mean, square), numbers)
    else:
        _update(_amsgrad, (p, g, mean, square, largest), numbers)


def rmsprop_step(
    p: Array, g: Array, square: Array, mean: Array | None, buffer: Array | None, rule: RMSpropRule
) -> None:
    """Twin of ``steps_numpy.rmsprop_step``, PyTorch's bits with correctly rounded square roots."""
    lr, alpha, eps, decay, momentum, maximize = rule
    sign = -1.0 if maximize else 1.0
    numbers = -lr, alpha, 1 - alpha, eps, momentum, decay, sign
    arrays: tuple[Array, ...]
    if mean is None:
        arrays = (p, g, square) if buffer is None else (p, g, square, buffer)
        _update(_rmsprop if buffer is None else _rmsprop_momentum, arrays, numbers)
    else:
        arrays = (p, g, square, mean) if buffer is None else (p, g, square, mean, buffer)
        _update(_rmsprop_centered if buffer is None else _rmsprop_both, arrays, numbers)


def adagrad_step(p: Array, g: Array, total: Array, rule: AdagradRule, step: int) -> None:
    """Twin of ``steps_numpy.adagrad_step``, PyTorch's bits with correctly rounded square roots."""
    lr, lr_decay, decay, eps, maximize = rule
    sign = -1.0 if maximize else 1.0
    _update(_adagrad, (p, g, total), (-lr / (1 + (step - 1) * lr_decay), eps, decay, sign))


# ---------------------------------------------------------------- any order of memory, any number of threads


def _update(step: Callable[..., None], arrays: tuple[Array, ...], numbers: tuple[Any, ...]) -> None:
    """Call ``step(*arrays, *numbers)`` with arrays in one dimension; all but the second may be written to."""
    for a in arrays:
        flags = a.flags
        if not (flags.c_contiguous and flags.writeable):
            return _update_any_order(step, arrays, numbers)
    p = arrays[0]
    flat = arrays if p.ndim == 1 else [a.ravel() for a in arrays]  # views
    if p.size < SHARED_SIZE or get_num_threads() == 1:
        return step(*flat, *numbers)

    def work(block: int) -> None:
        step(*[a[block * BLOCK : (block + 1) * BLOCK] for a in flat], *numbers)

    return run_blocks(work, -(-p.size // BLOCK))


def _update_any_order(step: Callable[..., None], arrays: tuple[Array, ...], numbers: tuple[Any, ...]) -> None:
    """The same where memory is not in C order: in the order of the parameter, or on copies that are written back."""
    p = arrays[0]
    axes = sorted(range(p.ndim), key=lambda axis: -p.strides[axis])
    turned = [a.transpose(axes) for a in arrays]
    dense = [as_kernel_input(a) if a.flags.c_contiguous else np.ascontiguousarray(a) for a in turned]
    _update(step, tuple(dense), numbers)
    for i, (a, copy) in enumerate(zip(turned, dense)):
        if i != 1 and not np.may_share_memory(a, copy):
            a[...] = copy


# ---------------------------------------------------------------- what the steps have in common
#
# The numbers of a rule come as float64 and are rounded to the dtype of the parameter, as PyTorch does.  Conditions on them
# stand inside the loops for the reader; the compiler moves them out.


@kernel
def _gradient(p, g, decay, sign):
    """The gradient of what shall become small.  (A decay of zero must not touch it: zero times infinity is NaN.)"""
    g = sign * g
    return fused(decay, p, g) if decay != 0 else g


@kernel
def _moved(mean, g, weight):
    """From the mean towards g, from whichever end is nearer.  (A float32 one leaves either dtype as it is.)"""
    return fused(weight, g - mean, mean) if weight < 0.5 else fused(-(np.float32(1) - weight), g - mean, g)


@kernel
def _larger(a, b):
    """max(a, b), and NaN if either is."""
    return a if a >= b or a != a else b


# ---------------------------------------------------------------- gradient descent


@kernel
def _sgd(p, g, lr, decay, sign):
    T = p.dtype.type
    lr, decay, sign = T(-lr), T(decay), T(sign)
    for i in range(np.uintp(p.size)):
        p[i] = fused(lr, _gradient(p[i], g[i], decay, sign), p[i])


@kernel
def _sgd_first(p, g, buffer, lr, momentum, decay, sign, nesterov):
    T = p.dtype.type
    lr, momentum, decay, sign = T(-lr), T(momentum), T(decay), T(sign)
    for i in range(np.uintp(p.size)):
        b = _gradient(p[i], g[i], decay, sign)
        buffer[i] = b
        p[i] = fused(lr, fused(momentum, b, b) if nesterov else b, p[i])


@kernel
def _sgd_momentum(p, g, buffer, lr, momentum, share, decay, sign, nesterov):
    T = p.dtype.type
    lr, momentum, share, decay, sign = T(-lr), T(momentum), T(share), T(decay), T(sign)
    for i in range(np.uintp(p.size)):
        gradient = _gradient(p[i], g[i], decay, sign)
        b = fused(share, gradient, buffer[i] * momentum)
        buffer[i] = b
        p[i] = fused(lr, fused(momentum, b, gradient) if nesterov else b, p[i])


# ---------------------------------------------------------------- Adam


@kernel
def _adam(p, g, mean, square, weight, beta2, share, step, correction, eps, shrink, decay, sign):
    T = p.dtype.type
    weight, beta2, share, step, correction = T(weight), T(beta2), T(share), T(step), T(correction)
    eps, shrink, decay, sign = T(eps), T(shrink), T(decay), T(sign)
    for i in range(np.uintp(p.size)):
        gradient = _gradient(p[i], g[i], decay, sign)
        m = _moved(mean[i], gradient, weight)
        v = fused(share * gradient, gradient, square[i] * beta2)
        mean[i], square[i] = m, v
        p[i] = p[i] * shrink + step * m / (np.sqrt(v) / correction + eps)


@kernel
def _amsgrad(p, g, mean, square, largest, weight, beta2, share, step, correction, eps, shrink, decay, sign):
    T = p.dtype.type
    weight, beta2, share, step, correction = T(weight), T(beta2), T(share), T(step), T(correction)
    eps, shrink, decay, sign = T(eps), T(shrink), T(decay), T(sign)
    for i in range(np.uintp(p.size)):
        gradient = _gradient(p[i], g[i], decay, sign)
        m = _moved(mean[i], gradient, weight)
        v = fused(share * gradient, gradient, square[i] * beta2)
        top = _larger(largest[i], v)
        mean[i], square[i], largest[i] = m, v, top
        p[i] = p[i] * shrink + step * m / (np.sqrt(top) / correction + eps)


# ---------------------------------------------------------------- RMSprop


@kernel
def _rmsprop(p, g, square, lr, alpha, share, eps, momentum, decay, sign):
    T = p.dtype.type
    lr, alpha, share, eps, decay, sign = T(lr), T(alpha), T(share), T(eps), T(decay), T(sign)
    for i in range(np.uintp(p.size)):
        gradient = _gradient(p[i], g[i], decay, sign)
        v = fused(share * gradient, gradient, square[i] * alpha)
        square[i] = v
        p[i] += lr * gradient / (np.sqrt(v) + eps)


@kernel
def _rmsprop_momentum(p, g, square, buffer, lr, alpha, share, eps, momentum, decay, sign):
    T = p.dtype.type
    lr, alpha, share, eps, momentum, decay, sign = T(lr), T(alpha), T(share), T(eps), T(momentum), T(decay), T(sign)
    for i in range(np.uintp(p.size)):
        gradient = _gradient(p[i], g[i], decay, sign)
        v = fused(share * gradient, gradient, square[i] * alpha)
        b = buffer[i] * momentum + gradient / (np.sqrt(v) + eps)
        square[i], buffer[i] = v, b
        p[i] = fused(lr, b, p[i])


@kernel
def _centered(g, square, mean, alpha, share):
    """The running means of the square and of the gradient, and the root of the variance that they give."""
    v = fused(share * g, g, square * alpha)
    m = _moved(mean, g, share)
    return v, m, np.sqrt(fused(-m, m, v))


@kernel
def _rmsprop_centered(p, g, square, mean, lr, alpha, share, eps, momentum, decay, sign):
    T = p.dtype.type
    lr, alpha, share, eps, decay, sign = T(lr), T(alpha), T(share), T(eps), T(decay), T(sign)
    for i in range(np.uintp(p.size)):
        gradient = _gradient(p[i], g[i], decay, sign)
        square[i], mean[i], root = _centered(gradient, square[i], mean[i], alpha, share)
        p[i] += lr * gradient / (root + eps)


@kernel
def _rmsprop_both(p, g, square, mean, buffer, lr, alpha, share, eps, momentum, decay, sign):
    T = p.dtype.type
    lr, alpha, share, eps, momentum, decay, sign = T(lr), T(alpha), T(share), T(eps), T(momentum), T(decay), T(sign)
    for i in range(np.uintp(p.size)):
        gradient = _gradient(p[i], g[i], decay, sign)
        square[i], mean[i], root = _centered(gradient, square[i], mean[i], alpha, share)
        b = buffer[i] * momentum + gradient / (root + eps)
        buffer[i] = b
        p[i] = fused(lr, b, p[i])


# ---------------------------------------------------------------- Adagrad


@kernel
def _adagrad(p, g, total, lr, eps, decay, sign):
    T = p.dtype.type
    lr, eps, decay, sign = T(lr), T(eps), T(decay), T(sign)
    for i in range(np.uintp(p.size)):
        gradient = _gradient(p[i], g[i], decay, sign)
        s = fused(gradient, gradient, total[i])
        total[i] = s
        p[i] += lr * gradient / (np.sqrt(s) + eps)
