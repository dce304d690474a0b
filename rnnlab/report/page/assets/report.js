// The report's page begins here: training step, play, search, plots, the sorted comparison.

import { stepWords } from "rnnlab/curves.js";
import { data } from "rnnlab/data.js";
import { addFlow } from "rnnlab/flow.js";
import { addRecords } from "rnnlab/records.js";
import { follow, state } from "rnnlab/state.js";
import { byId, make } from "rnnlab/text.js";

const PLAY_MS = 10_000;
const calm = matchMedia("(prefers-reduced-motion: reduce)");

function addSteps(steps) {
  const [slider, words, button] = ["step", "step-words", "play"].map(byId), last = steps.length - 1;
  const at = () => steps.indexOf(state.get("step"));
  let timer;
  const turn = (isOn) => {
    clearInterval(timer);
    timer = isOn && setInterval(next, calm.matches ? 1000 : Math.max(80, PLAY_MS / steps.length));
    button.textContent = isOn ? "❚❚ Pause" : "▶ Play";
    words.ariaLive = isOn ? "off" : "polite"; // no screen reader keeps pace
  };
  const next = () => {
    const jump = calm.matches ? Math.ceil(steps.length / 10) : 1;
    state.set({ step: steps[Math.min(at() + jump, last)] });
    if (at() === last) turn(false);
  };
  slider.oninput = () => turn(false);
  button.onclick = () => {
    if (!timer && at() === last) state.set({ step: steps[0] });
    turn(!timer);
  };
  follow("step", (step) => {
    slider.ariaValueText = words.textContent = stepWords(step);
  });
}

function addSearch() {
  const [search, chips] = [byId("search"), [...document.querySelectorAll(".chip")]];
  const simple = (text) => text.toLowerCase().replaceAll("_", "").trim();
  const draw = () => {
    const words = simple(search.value);
    for (const chip of chips) chip.hidden = !simple(chip.textContent).includes(words);
    const listed = chips.filter((chip) => !chip.hidden).length;
    byId("count").textContent = `${state.get("settings").length} of ${chips.length} drawn` +
      (words && `, ${listed} listed`);
  };
  search.oninput = draw;
  follow("settings", draw);
}

function addComparison() {
  const heads = [...document.querySelectorAll("#columns th")];
  const copied = (node) => node.cloneNode(true).childNodes;
  heads.forEach((head, index) => {
    const [button, meaning] = [head.firstElementChild, byId(`column-${index}`)];
    button.onfocus = button.onmouseenter = () => byId("meaning").replaceChildren(
      make("strong", {}, ...copied(button)), ": ", ...copied(meaning));
    button.onclick = () => sortBy(heads, index);
  });
}

function sortBy(heads, index) {
  const isDown = heads[index].ariaSort === "ascending";
  for (const head of heads) head.ariaSort = null;
  heads[index].ariaSort = isDown ? "descending" : "ascending";
  const key = (row) => JSON.parse(row.cells[index].dataset.sort);
  const rows = Array.from(byId("rows").rows, (row) => [key(row), row]);
  rows.sort(([a], [b]) => compare(a, b, isDown ? -1 : 1));
  byId("rows").append(...rows.map(([, row]) => row));
}

/** Rows without a value stay last, whichever way. */
function compare(a, b, sign) {
  if (a === null || b === null) return (a === null) - (b === null);
  return sign * (typeof a === "number" ? a - b : a.localeCompare(b, "en", { numeric: true }));
}

if (byId("step")) addSteps(data.steps);
if (byId("search")) addSearch();
addRecords();
addFlow();
addComparison();
if (data.explore) await import("rnnlab/explore.js");
