// How far the gradient reaches: decay against distance, and its heat map over training.

import { finite, fixedRange, linesAtStep, now, rowsOf, spread } from "rnnlab/curves.js";
import { data, nearest } from "rnnlab/data.js";
import { across, addPlot, axis, theme } from "rnnlab/plot.js";
import { follow, state } from "rnnlab/state.js";
import { byId, digits, plain } from "rnnlab/text.js";

const POWER = { tickprefix: "10<sup>", ticksuffix: "</sup>" };

export function addFlow() {
  const decay = data.curves.filter(({ group }) => group === "decay");
  const entry = () => decay.find(({ name }) => name === state.get("quantity"));
  // `at` is where the reader points: {x, from}.
  const add = (name, along, draw) => addPlot(name, () => draw(entry()), (drawing) => {
    drawing.on("plotly_hover", ({ points: [point] }) =>
      state.set({ at: { x: point[along], from: name } }));
    drawing.on("plotly_unhover", () => state.set({ at: undefined }));
  });
  add("decay", "x", drawDecay);
  add("heat_map", "y", drawHeatMap);
  if (byId("pointer")) addPointer(byId("pointer"), entry);
}

/** By keyboard: a slider that points in both plots. */
function addPointer(input, entry) {
  input.oninput = input.onfocus = () =>
    state.set({ at: { x: entry().x.values[input.valueAsNumber], from: "keys" } });
  input.onblur = () => state.set({ at: undefined });
  follow("quantity", () => {
    input.previousElementSibling.textContent = `Point at ${entry().xLabel}`;
    input.max = entry().x.values.length - 1;
  });
  follow("at", (at) => { input.nextElementSibling.textContent = digits(at?.x); });
}

/** A dotted line where another plot points. */
function pointed(along, name, color) {
  const at = state.get("at");
  return at && at.from !== name ? [across(along, at.x, { color, width: 1.5, dash: "dot" })] : [];
}

function drawDecay(entry) {
  const isPower = entry.isLog && state.get("scale") === "log";
  const options = isPower ? { hover: "10<sup>%{y:.3~f}</sup>" }
    : { yName: entry.short, ...(entry.isLog && { scale: (value) => 10 ** value }) };
  return { ...linesAtStep(entry, options), layout: { height: 380,
    shapes: pointed("x", "decay", theme().ink), xaxis: axis(entry.xLabel),
    yaxis: { ...axis(entry.short), ...(isPower && { ...POWER, range: fixedRange([entry]) }) } } };
}

function drawHeatMap(entry) {
  const wishesRelative = state.get("colour") === "relative", heat = Number(state.get("heat"));
  const { label } = data.settings[heat];
  const item = entry.items.find(({ setting }) => setting === heat);
  const isEachSeed = !item?.seeds.some((seed) => typeof seed === "string");
  const isRelative = wishesRelative && isEachSeed;
  const columns = item?.records ?? [];
  const steps = columns.map((k) => entry.steps[k]);
  const isFew = steps.length < 5; // a colour between two records far apart would be invented
  const [x, line] = isFew ? [steps.map(String), String(steps[nearest(steps, now())])]
    : [steps, now()];
  const y = [...entry.x.values];
  const z = item ? mediansOverSeeds(entry, item, columns, isRelative) : [];
  const known = z.flat().filter(Number.isFinite).sort((a, b) => a - b);
  // Without the quantile a few records of a gradient that nearly vanished use up the scale.
  const [low, high] = [known[Math.floor(0.01 * known.length)], known.at(-1)];
  const what = `${entry.short}${isRelative ? ", relative to the last step" : ""}`;
  return {
    traces: [{ type: "heatmap", x, y, zmin: low, zmax: high, colorscale: "Cividis",
      z: z.map((row) => row.map((value) => (value === -Infinity ? low : finite(value)))),
      text: z.map((row) => row.map(digits)),
      colorbar: { thickness: 12, outlinewidth: 0, ...POWER, tickfont: { color: theme().muted } },
      hovertemplate: `step %{x}<br>${plain(entry.xLabel)} %{y}<br>10<sup>%{text}</sup>` +
        "<extra></extra>" }],
    layout: { height: 380,
      xaxis: { ...axis("training step"), showgrid: false, ...(isFew && { type: "category" }) },
      yaxis: { ...axis(entry.xLabel), showgrid: false },
      shapes: [...pointed("y", "heat_map", "#ffffff"),
        ...(item ? [across("x", line, { color: "#ffffff", width: 1.5 })] : [])] },
    note: `${label}: ${what}, median over seeds.${item && wishesRelative && !isEachSeed
      ? " Relative to the last step needs each seed, which this page leaves out." : ""}`,
    summary: known.length ? `log10 from ${digits(known[0])} to ${digits(high)}` : "",
    table: { columns: ["setting", "step", entry.xLabel, `log10 ${what}`],
      rows: steps.flatMap((step, k) => z.map((row, i) => [label, step, y[i], row[k]])) },
  };
}

/** [x][step]: the median over seeds, each relative to its own last time step if wished. */
function mediansOverSeeds({ x, xLabel }, { values }, columns, isRelative) {
  const last = (row) => (xLabel.includes("back") ? row[0] : row.findLast((y) => !Number.isNaN(y)));
  const records = columns.map((k) => rowsOf(values, k));
  return Array.from(x.values, (_, i) => records.map((rows) =>
    spread(rows.map((row) => row[i] - (isRelative ? last(row) : 0)))[0]));
}
