"""The contract for families of others: what keeps it passes, each way to break it is told."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np
import pytest

import forecast as fc
from forecast.families.window_negbin import WindowNegbin
from forecast.testing import BrokenContractError, check_family


def test_families_that_keep_it():
    check_family("window_negbin", weeks=26)
    check_family(WindowNegbin)


class Forgetful(WindowNegbin):
    """Draws from a generator of its own."""

    family: ClassVar[str] = "forgetful"

    def fit(self, panel, rng):
        return _Wrapped(panel, super().fit(panel, rng), "random")


class Peeking(WindowNegbin):
    """Forecasts one week short."""

    family: ClassVar[str] = "peeking"

    def fit(self, panel, rng):
        return _Wrapped(panel, super().fit(panel, rng), "short")


@dataclass(frozen=True, eq=False)
class _Wrapped(fc.testing.contract.Fitted):
    panel: object
    inner: object
    fault: str

    def simulate(self, horizon, draws, rng):
        if self.fault == "random":
            rng = np.random.default_rng()
        made = self.inner.simulate(horizon, draws, rng)
        return replace(made, paths=made.paths + 1) if self.fault == "short" else made

    def update(self, panel):
        return replace(self, panel=panel, inner=self.inner.update(panel))

    def summary(self):
        return self.inner.summary()


@pytest.mark.parametrize(
    ("family", "said"),
    [(Forgetful, "Same seed and data give the same bytes"), (Peeking, "The pmf agrees with the paths")],
)
def test_what_breaks_it_is_told(family, said):
    with pytest.raises(BrokenContractError, match=said) as caught:
        check_family(family)
    assert str(caught.value).startswith(f"family '{family.family}' breaks")


def test_an_unknown_family_or_setting():
    with pytest.raises(fc.InputError, match="unknown family 'nothing'"):
        check_family("nothing")
    with pytest.raises(fc.InputError, match="weeks"):
        check_family(WindowNegbin, weeks=0)
