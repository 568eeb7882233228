"""Bad input is named, odd input remarked on."""

from __future__ import annotations

import numpy as np
import pytest

from forecast.errors import InputError
from forecast.processes.history import History


@pytest.mark.parametrize(
    ("times", "options", "words"),
    [
        ([], {}, "no event"),
        ([1.0, np.nan], {}, "nan"),
        ([1.0, np.inf], {}, "inf"),
        ([1.0, 11.0, -2.0], {}, "2 events outside the window"),
        ([[1.0]], {}, "shape"),
        ([1.0], {"start": 20.0}, "window from 20"),
        ([1.0, 2.0], {"nodes": [0]}, "nodes do not fit"),
        ([1.0, 2.0], {"nodes": [0, -1]}, "nodes do not fit"),
        ([1.0, 2.0], {"nodes": [0.0, 1.0]}, "nodes do not fit"),
        ([1.0, 2.0], {"nodes": [0, 3], "names": ["a", "b"]}, "node 3"),
        ([1.0, 2.0], {"marks": [1.0, -1.0]}, "marks do not fit"),
        ([1.0, 2.0], {"marks": [1.0, np.nan]}, "marks do not fit"),
    ],
)
def test_bad_input_is_refused(times, options, words):
    with pytest.raises(InputError, match=words):
        History.of(times, end=10.0, **options)


def test_sorting_takes_nodes_and_marks_along():
    history = History.of([3.0, 1.0, 2.0], end=4.0, nodes=[1, 0, 0], marks=[30.0, 10.0, 20.0])
    assert history.times.tolist() == [1.0, 2.0, 3.0]
    assert history.nodes.tolist() == [0, 0, 1]
    assert history.marks.tolist() == [10.0, 20.0, 30.0]
    assert history.remarks == ("times were not ascending and have been sorted",)


def test_the_past_knows_nothing_of_what_came_later():
    history = History.of([1.0, 2.0, 3.0], end=4.0)
    assert history.until(3.0).times.tolist() == [1.0, 2.0]
    with pytest.raises(InputError, match="within the window"):
        history.until(5.0)
