"""How every test runs: shapes in signatures are checked, and programs compile quickly.

XLA compiles with few optimisations here, which takes a quarter of the time. The marker
``default_flags`` gives a test the code that users get, the option ``--default-flags`` all tests.
What is compiled is kept in a folder, for the next process and for the next run of the tests.
"""

import functools
import os
import shutil
import tempfile
from pathlib import Path

import jax
import jaxtyping
import psutil
import pytest
from jax._src import compiler, lru_cache

QUICK = {
    "xla_backend_optimization_level": 0,
    "xla_cpu_use_fusion_emitters": False,
    "xla_cpu_parallel_codegen_split_count": 1,
}
MOST_ON_DISK = 2_000_000_000
MOST_MEMORY, MOST_MAPS = 1_500_000_000, 30_000  # Linux gives a process 65,530 maps
MAPS = Path("/proc/self/maps")


def own_folder() -> Path:
    """Of this user, to which nobody else may write."""
    folder = Path(tempfile.gettempdir()) / f"rnnlab-tests-{os.getuid()}"
    folder.mkdir(mode=0o700, exist_ok=True)
    if folder.stat().st_uid != os.getuid():
        raise PermissionError(f"{folder} belongs to another user")
    return folder


FOLDER = own_folder()
COMPILED = FOLDER / "compiled"
os.environ.setdefault("MPLBACKEND", "agg")
os.environ["NPROC"] = "1"  # threads of XLA, as in workers; tests share the cores already
os.environ["XDG_CACHE_HOME"] = str(FOLDER)  # also for processes that tests start
jaxtyping.install_import_hook("rnnlab", "beartype.beartype")
jax.config.update("jax_compilation_cache_dir", str(COMPILED))
jax.config.update("jax_persistent_cache_min_compile_time_secs", 0.0)
jax.config.update("jax_persistent_cache_enable_xla_caches", "none")
quickly = jax.make_user_context(False)  # what is compiled so is kept apart


def pytest_addoption(parser):
    text = "compile as users do, with all of XLA's optimisations"
    parser.addoption("--default-flags", action="store_true", help=text)


def pytest_configure(config):
    """Give JAX the flags; keep the folder small, and its files whole when processes share it."""
    is_first = not hasattr(config, "workerinput")
    if is_first and sum(p.stat().st_size for p in COMPILED.glob("*-cache")) > MOST_ON_DISK:
        shutil.rmtree(COMPILED)
    options = compiler.get_compile_options

    @functools.wraps(options)
    def quick_options(*args, env_options_overrides=None, **kwargs):
        overrides = (QUICK if quickly.value else {}) | (env_options_overrides or {})
        return options(*args, env_options_overrides=overrides, **kwargs)

    compiler.get_compile_options = quick_options
    lru_cache.LRUCache.put = put


def put(cache, key, value):
    """Write an entry of JAX's cache at once, so that no other process reads half of it."""
    entry = cache.path / f"{key}-cache"
    with tempfile.NamedTemporaryFile(dir=cache.path, delete=False) as file:
        file.write(value)
    Path(file.name).replace(entry)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item):
    """Compile as the markers of a test say, for its fixtures too."""
    is_default = item.config.getoption("--default-flags")
    with quickly(not (is_default or item.get_closest_marker("default_flags"))):
        return (yield)


@pytest.fixture
def float64():
    """Run the test in double precision."""
    with jax.enable_x64(True):
        yield


@pytest.fixture(autouse=True, scope="module")
def drop_compiled_programs():
    """Where they take much memory, or many of the memory maps that a process may have."""
    yield
    maps = MAPS.read_bytes().count(b"\n") if MAPS.exists() else 0
    if maps > MOST_MAPS or psutil.Process().memory_info().rss > MOST_MEMORY:
        jax.clear_caches()


@pytest.fixture(autouse=True, scope="session")
def without_fsync():
    """No test cuts the power, and waiting for the disk takes a minute in all."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "fsync", lambda descriptor: None)
        yield
