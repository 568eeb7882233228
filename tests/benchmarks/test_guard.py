"""The benchmarks refuse what is slower, and times of unequal work; what is committed stays unless told otherwise."""

import copy
import json

import pytest

import benchmarks.__main__ as bench
from benchmarks.guard import regressions
from benchmarks.work import LessWorkDoneError, beside, counted

COMMITTED = {
    "machine": {},
    "yardstick": 0.5,
    "minutes": 0.1,
    "tasks": {
        "fit": {
            "core_seconds": 0.2,
            "counts": {"likelihoods": 40},
            "peers": {
                "other": {"version": "1", "core_seconds": 0.6, "times_ours": 3.0, "difference": 0.0},
                "gone": {"absent": "could not be installed"},
            },
        },
        "run": {"core_seconds": 50.0, "peak_gib": 1.0},
    },
    "ratios": {"help over nothing": 1.4},
}


def changed(**figures):
    """Return the committed results with some figures replaced; `fit__core_seconds` is that of the task fit."""
    now = copy.deepcopy(COMMITTED)
    for path, value in figures.items():
        *parents, name = path.split("__")
        at = now["tasks"]
        for parent in parents:
            at = at[parent]
        at[name] = value
    return now


def test_the_same_figures_pass():
    assert regressions(COMMITTED, COMMITTED) == []


def test_a_slower_machine_passes():
    now = changed(fit__core_seconds=0.4, run__core_seconds=100.0)
    assert regressions(COMMITTED, now | {"yardstick": 1.0}) == []


def test_a_slower_task_is_named():
    (told,) = regressions(COMMITTED, changed(run__core_seconds=66.0))
    assert told == "run: slower, 1.32 times by the yardstick"


def test_where_there_are_peers_it_has_to_be_slower_than_before_beside_them_too():
    assert regressions(COMMITTED, changed(fit__core_seconds=0.3)) == [], "the peer is slower as well: it is the machine"
    (told,) = regressions(COMMITTED, changed(fit__core_seconds=0.3, fit__peers__other__times_ours=2.0))
    assert told == "fit: slower, 1.50 times by the yardstick, 1.50 times by other"


def test_more_operations_are_named():
    assert regressions(COMMITTED, changed(fit__counts__likelihoods=42)) == []
    (told,) = regressions(COMMITTED, changed(fit__counts__likelihoods=43))
    assert told == "fit: 43 likelihoods instead of 40"
    (told,) = regressions(COMMITTED, changed(fit__counts={}))
    assert told == "fit: None likelihoods instead of 40"


def test_more_memory_is_named():
    (told,) = regressions(COMMITTED, changed(run__peak_gib=1.25))
    assert told == "run: 1.25 GiB of memory instead of 1.00"


def test_a_ratio_that_grew_is_named():
    (told,) = regressions(COMMITTED, copy.deepcopy(COMMITTED) | {"ratios": {"help over nothing": 1.9}})
    assert told == "help over nothing: 1.9 instead of 1.4"


def test_a_result_that_no_longer_is_that_of_a_peer_is_named():
    (told,) = regressions(COMMITTED, changed(fit__peers__other={"version": "1", "other_result": 0.5}))
    assert told == "fit: no longer the same result as other, which is 0.5 away"


def test_a_task_that_is_gone_is_named():
    now = copy.deepcopy(COMMITTED)
    del now["tasks"]["run"]
    assert regressions(COMMITTED, now) == ["run: not measured any more"]


@pytest.fixture
def places(tmp_path, monkeypatch):
    """Return where results are committed and where they go, with `COMMITTED` there and a slower run to come."""
    results = tmp_path / "committed"
    results.mkdir()
    (results / "hawkes.json").write_text(json.dumps(COMMITTED), encoding="utf-8")
    monkeypatch.setattr(bench, "measured", lambda name: changed(run__core_seconds=70.0))
    return results, tmp_path / "out"


def test_a_slower_run_leaves_what_is_committed(places, capsys):
    results, out = places
    before = (results / "hawkes.json").read_bytes()
    (told,) = bench.judged("hawkes", False, results, out)
    assert told.startswith("run: slower")
    assert (results / "hawkes.json").read_bytes() == before
    assert json.loads((out / "hawkes.json").read_text(encoding="utf-8"))["tasks"]["run"]["core_seconds"] == 70.0


def test_an_accepted_run_replaces_it(places, capsys):
    results, out = places
    bench.judged("hawkes", True, results, out)
    assert (results / "hawkes.json").read_bytes() == (out / "hawkes.json").read_bytes()


def test_the_command_ends_with_1_and_says_which_figure(monkeypatch, capsys):
    monkeypatch.delenv("BENCH_ACCEPT", raising=False)
    monkeypatch.setattr(bench, "judged", lambda name, accept: ["run: slower"] * (name == "hawkes"))
    monkeypatch.setattr(bench, "PAGE", None)  # would not be written without being accepted
    assert bench.main(["hawkes", "scores"]) == 1
    assert "hawkes: run: slower" in capsys.readouterr().out
    assert bench.main(["scores"]) == 0


def test_a_subject_that_fails_is_named_and_does_not_stop_the_others(monkeypatch, tmp_path, capsys):
    def measured(name):
        raise bench.NotMeasuredError("not measured, exit code 1: see above")

    monkeypatch.setattr(bench, "measured", measured)
    assert bench.judged("hawkes", True, tmp_path, tmp_path / "out") == ["not measured, exit code 1: see above"]
    assert not (tmp_path / "hawkes.json").exists()


def test_an_unknown_subject_is_bad_usage(capsys):
    with pytest.raises(SystemExit, match="2"):
        bench.main(["hawks"])
    assert "no subject hawks" in capsys.readouterr().err


COST = {"core_seconds": 0.1}


def answer(found):
    return {"other": {"version": "1", "tasks": {"fit": {"core_seconds": 0.5, "found": found}}}}


def test_a_peer_with_the_same_result_has_a_time():
    task = beside(COST, "fit", answer(-10.001), lambda found: -10.0 - found, 0.01, "log-likelihood")
    assert task["peers"]["other"]["times_ours"] == pytest.approx(5.0)
    assert task["same"] == "log-likelihood within 0.01"


@pytest.mark.parametrize("found", [-10.5, float("-inf"), float("nan")])
def test_a_peer_that_did_less_has_no_time(found):
    task = beside(COST, "fit", answer(found), lambda found: -10.0 - found, 0.01, "log-likelihood")
    assert "other_result" in task["peers"]["other"]
    assert "core_seconds" not in task["peers"]["other"]


def test_falling_short_of_a_peer_is_an_error():
    with pytest.raises(LessWorkDoneError, match="fit: log-likelihood of other"):
        beside(COST, "fit", answer(-9.5), lambda found: -10.0 - found, 0.01, "log-likelihood")


def test_scores_that_differ_are_an_error():
    with pytest.raises(LessWorkDoneError, match="fit: score of other"):
        beside(COST, "fit", answer(1.1), lambda found: abs(found - 1.0), 1e-10, "score", symmetric=True)


def test_an_absent_peer_and_one_that_failed_say_why():
    told = {
        "gone": {"absent": "R is not installed"},
        "broken": {"version": "2", "tasks": {"fit": {"failed": "ValueError: no"}}},
        "without": {"version": "3", "tasks": {}},
    }
    peers = beside(COST, "fit", told, float, 0.01, "log-likelihood")["peers"]
    assert peers == {"gone": {"absent": "R is not installed"}, "broken": {"version": "2", "failed": "ValueError: no"}}


def test_calls_are_counted():
    with counted((json, "dumps")) as calls:
        json.dumps(1)
        json.dumps(2)
    json.dumps(3)
    assert calls == {"dumps": 2}
