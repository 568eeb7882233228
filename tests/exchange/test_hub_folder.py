"""A hub as a folder: files and names, columns and values, and what its configuration promises of them.

The rules are those of the schemas of hubverse (tasks and admin, v5.0.1) and of its documentation of model output,
written down as far as a hub of weekly counts meets them.
"""

from __future__ import annotations

import json
from typing import Annotated, Literal

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
from pydantic import BaseModel, ConfigDict, Field, model_validator

from forecast.errors import InputError
from forecast.exchange.hub_config import SCHEMA, HubTeam
from forecast.exchange.hub_folder import HubSettings, write_hub
from forecast.exchange.hub_rows import COLUMNS, OUTPUT_TYPES, model_output
from forecast.exchange.hub_targets import oracle_output
from forecast.families.model import ModelSpec
from forecast.tabular import read_table

MODELS = [ModelSpec(name="direct-endemic", family="direct_endemic", title="A: direct", method="It counts. " * 30)]
ISO = r"^\d{4}-\d{2}-\d{2}$"


class Strict(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Ids(Strict):
    required: list[str | int] | None
    optional: list[str | int] | None


class Value(Strict):
    type: Literal["double", "integer"]
    minimum: float | None = None
    maximum: float | None = None


class Share(Strict):
    type: Literal["double"]
    minimum: Literal[0]
    maximum: Literal[1]


class Levels(Strict):
    required: list[Annotated[float, Field(ge=0, le=1)]]


class Categories(Strict):
    required: list[str]


class Points(Strict):
    required: list[float]


class QuantileType(Strict):
    output_type_id: Levels
    value: Value
    is_required: bool


class PmfType(Strict):
    output_type_id: Categories
    value: Share
    is_required: bool


class CdfType(Strict):
    output_type_id: Points
    value: Share
    is_required: bool


class SampleParameters(Strict):
    type: Literal["integer", "character"]
    max_length: Annotated[int, Field(ge=1)] | None = None
    min_samples_per_task: Annotated[int, Field(ge=1)]
    max_samples_per_task: Annotated[int, Field(ge=1)]
    compound_taskid_set: list[str]

    @model_validator(mode="after")
    def characters_have_a_length(self):
        assert self.type == "integer" or self.max_length
        return self


class SampleType(Strict):
    output_type_id_params: SampleParameters
    value: Value
    is_required: bool


class Types(Strict):
    quantile: QuantileType | None = None
    pmf: PmfType | None = None
    cdf: CdfType | None = None
    sample: SampleType | None = None


class Target(BaseModel):
    target_id: Annotated[str, Field(max_length=30)]
    target_name: Annotated[str, Field(max_length=100)]
    target_units: Annotated[str, Field(max_length=100)]
    target_keys: Annotated[dict[str, str], Field(min_length=1, max_length=1)] | None
    target_type: Literal["continuous", "discrete", "date", "binary", "nominal", "ordinal", "compositional"]
    description: str
    is_step_ahead: bool
    time_unit: Literal["day", "week", "month"]


class ModelTask(Strict):
    task_ids: dict[str, Ids]
    output_type: Types
    target_metadata: list[Target]

    @model_validator(mode="after")
    def keys_are_task_ids(self):
        for target in self.target_metadata:
            for key, value in (target.target_keys or {}).items():
                assert value in (self.task_ids[key].required or []) + (self.task_ids[key].optional or [])
        for ids in self.task_ids.values():
            known = (ids.required or []) + (ids.optional or [])
            assert known
            assert len(set(known)) == len(known)
        return self


class Due(Strict):
    relative_to: str
    start: int
    end: int


class Round(BaseModel):
    round_id_from_variable: bool
    round_id: str
    model_tasks: list[ModelTask]
    submissions_due: Due

    @model_validator(mode="after")
    def round_is_a_task_id(self):
        assert all(self.round_id in task.task_ids for task in self.model_tasks)
        return self


class Tasks(Strict):
    schema_version: Literal[f"{SCHEMA}/tasks-schema.json"]
    rounds: list[Round]
    output_type_id_datatype: Literal["auto", "character", "double", "integer", "logical", "Date"]
    derived_task_ids: list[str] | None


class Admin(Strict):
    schema_version: Literal[f"{SCHEMA}/admin-schema.json"]
    name: str
    maintainer: str
    contact: dict[str, str]
    repository: dict[Literal["host", "owner", "name"], str]
    file_format: list[Literal["csv", "parquet", "arrow"]]
    timezone: Annotated[str, Field(pattern=r"^[A-Z]\w+/\w+$")]


class Metadata(BaseModel):
    team_name: str
    team_abbr: Annotated[str, Field(pattern=r"^[a-zA-Z0-9_+]+$", max_length=16)]
    model_name: str
    model_abbr: Annotated[str, Field(pattern=r"^[a-zA-Z0-9_+]+$", max_length=16)]
    model_version: str
    model_contributors: list[dict[str, str]]
    license: Literal["apache-2.0", "cc-by-4.0", "gpl-3.0", "mit"]
    model_details: dict[str, str]


def written(folder, forecasts, panel, **settings):
    write_hub(folder, forecasts, panel, HubSettings("Test", "0.1", **settings), MODELS)
    return folder


@pytest.fixture(scope="module")
def hub(tmp_path_factory, forecast_of, panel_of):
    """A hub of two origins, of which three weeks of the first are known by now."""
    forecasts = [forecast_of(), forecast_of(origin="2026-07-11", seed=4)]
    return written(tmp_path_factory.mktemp("hub"), forecasts, panel_of(), types=OUTPUT_TYPES, draws=50)


def test_files_stand_where_hubs_have_them(hub):
    files = {path.relative_to(hub).as_posix() for path in hub.rglob("*") if path.is_file()}
    model = "escalation-direct_endemic"
    assert files == {
        "hub-config/tasks.json",
        "hub-config/admin.json",
        f"model-metadata/{model}.yml",
        f"model-output/{model}/2026-07-31-{model}.csv",
        f"model-output/{model}/2026-07-10-{model}.csv",
        "target-data/time-series.csv",
        "target-data/oracle-output.csv",
    }


def test_the_configuration_follows_the_schema(hub):
    tasks = Tasks.model_validate_json((hub / "hub-config" / "tasks.json").read_bytes())
    Admin.model_validate_json((hub / "hub-config" / "admin.json").read_bytes())
    (task,) = tasks.rounds[0].model_tasks
    # Of the ids that a derived one derives from, not all are in the set: so it must not be either.
    assert task.output_type.sample.output_type_id_params.compound_taskid_set == ["reference_date", "target", "location"]
    assert "runs from Saturday to Friday" in task.target_metadata[0].description


def test_the_metadata_is_yaml(hub):
    text = (hub / "model-metadata" / "escalation-direct_endemic.yml").read_text(encoding="utf-8")
    entries = dict(line.split(": ", 1) for line in text.splitlines())  # of JSON, which YAML 1.2 reads
    found = Metadata.model_validate({key: json.loads(value) for key, value in entries.items()})
    assert f"{found.team_abbr}-{found.model_abbr}" == "escalation-direct_endemic"
    assert (found.model_name, found.model_details["data_inputs"]) == ("A: direct", "invented counts")
    assert len(found.model_details["methods"]) <= 200 < len(found.model_details["methods_long"])


@pytest.mark.parametrize("day", ["2026-07-31", "2026-07-10"])
def test_the_output_is_what_the_tasks_ask_for(hub, day):
    model = "escalation-direct_endemic"
    rows = read_table(hub / "model-output" / model / f"{day}-{model}.csv").frame
    (task,) = Tasks.model_validate_json((hub / "hub-config" / "tasks.json").read_bytes()).rounds[0].model_tasks
    assert tuple(rows.columns) == COLUMNS
    assert set(rows["reference_date"]) == {day}
    for name, ids in task.task_ids.items():
        known = {str(value) for value in (ids.required or []) + (ids.optional or [])}
        assert set(rows[name]) <= known
        assert {str(value) for value in ids.required or []} <= set(rows[name])
    ends = pd.to_datetime(rows["target_end_date"])
    assert (ends.dt.day_name() == "Friday").all()
    assert ((ends - pd.Timestamp(day)).dt.days == 7 * rows["horizon"].astype(int)).all()
    cells = rows.groupby(["horizon", "location"])
    required = {
        "quantile": [f"{level:g}" for level in task.output_type.quantile.output_type_id.required],
        "pmf": task.output_type.pmf.output_type_id.required,
        "cdf": [f"{count:g}" for count in task.output_type.cdf.output_type_id.required],
        "sample": [str(number) for number in range(50)],
    }
    assert len(cells) == 24
    for _, cell in cells:
        values = {kind: part["value"].astype(float) for kind, part in cell.groupby("output_type")}
        assert {kind: part["output_type_id"].tolist() for kind, part in cell.groupby("output_type")} == required
        assert values["pmf"].sum() == pytest.approx(1, abs=1e-8)
        assert (values["quantile"].diff().dropna() >= 0).all()
        assert (values["cdf"].diff().dropna() >= 0).all()
        assert values["cdf"].between(0, 1).all()


def test_the_rows_are_those_of_the_forecast(forecast_of):
    forecast = forecast_of()
    rows = model_output(forecast, OUTPUT_TYPES, 50)
    samples = rows[rows["output_type"] == "sample"].assign(draw=lambda part: part["output_type_id"].astype(int))
    paths = samples.pivot_table("value", ["location", "horizon"], "draw")
    value = rows.set_index(["output_type", "location", "horizon", "output_type_id"])["value"].sort_index()
    for unit, name in enumerate(forecast.units.names):
        np.testing.assert_array_equal(paths.loc[name].to_numpy().T, forecast.paths[:50, :, unit])
        law = forecast.pmf[2, unit]
        assert value["pmf", name, 3, "4"] == pytest.approx(law[4])
        assert value["pmf", name, 3, "20+"] == pytest.approx(law[20:].sum())
        assert value["cdf", name, 3, "25"] == pytest.approx(law[:26].sum())
        assert value["quantile", name, 3, "0.5"] == forecast.quantile([0.5])[0, 2, unit]


def test_parquet_has_the_types_of_the_columns(tmp_path, forecast_of, panel_of):
    folder = written(tmp_path, [forecast_of()], panel_of(), file_format="parquet")
    (path,) = folder.rglob("*.parquet")
    types = {field.name: str(field.type) for field in pq.read_schema(path)}
    assert types == dict.fromkeys(COLUMNS, "string") | {
        "reference_date": "date32[day]",
        "target_end_date": "date32[day]",
        "horizon": "int32",
        "value": "double",
    }
    frame = read_table(path).frame.reset_index(drop=True)
    expected = model_output(forecast_of(), ("quantile", "sample"), 100)
    np.testing.assert_array_equal(frame["value"], expected["value"])
    assert frame["location"].tolist() == expected["location"].tolist()


def test_target_data(hub, panel_of):
    panel = panel_of()
    series = read_table(hub / "target-data" / "time-series.csv")
    assert list(series.frame.columns) == ["target_end_date", "target", "location", "observation"]
    assert len(series) == 3 * 60 - 1  # one week of one region is not known
    assert series.whole_numbers("observation").sum() == panel.counts.sum()
    oracle = read_table(hub / "target-data" / "oracle-output.csv").frame
    assert list(oracle.columns) == [
        *("target_end_date", "target", "location"),
        *("output_type", "output_type_id", "oracle_value"),
    ]
    assert set(oracle["target_end_date"]) == {"2026-07-17", "2026-07-24", "2026-07-31"}
    assert (oracle.loc[oracle["output_type"].isin(["quantile", "sample"]), "output_type_id"] == "").all()


def test_the_oracle(forecast_of, panel_of):
    panel, forecasts = panel_of(), [forecast_of(origin="2026-07-25")]
    rows = (
        oracle_output(panel, forecasts, ["quantile", "pmf", "cdf"])
        .set_index(["location", "output_type", "output_type_id"])["oracle_value"]
        .sort_index()
    )
    for unit, name in enumerate(panel.units.names):
        count = panel.counts[-1, unit]
        assert rows[name, "quantile"].tolist() == [count]
        pmf, cdf = rows[name, "pmf"], rows[name, "cdf"]
        assert (pmf.sum(), pmf[str(count)]) == (1, 1)
        assert [int(each) for each in cdf.index[cdf == 1]] == [int(each) for each in cdf.index if int(each) >= count]
    assert len(oracle_output(panel, [forecast_of()], ["pmf"])) == 0  # nothing of it is known yet


@pytest.mark.parametrize("types", [[], ["median"], ["pmf", "pmf"]])
def test_types_that_there_are_not(forecast_of, types):
    with pytest.raises(InputError, match="output types"):
        model_output(forecast_of(), types)


def test_more_draws_than_there_are(forecast_of):
    with pytest.raises(InputError, match="300 sample paths"):
        model_output(forecast_of(), draws=300)


def test_the_same_forecast_gives_the_same_bytes(tmp_path, forecast_of, panel_of):
    for name in ("a", "b"):
        written(tmp_path / name, [forecast_of()], panel_of())
    files = [
        {path.relative_to(tmp_path / name): path.read_bytes() for path in (tmp_path / name).rglob("*.*")}
        for name in ("a", "b")
    ]
    assert files[0] == files[1]


def test_names_as_hubs_allow_them():
    assert HubTeam().model_id("window-negbin-52-years") == "escalation-window_negbin_52"
    with pytest.raises(ValueError, match="abbreviation"):
        HubTeam(abbreviation="a-b")


def test_what_a_file_looks_like(hub):
    """The first rows as they stand, so that a change of format is seen."""
    model = "escalation-direct_endemic"
    text = (hub / "model-output" / model / f"2026-07-31-{model}.csv").read_text(encoding="utf-8")
    assert text.splitlines()[:3] == [
        "reference_date,target,horizon,location,target_end_date,output_type,output_type_id,value",
        "2026-07-31,weekly events,1,Mali/Gao,2026-08-07,quantile,0.01,0",
        "2026-07-31,weekly events,1,Mali/Gao,2026-08-07,quantile,0.025,0",
    ]
    assert "2026-07-31,weekly events,8,'=Niger/Diffa,2026-09-25,sample,49," in text
    task = json.loads((hub / "hub-config" / "tasks.json").read_text(encoding="utf-8"))["rounds"][0]["model_tasks"][0]
    assert task["task_ids"]["location"]["optional"] == ["Mali/Gao", "Mali/Mopti", "=Niger/Diffa"]
