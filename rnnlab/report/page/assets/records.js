// The rest of what was recorded: learning, gates, eigenvalues, Lyapunov exponents.

import { addCurves, isOn, labelOf, lines, nearest, panels, recordsAtStep, rowsOf }
  from "rnnlab/curves.js";
import { data } from "rnnlab/data.js";
import { across, addPlot, plane } from "rnnlab/plot.js";
import { state } from "rnnlab/state.js";
import { digits, joined, plain } from "rnnlab/text.js";
import { look, theme } from "rnnlab/theme.js";

const MOST_PANELS = 6;

export function addRecords(parent) {
  const add = (name, title, draw, options) =>
    addPlot(parent, { name, title, draw, keys: ["step", "settings", "band"], ...options });
  const setStep = ({ points }) => state.set({ step: data.steps[nearest(data.steps, points[0].x)] });
  if (data.learning) {
    add("learning", "Learning", drawLearning,
      { ready: (drawing) => drawing.on("plotly_click", setStep) });
  }
  if (data.lyapunov.length) add("lyapunov", "Lyapunov spectrum", drawLyapunov);
  addCurves(parent, "gates", "Gates against time", { yTitle: "mean of the gate", wide: true });
  if (data.eigenvalues.length) {
    add("eigenvalues", "Eigenvalues of one step", drawEigenvalues, { wide: true });
  }
}

function drawLearning() {
  const { learning: { yLabel, x, baseline, thresholds, items }, settings, steps } = data;
  const [xName, { muted, ink, paper }] = ["training step", theme()];
  const drawn = lines(x.values, items, ({ loss }) => rowsOf(loss), { xName, yName: yLabel });
  const isLog = items.every(({ loss }) => loss.values.every((value) => !(value <= 0)));
  const runs = items.filter(isOn).flatMap(({ setting, runSeeds, solvedAt, diverged, threshold }) =>
    runSeeds.map((seed, i) => ({ own: settings[setting], seed, threshold, at: solvedAt[i],
      diverged: diverged[i] })));
  const solved = runs.filter(({ at }) => at !== null).map((run) =>
    ({ ...run, label: `${run.own.label}, seed ${run.seed}` }));
  const lost = runs.filter(({ diverged }) => diverged).length;
  const levels = [...baseline.map((value) => [value, "remembers nothing"]),
    ...thresholds.map((value) => [value, "solved below"])];
  const marks = { type: "scatter", mode: "markers", name: "solved", x: solved.map(({ at }) => at),
    y: solved.map(({ threshold }) => threshold), text: solved.map(({ label }) => plain(label)),
    marker: { size: 10, symbol: solved.map(({ own }) => own.symbol),
      color: solved.map(({ own }) => look(own).color), line: { color: paper, width: 1 } },
    hovertemplate: "solved at step %{x}<extra>%{text}</extra>" };
  const empty = drawn.table.columns.slice(1).fill(null);
  return {
    traces: [...drawn.traces, marks],
    layout: { height: 380, hoverdistance: -1, xaxis: { title: xName },
      yaxis: { title: plain(yLabel), ...(isLog && { type: "log", dtick: 1 }) },
      shapes: [
        ...levels.map(([value]) => across("y", value, { color: muted, width: 1, dash: "dash" })),
        ...(steps.length > 1 ? [across("x", state.get("step"), { color: ink, width: 1 })] : [])],
      annotations: levels.map(([value, text]) => ({ text, showarrow: false, xref: "paper", x: 1,
        xanchor: "right", y: isLog ? Math.log10(value) : value, yanchor: "bottom",
        font: { color: muted } })) },
    note: joined([steps.length > 1 && "A click sets the training step.",
      lost && `Runs that diverged: ${lost}.`], " "),
    summary: joined([drawn.summary,
      ...solved.map(({ label, at }) => `${label}, solved at step ${at}`)], "; "),
    table: { columns: [...drawn.table.columns, "seed that solved", "at step"],
      rows: [...drawn.table.rows.map((row) => [...row, null, null]),
        ...solved.map(({ own, seed, at }) => [own.label, ...empty, seed, at])] },
  };
}

function drawEigenvalues(width) {
  const { own, step, note } = recordsAtStep(data.eigenvalues);
  const of = (setting) => own.filter((record) => record.setting === setting);
  const points = ({ real, imag }) => Array.from(real.values, (x, i) => [x, imag.values[i]]);
  const on = state.get("settings").filter((setting) => of(setting).length);
  const drawn = on.slice(0, MOST_PANELS), records = drawn.flatMap(of);
  const reach = Math.max(1, ...records.flatMap(({ ring, ...record }) => [...points(record).flat(),
    ring ? Math.abs(ring.centre) + ring.radius : 0].map(Math.abs)));
  const range = [-1.05 * reach, 1.05 * reach];
  const { axes, layout } = panels(drawn.map((setting) => labelOf({ setting })), width,
    { title: "real part", range }, { title: "imaginary part", range }, true);
  return {
    traces: drawn.flatMap((setting, panel) => plane(of(setting).flatMap(points),
      of(setting).map(({ ring }) => ring).filter(Boolean), look(data.settings[setting]).color)
      .map((trace) => ({ ...trace, showlegend: panel === 0, ...axes(panel) }))),
    layout,
    note: joined([note,
      on.length > MOST_PANELS && `The first ${MOST_PANELS} settings of ${on.length}.`], " "),
    summary: records.map((record) => `${labelOf(record)}, seed ${record.seed}: greatest modulus ` +
      digits(Math.max(...points(record).map((point) => Math.hypot(...point))))).join("; "),
    table: { columns: ["setting", "seed", "step", "t", "real", "imag"],
      rows: records.flatMap((record) =>
        points(record).map((point) => [labelOf(record), record.seed, step, record.t, ...point])) },
  };
}

function drawLyapunov() {
  const { own, note } = recordsAtStep(data.lyapunov);
  const length = Math.max(...own.map(({ exponents }) => exponents.shape[1]));
  const [xName, yName] = ["index, greatest first", "exponent, per step"];
  const drawn = lines(Array.from({ length }, (_, i) => i + 1), own,
    ({ exponents }) => rowsOf(exponents), { xName, yName });
  return { ...drawn, note, layout: { height: 380, xaxis: { title: xName }, yaxis: { title: yName },
    shapes: [across("y", 0, { color: theme().muted, width: 1 })] } };
}
