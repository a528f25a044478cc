"""Optimizers take PyTorch's steps: many of them, with every option, from the same gradients; and refuse what it refuses."""

from __future__ import annotations

import copy
import pickle

import numpy as np
import pytest
import torch

from minimal import optim
from minimal.autograd.modes import is_grad_enabled, no_grad
from minimal.autograd.tensor import Tensor

CASES = {
    "SGD": [
        {},
        {"lr": 0.1, "weight_decay": 0.01},
        {"lr": 0.1, "momentum": 0.9, "weight_decay": 0.01},
        {"lr": 0.1, "momentum": 0.9, "dampening": 0.3, "maximize": True},
        {"lr": 0.1, "momentum": 0.9, "nesterov": True, "weight_decay": 0.1},
        {"lr": 0.0},
    ],
    "Adam": [
        {},
        {"lr": 0.01, "betas": (0.8, 0.9), "eps": 1e-4, "weight_decay": 0.1},
        {"lr": 0.01, "amsgrad": True, "maximize": True},
        {"lr": 0.01, "weight_decay": 0.1, "decoupled_weight_decay": True},
        {"betas": (0.0, 0.3), "weight_decay": 0.1, "amsgrad": True},
    ],
    "AdamW": [{}, {"lr": 0.01, "weight_decay": 0.3, "amsgrad": True}, {"maximize": True}],
    "RMSprop": [
        {},
        {"momentum": 0.9, "weight_decay": 0.1},
        {"centered": True, "alpha": 0.9, "eps": 1e-3},
        {"centered": True, "momentum": 0.5, "maximize": True},
    ],
    "Adagrad": [
        {},
        {"lr": 0.1, "lr_decay": 0.1, "weight_decay": 0.1},
        {"initial_accumulator_value": 0.5, "eps": 1e-3, "maximize": True},
    ],
}
NAMES = [pytest.param(name, marks=pytest.mark.component(name)) for name in CASES]
GRID = [
    pytest.param(name, options, marks=pytest.mark.component(name), id=f"{name}-{i}")
    for name, cases in CASES.items()
    for i, options in enumerate(cases)
]
SHAPES = [(7, 5), (3,), (), (4, 3, 2, 2), (0, 2), (200,)]
FUSED = "PyTorch multiplies and adds in one instruction; the NumPy engine rounds the product first"
ROOTS = "PyTorch's vector library does not always take the nearest double for a square root"


class Pair:
    """The same parameters twice: ours and PyTorch's, with an optimizer each, fed the same gradients."""

    def __init__(self, ours, name, options, dtype=np.float64, shapes=SHAPES, seed=0, layout=lambda array: array):
        self.random, self.dtype = np.random.default_rng(seed), dtype
        arrays = [np.asarray(self.random.normal(size=shape), dtype) for shape in shapes]
        self.params = [Tensor(layout(array.copy())).requires_grad_() for array in arrays]
        self.references = [torch.tensor(array).requires_grad_() for array in arrays]
        self.layout = layout
        self.optimizer = ours(self.grouped(self.params), **options)
        self.reference = getattr(torch.optim, name)(self.grouped(self.references), **options)

    def grouped(self, params):
        return params

    def feed(self, without=()):
        """New gradients of very different sizes; None for the parameters named."""
        for i, (param, reference) in enumerate(zip(self.params, self.references)):
            size = 10.0 ** self.random.uniform(-3, 1)
            grad = np.asarray(size * self.random.normal(size=param.shape), self.dtype)
            param.grad = None if i in without else Tensor(self.layout(grad))
            reference.grad = None if i in without else torch.tensor(grad)

    def run(self, steps, without=lambda step: ()):
        for step in range(steps):
            self.feed(without(step))
            self.optimizer.step()
            self.reference.step()

    def check(self, parity, engine, name, option=""):
        ours = np.concatenate([param.array.ravel() for param in self.params])
        theirs = np.concatenate([reference.detach().numpy().ravel() for reference in self.references])
        if engine == "numba" and name == "SGD":
            parity.identical(ours, theirs, what="parameters after many steps", option=option)
            return
        # Each step may differ by a rounding, and the next ones carry it on: measured 1 eps (numba) and 1.5 eps (NumPy).
        bound = (2 if engine == "numba" else 4) * float(np.finfo(self.dtype).eps)
        reason = ROOTS if engine == "numba" else f"{FUSED}; {ROOTS}"
        parity.rounding(ours, theirs, what="parameters after many steps", option=option, bound=bound, reason=reason)


class Groups(Pair):
    """Two groups, the second with options of its own."""

    def grouped(self, params):
        return [{"params": params[:2]}, {"params": params[2:], "lr": 0.03, "weight_decay": 0.2}]


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize(("name", "options"), GRID)
def test_sixty_steps_are_the_references(name, options, dtype, engine, implementation, parity):
    pair = Pair(implementation(name), name, options, dtype)
    before = [param.array for param in pair.params]
    versions = [param._version for param in pair.params]
    pair.run(60, without=lambda step: (1,) if step % 3 == 0 else ())
    pair.check(parity, engine, name, str(options))
    assert all(param.array is array for param, array in zip(pair.params, before))  # in place, as views of it expect
    assert [param._version - v for param, v in zip(pair.params, versions)] == [60, 40, 60, 60, 60, 60]


@pytest.mark.parametrize("name", NAMES)
def test_half_precision(name, engine, implementation, parity):
    """On both engines the NumPy text runs, which rounds more often than PyTorch: to half precision after each operation."""
    options = {"lr": 0.01, "momentum": 0.9} if name == "SGD" else {"eps": 1e-3}
    pair = Pair(implementation(name), name, options, np.float16)
    pair.run(20)
    ours = np.concatenate([param.array.ravel() for param in pair.params])
    theirs = np.concatenate([reference.detach().numpy().ravel() for reference in pair.references])
    bound = 4 * float(np.finfo(np.float16).eps)
    parity.rounding(ours, theirs, what="parameters in float16", bound=bound, reason="rounded after each operation")


@pytest.mark.parametrize("name", NAMES)
def test_groups_keep_their_own_options_and_rates_may_change(name, engine, implementation, parity):
    pair = Groups(implementation(name), name, {"lr": 0.01})
    pair.run(20)
    for optimizer in (pair.optimizer, pair.reference):
        optimizer.param_groups[0]["lr"] = 0.05
    pair.run(20)
    pair.check(parity, engine, name, "groups")
    options = [{k: v for k, v in group.items() if k != "params"} for group in pair.optimizer.param_groups]
    assert options == [{k: v for k, v in group.items() if k != "params"} for group in pair.reference.param_groups]


LAYOUTS = {
    "channels last": lambda a: np.moveaxis(np.ascontiguousarray(np.moveaxis(a, 1, -1)), -1, 1) if a.ndim == 4 else a,
    "transposed": lambda a: a.copy("F"),
    "every other": lambda a: np.repeat(a, 2, axis=0)[::2] if a.ndim else a,
}


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("name", NAMES)
def test_memory_layout_changes_nothing(name, layout, engine, implementation):
    options = {"momentum": 0.9} if name in ("SGD", "RMSprop") else {}
    pairs = [Pair(implementation(name), name, options, layout=kind) for kind in (lambda a: a, LAYOUTS[layout])]
    for pair in pairs:
        pair.run(10)
    plain, other = (pair.params for pair in pairs)
    for a, b in zip(plain, other):
        np.testing.assert_array_equal(a.array, b.array)
    if layout == "channels last":
        assert not other[3].array.flags.c_contiguous
        kept = [value for key, value in pairs[1].optimizer.state[other[3]].items() if key != "step"]
        assert kept
        assert all(value.array.strides == other[3].array.strides for value in kept)


@pytest.mark.parametrize("name", NAMES)
def test_gradients_in_another_layout_than_their_parameter(name, engine, implementation):
    optimizer = implementation(name)([param := Tensor(np.ones((3, 4))).requires_grad_()])
    same = implementation(name)([twin := Tensor(np.ones((3, 4))).requires_grad_()])
    grad = np.random.default_rng(0).normal(size=(3, 4))
    param.grad, twin.grad = Tensor(np.asfortranarray(grad)), Tensor(grad)
    optimizer.step()
    same.step()
    np.testing.assert_array_equal(param.array, twin.array)
    assert not (param.array == 1).any()


# ---------------------------------------------------------------- checkpoints


def to_torch(value):
    """Our state_dict with PyTorch's tensors in it."""
    if isinstance(value, Tensor):
        return torch.tensor(value.detach().numpy())
    if isinstance(value, dict):
        return {key: to_torch(each) for key, each in value.items()}
    return [to_torch(each) for each in value] if isinstance(value, list) else value


@pytest.mark.parametrize(("name", "options"), GRID)
def test_state_goes_from_pytorch_to_us_and_back(name, options, engine, implementation, parity):
    pair = Groups(implementation(name), name, options)
    pair.run(5, without=lambda step: (0,))
    ours, theirs = pair.optimizer.state_dict(), pair.reference.state_dict()
    assert ours["param_groups"] == theirs["param_groups"]
    assert {i: list(kept) for i, kept in ours["state"].items()} == {
        i: list(kept) for i, kept in theirs["state"].items()
    }
    for i, kept in theirs["state"].items():
        for key, value in kept.items():
            assert ours["state"][i][key].dtype == value.numpy().dtype
            assert ours["state"][i][key].shape == tuple(value.shape)

    crossed = Groups(implementation(name), name, {})
    with torch.no_grad():
        for mine, theirs_, old in zip(crossed.params, crossed.references, pair.references):
            mine.array[...] = old.detach().numpy()
            theirs_.copy_(old)
    crossed.optimizer.load_state_dict(pair.reference.state_dict())
    crossed.reference.load_state_dict(to_torch(pair.optimizer.state_dict()))
    crossed.run(30)
    crossed.check(parity, engine, name, f"resumed from the other side, {options}")


def test_loading_copies_and_keeps_dtype_and_layout():
    nhwc = LAYOUTS["channels last"](np.zeros((2, 3, 4, 5), np.float32))
    first = optim.Adam([param := Tensor(nhwc).requires_grad_()])
    param.grad = Tensor(np.ones_like(nhwc))
    first.step()
    state = first.state_dict()
    wide = {
        "state": {0: {key: Tensor(np.ascontiguousarray(v.array, np.float64)) for key, v in state["state"][0].items()}}
    }
    second = optim.Adam([other := Tensor(nhwc.copy("K")).requires_grad_()])
    second.load_state_dict({**state, **wide})
    kept = second.state[other]
    assert kept["exp_avg"].dtype == np.float32
    assert kept["exp_avg"].array.strides == other.array.strides
    assert kept["step"].dtype == np.float64  # the one that keeps the dtype it comes with
    before = kept["exp_avg"].array.copy()
    first.step()
    np.testing.assert_array_equal(kept["exp_avg"].array, before)
    second.param_groups[0]["lr"] = 7.0
    assert first.param_groups[0]["lr"] == 1e-3


def test_adamw_stays_adamw_with_the_state_of_adam():
    param = Tensor(np.ones(2)).requires_grad_()
    optimizer = optim.AdamW([param])
    optimizer.load_state_dict(optim.Adam([param]).state_dict())
    assert optimizer.param_groups[0]["decoupled_weight_decay"] is True


def test_loading_what_does_not_fit_changes_nothing():
    params = [Tensor(np.ones(2)).requires_grad_() for _ in range(3)]
    optimizer = optim.SGD(params, lr=0.5)
    for other, words in [
        (optim.SGD([{"params": params[:1]}, {"params": params[1:]}]), "different number of parameter groups"),
        (optim.SGD(params[:2]), "doesn't match the size of optimizer's group"),
    ]:
        with pytest.raises(ValueError, match=words):
            optimizer.load_state_dict(other.state_dict())
        assert optimizer.param_groups[0]["lr"] == 0.5


def test_an_older_state_gets_the_options_it_lacks():
    optimizer = optim.SGD([Tensor(np.ones(2)).requires_grad_()])
    state = optimizer.state_dict()
    del state["param_groups"][0]["nesterov"]
    optimizer.load_state_dict(state)
    assert optimizer.param_groups[0]["nesterov"] is False


@pytest.mark.parametrize("copied", [copy.deepcopy, lambda o: pickle.loads(pickle.dumps(o))], ids=["copy", "pickle"])
def test_a_copy_goes_its_own_way(copied):
    param = Tensor(np.ones(2)).requires_grad_()
    optimizer = optim.Adam([param], lr=0.1)
    param.grad = Tensor(np.ones(2))
    optimizer.step()
    other = copied(optimizer)
    (twin,) = other.param_groups[0]["params"]
    assert twin is not param
    assert list(other.state) == [twin]
    twin.grad = Tensor(np.ones(2))
    other.step()
    optimizer.step()
    np.testing.assert_array_equal(twin.array, param.array)


# ---------------------------------------------------------------- what is refused


def leaf(library, *shape):
    return torch.ones(shape, requires_grad=True) if library is torch else Tensor(np.ones(shape)).requires_grad_()


def computed(library):
    tensor = leaf(library, 2)
    return tensor * 2


WRONG = {
    "a negative rate": lambda o, leaf: o.SGD([leaf()], lr=-0.1),
    "a negative momentum": lambda o, leaf: o.SGD([leaf()], momentum=-0.1),
    "a negative decay": lambda o, leaf: o.SGD([leaf()], weight_decay=-0.1),
    "nesterov without momentum": lambda o, leaf: o.SGD([leaf()], nesterov=True),
    "nesterov with dampening": lambda o, leaf: o.SGD([leaf()], nesterov=True, momentum=0.9, dampening=0.1),
    "Adam: rate": lambda o, leaf: o.Adam([leaf()], lr=-1),
    "Adam: eps": lambda o, leaf: o.Adam([leaf()], eps=-1),
    "Adam: beta 1": lambda o, leaf: o.Adam([leaf()], betas=(1.0, 0.9)),
    "Adam: beta 2": lambda o, leaf: o.Adam([leaf()], betas=(0.9, -0.1)),
    "Adam: betas of two kinds": lambda o, leaf: o.Adam([leaf()], betas=(0.9, 0)),
    "Adam: not a number": lambda o, leaf: o.Adam([leaf()], lr=float("nan")),
    "AdamW: decay": lambda o, leaf: o.AdamW([leaf()], weight_decay=-1.0),
    "RMSprop: alpha": lambda o, leaf: o.RMSprop([leaf()], alpha=-0.1),
    "RMSprop: momentum": lambda o, leaf: o.RMSprop([leaf()], momentum=-0.1),
    "Adagrad: decay of the rate": lambda o, leaf: o.Adagrad([leaf()], lr_decay=-1.0),
    "Adagrad: initial value": lambda o, leaf: o.Adagrad([leaf()], initial_accumulator_value=-1.0),
    "fused and foreach": lambda o, leaf: o.Adam([leaf()], fused=True, foreach=True),
    "fused and differentiable": lambda o, leaf: o.Adagrad([leaf()], fused=True, differentiable=True),
    "no parameters": lambda o, leaf: o.SGD([]),
    "an empty generator": lambda o, leaf: o.SGD(p for p in ()),
    "one tensor": lambda o, leaf: o.SGD(leaf()),
    "numbers": lambda o, leaf: o.SGD([1.0]),
    "a set in a group": lambda o, leaf: o.SGD([{"params": {leaf()}}]),
    "one parameter in two groups": lambda o, leaf: (lambda p: o.SGD([{"params": [p]}, {"params": [p]}]))(leaf()),
    "some names": lambda o, leaf: o.SGD([("a", leaf()), leaf()]),
    "names in one group": lambda o, leaf: o.SGD([{"params": [("a", leaf())]}, {"params": [leaf()]}]),
    "a group that is no dict": lambda o, leaf: o.SGD([leaf()]).add_param_group([leaf()]),
    "a rate of two": lambda o, leaf: o.SGD([leaf()], lr=leaf(2)),
}


@pytest.mark.parametrize("case", WRONG)
def test_errors_are_the_references(case):
    with pytest.raises((ValueError, TypeError, RuntimeError)) as theirs:
        WRONG[case](torch.optim, lambda *shape: leaf(torch, *shape))
    with pytest.raises(type(theirs.value)) as ours:
        WRONG[case](optim, lambda *shape: leaf(None, *shape))
    assert str(ours.value)[:30] == str(theirs.value)[:30]


def test_a_computed_tensor_is_refused():
    with pytest.raises(ValueError, match="can't optimize a non-leaf Tensor"):
        optim.SGD([computed(None)])
    with pytest.raises(ValueError, match="can't optimize a non-leaf Tensor"):
        torch.optim.SGD([computed(torch)])
    kept = computed(None)
    kept.retain_grad()
    optim.SGD([kept])


def test_a_step_in_a_graph_is_refused():
    with pytest.raises(RuntimeError, match="differentiable"):
        optim.SGD([leaf(None, 2)], differentiable=True)


def test_a_group_that_is_refused_changes_nothing():
    first, second = leaf(None, 2), leaf(None, 2)
    optimizer = optim.SGD([first], lr=0.1)
    group = {"params": [second, first]}
    with pytest.raises(ValueError, match="more than one parameter group"):
        optimizer.add_param_group(group)
    assert len(optimizer.param_groups) == 1
    assert group == {"params": [second, first]}


def test_a_required_option_must_be_given():
    class Plain(optim.Optimizer):
        pass

    from minimal.optim.optimizer import required

    with pytest.raises(ValueError, match="didn't specify a value of required optimization parameter lr"):
        Plain([leaf(None, 2)], {"lr": required})
    assert Plain([{"params": leaf(None, 2), "lr": 3}], {"lr": required}).param_groups[0]["lr"] == 3


def test_duplicates_in_a_group_are_told():
    param = leaf(None, 2)
    with pytest.warns(UserWarning, match="duplicate parameters"):
        optim.SGD([param, param])


# ---------------------------------------------------------------- manners


@pytest.mark.parametrize("name", NAMES)
def test_the_first_step_by_hand(name, engine, implementation):
    param = Tensor(np.array([3.0, -2.0, 0.5])).requires_grad_()
    g = np.array([0.5, -4.0, 1e-3])
    param.grad = Tensor(g)
    optimizer = implementation(name)([param], lr=0.1)
    optimizer.step()
    sizes = {"SGD": g, "Adam": np.sign(g), "AdamW": np.sign(g), "RMSprop": 10 * np.sign(g), "Adagrad": np.sign(g)}
    shrunk = np.array([3.0, -2.0, 0.5]) * (1 - 0.1 * 0.01 * (name == "AdamW"))
    np.testing.assert_allclose(param.array, shrunk - 0.1 * sizes[name], rtol=1e-3)  # eps is left out here


@pytest.mark.parametrize(("name", "options"), GRID)
def test_the_text_is_the_references(name, options, implementation):
    pair = Groups(implementation(name), name, options)
    assert repr(pair.optimizer) == repr(pair.reference)
    assert pair.optimizer.defaults == pair.reference.defaults


def test_names_of_parameters_are_kept():
    named = [("weight", leaf(None, 2)), ("bias", leaf(None, 2))]
    optimizer = optim.SGD(named)
    assert optimizer.param_groups[0]["param_names"] == ["weight", "bias"]
    assert optimizer.param_groups[0]["params"] == [tensor for _, tensor in named]
    other = optim.SGD(named)
    state = optimizer.state_dict()
    assert state["param_groups"][0]["param_names"] == ["weight", "bias"]
    del state["param_groups"][0]["param_names"]
    other.load_state_dict(state)
    assert other.param_groups[0]["param_names"] == ["weight", "bias"]


def test_closure_runs_with_recording_and_its_loss_comes_back():
    param = leaf(None, 2)
    optimizer = optim.SGD([param], lr=0.5)
    seen = []

    def closure():
        seen.append(is_grad_enabled())
        param.grad = Tensor(np.ones(2))
        return 3.5

    with no_grad():
        assert optimizer.step(closure) == 3.5
        assert not is_grad_enabled()
    assert seen == [True]
    np.testing.assert_array_equal(param.array, [0.5, 0.5])


def test_zero_grad():
    param, without = leaf(None, 2), leaf(None, 2)
    optimizer = optim.SGD([param, without])
    param.grad = grad = Tensor(np.ones(2))
    optimizer.zero_grad(set_to_none=False)
    assert param.grad is grad
    np.testing.assert_array_equal(grad.array, [0, 0])
    assert without.grad is None
    param.grad = recorded = leaf(None, 2) * 2
    optimizer.zero_grad(set_to_none=False)
    assert not param.grad.requires_grad
    np.testing.assert_array_equal(param.grad.array, [0, 0])
    assert recorded.requires_grad
    optimizer.zero_grad()
    assert param.grad is None


def test_a_tensor_as_rate():
    param = leaf(None, 2)
    rate = Tensor(np.array([0.25]))
    optimizer = optim.SGD([param], lr=rate)
    param.grad = Tensor(np.ones(2))
    optimizer.step()
    rate.array[...] = 0.5
    optimizer.step()
    np.testing.assert_array_equal(param.array, [0.25, 0.25])


def test_hooks_and_own_steps():
    calls = []

    class Own(optim.SGD):
        def step(self, closure=None):
            calls.append("step")
            return super().update(self.param_groups[0])

    param = leaf(None, 2)
    optimizer = Own([param])
    before = optimizer.register_step_pre_hook(lambda o, args, kwargs: calls.append(("before", o is optimizer, kwargs)))
    optimizer.register_step_post_hook(lambda o, args, kwargs: calls.append("after"))
    optimizer.step(closure=None)
    assert calls == [("before", True, {"closure": None}), "step", "after"]
    before.remove()
    calls.clear()
    optimizer.step()
    assert calls == ["step", "after"]
    optimizer.register_step_pre_hook(lambda o, args, kwargs: "nonsense")
    with pytest.raises(RuntimeError, match="pre-hook must return None or"):
        optimizer.step()


def test_an_optimizer_of_a_readers_own():
    class SignDescent(optim.Optimizer):
        def __init__(self, params, lr=0.5):
            super().__init__(params, {"lr": lr})

        def update(self, group):
            for param, grad in self._with_gradient(group):
                param.array[...] -= group["lr"] * np.sign(grad)

    param = leaf(None, 2)
    param.grad = Tensor(np.array([3.0, -1e-9]))
    SignDescent([param]).step()
    np.testing.assert_array_equal(param.array, [0.5, 1.5])
    with pytest.raises(NotImplementedError, match="should implement update"):
        optim.Optimizer([param], {}).step()
