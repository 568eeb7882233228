"""Work in other processes."""

import os
import sys

import pytest

from forecast import compiled as kernels
from forecast.workers import _imported, beside, woken

MODULE = "forecast.evaluation.blocks_ahead"
"""Its import takes a worker long enough for each to have its share."""


def knows(module: str) -> tuple[bool, int]:
    return module in sys.modules, os.getpid()


def prepared(modules: list[str]) -> tuple[bool, bool]:
    _imported(modules)
    return set(modules) <= set(sys.modules), bool(kernels._nothing.signatures)


def test_workers_that_were_woken_have_imported_when_their_work_comes() -> None:
    with woken(2, MODULE), beside(2, knows, MODULE) as found:
        imported, process = found()
    assert imported
    assert process != os.getpid()


def test_workers_can_import_several_modules_and_have_loaded_the_compiler() -> None:
    # Asked of one worker: which of two takes which share of `woken` is not ours to say.
    with beside(2, prepared, ["wave", MODULE]) as found:
        assert found() == (True, True)


def test_one_worker_is_this_process() -> None:
    with woken(1, "no.such.module"), beside(1, knows, "os") as found:
        assert found() == (True, os.getpid())


def test_an_error_in_the_preparation_is_told_as_it_is_and_workers_can_be_had_again() -> None:
    with pytest.raises(ZeroDivisionError), woken(2, MODULE):
        _ = 1 / 0
    with beside(2, knows, "os") as found:
        assert found()[1] != os.getpid()
