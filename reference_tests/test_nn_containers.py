"""Containers: lists and dictionaries of modules, indexed and changed as in PyTorch."""

from __future__ import annotations

from typing import Any

import pytest
import torch

import minimal

COMPONENT = "nn"


def four(nn: Any) -> list[Any]:
    return [nn.Linear(1, 2), nn.ReLU(), nn.Linear(2, 3), nn.Tanh()]


def on_sequential(nn: Any) -> dict[str, Any]:
    """What is done to Sequential(Linear, ReLU, Linear, Tanh), and what of it is looked at."""
    return {
        "length": lambda s: len(s),
        "index": lambda s: repr(s[1]),
        "negative index": lambda s: repr(s[-1]),
        "index too large": lambda s: s[4],
        "index too small": lambda s: s[-5],
        "index of a wrong kind": lambda s: s["a"],
        "slice": lambda s: s[1:3],
        "steps": lambda s: s[::2],
        "nothing": lambda s: s[4:],
        "set": lambda s: s.__setitem__(1, nn.GELU()) or s,
        "set from the end": lambda s: s.__setitem__(-1, nn.GELU()) or s,
        "set no module": lambda s: s.__setitem__(1, 3),
        "delete": lambda s: s.__delitem__(1) or s,
        "delete from the end": lambda s: s.__delitem__(-1) or s,
        "delete a slice": lambda s: s.__delitem__(slice(0, 2)) or s,
        "append": lambda s: s.append(nn.ELU()),
        "append no module": lambda s: s.append(3),
        "insert": lambda s: s.insert(1, nn.ELU()),
        "insert from the end": lambda s: s.insert(-1, nn.ELU()),
        "insert at the end": lambda s: s.insert(4, nn.ELU()),
        "insert too far": lambda s: s.insert(5, nn.ELU()),
        "insert no module": lambda s: s.insert(1, 3),
        "extend": lambda s: s.extend(nn.Sequential(nn.ELU(), nn.GELU())),
        "extend by itself": lambda s: s.extend(list(s)),
        "pop": lambda s: [repr(s.pop(1)), s],
        "add": lambda s: s + nn.Sequential(nn.ELU()),
        "add no sequential": lambda s: s.__add__([nn.ELU()]),
        "times": lambda s: s[1:2] * 3,
        "times from the left": lambda s: 2 * s,
        "times none": lambda s: s * 0,
        "times a half": lambda s: s * 0.5,
        "iterate": lambda s: [repr(module) for module in s],
        "names": lambda s: [name for name in dir(s) if name.isdigit()],
        "keys": lambda s: list(s[1:].state_dict()),
    }


@pytest.mark.parametrize("action", on_sequential(torch.nn))
def test_sequential_is_changed_as_in_pytorch(action, implementation):
    def run(nn: Any) -> str:
        return repr(on_sequential(nn)[action](nn.Sequential(*four(nn))))

    compare(run, implementation("nn"))


def compare(run: Any, nn: Any) -> None:
    try:
        expected = run(torch.nn)
    except Exception as error:
        with pytest.raises(type(error)) as raised:
            run(nn)
        assert str(raised.value)
    else:
        assert run(nn) == expected


def on_list(nn: Any) -> dict[str, Any]:
    """What is done to ModuleList(Linear, ReLU, Linear, Tanh)."""
    return {
        "index": lambda s: repr(s[-2]),
        "index too large": lambda s: s[4],
        "slice": lambda s: s[1:3],
        "set": lambda s: s.__setitem__(2, nn.GELU()) or s,
        "delete": lambda s: s.__delitem__(0) or s,
        "append": lambda s: s.append(nn.ELU()),
        "extend": lambda s: s.extend(module for module in [nn.ELU(), nn.ELU(), nn.ELU()]),
        "extend by a number": lambda s: s.extend(3),
        "insert": lambda s: s.insert(1, nn.ELU()) or s,
        "insert far": lambda s: s.insert(17, nn.ELU()) or s,
        "pop": lambda s: [repr(s.pop(-1)), s],
        "add": lambda s: s.__add__([nn.ELU()]),
        "add in place": lambda s: s.__iadd__([nn.ELU()]),
        "equal neighbours": lambda s: nn.ModuleList([nn.ReLU(), nn.ReLU(), nn.Linear(1, 1), nn.ReLU()]),
        "call": lambda s: s(1),
        "empty": lambda s: nn.ModuleList(),
    }


@pytest.mark.parametrize("action", on_list(torch.nn))
def test_module_lists_are_changed_as_in_pytorch(action, implementation):
    compare(lambda nn: repr(on_list(nn)[action](nn.ModuleList(four(nn)))), implementation("nn"))


def on_dict(nn: Any) -> dict[str, Any]:
    """What is done to ModuleDict(a=Linear, b=ReLU)."""
    return {
        "index": lambda s: repr(s["a"]),
        "absent": lambda s: s["c"],
        "set": lambda s: s.__setitem__("c", nn.GELU()) or s,
        "set again": lambda s: s.__setitem__("a", nn.GELU()) or s,
        "set no module": lambda s: s.__setitem__("c", 3),
        "set under the name of a method": lambda s: s.__setitem__("keys", nn.GELU()),
        "delete": lambda s: s.__delitem__("a") or s,
        "pop": lambda s: [repr(s.pop("a")), s],
        "pop absent": lambda s: s.pop("c"),
        "clear": lambda s: s.clear() or s,
        "in": lambda s: ["a" in s, "c" in s, len(s)],
        "iterate": lambda s: [list(s), list(s.keys()), [repr(v) for v in s.values()], [k for k, _ in s.items()]],
        "update": lambda s: s.update({"c": nn.ELU(), "a": nn.ELU()}) or s,
        "update by pairs": lambda s: s.update([("c", nn.ELU())]) or s,
        "update by another": lambda s: s.update(nn.ModuleDict({"c": nn.ELU()})) or s,
        "update by a number": lambda s: s.update(3),
        "keys of the state": lambda s: list(s.state_dict()),
    }


@pytest.mark.parametrize("action", on_dict(torch.nn))
def test_module_dicts_are_changed_as_in_pytorch(action, implementation):
    compare(
        lambda nn: repr(on_dict(nn)[action](nn.ModuleDict({"a": nn.Linear(1, 2), "b": nn.ReLU()}))),
        implementation("nn"),
    )


def test_parameter_lists(implementation):
    def run(nn: Any) -> list[Any]:
        make = torch.ones if nn is torch.nn else minimal.ones
        values = nn.ParameterList([nn.Parameter(make(2)), nn.Parameter(make(1, 3))])
        values.append(nn.Parameter(make(1)))
        values[0] = nn.Parameter(make(4))
        shapes = [tuple(value.shape) for value in values]
        return [repr(values), shapes, len(values), len(values[1:]), list(values.state_dict()), tuple(values[-1].shape)]

    assert run(implementation("nn")) == run(torch.nn)
    with pytest.raises(IndexError):
        implementation("nn").ParameterList()[0]


def test_a_sequential_takes_names(implementation):
    def run(nn: Any) -> str:
        from collections import OrderedDict

        return repr(nn.Sequential(OrderedDict(first=nn.Linear(1, 2), act=nn.ReLU()))[1:])

    assert run(implementation("nn")) == run(torch.nn)


def test_repeating_in_place(implementation):
    nn = implementation("nn")
    net = nn.Sequential(nn.ReLU())
    net *= 3
    net += nn.Sequential(nn.Tanh())
    assert [type(module).__name__ for module in net] == ["ReLU", "ReLU", "ReLU", "Tanh"]
    assert net[0] is net[2]
