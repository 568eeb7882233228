"""A panel as a hash: two panels with the same one are the same to every model."""

from __future__ import annotations

import numpy as np

from forecast.panel.panel import Panel
from forecast.provenance import hash_bytes


def panel_hash(panel: Panel) -> str:
    """Return the hash of all of a panel that a model can see."""
    units, borders = panel.units, panel.neighbours
    arrays = [panel.counts, panel.observed, panel.exposure, units.latitude, units.longitude, units.radius_km]
    arrays += [panel.weeks.to_numpy().astype("datetime64[s]").astype(np.int64)]
    for matrix in (borders.border_km, borders.distance_km):
        arrays += [matrix.data, matrix.indices.astype(np.int64), matrix.indptr.astype(np.int64)]
    arrays += list(panel.covariates.values())
    words = [*units.names, units.kind, *units.groups, *panel.covariates]
    return hash_bytes(*(np.ascontiguousarray(array).tobytes() for array in arrays), *(word.encode() for word in words))
