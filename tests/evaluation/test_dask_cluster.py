import importlib
import os
import shutil
import subprocess
import sys
import time
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
from typer.testing import CliRunner

from forecast.cli.main import app
from forecast.errors import ForecastError, InputError
from forecast.evaluation import dask_cluster, sent_blocks
from forecast.evaluation.backtest import blocks_folder, run_backtest
from forecast.evaluation.cluster import current_cluster, on_cluster

distributed = pytest.importorskip("distributed")
pytestmark = [
    pytest.mark.skipif(sys.platform == "win32", reason="processes are killed as POSIX does"),
    # Sockets of a client whose scheduler was killed are closed by the collector.
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]


def dask(*words, log):
    command = [sys.executable, "-m", "dask", *words]
    surroundings = {"FIT_DELAY": "0.1", **os.environ, "OMP_NUM_THREADS": "1"}
    with log.open("wb") as stream:
        return subprocess.Popen(command, stdout=stream, stderr=stream, env=surroundings)


@contextmanager
def running(folder, port, workers=2):
    """A scheduler and workers on loopback: address, and their processes, the scheduler first."""
    address = f"tcp://127.0.0.1:{port}"
    options = ("--no-dashboard", "--host", "127.0.0.1")
    processes = [dask("scheduler", *options, "--port", str(port), log=folder / "scheduler.log")]
    try:
        for at in range(workers):
            more = (
                "--nthreads",
                "1",
                "--no-nanny",
                "--death-timeout",
                "60",
                "--local-directory",
                str(folder / f"{at}"),
            )
            processes.append(dask("worker", address, *options, *more, log=folder / f"worker-{at}.log"))
        _wait(address, workers)
        yield address, processes
    finally:
        for process in processes:
            with suppress(ProcessLookupError):
                process.kill()
            process.wait()


def _wait(address, workers):
    """Wait until the scheduler answers and has its workers."""
    for _ in range(60):
        with suppress(OSError), distributed.Client(address, timeout=2, set_as_default=False) as client:
            if workers:
                client.wait_for_workers(workers, timeout=60)
            return
        time.sleep(0.2)
    raise AssertionError("no scheduler")


@pytest.fixture(scope="module")
def pair(plugin, free_port, tmp_path_factory):
    """A scheduler and two workers for several tests; the last one kills a worker."""
    with running(tmp_path_factory.mktemp("pair"), free_port()) as found:
        yield found


def test_a_model_that_fails_on_a_worker_is_told_as_on_this_machine(plugin, pair, tmp_path):
    origin = plugin.make_plan().origins[0]
    models = (plugin.make_model("unlucky", fails_at=f"{origin:%Y-%m-%d}"),)
    failure = pytest.raises(ForecastError, match=r"model 'unlucky' failed .* no such luck")
    with on_cluster(pair[0]), failure as caught:
        run_backtest(plugin.make_plan(models=models, refit_every=1), tmp_path / "trial")
    assert caught.value.model == "unlucky"


def test_workers_with_other_code_are_refused(plugin, pair, tmp_path, monkeypatch):
    monkeypatch.setattr(sent_blocks, "code_hash", lambda: "another")
    refusal = pytest.raises(ForecastError, match="another copy of escalation-forecast")
    with on_cluster(pair[0]), refusal:
        run_backtest(plugin.make_plan(), tmp_path / "trial")


def test_the_same_bytes_from_one_and_two_processes_two_dask_workers_and_a_worker_killed(
    plugin, pair, tmp_path, record_hashes
):
    plan = plugin.make_plan()
    run_backtest(plan, tmp_path / "one" / "trial", workers=1)
    expected = record_hashes(tmp_path / "one" / "trial")
    run_backtest(plan, tmp_path / "two" / "trial", workers=2)
    assert record_hashes(tmp_path / "two" / "trial") == expected

    address, (_, victim, _other) = pair
    with on_cluster(address):
        assert current_cluster() is not None
        run_backtest(plan, tmp_path / "dask" / "trial")
    assert current_cluster() is None
    assert record_hashes(tmp_path / "dask" / "trial") == expected

    done = []

    def kill_one(finished, _total):
        done.append(finished)
        if finished == 4:
            victim.kill()

    with on_cluster(address):
        run_backtest(plan, tmp_path / "killed" / "trial", progress=kill_one)
    assert victim.wait() == -9
    assert done == list(range(21))
    assert record_hashes(tmp_path / "killed" / "trial") == expected


def test_a_lost_scheduler_is_told_and_the_backtest_goes_on_where_it_was(
    plugin, tmp_path, monkeypatch, free_port, record_hashes
):
    plan, folder = plugin.make_plan(), tmp_path / "lost" / "trial"
    monkeypatch.setenv("FIT_DELAY", "0.3")  # before its worker is started

    def kill(finished, _total):
        if finished == 3:
            scheduler.kill()

    with running(tmp_path, free_port(), workers=1) as (address, (scheduler, _)):
        with pytest.raises(ForecastError, match=r"scheduler .* is lost") as caught, on_cluster(address):
            run_backtest(plan, folder, progress=kill)
        assert caught.value.exit_code == 1
    kept = len(list(blocks_folder(folder).glob("*.block")))
    assert 3 <= kept < 20
    assert not folder.exists()

    monkeypatch.delenv("FIT_DELAY")
    counted = []
    run_backtest(plan, folder, workers=1, progress=lambda done, _total: counted.append(done))
    assert counted[0] == kept
    run_backtest(plan, tmp_path / "plain" / "trial", workers=1)
    assert record_hashes(folder) == record_hashes(tmp_path / "plain" / "trial")


def test_panels_that_begin_with_the_same_weeks_travel_as_one(plugin):
    panel, other = plugin.make_panel(), plugin.make_panel("place")
    short = panel.until(panel.weeks[40])
    found = sent_blocks._longest([short, panel, other])
    assert found == {id(short): panel, id(panel): panel, id(other): other}


@pytest.mark.parametrize("address", ["somewhere", "http://host:8786", "host:", "tcp://a b:1", ""])
def test_what_is_no_address_is_bad_input(address):
    result = CliRunner().invoke(app, ["backtest", "--scheduler", address])
    assert isinstance(result.exception, InputError)
    assert "HOST:PORT" in str(result.exception)


def test_nothing_at_the_address_is_bad_input(monkeypatch, free_port):
    monkeypatch.setattr(dask_cluster, "CONNECT_SECONDS", 0.5)
    with pytest.raises(InputError, match="no Dask scheduler answers"), on_cluster(f"127.0.0.1:{free_port()}"):
        pass


def test_tls_without_certificates_is_bad_input(tmp_path):
    with pytest.raises(InputError, match="names no certificates"), on_cluster("tls://127.0.0.1:8786"):
        pass
    keys = ("ca-file", "client.cert", "client.key")
    missing = {f"distributed.comm.tls.{key}": str(tmp_path / "none.pem") for key in keys}
    with importlib.import_module("dask").config.set(missing), pytest.raises(InputError, match="cannot be read"):
        on_cluster("tls://127.0.0.1:8786").__enter__()


def test_a_scheduler_without_workers_is_bad_input(tmp_path, monkeypatch, free_port):
    monkeypatch.setattr(dask_cluster, "WORKER_SECONDS", 0.5)
    with running(tmp_path, free_port(), workers=0) as (address, _):
        with pytest.raises(InputError, match="no worker after") as caught, on_cluster(address):
            pass
        assert f"dask worker {address}" in str(caught.value)


def test_without_distributed_it_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(InputError, match=r"escalation-forecast\[dask\]"), on_cluster("127.0.0.1:8786"):
        pass


@pytest.mark.slow
def test_the_command_gives_the_same_bytes_on_a_cluster(tmp_path, free_port, record_hashes):
    """The reference workspace, with a worker killed in the middle."""
    root = Path(__file__).parents[2]
    for name in ("here", "there"):
        for part in ("data", "models", "reports"):
            shutil.copytree(root / part, tmp_path / name / part, ignore=shutil.ignore_patterns("_building"))
        shutil.copy(root / "forecast.toml", tmp_path / name)
    command = [sys.executable, "-m", "forecast", "backtest", "--models", "window-negbin-52,discount-negbin,zero"]
    command += ["--name", "trial", "--workspace"]
    subprocess.run([*command, str(tmp_path / "here"), "--workers", "1"], check=True)
    with running(tmp_path, free_port()) as (address, (_, victim, _other)):
        process = subprocess.Popen([*command, str(tmp_path / "there"), "--scheduler", address])
        kept = tmp_path / "there" / "out" / "backtests" / ".blocks-trial"
        while not list(kept.glob("*.block")) and process.poll() is None:
            time.sleep(0.05)
        victim.kill()
        assert process.wait() == 0
    here, there = (tmp_path / name / "out" / "backtests" / "trial" for name in ("here", "there"))
    assert record_hashes(here) == record_hashes(there)
