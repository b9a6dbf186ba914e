// Arrays of numbers as a model file keeps them: little-endian, in base64.

const BYTES = { f2: 2, f4: 4, f8: 8 };

function half(bits) { // float16
  const exponent = (bits >> 10) & 31, fraction = bits & 1023, sign = bits >> 15 ? -1 : 1;
  if (exponent === 31) return NaN; // infinity too: neither is taken
  return sign * (exponent ? (1 + fraction / 1024) * 2 ** (exponent - 15) : fraction * 2 ** -24);
}

const isBase64 = (value) =>
  typeof value === "string" && value.length % 4 === 0 && /^[A-Za-z0-9+/]*={0,2}$/.test(value);

/** Whether a value is an array of whole numbers of a type: "f2", "f4" or "f8". */
export const isArray = (value, type) => isBase64(value) && atob(value).length % BYTES[type] === 0;

/** Little-endian numbers in base64, as float64. */
export function numbers(base64, type) {
  const bytes = Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0)), view = new DataView(bytes.buffer);
  const at = {
    f2: (i) => half(view.getUint16(i, true)), f4: (i) => view.getFloat32(i, true), f8: (i) => view.getFloat64(i, true),
  };
  return Float64Array.from({ length: bytes.length / BYTES[type] }, (_, i) => at[type](i * BYTES[type]));
}
