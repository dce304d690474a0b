"""How a data set is split by the seed, and drawn from."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy import stats

from rnnlab.cells import GRU, LSTM
from rnnlab.tasks import Adding, Arrays
from rnnlab.training.objective import Objective
from rnnlab.training.options import Record, Training
from rnnlab.training.program import EVALUATION_EXAMPLES, Program, random_streams

EXAMPLES = 50


@pytest.fixture
def numbered(tmp_path):
    """A task on examples each of which shows its number."""

    def make(examples=EXAMPLES, **options):
        numbers = np.arange(examples, dtype=float)
        inputs = np.broadcast_to(numbers[:, None, None], (examples, 3, 1))
        path = tmp_path / f"{examples}.npz"
        np.savez(path, inputs=inputs, targets=numbers)
        return Arrays(path=str(path), **options)

    return make


def numbers_of(batch):
    """Which examples a batch has; their targets say the same."""
    shown = np.asarray(batch.inputs[0, :, 0])
    np.testing.assert_array_equal(batch.targets.values[:, 0], shown)
    return shown.astype(int).tolist()


def split(task, seed, cell=None):
    objective = Objective(cell or LSTM(), task)
    key = random_streams(seed).evaluation
    pool = objective.pool(key)
    held_out = numbers_of(objective.evaluation_set(key, EVALUATION_EXAMPLES))
    return np.asarray(pool.rows).tolist(), held_out


@pytest.mark.parametrize(("share", "expected"), [(0.2, 10), (0.5, 25), (0.011, 1), (0.97, 48)])
def test_a_share_is_held_out_and_the_rest_is_trained_on(numbered, share, expected):
    training, held_out = split(numbered(evaluation_share=share), seed=3)
    assert len(held_out) == expected
    assert sorted(training + held_out) == list(range(EXAMPLES))


def test_the_split_is_that_of_the_seed(numbered):
    task = numbered()
    training, held_out = split(task, 0)
    assert split(task, 0, cell=GRU(hidden=3)) == (training, held_out)
    with jax.enable_x64(True):
        assert split(task, 0) == (training, held_out)
    others = [sorted(split(task, seed)[1]) for seed in range(1, 20)]
    assert sorted(held_out) not in others
    assert len({tuple(other) for other in others}) == 19


def test_every_example_is_held_out_as_often_as_any_other(numbered):
    task = numbered()
    counts = np.zeros(EXAMPLES)
    for seed in range(300):
        counts[split(task, seed)[1]] += 1
    share = 0.2 * 300
    assert counts.sum() == 10 * 300
    spread = share * 0.8 * EXAMPLES / (EXAMPLES - 1)
    assert stats.chi2.sf(np.sum((counts - share) ** 2) / spread, EXAMPLES - 1) > 1e-3


def test_many_that_are_held_out_are_a_random_part_of_them(numbered):
    task = numbered(examples=1000, evaluation_share=0.5)
    objective = Objective(LSTM(), task)
    key = random_streams(0).evaluation
    seen = numbers_of(objective.evaluation_set(key, EVALUATION_EXAMPLES))
    training = set(np.asarray(objective.pool(key).rows).tolist())
    assert len(set(seen)) == len(seen) == EVALUATION_EXAMPLES
    assert not training & set(seen)
    assert len(training) == 500
    assert stats.kstest(np.array(seen) / 1000, "uniform").pvalue > 1e-3


def make_program(task, **training):
    return Program(Objective(LSTM(hidden=2), task), Training(**training), Record())


def drawn(task, steps, seed=0, **training):
    program = make_program(task, **training)
    streams = random_streams(seed)
    pool = program.objective.pool(streams.evaluation)
    batches = jax.vmap(lambda step: program.batch(streams.data, step, pool))(jnp.arange(steps))
    return np.asarray(batches.inputs[:, 0, :, 0]).astype(int)


def test_updates_draw_uniformly_from_what_is_not_held_out(numbered):
    task = numbered()
    training, held_out = split(task, 0)
    numbers = drawn(task, steps=400, batch=32)
    assert set(numbers.ravel()) == set(training)
    assert not set(numbers.ravel()) & set(held_out)
    counts = np.bincount(numbers.ravel(), minlength=EXAMPLES)[training]
    assert stats.chisquare(counts).pvalue > 1e-3
    pairs = np.corrcoef(numbers[:, 0], numbers[:, 1])[0, 1]
    assert abs(pairs) < 0.2


def test_same_seed_gives_the_same_batches(numbered):
    task = numbered()
    numbers = drawn(task, steps=5, batch=8)
    np.testing.assert_array_equal(drawn(task, steps=5, batch=16)[:, :8], numbers)
    with jax.enable_x64(True):
        np.testing.assert_array_equal(drawn(task, steps=5, batch=8), numbers)
    assert (drawn(task, steps=5, batch=8, seed=1) != numbers).any()


def test_a_batch_may_be_larger_than_the_data_set(numbered):
    training, _ = split(numbered(examples=5), 0)
    assert set(drawn(numbered(examples=5), steps=3, batch=64).ravel()) == set(training)


def test_a_task_that_makes_its_examples_has_no_pool():
    objective = Objective(LSTM(), Adding(length=5))
    key = random_streams(0).evaluation
    assert objective.pool(key) is None
    made, expected = objective.evaluation_set(key, 7), objective.sample(key, 7)
    np.testing.assert_array_equal(made.inputs, expected.inputs)
    np.testing.assert_array_equal(made.targets, expected.targets)


def test_the_data_set_is_an_argument_of_the_compiled_program(numbered):
    """Not a constant of it, of which each program would hold a copy; and shared by runs."""
    task = numbered(examples=5000)
    program = make_program(task, steps=3)
    pools = [program.objective.pool(random_streams(seed).evaluation) for seed in (0, 1)]
    assert pools[0].examples.inputs is pools[1].examples.inputs
    streams = random_streams(0)
    state = program.start(program.objective.init(streams.init), 0.1)
    evaluation = program.objective.evaluation_set(streams.evaluation, 4)
    bounds = jnp.asarray(program.chunk_bounds())
    lowered = Program.advance.lower(program, state, streams.data, evaluation, bounds, pools[0])
    text = lowered.as_text()
    assert "tensor<5000x3x1xf32>" in text
    assert max(map(len, text.splitlines())) < 20_000
