"""For those who write a family: hold it to what every family must keep.

Examples
--------
>>> from forecast.families.window_negbin import WindowNegbin
>>> check_family(WindowNegbin, weeks=26)
"""

from __future__ import annotations

from typing import Any

from forecast.config import parse
from forecast.families.model import OwnSpec
from forecast.families.protocol import Family
from forecast.families.registry import family_class
from forecast.testing.contract import CHECKS, Check

__all__ = ["CHECKS", "BrokenContractError", "Check", "check_family"]


class BrokenContractError(AssertionError):
    """A family does not keep what every family must."""


def check_family(family: str | type[Family], **settings: Any) -> None:
    """Hold a family to the contract: shapes, the same bytes for the same seed, no look at the future, odd panels.

    Parameters
    ----------
    family : str or type of Family
        A registered name, such as that of an entry point of your package; or the class itself.
    **settings
        Of the family.

    Raises
    ------
    BrokenContractError
        With every check that failed, and why. It is an `AssertionError`, so that a test can call this function.
    InputError
        If there is no such family, or a setting is wrong.

    Notes
    -----
    `CHECKS` has the checks one by one, for tests that name each: ``@pytest.mark.parametrize("check", CHECKS)``.
    """
    kind = family_class(family) if isinstance(family, str) else family
    name, made = kind.family, parse(kind, settings, where=f"check_family({kind.family!r})")
    spec = OwnSpec(name=name.replace("_", "-"), family=name, title=name, method="Under test.", made=made)
    broken = []
    for check in CHECKS:
        try:
            check(spec)
        except Exception as error:  # whatever a family does wrong is told, and the other checks go on
            reason = str(error).strip().splitlines()
            broken.append(f"{check.__doc__} {type(error).__name__}{': ' + reason[0] if reason else ''}")
    if broken:
        raise BrokenContractError(
            "\n".join([f"family {name!r} breaks {len(broken)} of {len(CHECKS)} checks:", *broken])
        )
