"""The bytes of a finished block: its tables, packed with a hash before them."""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Collection, Iterator, Sequence

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from forecast.predictive.forecast import Paths

Floats = NDArray[np.float64]

TABLES = ("forecasts", "scores", "risk", "joint")
"""What a block gives to a record; columns as in `BacktestRecord`."""
KEPT = (*TABLES, "marginals", "chances", "paths")
"""What a block holds, in the order in which it is packed: the last three are whole distributions, the probabilities of
all escalations, and some of the paths, for `forecast.evaluation.combined`."""
LEAST_MASS = 1e-9
"""Where less than this lies beyond a count, the distribution is cut there."""


def pack_block(tables: Sequence[pa.Table]) -> bytes:
    """Return each table as an Arrow file after its length, and before all the sha256 of what follows.

    Arrow files take a tenth of the time of parquet, both ways, for about as many bytes.
    """
    parts, how = [], pa.ipc.IpcWriteOptions(compression="lz4", use_threads=False)
    for table in tables:
        sink = pa.BufferOutputStream()
        with pa.ipc.new_file(sink, table.schema, options=how) as file:
            file.write_table(table)
        content = sink.getvalue().to_pybytes()
        parts += [len(content).to_bytes(8, "little"), content]
    body = b"".join(parts)
    return hashlib.sha256(body).digest() + body


def is_whole(content: bytes) -> bool:
    """Tell whether the bytes of a block are all there and unaltered.

    Examples
    --------
    >>> is_whole(pack_block([])), is_whole(pack_block([]) + b"!")
    (True, False)
    """
    whole = memoryview(content)
    return hashlib.sha256(whole[32:]).digest() == whole[:32]


def unpack_block(content: bytes, names: Collection[str] = KEPT) -> dict[str, pa.Table]:
    """Return the tables of a block by name, or some of them: whole distributions and paths are most of its bytes.

    Raises
    ------
    ValueError
        If the bytes are not whole and unaltered.
    """
    if not is_whole(content):
        raise ValueError("damaged block")
    body, tables = memoryview(content)[32:], {}
    for name in KEPT:
        size = int.from_bytes(body[:8], "little")
        if name in names:
            tables[name] = pa.ipc.open_file(pa.py_buffer(body[8 : 8 + size])).read_all()
        body = body[8 + size :]
    return tables


def marginal_table(pmfs: Sequence[Floats]) -> pa.Table:
    """Return distributions as a table, one row a cell of each array, in order.

    Parameters
    ----------
    pmfs : sequence of ndarray, each of shape (horizon, units, k)
        Of consecutive origins; k may differ.
    """
    values, lengths = [], []
    for each in pmfs:
        pmf = each.reshape(-1, each.shape[2])
        beyond = np.cumsum(pmf[:, ::-1], axis=1)[:, ::-1]
        length = np.maximum((beyond > LEAST_MASS).sum(axis=1), 1)
        values.append(pmf[np.arange(pmf.shape[1]) < length[:, None]].astype(np.float32))
        lengths.append(length)
    offsets = np.concatenate([[0], np.cumsum(np.concatenate(lengths))]).astype(np.int32)
    return pa.table({"pmf": pa.ListArray.from_arrays(pa.array(offsets), pa.array(np.concatenate(values)))})


def marginals_of(table: pa.Table, horizon: int, units: int) -> Iterator[Floats]:
    """Give the distributions of a table, each of shape (horizon, units, k) and summing to 1.

    Examples
    --------
    >>> (found,) = marginals_of(marginal_table([np.array([[[0.25, 0.75, 0.0], [1.0, 0.0, 0.0]]])]), 1, 2)
    >>> found.tolist()
    [[[0.25, 0.75], [1.0, 0.0]]]
    """
    column = table.column("pmf").combine_chunks()
    offsets, values = column.offsets.to_numpy(), column.values.to_numpy()
    cells = horizon * units
    for first in range(0, len(offsets) - 1, cells):
        at = offsets[first : first + cells + 1]
        length = np.diff(at)
        pmf = np.zeros((cells, int(length.max())))
        pmf[np.arange(pmf.shape[1]) < length[:, None]] = values[at[0] : at[-1]]
        yield (pmf / pmf.sum(axis=1, keepdims=True)).reshape(horizon, units, -1)


def path_table(paths: Sequence[Paths]) -> pa.Table:
    """Return joint paths as a table, one row an array of shape (m, horizon, units), in order."""
    values = np.concatenate([each.ravel() for each in paths]).astype(np.int32)
    offsets = np.concatenate([[0], np.cumsum([each.size for each in paths])]).astype(np.int32)
    return pa.table({"paths": pa.ListArray.from_arrays(pa.array(offsets), pa.array(values))})


def paths_of(table: pa.Table, horizon: int, units: int) -> list[Paths]:
    """Return the paths of a table, each of shape (m, horizon, units).

    Examples
    --------
    >>> (found,) = paths_of(path_table([np.array([[[1, 2]], [[3, 4]]])]), 1, 2)
    >>> found.tolist()
    [[[1, 2]], [[3, 4]]]
    """
    column = table.column("paths").combine_chunks()
    offsets, values = column.offsets.to_numpy(), column.values.to_numpy()
    return [values[start:end].reshape(-1, horizon, units) for start, end in itertools.pairwise(offsets)]
