// node check.mjs MODEL: reads and checks a model file, and says what it holds, in one line of JSON.
// A network in fp32 is compared with its checkpoint on the golden clips; exit code 4 where it is not the same.

import { readFile } from "node:fs/promises";

import { parityOf } from "./golden.mjs";
import { rulesOf } from "./memory.mjs";
import { openNetwork, readModel } from "./network.mjs";
import { Refusal, refuse } from "./refusal.mjs";
import { runtime } from "./runtime.mjs";

async function check(path) {
  const bytes = await readFile(path).catch((error) => refuse(`${path} cannot be read: ${error.code}`));
  const model = await readModel(new Uint8Array(bytes)), { manifest } = model;
  const said = {
    schema: manifest.schema_version, precision: manifest.precision, graph_sha256: manifest.graph_sha256,
    rules: Object.fromEntries(rulesOf(manifest)),
  };
  if (manifest.precision !== "fp32") return said; // memories alone, or one that nobody but the exporter can check
  const allowed = manifest.parity.tolerance;
  const differs = await parityOf(manifest, await openNetwork(await runtime(), model));
  const isSame = Object.keys(allowed).every((name) => differs[name] <= allowed[name]);
  if (!isSame) process.exitCode = 4;
  return { ...said, golden_clips: { is_same: isSame, differs, allowed } };
}

try {
  if (process.argv.length !== 3) refuse("usage: node check.mjs MODEL");
  console.log(JSON.stringify(await check(process.argv[2])));
} catch (error) {
  if (!(error instanceof Refusal)) throw error;
  console.error(`error: ${error.message}`);
  process.exitCode = 2;
}
