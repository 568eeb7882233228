"""The section on the steps of the combined model."""

import dataclasses

import numpy as np
import pandas as pd

from forecast.reporting.html import render_report
from forecast.reporting.steps import steps_parts, steps_taken
from forecast.reporting.words import MINUS

TOLD = {
    "weights_on_at_weeks_ahead": {"silent": [], "low": [], "active": [1, 2]},
    "recalibration_on_at_weeks_ahead": {"silent": [], "low": [], "active": []},
    "escalations_recalibrated_in": {"above_recent": ["low", "active"], "any_event": []},
}


def table():
    row = {
        "unit_kind": "region",
        "horizon": 0,
        "activity": "all",
        "origins": 60,
        "n": 600,
        "was_on": 0.25,
        "is_on": 0.0,
    }
    weights = row | {"step": "weights", "escalation": "", "score": "crps", "before": 0.5, "after": 0.49}
    events = row | {"step": "events", "escalation": "any_event", "score": "brier", "before": 0.1, "after": 0.11}
    return pd.DataFrame(
        [
            weights | {"gain": 0.02, "gain_low": -0.01, "gain_high": 0.04},
            weights | {"horizon": 3, "gain": 0.5, "gain_low": np.nan, "gain_high": np.nan},
            events | {"gain": -0.1, "gain_low": np.nan, "gain_high": np.nan},
        ]
    )


def combining(content):
    backtests = (dataclasses.replace(content.backtests[0], steps=table()), *content.backtests[1:])
    provenance = {**content.provenance, "combination": {"steps": {"region": TOLD}}}
    return dataclasses.replace(content, backtests=backtests, provenance=provenance)


def test_without_a_combined_model_there_is_no_section(content):
    assert steps_taken(content) == steps_parts(content) == []
    assert "Steps of the combined forecast" not in render_report(content)


def test_what_is_taken_is_told_in_words(content):
    weights, counts, events = steps_taken(combining(content))
    assert weights == "Learned shares are taken in active regions at 1 and 2 weeks ahead."
    assert counts == "Counts are recalibrated nowhere."
    assert "regions with few events and active regions" in events


def test_the_table_has_gains_over_all_weeks_ahead_with_their_intervals(content):
    (part,) = steps_parts(combining(content))
    assert [row["gain"] for row in part.rows] == ["+2.0", f"{MINUS}10.0"]
    assert part.rows[0]["interval"] == f"{MINUS}1.0 to +4.0"
    assert part.rows[0]["scope"] == "all regions"
    assert part.rows[0]["taken"].startswith("25")
    assert "Steps of the combined forecast" in render_report(combining(content))
