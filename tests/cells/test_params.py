"""Parameters may be any pytree of numbers; whole numbers and booleans are held fixed."""

import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from in_process import rnnlab as command
from safetensors.numpy import load_file

import rnnlab
from rnnlab import Cell, HiddenState, gradient_flow, jacobians, lyapunov_exponents, sensitivity
from rnnlab.cells.params import trained, with_fixed
from rnnlab.config.sweep import load_experiment
from rnnlab.engine.execution import Execution
from rnnlab.recurrence.stack import Method, unroll_observed
from rnnlab.results.params import by_dotted_name, read_params
from rnnlab.training.objective import Objective
from rnnlab.training.program import random_streams

TIME, BATCH, FEATURES = 5, 3, 2


class AsDict(Cell):
    """h_t = tanh(x_t W + (h_{t−1} ⊙ mask) U + b) by other names than those of ``affine``."""

    hidden: int = 4

    def init(self, key, input_size):
        w, u = jax.random.split(key)
        W = jax.random.normal(w, (input_size, self.hidden))
        U = jax.random.normal(u, (self.hidden, self.hidden)) / self.hidden**0.5
        return self.packed(W, U, jnp.zeros(self.hidden))

    def packed(self, W, U, b):
        return {"kernels": {"W": W, "U": U}, "b": b}

    def unpacked(self, params):
        return params["kernels"]["W"], params["kernels"]["U"], params["b"]

    def step(self, params, state, x, observe=lambda name, value: value):
        W, U, b = self.unpacked(params)
        return HiddenState(observe("h", jnp.tanh(x @ W + state.h @ U + b)))


class AsList(AsDict):
    def packed(self, W, U, b):
        return [W, [U, b]]

    def unpacked(self, params):
        W, (U, b) = params
        return W, U, b


class AsTuple(AsDict):
    """A tuple of three in one layer is no stack of three layers."""

    def packed(self, W, U, b):
        return (W, U, b)

    def unpacked(self, params):
        return params


class Named(NamedTuple):
    W: Any
    U: Any
    b: Any = None
    scale: Any = None


class AsNamedTuple(AsTuple):
    def packed(self, W, U, b):
        return Named(W, U, b)

    def unpacked(self, params):
        return params.W, params.U, params.b


@jax.tree_util.register_dataclass
@dataclass
class Weights:
    W: Any
    U: Any
    b: Any


class AsDataclass(AsDict):
    def packed(self, W, U, b):
        return Weights(W, U, b)

    def unpacked(self, params):
        return params.W, params.U, params.b


class WithFixed(AsDict):
    """A mask of booleans, an order of the units, and a number of Python."""

    def packed(self, W, U, b):
        mask = jnp.arange(self.hidden) != 1
        order = jnp.arange(self.hidden)[::-1]
        return {"mask": mask, "order": order, "W": W, "U": U, "b": b, "scale": 1.0}

    def unpacked(self, params):
        U = jnp.where(params["mask"][:, None], params["U"], 0)[params["order"]]
        return params["scale"] * params["W"], U[params["order"]], params["b"]


class FixedAsDataclass(AsDataclass):
    def packed(self, W, U, b):
        return [Weights(W, U, b), jnp.array([True, False, True, True])]

    def unpacked(self, params):
        weights, mask = params
        return weights.W, jnp.where(mask[:, None], weights.U, 0), weights.b


PLAIN = [AsDict, AsList, AsTuple, AsNamedTuple, AsDataclass]
FIXED = [WithFixed, FixedAsDataclass]


def arguments(cell):
    params = cell.init(jax.random.key(0), FEATURES)
    return params, jax.random.normal(jax.random.key(1), (TIME, BATCH, FEATURES))


def loss(outputs):
    return (outputs[-1] ** 2).sum(-1)


@pytest.mark.parametrize("layers", [1, 2])
@pytest.mark.parametrize("kind", PLAIN + FIXED, ids=lambda kind: kind.__name__)
def test_every_quantity_is_that_of_a_dict(kind, layers):
    cell, twin = kind(layers=layers), AsDict(layers=layers)
    params, inputs = arguments(cell)
    of_layers = params if layers > 1 else (params,)
    same = [twin.packed(*cell.unpacked(layer)) for layer in of_layers]
    same = tuple(same) if layers > 1 else same[0]
    found, expected = (
        (
            rnnlab.unroll(c, p, inputs),
            gradient_flow(c, p, inputs, loss, scaled=True).log10_norm,
            jacobians(c, p, inputs).total,
            sensitivity(c, p, inputs).log10_total,
            lyapunov_exponents(c, p, inputs).exponents,
        )
        for c, p in ((cell, params), (twin, same))
    )
    jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, atol=1e-5), found, expected)


@pytest.mark.usefixtures("float64")
@pytest.mark.parametrize("method", [Method("plain"), Method("fused"), Method("fused", "low")])
@pytest.mark.parametrize("kind", PLAIN + FIXED, ids=lambda kind: kind.__name__)
def test_gradients_are_finite_differences(kind, method):
    cell = kind()
    params, inputs = arguments(cell)
    flat, rebuild = jax.flatten_util.ravel_pytree(trained(params))

    def total(flat):
        filled = with_fixed(rebuild(flat), params)
        seen = unroll_observed(cell, filled, inputs, method=method).states
        return loss(seen.h[0]).sum()

    found = jax.grad(total)(flat)
    steps = 1e-6 * jnp.eye(len(flat))
    slopes = [(total(flat + step) - total(flat - step)) / 2e-6 for step in steps]
    np.testing.assert_allclose(found, slopes, atol=1e-8)
    told = gradient_flow(cell, params, inputs, loss).params
    assert jax.tree.structure(told) == jax.tree.structure(params)
    jax.tree.map(
        lambda a, b: np.testing.assert_allclose(a, b, rtol=1e-12), trained(told), rebuild(found)
    )
    for gradient, leaf in zip(jax.tree.leaves(told), jax.tree.leaves(params), strict=True):
        if not jnp.issubdtype(jnp.result_type(leaf), jnp.inexact):
            np.testing.assert_array_equal(gradient, np.zeros_like(leaf))


CONFIG = """
task: {{kind: adding, length: 6}}
cell: {{kind: test_params.py:{kind}, layers: {layers}}}
training: {{steps: 20, batch: 8, optimizer: {{kind: adamw, weight_decay: 0.5}}, clip_norm: 1.0}}
record: {{every: 10, means: true, jacobians: {{every: 10, examples: 2}}}}
"""


def trained_by(tmp_path, kind, layers=1):
    shutil.copy(__file__, tmp_path)
    config = tmp_path / "own.yaml"
    config.write_text(CONFIG.format(kind=kind, layers=layers))
    results = rnnlab.run(config, out=tmp_path / "out")
    assert list(results.runs["status"]) == ["finished"], list(results.runs["error"])
    return config, results


@pytest.mark.parametrize(
    ("kind", "layers"), [("AsList", 2), ("AsTuple", 1), ("AsDataclass", 1), ("WithFixed", 2)]
)
def test_they_train_are_stored_and_measured(tmp_path, monkeypatch, kind, layers):
    config, results = trained_by(tmp_path, kind, layers)
    (run,) = load_experiment(config).runs
    cell = run.settings.cell
    before = Objective(cell, run.settings.task).init(random_streams(0).init)
    first = by_dotted_name({"cell": before["cell"]})
    path = Path(results.file_of(run.id, "params.safetensors"))
    last = load_file(path)
    assert first.keys() == {name for name in last if name.startswith("cell.")}
    counted = 0
    for name, before in first.items():
        is_fixed = not jnp.issubdtype(jnp.result_type(before), jnp.inexact)
        assert np.array_equal(before, last[name]) == is_fixed, name
        counted += 0 if is_fixed else np.size(before)
    assert list(results.runs["parameters"]) == [counted]
    again = by_dotted_name({"cell": read_params(path, cell, 2)})
    jax.tree.map(np.testing.assert_array_equal, again, {n: last[n] for n in first})
    monkeypatch.chdir(tmp_path)
    arguments = ("--params", path, "--out", "measured")
    code, output = command("measure", "own.yaml", *arguments)
    assert code == 0, output
    monkeypatch.undo()


def test_a_run_with_fixed_numbers_goes_on_from_a_checkpoint(tmp_path):
    shutil.copy(__file__, tmp_path)
    config = tmp_path / "own.yaml"
    config.write_text(CONFIG.format(kind="WithFixed", layers=1))
    (run,) = load_experiment(config).runs
    whole, resumed = Execution(run), Execution(run)
    whole.calls = resumed.calls = [[b] for call in whole.calls for b in call if b[0] >= 0]
    whole.advance()
    resumed.restore(whole.checkpoint())
    for execution in (whole, resumed):
        while not execution.is_over:
            execution.advance()
    one, other = whole.output().files(), resumed.output().files()
    assert one == other


class Unregistered(AsDict):
    def packed(self, W, U, b):
        @dataclass
        class Plain:
            W: Any

        return {"weights": Plain(W), "b": b}


class WithText(AsDict):
    def packed(self, W, U, b):
        return {"W": W, "activation": "tanh"}


class WithKey(AsDict):
    def packed(self, W, U, b):
        return {"W": W, "noise": jax.random.key(0)}


MISTAKES = {
    Unregistered: r"params\['weights'\] must be an array of numbers, got a Plain; .*register_datac",
    WithText: r"params\['activation'\] must be an array of numbers, got a str",
    WithKey: r"params\['noise'\] must be an array of numbers, got a PRNGKeyArray",
}


@pytest.mark.parametrize("kind", MISTAKES, ids=lambda kind: kind.__name__)
@pytest.mark.parametrize("of", [rnnlab.unroll, jacobians, sensitivity, lyapunov_exponents])
def test_what_is_no_number_is_told(kind, of):
    cell = kind()
    with pytest.raises(ValueError, match=MISTAKES[kind]):
        of(cell, *arguments(cell))


class Clash(AsDict):
    calls: ClassVar[int] = 0

    def packed(self, W, U, b):
        return {"a.W": W, "a": {"W": W}, "U": U, "b": b}

    def unpacked(self, params):
        return params["a.W"], params["U"], params["b"]


def test_names_that_clash_in_a_file_are_told_before_training(tmp_path):
    shutil.copy(__file__, tmp_path)
    config = tmp_path / "own.yaml"
    config.write_text(CONFIG.format(kind="Clash", layers=1))
    results = rnnlab.run(config, out=tmp_path / "out")
    (error,) = results.runs["error"]
    assert "two parameters would be stored as 'cell.a.W'" in error
