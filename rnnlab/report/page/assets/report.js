// The report's page begins here: each section in order, without what has nothing to show.

import { addBar } from "rnnlab/bar.js";
import { data } from "rnnlab/data.js";
import { addFlow } from "rnnlab/flow.js";
import { addPaths } from "rnnlab/paths.js";
import { addRecords } from "rnnlab/records.js";
import { addComparison } from "rnnlab/table.js";
import { byId, joined, make, rich } from "rnnlab/text.js";

const plotsOf = (id) => document.querySelector(`#${id} .plots`);
const { answer, made, numbers } = data;
answer.rule = joined([answer.verdict, answer.evidence], ": ");

const item = (own) => (Array.isArray(own)
  ? [make("dt", {}, own[0]), make("dd", {}, own[1])] : make("li", {}, rich(own)));
for (const node of document.querySelectorAll("[data-text]")) {
  const own = node.dataset.text.split(".").reduce((whole, key) => whole[key], data);
  if (!own?.length) (node.closest(".part") ?? node).remove();
  else if (Array.isArray(own)) node.append(...own.flatMap(item));
  else node.append(...(node.tagName === "PRE" ? [own] : rich(own)));
}
byId("numbers").append(...numbers.map(({ label, value, interval, meaning }) => make("div", {},
  make("dt", {}, rich(label)),
  make("dd", {}, make("strong", {}, value), " ", make("span", { class: "interval" }, interval)),
  make("dd", { class: "note" }, rich(meaning)))));

addBar();
addPaths(plotsOf(data.curves.some(({ group }) => group === "paths") ? "paths" : "flow"));
addFlow(plotsOf("flow"));
addRecords(plotsOf("flow"));
addComparison(data.table);
if (data.explore) {
  const { addInstrument } = await import("rnnlab/explore.js");
  addInstrument(byId("explore"), data.explore);
}
if (numbers.length === 0) byId("numbers").remove();
for (const id of ["paths", "flow", "recorded", "comparison", "explore"]) {
  if (!byId(id).querySelector("figure, td")) byId(id).remove();
}

for (const button of document.querySelectorAll("[data-copy]")) {
  button.onclick = async () => {
    try {
      await navigator.clipboard.writeText(made[button.dataset.copy]);
      button.textContent = "Copied";
    } catch { // not allowed: the text is marked, so that the reader's own keys copy it
      getSelection().selectAllChildren(byId(button.dataset.copy));
      button.textContent = "Marked: press Ctrl+C";
    }
  };
}
