"""How objects show themselves in a notebook: a heading, a few facts, a table."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd
from markupsafe import Markup

ROWS = 12
"""Rows of a table that are shown."""


def notebook_html(heading: str, facts: Mapping[str, object], rows: pd.DataFrame | None = None) -> str:
    """Return the HTML that a notebook shows for an object.

    Parameters
    ----------
    heading : str
    facts : mapping of label to value
        Those that are empty are left out.
    rows : DataFrame, optional
        Its first `ROWS` rows are shown.

    Examples
    --------
    >>> notebook_html("Panel", {"source": "R&D", "note": ""})
    '<div><b>Panel</b> · source: R&amp;D</div>'
    """
    told = Markup(" · ").join(
        Markup("{}: {}").format(label, value) for label, value in facts.items() if str(value) != ""
    )
    head = Markup("<b>{}</b>").format(heading)
    parts = [Markup("<div>{}</div>").format(Markup(" · ").join([head, told]) if told else head)]
    if rows is not None:
        parts.append(Markup(rows.head(ROWS).to_html(border=0, escape=True)))  # noqa: S704 - pandas escapes the cells
        if len(rows) > ROWS:
            parts.append(Markup("<div>{} more rows</div>").format(len(rows) - ROWS))
    return str(Markup("").join(parts))


def terminal_text(heading: str, facts: Mapping[str, object]) -> str:
    """Return one line for a terminal.

    Examples
    --------
    >>> terminal_text("Panel", {"weeks": 12, "source": ""})
    '<Panel: weeks 12>'
    """
    told = ", ".join(f"{label} {value}" for label, value in facts.items() if str(value) != "")
    return f"<{heading}: {told}>" if told else f"<{heading}>"
