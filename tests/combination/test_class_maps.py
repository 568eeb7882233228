"""Maps by class: many cases get their own, few keep that of all."""

from __future__ import annotations

from functools import partial

import numpy as np
import pytest

from forecast.combination.cdf_maps import BetaMap, fit_beta_map, remap
from forecast.combination.class_maps import fit_cdf_classes, fit_event_classes
from forecast.combination.event_maps import fit_isotonic_map, fit_logit_map
from forecast.combination.level_map import Identity
from forecast.errors import InputError

GRID = np.linspace(0, 1, 51)


def pairs(n, a, b, rng):
    edge = np.floor(rng.beta(a, b, n) * 40) / 40
    return np.column_stack([edge, edge + 0.025])


def off(one, other):
    return float(np.abs(one(GRID) - other(GRID)).max())


def test_a_class_gets_its_own_map_by_how_many_cases_it_has():
    rng = np.random.default_rng(1)
    sizes = {"many": 5000, "some": 400, "few": 150}
    past = np.vstack([pairs(20_000, 1.0, 1.0, rng), *(pairs(n, 0.5, 0.5, rng) for n in sizes.values())])
    label = np.repeat(["calm", *sizes], [20_000, *sizes.values()])
    maps = fit_cdf_classes(past, [label], fit_beta_map)
    truth, overall = BetaMap(0.5, 0.5), maps.of()
    away = {name: off(maps.of(name), truth) for name in sizes}
    assert away["many"] < away["some"] < away["few"]
    assert away["many"] < 0.02
    assert off(maps.of("few"), overall) == 0.0  # below the minimum
    assert off(maps.of("never seen"), overall) == 0.0
    assert off(maps.of("calm"), Identity()) < 0.02
    strong = fit_cdf_classes(past, [label], partial(fit_beta_map, prior=1e6))
    assert off(strong.of("many"), strong.of()) < 0.01


def test_classes_within_classes():
    rng = np.random.default_rng(2)
    blocks = {
        (1, "silent"): (1.0, 1.0),
        (1, "active"): (0.6, 0.6),
        (8, "silent"): (1.5, 1.0),
        (8, "active"): (0.7, 1.5),
    }
    past = np.vstack([pairs(4000, *shape, rng) for shape in blocks.values()])
    horizon = np.repeat([h for h, _ in blocks], 4000)
    activity = np.repeat([a for _, a in blocks], 4000)
    maps = fit_cdf_classes(past, [horizon, activity], fit_beta_map)
    assert set(maps.maps) == {(), (1,), (8,), *blocks}
    for label, shape in blocks.items():
        assert off(maps.of(*label), BetaMap(*shape)) < 0.05
    assert off(maps.of(8, "low"), maps.of(8)) == 0.0


def test_cells_are_mapped_by_their_class():
    rng = np.random.default_rng(3)
    past = np.vstack([pairs(2000, 0.6, 0.6, rng), pairs(2000, 1.6, 1.6, rng)])
    maps = fit_cdf_classes(past, [np.repeat([1, 2], 2000)], fit_beta_map)
    pmf = rng.dirichlet(np.ones(6), (2, 3))
    after = remap(pmf, maps.at(np.array([[1], [2]]) * np.ones((1, 3), int)))
    for h in range(2):
        np.testing.assert_allclose(after[h], remap(pmf[h], maps.of(h + 1)))
    with pytest.raises(InputError, match="levels of shape"):
        maps.at([1, 2])(np.ones((3, 2)))


def test_event_probabilities_by_class():
    rng = np.random.default_rng(4)
    said = rng.beta(1, 4, 12_000)
    label = np.repeat(["silent", "active"], 6000)
    came = (rng.random(12_000) < np.where(label == "active", np.minimum(1.5 * said, 1), 0.5 * said)).astype(float)
    for fit in (fit_logit_map, fit_isotonic_map):
        maps = fit_event_classes(said, came, [label], fit)
        assert maps.of("active")(0.3) == pytest.approx(0.45, abs=0.05)
        assert maps.of("silent")(0.3) == pytest.approx(0.15, abs=0.05)
    np.testing.assert_allclose(
        maps.at(["silent", "active"])([0.3, 0.3]), [maps.of("silent")(0.3), maps.of("active")(0.3)]
    )


def test_weights_reach_the_classes_and_unknown_cases_stay_unknown():
    rng = np.random.default_rng(5)
    past, label = pairs(1000, 0.5, 0.5, rng), np.repeat(["a", "b"], 500)
    past[::10] = np.nan
    maps = fit_cdf_classes(past, [label], fit_beta_map, weight=np.where(label == "a", 1.0, 0.1))
    assert maps.maps["b",] == Identity()
    assert maps.maps["a",] != Identity()


def test_bad_labels_are_refused():
    with pytest.raises(InputError, match="labels of shapes"):
        fit_cdf_classes([[0.1, 0.2]], [["a", "b"]], fit_beta_map)
    with pytest.raises(InputError, match="no labels"):
        fit_cdf_classes([[0.1, 0.2]], [], fit_beta_map).at()


def test_a_class_of_too_few_cases_changes_nothing_unless_the_map_of_all_does():
    few = fit_event_classes([0.5] * 100, [1] * 80 + [0] * 20, [["active"] * 100], fit_logit_map)
    assert not few.changes("active")
    assert few.of("active")(0.5) == 0.5
    kinds = ["active"] * 500 + ["silent"] * 10
    many = fit_event_classes([0.5] * 510, [1] * 400 + [0] * 110, [kinds], fit_logit_map)
    assert many.changes("active")
    assert many.changes("silent")  # by the map of all
