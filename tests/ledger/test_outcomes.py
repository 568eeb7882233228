"""What came of the forecasts is recorded as it becomes known, again when corrected, and scored as in a backtest."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pandas as pd
import pytest

from forecast.evaluation.scores import SCORES, score_forecast
from forecast.ledger import read
from forecast.ledger.outcomes import settle
from forecast.ledger.verify import verify
from forecast.ledger.write import append_issue

FIRST = dt.date(2026, 1, 3)


@pytest.fixture
def known(ledger, moment):
    """A function that tells the ledger what is known."""

    def record(panels, week=1, vintage="aa" * 32, workspace="Mali"):
        return ledger.append(lambda connection: settle(connection, workspace, panels, vintage, moment(week)))

    return record


@pytest.fixture
def issued(ledger, make_issue, moment):
    """Three issues of successive weeks, four weeks each."""
    made = [make_issue(week) for week in range(3)]
    for week, each in enumerate(made):
        ledger.append(lambda connection, each=each, week=week: append_issue(connection, each, moment(week)))
    return made


def tables(ledger):
    with ledger.reading() as connection:
        assert verify(connection).broken == ""
        return read.outcomes(connection), read.answers(connection), read.scores(connection, latest=False)


def test_new_weeks_are_scored_as_a_backtest_scores_them(ledger, issued, known, make_panels):
    panels = make_panels(2)
    found = known(panels)
    assert (len(found.settlement.outcomes), found.corrected) == (2 * 4, 0)
    _, _, scores = tables(ledger)
    assert scores.groupby("issue")["horizon"].unique().map(sorted).to_dict() == {1: [1, 2], 2: [1]}
    for number, made in enumerate(issued[:2], start=1):
        origin = pd.Timestamp(made.head.origin)
        for (model, kind), marginals in made.marginals.items():
            counts = np.zeros(marginals.mean.shape, dtype=np.int64)
            here = panels[kind].counts[8 + number - 1 :]
            counts[: len(here)] = here
            expected = score_forecast(marginals.forecast(origin, kind), counts)
            chosen = scores[(scores["issue"] == number) & (scores["model"] == model) & (scores["unit_kind"] == kind)]
            assert len(chosen) == here.size
            for row in chosen.to_dict("records"):
                cell = row["horizon"] - 1, marginals.units.index(row["unit"])
                assert {name: row[name] for name in SCORES} == {name: expected[name][cell] for name in SCORES}


def test_the_same_data_again_change_nothing(ledger, issued, known, make_panels):
    known(make_panels(2))
    before = tables(ledger)
    assert known(make_panels(2), week=5) is None
    for table, again in zip(before, tables(ledger), strict=True):
        pd.testing.assert_frame_equal(table, again)


def test_escalations_are_answered_when_all_their_weeks_are_known(ledger, issued, known, make_panels):
    known(make_panels(1))
    assert tables(ledger)[1].empty
    known(make_panels(2))
    _, answers, _ = tables(ledger)
    assert set(answers["issue"]) == {1}
    assert set(answers["escalation"]) == {"any_event_2w"}
    counts = make_panels(2)["region"].counts[8:]
    expected = {unit: int(counts[:, at].sum() >= 1) for at, unit in enumerate(("Mali/Gao", "Mali/Ségou", "Mali/Mopti"))}
    regions = answers[answers["unit_kind"] == "region"]
    assert dict(zip(regions["unit"], regions["met"], strict=True)) == expected
    known(make_panels(4))
    _, answers, _ = tables(ledger)
    four = answers[(answers["issue"] == 1) & (answers["escalation"] == "at_least_5_4w")]
    assert set(four["unit"]) == {"Mali/Ségou", "Mali/Mopti"}  # of the first, nobody knows what is needed


def test_a_correction_is_recorded_beside_what_it_corrects(ledger, issued, known, make_panels):
    known(make_panels(2))
    before = make_panels(2)["region"].counts[9, 0]
    found = known(make_panels(2, [(1, "Mali/Gao", 40)]), week=3, vintage="bb" * 32)
    assert (len(found.settlement.outcomes), found.corrected) == (1, 1)
    outcomes, _, scores = tables(ledger)
    week = outcomes[(outcomes["unit"] == "Mali/Gao") & (outcomes["week"] == "2026-01-10")]
    assert week["count"].tolist() == [before, 40]
    assert week["settlement"].tolist() == [4, 5]
    # That week was the second of the first issue and the first of the second.
    again = scores[scores["settlement"] == 5]
    assert set(zip(again["issue"], again["horizon"], strict=True)) == {(1, 2), (2, 1)}
    assert set(again["unit"]) == {"Mali/Gao"}
    with ledger.reading() as connection:
        latest = read.scores(connection)
    assert len(latest) == len(scores) - len(again)
    assert set(latest.loc[(latest["unit"] == "Mali/Gao") & (latest["issue"] == 2), "settlement"]) == {5}
    back = known(make_panels(2), week=4, vintage="cc" * 32)  # the correction is withdrawn
    assert back.corrected == 1
    assert len(tables(ledger)[0]) == 8 + 1 + 1


def test_an_answer_is_given_again_only_if_it_changes(ledger, issued, known, make_panels):
    none = [(0, "Mali/Gao", 0), (1, "Mali/Gao", 0)]
    known(make_panels(2, none))
    known(make_panels(2, [none[0], (1, "Mali/Gao", 3)]), week=3)
    known(make_panels(2, [none[0], (1, "Mali/Gao", 4)]), week=4)
    _, answers, _ = tables(ledger)
    assert answers.loc[answers["unit"] == "Mali/Gao", "met"].tolist() == [0, 1]


def test_unknown_weeks_wait(ledger, issued, known, make_panels):
    known(make_panels(2, hidden=[(0, "Mali/Gao")]))
    outcomes, answers, scores = tables(ledger)
    assert len(outcomes[outcomes["unit"] == "Mali/Gao"]) == 1
    assert "Mali/Gao" not in set(answers["unit"])
    assert scores[(scores["issue"] == 1) & (scores["unit"] == "Mali/Gao")]["horizon"].unique().tolist() == [2]
    found = known(make_panels(2), week=3)
    assert (len(found.settlement.outcomes), found.corrected) == (1, 0)
    assert "Mali/Gao" in set(tables(ledger)[1]["unit"])


def test_a_week_that_is_no_longer_known_keeps_its_record(ledger, issued, known, make_panels):
    known(make_panels(2))
    assert known(make_panels(2, hidden=[(1, "Mali/Gao")]), week=3) is None


def test_older_data_do_not_correct_newer_ones(ledger, issued, known, make_panels):
    known(make_panels(3))
    assert known(make_panels(2, [(0, "Mali/Gao", 77)]), week=6) is None
    assert 77 not in set(tables(ledger)[0]["count"])


def test_workspaces_that_share_a_ledger_do_not_share_outcomes(ledger, issued, known, make_panels, make_issue, moment):
    other = make_issue(0, workspace="Elsewhere")
    ledger.append(lambda connection: append_issue(connection, other, moment(2)))
    known(make_panels(1, [(0, "Mali/Gao", 5)]))
    known(make_panels(1, [(0, "Mali/Gao", 6)]), workspace="Elsewhere")
    with ledger.reading() as connection:
        for workspace, count in (("Mali", 5), ("Elsewhere", 6)):
            counts = read.outcomes(connection, workspace)
            assert counts.loc[counts["unit"] == "Mali/Gao", "count"].tolist() == [count]
        assert set(read.scores(connection)["issue"]) == {1, 4}


def test_units_that_nobody_forecast_are_not_recorded(ledger, issued, known, make_panels):
    names = {"region": ("Mali/Gao", "Mali/Ségou", "Mali/Mopti", "Mali/Kidal"), "place": ("Gao 100 km",)}
    known(make_panels(1, names=names))
    assert "Mali/Kidal" not in set(tables(ledger)[0]["unit"])


def test_an_issue_of_weeks_that_are_recorded_is_scored_by_them(ledger, issued, known, make_panels, make_issue, moment):
    panels = make_panels(6)
    known(panels, week=7)
    whole = tables(ledger)
    late = make_issue(1, revision=2)
    number = ledger.append(lambda connection: append_issue(connection, late, moment(8))).number
    found = known(panels, week=9)
    assert found.settlement.outcomes.empty
    assert found.corrected == 0
    _, answers, scores = tables(ledger)
    mine, first = (scores[scores["issue"] == issue] for issue in (number, 2))
    assert len(mine) == len(first) == 2 * 4 * 4
    assert set(mine["settlement"]) == {number + 1}
    said = ["unit_kind", "unit", "escalation", "met"]
    assert answers.loc[answers["issue"] == number, said].to_numpy().tolist() == (
        answers.loc[answers["issue"] == 2, said].to_numpy().tolist()
    )
    assert len(scores) == len(whole[2]) + len(mine)
    assert known(panels, week=10) is None


def test_without_issues_there_is_nothing_to_settle(ledger, known, make_panels):
    assert known(make_panels(2)) is None
