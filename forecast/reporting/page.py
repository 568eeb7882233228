"""A page as one HTML file that needs nothing else: style, scripts and figures within it, and no request to anywhere."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Sequence
from functools import cache
from importlib.resources import files
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup
from plotly.offline import get_plotlyjs

from forecast.plain_text import still
from forecast.reporting.figure import Figure, as_script, by_anchor
from forecast.reporting.theme import DARK
from forecast.reporting.words import day, number, percent, points


def render_page(template: str, figures: Sequence[Figure], **shown: Any) -> str:
    """Return a whole document from a template.

    Parameters
    ----------
    template : str
        A file of ``forecast/reporting/templates/``.
    figures : sequence of Figure
        All that it draws.
    **shown
        What the template speaks of.

    Returns
    -------
    str
        Its content security policy forbids any request to elsewhere. The same arguments give the same bytes.
    """
    library, script, style = get_plotlyjs(), _text("report.js"), _text("report.css")
    return (
        _environment()
        .get_template(template)
        .render(
            **shown,
            figures=Markup(as_script({"figures": by_anchor(figures), "dark": DARK})),  # noqa: S704 - escaped
            library=Markup(library),  # noqa: S704 - of the installed package
            script=Markup(script),  # noqa: S704 - of this package
            style=Markup(style),  # noqa: S704 - of this package
            script_hashes=[_hash(library), _hash(script)],
        )
    )


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("forecast.reporting", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_still,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "percent": percent,
        "points": points,
        "number": number,
        "day": day,
        "capitalize_first": _capitalize,
    }
    return environment


def _still(value: object) -> object:
    """Return a value as it is shown: text from data, such as names in a shared ledger, does not turn a page around."""
    return still(value) if isinstance(value, str) and not isinstance(value, Markup) else value


@cache
def _text(name: str) -> str:
    return files("forecast.reporting").joinpath("templates", name).read_text(encoding="utf-8")


def _hash(script: str) -> str:
    """Return how a content security policy names an inline script."""
    return "sha256-" + base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()


def _capitalize(text: str) -> str:
    return text[:1].upper() + text[1:]
