// The bar of the recorded plots: training step, play, and the legend that switches settings.

import { nearest, stepWords } from "rnnlab/curves.js";
import { data } from "rnnlab/data.js";
import { between, follow, oneOf, state } from "rnnlab/state.js";
import { byId, make, rich } from "rnnlab/text.js";
import { look, onThemeChange } from "rnnlab/theme.js";

const MANY = 12;
const PLAY_MS = 10_000;
const calm = matchMedia("(prefers-reduced-motion: reduce)");

export function addBar() {
  const [{ settings, steps }, all] = [data, drawable()];
  const numbers = (text) => (text === "" ? [] : text.split(",").map(Number));
  const number = between(-Infinity, Infinity);
  state.define("step", steps[0], (text) => steps[nearest(steps, number(text))]);
  state.define("settings", all.filter((index) => settings[index].shown),
    (text) => (numbers(text).every((index) => index in settings) ? numbers(text) : undefined));
  if (steps.length > 1) bindSteps(steps);
  else byId("steps").remove();
  bindLegend(settings, all);
  byId("bar").querySelector(".which").prepend(
    choice("Seeds", "band", [["band", "median and range"], ["seeds", "each"]]));
}

/** Indices of the settings that have a curve: of very many settings a page holds those of some. */
export function drawable() {
  const { settings, curves, learning } = data;
  const items = [...curves, learning].flatMap((curve) => curve?.items ?? []);
  const found = new Set(items.map(({ setting }) => setting));
  return [...settings.keys()].filter((index) => found.has(index));
}

/** A choice of a key among [value, text], labelled: a few side by side, many in a list. */
export function choice(label, key, options, fallback = options[0][0]) {
  const change = (index) => state.set({ [key]: options[index][0] });
  const chosen = (now) => options.findIndex(([value]) => value === now);
  state.define(key, fallback, oneOf(options.map(([value]) => value)));
  if (options.length > 3) {
    const select = make("select", { name: key, onchange: () => change(select.selectedIndex) },
      options.map(([, text]) => make("option", {}, text)));
    follow(key, (now) => { select.selectedIndex = chosen(now); });
    return make("label", { class: "choice" }, make("span", {}, label), select);
  }
  const inputs = options.map((_, i) =>
    make("input", { type: "radio", name: key, onchange: () => change(i) }));
  follow(key, (now) => { inputs[chosen(now)].checked = true; });
  return make("fieldset", { class: "choice" }, make("legend", {}, label),
    options.map(([, text], i) => make("label", {}, inputs[i], make("span", {}, rich(text)))));
}

function bindSteps(steps) {
  const [slider, words, button] = ["step", "step-words", "play"].map(byId), last = steps.length - 1;
  const at = () => steps.indexOf(state.get("step"));
  let timer;
  const turn = (isOn) => {
    clearInterval(timer);
    timer = isOn && setInterval(next, calm.matches ? 1000 : Math.max(80, PLAY_MS / steps.length));
    button.textContent = isOn ? "❚❚ Pause" : "▶ Play";
    words.setAttribute("aria-live", isOn ? "off" : "polite"); // no screen reader keeps pace
  };
  const next = () => {
    const jump = calm.matches ? Math.ceil(steps.length / 10) : 1;
    state.set({ step: steps[Math.min(at() + jump, last)] });
    if (at() === last) turn(false);
  };
  slider.max = last;
  slider.oninput = () => { turn(false); state.set({ step: steps[slider.valueAsNumber] }); };
  button.onclick = () => {
    if (!timer && at() === last) state.set({ step: steps[0] });
    turn(!timer);
  };
  follow("step", (step) => {
    slider.value = at();
    slider.setAttribute("aria-valuetext", stepWords(step));
    words.textContent = stepWords(step);
  });
}

function bindLegend(settings, all) {
  const [chips, search, isMany] = [byId("legend"), byId("search"), all.length > MANY];
  const seen = new Set(all.filter((index) => settings[index].shown)); // what is off can come back
  const simple = (text) => text.toLowerCase().replaceAll("_", "").trim();
  const draw = () => {
    const words = simple(search.value);
    const found = all.filter((index) => simple(settings[index].label).includes(words));
    state.get("settings").forEach((index) => seen.add(index));
    const listed = isMany && !words ? all.filter((index) => seen.has(index)) : found.slice(0, MANY);
    const focused = document.activeElement.dataset.setting;
    chips.replaceChildren(...listed.map((index) => chip(settings[index], index)));
    chips.querySelector(`[data-setting="${focused}"]`)?.focus();
    byId("count").textContent = `${state.get("settings").length} of ${all.length} drawn` +
      (words ? `; ${found.length} found, ${listed.length} listed` : "");
  };
  search.oninput = draw;
  onThemeChange(draw);
  follow("settings", draw);
  if (!isMany) byId("many").hidden = true;
}

function chip(setting, index) {
  const on = state.get("settings");
  const others = on.filter((other) => other !== index);
  const toggled = on.includes(index) ? others : [...on, index].sort((a, b) => a - b);
  const { color, dash } = look(setting);
  const line = dash === "solid" ? dash : dash === "dot" ? "dotted" : "dashed";
  return make("li", {}, make("button", { type: "button", class: "chip", "data-setting": index,
    "aria-pressed": String(on.includes(index)), onclick: () => state.set({ settings: toggled }) },
  make("span", { class: "swatch", style: `border-top: 3px ${line} ${color}` }),
  make("bdi", {}, rich(setting.label))));
}
