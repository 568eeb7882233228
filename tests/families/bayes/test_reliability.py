"""When draws are not to be relied on: what is said of it, what a pool does, and what the priors have to do with it."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from forecast.combination.pool import Pool
from forecast.config import parse
from forecast.errors import InputError
from forecast.families.bayes import posterior
from forecast.families.bayes.checks import leave_one_out, posterior_check, prior_sensitivity
from forecast.families.bayes.negbin import BayesNegbin
from forecast.families.bayes.posterior import Diagnostics
from forecast.families.bayes.priors import Prior, Priors
from forecast.families.model import ModelSpec
from forecast.panel.panel import Panel
from forecast.panel.units import Units


def panel(weeks: int = 60, rate: float = 2.0) -> Panel:
    days = pd.date_range("2015-01-03", periods=weeks, freq="7D", unit="s", name="week")
    return Panel.of(np.random.default_rng(1).poisson(rate, (weeks, 3)), days, Units.of(["a", "b", "c"]))


@pytest.mark.parametrize(
    ("figures", "words"),
    [
        ({"pareto_k": 0.71}, "Pareto k 0.71 is above 0.7"),
        ({"effective": 49.0}, "worth 49, fewer than 50"),
        ({"r_hat": 1.011}, "R-hat 1.01 is above"),
        ({"bulk_ess": 399.0}, "bulk ESS 399 is below 400"),
        ({"divergences": 2}, "2 divergent transitions"),
    ],
)
def test_each_bound_has_its_remark(figures, words):
    (remark,) = Diagnostics("nuts", **figures).remarks()
    assert remark.startswith("unreliable (nuts): ")
    assert words in remark


def test_an_unreliable_fit_is_remarked_and_left_out_of_a_pool(monkeypatch):
    fitted = BayesNegbin(season=False).fit(panel(), np.random.default_rng(1))
    assert fitted.reliable
    monkeypatch.setattr(posterior, "LEAST_EFFECTIVE", 1e9)
    members = [{"family": "bayes_negbin", "settings": {"season": False}}, {"family": "climatology"}]
    pool = Pool(members=members).fit(panel(), np.random.default_rng(1))
    assert not pool.members[0].reliable
    forecast = pool.predict(2, 100, np.random.default_rng(1))
    assert any(remark.startswith("bayes_negbin: unreliable (laplace)") for remark in forecast.remarks)
    assert "bayes_negbin is left out: its fit is unreliable" in forecast.remarks
    np.testing.assert_array_equal(pool.shares[0], [0.0, 1.0])


def test_sensitivity_is_the_slope_of_the_mean_in_the_power_of_the_prior():
    family = BayesNegbin(season=False, draws=4000, proposals=4000)
    fitted = family.fit(panel(), np.random.default_rng(2))
    table = prior_sensitivity(fitted)
    assert list(table.index) == ["level", "spread", "half_life", "size"]
    z = fitted.density.layout.standardised(fitted.theta)

    def mean(power: float) -> np.ndarray:
        weights = fitted.weights * np.exp((power - 1) * -0.5 * (z**2).sum(axis=1))
        return weights @ z / weights.sum()

    sd = np.sqrt(fitted.weights @ (z - mean(1.0)) ** 2)
    slope = np.log(2) * (mean(1.01) - mean(0.99)) / (2 * 0.01) / sd
    np.testing.assert_allclose(table["prior"], slope, atol=2e-3)


def test_a_prior_that_the_data_contradict_is_seen():
    told = BayesNegbin(season=False).fit(panel(), np.random.default_rng(1))
    wrong = Priors(size=Prior(mean=-3.0, sd=0.3))
    contradicted = BayesNegbin(season=False, priors=wrong).fit(panel(), np.random.default_rng(1))
    far, near = (prior_sensitivity(fitted).loc["size"] for fitted in (contradicted, told))
    assert abs(far["prior"]) > 3 * abs(near["prior"])
    assert far["prior"] * far["data"] < 0


def test_checks_look_at_the_weeks_that_the_draws_have_learned_from():
    known = panel(100)
    loud = Panel.of(np.vstack([known.counts[:40] + 30, known.counts[40:]]), known.weeks, known.units)
    model = ModelSpec(
        name="m", family="bayes_negbin", title="m", method="m", window_weeks=60, settings={"season": False}
    )
    windowed = model.fit(loud, np.random.default_rng(1))
    alone = model.build().fit(model.fitted_weeks(loud), np.random.default_rng(1))
    assert len(windowed.panel.weeks) == 100
    assert len(windowed.learned.weeks) == len(leave_one_out(windowed)) / 3 == 60
    pd.testing.assert_frame_equal(leave_one_out(windowed), leave_one_out(alone))
    pd.testing.assert_frame_equal(prior_sensitivity(windowed), prior_sensitivity(alone))
    tables = [posterior_check(fitted, 50, np.random.default_rng(2)) for fitted in (windowed, alone)]
    pd.testing.assert_frame_equal(*tables)


@pytest.mark.parametrize("prior", [{"mean": np.inf, "sd": 1}, {"mean": 0, "sd": 0}, {"mean": 0, "sd": np.nan}])
def test_a_prior_that_is_none_is_refused(prior):
    with pytest.raises(InputError, match=r"priors\.size\.(mean|sd)"):
        parse(BayesNegbin, {"priors": {"size": prior}}, where="models/mine.toml [settings]")


def test_forecasts_say_how_their_parameters_were_found():
    forecast = BayesNegbin(season=False).fit(panel(), np.random.default_rng(1)).predict(1, 20, np.random.default_rng(1))
    assert forecast.fitted_by.startswith("importance sampling around the posterior mode (laplace): Pareto k ")
    assert (
        Diagnostics("nuts", r_hat=1.003, bulk_ess=900.0).sentence().endswith("R-hat 1.003, bulk ESS 900, divergences 0")
    )
