"""From what a command did or raised to one message and an exit code; nowhere else is this decided."""

from __future__ import annotations

import errno
import gc
import os
import signal
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from types import FrameType
from typing import NoReturn

import typer

from forecast.cli.app import app
from forecast.cli.output import say
from forecast.errors import ForecastError
from forecast.memory import keep_memory

DONE, FAILED, BAD_INPUT, WARNED = 0, 1, 2, 3
"""Exit codes: done; failed; bad usage or bad input; done, with warnings that a scheduler should see."""

NO_SPACE = frozenset({errno.ENOSPC, errno.EDQUOT})


class Stopped(BaseException):
    """A signal asked the program to stop. No `Exception`, so that nothing takes it for a failure of its own."""


def console() -> NoReturn:
    """Run the command line of this process, and end it.

    What a run makes are arrays, with few cycles to look for: it is done seldom, and not at all for the last time.
    """
    keep_memory()
    gc.set_threshold(50_000, 20, 50)
    code = main()
    gc.freeze()
    sys.exit(code)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command line and return its exit code.

    Parameters
    ----------
    arguments : sequence of str, optional
        Those of the process if not given.

    Returns
    -------
    int
        0 done, 1 failed, 2 bad usage or bad input, 3 done with warnings. With ``FORECAST_DEBUG=1`` in the
        environment, what would become a message is raised with its traceback instead.
    """
    command = typer.main.get_command(app)
    with _stopped_by_signals():
        try:
            command.main(args=None if arguments is None else list(arguments), prog_name="forecast")
        except SystemExit as end:
            return end.code if isinstance(end.code, int) else FAILED
        except BaseException as error:
            if os.environ.get("FORECAST_DEBUG") == "1":
                raise
            return _explain(error)
    return DONE


def _explain(error: BaseException) -> int:
    """Write what went wrong to stderr and return the exit code."""
    match error:
        case ForecastError():
            _say(str(error))
            return error.exit_code
        case Stopped():
            _say(f"stopped by {error}; nothing partial was written, and finished parts of a backtest are kept")
        case MemoryError():
            _say("not enough memory\n  try: fewer --workers, or fewer draws in forecast.toml")
        case OSError() if error.errno in NO_SPACE:
            _say("no space left on the disk\n  try: free some space and run again")
        case OSError():
            _say(f"{error.strerror or error}" + (f"\n  where: {error.filename}" if error.filename else ""))
        case _:
            _say(f"unexpected {type(error).__name__}: {error}\n  try: FORECAST_DEBUG=1 for the whole story")
    return FAILED


def _say(text: str) -> None:
    say(f"Error: {text}")


@contextmanager
def _stopped_by_signals() -> Iterator[None]:
    """Let SIGINT and SIGTERM raise `Stopped` in the block, so that it is unwound and workers are ended."""

    def stop(number: int, _: FrameType | None) -> NoReturn:
        for again in (signal.SIGINT, signal.SIGTERM):  # while it unwinds, a second one must not interrupt that
            signal.signal(again, signal.SIG_IGN)
        raise Stopped(signal.Signals(number).name)

    before = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
