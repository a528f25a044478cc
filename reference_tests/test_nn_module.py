"""A module is what its attributes are: registration, names, traversal, modes and dtypes, as in PyTorch."""

from __future__ import annotations

import copy
import pickle
from typing import Any

import numpy as np
import pytest
import torch

import minimal

COMPONENT = "nn"


def block(nn: Any, make: Any) -> Any:
    """A network with everything in it: layers, a list, a parameter and buffers of its own, a layer that is there twice."""

    class Net(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.scale = nn.Parameter(make([2.0, 3.0]))
            self.register_buffer("seen", make([0.0, 0.0]))
            self.register_buffer("scratch", make([1.0]), persistent=False)
            self.body = nn.Sequential(nn.Linear(2, 2), nn.BatchNorm1d(2), nn.ReLU())
            self.heads = nn.ModuleList([nn.Linear(2, 1), nn.Linear(2, 1)])
            self.again = self.heads[0]
            self.nothing = None
            self.register_parameter("absent", None)
            self.register_module("gap", None)

        def forward(self, x: Any) -> Any:
            return self.heads[1](self.body(x * self.scale)) + self.again(x)

    minimal.manual_seed(0)
    torch.manual_seed(0)
    return Net()


@pytest.fixture
def nets(implementation):
    return block(implementation("nn"), minimal.tensor), block(torch.nn, torch.tensor)


@pytest.mark.parametrize(
    ("method", "options"),
    [
        ("named_parameters", {}),
        ("named_parameters", {"prefix": "net"}),
        ("named_parameters", {"recurse": False}),
        ("named_parameters", {"remove_duplicate": False}),
        ("named_buffers", {}),
        ("named_buffers", {"recurse": False, "prefix": "net"}),
        ("named_modules", {}),
        ("named_modules", {"remove_duplicate": False, "prefix": "net"}),
        ("named_children", {}),
    ],
)
def test_names_come_in_the_order_of_pytorch(nets, method, options):
    ours, theirs = ([name for name, _ in getattr(net, method)(**options)] for net in nets)
    assert ours == theirs
    assert ours


@pytest.mark.parametrize("method", ["parameters", "buffers", "children", "modules"])
def test_values_come_as_often_as_in_pytorch(nets, method):
    ours, theirs = (list(getattr(net, method)()) for net in nets)
    assert len(ours) == len(theirs)
    assert len(set(map(id, ours))) == len(ours)


def test_text_of_a_whole_network(nets):
    assert repr(nets[0]) == repr(nets[1])


def test_text_of_several_lines(implementation):
    def make(nn: Any) -> Any:
        class Described(nn.Module):
            def extra_repr(self) -> str:
                return "first line\nsecond line"

        module = Described()
        module.inner = Described()
        return nn.ModuleList([Described(), Described(), nn.Sequential(module), nn.ModuleDict({"a": nn.Tanh()})])

    assert repr(make(implementation("nn"))) == repr(make(torch.nn))
    assert repr(implementation("nn").Module()) == repr(torch.nn.Module())


def test_forward_and_gradients_of_a_whole_network(nets, parity):
    ours, theirs = (net.double() for net in nets)
    x = np.random.default_rng(0).standard_normal((4, 2))
    out, expected = ours(minimal.tensor(x)), theirs(torch.tensor(x))
    (out**2).sum().backward()
    (expected**2).sum().backward()
    parity.rounding(out.detach().numpy(), expected.detach().numpy(), what="output of a network")
    # All in one vector: the bias before a batch normalization has a gradient of nothing but roundings.
    mine, reference = (np.concatenate([p.grad.numpy().ravel() for p in net.parameters()]) for net in (ours, theirs))
    parity.rounding(mine, reference, what="gradients of a network", bound=1e-11)


def test_lookup_by_dotted_names(nets):
    net, theirs = nets
    assert net.get_submodule("") is net
    assert net.get_submodule("body.1") is net.body[1]
    assert net.get_parameter("heads.1.bias") is net.heads[1].bias
    assert net.get_buffer("body.1.running_var") is net.body[1].running_var
    for method, path, expected in [
        ("get_submodule", "body.7", "Sequential has no attribute `7`"),
        ("get_submodule", "scale", "`scale` is not an nn.Module"),
        ("get_parameter", "body.9.weight", "Sequential has no attribute `9`"),
        ("get_parameter", "seen", "`seen` is not an nn.Parameter"),
        ("get_parameter", "body.wide", "Sequential has no attribute `wide`"),
        ("get_buffer", "scale", "`scale` is not a buffer"),
        ("get_buffer", "absentee", "Net has no attribute `absentee`"),
    ]:
        with pytest.raises(AttributeError):
            getattr(theirs, method)(path)
        with pytest.raises(AttributeError, match=expected):
            getattr(net, method)(path)


def attempts(nn: Any, tensor: Any) -> list[Any]:
    """Assignments and registrations, some of which raise."""
    linear, parameter = nn.Linear(1, 1), nn.Parameter(tensor([1.0]))

    def set_before_init(value: Any) -> Any:
        class Early(nn.Module):
            def __init__(self) -> None:
                self.early = value
                super().__init__()

        return Early

    def fresh(action: Any) -> Any:
        def run() -> Any:
            module = nn.Linear(2, 2)
            module.register_buffer("seen", tensor([0.0]))
            module.child = nn.ReLU()
            action(module)
            return [
                sorted(name for name, _ in named())
                for named in (module.named_parameters, module.named_buffers, module.named_children)
            ]

        return run

    return [
        set_before_init(parameter),
        set_before_init(linear),
        set_before_init(3),
        fresh(lambda m: setattr(m, "weight", tensor([1.0]))),
        fresh(lambda m: setattr(m, "weight", None)),
        fresh(lambda m: setattr(m, "weight", linear)),
        fresh(lambda m: setattr(m, "child", 3)),
        fresh(lambda m: setattr(m, "child", None)),
        fresh(lambda m: setattr(m, "child", parameter)),
        fresh(lambda m: setattr(m, "seen", "text")),
        fresh(lambda m: setattr(m, "seen", None)),
        fresh(lambda m: setattr(m, "seen", linear)),
        fresh(lambda m: setattr(m, "seen", parameter)),
        fresh(lambda m: setattr(m, "in_features", parameter)),
        fresh(lambda m: setattr(m, "in_features", linear)),
        fresh(lambda m: delattr(m, "weight")),
        fresh(lambda m: delattr(m, "seen")),
        fresh(lambda m: delattr(m, "child")),
        fresh(lambda m: delattr(m, "absent")),
        fresh(lambda m: m.absent),
        fresh(lambda m: m.register_parameter("in_features", parameter)),
        fresh(lambda m: m.register_parameter("a.b", parameter)),
        fresh(lambda m: m.register_parameter("", parameter)),
        fresh(lambda m: m.register_parameter(3, parameter)),
        fresh(lambda m: m.register_parameter("new", tensor([1.0]))),
        fresh(lambda m: m.register_parameter("weight", parameter)),
        fresh(lambda m: m.register_parameter("new", None)),
        fresh(lambda m: m.register_buffer("weight", tensor([1.0]))),
        fresh(lambda m: m.register_buffer("a.b", tensor([1.0]))),
        fresh(lambda m: m.register_buffer("", tensor([1.0]))),
        fresh(lambda m: m.register_buffer("new", 3.0)),
        fresh(lambda m: m.register_buffer(None, tensor([1.0]))),
        fresh(lambda m: m.add_module("weight", linear)),
        fresh(lambda m: m.add_module("a.b", linear)),
        fresh(lambda m: m.add_module("", linear)),
        fresh(lambda m: m.add_module("new", parameter)),
        fresh(lambda m: m.add_module(3, linear)),
        fresh(lambda m: m.add_module("new", linear)),
        fresh(lambda m: m.train("yes")),
        fresh(lambda m: m.to("cuda:9") if nn is not torch.nn else _raise(RuntimeError())),
        fresh(lambda m: m.to(minimal.int64 if nn is not torch.nn else torch.int64)),
        lambda: nn.Module()(tensor([1.0])),
        lambda: nn.Parameter(tensor([1])),
    ]


def _raise(error: Exception) -> None:
    raise error


@pytest.mark.parametrize("number", range(43))
def test_assignments_do_and_raise_what_they_do_in_pytorch(number, implementation):
    ours, theirs = (
        attempts(nn, tensor)[number]
        for nn, tensor in ((implementation("nn"), minimal.tensor), (torch.nn, torch.tensor))
    )
    try:
        expected = theirs()
    except Exception as error:
        with pytest.raises(type(error)) as raised:
            ours()
        assert str(raised.value)
    else:
        result = ours()
        assert isinstance(result, list) == isinstance(expected, list)
        if isinstance(expected, list):
            assert result == expected


def test_no_attempt_is_left_out(implementation):
    assert len(attempts(torch.nn, torch.tensor)) == 43


def test_a_computed_tensor_is_no_parameter(implementation):
    nn = implementation("nn")
    module = nn.Module()
    computed = nn.Parameter(minimal.tensor([1.0])) * 2
    with pytest.raises(TypeError, match="cannot assign"):
        module.register_parameter("computed", computed)


def test_modes_and_gradients_of_the_whole_tree(nets):
    net, _ = nets
    assert net.eval() is net
    assert not any(module.training for module in net.modules())
    assert all(module.training for module in net.train().modules())
    assert net.requires_grad_(False) is net
    assert not any(parameter.requires_grad for parameter in net.parameters())
    net.requires_grad_()
    x = minimal.ones(3, 2)
    net(x).sum().backward()
    assert all(parameter.grad is not None for parameter in net.parameters())
    net.zero_grad(set_to_none=False)
    assert all(not parameter.grad.numpy().any() for parameter in net.parameters())
    net.zero_grad()
    assert all(parameter.grad is None for parameter in net.parameters())


def test_apply_reaches_children_before_parents(nets):
    ours, theirs = [], []
    nets[0].apply(lambda module: ours.append(type(module).__name__))
    nets[1].apply(lambda module: theirs.append(type(module).__name__))
    assert ours == theirs
    assert ours[-1] == "Net"


def test_dtypes_are_converted_in_place_of_the_same_parameters(nets):
    net, theirs = nets
    before = list(net.parameters())
    net(minimal.ones(3, 2)).sum().backward()
    assert net.double() is net
    assert all(a is b for a, b in zip(before, net.parameters()))
    theirs.double()
    for (name, a), b in zip(net.state_dict().items(), theirs.state_dict().values()):
        assert str(b.dtype) == f"torch.{a.dtype}", name
    assert all(parameter.grad.dtype == np.float64 for parameter in net.parameters())
    assert all(parameter.requires_grad for parameter in net.parameters())
    assert net.half().scale.dtype == np.float16
    assert net.float().scale.dtype == np.float32
    assert net.to("cpu", minimal.float64).scale.dtype == np.float64
    assert net.to(minimal.tensor([1.0])).scale.dtype == np.float32
    assert net.to(device="cpu").scale.dtype == np.float32
    assert net.body[1].num_batches_tracked.dtype == np.int64


def test_layers_are_made_in_the_dtype_asked_for(implementation, parity):
    nn = implementation("nn")
    for make in (
        lambda nn, dtype: nn.Linear(3, 2, dtype=dtype),
        lambda nn, dtype: nn.Conv2d(3, 2, 3, dtype=dtype),
        lambda nn, dtype: nn.Embedding(5, 4, dtype=dtype),
    ):
        minimal.manual_seed(0)
        torch.manual_seed(0)
        ours, theirs = make(nn, minimal.float64), make(torch.nn, torch.float64)
        parity.identical(ours.weight.detach().numpy(), theirs.weight.detach().numpy(), what="first weight in float64")


def test_tied_parameters_are_one_parameter(implementation):
    nn = implementation("nn")
    net = nn.Sequential(nn.Linear(2, 2), nn.Linear(2, 2))
    net[1].weight = net[0].weight
    assert [name for name, _ in net.named_parameters()] == ["0.weight", "0.bias", "1.bias"]
    assert len(net.state_dict()) == 4
    again = copy.deepcopy(net)
    assert again[0].weight is again[1].weight
    assert again[0].weight is not net[0].weight
    net(minimal.ones(1, 2)).sum().backward()
    other = nn.Sequential(nn.Linear(2, 2), nn.Linear(2, 2))
    other.load_state_dict(net.state_dict())
    other(minimal.ones(1, 2)).sum().backward()
    expected = other[0].weight.grad.numpy() + other[1].weight.grad.numpy()
    np.testing.assert_allclose(net[0].weight.grad.numpy(), expected, rtol=1e-6)


def test_a_pickled_network_remembers_all(implementation):
    net = implementation("nn").Sequential(implementation("nn").Linear(2, 3), implementation("nn").BatchNorm1d(3)).eval()
    again = pickle.loads(pickle.dumps(net))
    assert not again.training
    assert repr(again) == repr(net)
    assert isinstance(again[0].weight, implementation("nn").Parameter)
    assert again[0].weight.requires_grad
    np.testing.assert_array_equal(again[0].weight.detach().numpy(), net[0].weight.detach().numpy())


def test_parameters_share_the_memory_they_are_made_of(implementation):
    nn = implementation("nn")
    values = np.ones(3, np.float32)
    parameter = nn.Parameter(minimal.from_numpy(values))
    values[0] = 5
    assert parameter.tolist() == [5, 1, 1]
    assert repr(parameter).startswith("Parameter containing:\ntensor([5., 1., 1.]")
    assert nn.Parameter().shape == (0,)
    assert not nn.Parameter(minimal.tensor([1]), requires_grad=False).requires_grad
