"""Times of events in a window of observation, checked once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from forecast.errors import InputError

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class History:
    """Events of one or several nodes in a window of time; made by `History.of`.

    Parameters
    ----------
    times : array, shape (events,)
        In any unit (days, weeks), ascending, within ``[start, end]``.
    nodes : array of int, shape (events,)
        Which node each event belongs to, from 0.
    marks : array, shape (events,)
        Size of each event (fatalities), 0 or more; zeros if there are none.
    start, end : float
        The window: events outside of it would not have been seen.
    names : tuple of str
        Names of the nodes.
    remarks : tuple of str
        What was odd about the input and what was done about it.
    """

    times: Floats
    nodes: Integers
    marks: Floats
    start: float
    end: float
    names: tuple[str, ...]
    remarks: tuple[str, ...] = ()

    @classmethod
    def of(
        cls,
        times: ArrayLike,
        *,
        end: float,
        start: float = 0.0,
        nodes: ArrayLike | None = None,
        marks: ArrayLike | None = None,
        names: Sequence[str] | None = None,
    ) -> History:
        """Return checked events, in order of time.

        Parameters
        ----------
        times : array, shape (events,)
            Times that are not ascending are sorted, with what belongs to them, and remarked on. Tied times stay tied:
            events at the same time do not excite each other, as the rate at an event is that just before it.
        end : float
            End of the window, which is known: the last event is not it.
        start : float, default 0
        nodes : array of int, shape (events,), optional
            From 0; without it all events belong to one node.
        marks : array, shape (events,), optional
        names : sequence of str, optional
            Of the nodes; needed if some node has no event.

        Raises
        ------
        InputError
            If a time is no number, missing, infinite or outside the window, there is no event, the window is empty, or
            nodes or marks do not fit.

        Examples
        --------
        >>> history = History.of([3.0, 1.0, 1.0], end=10.0)
        >>> history.times
        array([1., 1., 3.])
        >>> print("; ".join(history.remarks))
        times were not ascending and have been sorted; 1 of 3 events has the time of another: they do not excite it
        """
        t = numbers(times)
        _check_times(t, start, end)
        node = _checked_nodes(nodes, len(t))
        labels = tuple(names) if names is not None else tuple(str(k) for k in range(int(node.max()) + 1))
        if node.max() >= len(labels):
            raise InputError(f"node {int(node.max())}", where="nodes", expected=f"0 to {len(labels) - 1}, as named")
        mark = _checked_marks(marks, len(t))
        remarks = []
        steps = np.diff(t)
        if len(steps) and steps.min() < 0:
            order = np.argsort(t, kind="stable")
            t, node, mark = t[order], node[order], mark[order]
            steps = np.diff(t)
            remarks.append("times were not ascending and have been sorted")
        tied = int(np.count_nonzero(steps == 0.0))
        if tied:
            remarks.append(
                f"{tied} of {len(t)} events {'has' if tied == 1 else 'have'} the time of another: "
                f"they do not excite {'it' if tied == 1 else 'each other'}"
            )
        return cls(t, node, mark, float(start), float(end), labels, tuple(remarks))

    @property
    def duration(self) -> float:
        """Length of the window."""
        return self.end - self.start

    def of_node(self, node: int) -> Floats:
        """Return the times of one node's events."""
        return self.times if len(self.names) == 1 else self.times[self.nodes == node]

    def until(self, end: float) -> History:
        """Return what was known at `end`: the events before it."""
        if not self.start < end <= self.end:
            raise InputError(f"end {end:g}", expected=f"within the window, {self.start:g} to {self.end:g}")
        kept = slice(0, int(np.searchsorted(self.times, end, side="left")))
        return History(self.times[kept], self.nodes[kept], self.marks[kept], self.start, end, self.names, self.remarks)


def numbers(times: ArrayLike) -> Floats:
    """Return times as floats.

    Raises
    ------
    InputError
        If they are dates or texts: what their unit is, and when the window begins, is for the caller to say.

    Examples
    --------
    >>> numbers(np.array(["2020-01-01", "2020-01-03"], dtype="datetime64[D]"))
    Traceback (most recent call last):
    ...
    forecast.errors.InputError: times are dates
      where: times
      expected: numbers, such as days since the start of the window
      try: (dates - first_day) / np.timedelta64(1, "D")
    """
    given: NDArray[Any] = np.asarray(times)
    if given.dtype.kind in "mM" or (given.dtype == object and any(hasattr(one, "year") for one in given.ravel()[:1])):
        raise InputError(
            "times are dates",
            where="times",
            expected="numbers, such as days since the start of the window",
            hint='(dates - first_day) / np.timedelta64(1, "D")',
        )
    try:
        return np.ascontiguousarray(given, dtype=np.float64)
    except (TypeError, ValueError):
        raise InputError("times are no numbers", where="times", expected="numbers, such as days") from None


def _check_times(times: Floats, start: float, end: float) -> None:
    if times.ndim != 1:
        raise InputError(f"times of shape {times.shape}", where="times", expected="one dimension")
    if not len(times):
        raise InputError("no event", where="times", expected="at least one")
    if not (np.isfinite(start) and np.isfinite(end) and start < end):
        raise InputError(f"a window from {start:g} to {end:g}", where="start, end", expected="start before end")
    low, high = float(times.min()), float(times.max())  # NaN if any time is
    if not (np.isfinite(low) and np.isfinite(high)):
        at = int(np.flatnonzero(~np.isfinite(times))[0])
        raise InputError(f"time {times[at]}", where=f"event {at}", expected="a finite number")
    if low < start or high > end:
        outside = np.flatnonzero((times < start) | (times > end))
        raise InputError(
            f"{len(outside)} events outside the window, the first at {times[outside[0]]:g}",
            where=f"event {outside[0]}",
            expected=f"times from {start:g} to {end:g}",
            hint="leave them out, or widen the window if all of it was observed",
        )


def _checked_nodes(nodes: ArrayLike | None, events: int) -> Integers:
    if nodes is None:
        return np.zeros(events, dtype=np.int64)
    node: NDArray[Any] = np.asarray(nodes)
    if node.shape != (events,) or not np.issubdtype(node.dtype, np.integer) or node.min() < 0:
        raise InputError("nodes do not fit", where="nodes", expected=f"{events} whole numbers from 0")
    return node.astype(np.int64)


def _checked_marks(marks: ArrayLike | None, events: int) -> Floats:
    if marks is None:
        return np.zeros(events)
    mark = np.asarray(marks, dtype=np.float64)
    if mark.shape != (events,) or not np.isfinite(mark).all() or mark.min() < 0:
        raise InputError("marks do not fit", where="marks", expected=f"{events} finite numbers, 0 or more")
    return mark
