"""Odd input of every kind, and what it means that two libraries answer it alike: what the tests of the doors share."""

from __future__ import annotations

import warnings

import numpy as np
import pandas as pd
import scipy.sparse as sp
import sklearn.preprocessing
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

QUICK = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])

# ---------------------------------------------------------------- what can come in


def values(dtype):
    kind = np.dtype(dtype).kind
    if kind == "f":
        half = np.dtype(dtype) == np.float16
        wild = [0.0, -0.0, np.nan, np.inf, -np.inf] + ([6e-5, 6e4] if half else [1e-30, 3e38])
        largest = 2.0**10 if half else 2.0**20
        return st.one_of(st.floats(-largest, largest, width=np.dtype(dtype).itemsize * 8), st.sampled_from(wild))
    return npst.from_dtype(np.dtype(dtype)) if kind in "biu" else st.integers(-9, 9)


def _layouts(array):
    """The same values in another memory layout."""
    spread = np.zeros((2 * array.shape[0], array.shape[1]), dtype=array.dtype)
    spread[::2] = array
    read_only = array.copy()
    read_only.flags.writeable = False
    return st.sampled_from([array, np.asfortranarray(array), spread[::2], array[::-1], read_only])


@st.composite
def matrices(draw, min_rows=0, min_columns=0):
    """A matrix of some dtype and layout with whatever values."""
    dtype = draw(st.sampled_from([np.float64, np.float32, np.float16, np.int64, np.uint8, np.bool_, np.float64]))
    shape = (draw(st.integers(min_rows, 6)), draw(st.integers(min_columns, 4)))
    return draw(_layouts(draw(npst.arrays(dtype, shape, elements=values(dtype)))))


GOOD = np.array([[0.0, 1.0], [2.0, -1.0], [3.0, 0.5], [-1.0, 4.0], [1.0, 1.0], [0.5, -2.0]])
LABELS = np.array([0, 1, 1, 0, 1, 0])

ODD = {
    "one-dimensional": np.arange(4.0),
    "three-dimensional": np.zeros((2, 2, 2)),
    "a scalar": 3.0,
    "a zero-dimensional array": np.array(3.0),
    "nothing": None,
    "no rows": np.zeros((0, 2)),
    "no columns": np.zeros((3, 0)),
    "an empty list": [],
    "text": np.array([["a", "b"], ["c", "d"]]),
    "text that spells numbers": np.array([["1", "2"], ["3", "5"]]),
    "a list of lists": [[1, 2], [3, 5], [4, 4]],
    "ragged lists": [[1.0, 2.0], [3.0]],
    "objects that are numbers": np.array([[1, 2.5], [3, 4]], dtype=object),
    "objects that are not": np.array([[1, "x"], [3, 4]], dtype=object),
    "dictionaries": np.array([[{}, {}], [{}, {}]], dtype=object),
    "complex": np.array([[1 + 1j, 2], [3, 4]]),
    "infinite": np.array([[1.0, np.inf], [2.0, 3.0]]),
    "missing": np.array([[1.0, np.nan], [2.0, 3.0]]),
    "a matrix": np.array([[1.0, 2.0], [3.0, 4.0]]).view(np.matrix),
    "a masked array": np.ma.masked_array([[1.0, 2.0], [3.0, 4.0]], mask=[[0, 1], [0, 0]]),
    "sparse CSR": sp.csr_array(GOOD),
    "sparse COO": sp.coo_array(GOOD),
    "sparse CSR with NaN": sp.csr_array([[np.nan, 0.0], [1.0, 2.0]]),
    "sparse CSR with infinity": sp.csr_array([[np.inf, 0.0], [1.0, 2.0]]),
    "sparse complex": sp.csr_array([[1j, 0.0], [1.0, 2.0]]),
    "a frame": pd.DataFrame(GOOD, columns=["a", "b"]),
    "a frame with mixed names": pd.DataFrame(GOOD, columns=["a", 1]),
    "a frame with text": pd.DataFrame({"a": ["x", "y"], "b": [1, 2]}),
    "a frame with nullable numbers": pd.DataFrame({"a": pd.array([1, None, 3], dtype="Int64"), "b": [1.0, 2.0, 4.0]}),
    "a frame of booleans": pd.DataFrame({"a": [True, False, True], "b": [False, False, True]}),
    "a series": pd.Series([1.0, 2.0]),
    "dates": np.array([["2020-01-01", "2021-01-01"]], dtype="datetime64[D]"),
    "an estimator": sklearn.preprocessing.StandardScaler(),
    "huge": np.array([[1e300, 1.0], [-1e300, 2.0], [1e299, 5.0]]),
    "tiny": np.array([[1e-300, 1.0], [-1e-300, 2.0], [3e-300, 5.0]]),
    "larger than float32": np.array([[1e39, 1.0], [2.0, 3.0]]),
    "big integers": np.array([[2**62, 1], [2**61, 3]]),
}

ODD_TARGETS = {
    "one class": np.zeros(6, dtype=int),
    "too short": LABELS[:4],
    "too long": np.r_[LABELS, 1],
    "nothing": None,
    "missing": np.array([0, 1, np.nan, 0, 1, 0]),
    "infinite": np.array([0, 1, np.inf, 0, 1, 0]),
    "continuous": np.array([0.1, 1.7, 2.5, 0.3, 1.1, 0.9]),
    "whole floats": LABELS.astype(float),
    "text": np.array(["no", "yes", "yes", "no", "yes", "no"]),
    "objects": np.array(["no", "yes", "yes", "no", "yes", "no"], dtype=object),
    "mixed objects": np.array(["no", 1, "yes", 0, 1, 0], dtype=object),
    "booleans": LABELS.astype(bool),
    "a column": LABELS.reshape(-1, 1),
    "two columns": np.c_[LABELS, LABELS],
    "complex": LABELS + 1j,
    "a list": LABELS.tolist(),
    "a series": pd.Series(LABELS),
    "a scalar": 1,
    "sparse": sp.csr_array(LABELS.reshape(-1, 1)),
    "None among labels": np.array([0, 1, None, 0, 1, 0], dtype=object),
    "an empty list": [],
}

ODD_WEIGHTS = {
    "too short": np.ones(3),
    "two-dimensional": np.ones((6, 1)),
    "missing": np.array([1, 1, np.nan, 1, 1, 1]),
    "infinite": np.array([1, 1, np.inf, 1, 1, 1]),
    "all zero": np.zeros(6),
    "negative": np.array([1.0, -0.5, 1, 1, 1, 1]),
    "a number": 2.5,
    "integers": np.array([1, 2, 1, 3, 1, 1]),
    "a list": [1.0, 2.0, 1.0, 3.0, 1.0, 1.0],
    "text": np.array(list("abcdef")),
    "complex": np.ones(6) * 1j,
    "float32": np.full(6, 0.5, dtype=np.float32),
    "some zero": np.array([1.0, 0, 2.0, 1, 1, 0]),
}


# ---------------------------------------------------------------- what must come out


def outcome(call):
    """The result, or the exception, of a call; warnings are kept out of the comparison."""
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        try:
            return call(), None
        except Exception as error:
            return None, error


def same_outcome(ours, theirs, same_value):
    (our_value, our_error), (their_value, their_error) = ours, theirs
    if their_error is None:
        assert our_error is None, f"the reference answers, minimal raises {our_error!r}"
        same_value(our_value, their_value)
    else:
        assert our_error is not None, f"the reference raises {their_error!r}, minimal answers {our_value!r}"
        assert isinstance(our_error, _public_kind(their_error)), f"{our_error!r} instead of {their_error!r}"
        assert len(str(our_error)) > 10, "a message says what to do"


def _public_kind(error):
    """The nearest class that a caller would name in an except clause."""
    builtin = [kind for kind in type(error).__mro__ if kind.__module__ == "builtins"]
    return builtin[0]


def untouched(X):
    """A frozen picture of an input, to compare with afterwards."""
    if sp.issparse(X):
        return X.copy().toarray() if X.dtype.kind != "O" else X.copy()
    return X.copy() if callable(getattr(X, "copy", None)) else X


def assert_untouched(X, before):
    if isinstance(X, np.ndarray) and X.dtype.kind in "biufc":
        np.testing.assert_array_equal(np.asarray(X), np.asarray(before))
    elif sp.issparse(X):
        np.testing.assert_array_equal(X.toarray(), before)
    elif hasattr(X, "equals"):
        assert X.equals(before)
