"""What the store takes from importers."""

from __future__ import annotations

import pandas as pd
import pytest

from forecast.errors import InputError
from forecast.events.record import COLUMNS, event_frame
from forecast.events.schema import SCHEMA, check_events


def events(**columns: object) -> pd.DataFrame:
    return event_frame({"event_id": ["a", "b"], "source": ["own", "own"], **columns})


def test_it_has_the_columns_of_the_canonical_table() -> None:
    assert list(SCHEMA.columns) == list(COLUMNS)
    check_events(events(), where="own")
    check_events(events().iloc[:0], where="own")


@pytest.mark.parametrize(
    ("column", "value", "message"),
    [
        ("latitude", 90.5, "column 'latitude' of event 'b' is 90.5"),
        ("longitude", -181.0, "column 'longitude' of event 'b'"),
        ("fatalities", -1, "column 'fatalities' of event 'b' is -1"),
        ("date_precision", "fortnight", "column 'date_precision' of event 'b' is fortnight"),
        ("place_precision", "house", "column 'place_precision'"),
        ("treatment", "guessed", "column 'treatment'"),
    ],
)
def test_what_is_out_of_range_is_refused_with_the_event(column: str, value: object, message: str) -> None:
    with pytest.raises(InputError, match=message):
        check_events(events(**{column: [None if column != "treatment" else "kept", value]}), where="own")


def test_a_lost_or_retyped_column_is_refused() -> None:
    with pytest.raises(InputError, match="fatalities"):
        check_events(events().drop(columns="fatalities"), where="own")
    with pytest.raises(InputError, match="latitude"):
        check_events(events().astype({"latitude": "object"}), where="own")
    with pytest.raises(InputError, match="surprise"):
        check_events(events().assign(surprise=1), where="own")
