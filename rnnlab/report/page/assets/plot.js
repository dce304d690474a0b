// A plot: its look, its drawing, its numbers in words and as a table, and the files that it saves.

import { state } from "rnnlab/state.js";
import { byId, csv, digits, joined, make, plain, rich } from "rnnlab/text.js";
import { THEMES } from "rnnlab/themes.js";

const FILE_WIDTH = 760;
const PRINT_WIDTH = 660;
const MOST_ROWS = 400;
const plots = new Map(); // by element
const dark = matchMedia("(prefers-color-scheme: dark)");
let isWaiting = false;
let isPaper = false;

/** The colours and the layout to draw with now. */
export const theme = () => THEMES[dark.matches && !isPaper ? "dark" : "light"];

/** Colour, dash and symbol of a setting. */
export const look = ({ color, dash, symbol }) => ({ color: color[theme().name], dash, symbol });

/** The same of the index-th of things that are no settings: paths, gates. */
export const categoryLook = (index) => theme().looks[index % theme().looks.length];

/** What a function gives when it draws on white paper: for files and for print. */
function onPaper(draw) {
  isPaper = true;
  const drawn = draw();
  isPaper = false;
  return drawn;
}

/**
 * Draw a plot of the page, if it has it, when it comes into view, and again where it may look
 * otherwise. `draw` makes of the width Plotly's { traces, layout }, a { note } under the title, and
 * the numbers: { summary, table: { columns, rows } }. `ready` adds Plotly's handlers.
 */
export function addPlot(name, draw, ready) {
  const element = byId(`plot-${name}`);
  if (!element) return undefined;
  const find = (selector) => element.querySelector(`:scope > ${selector}`);
  const drawing = find(".drawing"), details = find("details");
  const plot = { name, draw, ready, find, drawing, details, title: drawing.ariaLabel,
    isVisible: plots.size === 0 }; // the first one is drawn at once
  plot.update = () => {
    plot.isStale = true;
    wake();
  };
  details.ontoggle = () => showNumbers(plot);
  for (const button of element.querySelectorAll(".save button")) {
    button.onclick = () => saveAs(button.value, plot);
  }
  plots.set(element, plot);
  state.subscribe(element.dataset.keys.split(" "), plot.update);
  plot.update();
  views.observe(element);
  return plot;
}

const views = new IntersectionObserver((entries) => {
  for (const { target, isIntersecting } of entries) plots.get(target).isVisible = isIntersecting;
  wake();
}, { rootMargin: "300px" });

/** In the next frame, draw what is stale and in view or near it. */
function wake() {
  if (isWaiting) return;
  isWaiting = true;
  requestAnimationFrame(() => {
    isWaiting = false;
    for (const plot of plots.values()) if (plot.isStale && plot.isVisible) render(plot);
  });
}

function render(plot, width = plot.drawing.clientWidth) {
  plot.isStale = false;
  plot.drawn = plot.draw(width);
  const { layout, note = "", summary = "" } = plot.drawn, traces = named(plot.drawn.traces);
  const full = { ...theme().layout, width, ...layout };
  const [key, frame] = [traces, full].map((part) => JSON.stringify(part));
  // Plotly computes traces anew unless it is given the same ones.
  if (key !== plot.key) Object.assign(plot, { key, frame: null, traces });
  const config = { displayModeBar: false };
  if (frame !== plot.frame) Plotly.react(plot.drawing, plot.traces, full, config);
  plot.frame = frame;
  plot.find(".note").replaceChildren(...rich(note));
  if (plot.drawn.caption) plot.find("figcaption").replaceChildren(...rich(plot.drawn.caption));
  const words = [plot.title, note.replace(/\.$/, ""), summary];
  plot.drawing.ariaLabel = joined([...words, "All numbers are in the table below"], ". ");
  showNumbers(plot);
  plot.ready?.(plot.drawing);
  plot.ready = null;
}

const updateAll = () => plots.forEach(({ update }) => update());
addEventListener("resize", updateAll);
dark.addEventListener("change", updateAll);
addEventListener("beforeprint", () => {
  isWaiting = true; // nothing else is drawn on paper
  onPaper(() => plots.forEach((plot) => render(plot, PRINT_WIDTH)));
});
addEventListener("afterprint", () => {
  isWaiting = false;
  updateAll();
});

/** An axis of this name. */
export const axis = (name, length) => ({ title: { text: plain(name, length) } });

/** A line across a plot. */
export const across = (axis, value, line) => (axis === "x"
  ? { type: "line", x0: value, x1: value, yref: "paper", y0: 0, y1: 1, line }
  : { type: "line", y0: value, y1: value, xref: "paper", x0: 0, x1: 1, line });

/** Traces of eigenvalues, [re, im], the unit circle, and the predicted ring, the mean of rings. */
export function plane(points, rings, color) {
  const mean = (key) => rings.reduce((sum, ring) => sum + ring[key] / rings.length, 0);
  const angles = Array.from({ length: 121 }, (_, i) => (2 * Math.PI * i) / 120);
  const circle = (name, centre, radius, line) => ({ type: "scatter", mode: "lines", name, line,
    hoverinfo: "skip", x: angles.map((angle) => centre + radius * Math.cos(angle)),
    y: angles.map((angle) => radius * Math.sin(angle)) });
  return [circle("unit circle", 0, 1, { color: theme().muted, width: 1 }),
    ...(rings.length ? [circle("predicted at the zero state", mean("centre"), mean("radius"),
      { color: categoryLook(2).color, width: 1.5, dash: "dash" })] : []),
    { type: "scatter", mode: "markers", name: "eigenvalues", x: points.map(([re]) => re),
      y: points.map(([, im]) => im), marker: { color, size: 4 },
      hovertemplate: "%{x:.4~g} + %{y:.4~g} i<extra></extra>" }];
}

/** Traces of which each name stands in the legend once. */
const named = (traces) => traces.map((own, i) => ({ ...own, showlegend: !own.fill &&
  traces.findIndex((other) => !other.fill && other.name === own.name) === i }));

/** The drawing for a file: on white, with its title and legend. */
function forFile({ title, draw }) {
  const { traces, layout, note } = draw(FILE_WIDTH);
  const full = { ...theme().layout, width: FILE_WIDTH, ...layout };
  return { data: named(traces), layout: { ...full, showlegend: true, height: full.height + 130,
    margin: { ...full.margin, t: full.margin.t + 40, b: full.margin.b + 90 },
    legend: { orientation: "h", yref: "container", y: 0.01, yanchor: "bottom", x: 0 },
    title: { text: plain(note ? `${title}. ${note}` : title, 110), font: { size: 14 }, x: 0.01,
      xanchor: "left", y: 0.98, yanchor: "top" } } };
}

async function saveAs(format, plot) {
  if (!plot.drawn) render(plot);
  const href = format === "csv"
    ? `data:text/csv;charset=utf-8,${encodeURIComponent(csv(plot.drawn.table))}`
    : await Plotly.toImage(onPaper(() => forFile(plot)),
      { format, scale: format === "png" ? 2 : 1 });
  make("a", { href, download: `${plot.name}.${format}` }).click();
}

function showNumbers({ details, drawn }) {
  if (!details.open || !drawn) return;
  const { columns, rows } = drawn.table;
  const row = (tag, values) =>
    make("tr", {}, ...values.map((value) => make(tag, {}, ...rich(digits(value)))));
  const body = rows.slice(0, MOST_ROWS).map((values) => row("td", values));
  const left = rows.length > MOST_ROWS
    ? `The first ${MOST_ROWS} of ${rows.length}; the CSV has all.` : "";
  details.lastElementChild.replaceChildren(make("table", {},
    make("thead", {}, row("th", columns)), make("tbody", {}, ...body)), left);
}
