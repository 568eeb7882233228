"""Numbers, days and names as a reader wants them: whole percents, no false precision."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

import pandas as pd

from forecast.language import date, decimal, said, say, say_count, spoken
from forecast.panel.panel import Panel
from forecast.panel.units import Units
from forecast.plots import figures

number, percent = figures.number, figures.percent
percent_sign, whole_percent = figures.percent_sign, figures.whole_percent

SPACE, MINUS, DASH, UNKNOWN = figures.SPACE, figures.MINUS, figures.DASH, figures.UNKNOWN


def frequency(share: float) -> str:
    """Return how often something was so; unlike a probability, never and always are facts here.

    Examples
    --------
    >>> [frequency(x).replace(SPACE, " ") for x in (0.0, 0.004, 1.0)]
    ['0 %', '<1 %', '100 %']
    """
    return percent_sign(f"{100 * share:.0f}") if share in {0.0, 1.0} else percent(share)


def points(change: float) -> str:
    """Return a change of probability in whole percentage points, with its sign.

    Examples
    --------
    >>> [points(x) for x in (0.06, -0.031, 0.002, float("nan"))]
    ['+6', '−3', '±0', '—']
    """
    if math.isnan(change):
        return UNKNOWN
    rounded = whole_percent(change)
    if rounded == 0:
        return "±0"
    return f"+{rounded}" if rounded > 0 else f"{MINUS}{-rounded}"


def expected(mean: float) -> str:
    """Return an expected count: one decimal below ten, none above.

    Examples
    --------
    >>> [expected(x) for x in (0.02, 0.44, 9.96, 31.7)]
    ['<0.1', '0.4', '10', '32']
    """
    if mean < 0.1:
        return say("<0.1")
    return decimal(mean, 1) if round(mean, 1) < 10 else f"{mean:.0f}"


def expected_events(mean: float) -> str:
    """Return an expected count with its noun.

    Examples
    --------
    >>> [expected_events(x) for x in (0.02, 1.0, 7.9)]
    ['almost no events', '1.0 event', '7.9 events']
    """
    if mean < 0.1:
        return say("almost no events")
    told = expected(mean)
    # English counts 1.0 as one and 1.9 as several; French whatever is below two as one.
    whole = 1 if round(mean, 1) == 1.0 or (spoken() == "fr" and round(mean, 1) < 2) else 2
    return say_count("{count} event", "{count} events", whole, count=told)


def span(low: float, high: float) -> str:
    """Return a range of counts.

    Examples
    --------
    >>> span(2, 7), span(0, 0)
    ('2–7', '0')
    """
    return f"{low:.0f}" if low == high else f"{low:.0f}{DASH}{high:.0f}"


def central(level: float, low: float, high: float) -> str:
    """Return a central range with its level.

    Examples
    --------
    >>> central(0.8, 2, 7).replace(SPACE, " ")
    '80 % range 2–7'
    """
    return say("{level} range {span}", level=percent(level), span=span(low, high))


def events(count: float) -> str:
    """Return a number of events with its noun.

    Examples
    --------
    >>> events(1), events(3)
    ('1 event', '3 events')
    """
    return say_count("{count} event", "{count} events", int(count), count=number(count))


def holds(panel: Panel) -> str:
    """Return what a panel holds: weeks, units and events.

    Examples
    --------
    >>> import numpy as np
    >>> from forecast.panel.weeks import week_range
    >>> weeks = week_range(pd.Timestamp("2026-01-03"), pd.Timestamp("2026-01-10"))
    >>> holds(Panel.of(np.array([[1, 0], [2, 0]]), weeks, Units.of(["Gao", "Mopti"])))
    '2 weeks from 2026-01-03 to 2026-01-16, 2 regions (1 without any event), 3 events'
    """
    unknown = int((~panel.observed).all(axis=1).sum())
    silent = int((~panel.counts.any(axis=0)).sum())
    values: dict[str, object] = {
        "weeks": say_count("{count} week", "{count} weeks", len(panel.weeks), count=number(len(panel.weeks))),
        "unknown": number(unknown),
        "first": f"{panel.weeks[0]:%Y-%m-%d}",
        "last": f"{panel.known_until:%Y-%m-%d}",
        "units": units_told(len(panel.units), panel.units.kind),
        "silent": number(silent),
        "events": events(float(panel.counts.sum())),
    }
    if unknown:
        return say(
            "{weeks} ({unknown} of them unknown) from {first} to {last}, {units} ({silent} without "
            "any event), {events}",
            **values,
        )
    return say("{weeks} from {first} to {last}, {units} ({silent} without any event), {events}", **values)


def units_told(count: int, kind: str) -> str:
    """Return a number of regions or places with its noun.

    Examples
    --------
    >>> units_told(1, "region"), units_told(3, "place")
    ('1 region', '3 places')
    """
    if kind == "region":
        return say_count("{count} region", "{count} regions", count, count=number(count))
    return say_count("{count} place", "{count} places", count, count=number(count))


def bare(figures: str) -> str:
    """Return figures without the percent sign behind them.

    Examples
    --------
    >>> bare(percent(0.3))
    '30'
    """
    return figures.rstrip("%").rstrip()


def signed_decimal(value: float, digits: int) -> str:
    """Return a number with its sign and so many decimals; zero without a sign.

    Examples
    --------
    >>> [signed_decimal(x, 1) for x in (4.12, -0.03, -2.0)]
    ['+4.1', '0.0', '−2.0']
    """
    told = decimal(value, digits)
    if not told.strip("-0.,"):
        return told.removeprefix("-")
    return told.replace("-", MINUS) if value < 0 else f"+{told}"


def day(stamp: pd.Timestamp, *, weekday: bool = False) -> str:
    """Return a day in words, in the language spoken and the same on every machine.

    Examples
    --------
    >>> day(pd.Timestamp("2026-08-01"), weekday=True)
    'Saturday 1 August 2026'
    """
    return date(stamp, weekday=weekday)


def day_span(first: pd.Timestamp, last: pd.Timestamp) -> str:
    """Return from when to when.

    Examples
    --------
    >>> day_span(pd.Timestamp("2026-08-01"), pd.Timestamp("2026-08-28"))
    '1 August 2026 to 28 August 2026'
    """
    return say("{first} to {last}", first=day(first), last=day(last))


def listing(items: Sequence[str]) -> str:
    """Return items as one enumeration.

    Examples
    --------
    >>> listing(["Gao", "Mopti", "Tillabéri"])
    'Gao, Mopti and Tillabéri'
    """
    told = [str(said(item)) for item in items]
    return told[0] if len(told) == 1 else say("{items} and {last}", items=", ".join(told[:-1]), last=told[-1])


def apart(items: Iterable[str]) -> str:
    """Return items that hold commas of their own, semicolons between them.

    Examples
    --------
    >>> apart(["Gao, Mali", "Diffa, Niger"])
    'Gao, Mali; Diffa, Niger'
    """
    return say("; ").join(str(said(item)) for item in items)


def titles(units: Units) -> dict[str, str]:
    """Return what each unit is called in running text.

    Examples
    --------
    >>> titles(Units.of(["Mali/Gao"], groups=["Mali"]))
    {'Mali/Gao': 'Gao (Mali)'}
    >>> titles(Units.of(["Bamako 100 km"], kind="place", radius_km=[100]))
    {'Bamako 100 km': 'Bamako and 100 km around'}
    """
    called: dict[str, str] = {}
    for name, group, radius in zip(units.names, units.groups, units.radius_km, strict=True):
        if group and name.startswith(f"{group}/"):
            called[name] = f"{name.removeprefix(f'{group}/')} ({group})"
        elif name.endswith(f" {radius:g} km"):
            called[name] = say(
                "{town} and {radius} km around", town=name.removesuffix(f" {radius:g} km"), radius=f"{radius:g}"
            )
        else:
            called[name] = name
    return called


def short_title(name: str, group: str = "") -> str:
    """Return the shortest clear name of a unit, for labels on a map.

    Examples
    --------
    >>> short_title("Mali/Gao", "Mali"), short_title("Bamako 100 km")
    ('Gao', 'Bamako 100 km')
    """
    return name.removeprefix(f"{group}/") if group else name
