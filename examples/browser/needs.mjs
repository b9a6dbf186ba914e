// What the page needs of a browser, and what a browser lacks.

// a module of one function that uses a vector of 16 bytes
const WITH_SIMD = Uint8Array.of(
  0, 97, 115, 109, 1, 0, 0, 0, 1, 5, 1, 96, 0, 1, 123, 3, 2, 1, 0, 10, 10, 1, 8, 0, 65, 0, 253, 15, 253, 98, 11);

const NEEDS = {
  "WebAssembly": () => typeof WebAssembly === "object" && typeof WebAssembly.validate === "function",
  "WebAssembly's SIMD instructions": () => WebAssembly.validate(WITH_SIMD),
  "the File API": () => typeof File === "function" && typeof Blob.prototype.arrayBuffer === "function",
  "Web Cryptography, which it has for https and localhost alone": () => typeof crypto?.subtle?.digest === "function",
  "strings that know whether they are Unicode text": () => typeof "".isWellFormed === "function",
};

/** Say in one sentence what the browser lacks; null where it lacks nothing. */
export function lackingOf() {
  const lacking = Object.entries(NEEDS).find(([, has]) => !has());
  if (!lacking) return null;
  return `This browser lacks ${lacking[0]}, so no model can be computed here; use a current Chrome, Edge, Firefox or ` +
    "Safari, or allow it in the browser's settings.";
}
