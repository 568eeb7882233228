"""The event store under processes that are killed, that come at the same time, and that never end."""

from __future__ import annotations

import datetime as dt
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from forecast.events.record import Batch, event_frame
from forecast.events.store import EventStore
from forecast.events.store_lock import StoreBusyError, one_writer

DAY = dt.date(2024, 1, 1)

WRITER = """
import datetime as dt, sys, time
from pathlib import Path
from forecast.events.record import Batch, event_frame
from forecast.events.store import EventStore

folder, source, count, pause, timeout = Path(sys.argv[1]), sys.argv[2], *map(float, sys.argv[3:])

def batches():
    print("writing", flush=True)
    for number in range(int(count)):
        ids = [f"{source}{number}-{row}" for row in range(200)]
        yield Batch(event_frame({"event_id": ids, "source": [source] * 200}), 200)
        time.sleep(pause)

account = EventStore(folder, timeout=timeout).add(
    batches(), source=source, known_at=dt.date(2024, 1, 2), input_hash="ab" * 32
)
print(account.new, flush=True)
"""


def writer(
    folder: Path, source: str, *, batches: int, pause: float = 0.0, timeout: float = 30
) -> subprocess.Popen[str]:
    arguments = [sys.executable, "-c", WRITER, str(folder), source, str(batches), str(pause), str(timeout)]
    return subprocess.Popen(arguments, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def one_event(source: str) -> Batch:
    return Batch(event_frame({"event_id": ["first"], "source": [source]}), 1)


def put(store: EventStore, source: str) -> int:
    return store.add([one_event(source)], source=source, known_at=DAY, input_hash="cd" * 32).new


@pytest.mark.parametrize("wait", [0.0, 0.05, 0.3])
def test_a_killed_writer_leaves_the_store_as_it_was_and_blocks_nobody(tmp_path: Path, wait: float) -> None:
    store = EventStore(tmp_path, timeout=5)
    put(store, "a")
    before = (tmp_path / "index.json").read_bytes()
    process = writer(tmp_path, "b", batches=100_000, pause=0.001)
    assert process.stdout is not None
    assert process.stdout.readline() == "writing\n"
    time.sleep(wait)
    process.kill()
    process.communicate()
    assert (tmp_path / "index.json").read_bytes() == before
    assert store.as_of()["event_id"].tolist() == ["first"]
    store.verify()
    assert put(store, "c") == 1
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        ".lock",
        "0001-a-cdcdcdcd.parquet",
        "0002-c-cdcdcdcd.parquet",
        "index.json",
    ]


@pytest.mark.slow
def test_a_kill_at_any_moment_leaves_all_of_an_import_or_nothing(tmp_path: Path) -> None:
    process = writer(tmp_path / "timed", "b", batches=20)
    assert process.stdout is not None
    process.stdout.readline()
    start = time.monotonic()
    process.communicate()
    whole = time.monotonic() - start
    outcomes = set()
    for number in range(20):
        folder = tmp_path / str(number)
        process = writer(folder, "b", batches=20)
        assert process.stdout is not None
        process.stdout.readline()
        time.sleep(whole * number / 19)
        process.kill()
        process.communicate()
        store = EventStore(folder, timeout=5)
        store.verify()
        outcomes.add(len(store.as_of()))
        assert put(store, "a") == 1
        assert not list(folder.glob(".part-*"))
    assert 0 in outcomes
    assert outcomes <= {0, 4000}


@pytest.mark.parametrize("point", ["write_delta", "write_index"])
def test_an_import_that_fails_at_the_last_steps_leaves_the_store_as_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, point: str
) -> None:
    store = EventStore(tmp_path)
    put(store, "a")

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(f"forecast.events.store.{point}", full)
        with pytest.raises(OSError, match="No space"):
            put(store, "b")
    assert store.as_of()["source"].tolist() == ["a"]
    assert put(store, "b") == 1
    store.verify()


def test_two_writers_take_turns(tmp_path: Path) -> None:
    processes = [writer(tmp_path, name, batches=5, pause=0.05) for name in ("a", "b")]
    outputs = [process.communicate(timeout=60) for process in processes]
    assert [out.split() for out, _ in outputs] == [["writing", "1000"]] * 2, outputs
    store = EventStore(tmp_path)
    store.verify()
    assert store.as_of()["source"].value_counts().to_dict() == {"a": 1000, "b": 1000}
    assert len(store.vintages()) == 2


def test_a_writer_that_waits_too_long_says_so_and_stores_nothing(tmp_path: Path) -> None:
    store = EventStore(tmp_path, timeout=0.2)
    put(store, "a")
    with one_writer(tmp_path, 1), pytest.raises(StoreBusyError, match=r"within 0\.2 seconds"):
        put(store, "b")
    assert store.as_of()["source"].tolist() == ["a"]
    assert put(store, "b") == 1


def test_a_reader_does_not_wait_for_a_writer(tmp_path: Path) -> None:
    store = EventStore(tmp_path)
    put(store, "a")
    with one_writer(tmp_path, 1):
        assert store.as_of()["event_id"].tolist() == ["first"]


def test_writers_stay_one_at_a_time_while_those_that_store_nothing_remove_the_lock(tmp_path: Path) -> None:
    folder, inside, most = tmp_path / "data" / "events", 0, 0

    def write(number: int) -> None:
        nonlocal inside, most
        for _ in range(30):
            with one_writer(folder, 60):
                inside += 1
                most = max(most, inside)
                assert folder.is_dir()
                time.sleep(0.0002 * number)
                inside -= 1

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(write, range(4)))
    assert most == 1
    assert not list(tmp_path.rglob(".lock"))
