"""A hub that is exported opens with the reader of the hub community itself, `hubdata`, which knows nothing of ours."""

from __future__ import annotations

import pandas as pd
import pytest
import structlog
from hubdata import connect_hub, connect_target_data
from hubdata.create_target_data_schema import TargetType

from forecast.cli import main

TYPES = ("quantile", "pmf", "cdf", "sample")


@pytest.fixture(autouse=True)
def _silent_reader():
    """Keep what the reader misses of optional files out of the output."""
    structlog.configure(logger_factory=structlog.ReturnLoggerFactory())
    yield
    structlog.reset_defaults()


@pytest.fixture(scope="module", params=["csv", "parquet"])
def hub(request, archive, tmp_path_factory):
    folder = tmp_path_factory.mktemp("hub") / request.param
    options = ["--format", "hub", "--types", ",".join(TYPES), "--draws", "20", "--file-format", request.param, "--all"]
    assert main(["export", "--workspace", str(archive), *options, "--out", str(folder)]) == 0
    return folder


def test_model_output_is_read_by_the_schema_of_its_tasks(hub):
    connection = connect_hub(hub)
    table = connection.get_dataset().to_table().to_pandas()
    assert set(table["output_type"]) == set(TYPES)
    assert set(table["model_id"]) == {"escalation-combined"}
    assert table["value"].notna().all()
    assert (pd.to_datetime(table["reference_date"]).dt.day_name() == "Friday").all()
    chances = table[table["output_type"] == "pmf"]
    assert chances["value"].between(0, 1).all()
    keys = ["reference_date", "location", "horizon"]
    assert (chances.groupby(keys)["value"].sum() < 1 + 1e-6).all()
    levels = table[table["output_type"] == "quantile"].astype({"output_type_id": float})
    ordered = levels.sort_values([*keys, "output_type_id"])
    assert (ordered.groupby(keys)["value"].diff().dropna() >= 0).all()
    ends = pd.to_datetime(table["target_end_date"]) - pd.to_datetime(table["reference_date"])
    assert (ends.dt.days == 7 * table["horizon"]).all()


@pytest.mark.parametrize("kind", [TargetType.TIME_SERIES, TargetType.ORACLE_OUTPUT])
def test_target_data_are_read(hub, kind):
    table = connect_target_data(hub, kind).get_dataset().to_table().to_pandas()
    value = "observation" if kind is TargetType.TIME_SERIES else "oracle_value"
    assert len(table)
    assert table[value].notna().all()
    assert (table[value] >= 0).all()
