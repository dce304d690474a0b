"""Dask clusters of every kind: encrypted, of jobs, with workers that are lost or too old."""

import asyncio
import resource
import shutil
import signal
import subprocess
import sys
import textwrap
import time
from unittest.mock import create_autospec

import dask
import numpy as np
import pytest
from distributed import Client, SpecCluster
from distributed.core import Status
from in_process import rnnlab as run_here
from typer.testing import CliRunner

from engine.sweeps import finish, numbers, rnnlab, start, write_config
from engine.test_kills import Cluster
from rnnlab.cli.app import app
from rnnlab.config.sweep import load_experiment
from rnnlab.engine import remote, resources, revival
from rnnlab.engine.cluster import CONFIG, local_cluster
from rnnlab.engine.experiment import workers_here
from rnnlab.engine.placement import Placement, parse_pairs
from rnnlab.engine.resources import default_workers, gpus
from rnnlab.engine.revival import Revival
from rnnlab.engine.slurm import job_script
from rnnlab.support.errors import UserError

TINY = """
task: {kind: adding, length: 12}
cell: {kind: own.py:Mine, hidden: 4}
training: {steps: 40, batch: 4}
sweep: {cell: {slope: [1.0, 2.0]}}
"""
OWN = "import rnnlab\n\nclass Mine(rnnlab.LSTM):\n    slope: float = 1.0\n"


@pytest.fixture
def config(tmp_path):
    home = tmp_path / "home"
    home.mkdir()
    (home / "own.py").write_text(OWN)
    return write_config(home, TINY)


@pytest.mark.processes
def test_a_cluster_that_has_not_the_plug_in(config, tmp_path):
    """Workers in another folder get the plug-in's code with the run."""
    cluster = Cluster(tmp_path)
    for out, where in (("there", ("--scheduler", cluster.address)), ("here", ("--workers", 0))):
        code, output = rnnlab("run", config, "--out", tmp_path / out, *where)
        assert code == 0, output
    cluster.close()
    assert numbers(tmp_path / "there") == numbers(tmp_path / "here")


@pytest.mark.processes
def test_a_worker_is_free_again_when_the_main_process_is_killed(config, tmp_path):
    """It has no one left to send to, and does not wait for ever."""
    cluster = Cluster(tmp_path, workers=1)
    long = write_config(config.parent, TINY.replace("steps: 40", "steps: 10000000"), "long")
    process = start("run", long, "--out", tmp_path / "long", "--scheduler", cluster.address)
    while not (tmp_path / "long" / "live.json").exists():
        time.sleep(0.1)
    time.sleep(2)
    process.kill()
    finish(process)
    out = tmp_path / "out"
    code, output = rnnlab("run", config, "--out", out, "--scheduler", cluster.address)
    cluster.close()
    assert code == 0, output


def test_ctrl_c_stays_ours():
    """dask-jobqueue takes it when it is imported."""
    pytest.importorskip("dask_jobqueue")
    before = signal.getsignal(signal.SIGINT)
    job_script({}, "lo", 1)
    assert signal.getsignal(signal.SIGINT) is before


@pytest.mark.processes
def test_nobody_answers(config, tmp_path):
    code, output = rnnlab(
        "run", config, "--out", tmp_path / "x", "--scheduler", "tcp://127.0.0.1:9"
    )
    assert code == 2
    assert "--scheduler tcp://127.0.0.1:9: no Dask scheduler answers" in output
    assert "Traceback" not in output


def test_a_worker_with_another_rnnlab(monkeypatch):
    group = remote.PackedGroup(("0.0.1", 1), 0, [], {}, 1.0, 1, "queue", "stop")

    class Worker:
        address = "tcp://there"

    monkeypatch.setattr(remote, "get_worker", Worker)
    with pytest.raises(UserError, match=r"tcp://there has rnnlab .*, the sweep 0\.0\.1 \(1\)"):
        remote.do(group)


@pytest.mark.processes
@pytest.mark.skipif(shutil.which("openssl") is None, reason="makes certificates with openssl")
def test_encrypted(config, tmp_path):
    key, cert = tmp_path / "key.pem", tmp_path / "cert.pem"
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1"]
    command += ["-subj", "/CN=rnnlab", "-keyout", str(key), "-out", str(cert)]
    subprocess.run(command, check=True, capture_output=True)
    tls = f"ca={cert},cert={cert},key={key}"
    code, output = rnnlab("run", config, "--out", tmp_path / "out", "--workers", 1, "--tls", tls)
    assert code == 0, output
    assert len(numbers(tmp_path / "out")) == 8


SBATCH = """\
#!/bin/sh
cp "$1" {folder}/job.sh
setsid sh {folder}/job.sh > {folder}/job.log 2>&1 &
echo "Submitted batch job $!"
"""


@pytest.mark.processes
def test_jobs_of_slurm(config, tmp_path, monkeypatch):
    """With an sbatch that runs the job here at once."""
    pytest.importorskip("dask_jobqueue")
    bin_folder = tmp_path / "bin"
    bin_folder.mkdir()
    for name, text in (
        ("sbatch", SBATCH.format(folder=tmp_path)),
        ("scancel", "#!/bin/sh\nkill -- -$1\n"),
    ):
        (bin_folder / name).write_text(text)
        (bin_folder / name).chmod(0o755)
    monkeypatch.setenv("PATH", str(bin_folder), prepend=":")
    slurm = ("--slurm", "partition=gpu,gpus=1,jobs=1,memory=1GB", "--interface", "lo")
    code, output = rnnlab("run", config, "--out", tmp_path / "out", *slurm)
    assert code == 0, output + (tmp_path / "job.log").read_text()
    assert len(numbers(tmp_path / "out")) == 8
    script = (tmp_path / "job.sh").read_text()
    assert "#SBATCH -p gpu\n" in script
    assert "#SBATCH --gpus=1\n" in script
    assert "#SBATCH --mem=" in script


def test_the_job_script_without_submitting():
    pytest.importorskip("dask_jobqueue")
    options = {"partition": "long", "time": "02:00:00", "account": "me", "qos": "high"}
    script = job_script(options, "lo", 2)
    for line in ("-p long", "-t 02:00:00", "-A me", "--qos=high", "--cpus-per-task=2"):
        assert f"#SBATCH {line}\n" in script
    with pytest.raises(UserError, match="name a network interface with --interface"):
        job_script(options, None, 1)


@pytest.mark.processes
def test_a_lost_worker_is_replaced(tmp_path, monkeypatch):
    """One whose process is gone for good: Dask itself does not replace it."""

    monkeypatch.setattr(revival, "SECONDS_AWAY", 3.0)
    with (
        dask.config.set(CONFIG),
        local_cluster(Placement(workers=1), 1, None, str(tmp_path)) as cluster,
    ):
        revive = Revival(cluster, cluster.worker_spec)
        revive()
        first = list(cluster.scheduler.workers)
        assert len(first) == 1
        cluster.sync(cluster.workers[0].close)
        started = time.monotonic()
        while list(cluster.scheduler.workers) in (first, []):
            assert time.monotonic() - started < 60
            time.sleep(0.2)
            revive()


class Queued(SpecCluster):
    """A cluster of one job that has ended; its successor waits in the queue."""

    observed = None

    def __init__(self):
        self.observed, self.worker_spec, self.status = {"a"}, {"a": {}}, Status.running
        self.submitted = 0

    def __del__(self):
        pass

    def sync(self, function):
        async def do():
            await function()
            await asyncio.gather(*asyncio.all_tasks() - {asyncio.current_task()})

        asyncio.run(do())

    async def scale_down(self, names):
        self.worker_spec = {k: v for k, v in self.worker_spec.items() if k not in names}

    def __await__(self):
        self.submitted += 1
        yield from asyncio.sleep(0).__await__()


def test_a_job_that_waits_in_the_queue_is_not_submitted_again(monkeypatch):
    now = [0.0]
    monkeypatch.setattr("rnnlab.engine.revival.time.monotonic", lambda: now[0])
    cluster = Queued()
    revive = Revival(cluster, ())
    revive()
    cluster.observed = set()
    for now[0] in (50.0, 61.0, 130.0, 1000.0):
        revive()
    assert cluster.submitted == 1
    assert cluster.worker_spec == {"a": {}}
    cluster.observed = {"a"}
    revive()
    cluster.observed = set()
    now[0] = 1061.0
    revive()
    assert cluster.submitted == 2


@pytest.mark.processes
def test_workers_keep_what_they_free(tmp_path):
    """An array of 16 MiB is 4,096 pages: to get them anew costs more than to fill them."""

    def faults() -> int:
        before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
        for _ in range(20):
            np.ones(2**24, np.int8)
        return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before

    with (
        dask.config.set(CONFIG),
        local_cluster(Placement(workers=1), 1, None, str(tmp_path)) as cluster,
        Client(cluster, set_as_default=False) as client,
    ):
        client.run(faults)
        (again,) = client.run(faults).values()
    assert again < 4096


# What the user may say


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--slurm", "partitio=x"], "--slurm: unknown key 'partitio'; did you mean 'partition'?"),
        (["--slurm", "jobs"], "--slurm: 'jobs' must be key=value"),
        (["--slurm", "jobs=0"], "--slurm: jobs=0: must be a whole number, 1 or more"),
        (["--slurm", "gpus=x"], "--slurm: gpus=x: must be a whole number, or type:number"),
        (["--slurm", "time=soon"], "--slurm: time=soon: must be a time, such as 01:00:00"),
        (["--slurm", "memory=lots"], "--slurm: memory=lots: must be a size, such as 4GB"),
        (
            ["--workers", "1", "--scheduler", "x"],
            "choose one of --workers, --scheduler and --slurm",
        ),
        (["--tls", "ca=x"], "--tls: needs ca=FILE,cert=FILE,key=FILE"),
        (["--tls", "ca=a,cert=b,key=c"], "--tls ca: a: no such file"),
    ],
)
def test_options_that_do_not_fit(arguments, message):
    ended = CliRunner().invoke(app, ["run", "forget_bias", *arguments])
    assert message in str(ended.exception)
    assert isinstance(ended.exception, UserError)


def test_an_interface_that_is_not_there(config, tmp_path):
    code, output = run_here(
        "run", config, "--out", tmp_path / "out", "--workers", 1, "--interface", "l0"
    )
    assert code == 2
    assert "--interface l0: no such network interface; did you mean 'lo'?" in output


@pytest.mark.parametrize("address", ["nonsense", "foo://x:1", "tcp://127.0.0.1"])
def test_what_is_no_address(config, tmp_path, address):
    code, output = run_here("run", config, "--out", tmp_path / "out", "--scheduler", address)
    assert code == 2
    assert f"--scheduler {address}: must be an address, such as tcp://host:8786" in output
    assert "Traceback" not in output


def test_a_worker_that_dies_while_the_cluster_starts(monkeypatch, tmp_path):
    started = []

    def flaky(**options):
        started.append(options)
        if len(started) < 3:
            raise RuntimeError("Nanny failed to start.")
        return create_autospec(SpecCluster, instance=True)

    monkeypatch.setattr("rnnlab.engine.cluster.SpecCluster", flaky)
    local_cluster(Placement(), 1, None, str(tmp_path))
    assert len(started) == 3
    started.clear()
    monkeypatch.setattr("rnnlab.engine.cluster.MOST_STARTS", 2)
    with pytest.raises(UserError, match=r"the workers cannot be started: Nanny failed to start$"):
        local_cluster(Placement(), 1, None, str(tmp_path))


def test_pairs():
    assert parse_pairs("--x", "", ("a",)) == {}
    assert parse_pairs("--x", "a=1,b=2=3", ("a", "b")) == {"a": "1", "b": "2=3"}


def test_workers_by_cores_and_memory(monkeypatch):
    long = 1e15
    monkeypatch.setattr(resources, "gpus", list)
    monkeypatch.setattr(resources, "cores", lambda: [0, 1, 2, 3])
    monkeypatch.setattr(resources, "memory", lambda: 16 * 2**30)
    assert default_workers(100, 0, long) == 4
    assert default_workers(3, 0, long) == 3
    assert default_workers(1, 0, long) == 0
    assert default_workers(100, 7 * 2**30, long) == 2
    assert default_workers(100, 20 * 2**30, long) == 0
    assert default_workers(100, 0, 1e9) == 0
    monkeypatch.setattr(resources, "gpus", lambda: ["0", "1"])
    assert default_workers(100, 0, 1e9) == 2


def test_workers_for_many_runs_that_only_measure(monkeypatch):
    """Each of a fraction of a second, most of it for Jacobians."""
    monkeypatch.setattr(resources, "gpus", list)
    monkeypatch.setattr(resources, "cores", lambda: [0, 1])
    monkeypatch.setattr(resources, "memory", lambda: 16 * 2**30)
    runs = load_experiment("forget_bias_full").before_training.runs
    assert workers_here(Placement(), runs[:100]) == 2
    assert workers_here(Placement(), runs[:10]) == 0


@pytest.mark.processes
def test_gpus_are_counted_without_jax(tmp_path, monkeypatch):
    (tmp_path / "nvidia-smi").write_text(
        textwrap.dedent(f"""\
            #!{sys.executable}
            for i in range(3):
                print(f"GPU {{i}}: NVIDIA H100 (UUID: GPU-{{i}})")
                print("  MIG 1g.10gb Device 0: (UUID: MIG-0)")
        """)
    )
    (tmp_path / "nvidia-smi").chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    monkeypatch.delenv("JAX_PLATFORMS", raising=False)
    assert gpus() == []
    monkeypatch.setattr(resources, "find_spec", lambda name: name == "jax_cuda12_plugin")
    assert gpus() == ["0", "1", "2"]
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "2,5")
    assert gpus() == ["2", "5"]
    monkeypatch.setenv("JAX_PLATFORMS", "cpu")
    assert gpus() == []
