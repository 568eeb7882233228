"""The ledger as tables of other programs."""

from __future__ import annotations

import pandas as pd
import pytest

from forecast.ledger import read
from forecast.ledger.export import TABLES, export


@pytest.mark.parametrize("form", ["parquet", "csv"])
def test_all_of_it_is_written(filled, tmp_path, form):
    with filled.reading() as connection:
        rows = export(connection, tmp_path / "exported", form)
        scores = read.scores(connection)
    reader = pd.read_parquet if form == "parquet" else pd.read_csv
    tables = {name: reader(tmp_path / "exported" / f"{name}.{form}") for name in TABLES}
    assert rows == {name: len(table) for name, table in tables.items()}
    assert rows["issues"] == 4
    assert rows["forecasts"] == 4 * 2 * 4 * 4  # issues, models, weeks, units
    assert rows["probabilities"] == 4 * 2 * 2 * 4
    assert rows["outcomes"] == 4 * 4
    key = ["issue", "model", "unit", "horizon"]
    both = tables["scores"].merge(scores, on=key, suffixes=("", "_read"))
    assert len(both) == len(scores) == rows["scores"]
    assert (both["crps"] - both["crps_read"]).abs().max() < 1e-15
    assert tables["forecasts"].columns[:8].tolist() == [
        *("issue", "origin", "revision", "model", "week", "horizon", "unit", "unit_kind"),
    ]
    assert str(tables["forecasts"]["week"].iloc[0])[:10] == "2026-01-03"
    assert {"probability", "level", "base_rate", "base_origins"} <= set(tables["probabilities"])


def test_an_empty_ledger_has_tables_too(ledger, tmp_path):
    with ledger.reading() as connection:
        rows = export(connection, tmp_path / "exported", "csv")
    assert rows["scores"] == 0
    assert (tmp_path / "exported" / "scores.csv").read_text(encoding="utf-8").startswith('"settlement","issue"')


def test_only_one_workspace(filled, tmp_path):
    with filled.reading() as connection:
        assert export(connection, tmp_path / "exported", "parquet", "Elsewhere")["outcomes"] == 0
