"""Forecasts of very many units, written chunk by chunk: memory holds the paths of one model at a time."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from forecast.errors import InputError
from forecast.panel.panel import Panel
from forecast.predictive.escalation import Escalation, base_rate_and_origins, probability_of
from forecast.predictive.forecast import Forecast
from forecast.storage import folder_in_progress

FORECASTS = "forecasts.parquet"
RISK = "risk.parquet"
_Row = dict[str, pa.Array]


def write_streamed(
    folder: Path,
    forecasts: Iterable[Forecast],
    rules: Sequence[Escalation],
    history: Panel,
    *,
    levels: Sequence[float],
    head: int = 10,
    chunk: int = 512,
) -> None:
    """Write the quantiles, the heads of the distributions and the risks of forecasts of many units.

    The forecasts are taken one after the other, and of each `chunk` units at a time: with a generator that fits and
    predicts as it is asked, memory holds the joint paths of one model, and a small part more. The numbers are those of
    `Forecast.quantile` and `forecast.predictive.risk.risk_table`, whatever the size of a chunk.

    Parameters
    ----------
    folder : Path
        Appears whole or not at all, with ``forecasts.parquet`` (model, unit, horizon, week, mean, q<level>.., p0..; one
        row a model, unit and week, in this order) and ``risk.parquet`` (model, unit, escalation, probability,
        base_rate, base_origins, level; one row a model, unit and rule).
    forecasts : iterable of Forecast
        Each named, from the origin that `history` ends at, for its units.
    rules : sequence of Escalation
    history : Panel
        What was known at the origin.
    levels : sequence of float
        Of the quantiles, in (0, 1).
    head : int
        Probabilities of 0, 1, .. head - 1 events.
    chunk : int
        Units at a time.

    Raises
    ------
    InputError
        If a forecast is of other units or weeks than those that follow `history`, or the chunk has no unit.

    Examples
    --------
    >>> import tempfile
    >>> import pandas as pd
    >>> from forecast.panel.units import Units
    >>> from forecast.predictive.escalation import AnyEvent
    >>> weeks = pd.date_range("2026-01-03", periods=22, freq="7D")
    >>> panel = Panel.of(np.tile([[0], [1], [0]], (7, 1)), weeks[:21], Units.of(["Gao"]))
    >>> coin = Forecast(np.array([[[0]], [[1]]], "int32"), np.array([[[0.5, 0.5]]]), weeks[21:], panel.units, "coin")
    >>> rule = AnyEvent(name="any", weeks=1, rule="any_event")
    >>> folder = Path(tempfile.mkdtemp()) / "large"
    >>> write_streamed(folder, [coin], [rule], panel, levels=[0.5], head=2)
    >>> pq.read_table(folder / "risk.parquet").to_pylist()[0]["probability"]
    0.5
    """
    if chunk < 1:
        raise InputError(f"a chunk of {chunk} units", expected="at least 1")
    known = [(rule.level(history), *base_rate_and_origins(rule, history)) for rule in rules]
    with folder_in_progress(folder) as work, _Writer(work / FORECASTS) as laws, _Writer(work / RISK) as risks:
        for each in forecasts:
            if each.units.names != history.units.names or each.origin != history.origin:
                raise InputError(
                    f"the forecast of {each.model!r} is of other units or weeks than those that follow the history"
                )
            mean = each.mean()  # of all units at once: how many are summed together can change the last bits
            for at in _chunks(len(each.units), chunk):
                part = _part(each, at)
                laws.write(_law_rows(part, mean[:, at], levels, head))
                if rules:
                    here = [(level[at], rate[at], origins[at]) for level, rate, origins in known]
                    risks.write(_risk_rows(part, rules, here))
            del each, part  # before the next one is made


def _chunks(units: int, size: int) -> Iterator[slice]:
    return (slice(start, min(start + size, units)) for start in range(0, units, size))


def _part(forecast: Forecast, at: slice) -> Forecast:
    """Return some consecutive units of a forecast."""
    units = forecast.units.take(np.arange(at.start, at.stop))
    return replace(forecast, paths=np.ascontiguousarray(forecast.paths[:, :, at]), pmf=forecast.pmf[:, at], units=units)


def _law_rows(part: Forecast, mean: NDArray[np.float64], levels: Sequence[float], head: int) -> _Row:
    horizon, units = part.horizon, len(part.units)
    heads = np.zeros((horizon, units, head))
    kept = min(head, part.pmf.shape[2])
    heads[..., :kept] = part.pmf[..., :kept]
    ahead = np.tile(np.arange(1, horizon + 1, dtype=np.int16), units)
    columns: _Row = {
        "model": pa.repeat(part.model, horizon * units).dictionary_encode(),
        "unit": _words(np.repeat(np.arange(units), horizon), part.units.names),
        "horizon": pa.array(ahead),
        "week": pa.array(np.tile(part.weeks.to_numpy().astype("datetime64[D]"), units)),
        "mean": pa.array(mean.T.ravel()),
    }
    for level, values in zip(levels, part.quantile(levels), strict=True):
        columns[f"q{level:g}"] = pa.array(values.T.ravel().astype(np.int32))
    for count in range(head):
        columns[f"p{count}"] = pa.array(heads[..., count].T.ravel().astype(np.float32))
    return columns


def _risk_rows(
    part: Forecast,
    rules: Sequence[Escalation],
    known: Sequence[tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.int64]]],
) -> _Row:
    count, units = len(rules), len(part.units)

    def by_unit(values: Iterable[NDArray[np.generic]]) -> pa.Array:
        return pa.array(np.stack(list(values), axis=1).ravel())

    return {
        "model": pa.repeat(part.model, count * units).dictionary_encode(),
        "unit": _words(np.repeat(np.arange(units), count), part.units.names),
        "escalation": _words(np.tile(np.arange(count), units), [rule.name for rule in rules]),
        "probability": by_unit(
            probability_of(rule, part, level) for rule, (level, *_) in zip(rules, known, strict=True)
        ),
        "base_rate": by_unit(rate for _, rate, _ in known),
        "base_origins": by_unit(origins for *_, origins in known),
        "level": by_unit(level for level, *_ in known),
    }


def _words(codes: NDArray[np.integer], names: Sequence[str]) -> pa.DictionaryArray:
    """Each word once and its position in every row."""
    return pa.DictionaryArray.from_arrays(pa.array(codes.astype(np.int32)), pa.array(list(names), pa.string()))


class _Writer:
    """A parquet file that begins with its first rows; one row group a call."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file: pq.ParquetWriter | None = None

    def __enter__(self) -> _Writer:
        return self

    def __exit__(self, *_: object) -> None:
        if self._file is not None:
            self._file.close()

    def write(self, columns: _Row) -> None:
        """Add rows."""
        table = pa.table(columns)
        if self._file is None:
            self._file = pq.ParquetWriter(self._path, table.schema, compression="zstd")
        self._file.write_table(table)
