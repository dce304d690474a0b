import contextlib

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rnnlab.cells import LSTM
from rnnlab.config.sweep import SECTIONS, load_experiment
from rnnlab.support.errors import UserError
from rnnlab.tasks import Adding
from rnnlab.training.options import Record, Training

BASE = {"task": {"kind": "adding", "length": 20}, "cell": {"kind": "lstm", "hidden": 8}}


@pytest.fixture
def load(tmp_path):
    """Load BASE with other sections in place of its own."""

    def load(overrides=(), **sections):
        path = tmp_path / "config.yaml"
        path.write_text(yaml.safe_dump(BASE | sections))
        return load_experiment(path, overrides)

    return load


@pytest.fixture
def load_text(tmp_path):
    """Load a config that is the text of a file."""

    def load(text, overrides=()):
        path = tmp_path / "config.yaml"
        path.write_text(text)
        return load_experiment(path, overrides)

    return load


@pytest.fixture
def refused(load):
    """The message with which BASE with other sections is refused; it names the file."""

    def refused(overrides=(), **sections):
        with pytest.raises(UserError) as caught:
            load(overrides, **sections)
        message = str(caught.value)
        assert "config.yaml" in message
        return message

    return refused


def biases(experiment):
    return [(s.cell.forget_bias, s.cell.hidden) for s in experiment.settings]


# Expansion.


def test_without_a_sweep_there_is_one_setting(load):
    experiment = load()

    assert len(experiment.runs) == 1
    (setting,) = experiment.settings
    assert setting.task == Adding(length=20)
    assert setting.cell == LSTM(hidden=8)
    assert setting.training == Training()
    assert setting.record == Record()
    assert experiment.config.name == "config"


def test_lists_are_crossed_the_last_fastest(load_text):
    experiment = load_text(
        "task: {kind: adding}\ncell: {kind: lstm}\nsweep:\n  cell:\n"
        "    forget_bias: [0, 5]\n    hidden: [2, 3, 4]\n"
    )
    assert biases(experiment) == [(0, 2), (0, 3), (0, 4), (5, 2), (5, 3), (5, 4)]


def test_lists_of_several_sections_are_crossed(load):
    experiment = load(
        sweep={"task": {"length": [5, 6]}, "training": {"optimizer": ["sgd", "adam"]}}
    )
    found = [(s.task.length, s.training.optimizer.kind) for s in experiment.settings]

    assert found == [(5, "sgd"), (5, "adam"), (6, "sgd"), (6, "adam")]


def test_a_list_replaces_whole_sections(load):
    cells = [{"kind": "gru"}, {"kind": "lstm", "layers": 2}]
    kinds = [(type(s.cell).__name__, s.cell.hidden) for s in load(sweep={"cell": cells}).settings]

    assert kinds == [("GRU", 64), ("LSTM", 64)]


def test_a_list_replaces_whole_options(load):
    optimizers = ["momentum", {"kind": "momentum", "momentum": 0.5}]
    experiment = load(sweep={"training": {"optimizer": optimizers}})

    assert [s.training.optimizer.momentum for s in experiment.settings] == [0.9, 0.5]


def test_zip_sets_several_keys_together_and_is_crossed_with_lists(load):
    zipped = [{"cell": {"forget_bias": 0}}, {"cell": {"forget_bias": 3, "input_bias": "tied"}}]
    experiment = load(sweep={"cell": {"hidden": [2, 4]}, "zip": zipped})
    found = [(s.cell.forget_bias, s.cell.input_bias, s.cell.hidden) for s in experiment.settings]

    assert found == [(0, 0, 2), (0, 0, 4), (3, "tied", 2), (3, "tied", 4)]


def test_equal_settings_of_a_sweep_run_once(load):
    experiment = load(sweep={"cell": {"forget_bias": [1, 1.0, 2]}})
    assert biases(experiment) == [(1, 8), (2, 8)]


@pytest.mark.parametrize(("seeds", "expected"), [(3, [0, 1, 2]), ([7, 2], [7, 2]), ([0], [0])])
def test_every_setting_has_every_seed(load, seeds, expected):
    experiment = load(sweep={"cell": {"hidden": [2, 4]}}, seeds=seeds)

    assert [run.seed for run in experiment.runs] == expected * 2
    assert [run.settings.cell.hidden for run in experiment.runs] == [2] * len(expected) + [4] * len(
        expected
    )
    assert [s.cell.hidden for s in experiment.settings] == [2, 4]


def test_one_setting_does_not_leak_into_the_next(load):
    cells = [
        {"kind": "lstm", "forget_bias": "chrono"},
        {"kind": "lstm", "forget_bias": 1},
        {"kind": "lstm", "forget_bias": "chrono"},
    ]
    experiment = load(sweep={"cell": cells, "task": {"length": [10, 30]}})
    found = [(s.cell.t_max, s.task.length) for s in experiment.settings]

    assert found == [(10, 10), (30, 30), (None, 10), (None, 30)]


def test_record_examples_default_to_the_batch_where_it_is_smaller(load):
    experiment = load(sweep={"training": {"batch": [4, 64]}})
    assert [s.record.examples for s in experiment.settings] == [4, 32]


# Defaults of chrono initialisation.

COPY = {"kind": "copy", "length": 20, "symbols": 2}


@pytest.mark.parametrize(
    ("task", "t_max"), [(BASE["task"], 20.0), (COPY, 30.0), (COPY | {"gap": "variable"}, 30.0)]
)
@pytest.mark.parametrize(
    "cell", [{"kind": "lstm", "forget_bias": "chrono"}, {"kind": "gru", "update_bias": "chrono"}]
)
def test_chrono_draws_up_to_the_longest_time_scale_of_the_task(load, task, cell, t_max):
    (setting,) = load(task=task, cell=cell).settings
    (given_by_user,) = load(task=task, cell=cell | {"t_max": 12}).settings

    assert setting.cell.t_max == t_max
    assert given_by_user.cell.t_max == 12


def test_chrono_ties_the_input_bias_unless_told_otherwise(load):
    cells = [
        {"kind": "lstm", "forget_bias": "chrono"},
        {"kind": "lstm", "forget_bias": "chrono", "input_bias": 0},
        {"kind": "lstm", "forget_bias": 1},
        {"kind": "lstm", "forget_bias": 1, "input_bias": "tied"},
    ]
    experiment = load(sweep={"cell": cells})
    assert [s.cell.input_bias for s in experiment.settings] == ["tied", 0, 0, "tied"]


# Overrides.


def test_overrides_as_text_and_as_mappings(load):
    as_text = load(["cell.hidden=3", "task={kind: copy, length: 5}", "seeds=2"])
    dotted = load({"cell.hidden": 3, "task": {"kind": "copy", "length": 5}, "seeds": 2})
    nested = load({"cell": {"hidden": 3}, "task.kind": "copy", "task.length": 5, "seeds": 2})

    assert as_text.settings[0].cell.hidden == 3
    assert as_text.settings[0].task.length == 5
    ids = [run.id for run in as_text.runs]
    assert len(ids) == 2
    assert [run.id for run in dotted.runs] == [run.id for run in nested.runs] == ids


def test_an_override_of_the_sweep_replaces_all_of_it(load):
    sweep = {"cell": {"forget_bias": [0, 5]}, "zip": [{"task": {"length": 4}}]}

    assert biases(load(["sweep.cell.hidden=[2,3]"], sweep=sweep)) == [(1, 2), (1, 3)]
    assert biases(load({"sweep": {"cell": {"hidden": [2]}}}, sweep=sweep)) == [(1, 2)]
    assert biases(load(["sweep=null"], sweep=sweep)) == [(1, 8)]
    assert load(["sweep=null"], sweep=sweep).settings[0].task.length == 20


def test_an_override_that_some_settings_keep_is_allowed(load):
    zipped = [{"cell": {"forget_bias": 0}}, {"cell": {"input_bias": 2.0}}]
    assert biases(load(["cell.forget_bias=4"], sweep={"zip": zipped})) == [(0, 8), (4, 8)]


@pytest.mark.parametrize(
    ("sweep", "override"),
    [
        ({"cell": {"hidden": [1, 2]}}, "cell.hidden=3"),
        ({"cell": [{"kind": "gru"}]}, "cell.hidden=3"),
        ({"zip": [{"cell": {"hidden": 1}}, {"cell": {"hidden": 2}}]}, "cell.hidden=3"),
        ({"training": {"optimizer": {"kind": ["adam", "sgd"]}}}, "training.optimizer=rmsprop"),
    ],
)
def test_refuses_an_override_without_effect(load, sweep, override):
    key = override.partition("=")[0]
    with pytest.raises(UserError, match=f"{key}.*no effect"):
        load([override], sweep=sweep)


@pytest.mark.parametrize(
    ("override", "key", "nearest"),
    [
        ("cel.hidden=3", "cel:", "cell"),
        ("cell.hiden=3", "cell.hiden:", "hidden"),
        ("sweepp.cell.hidden=[1]", "sweepp:", "sweep"),
        ("sweep.cel.hidden=[1]", "sweep.cel", "cell"),
        ("training.step=3", "training.step:", "steps"),
    ],
)
def test_refuses_an_override_of_nothing(refused, override, key, nearest):
    message = refused([override])
    assert key in message
    assert f"did you mean {nearest!r}" in message


@pytest.mark.parametrize("override", ["cell.hidden", "=3", "cell.hidden=[1", "", "="])
def test_refuses_an_override_that_is_no_assignment(load, override):
    with pytest.raises(UserError, match="override"):
        load([override])


@pytest.mark.parametrize("overrides", [{"cell.hidden": object()}, {"cell": {3: 3}}])
def test_refuses_an_override_mapping_that_no_config_could_hold(load, overrides):
    with pytest.raises(UserError):
        load(overrides)


# Identity.


def run_id(experiment):
    (run,) = experiment.runs
    return run.id


@pytest.mark.parametrize(
    "written",
    [
        {"cell": {"kind": "lstm", "hidden": 8, "forget_bias": 1}},
        {"cell": {"kind": "lstm", "hidden": 8, "forget_bias": 1.0, "layers": 1}},
        {"task": {"length": 20, "markers": "halves", "kind": "adding"}},
        {"training": {"optimizer": {"kind": "adam"}, "schedule": "constant"}},
        {"training": {"learning_rate": 5e-3, "clip_norm": None, "steps": 2000}},
        {"record": {"every": 10, "examples": 32}},
        {"sweep": {"cell": {"forget_bias": [1]}}},
        {"sweep": {"zip": [{"cell": {"hidden": 8}}]}},
        {"seeds": [0]},
        {"name": "other", "question": "Why?"},
    ],
    ids=str,
)
def test_equal_settings_have_equal_ids_however_they_are_written(load, written):
    assert run_id(load(**written)) == run_id(load())


def test_chrono_written_out_has_the_id_of_its_defaults(load):
    short = {"kind": "lstm", "forget_bias": "chrono"}
    assert run_id(load(cell=short | {"t_max": 20, "input_bias": "tied"})) == run_id(
        load(cell=short)
    )


OTHER_VALUES = {
    "task": {"length": 21, "markers": "anywhere"},
    "cell": {
        "hidden": 9,
        "layers": 2,
        "input_kernel": "uniform",
        "recurrent_kernel": "identity",
        "recurrent_gain": 1.1,
        "activation": "relu",
        "forget_bias": 1.0000001,
        "input_bias": -1,
        "output_bias": 1,
    },
    "training": {
        "steps": 2001,
        "batch": 33,
        "optimizer": {"kind": "adamw", "weight_decay": 0.1},
        "learning_rate": 0.01,
        "schedule": "cosine",
        "clip_norm": 1,
        "clip_value": 1,
        "precision": "float64",
        "recurrence": "plain",
        "memory": "low",
    },
    "record": {
        "every": 11,
        "examples": 31,
        "means": True,
        "jacobians": {"every": 20, "examples": 3},
    },
}


def test_every_key_that_determines_the_numbers_changes_the_id(load):
    models = dict(zip(SECTIONS, (Adding, LSTM, Training, Record), strict=True))
    for section, model in models.items():
        assert OTHER_VALUES[section].keys() == model.model_fields.keys() - {"t_max"}
    ids = [run_id(load()), run_id(load(seeds=[1]))]
    for section, values in OTHER_VALUES.items():
        for key, value in values.items():
            ids.append(run_id(load(**{section: BASE.get(section, {}) | {key: value}})))
    ids += [
        run_id(load(cell={"kind": "lstm", "hidden": 8, "forget_bias": "chrono", "t_max": t_max}))
        for t_max in (9, 10)
    ]
    ids += [run_id(load(cell={"kind": kind, "hidden": 8})) for kind in ("gru", "rnn")]
    ids.append(run_id(load(training={"optimizer": "adamw"})))

    assert len(set(ids)) == len(ids)


PLUGIN = "from rnnlab import Adding\n\n\nclass Mine(Adding):\n    {}\n"


def test_a_plugins_content_changes_the_id(load, tmp_path):
    task = {"kind": "mine.py:Mine", "length": 20}
    ids = []
    for body in ("length: int = 20", "length: int = 30", "length: int = 20"):
        (tmp_path / "mine.py").write_text(PLUGIN.format(body))
        ids.append(run_id(load(task=task)))

    assert ids[0] == ids[2] != ids[1]
    assert run_id(load()) not in ids


# Mistakes.


@pytest.mark.parametrize(
    ("sections", "key", "nearest"),
    [
        ({"nmae": "x"}, "nmae:", "name"),
        ({"task": {"kind": "addng"}}, "task.kind:", "adding"),
        ({"task": {"kind": ["adding"]}}, "task.kind:", "adding"),
        ({"task": {"kind": "adding", "lenght": 5}}, "task.lenght:", "length"),
        ({"task": {"kind": "adding", "markers": "halfs"}}, "task.markers:", "halves"),
        ({"task": {"kind": "copy", "gap": "fixd"}}, "task.gap:", "fixed"),
        ({"cell": {"kind": "lstn"}}, "cell.kind:", "lstm"),
        ({"cell": {"kind": "lstm", "forget_bias": "chrno"}}, "cell.forget_bias:", "chrono"),
        ({"cell": {"kind": "lstm", "input_bias": "tie"}}, "cell.input_bias:", "tied"),
        ({"cell": {"kind": "gru", "forget_bias": 1}}, "cell.forget_bias:", "update_bias"),
        ({"cell": {"kind": "gru", "reset": "befor"}}, "cell.reset:", "before"),
        ({"training": {"stpes": 5}}, "training.stpes:", "steps"),
        ({"training": {"optimizer": "adm"}}, "training.optimizer:", "adam"),
        ({"training": {"optimizer": {"kind": "adm"}}}, "training.optimizer", "adam"),
        ({"training": {"schedule": "cosin"}}, "training.schedule:", "cosine"),
        ({"training": {"precision": "float46"}}, "training.precision:", "float64"),
        ({"record": {"evry": 5}}, "record.evry:", "every"),
        ({"sweep": {"cel": {"hidden": [1]}}}, "sweep.cel", "cell"),
        ({"sweep": {"cell": {"hiden": [1]}}}, "cell.hiden:", "hidden"),
        ({"sweep": {"cell": {"kind": ["lstn"]}}}, "cell.kind:", "lstm"),
        ({"sweep": {"zip": [{"cel": {"hidden": 1}}]}}, "sweep.zip", "cell"),
        ({"sweep": {"zip": [{"cell.hidden": 1}]}}, "sweep.zip", "cell"),
    ],
    ids=str,
)
def test_a_misspelling_is_answered_with_the_nearest_choice(refused, sections, key, nearest):
    message = refused(**sections)
    assert key in message
    assert f"did you mean {nearest!r}" in message


@pytest.mark.parametrize(
    ("sections", "key"),
    [
        ({"task": {}}, "task.kind"),
        ({"task": "adding"}, "task"),
        ({"task": {"kind": "adding", "length": 1}}, "task.length"),
        ({"task": {"kind": "adding", "length": "20"}}, "task.length"),
        ({"task": {"kind": "adding", "length": 20.0}}, "task.length"),
        ({"task": {"kind": "missing.py:Mine"}}, "task.kind"),
        ({"task": {"kind": f"{'long' * 100}.py:Mine"}}, "task.kind"),
        ({"cell": None}, "cell.kind"),
        ({"cell": {"kind": "lstm", "hidden": 0}}, "cell.hidden"),
        ({"cell": {"kind": "lstm", "hidden": True}}, "cell.hidden"),
        ({"cell": {"kind": "lstm", "hidden": None}}, "cell.hidden"),
        ({"cell": {"kind": "lstm", "forget_bias": [1]}}, "cell.forget_bias"),
        ({"cell": {"kind": "lstm", "forget_bias": float("inf")}}, "cell.forget_bias"),
        ({"cell": {"kind": "lstm", "recurrent_gain": float("nan")}}, "cell.recurrent_gain"),
        ({"cell": {"kind": "lstm", "forget_bias": "chrono", "t_max": 2}}, "cell.t_max"),
        ({"cell": {"kind": "rnn", "t_max": 5}}, "cell.t_max"),
        ({"cell": {"kind": "lstm", 1: 2}}, "cell"),
        ({"training": {"learning_rate": -1}}, "training.learning_rate"),
        ({"training": {"optimizer": 3}}, "training.optimizer"),
        ({"training": {"optimizer": {"kind": "momentum", "mu": 1}}}, "training.optimizer.mu"),
        ({"training": {"optimizer": {"kind": "momentum", "momentum": 1}}}, "momentum"),
        ({"training": {"steps": 0, "schedule": "cosine"}}, "training"),
        ({"training": [1]}, "training"),
        ({"record": {"every": 0}}, "record.every"),
        ({"record": {"examples": 33}}, "record.examples"),
        ({"record": 3}, "record"),
        ({"seeds": 0}, "seeds"),
        ({"seeds": []}, "seeds"),
        ({"seeds": [1, -1]}, "seeds"),
        ({"seeds": [1, 1]}, "seeds"),
        ({"seeds": [2**32]}, "seeds"),
        ({"seeds": True}, "seeds"),
        ({"name": "no spaces"}, "name"),
        ({"question": 3}, "question"),
        ({"sweep": []}, "sweep"),
        ({"sweep": {1: [2]}}, "sweep"),
        ({"sweep": {"cell": {1: [2]}}}, "cell.1"),
        ({"sweep": {"cell": {"hidden": 3}}}, "sweep.cell.hidden"),
        ({"sweep": {"cell": {"hidden": []}}}, "sweep.cell.hidden"),
        ({"sweep": {"cell": {"forget_bias": [[1]]}}}, "cell.forget_bias"),
        ({"sweep": {"cell": ["lstm", "gru"]}}, "cell"),
        ({"sweep": {"task": ["adding"]}}, "task"),
        ({"sweep": {"training": [1]}}, "training"),
        ({"sweep": {"record": [1]}}, "record"),
        ({"sweep": {"training": {"batch": [64, 8]}}, "record": {"examples": 9}}, "examples"),
        ({"sweep": {"training": {"precision": ["float32", "float64"]}}}, "training.precision"),
        ({"sweep": {"zip": {}}}, "sweep.zip"),
        ({"sweep": {"zip": []}}, "sweep.zip"),
        ({"sweep": {"zip": [1]}}, "sweep.zip"),
        ({"sweep": {"zip": [{"cell": 1}]}}, "cell"),
        ({"sweep": {"zip": [{"cell": {1: 1}}]}}, "cell.1"),
        ({"sweep": {"zip": [{1: 1}]}}, "sweep.zip"),
    ],
    ids=lambda value: str(value)[:60],
)
def test_refuses(refused, sections, key):
    assert key in refused(**sections)


@pytest.mark.parametrize(
    "sweep",
    [
        {"zip": [{"cell": {"hidden": 1}}], "cell": {"hidden": [1]}},
        {"zip": [{"task": {"length": 9}}, {"cell": {"hidden": 1}}], "cell": {"hidden": [1]}},
        {"zip": [{"cell": {"hidden": 1}}], "cell": [{"kind": "gru"}]},
        {
            "zip": [{"training": {"optimizer": "sgd"}}],
            "training": {"optimizer": {"kind": ["adam"]}},
        },
    ],
)
def test_refuses_a_key_in_zip_and_in_a_list(refused, sweep):
    assert "set by both zip and a list" in refused(sweep=sweep)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "3",
        "- 1",
        "a: b: c",
        "a: 1\na: 2",
        "a: ${a}",
        "a: &x [*x]",
        "cell: ${task}",
        "cell: ${nothing}",
        "cell: ???",
        "a: !!python/object:os.x 1",
        "? [1]\n: 2",
        "null: 1",
        "\x07",
    ],
)
def test_refuses_a_file_that_is_no_config(load_text, text):
    with pytest.raises(UserError, match=r"config\.yaml(, line \d+ \(.*\))?: (?!None)\w"):
        load_text(text)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("from rnnlab import Task as Mine", "Mine"),
        ("from rnnlab import Task\nclass Mine(Task):\n    pass", "Mine"),
        ("from rnnlab import LSTM as Mine", "Mine"),
        ("Mine = 3", "Mine"),
        ("class Mien:\n    pass", "did you mean 'Mien'"),
        ("from jax import numpy\nfrom rnnlab import LSTM\nclass Leaky(LSTM): ...", "valid: Leaky"),
        ("import no_such_module", "no_such_module"),
        ("Mine = ", "SyntaxError"),
        ("raise SystemExit(1)", "SystemExit"),
    ],
)
def test_refuses_a_plugin_that_is_no_task(refused, tmp_path, content, reason):
    (tmp_path / "mine.py").write_text(content + "\n")
    message = refused(task={"kind": "mine.py:Mine"})
    assert "task" in message
    assert reason in message


def test_refuses_t_max_that_nothing_reads(refused):
    assert "cell.t_max: no setting has a chrono bias" in refused(["cell.t_max=50"])


def test_t_max_does_not_touch_the_settings_that_do_not_read_it(load):
    sweep = {"cell": {"forget_bias": [1, "chrono"]}}
    given = load(["cell.t_max=50"], sweep=sweep).runs
    default = load(sweep=sweep).runs
    assert [a.id == b.id for a, b in zip(given, default, strict=True)] == [True, False]


def test_refuses_chrono_on_a_task_that_is_too_short(refused):
    message = refused(task={"kind": "adding", "length": 2}, cell={"forget_bias": "chrono"})
    assert "set cell.t_max" in message


@pytest.mark.parametrize("source", ["forget_bia", "", "a" * 5000, "a\0b"])
def test_refuses_a_source_that_is_no_file(source):
    with pytest.raises(UserError, match="no such file"):
        load_experiment(source)


# Anything that YAML can hold.

WORDS = "adding copy lstm gru rnn chrono tied adam cosine float64 x ??? ${cell} ${x no.py:X : \0"
NAMES = "task cell training record sweep zip seeds name kind hidden length forget_bias t_max"
OPTION_NAMES = "optimizer schedule steps batch examples cell.hidden x"
SCALARS = st.sampled_from(
    [None, True, -1, 0, 1, 3, 1.0, 0.5, -2.5, float("nan"), float("inf"), "", *WORDS.split(" ")]
)
KEYS = st.sampled_from([*NAMES.split(), *OPTION_NAMES.split(), "", 1, True, 0.5])
TREES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3),
    max_leaves=8,
)
OPTIONS = st.dictionaries(KEYS, TREES, max_size=3)
PATCHES = st.dictionaries(st.sampled_from([*SECTIONS, "x"]), OPTIONS | TREES, max_size=2)
LISTS = st.lists(TREES, min_size=1, max_size=3)
SWEEPS = st.dictionaries(
    st.sampled_from(SECTIONS), st.dictionaries(KEYS, LISTS, max_size=2) | LISTS, max_size=2
)
CONFIGS = st.builds(
    lambda cell, zipped, sweep, others: BASE | others | {"cell": cell, "sweep": zipped | sweep},
    st.just(BASE["cell"]) | OPTIONS.map(lambda options: BASE["cell"] | options),
    st.just({}) | st.lists(PATCHES, max_size=3).map(lambda patches: {"zip": patches}),
    SWEEPS,
    st.just({}) | st.fixed_dictionaries({}, optional={"training": OPTIONS, "record": OPTIONS}),
)


@pytest.fixture(scope="module")
def fuzzed_file(tmp_path_factory):
    return tmp_path_factory.mktemp("fuzz") / "config.yaml"


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow], max_examples=300)
@given(config=CONFIGS | TREES)
def test_any_config_loads_or_is_refused_with_a_sentence(fuzzed_file, config):
    fuzzed_file.write_text(yaml.safe_dump(config))
    with contextlib.suppress(UserError):
        for run in load_experiment(fuzzed_file).runs:
            assert len(run.id) == 16
