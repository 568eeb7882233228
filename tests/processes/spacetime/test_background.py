"""Backgrounds: mass one inside the area, the kernel by definition, bandwidths, events left out, discs."""

from __future__ import annotations

import numpy as np
import pytest

from forecast.errors import InputError
from forecast.processes.spacetime.area import Area
from forecast.processes.spacetime.background import NEIGHBOURS, UNIFORM, WIDEST_KM, Background, best_neighbours
from forecast.processes.spacetime.smoothing import REACH, smoothed
from forecast.processes.spacetime.sphere import chord_km


def ragged() -> Area:
    inside = np.ones((40, 50), dtype=bool)
    inside[:12, :20] = inside[30:, 35:] = False
    return Area.of_mask(12.0, -8.0, 0.1, inside)


def test_kernels_are_gaussians_divided_by_their_mass_inside():
    area = ragged()
    cells, mass, width = np.array([0, 700, 1500]), np.array([1.0, 2.5, 0.5]), np.array([15.0, 60.0, 25.0])
    density, peak = smoothed(area, cells, mass, width)
    expected = np.zeros(len(area))
    for cell, weight, h, top in zip(cells, mass, width, peak, strict=True):
        square = ((area.vectors() - area.vectors()[cell]) ** 2).sum(axis=1)
        kernel = np.where(square <= (REACH * h) ** 2, np.exp(-square / (2 * h**2)), 0.0)
        kernel /= kernel @ area.sizes
        assert top == pytest.approx(kernel[cell], rel=1e-9)
        expected += weight * kernel
    np.testing.assert_allclose(density, expected, rtol=1e-9, atol=1e-18)
    assert density @ area.sizes == pytest.approx(4.0, rel=1e-12)


@pytest.mark.parametrize("neighbours", [1.0, 20.0, None])
def test_a_background_has_mass_one(neighbours):
    area, rng = ragged(), np.random.default_rng(1)
    cells, weights = rng.integers(0, len(area), 300), rng.random(300)
    found = Background.smoothed(area, cells, weights, neighbours=neighbours)
    assert found.density @ area.sizes == pytest.approx(1.0, rel=1e-12)
    assert found.density.min() >= UNIFORM / area.sizes.sum()
    lat, lon = found.draw(2000, rng)
    assert (area.locate(lat, lon) >= 0).all()
    drawn = np.bincount(area.locate(lat, lon), minlength=len(area)) @ found.density / 2000
    assert drawn == pytest.approx(found.density**2 @ area.sizes, rel=0.1)


def test_an_event_can_be_left_out():
    area, rng = ragged(), np.random.default_rng(2)
    cells, weights = rng.integers(0, len(area), 30), rng.uniform(0.2, 1.0, 30)
    whole = Background.smoothed(area, cells, weights, neighbours=1e9)  # all bandwidths are the widest
    left = whole.at(cells, weights)
    for event in range(5):
        rest = np.arange(30) != event
        without = Background.smoothed(area, cells[rest], weights[rest], neighbours=1e9)
        assert left[event] == pytest.approx(without.density[cells[event]], rel=1e-9)
    assert WIDEST_KM > 100


def test_bandwidths_are_narrow_where_events_are_many():
    area, rng = Area.box(0.0, 0.0, 6.0, 6.0), np.random.default_rng(3)
    lat, lon = np.append(rng.normal(1.0, 0.1, 400), 5.0), np.append(rng.normal(1.0, 0.1, 400), 5.0)
    found = Background.smoothed(area, area.locate(lat, lon), np.ones(401), neighbours=10.0)
    dense, alone = area.locate(np.array([1.0, 5.0]), np.array([1.0, 5.0]))
    assert found.alone[dense] > 50 * found.alone[alone]


def test_the_reach_follows_the_data():
    area, rng, chosen = Area.box(0.0, 0.0, 6.0, 6.0), np.random.default_rng(4), []
    for spread in (0.05, 10.0):
        towns = rng.uniform(0.5, 5.5, (40, 2))[rng.integers(0, 40, 1200)]
        at = (towns + spread * rng.normal(size=towns.shape)) % 6.0
        chosen.append(best_neighbours(area, area.locate(*at.T), np.ones(1200)))
    assert set(chosen) <= set(NEIGHBOURS)
    assert chosen[1] >= 2 * chosen[0]


def test_the_mass_of_a_disc_is_its_area():
    area = Area.box(0.0, 0.0, 6.0, 6.0)
    within = Background.uniform(area).within(np.array([3.0, 0.0, 20.0]), np.array([3.0, 0.0, 3.0]), 100.0)
    whole = np.pi * chord_km(100.0) ** 2 / area.sizes.sum()
    np.testing.assert_allclose(within, [whole, whole / 4, 0.0], rtol=5e-3)
    assert Background.uniform(area).within(np.array([3.0]), np.array([3.0]), 2000.0)[0] == pytest.approx(1.0)


@pytest.mark.parametrize("weights", [[0.0, 0.0], [1.0, -1.0], [1.0, np.nan], []])
def test_bad_weights_are_refused(weights):
    with pytest.raises(InputError, match="weights"):
        Background.smoothed(ragged(), np.arange(len(weights)), np.array(weights))
    with pytest.raises(InputError, match="neighbours"):
        Background.smoothed(ragged(), np.array([1]), np.ones(1), neighbours=0.0)
