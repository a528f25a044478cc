"""Schedulers set PyTorch's learning rates, to the last bit, over many epochs; and momentum with them where it is cycled."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
import torch

from minimal import optim
from minimal.autograd.tensor import Tensor

COMPONENT = "lr_scheduler"

SCHEDULES = {
    "StepLR": [{"step_size": 7}, {"step_size": 1, "gamma": 0.97}],
    "MultiStepLR": [
        {"milestones": [3, 5, 5, 40]},
        {"milestones": [], "gamma": 0.5},
        {"milestones": [0, 2], "gamma": 0.3},
    ],
    "ExponentialLR": [{"gamma": 0.93}],
    "LambdaLR": [{"lr_lambda": lambda epoch: 1 / (1 + epoch)}, {"lr_lambda": [lambda e: 0.9**e, lambda e: e // 3]}],
    "LinearLR": [
        {},
        {"start_factor": 0.01, "end_factor": 0.7, "total_iters": 33},
        {"start_factor": 1.0, "end_factor": 0.1},
    ],
    "CosineAnnealingLR": [{"T_max": 10}, {"T_max": 37, "eta_min": 1e-3}, {"T_max": 1}, {"T_max": 200, "eta_min": 0.2}],
    "OneCycleLR": [
        {"max_lr": 0.1, "total_steps": 121},
        {"max_lr": [0.1, 0.7], "epochs": 11, "steps_per_epoch": 11, "anneal_strategy": "linear"},
        {"max_lr": 0.3, "total_steps": 130, "three_phase": True, "pct_start": 0.2, "base_momentum": [0.3, 0.4]},
        {"max_lr": 0.3, "total_steps": 121, "three_phase": True, "anneal_strategy": "linear", "div_factor": 3.0},
        {"max_lr": 0.3, "total_steps": 121, "cycle_momentum": False, "final_div_factor": 7.0, "pct_start": 0.0},
        {"max_lr": 0.3, "total_steps": 121, "pct_start": 1.0},
    ],
}
GRID = [
    pytest.param(name, options, id=f"{name}-{i}")
    for name, cases in SCHEDULES.items()
    for i, options in enumerate(cases)
]
OPTIMIZERS = [("SGD", {"lr": 0.1, "momentum": 0.9}), ("Adam", {"lr": 3e-4})]


def pair(name="SGD", options=None, groups=2):
    """An optimizer of ours and one of PyTorch's, with gradients in place."""
    options = options or {"lr": 0.1, "momentum": 0.9}
    ours = [Tensor(np.ones(2)).requires_grad_() for _ in range(groups)]
    theirs = [torch.ones(2, requires_grad=True) for _ in range(groups)]
    for a, b in zip(ours, theirs):
        a.grad, b.grad = Tensor(np.ones(2)), torch.ones(2)

    def grouped(params):
        return [{"params": [params[0]]}, *({"params": [param], "lr": 0.5 + i} for i, param in enumerate(params[1:]))]

    return getattr(optim, name)(grouped(ours), **options), getattr(torch.optim, name)(grouped(theirs), **options)


def options_of(optimizer):
    return [{name: value for name, value in group.items() if name != "params"} for group in optimizer.param_groups]


def follow(optimizers, schedulers, epochs, parity, what, metrics=None):
    """Step both sides, and compare all that schedulers set at every epoch."""
    seen = ([], [])
    for epoch in range(epochs):
        for optimizer, scheduler, rates in zip(optimizers, schedulers, seen):
            rates.append(scheduler.get_last_lr())
            optimizer.step()
            scheduler.step(*([] if metrics is None else [metrics[epoch]]))
        ours, theirs = (options_of(optimizer) for optimizer in optimizers)
        assert ours == theirs, f"epoch {epoch}"
        assert schedulers[0].last_epoch == schedulers[1].last_epoch
    parity.identical(np.array(seen[0]), np.array(seen[1]), what=what)


@pytest.mark.parametrize("optimizer", OPTIMIZERS, ids=["SGD", "Adam"])
@pytest.mark.parametrize(("name", "options"), GRID)
def test_rates_are_the_references(name, options, optimizer, implementation, parity):
    optimizers = pair(*optimizer)
    schedulers = [
        getattr(library, name)(each, **options)
        for library, each in zip((implementation("lr_scheduler"), torch.optim.lr_scheduler), optimizers)
    ]
    follow(optimizers, schedulers, 120, parity, f"rates of {name}, {options}")
    assert schedulers[0].base_lrs == schedulers[1].base_lrs


@pytest.mark.parametrize(("name", "options"), GRID)
def test_state_goes_from_pytorch_to_us_and_back(name, options, implementation, parity):
    libraries = (implementation("lr_scheduler"), torch.optim.lr_scheduler)
    optimizers = pair()
    schedulers = [getattr(library, name)(each, **options) for library, each in zip(libraries, optimizers)]
    follow(optimizers, schedulers, 20, parity, f"rates of {name}, {options}, before a checkpoint")
    states = [scheduler.state_dict() for scheduler in schedulers]
    assert set(states[0]) == set(states[1])
    assert {k: v for k, v in states[0].items() if k != "_get_lr_called_within_step"} == {
        k: v for k, v in states[1].items() if k != "_get_lr_called_within_step"
    }

    resumed = pair()
    fresh = [getattr(library, name)(each, **options) for library, each in zip(libraries, resumed)]
    for scheduler, state in zip(fresh, reversed(states)):
        scheduler.load_state_dict(state)
    for new, old in zip(resumed, optimizers):
        for group, before in zip(new.param_groups, options_of(old)):
            group.update(before)
    follow(resumed, fresh, 60, parity, f"rates of {name}, {options}, after a checkpoint of the other side")


@pytest.mark.parametrize(("name", "options"), GRID)
def test_begin_at_a_later_epoch(name, options, implementation, parity):
    """``last_epoch`` with groups that know their initial rate, as after loading an optimizer alone."""
    optimizers = pair()
    for library, optimizer in zip((optim, torch.optim), optimizers):
        getattr(library.lr_scheduler, name)(optimizer, **options)
    schedulers = [
        getattr(library, name)(optimizer, last_epoch=8, **options)
        for library, optimizer in zip((implementation("lr_scheduler"), torch.optim.lr_scheduler), optimizers)
    ]
    assert options_of(optimizers[0]) == options_of(optimizers[1])
    follow(optimizers, schedulers, 50, parity, f"rates of {name}, {options}, from epoch 8")


PLATEAUS = [
    {},
    {"patience": 2, "factor": 0.5, "threshold": 0.1},
    {"patience": 0, "cooldown": 3, "factor": 0.5, "min_lr": [1e-5, 1e-3], "threshold_mode": "abs"},
    {"mode": "max", "patience": 1, "factor": 0.7, "eps": 1e-2},
    {"mode": "max", "patience": 1, "threshold_mode": "abs", "threshold": 0.3, "min_lr": 1e-3},
]


@pytest.mark.parametrize("options", PLATEAUS, ids=range(len(PLATEAUS)))
def test_plateaus_are_the_references(options, implementation, parity):
    random = np.random.default_rng(3)
    metrics = np.concatenate(
        [np.exp(-np.arange(20) / 5), 0.02 + 0.05 * random.random(60), [np.nan, np.inf, -np.inf], -random.random(17)]
    )
    optimizers = pair()
    schedulers = [
        library.ReduceLROnPlateau(each, **options)
        for library, each in zip((implementation("lr_scheduler"), torch.optim.lr_scheduler), optimizers)
    ]
    half = len(metrics) // 2
    follow(optimizers, schedulers, half, parity, f"rates on a plateau, {options}", metrics[:half])
    assert schedulers[0].state_dict() == schedulers[1].state_dict()
    fresh = [type(scheduler)(each) for scheduler, each in zip(schedulers, optimizers)]
    for scheduler, other in zip(fresh, reversed(schedulers)):
        scheduler.load_state_dict(other.state_dict())
    follow(optimizers, fresh, len(metrics) - half, parity, f"rates on a plateau, {options}, resumed", metrics[half:])
    assert len({tuple(rates) for rates in [schedulers[0].get_last_lr(), fresh[0].get_last_lr(), [0.1, 0.5]]}) > 1


def test_a_plateau_takes_a_tensor_and_a_new_group():
    optimizer, _ = pair()
    scheduler = optim.lr_scheduler.ReduceLROnPlateau(optimizer, patience=0)
    strict = optim.lr_scheduler.ReduceLROnPlateau(optimizer, patience=0, min_lr=[0.0, 0.0])
    optimizer.add_param_group({"params": Tensor(np.ones(1)).requires_grad_(), "lr": 2.0})
    for scheduler_ in (scheduler, strict):
        scheduler_.step(Tensor(np.float64(1.0)))
    scheduler.step(Tensor(np.float64(1.0)))
    assert [group["lr"] for group in optimizer.param_groups] == pytest.approx([0.01, 0.05, 0.2])
    with pytest.raises(RuntimeError, match="number of param groups"):
        strict.step(1.0)


def sequence(library, optimizer, nested=False):
    first = [library.LinearLR(optimizer, 0.1, total_iters=4), library.ExponentialLR(optimizer, 0.9)]
    inner = library.SequentialLR(optimizer, first, [4])
    rest = [library.StepLR(optimizer, 5, 0.5), library.CosineAnnealingLR(optimizer, 10)]
    return library.SequentialLR(optimizer, [inner, *rest] if nested else rest, [9, 21] if nested else [13])


@pytest.mark.filterwarnings("ignore:Detected call")  # from both, while a sequence in a sequence is made
@pytest.mark.parametrize("nested", [False, True])
def test_sequences_are_the_references(nested, implementation, parity):
    optimizers = pair()
    libraries = (implementation("lr_scheduler"), torch.optim.lr_scheduler)
    schedulers = [sequence(library, optimizer, nested) for library, optimizer in zip(libraries, optimizers)]
    assert options_of(optimizers[0]) == options_of(optimizers[1])
    follow(optimizers, schedulers, 25, parity, f"rates of a sequence, nested: {nested}")
    fresh = [sequence(library, optimizer, nested) for library, optimizer in zip(libraries, optimizers)]
    for scheduler, other in zip(fresh, reversed(schedulers)):
        scheduler.load_state_dict(other.state_dict())
    follow(optimizers, fresh, 15, parity, f"rates of a sequence, nested: {nested}, resumed")


def test_rates_that_somebody_changed_are_carried_on(implementation, parity):
    """The recursive form: what follows is computed from the rate that is there."""
    for name, options in [("CosineAnnealingLR", {"T_max": 30}), ("ExponentialLR", {"gamma": 0.9}), ("LinearLR", {})]:
        optimizers = pair()
        schedulers = [
            getattr(library, name)(each, **options)
            for library, each in zip((implementation("lr_scheduler"), torch.optim.lr_scheduler), optimizers)
        ]
        follow(optimizers, schedulers, 3, parity, f"rates of {name}")
        for optimizer in optimizers:
            optimizer.param_groups[0]["lr"] = 0.77
        follow(optimizers, schedulers, 30, parity, f"rates of {name}, changed in between")


def test_a_jump_uses_the_closed_form(implementation):
    for name, cases in SCHEDULES.items():
        optimizers = pair()
        schedulers = [
            getattr(library, name)(each, **cases[0])
            for library, each in zip((implementation("lr_scheduler"), torch.optim.lr_scheduler), optimizers)
        ]
        for optimizer, scheduler in zip(optimizers, schedulers):
            optimizer.step()
            with pytest.warns(UserWarning, match="The epoch parameter"):
                scheduler.step(17)
        assert schedulers[0].get_last_lr() == schedulers[1].get_last_lr(), name
        assert schedulers[0].last_epoch == 17


# ---------------------------------------------------------------- warnings and errors


def warned(job):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        job()
    return [(w.category, str(w.message)[:40]) for w in caught]


def step_first(library, optimizer):
    library.lr_scheduler.StepLR(optimizer, 1).step()


def step_in_order(library, optimizer):
    scheduler = library.lr_scheduler.StepLR(optimizer, 1)
    optimizer.step()
    scheduler.step()
    scheduler.step()


def step_before_the_scheduler_was_made(library, optimizer):
    optimizer.step()
    step_first(library, optimizer)


def step_with_another_step(library, optimizer):
    scheduler = library.lr_scheduler.StepLR(optimizer, 1)
    optimizer.step = lambda: None
    optimizer.step()
    scheduler.step()


def ask_for_the_next_rates(library, optimizer):
    library.lr_scheduler.StepLR(optimizer, 1).get_lr()


@pytest.mark.parametrize(
    "job",
    [step_first, step_in_order, step_before_the_scheduler_was_made, step_with_another_step, ask_for_the_next_rates],
)
def test_warnings_are_the_references(job):
    ours, theirs = pair()
    assert warned(lambda: job(optim, ours)) == warned(lambda: job(torch.optim, theirs))


WRONG = {
    "no optimizer": lambda s, o: s.StepLR(None, 3),
    "no optimizer, one cycle": lambda s, o: s.OneCycleLR(None, 3),
    "no optimizer, plateau": lambda s, o: s.ReduceLROnPlateau(None),
    "no initial rate": lambda s, o: s.StepLR(o, 3, last_epoch=4),
    "too few functions": lambda s, o: s.LambdaLR(o, [lambda epoch: 1.0]),
    "a start of zero": lambda s, o: s.LinearLR(o, start_factor=0.0),
    "an end above one": lambda s, o: s.LinearLR(o, end_factor=1.5),
    "a factor of one": lambda s, o: s.ReduceLROnPlateau(o, factor=1.0),
    "no such mode": lambda s, o: s.ReduceLROnPlateau(o, mode="best"),
    "no such threshold mode": lambda s, o: s.ReduceLROnPlateau(o, threshold_mode="best"),
    "too many minima": lambda s, o: s.ReduceLROnPlateau(o, min_lr=[0.1, 0.1, 0.1]),
    "no length": lambda s, o: s.OneCycleLR(o, 0.1),
    "half a length": lambda s, o: s.OneCycleLR(o, 0.1, epochs=3),
    "a negative length": lambda s, o: s.OneCycleLR(o, 0.1, total_steps=-3),
    "a length of no whole number": lambda s, o: s.OneCycleLR(o, 0.1, epochs=3, steps_per_epoch=1.5),
    "a start of more than all": lambda s, o: s.OneCycleLR(o, 0.1, total_steps=10, pct_start=1.1),
    "no such strategy": lambda s, o: s.OneCycleLR(o, 0.1, total_steps=10, anneal_strategy="square"),
    "too many rates": lambda s, o: s.OneCycleLR(o, [0.1, 0.2, 0.3], total_steps=10),
    "no schedulers": lambda s, o: s.SequentialLR(o, [], []),
    "too many milestones": lambda s, o: s.SequentialLR(o, [s.StepLR(o, 1)], [3]),
    "a plateau in a sequence": lambda s, o: s.SequentialLR(o, [s.ReduceLROnPlateau(o)], []),
    "no scheduler in a sequence": lambda s, o: s.SequentialLR(o, [3], []),
    "a step too far": lambda s, o: [each._update_lr() for each in [s.OneCycleLR(o, 0.1, total_steps=1)] * 2],
}


@pytest.mark.parametrize("case", WRONG)
def test_errors_are_the_references(case):
    ours, theirs = pair()
    with pytest.raises((ValueError, TypeError, KeyError)) as expected:
        WRONG[case](torch.optim.lr_scheduler, theirs)
    with pytest.raises(type(expected.value)) as raised:
        WRONG[case](optim.lr_scheduler, ours)
    assert str(raised.value)[:20] == str(expected.value)[:20]


def test_schedulers_of_another_optimizer_do_not_mix():
    (mine, _), (other, _) = pair(), pair()
    with pytest.raises(ValueError, match="belong to the same optimizer"):
        optim.lr_scheduler.SequentialLR(mine, [optim.lr_scheduler.StepLR(other, 1)], [])


def test_momentum_to_cycle_must_be_there():
    param = Tensor(np.ones(2)).requires_grad_()
    with pytest.raises(ValueError, match="must support momentum or beta1"):
        optim.lr_scheduler.OneCycleLR(optim.Adagrad([param]), 0.1, total_steps=3)


def test_callable_objects_keep_their_attributes():
    class Decay:
        def __init__(self, rate):
            self.rate = rate

        def __call__(self, epoch):
            return self.rate**epoch

    optimizer, _ = pair()
    first = optim.lr_scheduler.LambdaLR(optimizer, [Decay(0.5), lambda epoch: 1.0])
    state = first.state_dict()
    assert state["lr_lambdas"] == [{"rate": 0.5}, None]
    second = optim.lr_scheduler.LambdaLR(optimizer, [Decay(0.9), lambda epoch: 1.0])
    second.load_state_dict(state)
    assert second.lr_lambdas[0].rate == 0.5
    assert state["lr_lambdas"] == [{"rate": 0.5}, None]


def test_a_rate_in_a_tensor_is_filled_and_copied():
    param, rate = Tensor(np.ones(2)).requires_grad_(), Tensor(np.array(1.0))
    optimizer = optim.SGD([param], lr=rate)
    scheduler = optim.lr_scheduler.ExponentialLR(optimizer, 0.5)
    optimizer.step()
    scheduler.step()
    assert rate.item() == 0.5
    assert scheduler.get_last_lr()[0] is not rate
    scheduler.get_last_lr()[0].array[...] = 9.0
    assert rate.item() == 0.5


def test_a_schedule_of_a_readers_own():
    class Countdown(optim.lr_scheduler.LRScheduler):
        def next_lrs(self):
            return [base / (1 + self.last_epoch) for base in self.base_lrs]

    optimizer, _ = pair()
    scheduler = Countdown(optimizer)
    optimizer.step()
    scheduler.step()
    assert scheduler.get_last_lr() == [0.05, 0.25]
    with pytest.raises(NotImplementedError, match="should implement next_lrs"):
        optim.lr_scheduler.LRScheduler(optimizer)
