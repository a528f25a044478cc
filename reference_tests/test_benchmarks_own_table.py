"""Races on anybody's own table, and the data of our own races."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks import frame
from benchmarks.__main__ import RAN, main
from benchmarks.frame import (
    Race,
    own_data,
    same_arrays,
)
from benchmarks.own_data import TableError, cases_for, classes_of, read_table

from .racing import fixed

# --- your own table ---------------------------------------------------------------------------------------------------


def table(tmp_path, text, target=None):
    path = tmp_path / "people.csv"
    path.write_text(text, encoding="utf-8")
    return read_table(path, target)


def test_text_and_rows_without_a_target_are_left_out_and_said(tmp_path):
    own = table(tmp_path, "age,name,height,kind\n1,ann,,a\n2,bob,3,b\n4,eve,5,\n6,joe,7,a\n", "kind")
    np.testing.assert_array_equal(own.X, [[1, np.nan], [2, 3], [6, 7]])
    assert own.columns == ("age", "height")
    assert list(own.y) == ["a", "b", "a"]
    assert own.notes == (
        "3 rows, 2 columns of numbers from people.csv",
        "1 rows without a value in 'kind' are left out",
        "columns without numbers are left out: name",
    )


@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_the_header_tells_the_separator(tmp_path, separator):
    text = "a,b\n1,2\n3,4\n".replace(",", separator)
    np.testing.assert_array_equal(table(tmp_path, text).X, [[1, 2], [3, 4]])


@pytest.mark.parametrize(
    ("text", "target", "message"),
    [
        ("a,b\n1,2\n3,4\n", "c", r"no column 'c'. The columns are: a, b"),
        ("a,b\nx,y\nz,w\n", None, "at least one column of numbers"),
        ("a\n1\n", None, "two rows"),
        ("a,b\n1,2\n3,inf\n", None, "hold infinities: b"),
        ("", None, "not a table"),
        ("a,b\n1,2\n1,2,3,4\n", None, "not a table"),
    ],
)
def test_a_table_that_cannot_be_raced_on_says_why(tmp_path, text, target, message):
    with pytest.raises(TableError, match=message):
        table(tmp_path, text, target)


def test_a_file_that_is_not_there_is_named_without_its_folder(tmp_path):
    with pytest.raises(TableError, match=r"^nothing.csv cannot be read: No such file") as error:
        read_table(tmp_path / "nothing.csv")
    assert str(tmp_path) not in str(error.value)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ([0.5, 1.5], "fractions"),
        ([1, 1], "one value only"),
        (list(range(101)), "101 different values"),
        (None, "--target"),
    ],
)
def test_a_target_that_is_no_class_says_why(values, message):
    import pandas as pd

    with pytest.raises(TableError, match=message):
        classes_of(None if values is None else pd.Series(values))


def test_each_component_gets_the_rows_it_can_use(registry, tmp_path):
    seen = {}

    def missing_allowed(X):
        seen["X"] = X
        return fixed(1, 1)

    def complete_only(X, y):
        seen["complete"] = X, y
        return fixed(1, 1)

    own_data("Any", allows_missing=True)(missing_allowed)
    own_data("Classes", needs_classes=True)(complete_only)
    own = table(tmp_path, "a,b,kind\n1,,0\n2,3,1\n4,5,0\n", "kind")
    cases, skipped = cases_for(own, frame.OWN_DATA)
    assert skipped == {}
    for one in cases:
        one.build()
    assert seen["X"].shape == (3, 2)
    np.testing.assert_array_equal(seen["complete"][0], [[2, 3], [4, 5]])
    np.testing.assert_array_equal(seen["complete"][1], [1, 0])
    assert [one.data for one in cases] == ["your data", "your data, 2 complete rows"]
    _, skipped = cases_for(table(tmp_path, "a,kind\n1,0.5\n2,1.5\n", "kind"), frame.OWN_DATA)
    assert skipped == {"Classes": "needs classes, and the target holds fractions"}


def test_the_race_on_your_table_from_the_command_line(registry, tmp_path, capsys):
    def column_means(X):
        return Race(ours=lambda: X.mean(axis=0), theirs=lambda: X.mean(axis=0), agree=same_arrays())

    own_data("Means")(column_means)
    path = tmp_path / "people.csv"
    path.write_text("a,b\n1,2\n3,4\n")
    assert main(["--csv", str(path), "--threads", "1", "--seconds", "0.001"], modules=()) == RAN
    out = capsys.readouterr().out
    assert "2 rows, 2 columns of numbers from people.csv" in out
    assert str(tmp_path) not in out


# --- the data of the races --------------------------------------------------------------------------------------------


def test_generated_data_is_repeated_by_its_seed_and_has_the_promised_shape():
    from benchmarks.data import blobs, noise, standardize

    X, y = blobs(200, 5, 3)
    again = blobs.__wrapped__(200, 5, 3)
    np.testing.assert_array_equal(X, again[0])
    np.testing.assert_array_equal(y, again[1])
    assert X.shape == (200, 5)
    assert set(y) == {0, 1, 2}
    np.testing.assert_allclose(X.mean(axis=0), 0, atol=1e-14)
    np.testing.assert_allclose(X.std(axis=0), 1, rtol=1e-14)
    assert not np.array_equal(X, blobs(200, 5, 3, seed=1)[0])
    assert 0.05 < np.isnan(noise(1000, 10, missing=0.1)).mean() < 0.15
    assert noise(10, 2, dtype="float32").dtype == np.float32
    np.testing.assert_array_equal(standardize(np.full((4, 1), 7.0)), np.zeros((4, 1)))


def test_real_data_is_there_by_its_name():
    from benchmarks.data import REAL, real

    assert [real(name)[0].shape for name in REAL] == [(150, 4), (178, 13), (569, 30), (1797, 64), (442, 10)]
    with pytest.raises(ValueError, match="The bundled data sets are iris, wine"):
        real("tulips")
