"""Moments of the simulators against theory, with tolerances from the theory as well."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray
from pydantic import ValidationError

from forecast.errors import InputError
from forecast.panel.from_events import panel_from_events
from forecast.panel.units import great_circle_km
from forecast.panel.weeks import week_range
from forecast.provenance import generator
from forecast.simulation.endemic_epidemic import (
    EndemicEpidemicSettings,
    simulate_endemic_epidemic,
    stationary_mean,
)
from forecast.simulation.grid import square_grid
from forecast.simulation.hawkes import HawkesSettings, simulate_hawkes
from forecast.simulation.negbin import NegbinSettings, simulate_negbin
from forecast.simulation.poisson import PoissonSettings, simulate_poisson
from forecast.simulation.scatter import scatter_events

WEEKS = week_range(pd.Timestamp("2000-01-01"), pd.Timestamp("2000-01-01") + pd.Timedelta(weeks=2079))
GRID = square_grid(12)


def near(values: NDArray[np.float64], expected: float, error: float) -> None:
    """Within five standard errors."""
    assert abs(float(np.mean(values)) - expected) < 5 * error


def test_grid() -> None:
    grid = square_grid(7)
    assert len(grid.units) == 7
    assert grid.units.names[0] == "Simulated/R01C01"
    assert (grid.neighbours.border_km.toarray() > 0).sum() == 2 * 8  # 3 + 3 + 1 squares: 2 + 2 beside, 3 + 1 above
    assert grid.polygons.locate(grid.units.latitude, grid.units.longitude).tolist() == list(range(7))
    assert grid.areas_km2() == pytest.approx(111.195**2, rel=0.01)
    assert (grid.polygons.locate(grid.towns.latitude, grid.towns.longitude) >= 0).all()
    for regions in (0, 626):
        with pytest.raises(InputError, match="expected: 1 to 625"):
            square_grid(regions)
    assert len(square_grid(1).neighbours.border_km.data) == 0


def test_poisson_moments() -> None:
    panel, truth = simulate_poisson(PoissonSettings(), WEEKS, GRID.units, GRID.neighbours, generator(1, "p"))
    mean = np.array(truth.mean)
    z = (panel.counts.mean(axis=0) - mean) / np.sqrt(mean / len(WEEKS))
    assert np.abs(z).max() < 4.5
    dispersion = panel.counts.var(axis=0) / mean
    assert dispersion == pytest.approx(1, abs=0.2)
    assert panel.simulated
    assert panel.source.startswith("SIMULATED")


def test_negbin_moments() -> None:
    rule = NegbinSettings(mean=2, size=0.7, spread=0.3)
    panel, truth = simulate_negbin(rule, WEEKS, GRID.units, GRID.neighbours, generator(1, "n"))
    mean = np.array(truth.mean)
    variance = mean + mean**2 / truth.size
    z = (panel.counts.mean(axis=0) - mean) / np.sqrt(variance / len(WEEKS))
    assert np.abs(z).max() < 4.5
    assert panel.counts.var(axis=0) / variance == pytest.approx(1, abs=0.35)
    assert (panel.counts.var(axis=0) / variance).mean() == pytest.approx(1, abs=0.1)


def test_unequal_regions_have_the_mean_that_was_asked_for() -> None:
    rng = generator(3, "spread")
    grid = square_grid(600)
    _, truth = simulate_poisson(PoissonSettings(mean=3, spread=0.5), WEEKS[:1], grid.units, grid.neighbours, rng)
    near(np.array(truth.mean), 3, 3 * np.sqrt(np.expm1(0.25) / 600))
    assert np.log(truth.mean).std() == pytest.approx(0.5, abs=0.07)


def test_endemic_epidemic_stationary_mean() -> None:
    rule = EndemicEpidemicSettings(endemic=1, own=0.5, neighbour=0.25, amplitude=0, size=5)
    panel, truth = simulate_endemic_epidemic(rule, WEEKS, GRID.units, GRID.neighbours, generator(2, "e"))
    # A direct solution of m = endemic + own m + neighbour W m.
    mean, weights = np.array(truth.stationary), GRID.neighbours.mean_weights()
    assert np.allclose(mean, np.array(truth.endemic) + 0.5 * mean + 0.25 * (weights @ mean))
    assert mean.mean() == pytest.approx(np.mean(truth.endemic) / 0.25, rel=0.25)
    # Autocorrelation leaves about (1 - 0.75) / (1 + 0.75) of the weeks as independent ones.
    error = panel.counts.std(axis=0) / np.sqrt(len(WEEKS) / 7)
    assert (np.abs(panel.counts.mean(axis=0) - mean) / error).max() < 4.5


def test_endemic_epidemic_regression_finds_the_parameters() -> None:
    """The conditional mean is linear in last week's counts, so that least squares is consistent."""
    rule = EndemicEpidemicSettings(endemic=2, spread=0, own=0.4, neighbour=0.3, amplitude=0, size=10)
    panel, _ = simulate_endemic_epidemic(rule, WEEKS, GRID.units, GRID.neighbours, generator(4, "r"))
    y = panel.counts.astype(float)
    around = y @ GRID.neighbours.mean_weights().toarray().T
    design = np.column_stack([np.ones(y[1:].size), y[:-1].ravel(), around[:-1].ravel()])
    estimate, *_ = np.linalg.lstsq(design, y[1:].ravel(), rcond=None)
    assert estimate[1] == pytest.approx(0.4, abs=0.03)
    assert estimate[2] == pytest.approx(0.3, abs=0.03)
    residual = y[1:].ravel() - design @ estimate
    mean = design @ estimate
    assert np.mean(residual**2) == pytest.approx(np.mean(mean + mean**2 / 10), rel=0.05)


def test_endemic_epidemic_season_peaks_on_its_day_and_averages_out() -> None:
    rule = EndemicEpidemicSettings(endemic=20, spread=0, own=0, neighbour=0, amplitude=1, peak_day=200, size=1e6)
    panel, _ = simulate_endemic_epidemic(rule, WEEKS, GRID.units, GRID.neighbours, generator(5, "s"))
    weekly = panel.counts.mean(axis=1)
    assert weekly.mean() == pytest.approx(20, rel=0.01)
    day = WEEKS.day_of_year.to_numpy()
    assert weekly[np.abs(day - 200) < 10].mean() / weekly[np.abs(day - 17) < 10].mean() == pytest.approx(
        np.exp(2), rel=0.1
    )


def test_endemic_epidemic_must_be_stable() -> None:
    with pytest.raises(ValidationError, match="counts explode"):
        EndemicEpidemicSettings(own=0.7, neighbour=0.3)


def test_stationary_mean_without_neighbours() -> None:
    alone = square_grid(1)
    mean = stationary_mean(np.array([2.0]), 0.5, 0.3, alone.neighbours.mean_weights())
    assert mean.tolist() == [4.0]


@pytest.mark.parametrize("branching", [0.0, 0.5, 0.8])
def test_hawkes_mean_rate(branching: float) -> None:
    """The mean is background / (1 - branching), in the first year as in the last, at the rim as in the middle."""
    rule = HawkesSettings(background=0.5, branching=branching, delay_days=10, spread_km=25)
    events, truth = simulate_hawkes(rule, WEEKS, GRID, generator(6, "h"))
    assert truth.mean == pytest.approx(0.5 / (1 - branching))
    panel = panel_from_events(events, GRID.polygons, first=WEEKS[0], last=WEEKS[-1])
    # The variance of a long total is that of a compound Poisson: mean / (1 - n)^2.
    cells = panel.counts.size
    near(panel.counts, truth.mean, np.sqrt(truth.mean / cells) / (1 - branching))
    near(panel.counts[:104], truth.mean, np.sqrt(truth.mean / (104 * 12)) / (1 - branching))
    near(panel.counts[:, 0], truth.mean, np.sqrt(truth.mean / len(WEEKS)) / (1 - branching))
    assert len(events) == panel.counts.sum()


def test_hawkes_clusters_in_time_and_space() -> None:
    """Pairs of events that are near in time are near in space, as the kernels say; with no branching they are not."""

    def near_pairs(branching: float) -> float:
        rule = HawkesSettings(background=0.02, branching=branching, delay_days=5, spread_km=10)
        events, _ = simulate_hawkes(rule, WEEKS, GRID, generator(7, "c"))
        latitude, longitude = events.latitude, events.longitude
        soon = np.diff(events.days.astype(int)) <= 5
        apart = great_circle_km(latitude[:-1], longitude[:-1], latitude[1:], longitude[1:])
        return float((apart[soon] < 40).mean())

    assert near_pairs(0.0) < 0.1
    assert near_pairs(0.7) > 0.5


def test_hawkes_offspring_have_the_kernels_that_are_asked_for() -> None:
    """Founders alone in an empty sea: distances to the first event of a cluster are Gaussian with the spread."""
    from forecast.simulation.hawkes import _offspring, _Points

    founders = _Points(np.zeros(40_000), np.zeros(40_000), np.zeros(40_000))
    children = _offspring(founders, 0.5, 14.0, 0.3, 1e9, generator(8, "k"))
    count = len(children.time)
    assert count == pytest.approx(20_000, abs=5 * np.sqrt(20_000))
    near(children.time, 14, 14 / np.sqrt(count))
    assert children.x.std() == pytest.approx(0.3, rel=0.03)
    assert children.y.std() == pytest.approx(0.3, rel=0.03)
    assert np.corrcoef(children.x, children.y)[0, 1] == pytest.approx(0, abs=0.04)


def test_hawkes_refuses_what_is_too_much_or_nothing() -> None:
    with pytest.raises(InputError, match="at most 5e\\+06"):
        simulate_hawkes(HawkesSettings(background=1000, branching=0.9), WEEKS, GRID, generator(1, "x"))
    with pytest.raises(InputError, match="no event happened"):
        simulate_hawkes(HawkesSettings(background=1e-9), WEEKS[:1], GRID, generator(1, "x"))


def test_scattered_events_count_back() -> None:
    panel, _ = simulate_negbin(NegbinSettings(), WEEKS[:100], GRID.units, GRID.neighbours, generator(9, "b"))
    events = scatter_events(panel, GRID, generator(9, "s"))
    again = panel_from_events(events, GRID.polygons, first=panel.weeks[0], last=panel.weeks[-1])
    assert (again.counts == panel.counts).all()
    assert (np.diff(events.days.astype(int)) >= 0).all()
    weekday = np.bincount((events.days.astype(int)) % 7, minlength=7)
    assert weekday / len(events) == pytest.approx(1 / 7, abs=0.05)
