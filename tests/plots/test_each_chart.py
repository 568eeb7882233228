"""What each chart computes of its frame."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from forecast import plots
from forecast.errors import InputError
from forecast.plots.chart import number_axis, week_axis
from forecast.plots.charts.calendar import calendar_data
from forecast.plots.charts.component_shares import component_shares_data
from forecast.plots.charts.excitation_kernel import excitation_kernel_data
from forecast.plots.charts.fan import fan_data
from forecast.plots.charts.pit import pit_data
from forecast.plots.charts.reliability import reliability_data
from forecast.plots.charts.ridge import ridge_data
from forecast.plots.charts.risk_map import risk_map_data
from forecast.plots.charts.skill_by_horizon import skill_by_horizon_data
from forecast.plots.charts.small_multiples import small_multiples_data
from forecast.plots.charts.track_record import track_record_data


def test_fan_pairs_quantiles_and_ends_the_past_at_the_first_week(frames):
    later = pd.DataFrame({"unit": "Mali/Mopti", "week": [frames.WEEKS[1]], "events": [99.0]})
    data = fan_data(frames.quantiles(), pd.concat([frames.counts(), later]), unit="Mali/Mopti", past=5)
    assert data.levels == (0.95, 0.8, 0.5)
    assert data.past["week"].tolist() == list(frames.PAST[-5:])
    assert data.ahead["low_0.8"].tolist() == [round(5 * 0.1 * 2 + step) for step in range(4)]
    assert data.ahead["high_0.95"].tolist() == [round(5 * 0.975 * 2 + step) for step in range(4)]
    assert data.span == (frames.PAST[-5], frames.WEEKS[-1] + pd.Timedelta(days=7))


def test_fan_of_many_quantiles_shows_three_ranges(frames):
    levels = np.round(np.arange(0.05, 1, 0.05), 2)
    frame = pd.DataFrame({"unit": "Gao", "week": "2026-08-01", "quantile": levels, "value": 10 * levels})
    assert fan_data(frame).levels == (0.9, 0.5, 0.1)
    assert fan_data(frame[frame["quantile"].isin([0.1, 0.5, 0.9])]).levels == (0.8,)


@pytest.mark.parametrize("levels", [[0.1, 0.9], [0.5, 0.9], [0.5]])
def test_fan_needs_a_median_and_a_pair(levels):
    frame = pd.DataFrame({"unit": "Gao", "week": "2026-08-01", "quantile": levels, "value": 1.0})
    with pytest.raises(InputError, match="the quantiles"):
        plots.fan(frame)


def test_fan_refuses_a_week_that_lacks_a_quantile(frames):
    with pytest.raises(InputError, match="not every week"):
        plots.fan(frames.quantiles().iloc[1:], unit="Mali/Mopti")


def test_small_multiples_keep_the_order_asked_for(frames):
    fans = small_multiples_data(frames.quantiles(), units=["Niger/Diffa", "Mali/Mopti"])
    assert [fan.unit for fan in fans] == ["Niger/Diffa", "Mali/Mopti"]
    plot = plots.small_multiples(frames.quantiles(), same_scale=False, columns=1)
    assert plot.layout.yaxis.range != plot.layout.yaxis2.range
    with pytest.raises(InputError, match="unknown unit 'Gao'"):
        plots.small_multiples(frames.quantiles(), units=["Gao"])
    with pytest.raises(InputError, match="0 columns"):
        plots.small_multiples(frames.quantiles(), columns=0)


def test_risk_map_colours_every_outline(frames):
    data = risk_map_data(frames.probabilities(), frames.shapes())
    assert data.regions.set_index("unit")["kind"].to_dict() == {"Mali/Mopti": 7, "Niger/Diffa": -1, "Niger/Agadez": -1}
    assert "no forecast" in [trace.name for trace in plots.risk_map(frames.probabilities(), frames.shapes()).data]


def test_risk_map_of_one_escalation(frames):
    both = pd.concat([frames.probabilities().assign(escalation=name) for name in ("any", "five")])
    assert len(risk_map_data(both, frames.shapes(), escalation="five").regions) == 3
    with pytest.raises(InputError, match="2 names in the column 'escalation'"):
        plots.risk_map(both, frames.shapes())
    with pytest.raises(InputError, match="no column 'model'"):
        plots.risk_map(both, frames.shapes(), escalation="any", model="pool")
    with pytest.raises(InputError, match="none of the units has an outline, such as 'Mali/Mopti'"):
        plots.risk_map(frames.probabilities(), {"Gao": frames.shapes()["Niger/Agadez"]})


def test_pit_without_band_and_groups():
    bars = pit_data(pd.DataFrame({"left": [0.5, 0], "right": [1, 0.5], "density": [1.1, 0.9]}))
    assert bars["left"].tolist() == [0, 0.5]
    assert bars["low"].isna().all()
    with pytest.raises(InputError, match="ends before it begins"):
        plots.pit(pd.DataFrame({"left": [0.5], "right": [0.5], "density": [1]}))


def test_reliability_keeps_the_corners_and_all_statements(frames):
    data = reliability_data(frames.curve())
    assert data.curve["probability"].tolist() == [0.02, 0.1, 0.3, 0.45, 0.8]
    assert data.histogram["count"].sum() == frames.curve()["n"].sum()
    flat = pd.DataFrame({"probability": [0.1, 0.2, 0.3, 0.4], "recalibrated": [0.2, 0.2, 0.2, 0.5]})
    assert reliability_data(flat).curve["probability"].tolist() == [0.1, 0.3, 0.4]
    assert "yaxis2" not in plots.reliability(flat).to_plotly_json()["layout"]


def test_skill_is_in_percent_without_the_reference(frames):
    data = skill_by_horizon_data(frames.skill(), reference="window")
    assert list(dict.fromkeys(data["model"])) == ["pool", "hawkes"]
    assert data["skill"].tolist() == [5.0, 4.0, 3.0, 1.0, 0.0, -1.0]
    assert skill_by_horizon_data(frames.skill(), models=["hawkes"])["model"].unique().tolist() == ["hawkes"]
    with pytest.raises(InputError, match="unknown model 'pol'"):
        plots.skill_by_horizon(frames.skill(), models=["pol"])
    many = pd.DataFrame({"model": list("abcdefg"), "horizon": 1, "skill": 0.1})
    with pytest.raises(InputError, match="7 models"):
        plots.skill_by_horizon(many)


def test_ridge_by_week_and_by_unit(frames):
    data = ridge_data(frames.pmf())
    assert data.groupby("row", sort=False)["median"].first().tolist() == [0, 1, 1, 2]
    first = frames.pmf()[frames.pmf()["week"] == frames.WEEKS[0]]
    units = pd.concat([first, first.assign(unit="Niger/Diffa")])
    assert list(dict.fromkeys(ridge_data(units)["row"])) == ["Mopti", "Diffa"]
    with pytest.raises(InputError, match=r"sum to 1.99"):
        plots.ridge(first.assign(probability=[0.9, 0.9, 0.1, 0.09, 0.0]))


def test_ridge_ends_where_nothing_is_left():
    shares = np.array([0.9, 0.0995, 0.0005, 0.0])
    frame = pd.DataFrame({"unit": "Gao", "week": "2026-08-01", "count": range(4), "probability": shares})
    assert ridge_data(frame)["count"].max() == 1


def test_component_shares_add_up_to_one(frames):
    shares = component_shares_data(frames.components(), past=3)
    assert shares.sum(axis=1).tolist() == pytest.approx([1, 1, 1])
    assert list(shares) == ["own", "neighbour", "endemic"]
    nothing = frames.components().assign(value=0.0)
    assert component_shares_data(nothing).isna().all(axis=None)
    many = pd.DataFrame({"week": "2026-08-01", "component": list("abcdefg"), "value": 1.0})
    with pytest.raises(InputError, match="7 components"):
        plots.component_shares(many)


def test_excitation_tells_the_branching_ratio_and_the_half():
    lag = np.linspace(0, 60, 6001)
    frame = pd.DataFrame({"lag": lag, "rate": 0.42 * 0.25 * np.exp(-0.25 * lag)})
    told = plots.excitation_kernel(frame).layout.title.subtitle.text.replace("<br>", " ")
    assert told == f"One event triggers 0.42 within 60 days, half of them within {np.log(2) / 0.25:.1f}."
    assert "none" in plots.excitation_kernel(frame.assign(rate=0.0)).layout.title.subtitle.text


def test_excitation_by_weeks_is_added_up():
    frame = pd.DataFrame({"lag": [1, 2, 3], "rate": [0.05, 0.1, 0.1]})
    plot = plots.excitation_kernel(frame, step="week")
    told = plot.layout.title.subtitle.text.replace("<br>", " ")
    assert told == "One event triggers 0.25 within 3 weeks, half of them within 2."
    assert plot.layout.xaxis.title.text == "weeks since the event"
    with pytest.raises(InputError, match="unknown step 'month'"):
        plots.excitation_kernel(frame, step="month")


def test_excitation_of_several_pairs():
    frame = pd.concat([pd.DataFrame({"lag": [1.0, 0.0], "rate": [0.1, 0.2], "curve": name}) for name in "ba"])
    assert excitation_kernel_data(frame)["curve"].tolist() == ["b", "b", "a", "a"]
    assert [trace.line.dash for trace in plots.excitation_kernel(frame).data] == ["solid", "dash"]
    with pytest.raises(InputError, match="a curve with one lag"):
        plots.excitation_kernel(frame.iloc[:3])


def test_calendar_puts_each_week_into_its_year(frames):
    data = calendar_data(frames.years())
    assert data.attrs["classes"] == ["0", "1", "2\N{EN DASH}3", "4\N{EN DASH}7", "8\N{EN DASH}11"]
    assert data[["year", "column"]].iloc[:3].values.tolist() == [[2024, 51], [2025, 0], [2025, 1]]
    assert data["kind"].iloc[:5].tolist()[:3] == [0, 1, 2]
    assert np.isnan(data["kind"].iloc[3])
    assert data["column"].max() <= 52


@pytest.mark.parametrize(("largest", "last"), [(0, "0"), (1, "1"), (2, "2"), (3, "2\N{EN DASH}3")])
def test_calendar_of_few_events(largest, last):
    frame = pd.DataFrame({"week": ["2026-01-03", "2026-01-10"], "events": [0, largest]})
    assert calendar_data(frame).attrs["classes"][-1] == last


def test_track_record_has_the_most_threatened_on_top(frames):
    data = track_record_data(frames.statements(), most=1)
    assert data["unit"].unique().tolist() == ["Mali/Mopti"]
    assert len(track_record_data(frames.statements(), past=2)) == 4
    other = pd.concat([frames.statements(), frames.statements().assign(model="hawkes")])
    assert len(track_record_data(other, model="pool")) == len(frames.statements())
    with pytest.raises(InputError, match="2 names in the column 'model'"):
        plots.track_record(other)


@pytest.mark.parametrize(
    ("first", "last", "told"),
    [
        ("2026-08-01", "2026-09-26", ["1 Aug<br>2026", "15 Aug", "29 Aug", "12 Sep", "26 Sep"]),
        ("2025-11-08", "2026-05-02", ["Dec<br>2025", "Jan<br>2026", "Feb", "Mar", "Apr", "May"]),
        ("2000-01-01", "2019-12-28", ["2000", "2005", "2010", "2015"]),
    ],
)
def test_weeks_have_ticks_in_words(first, last, told):
    axis = week_axis(pd.Timestamp(first), pd.Timestamp(last))
    assert axis["ticktext"] == told
    assert len(axis["tickvals"]) == len(told)


@pytest.mark.parametrize(
    ("low", "high", "whole", "told"),
    [
        (0, 0.9, True, ["0"]),
        (0, 3.2, True, ["0", "1", "2", "3"]),
        (-6, 9, False, ["\N{MINUS SIGN}5", "0", "5"]),
        (0, 0.012, False, ["0.000", "0.005", "0.010"]),
        (0, 25000, True, ["0", "10000", "20000"]),
    ],
)
def test_ticks_are_round(low, high, whole, told):
    assert number_axis(low, high, whole=whole)["ticktext"] == told
