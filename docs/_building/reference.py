"""The pages of the reference that are written from the code at each build."""

from __future__ import annotations

from pathlib import Path

from command_line import command_line
from public_names import python_interface
from specs import sections, summary

from forecast.events.mapping_spec import TableMapping
from forecast.families.model import ModelSpec
from forecast.families.registry import BUILT_IN, family_class
from forecast.workspace import ReportSpec, WorkspaceSpec

WRITTEN = "Written from the code at each build. A key that is not listed is an error that names the nearest one.\n"


def reference_pages(docs: Path) -> dict[str, str]:
    """Return the source of each page by its name below docs/."""
    return {
        "reference/command-line.md": command_line(),
        "reference/forecast-toml.md": f"# forecast.toml\n\n{WRITTEN}\n{sections(WorkspaceSpec)}",
        "reference/report-toml.md": f"# reports/*.toml\n\n{WRITTEN}\n{sections(ReportSpec)}",
        "reference/model-toml.md": _models(docs),
        "reference/mapping-toml.md": _mapping(),
        "reference/python.md": python_interface(),
    }


def _models(docs: Path) -> str:
    """Return the page of the files of models, with the settings of every family."""
    parts = [
        "# models/*.toml\n",
        f"{WRITTEN}\n`forecast models NAME` shows the settings of one model, and which of them are defaults.\n",
        sections(ModelSpec, skip=frozenset({"settings"})),
    ]
    for name in BUILT_IN:
        spec = family_class(name)
        page = family_page(name, docs)
        parts.append(f'## `family = "{name}"`\n\n{summary(spec)} [What it is](../{page}).\n')
        parts.append(_without_summary(sections(spec, "[settings]", level=3)))
    return "\n".join(parts)


def family_page(family: str, docs: Path) -> str:
    """Return the page of a family; the Bayesian ones share one.

    Raises
    ------
    FileNotFoundError
        If it has none.
    """
    for name in (family, family.partition("_")[0]):
        if (docs / "families" / f"{name}.md").is_file():
            return f"families/{name}.md"
    raise FileNotFoundError(f"docs/families/{family}.md: every family has a page")


def _mapping() -> str:
    intro = "How to read a table of events: [tables of your own](../table-mapping.md) has an example.\n"
    return f"# Mappings of tables\n\n{WRITTEN}\n{intro}\n{sections(TableMapping)}"


def _without_summary(text: str) -> str:
    """Return sections without heading and summary of the first, which its own heading has said."""
    heading, _, tables = text.split("\n\n", 2)
    return f"{heading}\n\n{tables}"
