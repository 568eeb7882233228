"""A workspace for a file of events, counted by the regions that the file names."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import pandas as pd

from forecast.csv_text import csv_bytes
from forecast.jobs.new_workspace import table_workspace
from forecast.panel.event_table import EventTable, read_events
from forecast.workspace import Workspace


def events_workspace(
    target: Path,
    source: Workspace,
    file: Path,
    title: str | None = None,
    *,
    first: dt.date | None = None,
    last: dt.date | None = None,
    types: Sequence[str] = (),
) -> tuple[Workspace, EventTable]:
    """Make a workspace in a new folder, with the weekly counts of a file of events.

    Parameters
    ----------
    target : Path
        Must not exist, or be empty.
    source : Workspace
        Its models and reports are taken.
    file : Path
        An export of ACLED, a release of UCDP, or a table with columns that say what they are. The events themselves are
        not copied.
    title : str, optional
        The countries if not given.
    first, last : date, optional
        First and last day that the file covers; those of its first and last event if not given.
    types : sequence of str, optional
        Only events of these types.

    Returns
    -------
    Workspace, EventTable
        The workspace, and the events that were counted, with what was left out.

    Raises
    ------
    InputError
        If the folder is not empty, or for whatever is wrong in the file.
    """
    events = read_events(file).select(types=types)
    panel = events.panel(first=first, last=last)
    rows = panel.tidy().rename(columns={"unit": "region"})
    country = dict(zip(panel.units.names, panel.units.groups, strict=True))
    table = pd.DataFrame(
        {
            "week": rows["week"].dt.strftime("%Y-%m-%d"),
            "region": rows["region"],
            "country": rows["region"].map(country),
            "events": rows["events"],
        }
    )
    with TemporaryDirectory() as aside:
        path = Path(aside, "weekly-counts.csv")
        path.write_bytes(csv_bytes(table))
        made = table_workspace(target, source, path, title or ", ".join(dict.fromkeys(panel.units.groups)))
    return made, events
