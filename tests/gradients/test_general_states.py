"""States that are complex, matrices, or of two shapes, against brute force, example by example."""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from general_states import CELLS

from rnnlab import gradient_flow, jacobians, lyapunov_exponents, sensitivity, unroll
from rnnlab.cells.state import flatten, from_real, part_sizes, real_parts, state_like, unflatten
from rnnlab.recurrence.stack import Method, unroll_observed

TIME, BATCH, FEATURES = 5, 2, 3
pytestmark = pytest.mark.usefixtures("float64")
every_cell = pytest.mark.parametrize("kind", CELLS)


def arguments(cell, time=TIME):
    params = cell.init(jax.random.key(0), FEATURES)
    inputs = jax.random.normal(jax.random.key(1), (time, BATCH, FEATURES))
    rng = np.random.default_rng(2)
    state = [
        from_real(jnp.asarray(rng.normal(size=(BATCH, size))), like)
        for size, like in zip(part_sizes(state_like(cell)), state_like(cell), strict=True)
    ]
    return params, inputs, cell.State(*state)


def one(tree, example):
    return jax.tree.map(lambda a: a[example : example + 1], tree)


def loop(cell, params, inputs, state, nudges=None):
    """States after each step, by a Python loop; nudges by (t, part) enter where it is observed."""
    states = []
    for t, x in enumerate(inputs):

        def observe(name, value, t=t):
            nudge = None if nudges is None else nudges.get((t, name))
            return value if nudge is None else value + from_real(nudge[None], value)

        state = cell.step(params, state, x, observe)
        states.append(state)
    return states


def zeros(cell, part):
    size = dict(zip(cell.State._fields, part_sizes(state_like(cell)), strict=True))[part]
    return jnp.zeros(size)


def close(actual, expected, atol=1e-9):
    np.testing.assert_allclose(actual, expected, rtol=0, atol=atol)


def loss(output):
    weights = jnp.linspace(0.5, 1.5, output.shape[-1])
    return (output[-1] ** 2 @ weights) + 0.3 * jnp.sin(output[2]).sum(-1)


def test_the_real_view_of_a_state_and_back():
    z = jnp.asarray([[1 + 2j, 3 - 4j], [5j, -6]])
    m = jnp.arange(12.0).reshape(2, 3, 2)
    like = jax.eval_shape(lambda: (z, m))
    state = CELLS["two shapes"].State(z, m)
    flat = flatten(state)
    close(flat[0], [1, 3, 2, -4, 0, 1, 2, 3, 4, 5])
    back = unflatten(flat, type(state)(*like))
    np.testing.assert_array_equal(back.h, z)
    np.testing.assert_array_equal(back.m, m)
    assert part_sizes(like) == [4, 6]


@every_cell
def test_states_are_those_of_a_loop(kind):
    params, inputs, state = arguments(cell := CELLS[kind])
    expected = loop(cell, params, inputs, state)
    states = unroll(cell, params, inputs, state)
    jax.tree.map(close, states, jax.tree.map(lambda *s: jnp.stack(s), *expected))


@every_cell
@pytest.mark.parametrize("scaled", [False, True])
def test_adjoint_norms(kind, scaled):
    params, inputs, state = arguments(cell := CELLS[kind])

    def loss_of(nudges, example):
        states = loop(cell, params, inputs[:, example : example + 1], one(state, example), nudges)
        return loss(jnp.stack([cell.output(s) for s in states]))[0]

    flow = gradient_flow(cell, params, inputs, loss, state, scaled=scaled)
    nudges = {(t, part): zeros(cell, part) for t in range(TIME) for part in cell.State._fields}
    differentiate = jax.jit(jax.grad(loss_of), static_argnums=1)
    for example in range(BATCH):
        for (t, part), adjoint in differentiate(nudges, example).items():
            with np.errstate(divide="ignore"):
                expected = np.log10(np.linalg.norm(adjoint))
            close(flow.log10_norm[part][t, example], expected)


@every_cell
def test_gradient_by_parameters_is_that_of_their_real_and_imaginary_parts(kind):
    params, inputs, state = arguments(cell := CELLS[kind])
    pairs = {k: (v.real, v.imag) if jnp.iscomplexobj(v) else (v,) for k, v in params.items()}

    @jax.grad
    def expected(pairs):
        made = {k: jax.lax.complex(*v) if len(v) == 2 else v[0] for k, v in pairs.items()}
        states = loop(cell, made, inputs, state)
        return loss(jnp.stack([cell.output(s) for s in states])).sum()

    gradient = gradient_flow(cell, params, inputs, loss, state).params
    for name, parts in expected(pairs).items():
        close(gradient[name], parts[0] + 1j * parts[1] if len(parts) == 2 else parts[0])


@partial(jax.jit, static_argnums=0)
def slow_jacobians(cell, params, inputs, state):
    """Of one example: ∂state_t/∂state_{t−1} and ∂carry_t/∂carry_{t−1}, (time, out, in) each."""
    name, like = cell.carry, state_like(cell)
    states = jax.tree.map(lambda *s: jnp.stack(s), state, *loop(cell, params, inputs, state))
    before = jax.tree.map(lambda a: a[:-1], states)

    def carry_of(state):
        return getattr(real_parts(state), name)[0]

    def step(flat, x):
        return flatten(cell.step(params, unflatten(flat[None], like), x))[0]

    def carry(nudge, two_before, x_before, x):
        """carry_t where carry_{t−1} is nudged inside step t − 1."""
        (state,) = loop(cell, params, x_before[None], two_before, {(0, name): nudge})
        return carry_of(cell.step(params, state, x))

    def carry_first(nudge):
        given = getattr(state, name)
        nudged = state._replace(**{name: given + from_real(nudge[None], given)})
        return carry_of(cell.step(params, nudged, inputs[0]))

    nothing = zeros(cell, name)
    whole = jax.vmap(jax.jacfwd(step))(jax.vmap(flatten)(before)[:, 0], inputs)
    at_each = jax.vmap(jax.jacfwd(carry), in_axes=(None, 0, 0, 0))
    later = at_each(nothing, jax.tree.map(lambda a: a[:-1], before), inputs[:-1], inputs[1:])
    return whole, jnp.concatenate([jax.jacfwd(carry_first)(nothing)[None], later])


def direct_matrix(cell, params, seen):
    """D with D v the direct path, from the definitions of the cells."""
    if cell is CELLS["complex"]:
        λ = np.asarray(cell.λ(params))
        return np.block([[np.diag(λ.real), -np.diag(λ.imag)], [np.diag(λ.imag), np.diag(λ.real)]])
    if cell is CELLS["matrix"]:
        α, β, k = (np.asarray(seen[name])[0] for name in "αβk")
        return np.kron(α * (np.eye(len(k)) - β * np.outer(k, k)), np.eye(cell.hidden))
    return np.diag(np.ravel(seen["f"]))


def observed(cell, params, inputs, state):
    seen = []
    for x in inputs:
        values = {}
        state = cell.step(params, state, x, lambda k, v, to=values: to.setdefault(k, v))
        seen.append(values)
    return seen


@every_cell
def test_jacobians_by_path(kind):
    params, inputs, state = arguments(cell := CELLS[kind])
    j = jacobians(cell, params, inputs, state)
    for example in range(BATCH):
        alone = params, inputs[:, example : example + 1], one(state, example)
        seen = observed(cell, *alone)
        whole, total = slow_jacobians(cell, *alone)
        close(j.state[:, example], whole)
        close(j.total[:, example], total)
        direct = np.stack([direct_matrix(cell, params, values) for values in seen])
        close(j.direct[:, example], direct)
        close(sum(part[:, example] for part in j.indirect.values()), total - direct)
    if kind == "complex":
        assert not np.any(np.abs(j.indirect["other"]) > 1e-12)


@partial(jax.jit, static_argnums=(0, 1, 2))
def slow_sensitivities(cell, of, to, *alone):
    """∂of_T/∂to_t of one example for every t."""

    def last(nudges):
        nudged = {(t, to): nudge for t, nudge in enumerate(nudges)}
        return getattr(real_parts(loop(cell, *alone, nudged)[-1]), of)[0]

    return jax.jacrev(last)([zeros(cell, to)] * TIME)


def norm(matrix):
    return np.log10(np.linalg.norm(matrix, 2))


@every_cell
def test_sensitivity(kind):
    cell = CELLS[kind]
    params, inputs, state = arguments(cell)
    carry = cell.carry
    found = sensitivity(cell, params, inputs, initial_state=state)
    for example in range(BATCH):
        alone = params, inputs[:, example : example + 1], one(state, example)
        seen = observed(cell, *alone)
        _, totals = map(np.asarray, slow_jacobians(cell, *alone))
        to_the_last = slow_sensitivities(cell, carry, carry, *alone)
        direct = product = np.eye(len(zeros(cell, carry)))
        for t in reversed(range(TIME)):
            close(found.log10_total[t, example], norm(to_the_last[t]))
            close(found.log10_direct[t, example], norm(direct))
            close(found.log10_cell_product[t, example], norm(product))
            direct = direct @ direct_matrix(cell, params, seen[t])
            product = product @ totals[t]


def test_the_sensitivity_of_a_complex_diagonal_is_its_largest_modulus():
    params, inputs, _ = arguments(cell := CELLS["complex"], time=30)
    found = sensitivity(cell, params, inputs)
    steps_back = np.arange(29, -1, -1)[:, None]
    expected = steps_back * np.log10(np.abs(cell.λ(params)).max()) * np.ones(BATCH)
    close(found.log10_total, expected)
    close(found.log10_direct, expected)


@pytest.mark.parametrize("kind", ["matrix", "two shapes"])
def test_sensitivity_of_one_part_to_another(kind):
    cell = CELLS[kind]
    params, inputs, state = arguments(cell)
    found = sensitivity(cell, params, inputs, of="h", to=cell.carry, initial_state=state)
    expected = slow_sensitivities(cell, "h", cell.carry, params, inputs[:, :1], one(state, 0))
    close(found.log10_total[:, 0], list(map(norm, expected)))
    assert found.log10_direct is None


@every_cell
def test_lyapunov_exponents_by_qr_in_numpy(kind):
    params, inputs, state = arguments(cell := CELLS[kind], time=11)
    found = lyapunov_exponents(cell, params, inputs, initial_state=state)
    size = sum(part_sizes(state_like(cell)))
    random = jax.random.normal(jax.random.key(0), (size, size))
    for example in range(BATCH):
        alone = params, inputs[:, example : example + 1], one(state, example)
        basis, growth = np.linalg.qr(np.asarray(random))[0], []
        for whole in np.asarray(slow_jacobians(cell, *alone)[0]):
            basis, r = np.linalg.qr(whole @ basis)
            growth.append(np.log(np.maximum(np.abs(np.diag(r)), 1e-300)))
        expected = np.sort(np.mean(growth[1:], axis=0))[::-1]
        finite = np.isfinite(found.exponents[example])
        close(found.exponents[example][finite], expected[finite], atol=1e-6)
        assert (expected[~finite] < -25).all()
        if kind == "complex":
            close(found.exponents[example].sum(), 2 * np.log(np.abs(cell.λ(params))).sum())


@every_cell
def test_stacks(kind):
    """Each layer reads the output of the one below."""
    cell = CELLS[kind].model_copy(update={"layers": 2})
    params = cell.init(jax.random.key(0), FEATURES)
    inputs = jax.random.normal(jax.random.key(1), (TIME, BATCH, FEATURES))
    states = unroll(cell, params, inputs)
    single = CELLS[kind]
    below = unroll(single, params[0], inputs)
    above = unroll(single, params[1], jax.vmap(single.output)(below))
    jax.tree.map(lambda a, b, c: close(a, jnp.stack([b, c])), states, below, above)

    flow = gradient_flow(cell, params, inputs, loss, scaled=True)
    plain = gradient_flow(cell, params, inputs, loss)
    jax.tree.map(close, flow.log10_norm, plain.log10_norm)
    j = jacobians(cell, params, inputs)
    size = sum(part_sizes(state_like(cell)))
    close(j.stack[:, :, :size, :size], j.state[0])
    close(j.stack[:, :, size:, size:], j.state[1])
    found = sensitivity(cell, params, inputs)
    assert found.log10_stack.shape == (2, TIME, BATCH)
    close(found.log10_stack[1], found.log10_total[1])


@every_cell
def test_every_way_to_run_a_layer_gives_the_same_gradient(kind):
    params, inputs, state = arguments(cell := CELLS[kind], time=7)

    @partial(jax.jit, static_argnums=1)
    def gradient(params, method):
        def total(params):
            seen = unroll_observed(cell, params, inputs, state, method=method)
            output = jax.vmap(cell.output)(jax.tree.map(lambda a: a[0], seen.states))
            return loss(output).sum()

        return jax.grad(total)(params)

    expected = gradient(params, Method("plain"))
    methods = [Method("fused"), Method("plain", "low"), Method("fused", "low")]
    for method in methods + [Method("parallel")] * (kind == "complex"):
        jax.tree.map(close, gradient(params, method), expected)


def test_a_cell_without_a_parallel_scan():
    params, inputs, state = arguments(cell := CELLS["matrix"])
    with pytest.raises(ValueError, match="Delta has no parallel_scan"):
        unroll_observed(cell, params, inputs, state, method=Method("parallel"))
