"""Weeks about which nothing is said, a last week that is not whole, and countries that fell silent."""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy.special import stdtr

from forecast.events.checks.finding import Check, Finding, Severity, counted, finding
from forecast.events.checks.silence import LONGEST_INTERRUPTION, ending_silence
from forecast.panel.checks.countries import country_totals
from forecast.panel.panel import Panel

MISSING_WEEKS = Check(
    "missing_weeks",
    "Missing weeks",
    "Weeks of a region or place about which the source says nothing.",
    "warning",
    "Import newer data, or state `complete = true` where an absent row means zero; models skip missing weeks.",
)
UNFINISHED_WEEK = Check(
    "unfinished_week",
    "A last week that is not complete",
    "A last week with far fewer events in all than the half year before it leads one to expect.",
    "warning",
    "Wait for the next release, or forecast from the week before with --as-of; a nowcast allows for late reports.",
)
SILENT_COUNTRY = Check(
    "silent_country",
    "Countries that stopped",
    "A country without any event at the end of the data for longer than ever before.",
    "warning",
    "Find out whether the source still covers the country, before reading the silence as peace.",
)

RECENT_WEEKS = 8
"""Weeks of which none may be missing without a warning."""
COMPARED_WEEKS = 26
FEWEST_WEEKS = 12
FEWEST_EVENTS = 5.0
"""Events a week below which the square root is no longer about normal, so that a quiet week tells nothing."""


def missing_weeks(panel: Panel, level: float) -> list[Finding]:
    """Return what `MISSING_WEEKS` finds; a warning if any of the last weeks is missing, otherwise a note."""
    absent = ~panel.observed
    if not absent.any():
        return []
    total, recent = int(absent.sum()), int(absent[-RECENT_WEEKS:].sum())
    units = np.flatnonzero(absent.any(axis=0))
    latest = {unit: panel.weeks[np.flatnonzero(absent[:, unit])[-1]] for unit in units}
    order = sorted(units, key=lambda unit: (-latest[unit].value, unit))
    examples = [
        f"{panel.units.names[unit]} ({int(absent[:, unit].sum())}, the latest {latest[unit]:%Y-%m-%d})"
        for unit in order
    ]
    amount, common = f"{counted(total, f'{panel.units.kind}-week')} of", np.asarray(absent.all(axis=1))
    if total == int(common.sum()) * absent.shape[1]:  # one gap of all, told once
        weeks, examples = panel.weeks[common], []
        last = weeks[-1] + pd.Timedelta(days=6)
        total, recent = len(weeks), int(common[-RECENT_WEEKS:].sum())
        amount = f"{counted(total, 'week')} from {weeks[0]:%Y-%m-%d} to {last:%Y-%m-%d} of all"
    message = (
        f"{amount} {counted(len(units), panel.units.kind)} {'is' if total == 1 else 'are'} missing, "
        f"{recent or 'none'} of them in the last {RECENT_WEEKS} weeks."
    )
    severity: Severity = "warning" if recent else "note"
    unit = panel.units.names[units[0]] if len(units) == 1 else ""
    newest = max(latest.values())
    return [finding(MISSING_WEEKS, message, examples, count=len(units), severity=severity, unit=unit, latest=newest)]


def unfinished_week(panel: Panel, level: float) -> list[Finding]:
    """Return what `UNFINISHED_WEEK` finds.

    The root of the last week's total is compared with those of the weeks before by the t distribution of a new
    observation; roots, since they make the variance of counts about even (Anscombe 1948,
    doi:10.1093/biomet/35.3-4.246).

    Parameters
    ----------
    panel : Panel
    level : float
        Probability of a false alarm, if the weeks are independent and of one level.
    """
    totals = np.where(panel.observed, panel.counts, 0).sum(axis=1)[-COMPARED_WEEKS - 1 :]
    whole = np.asarray(panel.observed.all(axis=1))[-COMPARED_WEEKS - 1 :]
    before = totals[:-1][whole[:-1]]
    if not whole[-1] or len(before) < FEWEST_WEEKS or before.mean() < FEWEST_EVENTS:
        return []
    roots = np.sqrt(before + 0.375)
    spread = max(float(roots.std(ddof=1)), 0.5)  # not below that of a Poisson count
    score = (np.sqrt(totals[-1] + 0.375) - roots.mean()) / (spread * np.sqrt(1 + 1 / len(before)))
    if stdtr(len(before) - 1, score) > level:
        return []
    message = (
        f"The week of {panel.weeks[-1]:%Y-%m-%d} has {counted(int(totals[-1]), 'event')} in all, the {len(before)} "
        f"weeks before it had {before.mean():.1f} on average and never less than {before.min()}: it may not be "
        "complete."
    )
    return [finding(UNFINISHED_WEEK, message, (), count=1, latest=panel.weeks[-1])]


def silent_countries(panel: Panel, level: float) -> list[Finding]:
    """Return what `SILENT_COUNTRY` finds, a note for a long silence; the level is shared among the countries."""
    totals = country_totals(panel)
    found = []
    for country, (counts, observed) in totals.items():
        silence = ending_silence(counts[observed] > 0, level / len(totals))
        if silence:
            where = country or "all regions"
            message = (
                f"No event in {where} in the last {counted(silence[0], 'week')}; the longest silence before was "
                f"{counted(silence[1], 'week')}."
            )
            severity: Severity = "note" if silence[0] > LONGEST_INTERRUPTION else "warning"
            last = panel.weeks[observed][-1]
            found.append(
                finding(SILENT_COUNTRY, message, (), count=silence[0], severity=severity, unit=country, latest=last)
            )
    return found
