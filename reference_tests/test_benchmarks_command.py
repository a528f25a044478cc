"""The report card's command: what it runs, what it says, and with which status it ends."""

from __future__ import annotations

import json
import re
import sys
from io import StringIO
from pathlib import Path

import numpy as np
import pytest
import torch

from benchmarks import discover as finding
from benchmarks import frame, run
from benchmarks.__main__ import FAILED, INTERRUPTED, RAN, WRONG, main
from benchmarks.discover import choose, missing_peer
from benchmarks.export import CLOSE, OPEN, write_markdown
from benchmarks.frame import (
    Case,
    Race,
    case,
    same_arrays,
    sweep,
)
from benchmarks.report import Card, digits, report, seconds, summary
from benchmarks.threads import limited

from .racing import ONCE, command, fixed


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


@pytest.mark.parametrize("n", [1, 2])
def test_pytorch_has_as_many_threads_too_and_the_mkl_inside_it(n):
    before = torch.get_num_threads()
    torch.set_num_threads(3 - n)  # from here on its MKL does not follow OpenMP's count any more
    try:
        with limited(n):
            assert torch.get_num_threads() == n
            mkl = re.findall(r"mkl_get_max_threads\(\) : (\d+)", torch.__config__.parallel_info())
            assert mkl in ([], [str(n)])
        assert torch.get_num_threads() == 3 - n
    finally:
        torch.set_num_threads(before)


def test_pytorch_is_not_loaded_only_to_be_told(monkeypatch):
    monkeypatch.delitem(sys.modules, "torch")
    with limited(1):
        assert "torch" not in sys.modules


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


def reusing():
    def job():
        from minimal.autograd.kernels.memory import aligned_empty  # by the first call, as an engine's kernels are

        memory = aligned_empty(2_500_000, np.float64)
        memory[:] = 1
        return memory.sum()

    return Race(ours=job, theirs=job, agree=same_arrays(), memory=True)


def test_memory_that_minimal_would_use_again_is_counted():
    from benchmarks.memory import RESET, peak_memory

    if not RESET.exists():
        pytest.skip("the peak can be reset on Linux only")
    case_ = Case(name="reusing", component="Adder", data="x", build=reusing)
    assert 19e6 < peak_memory(case_, "ours", 1, "numba") < 23e6


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
