"""The regimes as a vector without constraints, and the weak prior that holds it where the data do not."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from forecast.families.hidden_markov.regimes import Regimes

Floats = NDArray[np.float64]

USUAL_RATIOS = {1: (1.0,), 2: (0.5, 3.0), 3: (0.3, 1.0, 4.0), 4: (0.2, 0.6, 1.5, 5.0)}
"""Centre of the prior, by how many regimes there are."""
RATIO_SPREAD = 1.0
USUAL_SIZE, SIZE_SPREAD = 3.0, 1.0
USUAL_EXCESS, EXCESS_SPREAD = 0.25, 1.0
WAVE_SPREAD = 0.5
"""Standard deviations of normal priors, on the logarithms but for the last."""
LIMIT = 12.0
"""Of the logarithms and of the log odds."""


@dataclass(frozen=True)
class Coordinates:
    """Which parameters are free, and the prior.

    The vector holds the logarithms of ratios, sizes and excess, the log odds of the transitions row by row without the
    diagonal, and sine and cosine of the odds of every regime but the first.

    Parameters
    ----------
    regimes : int
    poisson : bool
        Sizes are infinite, and there is no excess.
    excess : bool
    seasonal : bool
        Whether the transitions have a season.
    persistence, persistence_weeks : float
        Prior probability to stay, and the weeks of each regime that it counts as.
    """

    regimes: int
    poisson: bool
    excess: bool
    seasonal: bool
    persistence: float
    persistence_weeks: float

    @property
    def slices(self) -> dict[str, slice]:
        """Where each kind of parameter stands in the vector."""
        k = self.regimes
        lengths = {
            "ratio": k,
            "size": 0 if self.poisson else k,
            "excess": int(self.excess and not self.poisson),
            "transition": k * (k - 1),
            "wave": 2 * (k - 1) if self.seasonal else 0,
        }
        ends = np.cumsum(list(lengths.values()))
        return {name: slice(int(end) - n, int(end)) for (name, n), end in zip(lengths.items(), ends, strict=True)}

    @property
    def off_diagonal(self) -> NDArray[np.bool_]:
        """Mask of the transitions to another regime, shape (regimes, regimes)."""
        return ~np.eye(self.regimes, dtype=bool)

    def names(self) -> list[str]:
        """Return the names of the entries of the vector; the quietest regime is number 1."""
        k = range(1, self.regimes + 1)
        names = [f"ratio_{s}" for s in k]
        names += [] if self.poisson else [f"size_{s}" for s in k]
        names += ["excess"] if self.excess and not self.poisson else []
        names += [f"transition_{r}_{s}" for r in k for s in k if r != s]
        names += [f"{wave}_{s}" for s in k[1:] for wave in ("sin", "cos")] if self.seasonal else []
        return names

    def vector(self, regimes: Regimes) -> Floats:
        """Return the vector of regimes."""
        parts = [np.log(regimes.ratio)]
        if not self.poisson:
            parts.append(np.log(regimes.size))
            if self.excess:
                parts.append(np.log([regimes.excess]))
        parts.append(regimes.logits[self.off_diagonal])
        if self.seasonal:
            parts.append((regimes.wave[1:] - regimes.wave[0]).ravel())
        return np.asarray(np.clip(np.concatenate(parts), -LIMIT, LIMIT))

    def regimes_of(self, vector: Floats) -> Regimes:
        """Return the regimes of a vector."""
        at, k = self.slices, self.regimes
        logits, wave = np.zeros((k, k)), np.zeros((k, 2))
        logits[self.off_diagonal] = vector[at["transition"]]
        if self.seasonal:
            wave[1:] = vector[at["wave"]].reshape(-1, 2)
        size = np.full(k, np.inf) if self.poisson else np.exp(vector[at["size"]])
        excess = float(np.exp(vector[at["excess"]])[0]) if self.excess and not self.poisson else 0.0
        return Regimes(np.exp(vector[at["ratio"]]), size, excess, logits, wave)

    def usual(self) -> Regimes:
        """Return the centre of the prior."""
        k = self.regimes
        size = np.full(k, np.inf if self.poisson else USUAL_SIZE)
        excess = USUAL_EXCESS if self.excess and not self.poisson else 0.0
        return Regimes.of_persistence(np.array(USUAL_RATIOS[k]), size, excess, self.persistence)

    def log_prior(self, vector: Floats) -> tuple[float, Floats]:
        """Return the log prior density but for a constant, and its gradient.

        Normal on the logarithms; a Dirichlet prior on the rows of the transition matrix, as so many weeks in which
        the chain was seen to move as it says.
        """
        at, slope = self.slices, np.zeros_like(vector)
        value = 0.0
        centre = self.vector(self.usual())
        spreads = {"ratio": RATIO_SPREAD, "size": SIZE_SPREAD, "excess": EXCESS_SPREAD, "wave": WAVE_SPREAD}
        for name, spread in spreads.items():
            away = (vector[at[name]] - centre[at[name]]) / spread
            value -= 0.5 * float(away @ away)
            slope[at[name]] = -away / spread
        if self.regimes > 1:
            matrix = self.regimes_of(vector).matrix()
            weeks = self.persistence_weeks * np.where(
                self.off_diagonal, (1 - self.persistence) / (self.regimes - 1), self.persistence
            )
            value += float((weeks * np.log(matrix)).sum())
            by_logit = weeks - weeks.sum(axis=1, keepdims=True) * matrix
            slope[at["transition"]] = by_logit[self.off_diagonal]
        return value, slope
