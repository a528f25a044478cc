"""States: the keys of PyTorch in its order, and errors in its words that leave the network as it was."""

from __future__ import annotations

from collections import OrderedDict
from typing import Any

import numpy as np
import pytest
import torch

import minimal

from .module_cases import arrays, both

COMPONENT = "nn"


def network(nn: Any) -> Any:
    return nn.Sequential(
        OrderedDict(conv=nn.Conv2d(1, 2, 3), norm=nn.BatchNorm2d(2), head=nn.Sequential(nn.Flatten(), nn.Linear(8, 2)))
    )


@pytest.fixture
def nets(implementation):
    return both(network, implementation("nn"))


def test_keys_order_metadata_and_kind(nets):
    ours, theirs = (net.state_dict() for net in nets)
    assert isinstance(ours, OrderedDict)
    assert list(ours) == list(theirs)
    assert ours._metadata == theirs._metadata
    assert not any(value.requires_grad for value in ours.values())
    assert list(nets[0].state_dict(prefix="net.")) == list(nets[1].state_dict(prefix="net."))
    into = {"kept": 1}
    assert nets[0].state_dict(destination=into) is into
    assert next(iter(into)) == "kept"


def test_a_state_shares_memory_and_can_hold_the_parameters_themselves(nets):
    net = nets[0]
    assert np.shares_memory(net.state_dict()["conv.weight"].numpy(), net.conv.weight.detach().numpy())
    assert net.state_dict(keep_vars=True)["conv.weight"] is net.conv.weight


def test_a_state_of_pytorch_goes_in_and_ours_goes_out(nets, parity):
    ours, theirs = nets
    torch.manual_seed(9)
    for tensor in theirs.state_dict().values():
        tensor.copy_(torch.randn(tensor.shape) * 5)
    weight, version = ours.conv.weight, ours.conv.weight._version
    assert repr(ours.load_state_dict(theirs.state_dict())) == "<All keys matched successfully>"
    assert ours.conv.weight is weight
    assert weight._version > version
    for name, value in arrays(ours.state_dict().items()).items():
        parity.identical(value, theirs.state_dict()[name].numpy(), what="state of PyTorch, loaded", option=name)
    back = {name: torch.from_numpy(value.numpy().copy()) for name, value in ours.state_dict().items()}
    assert theirs.load_state_dict(back) == ([], [])


def changes() -> dict[str, Any]:
    """What is done to a state before it is loaded."""

    def rename(state: Any, tensor: Any) -> None:
        state["conv.kernel"] = state.pop("conv.weight")

    def shapes(state: Any, tensor: Any) -> None:
        state["conv.weight"] = tensor(np.ones((2, 1, 5, 5), np.float32))
        state["head.1.bias"] = tensor(np.ones(3, np.float32))

    def everything(state: Any, tensor: Any) -> None:
        shapes(state, tensor)
        del state["norm.running_mean"], state["head.1.weight"]
        state["head.2.weight"] = state["other"] = state["conv.deep.er"] = tensor(np.ones(1, np.float32))

    def no_tensor(state: Any, tensor: Any) -> None:
        state["conv.bias"] = [1.0, 2.0]

    def no_count(state: Any, tensor: Any) -> None:
        del state["norm.num_batches_tracked"]

    return {
        "renamed": rename,
        "other shapes": shapes,
        "all kinds of wrong": everything,
        "a list": no_tensor,
        "without the count": no_count,
        "empty": lambda state, tensor: state.clear(),
    }


@pytest.mark.parametrize("strict", [True, False])
@pytest.mark.parametrize("change", changes())
def test_a_state_that_does_not_fit_raises_pytorchs_words_and_changes_nothing(nets, change, strict):
    ours, theirs = nets
    before = arrays(ours.state_dict().items())
    state, reference = (OrderedDict((k, v.clone()) for k, v in net.state_dict().items()) for net in nets)
    for each, library, net in ((state, minimal, ours), (reference, torch, theirs)):
        each._metadata = net.state_dict()._metadata
        for value in each.values():
            value.add_(1)
        changes()[change](each, lambda array, library=library: library.from_numpy(array))
    try:
        expected = theirs.load_state_dict(reference, strict=strict)
    except RuntimeError as error:
        words = str(error)
        with pytest.raises(RuntimeError) as raised:
            ours.load_state_dict(state, strict=strict)
        if change == "a list":
            assert "conv.bias" in str(raised.value)
        else:
            assert str(raised.value) == words
        for name, value in arrays(ours.state_dict().items()).items():
            np.testing.assert_array_equal(value, before[name], err_msg=f"{name} was changed by a load that failed")
    else:
        result = ours.load_state_dict(state, strict=strict)
        assert result.missing_keys == expected.missing_keys
        assert result.unexpected_keys == expected.unexpected_keys
        for name, value in arrays(ours.state_dict().items()).items():
            np.testing.assert_array_equal(value, theirs.state_dict()[name].numpy(), err_msg=name)


def test_a_state_from_before_batches_were_counted_can_be_loaded(nets):
    ours, theirs = nets
    ours.norm.num_batches_tracked.fill_(7)
    state = {name: value for name, value in ours.state_dict().items() if "num_batches" not in name}
    ours.load_state_dict(state)  # a plain dict has no versions, so it counts as old
    assert ours.norm.num_batches_tracked.item() == 7
    theirs.load_state_dict({k: v for k, v in theirs.state_dict().items() if "num_batches" not in k})


def test_assigned_tensors_take_the_place_of_parameters(nets):
    net = nets[0].requires_grad_(False)
    net.conv.requires_grad_()
    state = {name: value.clone() for name, value in net.state_dict().items()}
    state["conv.weight"] = state["conv.weight"].double()
    weight = net.conv.weight
    net.load_state_dict(state, assign=True)
    assert net.conv.weight is not weight
    assert net.conv.weight.dtype == np.float64
    assert isinstance(net.conv.weight, type(weight))
    assert net.conv.weight.requires_grad
    assert not net.head[1].weight.requires_grad
    assert np.shares_memory(net.norm.running_mean.numpy(), state["norm.running_mean"].numpy())


def test_whole_numbers_cannot_be_assigned_to_what_needs_gradients(nets):
    net = nets[0]
    state = dict(net.state_dict(), **{"conv.bias": minimal.tensor([1, 2])})
    with pytest.raises(RuntimeError, match=r"conv\.bias"):
        net.load_state_dict(state, assign=True)
    net.load_state_dict(state)
    assert net.conv.bias.tolist() == [1.0, 2.0]


def test_values_are_converted_to_the_dtype_of_the_module(nets):
    net = nets[0].double()
    state = {name: value.numpy().astype(np.float32) for name, value in net.state_dict().items()}
    state["conv.bias"] = np.array([0.1, 0.2], np.float32)
    net.load_state_dict(state)
    assert net.conv.bias.dtype == np.float64
    assert net.conv.bias.tolist() == np.array([0.1, 0.2], np.float32).tolist()


@pytest.mark.parametrize("state", [None, [("weight", 1)], "weight"])
def test_a_state_is_a_mapping(nets, state):
    with pytest.raises(TypeError, match="dict-like"):
        nets[0].load_state_dict(state)


def test_buffers_that_are_not_persistent_stay_out(implementation):
    def make(nn: Any) -> Any:
        module = nn.Module()
        tensor = torch.ones(2) if nn is torch.nn else minimal.ones(2)
        module.register_buffer("kept", tensor)
        module.register_buffer("scratch", tensor, persistent=False)
        module.register_buffer("none", None)
        return module

    ours, theirs = both(make, implementation("nn"))
    assert list(ours.state_dict()) == list(theirs.state_dict()) == ["kept"]
    ours.scratch = minimal.zeros(2)
    assert list(ours.state_dict()) == ["kept"]


def test_one_number_in_a_vector_is_taken_for_the_number(nets):
    net = nets[0]
    net.load_state_dict({**net.state_dict(), "norm.num_batches_tracked": minimal.tensor([4])})
    assert net.norm.num_batches_tracked.item() == 4
    assert net.norm.num_batches_tracked.shape == ()
