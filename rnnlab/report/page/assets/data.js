// What Python has put into the page.

export const data = JSON.parse(document.getElementById("data").textContent);

// An array of the page as { shape, values }: values is a Float32Array in row-major order.
export function unpack(packed) {
  const bytes = Uint8Array.from(atob(packed.f4), (character) => character.charCodeAt(0));
  return { shape: packed.shape, values: new Float32Array(bytes.buffer) };
}
