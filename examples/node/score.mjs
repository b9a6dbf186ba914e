// node score.mjs MODEL MACHINE RECORDING.wav ... [--rule RULE] [--rate RATE] [--channel N]
// One line of JSON a recording: score, p-value, decision. Exit code 3 where one could not be scored.

import { readFile } from "node:fs/promises";
import { parseArgs } from "node:util";

import { N_SAMPLES, RATE_HZ, features } from "./features.mjs";
import { judgeOf } from "./memory.mjs";
import { openNetwork, readModel } from "./network.mjs";
import { Refusal, refuse } from "./refusal.mjs";
import { runtime } from "./runtime.mjs";
import { readWav } from "./wav.mjs";

const USAGE = "usage: node score.mjs MODEL MACHINE RECORDING.wav ... [--rule RULE] [--rate RATE] [--channel N]";

async function bytesOf(path) {
  try {
    return new Uint8Array(await readFile(path));
  } catch (error) {
    return refuse(`${path} cannot be read: ${error.code ?? error.message}`);
  }
}

async function scorerOf(path, machine, options) {
  const model = await readModel(await bytesOf(path));
  const { rule, needs, judge } = judgeOf(model.manifest, machine, options);
  const network = needs.includes("network") ? await openNetwork(await runtime(), model) : null;
  return async (samples) => {
    const outputs = network ? await network(samples) : {};
    return { rule, ...judge({ ...outputs, features: needs.includes("features") ? features(samples) : null }) };
  };
}

function asked() {
  const option = { type: "string" };
  const { values, positionals } = parseArgs({
    allowPositionals: true, options: { rule: option, rate: option, channel: option, help: { type: "boolean" } },
  });
  if (values.help) {
    console.log(USAGE);
    process.exit(0);
  }
  if (positionals.length < 3) refuse(USAGE);
  const whole = (text) =>
    (/^\d+$/.test(text) ? Number(text) : refuse(`--channel is ${text}; expected a number from 0`));
  const [model, machine, ...recordings] = positionals;
  return {
    model, machine, recordings, rule: values.rule,
    rate: values.rate === undefined ? undefined : Number(values.rate),
    channel: values.channel === undefined ? undefined : whole(values.channel),
  };
}

async function main() {
  const { model, machine, recordings, channel, ...options } = asked();
  const score = await scorerOf(model, machine, options);
  for (const path of recordings) {
    let line;
    try {
      line = await score(readWav(await bytesOf(path), RATE_HZ, N_SAMPLES, channel));
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      line = { error: error.message };
      process.exitCode = 3;
    }
    console.log(JSON.stringify({ path, machine, ...line }));
  }
}

try {
  await main();
} catch (error) {
  if (!(error instanceof Refusal) && !error.code?.startsWith("ERR_PARSE_ARGS")) throw error;
  console.error(`error: ${error.message}`);
  process.exitCode = 2;
}
