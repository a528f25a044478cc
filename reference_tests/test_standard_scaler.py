"""StandardScaler: the reference's bits on dense data, rounding with weights and sparse matrices, its rules everywhere."""

from __future__ import annotations

import pickle
import tracemalloc
import warnings
from itertools import pairwise, product

import numpy as np
import pandas as pd
import pytest
import scipy.sparse
import sklearn.datasets
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler as Reference

import minimal
from minimal.preprocessing import StandardScaler

from .scaler_cases import (
    DENSE,
    LEARNED,
    OPTIONS,
    ORDERS,
    SUMS_IN_ANOTHER_ORDER,
    near_learned,
    quietly,
    same_learned,
    uneven,
)

COMPONENT = "StandardScaler"


# ---------------------------------------------------------------- plain data, one thing at a time: where to begin

PLAIN = ["iris", "wine", "breast_cancer", "digits"]


def plain_pair(name, implementation):
    """Ours and the reference, with their defaults, fitted on real data without missing values; and the data."""
    X = getattr(sklearn.datasets, f"load_{name}")().data
    return implementation("StandardScaler")().fit(X), Reference().fit(X), X


@pytest.mark.parametrize("name", PLAIN)
def test_mean_of_plain_data(name, engine, implementation, parity):
    ours, theirs, _ = plain_pair(name, implementation)
    parity.identical(ours.mean_, theirs.mean_, what="mean_", data=name)


@pytest.mark.parametrize("name", PLAIN)
def test_variance_of_plain_data(name, engine, implementation, parity):
    ours, theirs, _ = plain_pair(name, implementation)
    parity.identical(ours.var_, theirs.var_, what="var_", data=name)


@pytest.mark.parametrize("name", PLAIN)
def test_scale_of_plain_data(name, engine, implementation, parity):
    ours, theirs, _ = plain_pair(name, implementation)
    parity.identical(ours.scale_, theirs.scale_, what="scale_", data=name)


@pytest.mark.parametrize("name", PLAIN)
def test_transform_of_plain_data(name, engine, implementation, parity):
    ours, theirs, X = plain_pair(name, implementation)
    parity.identical(ours.transform(X), theirs.transform(X), what="transform", data=name)


@pytest.mark.parametrize("name", PLAIN)
def test_values_of_plain_data_to_rounding(name, engine, implementation, parity):
    ours, theirs, X = plain_pair(name, implementation)
    same = {"bound": 1e-12, "reason": "any order of adding", "data": name}
    parity.rounding(ours.mean_, theirs.mean_, what="mean_", **same)
    parity.rounding(ours.var_, theirs.var_, what="var_", **same)
    parity.rounding(ours.transform(X), theirs.transform(X), what="transform", **same)


# ---------------------------------------------------------------- dense data: identical


@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("name", [name for name in DENSE if name not in ("huge", "tiny")])
def test_learns_and_transforms_identically(name, dtype, order, engine, implementation, parity):
    X = ORDERS[order](DENSE[name]().astype(dtype))
    untouched = X.copy()
    for options in OPTIONS:
        labels = {"data": f"{name}, {order}", "option": str(options)}
        ours = quietly(implementation("StandardScaler")(**options).fit, X)
        theirs = quietly(Reference(**options).fit, X)
        same_learned(ours, theirs, parity, **labels)
        for method in ("transform", "inverse_transform"):
            a, b = getattr(ours, method)(X), getattr(theirs, method)(X)
            parity.identical(a, b, what=method, **labels)
            assert a.strides == b.strides
            assert not np.shares_memory(a, X)
    np.testing.assert_array_equal(X, untouched)


@pytest.mark.parametrize("name", ["huge", "tiny"])
def test_the_ends_of_the_float_range(name, engine, implementation, parity):
    X = DENSE[name]()
    ours, theirs = quietly(implementation("StandardScaler")().fit, X), quietly(Reference().fit, X)
    same_learned(ours, theirs, parity, data=name)
    parity.identical(quietly(ours.transform, X), quietly(theirs.transform, X), what="transform", data=name)


@pytest.mark.parametrize("order", [order for order in ORDERS if order not in ("C", "F")])
@pytest.mark.parametrize("name", ["uneven", "with missing values", "one column", "wide", "long"])
def test_every_memory_layout(name, order, engine, implementation, parity):
    for dtype in (np.float64, np.float32):
        X = ORDERS[order](DENSE[name]().astype(dtype))
        ours, theirs = implementation("StandardScaler")().fit(X), Reference().fit(X)
        same_learned(ours, theirs, parity, data=f"{name}, {order}")
        parity.identical(ours.transform(X), theirs.transform(X), what="transform", data=f"{name}, {order}")


@pytest.mark.parametrize("dtype", [np.int64, np.int8, np.uint32, bool, np.float16, object, ">f8"])
def test_other_types_become_floats_as_there(dtype, engine, implementation, parity):
    X = np.random.default_rng(0).integers(0, 2, (40, 3)).astype(dtype)
    ours, theirs = implementation("StandardScaler")().fit(X), Reference().fit(X)
    same_learned(ours, theirs, parity, data=str(dtype))
    parity.identical(ours.transform(X), theirs.transform(X), what="transform", data=str(dtype))
    parity.identical(ours.transform(X.tolist()), theirs.transform(X.tolist()), what="transform", data="list")


CHUNKS = {
    "halves": [0.5],
    "ones first": [0.001, 0.002, 0.003],
    "growing": [0.01, 0.05, 0.2, 0.6],
    "shrinking": [0.6, 0.9, 0.98, 0.999],
    "many": [k / 37 for k in range(1, 37)],
}


@pytest.mark.parametrize("chunks", CHUNKS)
@pytest.mark.parametrize("name", ["breast_cancer", "uneven", "with missing values", "missing late", "far from zero"])
def test_partial_fit_merges_identically(name, chunks, engine, implementation, parity):
    for dtype, options in product((np.float64, np.float32), OPTIONS):
        X = DENSE[name]().astype(dtype)
        cuts = [0, *(max(1, int(share * len(X))) for share in CHUNKS[chunks]), len(X)]
        ours, theirs = implementation("StandardScaler")(**options), Reference(**options)
        for first, last in pairwise(cuts):
            if first == last:
                continue
            quietly(ours.partial_fit, X[first:last])
            quietly(theirs.partial_fit, X[first:last])
            same_learned(ours, theirs, parity, data=f"{name}, {chunks}", option=str(options))


@pytest.mark.parametrize("name", ["breast_cancer", "digits", "far from zero"])
def test_partial_fit_is_fit_to_rounding(name, engine, implementation, parity):
    X = DENSE[name]()
    whole, parts = implementation("StandardScaler")().fit(X), implementation("StandardScaler")()
    for first in range(0, len(X), 100):
        parts.partial_fit(X[first : first + 100])
    for what in LEARNED:
        reason = "the same sums in another order"
        parity.rounding(getattr(parts, what), getattr(whole, what), what=f"{what} in parts", bound=1e-12, reason=reason)


@pytest.mark.parametrize("second", ["uneven", "with missing values", "wide", "one sample"])
def test_fit_begins_anew(second, engine, implementation, parity):
    """Whatever was learned before, also on data of another width; partial_fit goes on from the second fit alone."""
    X = DENSE[second]()
    ours, theirs = implementation("StandardScaler")().fit(DENSE["with missing values"]() + 5.0), Reference()
    for job in ("fit", "partial_fit"):
        for scaler in (ours, theirs):
            getattr(scaler, job)(X)
        same_learned(ours, theirs, parity, data=f"{second}, after another fit")


@pytest.mark.wide
@pytest.mark.parametrize("missing", [0.0, 0.05])
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("n", [1, 2, 7, 8, 9, 127, 128, 129, 255, 257, 1024, 4099, 8191, 8193, 30_011])
def test_every_length_and_layout(n, order, dtype, missing, engine, implementation, parity):
    for d in (1, 2, 3, 4, 8, 17, 33):
        X = ORDERS[order](uneven(n, d, seed=n + d, missing=missing, dtype=dtype))
        ours, theirs = quietly(implementation("StandardScaler")().fit, X), quietly(Reference().fit, X)
        same_learned(ours, theirs, parity, data=f"{n} x {d}, {order}")
        parity.identical(ours.transform(X), theirs.transform(X), what="transform", data=f"{n} x {d}, {order}")


# ---------------------------------------------------------------- what no library version can move


def test_by_hand(engine, implementation):
    scaler = implementation("StandardScaler")().fit([[1.0, 10.0, 5.0], [2.0, np.nan, 5.0], [6.0, 30.0, 5.0]])
    np.testing.assert_array_equal(scaler.mean_, [3.0, 20.0, 5.0])
    np.testing.assert_allclose(scaler.var_, [14 / 3, 100.0, 0.0], rtol=1e-15)
    np.testing.assert_allclose(scaler.scale_, [np.sqrt(14 / 3), 10.0, 1.0], rtol=1e-15)
    np.testing.assert_array_equal(scaler.n_samples_seen_, [3, 2, 3])
    expected = [[-2 / np.sqrt(14 / 3), -1.0, 0.0], [-1 / np.sqrt(14 / 3), np.nan, 0.0]]
    np.testing.assert_allclose(scaler.transform([[1.0, 10.0, 5.0], [2.0, np.nan, 5.0]]), expected, rtol=1e-15)


def test_variance_survives_a_distant_mean(engine, implementation):
    """E[x^2] - E[x]^2 gives 0 or 2 here; the exact variance of 0..99 is (100^2 - 1) / 12."""
    X = 1e9 + np.arange(100.0).reshape(-1, 1)
    assert implementation("StandardScaler")().fit(X).var_[0] == pytest.approx(9999 / 12, rel=1e-14)


def test_result_has_mean_zero_and_variance_one(engine, implementation):
    Z = implementation("StandardScaler")().fit_transform(DENSE["breast_cancer"]())
    np.testing.assert_allclose(Z.mean(axis=0), 0.0, atol=1e-13)
    np.testing.assert_allclose(Z.var(axis=0), 1.0, rtol=1e-12)


@pytest.mark.parametrize("name", ["breast_cancer", "with missing values"])
def test_order_of_rows_is_rounding(name, engine, implementation, parity):
    X = DENSE[name]()
    ours = implementation("StandardScaler")
    straight, shuffled = ours().fit(X), ours().fit(np.random.default_rng(0).permutation(X))
    for what in ("mean_", "var_"):
        a, b = getattr(shuffled, what), getattr(straight, what)
        parity.rounding(a, b, what=f"{what}, rows permuted", bound=1e-12, reason="the same sums in another order")


def test_weight_two_is_being_there_twice(engine, implementation, parity):
    X = DENSE["with missing values"]()
    weight = np.random.default_rng(0).integers(0, 4, len(X))
    ours = implementation("StandardScaler")
    weighted, repeated = ours().fit(X, sample_weight=weight), ours().fit(np.repeat(X, weight, axis=0))
    for what in LEARNED:
        a, b = np.asarray(getattr(weighted, what), float), np.asarray(getattr(repeated, what), float)
        parity.rounding(a, b, what=f"{what}, weights as copies", bound=1e-12, reason=SUMS_IN_ANOTHER_ORDER)


@pytest.mark.parametrize("power", [-40, -1, 3, 60])
def test_powers_of_two_scale_exactly(power, engine, implementation):
    X, factor = DENSE["breast_cancer"](), 2.0**power
    plain, scaled = implementation("StandardScaler")().fit(X), implementation("StandardScaler")().fit(X * factor)
    np.testing.assert_array_equal(scaled.mean_, plain.mean_ * factor)
    np.testing.assert_array_equal(scaled.var_, plain.var_ * factor**2)
    np.testing.assert_array_equal(scaled.transform(X * factor), plain.transform(X))


def test_round_trip(engine, implementation):
    X = DENSE["with missing values"]()
    scaler = implementation("StandardScaler")().fit(X)
    scale = np.abs(X).copy()
    scale[np.isnan(scale)] = 0.0
    back = scaler.inverse_transform(scaler.transform(X))
    np.testing.assert_allclose(back, X, rtol=1e-15, atol=4 * np.finfo(float).eps * scale.max())


# ---------------------------------------------------------------- engines and threads


@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("missing", [0.0, 0.05])
def test_any_number_of_threads_gives_the_same_bits(order, missing):
    X = np.asarray(uneven(4099, 131, missing=missing), order=order)  # enough for the kernels to share it
    weight = np.random.default_rng(0).uniform(0.1, 3.0, len(X))
    before, results = minimal.get_num_threads(), []
    try:
        for n_threads in (1, 2, 7):
            minimal.set_num_threads(n_threads)
            scaler = StandardScaler().fit(X)
            weighted = StandardScaler().fit(X, sample_weight=weight)
            arrays = [scaler.mean_, scaler.var_, weighted.mean_, weighted.var_]
            results.append([a.tobytes() for a in (*arrays, scaler.transform(X), scaler.inverse_transform(X))])
    finally:
        minimal.set_num_threads(before)
    assert results[0] == results[1] == results[2]


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("shape", [(60_001, 5), (3001, 130), (100, 3000)])
def test_large_data_take_the_same_values_as_small(shape, dtype, implementation, parity):
    """Above a certain size the kernels work in long rows, with several threads: a path of its own."""
    X = uneven(*shape, missing=0.01, dtype=dtype)
    with minimal.engine("numba"):
        ours, theirs = implementation("StandardScaler")().fit(X), Reference().fit(X)
        same_learned(ours, theirs, parity, data=f"{shape}")
        parity.identical(ours.transform(X), theirs.transform(X), what="transform", data=f"{shape}")
        parity.identical(ours.inverse_transform(X), theirs.inverse_transform(X), what="inverse", data=f"{shape}")
        for order in "CF":
            own, theirs_own = X.copy(order), X.copy(order)
            assert ours.transform(own, copy=False) is own
            parity.identical(own, theirs.transform(theirs_own, copy=False), what="in place", data=f"{shape}, {order}")
            ours.inverse_transform(own, copy=False)
            parity.identical(own, theirs.inverse_transform(theirs_own, copy=False), what="inverse in place")
        for place in ((0, 0), (-1, -1)):  # among the long rows, and among those that are left over
            bad = X.copy()
            bad[place] = np.inf
            scaler = implementation("StandardScaler")().fit(X)
            for job in (scaler.transform, scaler.inverse_transform, scaler.fit):
                with pytest.raises(ValueError, match="infinity"):
                    job(bad)


# ---------------------------------------------------------------- errors and warnings


@pytest.mark.parametrize("value", [np.inf, -np.inf])
@pytest.mark.parametrize("order", ["C", "F"])
def test_infinity_is_rejected_everywhere(order, value, engine, implementation):
    X = ORDERS[order](DENSE["with missing values"]())
    bad = X.copy(order="K")
    bad[5, 3] = value
    for options in OPTIONS:
        scaler = implementation("StandardScaler")(**options).fit(X)
        for job in (scaler.transform, scaler.inverse_transform, scaler.partial_fit, scaler.fit):
            with pytest.raises(ValueError, match="contains infinity or a value too large for dtype"):
                job(bad)
        with pytest.raises(ValueError, match="contains infinity"):
            scaler.fit(bad, sample_weight=np.ones(len(X)))
    both = X.copy(order="K")
    both[5, 3], both[6, 3] = np.inf, -np.inf
    with pytest.raises(ValueError, match="contains infinity"):
        implementation("StandardScaler")().fit(both)


def test_infinity_leaves_data_alone_even_in_place(engine, implementation):
    X = DENSE["uneven"]()
    scaler = implementation("StandardScaler")(copy=False).fit(X)
    X[-1, -1] = np.inf
    before = X.copy()
    with pytest.raises(ValueError, match="infinity"):
        scaler.transform(X)
    np.testing.assert_array_equal(X, before)


@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("data", [np.full((3, 2), 1.5e308), np.full((3, 2), 1e200) * [[1], [2], [3]]])
def test_overflow_warns_as_there(data, order, engine, implementation, parity):
    data = ORDERS[order](data)
    with pytest.warns(RuntimeWarning, match="overflow|invalid") as theirs_said:
        theirs = Reference().fit(data)
    with pytest.warns(RuntimeWarning, match="overflow|invalid") as ours_said:
        ours = implementation("StandardScaler")().fit(data)
    assert sorted(str(w.message) for w in ours_said) == sorted(str(w.message) for w in theirs_said)
    same_learned(ours, theirs, parity, data="overflow")


def test_overflow_in_transform_warns(engine, implementation):
    X = 1e-150 * np.arange(4.0).reshape(-1, 1)
    for job in (implementation("StandardScaler")().fit(X).transform, Reference().fit(X).transform):
        with pytest.warns(RuntimeWarning, match="overflow"):
            assert np.isinf(job([[1e200]])).all()
        with pytest.warns(RuntimeWarning, match="overflow"):
            assert np.isinf(job(np.array([[1e200]]))).all()


def test_variance_below_zero_is_a_constant(engine, implementation, parity):
    """Rounding gives a constant feature with weights a variance of about -1e-17, or +1e-17."""
    X, said = np.full((1003, 1), 3.3), []
    for seed in range(30):
        weight = np.random.default_rng(seed).uniform(0.1, 3.0, 1003)
        with warnings.catch_warnings(record=True) as theirs_said:
            warnings.simplefilter("always")
            theirs = Reference().fit(X, sample_weight=weight)
        ours = implementation("StandardScaler")().fit(X, sample_weight=weight)  # a warning would be an error here
        assert ours.scale_[0] == theirs.scale_[0] == 1.0
        said += [str(warning.message) for warning in theirs_said]
    assert set(said) <= {"invalid value encountered in sqrt"}
    if said:
        reason = "there it is the root of a variance that rounding has left below zero; neither side uses its value"
        parity.known("no RuntimeWarning from fit with weights", reason, difference=0.0, option="weights")


def test_column_without_values_warns_as_there(engine, implementation, parity):
    X = DENSE["empty column"]()
    with pytest.warns(RuntimeWarning, match="invalid value"):
        theirs = Reference().fit(X)
    with pytest.warns(RuntimeWarning, match="invalid value"):
        ours = implementation("StandardScaler")().fit(X)
    same_learned(ours, theirs, parity, data="empty column")


@pytest.mark.parametrize(
    "bad",
    [
        [1.0, 2.0],
        np.zeros((0, 2)),
        np.zeros((3, 0)),
        np.zeros((2, 2, 2)),
        [["a", "b"]],
        np.ones((2, 2)) * 1j,
        3.0,
        None,
    ],
    ids=["1-d", "no sample", "no feature", "3-d", "text", "complex", "scalar", "None"],
)
def test_bad_input_raises_as_there_and_leaves_nothing(bad, engine, implementation):
    with pytest.raises((ValueError, TypeError)) as theirs:
        Reference().fit(bad)
    ours = implementation("StandardScaler")().fit([[1.0, 2.0], [3.0, 4.0]])
    with pytest.raises(type(theirs.value)):
        ours.fit(bad)
    with pytest.raises(NotFittedError):
        ours.transform([[1.0, 2.0]])
    assert not [name for name in vars(ours) if name.endswith("_")]


def test_failed_partial_fit_forgets_nothing(engine, implementation):
    X = DENSE["uneven"]()
    scaler = implementation("StandardScaler")().fit(X)
    before = {name: np.copy(getattr(scaler, name)) for name in LEARNED}
    for bad in (X[:, :3], np.full_like(X, np.inf), scipy.sparse.csr_array(np.ones_like(X))):
        with pytest.raises(ValueError, match=r"features|infinity|sparse"):
            scaler.partial_fit(bad)
    for name, value in before.items():
        np.testing.assert_array_equal(getattr(scaler, name), value)


@pytest.mark.parametrize("weight", [[1.0, 2.0], [[1.0], [2.0], [3.0]], [1.0, np.nan, 1.0], [0.0, 0.0, 0.0], "abc"])
def test_bad_weights_raise_as_there(weight, engine, implementation):
    X = np.arange(6.0).reshape(3, 2)
    with pytest.raises((ValueError, TypeError)) as theirs:
        Reference().fit(X, sample_weight=weight)
    with pytest.raises(type(theirs.value)):
        implementation("StandardScaler")().fit(X, sample_weight=weight)


@pytest.mark.parametrize("name", ["copy", "with_mean", "with_std"])
def test_parameters_are_checked(name, engine, implementation):
    with pytest.raises(ValueError, match=f"The '{name}' parameter of StandardScaler must be") as ours:
        implementation("StandardScaler")(**{name: "yes"}).fit([[1.0], [2.0]])
    with pytest.raises(type(ours.value).__mro__[2]):
        Reference(**{name: "yes"}).fit([[1.0], [2.0]])


def test_wrong_number_of_features(engine, implementation):
    scaler = implementation("StandardScaler")().fit(np.eye(3))
    for job in (scaler.transform, scaler.inverse_transform, scaler.partial_fit):
        with pytest.raises(ValueError, match="features"):
            job(np.eye(2))


# ---------------------------------------------------------------- copies, frames, pipelines


@pytest.mark.parametrize("order", ["C", "F", "every second row", "read-only"])
@pytest.mark.parametrize("method", ["transform", "inverse_transform"])
def test_in_place_where_the_reference_is(method, order, engine, implementation, parity):
    for dtype, chosen, called in product((np.float64, np.int64), (True, False), (None, True, False)):
        ours_X, theirs_X = (ORDERS[order](np.arange(12.0).reshape(4, 3).astype(dtype)) for _ in range(2))
        ours = implementation("StandardScaler")(copy=chosen).fit(ours_X)
        theirs = Reference(copy=chosen).fit(theirs_X)
        a, b = getattr(ours, method)(ours_X, copy=called), getattr(theirs, method)(theirs_X, copy=called)
        parity.identical(a, b, what=method, data=order, option=f"copy={chosen}, {called}")
        np.testing.assert_array_equal(ours_X, theirs_X)
        assert np.shares_memory(a, ours_X) == np.shares_memory(b, theirs_X)


@pytest.mark.parametrize("method", ["transform", "inverse_transform"])
def test_converted_data_are_scaled_in_place(method, engine, implementation):
    """Integers become floats in a new array, which nobody else has: a second one would be a waste."""
    X = np.random.default_rng(0).integers(0, 9, (200_000, 10))
    for Scaler in (implementation("StandardScaler"), Reference):
        job = getattr(Scaler().fit(X), method)
        job(X)  # whatever is loaded or compiled the first time
        tracemalloc.start()
        job(X)
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert peak < 1.5 * X.size * 8


def test_data_frames(engine, implementation, parity):
    X = pd.DataFrame(DENSE["iris"](), columns=list("abcd"), index=range(7, 157))
    before = X.copy()
    ours, theirs = implementation("StandardScaler")().fit(X), Reference().fit(X)
    same_learned(ours, theirs, parity, data="data frame")
    np.testing.assert_array_equal(ours.feature_names_in_, theirs.feature_names_in_)
    np.testing.assert_array_equal(ours.get_feature_names_out(), list("abcd"))
    assert isinstance(ours.transform(X), np.ndarray)
    framed = ours.set_output(transform="pandas").transform(X)
    pd.testing.assert_frame_equal(framed, theirs.set_output(transform="pandas").transform(X))
    with pytest.raises(ValueError, match="feature names should match"):
        ours.transform(X[list("badc")])
    with pytest.warns(UserWarning, match="does not have valid feature names"):
        ours.transform(X.to_numpy())
    pd.testing.assert_frame_equal(X, before)


def test_nullable_frames(engine, implementation, parity):
    X = pd.DataFrame({"a": pd.array([1, None, 4], dtype="Int64"), "b": [1.0, 2.0, np.nan]})
    ours, theirs = implementation("StandardScaler")().fit(X), Reference().fit(X)
    same_learned(ours, theirs, parity, data="nullable frame")
    parity.identical(ours.transform(X), theirs.transform(X), what="transform", data="nullable frame")


def test_in_a_pipeline(engine, implementation, parity):
    X, y = sklearn.datasets.load_diabetes(return_X_y=True)
    ours = make_pipeline(implementation("StandardScaler")(), Ridge()).fit(X, y)
    theirs = make_pipeline(Reference(), Ridge()).fit(X, y)
    parity.identical(ours.predict(X), theirs.predict(X), what="predictions of a pipeline")


def test_pickle_clone_and_repr(engine, implementation):
    scaler = implementation("StandardScaler")(with_std=False).fit(DENSE["iris"]())
    again = pickle.loads(pickle.dumps(scaler))
    np.testing.assert_array_equal(again.mean_, scaler.mean_)
    fresh = clone(scaler)
    assert fresh.get_params() == {"copy": True, "with_mean": True, "with_std": False}
    with pytest.raises(NotFittedError):
        fresh.transform([[1.0] * 4])
    assert repr(scaler) == "StandardScaler(with_std=False)"


def test_weights_then_none_as_there(engine, implementation, parity):
    """The reference cuts the weight seen so far to a whole number when a batch without weights follows."""
    X = DENSE["iris"]()
    ours, theirs = implementation("StandardScaler")(), Reference()
    for scaler in (ours, theirs):
        scaler.fit(X[:75], sample_weight=np.full(75, 0.7)).partial_fit(X[75:])
    near_learned(ours, theirs, parity, bound=1e-12, reason=SUMS_IN_ANOTHER_ORDER, option="weights, then none")
