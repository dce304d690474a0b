"""Every bundled analysis on results of its own config's settings, whose numbers are made up."""

import inspect

import matplotlib.pyplot as plt
import pytest
from made_up import summary, write

import rnnlab
from rnnlab.config.model import load_config
from rnnlab.config.sweep import load_experiment
from rnnlab.report.claims import evidence, learning, published, windows, words
from rnnlab.report.findings import Findings
from rnnlab.results.comparison import compare
from rnnlab.results.intervals import (
    Estimate,
    bounded_median_interval,
    earlier_interval,
    median_interval,
    paired_ratio_interval,
    ratio_interval,
    share_interval,
    t_interval,
)
from rnnlab.results.read import load
from rnnlab.support.bundled import config_names, folder
from rnnlab.support.plugins import load_analysis

# Of numbers that are no estimates.
OTHERS = ("least and greatest", "exact: of all runs")
INTERVALS = (
    t_interval,
    median_interval,
    share_interval,
    bounded_median_interval,
    earlier_interval,
    ratio_interval,
    paired_ratio_interval,
)

NAMES = [name for name in config_names() if load_config(name)[0].analysis is not None]
TINY = """
task: {kind: adding, length: 6}
training: {steps: 2, batch: 4}
record: {every: 2, examples: 2, jacobians: {every: 2, examples: 1}}
sweep: {cell: [{kind: rnn, hidden: 3}, {kind: lstm, hidden: 3}, {kind: gru, hidden: 3}]}
"""


@pytest.fixture(scope="module")
def tiny(tmp_path_factory):
    """The files of a run of each cell."""
    config = tmp_path_factory.mktemp("tiny") / "tiny.yaml"
    config.write_text(TINY)
    results = rnnlab.run(config, out=config.parent / "out")
    return {
        run["cell.kind"]: {
            file.name: file.read_bytes()
            for file in results.file_of(run["run"], "run.json").parent.iterdir()
            if file.name != "run.json"
        }
        for _, run in results.runs.iterrows()
    }


def made_up(name, tiny, out):
    """Results of two seeds, all of which solved the task."""
    for part, inner in load_experiment(name, {"seeds": 2}).parts(out):
        seeds = (0, 1)
        runs = [
            (
                settings.resolved,
                seed,
                "finished",
                summary(solved_at=60 + seed, seconds=1.0, parameters=9),
            )
            for settings in part.settings
            for seed in seeds
        ]
        write(inner, runs, files_of=lambda settings: tiny[settings["cell"]["kind"]])
    return load(out)


def estimates_say_how_many(claim, monkeypatch):
    """Each estimate and its ends are the number of intervals that are judged together."""

    def faked(interval):
        def of(*values, **options):
            given = inspect.signature(interval).bind(*values, **options)
            given.apply_defaults()
            return Estimate(*[float(given.arguments["comparisons"])] * 3)

        return of

    for interval in INTERVALS:
        for place in (
            vars(evidence),
            vars(learning),
            vars(published),
            vars(windows),
            claim.measure.__globals__,
        ):
            for name in [name for name, value in place.items() if value is interval]:
                monkeypatch.setitem(place, name, faked(interval))


@pytest.mark.parametrize("name", NAMES)
def test_numbers_are_called_as_they_are_asked_for(name, tiny, tmp_path, monkeypatch):
    """A name that no number has would read unknown, and leave the claim undecided for ever.

    So here, where every setting was run, every number that is asked for has to be there. And each
    says whether its interval is plain or widened, and for how many.
    """
    analysis = load_config(name)[0].analysis
    claim = load_analysis(analysis, "analysis", folder("configs"))
    estimates_say_how_many(claim, monkeypatch)
    monkeypatch.setattr(words, "is_measured", lambda *name: True)
    monkeypatch.setattr(
        "rnnlab.report.claims.claim.standard_findings", lambda results: Findings(compare(results))
    )
    found = claim(made_up(name, tiny, tmp_path / "out"))
    stem = analysis.partition(".py:")[0]
    assert ("published" if "/" in stem else stem) in found.figures
    assert found.text or found.sentences
    assert found.verdict.evidence
    assert found.key_numbers
    assert found.claim
    is_interval = found.numbers["interval"].str.contains("95 %")
    assert set(found.numbers.loc[~is_interval, "interval"]) <= {"", *OTHERS}
    for number in found.numbers[is_interval].itertuples():
        name = "95 %" if number.high == 1 else f"95 % for all {number.high:.0f} together"
        assert number.interval.removeprefix("permutation test, ") == name, number
    plt.close("all")
