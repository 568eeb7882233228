"""How past counts raise the expected count: nothing, shares of recent means, or a branching process."""

from __future__ import annotations

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from forecast.compiled import compiled
from forecast.families.bayes.layout import Layout
from forecast.panel.panel import Panel

Floats = NDArray[np.float64]


class Excitation(Protocol):
    """What the counts before a week add to its mean, with its derivatives, and the same along simulated paths."""

    def history(self, theta: Floats, first: int = 0) -> Floats:
        """Return what is added from week `first` of the panel to the one after it, shape (weeks + 1 - first, units)."""

    def gradient(self, theta: Floats, by_history: Floats) -> Floats:
        """Return the derivative by all parameters from that by the panel's weeks of `history`, (weeks, units)."""

    def start(self, theta: Floats) -> Floats:
        """Return the memory after the panel for each row of `theta`, shape (draws, units)."""

    def of_memory(self, theta: Floats, memory: Floats) -> Floats:
        """Return what each row's memory adds to the mean of the week that follows, shape (draws, units)."""

    def follow(self, theta: Floats, memory: Floats, counts: Floats) -> Floats:
        """Return each row's memory after a week of `counts`, shape (draws, units)."""


class EndemicEpidemic:
    r"""Shares of the recent means of the unit and of its neighbours, :math:`\lambda_c \bar y_i + \phi \bar y_{N(i)}`.

    The means are exponentially weighted; a missing week changes nothing. Both shares are estimated on the log scale;
    the own share differs by country.

    Parameters
    ----------
    panel : Panel
    layout : Layout
        With ``own``, ``neighbours`` and the countries' ``own``.
    span : int
        Weeks of the means: weight 2 / (span + 1) on the newest.
    """

    def __init__(self, panel: Panel, layout: Layout, span: int) -> None:
        self._layout, self._keep = layout, 1 - 2 / (span + 1)
        self._around = neighbour_share(panel)
        self._memory, _ = recent(panel.counts, panel.observed, self._keep)
        self._spread = self._memory @ self._around.T
        self._country = _country_of_units(panel, layout)

    def _shares(self, theta: Floats) -> tuple[Floats, Floats]:
        """Return own shares (draws, units) and the share of neighbours (draws, 1)."""
        own = theta[..., self._layout.at("own"), None]
        countries = theta[..., self._layout.country("own")]
        if countries.shape[-1]:
            own = own + np.where(self._country >= 0, countries[..., self._country], 0.0)
        elif own.shape[-1] == 1:
            own = np.broadcast_to(own, (*own.shape[:-1], len(self._country)))
        return np.exp(own), np.exp(theta[..., self._layout.at("neighbours"), None])

    def history(self, theta: Floats, first: int = 0) -> Floats:
        """Return what is added from week `first` of the panel to the one after it, shape (weeks + 1 - first, units)."""
        own, around = self._shares(theta)
        return np.asarray(own * self._memory[first:] + around * self._spread[first:])

    def gradient(self, theta: Floats, by_history: Floats) -> Floats:
        """Return the derivative by all parameters from that by the panel's weeks of `history`."""
        own, around = self._shares(theta)
        out = np.zeros(len(self._layout))
        by_unit = (by_history * own * self._memory[:-1]).sum(axis=0)
        out[self._layout.at("own")] = by_unit.sum()
        out[self._layout.at("neighbours")] = (by_history * around * self._spread[:-1]).sum()
        if self._layout.countries:
            out[self._layout.country("own")] = np.bincount(
                self._country, by_unit, minlength=len(self._layout.countries)
            )
        return out

    def start(self, theta: Floats) -> Floats:
        """Return the memory after the panel for each row of `theta`, shape (draws, units)."""
        return np.tile(self._memory[-1], (len(theta), 1))

    def of_memory(self, theta: Floats, memory: Floats) -> Floats:
        """Return what each row's memory adds to the mean of the week that follows."""
        own, around = self._shares(theta)
        return np.asarray(own * memory + around * (memory @ self._around.T))

    def follow(self, theta: Floats, memory: Floats, counts: Floats) -> Floats:
        """Return each row's memory after a week of `counts`."""
        del theta
        return np.asarray(counts + self._keep * (memory - counts))


class Hawkes:
    r"""A branching process in weeks: each event brings :math:`n` more, a share :math:`w` of them in adjacent units.

    .. math:: x_{it} = n \sum_j ((1 - w) [i = j] + w W_{ij}) K_{jt},\quad K_t = d K_{t-1} + (1 - d)\,y_{t-1},

    with the columns of :math:`W` summing to 1. :math:`n`, :math:`w` and :math:`d` are estimated on the logit scale. A
    missing week leaves :math:`K` as it is.

    Parameters
    ----------
    panel : Panel
    layout : Layout
        With ``branching``, ``spillover`` and ``decay``.
    """

    def __init__(self, panel: Panel, layout: Layout) -> None:
        self._layout = layout
        self._counts, self._observed = panel.counts, panel.observed
        self._around = offspring_share(panel)

    def _values(self, theta: Floats) -> tuple[Floats, Floats, Floats]:
        n, w, d = (
            1 / (1 + np.exp(-theta[..., self._layout.at(name), None])) for name in ("branching", "spillover", "decay")
        )
        return n, w, d

    def history(self, theta: Floats, first: int = 0) -> Floats:
        """Return what is added from week `first` of the panel to the one after it, shape (weeks + 1 - first, units)."""
        n, w, d = self._values(theta)
        memory = recent(self._counts, self._observed, float(d[0]))[0][first:]
        return np.asarray(n * ((1 - w) * memory + w * (memory @ self._around.T)))

    def gradient(self, theta: Floats, by_history: Floats) -> Floats:
        """Return the derivative by all parameters from that by the panel's weeks of `history`."""
        n, w, d = (float(value[0]) for value in self._values(theta))
        memory, slope = (item[:-1] for item in recent(self._counts, self._observed, d))
        around = memory @ self._around.T
        mixed = (1 - w) * memory + w * around
        sloped = (1 - w) * slope + w * (slope @ self._around.T)
        out = np.zeros(len(self._layout))
        out[self._layout.at("branching")] = n * (1 - n) * (by_history * mixed).sum()
        out[self._layout.at("spillover")] = w * (1 - w) * n * (by_history * (around - memory)).sum()
        out[self._layout.at("decay")] = d * (1 - d) * n * (by_history * sloped).sum()
        return out

    def start(self, theta: Floats) -> Floats:
        """Return the memory after the panel for each row of `theta`, shape (draws, units)."""
        _, _, decay = self._values(theta)
        return np.stack([recent(self._counts, self._observed, float(d))[0][-1] for d in decay[:, 0]])

    def of_memory(self, theta: Floats, memory: Floats) -> Floats:
        """Return what each row's memory adds to the mean of the week that follows."""
        n, w, _ = self._values(theta)
        return np.asarray(n * ((1 - w) * memory + w * (memory @ self._around.T)))

    def follow(self, theta: Floats, memory: Floats, counts: Floats) -> Floats:
        """Return each row's memory after a week of `counts`."""
        _, _, d = self._values(theta)
        return np.asarray(counts + d * (memory - counts))


def neighbour_share(panel: Panel) -> Floats:
    """Return weights that average over adjacent units, shape (units, units); zeros where there are none."""
    return np.asarray(panel.neighbours.mean_weights().toarray())


def offspring_share(panel: Panel) -> Floats:
    """Return weights whose columns share a unit's offspring among adjacent units; to itself where there are none."""
    weights = neighbour_share(panel)
    adjacent = (weights > 0).astype(np.float64)
    alone = adjacent.sum(axis=0) == 0
    adjacent[alone, alone] = 1.0
    return np.asarray(adjacent / adjacent.sum(axis=0))


@compiled
def recent(counts: NDArray[np.int64], observed: NDArray[np.bool_], keep: float) -> tuple[Floats, Floats]:
    """Return exponentially weighted means before each week and after the last, from 0, and their slopes by `keep`."""
    weeks, units = counts.shape
    mean, slope = np.zeros((weeks + 1, units)), np.zeros((weeks + 1, units))
    for t in range(weeks):
        for u in range(units):
            if observed[t, u]:
                mean[t + 1, u] = counts[t, u] + keep * (mean[t, u] - counts[t, u])
                slope[t + 1, u] = mean[t, u] - counts[t, u] + keep * slope[t, u]
            else:
                mean[t + 1, u], slope[t + 1, u] = mean[t, u], slope[t, u]
    return mean, slope


def _country_of_units(panel: Panel, layout: Layout) -> NDArray[np.intp]:
    """Return the place of each unit's country in the layout, shape (units,)."""
    return np.array(
        [layout.countries.index(group) if group in layout.countries else -1 for group in panel.units.groups],
        dtype=np.intp,
    )
