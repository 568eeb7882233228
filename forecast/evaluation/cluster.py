"""Where blocks of backtests are computed: on this machine, or on the cluster that the user named."""

from __future__ import annotations

import re
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Protocol, TypeVar

from forecast.errors import InputError
from forecast.evaluation.blocks import Block
from forecast.evaluation.dask_cluster import dask_cluster
from forecast.evaluation.ray_cluster import ray_cluster

Result = TypeVar("Result")

_ADDRESS = re.compile(r"((tcp|tls|ws|wss|ucx|ray)://)?(\[[0-9A-Fa-f:.]+\]|[\w.-]+):\d{1,5}")


class Cluster(Protocol):
    """A connection to the workers of an engine."""

    def results(self, work: Callable[[Block], Result], blocks: Sequence[Block]) -> Generator[Result, None, None]:
        """Begin with the blocks, and give each result as it is there, in any order.

        Each panel is sent once. A block whose worker dies is computed by another one.

        Parameters
        ----------
        work : callable of Block
            Importable by the workers.
        blocks : sequence of Block

        Raises
        ------
        ForecastError
            If the cluster is lost, the workers have other code or libraries, or a block loses its worker again and
            again. What `work` raises is raised as it is.
        """


_CURRENT: ContextVar[Cluster | None] = ContextVar("cluster", default=None)


def current_cluster() -> Cluster | None:
    """Return the cluster that blocks are computed on, or None where this machine does it."""
    return _CURRENT.get()


@contextmanager
def on_cluster(address: str | None) -> Iterator[None]:
    """Compute blocks of backtests within on the workers of a Dask scheduler or a Ray cluster; without an address here.

    What workers send back is unpickled here, and what they get is unpickled there: only for clusters that you trust,
    as `SECURITY.md` says. Certificates and tokens are those of the configuration of Dask, or of Ray.

    Parameters
    ----------
    address : str, optional
        Such as ``10.0.0.7:8786``, ``tls://head:8786`` or ``ray://head:10001``.

    Raises
    ------
    InputError
        If the engine is not installed, the address is none, nothing answers there, or it has no worker.
    """
    if address is None:
        yield
        return
    if not _ADDRESS.fullmatch(address):
        raise InputError(
            f"address {address!r}",
            where="--scheduler",
            expected="HOST:PORT, tcp://HOST:PORT or tls://HOST:PORT of Dask, or ray://HOST:PORT",
        )
    connected = ray_cluster if address.startswith("ray://") else dask_cluster
    with connected(address) as cluster:
        token = _CURRENT.set(cluster)
        try:
            yield
        finally:
            _CURRENT.reset(token)
