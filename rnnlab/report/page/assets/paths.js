// ∂C_t/∂C_{t−1} by path: its norm against t, and against what the settings differ in.

import { choice } from "rnnlab/bar.js";
import { addCurves, finite, isOn, labelOf, recordsAtStep, spread } from "rnnlab/curves.js";
import { data } from "rnnlab/data.js";
import { addPlot } from "rnnlab/plot.js";
import { state } from "rnnlab/state.js";
import { digits, joined, plain } from "rnnlab/text.js";
import { categoryLook } from "rnnlab/theme.js";

const FORGET_BIAS = "cell.forget_bias";
const NORM = "norm of one step by path";

export function addPaths(parent) {
  const { bySetting, curves, settings } = data;
  addCurves(parent, "paths", "Norm of one step against time, by path",
    { yTitle: "spectral norm", wide: true });
  const key = sweptKey(settings);
  if (key && bySetting.length) {
    const paths = curves.filter(({ group }) => group === "paths").map(({ name }) => name);
    const measure = ({ name }) => (paths.includes(name) ? NORM : name);
    addAgainst(parent, key, Object.groupBy(bySetting, measure));
  }
  addCurves(parent, "share", "Share of the indirect path");
}

/** What the settings differ in as a number: the forget bias, or else the first that there is. */
function sweptKey(settings) {
  const keys = [FORGET_BIAS, ...settings.flatMap(({ values }) => Object.keys(values))];
  const numbers = (key) => settings.map(({ values }) => values[key]).filter(Number.isFinite);
  return keys.find((key) => new Set(numbers(key)).size > 1);
}

function addAgainst(parent, key, measures) {
  const symbol = key === FORGET_BIAS ? "b_f" : key.split(".").at(-1);
  const label = (name) => (name === NORM ? NORM : measures[name][0].label);
  const show = choice("Show", "measure", Object.keys(measures).map((name) => [name, label(name)]));
  const draw = () => {
    const name = state.get("measure");
    return { ...drawAgainst(measures[name], label(name), key, symbol),
      caption: data.captions[name === NORM ? "against" : `against_${name}`] };
  };
  addPlot(parent, { name: "against", title: `Settings against ${symbol}`, draw, controls: [show],
    keys: ["step", "settings", "measure"] });
}

function drawAgainst(entries, what, key, symbol) {
  const { settings } = data, { own, note } = recordsAtStep(entries);
  const shown = [...settings.keys()].filter((setting) =>
    settings[setting].beforeTraining || isOn({ setting }));
  const on = Object.groupBy(shown, (i) => Number.isFinite(settings[i].values[key]));
  // Settings that agree in all but the key, the most first.
  const rest = (i) => JSON.stringify({ ...settings[i].values, [key]: null });
  const families = [...Map.groupBy(on.true ?? [], rest).values()]
    .sort((a, b) => b.length - a.length);
  const [traces, rows] = [[], []];
  own.forEach(({ name, items }, path) => families.forEach((family, f) => {
    const points = items.filter(({ setting }) => family.includes(setting)).map((item) => ({
      x: settings[item.setting].values[key], label: labelOf(item),
      y: spread(item.values.map((value) => value ?? NaN)) })).sort((a, b) => a.x - b.x);
    traces.push(marks(points, name, categoryLook(path), f));
    rows.push(...points.map((point) => [name, point.label, point.x, ...point.y]));
  }));
  const without = on.false?.map((i) => settings[i].label).join("; ");
  return {
    traces,
    note: joined([note, families.length > 1 &&
      `Lines join settings that differ in ${symbol} alone; open marks are the others.`,
    without && `Not drawn, since ${symbol} is no number: ${without}.`], " "),
    layout: { showlegend: own.length > 1, xaxis: { title: plain(symbol) },
      yaxis: { title: plain(what, 40) } },
    table: { columns: ["quantity", "setting", symbol, "median", "least", "greatest"], rows },
    summary: rows.map(([label, setting, , y]) => `${label}, ${setting}: ${digits(y)}`).join("; "),
  };
}

function marks(points, label, { color, dash, symbol }, family) {
  const error = (other) => points.map(({ y }) => finite(Math.abs(y[other] - y[0])));
  return { type: "scatter", mode: points.length > 1 ? "lines+markers" : "markers",
    name: plain(label), legendgroup: label, showlegend: family === 0,
    x: points.map(({ x }) => x), y: points.map(({ y }) => finite(y[0])),
    line: { color, dash, width: 2 },
    marker: { color, size: 9, symbol: family ? `${symbol}-open` : symbol },
    error_y: { symmetric: false, thickness: 1.2, width: 3, color,
      array: error(2), arrayminus: error(1) },
    text: points.map((point) => plain(point.label)),
    hovertemplate: `%{text}<br>%{y:.4~g}<extra>${plain(label)}</extra>` };
}
