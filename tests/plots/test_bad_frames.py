"""A frame that a chart cannot draw is refused in the words of the frame."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from forecast import plots
from forecast.errors import InputError
from forecast.plots.columns import once, only, tidy


def refused(draw, frame) -> InputError:
    with pytest.raises(InputError) as caught:
        draw(frame)
    return caught.value


def test_each_column_that_is_missing_is_named_with_the_nearest_one(case):
    for column in case.needed:
        error = refused(case.draw, case.frame().rename(columns={column: f"{column}s"}))
        assert error.what == f"no column {column!r}"
        assert error.where.startswith("the frame of ")
        assert all(repr(needed) in error.expected for needed in case.needed if needed not in {"week", "origin"})
        assert f"{column}s" in error.hint


def test_no_rows_no_frame_no_numbers(case):
    assert refused(case.draw, case.frame().iloc[:0]).what == "no rows"
    assert refused(case.draw, {"unit": ["Gao"]}).what == "a dict"
    frame = case.frame()
    number = next(name for name in case.needed if name not in {"unit", "week", "model", "origin", "component"})
    frame[number] = frame[number].astype(object)
    frame.loc[frame.index[0], number] = "many"
    error = refused(case.draw, frame)
    assert error.what == "'many'"
    assert f"column {number!r}, row {frame.index[0]}" in error.where


def test_an_unknown_backend_or_theme(case):
    for look in ({"backend": "matplotlb"}, {"theme": "darkk"}):
        with pytest.raises(InputError, match=r"unknown (backend|theme)"):
            case.draw(case.frame(), **look)


@pytest.mark.parametrize(
    ("kind", "value", "expected"),
    [
        ("share", 1.5, "a number from 0 to 1"),
        ("known share", -0.1, "a number from 0 to 1"),
        ("count", -1, "a number of at least 0"),
        ("known count", -1, "a number of at least 0"),
        ("number", np.nan, "a finite number"),
        ("known number", np.inf, "a finite number"),
        ("week", "someday", "a day"),
        ("name", None, ""),
    ],
)
def test_a_value_that_is_no_such_thing(kind, value, expected):
    frame = pd.DataFrame({"it": ["2026-08-01" if kind == "week" else "Gao" if kind == "name" else 0.5, value]})
    frame.index = [7, 9]
    with pytest.raises(InputError) as caught:
        tidy(frame.astype(object), {"it": kind}, what="things")
    assert caught.value.where == "the frame of things, column 'it', row 9"
    assert caught.value.expected == expected


def test_what_may_be_missing_may_be_missing():
    frame = pd.DataFrame({"p": [0.5, None], "n": [pd.NA, 3]})
    found = tidy(frame, {"p": "known share"}, {"n": "known count", "q": "number"}, what="things")
    assert found["p"].isna().tolist() == [False, True]
    assert found["n"].tolist()[1] == 3.0
    assert list(found) == ["p", "n"]


def test_names_from_data_do_not_act():
    found = tidy(pd.DataFrame({"unit": ["Gao\x1b[31m\n\u202e"]}), {"unit": "name"}, what="things")
    assert found["unit"].tolist() == ["Gao[31m"]


def test_markup_in_a_name_is_shown_as_it_is():
    frame = pd.DataFrame({"week": ["2026-01-03"], "events": [1], "unit": ["<a href='x'>Gao</a>"]})
    told = plots.calendar(frame).to_json()
    assert "<a" not in told
    assert "\\u003ca" not in told


def test_one_of_several_has_to_be_chosen():
    frame = pd.DataFrame({"unit": ["Gao", "Mopti"]})
    assert "unit='Gao'" in refused(lambda frame: only(frame, "unit", None, what="things"), frame).hint
    assert "'Mopti'" in refused(lambda frame: only(frame, "unit", "Mopty", what="things"), frame).expected
    assert only(frame, "unit", "Mopti", what="things")["unit"].tolist() == ["Mopti"]


def test_two_rows_of_one_name():
    frame = pd.DataFrame({"unit": ["Gao", "Gao"], "week": pd.to_datetime(["2026-08-01"] * 2)})
    error = refused(lambda frame: once(frame, "unit", "week", what="things"), frame)
    assert error.what == "two rows for unit 'Gao', week 2026-08-01"


def test_rows_that_are_there_twice_are_refused(case):
    frame = case.frame()
    assert "two rows for" in refused(case.draw, pd.concat([frame, frame], ignore_index=True)).what
