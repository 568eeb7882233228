"""What has changed since the last issue: parts that add up, each by the input that was swapped."""

from __future__ import annotations

import datetime as dt
import json
import shutil
import time

import numpy as np
import pandas as pd
import pytest

from forecast.jobs import publish, what_changed
from forecast.jobs.inputs import open_inputs
from forecast.jobs.issue import Choices, issue_forecast, ledger_of
from forecast.jobs.preparation import forecast_with, prepare
from forecast.jobs.run_log import Clock, RunLog
from forecast.ledger.last import last_issue
from forecast.ledger.ledger import open_ledger
from forecast.predictive.escalation import probability
from forecast.predictive.forecast import Forecast
from forecast.reporting.changes import PARTS
from forecast.workspace import open_workspace

LAST, NOW = "2000-09-16", "2000-09-30"
"""Last weeks of the data of two issues; the second one comes two weeks after the first."""


@pytest.fixture(autouse=True)
def changes(monkeypatch):
    """What the reports of a test were told to show, in order; no page is drawn."""
    told = []

    def draw(content, language, parts=None):
        told.append(content.changes)
        return "<!doctype html>"

    monkeypatch.setattr(publish, "render_report", draw)
    return told


@pytest.fixture(scope="module")
def first(small_workspace, tmp_path_factory):
    """A workspace with one issue, from a table; do not change it."""
    folder = tmp_path_factory.mktemp("first") / "workspace"
    shutil.copytree(small_workspace, folder)
    panel = open_inputs(open_workspace(folder)).regions
    wide = pd.DataFrame(panel.counts, index=panel.weeks.strftime("%Y-%m-%d"), columns=list(panel.units.names))
    table = wide.rename_axis("week").reset_index().melt("week", var_name="region", value_name="events")
    table.to_csv(folder / "all.csv", index=False)
    config = folder / "forecast.toml"
    text = config.read_text(encoding="utf-8")
    start, end = text.index("[[places]]"), text.index("# Escalations")
    text = text[:start] + text[end:]
    old = next(line for line in text.splitlines() if line.startswith("set = "))
    config.write_text(text.replace(old, 'table = "counts.csv"\ncomplete = true', 1), encoding="utf-8")
    known(folder, LAST)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(publish, "render_report", lambda *_: "<!doctype html>")
        issue(folder)
    return folder


@pytest.fixture
def workspace(first, tmp_path):
    folder = tmp_path / "workspace"
    shutil.copytree(first, folder)
    return folder


def known(folder, last, changes=()):
    """Let the counts be known up to a week, some with another value."""
    table = pd.read_csv(folder / "all.csv")
    for week, region, events in changes:
        table.loc[(table["week"] == week) & (table["region"] == region), "events"] = events
    table[table["week"] <= last].to_csv(folder / "counts.csv", index=False)


def issue(folder, **choices):
    workspace = open_workspace(folder)
    moment = dt.datetime(2000, 10, 9, 6, tzinfo=dt.UTC)
    log = RunLog(workspace.out / "log", Clock(lambda: moment, time.monotonic))
    return issue_forecast(workspace, Choices(**{"workers": 1, **choices}), log)


def change(folder, old, new):
    config = folder / "forecast.toml"
    text = config.read_text(encoding="utf-8")
    assert old in text
    config.write_text(text.replace(old, new, 1), encoding="utf-8")


def largest(told, part):
    return told.table[part].abs().max()


def adds_up(told):
    table = told.table.dropna(subset=["then", "now"])
    assert len(table) > 10
    assert (table[list(PARTS)].sum(axis=1) - (table["now"] - table["then"])).abs().max() < 1e-12
    return True


def test_new_weeks_are_all_that_moves_it_where_nothing_else_is_new(workspace, changes):
    known(workspace, NOW)
    done = issue(workspace)
    told = changes[-1]
    assert adds_up(told)
    assert told.origin == pd.Timestamp("2000-09-23")
    assert told.table["rest"].dropna().eq(0).all()  # made again to the last bit
    assert told.table["corrections"].dropna().eq(0).all()
    assert largest(told, "events") > 0.01
    assert largest(told, "later") > 0
    assert told.corrected.empty
    assert sorted(told.weeks["week"].unique()) == list(pd.to_datetime(["2000-09-23", "2000-09-30"]))
    assert told.weeks["expected"].notna().all()
    published = pd.read_csv(done.folder / "changes.csv")
    assert list(published.columns) == ["unit_kind", "unit", "escalation", "then", "now", *PARTS]
    assert "changes.csv" in json.loads((done.folder / "manifest.json").read_text(encoding="utf-8"))["files"]


def test_the_step_of_later_weeks_is_what_was_said_of_them_then(workspace, changes):
    change(workspace, 'headline = "combined"', 'headline = "discount-negbin"')
    issue(workspace, reissue=True)
    known(workspace, NOW)
    issue(workspace)
    told = changes[-1]
    assert adds_up(told)
    assert told.table["weights"].dropna().eq(0).all()  # one model has none
    assert told.table["rest"].dropna().eq(0).all()
    opened = open_workspace(workspace)
    ready = prepare(opened)
    before = ready.inputs.regions.until(told.origin)
    made = forecast_with(opened, opened.catalogue["discount-negbin"], before, ready.fits)
    rule = opened.spec.escalations[1]
    later = probability(rule, Forecast(made.paths[:, 2:], made.pmf[2:], made.weeks[2:], made.units), before)
    mine = told.table[told.table["escalation"] == rule.name].set_index("unit").loc[list(before.units.names)]
    np.testing.assert_allclose(mine["then"] + mine["later"], later, atol=1e-12)
    assert (mine["then"] == probability(rule, made, before)).all()


def test_corrections_are_told_apart_and_named(workspace, changes):
    known(workspace, "2000-09-23")
    issue(workspace)  # so that the ledger has the week of 2000-09-23
    region = open_inputs(open_workspace(workspace)).regions.units.names[0]
    known(workspace, NOW, [("2000-09-23", region, 60)])
    issue(workspace)
    told = changes[-1]
    assert adds_up(told)
    assert told.table["rest"].dropna().eq(0).all()
    touched = told.table[told.table["unit"] == region]
    assert touched["corrections"].abs().max() > 0.2
    assert told.corrected[["unit", "week", "now"]].to_dict("records") == [
        {"unit": region, "week": pd.Timestamp("2000-09-23"), "now": 60}
    ]
    assert told.corrected["then"].item() < 60


@pytest.mark.slow
def test_other_settings_are_the_rest(workspace, changes):
    change(workspace, "draws = 2000", "draws = 300")
    known(workspace, NOW)
    issue(workspace)
    told = changes[-1]
    assert adds_up(told)
    assert largest(told, "rest") > 0


def test_the_same_issued_again_has_not_changed(workspace, changes):
    issue(workspace, reissue=True)
    told = changes[-1]
    assert adds_up(told)
    for part in PARTS:
        assert told.table[part].dropna().eq(0).all()
    assert told.weeks.empty


@pytest.mark.slow
def test_an_escalation_that_was_redefined_has_no_then(workspace, changes):
    change(workspace, "count = 5", "count = 6")
    known(workspace, NOW)
    issue(workspace)
    table = changes[-1].table.set_index("escalation")
    assert table.loc["at_least_5_4w", "then"].isna().all()
    assert table.loc["any_event_4w", "then"].notna().all()


def test_the_first_issue_has_nothing_to_be_held_against(first):
    opened = open_workspace(first)
    with open_ledger(ledger_of(opened)) as ledger, ledger.reading() as connection:
        name = opened.spec.title
        assert last_issue(connection, name, "weekly", pd.Timestamp("2000-09-23"), 1) is None
        assert last_issue(connection, name, "weekly", pd.Timestamp("2000-09-23"), 2).entry.number == 1
        assert last_issue(connection, name, "weekly", pd.Timestamp("2000-09-30"), 1, before=1) is None
    assert not list(first.glob("out/runs/weekly/*/changes.csv"))


def test_a_forecast_does_not_wait_for_its_explanation(workspace, changes, monkeypatch):
    def fails(*_):
        raise ValueError("no fit at that time")

    monkeypatch.setattr(what_changed, "_panels_then", fails)
    known(workspace, NOW)
    done = issue(workspace)
    assert done.outcome == "issued"
    assert changes[-1] is None
    assert done.warnings == ("what has changed since the last issue cannot be told: ValueError: no fit at that time",)
    assert not (done.folder / "changes.csv").exists()


def test_without_time_left_nothing_is_explained(workspace, changes):
    known(workspace, NOW)
    assert issue(workspace, budget=1e-9).outcome == "issued"
    assert changes[-1] is None
