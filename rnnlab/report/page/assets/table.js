// The comparison: a table that its columns sort, each explained on hover or focus.

import { byId, make, rich } from "rnnlab/text.js";

export function addComparison({ columns, rows, caption }) {
  const heads = columns.map(({ label, meaning, numeric }, index) => {
    const explain = () =>
      byId("meaning").replaceChildren(make("strong", {}, rich(label)), ": ", ...rich(meaning));
    const button = make("button", { type: "button", "aria-describedby": `column-${index}`,
      onfocus: explain, onmouseenter: explain, onclick: () => sortBy(index) }, rich(label));
    return make("th", { scope: "col", class: numeric && "numeric" }, button);
  });
  const cell = ({ text }, index) => make(index ? "td" : "th",
    index ? { class: columns[index].numeric && "numeric" } : { scope: "row" },
    make("bdi", {}, rich(broken(text))));
  const show = (sorted) =>
    byId("rows").replaceChildren(...sorted.map((row) => make("tr", {}, row.map(cell))));
  function sortBy(index) {
    const isDown = heads[index].getAttribute("aria-sort") === "ascending";
    heads.forEach((head) => head.removeAttribute("aria-sort"));
    heads[index].setAttribute("aria-sort", isDown ? "descending" : "ascending");
    show(rows.toSorted((a, b) => compare(a[index].sort, b[index].sort, isDown ? -1 : 1)));
  }
  show(rows);
  byId("columns").append(...heads);
  byId("table-caption").append(...rich(caption));
  byId("meanings").append(...columns.flatMap(({ label, meaning }, index) =>
    [make("dt", {}, rich(label)), make("dd", { id: `column-${index}` }, rich(meaning))]));
}

/** A line for what follows "→"; an interval in one piece. */
const broken = (text) => text.replace(" → ", "\n→ ")
  .replace(/\[[^\]]*\]/g, (interval) => interval.replaceAll(" ", "\u00a0"));

/** Rows without a value stay last, whichever way. */
function compare(a, b, sign) {
  if (a === null || b === null) return (a === null) - (b === null);
  return sign * (typeof a === "number" ? a - b : a.localeCompare(b, "en", { numeric: true }));
}
