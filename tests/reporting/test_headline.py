from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from forecast.reporting.content import ReportContent
from forecast.reporting.headline import lead, statements, track_classes, track_of
from forecast.reporting.words import DASH, SPACE

RULE = "more events within the next 4 weeks than in 90 % of such spans of the unit's own last 52 weeks"


def with_chances(content: ReportContent, chances: list[float], base: float) -> ReportContent:
    """The content with given headline probabilities of the four regions."""
    risk = content.risk.copy()
    mine = (
        (risk["model"] == content.headline_model)
        & (risk["escalation"] == content.headline_escalation)
        & (risk["unit_kind"] == "region")
    )
    risk.loc[mine, "probability"] = chances
    risk.loc[mine, "base_rate"] = base
    risk.loc[mine, "level"] = 19.0
    return replace(content, risk=risk)


def plain(text: str) -> str:
    return text.replace(SPACE, " ")


def test_lead_when_some_stand_out(content: ReportContent) -> None:
    made = with_chances(content, [0.6, 0.3, 0.05, 0.01], 0.1)
    assert lead(made) == (
        f"1 of the 4 regions has a roughly even chance or better of {RULE}. "
        "It is clearly more probable than usual in Mopti (Mali) and Gao (Mali)."
    )


def test_lead_names_only_the_top(content: ReportContent) -> None:
    made = with_chances(content, [0.3, 0.3, 0.4, 0.01], 0.1)
    assert lead(made) == (
        f"None of the 4 regions has a roughly even chance or better of {RULE}. "
        "In 3 of them it is clearly more probable than usual, first of all in Tillabéri (Niger) and Gao (Mali)."
    )


def test_lead_when_nothing_stands_out(content: ReportContent) -> None:
    made = with_chances(content, [0.3, 0.1, 0.1, 0.01], 0.29)
    assert lead(made).endswith("None stands out from what is usual for it.")


def test_lead_when_nothing_is_known(content: ReportContent) -> None:
    made = with_chances(content, [np.nan] * 4, np.nan)
    assert lead(made) == f"For no region is enough known to say how probable this is: {RULE}."


def test_statements_are_the_top_regions_then_every_place(content: ReportContent) -> None:
    made = with_chances(content, [0.36, 0.3, 0.9, np.nan], 0.12)
    shown = statements(made)
    assert [item.unit for item in shown] == ["Niger/Tillabéri", "Mali/Mopti", "Bamako 100 km"]
    assert [item.word for item in shown][:2] == ["very likely", "unlikely"]


def test_statement_gives_counts_base_rate_and_change(content: ReportContent) -> None:
    made = with_chances(content, [0.36, 0.3, 0.1, 0.1], 0.12)
    first = statements(made)[0]
    forecast = content.forecasts["region"]["discount"]
    total = forecast.paths[:, :4, 0].sum(axis=1)
    low, high = np.quantile(total, [0.1, 0.9], method="inverted_cdf")
    recent = content.panels["region"].counts[-4:, 0].sum()
    assert plain(first.text) == (
        "The probability is 3 times its base rate of 12 %. A week before, it was 25 %. "
        f"Expected: {total.mean():.0f} events in the next 4 weeks (80 % range {low:.0f}{DASH}{high:.0f}), "
        f"after {recent} events in the last 4 weeks; the mark to reach is 19."
    )


@pytest.mark.parametrize(
    ("base", "told"),
    [
        (0.0, "The probability compares with a base rate of zero"),
        (0.36, "The probability is about its base rate of 36 %"),
        (0.20, "The probability is about twice its base rate of 20 %"),
        (0.27, "The probability is above its base rate of 27 %"),
        (0.80, "The probability is below its base rate of 80 %"),
        (float("nan"), "Too little of its past is known for a base rate"),
    ],
)
def test_comparison_with_the_base_rate(content: ReportContent, base: float, told: str) -> None:
    made = with_chances(content, [0.36, 0.3, 0.1, 0.1], base)
    assert plain(statements(made)[0].text).startswith(told)


def test_track_counts_each_statement_once(content: ReportContent) -> None:
    record = content.backtests[1]
    tracks = track_classes(record, "discount", "above_recent")
    risk = record.risk[(record.risk["model"] == "discount") & (record.risk["escalation"] == "above_recent")]
    assert sum(track.statements for track in tracks) == len(risk)
    assert sum(track.came_true for track in tracks) == risk["outcome"].sum()
    fourth = risk[(risk["probability"] >= 0.3) & (risk["probability"] < 0.5)]
    assert (tracks[4].range.replace(SPACE, " "), tracks[4].statements) == (f"30{DASH}50 %", len(fourth))
    assert tracks[4].came_true == fourth["outcome"].sum()


def test_certain_statements_belong_to_the_last_class(content: ReportContent) -> None:
    risk = content.backtests[0].risk.assign(probability=1.0)
    tracks = track_classes(replace(content.backtests[0], risk=risk), "discount", "above_recent")
    assert tracks[-1].statements == 12 * 4


def test_track_speaks_from_the_first_record_with_enough(content: ReportContent) -> None:
    told = plain(track_of(content, 0.4, "region"))
    live, long = (track_classes(record, "discount", "above_recent")[4] for record in content.backtests)
    assert live.statements < 20 <= long.statements
    assert told == (
        f"Of the statements of 30{DASH}50 % in the record “long”, {long.came_true} of {long.statements} came true "
        f"({100 * long.came_true / long.statements:.0f} %)."
    )


def test_track_says_when_it_is_too_few(content: ReportContent) -> None:
    short = replace(content, backtests=content.backtests[:1])
    assert track_of(short, 0.4, "region").endswith("That is too few to judge by.")


def test_place_without_record_says_so(content: ReportContent) -> None:
    assert track_of(content, 0.4, "place") == "No statement like this one is in the backtest record yet."


def test_a_week_without_report_is_told(build_content: Callable[..., ReportContent]) -> None:
    made = build_content()
    panel = made.panels["region"]
    observed = panel.observed.copy()
    observed[-2, 0] = False
    panels = {**made.panels, "region": replace(panel, observed=observed)}
    chances = with_chances(replace(made, panels=panels), [0.36, 0.3, 0.1, 0.1], 0.12)
    assert "(1 not observed)" in statements(chances)[0].text
    assert isinstance(chances.risk, pd.DataFrame)
