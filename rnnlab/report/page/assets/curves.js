// Numbers of the page's data: summarised over seeds, drawn as lines and in panels.

import { data, nearest } from "rnnlab/data.js";
import { addPlot, axis, look } from "rnnlab/plot.js";
import { state } from "rnnlab/state.js";
import { digits, plain } from "rnnlab/text.js";

const NOTHING = "No setting that is switched on has this.";
export const isOn = ({ setting }) => state.get("settings").includes(setting);
export const labelOf = ({ setting }) => data.settings[setting].label;

/** The rows of an array [row, x], or of [step, row, x] at the index-th step. */
export function rowsOf({ shape, values }, index = 0) {
  const [rows, width] = shape.slice(-2);
  const at = (row) => (index * rows + row) * width;
  return Array.from({ length: rows }, (_, row) => values.subarray(at(row), at(row + 1)));
}

/** A training step in words; −1 stands for weights that a user brought. */
export const stepWords = (step) =>
  (step > 0 ? `after ${step} updates` : step < 0 ? "weights as given" : "before training");

/** Which steps are shown, where one is not the slider's. */
function stepNote(steps) {
  const sorted = [...new Set(steps)].sort((a, b) => a - b);
  if (sorted.every((step) => step === now())) return "";
  const words = sorted.map(stepWords).join(" and ");
  return `Shown ${words}, the nearest record${sorted.length > 1 ? "s of the settings" : ""}.`;
}

/** The slider's step; of a page without one its only step. */
export const now = () => state.get("step") ?? data.steps[0];

/** Of records with a step, those nearest to the slider's, of each setting its own. */
export function recordsAtStep(records) {
  const own = Object.values(Object.groupBy(records, ({ setting }) => setting)).flatMap((all) => {
    const { step } = all[nearest(all.map((record) => record.step), now())];
    return all.filter((record) => record.step === step);
  });
  return { own, note: stepNote(own.map(({ step }) => step)) };
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
 * Lines over x of the settings that are on: the median over seeds in a band from the least to the
 * greatest, or a line a seed. What is missing is passed over; line and band end where a value is
 * not finite. `rowsOfItem` gives an item's values, a row a seed.
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
        hoverinfo: "skip", hovertemplate: null });
    }
    const strands = isSingle ? values.map((row) => curve((i) => [scale(row[i])])) : [medians];
    strands.forEach((points, s) => {
      add(points, { line: { color, dash, width: isSingle ? 1.2 : 2 } });
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

/** The lines of a curve, of each setting at its record that is nearest to the slider's step. */
export function linesAtStep({ x, label, xLabel, steps, items }, options = {}) {
  const used = [];
  const drawn = lines(x.values, items, ({ values, records }) => {
    const index = records[nearest(records.map((k) => steps[k]), now())];
    used.push(steps[index]);
    return rowsOf(values, index);
  }, { xName: xLabel, yName: label, ...options });
  return { used, note: used.length ? stepNote(used) : NOTHING, ...drawn };
}

/** A range of the axis that stays as it is while the step moves. */
export function fixedRange(entries) {
  const on = entries.flatMap(({ items }) => items).filter((item) => item.extent && isOn(item));
  const low = Math.min(...on.map(({ extent }) => extent[0]));
  const high = Math.max(...on.map(({ extent }) => extent[1]));
  const margin = 0.04 * (high - low || 1);
  return on.length ? [low >= 0 && low < high / 2 ? 0 : low - margin, high + margin] : undefined;
}

/** A plot of the curves of a group, a panel each; `options` are of the y axis. */
export function addCurves(group, yTitle, options = {}) {
  const all = data.curves.filter((curve) => curve.group === group);
  addPlot(group, (width) => {
    const on = all.filter(({ items }) => items.some(isOn)), entries = on.length ? on : [all[0]];
    const titles = all.length > 1 ? entries.map(({ short }) => short) : [""];
    const { axes, layout } = panels(titles, width, axis(entries[0].xLabel),
      { ...axis(yTitle), range: fixedRange(entries), ...options });
    const drawn = entries.map((entry, i) => linesAtStep(entry, { yName: yTitle, trace: axes(i) }));
    return { traces: drawn.flatMap(({ traces }) => traces), layout,
      note: on.length ? stepNote(drawn.flatMap(({ used }) => used)) : NOTHING,
      summary: drawn.map(({ summary }, i) => `${entries[i].short}: ${summary}`).join(". "),
      table: { columns: ["curve", ...drawn[0].table.columns], rows: drawn.flatMap(({ table }, i) =>
        table.rows.map((row) => [entries[i].short, ...row])) } };
  });
}

/** Panels on one scale, side by side: the axes of the i-th for its traces, and the layout. */
export function panels(titles, width, xaxis, yaxis, isSquare = false) {
  const rows = Math.ceil(titles.length / Math.min(6, Math.max(2, Math.floor(width / 200))));
  const columns = Math.ceil(titles.length / rows);
  const height = isSquare ? (0.92 * (width - 66)) / columns : titles.length > 1 ? 200 : 270;
  const layout = { height: (rows + 0.22 * (rows - 1)) * height + 70, annotations: [],
    margin: { l: 52, r: 14, t: 26, b: 44 },
    grid: { rows, columns, pattern: "independent", xgap: 0.08, ygap: 0.22 } };
  const axes = (i) => ({ xaxis: `x${i ? i + 1 : ""}`, yaxis: `y${i ? i + 1 : ""}` });
  titles.forEach((title, i) => {
    const id = i ? i + 1 : "";
    const common = (first, isLabelled, { title: own, ...rest }) => ({ nticks: 5, ...rest,
      ...(i && { matches: first }), automargin: false,
      showticklabels: isLabelled, title: isLabelled && own });
    layout[`xaxis${id}`] = common("x", i + columns >= titles.length, xaxis);
    layout[`yaxis${id}`] = common("y", i % columns === 0, yaxis);
    layout.annotations.push({ text: `<b>${plain(title, 40)}</b>`, showarrow: false,
      x: 0, xref: `x${id} domain`, xanchor: "left",
      y: 1.01, yref: `y${id} domain`, yanchor: "bottom" });
  });
  return { layout, axes };
}
