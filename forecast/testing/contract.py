"""What holds for every family: checks that a third party can run on its own."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pandas as pd

from forecast.errors import InputError
from forecast.families.model import ModelSpec
from forecast.families.protocol import Fitted
from forecast.panel.panel import Panel
from forecast.predictive.forecast import Forecast
from forecast.testing.panels import EDGES, draw_counts, edge_panel, panel_of, usual_panel

HORIZON, DRAWS = 3, 300

Check = Callable[[ModelSpec], None]


def fitted(spec: ModelSpec, panel: Panel, seed: int = 1) -> Fitted:
    """Return the model fitted to a panel."""
    return spec.fit(panel, np.random.default_rng(seed))


def predicted(spec: ModelSpec, panel: Panel, *, seed: int = 2, horizon: int = HORIZON, draws: int = DRAWS) -> Forecast:
    """Return what the model forecasts after a panel."""
    return fitted(spec, panel).predict(horizon, draws, np.random.default_rng(seed))


def same(one: Forecast, other: Forecast) -> bool:
    """Return whether two forecasts are the same bytes."""
    if one.pmf.shape != other.pmf.shape:
        return False
    return one.paths.tobytes() == other.paths.tobytes() and one.pmf.tobytes() == other.pmf.tobytes()


def certain(spec: ModelSpec) -> bool:
    """Return whether a model says the same whatever the data and the seed."""
    panel = usual_panel()
    other = panel_of(draw_counts() + 5)
    return same(predicted(spec, panel, seed=2), predicted(spec, other, seed=3))


def a_forecast_has_the_shape_the_weeks_and_the_type(spec: ModelSpec) -> None:
    """A forecast has the shape the weeks and the type."""
    panel = usual_panel()
    forecast = predicted(spec, panel)
    assert forecast.paths.shape == (DRAWS, HORIZON, len(panel.units))
    assert forecast.paths.dtype == np.int32
    assert (forecast.paths >= 0).all()
    assert forecast.pmf.shape[:2] == (HORIZON, len(panel.units))
    assert forecast.pmf.dtype == np.float64
    assert list(forecast.weeks) == [panel.origin + pd.Timedelta(weeks=ahead) for ahead in range(HORIZON)]
    assert forecast.weeks.dtype == panel.weeks.dtype
    assert forecast.units.names == panel.units.names


def same_seed_and_data_give_the_same_bytes(spec: ModelSpec) -> None:
    """Same seed and data give the same bytes."""
    panel = usual_panel()
    assert same(predicted(spec, panel), predicted(spec, panel))


def another_seed_gives_other_paths(spec: ModelSpec) -> None:
    """Another seed gives other paths."""
    panel = usual_panel()
    one, other = predicted(spec, panel, seed=2), predicted(spec, panel, seed=3)
    assert np.array_equal(one.paths, other.paths) == (certain(spec))


def prediction_leaves_no_trace(spec: ModelSpec) -> None:
    """Prediction leaves no trace."""
    panel = usual_panel()
    model = fitted(spec, panel)
    first = model.predict(HORIZON, DRAWS, np.random.default_rng(2))
    model.predict(5, 17, np.random.default_rng(9))
    assert same(first, model.predict(HORIZON, DRAWS, np.random.default_rng(2)))


def nothing_after_the_origin_can_change_a_forecast(spec: ModelSpec) -> None:
    """Nothing after the origin can change a forecast."""
    counts = draw_counts()
    panel = usual_panel()
    origin = panel.weeks[60]
    future = counts.copy()
    future[60:] = 50 + future[60:][::-1]
    changed = panel_of(future, observed=panel.observed)
    assert same(predicted(spec, panel.until(origin)), predicted(spec, changed.until(origin)))


def a_dataset_to_fit_on_is_cut_at_the_origin(spec: ModelSpec) -> None:
    """A dataset to fit on is cut at the origin."""
    counts = draw_counts()
    panel = usual_panel()
    origin = panel.weeks[60]
    altered = counts.copy()
    altered[60:] += 9
    forecasts = [
        spec.fit(panel.until(origin), np.random.default_rng(1), fit_panel=other).predict(
            HORIZON, DRAWS, np.random.default_rng(2)
        )
        for other in (panel_of(counts), panel_of(altered))
    ]
    assert same(*forecasts)


def the_pmf_agrees_with_the_paths(spec: ModelSpec) -> None:
    """The pmf agrees with the paths."""
    panel = usual_panel()
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


def update_with_the_same_panel_changes_nothing(spec: ModelSpec) -> None:
    """Update with the same panel changes nothing."""
    panel = usual_panel()
    model = fitted(spec, panel)
    again = model.update(panel)
    forecasts = [item.predict(HORIZON, DRAWS, np.random.default_rng(2)) for item in (model, again)]
    assert same(*forecasts)


def updates_week_by_week_end_where_one_update_does(spec: ModelSpec) -> None:
    """Updates week by week end where one update does."""
    panel = usual_panel()
    start = fitted(spec, panel.until(panel.weeks[70]))
    stepped = start
    for stop in range(71, 81):
        stepped = stepped.update(panel.weeks_between(0, stop))
    forecasts = [item.predict(HORIZON, DRAWS, np.random.default_rng(2)) for item in (stepped, start.update(panel))]
    assert same(*forecasts)
    assert forecasts[0].origin == panel.origin


def update_keeps_the_parameters(spec: ModelSpec) -> None:
    """Update keeps the parameters."""
    counts = draw_counts()
    panel = usual_panel()
    model = fitted(spec, panel)
    pd.testing.assert_frame_equal(model.update(panel_of(counts + 3)).summary(), model.summary())


def update_takes_a_panel_of_other_units_much_later(spec: ModelSpec) -> None:
    """Update takes a panel of other units much later."""
    counts = draw_counts()
    panel = usual_panel()
    later = panel_of(counts[:30, :4], first="2026-01-03")
    units = replace(later.units, names=("A/unit 0", "A/new", "C/new", "B/unit 3"), groups=("A", "A", "C", "B"))
    later = replace(later, units=units)
    forecast = fitted(spec, panel).update(later).predict(HORIZON, DRAWS, np.random.default_rng(2))
    assert forecast.units.names == units.names
    assert forecast.origin == later.origin
    assert forecast.mean().max() < 30


def the_order_of_units_does_not_matter(spec: ModelSpec) -> None:
    """The order of units does not matter."""
    panel = usual_panel()
    draws, order = 4000, [3, 0, 4, 2, 1]
    plain = predicted(spec, panel, draws=draws)
    turned = predicted(spec, panel.select([panel.units.names[at] for at in order]), draws=draws)
    error = np.hypot(plain.paths.std(axis=0)[:, order], turned.paths.std(axis=0)) / np.sqrt(draws)
    assert turned.units.names == tuple(panel.units.names[at] for at in order)
    assert (np.abs(turned.mean() - plain.mean()[:, order]) <= 5 * error + 1e-4).all()


def a_missing_week_is_not_a_week_without_events(spec: ModelSpec) -> None:
    """A missing week is not a week without events."""
    counts = draw_counts()
    observed = np.ones(counts.shape, dtype=bool)
    observed[-12:, 4] = False
    silent = np.where(observed, counts, 0)
    unknown, zero = predicted(spec, panel_of(silent, observed=observed)), predicted(spec, panel_of(silent))
    assert np.array_equal(unknown.paths, zero.paths) == (certain(spec))
    if not certain(spec):
        assert (unknown.mean()[:, 4] > zero.mean()[:, 4]).all()


def the_number_under_a_missing_week_is_never_read(spec: ModelSpec) -> None:
    """The number under a missing week is never read."""
    panel = usual_panel()
    written = np.where(panel.observed, panel.counts, 99)
    assert same(predicted(spec, panel), predicted(spec, replace(panel, counts=written)))


def a_panel_is_not_changed(spec: ModelSpec) -> None:
    """A panel is not changed."""
    panel = usual_panel()
    before = pickle.dumps((panel.counts, panel.observed, panel.exposure))
    fitted(spec, panel).update(panel).predict(HORIZON, DRAWS, np.random.default_rng(2))
    assert pickle.dumps((panel.counts, panel.observed, panel.exposure)) == before


def a_fitted_model_survives_the_way_to_a_worker(spec: ModelSpec) -> None:
    """A fitted model survives the way to a worker."""
    panel = usual_panel()
    model = fitted(spec, panel)
    copy = pickle.loads(pickle.dumps(model))
    forecasts = [item.predict(HORIZON, DRAWS, np.random.default_rng(2)) for item in (model, copy)]
    assert same(*forecasts)
    assert pickle.loads(pickle.dumps(spec)).build() == spec.build()


def the_summary_has_the_columns_of_the_contract(spec: ModelSpec) -> None:
    """The summary has the columns of the contract."""
    panel = usual_panel()
    table = fitted(spec, panel).summary()
    assert table.index.name == "parameter"
    assert list(table.columns) == ["estimate", "std_error"]
    assert (table.dtypes == np.float64).all()
    assert np.isfinite(table["estimate"]).all()
    assert table.index.is_unique


def horizon_and_draws_out_of_range_are_refused(spec: ModelSpec) -> None:
    """Horizon and draws out of range are refused."""
    model = fitted(spec, usual_panel())
    for horizon, draws in ((0, 10), (105, 10), (-1, 10), (4, 0), (4, -3)):
        try:
            model.predict(horizon, draws, np.random.default_rng(1))
        except InputError as error:
            assert "horizon" in str(error) or "draws" in str(error)
        else:
            raise AssertionError(f"a horizon of {horizon} and {draws} draws are not refused")


def the_longest_horizon_and_a_single_draw_work(spec: ModelSpec) -> None:
    """The longest horizon and a single draw work."""
    panel = usual_panel()
    model = fitted(spec, panel)
    assert model.predict(104, 2, np.random.default_rng(1)).horizon == 104
    assert model.predict(1, 1, np.random.default_rng(1)).draws == 1


def panels_at_the_edge_give_sensible_forecasts(spec: ModelSpec) -> None:
    """Panels at the edge give sensible forecasts."""
    for name in EDGES:
        panel_at_the_edge_gives_a_sensible_forecast(spec, name)


def panel_at_the_edge_gives_a_sensible_forecast(spec: ModelSpec, name: str) -> None:
    """Hold one of the panels of `EDGES` to it."""
    panel = edge_panel(name)
    forecast = predicted(spec, panel)
    assert forecast.mean().max() <= 3 * max(panel.counts.max(), 1), f"{name}: a mean beyond all that was seen"
    if name == "silent":
        assert (forecast.pmf[..., 0] > 0.8).all(), "a silent panel is not forecast as quiet"
    if name == "always 3" and not certain(spec):
        assert np.allclose(forecast.mean(), 3, rtol=0.35), "a panel of 3 events each week is not forecast as such"


def a_panel_of_which_nothing_is_known_is_refused_or_has_a_small_rate(spec: ModelSpec) -> None:
    """A panel of which nothing is known is refused or has a small rate."""
    panel = panel_of(np.zeros((10, 3), dtype=int), observed=np.zeros((10, 3), dtype=bool))
    try:
        forecast = predicted(spec, panel)
    except InputError as error:
        assert "no week of any unit is observed" in str(error)
    else:
        assert forecast.mean().max() < 1


def very_large_counts_are_forecast_as_such(spec: ModelSpec) -> None:
    """Very large counts are forecast as such."""
    counts = draw_counts()
    large = counts.copy()
    large[:, 4] = np.random.default_rng(4).poisson(10_000, len(large))
    forecast = predicted(spec, panel_of(large))
    assert forecast.paths.max() < 200_000
    if not certain(spec):
        assert np.allclose(forecast.mean()[:, 4], 10_000, rtol=0.4)
    others = forecast.mean()[:, 1]
    assert (others < 2_000).all()


def a_refit_ends_where_a_fit_does(spec: ModelSpec) -> None:
    """A refit ends where a fit does."""
    panel = usual_panel()
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


def remarks_are_plain_words(spec: ModelSpec) -> None:
    """Remarks are plain words."""
    panel = usual_panel()
    remarks = fitted(spec, panel).remarks
    assert isinstance(remarks, tuple)
    assert all(isinstance(remark, str) and remark for remark in remarks)


def a_forecast_carries_the_remarks_of_its_fit(spec: ModelSpec) -> None:
    """A forecast carries the remarks of its fit."""
    panel = usual_panel()
    model = fitted(spec, panel)
    assert model.predict(HORIZON, DRAWS, np.random.default_rng(2)).remarks == model.remarks


CHECKS: tuple[Check, ...] = (
    a_forecast_has_the_shape_the_weeks_and_the_type,
    same_seed_and_data_give_the_same_bytes,
    another_seed_gives_other_paths,
    prediction_leaves_no_trace,
    nothing_after_the_origin_can_change_a_forecast,
    a_dataset_to_fit_on_is_cut_at_the_origin,
    the_pmf_agrees_with_the_paths,
    update_with_the_same_panel_changes_nothing,
    updates_week_by_week_end_where_one_update_does,
    update_keeps_the_parameters,
    update_takes_a_panel_of_other_units_much_later,
    the_order_of_units_does_not_matter,
    a_missing_week_is_not_a_week_without_events,
    the_number_under_a_missing_week_is_never_read,
    a_panel_is_not_changed,
    a_fitted_model_survives_the_way_to_a_worker,
    the_summary_has_the_columns_of_the_contract,
    horizon_and_draws_out_of_range_are_refused,
    the_longest_horizon_and_a_single_draw_work,
    panels_at_the_edge_give_sensible_forecasts,
    a_panel_of_which_nothing_is_known_is_refused_or_has_a_small_rate,
    very_large_counts_are_forecast_as_such,
    a_refit_ends_where_a_fit_does,
    remarks_are_plain_words,
    a_forecast_carries_the_remarks_of_its_fit,
)
"""All of them."""
