"""Views and changes in place: what shares memory, whose history changes, and which changes falsify a gradient."""

from __future__ import annotations

import numpy as np
import pytest
import torch

import minimal

from .test_autograd_graph import _numbers, _shape, leaf, plain

COMPONENT = "autograd"


def changes_a_result(m):
    x = leaf(m, [1.0, 2.0, 3.0])
    y = x * 2
    y.add_(1).mul_(y.detach().clone())
    y.sum().backward()
    return x.grad, y


def changes_a_result_with_its_own_old_values(m):
    x = leaf(m, [1.0, 2.0, 3.0])
    y = x * 2
    y.mul_(x)
    y.pow_(2)
    y.sum().backward()
    return x.grad, y


def changes_a_view(m):
    x = leaf(m, [1.0, 2.0, 3.0, 4.0])
    y = x * 1
    y[1:3].mul_(10)
    (y * y).sum().backward()
    return x.grad, y


def changes_a_view_of_a_view(m):
    x = leaf(m, [[1.0, 2.0], [3.0, 4.0]])
    y = x * 1
    v = y.t()[1]
    v.mul_(x[0])
    (y * y).sum().backward()
    return x.grad, y, v


def sees_a_change_of_the_base_through_a_view(m):
    x = leaf(m, [1.0, 2.0, 3.0])
    y = x * 1
    v = y[:2]
    y.mul_(5)
    (v * v).sum().backward()
    return x.grad, v


def sees_a_change_through_another_view(m):
    x = leaf(m, [1.0, 2.0, 3.0])
    y = x * 1
    v, w = y[:2], y[1:]
    v.mul_(5)
    (w * w).sum().backward()
    return x.grad, w


def assigns_to_slices(m):
    x, z = leaf(m, [1.0, 2.0, 3.0]), leaf(m, 7.0)
    y = x * 2
    y[0] = z * z
    y[1:] = y[:2].clone()
    y.prod().backward()
    return x.grad, z.grad, y


def assigns_to_a_tensor_without_history(m):
    x = leaf(m, [1.0, 2.0])
    y = m.zeros(4, dtype=m.float64)
    y[1:3] = x * 3
    y[3] = x[0]
    (y * y).sum().backward()
    return x.grad, y, y.requires_grad


def assigns_with_a_mask_and_with_indices(m):
    x, z = leaf(m, [1.0, -2.0, 3.0, -4.0]), leaf(m, [10.0, 20.0])
    y = x * 1
    y[y < 0] = z
    y[m.tensor([0, 2])] = z * 2
    (y * y).sum().backward()
    return x.grad, z.grad, y


def fills_and_copies(m):
    x = leaf(m, [1.0, 2.0, 3.0])
    y = x * 2
    y[0:1].fill_(9)
    z = m.ones(3, dtype=m.float64)
    z.copy_(y)
    z[2:].zero_()
    (z * z).sum().backward()
    return x.grad, z


def reshapes_share_memory(m):
    a = m.arange(6)
    b = a.view(2, 3)
    c = b.t()
    d = a.reshape(3, 2)
    e = b.flatten()
    a[0] = 100
    c[2, 1] = -1
    return a, b, c, d, e


def copies_do_not_share_memory(m):
    a = m.arange(6)
    b, c, d = a.clone(), a[m.tensor([0, 1])], a[a > 1]
    a.zero_()
    return b, c, d


def counts_versions(m):
    a = m.zeros(3)
    v = a[:2]
    d = a.detach()
    before = a._version
    a.add_(1)
    v.mul_(2)
    d.add_(1)
    return [t._version - before for t in (a, v, d)]


def changes_in_no_grad_leave_the_history(m):
    x = leaf(m, [1.0, 2.0])
    with m.no_grad():
        x.mul_(10)
        x[0] = 5
    (x * x).sum().backward()
    return x, x.grad


def writes_to_the_data(m):
    x = leaf(m, [1.0, 2.0])
    x.data.mul_(10)
    (x * x).sum().backward()
    return x, x.grad


def splits_and_changes_a_piece(m):
    x = leaf(m, [1.0, 2.0, 3.0, 4.0])
    y = x * 1
    a, b = y[:2], y[2:]
    a += b
    (y * y * 3).sum().backward()
    return x.grad, y


def expands_and_reduces(m):
    x = leaf(m, [[1.0], [2.0]])
    y = x.expand(2, 3)
    (y * m.arange(6).reshape(2, 3)).sum().backward()
    return x.grad, list(y.stride())


def saved_output_unchanged_is_fine(m):
    x = leaf(m, [0.5, 1.5])
    y = x.exp()
    z = y * 2
    z.add_(1)
    z.sum().backward()
    return x.grad


def augmented_operators_are_in_place(m):
    x = leaf(m, [1.0, 2.0])
    y = x * 1
    same = y
    y += 1
    y *= 3
    y -= x
    y /= 2
    y **= 2
    y.sum().backward()
    return same is y, y, x.grad


PROGRAMS = [value for value in list(globals().values()) if callable(value) and value.__module__ == __name__]


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda program: program.__name__)
def test_program_answers_as_in_pytorch(program, parity):
    ours, theirs = plain(program(minimal)), plain(program(torch))
    assert _shape(ours) == _shape(theirs)
    parity.rounding(
        np.array(_numbers(ours)),
        np.array(_numbers(theirs)),
        what="values and gradients after changes in place",
        data=program.__name__.replace("_", " "),
        bound=1e-14,
        reason="exp of another library",
    )


# ---------------------------------------------------------------- what must be refused


def a_leaf(m):
    x = leaf(m, [1.0, 2.0])
    x.add_(1)


def a_view_of_a_leaf(m):
    x = leaf(m, [1.0, 2.0])
    x[:1].add_(1)


def an_item_of_a_leaf(m):
    x = leaf(m, [1.0, 2.0])
    x[0] = 3.0


def a_saved_input(m):
    x = leaf(m, [1.0, 2.0])
    y = x * 1
    z = y * y
    y.add_(1)
    z.sum().backward()


def a_saved_output(m):
    x = leaf(m, [1.0, 2.0])
    y = x.exp()
    y.add_(1)
    y.sum().backward()


def a_saved_input_through_a_view(m):
    x = leaf(m, [1.0, 2.0])
    y = x * 1
    z = y.sin()
    y[0] = 3.0
    z.sum().backward()


def a_saved_input_through_its_detached_self(m):
    x = leaf(m, [1.0, 2.0])
    y = x * 1
    z = y.sin()
    y.detach().add_(1)
    z.sum().backward()


def a_saved_leaf_in_no_grad(m):
    x = leaf(m, [1.0, 2.0])
    z = x.sin()
    with m.no_grad():
        x.add_(1)
    z.sum().backward()


def a_smaller_tensor(m):
    m.zeros(2).add_(m.ones(3, 2))


def whole_numbers_by_fractions(m):
    m.arange(3).mul_(1.5)


def a_graph_that_is_gone(m):
    x = leaf(m, [1.0, 2.0])
    y = (x * x).sum()
    y.backward()
    y.backward()


REFUSED = {
    a_leaf: "leaf",
    a_view_of_a_leaf: "view of a leaf",
    an_item_of_a_leaf: "leaf",
    a_saved_input: "modified by an inplace operation",
    a_saved_output: "modified by an inplace operation",
    a_saved_input_through_a_view: "modified by an inplace operation",
    a_saved_input_through_its_detached_self: "modified by an inplace operation",
    a_saved_leaf_in_no_grad: "modified by an inplace operation",
    a_smaller_tensor: "doesn't match the broadcast shape",
    whole_numbers_by_fractions: "can't be cast",
    a_graph_that_is_gone: "second time",
}


@pytest.mark.parametrize(("program", "words"), REFUSED.items(), ids=lambda v: getattr(v, "__name__", ""))
def test_refused_as_in_pytorch(program, words):
    with pytest.raises(RuntimeError, match=words):
        program(torch)
    with pytest.raises(RuntimeError, match=words):
        program(minimal)


def test_refused_change_changes_nothing():
    x = minimal.arange(3)
    with pytest.raises(RuntimeError):
        x.mul_(1.5)
    assert x.tolist() == [0, 1, 2]
    assert x._version == 0
