"""Every relative link of the documents leads somewhere."""

from __future__ import annotations

import re
from pathlib import Path
from urllib.parse import unquote

import pytest

ROOT = Path(__file__).parents[2]
DOCUMENTS = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("data/*/*.md")])

_CODE = re.compile(r"^(```|~~~).*?^\1[^\n]*$|`[^`\n]*`", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"\]\(\s*<?([^)<>\s]+)|^\[[^\]]+\]:\s+(\S+)", re.MULTILINE)
_ELSEWHERE = re.compile(r"[a-z][a-z0-9+.-]*:|//", re.IGNORECASE)


def headings_of(document: Path) -> set[str]:
    """Return the anchors of a document's headings, as code hosts make them."""
    text = re.sub(r"^(```|~~~).*?^\1[^\n]*$", "", document.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)
    titles = re.findall(r"^#{1,6}\s+(.+?)\s*#*$", text, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


def broken_links(document: Path, root: Path) -> list[str]:
    """Return the relative links of a document that lead nowhere, or out of the repository."""
    broken = []
    for match in _LINK.finditer(_CODE.sub("", document.read_text(encoding="utf-8"))):
        link = match[1] or match[2]
        if _ELSEWHERE.match(link):
            continue
        path, _, anchor = unquote(link).partition("#")
        target = (document.parent / path).resolve() if path else document
        inside = target.is_relative_to(root.resolve())
        if not (inside and target.exists()) or (
            anchor and target.suffix == ".md" and anchor not in headings_of(target)
        ):
            broken.append(link)
    return broken


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_links_lead_somewhere(document):
    assert broken_links(document, ROOT) == []


def test_the_documents_are_found():
    assert {ROOT / "CONTRIBUTING.md", ROOT / "docs" / "architecture.md"} <= set(DOCUMENTS)


def test_planted_broken_links_are_found(tmp_path):
    (tmp_path / "other.md").write_text("# A title, of *two* words\n")
    document = tmp_path / "page.md"
    document.write_text(
        "[a](other.md) [b](other.md#a-title-of-two-words) [c](#here) [d](https://example.org/x) `[e](none.md)`\n"
        "## Here\n```\n[f](none.md)\n```\n"
        "[g](gone.md) ![h](gone.png 'x') [i](other.md#absent) [j](../out.md)\n[k]: gone.txt\n"
    )
    assert broken_links(document, tmp_path) == ["gone.md", "gone.png", "other.md#absent", "../out.md", "gone.txt"]
