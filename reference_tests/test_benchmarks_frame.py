"""The race itself: that it cannot call a disagreement a speed, that its arithmetic is right, and that it stays polite."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

from benchmarks.frame import (
    Agreement,
    Disagreement,
    Race,
    both,
    close_attributes,
    either,
    identical_bits,
    relative_difference,
    same_arrays,
    same_attributes,
    within_noise_floor,
)
from benchmarks.measure import Effort, calls_for, measure

from .racing import ONCE, fixed


class Watch:
    """A clock that only the jobs move: each job says how long it took."""

    def __init__(self):
        self.now = 0.0

    def __call__(self):
        return self.now

    def job(self, *durations, result=1.0):
        """A job that takes the given seconds, call after call, the last of them for ever."""
        left = list(durations)

        def work(*_):
            self.now += left.pop(0) if len(left) > 1 else left[0]
            return result

        return work


# --- timing -----------------------------------------------------------------------------------------------------------


def test_the_ratio_is_their_median_over_ours_and_the_first_call_stands_apart():
    watch = Watch()
    race = Race(
        ours=watch.job(9.0, 1.0, 1.0, 2.0, 4.0),  # first call, a second one to plan with, then three rounds
        theirs=watch.job(7.0, 5.0, 6.0, 10.0, 8.0),
        agree=same_arrays(),
    )
    timing = measure(race, ONCE, watch)
    assert (timing.first_ours, timing.first_theirs) == (9.0, 7.0)
    assert timing.ours == (1.0, 2.0, 4.0)
    assert timing.theirs == (6.0, 10.0, 8.0)
    assert timing.ratio == 8.0 / 2.0
    assert timing.ratio_quartiles == (3.5, 5.5)  # of 6/1, 10/2 and 8/4


def test_short_calls_fill_a_sample_on_both_sides_by_the_same_rule():
    watch = Watch()
    race = Race(ours=watch.job(0.001), theirs=watch.job(0.25), agree=same_arrays())
    timing = measure(race, Effort(seconds=0.0, min_rounds=3, max_rounds=3, sample=0.1), watch)
    assert (timing.calls_ours, timing.calls_theirs) == (100, 1)
    assert timing.median_ours == pytest.approx(0.001, rel=1e-9)
    assert timing.ratio == pytest.approx(250, rel=1e-9)
    assert calls_for(0.0, 0.1) == 10_000


def test_the_sides_alternate_and_so_does_the_order():
    calls = []
    race = Race(ours=lambda: calls.append("o") or 1, theirs=lambda: calls.append("t") or 1, agree=same_arrays())
    measure(race, Effort(seconds=0.0, min_rounds=4, max_rounds=4, sample=0.0), Watch())
    assert "".join(calls) == "ot" + "ot" + "ot" + "to" + "ot" + "to"  # first calls, planning, four rounds


def test_a_race_ends_when_its_time_is_spent():
    watch = Watch()
    race = Race(ours=watch.job(1.0), theirs=watch.job(1.0), agree=same_arrays())
    assert len(measure(race, Effort(seconds=10.0, min_rounds=1, max_rounds=99, sample=0.0), watch).ours) == 5


def test_a_slow_race_ends_before_its_least_rounds_but_has_one():
    watch = Watch()
    race = Race(ours=watch.job(1.0), theirs=watch.job(1.0), agree=same_arrays())
    for patience, rounds in {4.0: 2, 1e-9: 1, 100.0: 9}.items():
        effort = Effort(seconds=0.0, min_rounds=9, max_rounds=9, sample=0.0, patience=patience)
        assert len(measure(race, effort, watch).ours) == rounds


def test_a_setup_before_every_call_is_not_timed():
    watch, states = Watch(), []

    def setup():
        watch.now += 100.0
        states.append(object())
        return states[-1]

    seen = []
    work = watch.job(1.0)
    race = Race(ours=lambda s: seen.append(s) or work(), theirs=lambda s: work(), agree=same_arrays(), setup=setup)
    timing = measure(race, Effort(seconds=0.0, min_rounds=3, max_rounds=3, sample=2.0), watch)
    assert timing.ours == timing.theirs == (1.0, 1.0, 1.0)
    assert len(set(map(id, seen))) == len(seen) == 8  # a fresh state for each call: two alone, then three times two


def test_parity_is_checked_on_every_round_not_only_on_the_first_call():
    results = iter([1.0, 1.0, 1.0, 1.0, 2.0])
    race = Race(ours=lambda: next(results), theirs=lambda: 1.0, agree=same_arrays())
    with pytest.raises(Disagreement, match="not identical"):
        measure(race, ONCE, Watch())


# --- agreement --------------------------------------------------------------------------------------------------------


def test_identical_means_shape_dtype_and_bits():
    x = np.array([1.0, np.nan, -0.0])
    assert identical_bits(x, x.copy())
    assert not identical_bits(x, np.array([1.0, np.nan, 0.0]))
    assert not identical_bits(x, np.array([1.0, 2.0, -0.0]))
    assert not identical_bits(np.ones(2), np.ones(2, np.float32))
    assert not identical_bits(np.ones(2), np.ones((2, 1)))
    assert not identical_bits(np.array([1 + 0j]), np.array([complex(1, -0.0)]))
    assert identical_bits(np.array(["a"]), np.array(["a"]))


@pytest.mark.parametrize(
    ("ours", "theirs", "expected"),
    [
        ([1.0, 2.0], [1.0, 4.0], 0.5),
        ([0.0], [0.0], 0.0),
        ([1e-300], [0.0], np.inf),
        ([np.nan, 1.0], [np.nan, 1.0], 0.0),
        ([np.nan], [1.0], np.inf),
        ([1.0], [np.nan], np.inf),
        ([np.inf, 1.0], [-np.inf, 1.0], np.inf),
        ([np.inf, 1.5], [np.inf, 1.0], 0.5),
        (["a"], ["b"], np.inf),
    ],
)
def test_relative_difference(ours, theirs, expected):
    assert relative_difference(ours, theirs) == expected


def test_attributes_agree_to_their_bound_and_not_beyond():
    ours, theirs = SimpleNamespace(coef_=np.array([1.0, 2.0 + 1e-9])), SimpleNamespace(coef_=np.array([1.0, 2.0]))
    found = close_attributes(1e-8, "coef_")(ours, theirs)
    assert found.level == "rounding"
    assert found.difference == pytest.approx(5e-10, rel=1e-3)
    with pytest.raises(Disagreement, match=r"coef_ differs by 5\.0e-10"):
        close_attributes(1e-10, "coef_")(ours, theirs)
    with pytest.raises(Disagreement, match="coef_ is not identical"):
        same_attributes("coef_")(ours, theirs)
    with pytest.raises(AttributeError):
        same_attributes("missing_")(ours, theirs)


def test_together_the_weakest_level_and_the_largest_difference_count():
    exact, near = (lambda a, b: Agreement("identical")), (lambda a, b: Agreement("rounding", 1e-13))
    assert both(exact, near)(1, 1) == Agreement("rounding", 1e-13)
    assert both(exact, lambda a, b: Agreement("noise floor", 1e-3), near)(1, 1) == Agreement("noise floor", 1e-3)
    with pytest.raises(Disagreement):
        both(exact, same_arrays())(1, 2)
    assert either(same_arrays(), near)(1, 2) == Agreement("rounding", 1e-13)
    with pytest.raises(Disagreement):
        either(same_arrays(), same_arrays(0.1))(1, 2)


@pytest.mark.parametrize("nothing", [None, True, "", 1.0])
def test_a_check_that_claims_nothing_is_refused(nothing):
    with pytest.raises(Disagreement, match="nothing was proven"):
        measure(fixed(1, 1, agree=lambda a, b: nothing), ONCE, Watch())


def test_arrays_tuples_and_sparse_results():
    pytest.importorskip("scipy")
    from scipy.sparse import csr_array

    assert same_arrays()((np.ones(2), 3), (np.ones(2), 3)) == Agreement("identical")
    with pytest.raises(Disagreement, match="1 results, theirs 2"):
        same_arrays()((1,), (1, 2))
    a, b = csr_array(np.eye(3)), csr_array(np.eye(3)[::-1])
    assert same_arrays()(a, a.copy()) == Agreement("identical")
    with pytest.raises(Disagreement):
        same_arrays()(a, b)


def test_the_noise_floor_is_what_theirs_differs_from_itself():
    def theirs(seed):
        return SimpleNamespace(coef_=np.array([1.0 + 1e-3 * (seed + 1)]))

    agree = within_noise_floor(theirs, "coef_", seeds=2)  # the floor is 2e-3
    base = SimpleNamespace(coef_=np.array([1.0]))
    assert agree(SimpleNamespace(coef_=np.array([1.0015])), base).level == "noise floor"
    with pytest.raises(Disagreement, match="theirs from itself"):
        agree(SimpleNamespace(coef_=np.array([1.0025])), base)
