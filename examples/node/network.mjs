// Reads a model file of osscl, checks it, and scores by its network: docs/format.md in JavaScript.
// Nothing here knows Node or a browser; ONNX Runtime is handed in by whoever calls.

import { logMel } from "./features.mjs";
import { brief, refuse } from "./refusal.mjs";
import { isReal, parseStrictly } from "./strict_json.mjs";

const NEWEST_SCHEMA = 6;
const MOST_ELEMENTS = 2n ** 26n; // of a tensor that a node asks for
const SETTINGS = { // of the front end: the only ones that this program computes
  algorithm: "osscl.log_mel/1", f_max_hz: 8000, f_min_hz: 0, hop_length: 512, n_fft: 2048, n_mels: 128,
  power_floor: 1e-10, sample_rate_hz: 16000,
};
const INTEGERS = ["hop_length", "n_fft", "n_mels", "sample_rate_hz"];
const FRONT_END_SHA256 = "09599b7e97cef4afbd3f8213c13fc106816329963731e73ae4d9a21491034f43";

// ---- Container: protobuf's wire format, and the two entries of the metadata

function* fieldsOf(message) {
  let at = 0;
  const broken = (what) => refuse(`the file is damaged, or no model: ${what}; copy it again`);
  const varint = () => {
    for (let value = 0n, n = 0; n < 10 && at < message.length; n++) {
      const byte = message[at++];
      value |= BigInt(byte & 127) << BigInt(7 * n);
      if (byte < 128) return value >> 64n ? broken("a number has more than 64 bits") : value;
    }
    return broken("a number ends nowhere");
  };
  while (at < message.length) {
    const start = at, tag = varint(), number = Number(tag >> 3n), wire = Number(tag & 7n);
    if (number === 0 || number >= 2 ** 29) broken(`it has a field number ${number}`);
    if (![0, 1, 2, 5].includes(wire)) broken(`it has a field of wire type ${wire}`);
    let value = wire === 0 ? varint() : wire === 1 ? 8n : wire === 2 ? varint() : 4n; // or its length
    if (wire !== 0) {
      if (value > message.length - at) broken("a field goes beyond its end");
      value = message.subarray(at, at += Number(value));
    }
    yield { number, wire, value, whole: message.subarray(start, at) };
  }
}

const utf8 = (bytes) => {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return refuse("a text of the file is no UTF-8; copy the file again");
  }
};

async function sha256(bytes) {
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
  return Array.from(digest, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

function metadataEntry(message) {
  const parts = { 1: new Uint8Array(), 2: new Uint8Array() }, seen = new Set();
  for (const { number, wire, value } of fieldsOf(message)) {
    if (wire !== 2 || seen.has(number)) refuse("an entry of the metadata is damaged; copy the file again");
    seen.add(number);
    parts[number] = value;
  }
  return [utf8(parts[1]), parts[2]];
}

async function openContainer(file) {
  if (file.length > 2 ** 31 - 1) refuse(`the file has ${file.length} bytes; expected at most 2147483647`);
  const rest = [], entries = [], graphs = [];
  for (const { number, wire, value, whole } of fieldsOf(file)) {
    if ((number === 7 || number === 14) && wire !== 2) refuse("field 7 or 14 of the file is no message");
    if (number === 7) graphs.push(value);
    if (number === 14) entries.push(metadataEntry(value)); else rest.push(whole);
  }
  if (graphs.length !== 1) refuse(`the file holds ${graphs.length} graphs; expected the one of an ONNX model`);
  const only = (key) => {
    const found = entries.filter(([name]) => name === key);
    if (found.length !== 1) refuse(`the file holds ${found.length} entries ${key}; expected 1: export it by osscl`);
    return found[0][1];
  };
  const manifest = only("osscl.manifest");
  if (await sha256(manifest) !== utf8(only("osscl.manifest_sha256"))) {
    refuse("the manifest is not the one whose hash the file states: the file is damaged; copy it again");
  }
  const others = new Uint8Array(await new Blob(rest).arrayBuffer());
  if (manifest.length > 2 ** 24) refuse(`the manifest has ${manifest.length} bytes; expected at most ${2 ** 24}`);
  return { manifest: parseStrictly(utf8(manifest)), graph: graphs[0], graph_sha256: await sha256(others) };
}

// ---- Graph: what it could do besides what its manifest says

const LEADS_ON = { // message -> field -> message
  model: { 7: "graph", 20: "training", 25: "function" },
  training: { 1: "graph", 2: "graph" },
  graph: { 1: "node", 5: "tensor", 15: "sparse tensor" },
  node: { 5: "attribute" },
  attribute: { 5: "tensor", 6: "graph", 10: "tensor", 11: "graph", 22: "sparse tensor", 23: "sparse tensor" },
  tensor: {},
};

function checkMessages(kind, message) {
  for (const { number, wire, value } of fieldsOf(message)) {
    const next = wire === 2 ? LEADS_ON[kind][number] : undefined;
    if (next === "function" || next === "sparse tensor" || (kind === "attribute" && next === "graph")) {
      refuse(`the model holds a ${next} where none is expected; export it again`);
    }
    if (kind === "tensor" && number === 13) refuse("a tensor lies in another file, which no hash covers; export again");
    if (next) checkMessages(next, value);
  }
  if (kind !== "tensor") return;
  const { shape } = tensorOf(message);
  if (shape.some((size) => size < 0n) || product(shape) > 4n * BigInt(message.length)) {
    refuse(`a constant states the shape [${shape}], but has ${message.length} bytes; export the model again`);
  }
}

const product = (sizes) => sizes.reduce((all, size) => all * size, 1n);
const sizeOf = (value) => (value < 0n ? -value : value);

function whole(parts, wanted) { // repeated int64, packed or not
  return parts.filter(({ number }) => number === wanted).flatMap(({ wire, value }) => {
    if (wire === 0) return [BigInt.asIntN(64, value)];
    const found = [];
    for (let n = 0n, shift = 0n, at = 0; at < value.length; at++) {
      n |= BigInt(value[at] & 127) << shift;
      shift += 7n;
      if (value[at] < 128) { found.push(BigInt.asIntN(64, n)); n = shift = 0n; }
    }
    return found;
  });
}

const named = (parts, wanted) => parts.filter(({ number }) => number === wanted).map(({ value }) => utf8(value));
const inside = (message, ...path) => path.reduce(
  (found, wanted) => found.flatMap((part) => [...fieldsOf(part)].filter(
    ({ number, wire }) => number === wanted && wire === 2).map(({ value }) => value)), [message]);

function tensorOf(message) {
  const parts = [...fieldsOf(message)], raw = inside(message, 9)[0];
  const isInt64 = whole(parts, 2)[0] === 7n;
  const stored = raw && isInt64 && raw.length % 8 === 0
    ? Array.from(new BigInt64Array(raw.slice().buffer)) : whole(parts, 7);
  return { name: named(parts, 8)[0], shape: whole(parts, 1), values: isInt64 ? stored : null };
}

function checkSizes(graph) {
  const constants = new Map(inside(graph, 5).map(tensorOf).map(({ name, values }) => [name, values]));
  const nodes = inside(graph, 1).map((node) => ({ parts: [...fieldsOf(node)], attributes: inside(node, 5) }));
  for (const { parts, attributes } of nodes) {
    const value = named(parts, 4)[0] === "Constant" && inside(attributes[0] ?? new Uint8Array(), 5)[0];
    if (value) constants.set(named(parts, 2)[0], tensorOf(value).values);
  }
  for (const { parts, attributes } of nodes) {
    const operator = named(parts, 4)[0], at = { ConstantOfShape: 0, Expand: 1, Tile: 1, Pad: 1 }[operator];
    const sizes = (constants.get(named(parts, 1)[at]) ?? []).map(sizeOf);
    const asked = [operator === "Pad" ? sizes.reduce((a, b) => a + b, 0n) : product(sizes)];
    for (const attribute of attributes) {
      const those = [...fieldsOf(attribute)];
      asked.push(...whole(those, 3).map(sizeOf), product(whole(those, 8).map((n) => sizeOf(n) || 1n)));
    }
    const largest = asked.reduce((a, b) => (a > b ? a : b));
    if (largest > MOST_ELEMENTS) {
      refuse(`a node ${operator} asks for a size of ${largest}; at most ${MOST_ELEMENTS} are allowed`);
    }
  }
}

function checkSignature(graph, manifest) {
  const given = new Set(inside(graph, 5).map((tensor) => tensorOf(tensor).name));
  const spelled = (field) => inside(graph, field).map((value) => {
    const [type] = inside(value, 2, 1), shape = type ? inside(type, 2, 1) : [];
    const sizes = shape.map((size) => Number(whole([...fieldsOf(size)], 1)[0] ?? "batch"));
    const name = named([...fieldsOf(value)], 1)[0];
    return { name, is: `${whole([...fieldsOf(type ?? value)], 1)[0]} [${sizes.map((n) => n || "batch")}]` };
  });
  for (const [kind, field] of [["inputs", 11], ["outputs", 12]]) {
    const found = spelled(field).filter(({ name }) => kind === "outputs" || !given.has(name));
    const said = manifest[kind].map(({ name, shape }) => `${name}: 1 [${shape}]`);
    const has = found.map(({ name, is }) => `${name}: ${is}`);
    if (String(has) !== String(said)) refuse(`${kind} of the graph are ${has}; its manifest says ${said}`);
  }
}

// ---- Manifest: the shapes of its fields

// A check takes a value, and where it stands: { path, isReal, schema }.
export const within = (fits, expected) => (value, at) =>
  fits(value, at) || refuse(`${at.path} of the manifest is ${brief(value)}; expected ${expected}`);
const inner = (holder, key, at) =>
  [holder[key], { ...at, path: `${at.path}.${key}`, isReal: isReal(holder, key) }];
export const isText = within((value) => typeof value === "string", "text");
export const isHash = within((value) => /^[0-9a-f]{64}$/.test(value), "64 hexadecimal digits");
export const isBoolean = within((value) => typeof value === "boolean", "true or false");
export const oneOf = (...words) => within((value) => words.includes(value), words.map(brief).join(" or "));
export const integer = (low = 0, high = 2 ** 53) => within(
  (value, { isReal }) => Number.isInteger(value) && !isReal && low <= value && value <= high,
  `an integer from ${low} to ${high}`);
export const number = (low = -Infinity, high = Infinity) => within(
  (value) => typeof value === "number" && low <= value && value <= high, `a number from ${low} to ${high}`);
export const orNull = (check) => (value, at) => value === null || check(value, at);
export const since = (from, check) => Object.assign((value, at) => check(value, at), { from });
export const listOf = (check, low = 0, high = Infinity) => (value, at) => {
  within((list) => Array.isArray(list) && low <= list.length && list.length <= high,
    `a list of ${low} to ${high}`)(value, at);
  for (const place of value.keys()) check(...inner(value, place, at));
};
const isObject = within((value) => value !== null && Object.getPrototypeOf(value) === null, "an object");
export const mapOf = (check) => (value, at) => {
  isObject(value, at);
  for (const key of Object.keys(value)) check(...inner(value, key, at));
};
export const object = (shape) => (value, at) => {
  isObject(value, at);
  const expected = Object.keys(shape).filter((key) => (shape[key].from ?? 1) <= at.schema);
  const [odd] = Object.keys(value).filter((key) => !expected.includes(key));
  if (odd !== undefined) refuse(`${at.path} of the manifest has a field ${brief(odd)}, unknown in schema ${at.schema}`);
  for (const key of expected) {
    if (!(key in value)) refuse(`${at.path} of the manifest has no field ${key}; export the model again`);
    shape[key](...inner(value, key, at));
  }
};

const TENSORS = listOf(object({ name: isText, dtype: oneOf("float32"), shape: listOf((value, at) =>
  value === "batch" || integer(1)(value, at)), meaning: isText }));
const ERRORS = object({ embedding: number(0), cosine: number(0), score: number(0) });
const ROWS = listOf(listOf(number(-1.001, 1.001), 1), 1, 64);
const PRECISIONS = { fp32: 1, bf16: 2, int8: 2, fp16: 3 }; // -> since which schema
const MANIFEST = object({
  schema_version: integer(1), producer: object({ name: isText, version: isText, tools: mapOf(isText) }),
  checkpoint: orNull(object({ sha256: isHash, layout: isText })),
  model: orNull(object({
    classes: listOf(isText, 1), inputs: oneOf("three_maps", "log_mel"), head: oneOf("basic", "leaky_relu", "none"),
    margin: number(0, Math.PI / 2 - 1e-15), scale: number(Number.MIN_VALUE, 1e30),
    sub_centres: since(6, integer(1)),
  })),
  front_end: object({
    where: oneOf("native", "graph"), sha256: oneOf(FRONT_END_SHA256),
    settings: object(Object.fromEntries(Object.entries(SETTINGS).map(([key, value]) =>
      [key, (found, at) => (oneOf(value)(found, at), INTEGERS.includes(key) && integer()(found, at))]))),
  }),
  clip: object({ n_samples: integer(1), position: oneOf("start") }), inputs: TENSORS, outputs: TENSORS,
  scoring_rule: oneOf("arcface_cross_entropy"), graph_rewrites: listOf(isText), graph_sha256: isHash,
  precision: orNull((value, at) =>
    oneOf(...Object.keys(PRECISIONS).filter((key) => PRECISIONS[key] <= at.schema))(value, at)),
  parity: orNull(object({ generator: oneOf("osscl.golden/1"), count: integer(1, 64), embedding: ROWS, cosine: ROWS,
    tolerance: ERRORS, measured: ERRORS })),
  accuracy: since(2, orNull(object({
    clips: isText, backend: isText, n_clips: integer(1), n_machines: integer(1), score_error: number(0),
    rank_correlation: number(-1, 1), auc_fp32: orNull(number(0, 1)), auc: orNull(number(0, 1)),
    decision_flips: orNull(integer()),
  }))),
  class_machines: since(6, orNull(listOf(isText, 1))), decisions: since(4, orNull(isObject)), // see memory.mjs
  licence: isText, training_data: isText,
  verdict: since(6, orNull(object({
    word: oneOf("learned", "partly", "nothing", "cannot_tell"), n_clips: integer(1), n_right: integer(),
    n_classes: integer(1), chance: number(0, 1), low: number(0, 1), high: number(0, 1), margin: orNull(number(-2, 2)),
  }))),
});

function checkManifest(manifest) {
  const root = { path: "the whole", isReal: false, schema: manifest?.schema_version };
  isObject(manifest, root);
  integer(1)(...inner(manifest, "schema_version", root));
  if (root.schema > NEWEST_SCHEMA) refuse(`schema ${root.schema} is newer than ${NEWEST_SCHEMA}; update this program`);
  MANIFEST(manifest, root);
  const { model, parity, clip, front_end: { where }, class_machines } = manifest;
  const parts = ["checkpoint", "model", "precision", "parity"].filter((key) => manifest[key] === null);
  const K = model?.classes.length, count = parity?.count;
  const shapes = model === null ? ["waveform: batch,160000", "same_waveform: batch,160000"] : [
    where === "graph" || model.inputs === "three_maps" ? `waveform: batch,${clip.n_samples}` : [],
    where === "native" ? `log_mel: batch,128,${1 + Math.floor(clip.n_samples / 512)}` : [],
    "embedding: batch,128", `cosine: batch,${K}`].flat();
  const stated = [...manifest.inputs, ...manifest.outputs].map(({ name, shape }) => `${name}: ${shape}`);
  const agrees = {
    "inputs and outputs": String(stated) === String(shapes),
    "what a network has": parts.length === 0 || (parts.length === 4 && !manifest.accuracy && !class_machines),
    classes: !model || (new Set(model.classes).size === K && !model.classes.includes("")),
    accuracy: root.schema < 2 || !model || (manifest.accuracy === null) === (manifest.precision === "fp32"),
    class_machines: !class_machines || class_machines.length === K,
    parity: !parity || (parity.embedding.length === count && parity.cosine.length === count
      && parity.embedding.every((row) => row.length === 128) && parity.cosine.every((row) => row.length === K)
      && Object.keys(parity.tolerance).every((key) => parity.measured[key] <= parity.tolerance[key])),
    verdict: !manifest.verdict || manifest.verdict.n_right <= manifest.verdict.n_clips,
  };
  for (const [what, fits] of Object.entries(agrees)) {
    if (!fits) refuse(`the manifest contradicts itself: ${what}; export the model again`);
  }
}

/** Read and check a model file, Uint8Array; refuse it by one sentence. */
export async function readModel(file) {
  const { manifest, graph, graph_sha256 } = await openContainer(file);
  checkManifest(manifest);
  if (manifest.graph_sha256 !== graph_sha256) {
    refuse("the graph is not the one whose hash the manifest states: the file is damaged; copy it again");
  }
  checkMessages("model", file);
  checkSignature(graph, manifest);
  checkSizes(graph);
  return { manifest, file };
}

// ---- Network

/** Open the graph: what is given back makes of a clip its embedding [128] and cosines [K]. */
export async function openNetwork(ort, { file, manifest }, options = {}) {
  if (manifest.model === null) refuse("the file holds memories alone, no network: score by the rule memory");
  if (manifest.clip.n_samples !== 160000) refuse("clips of the model have another length than 160000 samples");
  const session = await ort.InferenceSession.create(file, options);
  return async (samples) => {
    const values = { waveform: () => Float32Array.from(samples), log_mel: () => Float32Array.from(logMel(samples)) };
    const feeds = Object.fromEntries(manifest.inputs.map(({ name, shape }) =>
      [name, new ort.Tensor("float32", values[name](), [1, ...shape.slice(1)])]));
    const { embedding, cosine } = await session.run(feeds);
    return { embedding: Float64Array.from(embedding.data), cosine: Float64Array.from(cosine.data) };
  };
}

/** Columns of the classes of a machine, none where the network does not know it. */
export const columnsOf = ({ model, class_machines }, machine) =>
  [...(class_machines ?? model?.classes ?? []).entries()].filter(([, name]) => name === machine).map(([k]) => k);

/** Score of cosines [K] that claim to be of class t, nats. */
export function networkScore({ margin: m, scale: s }, cosine, t) {
  const c = cosine[t], sine = Math.sqrt(Math.max(1 - c * c, 1e-12));
  const isNear = c > Math.cos(Math.PI - m);
  const claimed = s * (isNear ? c * Math.cos(m) - sine * Math.sin(m) : c - m * Math.sin(Math.PI - m));
  const logits = Array.from(cosine, (each, k) => (k === t ? 0 : s * each - claimed)), top = Math.max(...logits);
  const rest = logits.reduce((sum, each, k) => (k === logits.indexOf(top) ? sum : sum + Math.exp(each - top)), 0);
  return top + Math.log1p(rest); // keeps the digits of scores near zero
}
