"""What a notebook shows of results."""

import base64
import html
import re
from html.parser import HTMLParser

import made_up
import matplotlib.pyplot as plt
import pytest
import stored_runs

import rnnlab
from rnnlab.report.notebook import MOST_ROWS
from rnnlab.report.tables import overview


def finished(seed, **cell):
    return (made_up.settings(**cell), seed, "finished", made_up.summary(final_loss=0.25))


def shown(folder, runs, **options):
    made_up.write(folder / "results", runs, **options)
    return rnnlab.load(folder / "results")


class Parts(HTMLParser):
    """The tags, and the text outside of them."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.text, self.open = [], "", []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        if tag != "img":
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text += data


OWN_TAGS = {
    *("div", "strong", "bdi", "small", "em", "img", "details", "summary", "ul", "li"),
    *("table", "thead", "tbody", "tr", "th", "td"),
}


def test_name_question_runs_table_and_figure(tmp_path):
    runs = [finished(seed, forget_bias=bias) for bias in (0.0, 2.0) for seed in (0, 1)]
    runs.append((made_up.settings(forget_bias=2.0), 2, "failed", {}))
    runs.append((made_up.settings(forget_bias=2.0), 3, "missing", {}))
    results = shown(tmp_path, runs)
    text = results._repr_html_()
    parts = Parts(text)
    assert parts.open == []
    assert set(parts.tags) <= OWN_TAGS
    for words in (
        "made_up",
        "Is it so?",
        "6 runs of 2 settings: 4 finished, 1 failed, 1 missing",
        "0.250 [0.250, 0.250]",
        "0 of 2, 1 failed, 1 missing",
        "cell.hidden = 4",
    ):
        assert words in " ".join(parts.text.split())
    assert "cell.forget_bias =" not in parts.text
    picture = base64.b64decode(re.search(r'src="data:image/png;base64,([^"]+)"', text)[1])
    assert picture.startswith(b"\x89PNG")
    assert plt.get_fignums() == []
    assert repr(results) == (
        "<Results 'made_up': 6 runs of 2 settings: 4 finished, 1 failed, 1 missing; in "
        f"{tmp_path / 'results'}>"
    )


def test_the_figure_of_the_analysis_is_the_one_that_was_drawn(tmp_path):
    (tmp_path / "results" / "figures").mkdir(parents=True)
    (tmp_path / "results" / "figures" / "mine.png").write_bytes(b"picture")
    results = shown(tmp_path, [finished(0, forget_bias=0.0)], analysis="mine.py:analyse")
    encoded = base64.b64encode(b"picture").decode()
    assert f'alt="mine" style="max-width:100%" src="data:image/png;base64,{encoded}"' in (
        results._repr_html_()
    )


@pytest.mark.parametrize("status", ["missing", "failed"])
def test_without_results_it_says_so(tmp_path, status):
    results = shown(tmp_path, [(made_up.settings(forget_bias=0.0), 0, status, {})])
    text = results._repr_html_()
    assert f"1 run of 1 setting: 1 {status}" in text
    assert "<table" not in text
    assert "<img" not in text
    assert f"1 {status}" in repr(results)


def test_without_gradients_there_is_a_reason_in_place_of_the_figure(tmp_path):
    runs = [(stored_runs.setting(number), 0) for number in range(MOST_ROWS + 3)]
    stored_runs.store_runs(tmp_path / "results", runs)
    text = rnnlab.load(tmp_path / "results")._repr_html_()
    assert "no <bdi>figure</bdi>" in text
    assert "no run recorded gradients" in text
    assert text.count("<tr>") == 1 + MOST_ROWS
    assert "3 more settings are not shown." in text


def test_damaged_tables_are_a_sentence(tmp_path):
    results = shown(tmp_path, [finished(0, forget_bias=0.0)])
    results.file_of(results.runs["run"][0], "gradients.parquet").write_bytes(b"no")
    assert "no <bdi>figure</bdi>: " in results._repr_html_()


HOSTILE = [
    "<script>alert(1)</script>",
    "</bdi></td></table>",
    "<img src=x onerror=alert(1)>",
    "&amp;",
    '"><b>',
    "ab\u202ecd",
    "a\x00b\x1b[2J",
    "=1+1",
]


@pytest.mark.parametrize("text", HOSTILE)
def test_text_from_configs_is_text(tmp_path, text):
    runs = [finished(0, forget_bias=0.0, label=text), finished(0, forget_bias=0.0, label="b")]
    results = shown(tmp_path, runs)
    results.name = results.question = text
    written = results._repr_html_()
    parts = Parts(written)
    assert parts.open == []
    assert set(parts.tags) <= OWN_TAGS
    assert "\x1b" not in written + repr(results)
    assert "\u202e" not in written + repr(results)
    if text.isprintable():
        assert parts.text.count(text) >= 2
        assert html.escape(text) in written


def test_an_option_of_several_parts_is_listed_once(tmp_path):
    config = tmp_path / "tiny.yaml"
    config.write_text(
        "task: {kind: adding, length: 5}\ncell: {kind: rnn, hidden: 2}\n"
        "training: {steps: 2, batch: 2}\n"
        "record: {every: 1, examples: 2, jacobians: {every: 2, examples: 1}}"
    )
    results = rnnlab.run(config, out=tmp_path / "out")
    (shared,) = re.findall(r"<details>.*</details>", results._repr_html_())
    listed = re.findall(r"<li><bdi>(.*?)</bdi></li>", shared)
    assert [line for line in listed if "jacobians" in line] == [
        "record.jacobians = every 2, examples 1"
    ]
    assert {"training.optimizer = adam", "training.optimizer.beta1 = 0.9"} < set(listed)
    assert len({line.split(" = ")[0] for line in listed}) == len(listed)
    said = " ".join(part.plain for part in overview(results) if hasattr(part, "plain"))
    assert said.count("record.jacobians") == 1
