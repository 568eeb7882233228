"""A cluster that nobody enters without a certificate, started by the words of docs/scaling.md."""

import importlib
import os
import re
import shlex
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest
import trustme

from forecast.errors import InputError
from forecast.evaluation import dask_cluster
from forecast.evaluation.backtest import run_backtest
from forecast.evaluation.cluster import on_cluster

pytest.importorskip("distributed")
pytestmark = [
    pytest.mark.skipif(sys.platform == "win32", reason="processes are killed as POSIX does"),
    # Sockets of a connection that was refused are closed by the collector.
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]
PAGE = Path(__file__).parents[2] / "docs" / "scaling.md"
DOCUMENTED = "tls://10.0.0.7:8786"


def documented():
    """The commands of the block about certificates, as lists of words."""
    blocks = re.findall(r"(?s)```console\n(.*?)```", PAGE.read_text(encoding="utf-8"))
    (block,) = (each for each in blocks if "--protocol tls" in each)
    return [shlex.split(line.removeprefix("$ ")) for line in block.splitlines()]


def certificates(folder):
    """An authority of one's own, and what it signed for the machines and for the user, as files."""
    folder.mkdir(exist_ok=True)
    authority = trustme.CA()
    authority.cert_pem.write_to_path(folder / "ca.pem")
    for name in ("node", "me"):
        signed = authority.issue_cert("127.0.0.1", common_name=name)
        signed.cert_chain_pems[0].write_to_path(folder / f"{name}.pem")
        signed.private_key_pem.write_to_path(folder / f"{name}.key")
    return folder


@contextmanager
def in_the_surroundings_of(folder):
    """Dask's configuration is what it makes of the exported variables when it is imported."""
    exported = [word.split("=", 1) for words in documented() if words[0] == "export" for word in words[1:]]
    config = importlib.import_module("dask").config
    files = config.collect_env({name: str(folder / value) for name, value in exported})
    with config.set(distributed=config.merge(config.get("distributed"), files["distributed"])):
        yield


@pytest.fixture(scope="module")
def secured(plugin, free_port, tmp_path_factory):
    """A scheduler and a worker: the folder of the certificates, and the address."""
    folder = certificates(tmp_path_factory.mktemp("secured"))
    port = free_port()
    address = f"tls://127.0.0.1:{port}"
    more = {
        "scheduler": ["--host", "127.0.0.1", "--port", str(port), "--no-dashboard"],
        "worker": ["--host", "127.0.0.1", "--no-dashboard"],
    }
    started = []
    with (folder / "log").open("wb") as log:
        for program, part, *words in (words for words in documented() if words[0] == "dask"):
            command = [sys.executable, "-m", program, part, *words, *more[part]]
            command = [address if word == DOCUMENTED else word for word in command]
            surroundings = os.environ | {"OMP_NUM_THREADS": "1"}
            started.append(subprocess.Popen(command, cwd=folder, stdout=log, stderr=log, env=surroundings))
    try:
        for _ in range(300):
            if b"Starting established connection" in (folder / "log").read_bytes():
                break
            assert all(each.poll() is None for each in started), (folder / "log").read_text()
            time.sleep(0.2)
        yield folder, address
    finally:
        family = [each for process in started for each in psutil.Process(process.pid).children(recursive=True)]
        for each in [*started, *family]:
            each.kill()
        psutil.wait_procs(family, timeout=30)
        for process in started:
            process.wait()


def test_the_same_bytes_through_certificates(plugin, secured, tmp_path, record_hashes):
    plan = plugin.make_plan()
    run_backtest(plan, tmp_path / "here" / "trial", workers=1)
    folder, address = secured
    with in_the_surroundings_of(folder), on_cluster(address):
        run_backtest(plan, tmp_path / "there" / "trial")
    assert record_hashes(tmp_path / "there" / "trial") == record_hashes(tmp_path / "here" / "trial")


def test_who_has_no_certificate_is_refused(secured, monkeypatch):
    monkeypatch.setattr(dask_cluster, "CONNECT_SECONDS", 2)
    _, address = secured
    with pytest.raises(InputError, match="names no certificates") as caught, on_cluster(address):
        pass
    assert "DASK_DISTRIBUTED__COMM__TLS__CA_FILE" in str(caught.value)
    with pytest.raises(InputError, match="no Dask scheduler answers") as caught, on_cluster(address[len("tls://") :]):
        pass
    assert "tls://" in str(caught.value)
    assert caught.value.exit_code == 2


def test_who_has_a_certificate_of_another_authority_is_refused(secured, tmp_path, monkeypatch):
    monkeypatch.setattr(dask_cluster, "CONNECT_SECONDS", 2)
    _, address = secured
    with (
        in_the_surroundings_of(certificates(tmp_path)),
        pytest.raises(InputError, match="certificate") as caught,
        on_cluster(address),
    ):
        pass
    assert caught.value.exit_code == 2
    print(caught.value)


def test_who_trusts_the_scheduler_but_is_not_known_to_it_is_refused(secured, tmp_path, monkeypatch):
    monkeypatch.setattr(dask_cluster, "CONNECT_SECONDS", 2)
    folder, address = secured
    stranger = certificates(tmp_path)
    (stranger / "ca.pem").write_bytes((folder / "ca.pem").read_bytes())
    with (
        in_the_surroundings_of(stranger),
        pytest.raises(InputError, match="no Dask scheduler answers") as caught,
        on_cluster(address),
    ):
        pass
    assert caught.value.exit_code == 2
    print(caught.value)
