"""The record of deliveries: lines that are only added, so that nothing is sent twice, not even after a power cut."""

from __future__ import annotations

import datetime as dt
import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, get_args

from forecast.errors import InputError

FILE = "deliveries.jsonl"
"""Beside the folder of results, as the ledger is: what is there can be rendered again, this not."""

Step = Literal["begun", "delivered", "failed", "unsure"]
STEPS: tuple[Step, ...] = get_args(Step)
"""A delivery is begun before anything leaves the machine; with no line after that, nobody knows whether it did."""


@dataclass(frozen=True)
class Delivery:
    """One delivery of one issue to one target.

    Parameters
    ----------
    report, origin : str
    edition : str
        Which issue of these weeks.
    target : str
    """

    report: str
    origin: str
    edition: str
    target: str


def last_step(file: Path, delivery: Delivery) -> Step | None:
    """Return how far a delivery has come; None if it was never begun.

    Raises
    ------
    InputError
        If the record cannot be read: then nobody knows what was sent.
    """
    found: Step | None = None
    for line in _lines(file):
        if all(line.get(name) == value for name, value in vars(delivery).items()):
            found = line["step"]
    return found


def add_step(file: Path, delivery: Delivery, step: Step, now: dt.datetime) -> None:
    """Add a line, and wait until the disk has it.

    Raises
    ------
    InputError
        If it cannot be written: then nothing may be sent.
    """
    line = {"time": f"{now.astimezone(dt.UTC):%Y-%m-%dT%H:%M:%SZ}", "step": step, **vars(delivery)}
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        before = file.read_bytes() if file.exists() else b""
        end_of_a_cut_line = b"\n" if before and not before.endswith(b"\n") else b""
        with file.open("ab", buffering=0) as stream:
            stream.write(end_of_a_cut_line + json.dumps(line).encode() + b"\n")
            os.fsync(stream.fileno())
    except OSError as error:
        raise InputError(f"the record of deliveries cannot be written: {error.strerror}", where=str(file)) from None


def _lines(file: Path) -> list[dict[str, Any]]:
    try:
        content = file.read_bytes()
    except FileNotFoundError:
        return []
    except OSError as error:
        raise InputError(f"the record of deliveries cannot be read: {error.strerror}", where=str(file)) from None
    # A line that is none was cut off when its writer was stopped: nothing was sent on a "begun" that is not there.
    return [line for line in map(_line, content.split(b"\n")) if line is not None]


def _line(row: bytes) -> dict[str, Any] | None:
    try:
        line = json.loads(row)
    except ValueError:
        return None
    return line if isinstance(line, dict) and line.get("step") in STEPS else None
