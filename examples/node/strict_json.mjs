// JSON, read strictly: no key twice in an object, and integers told from other numbers.

import { brief, refuse } from "./refusal.mjs";

const DEEPEST = 64;
const REALS = new WeakMap(); // object or list -> keys of the numbers that are not written as integers

/** Whether a number in an object or a list of a document is written with a point or an exponent. */
export const isReal = (holder, key) => REALS.get(holder).has(String(key));

/** Read a document; objects have no prototype. */
export function parseStrictly(source) {
  const open = [];
  let root, key;
  try { JSON.parse(source); } catch { refuse("the manifest is no JSON; export the model again"); }
  const put = (value, isWrittenReal = false) => {
    const holder = open.at(-1) ?? [];
    if (Array.isArray(holder)) key = String(holder.length);
    if (key in holder) refuse(`the manifest has two fields ${brief(key)} in one object; export the model again`);
    holder[key] = value;
    if (isWrittenReal) REALS.get(holder)?.add(key);
    root ??= value;
  };
  // JSON.parse keeps the last of two equal keys and reads 1.0 as an integer, so the tokens are read once more
  for (const [token, , colon] of source.matchAll(/("[^"\\]*(?:\\.[^"\\]*)*")(\s*:)?|[{}[\]]|[^\s{}[\],:"]+/g)) {
    if (token === "{" || token === "[") {
      const value = token === "{" ? Object.create(null) : [];
      put(value);
      REALS.set(value, new Set());
      if (open.push(value) > DEEPEST) refuse(`the manifest is nested more than ${DEEPEST} deep`);
    } else if (token === "}" || token === "]") {
      open.pop();
    } else {
      const value = JSON.parse(colon ? token.slice(0, -colon.length) : token);
      if (typeof value === "string" && !value.isWellFormed()) refuse("a text of the manifest is no Unicode text");
      const isBeyond = value === Infinity || value === -Infinity;
      if (isBeyond) refuse(`a number of the manifest is ${brief(token)}; expected one that float64 holds`);
      if (colon) key = value; else put(value, typeof value === "number" && /[.eE]/.test(token));
    }
  }
  return root;
}
