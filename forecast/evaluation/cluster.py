"""Blocks of a backtest on the workers of a Dask scheduler, as bytes that do not depend on where they were computed."""

from __future__ import annotations

import logging
import pickle
import re
import threading
import zlib
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from dataclasses import dataclass, field, fields
from functools import lru_cache
from typing import Any, TypeVar

from forecast.errors import ForecastError, InputError
from forecast.evaluation.blocks import Block, code_hash
from forecast.panel.panel import Panel
from forecast.panel.panel_hash import panel_hash
from forecast.provenance import hash_bytes, versions

Result = TypeVar("Result")
Client = Any  # of distributed, which is an extra and has few types
Future = Any

CONNECT_SECONDS = 10.0
WORKER_SECONDS = 30.0
_ADDRESS = re.compile(r"((tcp|tls|ws|wss|ucx)://)?(\[[0-9A-Fa-f:.]+\]|[\w.-]+):\d{1,5}")
_SHARED = ("panel", "fit_panel", "vintages", "delays")


@dataclass(frozen=True, eq=False)
class Cluster:
    """A connection to a Dask scheduler.

    Parameters
    ----------
    address : str
    client : distributed.Client
    """

    address: str
    client: Client

    def results(self, work: Callable[[Block], Result], blocks: Sequence[Block]) -> Generator[Result, None, None]:
        """Begin with the blocks, and give each result as it is there, in any order.

        Each panel goes to the scheduler once, packed, and from there to the workers. A block whose worker dies is
        computed by another one.

        Parameters
        ----------
        work : callable of Block
            Importable by the workers.
        blocks : sequence of Block

        Raises
        ------
        ForecastError
            If the scheduler is lost, the workers have other code or libraries, or a block loses its worker again and
            again. What `work` raises is raised as it is.
        """
        parcels = _Parcels(self.client, {})
        whole = _longest([panel for block in blocks for panel in (block.panel, block.fit_panel) if panel is not None])
        here = (code_hash(), versions())
        waiting = [
            self.client.submit(
                _on_worker,
                work,
                _small(block),
                {name: parcels.of(whole.get(id(shared), shared)) for name, shared in _shared(block).items()},
                here,
                key=f"forecast-block-{block.key}",
                pure=False,
            )
            for block in blocks
        ]
        return self._gathered(waiting)

    def _gathered(self, waiting: list[Future]) -> Generator[Any, None, None]:
        import distributed  # noqa: PLC0415 - an extra

        as_finished: Any = distributed.as_completed

        left = set(waiting)
        waiting.clear()
        try:
            for future in as_finished(list(left), loop=self.client.loop):
                left.discard(future)
                yield self._result(future)
                future.release()
        finally:
            with suppress(Exception):  # the scheduler may be what was lost
                self.client.cancel(list(left))

    def _result(self, future: Future) -> Any:
        from distributed import CancelledError, KilledWorker  # noqa: PLC0415 - an extra

        try:
            return future.result()
        except KilledWorker as error:
            raise ForecastError(
                f"a block lost its worker {error.args[2] if len(error.args) > 2 else 'several'} times: "
                "workers may be short of memory; the blocks that were finished are kept"
            ) from error
        except (CancelledError, OSError) as error:  # a timeout is the latter too
            raise ForecastError(
                f"the scheduler {self.address} is lost; the blocks that were finished are kept, "
                "and the same command goes on from there, with or without --scheduler"
            ) from error


_CURRENT: ContextVar[Cluster | None] = ContextVar("cluster", default=None)


def current_cluster() -> Cluster | None:
    """Return the cluster that blocks are computed on, or None where this machine does it."""
    return _CURRENT.get()


@contextmanager
def on_cluster(address: str | None) -> Iterator[None]:
    """Compute blocks of backtests within on the workers of a Dask scheduler; on this machine without an address.

    What workers send back is unpickled here, and what they get is unpickled there: only for schedulers that you trust,
    as `SECURITY.md` says. Certificates of ``tls://`` are those of the configuration of Dask.

    Parameters
    ----------
    address : str, optional
        Such as ``10.0.0.7:8786`` or ``tls://head:8786``.

    Raises
    ------
    InputError
        If `distributed` is not installed, the address is none, nothing answers there, or it has no worker.
    """
    if address is None:
        yield
        return
    client = _connected(address)
    token = _CURRENT.set(Cluster(address, client))
    # What goes wrong is told by errors, without the traces of the connection's own retries.
    logging.getLogger("distributed.client").setLevel(logging.CRITICAL)
    try:
        yield
    finally:
        _CURRENT.reset(token)
        with suppress(Exception):  # a scheduler that is lost cannot be told
            client.close(timeout=2)


def _connected(address: str) -> Client:
    if not _ADDRESS.fullmatch(address):
        raise InputError(
            f"address {address!r}", where="--scheduler", expected="HOST:PORT, tcp://HOST:PORT or tls://HOST:PORT"
        )
    try:
        import distributed  # noqa: PLC0415 - an extra
    except ImportError:
        raise InputError(
            "distributed, the scheduler of Dask, is not installed",
            where="--scheduler",
            hint="pip install 'escalation-forecast[dask]', or --workers N instead",
        ) from None
    if address.startswith("tls://"):
        _check_certificates(distributed, address)
    try:
        connect: Any = distributed.Client
        client = connect(address, timeout=CONNECT_SECONDS, set_as_default=False)
    except (OSError, TypeError, ValueError, RuntimeError) as error:
        raise InputError(
            f"no Dask scheduler answers: {type(error).__name__}: {error}",
            where=f"--scheduler {address}",
            expected="the address that `dask scheduler` prints when it starts",
            hint="check that it runs and can be reached, and whether it asks for tls://",
        ) from error
    try:
        client.wait_for_workers(1, timeout=WORKER_SECONDS)
    except TimeoutError:
        client.close(timeout=2)
        raise InputError(
            f"the scheduler has no worker after {WORKER_SECONDS:g} seconds",
            where=f"--scheduler {address}",
            hint=f"dask worker {address} --nworkers 2 --nthreads 1",
        ) from None
    return client


def _check_certificates(distributed: Any, address: str) -> None:
    """Refuse before a client is built, which would be left half made, what Dask's configuration lacks for TLS."""
    try:
        there = distributed.Security().get_connection_args("client")["ssl_context"] is not None
    except (OSError, ValueError) as error:
        raise InputError(
            f"the certificates of Dask's configuration cannot be read: {error}", where=f"--scheduler {address}"
        ) from error
    if not there:
        raise InputError(
            "Dask's configuration names no certificates",
            where=f"--scheduler {address}",
            expected="DASK_DISTRIBUTED__COMM__TLS__CA_FILE, .._TLS__CLIENT__CERT and .._TLS__CLIENT__KEY",
        )


@dataclass
class _Parcels:
    """What blocks share, each sent once: to the scheduler, which can hand it out again when a worker is lost."""

    client: Client
    sent: dict[int, tuple[object, Future]] = field(default_factory=dict)

    def of(self, content: object) -> Future:
        """Return where workers find it; the same object or the same bytes are sent once."""
        if id(content) not in self.sent:
            packed = zlib.compress(pickle.dumps(content, protocol=5), 1)
            # A task rather than scattered data: what is lost with a worker is there again from the scheduler.
            future = self.client.submit(_as_it_is, packed, key=f"forecast-panel-{hash_bytes(packed)}")
            self.sent[id(content)] = content, future
        return self.sent[id(content)][1]


def _as_it_is(packed: bytes) -> bytes:
    return packed


def _longest(panels: Sequence[Panel]) -> Mapping[int, Panel]:
    """Return by `id` of each panel the longest of those that begin with the same weeks.

    It is sent in their place, and cut by the workers.
    """
    out: dict[int, Panel] = {}
    longest: list[Panel] = []
    once = {id(panel): panel for panel in panels}
    for key, panel in sorted(once.items(), key=lambda pair: -len(pair[1].weeks)):
        digest = panel_hash(panel)
        for each in longest:
            same = each.weeks[0] == panel.weeks[0] and each.units.names == panel.units.names
            if same and panel_hash(each.until(panel.origin)) == digest:
                out[key] = each
                break
        else:
            longest.append(panel)
            out[key] = panel
    return out


def _shared(block: Block) -> dict[str, Any]:
    """Return what a block has in common with others."""
    found = {name: getattr(block, name) for name in _SHARED}
    return {name: value for name, value in found.items() if value}


def _small(block: Block) -> dict[str, Any]:
    """Return the rest of it, and where its panels end."""
    own = {each.name: getattr(block, each.name) for each in fields(block) if each.name not in _SHARED}
    panels = {"panel": block.panel, "fit_panel": block.fit_panel}
    return own | {"until": {name: panel.origin for name, panel in panels.items() if panel is not None}}


_ONE_AT_A_TIME = threading.Lock()


def _on_worker(
    work: Callable[[Block], Result], small: dict[str, Any], parcels: dict[str, bytes], there: tuple[str, dict[str, str]]
) -> Result:
    """Put a block together again and compute it; one at a time where a worker has several threads."""
    here = (code_hash(), versions())
    if here != there:
        apart = sorted(name for name in {*here[1], *there[1]} if here[1].get(name) != there[1].get(name))
        raise ForecastError(
            "the workers would not give the same results: they have another "
            + (f"version of {', '.join(apart)}" if apart else "copy of escalation-forecast")
        )
    own = {name: value for name, value in small.items() if name != "until"}
    parts: dict[str, Any] = {"fit_panel": None, **{name: _unpacked(packed) for name, packed in parcels.items()}}
    parts |= {name: parts[name].until(origin) for name, origin in small["until"].items()}
    with _ONE_AT_A_TIME:
        return work(Block(**own, **parts))


@lru_cache(maxsize=16)
def _unpacked(packed: bytes) -> Any:
    return pickle.loads(zlib.decompress(packed))  # noqa: S301 - from the client that this worker computes for
