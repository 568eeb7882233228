"""Panel, units and neighbours: cutting, selecting, refusing."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from forecast.errors import InputError
from forecast.panel.neighbours import Neighbours
from forecast.panel.panel import Panel
from forecast.panel.units import Units, great_circle_km

WEEKS = pd.date_range("2026-01-03", periods=4, freq="7D", unit="s")


def small() -> Panel:
    counts = np.arange(12).reshape(4, 3)
    observed = np.ones((4, 3), bool)
    observed[2, 1] = False
    neighbours = Neighbours.from_pairs(
        np.array([0, 1]), np.array([1, 2]), np.array([10.0, 20.0]), np.array([100.0, 200.0]), 3
    )
    units = Units.of(["A", "B", "C"], groups=["X", "X", "Y"], latitude=[0, 1, 2], longitude=[3, 4, 5])
    return Panel.of(counts, WEEKS, units, observed=observed, neighbours=neighbours, covariates={"c": counts * 0.5})


def test_origin_is_the_first_week_that_is_not_known() -> None:
    panel = small()
    assert panel.origin == pd.Timestamp("2026-01-31")
    assert panel.known_until == pd.Timestamp("2026-01-30")


@pytest.mark.parametrize(
    ("origin", "weeks"), [("2026-01-10", 1), ("2026-01-16", 1), ("2026-01-17", 2), ("2027-01-02", 4)]
)
def test_until_keeps_only_weeks_that_are_over(origin: str, weeks: int) -> None:
    cut = small().until(pd.Timestamp(origin))
    assert len(cut.weeks) == weeks
    assert cut.counts.shape == cut.covariates["c"].shape == (weeks, 3)


def test_nothing_is_known_before_the_first_week_is_over() -> None:
    with pytest.raises(InputError, match="nothing is known at 2026-01-09"):
        small().until(pd.Timestamp("2026-01-09"))


def test_select_takes_everything_along_in_the_order_asked_for() -> None:
    panel = small().select(["C", "B"])
    assert panel.units.names == ("C", "B")
    assert panel.units.groups == ("Y", "X")
    assert panel.units.latitude.tolist() == [2.0, 1.0]
    assert panel.counts[:, 0].tolist() == [2, 5, 8, 11]
    assert panel.neighbours.border_km.toarray().tolist() == [[0.0, 20.0], [20.0, 0.0]]
    with pytest.raises(InputError, match="unknown region 'D'"):
        panel.select(["D"])


def test_missing_is_named_and_no_zero() -> None:
    panel = small()
    assert panel.counts[2, 1] == 0
    assert panel.missing().values.tolist() == [[WEEKS[2], "B"]]
    assert panel.to_frame().loc[WEEKS[2], "B"] is pd.NA


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"counts": np.full((4, 3), -1)}, "negative counts"),
        ({"counts": np.zeros((3, 3), int)}, "counts has shape"),
        ({"weeks": WEEKS[[0, 1, 3, 2]]}, "consecutive"),
        ({"exposure": np.array([1.0, 0.0, 1.0])}, "exposure"),
        ({"covariates": {"c": np.zeros((1, 1))}}, "c has shape"),
    ],
)
def test_what_cannot_be_a_panel_is_refused(changes: dict[str, object], message: str) -> None:
    keys = {"counts": np.zeros((4, 3), int), "weeks": WEEKS, "units": Units.of(["A", "B", "C"])} | changes
    with pytest.raises(InputError, match=message):
        Panel.of(**keys)


def test_a_panel_needs_a_week_and_a_unit() -> None:
    with pytest.raises(InputError, match="at least one of each"):
        Panel.of(np.zeros((4, 0), int), WEEKS, Units.of([]))


def test_units_are_named_once_and_fully_described() -> None:
    with pytest.raises(InputError, match="'A' is named twice"):
        Units.of(["A", "A"])
    with pytest.raises(InputError, match="groups has 1 entries for 2 units"):
        Units.of(["A", "B"], groups=["X"])
    assert Units.of(["A", "B", "C"], groups=["Y", "X", "Y"]).group_codes().tolist() == [1, 0, 1]


def test_mean_weights_average_over_neighbours() -> None:
    weights = small().neighbours.mean_weights().toarray()
    assert weights.tolist() == [[0.0, 1.0, 0.0], [0.5, 0.0, 0.5], [0.0, 1.0, 0.0]]
    assert Neighbours.none(2).mean_weights().toarray().tolist() == [[0.0, 0.0], [0.0, 0.0]]


def test_great_circle_distance_against_known_arcs() -> None:
    quarter = np.pi / 2 * 6371.0088
    assert great_circle_km(0.0, 0.0, 0.0, 90.0) == pytest.approx(quarter)
    assert great_circle_km(90.0, 0.0, -90.0, 13.0) == pytest.approx(2 * quarter)
    assert great_circle_km(12.0, -8.0, 12.0, -8.0) == 0.0
    assert great_circle_km(0.0, 179.5, 0.0, -179.5) == pytest.approx(quarter / 90)


def test_a_panel_continues_one_with_fewer_weeks_and_no_other() -> None:
    whole = small()
    earlier = whole.weeks_between(0, 3)
    hidden = replace(earlier, counts=np.where(earlier.observed, earlier.counts, 99))
    assert whole.continues(whole)
    assert whole.continues(earlier)
    assert whole.continues(hidden)
    assert not earlier.continues(whole)
    revised = whole.counts.copy()
    revised[0, 0] += 1
    others = [
        whole.weeks_between(1, 4),
        whole.select(["A", "B"]),
        whole.select(["B", "A", "C"]),
        replace(whole, counts=revised),
        replace(whole, observed=np.ones((4, 3), bool)),
        replace(whole, exposure=np.array([1.0, 2.0, 3.0])),
        replace(whole, neighbours=Neighbours.none(3)),
    ]
    assert not any(other.continues(earlier) for other in others)


def test_all_panels_lie_alike_in_memory_however_they_were_made():
    panel = small()
    transposed = replace(panel, counts=np.asfortranarray(panel.counts), covariates={"c": panel.counts.T.copy().T * 1.0})
    for each in (panel, panel.select(["C", "A"]), panel.weeks_between(1, 3), transposed):
        assert all(part.flags["C_CONTIGUOUS"] for part in (each.counts, each.observed, each.covariates["c"]))
