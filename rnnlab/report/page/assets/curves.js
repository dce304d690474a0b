// Numbers of the page's data: summarised over seeds, drawn as lines and in panels.

import { data } from "rnnlab/data.js";
import { addPlot } from "rnnlab/plot.js";
import { state } from "rnnlab/state.js";
import { digits, plain } from "rnnlab/text.js";
import { look } from "rnnlab/theme.js";

export const isOn = ({ setting }) => state.get("settings").includes(setting);
export const labelOf = ({ setting }) => data.settings[setting].label;

/** The rows of an array [row, x], or of [step, row, x] at the index-th step. */
export function rowsOf({ shape, values }, index = 0) {
  const [rows, width] = shape.slice(-2);
  const at = (row) => (index * rows + row) * width;
  return Array.from({ length: rows }, (_, row) => values.subarray(at(row), at(row + 1)));
}

/** Index of the number that is nearest. */
export const nearest = (numbers, wanted) => numbers.reduce((best, number, i) =>
  (Math.abs(number - wanted) < Math.abs(numbers[best] - wanted) ? i : best), 0);

/** A training step in words; −1 stands for weights that a user brought. */
export const stepWords = (step) =>
  step < 0 ? "weights as given" : step === 0 ? "before training" : `after ${step} updates`;

/** Which steps are shown, where one is not the slider's. */
function stepNote(steps) {
  const sorted = [...new Set(steps)].sort((a, b) => a - b);
  if (sorted.every((step) => step === state.get("step"))) return "";
  const words = sorted.map(stepWords).join(" and ");
  return `Shown ${words}, the nearest record${sorted.length > 1 ? "s of the settings" : ""}.`;
}

/** Of records with a step, those nearest to the slider's. */
export function recordsAtStep(records) {
  const step = records[nearest(records.map((record) => record.step), state.get("step"))].step;
  return { step, own: records.filter((record) => record.step === step), note: stepNote([step]) };
}

/** A number, or null where Plotly should end a line. */
export const finite = (value) => (Number.isFinite(value) ? value : null);

/** [median, least, greatest] without NaN. An exact zero, −∞ as a logarithm, counts as small. */
export function spread(values) {
  const known = values.filter((value) => !Number.isNaN(value)).sort((a, b) => a - b);
  if (known.length === 0) return [NaN, NaN, NaN];
  const [a, b] = [Math.floor, Math.ceil].map((round) => known[round((known.length - 1) / 2)]);
  return [a === b ? a : (a + b) / 2, known[0], known.at(-1)];
}

/**
 * Lines over x of the settings that are switched on: the median over seeds in a band from the least
 * to the greatest, or a line a seed. What is missing is passed over; where a value is not finite,
 * line and band end. `rowsOfItem` gives an item's values, a row a seed.
 */
export function lines(x, items, rowsOfItem, options) {
  const { xName, yName, scale = (y) => y, hover = "%{y:.4~g}", trace = {} } = options;
  const isSingle = state.get("band") === "seeds";
  const [traces, rows, words] = [[], [], []];
  for (const item of items.filter(isOn)) {
    const [label, values] = [labelOf(item), rowsOfItem(item)];
    const { color, dash } = look(data.settings[item.setting]);
    const add = (points, own) => traces.push({ type: "scatter", mode: "lines", name: plain(label),
      legendgroup: label, x: points.map(([at]) => at), y: points.map(([, y]) => finite(y)),
      hovertemplate: `${plain(xName)} %{x}<br>${hover}<extra>${plain(label)}</extra>`,
      ...trace, ...own });
    const curve = (of) =>
      Array.from(x, (at, i) => [at, ...of(i)]).filter(([, y]) => !Number.isNaN(y));
    const medians = curve((i) => spread(values.map((row) => row[i])).map(scale));
    if (medians.length === 0) continue;
    const ends = [medians[0], medians.at(-1)].map(([at, y]) =>
      `${digits(y)} at ${xName} ${digits(at)}`);
    words.push(`${label}: ${ends.join(", ")}`);
    if (!isSingle && values.length > 1) {
      add(outline(medians), { fill: "toself", fillcolor: `${color}24`, line: { width: 0 },
        hoverinfo: "skip", hovertemplate: null, showlegend: false });
    }
    const strands = isSingle ? values.map((row) => curve((i) => [scale(row[i])])) : [medians];
    strands.forEach((points, s) => {
      const line = { color, dash, width: isSingle ? 1.2 : 2 };
      add(points, { line, ...(s && { showlegend: false }) });
      rows.push(...points.map((point) => [label, ...(isSingle ? [item.seeds[s]] : []), ...point]));
    });
  }
  const columns = isSingle ? ["seed", xName, yName]
    : [xName, `${yName}: median`, "least", "greatest"];
  return { traces, table: { columns: ["setting", ...columns], rows }, summary: words.join("; ") };
}

/** Of [x, median, low, high]: a closed outline for each stretch in which all is finite. */
function outline(points) {
  const stretches = [[]];
  for (const point of points) {
    if (point.every(Number.isFinite)) stretches.at(-1).push(point);
    else stretches.push([]);
  }
  return stretches.filter((stretch) => stretch.length).flatMap((stretch) => [
    ...stretch.map(([at, , low]) => [at, low]),
    ...stretch.toReversed().map(([at, , , high]) => [at, high]), [null, NaN]]);
}

/** Indices of the steps at which an item has numbers: settings may have records of their own. */
export function recorded({ shape: [steps, seeds, width], values }) {
  const isThere = (k) => values.subarray(k * seeds * width, (k + 1) * seeds * width)
    .some((value) => !Number.isNaN(value));
  return Array.from({ length: steps }, (_, k) => k).filter(isThere);
}

/** The lines of a curve, of each setting at its record that is nearest to the slider's step. */
export function linesAtStep({ x, label, xLabel, steps, items }, options = {}) {
  const used = [];
  const drawn = lines(x.values, items, ({ values }) => {
    const own = recorded(values);
    const index = own[nearest(own.map((k) => steps[k]), state.get("step"))];
    used.push(steps[index]);
    return rowsOf(values, index);
  }, { xName: xLabel, yName: label, ...options });
  return { note: stepNote(used), ...drawn };
}

/** A range of the axis that stays as it is while the step moves. */
export function fixedRange(entries) {
  const items = entries.flatMap((entry) => entry.items);
  const found = items.filter(isOn).map(({ values }) => values.extent);
  const [low, high] = [Math.min(...found.map(([l]) => l)), Math.max(...found.map(([, h]) => h))];
  const margin = 0.04 * (high - low || 1);
  return low <= high ? [low >= 0 && low < high / 2 ? 0 : low - margin, high + margin] : undefined;
}

/** A plot of the curves of a group against one axis, a panel each, if there are any. */
export function addCurves(parent, group, title, options = {}) {
  const entries = data.curves.filter((curve) => curve.group === group);
  if (entries.length === 0) return;
  const [{ xLabel, label }] = entries, { yTitle = label } = options;
  const titles = entries.length > 1 ? entries.map(({ short }) => short) : [""];
  const draw = (width) => {
    const { axes, layout } = panels(titles, width, { title: plain(xLabel) },
      { title: plain(yTitle), range: fixedRange(entries) });
    const drawn = entries.map((entry, i) => linesAtStep(entry, { yName: yTitle,
      trace: { ...axes(i), ...(i && { showlegend: false }) } }));
    const rows = drawn.flatMap(({ table }, i) =>
      table.rows.map((row) => [entries[i].short, ...row]));
    return { traces: drawn.flatMap(({ traces }) => traces), layout, note: drawn[0].note,
      summary: drawn.map(({ summary }, i) => `${entries[i].short}: ${summary}`).join(". "),
      table: { columns: ["curve", ...drawn[0].table.columns], rows } };
  };
  addPlot(parent, { name: group, title, draw, keys: ["step", "settings", "band"], ...options });
}

/** Panels on one scale, side by side: the axes of the i-th for its traces, and the layout. */
export function panels(titles, width, xaxis, yaxis, isSquare = false) {
  const rows = Math.ceil(titles.length / Math.min(6, Math.max(2, Math.floor(width / 200))));
  const columns = Math.ceil(titles.length / rows);
  const height = isSquare ? (0.92 * (width - 66)) / columns : titles.length > 1 ? 200 : 270;
  const layout = { height: (rows + 0.22 * (rows - 1)) * height + 70, annotations: [],
    margin: { l: 52, r: 14, t: 26, b: 44 },
    grid: { rows, columns, pattern: "independent", xgap: 0.08, ygap: 0.22 } };
  titles.forEach((_, i) => {
    const id = i ? i + 1 : "";
    const common = (axis, isLabelled, { title, ...own }) => ({ nticks: 5, automargin: false, ...own,
      ...(i && { matches: axis }), showticklabels: isLabelled, title: isLabelled ? title : "" });
    layout[`xaxis${id}`] = common("x", i + columns >= titles.length, xaxis);
    layout[`yaxis${id}`] = common("y", i % columns === 0, yaxis);
    layout.annotations.push({ text: `<b>${plain(titles[i], 40)}</b>`, showarrow: false,
      x: 0, xref: `x${id} domain`, xanchor: "left",
      y: 1.01, yref: `y${id} domain`, yanchor: "bottom" });
  });
  return { layout, axes: (i) => ({ xaxis: `x${i ? i + 1 : ""}`, yaxis: `y${i ? i + 1 : ""}` }) };
}
