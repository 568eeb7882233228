"""What to say of columns that a file lacks: that it is another source's file, or which columns could be meant."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from forecast.errors import nearest_names

MARKS: Mapping[str, frozenset[str]] = {
    "acled": frozenset({"event_id_cnty", "event_date", "event_type"}),
    "ucdp": frozenset({"date_start", "where_prec", "latitude", "longitude"}),
}
"""Columns by which the files of a source are known."""


def source_of(columns: Iterable[str]) -> str | None:
    """Return the source whose files have such columns; None for a table of another kind.

    Examples
    --------
    >>> source_of(["EVENT_ID_CNTY", "EVENT_DATE", "EVENT_TYPE", "ADMIN1"])
    'acled'
    """
    names = {column.strip().casefold().replace(" ", "_") for column in columns}
    return next((name for name, marks in MARKS.items() if marks <= names), None)


def other_source(columns: Iterable[str], source: str) -> str:
    """Return what to try with a file whose columns are those of another source; empty if they are not.

    Examples
    --------
    >>> other_source(["id", "Date_Start", "where_prec", "latitude", "longitude"], "acled")
    'these are columns of UCDP: `forecast ingest ucdp`'
    """
    found = source_of(columns)
    if found == source:
        return ""
    return f"these are columns of {found.upper()}: `forecast ingest {found}`" if found else ""


def offers(absent: Mapping[str, Sequence[str]], columns: Iterable[str], count: int = 1) -> dict[str, list[str]]:
    """Return for each absent column those that could be meant, each one only where it fits best.

    Parameters
    ----------
    absent : mapping of str to sequence of str
        What each of them could be called.
    columns : iterable of str
        That the file has and that are not known to be something else.
    count : int
        The most to offer for one.

    Returns
    -------
    dict
        Of the columns for which there is an offer.

    Examples
    --------
    >>> offers({"date": ["date"], "date_end": ["date_end"]}, ["dates", "place"])
    {'date': ['dates']}
    """
    known = [column for column in columns if column]
    near = [
        (rank, name, column)
        for name, texts in absent.items()
        for text in texts
        for rank, column in enumerate(nearest_names(text, known, count))
    ]
    offered: dict[str, list[str]] = {}
    taken = set()
    for _, name, column in sorted(near, key=lambda offer: offer[0]):
        if column not in taken and len(offered.get(name, ())) < count:
            offered.setdefault(name, []).append(column)
            taken.add(column)
    return offered
