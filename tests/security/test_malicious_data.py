"""A malicious data file goes through ingest, check, run, ledger, exports and logs, and nothing that it says happens."""

from __future__ import annotations

import csv
import gzip
import html
import io
import json
import sqlite3
import zipfile

import pandas as pd
import pytest

from forecast.cells import PLAIN_NUMBER
from forecast.events.store import EventStore
from forecast.plain_text import one_line

COMMANDS = ["ingest", "check", "run", "export hub", "export views", "export hdx"]
COMMANDS += ["ledger list", "ledger show", "ledger verify"]


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_does_its_work_and_writes_nothing_that_acts(attacked, malicious, command):
    done = attacked.said[command]
    # The regions lie in no country that the ViEWS challenge knows, which is said.
    assert done.code in ({2} if command == "export views" else {0, 3}), done.err
    for text in (done.out, done.err):
        assert malicious.acting_in(text) == []
        assert "Error: faked" not in text.splitlines()


def test_nothing_is_written_outside_of_the_workspace(attacked):
    assert [path.name for path in attacked.folder.parent.iterdir()] == ["workspace"]
    allowed = {"data", "models", "reports", "out", "forecast.toml", "ledger.sqlite"}
    assert {path.name for path in attacked.folder.iterdir()} == allowed
    assert not [path for path in attacked.folder.rglob("*") if "planted" in path.name]


def test_names_are_stored_as_one_plain_line(attacked, malicious):
    events = EventStore(attacked.folder / "data" / "events").as_of()
    assert set(events["location"]) == {one_line(name) for name in malicious.REGIONS}
    assert set(malicious.HONEST) <= set(events["location"])
    assert not any(malicious.acting_in(text) for column in ("event_id", "country") for text in events[column])


@pytest.mark.parametrize("command", ["check", "ledger list", "ledger show 1", "run --now 2023-10-21T06:00:00Z"])
def test_json_is_whole_and_without_what_acts(attacked, malicious, command):
    done = attacked.run(*command.split(), "--json")
    assert done.code in {0, 3}, done.err
    assert malicious.acting_in(done.out) == []
    assert isinstance(json.loads(done.out), dict)


def test_the_page_shows_names_as_text(attacked, malicious):
    (page,) = (attacked.folder / "out" / "runs").rglob("index.html")
    text = page.read_text(encoding="utf-8")
    assert malicious.acting_in(text) == []
    for name in malicious.HONEST:
        assert html.escape(name, quote=False).replace("'", "&#39;") in text
    for planted in ("<script>window.hacked", "<img", "<iframe", "<b onmouseover", "<svg onload", 'href="javascript'):
        assert planted not in text


def cells_of(content: str, sign: str) -> list[str]:
    """Return the cells as a spreadsheet with that separator takes them, which knows quotes at a cell's start alone."""
    return [cell for row in csv.reader(io.StringIO(content, newline=""), delimiter=sign) for cell in row]


@pytest.mark.parametrize("sign", [",", ";", "\t"])
def test_no_csv_file_has_a_cell_that_a_spreadsheet_runs(attacked, malicious, sign):
    files = [path for path in malicious.written_below(attacked.folder / "out") if path.suffix == ".csv"]
    assert {"risk.csv", "leaderboard.csv", "weekly.csv", "time-series.csv"} <= {path.name for path in files}
    for path in files:
        content = path.read_text(encoding="utf-8")
        assert malicious.acting_in(content) == []
        for cell in cells_of(content, sign):
            assert cell[:1] not in {*"=+-@\t\r"} or PLAIN_NUMBER.match(cell), (path.name, cell)


def test_an_export_is_read_back_with_the_names_as_they_are(attacked, malicious):
    from forecast.tabular import read_table

    risk = read_table(attacked.folder / "out" / "exports" / "hdx" / "risk.csv")
    assert set(risk.frame["unit"]) >= {*malicious.HONEST, *malicious.FORMULAS}


def test_the_metadata_of_a_hub_is_one_value_a_line(attacked):
    (path,) = (attacked.folder / "out" / "exports" / "hub" / "model-metadata").glob("*.yml")
    for line in path.read_text(encoding="utf-8").splitlines():
        key, _, value = line.partition(": ")
        assert key.isidentifier()
        json.loads(value)


def test_the_log_is_one_object_a_line(attacked, malicious):
    (log,) = (attacked.folder / "out" / "log").glob("run-*.jsonl")
    lines = log.read_bytes().split(b"\n")
    assert lines[-1] == b""
    events = [json.loads(line)["event"] for line in lines[:-1]]
    assert {"started", "issued", "ended"} <= set(events) <= {
        "started", "prepared", "settled", "work", "done", "cost", "issued", "ended",
    }  # fmt: skip
    assert log.read_bytes().isascii()
    heartbeat = (attacked.folder / "out" / "log" / "heartbeat.json").read_bytes()
    assert heartbeat.isascii()
    assert malicious.acting_in(heartbeat.decode()) == []


def test_the_ledger_keeps_names_as_values(attacked, malicious):
    with sqlite3.connect(attacked.folder / "ledger.sqlite") as database:
        names = {name for (name,) in database.execute("SELECT name FROM unit")}
        (issues,) = database.execute("SELECT count(*) FROM issue").fetchone()
    assert names >= {one_line(name) for name in malicious.REGIONS}
    assert issues == 1


def test_the_manifest_is_whole(attacked, malicious):
    (path,) = (attacked.folder / "out" / "runs").rglob("manifest.json")
    text = path.read_text(encoding="utf-8")
    assert json.loads(text)["workspace"].startswith("<script>")
    assert malicious.acting_in(text) == []


@pytest.fixture
def table(malicious):
    """A small malicious table of events, without characters that Excel cannot hold, and what its names become."""
    names = [name for name in malicious.REGIONS if not malicious.acting_in(name)] + ["\u202eturned"]
    rows = [[str(at), "2026-01-03", name, "14.5", "-4.2", name] for at, name in enumerate(names)]
    columns = ["event_id", "date", "location", "latitude", "longitude", "notes"]
    return pd.DataFrame(rows, columns=columns), {one_line(name) for name in names}


@pytest.mark.parametrize("form", ["csv", "csv.gz", "zip", "xlsx", "parquet"])
def test_every_format_of_a_table_is_ingested_as_text(tmp_path, call, malicious, table, form):
    frame, names = table
    frame.loc[0, "notes"] = "N" * (30_000 if form == "xlsx" else malicious.TEN_MEGABYTES)  # a cell of Excel is short
    path = tmp_path / f"events.{form}"
    content = frame.to_csv(index=False).encode()
    match form:
        case "csv":
            path.write_bytes(content)
        case "csv.gz":
            path.write_bytes(gzip.compress(content, 1))
        case "zip":
            with zipfile.ZipFile(path, "w") as archive:
                archive.writestr("events.csv", content)
        case "xlsx":
            frame.to_excel(path, index=False)
        case "parquet":
            frame.to_parquet(path, index=False)
    done = call("ingest", "table", path, "--workspace", tmp_path)
    assert done.code == 0, done.err
    assert malicious.acting_in(done.out + done.err) == []
    if form == "xlsx":  # a formula is never worked out: its cell has the value that Excel stored, here none
        names = {name for name in names if not name.startswith("=")}
    assert set(EventStore(tmp_path / "data" / "events").as_of()["location"].dropna()) == names
    assert {path.name for path in tmp_path.iterdir()} == {path.name, "data"}


ACLED = "event_id_cnty,event_date,event_type,country,latitude,longitude,location,notes,timestamp"
UCDP = "id,date_start,date_end,date_prec,where_prec,latitude,longitude,country,best,low,high,type_of_violence,adm_1"


def test_names_of_acled_and_ucdp_are_text(tmp_path, call, malicious):
    long = "N" * malicious.TEN_MEGABYTES
    for source, header, row in (
        ("acled", ACLED, ["{at}", "2023-03-04", "Battles", "{name}", "14.5", "-4.2", "{name}", "{long}", "1700000000"]),
        (
            "ucdp",
            UCDP,
            ["{at}", "2023-03-04", "2023-03-04", "1", "1", "14", "-4", "{name}", "1", "1", "1", "1", "{name}"],
        ),
    ):
        path = tmp_path / ("export.csv" if source == "acled" else "GEDEvent_v23_0_3.csv")
        with path.open("w", encoding="utf-8", newline="") as stream:
            table = csv.writer(stream)
            table.writerow(header.split(","))
            for at, name in enumerate(malicious.REGIONS):
                table.writerow([cell.format(at=at, name=name, long=long if at == 1 else "-") for cell in row])
        done = call("ingest", source, path, "--workspace", tmp_path)
        assert done.code == 0, done.err
        assert malicious.acting_in(done.out + done.err) == []
        events = EventStore(tmp_path / "data" / "events").as_of(None, [source])
        assert set(events["country"]) == {one_line(name) for name in malicious.REGIONS}


def test_a_cell_of_ten_megabytes_is_no_name(tmp_path, call, malicious):
    long = "N" * malicious.TEN_MEGABYTES
    path = tmp_path / "events.csv"
    path.write_text(
        f"event_id,date,location,latitude,longitude\n1,2026-01-03,{long},1,1\n2,{long},Gao,1,1\n", encoding="utf-8"
    )
    done = call("ingest", "table", path, "--workspace", tmp_path)
    assert done.code == 0, done.err
    assert len(done.out + done.err) < 2000
    (name,) = EventStore(tmp_path / "data" / "events").as_of()["location"]
    assert name == "N" * 197 + "..."
    counts = tmp_path / "counts.csv"
    counts.write_text(f"week,region,events\n2026-01-03,{long},1\n", encoding="utf-8")
    done = call("init", tmp_path / "new", "--table", counts)
    assert done.code == 2
    assert "counts.csv row 2, column 'region'" in done.err
    assert len(done.err) < 1000
    assert not (tmp_path / "new").exists()


@pytest.mark.parametrize("name", ["\x1b[2J\x1b]0;owned\x07.csv", "a\nError: faked.csv", "\u202evsc.csv", "a\x9bb.csv"])
def test_the_name_of_a_file_does_not_act(tmp_path, call, malicious, name):
    path = tmp_path / name
    path.write_text("event_id,date,latitude,longitude\n1,never,1,1\n", encoding="utf-8")
    done = call("ingest", "table", path, "--workspace", tmp_path)
    assert done.code == 2
    assert malicious.acting_in(done.out + done.err) == []
    assert "Error: faked.csv" not in done.err.splitlines()
    path.write_text("event_id,date,latitude,longitude\n1,2026-01-03,1,1\n2,never,1,1\n", encoding="utf-8")
    done = call("ingest", "table", path, "--workspace", tmp_path)
    assert done.code == 0
    assert malicious.acting_in(done.out + done.err) == []


def test_a_malicious_table_of_counts_is_forecast(tmp_path, call, malicious):
    path = tmp_path / "counts.csv"
    path.write_bytes(malicious.counts())
    done = call("init", tmp_path / "new", "--table", path, "--title", "=1+1<script>")
    assert done.code == 0, done.err
    done = call("check", "--workspace", tmp_path / "new")
    assert done.code in {0, 3}, done.err
    assert malicious.acting_in(done.out + done.err) == []
