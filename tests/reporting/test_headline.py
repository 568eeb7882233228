from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from forecast.reporting.content import ReportContent
from forecast.reporting.headline import lead, statements
from forecast.reporting.tables import risk_rows
from forecast.reporting.words import DASH, SPACE

RULE = "“above its recent past in 4 weeks”"


def with_chances(
    content: ReportContent, chances: list[float], base: float | list[float], origins: int = 104
) -> ReportContent:
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
    risk.loc[mine, "base_origins"] = origins
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


def test_what_is_usual_is_not_compared_with_where_it_is_unknown(content: ReportContent) -> None:
    nothing = with_chances(content, [0.3, 0.3, 0.4, 0.01], np.nan)
    assert lead(nothing).endswith(f"chance or better of {RULE}. Too little of the past is known to say what is usual.")
    some = with_chances(content, [0.3, 0.3, 0.4, 0.01], [0.1, np.nan, np.nan, 0.1])
    assert lead(some).endswith(
        "What is usual is known for 2 of them. It is clearly more probable than usual in Mopti (Mali)."
    )


def test_a_base_rate_of_few_spans_says_how_many(content: ReportContent) -> None:
    made = with_chances(content, [0.36, 0.3, 0.1, 0.1], 0.12, origins=18)
    assert "its base rate of 12 %, which rests on 18 spans of the past." in plain(statements(made)[0].text)
    (first, *_) = risk_rows(made)
    assert plain(first.base_rate.text) == "12 % of 18"
    assert "spans" not in statements(with_chances(content, [0.36, 0.3, 0.1, 0.1], 0.12, origins=52))[0].text


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
        (0.0, "It has not happened in any of the 104 spans of the past that are known."),
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


def test_words_of_the_lead_go_by_the_shown_percent(content: ReportContent) -> None:
    made = with_chances(content, [0.447, 0.1, 0.05, 0.01], 0.1)
    assert statements(made)[0].word == "roughly even chance"
    assert lead(made).startswith("1 of the 4 regions has a roughly even chance or better")


def test_a_week_without_report_is_told(build_content: Callable[..., ReportContent]) -> None:
    made = build_content()
    panel = made.panels["region"]
    observed = panel.observed.copy()
    observed[-2, 0] = False
    panels = {**made.panels, "region": replace(panel, observed=observed)}
    chances = with_chances(replace(made, panels=panels), [0.36, 0.3, 0.1, 0.1], 0.12)
    assert "(1 not observed)" in statements(chances)[0].text
    assert isinstance(chances.risk, pd.DataFrame)
