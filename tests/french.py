"""Texts of French pages: which of them are English still, or not set as French is."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Iterable

ENGLISH = re.compile(
    r"\b(the|of|and|is|are|was|were|with|which|that|from|than|these|before|after|their|they|has|have|had|not|by|weeks?|"
    r"regions?|would|should|could|where|when|how|often|each|other|highest|probability|statements|stated|came|true|range|"
    r"expected|events|record|issued|known|none|all|about|above|below|most|more|less)\b"
)
"""Words that no French text has; names that both languages have are not among them."""
NARROW = "\N{NARROW NO-BREAK SPACE}"
MISSET = re.compile(rf"(?<!{NARROW})[;?!%»]|(?<!{NARROW}):(?=\s|$)|«(?!{NARROW})|[\d\s][.]\d|['\"“”]")
"""Signs that French sets otherwise: spaces before high punctuation, decimal commas, curved apostrophes, guillemets."""


def texts_of(page: str) -> list[str]:
    """Return the texts of a page that people read or hear, without what is marked as English and without code."""
    body = re.sub(r"<script.*?</script>", "", page[page.index("<body") :], flags=re.S)
    texts = re.findall(r'(?:aria-label|title|alt|placeholder|data-told)="([^"]*)"', body)
    for figure in json.loads(re.search(r'id="figures">(.*?)</script>', page, re.S)[1])["figures"].values():
        for trace in figure["data"]:
            for key in ("text", "hovertext", "hovertemplate"):
                told = trace.get(key) or []
                texts += [told] if isinstance(told, str) else [each for each in told if isinstance(each, str)]
        for axis in ("xaxis", "yaxis"):
            layout = figure["layout"][axis]
            texts += [
                layout.get("title", {}).get("text", ""),
                *layout.get("ticktext", []),
                layout.get("ticksuffix", ""),
            ]
    body = re.sub(r"<code.*?</code>|<dl class=\"provenance\">.*?</dl>", "", body, flags=re.S)
    body = re.sub(r'<span lang="en">.*?</span>|<a [^>]*lang="en"[^>]*>.*?</a>', "", body, flags=re.S)
    texts += re.sub(r"<[^>]+>", "\n", body).split("\n")
    return [html.unescape(text).strip(" ") for text in texts if text.strip()]


def without(names: Iterable[str], text: str) -> str:
    """Return a text without names, elements and places of hover texts."""
    for name in sorted(names, key=len, reverse=True):
        text = text.replace(name, "")
    return re.sub(r"<[^>]*>|%\{[^}]*\}", " ", text)


def english_left(page: str, names: Iterable[str]) -> set[str]:
    """Return the texts of a page that have English words, but for names."""
    return {text for text in texts_of(page) if ENGLISH.search(without(names, text).lower())}


def misset(page: str, names: Iterable[str]) -> set[str]:
    """Return the texts of a page that are not set as French is."""
    return {text for text in texts_of(page) if MISSET.search(without(names, text))}
