"""HXL tags of a table of events as a mapping: which column is what (https://hxlstandard.org/dictionary/)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

TAGS: Mapping[str, tuple[str, ...]] = {
    "event_id": ("#event+id", "#event+code", "#id+event", "#meta+id", "#id"),
    "date": ("#date+start", "#date+occurred", "#event+date", "#date"),
    "date_end": ("#date+end",),
    "date_precision": ("#date+precision",),
    "latitude": ("#geo+lat",),
    "longitude": ("#geo+lon",),
    "place_precision": ("#geo+precision",),
    "country": ("#country+name", "#country"),
    "admin1": ("#adm1+name", "#adm1"),
    "admin2": ("#adm2+name", "#adm2"),
    "location": ("#loc+name", "#loc"),
    "event_type": ("#event+type", "#event"),
    "sub_event_type": ("#event+type+sub", "#event+subtype"),
    "fatalities": ("#affected+killed+best", "#affected+killed+total", "#affected+killed", "#affected+dead"),
    "low": ("#affected+killed+low", "#affected+killed+min"),
    "high": ("#affected+killed+high", "#affected+killed+max"),
    "reported": ("#date+reported", "#date+first_reported"),
}
"""For each role its tags, the most telling first; attributes in any order."""

ID_HEADERS = ("event_id", "event_id_cnty", "id")
"""Headers that are taken for the event id where no tag says which column it is: exports of the Humanitarian Data
Exchange leave the id untagged."""


def columns_from_tags(columns: Sequence[str], tags: Sequence[str]) -> dict[str, str]:
    """Return role to column, as the tags say it; roles without a tag are left out.

    A tag fits a role if it is one of `TAGS` exactly, up to the order of the attributes, case and space; attributes
    of languages (``+en``, ``+fr``, ``+i_en``) are passed over. Of several columns the first one is taken.

    Parameters
    ----------
    columns : sequence of str
        Headers.
    tags : sequence of str
        The tag of each, empty for none.

    Returns
    -------
    dict

    Examples
    --------
    >>> columns_from_tags(["id", "day", "x"], ["", "#date +start", "#geo+lon"])
    {'event_id': 'id', 'date': 'day', 'longitude': 'x'}
    """
    column_of: dict[frozenset[str], str] = {}
    for column, tag in zip(columns, tags, strict=True):
        if tag and column:
            column_of.setdefault(_parts(tag), column)
    found = {}
    for role, known in TAGS.items():
        match = next((column_of[_parts(tag)] for tag in known if _parts(tag) in column_of), None)
        if match is None and role == "event_id":
            match = next((header for header in ID_HEADERS if header in columns), None)
        if match is not None:
            found[role] = match
    return found


def _parts(tag: str) -> frozenset[str]:
    """Return the tag and its attributes; the tag keeps its sign, so that it differs from an attribute."""
    parts = [part.strip() for part in tag.casefold().split("+")]
    return frozenset(part for part in parts if not part.startswith("i_") and part not in {"en", "fr", "ar", "pt", "es"})
