// The instrument: what its dials set, and plots of the numbers that follow.

import { data } from "rnnlab/data.js";
import { longestScale, mean, measure } from "rnnlab/instrument.js";
import { across, addPlot, axis, categoryLook, plane, theme } from "rnnlab/plot.js";
import { state } from "rnnlab/state.js";
import { byId, digits, plain, rich } from "rnnlab/text.js";

const SLOW_LENGTH = 200; // longer sequences wait until the slider rests
const REST = 80; // ms
const EDGE = 0.2;
const instrument = data.explore;
const all = (selector) => [...document.querySelectorAll(`#explore ${selector}`)];
const filled = (text, words) =>
  rich(text.replace(/\{(\w+)\}/g, (same, word) => words[word] ?? same));

function addInstrument() {
  const names = Object.keys(instrument.start), keys = names.map((name) => `x.${name}`);
  const buttons = all("[data-set]").map((button) => [button, JSON.parse(button.dataset.set)]);
  for (const [button, own] of buttons) button.onclick = () => state.set(own);
  const isSet = (own) => Object.entries(own).every(([key, value]) => state.get(key) === value);
  const chosen = () => ({ ...Object.fromEntries(names.map((name, i) => [name, state.get(keys[i])])),
    seed: Number(state.get("x.seed")) });
  let now, resting;
  const plots = Object.keys(instrument.plots).map((name) =>
    addPlot(`explore-${name}`, () => (name === "zero" ? drawZero(now) : drawLines(name, now))));
  const show = () => {
    now = { settings: chosen(), ...measure(chosen(), instrument) };
    const words = wordsOf(now);
    const told = buttons.find(([button, own]) => button.dataset.text && isSet(own))?.[0].dataset;
    byId("said").replaceChildren(
      ...filled(told?.text ?? instrument.cells[now.settings.cell].text, words));
    for (const place of all("[data-word]")) place.textContent = words[place.dataset.word] ?? "–";
    for (const plot of plots) plot.update();
  };
  const update = () => {
    clearTimeout(resting);
    for (const [button, own] of buttons) {
      if (button.ariaPressed) button.ariaPressed = String(isSet(own));
    }
    showDials();
    if (now && state.get("x.T") > SLOW_LENGTH) resting = setTimeout(show, REST);
    else show();
  };
  state.subscribe([...keys, "x.of"], update);
  update();
  if (location.hash.includes("x.")) byId("explore").scrollIntoView();
}

/** The words beside the sliders, and below them what the measured points differ in. */
function showDials() {
  for (const words of all(".slider output")) {
    const input = words.previousElementSibling;
    words.textContent = digits(state.get(input.name)) + words.dataset.unit;
    input.ariaValueText = words.textContent;
  }
  for (const note of all("[data-of]")) note.hidden = note.dataset.of !== state.get("x.of");
}

// 10^x for people: a number, or a·10ⁿ with n raised.
function amount(log10) {
  if (log10 > -2.5 && log10 < 4) return digits(Number((10 ** log10).toPrecision(2)));
  const power = Math.floor(log10);
  const raised = String(power).replace(/./g, (sign) => "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"["-0123456789".indexOf(sign)]);
  return `${(10 ** (log10 - power)).toFixed(1)}·10${raised}`;
}

/** What texts of Python name in braces. */
function wordsOf({ settings, norms, oneStep, gates, ...zero }) {
  const { keeps } = instrument.cells[settings.cell];
  const at = (gain) => amount(measure({ ...settings, gain }, instrument).norms.total[0]);
  return {
    back: settings.T - 1,
    longest: digits(longestScale(settings, instrument) - 1),
    b_i: digits(-settings.b_f),
    left: amount(norms.total[0]),
    gates: keeps && amount(norms.direct[0]),
    product: amount(norms.product[0]),
    keep: keeps && mean(gates[keeps]).toFixed(2),
    norm: mean(oneStep.total.slice(1)).toFixed(2),
    critical: digits(zero.lossOfStability),
    closed: digits(zero.criticalGain),
    get lower() { return at(settings.gain - EDGE); },
    get higher() { return at(settings.gain + EDGE); },
  };
}

// Lines over 0, 1, 2 …; measured points; a level to compare with.
function drawLines(name, numbers) {
  const { x: xName, y: yName, axis: range, lines, measured, level } =
    instrument.cells[numbers.settings.cell].plots[name];
  const series = lines.map(([label, [group, entry]]) => [label, measured === "sensitivity"
    ? numbers[group][entry].toReversed() : numbers[group][entry]]);
  const x = [...(series[0]?.[1] ?? []).keys()], own = instrument.settings[state.get("x.of")];
  const trace = (label, options) => ({ type: "scatter", name: plain(label),
    hovertemplate: `${plain(xName)} %{x}<br>%{y:.4~g}<extra>${plain(label)}</extra>`, ...options });
  const traces = series.map(([label, y], i) =>
    trace(label, { mode: "lines", x, y, line: { ...categoryLook(i), width: i < 2 ? 3 : 2 } }));
  if (own?.[measured]) {
    const { x: places, values } = own[measured], y = [...values.values];
    const label = `measured before training: ${own.label}`;
    traces.push(trace(label, { mode: "markers", x: places, y,
      marker: { color: categoryLook(4).color, size: 6, symbol: "circle-open" } }));
    series.push([label, x.map((at) => y[places.indexOf(at)])]);
  }
  const shapes = level ? [across("y", level, { color: theme().muted, width: 1 })] : [];
  return {
    traces,
    layout: { showlegend: true, shapes, margin: { l: 56, r: 14, t: 48, b: 44 },
      xaxis: axis(xName), yaxis: { ...axis(yName), ...range } },
    summary: series.map(([label, y]) =>
      `${label}: first ${digits(y[0] ?? NaN)}, last ${digits(y.at(-1) ?? NaN)}`).join("; "),
    table: { columns: [xName, ...series.map(([label]) => label)],
      rows: x.map((at) => [at, ...series.map(([, y]) => y[at] ?? null)]) },
  };
}

function drawZero({ eigenvalues: { real, imag }, ring }) {
  const points = real.map((re, i) => [re, imag[i]]);
  return {
    traces: plane(points, [ring], theme().ink),
    layout: { xaxis: { ...axis("real part"), constrain: "domain" },
      yaxis: { ...axis("imaginary part"), scaleanchor: "x" } },
    summary: `ring around ${digits(ring.centre)} of radius ${digits(ring.radius)}; ` +
      `largest modulus ${digits(Math.max(...points.map((point) => Math.hypot(...point))))}`,
    table: { columns: ["real part", "imaginary part"], rows: points },
  };
}

addInstrument();
