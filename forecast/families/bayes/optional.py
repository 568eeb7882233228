"""Packages that only some settings need."""

from __future__ import annotations

from importlib import import_module
from types import ModuleType

from forecast.errors import InputError


def imported(name: str, purpose: str) -> ModuleType:
    """Import a package of the extra ``bayes``.

    Raises
    ------
    InputError
        If it is not installed.

    Examples
    --------
    >>> imported("no_such_package", "method = 'nuts'")
    Traceback (most recent call last):
    ...
    forecast.errors.InputError: method = 'nuts' needs the package no_such_package
      expected: an installation with the extra bayes
      try: pip install 'escalation-forecast[bayes]'; method = "laplace" needs no other package
    """
    try:
        return import_module(name)
    except ModuleNotFoundError as error:
        raise InputError(
            f"{purpose} needs the package {name}",
            expected="an installation with the extra bayes",
            hint="pip install 'escalation-forecast[bayes]'; method = \"laplace\" needs no other package",
        ) from error
