"""Compiled programs are found again by the next process, and give the same numbers."""

import os
import shutil
import subprocess
import sys
import tempfile

import jax
import pytest
from engine.sweeps import write_config

from rnnlab.support.compiled_code import keep_compiled_code

CONFIG = """
task: {kind: adding, length: 8}
cell: {kind: rnn, hidden: 3}
training: {steps: 4, batch: 4}
record: {every: 2}
"""


@pytest.fixture(scope="module")
def config(tmp_path_factory):
    return write_config(tmp_path_factory.mktemp("config"), CONFIG)


def run(config, out, **environment):
    command = [sys.executable, "-m", "rnnlab", "run", str(config), "--out", str(out)]
    variables = {k: v for k, v in os.environ.items() if k != "JAX_COMPILATION_CACHE_DIR"}
    variables |= {name: str(value) for name, value in environment.items()}
    done = subprocess.run(command, env=variables, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "Warning" not in done.stderr
    return {f"{path.parent.name}/{path.name}": path.read_bytes() for path in out.rglob("*.parquet")}


def entries(cache):
    return {path.name for path in cache.rglob("*-cache")}


@pytest.fixture(scope="module")
def first(config):
    """A cache folder, and the tables of the run that filled it."""
    cache = config.parent / "cache"
    return cache, run(config, config.parent / "first", XDG_CACHE_HOME=cache)


@pytest.mark.processes
def test_the_next_process_compiles_nothing_and_finds_the_same_numbers(config, first, tmp_path):
    cache, tables = first
    kept = entries(cache)
    assert any("advance" in name for name in kept)
    assert run(config, tmp_path / "b", XDG_CACHE_HOME=cache) == tables
    assert entries(cache) == kept
    off = {"XDG_CACHE_HOME": tmp_path / "off", "JAX_ENABLE_COMPILATION_CACHE": "false"}
    assert run(config, tmp_path / "c", **off) == tables
    assert not entries(tmp_path / "off")


@pytest.mark.processes
def test_what_a_killed_process_left_unfinished_is_dropped(config, first, tmp_path):
    """In a copy of the folder, whose other entries serve as they did where they were written."""
    cache = shutil.copytree(first[0], tmp_path / "cache")
    kept = entries(cache)
    whole = next(path for path in cache.rglob("*-cache") if "advance" in path.name)
    whole.write_bytes(whole.read_bytes()[:100])
    whole.with_name(whole.name.removesuffix("-cache") + "-atime").unlink()
    assert run(config, tmp_path / "b", XDG_CACHE_HOME=cache) == first[1]
    assert whole.stat().st_size > 100
    assert entries(cache) == kept


@pytest.mark.processes
def test_a_cache_of_the_users_own_is_used_instead(config, tmp_path):
    ours, theirs = tmp_path / "ours", tmp_path / "theirs"
    minimum = {"JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "0"}
    run(config, tmp_path / "a", XDG_CACHE_HOME=ours, JAX_COMPILATION_CACHE_DIR=theirs, **minimum)
    assert entries(theirs)
    assert not (ours / "rnnlab").exists()


@pytest.fixture
def without_cache():
    """Other tests of the same process have one."""
    before = jax.config.jax_compilation_cache_dir
    jax.config.update("jax_compilation_cache_dir", None)
    yield
    jax.config.update("jax_compilation_cache_dir", before)


def test_without_a_folder_to_write_to_nothing_is_kept(without_cache, tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    monkeypatch.setattr(jax.config, "update", pytest.fail)
    keep_compiled_code(threads=1)


def test_a_cache_that_cannot_be_written_to_is_not_used(without_cache, tmp_path, monkeypatch):
    """Root may write everywhere: refused here by hand."""

    def refuse(dir):
        raise PermissionError(13, "Permission denied", str(dir))

    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr(tempfile, "TemporaryFile", refuse)
    monkeypatch.setattr(jax.config, "update", pytest.fail)
    keep_compiled_code(threads=1)
    assert (tmp_path / "rnnlab").exists()
