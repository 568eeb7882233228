"""The posteriors of the package against long runs of a sampler on the plain model, with one latent for each level.

`benchmarks/studies/_bayes_reference.py` makes the tables: on simulated counts of 12 regions and 104 weeks, and on those
of 30 regions in the 260 weeks before 2017.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from forecast.families.bayes.family import BayesFamily
from forecast.families.bayes.negbin import BayesNegbin
from forecast.families.bayes.pareto import effective_draws
from forecast.panel.dataset import Dataset
from forecast.panel.panel import Panel

HERE = Path(__file__).parent
ROOT = HERE.parents[1]


def embedded_panel() -> Panel:
    panel = Dataset.open(ROOT / "data" / "west-africa-weekly").region_panel(countries=("Mali", "Burkina Faso", "Niger"))
    panel = panel.until(pd.Timestamp("2017-01-07"))
    return panel.weeks_between(len(panel.weeks) - 260, len(panel.weeks))


def simulated_panel() -> Panel:
    table = pd.read_csv(HERE / "bayes_counts_simulated.csv", index_col="week", parse_dates=True)
    like = embedded_panel().select(list(table.columns))
    like = like.weeks_between(len(like.weeks) - len(table), len(like.weeks))
    assert (like.weeks == table.index).all()
    return Panel.of(table.to_numpy(), like.weeks, like.units, neighbours=like.neighbours, simulated=True)


def reference(family: str, panel: str) -> pd.DataFrame:
    return pd.read_csv(HERE / f"{family}_{panel}.csv", index_col="parameter")


def compared(family: BayesFamily, panel: Panel, expected: pd.DataFrame) -> pd.DataFrame:
    """Return differences from the reference in Monte Carlo standard errors of the difference.

    Of means and standard deviations, and of the shares of draws below the ends of the reference's 90 % interval. Of a
    region's level in the last block of weeks, the mean and the standard deviation.
    """
    fitted = family.fit(panel, np.random.default_rng(5))
    assert fitted.remarks == ()
    theta, weights = fitted.theta, fitted.weights
    told = fitted.base.diagnostics
    worth = told.bulk_ess if family.method == "nuts" else min(told.effective, effective_draws(weights))
    mean = weights @ theta
    found = pd.DataFrame({"mean": mean, "sd": np.sqrt(weights @ (theta - mean) ** 2)}, list(fitted.base.layout.names))
    grid = fitted.density.chain.grid
    points = np.tensordot(weights, fitted.state.points, axes=1)
    level = points @ grid
    names = [f"last[{unit}]" for unit in panel.units.names]
    last = pd.DataFrame({"mean": level, "sd": np.sqrt(points @ grid**2 - level**2)}, names)
    both = pd.concat([found, last])
    assert list(both.index) == list(expected.index)
    ours = expected["sd"] / np.sqrt(worth)
    out = pd.DataFrame(
        {
            "mean": (both["mean"] - expected["mean"]) / np.hypot(ours, expected["mcse_mean"]),
            "sd": (both["sd"] - expected["sd"]) / np.hypot(ours / np.sqrt(2), expected["mcse_sd"]),
        }
    )
    for share, end in ((0.05, "q5"), (0.95, "q95")):
        below = weights @ (theta < expected.loc[found.index, end].to_numpy())
        error = np.sqrt(share * (1 - share) * (1 / worth + 1 / expected.loc[found.index, "bulk_ess"]))
        out[end] = (below - share) / error
    return out


def assert_within_monte_carlo_error(errors: pd.DataFrame) -> None:
    values = errors.to_numpy()[~errors.isna().to_numpy()]
    assert np.abs(values).max() < 4.5, errors
    assert np.sqrt(np.mean(values**2)) < 1.5, errors


@pytest.mark.parametrize("name", ["bayes_negbin_simulated", "bayes_negbin_embedded"])
def test_the_reference_has_converged(name: str) -> None:
    table = pd.read_csv(HERE / f"{name}.csv", index_col="parameter")
    assert table["r_hat"].max() < 1.01
    assert table["bulk_ess"].min() > 400


def test_laplace_agrees_on_simulated_counts() -> None:
    family = BayesNegbin(draws=4000, proposals=12_000)
    assert_within_monte_carlo_error(compared(family, simulated_panel(), reference("bayes_negbin", "simulated")))


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_laplace_agrees_on_embedded_counts() -> None:
    family = BayesNegbin(draws=4000, proposals=12_000)
    assert_within_monte_carlo_error(compared(family, embedded_panel(), reference("bayes_negbin", "embedded")))


@pytest.mark.slow
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("panel", ["simulated", "embedded"])
def test_nuts_agrees(panel: str) -> None:
    pytest.importorskip("pymc")
    pytest.importorskip("nutpie")
    family = BayesNegbin(method="nuts", draws=2000)
    counts = simulated_panel() if panel == "simulated" else embedded_panel()
    assert_within_monte_carlo_error(compared(family, counts, reference("bayes_negbin", panel)))
