"""``forecast ingest``: what it says and stores; the readers of each format have tests of their own."""

from __future__ import annotations

import datetime as dt
import json
import re
import subprocess
import sys
import zipfile

import pytest

from forecast.cli.ingest_options import chosen_day
from forecast.errors import InputError
from forecast.events.store import EventStore

KEYS = ["rows", "kept", "spread", "flagged", "dropped", "new", "changed", "deleted", "reasons", "vintage"]
KEYS += ["flags", "examples", "covers", "notes"]
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
        "  dropped 1: date known only to a year or worse (GEDEvent_v23_0_10.csv row 3: '2023-10-05, date_prec 5')",
        "    try: --imprecise year=flag keeps such rows, with a mark",
        "1 events new, 0 changed, 0 deleted",
        "events in Mali, 2023-10-05 to 2023-10-05, release 23.0.10",
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


ACLED = "event_id_cnty,event_date,event_type,country,admin1,latitude,longitude,fatalities,timestamp"


def simulated(folder, name, *rows, separator=","):
    """Write a file of ACLED's form; the events are simulated."""
    text = "\n".join([ACLED, *rows]) + "\n"
    (folder / name).write_text(text.replace(",", separator), encoding="utf-8")
    return name


def acled_row(number, *, day="2024-03-05", stamp=100, dead=1):
    return f"SIM{number},{day},Battles,Mali,Mopti,14.5,-4.2,{dead},{stamp}"


def mapped(folder, *lines):
    columns = ['event_id = "nr"', 'date = "day"', 'latitude = "lat"', 'longitude = "lon"']
    (folder / "own.toml").write_text("\n".join(['source = "own"', *lines, "[columns]", *columns]), encoding="utf-8")
    return ("--mapping", "own.toml")


def nothing_stored(folder):
    return not (folder / "data").exists()


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        (["1;03/05/2024;14.5;-4.2"] * 5, ["5 date not readable", "rows 2, 3, 4, ...: '03/05/2024'", "date_format"]),
        (
            ["1;2024-03-05;14,5;-4,2", "2;2024-03-05;14,6;-4,2"],
            ["(coordinates_unreadable)", "own.csv rows 2, 3: '14,5, -4,2'", 'decimal = ","'],
        ),
        (["1;2024-03-05;;"], ["1 place known only to a country or worse (coordinates_missing)", "own.csv row 2"]),
        (["1;2024-03-05"], ["1 more or fewer values than columns", "own.csv row 2"]),
        ([], ["a header only", "own.csv", "at least one event"]),
    ],
)
def test_a_table_of_which_nothing_can_be_stored_is_refused(forecast, folder, rows, said):
    (folder / "own.csv").write_text("\n".join(["nr;day;lat;lon", *rows]) + "\n", encoding="utf-8")
    done = forecast("ingest", "table", "own.csv", *mapped(folder))
    assert (done.code, done.out) == (2, "")
    assert [part for part in said if part not in done.err] == []
    assert nothing_stored(folder)


def test_files_of_acled_and_ucdp_of_which_nothing_can_be_stored_are_refused(forecast, folder, release):
    simulated(folder, "days.csv", acled_row(1, day="05/03/2024"))
    done = forecast("ingest", "acled", "days.csv")
    assert done.code == 2
    assert "days.csv row 2: '05/03/2024'" in done.err
    assert "forecast ingest table" in done.err
    done = forecast("ingest", "acled", simulated(folder, "empty.csv"))
    assert (done.code, "a header only" in done.err) == (2, True)
    done = forecast("ingest", "ucdp", release("GEDEvent_v23_0_10.csv", row(1, where_prec=6)))
    assert done.code == 2
    assert "--imprecise country=flag keeps such rows" in done.err
    assert nothing_stored(folder)


def test_reasons_come_with_rows_and_values(forecast, folder):
    rows = [acled_row(1), "", acled_row(2, day="soon"), "SIM3,2024", acled_row(4, dead=-1), acled_row(5, dead="x")]
    done = forecast("ingest", "acled", simulated(folder, "a.csv", *rows))
    assert done.out.splitlines() == [
        "5 rows: 1 kept, 0 spread, 2 flagged, 2 dropped",
        "  dropped 1: more or fewer values than columns (a.csv row 5)",
        "    try: a value that holds the delimiter, or a line break, must stand in double quotes",
        "  dropped 1: date not understood (a.csv row 4: 'soon')",
        "    try: ACLED writes days as 2023-03-04, 04 March 2023 or 04-Mar-23; for another form `forecast ingest "
        "table` takes a mapping with date_format",
        "  flagged 2: no_fatalities (a.csv rows 6, 7: '-1')",
        "3 events new, 0 changed, 0 deleted",
        "events in Mali, 2024-03-05 to 2024-03-05",
    ]
    done = content(forecast("ingest", "acled", "a.csv", "--json"))
    assert done["flags"] == {"no_fatalities": 2}
    assert done["examples"]["date not understood"]["where"] == "a.csv row 4"
    assert "date_format" in done["examples"]["date not understood"]["hint"]


def test_if_one_of_several_files_is_refused_none_is_stored(forecast, folder):
    simulated(folder, "good.csv", acled_row(1))
    (folder / "broken.csv").write_text(f"{ACLED}\nSIM2,2024", encoding="utf-8")
    done = forecast("ingest", "acled", "good.csv", "broken.csv")
    assert (done.code, "broken.csv row 2" in done.err) == (2, True)
    assert nothing_stored(folder)
    assert content(forecast("ingest", "acled", "good.csv", "--json"))["new"] == 1
    files = {path: path.read_bytes() for path in (folder / "data").rglob("*") if path.is_file()}
    simulated(folder, "more.csv", acled_row(3))
    assert forecast("ingest", "acled", "more.csv", "broken.csv").code == 2
    assert {path: path.read_bytes() for path in (folder / "data").rglob("*") if path.is_file()} == files


def test_a_file_that_breaks_far_down_leaves_no_lock(forecast, folder, monkeypatch):
    monkeypatch.setattr("forecast.events.table_rows.BLOCK_ROWS", 2)
    rows = [acled_row(number) for number in range(9)]
    (folder / "cut.csv").write_text("\n".join([ACLED, *rows, "SIM10,20"]), encoding="utf-8")
    done = forecast("ingest", "acled", "cut.csv")
    assert (done.code, "cut.csv row 11" in done.err) == (2, True)
    assert nothing_stored(folder)


def test_complete_keeps_what_is_newer_than_the_file_and_a_stricter_rule_takes_nothing_back(forecast, folder):
    span = ("--complete", "--from", "2024-01-01", "--to", "2024-12-31")
    simulated(folder, "a.csv", acled_row(1, stamp=100), acled_row(2, stamp=150), acled_row(3, stamp=300))
    assert content(forecast("ingest", "acled", "a.csv", "--json"))["new"] == 3
    strict = ("--imprecise", "point=drop", "--imprecise", "day=drop")
    simulated(folder, "b.csv", acled_row(1, stamp=200))
    assert forecast("ingest", "acled", "b.csv", *strict).code == 2
    done = content(forecast("ingest", "acled", "b.csv", *span, "--json"))
    assert (done["deleted"], done["changed"]) == (1, 0)
    events = EventStore(folder / "data" / "events").as_of()
    assert sorted(events["event_id"]) == ["SIM1", "SIM3"]


def test_a_stricter_rule_takes_rows_back_only_if_the_import_is_complete(forecast, release, folder):
    path = release("GEDEvent_v23_0_10.csv", row(1), row(2, where_prec=5))
    assert content(forecast("ingest", "ucdp", path, "--json"))["new"] == 2
    strict = ("--imprecise", "area=drop", "--json")
    done = content(forecast("ingest", "ucdp", path, *strict))
    assert (done["dropped"], done["deleted"], done["vintage"]) == (1, 0, "")
    assert content(forecast("ingest", "ucdp", path, "--complete", *strict))["deleted"] == 1


def test_a_file_of_another_source_is_known_by_its_columns(forecast, folder, release):
    ucdp = release("ged.csv", row(1))
    simulated(folder, "acled.csv", acled_row(1))
    for command, path, other in (
        ("acled", ucdp, "ucdp"),
        ("ucdp", "acled.csv", "acled"),
        ("table", ucdp, "ucdp"),
        ("table", "acled.csv", "acled"),
    ):
        done = forecast("ingest", command, path)
        assert (done.code, f"columns of {other.upper()}: `forecast ingest {other}`" in done.err) == (2, True)


@pytest.mark.parametrize("separator", [";", "\t", "|"])
def test_the_delimiter_shows_in_the_header_for_every_source(forecast, folder, release, separator):
    simulated(folder, "a.csv", acled_row(1), separator=separator)
    path = release("GEDEvent_v23_0_10.csv", row(1))
    path.write_text(path.read_text(encoding="utf-8").replace(",", separator), encoding="utf-8")
    (folder / "own.csv").write_text(
        "nr,day,lat,lon\n1,2024-03-01,14.5,-4.2\n".replace(",", separator), encoding="utf-8"
    )
    for arguments in (("acled", "a.csv"), ("ucdp", path), ("table", "own.csv", *mapped(folder))):
        assert content(forecast("ingest", *arguments, "--json"))["kept"] == 1
    other = "," if separator == ";" else ";"
    done = forecast("ingest", "table", "own.csv", *mapped(folder, f"delimiter = '{other}'"))
    assert (done.code, "the columns are separated by" in done.err) == (2, True)


def test_what_is_known_is_not_known_tomorrow(forecast, folder, release):
    path = release("GEDEvent_v23_0_10.csv", row(1))
    done = forecast("ingest", "ucdp", path, "--known-at", "2999-01-01")
    assert (done.code, "2999-01-01 is still to come" in done.err) == (2, True)
    assert nothing_stored(folder)
    now = dt.datetime(2026, 3, 31, 12, tzinfo=dt.UTC)
    assert chosen_day(None, now) == dt.date(2026, 3, 31)
    assert chosen_day("2026-04-01", now) == dt.date(2026, 4, 1)  # in Auckland it has begun
    with pytest.raises(InputError, match="still to come"):
        chosen_day("2026-04-01", now - dt.timedelta(hours=3))


def test_days_without_events_are_news(forecast, folder, table):
    given = ("ingest", "table", table, *mapped(folder), "--complete", "--from", "2024-01-01", "--json")
    assert content(forecast(*given, "--to", "2024-03-31"))["new"] == 2
    assert content(forecast(*given, "--to", "2024-03-31"))["vintage"] == ""
    done = content(forecast(*given, "--to", "2024-04-30"))
    assert (done["new"], done["changed"], done["vintage"][:8]) == (0, 0, "0002-own")
    said = forecast(*given[:-1], "--to", "2024-05-31").err
    assert "it covers more days, or confirms what was there" in said


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("acled", "exprot.csv"), "did you mean 'export.csv'?"),
        (("acled", "--deletions", "exprot.csv"), "did you mean 'export.csv'?"),
        (("ucdp", "exprot.csv", "--version", "25.1"), "did you mean 'export.csv'?"),
        (("table", "export.csv", "--mapping", "onw.toml"), "did you mean 'own.toml'?"),
        (("table", "."), "is a folder"),
    ],
)
def test_a_file_that_is_missing_is_said_with_the_nearest_name(forecast, folder, arguments, said):
    mapped(folder)
    simulated(folder, "export.csv", acled_row(1))
    done = forecast("ingest", *arguments)
    assert (done.code, said in done.err, "forecast init" in done.err) == (2, True, False)


@pytest.mark.parametrize("name", ["a.xlsx", "a.parquet"])
def test_what_is_no_workbook_says_what_to_try(forecast, folder, name):
    (folder / name).write_bytes(bytes(range(256)))
    done = forecast("ingest", "acled", name)
    assert done.code == 2
    assert f"where: {name}\n" in done.err
    assert "expected: " in done.err
    assert "try: was the download cut?" in done.err


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


def own_rows(folder, count, *, comma=0):
    """Write a table of so many rows in Mopti, the first ones with decimal commas; return the options that read it."""
    rows = [f"{nr};2024-03-05;{'14,5;-4,2' if nr < comma else '14.5;-4.2'};Mopti" for nr in range(count)]
    (folder / "own.csv").write_text("\n".join(["nr;day;lat;lon;region", *rows]) + "\n", encoding="utf-8")
    return ("own.csv", *mapped(folder), "--imprecise", "country=flag")


@pytest.mark.parametrize(("comma", "refused"), [(11, True), (10, False)])
def test_a_wrong_mapping_does_not_overwrite_good_coordinates(forecast, folder, comma, refused):
    assert content(forecast("ingest", "table", *own_rows(folder, 20), "--json"))["kept"] == 20
    done = forecast("ingest", "table", *own_rows(folder, 20, comma=comma))
    assert done.code == (2 if refused else 0)
    lost = EventStore(folder / "data" / "events").as_of()["latitude"].isna().sum()
    assert lost == (0 if refused else 10)
    if refused:
        assert "11 of 20 rows have a place or day that cannot be read" in done.err
        assert "own.csv rows 2, 3, 4, ...: '14,5, -4,2'" in done.err
        assert 'decimal = ","' in done.err
    else:
        assert "note: 10 of 20 rows with a place or day that cannot be read" in done.err
        assert "    try: if numbers have a decimal comma" in done.out


def test_most_days_unreadable_is_refused_and_said_with_date_format(forecast, folder):
    rows = [acled_row(nr, day="2024-03-05" if nr < 5 else "05/03/2024") for nr in range(20)]
    done = forecast("ingest", "acled", simulated(folder, "a.csv", *rows))
    assert (done.code, "15 date not understood (a.csv rows 7, 8, 9, ...: '05/03/2024')" in done.err) == (2, True)
    assert "date_format" in done.err
    assert nothing_stored(folder)


def test_every_reason_of_a_table_that_is_all_bad_has_an_example_and_a_try(forecast, folder):
    (folder / "own.csv").write_text("nr;day;lat;lon\n1;soon;1;2\n;2024-03-05;1;2\n3;2024-03-05;;\n", encoding="utf-8")
    done = forecast("ingest", "table", "own.csv", *mapped(folder))
    assert done.code == 2
    for said in ("1 date not readable (own.csv row 2: 'soon')", "1 no event id (own.csv row 3)", "own.csv row 4"):
        assert said in done.err
    for tried in ("date_format", 'event_id = ["day", "place"]', "--imprecise country=flag"):
        assert tried in done.err


def test_a_misspelt_country_of_a_complete_file_is_refused(forecast, folder, release):
    path = release("GEDEvent_v23_0_10.csv", row(1))
    done = forecast("ingest", "ucdp", path, "--complete", "--countries", "Malli")
    assert (done.code, "unknown country 'Malli'" in done.err, "'Mali'" in done.err) == (2, True, True)
    assert nothing_stored(folder)
    assert forecast("ingest", "ucdp", path, "--complete", "--countries", "Mali").code == 0
    niger = release("GEDEvent_v23_0_11.csv", row(2, day="2023-11-05").replace("Mali", "Niger"))
    done = content(forecast("ingest", "ucdp", niger, "--complete", "--countries", "Mali,Niger", "--json"))
    assert (done["new"], done["covers"]["countries"]) == (1, ["Niger"])  # Mali is known to the store
    done = forecast("ingest", "ucdp", niger, "--complete", "--countries", "Nigger")
    assert (done.code, "'Niger'" in done.err) == (2, True)


def test_types_without_violence_are_told_and_can_be_left_out(forecast, folder):
    rows = [acled_row(1), acled_row(2).replace("Battles", "Protests"), acled_row(3).replace("Battles", "Riots")]
    simulated(folder, "a.csv", *rows)
    only = ("--types", "battles, Riots")
    done = content(forecast("ingest", "acled", "a.csv", *only, "--json"))
    assert (done["rows"], done["kept"], done["new"]) == (3, 2, 2)
    assert (done["reasons"], done["notes"]) == ({"type Protests not chosen": 1}, [])
    done = forecast("ingest", "acled", "a.csv")
    assert "note: 1 of 3 events are of types without violence (Protests); they count as events" in done.err
    done = forecast("ingest", "acled", "a.csv", "--types", "Batles")
    assert (done.code, "'Battles'" in done.err) == (2, True)
    assert forecast("ingest", "acled", "a.csv", "--types", "Strategic developments").code == 2


def test_deleted_events_that_are_not_in_the_store_are_told(forecast, folder):
    simulated(folder, "a.csv", acled_row(1), acled_row(2))
    (folder / "gone.csv").write_text("event_id_cnty,deleted_timestamp\nSIM1,200\nSIM7,200\n", encoding="utf-8")
    done = forecast("ingest", "acled", "a.csv", "--deletions", "gone.csv")
    assert "2 events new, 0 changed, 1 deleted" in done.out
    assert "note: 1 of 2 deleted events was not in the store" in done.err


def test_a_release_that_is_not_recognised_is_told(forecast, release):
    done = forecast("ingest", "ucdp", release("ged.csv", row(1)))
    assert (
        done.out.splitlines()[-1]
        == "events in Mali, 2023-10-05 to 2023-10-05, no release recognised (--version names it)"
    )


def test_a_zip_file_that_is_cut_off_says_so(forecast, folder):
    with zipfile.ZipFile(folder / "own.zip", "w") as archive:
        archive.writestr("own.csv", "nr,day,lat,lon\n" + "1,2024-03-05,14.5,-4.2\n" * 50)
    (folder / "own.zip").write_bytes((folder / "own.zip").read_bytes()[:300])
    done = forecast("ingest", "table", "own.zip", *mapped(folder))
    assert (done.code, "damaged or cut off" in done.err, "where: own.zip\n" in done.err) == (2, True, True)
