"""What a model said of each week and unit, as arrays that can be packed, kept and scored exactly."""

from __future__ import annotations

import json
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any, cast

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from forecast.errors import ForecastError
from forecast.evaluation.record import HEAD, QUANTILE_LEVELS
from forecast.ledger.chain import float_bytes, int_bytes, text_bytes
from forecast.panel.units import UnitKind, Units
from forecast.panel.weeks import WEEK
from forecast.predictive.forecast import TAIL, Forecast
from forecast.provenance import hash_bytes

Floats = NDArray[np.float64]
Ints = NDArray[np.int32]

_LARGEST = 2**28
"""Bytes that packed marginals may unpack to: a damaged or planted row must not fill the memory."""


@dataclass(frozen=True, eq=False)
class Marginals:
    """The weekly distributions of one model for one kind of unit.

    Parameters
    ----------
    units : tuple of str
    pmf : ndarray of float64, shape (horizon, units, k)
        As in `Forecast`.
    mean : ndarray of float64, shape (horizon, units)
    quantiles : ndarray of int32, shape (23, horizon, units)
        At `QUANTILE_LEVELS`.
    far : ndarray of bool, shape (horizon, units)
        Where more than `TAIL` lies beyond the pmf, so that scores come from the sample.
    sample : ndarray of int32, shape (far cells, draws)
        The counts of the paths in these cells, sorted.
    """

    units: tuple[str, ...]
    pmf: Floats
    mean: Floats
    quantiles: Ints
    far: NDArray[np.bool_]
    sample: Ints

    @classmethod
    def of(cls, forecast: Forecast) -> Marginals:
        """Return the marginals of a forecast: all that a score of single weeks can depend on."""
        far = forecast.tail() > TAIL
        return cls(
            forecast.units.names,
            np.ascontiguousarray(forecast.pmf, dtype=np.float64),
            forecast.mean(),
            forecast.quantile(QUANTILE_LEVELS).astype(np.int32),
            far,
            np.sort(forecast.paths[:, far], axis=0).T.astype(np.int32),
        )

    @property
    def horizon(self) -> int:
        """Number of weeks."""
        return int(self.pmf.shape[0])

    def head(self) -> Floats:
        """Return the probabilities of 0 to 9 events, shape (horizon, units, 10)."""
        head = np.zeros((*self.mean.shape, HEAD))
        head[..., : self.pmf.shape[2]] = self.pmf[..., :HEAD]
        return head

    def forecast(self, origin: pd.Timestamp, kind: str) -> Forecast:
        """Return a forecast with these marginals. Its paths are theirs in far cells, and zero elsewhere."""
        paths = np.zeros((max(1, self.sample.shape[1]), *self.mean.shape), dtype=np.int32)
        paths[:, self.far] = self.sample.T
        weeks = pd.DatetimeIndex([origin + step * WEEK for step in range(self.horizon)])
        return Forecast(paths, self.pmf, weeks, Units.of(self.units, kind=cast("UnitKind", kind)))

    def frame(self, origin: pd.Timestamp, kind: str) -> pd.DataFrame:
        """Return one row a week and unit: week, horizon, unit, unit_kind, mean, quantiles, p0 .. p9."""
        units, horizon = len(self.units), self.horizon
        steps = np.repeat(np.arange(1, horizon + 1), units)
        columns: dict[str, Any] = {
            "week": origin + (steps - 1) * WEEK,
            "horizon": steps,
            "unit": np.tile(np.asarray(self.units, dtype=object), horizon),
            "unit_kind": kind,
            "mean": self.mean.ravel(),
        }
        columns |= {f"q{level:g}": self.quantiles[at].ravel() for at, level in enumerate(QUANTILE_LEVELS)}
        columns |= {f"p{count}": self.head()[..., count].ravel() for count in range(HEAD)}
        return pd.DataFrame(columns)

    def digest(self) -> str:
        """Return the hash of the numbers."""
        arrays = self._arrays()
        shapes = text_bytes([list(self.units), *([name, list(array.shape)] for name, array in arrays.items())])
        parts = (float_bytes(array) if array.dtype.kind == "f" else int_bytes(array) for array in arrays.values())
        return hash_bytes(shapes, *parts)

    def pack(self) -> bytes:
        """Return all of it as compressed bytes: the length of a JSON header, the header, the arrays."""
        arrays = {name: np.ascontiguousarray(array) for name, array in self._arrays().items()}
        form = {name: [array.dtype.str, list(array.shape)] for name, array in arrays.items()}
        header = json.dumps({"units": self.units, "arrays": form}, ensure_ascii=False).encode()
        body = b"".join(array.tobytes() for array in arrays.values())
        return zlib.compress(len(header).to_bytes(4, "little") + header + body, 6)

    @classmethod
    def unpack(cls, packed: bytes) -> Marginals:
        """Return what was packed.

        Raises
        ------
        ForecastError
            If the bytes are not what `pack` made.
        """
        try:
            content = _unzipped(packed)
            start = 4 + int.from_bytes(content[:4], "little")
            header = json.loads(content[4:start])
            arrays: dict[str, Any] = {}
            for field in fields(cls)[1:]:
                kind, shape = header["arrays"][field.name]
                count = int(np.prod(shape, dtype=np.int64))
                arrays[field.name] = np.frombuffer(content, np.dtype(kind), count, start).reshape(shape)
                start += arrays[field.name].nbytes
        except (zlib.error, ValueError, KeyError, TypeError, RecursionError) as error:
            raise ForecastError(f"a packed forecast of the ledger is damaged: {error}") from error
        return cls(tuple(header["units"]), **arrays)

    def _arrays(self) -> Mapping[str, NDArray[Any]]:
        names: Sequence[str] = [field.name for field in fields(self)[1:]]
        return {name: getattr(self, name) for name in names}


def _unzipped(packed: bytes) -> bytes:
    reader = zlib.decompressobj()
    content = reader.decompress(packed, _LARGEST)
    if reader.unconsumed_tail or not reader.eof:
        raise ValueError("it is not of the size of a forecast")
    return content
