"""Whether a file can be what it was taken for: some of its rows are events, and most could be read."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path

from forecast.errors import InputError
from forecast.events.record import Batch, Example

FEWEST_ROWS, LARGEST_SHARE = 20, 0.5
"""A file of at least so many rows is refused if more than this share has a place or day that cannot be read."""

_FLAGS = ("coordinates_unreadable", "date_end_unreadable")
_REASONS = frozenset(
    {
        *(flag.replace("_", " ") for flag in _FLAGS),
        "date not readable",
        "date not understood",
        "date_start is no day",
        "date_end is no day",
        "latitude is no number",
        "longitude is no number",
    }
)


def unreadable(batch: Batch) -> Counter[str]:
    """Return the rows whose place or day is written but cannot be read, each once, by reason or flag.

    Examples
    --------
    >>> from forecast.events.record import event_frame
    >>> events = event_frame({"event_id": ["1", "2"], "flags": ["coordinates_unreadable date_end_unreadable", ""]})
    >>> unreadable(Batch(events, 4, Counter({"date not readable": 1, "no date": 1})))
    Counter({'date not readable': 1, 'coordinates_unreadable': 1})
    """
    found = Counter(
        {
            reason: count
            for reason, count in batch.dropped.items()
            if reason in _REASONS or any(f"({flag})" in reason for flag in _FLAGS)
        }
    )
    for marks, count in batch.events["flags"].value_counts().items():
        first = next((flag for flag in _FLAGS if flag in str(marks).split()), None)
        if first is not None:
            found[first] += int(count)
    return found


def readable(path: Path, batches: Iterable[Batch]) -> Iterator[Batch]:
    """Give the batches of a file again.

    Raises
    ------
    InputError
        At their end, if not one row of the file can be stored, or most have a place or day that cannot be read: the
        file is not what it was taken for, and would overwrite what was read rightly before.
    """
    rows, events, reasons, lost, examples = 0, 0, Counter[str](), Counter[str](), dict[str, Example]()
    for batch in batches:
        rows, events = rows + batch.rows, events + len(batch.events)
        reasons.update(batch.dropped)
        lost.update(unreadable(batch))
        examples = batch.examples | examples
        yield batch
    if not rows:
        raise InputError("the table has a header only", where=path.name, expected="at least one event")
    if not events:
        raise InputError(
            f"none of the {rows} rows can be stored: {_listed(reasons, examples)}",
            where=path.name,
            expected="at least one event",
            hint=_hints(reasons, examples),
        )
    if rows >= FEWEST_ROWS and lost.total() > LARGEST_SHARE * rows:
        raise InputError(
            f"{lost.total()} of {rows} rows have a place or day that cannot be read: {_listed(lost, examples)}",
            where=path.name,
            expected=f"at most {LARGEST_SHARE:.0%} of them; nothing was stored",
            hint=_hints(lost, examples),
        )


def _listed(reasons: Counter[str], examples: dict[str, Example]) -> str:
    parts = []
    for reason, count in reasons.most_common():
        shown = str(examples.get(reason, ""))
        parts.append(f"{count} {reason}" + (f" ({shown})" if shown else ""))
    return "; ".join(parts)


def _hints(reasons: Counter[str], examples: dict[str, Example]) -> str:
    hints = (examples[reason].hint for reason, _ in reasons.most_common() if reason in examples)
    return "; ".join(dict.fromkeys(filter(None, hints)))
