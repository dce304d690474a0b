"""Paths of any kind: read-only, with ~, absolute, with spaces and letters of any script."""

import errno
import os
from pathlib import Path

import numpy as np
import pytest
import yaml
from engine.sweeps import write_config
from in_process import run_command

import rnnlab
from rnnlab.config.model import PLAIN_NAME
from rnnlab.config.preview import preview
from rnnlab.config.sweep import load_experiment, unpack
from rnnlab.engine.placement import TLS_KEYS, parse_pairs
from rnnlab.support.errors import UserError
from rnnlab.support.files import StorageError, storage_errors
from rnnlab.support.paths import user_path

CONFIG = """
task: {kind: adding, length: 5}
cell: {kind: lstm, hidden: 3}
training: {steps: 4, batch: 4}
record: {every: 2}
"""


@pytest.fixture
def home(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write_config(tmp_path, CONFIG)
    return tmp_path


# Results that are read-only


def refusing(method, folder):
    def refuse(path, *rest, **options):
        if path.absolute().is_relative_to(folder) and not path.is_dir():
            raise OSError(errno.EROFS, "Read-only file system", str(path))
        return method(path, *rest, **options)

    return refuse


@pytest.fixture
def read_only(home, monkeypatch):
    """Results in a folder below which nothing can be made, also for a user who may do all."""
    assert run_command("run", "tiny.yaml").returncode == 0
    monkeypatch.setattr(Path, "replace", refusing(Path.replace, home / "results"))
    monkeypatch.setattr(Path, "mkdir", refusing(Path.mkdir, home / "results"))
    return home


@pytest.mark.parametrize(
    ("command", "words"),
    [
        (["compare", "results/tiny"], "evaluation loss"),
        (["plot", "results/tiny"], ""),
        (["export", "results/tiny", "--to", "csv"], ""),
        (["measure", "results/tiny"], ""),
    ],
    ids=str,
)
def test_what_can_be_shown_is_shown_and_out_is_named(read_only, command, words):
    ended = run_command(*command)
    assert ended.returncode == 2
    assert words in ended.stdout
    assert "Read-only file system; --out FOLDER writes elsewhere" in ended.stderr
    elsewhere = run_command(*command, "--out", "new/folder")
    assert elsewhere.returncode == 0, elsewhere.stderr
    assert any((read_only / "new/folder").iterdir())
    if words:
        assert words in elsewhere.stdout


def test_what_only_reads_does_not_mind(read_only):
    for command in ("show", "check", "watch"):
        assert run_command(command, "results/tiny").returncode == 0


def test_a_run_of_which_all_is_stored_shows_its_comparison(home, monkeypatch):
    assert run_command("run", "tiny.yaml").returncode == 0

    def refuse(path, text):
        raise OSError(errno.EROFS, "Read-only file system", str(path))

    monkeypatch.setattr("rnnlab.report.findings.write_text", refuse)
    ended = run_command("run", "tiny.yaml")
    assert ended.returncode == 2
    assert "evaluation loss" in ended.stdout
    assert "Read-only file system" in ended.stderr


def test_what_is_measured_is_shown_where_it_cannot_be_written(home, monkeypatch):
    def refuse(path, text):
        raise OSError(errno.ENOSPC, "No space left on device", str(path))

    monkeypatch.setattr("rnnlab.report.survey_files.write_text", refuse)
    ended = run_command("measure", "tiny.yaml")
    assert ended.returncode == 2
    assert "reach:" in ended.stdout
    assert "no space left on the device" in ended.stderr


# Paths


@pytest.fixture
def user(home, monkeypatch):
    """With a home folder in which all is, and none of it in the current one."""
    assert run_command("run", "tiny.yaml").returncode == 0
    (home / "empty").mkdir()
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("USERPROFILE", str(home))
    monkeypatch.chdir(home / "empty")
    return home


def test_a_tilde_in_every_path_of_a_command(user):
    for command in (
        ["run", "~/tiny.yaml", "--out", "~/a"],
        ["run", "~/tiny.yaml", "--dry-run"],
        ["rerun", "~/a"],
        ["show", "~/tiny.yaml"],
        ["show", "~/a"],
        ["check", "~/a"],
        ["watch", "~/a"],
        ["compare", "~/a", "~/results/tiny", "--out", "~/b"],
        ["plot", "~/a", "--out", "~/c"],
        ["export", "~/a", "--to", "csv", "--out", "~/d"],
        ["measure", "~/a", "--out", "~/e"],
        ["measure", "~/tiny.yaml", "--inputs", "~/fits.npy", "--time-first", "--out", "~/f"],
    ):
        np.save(user / "fits.npy", np.ones((4, 2, 2)))
        ended = run_command(*command)
        assert ended.returncode == 0, (command, ended.stderr)
    assert all(any((user / name).iterdir()) for name in "abcdef")
    assert not any(user.joinpath("empty").iterdir())


def test_a_tilde_in_python(user):
    results = rnnlab.run("~/tiny.yaml", out="~/python")
    assert rnnlab.load("~/python").runs["run"].equals(results.runs["run"])
    assert not any(user.joinpath("empty").iterdir())
    save(user / "data.npz")
    assert rnnlab.Arrays(path="~/data.npz").output_size == 2


def test_a_tilde_in_a_pair():
    files = parse_pairs("--tls", "ca=~/ca.pem,cert=c,key=k", TLS_KEYS)
    assert files == {"ca": str(Path.home() / "ca.pem"), "cert": "c", "key": "k"}


def test_a_user_that_does_not_exist_is_a_name(tmp_path):
    assert user_path("~no-such-user-here/x") == Path("~no-such-user-here/x")


def save(path):
    rng = np.random.default_rng(0)
    np.savez(path, inputs=rng.normal(size=(50, 4, 2)), targets=np.arange(50) % 2)


@pytest.mark.parametrize("named", ["{outside}/my.npz", "~/my.npz", "link.npz", "there/my.npz"])
def test_data_lie_anywhere_that_the_config_names(home, tmp_path_factory, monkeypatch, named):
    outside = tmp_path_factory.mktemp("outside")
    monkeypatch.setenv("HOME", str(outside))
    save(outside / "my.npz")
    (home / "link.npz").symlink_to(outside / "my.npz")
    (home / "there").symlink_to(outside)
    path = named.format(outside=outside)
    config = yaml.safe_load(CONFIG) | {"task": {"kind": "arrays", "path": path}}
    (home / "own.yaml").write_text(yaml.safe_dump(config))
    assert run_command("run", "own.yaml").returncode == 0
    assert run_command("rerun", "results/own").returncode == 0
    assert run_command("measure", "results/own").returncode == 0
    packed = load_experiment("own.yaml").runs[0].packed()
    (outside / "my.npz").unlink()  # a worker on another machine has it in the message
    assert unpack(packed).settings.task.steps == 4
    message = run_command("run", "own.yaml").stderr
    assert f"task.path: no file {path!r}" in message


def test_a_relative_path_of_data_stays_below_the_folders(home):
    (home / "work").mkdir()
    save(home / "my.npz")
    config = yaml.safe_load(CONFIG) | {"task": {"kind": "arrays", "path": "../my.npz"}}
    (home / "work" / "own.yaml").write_text(yaml.safe_dump(config))
    ended = run_command("run", "own.yaml", cwd=home / "work")
    assert "or have an absolute path" in ended.stderr


# Names


@pytest.mark.parametrize(
    ("file", "name"),
    [
        ("my run", "my_run"),
        (".hidden", "hidden"),
        ("-dash", "dash"),
        ("a (copy) + b", "a_copy_b"),
        ("été", "ete"),
        ("plain-1.2_", "plain-1.2_"),
        ("a" * 100, "a" * 100),
    ],
)
def test_the_name_of_any_file_makes_a_name(home, file, name):
    (home / f"{file}.yaml").write_text(CONFIG)
    assert load_experiment(home / f"{file}.yaml").config.name == name


def test_names_that_lose_letters_stay_apart(home):
    files = ["日本", "中国", "日本 a", "中国 a", "…", "a" * 120 + "b", "a" * 120 + "c", "ж", "---"]
    names = []
    for file in files:
        (home / f"{file}.yaml").write_text(CONFIG)
        names.append(load_experiment(home / f"{file}.yaml").config.name)
    assert len(set(names)) == len(files)
    assert all(PLAIN_NAME.fullmatch(name) for name in names)


def test_folders_of_any_name(home):
    folder = home / "my löcher — 日本"
    folder.mkdir()
    (folder / "my run.yaml").write_text(CONFIG)
    for command in (
        ["run", "my run.yaml"],
        ["rerun", "results/my_run"],
        ["plot", "results/my_run"],
    ):
        ended = run_command(*command, cwd=folder)
        assert ended.returncode == 0, ended.stderr


def test_names_of_files_that_the_system_cannot_have(home):
    """As with LC_ALL=C, where Python does not choose UTF-8 by itself."""
    refused = pytest.raises(StorageError, match="'größe' cannot be the name of a file here")
    with refused, storage_errors(home):
        "größe".encode("ascii")
    with pytest.raises(UnicodeEncodeError), storage_errors(home):
        "\ud800".encode()


def test_a_folder_that_is_no_longer_there(home):
    gone = home / "gone"
    gone.mkdir()
    os.chdir(gone)
    gone.rmdir()
    try:
        for load in (load_experiment, preview):
            with pytest.raises(UserError, match="the current folder no longer exists"):
                load("forget_bias")
    finally:
        os.chdir(home)
