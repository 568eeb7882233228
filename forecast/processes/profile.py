"""The likelihood of a history as a function of the kernels' shapes, at its maximum over all other parameters."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from forecast.processes.baseline import Baseline
from forecast.processes.excitation import Sums, expected_by, rate_sums
from forecast.processes.hawkes import Hawkes, mark_effect
from forecast.processes.history import History
from forecast.processes.kernels import MixtureKernel
from forecast.processes.row import Row, RowMaximum, derivatives, maximise, start_of

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]


class RowSlopes(NamedTuple):
    """A row and its derivatives in the shape of each source's kernel, and in the exponent of marks last.

    Parameters
    ----------
    row : Row
    sums : array, shape (Q, events, sources)
    expected : array, shape (Q, sources)
    """

    row: Row
    sums: Floats
    expected: Floats


@dataclass(eq=False)
class Profile:
    """Shapes to the highest likelihood that baselines and branching ratios reach, remembering where.

    A search asks for many shapes. What `slopes` returns lies in memory that its next call uses again, since fresh
    memory costs more than what is written there.

    Parameters
    ----------
    history : History
    baseline : Baseline
    kernel : MixtureKernel
        The form of all kernels.
    shared : bool
        One kernel for all pairs of nodes, or one for each.
    marked : bool
        The last entry of `x` is the exponent of marks.
    """

    history: History
    baseline: Baseline
    kernel: MixtureKernel
    shared: bool = True
    marked: bool = False
    maxima: list[RowMaximum] = field(default_factory=list)
    _memory: Floats | None = field(default=None, init=False, repr=False)

    def __post_init__(self) -> None:
        order = np.argsort(self.history.nodes, kind="stable")
        ends = np.searchsorted(self.history.nodes[order], np.arange(self.nodes + 1))
        self._part = [slice(int(ends[k]), int(ends[k + 1])) for k in range(self.nodes)]
        self._mine = [order[part] for part in self._part]
        self._place = np.empty(len(order), dtype=np.int64)
        self._place[order] = np.arange(len(order))
        self._steps = self.baseline.over(self.history.start, self.history.end)
        self._step = [self._steps.step_of(self.history.times[mine]) for mine in self._mine]
        self._scratch = np.empty((max(len(mine) for mine in self._mine), self.nodes))
        self._log_mark = np.log1p(self.history.marks)

    @property
    def nodes(self) -> int:
        """Number of nodes."""
        return len(self.history.names)

    def kernels(self, x: Floats) -> tuple[tuple[MixtureKernel, ...], ...]:
        """Return the kernel of each pair ``[target][source]``."""
        shapes = len(self.kernel.shape)
        if self.shared:
            kernel = self.kernel.with_shape(x[:shapes])
            return tuple((kernel,) * self.nodes for _ in range(self.nodes))
        table = x[: self.nodes**2 * shapes].reshape(self.nodes, self.nodes, shapes)
        return tuple(tuple(self.kernel.with_shape(shape) for shape in row) for row in table)

    def start(self, kernel: MixtureKernel) -> Floats:
        """Return x for the same kernel everywhere and marks without effect."""
        shapes = np.tile(kernel.shape, 1 if self.shared else self.nodes**2)
        return np.append(shapes, 0.0) if self.marked else shapes

    def bounds(self) -> Floats:
        """Return the range of each entry of x, shape (entries, 2)."""
        gap = self.history.duration / len(self.history.times)
        limits = self.kernel.bounds(1e-6 * gap, self.history.duration)
        limits = np.tile(limits, (1 if self.shared else self.nodes**2, 1))
        return np.vstack([limits, [[-3.0, 3.0]]]) if self.marked else limits

    def mark_scale(self, x: Floats) -> float:
        """Return the mean effect of the marks before scaling."""
        return float(np.exp(x[-1] * self._log_mark).mean()) if self.marked else 1.0

    def slopes(self, x: Floats) -> list[RowSlopes]:
        """Return the rows of all nodes at some shapes."""
        effect = d_effect = np.ones(len(self.history.times))
        if self.marked:
            effect = mark_effect(self.history.marks, x[-1], self.mark_scale(x))
            d_effect = effect * (self._log_mark - float((effect * self._log_mark).mean()))
        kernels = self.kernels(x)
        at_all = self._excitation(kernels[0][0], effect, d_effect) if self.shared else None
        out = []
        for k, (part, mine, step) in enumerate(zip(self._part, self._mine, self._step, strict=True)):
            if at_all is not None:
                (sums, d_sums), (expected, d_expected) = at_all
                sums, d_sums = sums[part], d_sums[:, part]
            else:
                each = [
                    self._excitation_of_pair(kernel, effect, d_effect, mine, source)
                    for kernel, source in zip(kernels[k], self._mine, strict=True)
                ]
                sums, expected = (np.concatenate([one[i][0] for one in each], axis=-1) for i in (0, 1))
                d_sums, d_expected = (np.concatenate([one[i][1] for one in each], axis=-1) for i in (0, 1))
            row = Row(self._steps.design, self._steps.lengths, step, sums, expected[0], self._scratch[: len(mine)])
            out.append(RowSlopes(row, d_sums, d_expected[:, 0]))
        return out

    def _excitation(self, kernel: MixtureKernel, effect: Floats, d_effect: Floats) -> tuple[Sums, Sums]:
        """Return sums of the rate at all events, one node after the other, and of the compensator at the end.

        All nodes share a kernel, and the pass along the events. The derivative in the exponent of marks comes last.
        """
        history, functions, place = self.history, 1 + len(kernel.shape), self._place
        if self._memory is None:
            self._memory = np.empty((functions + self.marked, len(place), self.nodes))
        times, nodes = history.times, history.nodes
        rate_sums(kernel, times, effect, times, nodes, self.nodes, into=self._memory[:functions], place=place)
        expected = expected_by(kernel, times, effect, history.end, nodes, self.nodes)
        if self.marked:
            self._memory[-1] = rate_sums(kernel, times, d_effect, times, nodes, self.nodes, place=place).value
            by_mark = expected_by(kernel, times, d_effect, history.end, nodes, self.nodes).value
            expected = Sums(expected.value, np.concatenate([expected.gradient, by_mark[None]]))
        return Sums(self._memory[0], self._memory[1:]), expected

    def _excitation_of_pair(
        self, kernel: MixtureKernel, effect: Floats, d_effect: Floats, target: Integers, source: Integers
    ) -> tuple[Sums, Sums]:
        """As `_excitation`, for the events of a target and those of a source: one channel."""
        at, events = self.history.times[target], self.history.times[source]
        end = self.history.end
        rate, expected = (
            rate_sums(kernel, events, effect[source], at),
            expected_by(kernel, events, effect[source], end),
        )
        if self.marked:
            by_mark = rate_sums(kernel, events, d_effect[source], at).value
            rate = Sums(rate.value, np.concatenate([rate.gradient, by_mark[None]]))
            by_mark = expected_by(kernel, events, d_effect[source], end).value
            expected = Sums(expected.value, np.concatenate([expected.gradient, by_mark[None]]))
        return rate, expected

    def value_and_gradient(self, x: Floats) -> tuple[float, Floats]:
        """Return the highest log-likelihood at these shapes and its gradient in them; by the envelope theorem."""
        slopes = self.slopes(x)
        starts = [(found.b, found.theta) for found in self.maxima] or [
            start_of(at.row, self.baseline.start(max(len(at.row.step), 0.5) / self.history.duration)) for at in slopes
        ]
        self.maxima = [maximise(at.row, *start) for at, start in zip(slopes, starts, strict=True)]
        return sum(found.loglik for found in self.maxima), self.gradient(slopes)

    def gradient(self, slopes: list[RowSlopes]) -> Floats:
        """Return the derivatives in x of the log-likelihood, other parameters at the maxima that are remembered."""
        shapes = len(self.kernel.shape)
        table = np.empty((self.nodes, self.nodes, shapes + self.marked))
        for k, (at, found) in enumerate(zip(slopes, self.maxima, strict=True)):
            _, rate = at.row.rates(found.b, found.theta)
            table[k] = (found.theta * ((1.0 / rate) @ at.sums - at.expected)).T
        in_shapes = table[..., :shapes].sum(axis=(0, 1)) if self.shared else table[..., :shapes].ravel()
        return np.append(in_shapes, table[..., -1].sum()) if self.marked else in_shapes

    def model(self, x: Floats) -> Hawkes:
        """Return the process at these shapes and the maxima that are remembered."""
        return Hawkes(
            self.baseline,
            np.array([found.b for found in self.maxima]),
            np.array([found.theta for found in self.maxima]),
            self.kernels(x),
            float(x[-1]) if self.marked else 0.0,
            self.mark_scale(x),
        )

    def curvature(self, x: Floats) -> tuple[Floats, list[Floats], list[Floats]]:
        """Return second derivatives of the log-likelihood: in x, mixed ones of each row in (b, theta) and x, of rows.

        Those of rows are exact, the others central differences of analytic gradients, in steps of 1e-4 (an error of
        about 1e-8 of the curvature).
        """
        size = 1e-4
        in_x, mixed = np.empty((len(x), len(x))), [np.empty((len(at.free), len(x))) for at in self.maxima]
        for e in range(len(x)):
            sides = []
            for sign in (1.0, -1.0):
                slopes = self.slopes(x + sign * size * np.eye(len(x))[e])
                rows = [
                    derivatives(at.row, found.b, found.theta)[0] for at, found in zip(slopes, self.maxima, strict=True)
                ]
                sides.append((self.gradient(slopes), rows))
            (up, rows_up), (down, rows_down) = sides
            in_x[e] = (up - down) / (2 * size)
            for k, (row_up, row_down) in enumerate(zip(rows_up, rows_down, strict=True)):
                mixed[k][:, e] = (row_up - row_down) / (2 * size)
        hessians = [
            derivatives(at.row, found.b, found.theta)[1] for at, found in zip(self.slopes(x), self.maxima, strict=True)
        ]
        return (in_x + in_x.T) / 2, mixed, hessians
