// A plot: its drawing, its numbers in words and as a table, and the files that it saves.

import { data } from "rnnlab/data.js";
import { state } from "rnnlab/state.js";
import { csv, digits, joined, make, plain, rich } from "rnnlab/text.js";
import { categoryLook, onPaper, onThemeChange, theme } from "rnnlab/theme.js";

const FILE_WIDTH = 760;
const PRINT_WIDTH = 660;
const MOST_ROWS = 400;
const plots = [];
let isWaiting = false;
let isPrinting = false;

/**
 * Add a plot. It is drawn when it comes into view, and again after `update`, when one of the `keys`
 * of the state, the width or the colours change, and when the page is printed. `draw` makes of the
 * width Plotly's { traces, layout }, a { note } under the title, and the numbers in words and as a
 * table: { summary, table: { columns, rows } }. `ready` adds Plotly's handlers.
 */
export function addPlot(parent, { name, title, keys = [], controls = [], wide, draw, ready }) {
  const drawing = make("div", { class: "drawing", role: "img", "aria-label": title });
  const [note, text] = [make("p", { class: "note" }), make("figcaption")];
  const numbers = make("div", { class: "numbers", tabindex: "0", role: "region",
    "aria-label": `Numbers: ${title}` });
  const details = make("details", { ontoggle: () => details.open && showNumbers(plot) },
    make("summary", {}, "Numbers"), numbers);
  const save = ["SVG", "PNG", "CSV"].map((format) => make("button", { type: "button",
    "aria-label": `${format}: ${title}`, onclick: () => saveAs(format, plot) }, format));
  const element = make("figure", { class: wide ? "plot wide" : "plot", id: `plot-${name}` },
    make("div", { class: "head" }, make("h3", {}, rich(title)),
      make("div", { class: "save", role: "group", "aria-label": `Save: ${title}` }, save)),
    note, make("div", { class: "controls" }, controls), drawing, text, details);
  const plot = { name, title, draw, ready, drawing, note, text, numbers, details, element,
    isStale: true, update: () => refresh(plot) };
  parent.append(element);
  plots.push(plot);
  views.observe(element);
  state.subscribe(keys, plot.update);
  return plot;
}

const views = new IntersectionObserver((entries) => {
  for (const { target, isIntersecting } of entries) {
    const plot = plots.find(({ element }) => element === target);
    plot.isVisible = isIntersecting;
    if (plot.isStale) refresh(plot);
  }
}, { rootMargin: "600px" });

function refresh(plot) {
  plot.isStale = true;
  wake();
}

/** Draw what is stale: anew what is in view; the first time what is near, and the first plot. */
function wake() {
  if (isWaiting || isPrinting) return;
  isWaiting = true;
  requestAnimationFrame(() => {
    isWaiting = false;
    const isDue = ({ drawn, drawing, isVisible }, i) =>
      (drawn ? isInView(drawing.getBoundingClientRect()) : isVisible || i === 0);
    plots.filter((plot, i) => plot.isStale && isDue(plot, i)).forEach((plot) => render(plot));
  });
}

const isInView = ({ top, bottom }) => top < innerHeight && bottom > 0;
addEventListener("scroll", wake, { passive: true });

function render(plot, width = plot.drawing.clientWidth) {
  plot.isStale = false;
  plot.drawn = plot.draw(width);
  const { traces, layout, note = "", summary = "" } = plot.drawn;
  const full = styled(layout, width);
  const [key, frame] = [traces, full].map((part) => JSON.stringify(part));
  // Plotly computes traces anew unless it is given the same ones.
  if (key !== plot.key) Object.assign(plot, { key, frame: null, traces });
  const config = { displayModeBar: false };
  if (frame !== plot.frame) Plotly.react(plot.drawing, plot.traces, full, config);
  plot.frame = frame;
  plot.note.replaceChildren(...rich(note));
  plot.text.replaceChildren(...rich(plot.drawn.caption ?? data.captions?.[plot.name] ?? ""));
  plot.drawing.setAttribute("aria-label",
    joined([plot.title, note, summary, "All numbers are in the table below"], ". "));
  if (plot.details.open) showNumbers(plot);
  plot.ready?.(plot.drawing);
  plot.ready = null;
}

addEventListener("resize", () => plots.forEach(refresh));
onThemeChange((paper) => {
  isPrinting = paper;
  plots.forEach((plot) => (paper ? render(plot, PRINT_WIDTH) : refresh(plot)));
});

/** A line across a plot. */
export const across = (axis, value, line) => (axis === "x"
  ? { type: "line", x0: value, x1: value, yref: "paper", y0: 0, y1: 1, line }
  : { type: "line", y0: value, y1: value, xref: "paper", x0: 0, x1: 1, line });

/** Traces of eigenvalues, [re, im], the unit circle, and the predicted ring, the mean of rings. */
export function plane(points, rings, color) {
  const mean = (key) => rings.reduce((sum, ring) => sum + ring[key], 0) / rings.length;
  const angles = Array.from({ length: 121 }, (_, i) => (2 * Math.PI * i) / 120);
  const circle = (name, centre, radius, line) => ({ type: "scatter", mode: "lines", name, line,
    hoverinfo: "skip", x: angles.map((angle) => centre + radius * Math.cos(angle)),
    y: angles.map((angle) => radius * Math.sin(angle)) });
  const ring = () => circle("predicted at the zero state", mean("centre"), mean("radius"),
    { color: categoryLook(2).color, width: 1.5, dash: "dash" });
  return [circle("unit circle", 0, 1, { color: theme().muted, width: 1 }),
    ...(rings.length ? [ring()] : []),
    { type: "scatter", mode: "markers", name: "eigenvalues", x: points.map(([re]) => re),
      y: points.map(([, im]) => im), marker: { color, size: 4 },
      hovertemplate: "%{x:.4~g} + %{y:.4~g} i<extra></extra>" }];
}

/** A whole layout: what the plot says, in the style of the page. */
function styled(layout, width) {
  const { axis, axisTitle, layout: style } = theme();
  const axes = Object.entries(layout).filter(([key]) => /^[xy]axis/.test(key));
  return { ...style, width, ...layout, ...Object.fromEntries(axes.map(([key, own]) =>
    [key, { ...axis, ...own, title: { ...axisTitle, text: own.title ?? "" } }])) };
}

/** The drawing for a file: on white, with its title and legend. */
function forFile({ title, draw }) {
  const { traces, layout, note } = draw(FILE_WIDTH);
  const full = styled(layout, FILE_WIDTH);
  return { data: traces, layout: { ...full, showlegend: true, height: full.height + 130,
    margin: { ...full.margin, t: full.margin.t + 40, b: full.margin.b + 90 },
    legend: { orientation: "h", yref: "container", y: 0.01, yanchor: "bottom", x: 0 },
    title: { text: plain(note ? `${title}. ${note}` : title, 110), font: { size: 14 }, x: 0.01,
      xanchor: "left", y: 0.98, yanchor: "top" } } };
}

async function saveAs(format, plot) {
  if (!plot.drawn) render(plot);
  const type = format.toLowerCase();
  const href = type === "csv"
    ? `data:text/csv;charset=utf-8,${encodeURIComponent(csv(plot.drawn.table))}`
    : await Plotly.toImage(onPaper(() => forFile(plot)),
      { format: type, scale: type === "png" ? 2 : 1 });
  make("a", { href, download: `${plot.name}.${type}` }).click();
}

function showNumbers({ numbers, drawn: { table: { columns, rows } } }) {
  const row = (tag, values) =>
    make("tr", {}, values.map((value) => make(tag, {}, rich(digits(value)))));
  const body = rows.slice(0, MOST_ROWS).map((values) => row("td", values));
  numbers.replaceChildren(
    make("table", {}, make("thead", {}, row("th", columns)), make("tbody", {}, body)),
    rows.length > MOST_ROWS ? `The first ${MOST_ROWS} of ${rows.length}; the CSV has all.` : "");
}
