from dataclasses import replace

import pandas as pd

from forecast.reporting.content import ReportContent
from forecast.reporting.headline import statements
from forecast.reporting.html import render_report
from forecast.reporting.tables import breakdown_rows, prior_rows, risk_rows
from forecast.reporting.words import SPACE


def test_breakdown_is_of_the_headline_model_by_year_and_activity(content: ReportContent) -> None:
    record = content.backtests[0]
    rows = breakdown_rows(record, content.models, "discount")
    ahead = pd.to_timedelta(7 * (record.scores["horizon"] - 1), unit="D")
    years = sorted((record.scores["origin"] + ahead).dt.year.unique())
    assert [row["group"] for row in rows][: len(years)] == [str(year) for year in years]
    assert {row["group"] for row in rows[len(years) :]} == {
        "1 to 9 events in the year before",
        "10 or more events in the year before",
    }
    mine = record.scores.query("model == 'discount' and score == 'crps' and activity == 'active'")
    active = next(row for row in rows if row["group"].startswith("10"))
    assert active["crps"] == f"{mine['value'].mean():.3f}"
    assert active["n"] == str(len(mine))


def test_what_priors_make_is_told_in_words() -> None:
    table = pd.DataFrame(
        {"observed": [0.931, 12345.6], "q5": [0.2, -0.014], "median": [0.85, 99.7], "q95": [1.0, 4e6]},
        index=["zeros", "variance"],
    )
    first, second = prior_rows(table)
    assert first == {
        "statistic": "weeks without an event, share",
        "observed": "0.93",
        "low": "0.2",
        "median": "0.85",
        "high": "1",
    }
    assert second["observed"].replace("\N{NO-BREAK SPACE}", " ") == "12 346"
    assert (second["low"], second["median"]) == ("\N{MINUS SIGN}0.014", "100")


def test_the_uncalibrated_probability_stands_beside_one_that_differs(content: ReportContent) -> None:
    risk = content.risk.assign(uncalibrated=content.risk["probability"])
    (first, *_) = statements(content)
    here = risk["model"].eq(content.headline_model) & risk["escalation"].eq(content.headline_escalation)
    here &= risk["unit"].eq(first.unit)
    risk.loc[here, "uncalibrated"] = first.probability - 0.1
    made = replace(content, risk=risk)
    before = f"{100 * (first.probability - 0.1):.0f}{SPACE}%"
    assert [row.uncalibrated for row in risk_rows(made) if row.uncalibrated] == [before]
    assert statements(made)[0].text.split(". ")[0].endswith(f" ({before} before recalibration)")
    assert "before recalibration" not in first.text
    assert render_report(made).count(f"uncalibrated {before}") == 1
    assert "uncalibrated" not in render_report(content).split("<main", 1)[1]
