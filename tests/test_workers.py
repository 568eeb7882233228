"""Work in other processes."""

import os
import sys

import pytest

from forecast.workers import beside, woken


def knows(module: str) -> tuple[bool, int]:
    return module in sys.modules, os.getpid()


def test_workers_that_were_woken_have_imported_when_their_work_comes() -> None:
    with woken(2, "this"), beside(2, knows, "this") as found:
        imported, process = found()
    assert imported
    assert process != os.getpid()
    assert "this" not in sys.modules


def test_one_worker_is_this_process() -> None:
    with woken(1, "this"), beside(1, knows, "this") as found:
        assert found() == (False, os.getpid())


def test_an_error_in_the_preparation_is_told_as_it_is_and_workers_can_be_had_again() -> None:
    with pytest.raises(ZeroDivisionError), woken(2, "this"):
        _ = 1 / 0
    with beside(2, knows, "os") as found:
        assert found()[1] != os.getpid()
