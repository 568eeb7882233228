"""What the priors of a run's models say, and that the report shows it."""

from __future__ import annotations

import numpy as np
import pandas as pd

from forecast.families.model import ModelSpec
from forecast.jobs.prior_checks import prior_checks
from forecast.panel.panel import Panel
from forecast.panel.units import Units

MODELS = [
    ModelSpec(name=name, family=family, title=name, method="-", window_weeks=window)
    for name, family, window in (("bayes", "bayes_negbin", 20), ("plain", "climatology", None))
]


def panel(rate: float) -> Panel:
    weeks = pd.date_range("2020-01-04", periods=40, freq="7D", unit="s", name="week")
    counts = np.random.default_rng(1).poisson(rate, (40, 3))
    counts[:20] = 50
    return Panel.of(counts, weeks, Units.of(["A", "B", "C"]))


def test_only_models_with_priors_are_checked_and_only_on_the_weeks_of_the_fit():
    found = prior_checks(MODELS, panel(0.2), {}, 7)
    assert list(found) == ["bayes"]
    assert found["bayes"].loc["maximum", "observed"] < 10
    assert (found["bayes"]["q5"] <= found["bayes"]["q95"]).all()
    pd.testing.assert_frame_equal(found["bayes"], prior_checks(MODELS, panel(0.2), {}, 7)["bayes"])


def test_a_model_that_is_fitted_elsewhere_is_checked_there_up_to_the_origin():
    other = panel(5.0)
    spec = MODELS[0].model_copy(update={"fit_on": "long"})
    here = panel(0.2).weeks_between(0, 30)
    found = prior_checks([spec], here, {("long", "region"): other}, 7)
    fitted_on = other.counts[10:30]
    assert found["bayes"].loc["variance", "observed"] == np.var(fitted_on)
