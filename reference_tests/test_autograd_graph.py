"""The walk back through the graph: order, accumulation, what is kept and freed, hooks; against PyTorch and by hand.

A program is a function of the namespace: it runs once with ``minimal`` and once with ``torch``, and what it returns (numbers,
nested lists, texts) must be the same.
"""

from __future__ import annotations

import gc
import sys
import threading
import tracemalloc
import warnings
import weakref

import numpy as np
import pytest
import torch

import minimal

COMPONENT = "autograd"


def plain(value):
    """Tensors as nested lists, so that answers can be compared."""
    if isinstance(value, minimal.Tensor | torch.Tensor):
        return value.detach().tolist()
    if isinstance(value, list | tuple):
        return [plain(v) for v in value]
    return value


def leaf(m, values):
    return m.tensor(values, dtype=m.float64, requires_grad=True)


# ---------------------------------------------------------------- programs


def adds_up_what_is_used_twice(m):
    a = leaf(m, 3.0)
    b = a + a
    c = b + b
    c.backward()
    return a.grad


def waits_for_all_uses_in_a_diamond(m):
    x = leaf(m, [1.0, 2.0])
    a = x * 3
    b = a.exp()
    c = a * b + b * b
    (c * a).sum().backward()
    return x.grad


def accumulates_over_calls(m):
    x = leaf(m, [1.0, -2.0])
    for factor in (1.0, 10.0):
        (x * x * factor).sum().backward()
    return x.grad


def goes_again_if_the_graph_is_kept(m):
    x = leaf(m, [1.0, -2.0])
    y = (x * x).sum()
    y.backward(retain_graph=True)
    y.backward()
    return x.grad


def takes_a_gradient_to_begin_with(m):
    x = leaf(m, [1.0, -2.0, 3.0])
    (x * x).backward(m.tensor([1.0, 0.0, -1.0], dtype=m.float64))
    return x.grad


def begins_at_several_outputs(m):
    x = leaf(m, [1.0, -2.0])
    y = x * 2
    m.autograd.backward([y.sum(), (y * x).sum()])
    return x.grad


def fills_only_named_inputs(m):
    x, y = leaf(m, [1.0, 2.0]), leaf(m, [3.0, 4.0])
    (x * y).sum().backward(inputs=[x])
    return x.grad, y.grad is None


def gives_gradients_without_touching_grad(m):
    x, y = leaf(m, [1.0, 2.0]), leaf(m, [3.0, 4.0])
    z = x * y
    got = m.autograd.grad((z * z).sum(), [x, z, y])
    return got, x.grad is None, y.grad is None


def tells_unused_inputs(m):
    x, y = leaf(m, 1.0), leaf(m, 2.0)
    unused = m.autograd.grad(x * x, [x, y], allow_unused=True)
    zeros = m.autograd.grad(x * x, [x, y], materialize_grads=True)
    return unused[1] is None, zeros


def differentiates_three_times(m):
    x = leaf(m, [0.5, -1.5])
    f = (x**5 + m.exp(x) * m.sin(x)).sum()
    out = []
    for _ in range(4):
        (f_x,) = m.autograd.grad(f, x, create_graph=True)
        out.append(f_x)
        f = f_x.sum()
    return out


def backward_can_be_recorded(m):
    x = leaf(m, [0.5, -1.5])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # PyTorch warns of the cycle between a tensor and its recorded gradient
        (x**3).sum().backward(create_graph=True)
    first = x.grad
    (g,) = m.autograd.grad(first.sum(), x)
    return first, g, first.requires_grad


def computes_a_hessian_vector_product(m):
    x, v = leaf(m, [0.3, -0.7, 1.1]), m.tensor([1.0, 2.0, -1.0], dtype=m.float64)
    f = (x[0] * x[1] ** 2 + (x[2] * x[0]).exp()) / (1 + x[1] ** 2)
    (g,) = m.autograd.grad(f, x, create_graph=True)
    return m.autograd.grad(g, x, grad_outputs=v)


def records_nothing_without_grad(m):
    x = leaf(m, [1.0])
    with m.no_grad():
        a = x * 2
        with m.enable_grad():
            b = x * 2
    with m.set_grad_enabled(False):
        c = x * 2

    @m.no_grad()
    def f():
        return x * 2

    return a.requires_grad, b.requires_grad, c.requires_grad, f().requires_grad, (x * 2).requires_grad


def detaches(m):
    x = leaf(m, [1.0, 2.0])
    y = x * 2
    (y * y.detach()).sum().backward()
    return x.grad, y.detach().requires_grad, y.detach().is_leaf


def knows_leaves(m):
    x = leaf(m, [1.0, 2.0])
    y = x * 2
    return x.is_leaf, y.is_leaf, y.detach().is_leaf, m.ones(2).is_leaf, x.grad_fn is None, y.grad_fn is None


def retains_inner_gradients(m):
    x = leaf(m, [1.0, 2.0])
    y = x * 2
    y.retain_grad()
    (y * y).sum().backward()
    return x.grad, y.grad


def hooks_see_and_replace(m):
    seen = []
    x = leaf(m, [1.0, 2.0])
    y = x * 2
    y.register_hook(lambda g: seen.append(plain(g)))
    y.register_hook(lambda g: g * 10)
    removed = y.register_hook(lambda g: g * 1000)
    removed.remove()
    x.register_hook(lambda g: g + 1)
    (y * y).sum().backward()
    return seen, x.grad


def hooks_on_leaves_see_the_sum(m):
    seen = []
    x = leaf(m, [1.0, 2.0])
    x.register_hook(lambda g: seen.append(plain(g)))
    x.register_post_accumulate_grad_hook(lambda t: seen.append(plain(t.grad)))
    (x * 2 + x * x).sum().backward()
    return seen


def hooks_on_nodes(m):
    seen = []
    x = leaf(m, [1.0, 2.0])
    y = x * 2
    y.grad_fn.register_hook(
        lambda inputs, outputs: seen.append([plain(outputs), plain([g for g in inputs if g is not None])])
    )
    y.grad_fn.register_prehook(lambda outputs: (outputs[0] * 3,))
    y.sum().backward()
    return seen, x.grad


def gradients_of_grad_take_hooks(m):
    x = leaf(m, [1.0, 2.0])
    y = x * 2
    y.register_hook(lambda g: g * 5)
    (by_x,) = m.autograd.grad((y * y).sum(), [x], retain_graph=True)
    return by_x, m.autograd.grad((y * y).sum(), [y])


def parts_get_their_own_gradients(m):
    x = leaf(m, [[3.0, 1.0], [2.0, 4.0]])
    values, indices = x.max(dim=1)
    a, b = x.unbind(0)
    (values * 2 + a * b).sum().backward()
    return x.grad, indices


def a_dtype_of_its_own(m):
    x = m.tensor([1.0, 2.0], dtype=m.float32, requires_grad=True)
    (x.to(m.float64) * 2).sum().backward()
    return x.grad, str(x.grad.dtype).removeprefix("torch.")


def broadcasting_sums_back(m):
    x, y = leaf(m, [[1.0], [2.0]]), leaf(m, [3.0, 4.0, 5.0])
    z = leaf(m, 2.0)
    (x * y / z + z).sum().backward()
    return x.grad, y.grad, z.grad


PROGRAMS = [
    value for value in list(globals().values()) if callable(value) and getattr(value, "__module__", "") == __name__
]
PROGRAMS = [program for program in PROGRAMS if program not in (plain, leaf)]


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda program: program.__name__)
def test_program_answers_as_in_pytorch(program, parity):
    ours, theirs = plain(program(minimal)), plain(program(torch))
    flat_ours, flat_theirs = _numbers(ours), _numbers(theirs)
    assert _shape(ours) == _shape(theirs)
    parity.rounding(
        np.array(flat_ours),
        np.array(flat_theirs),
        what="gradients",
        data=program.__name__.replace("_", " "),
        bound=1e-14,
        reason="exp and sin of another library",
    )


def _numbers(value):
    if isinstance(value, list):
        return [number for v in value for number in _numbers(v)]
    return [float(value)] if isinstance(value, bool | int | float) else []


def _shape(value):
    return (
        [_shape(v) for v in value]
        if isinstance(value, list)
        else type(value).__name__
        if not isinstance(value, str)
        else value
    )


# ---------------------------------------------------------------- what only a person can ask for


def test_long_chains_need_no_recursion():
    x = minimal.ones(2, requires_grad=True)
    y = x
    for _ in range(100_000):
        y = y * 1.0
    y.sum().backward()
    assert x.grad.tolist() == [1.0, 1.0]
    assert sys.getrecursionlimit() < 50_000
    del y  # a chain of freed nodes must not end the process either


def test_a_long_chain_that_nobody_walked_is_let_go():
    x = minimal.ones(1, requires_grad=True)
    y = x
    for _ in range(100_000):
        y = y + 1.0
    node = weakref.ref(y._node)
    del y
    assert node() is None


@pytest.mark.parametrize("walk", [True, False])
def test_memory_goes_without_the_garbage_collector(walk):
    gc.collect()
    gc.disable()
    try:
        x = minimal.ones(1000, requires_grad=True)
        y = x
        inner = []
        for function in ("exp", "tanh", "sigmoid", "sqrt", "square", "sin", "cumsum"):
            y = getattr(y, function)(*([0] if function == "cumsum" else []))
            inner.append(weakref.ref(y))
        top = y.reshape(10, 100).max(dim=1).values
        loss = (top * top).sum()
        inner += [weakref.ref(top), weakref.ref(loss._node)]
        if walk:
            loss.backward()
        del y, top, loss
        assert [ref() for ref in inner] == [None] * len(inner)
    finally:
        gc.enable()


def test_walked_graph_gives_back_its_arrays_while_the_result_lives():
    x = minimal.ones(100_000, requires_grad=True)
    tracemalloc.start()
    try:
        y = x.exp().exp().exp()
        loss = (y * y).mean()
        before = tracemalloc.get_traced_memory()[0]
        del y
        loss.backward()
        after = tracemalloc.get_traced_memory()[0]
    finally:
        tracemalloc.stop()
    assert after < before - 3 * x.array.nbytes + 2 * x.grad.array.nbytes


def test_gradients_do_not_share_memory():
    x = minimal.ones(3, requires_grad=True)
    y = minimal.ones(3, requires_grad=True)
    start = minimal.ones(3)
    (x + y).backward(start)
    x.grad.zero_()
    assert y.grad.tolist() == [1.0, 1.0, 1.0]
    assert start.tolist() == [1.0, 1.0, 1.0]


def test_accumulation_keeps_the_gradient_in_place():
    x = minimal.ones(3, requires_grad=True)
    (x * 2).sum().backward()
    held = x.grad
    (x * 2).sum().backward()
    assert held is x.grad
    assert held.tolist() == [4.0, 4.0, 4.0]


def test_threads_walk_side_by_side_and_record_for_themselves():
    answers, errors = {}, []

    def work(k):
        try:
            x = minimal.full((50,), float(k), requires_grad=True)
            for _ in range(20):
                x.grad = None
                with minimal.no_grad():
                    assert not (x * 2).requires_grad
                y = (x * x).sum()
                y.backward()
            answers[k] = x.grad[0].item()
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=work, args=(k,)) for k in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    assert answers == {k: 2.0 * k for k in range(8)}


def test_an_error_in_a_hook_leaves_grad_alone():
    x = minimal.ones(2, requires_grad=True)
    y = x * 2
    y.register_hook(lambda g: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        y.sum().backward()
    assert x.grad is None
    assert minimal.is_grad_enabled()


def test_numpy_functions_on_tensors_are_recorded():
    x = minimal.tensor([0.5, 1.5], dtype=minimal.float64, requires_grad=True)
    y = np.sin(x) * np.exp(x) + np.where(np.array([True, False]), x, 2.0 * x)
    np.sum(y).backward()
    expected = np.cos(x.array) * np.exp(x.array) + np.sin(x.array) * np.exp(x.array) + [1.0, 2.0]
    assert np.allclose(x.grad.array, expected, rtol=1e-14)
    assert isinstance(np.asarray(x.detach()), np.ndarray)
    assert np.linalg.norm(x.detach()) == pytest.approx(np.linalg.norm(x.array))
