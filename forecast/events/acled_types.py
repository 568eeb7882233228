"""ACLED's event types: which are without violence, and events of some of them only."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from forecast.errors import unknown_name
from forecast.events.record import Batch, Example

TYPES = (
    "Battles",
    "Explosions/Remote violence",
    "Violence against civilians",
    "Riots",
    "Protests",
    "Strategic developments",
)
"""Event types of the ACLED codebook."""

WITHOUT_VIOLENCE = frozenset({"protests", "strategic developments"})
"""Those that are no act of violence themselves, in lower case; a protest can meet with some (its sub-event type)."""


def type_names(names: Sequence[str]) -> list[str]:
    """Return event types as ACLED writes them; case does not matter.

    Raises
    ------
    InputError
        For a name that is none, with the nearest ones.

    Examples
    --------
    >>> type_names(["battles"])
    ['Battles']
    """
    written = {name.casefold(): name for name in TYPES}
    for name in names:
        if name.casefold() not in written:
            raise unknown_name("event type", name, TYPES, where="--types")
    return [written[name.casefold()] for name in names]


def only_types(batches: Iterable[Batch], types: Sequence[str]) -> Iterator[Batch]:
    """Give batches again with events of some types only, all if none is named; the others are dropped, by type.

    Examples
    --------
    >>> from forecast.events.record import event_frame
    >>> batch = Batch(event_frame({"event_id": ["1", "2"], "event_type": ["Battles", "Protests"]}), 2)
    >>> (chosen,) = only_types([batch], ["Battles"])
    >>> chosen.events["event_id"].tolist(), chosen.dropped
    (['1'], Counter({'type Protests not chosen': 1}))
    """
    wanted = {name.casefold() for name in types}
    for batch in batches:
        found = batch.events["event_type"].fillna("(none)")
        chosen = found.str.casefold().isin(wanted) if wanted else found.notna()
        left_out = {
            f"type {name} not chosen": int(count) for name, count in found[~chosen.to_numpy()].value_counts().items()
        }
        yield replace(
            batch,
            events=batch.events[chosen.to_numpy(dtype=bool)].reset_index(drop=True),
            dropped=batch.dropped + Counter(left_out),
            examples=dict.fromkeys(left_out, Example(hint="--types says which are imported")) | batch.examples,
        )
