"""The race itself: that it cannot call a disagreement a speed, that its arithmetic is right, and that it stays polite."""

from __future__ import annotations

import json
from io import StringIO
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from benchmarks import discover as finding
from benchmarks import frame, run
from benchmarks.__main__ import FAILED, INTERRUPTED, RAN, WRONG, main
from benchmarks.discover import choose, missing_peer
from benchmarks.export import CLOSE, OPEN, write_markdown
from benchmarks.frame import (
    Agreement,
    Case,
    Disagreement,
    Race,
    both,
    case,
    close_attributes,
    either,
    identical_bits,
    own_data,
    relative_difference,
    same_arrays,
    same_attributes,
    sweep,
    within_noise_floor,
)
from benchmarks.measure import Effort, calls_for, measure
from benchmarks.own_data import TableError, cases_for, classes_of, read_table
from benchmarks.report import Card, digits, report, seconds, summary


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


ONCE = Effort(seconds=0.0, min_rounds=3, max_rounds=3, sample=0.0)


@pytest.fixture
def registry(monkeypatch):
    """Empty lists of cases, so that a test registers its own."""
    for name in ("CASES", "SWEEPS", "OWN_DATA"):
        monkeypatch.setattr(frame, name, [])
    monkeypatch.setattr("benchmarks.__main__.busy", lambda: None)
    return frame


def fixed(ours, theirs, agree=None, **options):
    """A race between two results."""
    return Race(ours=lambda: ours, theirs=lambda: theirs, agree=agree or same_arrays(), **options)


def command(*arguments):
    return main([*arguments, "--seconds", "0.001"], modules=())


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


# --- the command ------------------------------------------------------------------------------------------------------


def test_an_agreeing_race_ends_with_zero(registry, capsys):
    case("Adder", "two numbers", job="add", goal={1: 1e-9}, threads=(1,))(lambda: fixed(1.0, 1.0))
    assert command() == RAN
    out = capsys.readouterr().out
    assert "Adder, against scikit-learn" in out
    assert "identical" in out
    assert "1 races: 1 agree, 0 failed" in out
    assert "goals met 1 of 1" in out


def test_a_speed_without_parity_is_a_failure_and_the_others_still_run(registry, capsys):
    def wrong():
        return fixed(1.0, 2.0)

    def right():
        return fixed(1.0, 1.0)

    case("Adder", "wrong", threads=(1,))(wrong)
    case("Adder", "right", threads=(1,))(right)
    assert command() == FAILED
    out = capsys.readouterr().out
    row = next(line for line in out.splitlines() if line.startswith("wrong"))
    assert "FAILED" in row
    assert "x" not in row.replace("wrong", "")  # no ratio stands beside it
    assert "the answers do not agree: result 0 is not identical: differs by 5.0e-01" in out
    assert "2 races: 1 agree, 1 failed" in out


def test_an_error_on_one_side_is_a_failure(registry, capsys):
    def raising():
        return Race(ours=lambda: 1 / 0, theirs=lambda: 1.0, agree=same_arrays())

    case("Adder", "raises", threads=(1,))(raising)
    assert command() == FAILED
    assert "ZeroDivisionError: division by zero" in capsys.readouterr().out


def test_a_missing_peer_is_left_out_visibly_but_a_missing_part_of_ours_is_a_failure(registry, capsys):
    def needs_peer():
        raise ModuleNotFoundError("No module named 'peer.sub'", name="peer.sub")

    def needs_ours():
        raise ModuleNotFoundError("No module named 'minimal.later'", name="minimal.later")

    def right():
        return fixed(1.0, 1.0)

    case("Adder", "peer", threads=(1,))(needs_peer)
    case("Adder", "right", threads=(1,))(right)
    assert command() == RAN
    assert "left out  Adder, peer: peer is not installed" in capsys.readouterr().out
    case("Adder", "ours", threads=(1,))(needs_ours)
    assert command() == FAILED
    assert missing_peer(ValueError()) is None


def test_nothing_raced_is_not_a_success(registry):
    assert command() == FAILED


def test_a_broken_case_file_is_a_failure(registry, capsys, monkeypatch):
    def broken(_):
        raise SyntaxError("not Python")

    case("Adder", "right", threads=(1,))(lambda: fixed(1.0, 1.0))
    monkeypatch.setattr(finding, "import_module", broken)
    assert main(["--seconds", "0.001"], modules=["benchmarks.cases_bad"]) == FAILED
    out = capsys.readouterr().out
    assert "FAILED    cases_bad: SyntaxError: not Python" in out
    assert "1 races: 1 agree, 0 failed" in out


def test_names_choose_and_unknown_names_end_with_the_list(registry, capsys):
    def adds():
        return fixed(1.0, 1.0)

    def doubles():
        return fixed(2.0, 2.0)

    case("Adder", "small", threads=(1,), quick=True)(adds)
    case("Doubler", "large", threads=(1,), tags=("times",))(doubles)
    for words, expected in {
        ("adder",): "adds",
        ("Times",): "doubles",
        ("LARGE",): "doubles",
        ("doub",): "doubles",
    }.items():
        assert [chosen.name for chosen in choose(frame.CASES, words)] == [expected]
    assert len(choose(frame.CASES, [])) == len(choose(frame.CASES, ["adds", "doubles"])) == 2
    assert command("Adder") == RAN
    assert "Doubler" not in capsys.readouterr().out
    assert command("--quick") == RAN
    assert "Doubler" not in capsys.readouterr().out
    with pytest.raises(SystemExit) as stop:
        command("Tripler")
    assert stop.value.code == WRONG
    assert "Components: Adder, Doubler" in capsys.readouterr().err
    assert command("--list") == RAN
    assert {"adds", "doubles"} <= set(capsys.readouterr().out.split())


@pytest.mark.parametrize(
    "arguments",
    [
        ("--target", "y"),
        ("--plot", "p.png"),
        ("--sizes", "ten"),
        ("--sizes", "1"),
        ("--sizes", "1e3", "--csv", "x.csv"),
        ("--json", "no_such_folder/r.json"),
        ("--engine", "abacus"),
        ("--csv", "no_such_table.csv"),
    ],
)
def test_commands_that_make_no_sense_end_before_anything_is_measured(registry, arguments, capsys):
    case("Adder", "never", threads=(1,))(lambda: pytest.fail("it was raced"))
    with pytest.raises(SystemExit) as stop:
        main(list(arguments), modules=())
    assert stop.value.code == WRONG
    assert "error:" in capsys.readouterr().err


@pytest.mark.parametrize("width", [80, 100, 120])
def test_no_line_of_the_table_is_folded_or_cut(registry, width):
    from rich.console import Console

    def job():
        return Race(ours=lambda: 1.0, theirs=lambda: 1.0, agree=same_arrays(), bytes_moved=2**24)

    one = Case(name="x", component="Adder", data="small", build=job, goals={1: 2.5})
    done = [*run.run(run.heats([one], [1]), ONCE)]
    paper = Console(width=width, record=True, file=StringIO())
    paper.print(report(Card(heading={}, outcomes=done), width))
    lines = paper.export_text().splitlines()
    header = next(line for line in lines if line.startswith("case"))
    shown = header.split()
    assert shown[:6] == ["case", "thr", "parity", "ours", "theirs", "ratio"]
    if width != 100:  # there it depends on how long the numbers are
        assert ("GB/s" in shown) == (width == 120)
    row = lines[lines.index(header) + 1]
    assert row.startswith("small")
    assert "identical" in row
    assert not lines[lines.index(header) + 2].strip()  # the row is one line


def test_two_cases_cannot_share_a_name(registry):
    def build():
        return fixed(1, 1)

    case("Adder", "one")(build)
    with pytest.raises(ValueError, match="two benchmark cases named 'build'"):
        case("Adder", "two")(build)


def test_json_holds_every_sample_and_every_failure(registry, tmp_path, capsys):
    def right():
        return fixed(1.0, 1.0 + 1e-15, agree=same_arrays(1e-12), bytes_moved=2**24)

    def wrong():
        return fixed(1.0, 2.0)

    case("Adder", "right", job="add", goal=1e9, threads=(1,))(right)
    case("Adder", "wrong", threads=(1,))(wrong)
    assert command("--json", str(tmp_path / "r.json"), "--engine", "numba") == FAILED
    written = json.loads((tmp_path / "r.json").read_text())
    assert {"machine", "system", "versions", "BLAS", "engine", "threads"} == set(written["heading"])
    good, bad = written["results"]
    assert (good["parity"], good["threads"], good["goal_met"]) == ("rounding", 1, False)
    assert 0 < good["largest_difference"] < 1e-14
    assert len(good["samples"]["ours"]) == len(good["samples"]["theirs"]) >= 7
    assert good["ratio"] == np.median(good["samples"]["theirs"]) / np.median(good["samples"]["ours"])
    assert good["copy"] > 0
    assert "ratio" not in bad
    assert "do not agree" in bad["failure"]


def test_the_heading_names_no_host_and_no_path(registry, capsys):
    import platform

    case("Adder", "x", threads=(1,))(lambda: fixed(1.0, 1.0))
    command()
    out = capsys.readouterr().out
    assert "minimal 0." in out
    if len(platform.node()) > 3:
        assert platform.node() not in out
    assert str(Path(__file__).parents[1]) not in out
    assert "site-packages" not in out


def test_the_same_threads_on_both_sides(registry, monkeypatch):
    from threadpoolctl import threadpool_info

    import minimal

    seen = []

    def build():
        def job():
            seen.append((minimal.get_num_threads(), {pool["num_threads"] for pool in threadpool_info()}))
            return 1.0

        return Race(ours=job, theirs=job, agree=same_arrays())

    before = minimal.get_num_threads()
    case("Adder", "x")(build)
    monkeypatch.setattr("benchmarks.threads.cores", lambda: 2)
    assert command() == RAN
    assert minimal.get_num_threads() == before
    assert {ours for ours, _ in seen} == {1, 2}
    assert all(theirs <= {ours} for ours, theirs in seen)


def test_all_threads_of_one_core_is_not_raced_twice(monkeypatch):
    one = Case(name="x", component="Adder", data="x", build=lambda: fixed(1, 1))
    monkeypatch.setattr("benchmarks.threads.cores", lambda: 1)
    assert [heat.threads for heat in run.heats([one], [1, "all"])] == [1]
    assert [heat.threads for heat in run.heats([one], ["all"])] == ["all"]
    monkeypatch.setattr("benchmarks.threads.cores", lambda: 2)
    assert [heat.threads for heat in run.heats([one], [1, "all"])] == [1, "all"]


def test_goals_are_claims_about_the_compiled_engine(registry, capsys):
    case("Adder", "x", goal=1e9, threads=(1,))(lambda: fixed(1.0, 1.0))
    assert command("--engine", "numpy") == RAN
    assert "goals" not in capsys.readouterr().out
    assert command("--engine", "numba") == RAN
    assert "goals met 0 of 1" in capsys.readouterr().out


@pytest.fixture(autouse=True)
def engine_as_before():
    import minimal

    before = minimal.get_engine()
    yield
    minimal.set_engine(before)


def test_the_peak_memory_of_a_side_is_what_it_needs_beyond_its_data(registry):
    from benchmarks.memory import RESET, peak_memory

    if not RESET.exists():
        pytest.skip("the peak can be reset on Linux only")
    found = peak_memory(allocating_case(), "ours", 1, "numpy")
    assert 20e6 < found < 23e6  # 2.5 million doubles; not the 80 MB of the data, nor the 400 MB of its preparation
    assert peak_memory(allocating_case(), "theirs", 1, "numpy") < 3e6


def allocating():
    data = np.ones(50_000_000)[:10_000_000].copy()
    for _ in range(5):  # freed memory that the allocator would keep for the next call, if it were not told otherwise
        data[:2_500_000] * 2
    return Race(ours=lambda: data[:2_500_000] * 2, theirs=lambda: data.sum(), agree=same_arrays(), memory=True)


def allocating_case():
    return Case(name="allocating", component="Adder", data="x", build=allocating)


def test_the_card_replaces_what_stands_between_its_markers_and_nothing_else(tmp_path):
    card = Card(heading={"machine": "a | b"}, outcomes=[], notes=["hello"])
    page = tmp_path / "README.md"
    page.write_text(f"before\n{OPEN}\nold\n{CLOSE}\nafter\n")
    write_markdown(page, card)
    text = page.read_text()
    assert text.startswith(f"before\n{OPEN}\n- machine: a \\| b\n- note: hello\n")
    assert text.endswith(f"{CLOSE}\nafter\n")
    assert "old" not in text
    write_markdown(tmp_path / "new.md", card)
    assert (tmp_path / "new.md").read_text().startswith(OPEN)
    (tmp_path / "other.md").write_text("somebody's text")
    with pytest.raises(ValueError, match=r"other\.md has no place for the report card"):
        write_markdown(tmp_path / "other.md", card)
    assert (tmp_path / "other.md").read_text() == "somebody's text"


def test_a_sweep_runs_its_sizes_and_draws_them(registry, tmp_path, capsys):
    pytest.importorskip("matplotlib")
    sizes = []

    def by_size(n):
        sizes.append(n)
        return fixed(np.ones(n), np.ones(n))

    sweep("Adder", "ones", sizes=(3, 5), threads=(1,))(by_size)
    picture = tmp_path / "sizes.png"
    assert command("--sizes", "1e1,20", "--plot", str(picture)) == RAN
    assert picture.read_bytes().startswith(b"\x89PNG")
    assert command("Adder", "--plot", str(picture), "--sizes") == RAN
    assert sizes == [10, 20, 3, 5]
    assert "ones, n = 10" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("t", "text"),
    [(1.0, "1.00 s"), (0.0456, "45.6 ms"), (789e-6, "789 µs"), (0.9996e-3, "1.00 ms"), (5e-10, "0.50 ns")],
)
def test_times_are_written_with_three_digits(t, text):
    assert seconds(t) == text


def test_digits_and_an_empty_summary():
    assert [digits(x) for x in (1.234, 9.999, 12.34, 99.96, 12345.6)] == ["1.23", "10.0", "12.3", "100", "12346"]
    assert summary([]) == "0 races: 0 agree, 0 failed; ahead in 0, behind in 0"


def test_a_sweep_is_not_asked_for_more_than_ten_times_its_largest_size(registry, capsys, tmp_path):
    pytest.importorskip("matplotlib")
    sizes = []

    def by_size(n):
        sizes.append(n)
        return fixed(1.0, 1.0)

    sweep("Adder", "ones", sizes=(3, 5), threads=(1,), counts="variables")(by_size)
    assert command("--sizes", "50,51", "--plot", str(tmp_path / "sizes.png")) == RAN
    assert sizes == [50]
    assert "left out  Adder, ones: more than 50 variables" in capsys.readouterr().out


def test_what_was_raced_before_an_interruption_is_printed(registry, capsys):
    def right():
        return fixed(1.0, 1.0)

    def stopped():
        raise KeyboardInterrupt

    case("Adder", "right", threads=(1,))(right)
    case("Adder", "stopped", threads=(1,))(stopped)
    assert command() == INTERRUPTED
    assert "1 races: 1 agree, 0 failed" in capsys.readouterr().out


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
