"""Tables of forecasts and outcomes as people write them, and what is wrong with some."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from forecast.errors import InputError
from forecast.evaluation.forecast_table import read_forecasts, read_outcomes

HUB = (
    "model_id,reference_date,horizon,target_end_date,location,output_type,output_type_id,value\n"
    "m,2026-01-02,1,2026-01-09,Gao,quantile,0.25,1\n"
    "m,2026-01-02,1,2026-01-09,Gao,quantile,0.75,4\n"
    "m,2026-01-02,1,2026-01-09,Gao,mean,,2.5\n"
    "m,2026-01-02,1,2026-01-09,Mopti,sample,a,3\n"
    "m,2026-01-02,1,2026-01-09,Mopti,sample,b,0\n"
    "m,2026-01-02,1,2026-01-09,Kidal,pmf,0,0.9\n"
)


@pytest.fixture
def write(tmp_path):
    def written(text: str, name: str = "table.csv"):
        path = tmp_path / name
        path.write_text(text, encoding="utf-8")
        return path

    return written


def test_a_hub_table(write):
    tables, skipped = read_forecasts(write(HUB))
    assert [table.kind for table in tables] == ["quantile", "sample", "pmf"]
    assert skipped == 1
    first = tables[0].rows.iloc[0]
    assert (first["model"], first["unit"], first["horizon"], first["key"], first["value"]) == ("m", "Gao", 1, 0.25, 1)
    assert first["end"] == pd.Timestamp("2026-01-09")
    assert tables[2].rows["key"].tolist() == [0]


@pytest.mark.parametrize(
    ("header", "row"),
    [
        ("reference_date,horizon", "2026-01-02,2"),
        ("origin,horizon", "2026-01-03,2"),
        ("week", "2026-01-10"),
        ("target_end_date", "2026-01-16"),
    ],
)
def test_the_week_is_found_however_it_is_told(write, header, row):
    text = f"{header},unit,output_type,output_type_id,value\n{row},Gao,quantile,0.5,1\n"
    (table,), _ = read_forecasts(write(text))
    assert table.rows["end"].tolist() == [pd.Timestamp("2026-01-16")]


def test_the_horizon_follows_from_origin_and_week(write):
    text = "origin,week,unit,q0.5\n2026-01-03,2026-01-03,Gao,1\n2026-01-03,2026-01-17,Gao,1\n"
    (table,), _ = read_forecasts(write(text))
    assert table.rows["horizon"].tolist() == [1, 3]


def test_a_wide_table_in_parquet(tmp_path):
    frame = pd.DataFrame({"week": ["2026-01-03"], "unit": ["Gao"], "mean": [2.0], "q0.1": [0], "q0.9": [5]})
    frame.to_parquet(tmp_path / "wide.parquet")
    (table,), skipped = read_forecasts(tmp_path / "wide.parquet")
    assert table.rows[["key", "value"]].to_numpy().tolist() == [[0.1, 0.0], [0.9, 5.0]]
    assert skipped == 0
    assert table.rows["horizon"].tolist() == [0, 0]


def test_outcomes(write):
    found = read_outcomes(write("location,target_end_date,observation\nGao,2026-01-09,3\n"))
    assert found.to_dict("records") == [{"unit": "Gao", "end": pd.Timestamp("2026-01-09"), "observed": 3}]
    same = read_outcomes(write("region,week,events\nGao,2026-01-03,3\n", "weeks.csv"))
    pd.testing.assert_frame_equal(found, same)
    assert found["observed"].dtype == np.int64


@pytest.mark.parametrize(
    ("text", "texts"),
    [
        ("week,unit,value\n2026-01-03,Gao,1\n", ["no column", "'output_type'"]),
        ("unit,output_type,output_type_id,value\nGao,quantile,0.5,1\n", ["no column tells the week forecast"]),
        (
            "week,output_type,output_type_id,value\n2026-01-03,quantile,0.5,1\n",
            ["no column tells the unit", "location"],
        ),
        ("week,unit,output_type,output_type_id,value\n", ["no rows"]),
        ("week,unit,output_type,output_type_id,value\n2026-01-03,Gao,median,,1\n", ["can be scored", "'median'"]),
        ("week,unit,output_type,output_type_id,value\n2026-01-03,Gao,quantile,1.5,1\n", ["between 0 and 1"]),
        ("week,unit,output_type,output_type_id,value\n2026-01-03,Gao,pmf,0,1.5\n", ["not between 0 and 1"]),
        ("week,unit,output_type,output_type_id,value\n2026-01-03,Gao,sample,a,1.5\n", ["no count"]),
        ("week,unit,output_type,output_type_id,value\n2026-01-03,Gao,quantile,half,1\n", ["row 2", "output_type_id"]),
        ("week,unit,output_type,output_type_id,value\n3 Jan,Gao,quantile,0.5,1\n", ["row 2", "'week'"]),
        (
            "week,unit,output_type,output_type_id,value\n" + "2026-01-03,Gao,quantile,0.5,1\n" * 2,
            ["stands in the table twice", "`model`"],
        ),
    ],
)
def test_forecasts_that_cannot_be_read(write, text, texts):
    with pytest.raises(InputError) as caught:
        read_forecasts(write(text))
    for part in texts:
        assert part in str(caught.value)


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("unit,week\nGao,2026-01-03\n", "what came"),
        ("unit,week,events\nGao,2026-01-03,-1\n", "negative"),
        ("unit,week,events\nGao,2026-01-03,1\nGao,2026-01-03,2\n", "in the table already"),
        ("unit,events\nGao,1\n", "no column tells the week"),
    ],
)
def test_outcomes_that_cannot_be_read(write, text, part):
    with pytest.raises(InputError, match=part):
        read_outcomes(write(text))
