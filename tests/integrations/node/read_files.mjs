// node read_files.mjs FOLDER: reads each file of a folder, a model (.onnx) or a recording (.wav), by the examples'
// code alone. One line of JSON: name -> null, or the sentence that refuses it.

import { readFile, readdir } from "node:fs/promises";
import { join } from "node:path";

const from = (name) => import(new URL(`../../../examples/node/${name}`, import.meta.url));
const [{ readModel }, { decisionsOf }, { readWav }, { Refusal }] =
  await Promise.all(["network.mjs", "memory.mjs", "wav.mjs", "refusal.mjs"].map(from));
const [, , folder, channel] = process.argv;

async function read(name) {
  const bytes = new Uint8Array(await readFile(join(folder, name)));
  if (name.endsWith(".onnx")) decisionsOf((await readModel(bytes)).manifest);
  else return Array.from(readWav(bytes, 16000, 1000, channel === undefined ? undefined : Number(channel)).subarray(0, 8));
  return null;
}

const said = {};
for (const name of await readdir(folder)) {
  said[name] = await read(name).catch((error) => {
    if (!(error instanceof Refusal)) throw error;
    return error.message;
  });
}
console.log(JSON.stringify(said));
