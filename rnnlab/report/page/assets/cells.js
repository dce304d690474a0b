// One step of each cell, and the parts of its Jacobian; rnnlab/cells has the same equations.
//
// A step gives what it computes (`seen`) and derivatives: `keep`, the direct path of the carry (c,
// or else h); for each path ∂carry/∂a, where a = h U is the gate's own product; `output`, ∂h/∂a of
// the output gate with the carry held constant; `follow`, ∂h/∂carry within the step. Kernels are
// transposed: diag(∂/∂a) Uᵀ is the Jacobian by h.

const sigmoid = (a) => 1 / (1 + Math.exp(-a));

function product(matrix, vector, n) {
  const products = new Float64Array(n);
  for (let u = 0, at = 0; u < n; u++) {
    for (let j = 0; j < vector.length; j++, at++) products[u] += matrix[at] * vector[j];
  }
  return products;
}

// What computes φ(x W + h U + bias) of a gate
const gatesOf = ({ n, W, U, bias }, x, h) => (k, φ = sigmoid) => {
  const [byX, byH] = [product(W[k], x, n), product(U[k], h, n)];
  return byX.map((a, u) => φ(bias[k][u] + a + byH[u]));
};

// `keeps` names the direct path's gate, `candidate` the kernel of the linearisation at zero;
// `write` is as in rnnlab's Linearisation.
export const CELLS = {
  LSTM: {
    kernels: ["i", "f", "g", "o"], gates: ["f", "i", "o"], states: ["c", "h"],
    carry: "c", keeps: "f", candidate: "g",
    biases: ({ b_f, b_i, b_o }) => ({ f: b_f, i: b_i, o: b_o, g: 0 }),
    write: (bias, u) => sigmoid(bias.i[u]) * sigmoid(bias.o[u]),
    step(params, { c: old, h }, x) {
      const gate = gatesOf(params, x, h);
      const [i, f, o, g] = [gate("i"), gate("f"), gate("o"), gate("g", Math.tanh)];
      const c = f.map((f, u) => f * old[u] + i[u] * g[u]);
      const y = c.map(Math.tanh);
      return {
        seen: { i, f, o, c, h: o.map((o, u) => o * y[u]) },
        keep: f,
        paths: {
          f: f.map((f, u) => old[u] * f * (1 - f)),
          i: i.map((i, u) => g[u] * i * (1 - i)),
          g: g.map((g, u) => i[u] * (1 - g ** 2)),
        },
        output: o.map((o, u) => y[u] * o * (1 - o)),
        follow: o.map((o, u) => o * (1 - y[u] ** 2)),
      };
    },
  },
  GRU: {
    kernels: ["r", "z", "n"], gates: ["z", "r"], states: ["h"],
    carry: "h", keeps: "z", candidate: "n",
    biases: ({ b_z }) => ({ r: 0, z: b_z, n: 0 }),
    write: (bias, u) => sigmoid(-bias.z[u]) * sigmoid(bias.r[u]),
    step(params, { h: old }, x) {
      const gate = gatesOf(params, x, old), [r, z] = [gate("r"), gate("z")];
      const a = product(params.U.n, old, params.n); // r acts after the product, as rnnlab's default
      const y = product(params.W.n, x, params.n).map((byX, u) => Math.tanh(byX + r[u] * a[u]));
      const byY = y.map((y, u) => (1 - z[u]) * (1 - y ** 2));
      return {
        seen: { r, z, h: z.map((z, u) => z * old[u] + (1 - z) * y[u]) },
        keep: z,
        paths: {
          z: z.map((z, u) => (old[u] - y[u]) * z * (1 - z)),
          r: r.map((r, u) => byY[u] * a[u] * r * (1 - r)),
          n: r.map((r, u) => byY[u] * r),
        },
        follow: y.map(() => 1),
      };
    },
  },
  RNN: {
    kernels: ["h"], gates: [], states: ["h"],
    carry: "h", candidate: "h",
    biases: () => ({ h: 0 }),
    write: () => 1,
    step(params, { h: old }, x) {
      const h = gatesOf(params, x, old)("h", Math.tanh);
      const [keep, follow] = [h.map(() => 0), h.map(() => 1)];
      return { seen: { h }, keep, paths: { h: h.map((h) => 1 - h ** 2) }, follow };
    },
  },
};

/** What every step gives, from the zero state. */
export function unroll(cell, params, inputs) {
  let state = { h: new Float64Array(params.n), c: new Float64Array(params.n) };
  return inputs.map((x) => {
    const step = cell.step(params, state, x);
    state = step.seen;
    return step;
  });
}

/** The linear map at the zero state without input: diag(keep) + diag(write) Uᵀ; leak = 1 − keep. */
export function linearised(cell, { n, U, bias }) {
  const each = (value) => Float64Array.from({ length: n }, (_, u) => value(u));
  const ofKeep = bias[cell.keeps] ?? each(() => -Infinity);
  return {
    keep: ofKeep.map(sigmoid),
    leak: ofKeep.map((b) => sigmoid(-b)),
    write: each((u) => cell.write(bias, u)),
    U: U[cell.candidate],
  };
}
