"""What holds for every family and every model of the catalogue."""

from __future__ import annotations

import pickle
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from forecast.errors import InputError
from forecast.families.model import ModelSpec
from forecast.panel.panel import Panel

HORIZON, DRAWS = 3, 300
CERTAIN = {"zero"}
"""Families that say the same whatever the data and the seed."""


def fitted(spec: ModelSpec, panel: Panel, seed: int = 1):
    return spec.fit(panel, np.random.default_rng(seed))


def predicted(spec: ModelSpec, panel: Panel, *, seed: int = 2, horizon: int = HORIZON, draws: int = DRAWS):
    return fitted(spec, panel).predict(horizon, draws, np.random.default_rng(seed))


def same(a, b) -> bool:
    return a.paths.tobytes() == b.paths.tobytes() and a.pmf.tobytes() == b.pmf.tobytes() and a.pmf.shape == b.pmf.shape


def test_a_forecast_has_the_shape_the_weeks_and_the_type(spec, panel):
    forecast = predicted(spec, panel)
    assert forecast.paths.shape == (DRAWS, HORIZON, len(panel.units))
    assert forecast.paths.dtype == np.int32
    assert (forecast.paths >= 0).all()
    assert forecast.pmf.shape[:2] == (HORIZON, len(panel.units))
    assert forecast.pmf.dtype == np.float64
    assert list(forecast.weeks) == [panel.origin + pd.Timedelta(weeks=ahead) for ahead in range(HORIZON)]
    assert forecast.weeks.dtype == panel.weeks.dtype
    assert forecast.units.names == panel.units.names


def test_same_seed_and_data_give_the_same_bytes(spec, panel):
    assert same(predicted(spec, panel), predicted(spec, panel))


def test_another_seed_gives_other_paths(spec, panel):
    one, other = predicted(spec, panel, seed=2), predicted(spec, panel, seed=3)
    assert np.array_equal(one.paths, other.paths) == (spec.family in CERTAIN)


def test_prediction_leaves_no_trace(spec, panel):
    model = fitted(spec, panel)
    first = model.predict(HORIZON, DRAWS, np.random.default_rng(2))
    model.predict(5, 17, np.random.default_rng(9))
    assert same(first, model.predict(HORIZON, DRAWS, np.random.default_rng(2)))


def test_nothing_after_the_origin_can_change_a_forecast(spec, panel, make_panel, counts):
    origin = panel.weeks[60]
    future = counts.copy()
    future[60:] = 50 + future[60:][::-1]
    changed = make_panel(future, observed=panel.observed)
    assert same(predicted(spec, panel.until(origin)), predicted(spec, changed.until(origin)))


def test_a_dataset_to_fit_on_is_cut_at_the_origin(spec, panel, make_panel, counts):
    origin = panel.weeks[60]
    altered = counts.copy()
    altered[60:] += 9
    forecasts = [
        spec.fit(panel.until(origin), np.random.default_rng(1), fit_panel=other).predict(
            HORIZON, DRAWS, np.random.default_rng(2)
        )
        for other in (make_panel(counts), make_panel(altered))
    ]
    assert same(*forecasts)


def test_the_pmf_agrees_with_the_paths(spec, panel):
    draws = 4000
    forecast = predicted(spec, panel, draws=draws)
    head = min(forecast.pmf.shape[2], 6)
    share = (forecast.paths[..., None] == np.arange(head)).mean(axis=0)
    p = forecast.pmf[..., :head]
    # 5 standard errors of a share of independent paths, and as much for pmfs averaged over the same paths.
    assert (np.abs(share - p) <= 5 * np.sqrt(p * (1 - p) / draws) + 3 / draws).all()
    spread = forecast.paths.std(axis=0)
    assert (np.abs(forecast.paths.mean(axis=0) - forecast.mean()) <= 5 * spread / np.sqrt(draws) + 1e-6).all()
    assert (forecast.tail() < 1e-6).all()


def test_update_with_the_same_panel_changes_nothing(spec, panel):
    model = fitted(spec, panel)
    again = model.update(panel)
    forecasts = [item.predict(HORIZON, DRAWS, np.random.default_rng(2)) for item in (model, again)]
    assert same(*forecasts)


def test_updates_week_by_week_end_where_one_update_does(spec, panel):
    start = fitted(spec, panel.until(panel.weeks[70]))
    stepped = start
    for stop in range(71, 81):
        stepped = stepped.update(panel.weeks_between(0, stop))
    forecasts = [item.predict(HORIZON, DRAWS, np.random.default_rng(2)) for item in (stepped, start.update(panel))]
    assert same(*forecasts)
    assert forecasts[0].origin == panel.origin


def test_update_keeps_the_parameters(spec, panel, make_panel, counts):
    model = fitted(spec, panel)
    pd.testing.assert_frame_equal(model.update(make_panel(counts + 3)).summary(), model.summary())


def test_update_takes_a_panel_of_other_units_much_later(spec, panel, make_panel, counts):
    later = make_panel(counts[:30, :4], first="2026-01-03")
    units = replace(later.units, names=("A/unit 0", "A/new", "C/new", "B/unit 3"), groups=("A", "A", "C", "B"))
    later = replace(later, units=units)
    forecast = fitted(spec, panel).update(later).predict(HORIZON, DRAWS, np.random.default_rng(2))
    assert forecast.units.names == units.names
    assert forecast.origin == later.origin
    assert forecast.mean().max() < 30


def test_the_order_of_units_does_not_matter(spec, panel):
    draws, order = 4000, [3, 0, 4, 2, 1]
    plain = predicted(spec, panel, draws=draws)
    turned = predicted(spec, panel.select([panel.units.names[at] for at in order]), draws=draws)
    error = np.hypot(plain.paths.std(axis=0)[:, order], turned.paths.std(axis=0)) / np.sqrt(draws)
    assert turned.units.names == tuple(panel.units.names[at] for at in order)
    assert (np.abs(turned.mean() - plain.mean()[:, order]) <= 5 * error + 1e-4).all()


def test_a_missing_week_is_not_a_week_without_events(spec, make_panel, counts):
    observed = np.ones(counts.shape, dtype=bool)
    observed[-12:, 4] = False
    silent = np.where(observed, counts, 0)
    unknown, zero = predicted(spec, make_panel(silent, observed=observed)), predicted(spec, make_panel(silent))
    assert np.array_equal(unknown.paths, zero.paths) == (spec.family in CERTAIN)
    if spec.family not in CERTAIN:
        assert (unknown.mean()[:, 4] > zero.mean()[:, 4]).all()


def test_the_number_under_a_missing_week_is_never_read(spec, panel):
    written = np.where(panel.observed, panel.counts, 99)
    assert same(predicted(spec, panel), predicted(spec, replace(panel, counts=written)))


def test_a_panel_is_not_changed(spec, panel):
    before = pickle.dumps((panel.counts, panel.observed, panel.exposure))
    fitted(spec, panel).update(panel).predict(HORIZON, DRAWS, np.random.default_rng(2))
    assert pickle.dumps((panel.counts, panel.observed, panel.exposure)) == before


def test_a_fitted_model_survives_the_way_to_a_worker(spec, panel):
    model = fitted(spec, panel)
    copy = pickle.loads(pickle.dumps(model))
    forecasts = [item.predict(HORIZON, DRAWS, np.random.default_rng(2)) for item in (model, copy)]
    assert same(*forecasts)
    assert pickle.loads(pickle.dumps(spec)).build() == spec.build()


def test_the_summary_has_the_columns_of_the_contract(spec, panel):
    table = fitted(spec, panel).summary()
    assert table.index.name == "parameter"
    assert list(table.columns) == ["estimate", "std_error"]
    assert (table.dtypes == np.float64).all()
    assert np.isfinite(table["estimate"]).all()
    assert table.index.is_unique


@pytest.mark.parametrize(("horizon", "draws"), [(0, 10), (105, 10), (-1, 10), (4, 0), (4, -3)])
def test_horizon_and_draws_out_of_range_are_refused(spec, panel, horizon, draws):
    with pytest.raises(InputError, match=r"horizon|draws"):
        fitted(spec, panel).predict(horizon, draws, np.random.default_rng(1))


def test_the_longest_horizon_and_a_single_draw_work(spec, panel):
    model = fitted(spec, panel)
    assert model.predict(104, 2, np.random.default_rng(1)).horizon == 104
    assert model.predict(1, 1, np.random.default_rng(1)).draws == 1


def degenerate(name: str) -> tuple[np.ndarray, np.ndarray]:
    """Return counts and what is observed."""
    weeks, units = {"two weeks": (2, 3), "one week": (1, 3), "one unit": (60, 1), "one unit, two weeks": (2, 1)}.get(
        name, (60, 4)
    )
    counts = np.random.default_rng(3).poisson(0.7, (weeks, units))
    observed = np.ones((weeks, units), dtype=bool)
    match name:
        case "silent":
            counts[:] = 0
        case "one event":
            counts[:] = 0
            counts[30, 1] = 1
        case "one event in the last week":
            counts[:] = 0
            counts[-1, 2] = 1
        case "always 3":
            counts[:] = 3
        case "one silent unit":
            counts[:, 0] = 0
        case "a unit never observed":
            observed[:, 2] = False
        case "a group never observed":
            observed[:, 1::2] = False
        case "nothing in the last year":
            observed[5:] = False
        case "every other week":
            observed[::2] = False
    return counts, observed


@pytest.mark.parametrize(
    "name",
    [
        "one week",
        "two weeks",
        "one unit",
        "one unit, two weeks",
        "silent",
        "one event",
        "one event in the last week",
        "always 3",
        "one silent unit",
        "a unit never observed",
        "a group never observed",
        "nothing in the last year",
        "every other week",
    ],
)
def test_a_panel_at_the_edge_gives_a_sensible_forecast(spec, make_panel, name):
    counts, observed = degenerate(name)
    panel = make_panel(counts, observed=observed)
    forecast = predicted(spec, panel)
    assert forecast.mean().max() <= 3 * max(panel.counts.max(), 1)
    if name == "silent":
        assert (forecast.pmf[..., 0] > 0.8).all()
    if name == "always 3" and spec.family not in CERTAIN:
        assert np.allclose(forecast.mean(), 3, rtol=0.35)


def test_a_panel_of_which_nothing_is_known_is_refused_or_has_a_small_rate(spec, make_panel):
    panel = make_panel(np.zeros((10, 3), dtype=int), observed=np.zeros((10, 3), dtype=bool))
    if spec.family in {"zero", "discount_negbin"}:
        assert predicted(spec, panel).mean().max() < 1
    else:
        with pytest.raises(InputError, match="no week of any unit is observed"):
            predicted(spec, panel)


def test_very_large_counts_are_forecast_as_such(spec, make_panel, counts):
    large = counts.copy()
    large[:, 4] = np.random.default_rng(4).poisson(10_000, len(large))
    forecast = predicted(spec, make_panel(large))
    assert forecast.paths.max() < 200_000
    if spec.family not in CERTAIN:
        assert np.allclose(forecast.mean()[:, 4], 10_000, rtol=0.4)
    others = forecast.mean()[:, 1]
    assert (others < 2_000).all()


def test_a_refit_ends_where_a_fit_does(spec, panel):
    start = fitted(spec, panel.until(panel.weeks[70]))
    family = spec.build()
    fresh, again = (
        fit.update(panel).predict(HORIZON, DRAWS, np.random.default_rng(2))
        for fit in (
            family.fit(panel, np.random.default_rng(1)),
            family.refit(panel, np.random.default_rng(1), start),
        )
    )
    np.testing.assert_allclose(again.pmf[..., 0], fresh.pmf[..., 0], atol=2e-3)
    np.testing.assert_allclose(again.mean(), fresh.mean(), rtol=0.05, atol=1e-3)


def test_remarks_are_plain_words(spec, panel):
    remarks = fitted(spec, panel).remarks
    assert isinstance(remarks, tuple)
    assert all(isinstance(remark, str) and remark for remark in remarks)


def test_a_forecast_carries_the_remarks_of_its_fit(spec, panel):
    model = fitted(spec, panel)
    assert model.predict(HORIZON, DRAWS, np.random.default_rng(2)).remarks == model.remarks
