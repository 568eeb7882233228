"""A report as it was published, on a site: its chart library stands beside it, and it links to the archive."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass

from markupsafe import Markup

from forecast.language import say, spoken
from forecast.reporting.page import FROM_SITE, asset_name

_SCRIPT = re.compile(r"<script>(.*?)</script>", re.DOTALL)
_POLICY = re.compile(r'<meta http-equiv="Content-Security-Policy" content="([^"<>]*)">')
_BODY = re.compile(r"<header\b")
_LANGUAGES = re.compile(r' *<nav class="crumbs languages".*?</nav>\n', re.DOTALL)
"""Links to the page in other languages, which are not on the site."""
LARGE = 500_000
"""Characters of a script that is worth a file of its own."""


@dataclass(frozen=True)
class PublishedPage:
    """A page whose large scripts are files of their own.

    Parameters
    ----------
    page : str
    scripts : mapping of str to bytes
        By file name.
    """

    page: str
    scripts: Mapping[str, bytes]


def on_site(page: str, assets: str, archive: str, issue: str, note: str) -> PublishedPage:
    """Return a published report for a site.

    Only scripts that the page's own content security policy allows are taken out, so that nothing can run on the site
    that could not run in the report. A page of another make stays as it is, but for the links.

    Parameters
    ----------
    page : str
        As it was published.
    assets : str
        Where the scripts will be, relative to the page.
    archive, issue : str
        Where the first page of the site and that of the issue are, relative to the page.
    note : str
        What stands beside the links.
    """
    policy = _POLICY.search(page)
    scripts: dict[str, bytes] = {}
    taken: list[str] = []

    def beside(found: re.Match[str]) -> str:
        source = "'sha256-" + base64.b64encode(hashlib.sha256(found[1].encode()).digest()).decode() + "'"
        if policy is None or len(found[1]) < LARGE or source not in policy[1]:
            return found[0]
        content = found[1].encode()
        name = asset_name("plotly", "min.js", content)
        scripts[name] = content
        taken.append(source)
        return f'<script src="{assets}/{name}"></script>'

    page = _SCRIPT.sub(beside, _LANGUAGES.sub("", page, count=1))
    if policy is not None and taken:
        allowed = policy[1]
        for source in taken:
            allowed = allowed.replace(source, FROM_SITE)
        page = page.replace(policy[0], policy[0].replace(policy[1], allowed), 1)
    style = "font:.9rem/1.4 system-ui,sans-serif;max-width:78rem;margin:0 auto;padding:.8rem 1.25rem 0"
    links = Markup('<nav lang="{}" aria-label="{}" style="{}"><a href="{}">{}</a> · <a href="{}">{}</a>. {}</nav>\n')
    about = spoken(), say("Archive"), style, archive, say("All issues"), issue, say("This issue"), note
    linked = str(links.format(*about))
    return PublishedPage(_BODY.sub(lambda found: linked + found[0], page, count=1), scripts)
