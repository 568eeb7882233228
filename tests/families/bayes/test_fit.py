"""The fit and what follows it: draws, updates, remarks, checks; samplers where PyMC is installed."""

from __future__ import annotations

import _thread
import sys
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from forecast.errors import InputError
from forecast.families.bayes.calibration import calibration_ranks, flatness
from forecast.families.bayes.checks import (
    draw_prior,
    lag_one,
    leave_one_out,
    posterior_check,
    prior_check,
    simulate_panels,
)
from forecast.families.bayes.endemic_epidemic import BayesEndemicEpidemic, EndemicEpidemicPriors
from forecast.families.bayes.hawkes import BayesHawkes, HawkesPriors
from forecast.families.bayes.negbin import BayesNegbin
from forecast.families.bayes.priors import Prior, Priors
from forecast.panel.neighbours import Neighbours
from forecast.panel.panel import Panel
from forecast.panel.units import Units

NARROW = {
    "level": Prior(mean=-1.0, sd=0.7),
    "spread": Prior(mean=-0.3, sd=0.4),
    "half_life": Prior(mean=3.0, sd=0.5),
    "size": Prior(mean=0.5, sd=0.5),
}
"""Panels of counts that are not all 0 and not in the millions."""


def panel_of(counts: np.ndarray) -> Panel:
    weeks, units = counts.shape
    return Panel.of(
        counts,
        pd.date_range("2015-01-03", periods=weeks, freq="7D", unit="s", name="week"),
        Units.of([f"u{at}" for at in range(units)], groups=["AB"[at % 2] for at in range(units)]),
        neighbours=Neighbours.from_pairs(
            np.arange(units - 1), np.arange(1, units), np.full(units - 1, 10.0), np.full(units - 1, 20.0), units
        ),
    )


def blank(weeks: int = 60, units: int = 6) -> Panel:
    return panel_of(np.zeros((weeks, units), dtype=int))


def simulated(family, seed: int = 3, weeks: int = 60) -> tuple[Panel, np.ndarray]:
    """Return a panel drawn from the prior, and the parameters behind it."""
    rng = np.random.default_rng(seed)
    theta = draw_prior(family.layout(blank(weeks)), 1, rng)
    return panel_of(simulate_panels(family, blank(weeks), theta, rng)[0]), theta[0]


@pytest.fixture(scope="module")
def fitted():
    family = BayesNegbin(priors=Priors(**NARROW))
    panel, _ = simulated(family, weeks=80)
    return family.fit(panel.weeks_between(0, 60), np.random.default_rng(1)).update(panel.weeks_between(0, 60)), panel


def test_an_update_weighs_the_draws_by_the_new_weeks(fitted):
    before, panel = fitted
    after = before.update(panel.weeks_between(0, 64))
    assert after.update_k < 0.7
    assert after.update_k != before.update_k
    assert after.posterior is before.base
    gain = np.log(after.weights / before.base.weights)
    density = before.family.density(panel.weeks_between(0, 64))
    earlier = before.family.density(panel.weeks_between(0, 60))
    likely = np.array([density.log_likelihood(t)[0] - earlier.log_likelihood(t)[0] for t in before.theta])
    low = likely < np.quantile(likely, 0.5)  # those in the tail are smoothed
    np.testing.assert_allclose(np.diff(gain[low]), np.diff(likely[low]), atol=1e-6)


def test_an_update_agrees_with_a_new_fit(fitted):
    before, panel = fitted
    after = before.update(panel.weeks_between(0, 66))
    anew = before.family.fit(panel.weeks_between(0, 66), np.random.default_rng(8))
    one, other = after.summary(), anew.summary()
    assert (np.abs(one["estimate"] - other["estimate"]) < 0.5 * other["std_error"]).all()


def test_weeks_that_contradict_the_draws_bring_a_new_run(fitted):
    before, panel = fitted
    counts = panel.counts[:72].copy()
    counts[60:] = np.random.default_rng(1).poisson(400, counts[60:].shape)
    after = before.update(panel_of(counts))
    assert after.update_k > 0.7
    assert after.posterior is not before.base
    assert after.summary().loc["spread", "estimate"] != before.summary().loc["spread", "estimate"]
    stepped = before.update(panel_of(counts[:65])).update(panel_of(counts))
    np.testing.assert_array_equal(stepped.theta, after.theta)


def test_parameter_uncertainty_is_in_the_paths(fitted):
    before, _ = fitted
    theta = np.tile(before.theta[:1], (2, 1))
    theta[:, before.base.layout.at("level")] += [-1.0, 1.0]

    def spread(rows: list[int]) -> float:
        base = replace(before.base, theta=theta[rows], weights=np.full(len(rows), 1 / len(rows)))
        only = replace(before, base=base, posterior=base, weights=base.weights, known=None)
        return only.predict(8, 400, np.random.default_rng(1)).paths.mean(axis=(1, 2)).var()

    assert spread([0, 1]) > (spread([0]) + spread([1])) / 2


def test_a_quiet_region_is_drawn_to_its_country():
    rng = np.random.default_rng(4)
    busy, quiet = np.array([1.5, 1.2, 1.4, 1.6]), np.array([0.02, 0.03, 0.02, 0.02])
    counts = np.zeros((8, 8), dtype=int)
    counts[:, ::2], counts[:, 1::2] = rng.poisson(busy, (8, 4)), rng.poisson(quiet, (8, 4))
    counts[:, :2] = 0  # one silent unit in a busy country, one in a quiet one
    mean = BayesNegbin().fit(panel_of(counts), rng).predict(4, 4000, rng).mean()[0]
    assert mean[0] > 3 * mean[1]


def test_extra_zeros_are_found():
    family = BayesNegbin(zeros="inflated", season=False, priors=Priors(**{**NARROW, "zeros": Prior(mean=-1, sd=1)}))
    rng = np.random.default_rng(6)
    counts = rng.poisson(4.0, (80, 4)) * (rng.random((80, 4)) > 0.4)
    table = family.fit(panel_of(counts), rng).summary()
    assert table.loc["zeros", "estimate"] == pytest.approx(0.4, abs=0.1)
    forecast = family.fit(panel_of(counts), rng).predict(2, 500, rng)
    assert forecast.pmf[..., 0].mean() == pytest.approx(0.42, abs=0.08)


def test_excitation_is_found_in_a_branching_process():
    family = BayesHawkes(season=False, priors=HawkesPriors(**NARROW))
    layout = family.layout(blank(150))
    theta = layout.natural(np.zeros(len(layout)))
    theta[layout.at("branching")] = np.log(0.55 / 0.45)
    rng = np.random.default_rng(2)
    panel = panel_of(simulate_panels(family, blank(150), theta[None], rng)[0])
    table = family.fit(panel, rng).summary()
    error = (table.loc["branching", "estimate"] - 0.55) / table.loc["branching", "std_error"]
    assert abs(error) < 2.5


def test_the_prior_of_the_branching_ratio_lies_where_it_is_said_to():
    theta = draw_prior(BayesHawkes().layout(blank()), 20_000, np.random.default_rng(1))
    ratio = 1 / (1 + np.exp(-theta[:, BayesHawkes().layout(blank()).at("branching")]))
    assert ((ratio > 0.2) & (ratio < 0.7)).mean() == pytest.approx(0.936, abs=0.01)


def test_predictive_checks_compare_the_panel_with_simulated_ones(fitted):
    before, _ = fitted
    prior = prior_check(before.family, before.panel, 100, np.random.default_rng(1))
    posterior = posterior_check(before, 100, np.random.default_rng(1))
    assert list(prior.index) == ["zeros", "maximum", "variance", "lag_one"]
    width, prior_width = ((table["q95"] - table["q5"])["zeros"] for table in (posterior, prior))
    assert width < prior_width
    assert (posterior["p_value"].between(0.01, 0.99)).all()
    foreign = replace(before, panel=replace(before.panel, counts=before.panel.counts * 9), known=None)
    assert posterior_check(foreign, 100, np.random.default_rng(1)).loc["variance", "p_value"] < 0.05


def test_lag_one_is_the_correlation_of_successive_weeks():
    counts = np.array([[0], [2], [0], [2]])
    assert lag_one(counts, np.ones((4, 1), bool)) == pytest.approx(-0.75)


def test_leaving_one_out_agrees_with_leaving_it_out(fitted):
    before, _ = fitted
    table = leave_one_out(before, 80)
    assert len(table) == before.panel.observed.sum()
    assert (table["k"] < 0.7).mean() > 0.95
    cell = int(np.argmax(before.panel.counts.ravel()))
    week, unit = np.unravel_index(cell, before.panel.counts.shape)
    observed = before.panel.observed.copy()
    observed[week, unit] = False
    without = replace(before.panel, observed=observed)
    again = before.family.fit(without, np.random.default_rng(1))
    density, full = before.family.density(without), before.family.density(before.panel)
    each = [full.log_likelihood(t)[0] - density.log_likelihood(t)[0] for t in again.theta]
    exact = np.log(again.weights @ np.exp(each))
    assert table["elpd"].to_numpy()[cell] == pytest.approx(exact, abs=0.15)


@pytest.mark.parametrize("method", ["nuts", "advi"])
def test_without_pymc_the_other_methods_say_what_to_install(monkeypatch, method):
    for name in ("pymc", "nutpie"):
        monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(InputError, match=r"escalation-forecast\[bayes\]"):
        BayesNegbin(method=method).fit(blank(), np.random.default_rng(1))


def test_ranks_that_pile_up_are_seen():
    rng = np.random.default_rng(1)
    ranks = pd.DataFrame({"right": rng.integers(0, 64, 400), "narrow": rng.choice([0, 63, 30], 400)})
    found = flatness(ranks)
    assert found["right"] > 0.01
    assert found["narrow"] < 1e-6


def test_a_few_simulations_are_calibrated():
    family = BayesNegbin(season=False, priors=Priors(**NARROW), proposals=450)
    ranks = calibration_ranks(family, blank(30, 4), 12, np.random.default_rng(1))
    assert ranks.shape == (12, len(family.layout(blank(30, 4))))
    assert 12 < ranks.to_numpy().mean() < 51


@pytest.mark.slow
@pytest.mark.timeout(3600)
@pytest.mark.parametrize(
    "family",
    [
        BayesNegbin(priors=Priors(**NARROW)),
        BayesNegbin(season=False, zeros="inflated", priors=Priors(**NARROW)),
        BayesEndemicEpidemic(season=False, priors=EndemicEpidemicPriors(**NARROW)),
        BayesHawkes(season=False, priors=HawkesPriors(**NARROW)),
    ],
    ids=lambda family: f"{family.family}-{family.zeros}",
)
def test_ranks_of_200_simulations_are_flat(family):
    found = flatness(calibration_ranks(family, blank(), 200, np.random.default_rng(11)))
    assert found.min() > 0.01 / len(found), found.to_dict()  # Bonferroni


@pytest.mark.slow
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("method", ["nuts", "advi"])
def test_the_methods_agree(method):
    pytest.importorskip("pymc")
    pytest.importorskip("nutpie")
    family = BayesNegbin(season=False, priors=Priors(**NARROW), samples=500, tune=300)
    panel, _ = simulated(family)
    found = family.model_copy(update={"method": method}).fit(panel, np.random.default_rng(1))
    again = family.model_copy(update={"method": method}).fit(panel, np.random.default_rng(1))
    np.testing.assert_array_equal(found.base.theta, again.base.theta)
    assert found.remarks == ()
    laplace = family.model_copy(update={"draws": 2000, "proposals": 4000}).fit(panel, np.random.default_rng(2))
    one, other = found.summary(), laplace.summary()
    assert (np.abs(one["estimate"] - other["estimate"]) < 0.25 * other["std_error"]).all()
    np.testing.assert_allclose(one["std_error"], other["std_error"], rtol=0.25)
    data = found.inference_data()
    assert data.attrs["method"] == method
    assert "size" in data.posterior


@pytest.mark.slow
def test_an_interrupted_sampler_is_not_a_fit(monkeypatch):
    pytest.importorskip("nutpie")
    from forecast.families.bayes.density import Density

    evaluate, calls = Density.log_posterior, []

    def interrupted(self, z):
        calls.append(1)
        if len(calls) == 400:
            _thread.interrupt_main()
        return evaluate(self, z)

    monkeypatch.setattr(Density, "log_posterior", interrupted)
    family = BayesNegbin(season=False, method="nuts", priors=Priors(**NARROW))
    with pytest.raises(KeyboardInterrupt):
        family.fit(simulated(family)[0], np.random.default_rng(1))
