"""The row of HXL tags that tables of humanitarian data have below their header (https://hxlstandard.org)."""

from __future__ import annotations

import re
from collections.abc import Iterable

TAG = re.compile(r"#[a-z]\w*(\s*\+\s*[a-z]\w*)*\s*", re.ASCII | re.IGNORECASE)
"""One tag with its attributes, such as ``#adm1 +name``."""


def is_tag_row(cells: Iterable[str]) -> bool:
    """Return whether a row holds HXL tags: at least two, and they are at least half of what is not empty.

    Half, because programs put row numbers before a tag row. See https://hxlstandard.org/standard/1-1final/.

    Examples
    --------
    >>> is_tag_row(["0", "#date+start", "#geo+lat", ""]), is_tag_row(["#4 checkpoint", "Gao"])
    (True, False)
    """
    filled = [cell.strip() for cell in cells if cell.strip()]
    tagged = sum(TAG.fullmatch(cell) is not None for cell in filled)
    return tagged >= 2 and 2 * tagged >= len(filled)
