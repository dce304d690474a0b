// What a reader has chosen: the values of the page's named inputs. They stand in the address's #,
// so that a link shows what its sender saw.

import { nearest } from "rnnlab/data.js";

const inputs = Map.groupBy(document.querySelectorAll("main [name]"), ({ name }) => name);
const placesOf = ({ dataset }) => dataset.values && JSON.parse(dataset.values);
const fallbacks = new Map(Array.from(inputs, ([key, own]) => [key, read(own)]));
const values = new Map();
const listeners = [];
let waiting;

export const state = {
  get: (key) => values.get(key),
  /** Change several keys at once; who subscribed to one that has changed is called once. */
  set(changes) {
    take(changes);
    clearTimeout(waiting);
    waiting = setTimeout(write, 150); // browsers complain about hundreds of changes
  },
  subscribe: (keys, callback) => listeners.push({ keys, callback }),
};

function take(changes) {
  const keys = Object.keys(changes).filter((key) => changes[key] !== values.get(key));
  for (const key of keys) {
    values.set(key, changes[key]);
    if (inputs.has(key)) show(inputs.get(key), changes[key]);
  }
  const concerned = listeners.filter((own) => own.keys.some((key) => keys.includes(key)));
  concerned.forEach(({ callback }) => callback());
}

/** Call back now and whenever a key changes. */
export function follow(key, callback) {
  callback(state.get(key));
  state.subscribe([key], () => callback(state.get(key)));
}

/** A number, or what stands at a slider's place; the text of a choice; numbers of ticked boxes. */
function read(own) {
  const [input] = own;
  if (input.type === "range") return placesOf(input)?.[input.value] ?? input.valueAsNumber;
  if (input.type !== "checkbox") return (own.find(({ checked }) => checked) ?? input).value;
  return own.filter(({ checked }) => checked).map(({ value }) => Number(value));
}

/** The value that a text stands for; undefined of a wrong one. */
function parsed(own, text) {
  const [input] = own, number = text.trim() === "" ? NaN : Number(text);
  if (input.type === "range") {
    const places = placesOf(input);
    if (places) return places[nearest(places, number)];
    if (!(number >= input.min && number <= input.max)) return undefined;
    return input.step === "1" ? Math.round(number) : number;
  }
  if (input.type === "hidden") return text;
  const choices = [...(input.options ?? own)].map(({ value }) => value);
  if (input.type !== "checkbox") return choices.find((choice) => choice === text);
  const wanted = text.split(",").filter(Boolean);
  return wanted.every((one) => choices.includes(one)) ? wanted.map(Number) : undefined;
}

function show(own, value) {
  const texts = [value].flat().map(String);
  for (const input of own) {
    if (["radio", "checkbox"].includes(input.type)) input.checked = texts.includes(input.value);
    else input.value = placesOf(input)?.indexOf(value) ?? value;
  }
}

function write() {
  const chosen = [...fallbacks].filter(([key, own]) => String(own) !== String(state.get(key)));
  const query = new URLSearchParams(chosen.map(([key]) => [key, String(state.get(key))]));
  history.replaceState(null, "", `#${query}`);
}

function readAddress() {
  const asked = new URLSearchParams(location.hash.slice(1));
  const value = (key) => (asked.has(key) ? parsed(inputs.get(key), asked.get(key)) : undefined);
  take(Object.fromEntries(Array.from(fallbacks, ([key, own]) => [key, value(key) ?? own])));
}

addEventListener("input", ({ target: { name } }) =>
  inputs.has(name) && state.set({ [name]: read(inputs.get(name)) }));
addEventListener("hashchange", readAddress); // another link, opened in the same window
readAddress();
