"""Configs from strangers end in an experiment or in a sentence.

``RNNLAB_FUZZ_EXAMPLES`` sets how many examples each of the fuzzed tests draws (default 150).
"""

import contextlib
import copy
import os
import resource
import time

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rnnlab.config.config_file import override_patch
from rnnlab.config.labels import flatten, label_each
from rnnlab.config.preview import preview
from rnnlab.config.safe_yaml import DEEPEST, LONGEST_VALUE, MOST_CHARACTERS, read_yaml, write_yaml
from rnnlab.config.sweep import MOST_RUNS, load_experiment
from rnnlab.support.errors import UserError

EXAMPLES = int(os.environ.get("RNNLAB_FUZZ_EXAMPLES", "150"))
BASE = "task: {kind: adding, length: 20}\ncell: {kind: lstm, hidden: 8}\n"


@pytest.fixture
def load(tmp_path):
    """Load BASE, then more text or bytes, from a file."""

    def load(more="", overrides=(), base=BASE):
        path = tmp_path / "config.yaml"
        path.write_bytes(more if isinstance(more, bytes) else (base + more).encode())
        return load_experiment(path, overrides)

    return load


@pytest.fixture
def refused(load):
    """The short sentence with which text is refused, soon and without much memory."""

    def refused(more="", overrides=(), base=BASE):
        started, before = time.process_time(), _megabytes()
        with pytest.raises(UserError) as caught:
            load(more, overrides, base)
        assert time.process_time() - started < 30
        assert _megabytes() - before < 400
        message = str(caught.value)
        assert len(message) < 20_000
        return message

    return refused


def _megabytes():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def swept(**sections):
    return yaml.safe_dump({"sweep": sections})


# YAML that is small as text, and large once it is read.


def laughs(first, link):
    lines = [f"a0: &a0 {first}"] + [f"a{i}: &a{i} {link.format(i - 1)}" for i in range(1, 25)]
    return "\n".join(lines)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (laughs("[x, x]", "[*a{0}, *a{0}, *a{0}, *a{0}]"), "aliases"),
        (laughs("{x: 1}", "{{p: *a{0}, q: *a{0}, r: *a{0}}}"), "aliases"),
        (laughs("{x: 1}", "{{<<: [*a{0}, *a{0}, *a{0}]}}"), "aliases"),
        ("a: &a [*a]", "alias"),
        ("a: &a {b: {c: *a}}", "alias"),
        ("a: &a {<<: *a}", "alias"),
        ("a0: &a0 x\n" + "\n".join(f"a{i}: &a{i} [*a{i - 1}]" for i in range(1, 3000)), "nested"),
        ("question: " + "[" * 100_000, "nested"),
        ("question: " + "{a: " * 100_000, "nested"),
        ("".join(" " * i + "a:\n" for i in range(900)), "nested"),
        ("- " * 100_000, "not readable"),
        (f"question: {'x' * (LONGEST_VALUE + 1)}", "more than 10000 characters"),
        ("#" * MOST_CHARACTERS, "has more than 500000 characters"),
        ("#" * 50_000_000, "has more than 500000 characters"),
    ],
    ids=lambda value: str(value)[:40],
)
def test_refuses_text_that_grows_or_is_too_deep(refused, text, reason):
    assert reason in refused(text + "\n")


def chain(link, length=25):
    keys = "".join(f" r{i}: '{link.format(f'task.r{i + 1}')}'\n" for i in range(length))
    return f"task:\n kind: adding\n{keys} r{length}: x\n"


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (chain("${{{0}}}${{{0}}}"), "references make more than"),
        (chain("${{{0}}}", 60), "nested too deeply"),
        ("task: {kind: '${task.kind}'}", "leads to itself"),
        ("task: {kind: '${task.a}', a: '${task.kind}'}", "leads to itself"),
        ("task: '${task}'", "leads to itself"),
        ("task: {kind: adding, length: '${cell}'}\ncell: {kind: '${task}'}", "leads to itself"),
        ("task: {kind: '${nothing}'}", "leads to no key"),
        ("task: {kind: '${task.kind.more}'}", "leads to"),
        ("task: {kind: '${oc.env:HOME}'}", "a reference names a key"),
        ("task: {kind: '${oc.env:HOME,${oc.env:USER}}'}", "a reference names a key"),
        ("task: {kind: '${oc.create:{a: 1}}'}", "a reference names a key"),
        ("task: {kind: '" + "${" * 4000 + "'}", "a reference names a key"),
        ("task: {kind: '${}'}", "a reference names a key"),
        ("task: {kind: '\\${task}'}", "leads to itself"),
        (
            "question: &q '" + "x" * 9_900 + "'\ntask: {kind: [" + "'${question}'," * 9_000 + "]}",
            "references make more than",
        ),
    ],
    ids=lambda value: str(value)[:40],
)
def test_refuses_references_that_grow_or_lead_nowhere(refused, text, reason):
    message = refused(text + "\n", base="")
    assert reason in message
    assert os.environ.get("HOME", "?") + "'" not in message


def test_an_override_does_not_make_references_grow(refused):
    text = chain("${{{0}}}${{{0}}}") + "cell: '${task.r0}'\n"
    assert "references make more than" in refused(text, ["cell.hidden=3"], base="")


def test_references_are_written_out_after_overrides(load):
    text = "cell: {kind: lstm, forget_bias: chrono, t_max: '${task.length}'}\n"
    text += "question: length ${task.length}, ${cell.kind}\n"
    experiment = load(text, ["task.length=33"], base="task: {kind: adding, length: 20}\n")
    assert experiment.settings[0].cell.t_max == 33
    assert experiment.config.question == "length 33, lstm"


# What YAML can say and a config cannot.


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("question: !!python/object/apply:os.system ['touch owned']", "tag"),
        ("question: !!python/name:os.system", "tag"),
        ("question: !!python/object/apply:pathlib.Path [x]", "tag"),
        ("question: !!binary aGVsbG8=", "tag"),
        ("question: !!timestamp 2020-01-01", "tag"),
        ("question: !!set {a, b}", "tag"),
        ("question: !!omap [a: 1]", "tag"),
        ("question: !mine x", "tag"),
        ("seeds: !!int x", "not readable"),
        ("seeds: !!int ''", "not readable"),
        ("seeds: !!float x", "not readable"),
        ("seeds: !!bool x", "not readable"),
        ("seeds: !!seq x", "not readable"),
        ("seeds: !!int [1]", "not readable"),
        ("seeds: !!float {1: 2}", "not readable"),
        ("seeds: !!str [1]", "not readable"),
        ("seeds: 1\nseeds: 2", "duplicate key 'seeds'"),
        ("1: a\n'1': b", "duplicate key '1'"),
        ("? [a]\n: b", "a key must be a word"),
        ("? {a: b}\n: c", "a key must be a word"),
        ("<<: 3", "not readable"),
        ("<<: [3]", "not readable"),
        ("--- 1", "not readable"),
        ('question: "a\\0b"', "control character"),
        ('question: "a\\e[31mb"', "control character"),
        ('question: "\\ud800"', "control character"),
        ('"a\\0b": 1', "control character"),
        ("question: a\0b", "not readable"),
        (f"seeds: {'9' * 5000}", "not readable"),
        (f"seeds: 0x{'f' * 5000}", "64 bits"),
        (f"seeds: 1{':59' * 3000}", "not valid"),
        (f"seeds: {2**63}", "64 bits"),
        ("seeds: 1e400", "seeds"),
        ("seeds: .nan", "seeds"),
        ("seeds: -.inf", "seeds"),
        ("seeds: 2020-01-01", "'2020-01-01'"),
        ("seeds: [1, [2]]", "seeds"),
        ("seeds: [" + "x, " * 50_000 + "x]", "more like these"),
        ("\n".join(f"k{i}: {{}}" for i in range(20_000)), "more like these"),
        (f"? {'k' * 9000}\n: {'v' * 9000}", "unknown key"),
        ("null: 1", "null: unknown key"),
        ("~: 1", "~: unknown key"),
        ("true: 1", "true: unknown key"),
    ],
    ids=lambda value: ascii(value)[:40],
)
def test_refuses(refused, tmp_path, monkeypatch, text, reason):
    monkeypatch.chdir(tmp_path)
    assert reason in refused(text + "\n")
    assert not (tmp_path / "owned").exists()


@pytest.mark.parametrize(
    "content",
    [
        BASE.encode("utf-16"),
        BASE.encode("utf-32"),
        b"question: \xe9\n",
        b"\xff\xfe\x00",
        b"\0" * 1000,
        bytes(range(256)),
    ],
)
def test_refuses_other_encodings(refused, content):
    refused(content)


def test_takes_a_byte_order_mark_aliases_merge_keys_and_any_language(load):
    text = BASE + "question: ¿Qué? Почему 为什么 🙂\nrecord: &r {every: 5}\ntraining: {steps: 7}\n"
    text += "sweep: {zip: [{record: {<<: *r, examples: 3}}, {record: {<<: *r, examples: 4}}]}\n"
    experiment = load(b"\xef\xbb\xbf" + text.encode())
    assert [s.record.examples for s in experiment.settings] == [3, 4]
    assert "为什么 🙂" in experiment.config.question


def test_numbers_and_dates_are_read_as_people_write_them():
    text = "[1e-3, 5.0e-3, .5, -2., .inf, 2020-01-01, 1:30.5, 1.2.3, +1E5, 0x10]"
    inf = float("inf")
    expected = [1e-3, 5e-3, 0.5, -2.0, inf, "2020-01-01", "1:30.5", "1.2.3", 1e5, 16]
    assert read_yaml(text, "") == expected


# Examples 10.3 and the table of section 10.3.2 in YAML 1.2.2, and what YAML 1.1 reads otherwise.
CORE_SCHEMA = {
    "010": 10,
    "-007": -7,
    "00": 0,
    "0o7": 7,
    "0o10": 8,
    "0x3A": 58,
    "-19": -19,
    "0.": 0.0,
    "-0.0": -0.0,
    ".5": 0.5,
    "+12e03": 12000.0,
    "-2E+05": -200000.0,
    "1e3": 1000.0,
    "-.Inf": float("-inf"),
    "+.INF": float("inf"),
    "true": True,
    "FALSE": False,
    "~": None,
    "NULL": None,
    "": None,
} | {
    text: text
    for text in [
        *("1_000", "0b11", "1:30", "190:20:30.15", "0o8", "-0o10", "1e", "."),
        *("yes", "No", "on", "OFF", "y", "tRue", "nULL", "="),
    ]
}


@pytest.mark.parametrize(("text", "value"), CORE_SCHEMA.items())
def test_words_are_those_of_yaml_1_2(text, value):
    read = read_yaml(text, "")
    assert (type(read), repr(read)) == (type(value), repr(value))
    assert read_yaml(f"[a, {text or 'null'}]", "") == ["a", value]
    assert read_yaml(write_yaml([text, value]), "") == [text, value]


def test_zeros_in_front_of_seeds_and_sweeps_are_no_octal_numbers(load):
    text = BASE + "seeds: [010, 0o10]\nsweep: {cell: {hidden: [012]}}\n"
    assert load(text, base="").config.seed_list() == [10, 8]
    over = ["seeds=[010]", "sweep.cell.hidden=[012, 0o12]"]
    experiment = load("", over)
    assert [(r.seed, r.settings.cell.hidden) for r in experiment.runs] == [(10, 12), (10, 10)]


@pytest.mark.parametrize(
    ("override", "ends"),
    [
        (
            "record.means=yes",
            "must be true or false; YAML 1.2 reads it as a text; did you mean true?",
        ),
        ("record.means=Off", "did you mean false?"),
        ("training.steps=1_000", "YAML 1.2 reads it as a text; did you mean 1000?"),
        ("training.steps=1e3", "must be a valid integer; did you mean 1000?"),
        ("cell.forget_bias='1.5'", "did you mean 1.5?"),
        ("training.steps=some", "must be a valid integer"),
        ("training.steps=1.5", "must be a valid integer"),
    ],
)
def test_what_yaml_1_1_would_read_is_proposed(refused, override, ends):
    assert refused(overrides=[override]).endswith(ends)


@pytest.mark.parametrize(
    "text", ["1e400", "-1e400", "1e-400", "0x" + "f" * 17, "9" * 5000, "!!int 1_0", "!!bool yes"]
)
def test_no_number_is_rounded_to_zero_or_infinity(text):
    with pytest.raises(UserError, match=r"64|YAML 1\.2"):
        read_yaml(text, "")


def test_bounds_are_where_they_are_said_to_be():
    assert read_yaml("[" * DEEPEST + "]" * DEEPEST, "")
    with pytest.raises(UserError, match="nested"):
        read_yaml("[" * (DEEPEST + 1) + "]" * (DEEPEST + 1), "")
    assert len(read_yaml("x" * LONGEST_VALUE, "")) == LONGEST_VALUE


# Sweeps.


@pytest.mark.parametrize(
    "text",
    [
        swept(cell={"hidden": list(range(1, 1000)), "forget_bias": list(range(1000))}),
        swept(cell={f"k{i}": [1, 2] for i in range(5000)}),
        "seeds: 1000000\n" + swept(cell={"hidden": [1, 2]}),
        "seeds: 1000000\n",
        swept(zip=[{"cell": {"hidden": i}} for i in range(400)], cell={"layers": [1] * 400}),
    ],
    ids=lambda value: value[:40],
)
def test_refuses_more_runs_than_anyone_could_want(refused, text):
    assert f"more than {MOST_RUNS} runs" in refused(text)


def test_many_keys_in_zip_and_in_lists_are_told_apart_soon(refused):
    zipped = ", ".join(f"z{i}: 1" for i in range(17_000))
    lists = ", ".join(f"k{i}: [1]" for i in range(17_000))
    text = f"sweep: {{zip: [{{cell: {{{zipped}}}}}], cell: {{{lists}}}}}\n"
    assert "more like these" in refused(text)


@pytest.mark.parametrize(
    "text",
    [
        swept(cell={"hidden": [[[[1]]]]}),
        swept(cell=[[{"kind": "lstm"}]]),
        swept(cell=[["lstm"] * 50_000]),
        swept(zip=[[{"cell": {"hidden": 1}}]]),
        swept(zip=["x" * 9000] * 20),
        swept(cell={"hidden": "x" * 9000}),
        swept(**{"../x": {"hidden": [1]}}),
        swept(cell={"kind": ["../../etc/passwd.py:X", "lstm"]}),
    ],
    ids=lambda value: value[:40],
)
def test_refuses_sweeps_of_odd_values(refused, text):
    refused(text)


# Names and files.


@pytest.mark.parametrize(
    "name",
    ["..", "../x", "/tmp/x", "a/b", "a\\b", "", " ", ".hidden", "-x", "a b", "a\nb", "a\n",
     "$(touch x)", ";ls", "a" * 101, "é", "a\u202eb", "a\u200b", "~", "C:", "a\u2028b"],
    ids=ascii,
)  # fmt: skip
def test_refuses_names_that_are_no_plain_file_names(refused, name):
    assert "name" in refused(yaml.safe_dump({"name": name}))


PLUGIN = "raise SystemExit('it ran')\n"


@pytest.fixture
def outside(tmp_path, monkeypatch):
    """The work folder, with a plug-in beside it that must not be run."""
    work = tmp_path / "work"
    work.mkdir()
    monkeypatch.chdir(work)
    (tmp_path / "evil.py").write_text(PLUGIN)
    (work / "link.py").symlink_to(tmp_path / "evil.py")
    (work / "loop.py").symlink_to(work / "loop.py")
    (work / "folder.py").mkdir()
    os.mkfifo(work / "fifo.py")
    return work


@pytest.mark.parametrize(
    "reference",
    ["../evil.py:X", "{parent}/evil.py:X", "link.py:X", "loop.py:X", "folder.py:X", "fifo.py:X",
     "./../evil.py:X", "a/../../evil.py:X", f"{'a/' * 3000}evil.py:X", f"{'a' * 5000}.py:X",
     "/dev/zero.py:X", ".py:", ".py:X", "evil.py:../X", "\\\\host\\x.py:X", "x.py:X\n", "~/x.py:X"],
    ids=lambda value: ascii(value)[:30],
)  # fmt: skip
@pytest.mark.parametrize("place", ["task", "cell", "sweep", "zip", "analysis"])
def test_plug_ins_stay_below_the_folders(outside, reference, place):
    reference = reference.replace("{parent}", str(outside.parent))
    content = yaml.safe_load(BASE)
    content |= {
        "task": {"task": {"kind": reference}},
        "cell": {"cell": {"kind": reference}},
        "sweep": {"sweep": {"cell": {"kind": [reference]}}},
        "zip": {"sweep": {"zip": [{"task": {"kind": reference}}]}},
        "analysis": {"analysis": reference},
    }[place]
    path = outside / "config.yaml"
    path.write_text(yaml.safe_dump(content))
    with pytest.raises(UserError) as caught:
        load_experiment(path)
    assert "it ran" not in str(caught.value)


@pytest.mark.parametrize(
    "override",
    ["=", "==", "a", "", ".=1", "a..b=1", "cell=[", "cell.hidden=[1", "cell.hidden=!!int x",
     "cell.hidden=" + "[" * 5000, "cell.hidden=" + "9" * 5000, "x" * 100_000 + "=1",
     "a." * 5000 + "a=1", "cell.hidden=" + "1" * 600_000, "cell.hidden=a\0b", "cell\0=1",
     "cell.hidden=${oc.env:HOME}", "cell.hidden=${cell.hidden}", "cell.hidden=*a",
     "cell[0]=1", "cell.[=1", "seeds=1000000", "cell={a: &a [*a]}", "\ud800=1",
     "cell.kind=\ud800", "name=..", "analysis=../x.py:X", "sweep.cell.hidden=[" + "1," * 150_000],
    ids=lambda value: ascii(value)[:30],
)  # fmt: skip
def test_refuses_hostile_overrides(refused, override):
    refused(overrides=[override])


def test_two_overrides_of_one_deep_key(refused):
    assert "too many parts" in refused(overrides=["a." * 5000 + "a=1"] * 2)


def test_an_override_from_python_may_be_no_deeper_than_a_file():
    value = {}
    for _ in range(5000):
        value = {"a": value}
    with pytest.raises(UserError, match="nested"):
        override_patch({"cell": value})


# Showing a config runs nothing.

SIDE_EFFECT = """
from pathlib import Path
from rnnlab import Adding, LSTM
Path("it_ran").touch()
class Task(Adding): pass
class Cell(LSTM): pass
def analyse(results): pass
"""


@pytest.mark.parametrize(
    ("content", "key", "reference"),
    [
        ({"task": {"kind": "mine.py:Task"}}, "task.kind", "mine.py:Task"),
        ({"cell": {"kind": "mine.py:Cell"}}, "cell.kind", "mine.py:Cell"),
        ({"analysis": "mine.py:analyse"}, "analysis", "mine.py:analyse"),
        ({"sweep": {"cell": {"kind": ["mine.py:Cell"]}}}, "sweep.cell.kind", "mine.py:Cell"),
        ({"sweep": {"cell": [{"kind": "mine.py:Cell"}]}}, "sweep.cell.kind", "mine.py:Cell"),
        ({"sweep": {"zip": [{"task": {"kind": "mine.py:Task"}}]}}, "sweep.zip", "mine.py:Task"),
        ({"question": "mine.py:Cell", "cell": {"kind": "${question}"}}, "cell", "mine.py:Cell"),
    ],
    ids=str,
)
def test_a_preview_names_plug_ins_and_does_not_run_them(
    tmp_path, monkeypatch, content, key, reference
):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mine.py").write_text(f"# {tmp_path}\n{SIDE_EFFECT}")  # no other test has run it
    path = tmp_path / "config.yaml"
    path.write_text(yaml.safe_dump(yaml.safe_load(BASE) | content))
    shown = printed(preview(path))
    assert not (tmp_path / "it_ran").exists()
    assert key in shown
    assert reference in shown
    load_experiment(path)
    assert (tmp_path / "it_ran").exists()


def test_a_preview_without_plug_ins_tells_runs_and_settings(tmp_path):
    path = tmp_path / "config.yaml"
    path.write_text(BASE + "question: '[bold]Why?[/]'\nseeds: 3\nsweep: {cell: {hidden: [4, 5]}}\n")
    shown = printed(preview(path))
    assert "config: [bold]Why?[/]" in shown
    assert "task.length=20" in shown
    assert "hidden = 5" in shown
    assert "6 runs" in shown
    assert "3000 runs" in printed(preview(path, {"sweep.cell.hidden": list(range(1, 1001))}))


def printed(parts):
    from rich.console import Console

    console = Console(width=120)
    with console.capture() as capture:
        for part in parts:
            console.print(part)
    return capture.get()


# Anything at all.

fuzzed = settings(
    max_examples=EXAMPLES,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
VALID = {
    "name": "x",
    "question": "Why?",
    "task": {"kind": "adding", "length": 20},
    "cell": {"kind": "lstm", "hidden": 8, "forget_bias": "chrono", "t_max": "${task.length}"},
    "training": {"steps": 9, "optimizer": {"kind": "adam"}, "schedule": "cosine"},
    "record": {"every": 3, "examples": 2, "jacobians": {"every": 3, "examples": 1}},
    "sweep": {
        "cell": {"hidden": [2, 3]},
        "zip": [{"task": {"length": 9}}, {"task": {"length": 8}}],
    },
    "seeds": [0, 1],
    "analysis": None,
}
WORDS = (
    "adding copy lstm gru rnn chrono tied adam cosine momentum float64 kind name .. / ~ ??? ="
    " ${cell} ${task.length} ${x ${ ${oc.env:HOME} no.py:X ../x.py:X .py: <<"
)
SCALARS = (
    st.sampled_from([None, True, False, "", "\n", *WORDS.split(" ")])
    | st.integers()
    | st.floats()
    | st.text(max_size=8)
    | st.sampled_from([2**63, -(2**63), 10**30, 1e308, "x" * 10_001, "\u202e", "\0", "\ud800"])
)
KEYS = st.sampled_from(
    [*VALID, "kind", "hidden", "every", "zip", "a.b", *WORDS.split(" ")]
) | st.text(max_size=4)
TREES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS, inner, max_size=4),
    max_leaves=12,
)


def _places(tree, prefix=()):
    yield prefix
    items = dict(enumerate(tree)) if isinstance(tree, list) else tree
    for key, value in items.items() if isinstance(items, dict) else ():
        yield from _places(value, (*prefix, key))


PLACES = [place for place in _places(VALID) if place]


def _mutated(changes):
    content = copy.deepcopy(VALID)
    for (*parents, last), value in changes:
        with contextlib.suppress(KeyError, IndexError, TypeError, AttributeError):
            inner = content
            for key in parents:
                inner = inner[key]
            inner[last] = value
    return content


MUTATED = st.lists(st.tuples(st.sampled_from(PLACES), TREES), min_size=1, max_size=3).map(_mutated)


@pytest.fixture(scope="module")
def fuzzed_file(tmp_path_factory):
    return tmp_path_factory.mktemp("fuzz") / "config.yaml"


def check_loads_or_is_refused(path, overrides=()):
    """And the same of a preview; what loads can be named and shown."""
    with contextlib.suppress(UserError):
        printed(preview(path, overrides))
    with contextlib.suppress(UserError):
        check_experiment(load_experiment(path, overrides))


def check_experiment(experiment):
    assert all(len(run.id) == 16 for run in experiment.runs)
    names = label_each([flatten(s.resolved) for s in experiment.settings])
    assert len(set(names)) == len(names) == len(experiment.settings)
    # A value that the sweep replaces may have the form of a plug-in: nothing loads it.
    assert not any("plugins" in settings.resolved for settings in experiment.settings)
    assert experiment.config.analysis is None


def dumped(content):
    return yaml.dump(content, allow_unicode=True).encode("utf-8", "surrogatepass")


@fuzzed
@given(content=MUTATED | TREES)
def test_any_structure(fuzzed_file, content):
    fuzzed_file.write_bytes(dumped(content))
    check_loads_or_is_refused(fuzzed_file)


MARKS = (
    "{ } [ ] , : - ? & * ! | > ' \" % @ ` # &a *a <<: !!int !!binary --- ... ${ } 0x 1e5 .nan "
    ".inf 1:30 ~ null \\ {}: []: !!python/object/apply:os.system"
)
SNIPPETS = st.sampled_from(MARKS.split(" ")) | st.sampled_from(
    [" ", "\n", "\n  ", "\t", "\r", "\0", "\x85", "\u2028", "\ufeff", "a: b\n"]
)


@fuzzed
@given(
    text=st.lists(SNIPPETS | st.text(max_size=3), max_size=12).map("".join),
    place=st.integers(0, 400),
    length=st.integers(0, 20),
    valid=st.sampled_from([yaml.safe_dump(VALID), yaml.safe_dump(VALID, default_flow_style=True)]),
)
def test_any_change_of_the_text(fuzzed_file, text, place, length, valid):
    changed = valid[:place] + text + valid[place + length :]
    fuzzed_file.write_bytes(changed.encode("utf-8", "surrogatepass"))
    check_loads_or_is_refused(fuzzed_file)


@fuzzed
@given(content=st.binary(max_size=60) | st.lists(SNIPPETS, max_size=30).map("".join))
def test_any_bytes(fuzzed_file, content):
    fuzzed_file.write_bytes(content if isinstance(content, bytes) else content.encode())
    check_loads_or_is_refused(fuzzed_file)


DOTTED = st.sampled_from([".".join(map(str, place)) for place in PLACES]) | st.text(max_size=6)
ASSIGNMENTS = st.builds("{}={}".format, DOTTED, TREES.map(str) | SNIPPETS) | st.text(max_size=9)


@fuzzed
@given(overrides=st.lists(ASSIGNMENTS, max_size=3) | st.dictionaries(DOTTED, TREES, max_size=3))
def test_any_overrides(fuzzed_file, overrides):
    fuzzed_file.write_text(yaml.safe_dump(VALID))
    check_loads_or_is_refused(fuzzed_file, overrides)
