"""Endemic-epidemic models against the R package surveillance (function hhh4).

Two sets of figures. Those on weekly measles counts of 17 districts (surveillance 1.20.3) stand here; the counts are
read from the folder that ESCALATION_FORECAST_REFERENCE names, and those tests are skipped where there is none. Those
on a simulated panel are in ``surveillance_hhh4.json``, panel included; ``studies/peers/surveillance.py`` wrote it.
"""

from __future__ import annotations

import importlib.util
import json
import os
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from forecast.evaluation.scores import crps_pmf, dawid_sebastiani
from forecast.families.endemic_epidemic.components import component_means
from forecast.families.endemic_epidemic.design import Component, Design
from forecast.families.endemic_epidemic.estimate import Estimates, estimate
from forecast.families.endemic_epidemic.history import Data
from forecast.families.endemic_epidemic.likelihood import Likelihood
from forecast.families.endemic_epidemic.prior import Point, Prior
from forecast.families.endemic_epidemic.weights import Pairs, Weights
from forecast.panel.neighbours import Neighbours
from forecast.predictive import negbin

ROOT = Path(__file__).parents[2]
FOLDER = os.environ.get("ESCALATION_FORECAST_REFERENCE", "")
measles = pytest.mark.skipif(not FOLDER, reason="ESCALATION_FORECAST_REFERENCE names no folder with the measles counts")

BASIC = {
    "own.intercept": (-0.437880, 0.122823),
    "neighbour.intercept": (-4.147421, 0.265760),
    "endemic.intercept": (0.077190, 0.258125),
    "endemic.trend": (0.00118446, 0.00425885),
    "endemic.sin": (0.937731, 0.191055),
    "endemic.cos": (-0.689996, 0.178153),
    "overdispersion": (2.013839, 0.285441),
}
POWER = {
    "own.intercept": (-0.522322989, 0.117704306),
    "neighbour.intercept": (3.795988623, 1.237746644),
    "neighbour.log_population": (2.291822406, 0.501394923),
    "endemic.intercept": (6.162854754, 0.855812449),
    "endemic.trend": (0.003818131, 0.004382972),
    "endemic.sin": (1.003642884, 0.197326430),
    "endemic.cos": (-0.466541791, 0.176384841),
    "endemic.log_susceptible": (2.325775652, 0.322562744),
    "weights.decay": (4.102136646, 1.054961918),
    "overdispersion": (1.607786486, 0.230551336),
}


def waves(weeks: int, period: float = 52.0) -> np.ndarray:
    """Return 1, time from 0, sine and cosine."""
    t = np.arange(weeks, dtype=np.float64)
    return np.column_stack([np.ones(weeks), t, np.sin(2 * np.pi * t / period), np.cos(2 * np.pi * t / period)])


def maximum_likelihood(likelihood: Likelihood, start: Point | None = None, **prior: np.ndarray) -> Estimates:
    """Fit without any prior, from intercepts of -1, as R does."""
    design = likelihood.design
    units = len(likelihood.data.counts)
    none = Prior.none(design, units)
    flat = Prior(**{**vars(none), **prior})
    if start is None:
        low = [-1.0 if name in {"own.intercept", "neighbour.intercept"} else 0.0 for name in design.names]
        start = Point(np.array(low), np.zeros((units, len(design.unit_base))))
        if design.weights is not None:
            start.shared[[name.startswith("weights") for name in design.names]] = design.weights.start
        return estimate(likelihood, flat, start)
    return estimate(likelihood, flat, start, near=True)


def table(design: Design, found: Estimates) -> pd.DataFrame:
    """Return estimates and standard errors; of the size as overdispersion, of the decay as it is."""
    rows = dict(zip(design.names, zip(found.point.shared, found.std_errors(), strict=True), strict=True))
    for name, sign in {"size": -1, "weights.decay": 1}.items():
        if name in rows:
            value = np.exp(sign * rows[name][0])
            rows[name] = (value, value * rows[name][1])
    return pd.DataFrame(rows, index=["estimate", "std_error"]).T.rename(index={"size": "overdispersion"})


def agree(found: pd.DataFrame, expected: dict[str, tuple[float, float]]) -> None:
    figures = pd.DataFrame(expected, index=["estimate", "std_error"]).T
    found = found.loc[figures.index]
    np.testing.assert_allclose(found["estimate"], figures["estimate"], rtol=1e-3, atol=2e-6)
    np.testing.assert_allclose(found["std_error"], figures["std_error"], rtol=1e-2)


class Measles:
    """The counts, and the two designs on their first weeks."""

    def __init__(self) -> None:
        folder = Path(FOLDER)
        self.counts = pd.read_csv(folder / "measles_counts.csv", index_col=0).to_numpy()
        self.order = pd.read_csv(folder / "measles_nborder.csv", index_col=0).to_numpy()
        self.adjacent = pd.read_csv(folder / "measles_adjacency.csv", index_col=0).to_numpy()
        units = pd.read_csv(folder / "measles_units.csv")
        self.population = units["popfrac"].to_numpy()
        self.susceptible = 1 - units["vacc1.2004"].to_numpy()

    def likelihood(self, kind: str, weeks: int = 104) -> Likelihood:
        one, wave = np.ones((weeks, 1)), waves(weeks)
        season = ("intercept", "trend", "sin", "cos")

        def constant(values: np.ndarray) -> np.ndarray:
            return np.broadcast_to(values[None, :, None], (weeks, len(values), 1))

        near, weights = Component(one, ("intercept",)), Weights(Pairs.of_matrix(self.order, 1))
        endemic = Component(wave, season, offset=self.population)
        if kind == "power":
            near = Component(one, ("intercept", "log_population"), constant(np.log(self.population)))
            weights = Weights(Pairs.of_matrix(self.order, 5), tail="power", normalised=True)
            susceptible = constant(np.log(self.susceptible))
            endemic = Component(wave, (*season, "log_susceptible"), susceptible, self.population)
        design = Design.of(
            weeks,
            len(self.population),
            own=Component(one, ("intercept",)),
            neighbour=near,
            endemic=endemic,
            weights=weights,
            sizes=None if kind == "poisson" else "common",
        )
        return Likelihood(Data.of(self.counts[:weeks]), design)


@pytest.fixture(scope="module")
def data() -> Measles:
    return Measles()


@measles
@pytest.mark.parametrize(
    ("kind", "log_likelihood", "aic"),
    [
        ("basic", -971.720896, 1957.44179),
        ("poisson", -1233.652296, 2479.30459),
        # With the covariate log(1 - vaccinated) in the endemic component, as in R's own example of these counts.
        ("power", -931.032312, 1882.06462),
    ],
)
def test_log_likelihood_and_aic_of_measles(data, kind, log_likelihood, aic):
    found = maximum_likelihood(data.likelihood(kind))
    assert found.converged
    assert found.log_likelihood == pytest.approx(log_likelihood, abs=1e-4)
    assert found.aic == pytest.approx(aic, abs=2e-4)


@measles
@pytest.mark.parametrize(("kind", "expected"), [("basic", BASIC), ("power", POWER)])
def test_coefficients_and_standard_errors_of_measles(data, kind, expected):
    likelihood = data.likelihood(kind)
    agree(table(likelihood.design, maximum_likelihood(likelihood)), expected)


@measles
def test_bic_counts_the_unit_weeks_of_the_likelihood(data):
    assert maximum_likelihood(data.likelihood("basic")).bic == pytest.approx(1995.72, abs=5e-3)


@measles
def test_orders_follow_from_the_borders(data):
    first, second = np.nonzero(np.triu(data.adjacent))
    neighbours = Neighbours.from_pairs(first, second, np.ones(len(first)), np.ones(len(first)), len(data.adjacent))
    ours, theirs = Pairs.by_order(neighbours, 5), Pairs.of_matrix(data.order, 5)
    for name in ("start", "receiver", "apart"):
        np.testing.assert_array_equal(getattr(ours, name), getattr(theirs, name))


@measles
def test_scores_of_rolling_one_step_forecasts_of_measles(data):
    """Weeks 53 to 104, refit before each."""
    whole = data.likelihood("basic")
    point, scores = None, []
    for weeks in range(52, 104):
        found = maximum_likelihood(data.likelihood("basic", weeks), point)
        assert found.converged
        point = found.point
        mean = component_means(whole, point).sum(axis=0)[weeks]
        size = np.exp(point.shared[-1])
        pmf = negbin.mixture_pmf(mean[None], size)
        y = data.counts[weeks]
        log = -negbin.logpmf(y, mean, size)
        scores.append([log.mean(), crps_pmf(pmf, y).mean(), dawid_sebastiani(mean, mean + mean**2 / size, y).mean()])
    assert np.mean(scores, axis=0) == pytest.approx([0.639994, 0.517896, -0.348170], abs=1e-3)


PEER = json.loads(Path(__file__).with_name("surveillance_hhh4.json").read_text(encoding="utf-8"))
SEASON = {"sin(2 * pi * t/52)": "sin", "cos(2 * pi * t/52)": "cos", "1": "intercept", "t": "trend"}
PARTS = {"ar": "own", "ne": "neighbour", "end": "endemic"}
MODELS = ("common", "poisson", "trend", "sizes", "power", "raw_power", "free", "random_endemic", "random")


def peer_likelihood(model: str, answer: dict) -> Likelihood:
    """Return the likelihood of one of the models of ``benchmarks/studies/peers/surveillance.R``."""
    counts, orders = np.array(answer["counts"]), np.array(answer["orders"])
    weeks, units = counts.shape
    wave = waves(weeks)
    one = Component(wave[:, :1], ("intercept",))
    season = Component(wave[:, [0, 2, 3]], ("intercept", "sin", "cos"))
    mixed = Component(wave[:, :1], ("intercept",), intercepts="random")
    own, near, endemic, sizes = one, one, season, "common"
    weights = Weights(Pairs.of_matrix(orders, 1))
    match model:
        case "poisson":
            sizes = None
        case "trend":
            own, endemic = season, Component(wave, ("intercept", "trend", "sin", "cos"))
        case "sizes":
            endemic, sizes = Component(np.empty((weeks, 0)), (), intercepts="fixed"), "unit"
        case "power" | "raw_power":
            weights = Weights(Pairs.of_matrix(orders, 4), tail="power", normalised=model == "power")
        case "free":
            weights = Weights(Pairs.of_matrix(orders), 3, normalised=True)
        case "random_endemic":
            endemic = Component(season.week, season.names, intercepts="random")
        case "random":
            own = near = endemic = mixed
    design = Design.of(weeks, units, own=own, neighbour=near, endemic=endemic, weights=weights, sizes=sizes)
    return Likelihood(Data.of(counts), design)


def expected_names(model: str, answer: dict) -> dict[str, tuple[float, float]]:
    """Return R's estimates of shared parameters by our names."""
    found, errors = (answer["models"][model][key] for key in ("estimates", "std_errors"))
    out = {}
    for name, value in found.items():
        part, _, term = name.partition(".")
        if name == "overdisp":
            out["overdispersion"] = (value, errors[name])
        elif name == "neweights.d":
            out["weights.decay"] = (value, errors[name])
        elif part == "neweights":
            out[f"weights.order{int(term[1:]) + 1}"] = (value, errors[name])
        elif part in PARTS and term in {*SEASON, "ri(iid)"}:
            out[f"{PARTS[part]}.{SEASON.get(term, 'intercept')}"] = (value, errors[name])
    return out


def compare(model: str, answer: dict) -> None:
    likelihood = peer_likelihood(model, answer)
    design, units = likelihood.design, len(likelihood.data.counts)
    prior = {}
    if model == "sizes":  # one size for each unit, and none beside them
        prior["free"] = np.array([name != "size" for name in design.names])
    found = maximum_likelihood(likelihood, **prior)
    theirs = answer["models"][model]
    assert found.converged
    assert theirs["converged"]
    mixed = bool(theirs["sd"])
    # R ends the rounds of variances and effects earlier than we do.
    assert found.penalised == pytest.approx(theirs["log_likelihood"], abs=0.02 if mixed else 1e-4)
    if mixed:
        np.testing.assert_allclose(found.sd, [theirs["sd"][f"{p}.ri(iid)"] for p in sd_parts(model)], rtol=5e-3)
    ours = table(design, found)
    if model == "sizes":
        intercepts = [theirs["estimates"][f"end.1.u{at}"] for at in range(units)]
        errors = [theirs["std_errors"][f"end.1.u{at}"] for at in range(units)]
        overdispersion = [theirs["estimates"][f"overdisp.u{at}"] for at in range(units)]
        np.testing.assert_allclose(found.point.own[:, 0], intercepts, rtol=1e-3, atol=1e-4)
        np.testing.assert_allclose(found.own_error[:, 0], errors, rtol=1e-2)
        np.testing.assert_allclose(np.exp(-found.point.own[:, 1]), overdispersion, rtol=1e-3)
    agree(ours, expected_names(model, answer))


def sd_parts(model: str) -> tuple[str, ...]:
    return ("end",) if model == "random_endemic" else ("ar", "ne", "end")


@pytest.mark.parametrize("model", MODELS)
def test_estimates_on_a_simulated_panel(model):
    compare(model, PEER)


@pytest.mark.slow
def test_r_says_the_same_today():
    spec = importlib.util.spec_from_file_location(
        "surveillance", ROOT / "benchmarks" / "studies" / "peers" / "surveillance.py"
    )
    peer = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(peer)
    if not peer.available():
        pytest.skip("R with the package surveillance is not here")
    counts, orders = peer.simulated()
    answer = peer.ask(counts, orders) | {"counts": counts.tolist(), "orders": orders.tolist()}
    for model in MODELS:
        compare(model, answer)
