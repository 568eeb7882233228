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

from forecast.language import OWN_NAMES, SOURCE, Language, Text, said, say, say_html, spoken
from forecast.plain_text import still
from forecast.plots.theme import DARK
from forecast.reporting.figure import Figure, as_script, by_anchor
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
            lang=spoken(),
            figures=Markup(as_script({"figures": by_anchor(figures), "dark": DARK})),  # noqa: S704 - escaped
            policy=Markup(f"default-src 'none'; {parts.sources}; {_POLICY}"),  # noqa: S704 - of this package
            style=Markup(parts.style),  # noqa: S704 - of this package
            scripts=Markup(parts.scripts),  # noqa: S704 - of this package and of the installed one
        )
    )


def page_name(language: Language, languages: Sequence[Language]) -> str:
    """Return the file of a page in one of its languages.

    Examples
    --------
    >>> page_name("en", ["en", "fr"]), page_name("fr", ["en", "fr"])
    ('index.html', 'index.fr.html')
    """
    return "index.html" if language == languages[0] else f"index.{language}.html"


def language_links(languages: Sequence[Language]) -> list[tuple[Language, str, str]]:
    """Return code, own name and file of the other languages of a page.

    Examples
    --------
    >>> language_links(["en", "fr"])
    [('fr', 'Français', 'index.fr.html')]
    """
    return [(each, OWN_NAMES[each], page_name(each, languages)) for each in languages if each != spoken()]


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
    environment.globals |= {"say": say, "say_html": say_html}
    environment.filters |= {
        "percent": percent,
        "points": points,
        "number": number,
        "day": day,
        "said": said,
        "capitalize_first": _capitalize,
        "as_written": _as_written,
    }
    return environment


def _still(value: object) -> object:
    """Return a value as it is shown: in the language spoken; names from data do not turn a page around."""
    told = said(value)
    return still(told) if isinstance(told, str) and not hasattr(told, "__html__") else told


def _as_written(text: str) -> str:
    """Return a text that may be in no language but that of the code, marked where another one is spoken around it."""
    if spoken() == SOURCE or isinstance(text, Text) or not text:
        return text
    return Markup('<span lang="{}">{}</span>').format(SOURCE, still(text))


@cache
def _text(name: str) -> str:
    return files("forecast.reporting").joinpath("templates", name).read_text(encoding="utf-8")


def script_hash(script: str) -> str:
    """Return how a content security policy names an inline script."""
    return "sha256-" + base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()


def _capitalize(text: str) -> str:
    return text[:1].upper() + text[1:]
