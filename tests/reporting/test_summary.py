"""The summary for programs: it says what the tables of the report say, and is read back as it was written."""

from __future__ import annotations

import json
import math

import pytest

from forecast.errors import InputError
from forecast.reporting.summarise import LEVELS, summary_of
from forecast.reporting.summary import FILE, SCHEMA, read_summary, summary_bytes


def test_it_is_read_back_as_it_was_written(content, tmp_path):
    summary = summary_of(content)
    (tmp_path / FILE).write_bytes(summary_bytes(summary))
    assert read_summary(tmp_path) == summary
    assert json.loads((tmp_path / FILE).read_bytes())["schema"] == SCHEMA
    assert summary_bytes(summary_of(content)) == summary_bytes(summary)


def test_probabilities_and_base_rates_are_those_of_the_headline_model(content):
    summary = summary_of(content)
    mine = content.risk[content.risk["model"] == content.headline_model]
    told = {(unit.name, risk.escalation): risk for unit in summary.units for risk in unit.risks}
    assert len(told) == len(mine) == 10
    for row in mine.to_dict("records"):
        risk = told[row["unit"], row["escalation"]]
        for name, value in {"probability": risk.probability, "base_rate": risk.base_rate, "level": risk.level}.items():
            assert value is None if math.isnan(row[name]) else value == pytest.approx(row[name], abs=5e-7)


def test_quantiles_and_expected_counts_are_those_of_the_forecast(content):
    summary = summary_of(content)
    forecast = content.forecasts["place"]["discount"]
    (place,) = (unit for unit in summary.units if unit.kind == "place")
    quantiles = forecast.quantile(LEVELS)
    assert [week.quantiles for week in place.weeks] == [tuple(row) for row in quantiles[:, :, 0].T.tolist()]
    assert sum(week.mean for week in place.weeks[:4]) == pytest.approx(place.risk("above_recent").expected, abs=1e-5)
    assert place.risk("above_recent").low <= place.risk("above_recent").expected <= place.risk("above_recent").high


def test_a_week_that_was_not_observed_leaves_the_recent_count_unknown(content):
    summary = summary_of(content)
    told = {unit.name: unit.risk("above_recent").recent for unit in summary.units if unit.kind == "region"}
    panel = content.panels["region"]
    assert told["Mali/Gao"] == panel.counts[-4:, panel.units.index("Mali/Gao")].sum()


def test_changes_are_against_the_last_issue_and_else_against_a_week_before(content):
    first = summary_of(content).units[0].risk("above_recent")
    assert first.week_before == 0.25
    assert first.change == pytest.approx(first.probability - 0.25)
    again = first.model_copy(update={"last_issue": 0.5})
    assert again.change == pytest.approx(first.probability - 0.5)
    assert first.model_copy(update={"week_before": None}).change is None


def test_a_run_without_a_summary_and_one_that_cannot_be_read_are_told_apart(tmp_path):
    with pytest.raises(InputError, match=r"no summary\.json beside the report"):
        read_summary(tmp_path)
    (tmp_path / FILE).write_text("{", encoding="utf-8")
    with pytest.raises(InputError, match=r"summary\.json cannot be read"):
        read_summary(tmp_path)
    (tmp_path / FILE).write_text('{"schema": "escalation-forecast/summary/2"}', encoding="utf-8")
    with pytest.raises(InputError):
        read_summary(tmp_path)


def test_keys_of_a_later_version_do_no_harm(content, tmp_path):
    told = json.loads(summary_bytes(summary_of(content)))
    told["units"][0]["later"] = told["later"] = 1
    (tmp_path / FILE).write_text(json.dumps(told), encoding="utf-8")
    assert read_summary(tmp_path) == summary_of(content)
