"""What the combined forecast of a workspace is made of, as ``[combination]`` of ``forecast.toml`` says it."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from forecast.confined import BelowPath

WeightMethod = Literal["crps", "log", "online"]
CdfMethod = Literal["beta", "bernstein"]
EventMethod = Literal["surge", "logit", "beta", "isotonic"]

ExternalName = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]*$", max_length=60)]
"""As that of a model."""

AUTO_WEIGHTS: WeightMethod = "crps"
AUTO_CDF: CdfMethod = "beta"
AUTO_EVENTS: EventMethod = "surge"


class ExternalMember(BaseModel):
    """Forecasts of regions that somebody else makes, as a folder of a forecast hub's model output.

    Parameters
    ----------
    path : str
        The folder, below the workspace, such as ``hub/model-output/theirs-model``.
    target : str, optional
        Needed where its files have several.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    path: BelowPath
    target: str | None = None


class Combination(BaseModel):
    """One forecast from those of several models, in steps that are taken where they earned it.

    The first step, an equal pool, is always taken. Each further one has a method, and a switch for each number of
    weeks ahead (or escalation) and class of region: "auto" leaves it to `forecast.combination.earned`, a named method
    takes it wherever something is known to learn from, "equal" and "none" never take it.

    Parameters
    ----------
    members : tuple of str
        Two or more of the models that run, and of the external members of the workspace.
    name, title : str
        Of the combined forecast, which stands among the models as one of them.
    weights : {"auto", "equal", "crps", "log", "online"}
        Shares of the members by weeks ahead and class of region, best by CRPS or log score on the past, or following
        it; "auto" tries "crps".
    recalibration : {"auto", "none", "beta", "bernstein"}
        Map of the cumulative probabilities of counts; "auto" tries "beta".
    events : {"auto", "none", "surge", "logit", "beta", "isotonic"}
        Map of the probability of each escalation; "auto" tries "surge", which also knows the weeks before.
    least_origins : int
        Origins whose forecasts have come true, before a step can have earned anything.
    half_life_weeks : float
        A past forecast so much older counts half in what is learned.

    Examples
    --------
    >>> Combination(members=["grid-filter", "tree-forest"]).events_method
    'surge'
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    members: Annotated[tuple[str, ...], Field(min_length=2, max_length=20)]
    name: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]*$", max_length=60)] = "combined"
    title: str = "Combined forecast"
    weights: Literal["auto", "equal", "crps", "log", "online"] = "auto"
    recalibration: Literal["auto", "none", "beta", "bernstein"] = "auto"
    events: Literal["auto", "none", "surge", "logit", "beta", "isotonic"] = "auto"
    least_origins: Annotated[int, Field(ge=26, le=1000)] = 52
    half_life_weeks: Annotated[float, Field(gt=0)] = 104

    @model_validator(mode="after")
    def _once_each(self) -> Self:
        repeated = sorted({member for member in self.members if self.members.count(member) > 1})
        if repeated:
            raise ValueError(f"member {repeated[0]!r} is named twice")
        if self.name in self.members:
            raise ValueError(f"{self.name!r} cannot be a member of itself")
        return self

    @property
    def weights_method(self) -> WeightMethod | None:
        """How weights are learned; None if they stay equal."""
        if self.weights == "auto":
            return AUTO_WEIGHTS
        return None if self.weights == "equal" else self.weights

    @property
    def cdf_method(self) -> CdfMethod | None:
        """How counts are recalibrated; None if they are not."""
        if self.recalibration == "auto":
            return AUTO_CDF
        return None if self.recalibration == "none" else self.recalibration

    @property
    def events_method(self) -> EventMethod | None:
        """How probabilities of escalations are recalibrated; None if they are not."""
        if self.events == "auto":
            return AUTO_EVENTS
        return None if self.events == "none" else self.events
