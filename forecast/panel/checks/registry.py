"""All checks of counts, by name, and running them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from types import MappingProxyType

from forecast.errors import unknown_name
from forecast.events.checks.context import LEVEL
from forecast.events.checks.finding import Check, Finding
from forecast.events.checks.registry import by_severity
from forecast.panel.checks import completeness, gaps, shifts, variation
from forecast.panel.panel import Panel

_ALL: tuple[tuple[Check, Callable[[Panel, float], list[Finding]], bool], ...] = (
    (completeness.MISSING_WEEKS, completeness.missing_weeks, True),
    (completeness.UNFINISHED_WEEK, completeness.unfinished_week, False),
    (completeness.SILENT_COUNTRY, completeness.silent_countries, False),
    (gaps.SUDDEN_GAP, gaps.sudden_gaps, True),
    (shifts.LEVEL_SHIFT, shifts.level_shifts, False),
    (variation.NOTHING_TO_LEARN, variation.nothing_to_learn, False),
)
"""Check, function, and whether it is for places too: circles overlap, so that nothing can be said of their sums."""

PANEL_CHECKS: Mapping[str, Check] = MappingProxyType({check.name: check for check, _, _ in _ALL})
"""Every check of counts, in the order in which they run."""


def run_panel_checks(panel: Panel, level: float = LEVEL, only: Iterable[str] | None = None) -> list[Finding]:
    """Return what the checks of counts find.

    Parameters
    ----------
    panel : Panel
        Of regions or of places.
    level : float
        The most that each statistical check may raise a false alarm: the share of panels of independent weeks of one
        level in which it finds anything.
    only : iterable of str, optional
        Names of checks; all of `PANEL_CHECKS` if not given.

    Returns
    -------
    list of Finding
        Errors first, then warnings, then notes; within these in the order of the registry.

    Raises
    ------
    InputError
        For a name that is no check.

    Examples
    --------
    >>> import numpy as np, pandas as pd
    >>> from forecast.panel.units import Units
    >>> counts = np.ones((60, 1), int)
    >>> counts[40:46] = 0
    >>> weeks = pd.date_range("2025-01-04", periods=60, freq="7D")
    >>> [item.examples for item in run_panel_checks(Panel.of(counts, weeks, Units.of(["Gao"])))]
    [('Gao, 6 weeks from 2025-10-11',)]
    """
    wanted = set(PANEL_CHECKS) if only is None else set(only)
    for name in sorted(wanted - set(PANEL_CHECKS)):
        raise unknown_name("check", name, PANEL_CHECKS)
    regions = panel.units.kind == "region"
    return by_severity(
        item
        for check, find, for_places in _ALL
        if check.name in wanted and (regions or for_places)
        for item in find(panel, level)
    )
