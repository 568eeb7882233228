import os
import secrets
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType

import psutil
import pytest
from typer.testing import CliRunner

from forecast.cli.main import app
from forecast.errors import ForecastError, InputError
from forecast.evaluation import ray_cluster, sent_blocks
from forecast.evaluation.backtest import blocks_folder, run_backtest
from forecast.evaluation.cluster import current_cluster, on_cluster
from forecast.evaluation.planned_blocks import plan_blocks

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="processes are killed as POSIX does")


@contextmanager
def running(free_port, *, workers=2):
    """A head on this machine that runs tasks itself: the address for clients, and a function that kills it."""
    folder = Path(tempfile.mkdtemp(prefix="ray-", dir="/tmp"))  # sockets have short names
    port, gcs, agent = free_port(), free_port(), free_port()
    command = [sys.executable, "-m", "ray.scripts.scripts", "start", "--head", "--block", "--disable-usage-stats"]
    command += ["--node-ip-address", "127.0.0.1", "--port", str(gcs), "--ray-client-server-port", str(port)]
    command += ["--num-cpus", str(workers), "--object-store-memory", str(10**8), "--include-dashboard", "false"]
    command += ["--min-worker-port", "0", "--max-worker-port", "0", "--dashboard-agent-listen-port", str(agent)]
    surroundings = {"FIT_DELAY": "0.1", **os.environ, "OMP_NUM_THREADS": "1"}
    with (folder / "head.log").open("wb") as log:
        head = psutil.Popen([*command, "--temp-dir", str(folder)], stdout=log, stderr=log, env=surroundings)
    try:
        _wait(port, head)
        yield f"ray://127.0.0.1:{port}", head
    finally:
        kill(head)
        assert not [each for each in psutil.process_iter(["cmdline"]) if str(folder) in str(each.info["cmdline"])]
        shutil.rmtree(folder)


def _wait(port, head):
    """Wait until the server for clients listens."""
    for _ in range(300):
        assert head.poll() is None, "no head"
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.2)
    raise AssertionError("no server for clients")


def kill(head):
    """Kill a head and all that it started, and nothing else."""
    if not head.is_running():
        return
    family = [head, *head.children(recursive=True)]
    for each in family:
        each.suspend()  # so that nobody starts another
    for each in family:
        each.kill()
    psutil.wait_procs(family, timeout=30)
    head.wait()


def victim(head):
    """The process of a worker that is computing."""
    return next(each for each in head.children(recursive=True) if "".join(each.cmdline()).startswith("ray::on_worker"))


@pytest.fixture(scope="module")
def token():
    """Only who knows it can use the cluster, as docs/scaling.md says."""
    if find_spec("ray") is None:  # not imported here: that is left to the command
        pytest.skip("ray is not installed")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RAY_AUTH_MODE", "token")
        patch.setenv("RAY_AUTH_TOKEN", secrets.token_hex(32))
        yield


@pytest.fixture(scope="module")
def head(plugin, token, free_port):
    """A head with two workers for several tests."""
    with running(free_port) as found:
        yield found


@pytest.mark.slow
def test_the_same_bytes_from_this_machine_from_ray_and_from_ray_with_a_worker_killed(
    plugin, head, tmp_path, record_hashes, capfd
):
    plan = plugin.make_plan()
    run_backtest(plan, tmp_path / "one" / "trial", workers=1)
    expected = record_hashes(tmp_path / "one" / "trial")

    address, process = head
    done = []

    def kill_one(finished, _total):
        done.append(finished)
        if finished == 4:
            victim(process).kill()

    with on_cluster(address):
        assert current_cluster() is not None
        run_backtest(plan, tmp_path / "ray" / "trial")
        run_backtest(plan, tmp_path / "killed" / "trial", progress=kill_one)
    assert current_cluster() is None
    assert record_hashes(tmp_path / "ray" / "trial") == expected
    assert done == list(range(21))
    assert record_hashes(tmp_path / "killed" / "trial") == expected
    assert capfd.readouterr() == ("", "")


@pytest.mark.slow
def test_a_model_that_fails_on_a_worker_is_told_as_on_this_machine(plugin, head, tmp_path):
    origin = plugin.make_plan().origins[0]
    models = (plugin.make_model("unlucky", fails_at=f"{origin:%Y-%m-%d}"),)
    failure = pytest.raises(ForecastError, match=r"model 'unlucky' failed .* no such luck")
    with on_cluster(head[0]), failure as caught:
        run_backtest(plugin.make_plan(models=models, refit_every=1), tmp_path / "trial")
    assert caught.value.model == "unlucky"


@pytest.mark.slow
def test_workers_with_other_code_are_refused(plugin, head, tmp_path, monkeypatch):
    monkeypatch.setattr(sent_blocks, "code_hash", lambda: "another")
    refusal = pytest.raises(ForecastError, match="another copy of escalation-forecast")
    with on_cluster(head[0]), refusal:
        run_backtest(plugin.make_plan(), tmp_path / "trial")


@pytest.mark.slow
def test_a_block_that_kills_every_worker_is_given_up(plugin, head):
    block = plan_blocks(plugin.make_plan())[0]
    with on_cluster(head[0]), pytest.raises(ForecastError, match="lost its worker 4 times") as caught:
        list(current_cluster().results(plugin.kill_worker, [block]))
    assert caught.value.exit_code == 1


@pytest.mark.slow
def test_a_head_that_lacks_a_package_is_told(plugin, head, monkeypatch):
    module = ModuleType("only_here")
    exec("def work(block): pass", module.__dict__)
    monkeypatch.setitem(sys.modules, "only_here", module)
    block = plan_blocks(plugin.make_plan())[0]
    with on_cluster(head[0]), pytest.raises(ForecastError, match="No module named 'only_here'"):
        list(current_cluster().results(module.work, [block]))


@pytest.mark.slow
def test_who_has_another_token_is_refused(head, monkeypatch):
    """In a process of its own: Ray reads it once."""
    done = subprocess.run(
        [sys.executable, "-m", "forecast", "backtest", "--scheduler", head[0]],
        env=os.environ | {"RAY_AUTH_TOKEN": secrets.token_hex(32)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert "no Ray cluster answers" in done.stderr


@pytest.mark.slow
def test_a_lost_cluster_is_told_and_the_backtest_goes_on_where_it_was(
    plugin, token, free_port, tmp_path, monkeypatch, record_hashes, capfd
):
    plan, folder = plugin.make_plan(), tmp_path / "lost" / "trial"
    monkeypatch.setenv("FIT_DELAY", "0.3")  # before its workers are started
    monkeypatch.setenv("RAY_CLIENT_RECONNECT_GRACE_PERIOD", "1")
    before = set(psutil.Process().children(recursive=True))

    with running(free_port) as (address, process):

        def kill_all(finished, _total):
            if finished == 3:
                kill(process)

        with pytest.raises(ForecastError, match=r"cluster ray://.* is lost") as caught, on_cluster(address):
            run_backtest(plan, folder, progress=kill_all)
        assert caught.value.exit_code == 1
    kept = len(list(blocks_folder(folder).glob("*.block")))
    assert 3 <= kept < 20
    assert not folder.exists()
    assert capfd.readouterr() == ("", "")
    assert set(psutil.Process().children(recursive=True)) <= before  # no cluster of its own was started

    monkeypatch.delenv("FIT_DELAY")
    counted = []
    run_backtest(plan, folder, workers=1, progress=lambda done, _total: counted.append(done))
    assert counted[0] == kept
    run_backtest(plan, tmp_path / "plain" / "trial", workers=1)
    assert record_hashes(folder) == record_hashes(tmp_path / "plain" / "trial")


@pytest.mark.slow
def test_a_cluster_without_processors_is_bad_input(token, free_port, monkeypatch):
    monkeypatch.setattr(ray_cluster, "WORKER_SECONDS", 0.5)
    with (
        running(free_port, workers=0) as (address, _),
        pytest.raises(InputError, match="no processor after"),
        on_cluster(address),
    ):
        pass


@pytest.mark.parametrize("address", ["ray://somewhere", "ray://", "ray://a b:1", "ray:auto", "auto", "local"])
def test_what_is_no_address_is_bad_input(address):
    result = CliRunner().invoke(app, ["backtest", "--scheduler", address])
    assert isinstance(result.exception, InputError)
    assert "ray://HOST:PORT" in str(result.exception)


@pytest.mark.slow
def test_nothing_at_the_address_is_bad_input(token, free_port):
    with pytest.raises(InputError, match="no Ray cluster answers"), on_cluster(f"ray://127.0.0.1:{free_port()}"):
        pass


def test_without_ray_it_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(InputError, match=r"escalation-forecast\[ray\]"), on_cluster("ray://127.0.0.1:10001"):
        pass
