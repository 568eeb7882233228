"""The event store: what was known on each day, whatever came before and after."""

from __future__ import annotations

import datetime as dt
import json
from collections import Counter
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from forecast.errors import InputError
from forecast.events.fold import content_hashes, identity_hashes
from forecast.events.record import COLUMNS, Account, Batch, Scope, event_frame
from forecast.events.store import EventStore
from forecast.events.vintage_file import Rank

DAY = dt.date(2024, 1, 1)


def day(number: int) -> dt.date:
    return DAY + dt.timedelta(days=number)


def batch(
    fatalities: Mapping[str, int | None],
    *,
    source: str = "acled",
    country: str = "Mali",
    start: str = "2023-10-01",
    release: str = "1",
    deleted: tuple[str, ...] = (),
    dropped: Counter[str] | None = None,
) -> Batch:
    count = len(fatalities)
    frame = event_frame(
        {
            "event_id": list(fatalities),
            "source": [source] * count,
            "date": pd.to_datetime([start] * count),
            "date_start": pd.to_datetime([start] * count),
            "country": [country] * count,
            "fatalities": list(fatalities.values()),
            "release": [release] * count,
            "latitude": [14.5] * count,
        }
    )
    left_out = dropped or Counter()
    return Batch(frame, count + left_out.total(), left_out, deleted)


def put(
    store: EventStore,
    number: int,
    *batches: Batch,
    source: str = "acled",
    scope: Scope | None = None,
    rank: Rank | None = None,
) -> Account:
    return store.add(
        iter(batches), source=source, known_at=day(number), input_hash=f"{number:064x}", scope=scope, rank=rank
    )


def held(store: EventStore, number: int | None = None, source: str = "acled") -> dict[str, int | None]:
    events = store.as_of(None if number is None else day(number), [source])
    assert not events["event_id"].duplicated().any()
    deaths = [None if number is pd.NA else number for number in events["fatalities"].tolist()]
    return dict(zip(events["event_id"].tolist(), deaths, strict=True))


def counts(account: Account) -> tuple[int, int, int]:
    return account.new, account.changed, account.deleted


def whole_scope(*countries: str, first: str = "2000-01-01", last: str = "2023-12-31") -> Scope:
    return Scope(countries, pd.Timestamp(first), pd.Timestamp(last))


def releases(release: pd.Series) -> np.ndarray:
    return release.astype("int64").to_numpy()


@pytest.fixture
def store(tmp_path: Path) -> EventStore:
    return EventStore(tmp_path / "events", timeout=5)


def test_each_vintage_is_known_from_its_day_on(store: EventStore) -> None:
    assert counts(put(store, 0, batch({"a": 1, "b": 2}))) == (2, 0, 0)
    assert counts(put(store, 10, batch({"b": 5, "c": 3}))) == (1, 1, 0)
    assert counts(put(store, 20, batch({}, deleted=("a", "unheard of")))) == (0, 0, 1)
    assert counts(put(store, 30, batch({"a": 1}))) == (1, 0, 0)
    assert held(store, -1) == {}
    assert held(store, 0) == held(store, 9) == {"a": 1, "b": 2}
    assert held(store, 10) == {"a": 1, "b": 5, "c": 3}
    assert held(store, 20) == held(store, 29) == {"b": 5, "c": 3}
    assert held(store, 30) == held(store) == {"a": 1, "b": 5, "c": 3}
    store.verify()


def test_the_table_is_canonical_and_as_it_came(store: EventStore) -> None:
    came = batch({"a": 1, "b": None})
    put(store, 0, came)
    pd.testing.assert_frame_equal(store.as_of(), came.events)
    assert store.as_of(columns=["latitude", "event_id"]).columns.tolist() == ["latitude", "event_id"]
    empty = store.as_of(day(-1))
    assert empty.dtypes.to_dict() == event_frame({}).dtypes.to_dict()
    assert len(empty) == 0


def test_the_same_import_again_changes_nothing(store: EventStore) -> None:
    account = put(store, 0, batch({"a": 1, "b": 2}, dropped=Counter({"no date": 3})), scope=whole_scope())
    before = {path.name: path.read_bytes() for path in store.folder.iterdir()}
    again = put(store, 5, batch({"a": 1, "b": 2}, dropped=Counter({"no date": 3})), scope=whole_scope())
    assert counts(again) == (0, 0, 0)
    assert again.vintage == ""
    assert (account.rows, account.kept, account.dropped, account.reasons) == (5, 2, 3, Counter({"no date": 3}))
    assert (again.rows, again.kept, again.dropped) == (5, 2, 3)
    assert {path.name: path.read_bytes() for path in store.folder.iterdir()} == before


def test_every_content_column_makes_a_change_but_a_new_release_does_not(tmp_path: Path) -> None:
    other: dict[str, object] = {
        "string": "other",
        "float64": 3.25,
        "Int32": 77,
        "datetime64[s]": pd.Timestamp("2001-01-01"),
    }
    words = {"date_precision": "month", "place_precision": "near", "treatment": "flagged"}
    for column, kind in COLUMNS.items():
        if column in {"event_id", "source"}:
            continue
        store = EventStore(tmp_path / column)
        put(store, 0, batch({"a": 1}))
        changed = batch({"a": 1})
        changed.events[column] = pd.Series([words.get(column, other[kind])], dtype=kind)
        assert put(store, 1, changed).changed == (column != "release"), column


def test_the_hashes_are_those_of_the_vintages_that_people_have() -> None:
    low, high = identity_hashes(pd.Series(["a", "MLI123"], dtype="string"))
    events = batch({"a": 1, "b": None}).events
    assert low.tolist() == [17960864774852554884, 10886703148660100585]
    assert high.tolist() == [8559530408168515527, 491276972466720614]
    assert content_hashes(events).tolist() == [10351917513027307196, 12988286246273537886]


def test_sources_do_not_touch_each_other(store: EventStore) -> None:
    put(store, 5, batch({"a": 1}))
    put(store, 0, batch({"a": 7}, source="ucdp"), source="ucdp", scope=whole_scope())
    assert held(store) == {"a": 1}
    assert held(store, source="ucdp") == {"a": 7}
    assert store.as_of()["source"].tolist() == ["acled", "ucdp"]


def test_a_scope_deletes_what_it_lacks_and_nothing_beyond(store: EventStore) -> None:
    put(
        store,
        0,
        batch({"a": 1, "b": 2}),
        batch({"old": 3}, start="1999-12-31"),
        batch({"last day": 4}, start="2023-12-31"),
        batch({"niger": 5}, country="Niger"),
    )
    account = put(store, 1, batch({"b": 2, "c": 9}), scope=whole_scope("Mali"))
    assert counts(account) == (1, 0, 2)
    assert held(store) == {"b": 2, "c": 9, "old": 3, "niger": 5}
    assert store.as_of(day(0))["event_id"].tolist() == ["a", "b", "old", "last day", "niger"]
    assert counts(put(store, 2, batch({"b": 2, "c": 9}), scope=whole_scope("Mali"))) == (0, 0, 0)
    assert counts(put(store, 3, batch({}), scope=whole_scope())) == (0, 0, 3)
    assert held(store) == {"old": 3}


def test_the_later_row_of_an_import_wins(store: EventStore) -> None:
    account = put(store, 0, batch({"a": 1, "b": 1}), batch({"a": 2}), batch({"a": 3, "c": 1}))
    assert counts(account) == (3, 0, 0)
    assert account.rows == account.kept == 5
    assert held(store) == {"a": 3, "b": 1, "c": 1}


def test_what_an_import_deletes_it_does_not_bring(store: EventStore) -> None:
    put(store, 0, batch({"a": 1}))
    assert counts(put(store, 1, batch({"a": 2, "b": 3}, deleted=("b", "a")))) == (0, 0, 1)
    assert held(store) == {}


def test_a_lower_release_never_replaces_a_higher_one(store: EventStore) -> None:
    put(store, 0, batch({"a": 1, "b": 1}, release="5"), rank=releases)
    assert counts(put(store, 1, batch({"a": 2, "c": 2}, release="4"), rank=releases)) == (1, 0, 0)
    assert held(store) == {"a": 1, "b": 1, "c": 2}
    inside = put(store, 2, batch({"c": 9}, release="6"), batch({"c": 8}, release="5"), rank=releases)
    assert counts(inside) == (0, 1, 0)
    assert held(store) == {"a": 1, "b": 1, "c": 9}


def test_a_release_that_repeats_an_event_protects_it(store: EventStore) -> None:
    put(store, 0, batch({"a": 1}, release="1"), rank=releases)
    repeated = put(store, 1, batch({"a": 1}, release="9"), rank=releases)
    assert counts(repeated) == (0, 0, 0)
    assert repeated.vintage.startswith("0002-acled-")
    assert put(store, 2, batch({"a": 1}, release="9"), rank=releases).vintage == ""
    assert counts(put(store, 3, batch({"a": 4}, release="5"), rank=releases)) == (0, 0, 0)
    assert held(store) == {"a": 1}


def test_a_scope_of_a_lower_release_deletes_nothing_of_a_higher_one(store: EventStore) -> None:
    put(store, 0, batch({"a": 1}, release="3"), batch({"b": 1}, release="1"), rank=releases)
    account = put(store, 1, batch({"c": 1}, release="2"), scope=whole_scope(), rank=releases)
    assert counts(account) == (1, 0, 1)
    assert held(store) == {"a": 1, "c": 1}


def test_a_deleted_event_comes_back_only_with_a_newer_record(store: EventStore) -> None:
    put(store, 0, batch({"a": 1}, release="100"), rank=releases)
    put(store, 1, batch({}, deleted=("a",)), rank=releases)
    assert counts(put(store, 2, batch({"a": 1}, release="100"), rank=releases)) == (0, 0, 0)
    assert held(store) == {}
    assert counts(put(store, 3, batch({"a": 1}, release="101"), rank=releases)) == (1, 0, 0)
    assert held(store) == {"a": 1}


def test_time_does_not_go_back_within_a_source(store: EventStore) -> None:
    put(store, 10, batch({"a": 1}))
    with pytest.raises(InputError, match="never changed afterwards"):
        put(store, 9, batch({"a": 2}))
    put(store, 9, batch({"a": 2}, source="ucdp"), source="ucdp")
    assert held(store) == {"a": 1}


def test_vintages_tell_what_came(store: EventStore) -> None:
    put(store, 0, batch({"a": 1, "b": 2}))
    put(store, 3, batch({"a": 5}), scope=whole_scope(last="2024-06-30"))
    table = store.vintages()
    assert table["name"].tolist() == ["0001-acled-00000000", "0002-acled-00000000"]
    assert table[["new", "changed", "deleted", "rows"]].to_numpy().tolist() == [[2, 0, 0, 2], [0, 1, 1, 2]]
    assert table["known_at"].tolist() == [pd.Timestamp(day(0)), pd.Timestamp(day(3))]
    assert table["covers_until"].tolist() == [
        pd.Timestamp("2023-10-01"),
        pd.Timestamp(day(3)),
    ]  # not after it was known
    assert EventStore(store.folder / "none").vintages().empty


def test_a_quiet_week_is_news_although_no_event_is(store: EventStore) -> None:
    put(store, 0, batch({"a": 1}), scope=whole_scope(last="2023-11-03"))
    quiet = put(store, 1, batch({"a": 1}), scope=whole_scope(last="2023-11-10"))
    assert counts(quiet) == (0, 0, 0)
    assert quiet.vintage
    assert [vintage.covers_until for vintage in store.known("acled")] == [dt.date(2023, 11, 3), dt.date(2023, 11, 10)]
    assert held(store) == {"a": 1}


@pytest.mark.parametrize("name", ["0001-acled-00000000.parquet", "index.json"])
def test_tampering_is_found(store: EventStore, name: str) -> None:
    put(store, 0, batch({"a": 1, "b": 2}))
    put(store, 1, batch({"c": 1}))
    store.verify()
    path = store.folder / name
    content = path.read_bytes()
    path.write_bytes(
        content.replace(b'"new": 2', b'"new": 3') if name == "index.json" else content[:-9] + b"x" + content[-8:]
    )
    for action in (store.verify, EventStore(store.folder).as_of):
        with pytest.raises(InputError, match="was changed after it was written"):
            action()


def test_an_entry_taken_out_and_a_missing_file_are_found(store: EventStore) -> None:
    for number in range(3):
        put(store, number, batch({"a": number}))
    path = store.folder / "index.json"
    whole = json.loads(path.read_text())
    path.write_text(json.dumps({**whole, "vintages": whole["vintages"][1:]}))
    with pytest.raises(InputError, match="0002-acled"):
        store.verify()
    path.write_text(json.dumps(whole))
    (store.folder / "0002-acled-00000000.parquet").unlink()
    with pytest.raises(InputError, match="is missing"):
        EventStore(store.folder).as_of()


@pytest.mark.parametrize("content", ["", "[]", '{"format": 1}', '{"format": 1, "vintages": [{}]}', '{"format": 2}'])
def test_a_broken_index_is_refused(store: EventStore, content: str) -> None:
    store.folder.mkdir()
    (store.folder / "index.json").write_text(content)
    with pytest.raises(InputError, match="index"):
        store.as_of()


def test_bad_rows_are_refused_and_nothing_is_stored(store: EventStore) -> None:
    with pytest.raises(InputError, match="has no id"):
        put(store, 0, batch({"a": 1}), Batch(event_frame({"source": ["acled"], "event_id": [None]}), 1))
    with pytest.raises(InputError, match="source 'ucdp'"):
        put(store, 0, batch({"a": 1}, source="ucdp"))
    with pytest.raises(InputError, match=r"source '\.\./x'"):
        put(store, 0, batch({"a": 1}), source="../x")
    with pytest.raises(ValueError, match="dropped rows of 5"):
        put(store, 0, Batch(batch({"a": 1}).events, 5))
    assert not store.folder.exists()


def test_an_unknown_source_is_named(store: EventStore) -> None:
    with pytest.raises(InputError, match="no events of 'ucdp'"):
        store.as_of(sources=["ucdp"])
    put(store, 0, batch({"a": 1}))
    with pytest.raises(InputError, match="unknown source 'acledd'"):
        store.as_of(sources=["acledd"])


IDS = "abcdef"
HISTORY = st.lists(
    st.tuples(
        st.lists(st.tuples(st.dictionaries(st.sampled_from(IDS), st.integers(0, 2)), st.integers(0, 3)), max_size=3),
        st.sets(st.sampled_from(IDS), max_size=2),
        st.booleans(),
    ),
    min_size=1,
    max_size=6,
)


Known = dict[str, tuple[int | None, int]]  # id to value (None: deleted) and rank


def naive_import(
    known: Known, came: dict[str, tuple[int, int]], deleted: set[str], *, scoped: bool, ranked: bool
) -> Known:
    """What a store of nothing but a dictionary knows after an import."""
    top = max((release for _, release in came.values()), default=0)
    brought = {
        name: row
        for name, row in came.items()
        if name not in deleted and (name not in known or row[1] >= known[name][1])
    }
    after: Known = {**known, **brought}
    for name, (value, release) in known.items():
        if value is not None and name in deleted:
            after[name] = (None, release + 1 if ranked else 0)
        elif value is not None and scoped and name not in came and release <= top:
            after[name] = (None, top)
    return after


def alive(known: Known) -> dict[str, int]:
    return {name: value for name, (value, _) in known.items() if value is not None}


@settings(max_examples=30, deadline=None)
@given(history=HISTORY, ranked=st.booleans())
def test_any_history_folds_to_what_a_dictionary_holds(
    tmp_path_factory: pytest.TempPathFactory,
    history: list[tuple[list[tuple[dict[str, int], int]], set[str], bool]],
    ranked: bool,
) -> None:
    store = EventStore(tmp_path_factory.mktemp("history"))
    model: Known = {}
    states = []
    for number, (parts, deleted, scoped) in enumerate(history):
        came: dict[str, tuple[int, int]] = {}
        for rows, release in parts:
            better = {name for name in rows if not ranked or release >= came.get(name, (0, 0))[1]}
            came |= {name: (rows[name], release if ranked else 0) for name in better}
        before, model = model, naive_import(model, came, deleted, scoped=scoped, ranked=ranked)
        states.append(alive(model))
        account = put(
            store,
            number,
            *(batch(rows, release=str(release)) for rows, release in parts),
            batch({}, deleted=tuple(sorted(deleted))),
            scope=whole_scope() if scoped else None,
            rank=releases if ranked else None,
        )
        old, now = alive(before), alive(model)
        assert account.new == len(now.keys() - old.keys())
        assert account.deleted == len(old.keys() - now.keys())
        assert account.changed == sum(old[name] != now[name] for name in old.keys() & now.keys())
    if len(store.vintages()):
        store.verify()
        assert [held(store, number) for number in range(len(history))] == states
        assert held(store) == states[-1]


def test_the_history_holds_every_day(store: EventStore) -> None:
    rng = np.random.default_rng(8)
    for number in range(6):
        ids = rng.choice(40, 25, replace=False)
        gone = tuple(f"e{at}" for at in rng.choice(40, 5, replace=False) if at not in ids)
        put(store, number, batch({f"e{at}": int(rng.integers(0, 3)) for at in ids}, deleted=gone))
    columns = ["event_id", "fatalities"]
    for today in (2, 5):
        whole = pd.concat(list(store.history("acled", day(today), columns)))
        assert whole.columns.tolist() == [*columns, "start", "stop"]
        for vintage in range(today + 1):
            then = whole[(whole["start"] <= vintage) & (vintage < whole["stop"])]
            pd.testing.assert_frame_equal(
                then[columns].sort_values("event_id", ignore_index=True),
                store.as_of(day(vintage), ["acled"], columns).sort_values("event_id", ignore_index=True),
            )
