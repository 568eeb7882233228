"""Backtests on what was known at each origin."""

from __future__ import annotations

import dataclasses
import json

import numpy as np
import pandas as pd
import pytest

from forecast.errors import InputError
from forecast.evaluation.backtest import run_backtest
from forecast.evaluation.planned_blocks import plan_blocks
from forecast.panel.weeks import WEEK


@pytest.fixture
def plan(plugin):
    """Twenty origins in regions alone; of each final count the record held half, rounded down, for three weeks."""
    whole = plugin.make_plan()
    panel = whole.panels["region"]
    return dataclasses.replace(
        whole, panels={"region": panel}, known={"region": {day: half_known(panel, day) for day in panel.weeks[20:]}}
    )


def half_known(panel, origin):
    past = panel.until(origin)
    counts = past.counts.copy()
    counts[-3:] //= 2
    return dataclasses.replace(past, counts=counts)


def with_correction(plan, week, unit, from_origin):
    """Return the plan with 50 more events of a week, in the final panel and in vintages from an origin on."""

    def corrected(panel):
        counts = panel.counts.copy()
        counts[panel.weeks.get_loc(week), unit] += 50
        return dataclasses.replace(panel, counts=counts)

    vintages = plan.known["region"]
    changed = {day: corrected(panel) if day >= from_origin else panel for day, panel in vintages.items()}
    return dataclasses.replace(plan, panels={"region": corrected(plan.panels["region"])}, known={"region": changed})


def said(record, until=None):
    """What was forecast, without how it turned out."""
    table = record.forecasts.drop(columns="observed")
    return table if until is None else table[table["origin"] < until].reset_index(drop=True)


def test_a_correction_changes_no_forecast_made_before_it(plan, tmp_path):
    corrected_at = plan.origins[9]
    week = plan.origins[4]  # a target of some origins and the past of others, corrected five weeks later
    changed = with_correction(plan, week, 2, corrected_at)
    before, after = (run_backtest(one, tmp_path / name, workers=1) for one, name in ((plan, "a"), (changed, "b")))
    pd.testing.assert_frame_equal(said(before, corrected_at), said(after, corrected_at))
    later = (said(before)["origin"] >= corrected_at).to_numpy()
    assert not said(before)[later].equals(said(after)[later])
    risks = [record.risk[record.risk["origin"] < corrected_at] for record in (before, after)]
    assert len(risks[0])
    assert risks[0]["probability"].tolist() == risks[1]["probability"].tolist()


def test_on_final_data_the_same_correction_is_seen_too_early(plan, tmp_path):
    final = dataclasses.replace(plan, known={})
    week, corrected_at = plan.origins[4], plan.origins[9]
    changed = dataclasses.replace(with_correction(plan, week, 2, corrected_at), known={})
    before, after = (run_backtest(one, tmp_path / name, workers=1) for one, name in ((final, "a"), (changed, "b")))
    assert not said(before, corrected_at).equals(said(after, corrected_at))


def test_forecasts_come_from_the_vintage_and_outcomes_from_the_final_panel(plan, plugin, tmp_path):
    only = dataclasses.replace(plan, models=(plugin.make_model("short", window=4),))
    record = run_backtest(only, tmp_path / "trial", workers=1)
    panel, origin = plan.panels["region"], plan.origins[7]
    rows = record.forecasts.query("origin == @origin")
    start = panel.weeks.get_loc(origin)
    seen = panel.observed[start : start + 4].ravel()
    np.testing.assert_array_equal(rows["observed"].isna(), ~seen)
    np.testing.assert_array_equal(rows["observed"][seen].astype(int), panel.counts[start : start + 4].ravel()[seen])
    recent = plan.known["region"][origin].counts[-4:].mean(axis=0)
    shared = rows["mean"].to_numpy().reshape(4, 4)[0] - 0.9 * recent  # the family's pooled part, alike for all
    np.testing.assert_allclose(shared, shared[0], atol=1e-4)
    final = dataclasses.replace(only, known={})
    assert not said(record).equals(said(run_backtest(final, tmp_path / "final", workers=1)))


def test_the_record_says_what_it_was_made_from(plan, tmp_path):
    records = {}
    for name, known in {"vintages": plan.known, "final": {}}.items():
        record = run_backtest(dataclasses.replace(plan, known=known), tmp_path / name, workers=1)
        records[name] = record, json.loads((tmp_path / name / "manifest.json").read_bytes())
    record, manifest = records["vintages"]
    assert manifest["vintages"] is manifest["panels"]["region"]["vintages"] is True
    assert record.source == "test regions, as it was known at each origin"
    assert record.known_as == manifest["known_as"] == "as it was known at each origin"
    record, manifest = records["final"]
    assert manifest["vintages"] is manifest["panels"]["region"]["vintages"] is False
    assert record.source == manifest["source"] == "test regions, on final data"


def test_one_kind_of_unit_without_vintages_makes_the_whole_final(plan, plugin, tmp_path):
    places = plugin.make_panel("place", 60, units=2, seed=6)
    mixed = dataclasses.replace(plan, panels={**plan.panels, "place": places})
    record = run_backtest(mixed, tmp_path / "trial", workers=1)
    manifest = json.loads((tmp_path / "trial" / "manifest.json").read_bytes())
    assert manifest["vintages"] is False
    assert [manifest["panels"][kind]["vintages"] for kind in ("region", "place")] == [True, False]
    assert record.source.endswith("on final data")


def test_a_vintage_that_reaches_beyond_its_origin_is_cut(plan):
    panel = plan.panels["region"]
    peeking = dataclasses.replace(plan, known={"region": dict.fromkeys(panel.weeks, panel)})
    for block in plan_blocks(peeking):
        assert all(known.origin == origin for origin, known in block.vintages.items())


def test_a_changed_vintage_changes_the_key_of_its_blocks_only(plan):
    origin = plan.origins[9]
    vintages = dict(plan.known["region"])
    counts = vintages[origin].counts.copy()
    counts[-1, 0] += 1
    vintages[origin] = dataclasses.replace(vintages[origin], counts=counts)
    changed = plan_blocks(dataclasses.replace(plan, known={"region": vintages}))
    for before, after in zip(plan_blocks(plan), changed, strict=True):
        assert (before.key == after.key) == (origin not in before.vintages)


def test_the_first_fit_is_made_where_the_vintages_begin(plan):
    first = plan.origins[2]  # not a border of the blocks
    vintages = {day: panel for day, panel in plan.known["region"].items() if day >= first}
    late = dataclasses.replace(plan, origins=plan.origins[2:], known={"region": vintages})
    block = plan_blocks(late)[0]
    assert block.fit_origin == first
    assert set(block.vintages) == set(block.origins)


def test_vintages_that_do_not_fit_are_refused(plan):
    vintages = plan.known["region"]
    origin = plan.origins[5]

    def planned(changed):
        return plan_blocks(dataclasses.replace(plan, known={"region": changed}))

    with pytest.raises(InputError, match="there is no vintage"):
        planned({day: panel for day, panel in vintages.items() if day != origin})
    with pytest.raises(InputError, match="it ends on"):
        planned({**vintages, origin: vintages[origin - WEEK]})
    with pytest.raises(InputError, match="other units"):
        planned({**vintages, origin: vintages[origin].select(["region 1", "region 0"])})
