// What was recorded beside the gradient: paths, learning, gates, eigenvalues, exponents.

import { addCurves, finite, isOn, labelOf, lines, now, panels, recordsAtStep, rowsOf, spread }
  from "rnnlab/curves.js";
import { data, nearest } from "rnnlab/data.js";
import { across, addPlot, axis, categoryLook, look, plane, theme } from "rnnlab/plot.js";
import { state } from "rnnlab/state.js";
import { digits, joined, plain } from "rnnlab/text.js";

const MOST_PANELS = 6;

export function addRecords() {
  addCurves("paths", "spectral norm");
  addPlot("against", drawAgainst);
  addCurves("share", "share of the indirect path");
  addPlot("learning", drawLearning, (drawing) => drawing.on("plotly_click", ({ points }) =>
    state.set({ step: data.steps[nearest(data.steps, points[0].x)] })));
  addCurves("lyapunov", "exponent, per step", { zeroline: true, zerolinecolor: "#888888" });
  addCurves("gates", "mean of the gate");
  addPlot("eigenvalues", drawEigenvalues);
}

function drawAgainst() {
  const { symbol, places, families, note: without, measures } = data.against;
  const { label, caption, entries } = measures.find(({ name }) => name === state.get("measure"));
  const { own, note } = recordsAtStep(entries);
  const shown = families.map((family) => family.filter((setting) =>
    data.settings[setting].beforeTraining || isOn({ setting }))).filter((family) => family.length);
  const [traces, rows] = [[], []];
  own.forEach(({ name, items }, path) => shown.forEach((family, f) => {
    const points = family.flatMap((setting) => items.filter((item) => item.setting === setting))
      .map((item) => ({ x: places[item.setting], label: labelOf(item),
        y: spread(item.values.map((value) => value ?? NaN)) }));
    if (points.length) traces.push(marks(points, name, categoryLook(path), f));
    rows.push(...points.map((point) => [name, point.label, point.x, ...point.y]));
  }));
  return {
    traces, caption,
    note: joined([note, shown.length > 1 && shown[0].length > 1 &&
      `Lines join settings that differ in ${symbol} alone; open marks are the others.`,
    without], " "),
    layout: { showlegend: own.length > 1, xaxis: axis(symbol), yaxis: axis(label, 40) },
    table: { columns: ["quantity", "setting", symbol, "median", "least", "greatest"], rows },
    summary: rows.map(([path, setting, , y]) => `${path}, ${setting}: ${digits(y)}`).join("; "),
  };
}

function marks(points, label, { color, dash, symbol }, family) {
  const error = (other) => points.map(({ y }) => finite(Math.abs(y[other] - y[0])));
  return { type: "scatter", mode: points.length > 1 ? "lines+markers" : "markers",
    name: plain(label), legendgroup: label,
    x: points.map(({ x }) => x), y: points.map(({ y }) => finite(y[0])),
    line: { color, dash, width: 2 },
    marker: { color, size: 9, symbol: family ? `${symbol}-open` : symbol },
    error_y: { symmetric: false, thickness: 1.2, width: 3, color,
      array: error(2), arrayminus: error(1) },
    text: points.map((point) => plain(point.label)),
    hovertemplate: `%{text}<br>%{y:.4~g}<extra>${plain(label)}</extra>` };
}

function drawLearning() {
  const { learning: { yLabel, isLog, x, levels, items, runs }, settings, steps } = data;
  const [xName, { muted, ink, paper }] = ["training step", theme()];
  const drawn = lines(x.values, items, ({ loss }) => rowsOf(loss), { xName, yName: yLabel });
  const own = runs.filter(isOn), lost = own.filter(({ diverged }) => diverged).length;
  const solved = own.filter(({ solvedAt }) => solvedAt !== null);
  const words = (run) => `${labelOf(run)}, seed ${run.seed}`;
  const marks = { type: "scatter", mode: "markers", name: "solved",
    x: solved.map(({ solvedAt }) => solvedAt), y: solved.map(({ threshold }) => threshold),
    text: solved.map((run) => plain(words(run))),
    marker: { size: 10, symbol: solved.map(({ setting }) => settings[setting].symbol),
      color: solved.map(({ setting }) => look(settings[setting]).color),
      line: { color: paper, width: 1 } },
    hovertemplate: "solved at step %{x}<extra>%{text}</extra>" };
  const empty = drawn.table.columns.slice(1).fill(null);
  return {
    traces: [...drawn.traces, marks],
    layout: { height: 380, hoverdistance: -1, xaxis: axis(xName),
      yaxis: { ...axis(yLabel), ...(isLog && { type: "log", dtick: 1 }) },
      shapes: [
        ...levels.map(([value, text]) => ({
          ...across("y", value, { color: muted, width: 1, dash: "dash" }),
          label: { text, textposition: "end", font: { color: muted } } })),
        ...(steps.length > 1 ? [across("x", now(), { color: ink, width: 1 })] : [])] },
    note: joined([steps.length > 1 && "A click sets the training step.",
      lost && `Runs that diverged: ${lost}.`], " "),
    summary: joined([drawn.summary,
      ...solved.map((run) => `${words(run)}, solved at step ${run.solvedAt}`)], "; "),
    table: { columns: [...drawn.table.columns, "seed that solved", "at step"],
      rows: [...drawn.table.rows.map((row) => [...row, null, null]),
        ...solved.map((run) => [labelOf(run), ...empty, run.seed, run.solvedAt])] },
  };
}

function drawEigenvalues(width) {
  const reach = Math.max(1, ...data.eigenvalues.map((record) => record.reach));
  const range = [-1.05 * reach, 1.05 * reach];
  const { own: all, note } = recordsAtStep(data.eigenvalues);
  const of = (setting) => all.filter((record) => record.setting === setting);
  const points = ({ real, imag }) => Array.from(real.values, (x, i) => [x, imag.values[i]]);
  const on = state.get("settings").filter((setting) => of(setting).length);
  const drawn = on.slice(0, MOST_PANELS), records = drawn.flatMap(of);
  const { axes, layout } = panels(drawn.map((setting) => labelOf({ setting })), width,
    { ...axis("real part"), range }, { ...axis("imaginary part"), range }, true);
  return {
    traces: drawn.flatMap((setting, panel) => plane(of(setting).flatMap(points),
      of(setting).map(({ ring }) => ring).filter(Boolean), look(data.settings[setting]).color)
      .map((trace) => ({ ...trace, ...axes(panel) }))),
    layout,
    note: joined([note,
      on.length > MOST_PANELS && `The first ${MOST_PANELS} settings of ${on.length}.`], " "),
    summary: records.map((record) => `${labelOf(record)}, seed ${record.seed}: greatest modulus ` +
      digits(Math.max(...points(record).map((point) => Math.hypot(...point))))).join("; "),
    table: { columns: ["setting", "seed", "step", "t", "real", "imag"],
      rows: records.flatMap((own) =>
        points(own).map((point) => [labelOf(own), own.seed, own.step, own.t, ...point])) },
  };
}
