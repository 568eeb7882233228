"""``forecast ingest``: what it says and stores; the readers of each format have tests of their own."""

from __future__ import annotations

import datetime as dt
import json
import re
import subprocess
import sys

import pytest

from forecast.events.store import EventStore

KEYS = ["rows", "kept", "spread", "flagged", "dropped", "new", "changed", "deleted", "reasons", "vintage"]
UCDP = "id,date_start,date_end,date_prec,where_prec,latitude,longitude,country,best,low,high,type_of_violence"


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def release(folder):
    """A function that writes a file with UCDP's columns; the events are made up."""

    def write(name, *rows):
        path = folder / name
        path.write_text("\n".join([UCDP, *rows]) + "\n", encoding="utf-8")
        return path

    return write


def row(number, *, day="2023-10-05", date_prec=1, where_prec=1, best=3):
    return f"{number},{day},{day},{date_prec},{where_prec},14.5,-4.2,Mali,{best},{best},{best},1"


@pytest.fixture
def table(folder):
    path = folder / "incidents.csv"
    path.write_text("nr,day,lat,lon\n1,2024-03-01,14.5,-4.2\n2,2024-03-02,14.6,-4.1\n", encoding="utf-8")
    mapping = folder / "incidents.toml"
    mapping.write_text(
        'source = "own"\n[columns]\nevent_id = "nr"\ndate = "day"\nlatitude = "lat"\nlongitude = "lon"\n',
        encoding="utf-8",
    )
    return path


def content(outcome):
    assert outcome.code == 0, outcome.err
    return json.loads(outcome.out)


def test_json_is_one_object_whose_rows_add_up_and_a_second_import_finds_nothing(forecast, release, folder):
    path = release(
        "GEDEvent_v23_0_10.csv", row(1), row(2, date_prec=4), row(3, where_prec=5), row(4, date_prec=5), row(5)
    )
    first = content(forecast("ingest", "ucdp", "--file", path, "--known-at", "2023-11-20", "--json"))
    assert list(first) == KEYS
    assert [first[key] for key in KEYS[:8]] == [5, 2, 1, 1, 1, 4, 0, 0]
    assert sum(first["reasons"].values()) == first["dropped"]
    assert first["vintage"].startswith("0001-ucdp-")
    again = content(forecast("ingest", "ucdp", path, "--known-at", "2023-11-21", "--json"))
    assert [again[key] for key in KEYS[:8]] == [5, 2, 1, 1, 1, 0, 0, 0]
    assert again["vintage"] == ""
    store = EventStore(folder / "data" / "events")
    assert store.as_of(dt.date(2023, 11, 19)).empty
    assert sorted(store.as_of(dt.date(2023, 11, 20))["event_id"]) == ["1", "2", "3", "5"]


def test_the_text_tells_the_same(forecast, release):
    path = release("GEDEvent_v23_0_10.csv", row(1), row(2, date_prec=5))
    done = forecast("ingest", "ucdp", path)
    assert done.code == 0
    assert done.out.splitlines() == [
        "2 rows: 1 kept, 0 spread, 0 flagged, 1 dropped",
        "  dropped 1: date known only to a year or worse",
        "1 events new, 0 changed, 0 deleted",
    ]
    assert done.err.startswith("vintage 0001-ucdp-")
    assert "no new vintage" in forecast("ingest", "ucdp", path).err


def test_the_policy_is_an_option(forecast, release):
    path = release("GEDEvent_v23_0_10.csv", row(1, date_prec=4), row(2, date_prec=5))
    options = ("--imprecise", "month=flag", "--imprecise", "year=spread")
    done = content(forecast("ingest", "ucdp", path, *options, "--json"))
    assert (done["spread"], done["flagged"], done["dropped"]) == (1, 1, 0)


def test_releases_hold_in_their_own_order_whatever_the_order_of_the_files(forecast, release, folder):
    yearly = release("GEDEvent_v24_1.csv", row(1, best=9))
    monthly = release("GEDEvent_v23_0_10.csv", row(1, best=3), row(2))
    done = content(forecast("ingest", "ucdp", yearly, monthly, "--known-at", "2024-06-01", "--json"))
    assert (done["rows"], done["new"], done["changed"]) == (3, 2, 1)
    assert len(done["vintage"].split()) == 2
    again = content(forecast("ingest", "ucdp", monthly, "--known-at", "2024-07-01", "--json"))
    assert (again["new"], again["changed"], again["vintage"]) == (0, 0, "")
    events = EventStore(folder / "data" / "events").as_of().set_index("event_id")
    assert events["fatalities"].to_dict() == {"1": 9, "2": 3}


def test_a_complete_release_deletes_what_it_lacks(forecast, release):
    forecast("ingest", "ucdp", release("GEDEvent_v23_0_10.csv", row(1), row(2)), "--known-at", "2023-11-20")
    yearly = release("GEDEvent_v24_1.csv", row(1))
    done = content(forecast("ingest", "ucdp", yearly, "--complete", "--known-at", "2024-06-01", "--json"))
    assert (done["new"], done["deleted"]) == (0, 1)


def test_a_table_by_its_mapping(forecast, table, folder):
    done = content(forecast("ingest", "table", table, "--mapping", folder / "incidents.toml", "--json"))
    assert (done["rows"], done["kept"], done["new"]) == (2, 2, 2)
    assert done["vintage"].startswith("0001-own-")
    table.write_text("nr,day,lat,lon\n2,2024-03-02,14.6,-4.1\n", encoding="utf-8")
    span = ("--complete", "--from", "2024-01-01", "--to", "2024-12-31")
    done = content(forecast("ingest", "table", table, "--mapping", folder / "incidents.toml", *span, "--json"))
    assert (done["new"], done["changed"], done["deleted"]) == (0, 0, 1)


def test_a_wrong_mapping_names_the_column_and_the_nearest(forecast, table, folder):
    mapping = folder / "incidents.toml"
    mapping.write_text(mapping.read_text(encoding="utf-8").replace('"lat"', '"latt"'), encoding="utf-8")
    done = forecast("ingest", "table", table, "--mapping", mapping)
    assert done.code == 2
    assert "latt" in done.err
    assert "'lat'" in done.err
    assert not (folder / "data" / "events" / "index.json").exists()


def test_simulated_acled_records_and_deletions(forecast, folder):
    header = (
        "event_id_cnty,event_date,year,time_precision,disorder_type,event_type,sub_event_type,country,admin1,admin2,"
        "location,latitude,longitude,geo_precision,fatalities,timestamp"
    )
    lines = [
        f"SIM{number},2024-03-0{number},2024,1,Political violence,Battles,Armed clash,Mali,Mopti,Mopti,Mopti,14.5,-4.2,"
        f"1,{number},170000000{number}"
        for number in (1, 2)
    ]
    (folder / "export.csv").write_text("\n".join([header, *lines]) + "\n", encoding="utf-8")
    (folder / "deleted.csv").write_text("event_id_cnty,deleted_timestamp\nSIM1,1700000005\n", encoding="utf-8")
    done = content(forecast("ingest", "acled", "export.csv", "--deletions", "deleted.csv", "--json"))
    assert (done["rows"], done["new"], done["deleted"]) == (2, 2, 1)
    assert EventStore(folder / "data" / "events").as_of()["event_id"].tolist() == ["SIM2"]
    again = content(forecast("ingest", "acled", "export.csv", "--json"))
    assert (again["new"], again["changed"], again["vintage"]) == (0, 0, "")


def test_time_does_not_go_back(forecast, release):
    path = release("GEDEvent_v23_0_10.csv", row(1))
    forecast("ingest", "ucdp", path, "--known-at", "2023-11-20")
    done = forecast("ingest", "ucdp", path, "--known-at", "2023-11-19")
    assert done.code == 2
    assert "never changed afterwards" in done.err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("ucdp",), "nothing to import"),
        (("ucdp", "none.csv"), "no file none.csv"),
        (("ucdp", "a.csv", "--api"), "both a file"),
        (("ucdp", "--api"), "which release?"),
        (("ucdp", "--api", "--version", "25.1", "--countries", "Malli"), "unknown country 'Malli'"),
        (("ucdp", "a.csv", "--from", "2023-01-01"), "--from 2023-01-01 has no use here"),
        (("ucdp", "a.csv", "--countries", "Mali"), "--countries Mali has no use here"),
        (("ucdp", "a.csv", "--known-at", "yesterday"), "no file a.csv"),
        (("ucdp", "a.csv", "--imprecise", "month"), "'month' is not a rule"),
        (("ucdp", "a.csv", "--imprecise", "month=guess"), "month = 'guess'"),
        (("ucdp", "a.csv", "--imprecise", "monht=flag"), "unknown key 'monht'"),
        (("acled", "--api"), "which days?"),
        (("acled", "a.csv", "--since", "2023-01-01"), "--since 2023-01-01 has no use here"),
        (("acled", "a.csv", "--complete"), "complete for which days?"),
        (("table", "a.csv", "--complete", "--from", "2024-01-02", "--to", "2024-01-01"), "lies before first day"),
        (("table", "a.csv", "--mapping", "none.toml"), "no file none.toml"),
        (("table", "a.csv", "--workspace", "nowhere"), "no folder nowhere"),
    ],
)
def test_bad_usage_says_what_to_do(forecast, folder, arguments, message):
    if "--workspace" in arguments:
        (folder / "a.csv").write_text("event_id,date\n", encoding="utf-8")
    done = forecast("ingest", *arguments)
    assert done.code == 2
    assert message in done.err
    assert not (folder / "data").exists()


def test_known_at_must_be_a_day(forecast, release, folder):
    done = forecast("ingest", "ucdp", release("GEDEvent_v23_0_10.csv", row(1)), "--known-at", "yesterday")
    assert done.code == 2
    assert "--known-at" in done.err
    assert not (folder / "data").exists()


def test_the_help_imports_nothing_heavy_and_has_examples(forecast):
    for arguments in (("ingest",), ("ingest", "ucdp"), ("ingest", "acled"), ("ingest", "table")):
        shown = forecast(*arguments, "--help")
        assert shown.code == 0
        assert re.search(rf"Examples:\n +forecast {' '.join(arguments)}\b", shown.out)
    code = (
        "import sys; from forecast.cli import main; main(['ingest', 'ucdp', '--help'])\n"
        "print([name for name in ('numpy', 'pandas', 'pyarrow', 'httpx') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"
