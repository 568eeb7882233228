"""A page as one HTML file that needs nothing else: style, scripts and figures within it, and no request to anywhere.

The pages of a site share style and scripts instead, as files beside them; nor do they ask anybody else for anything.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
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

FROM_SITE = "'self' file:"
"""What a content security policy calls files beside the page; without a server, browsers differ in what `self` is."""
_POLICY = "img-src data: blob:; base-uri 'none'; form-action 'none'"


@dataclass(frozen=True)
class SharedFiles:
    """Style and scripts that the pages of a site share, named by their content.

    Parameters
    ----------
    library, script, style : str
        File names.
    contents : mapping of str to bytes
        By file name.
    """

    library: str
    script: str
    style: str
    contents: Mapping[str, bytes]


@cache
def shared_files() -> SharedFiles:
    """Return the files that pages share."""
    contents = {}

    def named(stem: str, ending: str, text: str) -> str:
        content = text.encode()
        name = asset_name(stem, ending, content)
        contents[name] = content
        return name

    library, script = named("plotly", "min.js", get_plotlyjs()), named("report", "js", _text("report.js"))
    return SharedFiles(library, script, named("report", "css", _text("report.css")), contents)


def asset_name(stem: str, ending: str, content: bytes) -> str:
    """Return a file name that changes with the content.

    Examples
    --------
    >>> asset_name("report", "css", b"body {}")
    'report-62368a1a2925.css'
    """
    return f"{stem}-{hashlib.sha256(content).hexdigest()[:12]}.{ending}"


def render_page(template: str, figures: Sequence[Figure], *, assets: str | None = None, **shown: Any) -> str:
    """Return a whole document from a template.

    Parameters
    ----------
    template : str
        A file of ``forecast/reporting/templates/``.
    figures : sequence of Figure
        All that it draws.
    assets : str, optional
        Where the `shared_files` are, relative to the page; they stand within the page if not given.
    **shown
        What the template speaks of.

    Returns
    -------
    str
        Its content security policy forbids any request to elsewhere. The same arguments give the same bytes.
    """
    parts = _within() if assets is None else _beside(assets, drawn=bool(figures))
    return (
        _environment()
        .get_template(template)
        .render(
            **shown,
            figures=Markup(as_script({"figures": by_anchor(figures), "dark": DARK})),  # noqa: S704 - escaped
            policy=Markup(f"default-src 'none'; {parts.sources}; {_POLICY}"),  # noqa: S704 - of this package
            style=Markup(parts.style),  # noqa: S704 - of this package
            scripts=Markup(parts.scripts),  # noqa: S704 - of this package and of the installed one
        )
    )


@dataclass(frozen=True)
class _Parts:
    """Elements of style and scripts, and from where they are allowed to come."""

    sources: str
    style: str
    scripts: str


def _within() -> _Parts:
    library, script = get_plotlyjs(), _text("report.js")
    return _Parts(
        f"script-src '{script_hash(library)}' '{script_hash(script)}'; style-src 'unsafe-inline'",
        f"<style>{_text('report.css')}</style>",
        f"<script>{library}</script>\n<script>{script}</script>",
    )


def _beside(assets: str, *, drawn: bool) -> _Parts:
    files = shared_files()
    scripts = [files.library, files.script] if drawn else [files.script]
    return _Parts(
        f"script-src {FROM_SITE}; style-src {FROM_SITE} 'unsafe-inline'",
        f'<link rel="stylesheet" href="{assets}/{files.style}">',
        "\n".join(f'<script src="{assets}/{name}"></script>' for name in scripts),
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


def script_hash(script: str) -> str:
    """Return how a content security policy names an inline script."""
    return "sha256-" + base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()


def _capitalize(text: str) -> str:
    return text[:1].upper() + text[1:]
