// The instrument: dials, what they set, and plots of the numbers that follow.

import { choice } from "rnnlab/bar.js";
import { longestScale, mean, measure } from "rnnlab/instrument.js";
import { across, addPlot, plane } from "rnnlab/plot.js";
import { between, follow, oneOf, state } from "rnnlab/state.js";
import { digits, make, plain, rich } from "rnnlab/text.js";
import { categoryLook, theme } from "rnnlab/theme.js";

const SLOW_LENGTH = 200; // longer sequences wait until the slider rests
const REST = 80; // ms
const EDGE = 0.2;
const key = (name) => `x.${name}`;
const set = (own) =>
  state.set(Object.fromEntries(Object.entries(own).map(([name, value]) => [key(name), value])));
const filled = (text, words) =>
  rich(text.replace(/\{(\w+)\}/g, (same, word) => words[word] ?? same));

/** Add the instrument; `instrument` is what Python has put into the page for it. */
export function addInstrument(parent, instrument) {
  const { settings, cells, plots: titles } = instrument, names = Object.keys(instrument.start);
  const start = { ...instrument.start, ...settings[0]?.choice, of: settings.length ? 0 : -1 };
  const current = () => Object.fromEntries(names.map((name) => [name, state.get(key(name))]));
  const dials = addDials(parent, instrument, start);
  const said = make("p", { class: "answer", role: "status" });
  const cards = make("dl", { class: "cards small" }), plots = make("div", { class: "plots" });
  parent.append(said, cards, plots);
  let now, resting;
  const draw = (name) => (name === "zero" ? drawZero(now)
    : drawLines(cells[now.settings.cell].plots[name], now, settings[state.get(key("of"))]));
  const drawn = Object.entries(titles).map(([name, { title, lead }]) => addPlot(plots, {
    name: `explore-${name}`, title, draw: () => draw(name),
    controls: [make("p", { class: "note" }, rich(lead))] }));
  const show = () => {
    now = { settings: current(), ...measure(current(), instrument) };
    const cell = cells[now.settings.cell], words = wordsOf(now, cell, instrument);
    const preset = instrument.presets.find(({ choice }) => isChosen(choice, now.settings));
    said.replaceChildren(...filled(preset?.text ?? cell.text, words));
    cards.replaceChildren(...cell.cards.filter(([, word]) => words[word] !== null)
      .map(([label, word]) => make("div", {}, make("dt", {}, filled(label, words)),
        make("dd", {}, make("strong", {}, words[word])))));
    for (const plot of drawn) {
      plot.element.hidden = cell.plots[plot.name.replace("explore-", "")]?.lines.length === 0;
      plot.update();
    }
  };
  const update = () => {
    clearTimeout(resting);
    dials(current());
    if (current().T > SLOW_LENGTH) resting = setTimeout(show, REST);
    else show();
  };
  state.subscribe([...names, "of"].map(key), update);
  dials(current());
  show();
}

// A preset leaves the seed and the sequence as they are.
const isChosen = (choice, { seed, sequence, ...now }) =>
  Object.keys(now).every((name) => now[name] === choice[name]);

// What can be set; returns what shows the settings of now.
function addDials(parent, instrument, start) {
  const { settings, presets, choices, sliders, cells } = instrument;
  const dials = [...choices, ...sliders];
  const parts = dials.map((dial) => (dial.options
    ? choice(rich(dial.label), key(dial.name), dial.options, start[dial.name])
    : addSlider(dial, start[dial.name])));
  state.define(key("of"), start.of, oneOf([...settings.keys()]));
  const button = (label, own) =>
    make("button", { type: "button", onclick: () => set(own) }, rich(label));
  const group = (label, buttons) =>
    make("div", { class: "controls", role: "group", "aria-label": label },
      make("span", { class: "note" }, label), buttons);
  const stories = presets.map(({ name, choice: { seed, sequence, ...own } }) => button(name, own));
  const measured = settings.map(({ label, choice: own }, of) =>
    button(label, { ...instrument.start, ...own, of }));
  const note = make("p", { class: "note" });
  parent.append(make("div", { class: "dials" },
    group("In one sentence:", [...stories, button("Reset", start)]),
    measured.length ? group("These results, with measured points:", measured) : [],
    make("div", { class: "controls" }, parts.slice(0, choices.length)),
    make("div", { class: "sliders" }, parts.slice(choices.length)), note));
  return (now) => {
    const of = state.get(key("of")), { keeps, chrono, tied } = cells[now.cell];
    dials.forEach(({ cells: those, without }, i) => {
      parts[i].hidden = !those.includes(now.cell) || without.some((name) => now[name]);
    });
    stories.forEach((story, i) =>
      story.setAttribute("aria-pressed", isChosen(presets[i].choice, now)));
    measured.forEach((own, i) => own.setAttribute("aria-pressed", i === of));
    const told = keeps && now.chrono ? chrono : now.tie ? tied : "";
    const differs = settings[of]?.differs;
    note.replaceChildren(...filled(told,
      { longest: digits(longestScale(now, instrument) - 1), b_i: digits(-now.b_f) }),
    ...rich(differs ? ` The measured points are of ${differs}, unlike the lines.` : ""));
  };
}

function addSlider({ name, label, low, high, step }, fallback) {
  const input = make("input", { type: "range", min: low, max: high, step, id: key(name),
    oninput: () => set({ [name]: input.valueAsNumber }) });
  const words = make("output", { for: key(name) });
  state.define(key(name), fallback, between(low, high));
  follow(key(name), (value) => {
    input.value = value;
    words.textContent = digits(value) + (name === "T" ? " steps" : "");
    input.setAttribute("aria-valuetext", words.textContent);
  });
  const own = make("label", { for: key(name) }, rich(label));
  return make("div", { class: "slider" }, own, input, words);
}

// 10^x for people: a number, or a·10ⁿ with n raised.
function amount(log10) {
  if (log10 > -2.5 && log10 < 4) return digits(Number((10 ** log10).toPrecision(2)));
  const power = Math.floor(log10);
  const raised = String(power).replace(/./g, (sign) => "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"["-0123456789".indexOf(sign)]);
  return `${(10 ** (log10 - power)).toFixed(1)}·10${raised}`;
}

/** What texts of Python name in braces. */
function wordsOf({ settings, norms, oneStep, gates, ...zero }, { keeps }, instrument) {
  const at = (gain) => amount(measure({ ...settings, gain }, instrument).norms.total[0]);
  return {
    back: settings.T - 1,
    left: amount(norms.total[0]),
    gates: keeps && amount(norms.direct[0]),
    product: amount(norms.product[0]),
    keep: keeps && mean(gates[keeps]).toFixed(2),
    norm: mean(oneStep.total.slice(1)).toFixed(2),
    critical: digits(zero.lossOfStability),
    closed: zero.criticalGain && digits(zero.criticalGain),
    get lower() { return at(settings.gain - EDGE); },
    get higher() { return at(settings.gain + EDGE); },
  };
}

// Lines over 0, 1, 2 …; measured points; a level to compare with.
function drawLines({ x: xName, y: yName, axis, lines, measured, level }, numbers, own) {
  const series = lines.map(([name, [group, entry]]) => [name, measured === "sensitivity"
    ? numbers[group][entry].toReversed() : numbers[group][entry]]);
  const x = [...(series[0]?.[1] ?? []).keys()];
  const trace = (name, options) => ({ type: "scatter", name: plain(name),
    hovertemplate: `${plain(xName)} %{x}<br>%{y:.4~g}<extra>${plain(name)}</extra>`, ...options });
  const traces = series.map(([name, y], i) =>
    trace(name, { mode: "lines", x, y, line: { ...categoryLook(i), width: 2 } }));
  if (own?.[measured]) {
    const { x: places, values } = own[measured], y = [...values.values];
    const name = `measured before training: ${own.label}`;
    traces.push(trace(name, { mode: "markers", x: places, y,
      marker: { color: categoryLook(4).color, size: 6, symbol: "circle-open" } }));
    series.push([name, x.map((at) => y[places.indexOf(at)])]);
  }
  const shapes = level ? [across("y", level, { color: theme().muted, width: 1 })] : [];
  return {
    traces,
    layout: { showlegend: true, shapes, margin: { l: 56, r: 14, t: 48, b: 44 },
      xaxis: { title: plain(xName) }, yaxis: { title: plain(yName), ...axis } },
    summary: series.map(([name, y]) =>
      `${name}: first ${digits(y[0] ?? NaN)}, last ${digits(y.at(-1) ?? NaN)}`).join("; "),
    table: { columns: [xName, ...series.map(([name]) => name)],
      rows: x.map((at) => [at, ...series.map(([, y]) => y[at] ?? null)]) },
  };
}

function drawZero({ eigenvalues: { real, imag }, ring }) {
  const points = real.map((re, i) => [re, imag[i]]);
  return {
    traces: plane(points, [ring], theme().ink),
    layout: { xaxis: { title: "real part", constrain: "domain" },
      yaxis: { title: "imaginary part", scaleanchor: "x" } },
    summary: `ring around ${digits(ring.centre)} of radius ${digits(ring.radius)}; ` +
      `largest modulus ${digits(Math.max(...points.map((point) => Math.hypot(...point))))}`,
    table: { columns: ["real part", "imaginary part"], rows: points },
  };
}
