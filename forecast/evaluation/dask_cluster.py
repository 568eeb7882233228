"""Blocks of a backtest on the workers of a Dask scheduler."""

from __future__ import annotations

import logging
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any, TypeVar

from forecast.errors import ForecastError, InputError
from forecast.evaluation.blocks import Block
from forecast.evaluation.sent_blocks import on_worker, taken_apart

Result = TypeVar("Result")
Client = Any  # of distributed, which is an extra and has few types
Future = Any

CONNECT_SECONDS = 10.0
WORKER_SECONDS = 30.0


@dataclass(frozen=True, eq=False)
class _DaskCluster:
    address: str
    client: Client

    def results(self, work: Callable[[Block], Result], blocks: Sequence[Block]) -> Generator[Result, None, None]:
        tasks, parcels = taken_apart(blocks)
        # A task rather than scattered data: what is lost with a worker is there again from the scheduler.
        sent = {name: self.client.submit(_as_it_is, parcels[name], key=f"forecast-panel-{name}") for name in parcels}
        waiting = [
            self.client.submit(
                on_worker,
                work,
                task,
                *(sent[name] for name in task.shared.values()),
                key=f"forecast-block-{task.key}",
                pure=False,
            )
            for task in tasks
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


def _as_it_is(packed: bytes) -> bytes:
    return packed


@contextmanager
def dask_cluster(address: str) -> Iterator[_DaskCluster]:
    """Connect to a Dask scheduler.

    Parameters
    ----------
    address : str
        ``HOST:PORT``, with or without a protocol of Dask.

    Raises
    ------
    InputError
        If `distributed` is not installed, nothing answers there, or it has no worker.
    """
    client = _connected(address)
    # What goes wrong is told by errors, without the traces of the connection's own retries.
    logging.getLogger("distributed.client").setLevel(logging.CRITICAL)
    try:
        yield _DaskCluster(address, client)
    finally:
        with suppress(Exception):  # a scheduler that is lost cannot be told
            client.close(timeout=2)


def _connected(address: str) -> Client:
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
            hint="check that it can be reached, and whether it asks for tls:// with a certificate of its own authority",
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
