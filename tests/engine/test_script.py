"""Scripts that start workers, each of which begins by running the script once more."""

import runpy
import subprocess
import sys

import pytest

from engine.sweeps import write_config
from rnnlab.engine import experiment
from rnnlab.support.errors import UserError

CONFIG = """
task: {kind: adding, length: 5}
cell: {kind: rnn, hidden: 3}
training: {steps: 4, batch: 4}
record: {every: 2}
"""
START = "import rnnlab.engine.script as script\n"
UNGUARDED = [
    "script.check_guard()",
    "def main():\n    script.check_guard()\n\nmain()",
    "try:\n    script.check_guard(\n    )\nfinally:\n    pass",
    "for _ in range(1):\n    with open(__file__):\n        script.check_guard()",
    "if __name__ == '__main__':\n    pass\nscript.check_guard()",
    "if __name__ == '__main__':\n    pass\nelse:\n    pass\nx = [script.check_guard()]",
]
GUARDED = [
    "if __name__ == '__main__':\n    script.check_guard()",
    "def main():\n    script.check_guard()\nif '__main__' == __name__:\n    main()",
    "import sys\nif len(sys.argv):\n    script.check_guard()",  # it may be
    "__name__ == '__main__' and script.check_guard()",
    "script.check_guard() if __name__ == '__main__' else None",
]


def run_script(folder, text):
    path = folder / "my script.py"
    path.write_text(START + text)
    runpy.run_path(str(path), run_name="__main__")


@pytest.mark.parametrize("text", UNGUARDED)
def test_a_script_without_a_guard_is_told_of_it(tmp_path, text):
    with pytest.raises(UserError) as caught:
        run_script(tmp_path, text)
    message = str(caught.value)
    assert "my script.py, line " in message
    assert 'if __name__ == "__main__":' in message
    assert len(message.splitlines()) == 1


@pytest.mark.parametrize("text", GUARDED)
def test_a_script_that_may_have_a_guard_goes_on(tmp_path, text):
    run_script(tmp_path, text)


def test_what_new_processes_do_not_run_needs_none(tmp_path):
    """A notebook, ``python -c`` and a console have no file; a package's main is left out."""
    run_script(tmp_path, "del __file__\nscript.check_guard()")
    text = "from importlib.machinery import ModuleSpec\nimport sys\n"
    text += "sys.modules['__main__'].__spec__ = ModuleSpec('mine.__main__', None)\n"
    run_script(tmp_path, text + "script.check_guard()")


def test_a_script_from_standard_input_is_not_looked_for(tmp_path):
    text = (
        "import sys\n__file__ = '<stdin>'\n"
        "with script.without_missing_file():\n"
        "    assert not hasattr(sys.modules['__main__'], '__file__')\n"
        "assert __file__ == '<stdin>'"
    )
    run_script(tmp_path, text)


def test_a_worker_that_runs_the_script_again_leaves_the_word_to_the_first(tmp_path, monkeypatch):
    config = write_config(tmp_path, CONFIG)

    def refuse(*_):
        raise UserError("another rnnlab is at work in this folder")

    monkeypatch.setattr(experiment, "run_experiment", refuse)
    with pytest.raises(UserError):
        experiment.run(config, out=tmp_path / "out", workers=2)
    monkeypatch.setattr(experiment, "is_run_by_worker", lambda: True)
    with pytest.raises(SystemExit):
        experiment.run(config, out=tmp_path / "out", workers=2)


@pytest.mark.processes
def test_in_processes(tmp_path):
    write_config(tmp_path, CONFIG)
    text = "import rnnlab\nprint(len(rnnlab.run('tiny.yaml', workers=1).runs))\n"
    (tmp_path / "mine.py").write_text(text)
    refused = subprocess.run(
        [sys.executable, "mine.py"], cwd=tmp_path, capture_output=True, text=True
    )
    assert refused.returncode == 1
    assert 'if __name__ == "__main__":' in refused.stderr
    assert len(refused.stderr.splitlines()) < 12, refused.stderr
    piped = subprocess.run(
        [sys.executable, "-"], cwd=tmp_path, capture_output=True, text=True, input=text
    )
    assert piped.stdout == "1\n", piped.stderr
