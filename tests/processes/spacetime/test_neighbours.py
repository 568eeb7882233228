"""Neighbours against all pairs."""

from __future__ import annotations

import numpy as np
import pytest

from forecast.processes.spacetime.neighbours import earlier_neighbours
from forecast.processes.spacetime.sphere import vectors


@pytest.mark.parametrize("west", [0.0, 178.0])
@pytest.mark.parametrize("since", [0, 120])
@pytest.mark.parametrize(("days", "km"), [(5.0, 50.0), (40.0, 400.0), (1000.0, 5000.0)])
def test_neighbours_are_those_of_all_pairs(days, km, since, west):
    rng = np.random.default_rng(1)
    times = np.sort(np.floor(rng.uniform(0, 100, 300)))
    points = vectors(rng.uniform(-5, 5, 300), rng.uniform(west, west + 5, 300))
    found = earlier_neighbours(times, points, days, km, since=since)
    lag = np.subtract.outer(times, times)
    apart = np.linalg.norm(points[:, None] - points[None], axis=2)
    for i in range(300):
        expected = np.flatnonzero((lag[i] > 0) & (lag[i] <= days) & (apart[i] <= km)) if i >= since else []
        assert sorted(found.parent[found.first[i] : found.first[i + 1]]) == list(expected)


def test_one_event_has_none():
    found = earlier_neighbours(np.zeros(1), np.zeros((1, 3)), 1.0, 1.0)
    assert len(found.parent) == 0
    assert list(found.first) == [0, 0]
