"""Imprecise rows: what the policy says happens, the same at every import, and all rows are accounted for."""

from __future__ import annotations

from collections import Counter

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from forecast.events.imprecise import DateRule, ImprecisePolicy, PlaceRule, apply_policy
from forecast.events.record import COLUMNS, DATE_PRECISIONS, PLACE_PRECISIONS, event_frame


def events(
    count: int = 1,
    first: str = "2023-10-05",
    last: str | None = None,
    date_precision: str | None = "day",
    place_precision: str | None = "point",
    **more: object,
) -> pd.DataFrame:
    return event_frame(
        {
            "event_id": [str(number) for number in range(count)],
            "source": ["ucdp"] * count,
            "date_start": pd.to_datetime([first] * count),
            "date_end": pd.to_datetime([last or first] * count),
            "date_precision": [date_precision] * count,
            "place_precision": [place_precision] * count,
            **{name: [value] * count for name, value in more.items()},
        }
    )


def test_precise_rows_are_kept_on_their_first_day() -> None:
    stored, dropped = apply_policy(events(3, last="2023-10-07"), ImprecisePolicy())
    assert stored["treatment"].tolist() == ["kept"] * 3
    assert (stored["date"] == pd.Timestamp("2023-10-05")).all()
    assert not dropped


@pytest.mark.parametrize(
    ("precision", "first", "last", "span_first", "span_last"),
    [
        ("month", "2023-10-01", "2023-10-31", "2023-10-01", "2023-10-31"),
        ("month", "2023-02-15", "2023-02-15", "2023-02-01", "2023-02-28"),
        ("year", "2024-07-01", "2024-07-01", "2024-01-01", "2024-12-31"),
        ("week", "2026-07-31", "2026-07-31", "2026-07-25", "2026-07-31"),
        ("week", "2026-07-29", "2026-08-02", "2026-07-29", "2026-08-02"),
    ],
)
def test_spread_reaches_every_day_of_the_span_and_none_beyond(
    precision: str, first: str, last: str, span_first: str, span_last: str
) -> None:
    policy = ImprecisePolicy(week="spread", month="spread", year="spread")
    stored, _ = apply_policy(events(4000, first, last, precision), policy)
    assert stored["treatment"].eq("spread").all()
    expected = pd.date_range(span_first, span_last).strftime("%Y-%m-%d").tolist()
    assert sorted(set(stored["date"].dt.strftime("%Y-%m-%d"))) == expected
    counts = stored["date"].value_counts()
    assert counts.min() > 0.5 * counts.mean() - 6
    assert counts.max() < 1.5 * counts.mean() + 12


def test_a_day_drawn_once_stays_whatever_else_is_in_the_batch() -> None:
    many, _ = apply_policy(events(200, "2023-10-01", "2023-10-31", "month"), ImprecisePolicy())
    few, _ = apply_policy(events(200, "2023-10-01", "2023-10-31", "month").iloc[[150, 3]], ImprecisePolicy())
    assert few["date"].tolist() == [many["date"][150], many["date"][3]]
    assert many["date"][:5].dt.day.tolist() == [15, 13, 5, 27, 20]  # it must not change between versions either


def test_flags_say_which_precision_and_keep_those_that_were_there() -> None:
    frame = events(1, "2023-10-01", "2023-10-31", "month", "area", flags="low_above_high")
    stored, _ = apply_policy(frame, ImprecisePolicy(month="flag"))
    assert stored["flags"].tolist() == ["low_above_high date_month place_area"]
    assert stored["treatment"].tolist() == ["flagged"]
    again, _ = apply_policy(stored, ImprecisePolicy(month="flag"))
    pd.testing.assert_frame_equal(again, stored)


def test_spread_and_flagged_counts_as_flagged_and_the_day_is_drawn() -> None:
    frame = events(50, "2023-10-01", "2023-10-31", "month", "area")
    stored, _ = apply_policy(frame, ImprecisePolicy())
    assert stored["treatment"].eq("flagged").all()
    assert stored["date"].nunique() > 10


def test_every_dropped_row_has_one_reason() -> None:
    frame = pd.concat(
        [
            events(2, date_precision="year", place_precision="country"),
            events(3, place_precision="country"),
            events(1),
        ],
        ignore_index=True,
    )
    frame.loc[5, "date_start"] = pd.NaT
    stored, dropped = apply_policy(frame, ImprecisePolicy())
    assert len(stored) == 0
    assert dropped == Counter(
        {"date known only to a year or worse": 2, "place known only to a country or worse": 3, "no date": 1}
    )


def test_an_empty_precision_counts_as_exact() -> None:
    stored, _ = apply_policy(events(2, date_precision=None, place_precision=None), ImprecisePolicy(area="drop"))
    assert stored["treatment"].tolist() == ["kept", "kept"]


def test_an_empty_batch_stays_empty() -> None:
    stored, dropped = apply_policy(events(0), ImprecisePolicy())
    assert len(stored) == 0
    assert stored.dtypes.astype(str).tolist() == [str(pd.Series([], dtype=kind).dtype) for kind in COLUMNS.values()]
    assert not dropped


def test_a_policy_with_an_unknown_rule_or_key_is_refused() -> None:
    with pytest.raises(ValueError, match="month"):
        ImprecisePolicy.model_validate({"month": "guess"})
    with pytest.raises(ValueError, match="decade"):
        ImprecisePolicy.model_validate({"decade": "drop"})


@settings(max_examples=60, deadline=None)
@given(
    rows=st.lists(st.tuples(st.sampled_from(DATE_PRECISIONS), st.sampled_from(PLACE_PRECISIONS), st.integers(0, 400))),
    date_rules=st.tuples(*[st.sampled_from(DateRule.__args__)] * 4),  # type: ignore[attr-defined]
    place_rules=st.tuples(*[st.sampled_from(PlaceRule.__args__)] * 6),  # type: ignore[attr-defined]
)
def test_rows_add_up_and_days_lie_within_their_span(
    rows: list[tuple[str, str, int]], date_rules: tuple[str, ...], place_rules: tuple[str, ...]
) -> None:
    rules = dict(zip((*DATE_PRECISIONS, *PLACE_PRECISIONS), (*date_rules, *place_rules), strict=True))
    first = pd.Timestamp("2023-03-01")
    frame = event_frame(
        {
            "event_id": [str(position) for position in range(len(rows))],
            "date_start": pd.Series([first] * len(rows), dtype="datetime64[s]"),
            "date_end": pd.Series([first + pd.Timedelta(days=days) for _, _, days in rows], dtype="datetime64[s]"),
            "date_precision": [date for date, _, _ in rows],
            "place_precision": [place for _, place, _ in rows],
        }
    )
    stored, dropped = apply_policy(frame, ImprecisePolicy.model_validate(rules))
    assert len(stored) + dropped.total() == len(rows)
    for row in stored.itertuples():
        date_rule, place_rule = rules[row.date_precision], rules[row.place_precision]
        assert "drop" not in {date_rule, place_rule}
        assert (row.treatment == "flagged") == ("flag" in {date_rule, place_rule})
        if date_rule == "spread" and row.date_start == row.date_end and row.date_precision != "day":
            assert abs((row.date - row.date_start).days) <= 366
        elif date_rule == "spread":
            assert row.date_start <= row.date <= row.date_end
        else:
            assert row.date == row.date_start
