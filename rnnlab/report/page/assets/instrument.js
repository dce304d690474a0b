// The numbers of the instrument: from settings and the kernels that rnnlab has drawn, in float64.

import { CELLS, keyed, unroll } from "rnnlab/cells.js";
import { crossing, diagonal, eigenvalues, norm, product, scaled, spectralNorm }
  from "rnnlab/linear_algebra.js";

export const mean = (values) => values.reduce((whole, value) => whole + value, 0) / values.length;

// Entry [index, …] of an array of the page.
const part = ({ shape, values }, ...index) => index.reduce((own, at, axis) =>
  own.subarray(at * own.length / shape[axis], (at + 1) * own.length / shape[axis]), values);

/** The longest time scale that chrono draws, as rnnlab's tasks set it. */
export const longestScale = ({ sequence, T }, { symbols }) =>
  sequence === "adding" ? T : 1.5 * (T - 2 * symbols);

// Kernels and biases; in float32 where rnnlab draws them so.
function parameters({ kernels, keeps }, settings, instrument) {
  const { kernel, seed, sequence, tie, chrono } = settings, { hidden: n, families } = instrument;
  const at = [families.indexOf(kernel), seed], gain = Math.fround(settings.gain);
  const each = (value) => keyed(kernels, (k, i) => new Float64Array(value(k, i)));
  const bias = each((k) => new Array(n).fill(settings[`b_${k}`] ?? 0));
  if (chrono && keeps) { // log u, u ~ U[1, t_max − 1]
    const range = Math.fround(longestScale(settings, instrument) - 2);
    const u = part(instrument.chrono, seed).map((v) => v * range).map((v) => v + 1);
    bias[keeps] = new Float64Array(u.map(Math.log));
  }
  if (bias.f && (chrono || tie)) bias.i = bias.f.map((b) => -b);
  return {
    n, bias,
    U: each((_, i) => part(instrument.recurrent, ...at, i).map((u) => gain * u)),
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
  const inputs = inputsOf(settings, instrument), steps = unroll(cell, params, inputs);
  const [atRest] = unroll(cell, params, [inputs[0].map(() => 0)]), root = Math.sqrt(params.n);
  return {
    gates: keyed(cell.gates, (gate) => steps.map(({ seen }) => mean(seen[gate]))),
    states: keyed(cell.states, (name) => steps.map(({ seen }) => norm(seen[name]) / root)),
    ...backwards(cell, params, steps),
    ...atZero(cell, params, atRest, settings.gain),
  };
}

// log10 of the norms of ∂carry_T/∂carry_t, backwards from T: in all (C; H is ∂carry_T/∂h_t), by
// the product P of one-step ∂carry/∂carry, and by the gate alone; and each step's Jacobian. C, H, P
// are divided by the norms of C and P, whose logarithms are added up: none underflows.
function backwards({ carry, keeps }, { n, U }, steps) {
  const one = new Float64Array(n).fill(1), none = new Float64Array(n), found = [];
  let [C, H, P] = [one, none, one].map(diagonal), kept = none, logC = 0, logP = 0;
  for (let t = steps.length - 1; t >= 0; t--) {
    const { seen, paths: { o, ...paths } } = steps[t], keep = seen[keeps] ?? none;
    const follow = steps[t - 1]?.seen.follow ?? (carry === "h" ? one : none);
    const ways = Object.keys(paths), byH = new Float64Array(n * n); // ∂carry_t/∂h_{t−1}
    for (const k of ways) scaled(paths[k], U[k], one, byH);
    const indirect = scaled(one, byH, follow), total = scaled(one, byH, follow, diagonal(keep));

    const [normC, normP, whole] = [spectralNorm(C), spectralNorm(P), norm(total)];
    [logC, logP] = [logC + Math.log10(normC), logP + Math.log10(normP)];
    const direct = (value) => keeps && { direct: value }, share = (A) => norm(A) / whole;
    const shares = keyed(ways, (k) => share(scaled(paths[k], U[k], follow)));
    found[t] = {
      norms: { ...direct(Math.max(...kept)), total: logC, product: logP },
      oneStep: { ...direct(Math.max(...keep)), total: spectralNorm(total) },
      shares: { ...direct(share(keep)), ...shares, indirect: share(indirect) },
    };
    kept = kept.map((log, u) => log + Math.log10(keep[u]));
    const [perC, perP] = [normC, normP].map((own) => one.map(() => 1 / own));
    P = scaled(perP, product(P, total, n), one);
    H = scaled(perC, product(C, byH, n, o && product(H, scaled(o, U.o, one), n)), one);
    C = scaled(one, H, follow, scaled(perC, C, keep));
  }
  return keyed(Object.keys(found[0]), (group) =>
    keyed(Object.keys(found[0][group]), (name) => found.map((step) => step[group][name])));
}

// The (h, c) Jacobian at the zero state: eigenvalues, predicted ring, gains of lost stability.
function atZero({ keeps, candidate, states }, { n, U: { [candidate]: U } }, { seen, paths }, gain) {
  const one = new Float64Array(n).fill(1), keep = seen[keeps] ?? new Float64Array(n);
  const write = paths[candidate].map((own, u) => own * seen.follow[u]), ofU = eigenvalues(U);
  const [k, w] = [keep[0], write[0]], ratio = (1 - k) / w; // the ratio of every unit
  const at = keep.every((own) => own === k) // with the kernel times a factor
    ? (factor) => ofU.map(([re, im]) => [k + factor * w * re, factor * w * im])
    : (factor) => eigenvalues(scaled(write.map((own) => factor * own), U, one, diagonal(keep)));
  const isStable = (factor) => greatest(at(factor)) < 1;
  const found = [...at(1), ...Array((states.length - 1) * n).fill([0, 0])];
  let unstable = ratio / spectralNorm(U); // no lower factor is
  while (isStable(unstable)) unstable *= 1.05;
  return {
    eigenvalues: { real: found.map(([re]) => re), imag: found.map(([, im]) => im) },
    ring: { centre: mean(keep), radius: mean(write) * greatest(ofU) },
    // By a real positive eigenvalue (rnnlab.theory's critical_gain), and by those of these kernels.
    criticalGain: ratio,
    lossOfStability: gain * crossing(isStable, unstable / 1.05, unstable),
  };
}

const greatest = (pairs) => Math.max(...pairs.map((pair) => Math.hypot(...pair)));
