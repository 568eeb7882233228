"""Three models of the risk near a place: what they say, what they say when, and that the future tells them nothing."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from forecast.errors import InputError
from forecast.jobs.place import place_outlook
from forecast.jobs.place_events import place_events, since_1970
from forecast.jobs.place_inputs import open_with_place, position_of
from forecast.jobs.place_models import MODELS, Question, Regions, SpaceTime, ask
from forecast.jobs.place_risk import REFIT, past_origins, place_risk
from forecast.workspace import open_workspace

NAMES = {"space-time", "regions", "towns"}


def question(folder, name="Town 1", radius=100, weeks=4, until=None):
    workspace = open_workspace(folder)
    inputs = open_with_place(workspace, name, radius, None)
    at = position_of(inputs.panels["place"], f"{name} {radius} km")
    inputs = inputs.until(inputs.regions.origin if until is None else until)
    units = inputs.panels["place"].units
    events = place_events(workspace, inputs, units.latitude[at], units.longitude[at], units.radius_km[at])
    return Question(workspace, inputs, events, at, weeks)


def rewrite(folder, change):
    """Change the events of the simulated dataset, its counts left as they are, and make its hashes right."""
    data = folder / "data" / "simulated-poisson"
    package = json.loads((data / "datapackage.json").read_text(encoding="utf-8"))
    (resource,) = [item for item in package["resources"] if item["name"] == "events"]
    path = data / resource["path"]
    table = change(pd.read_csv(path))
    table.to_csv(path, index=False, lineterminator="\n")
    content = path.read_bytes()
    resource["hash"] = "sha256:" + hashlib.sha256(content).hexdigest()
    resource["bytes"] = len(content)
    (data / "datapackage.json").write_text(json.dumps(package), encoding="utf-8")


@pytest.fixture(scope="module")
def risk(small_workspace):
    return place_risk(question(small_workspace), workers=1)


def test_three_models_and_their_mean(risk):
    said = {view.name: view.probability for view in risk.views}
    assert set(said) == NAMES
    assert risk.missing == {}
    odds = np.array([p / (1 - p) for p in said.values()])
    together = np.exp(np.log(odds).mean())
    assert risk.pool.probability == pytest.approx(together / (1 + together))
    assert risk.pool.low <= min(said.values()) <= max(said.values()) <= risk.pool.high
    (own,) = [view for view in risk.views if view.name == "space-time"]
    assert own.low <= own.probability <= own.high
    assert sum(own.parts.values()) == pytest.approx(own.mean)
    assert own.counts.mean() == pytest.approx(own.mean, rel=0.1)


def test_regions_are_thinned_to_about_what_the_ring_had(small_workspace, risk):
    asked = question(small_workspace)
    (view,) = [view for view in risk.views if view.name == "regions"]
    origin, panels = asked.inputs.regions.origin, asked.inputs.panels
    had = panels["place"].counts[:, asked.at].mean()
    assert Regions(asked).shares(origin)[asked.at] @ panels["region"].counts.mean(axis=0) == pytest.approx(
        had, rel=0.25
    )
    assert view.counts.mean() == pytest.approx(view.mean, rel=0.1)


def test_the_history_goes_up_to_the_week_before(small_workspace, risk):
    asked = question(small_workspace)
    origins = past_origins(asked)
    assert [view.origin for view in risk.history] == [f"{day:%Y-%m-%d}" for day in origins]
    assert origins[-1] == asked.inputs.regions.origin - pd.Timedelta(days=7)
    counts = asked.inputs.panels["place"].counts[:, asked.at]
    weeks = asked.inputs.panels["place"].weeks
    for view, origin in zip(risk.history, origins, strict=True):
        at = weeks.get_loc(origin)
        over = at + 4 <= len(weeks)
        assert view.events == (counts[at : at + 4].sum() if over else None)
        assert {"regions", "towns"} <= set(view.models) <= NAMES
    assert set(risk.history[-1].models) == NAMES


def test_the_present_does_not_depend_on_the_history(small_workspace, risk):
    alone = place_risk(question(small_workspace), history=False, workers=1)
    assert alone.history == ()
    assert alone.pool == risk.pool


def test_processes_change_nothing(small_workspace, risk):
    other = place_risk(question(small_workspace), history=False, workers=2)
    assert other.pool == risk.pool


def test_the_future_changes_nothing(workspace):
    """Events after an origin, moved onto the town, leave what is said there as it was, fitted anew or followed."""
    asked = question(workspace)
    origin = past_origins(asked)[-REFIT - 2]
    later = origin + pd.Timedelta(days=7)
    town = asked.place

    def said():
        return ask(SpaceTime, question(workspace), [origin, later], 300).views

    def onto_the_town(table):
        after = pd.to_datetime(table["date"]) >= later
        assert after.any()
        return table.assign(
            latitude=table["latitude"].where(~after, town.latitude[0].round(4)),
            longitude=table["longitude"].where(~after, town.longitude[0].round(4)),
        )

    before = said()
    rewrite(workspace, onto_the_town)
    for one, other in zip(before, said(), strict=True):
        assert (one.probability, one.low, one.high, one.parts) == (
            other.probability,
            other.low,
            other.high,
            other.parts,
        )
        np.testing.assert_array_equal(one.counts, other.counts)


def test_later_weeks_change_nothing_of_the_pool(small_workspace):
    """What the whole data say of an origin is what the data that end there say."""
    whole = question(small_workspace)
    origin = past_origins(whole)[-1]
    short = question(small_workspace, until=origin)
    for model in MODELS:
        (one,), (other,) = (ask(model, asked, [origin], 200).views for asked in (whole, short))
        assert (one.probability, one.mean, one.low) == pytest.approx(
            (other.probability, other.mean, other.low), abs=0, nan_ok=True
        )


def test_only_events_before_the_origin_are_seen(small_workspace):
    asked = question(small_workspace)
    origin = past_origins(asked)[3]
    seen = asked.events.seen(origin)
    assert seen.day.max() < since_1970(origin)
    assert len(seen) == asked.inputs.regions.until(origin).counts.sum()
    counted = np.bincount(seen.region, minlength=len(asked.inputs.regions.units))
    np.testing.assert_array_equal(counted, asked.inputs.regions.until(origin).counts.sum(axis=0))


def test_same_seed_same_bytes(workspace):
    def page():
        found = place_outlook(open_workspace(workspace), "Town 2", 50, history=False, workers=1)
        return Path(found.page).read_bytes()

    assert page() == page()


def test_counts_alone_leave_out_the_space_time_model(workspace):
    """A dataset with counts around towns and without events: two models, and the reason."""
    data = workspace / "data" / "simulated-poisson"
    package = json.loads((data / "datapackage.json").read_text(encoding="utf-8"))
    package["resources"] = [item for item in package["resources"] if item["name"] != "events"]
    (data / "datapackage.json").write_text(json.dumps(package), encoding="utf-8")
    found = place_outlook(open_workspace(workspace), "Town 1", 100, history=False, workers=1)
    assert [one.name for one in found.models] == ["regions", "towns"]
    assert found.missing == {"space-time": "the data have no single events, only counts"}
    assert found.contributions == {}
    asked = question(workspace)
    origin, panels = asked.inputs.regions.origin, asked.inputs.panels
    had = panels["place"].counts[:, asked.at].mean()
    assert Regions(asked).shares(origin)[asked.at] @ panels["region"].counts.mean(axis=0) == pytest.approx(
        had, rel=0.25
    )


def test_too_few_events_are_said(workspace):
    rewrite(workspace, lambda table: table.head(12))
    asked = question(workspace)
    (why,) = ask(SpaceTime, asked, [asked.inputs.regions.origin], 100).views
    assert "12 events from" in why


def test_a_radius_that_is_too_small(small_workspace):
    with pytest.raises(InputError, match="a radius of 9 km"):
        place_outlook(open_workspace(small_workspace), "Town 1", 9)
