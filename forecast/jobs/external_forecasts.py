"""Forecasts of regions made elsewhere that are members of the workspace's combination."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import cast

import pandas as pd

from forecast.combination.settings import ExternalMember
from forecast.confined import path_below
from forecast.errors import InputError
from forecast.evaluation.external_members import ExternalForecast
from forecast.exchange.hub_cells import SEPARATE
from forecast.exchange.hub_import import read_model_output
from forecast.language import say, say_count
from forecast.panel.panel import Panel
from forecast.panel.weeks import WeekStart, start_name
from forecast.provenance import generator, hash_file
from forecast.workspace import CONFIG_NAME, Workspace

MOST_FAULTS = 3
"""Files that are named one by one in the warnings of a run."""
_DATED = re.compile(r"(\d{4}-\d{2}-\d{2})-.+\.(csv|parquet)")


@dataclass(frozen=True)
class ExternalForecasts:
    """What was forecast elsewhere.

    Parameters
    ----------
    by_name : mapping of name to mapping of origin to ExternalForecast
        Of each external member of the combination; empty where it has no file.
    hashes : mapping of path to sha256
        Of every file that was read; paths below the workspace.
    faults : tuple of str
        Files that could not be read, and why; it is as if they were not there.
    """

    by_name: Mapping[str, Mapping[pd.Timestamp, ExternalForecast]] = field(default_factory=dict)
    hashes: Mapping[str, str] = field(default_factory=dict)
    faults: tuple[str, ...] = ()

    def at(self, origin: pd.Timestamp) -> dict[str, ExternalForecast | None]:
        """Return the forecast of each member from an origin, None where there is none."""
        return {name: found.get(origin) for name, found in self.by_name.items()}

    def notes(self, origin: pd.Timestamp, origins: Iterable[pd.Timestamp]) -> tuple[list[str], list[str]]:
        """Return warnings of members that are absent at an origin, and what is to be said of all.

        Parameters
        ----------
        origin : Timestamp
        origins : iterable of Timestamp
            Those of the track record.
        """
        past = list(origins)
        absent = [name for name, found in self.at(origin).items() if found is None]
        known = origin - pd.Timedelta(days=1)
        warnings: list[str] = [
            say(
                "external member {name!r} has no forecast with reference date {known}: its weight goes to the other "
                "members in equal parts",
                name=name,
                known=f"{known:%Y-%m-%d}",
            )
            for name in absent
        ]
        warnings += list(self.faults[:MOST_FAULTS])
        if len(self.faults) > MOST_FAULTS:
            more = len(self.faults) - MOST_FAULTS
            warnings.append(
                say_count(
                    "{more} more file of external members could not be read",
                    "{more} more files of external members could not be read",
                    more,
                    more=more,
                )
            )
        notes: list[str] = [
            say(
                "The external member {name!r} has forecasts from {there} of the {past} past origins; the weights of "
                "the members are learned from these alone.",
                name=name,
                there=sum(day in found for day in past),
                past=len(past),
            )
            for name, found in self.by_name.items()
        ]
        return warnings, notes


def external_forecasts(workspace: Workspace, panel: Panel) -> ExternalForecasts:
    """Read the external members of the combination, as far as they were made by the end of a panel.

    A file is of the origin that follows its reference date; of later ones nothing is read. One that is faulty counts
    as absent. Locations that are no regions of the panel are passed over.

    Parameters
    ----------
    workspace : Workspace
    panel : Panel
        Of regions, cut at the origin.

    Raises
    ------
    InputError
        If a folder is missing, leads out of the workspace or has no file of model output, or two files have one date.
    """
    by_name: dict[str, dict[pd.Timestamp, ExternalForecast]] = {}
    hashes: dict[str, str] = {}
    faults: list[str] = []
    week_start = cast("WeekStart", start_name(panel.weeks).lower())
    for name, member in workspace.external_members().items():
        by_name[name] = {}
        for day, path in _files(workspace.root, name, member).items():
            origin = pd.Timestamp(day) + pd.Timedelta(days=1)
            if not panel.weeks[0] < origin <= panel.origin:
                continue
            rng = generator(workspace.spec.backtest.seed, "external", name, f"{day}")
            hashes[path.relative_to(workspace.root).as_posix()] = hash_file(path)
            try:
                found = read_model_output(
                    path, panel.units, rng, draws=1, target=member.target, week_start=week_start, any_location=True
                )
            except InputError as error:
                faults.append(f"external member {name!r}: {path.name} is not taken: {error.what} ({error.where})")
                continue
            by_name[name][found.origin] = ExternalForecast(found.named(name), SEPARATE not in found.remarks)
    return ExternalForecasts(by_name, hashes, tuple(faults))


def _files(root: Path, name: str, member: ExternalMember) -> dict[dt.date, Path]:
    """Return the files of model output by their dates, in order."""
    where = f"{CONFIG_NAME} [external.{name}] path"
    folder = path_below(root, member.path, where=where)
    if not folder.is_dir():
        raise InputError(f"no folder {member.path!r}", where=where, expected="a folder of model output of a hub")
    found: dict[dt.date, Path] = {}
    for path in sorted(folder.iterdir()):
        if not (dated := _DATED.fullmatch(path.name)):
            continue
        day = dt.date.fromisoformat(dated[1])
        if day in found:
            raise InputError(f"{found[day].name} and {path.name} have one date", where=where, expected="one model")
        found[day] = path
    if not found:
        raise InputError(
            f"no model output in {member.path!r}", where=where, expected="files such as 2026-07-31-team-model.csv"
        )
    return found
