"""The command line: in this process, and in processes of its own."""

import os
import re
import signal
import subprocess
import sys
import time

import pytest
from in_process import run_command

TINY = """
question: Is it quick?
task: {kind: adding, length: 7}
cell: {kind: lstm, hidden: 3}
training: {steps: 30, batch: 5}
record: {every: 10}
sweep: {cell: {forget_bias: [0, 2]}}
seeds: 3
"""


def in_a_process(*arguments, cwd):
    command = [sys.executable, "-m", "rnnlab", *map(str, arguments)]
    return subprocess.run(command, cwd=cwd, capture_output=True, text=True, timeout=300)


def ran(folder, rnnlab):
    """A folder with a config and its results, and what the run printed."""
    (folder / "tiny.yaml").write_text(TINY)
    return folder, rnnlab("run", "tiny.yaml", cwd=folder)


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    return ran(tmp_path_factory.mktemp("cli"), run_command)


def test_run(finished):
    check_run(*finished)


@pytest.mark.processes
def test_run_in_a_process(tmp_path):
    check_run(*ran(tmp_path, in_a_process))
    check_mistake(
        in_a_process("run", "tiny.yaml", "cell.hidden", cwd=tmp_path), "must be key=value"
    )


def check_run(folder, ran):
    assert ran.returncode == 0, ran.stderr
    assert "[6/6] b_f = 2, seed 2: finished" in ran.stderr
    assert ran.stdout.count("0 of 3") == 2
    paths = [line.strip() for line in ran.stdout.split("written:\n")[1].splitlines()]
    assert "results/tiny/compare.csv" in paths
    assert "results/tiny/figures/gradient_decay.png" in paths
    assert all((folder / path).stat().st_size > 0 for path in paths)


def test_run_again_says_that_nothing_is_missing(finished):
    again = run_command("run", "tiny.yaml", cwd=finished[0])
    assert again.returncode == 0
    assert "6 of 6 runs are stored already" in again.stderr
    assert "finished" not in again.stderr


@pytest.mark.parametrize("file_format", ["svg", "pdf"])
def test_plot(finished, file_format, tmp_path):
    plotted = run_command(
        "plot", "results/tiny", "--format", file_format, "--out", tmp_path, cwd=finished[0]
    )
    assert plotted.returncode == 0, plotted.stderr
    names = {path.name for path in (tmp_path / "figures").iterdir()}
    assert {f"gradient_decay.{file_format}", f"forget_gate.{file_format}"} <= names


def test_compare(finished):
    compared = run_command(
        *("compare", "results/tiny", "--by", "cell.forget_bias", "--against", "0"), cwd=finished[0]
    )
    assert compared.returncode == 0, compared.stderr
    assert "final loss, ratio" in compared.stdout
    assert "probability of 75 % (3 seeds)" in " ".join(compared.stdout.split())


@pytest.mark.parametrize(
    ("file_format", "start"),
    [
        ("latex", "% \\usepackage{booktabs}"),
        ("markdown", "**tiny**"),
        ("csv", "setting,cell.forget_bias,runs,"),
    ],
)
def test_compare_for_a_paper(finished, file_format, start):
    compared = run_command("compare", "results/tiny", "--format", file_format, cwd=finished[0])
    assert compared.returncode == 0, compared.stderr
    assert compared.stdout.startswith(start)
    assert "written" not in compared.stdout
    assert "written: results/tiny/compare.csv" in compared.stderr
    written = (finished[0] / "results/tiny/compare.csv").read_text()
    assert file_format != "csv" or compared.stdout == written


def test_show(finished):
    shown = run_command("show", "results/tiny", cwd=finished[0])
    assert "Is it quick?" in shown.stdout
    assert "cell.hidden=3" in shown.stdout
    assert "6 finished" in shown.stdout


def test_list_and_version(tmp_path):
    listed = run_command("list", cwd=tmp_path)
    assert "18 runs × 2000 steps" in listed.stdout
    assert re.match(r"rnnlab \d+\.\d+\.\d+", run_command("--version", cwd=tmp_path).stdout)


@pytest.mark.processes
def test_help_does_not_wait_for_jax(tmp_path):
    code = (
        "import sys; sys.argv = ['rnnlab', '--help']\n"
        "from rnnlab.cli import main\n"
        "try: main()\nexcept SystemExit: pass\n"
        "assert not {'jax', 'pandas', 'matplotlib', 'pydantic'} & set(sys.modules)"
    )
    started = time.monotonic()
    helped = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert helped.returncode == 0, helped.stderr
    assert "rnnlab run forget_bias" in helped.stdout
    assert time.monotonic() - started < 5


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["compare", ".", "--format", "tex"], "--format tex: no such format; did you mean 'latex'"),
        (["run", "tinny.yaml"], "no such file"),
        (["run", "forget_bais"], "did you mean 'forget_bias'"),
        (["run", "tiny.yaml", "cell.hiden=3"], "tiny.yaml (sweep: cell.forget_bias=0): cell.hiden"),
        (["run", "tiny.yaml", "task.length=1"], "task.length: 1"),
        (["run", "tiny.yaml", "cell.hidden"], "must be key=value"),
        (["plot", "nowhere"], "nowhere: does not exist; results folders: results/tiny"),
        (["check", "results/tinny"], "does not exist; did you mean 'results/tiny'?"),
        (["watch", "tiny.yaml"], "tiny.yaml: is a file, not a results folder; did you mean"),
        (["report", "results/tiny/config.yaml"], "is a file, not a results folder; results"),
        (["compare", "results"], "(no experiment.json); results folders: results/tiny"),
        (["show", "results/tinny"], "no bundled config of that name; rnnlab list shows those; did"),
        (["measure", "forget_bais"], "(did you mean 'forget_bias'?); rnnlab list shows those;"),
        (["plot", "results/tiny", "--format", "gif"], "--format gif"),
        (
            ["compare", "results/tiny", "--by", "cell.hiden"],
            "rnnlab: --by cell.hiden: no such key; did you mean 'cell.hidden'",
        ),
        (["compare", "results/tiny", "--against", "1"], "--against 1: needs --by: the key that"),
        (
            ["compare", "results/tiny", "--by", "cell.hidden", "--against", "1"],
            "--against 1: no such value",
        ),
        (["export", "results/tiny", "--to", "cvs"], "--to cvs: no such format; did you mean 'csv'"),
        (["show", "results"], "not a results folder"),
    ],
)
def test_mistakes_end_with_one_message(finished, arguments, message):
    check_mistake(run_command(*arguments, cwd=finished[0]), message)


def check_mistake(ended, message):
    assert ended.returncode == 2
    assert message in ended.stderr
    assert "Traceback" not in ended.stderr
    assert ended.stdout == ""


@pytest.mark.parametrize(("rates", "code"), [("[1e30]", 1), ("[1e30, 0.01]", 0)])
def test_where_none_finishes_a_script_is_told(tmp_path, rates, code):
    (tmp_path / "tiny.yaml").write_text(TINY)
    sweep = (f"sweep.training.learning_rate={rates}", "training.optimizer=sgd")
    ended = run_command("run", "tiny.yaml", *sweep, "--no-report", cwd=tmp_path)
    assert ended.returncode == code
    assert "3 diverged" in ended.stdout
    told = "3 diverged; no run finished, so that there is no loss to compare: a smaller"
    assert (told in ended.stderr) == bool(code)
    again = run_command("rerun", "results/tiny", "--no-report", cwd=tmp_path)
    assert again.returncode == code


@pytest.mark.processes
def test_ctrl_c_keeps_what_is_finished(tmp_path):
    (tmp_path / "tiny.yaml").write_text(TINY)
    command = [sys.executable, "-m", "rnnlab", "run", "tiny.yaml", "seeds=500"]
    environment = os.environ | {"PYTHONUNBUFFERED": "1"}
    with subprocess.Popen(
        command, cwd=tmp_path, stderr=subprocess.PIPE, text=True, env=environment
    ) as process:
        assert process.stderr is not None
        while "[3/1000]" not in process.stderr.readline():
            assert process.poll() is None
        process.send_signal(signal.SIGINT)
        rest = process.stderr.read()
    assert process.returncode == 130
    assert "the same command goes on from there" in rest
    assert "Traceback" not in rest
    stored = int(re.search(r"stopped; (\d+) of 1000", rest)[1])
    assert stored == len(list(tmp_path.glob("results/tiny/runs/*/run.json"))) >= 3
    assert not list(tmp_path.glob("results/tiny/runs/.*"))


def test_a_failed_run_ends_with_1(tmp_path):
    (tmp_path / "tiny.yaml").write_text(TINY.replace("kind: lstm", "kind: own.py:Failing"))
    (tmp_path / "own.py").write_text(
        "import rnnlab\n"
        "class Failing(rnnlab.LSTM):\n"
        "    def step(self, params, state, x, observe):\n"
        "        assert self.hidden > 3, 'too small'\n"
    )
    ended = run_command("run", "tiny.yaml", "seeds=1", cwd=tmp_path)
    assert ended.returncode == 1
    assert "failed: AssertionError: too small" in ended.stderr
    assert "Traceback" not in ended.stderr
