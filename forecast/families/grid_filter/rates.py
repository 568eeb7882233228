"""The grid of rates, and how a rate moves on it in a week."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from forecast.compiled import compiled

Floats = NDArray[np.float64]

LOWEST, HIGHEST = 0.0008, 25.0
"""Events a week: one in 24 years; more than any region of the embedded counts keeps up."""
POINTS = 64
SPACING = float(np.log(HIGHEST / LOWEST) / (POINTS - 1))
"""Of the log rates, about 0.16; it stays the same where the grid reaches further up."""
HEADROOM = 2.0
"""The grid reaches to at least so many times the largest count."""
ANYWHERE = 1e-12
"""Weight of each point beside that of the normal density, so that no rate is impossible."""


def log_rates(largest: float) -> Floats:
    """Return the grid of log rates, shape (points,).

    Parameters
    ----------
    largest : float
        Largest count; where `HEADROOM` times it is beyond `HIGHEST`, points are added at the upper end.

    Examples
    --------
    >>> np.exp(log_rates(5)[[0, -1]]).round(4).tolist()
    [0.0008, 25.0]
    >>> bool(np.exp(log_rates(10_000)[-1]) >= 20_000)
    True
    """
    more = max(0, int(np.ceil(np.log(max(HEADROOM * largest, HIGHEST) / HIGHEST) / SPACING)))
    return np.asarray(np.log(LOWEST) + SPACING * np.arange(POINTS + more))


def walk(points: int, scale: float) -> Floats:
    r"""Return the transition of a random walk, shape (points, points): rows are where it comes from, and sum to 1.

    The heat kernel of the lattice, :math:`\exp(\tfrac{1}{2} (\sigma / \delta)^2 L)` with L the second difference and
    reflecting ends, by its cosine eigenvectors. Away from the ends its variance is :math:`\sigma^2` for any ratio to
    the spacing :math:`\delta`, where a normal density taken at the points loses small steps.

    Parameters
    ----------
    points : int
    scale : float
        Standard deviation of the log rate's step, :math:`\sigma`.

    References
    ----------
    Lindeberg (1990), doi:10.1109/34.49051.

    Examples
    --------
    >>> row = walk(64, 0.05)[32]
    >>> bool(np.isclose(np.sum(row * (SPACING * (np.arange(64) - 32)) ** 2), 0.05**2))
    True
    """
    order = np.arange(points)
    waves = (
        np.cos(np.pi * np.outer(order, order + 0.5) / points) * np.sqrt(np.where(order == 0, 1, 2) / points)[:, None]
    )
    decay = np.exp(-((scale / SPACING) ** 2) * (1 - np.cos(np.pi * order / points)))
    kernel = np.maximum((waves.T * decay) @ waves, 0.0)  # rounding leaves some zeros a hair below
    return np.asarray(kernel / kernel.sum(axis=1, keepdims=True))


def spread_around(points: Floats, mean: Floats, scale: float) -> Floats:
    """Return log-normal probabilities with these means on the grid, shape (mean, points); rows sum to 1.

    Parameters
    ----------
    points : ndarray, shape (points,)
        Log rates.
    mean : ndarray, shape (mean,)
        Expected rate, positive: the logarithm is centred `scale**2 / 2` below its logarithm.
    scale : float
        Standard deviation of the log rate.

    Examples
    --------
    >>> at = log_rates(5)
    >>> float((spread_around(at, np.array([0.4]), 0.7) @ np.exp(at))[0].round(4))
    0.4
    """
    out = np.empty((len(mean), len(points)))
    for row, one in enumerate(mean):
        spread_one(points, one, scale, out[row])
    return out


@compiled
def spread_one(points: Floats, mean: float, scale: float, out: Floats) -> None:
    """Write one row of `spread_around`; for kernels."""
    centre = max(np.log(mean) - 0.5 * scale * scale, points[0])
    total = 0.0
    for k in range(len(points)):
        out[k] = ANYWHERE + np.exp(-0.5 * ((points[k] - centre) / scale) ** 2)
        total += out[k]
    for k in range(len(points)):
        out[k] /= total


def steps(points: Floats, moves: Floats, jump_scale: float) -> Floats:
    """Return the weekly transitions without the reset, shape (moves, points, points); rows sum to 1 - reset.

    Parameters
    ----------
    points : ndarray, shape (points,)
        Log rates.
    moves : ndarray, shape (moves, 3)
        Scale of the walk, probability of a jump, probability of a reset.
    jump_scale : float
        Of the log rate's jump, which leaves the expected rate as it is.
    """
    jump = spread_around(points, np.exp(points), jump_scale)
    return np.stack([(1 - j - r) * walk(len(points), scale) + j * jump for scale, j, r in moves])
