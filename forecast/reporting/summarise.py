"""From what a report shows to its summary for programs."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from forecast.language import LANGUAGES, said, spoken
from forecast.panel.units import UnitKind
from forecast.reporting.content import ReportContent
from forecast.reporting.headline import lead
from forecast.reporting.rules import rule_titles
from forecast.reporting.summary import LastIssue, Record, Risk, Rule, Source, Summary, Unit, Week
from forecast.reporting.words import titles

LEVELS = (0.025, 0.1, 0.25, 0.5, 0.75, 0.9, 0.975)
"""Of the quantiles that are told."""
_RANGE = (0.1, 0.9)


def summary_of(content: ReportContent) -> Summary:
    """Return the summary of what a report shows, in the language spoken; numbers have six decimals."""
    pressing = tuple(content.provenance.get("warnings", ()))
    texts = {str(text): text for text in content.warnings}  # in English those of the provenance
    spec = next(model for model in content.models if model.name == content.headline_model)
    return Summary(
        title=content.title,
        report=content.name,
        audience=content.audience,
        origin=content.origin.date(),
        known_until=content.panels["region"].known_until.date(),
        model=content.headline_model,
        model_title=spec.title,
        simulated=any(panel.simulated for panel in content.panels.values()),
        preliminary=content.data.preliminary,
        notices=tuple(str(said(text)) for text in content.notices),
        warnings=tuple(str(said(texts.get(text, text))) for text in pressing),
        notes=tuple(str(said(text)) for text in content.warnings if str(text) not in pressing),
        lead=lead(content),
        headline_escalation=content.headline_escalation,
        escalations=_rules(content),
        quantile_levels=LEVELS,
        units=tuple(unit for kind in content.panels for unit in _units(content, kind)),
        last_issue=_last_issue(content),
        records=_records(content),
        data=Source(
            title=content.data.title,
            attribution=content.data.attribution,
            licence=content.data.licence,
            vintage=content.data.vintage,
        ),
        language=next(language for language in LANGUAGES if language == spoken()),
    )


def _last_issue(content: ReportContent) -> LastIssue | None:
    changes = content.changes
    return None if changes is None else LastIssue(origin=changes.origin.date(), issued_on=changes.issued_at.date())


def _rules(content: ReportContent) -> tuple[Rule, ...]:
    called = rule_titles(content.escalations)
    first = content.origin.date()
    return tuple(
        Rule(
            name=rule.name,
            title=called[rule.name],
            meaning=rule.sentence(),
            weeks=rule.weeks,
            first_day=first,
            last_day=first + dt.timedelta(days=7 * rule.weeks - 1),
        )
        for rule in content.escalations
    )


def _units(content: ReportContent, kind: UnitKind) -> list[Unit]:
    panel, forecast = content.panels[kind], content.forecasts[kind][content.headline_model]
    units, called = panel.units, titles(panel.units)
    mean, quantiles = forecast.mean(), forecast.quantile(LEVELS)
    risks = _risks(content, kind)
    return [
        Unit(
            name=name,
            title=called[name],
            kind=kind,
            country=units.groups[at],
            latitude=_known(units.latitude[at]),
            longitude=_known(units.longitude[at]),
            radius_km=_known(units.radius_km[at]),
            weeks=tuple(
                Week(
                    first_day=week.date(),
                    mean=round(float(mean[ahead, at]), 6),
                    quantiles=tuple(int(value) for value in quantiles[:, ahead, at]),
                )
                for ahead, week in enumerate(forecast.weeks)
            ),
            risks=risks[name],
        )
        for at, name in enumerate(units.names)
    ]


def _risks(content: ReportContent, kind: UnitKind) -> dict[str, tuple[Risk, ...]]:
    """Return the risks by unit, in the order of the escalations."""
    mine = content.risk[(content.risk["model"] == content.headline_model) & (content.risk["unit_kind"] == kind)]
    then = _then(content, kind)
    totals = {rule.weeks: _totals(content, kind, rule.weeks) for rule in content.escalations}
    weeks = {rule.name: rule.weeks for rule in content.escalations}
    found: dict[str, list[Risk]] = {name: [] for name in content.panels[kind].units.names}
    for row in mine.to_dict("records"):
        unit, rule = str(row["unit"]), str(row["escalation"])
        found[unit].append(
            Risk(
                escalation=rule,
                probability=_known(row["probability"]),
                base_rate=_known(row["base_rate"]),
                base_origins=int(row["base_origins"]),
                week_before=_known(row["previous"]),
                last_issue=_known(then.get((unit, rule))),
                level=_known(row["level"]),
                **totals[weeks[rule]][unit],
            )
        )
    order = {rule.name: at for at, rule in enumerate(content.escalations)}
    return {unit: tuple(sorted(risks, key=lambda risk: order[risk.escalation])) for unit, risks in found.items()}


def _then(content: ReportContent, kind: UnitKind) -> Mapping[tuple[str, str], float]:
    if content.changes is None:
        return {}
    table = content.changes.table
    mine = table[table["unit_kind"] == kind]
    keys = zip(mine["unit"].astype(str), mine["escalation"].astype(str), strict=True)
    return dict(zip(keys, mine["then"].astype(float), strict=True))


def _totals(content: ReportContent, kind: UnitKind, weeks: int) -> dict[str, dict[str, Any]]:
    """Return what is expected of the next weeks in each unit, and what the last ones had."""
    panel, forecast = content.panels[kind], content.forecasts[kind][content.headline_model]
    sums: NDArray[np.int64] = forecast.paths[:, :weeks].sum(axis=1, dtype=np.int64)
    low, high = np.quantile(sums, _RANGE, axis=0, method="inverted_cdf")
    mean = forecast.mean()[:weeks].sum(axis=0)
    counts: NDArray[np.int64] = panel.counts[-weeks:].sum(axis=0, dtype=np.int64)
    seen: NDArray[np.bool_] = np.all(panel.observed[-weeks:], axis=0)
    found = {}
    for at, name in enumerate(forecast.units.names):
        column = panel.units.index(name)
        found[name] = {
            "expected": round(float(mean[at]), 6),
            "low": int(low[at]),
            "high": int(high[at]),
            "recent": int(counts[column]) if seen[column] else None,
        }
    return found


def _records(content: ReportContent) -> tuple[Record, ...]:
    found = []
    for record in content.backtests:
        origins = record.forecasts["origin"]
        board = record.leaderboard
        rows = board[board["model"] == content.headline_model].to_dict("records")
        row: Mapping[Any, Any] = rows[0] if rows else {}
        brier = {rule.name: _known(row.get(f"brier_{rule.name}")) for rule in content.escalations}
        found.append(
            Record(
                name=record.name,
                first_origin=origins.min().date() if len(origins) else None,
                last_origin=origins.max().date() if len(origins) else None,
                origins=origins.nunique(),
                skill=_known(row.get("skill")),
                skill_low=_known(row.get("skill_low")),
                skill_high=_known(row.get("skill_high")),
                within_80=_known(row.get("cov80")),
                brier={name: value for name, value in brier.items() if value is not None},
            )
        )
    return tuple(found)


def _known(value: Any) -> float | None:
    """Return a number with six decimals, None for what is none."""
    if value is None or pd.isna(value) or not math.isfinite(value):
        return None
    return round(float(value), 6)
