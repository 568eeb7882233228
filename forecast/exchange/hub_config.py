"""What a forecast hub says of itself and of its models: tasks.json, admin.json and the metadata of a model."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import Annotated, Any, Literal

import pandas as pd
from pydantic import BaseModel, ConfigDict, Field

from forecast.evaluation.record import QUANTILE_LEVELS
from forecast.exchange.hub_rows import CDF_COUNTS, PMF_COUNTS, REST, TARGET, OutputType
from forecast.families.model import ModelSpec
from forecast.panel.weeks import start_name
from forecast.predictive.forecast import Forecast

SCHEMA = "https://raw.githubusercontent.com/hubverse-org/schemas/main/v5.0.1"
"""Of tasks.json and admin.json."""
Licence = Literal[
    "apache-2.0", "cc-by-4.0", "cc-by-nc-4.0", "cc-by-nc-nd-4.0", "cc-by-sa-4.0", "gpl-3.0", "lgpl-3.0", "mit"
]
_DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_ABBREVIATION = 16
_DAY = pd.Timedelta(days=1)


class HubTeam(BaseModel):
    """Who issues the forecasts, as the metadata of its models says.

    Parameters
    ----------
    abbreviation : str
        Letters, digits and underscores, at most 16; first part of the names of its models in the hub.
    name : str
    licence : str
        Of the forecasts; these are the ones that hubs know.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    abbreviation: Annotated[str, Field(pattern=r"^[a-zA-Z0-9_]{1,16}$")] = "escalation"
    name: Annotated[str, Field(min_length=1, max_length=100)] = "escalation-forecast"
    licence: Licence = "cc-by-4.0"

    def model_id(self, model: str) -> str:
        """Return what a model is called in the hub: team and model, as far as hubs allow its letters.

        Examples
        --------
        >>> HubTeam().model_id("direct-endemic")
        'escalation-direct_endemic'
        """
        return f"{self.abbreviation}-{model_abbreviation(model)}"


def model_abbreviation(model: str) -> str:
    """Return the name of a model in the letters that hubs allow, at most 16 of them."""
    return re.sub(r"[^a-zA-Z0-9_]", "_", model)[:_ABBREVIATION]


def tasks(forecasts: Sequence[Forecast], types: Sequence[OutputType], draws: int) -> dict[str, Any]:
    """Return tasks.json of a hub for these forecasts and others like them.

    A round is a reference date. Samples must be joint over the weeks ahead: `compound_taskid_set` has no horizon.

    Parameters
    ----------
    forecasts : sequence of Forecast
        With the same weekday of weeks.
    types : sequence of {"quantile", "pmf", "cdf", "sample"}
    draws : int
        Sample paths.
    """
    known = sorted({f"{each.weeks[0] - _DAY:%Y-%m-%d}" for each in forecasts})
    ends = sorted({f"{week + 6 * _DAY:%Y-%m-%d}" for each in forecasts for week in each.weeks})
    locations = list(dict.fromkeys(name for each in forecasts for name in each.units.names))
    horizon = max(each.horizon for each in forecasts)
    ids = {
        "reference_date": {"required": None, "optional": known},
        "target": {"required": [TARGET], "optional": None},
        "horizon": {"required": list(range(1, horizon + 1)), "optional": None},
        "location": {"required": None, "optional": locations},
        "target_end_date": {"required": None, "optional": ends},
    }
    return {
        "schema_version": f"{SCHEMA}/tasks-schema.json",
        "rounds": [
            {
                "round_id_from_variable": True,
                "round_id": "reference_date",
                "model_tasks": [
                    {
                        "task_ids": ids,
                        "output_type": {kind: _output_type(kind, draws) for kind in types},
                        "target_metadata": [_target(forecasts[0])],
                    }
                ],
                "submissions_due": {"relative_to": "reference_date", "start": 0, "end": 7},
            }
        ],
        "output_type_id_datatype": "character",
        "derived_task_ids": ["target_end_date"],
    }


def admin(title: str, team: HubTeam, file_format: str) -> dict[str, Any]:
    """Return admin.json of a hub; its owner fills in where it is kept and who answers for it."""
    return {
        "schema_version": f"{SCHEMA}/admin-schema.json",
        "name": title,
        "maintainer": team.name,
        "contact": {"name": team.name},
        "repository": {},
        "file_format": [file_format],
        "timezone": "Africa/Abidjan",  # that is UTC, which the schema does not list
    }


def model_metadata(model: ModelSpec, *, source: str, version: str, team: HubTeam) -> str:
    """Return the metadata of a model as YAML, each value in the form of JSON, which YAML reads.

    Examples
    --------
    >>> zero = ModelSpec(name="zero", family="zero", title="Zero", method="No event.")
    >>> model_metadata(zero, source="UCDP", version="1", team=HubTeam()).splitlines()[3]
    'model_abbr: "zero"'
    """
    method = model.method
    short = method if len(method) <= 200 else f"{method[:197].rsplit(' ', 1)[0]}..."
    entries = {
        "team_name": team.name,
        "team_abbr": team.abbreviation,
        "model_name": model.title,
        "model_abbr": model_abbreviation(model.name),
        "model_version": version,
        "model_contributors": [{"name": team.name}],
        "license": team.licence,
        "designated_model": True,
        "model_details": {"data_inputs": source, "methods": short, "methods_long": method},
    }
    return "".join(f"{key}: {json.dumps(value, ensure_ascii=False)}\n" for key, value in entries.items())


def weeks_end(forecast: Forecast) -> str:
    """Return the name of the day on which the weeks of a forecast end."""
    return _DAYS[(_DAYS.index(start_name(forecast.weeks)) - 1) % 7]


def _output_type(kind: OutputType, draws: int) -> dict[str, Any]:
    share = {"type": "double", "minimum": 0, "maximum": 1}
    count = {"type": "double", "minimum": 0}
    if kind == "sample":
        number = {"min_samples_per_task": draws, "max_samples_per_task": draws}
        joint = ["reference_date", "target", "location"]
        params = {"type": "integer", **number, "compound_taskid_set": joint}
        return {"output_type_id_params": params, "value": count, "is_required": False}
    ids: dict[str, list[Any]] = {
        "quantile": [*QUANTILE_LEVELS],
        "pmf": [*map(str, PMF_COUNTS), REST],
        "cdf": [*CDF_COUNTS],
    }
    value = count if kind == "quantile" else share
    return {"output_type_id": {"required": ids[kind]}, "value": value, "is_required": False}


def _target(forecast: Forecast) -> dict[str, Any]:
    first, last = start_name(forecast.weeks), weeks_end(forecast)
    return {
        "target_id": TARGET,
        "target_name": "Events of political violence in a week",
        "target_units": "count",
        "target_keys": {"target": TARGET},
        "description": (
            f"Number of events in a week that runs from {first} to {last}. target_end_date is that {last}; "
            f"reference_date is the {last} on which the last known week ends, and horizon 1 is the week after it."
        ),
        "target_type": "discrete",
        "is_step_ahead": True,
        "time_unit": "week",
    }
