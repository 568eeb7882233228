"""What is measured: a file a subject, with a docstring for the page and ``measure() -> dict``.

``measure`` returns ``tasks`` by name (`benchmarks.work.Task`) and, if there are any, ``ratios`` of which less is
better, and ``facts`` in words for the page. `SUBJECTS` is their order in `make bench` and on the page.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any, Protocol

SUBJECTS = (
    *("start", "main_job", "backtest"),
    *("hawkes", "endemic_epidemic", "ingarch", "trees", "space_time"),
    "scores",
    *("scale_up", "sizing"),
    *("event_store", "ledger", "site"),
)


class Subject(Protocol):
    """A module of this folder."""

    __doc__: str | None
    TITLE: str

    def measure(self) -> dict[str, Any]:
        """Return what was measured."""


def subject(name: str) -> Subject:
    """Return a subject by its name."""
    return import_module(f"benchmarks.subjects.{name}")  # type: ignore[return-value]  # a module has what it asks for
