// What Python has put into the page.

// A packed array as { shape, values, extent }, unpacked when it is first read: a Float32Array in
// row-major order; its least and greatest finite value.
function array({ f4, shape }) {
  let values, extent;
  return {
    shape,
    get values() {
      return values ??= new Float32Array(
        Uint8Array.from(atob(f4), (character) => character.charCodeAt(0)).buffer);
    },
    get extent() {
      return extent ??= this.values.filter(Number.isFinite).reduce(
        ([low, high], y) => [Math.min(low, y), Math.max(high, y)], [Infinity, -Infinity]);
    },
  };
}

export const data = JSON.parse(document.getElementById("data").textContent,
  (_, value) => (value?.f4 === undefined ? value : array(value)));
