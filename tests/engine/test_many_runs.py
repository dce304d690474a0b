"""Sweeps of thousands of runs: the time for reading grows with their number, not its square."""

import gc
import time

import pytest
import yaml
from stored_runs import setting, store_runs

from rnnlab.config.labels import flatten, label_each
from rnnlab.config.preview import preview
from rnnlab.config.sweep import load_experiment
from rnnlab.report.tables import comparison_tables, overview
from rnnlab.results.comparison import compare
from rnnlab.results.read import load

FEWER, MORE, MOST = 250, 1_000, 10_000


@pytest.fixture
def stored(tmp_path):
    """A folder with so many settings, each with so many seeds."""

    def stored(settings, seeds):
        folder = tmp_path / f"{settings}x{seeds}"
        runs = [(setting(number), seed) for number in range(settings) for seed in range(seeds)]
        store_runs(folder, runs)
        return folder

    return stored


@pytest.fixture
def written(tmp_path):
    """A config of so many settings, each with so many seeds."""

    def written(settings, seeds):
        path = tmp_path / f"{settings}x{seeds}.yaml"
        rates = [0.001 * (number + 1) for number in range(10)]
        biases = [number / 8 for number in range(settings // 10)]
        sweep = {"training": {"learning_rate": rates}, "cell": {"forget_bias": biases}}
        content = setting(0) | {"sweep": sweep, "seeds": seeds}
        path.write_text(yaml.safe_dump(content))
        return path

    return written


def seconds(function, *arguments):
    """CPU time; the collector's, which depends on what other tests left, not counted."""
    gc.collect()
    gc.disable()
    started = time.process_time()
    function(*arguments)
    gc.enable()
    return time.process_time() - started


def read(folder):
    """What reading a folder takes, by part."""
    results = load(folder)
    compared = compare(results)
    return {
        "load": seconds(load, folder),
        "overview": seconds(overview, results),
        "compare": seconds(compare, results),
        "compare by": seconds(compare, results, "cell.forget_bias", 0),
        "comparison_tables": seconds(comparison_tables, compared, "many"),
    }


def expand(path):
    """What expanding a config takes, by part."""
    experiment = load_experiment(path)
    flat = [flatten(settings.resolved) for settings in experiment.settings]
    return {
        "label_each": seconds(label_each, flat),
        "load_experiment": seconds(load_experiment, path),
        "ids": seconds(lambda: [run.id for run in experiment.runs]),
        "preview": seconds(preview, path),
    }


def assert_linear(fewer, more, factor):
    """Quadratic code takes ``factor``² times as long."""
    for part, took in more.items():
        assert took < 2 * factor * max(fewer[part], 0.005), (part, fewer[part], took)


@pytest.mark.processes
@pytest.mark.parametrize("seeds", [1, 10])
def test_reading_results_grows_with_their_number(stored, seeds):
    fewer, more = (read(stored(runs // seeds, seeds)) for runs in (FEWER, MORE))
    assert_linear(fewer, more, MORE / FEWER)


@pytest.mark.processes
@pytest.mark.parametrize("seeds", [1, 10])
def test_expanding_a_config_grows_with_its_settings(written, seeds):
    fewer, more = (expand(written(runs // seeds, seeds)) for runs in (FEWER, MORE))
    assert_linear(fewer, more, MORE / FEWER)


def test_many_settings_have_labels_and_rows_of_their_own(stored):
    results = load(stored(MORE, 1))
    assert len(results.settings) == MORE == len(set(results.settings))
    assert list(compare(results)["setting"]) == results.settings


@pytest.mark.soak
@pytest.mark.parametrize("seeds", [1, 10])
def test_ten_thousand_runs(stored, written, seeds):
    took = read(stored(MOST // seeds, seeds)) | expand(written(MOST // seeds, seeds))
    print({part: round(value, 2) for part, value in took.items()})
    assert max(took.values()) < 5
