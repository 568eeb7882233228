"""A forecast hub as a folder: model output, metadata, target data and the configuration that says how to read them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from forecast.csv_text import csv_bytes
from forecast.exchange.hub_config import HubTeam, admin, model_metadata, tasks
from forecast.exchange.hub_rows import COLUMNS, OutputType, model_output
from forecast.exchange.hub_targets import oracle_output, time_series
from forecast.families.model import ModelSpec
from forecast.panel.panel import Panel
from forecast.predictive.forecast import Forecast

FileFormat = Literal["csv", "parquet"]
SCHEMA = pa.schema(
    {name: pa.string() for name in COLUMNS}
    | dict.fromkeys(("reference_date", "target_end_date"), pa.date32())
    | {"horizon": pa.int32(), "value": pa.float64()}
)
"""Of model output as parquet."""


@dataclass(frozen=True)
class HubSettings:
    """How a hub is written.

    Parameters
    ----------
    title : str
        Of the hub.
    version : str
        Of the models: that of the package that made the forecasts.
    team : HubTeam
    types : tuple of {"quantile", "pmf", "cdf", "sample"}
    draws : int
        Sample paths.
    file_format : {"csv", "parquet"}
        Of model output; target data are CSV.
    """

    title: str
    version: str
    team: HubTeam = field(default_factory=HubTeam)
    types: tuple[OutputType, ...] = ("quantile", "sample")
    draws: int = 100
    file_format: FileFormat = "csv"


def write_hub(
    folder: Path, forecasts: Sequence[Forecast], panel: Panel, settings: HubSettings, models: Sequence[ModelSpec]
) -> None:
    """Write a hub of forecasts into an empty folder.

    ``hub-config/`` has tasks.json and admin.json; ``model-output/TEAM-MODEL/`` a file a reference date;
    ``model-metadata/`` one a model; ``target-data/`` time-series.csv and oracle-output.csv.

    Parameters
    ----------
    folder : Path
    forecasts : sequence of Forecast
        Of one or several origins and models, of units of one kind.
    panel : Panel
        What is known of their units.
    settings : HubSettings
    models : sequence of ModelSpec
        At least those of the forecasts: their metadata tell title and method.
    """
    team = settings.team
    for each in forecasts:
        model = team.model_id(each.model)
        known = each.origin - pd.Timedelta(days=1)
        rows = model_output(each, settings.types, settings.draws)
        write_rows(folder / "model-output" / model / f"{known:%Y-%m-%d}-{model}.{settings.file_format}", rows)
        spec = next(spec for spec in models if spec.name == each.model)
        text = model_metadata(spec, source=panel.source, version=settings.version, team=team)
        _write(folder / "model-metadata" / f"{model}.yml", text.encode())
    configuration = {
        "tasks": tasks(forecasts, settings.types, settings.draws),
        "admin": admin(settings.title, team, settings.file_format),
    }
    for name, content in configuration.items():
        text = json.dumps(content, indent=2, ensure_ascii=False)
        _write(folder / "hub-config" / f"{name}.json", f"{text}\n".encode())
    _write(folder / "target-data" / "time-series.csv", csv_bytes(time_series(panel)))
    oracle = oracle_output(panel, forecasts, settings.types)
    _write(folder / "target-data" / "oracle-output.csv", csv_bytes(oracle))


def write_rows(path: Path, rows: pd.DataFrame) -> None:
    """Write rows of model output, as CSV or parquet by the ending of the name."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.suffix == ".csv":
        path.write_bytes(csv_bytes(rows, float_format="%.12g"))
        return
    pq.write_table(pa.Table.from_pandas(rows, SCHEMA, preserve_index=False), path, compression="zstd")


def _write(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
