"""Operations that a reader writes (``Function``), and the drawing of the graph."""

from __future__ import annotations

import gc
import weakref
import xml.etree.ElementTree as ElementTree

import numpy as np
import pytest
import torch

import minimal

from .test_autograd_graph import _numbers, _shape, leaf, plain

COMPONENT = "autograd"


def cube(m):
    class Cube(m.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            ctx.save_for_backward(x)
            return x**3

        @staticmethod
        def backward(ctx, g):
            (x,) = ctx.saved_tensors
            return 3 * x**2 * g

    return Cube


def differentiates_what_a_reader_wrote(m):
    x = leaf(m, [1.0, -2.0])
    y = cube(m).apply(x)
    (g,) = m.autograd.grad((y * y).sum(), x, create_graph=True)
    (second,) = m.autograd.grad(g.sum(), x)
    return y, g, second


def saves_its_output(m):
    class Exp(m.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            out = x.exp()
            ctx.save_for_backward(out)
            return out

        @staticmethod
        def backward(ctx, g):
            return g * ctx.saved_tensors[0]

    x = leaf(m, [0.5, -1.0])
    y = Exp.apply(x)
    (g,) = m.autograd.grad(y.sum(), x, create_graph=True)
    return y, g, m.autograd.grad(g.sum(), x)


def has_several_inputs_and_outputs(m):
    seen = []

    class SumAndProduct(m.autograd.Function):
        @staticmethod
        def forward(ctx, x, factor, y):
            ctx.save_for_backward(x, y)
            ctx.factor = factor
            return x + y, factor * x * y, (x > y)

        @staticmethod
        def backward(ctx, g_sum, g_product, g_mask):
            seen.append(list(ctx.needs_input_grad))
            x, y = ctx.saved_tensors
            g = ctx.factor * g_product
            return g_sum + g * y, None, g_sum + g * x

    x, y = leaf(m, [1.0, 2.0]), leaf(m, [3.0, 4.0])
    total, product, mask = SumAndProduct.apply(x, 5.0, y)
    product.sum().backward()
    return x.grad, y.grad, seen, mask, mask.requires_grad, total.requires_grad


def may_leave_gradients_unmade(m):
    seen = []

    class Two(m.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            ctx.set_materialize_grads(False)
            return x * 1, x * 2

        @staticmethod
        def backward(ctx, a, b):
            seen.append(a is None)
            return b * 2

    x = leaf(m, [1.0, 2.0])
    Two.apply(x)[1].sum().backward()
    return seen, x.grad


def may_set_up_its_context_apart(m):
    class Scale(m.autograd.Function):
        @staticmethod
        def forward(x, factor):
            return x * factor

        @staticmethod
        def setup_context(ctx, inputs, output):
            ctx.factor = inputs[1]

        @staticmethod
        def backward(ctx, g):
            return g * ctx.factor, None

    x = leaf(m, [1.0, 2.0])
    Scale.apply(x, 7.0).sum().backward()
    return x.grad


def marks_what_has_no_gradient(m):
    class Sorted(m.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            out, copy = x * 2, x * 3
            ctx.mark_non_differentiable(copy)
            return out, copy

        @staticmethod
        def backward(ctx, g, unused):
            return g * 2

    x = leaf(m, [1.0, 2.0])
    out, copy = Sorted.apply(x)
    out.sum().backward()
    return x.grad, copy.requires_grad


def changes_its_input_in_place(m):
    class Double(m.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            x.mul_(2)
            ctx.mark_dirty(x)
            return x

        @staticmethod
        def backward(ctx, g):
            return g * 2

    x = leaf(m, [1.0, 2.0])
    y = x * 1
    z = Double.apply(y)
    z.sum().backward()
    return x.grad, y


def straight_through(m):
    class Round(m.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return x.round()

        @staticmethod
        def backward(ctx, g):
            return g

    x = leaf(m, [0.4, 1.6])
    (Round.apply(x) * 3).sum().backward()
    return x.grad


PROGRAMS = [
    value
    for name, value in list(globals().items())
    if callable(value) and value.__module__ == __name__ and name != "cube"
]


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda program: program.__name__)
def test_program_answers_as_in_pytorch(program, parity):
    ours, theirs = plain(program(minimal)), plain(program(torch))
    assert _shape(ours) == _shape(theirs)
    parity.rounding(
        np.array(_numbers(ours)),
        np.array(_numbers(theirs)),
        what="gradients of a reader's Function",
        data=program.__name__.replace("_", " "),
        bound=1e-14,
        reason="exp of another library",
    )


def forgets_a_gradient(m):
    class Product(m.autograd.Function):
        @staticmethod
        def forward(ctx, x, y):
            return x * y

        @staticmethod
        def backward(ctx, g):
            return g

    Product.apply(leaf(m, [1.0]), leaf(m, [2.0])).sum().backward()


def changes_what_it_saved(m):
    x = leaf(m, [1.0, 2.0])
    y = x * 1
    z = cube(m).apply(y)
    y.add_(1)
    z.sum().backward()


def goes_back_twice(m):
    z = cube(m).apply(leaf(m, [1.0])).sum()
    z.backward()
    z.backward()


REFUSED = {
    forgets_a_gradient: "incorrect number of gradients",
    changes_what_it_saved: "modified by an inplace operation",
    goes_back_twice: "second time",
}


@pytest.mark.parametrize(("program", "words"), REFUSED.items(), ids=lambda v: getattr(v, "__name__", ""))
def test_refused_as_in_pytorch(program, words):
    with pytest.raises(RuntimeError, match=words):
        program(torch)
    with pytest.raises(RuntimeError, match=words):
        program(minimal)


def test_once_differentiable_has_no_second_derivative():
    class Square(minimal.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            ctx.save_for_backward(x)
            return x * x

        @staticmethod
        @minimal.autograd.function.once_differentiable
        def backward(ctx, g):
            return 2 * ctx.saved_tensors[0] * g

    x = minimal.tensor([3.0], requires_grad=True)
    (g,) = minimal.autograd.grad(Square.apply(x).sum(), x, create_graph=True)
    assert g.tolist() == [6.0]
    assert not g.requires_grad


def test_a_saved_output_keeps_nothing_alive():
    gc.disable()
    try:
        x = minimal.tensor([3.0], requires_grad=True)
        y = cube(minimal).apply(x)
        z = y * 2
        node = weakref.ref(y.grad_fn)
        del y, z
        assert node() is None
    finally:
        gc.enable()


# ---------------------------------------------------------------- the drawing


def texts(drawing):
    """The words in a picture: Matplotlib leaves each text as a comment beside its outlines."""
    parser = ElementTree.XMLParser(target=ElementTree.TreeBuilder(insert_comments=True))
    tree = ElementTree.fromstring(drawing.svg, parser=parser)
    return [element.text.strip() for element in tree.iter() if element.tag is ElementTree.Comment]


def test_drawing_shows_operations_shapes_and_gradients(tmp_path):
    a = minimal.tensor(2.0, requires_grad=True)
    w = minimal.ones(2, 3, requires_grad=True)
    loss = (w.exp() * a).sum()
    drawing = minimal.autograd.draw(loss, {"a": a, "w": w})
    words = " | ".join(texts(drawing))
    for expected in ("Sum  []", "Mul  [2, 3]", "Exp  [2, 3]", "a  []", "value 2", "w  [2, 3]", f"grad {6 * np.e:.4g}"):
        assert expected in words
    assert a.grad is None
    loss.backward()  # drawing freed nothing
    assert a.grad.item() == pytest.approx(6 * np.e)
    drawing.save(tmp_path / "graph.svg")
    assert (tmp_path / "graph.svg").read_text() == drawing._repr_svg_()


def test_drawing_of_a_freed_graph_has_no_gradients():
    a = minimal.tensor(2.0, requires_grad=True)
    loss = a * a
    loss.backward()
    words = " | ".join(texts(minimal.autograd.draw(loss)))
    assert "Mul" in words
    assert "grad" not in words


def test_drawing_needs_a_graph_of_a_size_to_look_at():
    with pytest.raises(RuntimeError, match="no graph"):
        minimal.autograd.draw(minimal.ones(2))
    x = minimal.ones(1, requires_grad=True)
    for _ in range(500):
        x = x + 1
    with pytest.raises(ValueError, match="500 operations"):
        minimal.autograd.draw(x)
