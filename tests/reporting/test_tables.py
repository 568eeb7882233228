import pandas as pd

from forecast.reporting.content import ReportContent
from forecast.reporting.tables import breakdown_rows, prior_rows


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
