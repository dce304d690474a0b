"""What is measured of given parameters and inputs, each number worked out again in numpy."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.special import expit

import rnnlab
from rnnlab import GRU, LSTM, VanillaRNN
from rnnlab.training.at_ends import measure
from rnnlab.training.quantities.lyapunov import MOST_EXPONENTS

TIME, BATCH, FEATURES = 7, 3, 2


MAKE = {
    "gru": lambda: GRU(hidden=4),
    "rnn": lambda: VanillaRNN(hidden=4),
    "stack": lambda: LSTM(hidden=3, layers=2, forget_bias=0.5),
}
GATES = {"gru": "rzn", "rnn": "", "stack": "fig"}


class Case:
    """A cell with parameters and inputs in float64, its tables, and its Jacobians by layer."""

    def __init__(self, name):
        self.name, self.cell = name, MAKE[name]()
        with jax.enable_x64(True):
            params = self.cell.init(jax.random.key(1), FEATURES)
            self.params = jax.tree.map(lambda a: 1.3 * jnp.asarray(a, dtype=float), params)
            self.inputs = jax.random.normal(jax.random.key(2), (TIME, BATCH, FEATURES))
            self.tables = measure(self.cell, self.params, self.inputs, step=30)
            j = rnnlab.jacobians(self.cell, self.params, self.inputs)
            self.state = self.layered(j.state)
            self.parts = {k: self.layered(m) for k, m in j.indirect.items()}
            if self.cell.direct:
                self.direct = self.layered(j.direct)
                self.parts["direct"] = self.direct[..., None] * np.eye(self.cell.hidden)
            self.parts["total"] = sum(self.parts.values())
            self.parts["indirect"] = self.parts["total"] - self.parts.get("direct", 0)
            states = rnnlab.unroll(self.cell, self.params, self.inputs)
            self.states = {q: self.layered(part) for q, part in states._asdict().items()}

    def layered(self, values):
        values = np.asarray(values)
        return values if self.cell.layers > 1 else values[None]

    def column(self, name):
        """A column of the table, (layers, time)."""
        table = self.tables["jacobians"].sort_values(["layer", "t"])
        return table[name].to_numpy().reshape(self.cell.layers, TIME)


@pytest.fixture(scope="module", params=list(MAKE))
def case(request):
    return Case(request.param)


def test_rows_and_columns(case):
    for table in case.tables.values():
        assert set(table["step"]) == {30}
    jacobians = case.tables["jacobians"]
    rows = jacobians[["layer", "t"]].itertuples(index=False)
    expected = [(layer, t) for layer in range(case.cell.layers) for t in range(TIME)]
    assert sorted(map(tuple, rows)) == expected
    assert set(jacobians["quantity"]) == {"h" if case.name in ("gru", "rnn") else "c"}
    assert "log10_direct_product" in jacobians or case.name == "rnn"
    assert set(GATES[case.name]) <= case.parts.keys()
    sizes = {c.removesuffix("_frobenius") for c in jacobians if c.endswith("_frobenius")}
    assert sizes == case.parts.keys()
    assert (jacobians["zero_fraction"] == 0).all()
    assert jacobians.drop(columns="quantity").notna().all(axis=None)


def test_sizes_are_means_over_examples_of_norms(case):
    close = {"rtol": 1e-9, "atol": 1e-12}
    for part, matrix in case.parts.items():
        singular = np.linalg.svd(matrix, compute_uv=False)[..., 0].mean(-1)
        np.testing.assert_allclose(case.column(f"{part}_spectral"), singular, **close)
        frobenius = np.sqrt((matrix**2).sum((-1, -2)) / case.cell.hidden).mean(-1)
        np.testing.assert_allclose(case.column(f"{part}_frobenius"), frobenius, **close)
    norms = {k: np.sqrt((case.parts[k] ** 2).sum((-1, -2))) for k in ("indirect", "total")}
    share = (norms["indirect"] / norms["total"]).mean(-1)
    np.testing.assert_allclose(case.column("share"), share, **close)
    radius = abs(np.linalg.eigvals(case.state)).max(-1).mean(-1)
    np.testing.assert_allclose(case.column("spectral_radius"), radius, rtol=1e-6)


def test_sensitivities_are_products_of_matrices(case):
    """Of each layer by itself: P_cc + P_ch ∂h_t/∂c_t, P the product of the state's Jacobians."""
    n = case.cell.hidden
    log10 = np.empty((2, case.cell.layers, TIME, BATCH))
    for layer, t, example in np.ndindex(log10.shape[1:]):
        product, cells = np.eye(case.state.shape[-1]), np.eye(n)
        for k in range(t + 1, TIME):
            product = case.state[layer, k, example] @ product
            cells = case.parts["total"][layer, k, example] @ cells
        if case.cell.carry == "c":
            h, c = (case.states[q][layer, t, example] for q in "hc")
            slope = h / np.tanh(c) * (1 - np.tanh(c) ** 2)
            product = product[n:, n:] + product[n:, :n] * slope
        norms = [np.linalg.norm(matrix, 2) for matrix in (product, cells)]
        log10[:, layer, t, example] = np.log10(norms)
    for name, values in zip(("sensitivity", "cell_product"), log10.mean(-1), strict=True):
        np.testing.assert_allclose(case.column(f"log10_{name}"), values, rtol=1e-8, atol=1e-9)


def test_direct_products_are_those_of_the_gate(case):
    if case.cell.direct is None:
        assert "log10_direct_product" not in case.tables["jacobians"]
        return
    later = [case.direct[:, t + 1 :].prod(axis=1).max(-1) for t in range(TIME)]
    expected = np.log10(later).mean(-1).T
    np.testing.assert_allclose(case.column("log10_direct_product"), expected, rtol=1e-9, atol=1e-12)


def test_stack_sensitivity(case):
    found = case.column("log10_stack_sensitivity")
    if case.cell.layers == 1:
        np.testing.assert_array_equal(found, case.column("log10_sensitivity"))
        return
    with jax.enable_x64(True):
        expected = rnnlab.sensitivity(case.cell, case.params, case.inputs).log10_stack
    np.testing.assert_allclose(found, np.asarray(expected).mean(-1), atol=1e-9)
    assert abs(found - case.column("log10_sensitivity"))[0].min() > 0.01


def test_exponents(case):
    with jax.enable_x64(True):
        expected = rnnlab.lyapunov_exponents(case.cell, case.params, case.inputs)
    table = case.tables["lyapunov"]
    size = case.state.shape[-1] * case.cell.layers
    assert len(table) == BATCH * size
    for example in range(BATCH):
        own = table[table["example"] == example].sort_values("index")
        assert list(own["index"]) == list(range(size))
        for name, values in (("exponent", 0), ("asymptotic", 1), ("asymptotic_low", 2)):
            np.testing.assert_allclose(own[name], expected[values][example], rtol=1e-9)
        if case.cell.layers == 1:
            volume = np.log(abs(np.linalg.det(case.state[0, :, example])))
            assert own["exponent"].sum() == pytest.approx(volume.mean(), rel=1e-6)


def test_eigenvalues_of_the_middle_step_of_the_first_example(case):
    table = case.tables["eigenvalues"]
    assert set(table["t"]) == {TIME // 2}
    for layer, own in table.groupby("layer"):
        found = own["real"].to_numpy() + 1j * own["imag"].to_numpy()
        expected = np.linalg.eigvals(case.state[layer, TIME // 2, 0])
        assert len(found) == len(expected)
        order = [np.lexsort((z.imag.round(6), z.real.round(6))) for z in (found, expected)]
        np.testing.assert_allclose(found[order[0]], expected[order[1]], atol=1e-6)


def test_the_ring_is_that_of_the_layers_biases(case):
    for layer, own in case.tables["eigenvalues"].groupby("layer"):
        assert own[["ring_centre", "ring_radius"]].drop_duplicates().shape == (1, 2)
        centre, radius = own[["ring_centre", "ring_radius"]].iloc[0]
        p = case.params[layer] if case.cell.layers > 1 else case.params
        bias = {k: expit(np.asarray(v)).mean() for k, v in p.items() if k.startswith("bias")}
        ring = {
            "stack": lambda b: (b["bias_f"], 1.3 * b["bias_i"] * b["bias_o"]),
            "gru": lambda b: (b["bias_z"], 1.3 * (1 - b["bias_z"]) * b["bias_r"]),
            "rnn": lambda b: (0.0, 1.3),
        }
        expected = ring[case.name](bias)
        np.testing.assert_allclose((centre, radius), expected, rtol=1e-6)


def test_a_single_time_step_and_no_more_than_64_exponents():
    cell = VanillaRNN(hidden=MOST_EXPONENTS + 1)
    params = cell.init(jax.random.key(0), FEATURES)
    tables = measure(cell, params, jnp.ones((1, 2, FEATURES)), 0)
    assert list(tables["jacobians"]["log10_sensitivity"]) == [0]
    assert set(tables["eigenvalues"]["t"]) == {0}
    assert len(tables["eigenvalues"]) == 65
    assert list(tables["lyapunov"]["index"]) == [*range(64), *range(64)]
    assert tables["lyapunov"]["asymptotic"].isna().all()
