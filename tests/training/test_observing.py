"""Recorded adjoint norms where those of one float32 backward pass read zero."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from rnnlab import Adding, VanillaRNN, gradient_flow
from rnnlab.training import observing
from rnnlab.training.objective import Objective, read_out
from rnnlab.training.options import Record

OBJECTIVE = Objective(VanillaRNN(hidden=8, recurrent_gain=0.2), Adding(length=100))


def shrinking(gain, examples=3):
    """A network whose recurrent weights shrink what passes by about this factor a step."""
    params = OBJECTIVE.init(jax.random.key(0))
    params["cell"]["U_h"] *= gain / 0.2
    return params, OBJECTIVE.sample(jax.random.key(1), examples)


@functools.partial(jax.jit, static_argnames=("is_record", "examples"))
def recorded(params, batch, is_record=True, examples=3):
    record = Record(examples=examples)
    _, moment = observing.observe(OBJECTIVE, record, params, batch, batch, is_record=is_record)
    return moment.log10_norms["h"][0]


def in_float64(params, batch):
    """The same norms by one backward pass in float64."""
    numbers = jax.tree.map(np.float64, (params, batch))
    with jax.enable_x64(True):
        params, batch = jax.tree.map(jnp.asarray, numbers)

        def losses(h):
            outputs = read_out(params["readout"], h[-1:])
            return jax.vmap(OBJECTIVE.task.loss, in_axes=(1, 0))(outputs, batch.targets)

        flow = gradient_flow(OBJECTIVE.cell, params["cell"], batch.inputs, losses)
        return np.asarray(flow.log10_norm["h"])


@pytest.mark.parametrize("is_record", [True, False])
def test_recorded_norms_are_those_of_float64_where_one_float32_pass_reads_zero(is_record):
    at = shrinking(0.1)
    found, expected = recorded(*at, is_record=is_record), in_float64(*at)
    assert expected.min() < -80
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-4)


def test_only_the_recorded_examples_are_measured_again():
    params, batch = shrinking(0.1)
    two = recorded(params, batch, examples=2)
    np.testing.assert_allclose(two, recorded(params, batch)[:, :2], rtol=0, atol=1e-5)


@pytest.mark.parametrize(("gain", "passes"), [(0.1, 1), (0.9, 0)])
def test_the_second_pass_is_run_only_where_norms_are_small(gain, passes, monkeypatch):
    runs = []

    class Counted(Objective):
        def memory_norms(self, params, batch):
            jax.debug.callback(lambda: runs.append(1))
            return super().memory_norms(params, batch)

    params, batch = shrinking(gain)
    monkeypatch.setattr(f"{__name__}.OBJECTIVE", Counted(OBJECTIVE.cell, OBJECTIVE.task))
    jax.block_until_ready(recorded.__wrapped__(params, batch))
    jax.effects_barrier()
    assert len(runs) == passes


def test_a_lane_keeps_its_numbers_beside_one_that_is_measured_again():
    (small, batch), (large, _) = shrinking(0.1), shrinking(0.9)
    lanes = jax.tree.map(lambda *a: jnp.stack(a), small, large)
    together = jax.vmap(recorded, in_axes=(0, None))(lanes, batch)
    for lane, params in enumerate((small, large)):
        np.testing.assert_allclose(together[lane], recorded(params, batch), rtol=0, atol=1e-5)
