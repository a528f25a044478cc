"""Bad input gets PyTorch's kind of error, with words that say what is wrong: the real PyTorch is asked for the kind.

Where shapes do not fit, our message names them all, which PyTorch's does not always do.
"""

from __future__ import annotations

import re
import warnings

import pytest

from .operations import THEIRS, Side

COMPONENT = "operations"


def error_of(side, call):
    """The error of the call on one side."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            call(side.torch, side.F)
        except Exception as error:
            return error
    return None


def names(text, shape):
    """Whether the text has the shape: (3, 4), [3, 4], or 3x4 as for matrices."""
    listed = rf"[(\[]{', '.join(map(str, shape))},?[)\]]"
    crossed = rf"(?<![\dx]){'x'.join(map(str, shape))}(?![\dx])"
    return bool(re.search(f"{listed}|{crossed}", text))


def same_kind(implementation, call):
    """Assert that both sides fail, and that who catches PyTorch's error catches ours; give ours back."""
    theirs, ours = error_of(THEIRS, call), error_of(Side.of(implementation("operations")), call)
    assert theirs is not None, "the reference accepts this"
    assert ours is not None, f"no error, where the reference raises {theirs!r}"
    kind = RuntimeError if isinstance(theirs, RuntimeError) else type(theirs)
    assert isinstance(ours, kind), f"{ours!r} instead of {theirs!r}"
    return ours


# ---------------------------------------------------------------- shapes that do not fit: both are named

SHAPES = {
    "x + y": (lambda torch, F: torch.ones(3, 4) + torch.ones(3, 5), [(3, 4), (3, 5)]),
    "x * y": (lambda torch, F: torch.ones(2, 3, 4) * torch.ones(2, 4), [(2, 3, 4), (2, 4)]),
    "x == y": (lambda torch, F: torch.ones(3) == torch.ones(4), [(3,), (4,)]),
    "maximum": (lambda torch, F: torch.maximum(torch.ones(3, 2), torch.ones(4, 2)), [(3, 2), (4, 2)]),
    "where": (lambda torch, F: torch.where(torch.ones(3) > 0, torch.ones(4), torch.ones(4)), [(3,), (4,)]),
    "in place": (lambda torch, F: torch.ones(3, 4).add_(torch.ones(5)), [(3, 4), (5,)]),
    "in place, larger": (lambda torch, F: torch.ones(4).add_(torch.ones(3, 4)), [(4,), (3, 4)]),
    "copy_": (lambda torch, F: torch.ones(3, 4).copy_(torch.ones(3, 5)), [(3, 4), (3, 5)]),
    "x @ y": (lambda torch, F: torch.ones(3, 4) @ torch.ones(5, 6), [(3, 4), (5, 6)]),
    "mm": (lambda torch, F: torch.mm(torch.ones(3, 4), torch.ones(5, 6)), [(3, 4), (5, 6)]),
    "matmul of batches": (
        lambda torch, F: torch.matmul(torch.ones(2, 3, 4), torch.ones(3, 4, 5)),
        [(2, 3, 4), (3, 4, 5)],
    ),
    "matrix @ vector": (lambda torch, F: torch.ones(3, 4) @ torch.ones(3), [(3, 4), (3,)]),
    "vector @ vector": (lambda torch, F: torch.ones(3) @ torch.ones(4), [(3,), (4,)]),
    "bmm": (lambda torch, F: torch.bmm(torch.ones(2, 3, 4), torch.ones(2, 5, 6)), [(2, 3, 4), (2, 5, 6)]),
    "bmm, batches": (lambda torch, F: torch.bmm(torch.ones(2, 3, 4), torch.ones(3, 4, 6)), [(2, 3, 4), (3, 4, 6)]),
    "mv": (lambda torch, F: torch.mv(torch.ones(3, 4), torch.ones(3)), [(3, 4), (3,)]),
    "dot": (lambda torch, F: torch.dot(torch.ones(3), torch.ones(4)), [(3,), (4,)]),
    "cat": (lambda torch, F: torch.cat([torch.ones(2, 3), torch.ones(2, 4)]), [(2, 3), (2, 4)]),
    "stack": (lambda torch, F: torch.stack([torch.ones(2, 3), torch.ones(3, 2)]), [(2, 3), (3, 2)]),
    "reshape": (lambda torch, F: torch.ones(2, 3).reshape(4, 2), [(6,), (4, 2)]),
    "expand": (lambda torch, F: torch.ones(2, 3).expand(4, 3), [(2, 3), (4, 3)]),
    "linear": (lambda torch, F: F.linear(torch.ones(2, 4), torch.ones(3, 5)), [(2, 4), (3, 5)]),
    "conv2d, channels": (
        lambda torch, F: F.conv2d(torch.ones(1, 3, 5, 5), torch.ones(2, 4, 3, 3)),
        [(1, 3, 5, 5), (2, 4, 3, 3)],
    ),
    "conv1d, channels": (lambda torch, F: F.conv1d(torch.ones(1, 3, 5), torch.ones(2, 4, 3)), [(1, 3, 5), (2, 4, 3)]),
    "mask of another shape": (lambda torch, F: torch.ones(3, 4)[torch.ones(4, 3) > 0], [(4, 3), (3, 4)]),
    "setitem": (lambda torch, F: torch.zeros(3, 4).__setitem__(0, torch.ones(5)), [(4,), (5,)]),
    "gradient of another shape": (
        lambda torch, F: (torch.ones(3, requires_grad=True) * 2).backward(torch.ones(4)),
        [(3,), (4,)],
    ),
}


@pytest.mark.parametrize("name", SHAPES)
def test_shapes_that_do_not_fit_are_named(name, engine, implementation):
    call, shapes = SHAPES[name]
    ours = same_kind(implementation, call)
    for shape in shapes:
        assert names(str(ours), shape), f"{shape} is not in the message: {ours}"


# ---------------------------------------------------------------- misuse of the graph: what happened, and what to do


def leaf(torch, *shape):
    return torch.ones(*shape, requires_grad=True)


def changed_after_use(torch, F):
    x = leaf(torch, 3)
    y = x * 2
    z = y.exp().sin() * y
    y.add_(1)
    z.sum().backward()


def output_changed(torch, F):
    y = leaf(torch, 3).exp()
    y.mul_(2)
    y.sum().backward()


def changed_through_a_view(torch, F):
    x = leaf(torch, 3, 4)
    y = x * 2
    z = y * y
    y[0].zero_()
    z.sum().backward()


def changed_through_detach(torch, F):
    y = leaf(torch, 3) * 2
    z = y * y
    y.detach().add_(1)
    z.sum().backward()


def weight_changed(torch, F):
    w = leaf(torch, 3)
    loss = (w * w).sum()
    with torch.no_grad():
        w.sub_(0.1)
    loss.backward()


def twice(torch, F):
    y = (leaf(torch, 3) ** 2).sum()
    y.backward()
    y.backward()


def by_itself(torch, F):
    y = leaf(torch, 3).clone()
    y.mul_(y * y)
    y.sum().backward()


def view_of_leaf(torch, F):
    leaf(torch, 3, 4)[0].mul_(2)


def one_of_several_views(torch, F):
    x = leaf(torch, 4) * 1
    left, _ = x.split(2)
    left.mul_(2)


def base_of_several_views(torch, F):
    y = leaf(torch, 2, 4) * 1
    left, _ = y.chunk(2, dim=1)
    y.mul_(2)
    left.sum().backward()


def made_without_grad(torch, F):
    y = leaf(torch, 3) * 1
    with torch.no_grad():
        v = y[1:]
    v.mul_(2)


def into_integers(torch, F):
    torch.ones(3, dtype=torch.int64).add_(0.5)


GRAPH = {
    "backward of many numbers": (lambda torch, F: (leaf(torch, 3) * 2).backward(), ["scalar"]),
    "backward of what needs none": (lambda torch, F: torch.ones(()).backward(), ["require grad"]),
    "backward twice": (twice, ["second time", "retain_graph"]),
    "a saved value changed": (changed_after_use, ["inplace operation", "version"]),
    "a saved output changed": (output_changed, ["inplace operation", "version"]),
    "a saved value changed through a view": (changed_through_a_view, ["inplace operation", "version"]),
    "a saved value changed through detach": (changed_through_detach, ["inplace operation", "version"]),
    "a weight changed before backward": (weight_changed, ["inplace operation", "version"]),
    "changed by its own product": (by_itself, ["inplace operation", "version"]),
    "a leaf changed": (lambda torch, F: leaf(torch, 3).mul_(2), ["leaf", "in-place"]),
    "a leaf written to": (lambda torch, F: leaf(torch, 3).__setitem__(0, 1.0), ["leaf", "in-place"]),
    "a view of a leaf changed": (view_of_leaf, ["leaf", "in-place"]),
    "one of several views changed": (one_of_several_views, ["view"]),
    "the base of several views changed": (base_of_several_views, ["view"]),
    "a view changed that was made without gradients": (made_without_grad, ["no_grad"]),
    "floats into integers": (into_integers, ["can't be cast", "float32", "int64"]),
    "integers that require a gradient": (
        lambda torch, F: torch.ones(3, dtype=torch.int64).requires_grad_(),
        ["floating point"],
    ),
    "integers made to require one": (lambda torch, F: torch.tensor([1, 2], requires_grad=True), ["floating point"]),
    "a result told to need no gradient": (lambda torch, F: (leaf(torch, 3) * 2).requires_grad_(False), ["leaf"]),
    "numpy() of what requires a gradient": (lambda torch, F: leaf(torch, 3).numpy(), ["requires grad", "detach"]),
    "grad of another shape": (lambda torch, F: setattr(leaf(torch, 3), "grad", torch.ones(4)), ["size"]),
    "grad that is no tensor": (lambda torch, F: setattr(leaf(torch, 3), "grad", 1.0), ["Tensor"]),
    "grad of an unused tensor": (
        lambda torch, F: torch.autograd.grad(leaf(torch, 1), leaf(torch, 1)),
        ["not have been used"],
    ),
    "grad by a tensor without": (lambda torch, F: torch.autograd.grad(leaf(torch, 1), torch.ones(1)), ["require grad"]),
    "retain_grad without": (lambda torch, F: torch.ones(3).retain_grad(), ["requires_grad=False"]),
    "a hook without": (lambda torch, F: torch.ones(3).register_hook(print), ["require"]),
    "deepcopy of a result": (lambda torch, F: (leaf(torch, 3) * 2).__deepcopy__({}), ["leaves"]),
    "floor_divide backward": (
        lambda torch, F: (leaf(torch, 3) // 2).sum().backward(),
        ["floor_divide", "not implemented"],
    ),
}


@pytest.mark.parametrize("name", GRAPH)
def test_misuse_of_the_graph(name, implementation):
    call, words = GRAPH[name]
    message = str(same_kind(implementation, call))
    for word in words:
        assert word in message, f"{word!r} is not in the message: {message}"


# ---------------------------------------------------------------- arguments out of range or of the wrong kind

ARGUMENTS = {
    "item of many": (lambda torch, F: torch.ones(3).item(), ["3"]),
    "bool of many": (lambda torch, F: bool(torch.ones(3)), ["ambiguous"]),
    "bool of none": (lambda torch, F: bool(torch.ones(0)), ["ambiguous"]),
    "float of many": (lambda torch, F: float(torch.ones(2)), ["element"]),
    "len of 0-d": (lambda torch, F: len(torch.tensor(1.0)), ["0-d"]),
    "iteration of 0-d": (lambda torch, F: list(torch.tensor(1.0)), ["0-d"]),
    "float as an index": (lambda torch, F: [1, 2, 3][torch.tensor(1.0)], ["integer"]),
    "index out of range": (lambda torch, F: torch.ones(3)[3], ["3", "out of"]),
    "index out of range, negative": (lambda torch, F: torch.ones(3)[-4], ["-4", "out of"]),
    "index out of range, second axis": (lambda torch, F: torch.ones(3, 4)[0, 4], ["4", "out of"]),
    "index tensor out of range": (lambda torch, F: torch.ones(3)[torch.tensor([0, 3])], ["3", "out of"]),
    "too many indices": (lambda torch, F: torch.ones(3)[0, 0], ["too many"]),
    "index into 0-d": (lambda torch, F: torch.tensor(1.0)[0], ["0"]),
    "index of floats": (lambda torch, F: torch.ones(3)[torch.tensor([0.5])], ["tensors used as ind"]),
    "negative step": (lambda torch, F: torch.ones(3)[::-1], ["step"]),
    "write out of range": (lambda torch, F: torch.ones(3).__setitem__(5, 1.0), ["5", "out of"]),
    "sum along a missing axis": (lambda torch, F: torch.ones(3, 4).sum(2), ["-2, 1", "2"]),
    "softmax along a missing axis": (lambda torch, F: torch.softmax(torch.ones(3), 1), ["-1, 0", "1"]),
    "cat along a missing axis": (lambda torch, F: torch.cat([torch.ones(3)], 1), ["-1, 0", "1"]),
    "transpose of a missing axis": (lambda torch, F: torch.ones(3, 4).transpose(0, 2), ["-2, 1", "2"]),
    "squeeze of a missing axis": (lambda torch, F: torch.ones(3, 1).squeeze(2), ["-2, 1", "2"]),
    "one axis twice": (lambda torch, F: torch.ones(3, 4).sum((0, 0)), ["0", "multiple times"]),
    "permute with an axis twice": (lambda torch, F: torch.ones(3, 4).permute(0, 0), []),
    "permute of too few": (lambda torch, F: torch.ones(3, 4).permute(0), []),
    "flip of an axis twice": (lambda torch, F: torch.ones(3, 4).flip(0, 0), ["0"]),
    "max of nothing": (lambda torch, F: torch.ones(0).max(), []),
    "argmax of nothing": (lambda torch, F: torch.ones(0).argmax(), []),
    "amax along an empty axis": (lambda torch, F: torch.ones(2, 0).amax(1), []),
    "mean of whole numbers": (lambda torch, F: torch.ones(3, dtype=torch.int64).mean(), ["floating"]),
    "keepdim that is a number": (lambda torch, F: torch.ones(3, 4).sum(0, 1), []),
    "view that is not possible": (lambda torch, F: torch.ones(3, 4).t().view(12), ["reshape"]),
    "two unknown sizes": (lambda torch, F: torch.ones(3, 4).reshape(-1, -1), []),
    "reshape that leaves a rest": (lambda torch, F: torch.ones(3, 4).reshape(5, -1), ["5", "12"]),
    "t of three axes": (lambda torch, F: torch.ones(2, 3, 4).t(), ["2"]),
    "narrow beyond the end": (lambda torch, F: torch.ones(3).narrow(0, 2, 2), ["3"]),
    "split into sizes that do not add up": (lambda torch, F: torch.ones(5).split([2, 2]), ["5"]),
    "chunk into none": (lambda torch, F: torch.ones(5).chunk(0), []),
    "cat of nothing": (lambda torch, F: torch.cat([]), []),
    "cat of 0-d": (lambda torch, F: torch.cat([torch.tensor(1.0)]), ["zero-dim"]),
    "stack of nothing": (lambda torch, F: torch.stack([]), []),
    "gather out of range": (lambda torch, F: torch.ones(3).gather(0, torch.tensor([3])), ["3", "out of"]),
    "gather by floats": (lambda torch, F: torch.ones(3).gather(0, torch.ones(1)), ["int64"]),
    "scatter out of range": (lambda torch, F: torch.ones(3).scatter(0, torch.tensor([3]), 1.0), ["3", "out of"]),
    "index_select out of range": (lambda torch, F: torch.ones(3).index_select(0, torch.tensor([3])), ["out of"]),
    "index_add of another length": (
        lambda torch, F: torch.ones(3).index_add(0, torch.tensor([0, 1]), torch.ones(3)),
        [],
    ),
    "masked_fill by whole numbers": (lambda torch, F: torch.ones(3).masked_fill(torch.ones(3), 0.0), ["bool"]),
    "topk of too many": (lambda torch, F: torch.ones(3).topk(4), []),
    "kthvalue of too many": (lambda torch, F: torch.ones(3).kthvalue(4), []),
    "diag of three axes": (lambda torch, F: torch.ones(2, 2, 2).diag(), []),
    "tril of one axis": (lambda torch, F: torch.ones(3).tril(), ["2"]),
    "repeat with too few": (lambda torch, F: torch.ones(2, 3).repeat(2), []),
    "clamp without bounds": (lambda torch, F: torch.clamp(torch.ones(3)), ["min"]),
    "division by the whole number zero": (lambda torch, F: torch.tensor([1]) // torch.tensor([0]), []),
    "negative power of whole numbers": (lambda torch, F: torch.tensor([2]) ** -1, ["egative"]),
    "div with an unknown rounding": (
        lambda torch, F: torch.div(torch.ones(2), 2, rounding_mode="up"),
        ["rounding_mode"],
    ),
    "minus of truth values": (lambda torch, F: -torch.tensor([True]), []),
    "subtraction of truth values": (lambda torch, F: torch.tensor([True]) - torch.tensor([True]), []),
    "and of floats": (lambda torch, F: torch.ones(2) & torch.ones(2), []),
    "add of a word": (lambda torch, F: torch.ones(2) + "a", []),
    "matmul with a number": (lambda torch, F: torch.ones(2) @ 3, []),
    "matmul of 0-d": (lambda torch, F: torch.tensor(1.0) @ torch.ones(3), []),
    "matmul of two dtypes": (lambda torch, F: torch.ones(2, 2) @ torch.ones(2, 2).double(), ["dtype"]),
    "mm of three axes": (lambda torch, F: torch.mm(torch.ones(2, 3, 4), torch.ones(4, 5)), ["matri"]),
    "einsum without operands": (lambda torch, F: torch.einsum("ij"), []),
    "einsum of another number": (lambda torch, F: torch.einsum("ij,jk", torch.ones(2, 2)), []),
    "einsum of other axes": (lambda torch, F: torch.einsum("ijk", torch.ones(2, 2)), []),
    "einsum of sizes that differ": (lambda torch, F: torch.einsum("ij,jk", torch.ones(2, 3), torch.ones(4, 5)), []),
    "einsum of a letter from nowhere": (lambda torch, F: torch.einsum("ij->ik", torch.ones(2, 3)), ["k"]),
}

LAYERS = {
    "conv2d of two axes": (lambda torch, F: F.conv2d(torch.ones(5, 5), torch.ones(1, 1, 3, 3)), ["3", "4"]),
    "conv2d of a small image": (
        lambda torch, F: F.conv2d(torch.ones(1, 1, 2, 2), torch.ones(1, 1, 3, 3)),
        ["ernel size"],
    ),
    "conv2d with stride 0": (
        lambda torch, F: F.conv2d(torch.ones(1, 1, 4, 4), torch.ones(1, 1, 3, 3), stride=0),
        ["stride"],
    ),
    "conv2d with negative padding": (
        lambda torch, F: F.conv2d(torch.ones(1, 1, 4, 4), torch.ones(1, 1, 3, 3), padding=-1),
        ["padding"],
    ),
    "conv2d with groups that do not divide": (
        lambda torch, F: F.conv2d(torch.ones(1, 3, 4, 4), torch.ones(4, 1, 3, 3), groups=2),
        ["groups"],
    ),
    "conv2d with a bias of another size": (
        lambda torch, F: F.conv2d(torch.ones(1, 1, 4, 4), torch.ones(2, 1, 3, 3), torch.ones(3)),
        ["bias"],
    ),
    "conv2d same and strided": (
        lambda torch, F: F.conv2d(torch.ones(1, 1, 4, 4), torch.ones(1, 1, 3, 3), padding="same", stride=2),
        ["same"],
    ),
    "conv2d of two dtypes": (lambda torch, F: F.conv2d(torch.ones(1, 1, 4, 4).double(), torch.ones(1, 1, 3, 3)), []),
    "conv_transpose2d of other channels": (
        lambda torch, F: F.conv_transpose2d(torch.ones(1, 3, 4, 4), torch.ones(2, 1, 3, 3)),
        [],
    ),
    "conv_transpose2d with much output padding": (
        lambda torch, F: F.conv_transpose2d(torch.ones(1, 2, 4, 4), torch.ones(2, 1, 3, 3), output_padding=1),
        ["output padding"],
    ),
    "max_pool2d of a small image": (lambda torch, F: F.max_pool2d(torch.ones(1, 1, 1, 1), 2), []),
    "max_pool2d with much padding": (lambda torch, F: F.max_pool2d(torch.ones(1, 1, 4, 4), 2, padding=2), ["half"]),
    "avg_pool2d with much padding": (lambda torch, F: F.avg_pool2d(torch.ones(1, 1, 4, 4), 2, padding=2), ["half"]),
    "avg_pool2d divided by zero": (
        lambda torch, F: F.avg_pool2d(torch.ones(1, 1, 4, 4), 2, divisor_override=0),
        ["zero"],
    ),
    "reflect padding of much": (lambda torch, F: F.pad(torch.ones(1, 3), (3, 0), mode="reflect"), ["adding size"]),
    "padding of an unknown kind": (lambda torch, F: F.pad(torch.ones(1, 3), (1, 0), mode="mirror"), ["mirror"]),
    "padding of an odd number": (lambda torch, F: F.pad(torch.ones(1, 3), (1,)), []),
    "embedding by floats": (lambda torch, F: F.embedding(torch.ones(2), torch.ones(3, 4)), []),
    "embedding out of range": (lambda torch, F: F.embedding(torch.tensor([3]), torch.ones(3, 4)), ["out of range"]),
    "dropout beyond one": (lambda torch, F: F.dropout(torch.ones(2), 1.5), ["1.5"]),
    "layer_norm of another shape": (lambda torch, F: F.layer_norm(torch.ones(2, 3), (4,)), ["4"]),
    "batch_norm of one value": (
        lambda torch, F: F.batch_norm(torch.ones(1, 3), None, None, training=True),
        ["more than 1 value"],
    ),
    "batch_norm of another number of channels": (
        lambda torch, F: F.batch_norm(torch.ones(2, 3), torch.zeros(4), torch.ones(4)),
        ["3", "4"],
    ),
    "cross_entropy of another batch": (
        lambda torch, F: F.cross_entropy(torch.ones(3, 4), torch.tensor([1, 2])),
        ["3", "2"],
    ),
    "cross_entropy of a class out of range": (
        lambda torch, F: F.cross_entropy(torch.ones(1, 3), torch.tensor([3])),
        ["3"],
    ),
    "cross_entropy of a class below zero": (
        lambda torch, F: F.cross_entropy(torch.ones(1, 3), torch.tensor([-1])),
        ["-1"],
    ),
    "cross_entropy smoothed beyond one": (
        lambda torch, F: F.cross_entropy(torch.ones(1, 3), torch.tensor([1]), label_smoothing=1.5),
        ["label_smoothing"],
    ),
    "cross_entropy with too few weights": (
        lambda torch, F: F.cross_entropy(torch.ones(1, 3), torch.tensor([1]), weight=torch.ones(2)),
        ["weight"],
    ),
    "nll_loss by floats": (lambda torch, F: F.nll_loss(torch.ones(1, 3), torch.tensor([1.0])), []),
    "an unknown reduction": (lambda torch, F: F.mse_loss(torch.ones(3), torch.ones(3), reduction="all"), ["all"]),
    "binary_cross_entropy of another shape": (
        lambda torch, F: F.binary_cross_entropy(torch.ones(3), torch.ones(4)),
        ["3", "4"],
    ),
    "binary_cross_entropy beyond one": (
        lambda torch, F: F.binary_cross_entropy(torch.full((2,), 1.5), torch.ones(2)),
        ["0", "1"],
    ),
    "binary_cross_entropy_with_logits of another shape": (
        lambda torch, F: F.binary_cross_entropy_with_logits(torch.ones(3), torch.ones(4)),
        ["3", "4"],
    ),
}


@pytest.mark.parametrize("name", ARGUMENTS)
def test_arguments_out_of_range(name, implementation):
    call, words = ARGUMENTS[name]
    message = str(same_kind(implementation, call))
    for word in words:
        assert word in message, f"{word!r} is not in the message: {message}"


@pytest.mark.parametrize("name", LAYERS)
def test_layers_that_do_not_fit(name, engine, implementation):
    call, words = LAYERS[name]
    message = str(same_kind(implementation, call))
    for word in words:
        assert word in message, f"{word!r} is not in the message: {message}"


# ---------------------------------------------------------------- nothing half-done after an error


def test_a_change_that_fails_leaves_the_numbers(implementation):
    torch = implementation("operations")
    x = torch.ones(3)
    for change in (
        lambda: x.add_(torch.ones(4)),
        lambda: x.__setitem__(5, 2.0),
        lambda: x.copy_(torch.ones(2)),
        lambda: x.index_add_(0, torch.tensor([0, 7]), torch.ones(2)),
    ):
        version = x._version
        with pytest.raises((RuntimeError, IndexError)):
            change()
        assert x.tolist() == [1.0, 1.0, 1.0]
        assert x._version == version


def test_a_backward_that_fails_leaves_no_gradient(implementation):
    torch = implementation("operations")
    x = torch.ones(3, requires_grad=True)
    y = x * 2
    z = y * y
    y.add_(1)
    with pytest.raises(RuntimeError, match="inplace"):
        z.sum().backward()
    assert x.grad is None
