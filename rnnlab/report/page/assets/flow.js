// How far the gradient reaches: decay against distance, and its heat map over training.

import { choice, drawable } from "rnnlab/bar.js";
import {
  finite, fixedRange, linesAtStep, nearest, recorded, rowsOf, spread,
} from "rnnlab/curves.js";
import { data } from "rnnlab/data.js";
import { across, addPlot } from "rnnlab/plot.js";
import { follow, state } from "rnnlab/state.js";
import { digits, make, plain } from "rnnlab/text.js";
import { theme } from "rnnlab/theme.js";

const POWER = { tickprefix: "10<sup>", ticksuffix: "</sup>" };

export function addFlow(parent) {
  const entries = data.curves.filter(({ group }) => group === "decay");
  if (entries.length === 0) return;
  // A part of the state may have a distance in some settings, and t alone in others.
  const isTwice = ({ name }) => entries.filter((other) => other.name === name).length > 1;
  const names = entries.map(({ name }, i) =>
    name + (entries.findIndex((other) => other.name === name) < i ? " *" : ""));
  const moving = entries.map(({ steps }) => steps.length);
  const quantity = choice("Quantity", "quantity", entries.map((entry, i) =>
    [names[i], isTwice(entry) ? `${entry.short}, ${entry.xLabel}` : entry.short]),
  names[moving.indexOf(Math.max(...moving))]);
  const entry = () => entries[names.indexOf(state.get("quantity"))];
  state.define("at", null); // where the pointer is: {x, from}
  const add = (name, axis, options) => {
    const ready = (drawing) => {
      drawing.on("plotly_hover", ({ points: [point] }) =>
        state.set({ at: { x: point[axis], from: name } }));
      drawing.on("plotly_unhover", () => state.set({ at: null }));
    };
    const plot = addPlot(parent, { name, ready, ...options });
    state.subscribe(["at"], () => state.get("at")?.from !== name && plot.update());
  };
  const scale = choice("Scale", "scale", [["log", "logarithmic"], ["linear", "linear"]]);
  const isTraining = data.steps.length > 1;
  add("decay", "x", {
    title: "Gradient against distance", draw: () => drawDecay(entry()),
    keys: ["step", "settings", "band", "quantity", "scale"],
    controls: [quantity, scale, isTraining ? pointer(entry) : ""] });
  if (!isTraining) return;
  const settings = drawable().map((index) => [index, data.settings[index].label]);
  add("heat_map", "y", {
    title: "Gradient over training", draw: () => drawHeatMap(entry()),
    keys: ["step", "quantity", "heat", "colour"],
    controls: [choice("Setting", "heat", settings),
      choice("Colour", "colour", [["relative", "relative to the last step"], ["size", "size"]])] });
}

/** By keyboard: a slider that points in both plots. */
function pointer(entry) {
  const point = () => state.set({ at: { x: entry().x.values[input.valueAsNumber], from: "keys" } });
  const input = make("input", { type: "range", min: "0", value: "0", oninput: point, onfocus: point,
    onblur: () => state.set({ at: null }) });
  const [label, words] = [make("span"), make("span", { class: "value" })];
  follow("quantity", () => {
    label.replaceChildren(`Point at ${entry().xLabel}`);
    input.max = entry().x.values.length - 1;
  });
  follow("at", (at) => { words.textContent = at ? digits(at.x) : ""; });
  return make("label", { class: "choice pointer" }, label, input, words);
}

/** A dotted line where another plot points. */
function pointed(axis, name, color) {
  const at = state.get("at");
  return at && at.from !== name ? [across(axis, at.x, { color, width: 1.5, dash: "dot" })] : [];
}

function drawDecay(entry) {
  const isPower = entry.isLog && state.get("scale") === "log";
  const options = isPower ? { hover: "10<sup>%{y:.3~f}</sup>" }
    : { yName: entry.short, ...(entry.isLog && { scale: (value) => 10 ** value }) };
  const axis = isPower ? { ...POWER, range: fixedRange([entry]) } : {};
  return { ...linesAtStep(entry, options), layout: { height: 380,
    shapes: pointed("x", "decay", theme().ink), xaxis: { title: plain(entry.xLabel) },
    yaxis: { title: plain(entry.short), ...axis } } };
}

function drawHeatMap(entry) {
  const wishesRelative = state.get("colour") === "relative", heat = state.get("heat");
  const { label } = data.settings[heat];
  const item = entry.items.find(({ setting }) => setting === heat);
  const isEachSeed = !item?.seeds.some((seed) => typeof seed === "string");
  const isRelative = wishesRelative && isEachSeed;
  const columns = item ? recorded(item.values) : [];
  const steps = columns.map((k) => entry.steps[k]);
  const isFew = steps.length < 5; // a colour between two records far apart would be invented
  const [x, now] = isFew ? [steps.map(String), String(steps[nearest(steps, state.get("step"))])]
    : [steps, state.get("step")];
  const y = [...entry.x.values];
  const z = item ? mediansOverSeeds(entry, item, columns, isRelative) : [];
  const known = z.flat().filter(Number.isFinite).sort((a, b) => a - b);
  // Without the quantile a few records of a gradient that nearly vanished use up the scale.
  const [low, high] = [known[Math.floor(0.01 * known.length)], known.at(-1)];
  const what = `${entry.short}${isRelative ? ", relative to the last step" : ""}`;
  const place = `step %{x}<br>${plain(entry.xLabel)} %{y}`;
  return {
    traces: [{ type: "heatmap", x, y, zmin: low, zmax: high, colorscale: "Cividis",
      z: z.map((row) => row.map((value) => (value === -Infinity ? low : finite(value)))),
      text: z.map((row) => row.map(digits)),
      colorbar: { thickness: 12, outlinewidth: 0, ...POWER, tickfont: { color: theme().muted } },
      hovertemplate: `${place}<br>10<sup>%{text}</sup><extra></extra>` }],
    layout: { height: 380, xaxis: { title: "training step", showgrid: false,
      ...(isFew && { type: "category" }) },
      yaxis: { title: plain(entry.xLabel), showgrid: false },
      shapes: [...pointed("y", "heat_map", "#ffffff"),
        across("x", now, { color: "#ffffff", width: 1.5 })] },
    note: `${label}: ${what}, median over seeds.${wishesRelative && !isEachSeed
      ? " Relative to the last step needs each seed, which this page leaves out." : ""}`,
    summary: known.length ? `log10 from ${digits(known[0])} to ${digits(high)}` : "",
    table: { columns: ["setting", "step", entry.xLabel, `log10 ${what}`],
      rows: steps.flatMap((step, k) => z.map((row, i) => [label, step, y[i], row[k]])) },
  };
}

/** [x][step]: the median over seeds, each relative to its own last time step if wished. */
function mediansOverSeeds({ x, xLabel }, { values }, columns, isRelative) {
  const last = xLabel.includes("back") ? 0 : x.values.length - 1;
  const records = columns.map((k) => rowsOf(values, k));
  return Array.from(x.values, (_, i) => records.map((rows) =>
    spread(rows.map((row) => row[i] - (isRelative ? row[last] : 0)))[0]));
}
