"""Files of ACLED: every record is simulated, none is ACLED's."""

from __future__ import annotations

import csv
import importlib.util
import io
import random
import time
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from forecast.errors import ForecastError, InputError
from forecast.events.acled import read_acled, read_acled_deletions
from forecast.events.acled_api import _Endpoint
from forecast.events.acled_pages import FIRST
from forecast.events.acled_record import FIELDS, batch_of_rows, timestamp_rank
from forecast.events.imprecise import ImprecisePolicy
from forecast.events.polite_client import AskAgain

_SPEC = importlib.util.spec_from_file_location("acled_server", Path(__file__).with_name("acled_server.py"))
acled_server = importlib.util.module_from_spec(_SPEC)
_SPEC.loader.exec_module(acled_server)
simulated_event = acled_server.simulated_event

POLICY = ImprecisePolicy()
EVERYTHING = ImprecisePolicy(month="keep", region="keep")


def table(rows, columns=None, delimiter=","):
    stream = io.StringIO()
    columns = columns or list(simulated_event(0))
    writer = csv.writer(stream, delimiter=delimiter)
    writer.writerow(columns)
    writer.writerows([row.get(column, "") for column in columns] for row in rows)
    return stream.getvalue()


def write(folder, content, name="simulated.csv"):
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def read_one(path, policy=EVERYTHING):
    (batch,) = read_acled(path, policy)
    return batch


def test_a_new_export(tmp_path):
    batch = read_one(write(tmp_path, table([simulated_event(number) for number in range(30)])))
    assert (batch.rows, len(batch.events), batch.dropped) == (30, 30, {})
    event = batch.events.iloc[4].to_dict()
    assert {name: event[name] for name in ("event_id", "source", "country", "admin1", "admin2", "location")} == {
        "event_id": "SIM4",
        "source": "acled",
        "country": "Mali",
        "admin1": "Région 4",
        "admin2": "Cercle 4",
        "location": "Village 4",
    }
    assert event["date"] == event["date_start"] == event["date_end"] == pd.Timestamp("2023-05-05")
    assert (event["latitude"], event["longitude"], event["fatalities"]) == (11.04, -7.96, 0)
    assert (event["event_type"], event["sub_event_type"]) == ("Strategic developments", "Agreement")
    assert (event["release"], event["treatment"], event["flags"]) == ("1690000004", "kept", "")
    assert pd.isna(event["reported"])
    assert batch.events["date_precision"].tolist()[7:28:10] == ["month", "week", "month"]
    assert batch.events["place_precision"].tolist()[:3] == ["point", "near", "region"]
    kept = "\n".join(map(str, batch.events.to_numpy().ravel()))
    assert "Simulated" not in kept  # neither actors nor notes, nor the names of sources


def test_an_export_from_before_2023(tmp_path):
    """Other columns, other case, another form of dates; the same events."""
    old = [
        {
            "DATA_ID": number,
            "ISO3": "SIM",
            "EVENT_ID_NO_CNTY": number,
            **{name.upper(): value for name, value in simulated_event(number).items() if name != "disorder_type"},
            "EVENT_DATE": pd.Timestamp(simulated_event(number)["event_date"]).strftime(form),
        }
        for number, form in enumerate(("%d %B %Y", "%d-%b-%y", "%d-%B-%Y", "%Y-%m-%d"))
    ]
    before = read_one(write(tmp_path, "\ufeff" + table(old, list(old[0]))))
    after = read_one(write(tmp_path, table([simulated_event(number) for number in range(4)])))
    pd.testing.assert_frame_equal(before.events, after.events)


def test_semicolons_decimal_commas_and_loose_headers(tmp_path):
    rows = [simulated_event(number) for number in range(4)]
    for row in rows:
        row["latitude"], row["longitude"] = (str(row[name]).replace(".", ",") for name in ("latitude", "longitude"))
    header, _, rest = table(rows, delimiter=";").partition("\n")
    loose = read_one(write(tmp_path, header.replace("_", " ").title() + "\n" + rest))
    plain = read_one(write(tmp_path, table([simulated_event(number) for number in range(4)])))
    pd.testing.assert_frame_equal(loose.events, plain.events)


@pytest.mark.parametrize(
    ("changed", "flag"),
    [
        ({"event_type": "Battle-No change of territory"}, "unknown_type"),
        ({"sub_event_type": "Agreement"}, "unknown_type"),
        ({"disorder_type": "Weather"}, "unknown_type"),
        ({"time_precision": "4"}, "unknown_precision"),
        ({"geo_precision": "near"}, "unknown_precision"),
        ({"latitude": ""}, "no_coordinates"),
        ({"longitude": "inf"}, "coordinates_unreadable"),
        ({"latitude": "14,5"}, "coordinates_unreadable"),
        ({"latitude": "91"}, "coordinates_off_the_globe"),
        ({"fatalities": "some"}, "no_fatalities"),
        ({"fatalities": "-1"}, "no_fatalities"),
        ({"fatalities": "1.5"}, "no_fatalities"),
        ({"fatalities": "9999999999"}, "no_fatalities"),
        ({"year": "2022"}, "year_differs"),
    ],
)
def test_faulty_values_are_kept_and_marked(tmp_path, changed, flag):
    event = read_one(write(tmp_path, table([simulated_event(0) | changed]))).events.iloc[0]
    assert (event["treatment"], event["flags"]) == ("flagged", flag)


def test_all_types_of_the_codebook_are_known(tmp_path):
    rows = [
        simulated_event(number) | {"disorder_type": disorder, "event_type": event, "sub_event_type": sub_event}
        for number, (disorder, event, sub_event) in enumerate(
            [
                *acled_server.TYPES,
                ("Political violence; Demonstrations", "Protests", "Excessive force against protesters"),
                ("Political violence", "Explosions/Remote violence", "Shelling/artillery/missile attack"),
                ("Strategic developments", "Strategic developments", "Non-violent transfer of territory"),
                ("", "battles", ""),
            ]
        )
    ]
    assert set(read_one(write(tmp_path, table(rows))).events["flags"]) == {""}


def test_every_row_is_accounted_for(tmp_path):
    rows = [
        simulated_event(0),
        simulated_event(1) | {"event_id_cnty": " "},
        simulated_event(2) | {"event_date": ""},
        simulated_event(3) | {"event_date": "31 February 2023"},
        simulated_event(4) | {"time_precision": "3"},
        simulated_event(5) | {"timestamp": "20", "location": "newer"},
        simulated_event(5) | {"timestamp": "3", "location": "older"},
        simulated_event(6),
    ]
    text = table(rows).replace("SIM6,", "SIM6,one,value,too,many,")
    batch = read_one(write(tmp_path, text), ImprecisePolicy(month="drop", region="keep"))
    assert batch.rows == 8
    assert batch.dropped == {
        "no event id": 1,
        "no date": 1,
        "date not understood": 1,
        "date known only to a month": 1,
        "another version of an event in the same source": 1,
        "more or fewer values than columns": 1,
    }
    assert batch.events["location"].tolist() == ["Village 0", "newer"]


def test_tags_and_blank_lines_are_no_rows(tmp_path):
    header, _, rest = table([simulated_event(0)]).partition("\n")
    tags = ",".join(["#event+code", "#date", *[""] * (header.count(",") - 1)])
    batch = read_one(write(tmp_path, f"{header}\n{tags}\n\n{rest}\n"))
    assert (batch.rows, len(batch.events)) == (1, 1)


def test_a_large_file_comes_in_batches(tmp_path, monkeypatch):
    monkeypatch.setattr("forecast.events.table_rows.BLOCK_ROWS", 10)
    path = write(tmp_path, table([simulated_event(number) for number in range(25)]))
    assert [batch.rows for batch in read_acled(path, EVERYTHING)] == [10, 10, 5]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "empty"),
        (table([simulated_event(0)]).replace("event_id_cnty", "event_id").encode(), "did you mean 'event_id'"),
        (table([simulated_event(0)]).encode("utf-16"), "UTF-16|utf-8"),
        (table([simulated_event(0)]).encode("latin-1"), "utf-8"),
        (table([simulated_event(0)]).replace("geo_precision", "EVENT DATE").encode(), "two columns"),
        (table([simulated_event(0)]).encode() + b'"SIM', "not readable as CSV"),
    ],
)
def test_other_files_are_refused(tmp_path, content, words):
    with pytest.raises(InputError, match=words):
        list(read_acled(write(tmp_path, content), POLICY))


def test_a_file_that_is_not_there(tmp_path):
    write(tmp_path, "", "acled_mali.csv")
    with pytest.raises(InputError, match=r"did you mean 'acled_mali.csv'"):
        list(read_acled(tmp_path / "acled_mail.csv", POLICY))


def test_deletions(tmp_path):
    path = write(tmp_path, "Event ID cnty,deleted_timestamp\nSIM1,1690000000\nSIM2,1690000001\nSIM1,3\n,5\nSIM9\n")
    batch = read_acled_deletions(path)
    assert batch.deleted == ("SIM1", "SIM2")
    assert (len(batch.events), batch.rows) == (0, 2)
    assert batch.dropped == {"no event id": 1, "more or fewer values than columns": 1}


def test_the_later_timestamp_has_precedence():
    assert timestamp_rank(pd.Series(["1690000000", "99", None], dtype="string")).tolist() == [1690000000, 99, -1]


# Whatever comes in: a clean batch, or an error of ours.

CLEAN = table([simulated_event(number) for number in range(12)]).encode()


def check_batch(batch):
    events = batch.events
    assert len(events) + batch.dropped.total() == batch.rows
    assert events["event_id"].is_unique
    assert events["event_id"].notna().all()
    assert events["date"].notna().all()
    assert events["treatment"].isin(["kept", "spread", "flagged"]).all()
    assert (events["latitude"].abs().fillna(0) <= 90).all()
    assert (events["longitude"].abs().fillna(0) <= 180).all()
    assert (events["fatalities"].fillna(0) >= 0).all()


def check_file(path, content):
    path.write_bytes(content)
    for read in (lambda: read_acled(path, POLICY), lambda: [read_acled_deletions(path)]):
        try:
            for batch in read():
                check_batch(batch)
        except ForecastError:
            pass  # what is asserted is that nothing else is raised


def mangled(chance):
    """A simulated export, cut, shuffled, mis-encoded or with other bytes in it."""
    content = bytearray(CLEAN)
    for _ in range(chance.randint(1, 6)):
        at = chance.randrange(len(content) + 1)
        kind = chance.randrange(8)
        if kind == 0:
            del content[at:]
        elif kind == 1:
            del content[at : at + chance.randint(1, 200)]
        elif kind == 2:
            content[at:at] = bytes(chance.randrange(256) for _ in range(chance.randint(1, 20)))
        elif kind == 3:
            lines = bytes(content).split(b"\n")
            chance.shuffle(lines)
            content = bytearray(b"\n".join(lines))
        elif kind == 4:
            cells = bytes(content).split(b",")
            chance.shuffle(cells)
            content = bytearray(b",".join(cells))
        elif kind == 5:
            content[at:at] = chance.choice(
                [b'"', b"\r", b"\x00", b"\xff\xfe", b",,,,", b"1e999", b"\xed\xa0\x80", b"nan"]
            )
        elif kind == 6:
            encoding = chance.choice(["utf-16", "latin-1", "utf-7", "cp1252"])
            content = bytearray(bytes(content).decode("utf-8", "replace").encode(encoding, "replace"))
        else:
            content = bytearray(bytes(content).replace(b",", chance.choice([b";", b"\t", b"|"])))
        if not content:
            break
    return bytes(content)


_FAST = settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture], derandomize=True
)
_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(codec=None)),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(FIELDS) | st.text(), inner, max_size=5),
    max_leaves=20,
)
_ANSWERS = _JSON | st.fixed_dictionaries(
    {"data": st.lists(st.dictionaries(st.sampled_from(FIELDS), _JSON, min_size=1)) | _JSON},
    optional={"status": st.just(200) | _JSON, "success": _JSON, "count": _JSON, "total_count": _JSON},
)


def check_answer(answer):
    try:
        page = _Endpoint("/", {}, FIELDS, 10).page_of(answer, FIRST)
    except (AskAgain, ForecastError):
        return
    if page.rows:
        check_batch(batch_of_rows(dict(zip(FIELDS, zip(*page.rows, strict=True), strict=True)), POLICY))


@_FAST
@given(content=st.binary(max_size=400))
def test_random_bytes(tmp_path, content):
    check_file(tmp_path / "random.csv", content)


@_FAST
@given(seed=st.integers(0, 2**32))
def test_mangled_exports(tmp_path, seed):
    check_file(tmp_path / "mangled.csv", mangled(random.Random(seed)))


@_FAST
@given(rows=st.lists(st.fixed_dictionaries({}, optional={name: st.text(max_size=12) for name in FIELDS}), max_size=5))
def test_random_values(tmp_path, rows):
    check_file(tmp_path / "values.csv", table(rows, FIELDS).encode("utf-8", "replace"))


@_FAST
@given(answer=_ANSWERS)
def test_random_json(answer):
    check_answer(answer)


def for_a_minute(check, strategy):
    @settings(max_examples=100, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    @given(strategy)
    def run(example):
        check(example)

    end = time.monotonic() + 60
    while time.monotonic() < end:
        run()


@pytest.mark.slow
def test_a_minute_of_random_bytes(tmp_path):
    for_a_minute(lambda content: check_file(tmp_path / "random.csv", content), st.binary(max_size=2000))


@pytest.mark.slow
def test_a_minute_of_mangled_exports(tmp_path):
    for_a_minute(lambda seed: check_file(tmp_path / "mangled.csv", mangled(random.Random(seed))), st.integers(0, 2**32))


@pytest.mark.slow
def test_a_minute_of_random_json():
    for_a_minute(check_answer, _ANSWERS)
