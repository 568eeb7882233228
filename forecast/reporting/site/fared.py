"""How each issue of the archive has turned out, by the escalation that stood in front when it was issued."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from forecast.evaluation.issued import by_issue
from forecast.reporting.site.content import SiteContent


@dataclass(frozen=True)
class Fared:
    """What came of the statements of an issue about regions, by the data as they are known now.

    Parameters
    ----------
    decided : int
    stated, came : float
        How many of them were to come true, and did.
    brier, brier_base : float
        NaN if none is decided.
    corrected : int
        Weekly counts of its weeks that have another value than first known.
    """

    decided: int = 0
    stated: float = np.nan
    came: float = np.nan
    brier: float = np.nan
    brier_base: float = np.nan
    corrected: int = 0

    @property
    def gain(self) -> float:
        """What was gained on the base rate, as a share of its score."""
        return 1 - self.brier / self.brier_base if self.brier_base > 0 else np.nan


def fared(content: SiteContent) -> dict[int, Fared]:
    """Return how the issues of the track record have turned out, by their numbers."""
    fronts = {issue.number: issue.front.name for issue in content.issues if issue.counts}
    found: dict[int, Fared] = {}
    for name in dict.fromkeys(fronts.values()):
        for row in by_issue(content.record, name).to_dict("records"):
            if fronts.get(row["issue"]) == name:
                scores = {key: float(row[key]) for key in ("stated", "came", "brier", "brier_base")}
                found[row["issue"]] = Fared(int(row["statements"]), corrected=int(row["corrected"]), **scores)
    return found
