"""What a run tells machines: a log of JSON lines, and a heartbeat that shows whether it is alive and how it ended.

Neither can stop a run: where they cannot be written, they are not.
"""

from __future__ import annotations

import datetime as dt
import json
import os
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from forecast.errors import InputError
from forecast.jobs.track_record import Progress
from forecast.plain_text import visible
from forecast.redaction import without_secrets
from forecast.storage import write_file

HEARTBEAT = "heartbeat.json"
BEAT_SECONDS = 10.0
"""The heartbeat is written at most so often, so that it costs nothing."""


@dataclass(frozen=True)
class Clock:
    """The time of a run: the only place where it comes in.

    Parameters
    ----------
    now : callable
        The day and time, with a time zone; may be set back.
    seconds : callable
        Of a clock that never goes back.
    processor : callable, optional
        Processor time of the calling process in seconds, with which the cost of the work is measured.
    """

    now: Callable[[], dt.datetime]
    seconds: Callable[[], float]
    processor: Callable[[], float] | None = None


@dataclass
class RunLog:
    """The log and the heartbeat of one run.

    Parameters
    ----------
    folder : Path
        ``out/log`` of a workspace: a file a year, ``run-2026.jsonl``, and the heartbeat.
    clock : Clock
    file : Path, optional
        Another file for the log.
    """

    folder: Path
    clock: Clock
    file: Path | None = None
    _state: dict[str, Any] = field(default_factory=dict)
    _beaten: float | None = None

    def event(self, name: str, **facts: object) -> None:
        """Add a line: time, process, event, and what there is to say of it."""
        now = self.clock.now()
        line = {"time": _iso(now), "process": os.getpid(), "event": name, **_told(facts)}
        path = self.file or self.folder / f"run-{now:%Y}.jsonl"
        with suppress(OSError):
            path.parent.mkdir(parents=True, exist_ok=True)
            # One write of one line: lines of two processes do not mix.
            with path.open("ab", buffering=0) as stream:
                stream.write(json.dumps(line, default=str).encode() + b"\n")

    def start(self, **facts: object) -> None:
        """Begin: log it, and show that the run is alive."""
        self._state = {"started_at": _iso(self.clock.now()), **_told(facts)}
        self.event("started", **facts)
        self._beat("running", force=True)

    def end(self, outcome: str, code: int, **facts: object) -> None:
        """End: log it, and leave how it ended in the heartbeat."""
        self.event("ended", outcome=outcome, code=code, **facts)
        self._state |= {"outcome": outcome, "code": code, **_told(facts)}
        self._beat("ended", force=True)

    def watched(self, progress: Progress | None) -> Progress:
        """Return the same progress, which also keeps the heartbeat going and logs each kind of work."""
        begun: dict[str, float] = {}

        def report(what: str, done: int, total: int) -> None:
            if progress is not None:
                progress(what, done, total)
            if what not in begun:
                begun[what] = self.clock.seconds()
                self.event("work", what=what, total=total)
            if done == total:
                self.event("done", what=what, seconds=round(self.clock.seconds() - begun[what], 3))
            self._state |= {"work": what, "done": done, "total": total}
            self._beat("running")

        return report

    def _beat(self, state: str, *, force: bool = False) -> None:
        now = self.clock.seconds()
        if not force and self._beaten is not None and now - self._beaten < BEAT_SECONDS:
            return
        self._beaten = now
        ended = {"last_ended_at": self._last_end() if state == "running" else _iso(self.clock.now())}
        content = {"state": state, "beat_at": _iso(self.clock.now()), "process": os.getpid(), **self._state, **ended}
        with suppress(OSError, InputError):
            write_file(self.folder / HEARTBEAT, json.dumps(content, indent=2, default=str).encode() + b"\n")

    def _last_end(self) -> str | None:
        return read_heartbeat(self.folder).get("last_ended_at")


def read_heartbeat(folder: Path) -> Mapping[str, Any]:
    """Return the heartbeat of the last run, empty if there is none that can be read."""
    with suppress(OSError, ValueError):
        content = json.loads((folder / HEARTBEAT).read_bytes())
        if isinstance(content, dict):
            return content
    return {}


def _told(facts: Mapping[str, object]) -> dict[str, object]:
    """Return facts with texts that are not longer than a reader can use, and tell no secret."""

    def told(value: object) -> object:
        if isinstance(value, str):
            return without_secrets(visible(value))
        if isinstance(value, dict):
            return _told(value)
        return [told(item) for item in value] if isinstance(value, (list, tuple)) else value

    return {name: told(value) for name, value in facts.items()}


def _iso(moment: dt.datetime) -> str:
    return f"{moment.astimezone(dt.UTC):%Y-%m-%dT%H:%M:%SZ}"
