// What Python has put into the page.

// A packed array as { shape, values }: a Float32Array, row after row, unpacked when first read.
function array({ f4, shape }) {
  const unpacked = () => new Float32Array(
    Uint8Array.from(atob(f4), (character) => character.charCodeAt(0)).buffer);
  let values;
  return { shape, get values() { return values ??= unpacked(); } };
}

export const data = JSON.parse(document.getElementById("data").textContent,
  (_, value) => (value?.f4 === undefined ? value : array(value)));

/** Index of the number that is nearest. */
export const nearest = (numbers, wanted) => numbers.reduce((best, number, i) =>
  (Math.abs(number - wanted) < Math.abs(numbers[best] - wanted) ? i : best), 0);
