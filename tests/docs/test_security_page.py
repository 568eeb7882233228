"""SECURITY.md names tests that there are, and limits that hold."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from forecast import plain_text, tabular
from forecast.events import cell_records, csv_records, packed_file, polite_client
from forecast.ledger import marginals

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "SECURITY.md"

pytestmark = pytest.mark.skipif(not PAGE.is_file(), reason="needs the checkout")


def test_the_tests_that_it_names_are_there():
    text = PAGE.read_text(encoding="utf-8")
    files = set(re.findall(r"`(tests/[\w/]+(?:\.py)?/?)`", text))
    names = set(re.findall(r"`(test_\w+)`", text))
    assert len(files) > 8
    assert len(names) > 5
    assert [path for path in files if not (ROOT / path).exists()] == []
    source = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "tests" / "security").glob("test_*.py"))
    assert [name for name in names if f"def {name}(" not in source] == []


@pytest.mark.parametrize(
    ("row", "limits"),
    [
        ("a name", [plain_text.LONGEST_NAME]),
        ("a row of a CSV file of events, a cell of one of counts", [csv_records.LONGEST_ROW // 2**20]),
        ("a row of a CSV file of events, a cell of one of counts", [tabular.LONGEST_CELL // 2**20]),
        ("a gzip or zip file, unpacked", [packed_file.FREE_BYTES // 2**20, packed_file.LARGEST_RATIO]),
        ("files in a zip file", [packed_file.MOST_MEMBERS]),
        (
            "an Excel workbook, unpacked",
            [cell_records.LARGEST_SHEETS // 2**20, cell_records.MOST_SHEET_ROWS, cell_records.MOST_SHEET_CELLS],
        ),
        ("a parquet file", [cell_records.MOST_ROWS, tabular.LARGEST_TABLE // 2**20]),
        ("a parquet file", [tabular.MOST_ROWS]),
        ("an answer of a data service, unpacked", [polite_client.LARGEST_ANSWER // 2**20]),
        ("a packed forecast in a ledger, unpacked", [marginals._LARGEST // 2**20]),
    ],
)
def test_the_limits_are_those_of_the_code(row, limits):
    lines = [line for line in PAGE.read_text(encoding="utf-8").splitlines() if line.startswith(f"| {row} |")]
    assert len(lines) == 1
    numbers = [int(found) for found in re.findall(r"\d+", lines[0].split("|")[2])]
    assert [limit for limit in limits if limit not in numbers] == []
