"""The schema of the canonical event table: what every importer must deliver before the store takes it."""

from __future__ import annotations

import pandas as pd
import pandera.pandas as pa
from pandera.errors import SchemaErrors

from forecast.errors import InputError
from forecast.events.record import COLUMNS, DATE_PRECISIONS, PLACE_PRECISIONS

REQUIRED = ("event_id", "source", "treatment", "flags")
"""Columns without gaps."""
_CHECKS: dict[str, pa.Check] = {
    "date_precision": pa.Check.isin(DATE_PRECISIONS),
    "place_precision": pa.Check.isin(PLACE_PRECISIONS),
    "treatment": pa.Check.isin(("kept", "spread", "flagged")),
    "latitude": pa.Check.in_range(-90, 90),
    "longitude": pa.Check.in_range(-180, 180),
    "fatalities": pa.Check.ge(0),
    "fatalities_low": pa.Check.ge(0),
    "fatalities_high": pa.Check.ge(0),
}
SCHEMA = pa.DataFrameSchema(
    {
        # Texts come in several pandas types, all of which the store writes alike.
        name: pa.Column(None if kind == "string" else kind, _CHECKS.get(name), nullable=name not in REQUIRED)
        for name, kind in COLUMNS.items()
    },
    strict=True,
    ordered=True,
)


def check_events(events: pd.DataFrame, *, where: str) -> None:
    """Refuse rows that no importer should deliver.

    Parameters
    ----------
    events : DataFrame
        Canonical (`forecast.events.record.event_frame`).
    where : str
        Their source, for the message.

    Raises
    ------
    InputError
        For a column that is missing or of another type, a gap where there must be none, and a value that is out of
        range; with the first value of the first fault.

    Examples
    --------
    >>> from forecast.events.record import event_frame
    >>> check_events(event_frame({"event_id": ["1"], "source": ["own"], "latitude": [14.5]}), where="own")
    >>> check_events(event_frame({"event_id": ["1"], "source": ["own"], "latitude": [145.0]}), where="own")
    Traceback (most recent call last):
        ...
    forecast.errors.InputError: column 'latitude' of event '1' is 145.0
      where: own
      expected: in_range(-90, 90)
    """
    try:
        SCHEMA.validate(events, lazy=True)
    except SchemaErrors as error:
        first = error.failure_cases.iloc[0]
        row, case = first["index"], first["failure_case"]
        known = pd.notna(row) and "event_id" in events
        event = f" of event {events['event_id'].loc[int(row)]!r}" if known else ""
        raise InputError(
            f"column {str(first['column'])!r}{event} is {case}", where=where, expected=str(first["check"])
        ) from None
