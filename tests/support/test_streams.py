"""Streams that are full, closed, broken, or in another encoding: nothing is lost, all is told."""

import contextlib
import errno
import io
import os
import signal
import subprocess
import sys

import pytest
from engine.sweeps import write_config
from in_process import run_command

import rnnlab
from rnnlab.cli import main
from rnnlab.engine.progress import PlainLines, make_progress
from rnnlab.support.streams import Forgiving

CONFIG = """
question: Is ∂c_t/∂c_t−1 ½?
task: {kind: adding, length: 5}
cell: {kind: rnn, hidden: 3}
training: {steps: 4, batch: 4}
record: {every: 2}
"""


class Broken(io.StringIO):
    """A stream of lines, or else of blocks, on a full device; what it cannot write, it drops."""

    def __init__(self, number=errno.ENOSPC, lines=True):
        super().__init__()
        self.number, self.lines, self.has_more = number, lines, False

    def write(self, text):
        self.has_more = True
        if self.lines and "\n" in text:
            self.flush()

    def flush(self):
        if self.has_more:
            self.has_more = False
            raise OSError(self.number, os.strerror(self.number))


class Terminal(io.StringIO):
    def isatty(self):
        return True


def called(*arguments, out=None, err=None):
    """Exit code of a command, and its two streams."""
    out, err = out or io.StringIO(), err or io.StringIO()
    with (
        pytest.MonkeyPatch.context() as patch,
        contextlib.redirect_stdout(out),
        contextlib.redirect_stderr(err),
    ):
        patch.setattr(sys, "argv", ["rnnlab", *map(str, arguments)])
        with pytest.raises(SystemExit) as end:
            main()
    return end.value.code or 0, out, err


@pytest.fixture
def config(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return write_config(tmp_path, CONFIG)


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    folder = tmp_path_factory.mktemp("streams")
    write_config(folder, CONFIG)
    assert run_command("run", "tiny.yaml", "--workers", 0, cwd=folder).returncode == 0
    return folder


@pytest.fixture
def results(finished, monkeypatch):
    monkeypatch.chdir(finished)
    return finished / "results" / "tiny"


QUICK = [
    ["--version"], ["--help"], ["run", "--help"], ["schema"], ["show", "tiny.yaml"],
    ["show", "results/tiny"], ["compare", "results/tiny"], ["check", "results/tiny"],
    ["watch", "results/tiny"], ["export", "results/tiny", "--to", "csv"],
]  # fmt: skip
COMMANDS = [
    ["list"], *QUICK, ["plot", "results/tiny"], ["run", "tiny.yaml", "--dry-run"],
    ["run", "tiny.yaml"], ["measure", "tiny.yaml"],
]  # fmt: skip


def test_a_full_standard_output(results):
    for arguments in COMMANDS:
        code, _, err = called(*arguments, out=Broken(lines=False))
        assert code == 1, arguments
        last = err.getvalue().splitlines()[-1]
        assert last == f"rnnlab: standard output: [Errno 28] {os.strerror(errno.ENOSPC)}"
        assert "Traceback" not in err.getvalue()


def test_a_reader_that_has_seen_enough(results):
    for arguments in QUICK:
        code, _, err = called(*arguments, out=Broken(errno.EPIPE, lines=False))
        assert code == 128 + signal.SIGPIPE, arguments
        assert "standard output" not in err.getvalue()


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EPIPE, errno.EIO])
def test_a_full_standard_error_ends_no_sweep(config, number):
    code, out, _ = called("run", config, "--workers", 0, err=Broken(number))
    assert code == 1
    assert list(rnnlab.load("results/tiny").runs["status"]) == ["finished"]
    assert "written:" in out.getvalue()
    assert f"rnnlab: standard error: [Errno {number}]" in out.getvalue()


def test_a_message_that_standard_error_cannot_show(config):
    code, out, _ = called("show", "none.yaml", err=Broken())
    assert code == 2
    assert "none.yaml: no such file" in out.getvalue()
    code, out, _ = called("nonsense", err=Broken())
    assert code == 2
    assert "No such command 'nonsense'" in out.getvalue()


def test_both_are_full(results):
    assert called("schema", out=Broken(), err=Broken())[0] == 1
    assert called("show", "none.yaml", out=Broken(), err=Broken())[0] == 2


def test_a_full_standard_error_ends_no_script(config, monkeypatch):
    monkeypatch.setattr(sys, "stderr", Broken())
    assert list(rnnlab.run(config).runs["status"]) == ["finished"]
    assert isinstance(sys.stderr, Broken)


def test_a_closed_standard_error_ends_no_script_and_says_nothing_elsewhere(
    config, monkeypatch, capsys
):
    monkeypatch.setattr(sys, "stderr", None)
    assert list(rnnlab.run(config).runs["status"]) == ["finished"]
    assert capsys.readouterr().out == ""


def test_a_stream_that_works_again():
    broken = Broken()
    stream = Forgiving(broken)
    print("lost", file=stream)
    assert "".join(stream.unseen) == "lost\n"
    stream._stream = io.StringIO()
    print("seen", file=stream)
    assert stream._stream.getvalue() == "seen\n"
    assert not stream.unseen
    assert stream.error.errno == errno.ENOSPC


@pytest.mark.parametrize("encoding", ["ascii", "cp1252"])
def test_an_encoding_that_lacks_characters(results, encoding):
    for arguments in COMMANDS:
        out, err = (io.TextIOWrapper(io.BytesIO(), encoding) for _ in range(2))
        code, *_ = called(*arguments, out=out, err=err)
        assert code == 0, arguments
        out.flush()
        text = out.buffer.getvalue().decode(encoding)
        assert text
        if "tiny.yaml" in arguments[1:2] and arguments[0] == "show":
            assert "Is dc_t/dc_t-1" in text


def test_files_are_utf_8_whatever_the_terminal(results):
    out = io.TextIOWrapper(io.BytesIO(), "ascii")
    assert called("measure", "tiny.yaml", out=out)[0] == 0
    assert "∂" in (results.parent / "tiny_measured/diagnosis.txt").read_text(encoding="utf-8")
    assert "∂" in (results / "config.yaml").read_text(encoding="utf-8")


def test_a_dumb_terminal_has_lines(monkeypatch):
    monkeypatch.setattr(sys, "stderr", Terminal())
    monkeypatch.setenv("TERM", "dumb")
    assert isinstance(make_progress(), PlainLines)
    monkeypatch.setenv("TERM", "xterm")
    assert not isinstance(make_progress(), PlainLines)


def test_a_narrow_terminal(results, monkeypatch):
    monkeypatch.setenv("COLUMNS", "1")
    for arguments in QUICK:
        assert called(*arguments, out=Terminal(), err=Terminal())[0] == 0, arguments


SHELL = [
    ("list > /dev/full", 1, "rnnlab: standard output: [Errno 28] No space left on device"),
    ("list >&-", 1, "rnnlab: standard output: [Errno 9] Bad file descriptor"),
    ("show none.yaml 2> /dev/full", 2, "none.yaml: no such file"),
    ("list > /dev/full 2> /dev/full", 1, ""),
    ("list 2>&- > /dev/null", 0, ""),
]


@pytest.mark.processes
@pytest.mark.parametrize(("command", "code", "words"), SHELL)
def test_in_a_shell(tmp_path, command, code, words):
    line = f'"{sys.executable}" -m rnnlab {command}'
    ended = subprocess.run(line, shell=True, cwd=tmp_path, capture_output=True, text=True)
    said = ended.stdout + ended.stderr
    assert ended.returncode == code, said
    assert words in said
    assert len(said.splitlines()) <= 3
    assert "Exception ignored" not in said
