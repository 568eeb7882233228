"""The ledger in an SQLite file: two years of weekly issues of 9 models for 38 units, 8 weeks ahead. Counts and
distributions are made up; what came is recorded every week, as `forecast run` does.
"""

from __future__ import annotations

import datetime as dt
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from scipy import stats

from forecast.ledger import read
from forecast.ledger.address import ledger_address
from forecast.ledger.issue import Issue, IssueHead, ModelVersion, RuleVersion
from forecast.ledger.ledger import open_ledger
from forecast.ledger.marginals import Marginals
from forecast.ledger.outcomes import settle
from forecast.ledger.verify import verify
from forecast.ledger.write import append_issue
from forecast.panel.panel import Panel
from forecast.panel.units import Units
from forecast.predictive.forecast import Forecast

TITLE = "The ledger"
ISSUES = 104
FIRST = dt.date(2024, 1, 6)
MODELS, HORIZON, COUNTS = 9, 8, 60
UNITS = {"region": 30, "place": 8}
RULES = tuple(RuleVersion(f"rule_{at}", 4, f'{{"count":{at + 1}}}') for at in range(5))


def issue_of(week: int) -> Issue:
    """Return an issue with a negative binomial of its own for each model, week and unit."""
    rng = np.random.default_rng(week)
    origin = FIRST + dt.timedelta(days=7 * week)
    weeks = pd.date_range(origin, periods=HORIZON, freq="7D")
    names = {kind: [f"{kind} {at}" for at in range(units)] for kind, units in UNITS.items()}
    models = [f"model-{at}" for at in range(MODELS)]
    marginals = {}
    for kind, units in names.items():
        for model in models:
            mean, size = rng.gamma(1.0, 1.5, (1, len(units), 1)), rng.gamma(2.0, 1.0, (HORIZON, len(units), 1)) + 0.3
            pmf = stats.nbinom.pmf(np.arange(COUNTS), size, size / (size + mean))
            paths = np.zeros((1, HORIZON, len(units)), np.int32)
            marginals[model, kind] = Marginals.of(Forecast(paths, pmf, weeks, Units.of(units, kind=kind)))
    keys = [(kind, unit, rule.name) for kind, units in names.items() for unit in units for rule in RULES]
    asked = pd.DataFrame(keys, columns=["unit_kind", "unit", "escalation"])
    questions = asked.assign(level=2.0, base_rate=rng.random(len(asked)), base_origins=104, previous=np.nan)
    chances = pd.concat([asked.assign(probability=rng.random(len(asked)), model=model) for model in models])
    head = IssueHead(
        *("benchmark", "weekly", origin, 1, origin - dt.timedelta(days=1)),
        *(f"{week:064x}", "ab" * 32, "cd" * 32, "0", 1, HORIZON, 2000, models[0], '{"warnings":[]}'),
    )
    chances = chances[["model", "unit_kind", "unit", "escalation", "probability"]].reset_index(drop=True)
    versions = tuple(ModelVersion(model, "ef" * 32, "{}") for model in models)
    return Issue(head, versions, RULES, marginals, questions, chances)


def panels_until(week: int) -> dict[str, Panel]:
    """Return the counts that are known in a week."""
    weeks = pd.date_range(FIRST - dt.timedelta(days=28), periods=week + 5, freq="7D")
    rng = np.random.default_rng(0)
    return {
        kind: Panel.of(
            rng.poisson(1.5, (200, units))[: len(weeks)],
            weeks,
            Units.of([f"{kind} {at}" for at in range(units)], kind=kind),
        )
        for kind, units in UNITS.items()
    }


def measure() -> dict[str, Any]:
    """Write, verify and read the ledger."""
    tasks = {
        name: {"core_seconds": 0.0}
        for name in ("settling, all weeks", "issuing, all weeks", "verify", "read all scores")
    }

    def spent(name: str, begun: float) -> None:
        tasks[name]["core_seconds"] += time.process_time() - begun

    with tempfile.TemporaryDirectory() as folder:
        address = ledger_address(None, {}, Path(folder))
        with open_ledger(address) as ledger:
            for week in range(ISSUES):
                made, panels = issue_of(week), panels_until(week)
                now = dt.datetime.combine(made.head.origin, dt.time(6), dt.UTC)
                begun = time.process_time()
                ledger.append(lambda on: settle(on, "benchmark", panels, "00" * 32, now))  # noqa: B023 - called at once
                spent("settling, all weeks", begun)
                begun = time.process_time()
                ledger.append(lambda on: append_issue(on, made, now))  # noqa: B023 - called at once
                spent("issuing, all weeks", begun)
            with ledger.reading() as connection:
                begun = time.process_time()
                if verify(connection).broken:
                    raise SystemExit("the chain of the ledger is broken")
                spent("verify", begun)
                begun = time.process_time()
                rows = len(read.scores(connection))
                spent("read all scores", begun)
        size = address.file.stat().st_size if address.file else 0
    tasks["issuing, all weeks"]["counts"] = {"bytes of the file": size}  # type: ignore[assignment]
    return {"tasks": tasks, "facts": [f"{ISSUES} issues, {rows:,} scores."]}
