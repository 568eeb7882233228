"""What a mapping file says: which column of a table is what, what its values mean, what to do with faults."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal, Self, get_args

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from forecast.config import parse, read_toml
from forecast.events.packed_file import existing_file
from forecast.events.record import DATE_PRECISIONS, PLACE_PRECISIONS

Role = Literal[
    "event_id", "date", "date_end", "date_precision", "latitude", "longitude", "place_precision", "country", "admin1",
    "admin2", "location", "event_type", "sub_event_type", "fatalities", "low", "high", "reported", "release",
]  # fmt: skip
"""What a column can be."""

PRECISIONS: dict[Role, tuple[str, ...]] = {"date_precision": DATE_PRECISIONS, "place_precision": PLACE_PRECISIONS}
"""Roles whose values are words of the canonical record."""

Rule = Literal["flag", "drop"]


class _Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class ColumnsSection(_Section):
    """Header of the column of each role; several columns together may make the event id.

    Parameters
    ----------
    event_id : str or tuple of str
        Unique within the source.
    date : str
        Day of the event, or the first one.
    date_end : str, optional
        Its last day.
    date_precision, place_precision : str, optional
        How exactly day and place are known, in the words of the canonical record; `values` translates others.
    latitude, longitude : str, optional
        In degrees.
    country, admin1, admin2, location : str, optional
        Names of the country, the first and second administrative unit, and the place.
    event_type, sub_event_type : str, optional
        Kind of event.
    fatalities : str, optional
        Deaths, best estimate.
    low, high : str, optional
        Range of the deaths.
    reported : str, optional
        First day on which the event was reported.
    release : str, optional
        Version of the table that the row comes from.
    """

    event_id: str | Annotated[tuple[str, ...], Field(min_length=1)]
    date: str
    date_end: str | None = None
    date_precision: str | None = None
    latitude: str | None = None
    longitude: str | None = None
    place_precision: str | None = None
    country: str | None = None
    admin1: str | None = None
    admin2: str | None = None
    location: str | None = None
    event_type: str | None = None
    sub_event_type: str | None = None
    fatalities: str | None = None
    low: str | None = None
    high: str | None = None
    reported: str | None = None
    release: str | None = None

    def headers(self) -> dict[Role, tuple[str, ...]]:
        """Return the headers of each role that has some."""
        given = ((role, getattr(self, role)) for role in get_args(Role))
        return {role: (value,) if isinstance(value, str) else value for role, value in given if value is not None}


class FaultsSection(_Section):
    """What to do with a row that has a fault, by kind: flag it (and leave the faulty value empty), or drop it.

    A row without event id or date is always dropped, as are a repeated event id and a row of too many or few values.

    Parameters
    ----------
    coordinates : {"flag", "drop"}
        Missing, unreadable or off the globe.
    date_end : {"flag", "drop"}
        Unreadable, or before the start.
    fatalities : {"flag", "drop"}
        Unreadable deaths or ends of their range.
    range : {"flag", "drop"}
        Low, best and high out of order.
    precision : {"flag", "drop"}
        Words for a precision that are not known.
    reported : {"flag", "drop"}
        Unreadable.
    """

    coordinates: Rule = "flag"
    date_end: Rule = "flag"
    fatalities: Rule = "flag"
    range: Rule = "flag"
    precision: Rule = "flag"
    reported: Rule = "flag"


class TableMapping(_Section):
    """How to read a table of events.

    Parameters
    ----------
    source : str
        Name of the source; event ids are unique within it.
    columns : ColumnsSection
    constants : dict of role to str
        Values that are the same for all rows.
    values : dict of role to dict of str
        What written values mean: ``{"date_precision": {"1": "day"}}``. Values that are not listed stay as they are.
    date_format : str, optional
        As of `datetime.strptime`; ISO 8601 days are read in any case.
    delimiter : str, optional
        Of CSV files; as the header shows it if it is not given.
    encoding, decimal : str
        Of CSV files, and of numbers that any file has as text.
    sheet : str, optional
        Of Excel files.
    faults : FaultsSection

    Examples
    --------
    >>> TableMapping(source="own", columns={"event_id": "nr", "date": "day"}).columns.headers()
    {'event_id': ('nr',), 'date': ('day',)}
    """

    source: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9._-]*$", max_length=60)]
    columns: ColumnsSection
    constants: dict[Role, str] = Field(default_factory=dict)
    values: dict[Role, dict[str, str]] = Field(default_factory=dict)
    date_format: str | None = None
    delimiter: Annotated[str, Field(pattern=r'^[^"\r\n]$')] | None = None
    encoding: str = "utf-8"
    decimal: Literal[".", ","] = "."
    sheet: str | None = None
    faults: FaultsSection = FaultsSection()

    @field_validator("encoding")
    @classmethod
    def _known_encoding(cls, value: str) -> str:
        try:
            "".encode(value)  # codecs.lookup also knows ciphers that are no encodings of text
        except LookupError:
            raise ValueError(f"{value!r} is no encoding; most files are utf-8, cp1252 or utf-16") from None
        return value

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        twice = sorted(set(self.constants) & set(self.columns.headers()))
        if twice:
            raise ValueError(f"{twice[0]} is both a column and a constant")
        given = {*self.constants, *self.columns.headers()}
        if ("latitude" in given) != ("longitude" in given):
            raise ValueError("latitude and longitude belong together")
        for role, known in PRECISIONS.items():
            meanings = list(self.values.get(role, {}).values())
            meanings += [self.constants[role]] if role in self.constants else []
            wrong = sorted(set(meanings) - set(known))
            if wrong:
                raise ValueError(f"{role} cannot be {wrong[0]!r}; it is one of {', '.join(known)}")
        return self


def read_mapping(path: Path) -> TableMapping:
    """Read a mapping from a TOML file.

    Raises
    ------
    InputError
        If it is missing, no TOML, or has unknown keys; the nearest known key is named.
    """
    return parse(TableMapping, read_toml(existing_file(path)), where=path.name)
