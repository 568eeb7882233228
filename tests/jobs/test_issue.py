"""A forecast for real: issued once, recorded before it is published, and scored as its backtest is."""

from __future__ import annotations

import datetime as dt
import itertools
import json
import shutil
import time

import pandas as pd
import pytest

from forecast.errors import ForecastError, ModelError
from forecast.events.store_lock import one_writer
from forecast.families.climatology import Climatology
from forecast.families.discount_negbin import DiscountNegbin
from forecast.jobs import issue as issue_module
from forecast.jobs import publish
from forecast.jobs.inputs import Inputs
from forecast.jobs.issue import Choices, issue_forecast, ledger_of
from forecast.jobs.ledger_state import existing_ledger, score_issues, standing
from forecast.jobs.new_workspace import create_workspace
from forecast.jobs.run_log import Clock, RunLog, read_heartbeat
from forecast.jobs.track_record import backtest_workspace
from forecast.ledger import read
from forecast.ledger.address import VARIABLE
from forecast.ledger.ledger import open_ledger
from forecast.ledger.verify import verify
from forecast.reference import reference_workspace
from forecast.workspace import open_workspace

ORIGIN = dt.date(2000, 10, 7)
MONDAY = dt.datetime(2000, 10, 9, 6, tzinfo=dt.UTC)


def clock_at(moment):
    return Clock(lambda: moment, time.monotonic)


def issue(folder, moment=MONDAY, **choices):
    workspace = open_workspace(folder)
    log = RunLog(workspace.out / "log", clock_at(moment))
    return issue_forecast(workspace, Choices(**{"workers": 1, **choices}), log)


def entries_of(folder):
    """Return the issues of a workspace, after checking the chain."""
    with existing_ledger(open_workspace(folder)) as ledger, ledger.reading() as connection:
        assert verify(connection).broken == ""
        return read.issues(connection)


def page_of(done):
    return (done.folder / "index.html").read_text(encoding="utf-8")


@pytest.fixture(autouse=True)
def quick_page(request, monkeypatch):
    """Pages of which nobody reads more than what stands on top: a whole one takes two seconds."""
    if "whole_page" not in request.fixturenames:
        monkeypatch.setattr(
            publish, "render_report", lambda content, *_: "\n".join([*content.notices, *content.warnings])
        )


@pytest.fixture
def whole_page():
    """Asked for by tests that look at the page."""


@pytest.fixture(scope="module")
def issued(small_workspace, tmp_path_factory):
    """A workspace whose forecast was issued; do not change it."""
    folder = tmp_path_factory.mktemp("issued") / "workspace"
    shutil.copytree(small_workspace, folder)
    return folder, issue(folder)


@pytest.fixture
def copy(issued, tmp_path):
    """A copy of it to change at will."""
    folder = tmp_path / "copy"
    shutil.copytree(issued[0], folder)
    return folder


@pytest.fixture
def fresh(copy):
    """A workspace in which nothing was issued, while what its backtest needs is computed already."""
    for name in ("ledger.sqlite", "ledger.sqlite-wal", "ledger.sqlite-shm"):
        (copy / name).unlink(missing_ok=True)
    for name in ("runs", "log"):
        shutil.rmtree(copy / "out" / name)
    return copy


@pytest.fixture
def change(copy):
    """A function that replaces a text in its forecast.toml."""

    def replace(old, new):
        text = (copy / "forecast.toml").read_text(encoding="utf-8")
        assert old in text
        (copy / "forecast.toml").write_text(text.replace(old, new, 1), encoding="utf-8")

    return replace


def everything(folder):
    return {path: path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file() and "log" not in path.parts}


def test_what_is_issued_is_what_was_published(issued):
    folder, done = issued
    assert (done.outcome, done.entry, done.revision, done.issued_at) == ("issued", 1, 1, MONDAY)
    assert done.warnings == ()
    (entry,) = entries_of(folder)
    assert entry.link == done.link
    assert entry.head.origin == ORIGIN
    published = pd.read_parquet(done.folder / "forecast.parquet")
    with existing_ledger(open_workspace(folder)) as ledger, ledger.reading() as connection:
        kept = read.load_issue(connection, entry)
        chances = read.chances(connection, [1])
    origin = pd.Timestamp(ORIGIN)
    mine = pd.concat([each.frame(origin, kind).assign(model=model) for (model, kind), each in kept.marginals.items()])
    key = ["model", "unit_kind", "unit", "horizon"]
    mine = mine.sort_values(key, ignore_index=True)[[name for name in published if name != "origin"]]
    pd.testing.assert_frame_equal(
        mine, published.drop(columns="origin").sort_values(key, ignore_index=True), check_dtype=False, check_exact=True
    )
    risk = pd.read_csv(done.folder / "risk.csv")
    both = risk.merge(chances, on=["model", "unit_kind", "unit", "escalation"], suffixes=("", "_kept"))
    assert len(both) == len(risk) == len(chances)
    assert entry.head.headline == "combined"
    assert {model.name for model in kept.models} == {"zero", "climatology-26", "discount-negbin", "combined"}
    assert (both["probability"] - both["probability_kept"]).abs().max() < 1e-6
    manifest = json.loads((done.folder / "manifest.json").read_text(encoding="utf-8"))
    assert manifest["issue"] == {"revision": 1, "forecast": entry.forecast}
    recorded = json.loads(entry.head.manifest)
    assert recorded["inputs"] == manifest["inputs"]
    assert recorded["files"] == manifest["files"]


def test_a_second_run_says_so_and_changes_nothing(copy):
    before = everything(copy)
    again = issue(copy, MONDAY + dt.timedelta(days=1))
    assert (again.outcome, again.entry, again.issued_at) == ("unchanged", 1, MONDAY)
    assert everything(copy) == before


def test_what_does_not_change_the_forecast_does_not_matter(copy):
    config = copy / "forecast.toml"
    config.write_text("# a remark\n" + config.read_text(encoding="utf-8"), encoding="utf-8")
    assert issue(copy).outcome == "unchanged"


def test_it_is_issued_again_only_if_asked_for(copy):
    again = issue(copy, MONDAY + dt.timedelta(days=1), reissue=True)
    assert (again.outcome, again.entry, again.revision) == ("issued again", 2, 2)
    first, second = entries_of(copy)
    assert (first.forecast, first.head.revision) == (second.forecast, 1)
    assert second.recorded_at == MONDAY + dt.timedelta(days=1)
    assert "Issued again: this is issue 2 of the same weeks." in page_of(again)
    assert issue(copy).revision == 2


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [("draws = 200", "draws = 201", "the settings have changed"), ("seed = 20250601", "seed = 1", "the settings have")],
)
def test_other_settings_do_not_replace_what_was_issued(copy, old, new, told):
    config = copy / "forecast.toml"
    text = config.read_text(encoding="utf-8")
    start = text.index("[report]") if "draws" in old else 0
    config.write_text(text[:start] + text[start:].replace(old, new), encoding="utf-8")
    before = everything(copy)
    kept = issue(copy)
    assert kept.outcome == "kept"
    assert told in kept.warnings[-1]
    assert "--reissue" in kept.warnings[-1]
    assert everything(copy) == before


@pytest.fixture
def change_data(copy):
    """A function that multiplies the counts of a week of the table that the workspace is then read from."""
    from forecast.jobs.inputs import open_inputs

    panel = open_inputs(open_workspace(copy)).regions
    wide = pd.DataFrame(panel.counts, index=panel.weeks.strftime("%Y-%m-%d"), columns=list(panel.units.names))
    table = wide.rename_axis("week").reset_index().melt("week", var_name="region", value_name="events")
    config = copy / "forecast.toml"
    text = config.read_text(encoding="utf-8")
    start = text.index("[data]")
    places = text.index("[[places]]")
    text = (
        text[:start]
        + '[data]\ntable = "counts.csv"\ncomplete = true\n\n'
        + text[text.index("[[escalations]]", places) :]
    )
    config.write_text(text, encoding="utf-8")

    def write(week=None, last=None, times=10):
        chosen = table if last is None else table[table["week"] <= last]
        changed = (
            chosen["events"].where(chosen["week"] != week, chosen["events"] * times + 1) if week else chosen["events"]
        )
        chosen.assign(events=changed)[["week", "region", "events"]].to_csv(copy / "counts.csv", index=False)

    shutil.rmtree(copy / "out")
    (copy / "ledger.sqlite").unlink()
    return write


def test_other_data_do_not_replace_what_was_issued(copy, change_data):
    change_data()
    assert issue(copy).outcome == "issued"
    change_data("2000-09-02")
    kept = issue(copy)
    assert kept.outcome == "kept"
    assert "the data have changed" in kept.warnings[-1]
    assert len(entries_of(copy)) == 1
    again = issue(copy, reissue=True)
    first, second = entries_of(copy)
    assert (again.outcome, second.head.revision) == ("issued again", 2)
    assert first.head.vintage != second.head.vintage
    assert first.forecast != second.forecast


def test_data_that_only_grew_are_the_same_for_an_earlier_origin(copy, change_data):
    change_data(last="2000-08-26")
    assert issue(copy).ready.origin == pd.Timestamp("2000-09-02")
    change_data()
    assert issue(copy, as_of=dt.date(2000, 9, 2)).outcome == "unchanged"


def test_outcomes_come_with_later_runs_and_corrections_beside_them(copy, change_data):
    change_data(last="2000-08-26")
    issue(copy)
    change_data()
    issue(copy)  # five weeks later
    with existing_ledger(open_workspace(copy)) as ledger, ledger.reading() as connection:
        assert sorted(read.scores(connection, [1])["horizon"].unique()) == [1, 2, 3, 4, 5]
        before = read.outcomes(connection)
    change_data("2000-09-09")
    workspace = open_workspace(copy)
    with existing_ledger(workspace) as ledger:
        _, found = score_issues(workspace, ledger, clock_at(MONDAY + dt.timedelta(days=7)))
        assert found.corrected == len(found.settlement.outcomes) == 4
        with ledger.reading() as connection:
            assert len(read.outcomes(connection)) == len(before) + 4
            assert verify(connection).broken == ""
            known = standing(connection, workspace.spec.title)
    assert known.weeks["n"].unique().tolist() == [5 * 4]
    assert set(known.events["escalation"]) >= {"any_event_4w"}
    assert known.events["came"].between(0, 1).all()


@pytest.mark.usefixtures("whole_page")
def test_the_report_shows_how_earlier_issues_have_turned_out(copy, change_data):
    change_data(last="2000-08-26")
    assert 'id="issued"' not in page_of(issue(copy))
    change_data()
    done = issue(copy)
    page = page_of(done)
    assert "1 forecast was issued, the first for 2 September 2000. Of 4 statements about regions" in page
    issue(copy, MONDAY + dt.timedelta(days=7), as_of=dt.date(2000, 9, 30))  # one more of an earlier week
    shutil.rmtree(done.folder)
    assert issue(copy, MONDAY + dt.timedelta(days=8)).outcome == "published again"
    assert page_of(done) == page


@pytest.mark.usefixtures("whole_page")
def test_a_page_that_is_missing_is_made_again(copy):
    before = everything(copy)
    shutil.rmtree(copy / "out" / "runs")
    again = issue(copy, MONDAY + dt.timedelta(days=1))
    assert (again.outcome, again.entry) == ("published again", 1)
    assert everything(copy) == before


def test_a_page_that_cannot_be_made_again_is_not_faked(copy, monkeypatch):
    shutil.rmtree(copy / "out")
    monkeypatch.setattr(Climatology, "fit", lambda self, panel, rng: issue_module.__dict__["missing"])
    with pytest.raises(ForecastError, match="now give another forecast: the code has changed"):
        issue(copy)
    assert not (copy / "out" / "runs" / "weekly").exists() or not list((copy / "out" / "runs" / "weekly").iterdir())


@pytest.mark.usefixtures("whole_page")
def test_what_a_run_cost_is_told_only_if_asked_for_and_never_recorded(copy):
    plain = json.loads((issue(copy, reissue=True).folder / "manifest.json").read_bytes())
    assert "core_seconds" not in plain

    workspace, ticks = open_workspace(copy), itertools.count()
    log = RunLog(workspace.out / "log", Clock(lambda: MONDAY, time.monotonic, lambda: float(next(ticks))))
    done = issue_forecast(workspace, Choices(workers=1, reissue=True, cost=True), log)
    told = json.loads((done.folder / "manifest.json").read_bytes())
    models = {model.name for model in workspace.models()}
    cost = told["core_seconds"]
    assert {*cost} == {"preparation", *models, "records", "risks", "total"}
    assert cost["total"] == sum(value for name, value in cost.items() if name != "total")
    for name in ("forecast.parquet", "paths.parquet", "risk.csv"):
        assert told["files"][name] == plain["files"][name]

    logged = [json.loads(line) for line in (workspace.out / "log" / "run-2000.jsonl").read_text().splitlines()]
    (spent,) = (line["core_seconds"] for line in logged if line["event"] == "cost")
    assert {*spent} - {*cost} == {"report"}
    assert all("core_seconds" not in entry.head.manifest for entry in entries_of(copy))


def test_a_draft_leaves_everything_as_it_is(copy):
    before = everything(copy)
    draft = issue(copy, draft=True)
    assert (draft.outcome, draft.entry) == ("draft", None)
    assert draft.folder == copy / "out" / "drafts" / "weekly" / "2000-10-07"
    assert "This is a draft" in page_of(draft)
    after = everything(copy)
    assert {path: after[path] for path in before} == before


def test_without_a_ledger_each_run_replaces_the_one_before(fresh, change):
    change("[models]", "[ledger]\nenabled = false\n\n[models]")
    for _ in range(2):
        assert issue(fresh).outcome == "not recorded"
    assert not (fresh / "ledger.sqlite").exists()


def test_nothing_is_published_that_could_not_be_recorded(fresh, monkeypatch):
    def refuse(*_):
        raise ForecastError("the ledger cannot be reached")

    monkeypatch.setattr(issue_module, "append_issue", refuse)
    with pytest.raises(ForecastError, match="cannot be reached"):
        issue(fresh)
    assert not list((fresh / "out").glob("runs/*/2*"))
    assert not list((fresh / "out").glob("**/.part-*"))
    monkeypatch.undo()
    assert issue(fresh).outcome == "issued"


def test_a_run_that_ends_between_record_and_page_is_made_up_for(fresh, monkeypatch):
    append = issue_module.append_issue

    def dies(connection, made, moment):
        entry = append(connection, made, moment)
        connection.commit()
        raise KeyboardInterrupt(entry.number)

    monkeypatch.setattr(issue_module, "append_issue", dies)
    with pytest.raises(KeyboardInterrupt):
        issue(fresh)
    assert not list((fresh / "out").glob("runs/*/2*"))
    monkeypatch.undo()
    again = issue(fresh, MONDAY + dt.timedelta(hours=1))
    assert (again.outcome, again.entry, again.issued_at) == ("published again", 1, MONDAY)
    assert len(entries_of(fresh)) == 1


def test_two_runs_in_one_workspace_do_not_mix(fresh, monkeypatch):
    monkeypatch.setattr(issue_module, "LOCK_SECONDS", 0.1)
    with one_writer(fresh / "out", 1), pytest.raises(ForecastError, match="another run is at work"):
        issue(fresh)
    assert issue(fresh).outcome == "issued"


def test_a_lock_file_that_was_left_stops_nobody(copy):
    assert (copy / "out" / ".lock").exists()
    assert issue(copy).outcome == "unchanged"


@pytest.fixture
def kept_current(fresh, change):
    """A workspace whose data are kept up to date."""
    change("# stale_after_days = 14", "stale_after_days = 14")
    return fresh


@pytest.mark.usefixtures("whole_page")
def test_stale_data_are_named_on_top_of_the_report(kept_current, monkeypatch):
    monkeypatch.setattr(Inputs, "simulated", False)
    done = issue(kept_current, dt.datetime(2000, 11, 20, tzinfo=dt.UTC))
    assert done.warnings[0].startswith("stale data: they end on 2000-10-06, more than 14 days before")
    page = page_of(done)
    assert page.index("stale data: they end on") < page.index('id="headline"')
    assert issue(kept_current, dt.datetime(2000, 11, 21, tzinfo=dt.UTC)).warnings == done.warnings  # told again


def test_fresh_data_are_not_stale(kept_current, monkeypatch):
    monkeypatch.setattr(Inputs, "simulated", False)
    assert issue(kept_current, MONDAY + dt.timedelta(days=9), draft=True).warnings == ()


def test_data_that_nobody_keeps_up_to_date_may_be_of_any_age(copy, monkeypatch):
    monkeypatch.setattr(Inputs, "simulated", False)
    assert issue(copy, MONDAY + dt.timedelta(days=9000)).warnings == ()


def test_a_clock_that_was_set_back_is_a_warning(copy):
    again = issue(copy, MONDAY - dt.timedelta(days=2), reissue=True)
    assert again.outcome == "issued again"
    assert again.warnings[-1].startswith("the clock stands 2 days, 0:00:00 before the last entry of the ledger")
    assert entries_of(copy)[-1].recorded_at == MONDAY - dt.timedelta(days=2)


class Hourglass:
    """A clock that goes on by some seconds whenever somebody looks at it."""

    def __init__(self, step):
        self.step, self.shown = step, 0.0

    def __call__(self):
        self.shown += self.step
        return self.shown


@pytest.mark.usefixtures("whole_page")
@pytest.mark.parametrize(("step", "left"), [pytest.param(1e-6, 3, marks=pytest.mark.slow), (40.0, 1)])
def test_a_time_budget_costs_models_but_never_the_headline(workspace, step, left):
    opened = open_workspace(workspace)
    log = RunLog(opened.out / "log", Clock(lambda: MONDAY, Hourglass(step)))
    done = issue_forecast(opened, Choices(workers=1, budget=60.0), log)
    (entry,) = entries_of(workspace)
    with existing_ledger(opened) as ledger, ledger.reading() as connection:
        names = [model.name for model in read.load_issue(connection, entry).models]
    assert len(names) == left + 1
    assert {"discount-negbin", "combined"} <= {*names}
    out = [text for text in done.warnings if text.startswith("left out: ") and "time budget of 1 minutes" in text]
    assert len(out) == 3 - left
    assert ("did not fit into the time budget" in page_of(done)) == bool(out)


def test_a_budget_that_ends_within_the_backtest_keeps_what_is_finished(workspace):
    opened = open_workspace(workspace)
    log = RunLog(opened.out / "log", Clock(lambda: MONDAY, Hourglass(1.0)))
    done = issue_forecast(opened, Choices(workers=1, budget=30.0), log)
    assert any("did not fit" in text for text in done.warnings)
    blocks = list(opened.out.glob("backtests/.blocks-*/*.block"))
    again = issue(workspace, reissue=True)
    assert not any("did not fit" in text for text in again.warnings)
    assert {block.name for block in blocks} <= {path.name for path in opened.out.glob("backtests/.blocks-*/*.block")}


def test_a_headline_without_members_is_an_error_and_issues_nothing(fresh, monkeypatch):
    monkeypatch.setattr(DiscountNegbin, "fit", lambda *_: 1 / 0)
    monkeypatch.setattr(Climatology, "fit", lambda *_: 1 / 0)
    with pytest.raises(ModelError, match="no member of 'combined'"):
        issue(fresh)
    assert entries_of(fresh) == []


def test_a_headline_model_that_fails_is_an_error_and_issues_nothing(fresh, change, monkeypatch):
    change('headline = "combined"', 'headline = "discount-negbin"')
    monkeypatch.setattr(DiscountNegbin, "fit", lambda *_: 1 / 0)
    with pytest.raises(ModelError, match="model 'discount-negbin' failed"):
        issue(fresh)
    assert entries_of(fresh) == []


def test_the_log_is_lines_of_json_and_the_heartbeat_shows_the_end(fresh):
    opened = open_workspace(fresh)
    log = RunLog(opened.out / "log", clock_at(MONDAY))
    log.start(choices={"workers": 1})
    during = read_heartbeat(opened.out / "log")
    assert (during["state"], during["last_ended_at"]) == ("running", None)
    done = issue_forecast(opened, Choices(workers=1), log)
    log.event("strange", text="a\nb\x1b[31m\u202e")
    log.end(done.outcome, 0, link=done.link)
    lines = (opened.out / "log" / "run-2000.jsonl").read_bytes().splitlines()
    events = [json.loads(line) for line in lines]
    names = [event["event"] for event in events]
    assert names[0] == "started"
    assert names[-1] == "ended"
    assert {"prepared", "work", "done", "issued"} <= set(names)
    assert all(event["time"] == "2000-10-09T06:00:00Z" for event in events)
    assert b"\x1b" not in b"".join(lines)  # control characters cannot forge a line or paint a screen
    heartbeat = read_heartbeat(opened.out / "log")
    assert (heartbeat["state"], heartbeat["outcome"], heartbeat["link"]) == ("ended", "issued", done.link)


def test_a_log_that_cannot_be_written_stops_nobody(copy, tmp_path):
    (tmp_path / "file").write_text("", encoding="utf-8")
    opened = open_workspace(copy)
    log = RunLog(tmp_path / "file" / "log", clock_at(MONDAY))
    log.start()
    assert issue_forecast(opened, Choices(workers=1), log).outcome == "unchanged"


def replayed(folder, first, weeks):
    """Issue successive origins as they would have been, a week apart; return the links of the chain."""
    links = []
    for week in range(weeks):
        origin = first + dt.timedelta(days=7 * week)
        moment = dt.datetime.combine(origin, dt.time(6), dt.UTC) + dt.timedelta(days=2)
        links.append(issue(folder, moment, as_of=origin).link)
    workspace = open_workspace(folder)
    with existing_ledger(workspace) as ledger:
        score_issues(workspace, ledger, clock_at(moment + dt.timedelta(days=70)))
        with ledger.reading() as connection:
            verdict = verify(connection)
    assert verdict.broken == ""
    return [*links, verdict.head]


def compare_with_backtest(folder, first, weeks):
    """Hold the ledger to the backtest of the same origins, models and data."""
    workspace = open_workspace(folder)
    last = first + dt.timedelta(days=7 * (weeks - 1))
    record, _ = backtest_workspace(workspace, start=first, end=last, as_issued=True, workers=1)
    key = ["model", "origin", "horizon", "unit_kind", "unit"]
    names = dict.fromkeys(["model", "unit_kind", "unit", "score"], str)
    expected = record.scores.astype({**names, "horizon": "int64"}).pivot_table(
        index=key, columns="score", values="value"
    )
    with existing_ledger(workspace) as ledger, ledger.reading() as connection:
        scores = read.scores(connection)
        numbers = {entry.number: pd.Timestamp(entry.head.origin) for entry in read.issues(connection)}
        chances, answers = read.chances(connection, list(numbers)), read.answers(connection)
    assert scores["model"].nunique() == len(workspace.models()) + (workspace.spec.combination is not None)
    scores = scores[scores["model"] != "combined"]  # which learns anew in each run
    mine = scores.set_index(key)[list(read.SCORES)].sort_index()
    pd.testing.assert_index_equal(mine.index, expected.index, exact=False)
    assert (mine - expected[list(read.SCORES)]).abs().max().max() <= 1e-12
    key = ["model", "origin", "unit_kind", "unit", "escalation"]
    said = chances[chances["model"] != "combined"].merge(answers, on=["issue", "unit_kind", "unit", "escalation"])
    said = said.assign(origin=said["issue"].map(numbers)).set_index(key).sort_index()
    risk = record.risk.astype({name: str for name in key if name != "origin"}).set_index(key).sort_index()
    assert len(said) == len(risk)
    both = said.join(risk[["outcome"]].assign(then=risk["probability"]))
    assert (both["probability"] - both["then"]).abs().max() <= 1e-12
    assert (both["met"] == both["outcome"]).all()


@pytest.fixture
def in_postgres(monkeypatch, database_url):
    """A function that lets ledgers be in the server, or in files again."""

    def switch(on):
        monkeypatch.setenv(VARIABLE, database_url) if on else monkeypatch.delenv(VARIABLE, raising=False)

    return switch


@pytest.mark.slow
def test_a_replay_has_the_scores_of_the_backtest_and_the_same_links_everywhere(small_workspace, tmp_path, in_postgres):
    first, weeks = dt.date(2000, 8, 19), 5
    heads = []
    for place in ("file", "server"):
        in_postgres(place == "server")
        folder = tmp_path / place
        shutil.copytree(small_workspace, folder)
        heads.append(replayed(folder, first, weeks))
        assert (folder / "ledger.sqlite").exists() == (place == "file")
        compare_with_backtest(folder, first, weeks)
    assert heads[0] == heads[1]
    assert len(set(heads[0])) == weeks + 1


@pytest.mark.slow
def test_a_server_that_is_restarted_during_a_run_loses_nothing(workspace, in_postgres, running_server, monkeypatch):
    in_postgres(True)
    append = issue_module.append_issue
    tries = []

    def killed(connection, made, moment):
        entry = append(connection, made, moment)
        tries.append(entry.number)
        if len(tries) == 1:
            running_server.stop()
            running_server.start()
        return entry

    monkeypatch.setattr(issue_module, "append_issue", killed)
    done = issue(workspace)
    assert tries == [1, 1]
    assert done.outcome == "issued"
    assert [entry.link for entry in entries_of(workspace)] == [done.link]
    assert (done.folder / "index.html").is_file()


def test_an_address_is_shown_without_its_password(fresh, monkeypatch):
    monkeypatch.setenv(VARIABLE, "postgresql://ada:hunter2@127.0.0.1:1/x")
    assert "hunter2" not in str(ledger_of(open_workspace(fresh)))
    opened = open_ledger
    monkeypatch.setattr(issue_module, "open_ledger", lambda address: opened(address, patience=0.1))
    with pytest.raises(ForecastError, match="cannot be reached") as raised:
        issue(fresh)
    assert "hunter2" not in str(raised.value)
    log = (fresh / "out" / "log" / "run-2000.jsonl").read_text(encoding="utf-8")
    assert "hunter2" not in log


@pytest.fixture
def embedded(tmp_path):
    """A workspace on the embedded counts of Mali, Burkina Faso and Niger, 2000 to 2019, with some of its models."""
    source = open_workspace(reference_workspace())
    countries = ["Mali", "Burkina Faso", "Niger"]
    folder = create_workspace(tmp_path / "embedded", source, "west-africa-weekly", countries).root
    config = folder / "forecast.toml"
    text = config.read_text(encoding="utf-8")
    start, end = text.index("use = ["), text.index("]", text.index("use = ["))
    text = text[:start] + 'use = ["climatology-52", "window-negbin-52", "discount-negbin", "glm-negbin"' + text[end:]
    start, end = text.index("members = ["), text.index("]", text.index("members = ["))
    text = text[:start] + 'members = ["discount-negbin", "glm-negbin"' + text[end:]
    start = text.index("[backtest]")
    text = text[:start] + text[start:].replace("origins = 104", "origins = 20")
    config.write_text(text, encoding="utf-8")
    return folder


@pytest.mark.slow
@pytest.mark.timeout(7200)
def test_two_years_of_the_embedded_data_have_the_scores_of_the_backtest(embedded, tmp_path, in_postgres):
    first, weeks = dt.date(2017, 12, 2), 104
    in_postgres(False)
    other = tmp_path / "other"
    shutil.copytree(embedded, other)
    heads = [replayed(embedded, first, weeks)]
    compare_with_backtest(embedded, first, weeks)
    size = (embedded / "ledger.sqlite").stat().st_size
    assert size < 40_000_000, size
    for blocks in (embedded / "out" / "backtests").glob(".blocks-*"):  # what was computed is not computed again
        shutil.copytree(blocks, other / "out" / "backtests" / blocks.name)
    in_postgres(True)
    heads.append(replayed(other, first, weeks))
    compare_with_backtest(other, first, weeks)
    assert heads[0] == heads[1]
