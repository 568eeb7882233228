"""Which parameters a model has for the countries of a panel, and where each stands in a vector."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from forecast.families.bayes.priors import Prior

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Layout:
    """Names and normal priors of the entries of a parameter vector.

    Parameters
    ----------
    names : tuple of str
        ``"level"``; ``"level[Mali]"`` for a country's own.
    mean, sd : ndarray, shape (parameters,)
        Of the priors.
    countries : tuple of str
        Countries with parameters of their own; empty where there is only one.

    Examples
    --------
    >>> layout = Layout.of([("level", Prior(mean=-2, sd=2))], [("level", Prior(mean=0, sd=1))], ["A", "B"])
    >>> layout.names
    ('level', 'level[A]', 'level[B]')
    >>> layout.country("level")
    slice(1, 3, None)
    """

    names: tuple[str, ...]
    mean: Floats
    sd: Floats
    countries: tuple[str, ...]

    @classmethod
    def of(
        cls, shared: Sequence[tuple[str, Prior]], by_country: Sequence[tuple[str, Prior]], countries: Sequence[str]
    ) -> Layout:
        """Lay out shared parameters, then those of each country, country by country within a name."""
        several = tuple(countries) if len(countries) > 1 else ()
        own = [(f"{name}[{country}]", prior) for name, prior in by_country for country in several]
        entries = [*shared, *own]
        return cls(
            tuple(name for name, _ in entries),
            np.array([prior.mean for _, prior in entries]),
            np.array([prior.sd for _, prior in entries]),
            several,
        )

    def __len__(self) -> int:
        return len(self.names)

    def at(self, name: str) -> int:
        """Return where a shared parameter stands."""
        return self.names.index(name)

    def country(self, name: str) -> slice:
        """Return where the countries' values of a parameter stand; empty where there is only one country."""
        if not self.countries:
            return slice(0, 0)
        first = self.names.index(f"{name}[{self.countries[0]}]")
        return slice(first, first + len(self.countries))

    def moved(self, theta: Floats, to: Layout) -> Floats:
        """Return parameter vectors in another layout, matched by name; what is new has the mean of its prior.

        Parameters
        ----------
        theta : ndarray, shape (..., parameters)
        to : Layout
        """
        if to.names == self.names:
            return theta
        out = np.broadcast_to(to.mean, (*theta.shape[:-1], len(to))).copy()
        known = [(at, self.names.index(name)) for at, name in enumerate(to.names) if name in self.names]
        new, old = (list(places) for places in zip(*known, strict=True))
        out[..., new] = theta[..., old]
        return out

    def standardised(self, theta: Floats) -> Floats:
        """Return vectors on the scale on which every prior is a standard normal."""
        return np.asarray((theta - self.mean) / self.sd)

    def natural(self, z: Floats) -> Floats:
        """Return vectors on the scale of the priors from standardised ones."""
        return np.asarray(self.mean + self.sd * z)
