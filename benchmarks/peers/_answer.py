"""How a peer's script measures, and writes what it found."""

from __future__ import annotations

import json
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any

from benchmarks.clock import timed


class Answers:
    """What a library answers, task by task.

    Parameters
    ----------
    library : str
        As benchmarks/environments.py names it.
    folder : str
        Where the answer goes.
    """

    def __init__(self, library: str, folder: str) -> None:
        self.file = Path(folder) / f"{library}.json"
        self.answer: dict[str, Any] = {"version": version(library), "tasks": {}}

    def time(self, task: str, work: Callable[[], Any], found: Callable[[Any], Any]) -> None:
        """Measure a call, keep what it found as numbers, and write all that is there so far; a failure is an answer."""
        try:
            cost, out = timed(work)
            self.answer["tasks"][task] = cost | {"found": found(out)}
        except Exception as error:  # whatever another library raises goes on the page
            self.answer["tasks"][task] = {"failed": f"{type(error).__name__}: {error}"[:200]}
        self.file.write_text(json.dumps(self.answer), encoding="utf-8")
