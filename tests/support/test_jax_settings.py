"""A run's numbers are the same whatever the user has set for JAX, and a wrong setting is named."""

import os
import subprocess
import sys

import jax
import pandas as pd
import pytest
from in_process import rnnlab as command

import rnnlab
from rnnlab.support.environment import device, environment
from rnnlab.support.jax_settings import FIXED, not_used, own_settings
from rnnlab.support.xla_flags import refuse_fast_math

CONFIG = """
task: {kind: adding, length: 4}
cell: {kind: lstm, hidden: 3}
training: {steps: 3, batch: 4}
record: {every: 2, examples: 2, jacobians: {every: 2, examples: 1}}
"""
# A value of each that is not rnnlab's.
ODD = {
    "jax_threefry_partitionable": False,
    "jax_default_prng_impl": "rbg",
    "jax_random_seed_offset": 7,
    "jax_high_dynamic_range_gumbel": True,
    "jax_default_matmul_precision": "bfloat16",
    "jax_explicit_x64_dtypes": "allow",
    "jax_softmax_custom_jvp": True,
    "jax_use_direct_linearize": False,
    "jax_disable_jit": True,
    "jax_disable_most_optimizations": True,
    "jax_optimization_level": "O1",
    "jax_exec_time_optimization_effort": 0.5,
    "jax_memory_fitting_level": "O1",
    "jax_memory_fitting_effort": 0.5,
    "jax_compiler_enable_remat_pass": False,
    "jax_debug_infs": True,
    "jax_numpy_dtype_promotion": "strict",
    "jax_numpy_rank_promotion": "raise",
    "jax_transfer_guard": "disallow",
}
# Not fixed, and without effect on a healthy run.
FREE = {"jax_enable_x64": True, "jax_debug_nans": True, "jax_check_tracer_leaks": True}
# Without effect on programs that are compiled already.
AT_COMPILE_TIME = {*FREE, "jax_disable_most_optimizations", "jax_use_direct_linearize"}


@pytest.fixture(scope="module")
def config(tmp_path_factory):
    path = tmp_path_factory.mktemp("jax") / "tiny.yaml"
    path.write_text(CONFIG)
    return path


@pytest.fixture(scope="module")
def usual(config):
    return rnnlab.run(config, out=config.parent / "usual")


def assert_same(results, usual):
    assert list(results.runs["status"]) == ["finished"]
    assert list(results.runs["run"]) == list(usual.runs["run"])
    for name in ("training", "gradients", "gates", "jacobians", "lyapunov"):
        pd.testing.assert_frame_equal(
            getattr(results, name), getattr(usual, name), check_exact=True
        )


@pytest.fixture
def setting(request):
    """A setting of ``jax.config`` while a test runs."""
    name, value = request.param
    before = jax.config.values[name]
    jax.config.update(name, value)
    if name in AT_COMPILE_TIME:
        jax.clear_caches()
    yield name
    jax.config.update(name, before)


@pytest.mark.parametrize("setting", [*ODD.items(), *FREE.items()], ids=str, indirect=True)
def test_no_setting_changes_numbers(setting, config, usual, tmp_path):
    assert_same(rnnlab.run(config, out=tmp_path), usual)


def test_settings_of_one_thread_do_not_either(config, usual, tmp_path):
    with jax.threefry_partitionable(False), jax.default_prng_impl("rbg"):
        assert_same(rnnlab.run(config, out=tmp_path), usual)


def test_every_fixed_setting_is_tried():
    assert ODD.keys() == FIXED.keys()


@pytest.mark.parametrize("setting", ODD.items(), ids=str, indirect=True)
def test_what_is_stored_holds_within_and_not_after(setting):
    odd = jax.config.values[setting]
    with own_settings(double=False):
        held = jax.config.values[setting]
        assert str(getattr(held, "name", held)).lower() == str(FIXED[setting]).lower()
        assert environment()["jax_settings"] == FIXED
    assert jax.config.values[setting] == odd


def test_runs_keep_the_settings_and_the_device(usual):
    stored = usual.stored_run(usual.runs["run"][0]).record
    assert stored["environment"]["jax_settings"] == FIXED
    assert stored["environment"]["device"].startswith("cpu")
    with jax.default_device("cpu"):
        assert device() == jax.devices("cpu")[0]


def test_a_setting_that_is_not_followed_is_named(monkeypatch):
    monkeypatch.setenv("JAX_THREEFRY_PARTITIONABLE", "false")
    monkeypatch.setenv("JAX_DEFAULT_PRNG_IMPL", "threefry2x32")
    with jax.threefry_partitionable(False):
        (line,) = not_used()
    assert line == "JAX_THREEFRY_PARTITIONABLE=false is not used: rnnlab computes with True"


NAN = """
import jax.numpy as jnp
from rnnlab import VanillaRNN

class Own(VanillaRNN):
    def step(self, params, state, x, observe=lambda name, value: value):
        return super().step(params, state, jnp.sqrt(x - 2.0), observe)
"""


def test_debug_nans_finds_the_nan_of_a_users_cell(config, tmp_path):
    (config.parent / "own.py").write_text(NAN)
    over = {"cell.kind": "own.py:Own", "record.jacobians": None}
    with jax.debug_nans(True):
        results = rnnlab.run(config, over, out=tmp_path)
    assert "FloatingPointError: invalid value (nan)" in results.runs["error"][0]


def test_a_run_that_overflows_still_counts_as_diverged(config, tmp_path):
    over = {"training.learning_rate": 1e38, "record.jacobians": None}
    results = rnnlab.run(config, over, out=tmp_path)
    assert list(results.runs["status"]) == ["diverged"]
    assert results.training["update_norm"].isna().iloc[-1]


@pytest.mark.parametrize(
    ("flags", "is_refused"),
    [
        ("--xla_cpu_enable_fast_math=true", True),
        ("--xla_x=1 --xla_cpu_enable_fast_math", True),
        ("--xla_cpu_enable_fast_min_max=1", True),
        ("--xla_cpu_enable_fast_math=true --xla_cpu_enable_fast_math=false", False),
        ("--xla_cpu_max_isa=AVX2", False),
    ],
)
def test_fast_math_is_refused(monkeypatch, flags, is_refused, config, tmp_path):
    monkeypatch.setenv("XLA_FLAGS", flags)
    if not is_refused:
        refuse_fast_math()
        return
    code, said = command("run", config, "--out", tmp_path / "out", "--workers", 0)
    assert code == 2
    assert said.splitlines()[-1].startswith("rnnlab: XLA_FLAGS has --xla_cpu_enable_fast")


@pytest.mark.processes
@pytest.mark.parametrize(
    ("variable", "says"),
    [
        ("JAX_PLATFORMS=cuda", "JAX_PLATFORMS=cuda: JAX finds no such device on this machine; "),
        ("JAX_PLATFORMS=gpuu", "JAX_PLATFORMS=gpuu: JAX finds no such device on this machine; "),
        ("JAX_DEBUG_NANS=2", "JAX does not start: invalid truth value '2' for environment"),
    ],
)
def test_a_setting_that_jax_cannot_take_is_one_sentence(config, tmp_path, variable, says):
    name, value = variable.split("=")
    if value == "cuda" and device().platform != "cpu":
        pytest.skip("there is one")
    arguments = ["run", str(config), "--out", str(tmp_path / "out"), "--workers", "0"]
    ended = subprocess.run(
        [sys.executable, "-m", "rnnlab", *arguments],
        env=os.environ | {name: value},
        capture_output=True,
        text=True,
    )
    assert ended.returncode == 2
    line = ended.stderr.splitlines()[-1]
    assert line.startswith(f"rnnlab: {says}")
    assert "Traceback" not in ended.stderr
    assert variable in line
