"""Sources that fell silent, and how improbable a silence is."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import gammaln

from forecast.events.checks.context import CheckContext
from forecast.events.checks.finding import Check, Finding, Severity, counted, finding

SILENT_SOURCE = Check(
    "silent_source",
    "Sources that stopped",
    "A source without any event in a country for longer than ever before, up to the last day that the data cover.",
    "warning",
    "Find out whether the source still covers the country and whether the last import was whole, before reading the "
    "silence as peace.",
)

WEEKS_BEFORE = 52
LONGEST_INTERRUPTION = 52
"""A silence of more weeks is a conflict that ended rather than a source that was interrupted."""


def silence_probability(
    silent: NDArray[np.integer] | int, weeks: int, length: NDArray[np.integer] | int
) -> NDArray[np.float64]:
    """Return how probable a run of silent weeks is, if all weeks are alike.

    Given that ``silent`` of the ``weeks`` around it were silent too, the probability that the run's weeks are all
    among the silent ones, any order of the weeks being as likely (a permutation test, so that neither the level nor
    the dispersion of the counts matters): ``C(silent + length, length) / C(weeks + length, length)``, the
    hypergeometric probability.

    Parameters
    ----------
    silent : int or ndarray of int
        Silent weeks among those around the run.
    weeks : int
        Weeks around the run.
    length : int or ndarray of int
        Weeks of the run.

    Returns
    -------
    ndarray of float64

    Examples
    --------
    >>> round(1 / float(silence_probability(0, 52, 3)))
    26235
    """
    k, n, m = np.asarray(silent, np.float64), float(weeks), np.asarray(length, np.float64)
    log = gammaln(k + m + 1) - gammaln(k + 1) - gammaln(n + m + 1) + gammaln(n + 1)
    return np.asarray(np.exp(log))


def ending_silence(active: NDArray[np.bool_], level: float) -> tuple[int, int] | None:
    """Return the silence at the end of a series and the longest before it, if it is longer and improbable.

    Parameters
    ----------
    active : ndarray of bool, shape (weeks,)
        Whether there was any event.
    level : float
        The most that the silence may be probable, compared with the `WEEKS_BEFORE` weeks before it.

    Returns
    -------
    (length, longest before) in weeks, or None

    Examples
    --------
    >>> ending_silence(np.arange(60) < 56, 0.01)
    (4, 0)
    """
    at = np.flatnonzero(active)
    if len(at) < 2:
        return None
    length = len(active) - 1 - int(at[-1])
    longest = int(np.diff(at).max()) - 1
    before = active[max(0, at[-1] + 1 - WEEKS_BEFORE) : at[-1] + 1]
    if length <= longest or silence_probability(int((~before).sum()), len(before), length) > level:
        return None
    return length, longest


def silent_sources(events: pd.DataFrame, context: CheckContext) -> list[Finding]:
    """Return what `SILENT_SOURCE` finds, a note for a long silence.

    Weeks are spans of seven days, counted back from the last day that the data cover.
    """
    until = context.covers_until or context.known_at
    if until is None:
        return []
    start = events["date_start"].fillna(events["date"])
    age = (until - start).dt.days
    rows = events.assign(country=events["country"].fillna(""), age=age)[age >= 0]
    groups = list(rows.groupby(["source", "country"], sort=True))
    found = []
    for (source, country), group in groups:
        weeks = (group["age"] // 7).to_numpy(dtype=np.int64)
        active = np.zeros(int(weeks.max()) + 1, dtype=bool)
        active[active.size - 1 - weeks] = True
        silence = ending_silence(active, context.level / len(groups))
        if silence:
            last = start[group.index].max()
            where = f" in {country}" if country else ""
            message = (
                f"No event of {source}{where} since {last:%Y-%m-%d}, {counted(silence[0], 'week')} before "
                f"{until:%Y-%m-%d}; the longest silence before was {counted(silence[1], 'week')}."
            )
            severity: Severity = "note" if silence[0] > LONGEST_INTERRUPTION else "warning"
            unit = str(country)
            found.append(finding(SILENT_SOURCE, message, (), count=silence[0], severity=severity, unit=unit))
    return found
