"""The track record as it is read from the ledger."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from forecast.evaluation.drift import drift_charts
from forecast.ledger import read
from forecast.ledger.outcomes import settle
from forecast.ledger.track import issued_record
from forecast.ledger.write import append_issue

FIRST = pd.Timestamp("2026-01-03")


@pytest.fixture
def corrected(ledger, make_issue, make_panels, moment):
    """Six issues, one of them issued again, what came of them, and a correction of the second week."""
    for week in range(6):
        ledger.append(lambda connection, week=week: append_issue(connection, make_issue(week), moment(week)))
    ledger.append(lambda connection: append_issue(connection, make_issue(2, revision=2), moment(6)))
    for week, changes in ((7, ()), (8, [(1, "Mali/Gao", 40)])):
        panels = make_panels(week, changes)
        ledger.append(
            lambda connection, panels=panels, week=week: settle(connection, "Mali", panels, "aa" * 32, moment(week))
        )
    return ledger


def record_of(ledger, **choices):
    with ledger.reading() as connection:
        return issued_record(connection, "Mali", "weekly", **choices)


def test_it_is_what_reports_said_of_their_headline_and_what_came(corrected):
    found = record_of(corrected)
    assert found.issues["issue"].tolist() == [1, 2, 3, 4, 5, 6]  # not the one that was issued again
    assert set(found.issues["model"]) == {"alpha"}
    with corrected.reading() as connection:
        scores, chances = read.scores(connection), read.chances(connection, range(1, 7))
    mine = scores[(scores["model"] == "alpha") & (scores["issue"] <= 6)]
    both = found.counts.merge(mine, on=["issue", "unit_kind", "unit", "horizon"], suffixes=("", "_read"))
    assert len(both) == len(found.counts) == len(mine)
    assert (both["crps"] == both["crps_read"]).all()
    said = found.statements.merge(
        chances[chances["model"] == "alpha"], on=["issue", "unit_kind", "unit", "escalation"], suffixes=("", "_read")
    )
    assert len(said) == len(found.statements)
    assert (said["probability"] == said["probability_read"]).all()
    assert len(found.statements) + found.undecided == 6 * 2 * 4


def test_a_correction_stands_beside_what_was_known_first(corrected, make_panels):
    counts = record_of(corrected).counts
    changed = counts[counts["count"] != counts["count_first"]]
    assert set(changed["unit"]) == {"Mali/Gao"}
    assert set(changed["week"]) == {FIRST + pd.Timedelta(weeks=1)}
    assert set(changed["count"]) == {40}
    assert (changed["crps"] != changed["crps_first"]).all()
    same = counts.drop(changed.index)
    assert (same["crps"] == same["crps_first"]).all()


def test_the_record_of_an_earlier_time_can_be_made_again(corrected):
    before = record_of(corrected, before=9)  # the settlement with the correction is entry 9
    assert (before.counts["count"] == before.counts["count_first"]).all()
    day = FIRST + pd.Timedelta(weeks=3)
    early = record_of(corrected, until=day)
    assert early.issues["origin"].max() == day - pd.Timedelta(weeks=1)
    assert early.counts["week"].max() == day - pd.Timedelta(weeks=1)
    assert (early.statements["origin"] + early.statements["weeks"] * pd.Timedelta(weeks=1) <= day).all()
    assert record_of(corrected, before=1).issues.empty


def test_charts_are_of_forecasts_one_week_ahead(corrected, make_issue):
    found = record_of(corrected)
    assert list(found.weeks) == list(pd.date_range(FIRST, periods=6, freq="7D"))
    first = found.counts[(found.counts["horizon"] == 1) & (found.counts["unit_kind"] == "region")]
    pmfs = [make_issue(week).marginals["alpha", "region"].pmf[0] for week in range(6)]
    k = max(pmf.shape[1] for pmf in pmfs)
    pmf = np.concatenate([np.pad(each, ((0, 0), (0, k - each.shape[1]))) for each in pmfs])
    units = make_issue(0).marginals["alpha", "region"].units
    counts = first.set_index(["issue", "unit"])["count"]
    came = np.array([counts[issue, unit] for issue in range(1, 7) for unit in units])
    expected = drift_charts(pmf, came, found.weeks.repeat(len(units)))
    for name, chart in expected.items():
        np.testing.assert_allclose(found.charts[name].value, chart.value, equal_nan=True)


def test_without_issues_there_is_an_empty_record(ledger):
    found = record_of(ledger)
    assert found.issues.empty
    assert found.statements.empty
    assert found.counts.empty
    assert (found.charts, found.undecided) == ({}, 0)
