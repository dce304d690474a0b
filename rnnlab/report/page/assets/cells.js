// One unit u of each cell in one step, with its derivatives; rnnlab/cells has the same equations.
//
// Of each gate, x holds what the inputs and the bias bring, h what h_{t−1} brings. `paths` are
// derivatives by the latter: ∂carry/∂h (c, or else h), and by the output gate o that of h with the
// carry held constant; `follow` is ∂h/∂carry within the step.

import { affine } from "rnnlab/linear_algebra.js";

const sigmoid = (a) => 1 / (1 + Math.exp(-a));
const slope = (gate) => gate * (1 - gate); // of the sigmoid
export const keyed = (names, value) =>
  Object.fromEntries([...names].map((name, i) => [name, value(name, i)]));

// `keeps` names the direct path's gate, `candidate` the kernel of the linearisation at zero.
export const CELLS = {
  LSTM: {
    kernels: "ifgo", gates: "fio", states: "ch", carry: "c", keeps: "f", candidate: "g",
    unit({ x, h, carry }, u) {
      const i = sigmoid(x.i[u] + h.i[u]), f = sigmoid(x.f[u] + h.f[u]);
      const o = sigmoid(x.o[u] + h.o[u]), g = Math.tanh(x.g[u] + h.g[u]);
      const old = carry[u], c = f * old + i * g, y = Math.tanh(c);
      return {
        seen: { i, f, o, c, h: o * y, follow: o * (1 - y ** 2) },
        paths: { f: old * slope(f), i: g * slope(i), g: i * (1 - g ** 2), o: y * slope(o) },
      };
    },
  },
  GRU: {
    kernels: "rzn", gates: "zr", states: "h", carry: "h", keeps: "z", candidate: "n",
    unit({ x, h, carry }, u) {
      const r = sigmoid(x.r[u] + h.r[u]), z = sigmoid(x.z[u] + h.z[u]);
      const n = Math.tanh(x.n[u] + r * h.n[u]); // r acts after the product, as rnnlab's default
      const old = carry[u], byN = (1 - z) * (1 - n ** 2);
      return {
        seen: { r, z, h: z * old + (1 - z) * n, follow: 1 },
        paths: { z: (old - n) * slope(z), r: byN * h.n[u] * slope(r), n: byN * r },
      };
    },
  },
  RNN: {
    kernels: "h", gates: "", states: "h", carry: "h", candidate: "h",
    unit({ x, h }, u) {
      const y = Math.tanh(x.h[u] + h.h[u]);
      return { seen: { h: y, follow: 1 }, paths: { h: 1 - y ** 2 } };
    },
  },
};

/** What every step gives, from the zero state. Kernels are transposed. */
export function unroll({ kernels, carry, unit }, { n, W, U, bias }, inputs) {
  const none = new Float64Array(n);
  let seen = { h: none, c: none };
  return inputs.map((input) => {
    const before = {
      x: keyed(kernels, (k) => affine(W[k], input, bias[k])),
      h: keyed(kernels, (k) => affine(U[k], seen.h, none)),
      carry: seen[carry],
    };
    const units = Array.from({ length: n }, (_, u) => unit(before, u));
    const all = (group) => keyed(Object.keys(units[0][group]),
      (name) => new Float64Array(units.map((own) => own[group][name])));
    seen = all("seen");
    return { seen, paths: all("paths") };
  });
}
