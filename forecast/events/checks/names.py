"""Types and regions that nobody knows, and what is not given at all."""

from __future__ import annotations

import difflib

import pandas as pd

from forecast.events.checks.context import CheckContext, plain_region, plain_type
from forecast.events.checks.finding import Check, Finding, counted, finding

UNKNOWN_TYPE = Check(
    "unknown_type",
    "Event types that the source does not publish",
    "Event types that are not in the source's own list, and events without a type where others have one.",
    "warning",
    "A new or misspelt type: correct the column mapping, or tell us of the new type.",
)
UNKNOWN_REGION = Check(
    "unknown_region",
    "Regions that are not in the frame",
    "Names of first-level regions that the polygons of the country do not have: other spellings, or another frame.",
    "note",
    "Events are counted by their points, whatever the name; to compare with the source's own regions, give polygons of "
    "its frame.",
)
NOT_GIVEN = Check(
    "not_given",
    "Places that are not given",
    "Events without coordinates, region or country.",
    "note",
    "Ask the source for the coordinates: events without a point are counted in no region and around no place.",
)

WARN_SHARE = 0.05
"""Beyond this share of events without it, counts per region say less than they seem to."""
LIKE = 0.8
"""Similarity (Ratcliff and Obershelp) from which a name may be a misspelling: Nasarawa and Nassarawa have 0.94."""


def unknown_types(events: pd.DataFrame, context: CheckContext) -> list[Finding]:
    """Return what `UNKNOWN_TYPE` finds."""
    found = []
    for source, rows in events.groupby("source", sort=True):
        counts = rows["event_type"].value_counts()
        known = context.types.get(str(source))
        odd = {name: n for name, n in counts.items() if plain_type(str(name)) not in known} if known else {}
        if odd:
            total = sum(odd.values())
            message = f"{counted(total, 'event')} of {source} of {counted(len(odd), 'unknown type')}."
            examples = [f"{name!r} ({n:,})" for name, n in odd.items()]
            found.append(finding(UNKNOWN_TYPE, message, examples, count=len(odd)))
        missing = int(rows["event_type"].isna().sum())
        if 0 < missing < len(rows):
            found.append(
                finding(UNKNOWN_TYPE, f"{counted(missing, 'event')} of {source} without a type.", (), count=missing)
            )
    return found


def unknown_regions(events: pd.DataFrame, context: CheckContext) -> list[Finding]:
    """Return what `UNKNOWN_REGION` finds; countries without any outline are not checked."""
    outlines = context.outlines
    if outlines is None:
        return []
    frame: dict[str, dict[str, str]] = {}
    for region, its_country in zip(outlines.regions, outlines.countries, strict=True):
        frame.setdefault(its_country, {})[plain_region(region)] = region
    found = []
    for country, rows in events.groupby("country", sort=True):
        known = frame.get(str(country))
        if not known:
            continue
        counts = rows["admin1"].value_counts().sort_index()
        odd = {str(name): int(n) for name, n in counts.items() if plain_region(str(name)) not in known}
        if odd:
            message = (
                f"{counted(sum(odd.values()), 'event')} in {country} {'is' if sum(odd.values()) == 1 else 'are'} given "
                f"to {counted(len(odd), 'region')} that the polygons do not have."
            )
            examples = [f"{name!r} ({counted(n, 'event')}){_near(str(name), known)}" for name, n in odd.items()]
            found.append(finding(UNKNOWN_REGION, message, examples, count=len(odd), unit=str(country)))
    return found


def not_given(events: pd.DataFrame, context: CheckContext) -> list[Finding]:
    """Return what `NOT_GIVEN` finds, one finding for each of coordinates, region and country."""
    found = []
    for label, missing in (
        ("coordinates", events["latitude"].isna() | events["longitude"].isna()),
        ("a region", events["admin1"].isna()),
        ("a country", events["country"].isna()),
    ):
        count = int(missing.sum())
        if count:
            share = count / len(events)
            by_country = events.loc[missing, "country"].fillna("unknown country").value_counts()
            message = f"{counted(count, 'event')} ({share:.1%}) without {label}"
            named_ones = ", ".join(f"{country} {n:,}" for country, n in by_country.head(5).items())
            found.append(
                finding(
                    NOT_GIVEN,
                    message + (f": {named_ones}." if label != "a country" else "."),
                    (),
                    count=count,
                    severity="warning" if share > WARN_SHARE else "note",
                    share=share,
                )
            )
    return found


def _near(name: str, known: dict[str, str]) -> str:
    near = difflib.get_close_matches(plain_region(name), known, n=1, cutoff=LIKE)
    return f", perhaps {known[near[0]]}" if near else ""
