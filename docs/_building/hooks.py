"""What MkDocs does beside reading docs/: the events of its build that mkdocs.yml hooks this module to."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import documents
import formulas
import reference
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

ROOT = Path(__file__).parents[2]
STARTING_POINTS = ["CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md"]
STARTING_POINTS += [f"data/{name}/README.md" for name in ("west-africa-weekly", "sahel-2026-weekly")]
"""Documents outside docs/ that stand in the navigation; others come in where a page leads to them."""


def on_startup(**_: Any) -> None:
    """Tell of warnings only; the option --quiet would keep them from --strict too."""
    logging.getLogger("mkdocs").setLevel(logging.WARNING)


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the pages that are no files of docs/."""
    for name, text in reference.reference_pages(ROOT / documents.DOCS).items():
        files.append(File.generated(config, name, content=text))
    for path in documents.outside_documents(ROOT, STARTING_POINTS):
        files.append(File.generated(config, documents.source_of(path), content=documents.page_of(path, ROOT)))
    return files


def on_page_markdown(markdown: str, page: Page, **_: Any) -> str:
    """Turn links out of docs/ into links to the pages of those files."""
    source = page.file.src_uri
    elsewhere = source.removeprefix(f"{documents.ELSEWHERE}/")
    if elsewhere == source:
        return documents.with_links_of_the_site(markdown, f"{documents.DOCS}/{source}", ROOT)
    return documents.with_links_of_the_site(markdown, elsewhere, ROOT) if (ROOT / elsewhere).is_file() else markdown


def on_page_content(html: str, **_: Any) -> str:
    """Draw the formulas."""
    return formulas.with_formulas(html)
