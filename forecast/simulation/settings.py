"""What the simulators share: settings that refuse unknown keys, truths that can be written down, unequal regions."""

from __future__ import annotations

from typing import Annotated

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field

Positive = Annotated[float, Field(gt=0, le=1e6, allow_inf_nan=False)]
Share = Annotated[float, Field(ge=0, lt=1, allow_inf_nan=False)]
Spread = Annotated[float, Field(ge=0, le=3, allow_inf_nan=False)]
"""Standard deviation of the logarithm of the regions' means."""
Size = Annotated[float, Field(ge=1e-3, le=1e9, allow_inf_nan=False)]
"""Of a negative binomial: ``var = mean + mean**2 / size``."""
MOST_EVENTS = 5_000_000


class Spec(BaseModel):
    """Settings or truth of a simulation: frozen, written to ``datapackage.json`` as it is."""

    model_config = ConfigDict(frozen=True, extra="forbid")


def unequal(mean: float, spread: float, units: int, rng: np.random.Generator) -> NDArray[np.float64]:
    """Draw a lognormal mean for each region: expectation `mean`, standard deviation of the logarithm `spread`.

    Returns
    -------
    ndarray, shape (units,)
    """
    return mean * np.exp(spread * rng.standard_normal(units) - spread**2 / 2)
