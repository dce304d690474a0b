// The numbers of the instrument: from settings and the kernels that rnnlab has drawn, in float64.

import { CELLS, linearised, unroll } from "rnnlab/cells.js";
import { add, addDiagonal, eigenvalues, multiply, scaleColumns, scaleRows, size, spectralNorm }
  from "rnnlab/linear_algebra.js";

const CLOSE = 1e-12;
const { fround } = Math;
const keyed = (names, value) => Object.fromEntries(names.map((name, i) => [name, value(name, i)]));
export const mean = (values) => values.reduce((sum, value) => sum + value, 0) / values.length;

// Entry [index, …] of an array of the page, in float64.
function part({ shape, values }, ...index) {
  const length = shape.slice(index.length).reduce((product, own) => product * own, 1);
  const start = index.reduce((offset, at, axis) => offset * shape[axis] + at, 0) * length;
  return Float64Array.from(values.subarray(start, start + length));
}

/** The longest time scale that chrono draws, as rnnlab's tasks set it. */
export const longestScale = ({ sequence, T }, { symbols }) =>
  sequence === "adding" ? T : 1.5 * (T - 2 * symbols);

// Kernels and biases; in float32 where rnnlab draws them so.
function parameters(cell, settings, instrument) {
  const { kernel, seed, sequence, gain, tie, b_f, b_i } = settings;
  const n = instrument.hidden, at = [instrument.families.indexOf(kernel), seed];
  const constants = cell.biases({ ...settings, b_i: tie ? -b_f : b_i });
  const each = (value) => keyed(cell.kernels, value);
  const bias = each((k) => new Float64Array(n).fill(constants[k]));
  if (settings.chrono && cell.keeps) { // log u, u ~ U[1, t_max − 1]
    const range = fround(longestScale(settings, instrument) - 2);
    bias[cell.keeps] = part(instrument.chrono, seed)
      .map((v) => fround(Math.log(fround(fround(v * range) + 1))));
    if (bias.f) bias.i = bias.f.map((b) => -b);
  }
  return {
    n,
    bias,
    U: each((_, i) => part(instrument.recurrent, ...at, i).map((u) => fround(fround(gain) * u))),
    W: each((_, i) => part(instrument.input[sequence], ...at, i)),
  };
}

// The inputs of each time step: of the adding problem or the copy task, T steps in all.
function inputsOf({ sequence, seed, T }, instrument) {
  const steps = (input) => Array.from({ length: T }, (_, t) => input(t));
  if (sequence === "adding") { // a mark in each half
    const values = part(instrument.adding.values, seed), half = Math.floor(T / 2);
    const [first, second] = part(instrument.adding.places, seed);
    const marks = [Math.floor(first * half), half + Math.floor(second * (T - half))];
    return steps((t) => Float64Array.of(values[t], marks.includes(t)));
  }
  const { classes } = instrument, symbols = part(instrument.copy, seed);
  const delimiter = T - symbols.length - 1;
  const shown = (t) => symbols[t] ?? (t === delimiter ? classes - 1 : 0);
  return steps((t) => new Float64Array(classes).fill(1, shown(t), shown(t) + 1));
}

/** All that is shown, as arrays over t = 0 … T − 1; the settings are named as the dials. */
export function measure(settings, instrument) {
  const cell = CELLS[settings.cell], params = parameters(cell, settings, instrument);
  const steps = unroll(cell, params, inputsOf(settings, instrument)), root = Math.sqrt(params.n);
  return {
    gates: keyed(cell.gates, (gate) => steps.map(({ seen }) => mean(seen[gate]))),
    states: keyed(cell.states, (name) => steps.map(({ seen }) => size(seen[name]) / root)),
    ...backwards(cell, params, steps),
    ...atZero(cell, params, settings.gain),
  };
}

// log10 of the norms of ∂carry_T/∂carry_t, backwards from T: in all (`byCarry`; `byH` is the part
// through h_t), by the product of one-step ∂carry/∂carry, and by the gate alone; and each step's
// Jacobian. Matrices are scaled by a power of two, which is kept beside them: none underflows.
function backwards(cell, { n, U }, steps) {
  const ways = Object.keys(steps[0].paths), direct = cell.keeps ? ["direct"] : [];
  const norms = keyed([...direct, "total", "product"], () => []);
  const oneStep = keyed([...direct, "total"], () => []);
  const shares = keyed([...direct, ...ways, "indirect"], () => []);
  const [byCarry, byH, product, through, total, next, spare] =
    Array.from({ length: 7 }, () => new Float64Array(n * n));
  const kept = new Float64Array(n), atStart = new Float64Array(n).fill(cell.carry === "h" ? 1 : 0);
  let power = 0, productPower = 0;
  for (const A of [byCarry, product]) addDiagonal(A, new Float64Array(n).fill(1));
  for (let t = steps.length - 1; t >= 0; t--) {
    const { keep, paths, output } = steps[t], follow = steps[t - 1]?.follow ?? atStart;
    norms.total[t] = log10(spectralNorm(byCarry, n), power);
    norms.product[t] = log10(spectralNorm(product, n), productPower);
    through.fill(0);
    for (const way of ways) {
      scaleRows(U[way], paths[way], spare);
      add(through, spare);
      scaleColumns(spare, follow);
      shares[way][t] = size(spare);
    }
    total.set(through);
    scaleColumns(total, follow);
    shares.indirect[t] = size(total);
    addDiagonal(total, keep);
    oneStep.total[t] = spectralNorm(total, n);
    if (cell.keeps) {
      norms.direct[t] = Math.max(...kept);
      oneStep.direct[t] = Math.max(...keep);
      shares.direct[t] = size(keep);
      for (let u = 0; u < n; u++) kept[u] += Math.log10(keep[u]);
    }
    const whole = size(total);
    for (const values of Object.values(shares)) values[t] /= whole;

    multiply(byCarry, through, next, n);
    if (output) { // what h_{t−1} does to h_t past c_t
      scaleRows(U.o, output, spare);
      multiply(byH, spare, through, n);
      add(next, through);
    }
    byH.set(next);
    scaleColumns(next, follow);
    scaleColumns(byCarry, keep);
    add(byCarry, next);
    multiply(product, total, spare, n);
    product.set(spare);
    power += rescale(byCarry, byH);
    productPower += rescale(product);
  }
  return { norms, oneStep, shares };
}

const log10 = (norm, power) => Math.log10(norm) + power * Math.log10(2);

// Divide matrices by the power of two near their largest entry; returns its exponent.
function rescale(...matrices) {
  let largest = 0;
  for (const A of matrices) for (const a of A) largest = Math.max(largest, Math.abs(a));
  const power = largest > 0 ? Math.floor(Math.log2(largest)) : 0, factor = 2 ** -power;
  for (const A of matrices) for (let i = 0; i < A.length; i++) A[i] *= factor;
  return power;
}

// The (h, c) Jacobian at the zero state: eigenvalues, predicted ring, gains of lost stability.
function atZero(cell, params, gain) {
  const { n } = params, { keep, leak, write, U } = linearised(cell, params);
  const ofU = eigenvalues(U, n), ratios = leak.map((own, u) => own / write[u]);
  const areEqual = (values) => Math.max(...values) - Math.min(...values) < CLOSE * values[0];
  const jacobian = (factor) => { // with the kernel times a factor
    const J = new Float64Array(n * n);
    scaleRows(U, write.map((own) => factor * own), J);
    addDiagonal(J, keep);
    return J;
  };
  const at = areEqual(leak)
    ? (factor) => ofU.map(([re, im]) => [keep[0] + factor * write[0] * re, factor * write[0] * im])
    : (factor) => eigenvalues(jacobian(factor), n);
  // The h of an LSTM passes nothing on.
  const found = [...at(1), ...Array((cell.states.length - 1) * n).fill([0, 0])];
  return {
    eigenvalues: { real: found.map(([re]) => re), imag: found.map(([, im]) => im) },
    ring: { centre: mean(keep), radius: mean(write) * greatest(ofU) },
    // The real positive eigenvalue of the kernel that makes the zero state unstable, where it is
    // one (rnnlab.theory's critical_gain); and the gain at which these kernels do.
    criticalGain: areEqual(ratios) ? ratios[0] : null,
    lossOfStability: gain
      * leastRoot((factor) => greatest(at(factor)) - 1, Math.min(...ratios) / spectralNorm(U, n)),
  };
}

const greatest = (pairs) => Math.max(...pairs.map((pair) => Math.hypot(...pair)));

// The least root that is not below `high`: from there in steps of 5 %, then by the secant method
// that keeps a bracket (Illinois). No factor below the least leak/write over ‖U‖₂ loses stability.
function leastRoot(excess, high) {
  let low = high, f_high = excess(high), f_low = f_high;
  while (f_high < 0) {
    [low, f_low, high] = [high, f_high, 1.05 * high];
    f_high = excess(high);
  }
  while (high - low > CLOSE * high) {
    const middle = high - f_high * (high - low) / (f_high - f_low), f = excess(middle);
    if (f === 0) return middle;
    if (f < 0) [low, f_low, f_high] = [middle, f, f_high / 2];
    else [high, f_high, f_low] = [middle, f, f_low / 2];
  }
  return high;
}
