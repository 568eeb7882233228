"""Event tables: what is refused, and how it is said."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from forecast.errors import InputError
from forecast.events.table import events_from_frame, read_events

HEADER = "event_id,date,latitude,longitude,region,fatalities\n"
FIRST = "a,2026-01-05,14.5,-4.2,Mali/Mopti,3\n"


def test_good_file(tmp_path: Path) -> None:
    path = tmp_path / "events.csv"
    path.write_text(HEADER + FIRST + "b,2026-01-03,12.6,-8,Mali/Bamako,0\n")
    events = read_events(path, region="region", fatalities="fatalities")
    assert events.frame["event_id"].tolist() == ["b", "a"]
    assert events.frame["fatalities"].tolist() == [0, 3]
    assert events.days.astype(str).tolist() == ["2026-01-03", "2026-01-05"]
    assert events.source == "events.csv"
    assert not events.simulated
    assert "region" not in read_events(path).frame
    events.frame.to_parquet(tmp_path / "events.parquet")
    again = read_events(tmp_path / "events.parquet", region="region", fatalities="fatalities")
    assert again.frame.astype(str).equals(events.frame.astype(str))


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        ("a,2026-01-06,1,1,x,1", "event 'a' occurs more than once (rows 2 and 3)"),
        (",2026-01-06,1,1,x,1", "row 3, column 'event_id'"),
        ("b,06.01.2026,1,1,x,1", "'06.01.2026' is not an ISO 8601 date"),
        ("b,2026-01-06,95,1,x,1", "95 is off the globe"),
        ("b,2026-01-06,1,-181,x,1", "degrees from -180 to 180"),
        ("b,2026-01-06,,1,x,1", "row 3, column 'latitude'"),
        ("b,2026-01-06,1,nan,x,1", "row 3, column 'longitude'"),
        ("b,2026-01-06,'1',1,x,1", "\"'1'\" is not a number"),
        ("b,2026-01-06,1,1,,1", "row 3, column 'region'"),
        ("b,2026-01-06,1,1,x,-1", "'-1' is negative"),
        ("b,2026-01-06,1,1,x,0.5", "'0.5' is not whole"),
    ],
)
def test_bad_rows(tmp_path: Path, row: str, expected: str) -> None:
    path = tmp_path / "events.csv"
    path.write_text(HEADER + FIRST + row + "\n")
    with pytest.raises(InputError) as caught:
        read_events(path, region="region", fatalities="fatalities")
    assert expected in str(caught.value)


def test_bad_files(tmp_path: Path) -> None:
    path = tmp_path / "events.csv"
    path.write_text(HEADER)
    with pytest.raises(InputError, match="header only"):
        read_events(path)
    path.write_text("event_id,date,lat,longitude\n")
    with pytest.raises(InputError, match="no column 'latitude'"):
        read_events(path)


@settings(max_examples=50, deadline=None)
@given(
    st.lists(
        st.tuples(st.dates(dt.date(1990, 1, 1), dt.date(2100, 1, 1)), st.floats(-90, 90), st.floats(-180, 180)),
        min_size=1,
        max_size=8,
    )
)
def test_round_trip(rows: list[tuple[object, float, float]]) -> None:
    frame = pd.DataFrame(rows, columns=["date", "latitude", "longitude"])
    frame["event_id"] = [str(number) for number in range(len(rows))]
    events = events_from_frame(frame)
    again = events_from_frame(events.frame.sample(frac=1, random_state=1))
    assert again.frame.equals(events.frame)
    assert np.allclose(np.sort(events.latitude), np.sort(frame["latitude"]))
