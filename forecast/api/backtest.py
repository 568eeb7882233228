"""A rolling-origin backtest for a notebook, and what can be read from its record."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, field, fields
from os import PathLike
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Self

import pandas as pd

from forecast import plots
from forecast.api.model import Model, model
from forecast.display import notebook_html, terminal_text
from forecast.errors import InputError, unknown_name
from forecast.evaluation.backtest import plan_origins, run_backtest
from forecast.evaluation.calibration import Reliability, reliability
from forecast.evaluation.comparison import reference_models
from forecast.evaluation.diagnosis import pit_band
from forecast.evaluation.plan import BacktestPlan
from forecast.evaluation.record import BacktestRecord
from forecast.evaluation.record_comparison import Loss, RecordComparison, compare_record
from forecast.evaluation.record_diagnosis import RecordDiagnosis, diagnose_record, pit_cells
from forecast.families.model import OwnSpec
from forecast.panel.panel import Panel
from forecast.panel.units import UnitKind
from forecast.plots.chart import Backend, Chart, Theme
from forecast.predictive.escalation import Escalation
from forecast.provenance import generator


@dataclass(frozen=True, repr=False)
class Backtest(BacktestRecord):
    """What models would have forecast, and how that turned out.

    Parameters
    ----------
    name, source, forecasts, scores, risk, leaderboard, known_as, steps, joint
        As of `forecast.evaluation.record.BacktestRecord`: tidy tables of forecasts, scores and escalations, and the
        leaderboard.
    references : tuple of str
        The models among them that the others are usually held against.
    """

    references: tuple[str, ...] = field(default=())

    @classmethod
    def of(cls, record: BacktestRecord, references: Sequence[str] = ()) -> Self:
        """Return a record with the names of its usual references."""
        parts = {each.name: getattr(record, each.name) for each in fields(BacktestRecord)}
        return cls(**parts, references=tuple(references))

    @property
    def models(self) -> list[str]:
        """The models, the best CRPS first."""
        return self.leaderboard["model"].tolist()

    @property
    def unit_kind(self) -> UnitKind:
        """Whether regions or places were forecast."""
        kind: UnitKind = "region" if (self.scores["unit_kind"] == "region").any() else "place"
        return kind

    def compare(self, reference: str | None = None, *, score: Loss = "crps") -> RecordComparison:
        """Compare the models on the forecasts that all of them made.

        Parameters
        ----------
        reference : str, optional
            The model that the others are held against; the best usual one (a climatology or window) if not given.
        score : {"crps", "log", "wis"}

        Returns
        -------
        forecast.evaluation.record_comparison.RecordComparison
            Skill with intervals, Diebold-Mariano tests, the confidence set of the best models, where and when each
            wins.

        Raises
        ------
        InputError
            If the reference is not in the record, or fewer than two models are.
        """
        return compare_record(self, reference or self._usual(), score=score, unit_kind=self.unit_kind)

    def diagnose(self, model: str) -> RecordDiagnosis:
        """Tell how calibrated a model was: by horizon, activity, season and year, with tests.

        Parameters
        ----------
        model : str

        Returns
        -------
        forecast.evaluation.record_diagnosis.RecordDiagnosis

        Raises
        ------
        InputError
            If the model is not in the record.
        """
        found = diagnose_record(self, self._known(model), unit_kind=self.unit_kind)
        if found is None:
            raise InputError(f"no forecast of {model!r} was scored")
        return found

    def pit(self, model: str) -> pd.DataFrame:
        """Return the probability integral transform of each forecast of a model.

        Parameters
        ----------
        model : str

        Returns
        -------
        DataFrame
            A row a forecast: origin, week, horizon, activity, pit_below and pit_upto (the cumulative probability of
            fewer events than came, and of as many).

        References
        ----------
        Czado, Gneiting & Held (2009), doi:10.1111/j.1541-0420.2009.01191.x.
        """
        cells = pit_cells(self, self._known(model), self.unit_kind)
        return pd.DataFrame(
            {
                "origin": cells.origin,
                "week": cells.week,
                "horizon": cells.horizon,
                "activity": cells.activity,
                "pit_below": cells.pit[:, 0],
                "pit_upto": cells.pit[:, 1],
            }
        )

    def reliability(self, model: str, escalation: str) -> Reliability:
        """Tell how the probabilities of an escalation compare with how often it came.

        Parameters
        ----------
        model, escalation : str

        Returns
        -------
        forecast.evaluation.calibration.Reliability
            The curve with its band, and the Brier score in its parts.

        Raises
        ------
        InputError
            If either is not in the record.

        References
        ----------
        Dimitriadis, Gneiting & Jordan (2021), doi:10.1073/pnas.2016191118.
        """
        known = sorted(self.risk["escalation"].unique())
        if escalation not in known:
            raise unknown_name("escalation", escalation, known)
        mine = (self.risk["model"] == self._known(model)) & (self.risk["escalation"] == escalation)
        rows = self.risk[mine & (self.risk["unit_kind"] == self.unit_kind)]
        rng = generator(0, "reliability", self.name, model, escalation)
        return reliability(rows["probability"], rows["outcome"], rows["origin"], rng)

    def plot_pit(self, model: str, *, backend: Backend = "plotly", theme: Theme = "light") -> Chart:
        """Draw the PIT histogram of a model, flat where it is calibrated, with the band of a right forecaster.

        Parameters
        ----------
        model : str
        backend : {"plotly", "matplotlib"}
        theme : {"light", "dark"}

        Returns
        -------
        plotly Figure or matplotlib Figure
        """
        cells = self.pit(model)
        rng = generator(0, "pit", self.name, model)
        band = pit_band(cells[["pit_below", "pit_upto"]].to_numpy(), pd.DatetimeIndex(cells["week"]), rng)
        return plots.pit(band, backend=backend, theme=theme)

    def plot_reliability(
        self, model: str, escalation: str, *, backend: Backend = "plotly", theme: Theme = "light"
    ) -> Chart:
        """Draw how often an escalation came, over the probability that was stated.

        Parameters
        ----------
        model, escalation : str
        backend : {"plotly", "matplotlib"}
        theme : {"light", "dark"}

        Returns
        -------
        plotly Figure or matplotlib Figure
        """
        return plots.reliability(self.reliability(model, escalation).curve, backend=backend, theme=theme)

    def _known(self, model: str) -> str:
        if model not in self.models:
            raise unknown_name("model", model, self.models)
        return model

    def _usual(self) -> str:
        known = [name for name in self.models if name in self.references]
        return known[0] if known else self.models[-1]

    def _facts(self) -> dict[str, object]:
        origins = pd.DatetimeIndex(self.forecasts["origin"].unique())
        return {
            "models": len(self.models),
            "origins": len(origins),
            "from": f"{origins.min():%Y-%m-%d}",
            "to": f"{origins.max():%Y-%m-%d}",
            "horizon": int(self.forecasts["horizon"].max()),
        }

    def __repr__(self) -> str:
        return terminal_text("Backtest", self._facts())

    def _repr_html_(self) -> str:
        """Show the leaderboard in a notebook."""
        return notebook_html("Backtest", self._facts(), self.leaderboard.round(4))


def backtest(
    models: Sequence[str | Model],
    panel: Panel,
    *,
    origins: int = 52,
    start: str | dt.date | None = None,
    end: str | dt.date | None = None,
    first_after: int = 104,
    horizon: int = 8,
    refit_every: int = 13,
    draws: int = 1000,
    escalations: Sequence[Escalation] = (),
    fit_on: Panel | None = None,
    seed: int = 1,
    workers: int = 1,
    folder: str | PathLike[str] | None = None,
) -> Backtest:
    """Forecast from each of many past weeks with what was known then, and score it.

    Parameters
    ----------
    models : sequence of str or Model
        Names of the catalogue, or models; each name once.
    panel : Panel
    origins : int, default 52
        The latest so many weekly origins, unless `start` is given.
    start, end : str or date, optional
        Origins within these days, both included.
    first_after : int, default 104
        Weeks that must be known before the first origin.
    horizon : int, default 8
        Weeks ahead.
    refit_every : int, default 13
        Weeks between fits; in between parameters stay and the state is updated.
    draws : int, default 1000
        Sample paths of each forecast.
    escalations : sequence of Escalation, optional
        Whose probabilities are recorded and scored.
    fit_on : Panel, optional
        A longer panel for the parameters; at each origin only its weeks before are used.
    seed : int, default 1
        The same gives the same bytes, whatever the number of processes.
    workers : int, default 1
        Processes.
    folder : path, optional
        Where the record is kept, so that a stopped backtest goes on; it is not kept if not given.

    Returns
    -------
    Backtest

    Raises
    ------
    InputError
        For an unknown model, a name twice, a panel that is too short, or a folder for families that no package has.

    Examples
    --------
    >>> import forecast as fc
    >>> panel = fc.load("west-africa-weekly", countries=["Mali"])
    >>> record = backtest(["climatology-52", "window-negbin-52"], panel, origins=4, draws=100)
    >>> record
    <Backtest: models 2, origins 4, from 2019-11-30, to 2019-12-21, horizon 8>
    """
    chosen = tuple((item if isinstance(item, Model) else model(item)).spec for item in models)
    own = [spec.name for spec in chosen if isinstance(spec, OwnSpec)]
    if folder is not None and own:
        raise InputError(
            f"a record that is kept, of {own[0]!r}",
            expected="families of installed packages: whether the code of others has changed cannot be told",
            hint="without folder=, or an entry point forecast.families",
        )
    kind = panel.units.kind
    plan = BacktestPlan(
        name="backtest",
        panels={kind: panel},
        fit_panels={} if fit_on is None else {(name, kind): fit_on for name in {spec.fit_on or "" for spec in chosen}},
        models=chosen,
        escalations=tuple(escalations),
        origins=_origins(panel, start, end, origins=origins, first_after=first_after),
        horizon=horizon,
        refit_every=refit_every,
        draws=draws,
        seed=seed,
    )
    references = reference_models(chosen)
    if folder is not None:
        return Backtest.of(run_backtest(plan, Path(folder), workers=workers), references)
    with TemporaryDirectory() as aside:
        return Backtest.of(run_backtest(plan, Path(aside, "backtest"), workers=workers), references)


def _origins(
    panel: Panel, start: str | dt.date | None, end: str | dt.date | None, *, origins: int, first_after: int
) -> pd.DatetimeIndex:
    possible = plan_origins(panel, origins=len(panel.weeks), first_after=first_after)
    try:
        first = possible[0] if start is None else pd.Timestamp(start)
        last = possible[-1] if end is None else pd.Timestamp(end)
    except ValueError:
        raise InputError(f"{start!r} to {end!r} are no days", expected="such as 2019-01-05") from None
    within = possible[(possible >= first) & (possible <= last)]
    if not len(within):
        raise InputError(
            f"no origin lies between {first:%Y-%m-%d} and {last:%Y-%m-%d}",
            expected=f"days within {possible[0]:%Y-%m-%d} to {possible[-1]:%Y-%m-%d}",
        )
    return within if start is not None else within[-origins:]
