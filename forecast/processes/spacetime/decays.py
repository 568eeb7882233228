"""How effects fall off: densities of lags in days, and of squared distances in km2, cut off at the longest."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar, Protocol, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from forecast.errors import InputError
from forecast.processes.spacetime.sphere import chord_km

Floats = NDArray[np.float64]

CODES = {"Exponential": 0, "PowerLaw": 1}
"""What kernels compiled to machine code know the forms by."""


class Decay(Protocol):
    """A density on ``(0, upto]``, with its parameters on the logarithmic scale.

    The same forms serve in time and in space. On the sphere the area within a chord `c` is pi c**2, so that a density
    in the squared chord, divided by pi, is a density per km2 that integrates to one: an exponential one is the
    Gaussian kernel, a power law the heavy-tailed one of earthquakes.
    """

    @property
    def upto(self) -> float:
        """The cut-off."""
        ...

    @property
    def x(self) -> Floats:
        """Logarithms of the parameters, shape (parameters,)."""
        ...

    def with_x(self, x: Floats) -> Self:
        """Return the same form with other parameters."""
        ...

    def bounds(self) -> Floats:
        """Lowest and highest `x`, shape (parameters, 2)."""
        ...

    def constants(self) -> Floats:
        """Return scale, exponent, log of the norm, and derivatives of that log in `x`, shape (5,)."""
        ...

    def cumulative(self, v: ArrayLike) -> Floats:
        """Return the share up to `v`, in its shape; 1 from the cut-off on."""
        ...

    def cumulative_slopes(self, v: ArrayLike) -> Floats:
        """Return its derivatives in `x`, shape (parameters, ...)."""
        ...

    def quantile(self, share: ArrayLike) -> Floats:
        """Return where the share is reached."""
        ...

    def table(self) -> dict[str, float]:
        """Return the parameters by name."""
        ...


@dataclass(frozen=True)
class Exponential:
    r"""The density :math:`e^{-v / m} / (m (1 - e^{-U / m}))` up to `U`.

    Parameters
    ----------
    mean : float
        Mean if there were no cut-off: days, or km2 (twice the variance of a Gaussian kernel along each axis).
    upto : float
        The cut-off.

    Examples
    --------
    >>> round(float(Exponential(10.0, 1000.0).cumulative(10.0)), 4)
    0.6321
    """

    mean: float
    upto: float
    names: ClassVar[tuple[str, ...]] = ("mean",)

    def __post_init__(self) -> None:
        _positive("Exponential", mean=self.mean, upto=self.upto)

    @property
    def x(self) -> Floats:
        """Logarithms of the parameters."""
        return np.log([self.mean])

    def with_x(self, x: Floats) -> Exponential:
        """Return the same form with other parameters."""
        return replace(self, mean=float(np.exp(x[0])))

    def bounds(self) -> Floats:
        """Return the range of the logarithms."""
        return np.log([[1e-4 * self.upto, 10 * self.upto]])

    def constants(self) -> Floats:
        """Return scale, exponent, log of the norm, and its slopes."""
        w = self.upto / self.mean
        slope = 1.0 - w * np.exp(-w) / -np.expm1(-w)
        return np.array([self.mean, 0.0, np.log(-self.mean * np.expm1(-w)), slope, 0.0])

    def cumulative(self, v: ArrayLike) -> Floats:
        """Return the share up to each value."""
        at = np.clip(v, 0.0, self.upto)
        return np.asarray(np.expm1(-at / self.mean) / np.expm1(-self.upto / self.mean))

    def cumulative_slopes(self, v: ArrayLike) -> Floats:
        """Return the derivatives of the share."""
        at = np.clip(v, 0.0, self.upto)
        u, w = at / self.mean, self.upto / self.mean
        whole = -np.expm1(-w)
        return np.asarray((-u * np.exp(-u) - self.cumulative(at) * (-w * np.exp(-w))) / whole)[None]

    def quantile(self, share: ArrayLike) -> Floats:
        """Return where the share is reached."""
        beyond = np.maximum(np.asarray(share) * np.expm1(-self.upto / self.mean), 1e-16 - 1.0)
        return np.asarray(np.minimum(-self.mean * np.log1p(beyond), self.upto))

    def table(self) -> dict[str, float]:
        """Return the parameters by name."""
        return {"mean": self.mean}


@dataclass(frozen=True)
class PowerLaw:
    r"""The density proportional to :math:`(1 + v / c)^{-p}` up to `U`: Omori-Utsu in time.

    Parameters
    ----------
    scale : float
        `c`, in days or km2.
    exponent : float
        `p`; above 0, as the cut-off makes the mass finite.
    upto : float
        The cut-off.

    Examples
    --------
    >>> round(float(PowerLaw(10.0, 2.0, 1e9).cumulative(10.0)), 4)
    0.5
    """

    scale: float
    exponent: float
    upto: float
    names: ClassVar[tuple[str, ...]] = ("scale", "exponent")

    def __post_init__(self) -> None:
        _positive("PowerLaw", scale=self.scale, exponent=self.exponent, upto=self.upto)

    @property
    def x(self) -> Floats:
        """Logarithms of the parameters."""
        return np.log([self.scale, self.exponent])

    def with_x(self, x: Floats) -> PowerLaw:
        """Return the same form with other parameters."""
        return replace(self, scale=float(np.exp(x[0])), exponent=float(np.exp(x[1])))

    def bounds(self) -> Floats:
        """Return the range of the logarithms."""
        return np.log([[1e-6 * self.upto, self.upto], [0.2, 20.0]])

    def constants(self) -> Floats:
        """Return scale, exponent, log of the norm, and its slopes."""
        whole = self._mass(np.asarray(self.upto))
        slopes = self._mass_slopes(np.asarray(self.upto)) / whole
        return np.array([self.scale, self.exponent, np.log(whole), slopes[0], slopes[1]])

    def cumulative(self, v: ArrayLike) -> Floats:
        """Return the share up to each value."""
        return np.asarray(self._mass(np.clip(v, 0.0, self.upto)) / self._mass(np.asarray(self.upto)))

    def cumulative_slopes(self, v: ArrayLike) -> Floats:
        """Return the derivatives of the share."""
        at, whole = np.clip(v, 0.0, self.upto), self._mass(np.asarray(self.upto))
        of_whole = self._mass_slopes(np.asarray(self.upto)).reshape((2,) + (1,) * np.ndim(at))
        return np.asarray((self._mass_slopes(at) - self.cumulative(at) * of_whole) / whole)

    def quantile(self, share: ArrayLike) -> Floats:
        """Return where the share is reached."""
        q, mass = 1.0 - self.exponent, np.asarray(share) * self._mass(np.asarray(self.upto)) / self.scale
        logarithm = np.log1p(q * mass) / q if abs(q) > 1e-9 else mass * (1 - q * mass / 2)
        return np.asarray(np.minimum(self.scale * np.expm1(logarithm), self.upto))

    def table(self) -> dict[str, float]:
        """Return the parameters by name."""
        return {"scale": self.scale, "exponent": self.exponent}

    def _mass(self, v: Floats) -> Floats:
        """Return the integral of ``(1 + v / c) ** -p`` up to `v`."""
        q, ell = 1.0 - self.exponent, np.log1p(v / self.scale)
        return np.asarray(self.scale * (np.expm1(q * ell) / q if abs(q) > 1e-9 else ell * (1 + q * ell / 2)))

    def _mass_slopes(self, v: Floats) -> Floats:
        q, ell = 1.0 - self.exponent, np.log1p(v / self.scale)
        in_scale = self._mass(v) - v * np.exp(-self.exponent * ell)
        z = q * ell
        small = np.abs(z) < 1e-2  # the difference below loses digits there: its series, to z**6
        safe = np.where(small, 1.0, z)
        exact = (safe * np.exp(safe) - np.expm1(safe)) / safe**2
        series = 1 / 2 + z * (1 / 3 + z * (1 / 8 + z * (1 / 30 + z * (1 / 144 + z * (1 / 840 + z / 5760)))))
        in_q = self.scale * ell**2 * np.where(small, series, exact)
        return np.stack([in_scale, -self.exponent * in_q])


def gaussian(sigma_km: float = 20.0, upto_km: float = 200.0) -> Exponential:
    """Return the Gaussian kernel in space, as a density of squared chords.

    Parameters
    ----------
    sigma_km : float, default 20
        Standard deviation along each axis.
    upto_km : float, default 200
        Where it is cut off, along the ground.

    Examples
    --------
    >>> gaussian(20.0).mean
    800.0
    """
    return Exponential(2 * sigma_km**2, chord_km(upto_km) ** 2)


def heavy_tailed(scale_km: float = 10.0, exponent: float = 1.5, upto_km: float = 200.0) -> PowerLaw:
    """Return the power-law kernel in space, ``(1 + (r / scale)**2) ** -exponent``, as a density of squared chords.

    Examples
    --------
    >>> heavy_tailed(10.0).scale
    100.0
    """
    return PowerLaw(scale_km**2, exponent, chord_km(upto_km) ** 2)


def _positive(form: str, **values: float) -> None:
    for name, value in values.items():
        if not (np.isfinite(value) and value > 0):
            raise InputError(f"{name} {value:g} of {form}", expected="a finite number above 0")
