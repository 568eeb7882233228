"""Small ledgers in SQLite and PostgreSQL, and forecasts that cost nothing."""

from __future__ import annotations

import datetime as dt
import shutil

import numpy as np
import pandas as pd
import pytest

from forecast.ledger.address import FILE, VARIABLE, ledger_address
from forecast.ledger.issue import Issue, IssueHead, ModelVersion, RuleVersion
from forecast.ledger.ledger import open_ledger
from forecast.ledger.marginals import Marginals
from forecast.ledger.outcomes import settle
from forecast.ledger.write import append_issue
from forecast.panel.panel import Panel
from forecast.panel.units import Units
from forecast.predictive.forecast import Forecast, pmf_of_paths

V = "aa" * 32
FIRST = dt.date(2026, 1, 3)
NAMES = {"region": ("Mali/Gao", "Mali/Ségou", "Mali/Mopti"), "place": ("Gao 100 km",)}
RULES = (RuleVersion("any_event_2w", 2, '{"rule":"any_event"}'), RuleVersion("at_least_5_4w", 4, '{"count":5}'))


def forecast_of(rng, units, origin, horizon, draws=50, head=None):
    """A forecast of random counts; with `head`, only so many probabilities are given and the rest is far."""
    paths = rng.poisson(3.0 * rng.random((1, horizon, len(units))), (draws, horizon, len(units))).astype(np.int32)
    pmf = pmf_of_paths(paths)
    weeks = pd.date_range(origin, periods=horizon, freq="7D")
    return Forecast(paths, pmf if head is None else pmf[..., :head], weeks, units)


@pytest.fixture(scope="session")
def make_issue():
    """A function that makes an issue: of a number of weeks after the first origin, from a seed."""

    def make(week=0, revision=1, seed=0, models=("alpha", "beta"), horizon=4, names=NAMES, far=True, **changes):
        origin = FIRST + dt.timedelta(days=7 * week)
        rng = np.random.default_rng([seed, week, revision])
        marginals, questions, chances = {}, [], []
        for kind, units in names.items():
            for at, model in enumerate(models):
                head = 2 if far and at else None
                found = forecast_of(rng, Units.of(units, kind=kind), origin, horizon, head=head)
                marginals[model, kind] = Marginals.of(found)
                chances += [
                    {"model": model, "unit_kind": kind, "unit": unit, "escalation": rule.name, "probability": chance}
                    for rule in RULES
                    for unit, chance in zip(units, rng.random(len(units)), strict=True)
                ]
            questions += [
                {
                    "unit_kind": kind,
                    "unit": unit,
                    "escalation": rule.name,
                    "level": 1.0 if rule.weeks == 2 else 5.0 if at else np.nan,
                    "base_rate": rng.random(),
                    "base_origins": 13 + at,
                    "previous": np.nan,
                }
                for rule in RULES
                for at, unit in enumerate(units)
            ]
        head = {
            "workspace": "Mali",
            "report": "weekly",
            "origin": origin,
            "revision": revision,
            "known_until": origin - dt.timedelta(days=1),
            "vintage": f"{seed:064x}",
            "settings": "cd" * 32,
            "code": "ef" * 32,
            "version": "0.1.0",
            "seed": 20250601,
            "horizon": horizon,
            "draws": 50,
            "headline": models[0],
            "manifest": '{"title":"Ségou","warnings":[]}',
        }
        return Issue(
            IssueHead(**{**head, **changes}),
            tuple(ModelVersion(model, "ab" * 32, "{}") for model in models),
            RULES,
            marginals,
            pd.DataFrame(questions),
            pd.DataFrame(chances),
        )

    return make


@pytest.fixture(scope="session")
def make_panels():
    """A function that makes panels of the same units: some weeks from eight before the first origin on."""

    def make(weeks, changes=(), hidden=(), names=NAMES):
        start = FIRST - dt.timedelta(days=56)
        days = pd.date_range(start, periods=8 + weeks, freq="7D")
        panels = {}
        for kind, units in names.items():
            counts = np.random.default_rng(7).poisson(1.0, (60, len(units)))[: len(days)]
            for week, unit, count in changes:
                if unit in units:
                    counts[8 + week, units.index(unit)] = count
            seen = np.ones(counts.shape, dtype=bool)
            for week, unit in hidden:
                if unit in units:
                    seen[8 + week, units.index(unit)] = False
            panels[kind] = Panel.of(counts, days, Units.of(units, kind=kind), observed=seen)
        return panels

    return make


def moment(week, hours=0):
    """Return Monday morning of the week of an origin."""
    return dt.datetime.combine(FIRST, dt.time(6), dt.UTC) + dt.timedelta(days=7 * week + 2, hours=hours)


@pytest.fixture(name="moment", scope="session")
def moment_fixture():
    """A function of a week that gives the Monday morning in it."""
    return moment


@pytest.fixture(scope="session")
def empty_file(tmp_path_factory):
    """An SQLite ledger without entries."""
    address = ledger_address(None, {}, tmp_path_factory.mktemp("empty"))
    open_ledger(address).close()
    return address.file


@pytest.fixture(scope="session")
def empty_database(postgres_server, tmp_path_factory):
    """The name of a database that is a ledger without entries."""
    url = postgres_server.database("empty_ledger")
    open_ledger(ledger_address(None, {VARIABLE: url}, tmp_path_factory.mktemp("empty"))).close()
    return "empty_ledger"


@pytest.fixture(params=["sqlite", "postgresql"])
def address(request, tmp_path):
    """Where an empty ledger is: in a file, or in a database of the server."""
    if request.param == "sqlite":
        shutil.copy(request.getfixturevalue("empty_file"), tmp_path / FILE)
        return ledger_address(None, {}, tmp_path)
    make, template = request.getfixturevalue("new_database"), request.getfixturevalue("empty_database")
    return ledger_address(None, {VARIABLE: make(template)}, tmp_path)


@pytest.fixture
def ledger(address):
    """An open ledger, empty."""
    opened = open_ledger(address, patience=20)
    yield opened
    opened.close()


@pytest.fixture(scope="session", params=["sqlite", "postgresql"])
def filled(request, tmp_path_factory, make_issue, make_panels):
    """Four issues, and what came of them; do not change it but in a transaction that is rolled back."""
    folder = tmp_path_factory.mktemp("filled")
    server = request.getfixturevalue("postgres_server") if request.param == "postgresql" else None
    opened = open_ledger(ledger_address(None, {VARIABLE: server.database("filled_ledger")} if server else {}, folder))
    for week in range(4):
        opened.append(lambda connection, week=week: append_issue(connection, make_issue(week), moment(week)))
        panels = make_panels(week + 1)
        opened.append(
            lambda connection, week=week, panels=panels: settle(connection, "Mali", panels, V, moment(week, 1))
        )
    yield opened
    opened.close()
