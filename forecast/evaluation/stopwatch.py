"""What work costs, in seconds of processor time: measured only where a caller passes a clock, and never in results."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, TypeVar

Result = TypeVar("Result")


def timed(processor: Callable[[], float] | None, work: Callable[..., Result], *arguments: Any) -> tuple[Result, float]:
    """Return the result of work with the core-seconds that it took, in whichever process it is done; 0 without a clock.

    Examples
    --------
    >>> ticks = iter([1.0, 3.5])
    >>> timed(lambda: next(ticks), sum, [1, 2])
    (3, 2.5)
    """
    begun = processor() if processor is not None else 0.0
    found = work(*arguments)
    return found, processor() - begun if processor is not None else 0.0


@dataclass
class Stopwatch:
    """Core-seconds by what they went to.

    Parameters
    ----------
    processor : callable
        Processor time of the process that calls it, in seconds: `time.process_time`.
    spent : dict of str to float
        So far.

    Examples
    --------
    >>> ticks = iter([0.0, 2.0, 5.0])
    >>> watch = Stopwatch(lambda: next(ticks))
    >>> with watch.measured("last"):
    ...     watch.add("zero", 0.5, inside=True)
    >>> watch.lap("report")
    >>> watch.spent
    {'zero': 0.5, 'last': 1.5, 'report': 3.0}
    """

    processor: Callable[[], float]
    spent: dict[str, float] = field(default_factory=dict)
    _accounted: float = field(init=False)

    def __post_init__(self) -> None:
        self._accounted = self.processor()

    def add(self, what: str, seconds: float, *, inside: bool = False) -> None:
        """Add what was measured elsewhere; `inside` this process it is not counted a second time."""
        self.spent[what] = self.spent.get(what, 0.0) + seconds
        self._accounted += seconds if inside else 0.0

    def lap(self, what: str) -> None:
        """Add what this process has spent since it was last accounted for."""
        self.add(what, self.processor() - self._accounted, inside=True)

    @contextmanager
    def measured(self, what: str) -> Iterator[None]:
        """Add what this process spends within."""
        try:
            yield
        finally:
            self.lap(what)

    def rounded(self) -> dict[str, float]:
        """Return the core-seconds to a tenth, with their sum as ``total``."""
        return {name: round(value, 1) for name, value in {**self.spent, "total": sum(self.spent.values())}.items()}
