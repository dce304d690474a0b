// Texts: as nodes of the page, as labels of Plotly, as CSV. None of them is ever read as HTML.

// What follows _ after one letter, as in b_f, ∂c_{t−1}, dc_t, (h, c)_t; and the 10 of log10.
const SUBSCRIPT =
  /(?<=(?<![A-Za-z_])d?[A-Za-z]|\))_(\{[^{}]+\}|[A-Za-z0-9]+(?![A-Za-z0-9_]))|(?<=\blog)(10)(?!\d)/;

export const byId = (id) => document.getElementById(id);

/** An element with these properties and children. */
export function make(tag, properties = {}, ...children) {
  const node = Object.assign(document.createElement(tag), properties);
  node.append(...children);
  return node;
}

/** Pieces of a text: [text, whether it is a subscript]. */
const pieces = (text) => String(text).split(SUBSCRIPT)
  .map((part, i) => (i % 3 ? [part?.replace(/[{}]/g, ""), true] : [part, false]))
  .filter(([part]) => part);

/** A text as nodes. */
export const rich = (text) =>
  pieces(text).map(([part, sub]) => (sub ? make("sub", {}, part) : part));

/** The texts that there are, of some. */
export const joined = (texts, between) => texts.filter(Boolean).join(between);

/** A text, shortened, as a label of Plotly, which reads some HTML and %{…} in labels. */
export function plain(text, length = 60) {
  const characters = [...String(text)];
  const short = characters.length > length ? `${characters.slice(0, length - 1).join("")}…` : text;
  const safe = (part) => part.replace(/[&<>%$]/g, (sign) => `&#${sign.codePointAt(0)};`);
  return pieces(short)
    .map(([part, sub]) => (sub ? `<sub>${safe(part)}</sub>` : safe(part))).join("");
}

/** A number for people: four digits. */
export function digits(value) {
  if (typeof value !== "number") return value ?? "";
  if (!Number.isFinite(value)) return Number.isNaN(value) ? "" : value < 0 ? "−∞" : "∞";
  return String(Number(value.toPrecision(4))).replace("-", "−");
}

/** A table as CSV in which a spreadsheet finds no formulas. */
export const csv = ({ columns, rows }) =>
  [columns, ...rows].map((row) => `${row.map(csvCell).join(",")}\n`).join("");

function csvCell(value) {
  if (value === null || value === undefined || Number.isNaN(value)) return "";
  if (typeof value === "number") { // Python put in float32: its digits and no others
    return String(Number(value.toPrecision(8))).replace("Infinity", "inf");
  }
  const isFormula = /^[=+\-@\t\r]/.test(value) && !(value.trim() && Number.isFinite(Number(value)));
  const safe = isFormula ? `'${value}` : value;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}
