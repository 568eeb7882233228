"""The reporting triangle: how many events of each week were known after each delay."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from forecast.errors import InputError
from forecast.panel.panel import Panel
from forecast.panel.weeks import WEEK, WeekStart, week_start_of, week_starts_of

Counts = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class ReportingTriangle:
    """Events of each week as they were known after each delay.

    The delay of an event is the number of weeks from the week in which it happened to the week in which it became
    known: 0 when it is known as soon as its week is over. What becomes known after more than the largest delay is
    outside the triangle; the count at the largest delay is taken for final.

    Parameters
    ----------
    shown : ndarray of int64, shape (weeks, delays, columns)
        Events of the week that the record held after the delay; 0 where not seen.
    seen : ndarray of bool, shape (weeks, delays, columns)
        False where the delay lies after the origin (right truncation) or nobody kept a record.
    weeks : DatetimeIndex, shape (weeks,)
        First days of consecutive weeks.
    columns : tuple of str
        Units, or whatever has a record of its own.
    classes : tuple of str
        Class of each column: those of one class share one delay distribution.
    left_out : mapping of str to int
        Events that are not in the triangle, by reason; of all weeks, also after `since`.
    """

    shown: Counts
    seen: NDArray[np.bool_]
    weeks: pd.DatetimeIndex
    columns: tuple[str, ...]
    classes: tuple[str, ...]
    left_out: Mapping[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        shape = (len(self.weeks), self.shown.shape[1], len(self.columns))
        if self.shown.shape != shape or self.seen.shape != shape or len(self.classes) != shape[2]:
            raise InputError(
                f"a triangle of shape {self.shown.shape}, seen {self.seen.shape}",
                expected=f"weeks x delays x columns = {shape}, and a class for each column",
            )
        if 0 in shape or (self.shown < 0).any():
            raise InputError("the triangle is empty or has negative counts", expected="whole numbers >= 0")

    @property
    def max_delay(self) -> int:
        """The largest delay, weeks."""
        return int(self.shown.shape[1]) - 1

    def since(self, week: pd.Timestamp) -> ReportingTriangle:
        """Return the weeks from `week` on: delays change over the years, and the estimate is of those it is given.

        Raises
        ------
        InputError
            If there is none.
        """
        at = int(np.searchsorted(self.weeks.to_numpy(), week.to_numpy()))
        return replace(self, shown=self.shown[at:], seen=self.seen[at:], weeks=self.weeks[at:])

    def until(self, origin: pd.Timestamp) -> ReportingTriangle:
        """Return what the record had shown by the day before `origin`.

        Raises
        ------
        InputError
            If no week was over by then.
        """
        weeks = int(np.searchsorted(self.weeks.to_numpy(), (origin - WEEK).to_numpy(), side="right"))
        age = np.arange(weeks)[::-1] + max((origin - self.weeks[-1]).days // 7 - 1, 0)
        seen = self.seen[:weeks] & (np.arange(self.max_delay + 1) <= age[:, None])[..., None]
        return replace(self, shown=np.where(seen, self.shown[:weeks], 0), seen=seen, weeks=self.weeks[:weeks])

    def increments(self) -> NDArray[np.float64]:
        """Return how much the record grew at each delay, NaN where that was not seen.

        Returns
        -------
        ndarray of float64, shape (weeks, delays, columns)
            The reporting triangle as the literature draws it; negative where more events were deleted than added.
        """
        steps = np.diff(self.shown, axis=1, prepend=0).astype(np.float64)
        return np.where(self.seen & self.seen_before(), steps, np.nan)

    def seen_before(self) -> NDArray[np.bool_]:
        """Return whether the delay before was seen as well; True at delay 0."""
        return np.concatenate([np.ones_like(self.seen[:, :1]), self.seen[:, :-1]], axis=1)


def triangle_from_vintages(
    vintages: Mapping[pd.Timestamp, Panel], *, max_delay: int, classes: Mapping[str, str] | None = None
) -> ReportingTriangle:
    """Return the triangle of a sequence of panels, each as it was known at its origin.

    Parameters
    ----------
    vintages : mapping of origin to Panel
        The origin is the first day of the first week that was not over. Weeks without a vintage leave holes.
    max_delay : int
        Weeks after which a count is taken for final, at least 1.
    classes : mapping of unit to class, optional
        Each unit is a class of its own if not given.

    Returns
    -------
    ReportingTriangle
        A column for each unit of the last vintage.

    Raises
    ------
    InputError
        If there are fewer than two vintages, or a unit of the last one is missing from another or has no class.

    Examples
    --------
    >>> from forecast.panel.units import Units
    >>> weeks = pd.date_range("2026-01-03", periods=3, freq="7D", unit="s")
    >>> known = [[2], [3, 1], [3, 2, 4]]  # at each of three origins
    >>> vintages = {
    ...     weeks[at] + WEEK: Panel.of(np.array(counts)[:, None], weeks[: at + 1], Units.of(["Mali/Gao"]))
    ...     for at, counts in enumerate(known)
    ... }
    >>> triangle_from_vintages(vintages, max_delay=2).increments()[:, :, 0]
    array([[ 2.,  1.,  0.],
           [ 1.,  1., nan],
           [ 4., nan, nan]])
    """
    _check_delay(max_delay)
    origins = sorted(vintages)
    if len(origins) < 2:
        raise InputError(f"{len(origins)} vintages", expected="at least 2: a delay shows between vintages only")
    units = vintages[origins[-1]].units
    first = max(min(panel.weeks[0] for panel in vintages.values()), origins[0] - (max_delay + 1) * WEEK)
    weeks = pd.date_range(first, origins[-1] - WEEK, freq=WEEK, unit="s", name="week")
    shape = (len(weeks), max_delay + 1, len(units))
    shown, seen = np.zeros(shape, np.int64), np.zeros(shape, np.bool_)
    for origin in origins:
        panel = vintages[origin].until(origin)
        panel = panel if panel.units.names == units.names else panel.select(units.names)
        delay = (origin - panel.weeks).days.to_numpy() // 7 - 1
        row = (panel.weeks - first).days.to_numpy() // 7
        inside = (delay <= max_delay) & (row >= 0)
        shown[row[inside], delay[inside]] = panel.counts[inside]
        seen[row[inside], delay[inside]] = panel.observed[inside]
    return ReportingTriangle(shown, seen, weeks, units.names, _classes_of(units.names, classes))


def triangle_from_events(
    events: pd.DataFrame,
    *,
    origin: pd.Timestamp,
    max_delay: int,
    by: Sequence[str] = ("source",),
    classes: Mapping[str, str] | None = None,
    week_start: WeekStart = "saturday",
) -> ReportingTriangle:
    """Return the triangle of events that carry the day on which they were first reported.

    For a source without vintages, as UCDP: the delay runs from `date_end`, the day by which the event was over,
    to `reported`. A first report is not yet a row in a dataset, so that this is a lower bound of the delay.

    Parameters
    ----------
    events : DataFrame
        Canonical events (`forecast.events.record.COLUMNS`).
    origin : Timestamp
        First day of the first week that is not known; reports from then on are not used.
    max_delay : int
        Weeks, at least 1; events that became known later are left out.
    by : sequence of str, default ("source",)
        Columns of which each combination is a column of the triangle, joined by " / ".
    classes : mapping of column name to class, optional
        Each is a class of its own if not given.
    week_start : {"saturday", "sunday", "monday"}

    Returns
    -------
    ReportingTriangle
        `left_out` says how many events it does not hold, and why.

    Raises
    ------
    InputError
        If no event has a delay that can be used.

    Examples
    --------
    >>> from forecast.events.record import event_frame
    >>> ends = pd.to_datetime(["2026-01-03", "2026-01-05", "2026-01-13"])
    >>> reported = pd.to_datetime(["2026-01-04", "2026-01-11", "2026-01-16"])
    >>> events = event_frame({"source": "ucdp", "date_end": ends, "reported": reported, "date_precision": "day"})
    >>> triangle_from_events(events, origin=pd.Timestamp("2026-01-17"), max_delay=1).increments()[:, :, 0]
    array([[ 1.,  1.],
           [ 1., nan]])
    """
    _check_delay(max_delay)
    end = week_start_of(origin, week_start)
    happened, known = (week_starts_of(events[name], week_start) for name in ("date_end", "reported"))
    delay = ((known - happened).dt.days // 7).astype("float64").to_numpy()
    with np.errstate(invalid="ignore"):
        reasons = {
            "date not known to the week": ~events["date_precision"].isin(["day", "week"]).to_numpy(),
            "no date of a report": np.isnan(delay),
            "reported before it happened": delay < 0,
            f"reported after more than {max_delay} weeks": delay > max_delay,
            "reported after the origin": (known >= end).to_numpy(),
        }
    used, left_out = np.ones(len(events), np.bool_), Counter[str]()
    for reason, applies in reasons.items():
        if count := int((used & applies).sum()):
            left_out[reason] = count
        used &= ~applies
    if not used.any():
        raise InputError(
            "no event has a delay that can be used", expected="date_end and reported", hint=str(dict(left_out))
        )
    label = events[list(by)].astype("string").fillna("").agg(" / ".join, axis=1)[used]
    column, names = pd.factorize(label, sort=True)
    first = happened[used].min()
    weeks = pd.date_range(first, end - WEEK, freq=WEEK, unit="s", name="week")
    row = ((happened[used] - first).dt.days // 7).to_numpy()
    added = np.zeros((len(weeks), max_delay + 1, len(names)), np.int64)
    np.add.at(added, (row, delay[used].astype(np.int64), column), 1)
    age = np.arange(len(weeks))[::-1]
    seen = np.broadcast_to((np.arange(max_delay + 1) <= age[:, None])[..., None], added.shape)
    columns = tuple(str(name) for name in names)
    shown = np.where(seen, np.cumsum(added, axis=1), 0)
    return ReportingTriangle(shown, np.array(seen), weeks, columns, _classes_of(columns, classes), dict(left_out))


def _check_delay(max_delay: int) -> None:
    if max_delay < 1:
        raise InputError(f"max_delay {max_delay}", expected="at least 1 week")


def _classes_of(columns: tuple[str, ...], classes: Mapping[str, str] | None) -> tuple[str, ...]:
    if classes is None:
        return columns
    without = [name for name in columns if name not in classes]
    if without:
        raise InputError(f"{without[0]!r} has no class of reporting", expected="a class for each unit")
    return tuple(classes[name] for name in columns)
