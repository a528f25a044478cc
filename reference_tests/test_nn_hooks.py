"""Hooks: called in PyTorch's order with PyTorch's arguments, and what they return counts."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pytest
import torch

import minimal

from .module_cases import both

COMPONENT = "nn"


def pair(implementation: Any) -> Any:
    """The two libraries, each with a network of its own from one seed and an input."""
    nets = both(lambda nn: nn.Sequential(nn.Linear(2, 3), nn.Tanh(), nn.Linear(3, 1)), implementation("nn"))
    x = [[0.5, -1.0], [2.0, 0.25]]
    return (
        (minimal, nets[0].double(), minimal.tensor(x, dtype=minimal.float64)),
        (torch, nets[1].double(), torch.tensor(x, dtype=torch.float64)),
    )


def compare(implementation: Any, scenario: Any) -> list[Any]:
    """Run one scenario on both sides; what it notes must be the same, numbers to rounding."""
    notes: list[list[Any]] = []
    for library, net, x in pair(implementation):
        notes.append([])
        scenario(library, net, x, notes[-1].append)
    ours, theirs = notes
    assert len(ours) == len(theirs)
    for a, b in zip(ours, theirs):
        assert type(a) is type(b)
        if isinstance(a, np.ndarray):
            np.testing.assert_allclose(a, b, rtol=1e-12, atol=1e-14)
        else:
            assert a == b
    assert ours
    return ours


def values(*tensors: Any) -> Any:
    return np.concatenate([tensor.detach().numpy().ravel() for tensor in tensors if tensor is not None])


def test_order_of_forward_hooks(implementation):
    def scenario(library: Any, net: Any, x: Any, note: Any) -> None:
        for i in range(2):
            net.register_forward_pre_hook(lambda module, args, i=i: note(f"pre {i} {len(args)}"))
            net.register_forward_hook(lambda module, args, out, i=i: note(f"post {i} {tuple(out.shape)}"))
        net.register_forward_pre_hook(lambda module, args: note("first pre"), prepend=True)
        net.register_forward_hook(lambda module, args, out: note("first post"), prepend=True)
        net[1].register_forward_hook(lambda module, args, out: note(type(module).__name__))
        net(x)

    assert compare(implementation, scenario)[0] == "first pre"


def test_hooks_change_arguments_and_results(implementation):
    def scenario(library: Any, net: Any, x: Any, note: Any) -> None:
        net.register_forward_pre_hook(lambda module, args: args[0] * 2)
        net.register_forward_pre_hook(lambda module, args: (args[0] + 1,))
        net.register_forward_hook(lambda module, args, out: out * 3)
        handle = net.register_forward_hook(lambda module, args, out: out + args[0].sum())
        note(values(net(x)))
        handle.remove()
        handle.remove()
        note(values(net(x)))
        with net.register_forward_hook(lambda module, args, out: out * 0):
            note(values(net(x)))
        note(values(net(x)))

    compare(implementation, scenario)


def test_hooks_with_keyword_arguments(implementation):
    nn = implementation("nn")

    class Scaled(nn.Module):
        def forward(self, x: Any, factor: float = 1.0) -> Any:
            return x * factor

    module = Scaled()
    seen = []
    module.register_forward_pre_hook(lambda m, args, kwargs: (args, {"factor": kwargs["factor"] + 1}), with_kwargs=True)
    module.register_forward_hook(lambda m, args, kwargs, out: seen.append(kwargs), with_kwargs=True)
    assert module(minimal.tensor(2.0), factor=3.0).item() == 8.0
    assert seen == [{"factor": 4.0}]
    module.register_forward_pre_hook(lambda m, args, kwargs: args, with_kwargs=True)
    with pytest.raises(RuntimeError, match="forward pre-hook must return None or a tuple"):
        module(minimal.tensor(2.0), factor=3.0)


def test_hooks_that_are_always_called(implementation):
    def scenario(library: Any, net: Any, x: Any, note: Any) -> None:
        def fail(*args: Any) -> None:
            raise ZeroDivisionError("from a hook")

        net.register_forward_hook(lambda module, args, out: note("always 1"), always_call=True)
        net.register_forward_hook(fail)
        net.register_forward_hook(lambda module, args, out: note(f"always 2 {out is None}"), always_call=True)
        net.register_forward_hook(lambda module, args, out: note("never"))
        with pytest.raises(ZeroDivisionError):
            net(x)
        net[0].register_forward_pre_hook(fail)
        with pytest.raises(ZeroDivisionError):
            net(x)

    assert compare(implementation, scenario) == ["always 1", "always 2 False", "always 1", "always 2 True"]


def test_an_always_called_hook_that_fails_is_silenced_with_a_warning(implementation):
    def scenario(library: Any, net: Any, x: Any, note: Any) -> None:
        def fail(*args: Any) -> None:
            raise ZeroDivisionError("from a hook")

        net.register_forward_pre_hook(lambda module, args: fail())
        net.register_forward_hook(fail, always_call=True)
        with pytest.warns(UserWarning, match="silenced"), pytest.raises(ZeroDivisionError):
            net(x)
        note("raised")

    compare(implementation, scenario)


def test_backward_hooks_see_gradients_in_order(implementation):
    def scenario(library: Any, net: Any, x: Any, note: Any) -> None:
        x.requires_grad_()
        for i, module in enumerate(net):
            module.register_full_backward_pre_hook(lambda m, g, i=i: note(f"pre {i} {len(g)}"))
            module.register_full_backward_hook(lambda m, before, after, i=i: note(values(*before, *after)))
        net.register_full_backward_hook(lambda m, before, after: note("whole"))
        net(x).sum().backward()
        note(values(x.grad, *(parameter.grad for parameter in net.parameters())))

    assert len(compare(implementation, scenario)) == 8


def test_backward_hooks_change_gradients(implementation):
    def scenario(library: Any, net: Any, x: Any, note: Any) -> None:
        x.requires_grad_()
        net[1].register_full_backward_hook(lambda m, before, after: (before[0] * 2,))
        net[1].register_full_backward_hook(lambda m, before, after: (before[0] + after[0],), prepend=True)
        net[2].register_full_backward_pre_hook(lambda m, g: (g[0] * -3,))
        net(x).sum().backward()
        note(values(x.grad, *(parameter.grad for parameter in net.parameters())))

    compare(implementation, scenario)


def test_backward_hooks_where_no_input_needs_a_gradient(implementation):
    def scenario(library: Any, net: Any, x: Any, note: Any) -> None:
        net.register_full_backward_hook(lambda m, before, after: note(f"{before} {len(after)}"))
        with pytest.warns(UserWarning, match="no inputs require gradients"):
            net(x).sum().backward()
        note(values(*(parameter.grad for parameter in net.parameters())))

    assert compare(implementation, scenario)[0] == "(None,) 1"


@pytest.mark.parametrize("which", ["register_full_backward_hook", "register_full_backward_pre_hook"])
def test_backward_hooks_must_return_as_many_gradients_as_there_are(which, implementation):
    def scenario(library: Any, net: Any, x: Any, note: Any) -> None:
        x.requires_grad_()
        getattr(net, which)(lambda m, *gradients: (gradients[0][0], gradients[0][0]))
        out = net(x).sum()
        with pytest.raises(RuntimeError, match="invalid number of grad"):
            out.backward()
        note("raised")

    compare(implementation, scenario)


def test_backward_hooks_of_a_module_with_several_tensors(implementation):
    notes = []
    for library, nn in ((minimal, implementation("nn")), (torch, torch.nn)):

        class Both(nn.Module):
            def forward(self, a: Any, word: str, b: Any) -> Any:
                return a * b, a + b, word

        module = Both()
        seen: list[Any] = []
        module.register_full_backward_hook(
            lambda m, before, after, seen=seen: seen.append([g if g is None else g.tolist() for g in (*before, *after)])
        )
        a = library.tensor([1.0, 2.0], requires_grad=True)
        b = library.tensor([3.0, 5.0])
        product, total, word = module(a, "word", b)
        assert word == "word"
        (product.sum() + 2 * total.sum()).backward()
        notes.append((seen, a.grad.tolist()))
    ours, theirs = notes
    assert ours[1] == theirs[1] == [5.0, 7.0]
    assert ours[0][0][:2] == theirs[0][0][:2]
    assert ours[0][0][3:] == theirs[0][0][3:]


def test_backward_hooks_without_recording_are_not_called(implementation):
    def scenario(library: Any, net: Any, x: Any, note: Any) -> None:
        net.register_full_backward_hook(lambda m, before, after: note("called"))
        with library.no_grad(), warnings.catch_warnings():
            note(values(net(x)))

    compare(implementation, scenario)


def test_a_backward_hook_on_a_module_that_returns_no_tensor_warns(implementation):
    nn = implementation("nn")

    class Words(nn.Module):
        def forward(self, x: Any) -> dict[str, Any]:
            return {"out": x * 2}

    module = Words()
    module.register_full_backward_hook(lambda m, before, after: None)
    with pytest.warns(UserWarning, match="Tensor or a tuple of Tensors"):
        out = module(minimal.tensor([1.0], requires_grad=True))
    assert out["out"].tolist() == [2.0]


def test_second_derivatives_go_through_backward_hooks(implementation):
    nn = implementation("nn")
    module = nn.Tanh()
    module.register_full_backward_hook(lambda m, before, after: None)
    x = minimal.tensor([0.5], dtype=minimal.float64, requires_grad=True)
    (first,) = minimal.autograd.grad(module(x).sum(), x, create_graph=True)
    (second,) = minimal.autograd.grad(first.sum(), x)
    t = np.tanh(0.5)
    assert second.item() == pytest.approx(-2 * t * (1 - t * t), rel=1e-12)
