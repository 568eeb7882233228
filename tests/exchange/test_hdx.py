"""Tables with a row of HXL tags."""

from __future__ import annotations

import re

import pandas as pd
import pytest

from forecast.errors import InputError
from forecast.evaluation.forecast_table import read_forecasts
from forecast.exchange.hdx import TAGS, risk_rows, tagged_csv, weekly_table
from forecast.tabular import parse_csv

TAG = r"#[a-z][a-z0-9_]*(\+[a-z][a-z0-9_]*)*"


def test_each_column_has_a_tag_of_its_own(forecast_of):
    header, tags, *_ = tagged_csv(weekly_table(forecast_of())).decode().splitlines()
    found = tags.split(",")
    assert len(found) == len(set(found)) == len(header.split(","))
    assert all(re.fullmatch(TAG, tag) for tag in [*found, *TAGS.values()])


def test_the_weekly_table(forecast_of, tmp_path):
    sent = forecast_of()
    frame = weekly_table(sent)
    assert list(frame.columns) == [
        *("unit", "country", "region", "origin", "target_start", "target_end", "horizon", "mean"),
        *("q0.025", "q0.1", "q0.25", "q0.5", "q0.75", "q0.9", "q0.975", "any", "model"),
    ]
    assert frame["region"].unique().tolist() == ["Gao", "Mopti", "=Niger/Diffa"]
    assert (frame["target_end"].dt.day_name() == "Friday").all()
    assert frame["any"].tolist() == pytest.approx(list((sent.paths > 0).mean(axis=0).ravel()))
    (tmp_path / "weekly.csv").write_bytes(tagged_csv(frame))
    (table,), skipped = read_forecasts(tmp_path / "weekly.csv")
    assert skipped == 0
    assert set(table.rows["unit"]) == set(sent.units.names)
    median = table.rows[table.rows["key"] == 0.5].pivot_table("value", "horizon", "unit")[list(sent.units.names)]
    assert (median.to_numpy() == sent.quantile([0.5])[0]).all()


def test_the_first_rows_as_they_stand(forecast_of):
    """So that a change of format is seen."""
    risk = pd.DataFrame(
        {
            "unit": ["=Niger/Diffa", "Mali/Gao", "Mali/Gao"],
            "unit_kind": "region",
            "origin": pd.Timestamp("2026-08-01"),
            "target_start": pd.Timestamp("2026-08-01"),
            "target_end": pd.Timestamp("2026-08-28"),
            "escalation": "any_event_4w",
            "probability": [0.5, 0.25, 0.75],
            "model": ["m", "m", "other"],
        }
    )
    rows = risk_rows(risk, forecast_of().units, "m")
    assert tagged_csv(rows).decode() == (
        "unit,country,region,origin,target_start,target_end,escalation,probability,model\n"
        "#meta+id,#country+name,#adm1+name,#date+origin,#date+start,#date+end,"
        "#indicator+name,#indicator+value+probability,#meta+model\n"
        "'=Niger/Diffa,Niger,'=Niger/Diffa,2026-08-01,2026-08-01,2026-08-28,any_event_4w,0.5,m\n"
        "Mali/Gao,Mali,Gao,2026-08-01,2026-08-01,2026-08-28,any_event_4w,0.25,m\n"
    )
    assert parse_csv(tagged_csv(rows), "risk.csv").frame["unit"].tolist() == ["=Niger/Diffa", "Mali/Gao"]


def test_a_column_without_a_tag():
    with pytest.raises(InputError, match="column 'weather' has no HXL tag"):
        tagged_csv(pd.DataFrame({"weather": [1]}))
