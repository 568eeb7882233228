"""Blocks of a backtest on the workers of a Ray cluster, asked through Ray Client."""

from __future__ import annotations

import logging
import os
import re
import socket
import time
import warnings
from collections import Counter
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from itertools import islice
from typing import Any, TypeVar

from forecast.errors import ForecastError, InputError
from forecast.evaluation.blocks import Block
from forecast.evaluation.sent_blocks import Task, on_worker, taken_apart

Result = TypeVar("Result")
Ray = Any  # the module, which is an extra
ObjectRef = Any

CONNECT_SECONDS = 10.0
WORKER_SECONDS = 30.0
ATTEMPTS = 3
ALLOWED_FAILURES = 3  # as `distributed.scheduler.allowed-failures`
_ASKED_FOR = 500  # results at a time: each question names them all
_SURROUNDINGS = {
    "RAY_USAGE_STATS_ENABLED": "0",
    # No question may start a cluster on this machine when that of the user is lost.
    "RAY_ENABLE_AUTO_CONNECT": "0",
    # Under `uv run` it would send the folder of the user to the cluster.
    "RAY_ENABLE_UV_RUN_RUNTIME_ENV": "0",
}


@dataclass(frozen=True, eq=False)
class _RayCluster:
    address: str
    ray: Ray

    def results(self, work: Callable[[Block], Result], blocks: Sequence[Block]) -> Generator[Result, None, None]:
        tasks, parcels = taken_apart(blocks)
        # Repeated from here, as Ray itself does so without end where a worker was short of memory.
        remote = self.ray.remote(num_cpus=1, max_retries=0)(on_worker)
        with self._asked():
            sent = {name: self.ray.put(parcels[name]) for name in parcels}

        waiting: dict[ObjectRef, Task] = {}

        def begin(task: Task) -> None:
            with self._asked():  # as a key a reference waits until the head knows the task
                waiting[remote.remote(work, task, *(sent[name] for name in task.shared.values()))] = task

        for task in tasks:
            begin(task)
        return self._gathered(begin, waiting)

    def _gathered(self, begin: Callable[[Task], None], waiting: dict[ObjectRef, Task]) -> Generator[Any, None, None]:
        failures: Counter[str] = Counter()
        try:
            while waiting:
                with self._asked():
                    (found,), _ = self.ray.wait(list(islice(waiting, _ASKED_FOR)), num_returns=1)
                task = waiting.pop(found)
                result, died = self._result(found)
                if died is None:
                    yield result
                    continue
                failures[task.key] += 1
                if failures[task.key] > ALLOWED_FAILURES:
                    raise ForecastError(
                        f"a block lost its worker {failures[task.key]} times: "
                        "workers may be short of memory; the blocks that were finished are kept"
                    ) from died
                begin(task)
        finally:
            with suppress(ForecastError):  # the cluster may be what was lost
                for each in waiting:
                    with self._asked():
                        self.ray.cancel(each)

    def _result(self, found: ObjectRef) -> tuple[Any, Exception | None]:
        """Return a result, or how its worker died."""
        known = self.ray.exceptions
        with self._asked():
            try:
                return self.ray.get(found), None
            except (
                known.WorkerCrashedError,
                known.OutOfMemoryError,
                known.NodeDiedError,
                known.ObjectLostError,
            ) as error:
                return None, error
            except known.RayTaskError as error:
                failed = error.cause
        raise failed

    def _check_connected(self) -> None:
        if not self.ray.is_initialized():  # a question would then start a cluster on this machine
            raise ConnectionError

    @contextmanager
    def _asked(self) -> Iterator[None]:
        try:
            self._check_connected()
            yield
        except Exception as error:
            # Ray Client has no error of its own for this: it raises those of gRPC, of Python and plain ones.
            found = re.search('details = "(.+)"', str(error))  # among others that the head lacks a package
            told = f" ({found[1]})" if found else ""
            raise ForecastError(
                f"the cluster {self.address} is lost{told}; the blocks that were finished are kept, "
                "and the same command goes on from there, with or without --scheduler"
            ) from error


@contextmanager
def ray_cluster(address: str) -> Iterator[_RayCluster]:
    """Connect to a Ray cluster; none is ever started.

    Parameters
    ----------
    address : str
        ``ray://HOST:PORT`` of the server for clients that `ray start --head` starts.

    Raises
    ------
    InputError
        If `ray` is not installed, nothing answers there, or it has no processor for a task.
    """
    ray = _connected(address)
    # What goes wrong is told by errors, without the messages of the connection's own threads.
    logging.getLogger("ray").setLevel(logging.CRITICAL)
    try:
        _await_processors(ray, address)
        yield _RayCluster(address, ray)
    finally:
        with suppress(Exception):  # a cluster that is lost cannot be told
            ray.shutdown()


def _connected(address: str) -> Ray:
    os.environ.update(_SURROUNDINGS)  # read when it is imported
    try:
        import ray  # noqa: PLC0415 - an extra
    except ImportError:
        raise InputError(
            "ray is not installed",
            where="--scheduler",
            hint="pip install 'escalation-forecast[ray]', or --workers N instead",
        ) from None
    try:
        host, _, port = address.removeprefix("ray://").rpartition(":")
        socket.create_connection((host.strip("[]"), int(port)), timeout=CONNECT_SECONDS).close()  # Ray tries for long
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            _begin(ray, address)
    except Exception as error:
        last = str(error).strip().splitlines()[-1:]  # before it may be a trace of the head's
        raise InputError(
            f"no Ray cluster answers: {': '.join([type(error).__name__, *last])}",
            where=f"--scheduler {address}",
            expected="the address of the head, with the port of `ray start --head --ray-client-server-port` (10001)",
            hint="check that it runs and can be reached, and whether it asks for a token or certificates",
        ) from error
    return ray


def _begin(ray: Ray, address: str) -> None:
    for left in reversed(range(ATTEMPTS)):
        try:
            ray.init(address, logging_level=logging.CRITICAL, log_to_driver=False)
        except ConnectionAbortedError:  # the head's process for this client died as it was forked: seen once in a dozen
            if not left:
                raise
        else:
            return


def _await_processors(ray: Ray, address: str) -> None:
    last = time.monotonic() + WORKER_SECONDS
    while ray.cluster_resources().get("CPU", 0) < 1:
        if time.monotonic() > last:
            raise InputError(
                f"the cluster has no processor after {WORKER_SECONDS:g} seconds",
                where=f"--scheduler {address}",
                hint="ray start --address HEAD:6379 --num-cpus 2",
            )
        time.sleep(0.2)
