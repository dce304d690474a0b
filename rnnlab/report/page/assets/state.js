// What a reader has chosen. It stands in the address's #, so that a link shows what its sender saw.

const fields = new Map();
const listeners = [];
let waiting;

export const state = {
  /**
   * Declare a key. `parse` makes a value of its text in the address, undefined of a wrong one;
   * without it the key never stands there. Nor does a key whose value is the fallback.
   */
  define(key, fallback, parse) {
    const read = () => {
      const text = new URLSearchParams(location.hash.slice(1)).get(key);
      return (text === null ? undefined : parse?.(text)) ?? fallback;
    };
    fields.set(key, { fallback, read, isKept: parse !== undefined, value: read() });
  },
  get: (key) => fields.get(key).value,
  /** Change several keys at once; who subscribed to one that has changed is called once. */
  set(changes) {
    const changed = Object.keys(changes).filter((key) => changes[key] !== state.get(key));
    for (const key of changed) fields.get(key).value = changes[key];
    clearTimeout(waiting);
    waiting = setTimeout(write, 150); // browsers complain about hundreds of changes
    const concerns = ({ keys }) => keys.some((key) => changed.includes(key));
    for (const { callback } of listeners.filter(concerns)) callback();
  },
  subscribe: (keys, callback) => listeners.push({ keys, callback }),
};

/** Call back now and whenever a key changes. */
export function follow(key, callback) {
  callback(state.get(key));
  state.subscribe([key], () => callback(state.get(key)));
}

/** A parser that takes only these values, by their texts. */
export const oneOf = (choices) => (text) => choices.find((choice) => String(choice) === text);

/** A parser of numbers within limits. */
export const between = (low, high) => (text) =>
  text.trim() !== "" && Number(text) >= low && Number(text) <= high ? Number(text) : undefined;

const kept = () => [...fields].filter(([, { isKept }]) => isKept);

function write() {
  const chosen = kept().filter(([, { value, fallback }]) => value !== fallback);
  const query = new URLSearchParams(chosen.map(([key, { value }]) => [key, String(value)]));
  history.replaceState(null, "", `#${query}`);
}

// Another link opened in the same window.
addEventListener("hashchange", () =>
  state.set(Object.fromEntries(kept().map(([key, { read }]) => [key, read()]))));
