"""The posterior in coordinates in which it is nearly normal: countries by their levels and not by standard normals."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from forecast.families.bayes.density import Density

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Centred:
    r"""The posterior density of :math:`w_c = z_c (\kappa / \bar\kappa)^p` in place of the countries' :math:`z_c`.

    The counts of years tell the level of a country, :math:`\mu + \kappa z_c`, far better than they tell the countries'
    spread :math:`\kappa`. In :math:`\kappa` and :math:`z_c` the posterior is a curved ridge along constant products;
    in :math:`\kappa` and :math:`w_c` with :math:`p = 1` it is not. Where counts say little, it is the other way round.
    :math:`\bar\kappa` is the prior median of :math:`\kappa`. All other coordinates are the standardised parameters.

    Parameters
    ----------
    density : Density
    degree : float, default 1
        :math:`p`: 0 to leave the countries as they are, 1 to centre them.

    References
    ----------
    Papaspiliopoulos, Roberts & Sköld (2007), doi:10.1214/088342307000000014.
    """

    density: Density
    degree: float = 1.0

    def __len__(self) -> int:
        return len(self.density.layout)

    @cached_property
    def _places(self) -> tuple[slice, int, float]:
        """Return where the countries' levels stand, where the log of their spread, and its scale times the degree."""
        layout = self.density.layout
        if not layout.countries:
            return slice(0, 0), 0, 0.0
        spread = layout.at("country_spread")
        return layout.country("level"), spread, float(self.degree * layout.sd[spread])

    def informed(self, w: Floats, precision: Floats) -> Centred:
        """Return the coordinates whose degree is how much of what is known of the countries' levels comes from counts.

        Parameters
        ----------
        w : ndarray, shape (parameters,)
            The mode.
        precision : ndarray, shape (parameters, parameters)
            Negative second derivative there.
        """
        own, spread, scale = self._places
        of_z = np.diag(precision)[own] * math.exp(2 * scale * w[spread])  # that of the prior alone is 1
        return Centred(self.density, float(np.mean(1 - 1 / np.maximum(of_z, 1.0))) if len(of_z) else 1.0)

    def of(self, z: Floats) -> Floats:
        """Return the coordinates of standardised parameters, shape (..., parameters)."""
        return self._scaled(z, 1.0)

    def standardised(self, w: Floats) -> Floats:
        """Return the standardised parameters of coordinates, shape (..., parameters)."""
        return self._scaled(w, -1.0)

    def _scaled(self, values: Floats, sign: float) -> Floats:
        own, spread, scale = self._places
        out = np.array(values, dtype=np.float64)
        with np.errstate(over="ignore"):
            out[..., own] *= np.exp(sign * scale * values[..., spread, None])
        return out

    def log_posterior(self, w: Floats) -> tuple[float, Floats]:
        """Return the log density at some coordinates, up to a constant, and its gradient, shape (parameters,)."""
        own, spread, scale = self._places
        z = self.standardised(w)
        value, gradient = self.density.log_posterior(z)
        out = gradient.copy()
        out[spread] -= scale * (float(gradient[own] @ z[own]) + own.stop - own.start)
        out[own] *= math.exp(-scale * w[spread])
        return value + self._log_volume(w), out

    def log_density(self, w: Floats) -> float:
        """Return the value of `log_posterior` alone, at a third of its cost."""
        return self.density.log_density(self.standardised(w)) + self._log_volume(w)

    def _log_volume(self, w: Floats) -> float:
        own, spread, scale = self._places
        return float(-scale * w[spread] * (own.stop - own.start))
