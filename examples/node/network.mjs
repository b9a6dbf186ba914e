// Reads a model file of osscl, checks it, and scores by its network: docs/format.md in JavaScript.
// Nothing here knows Node or a browser; ONNX Runtime is handed in by whoever calls.

const NEWEST_SCHEMA = 6;
const MOST_ELEMENTS = 2n ** 26n; // of a tensor that a node asks for
const FRONT_END = '{"algorithm":"osscl.log_mel/1","f_max_hz":8000.0,"f_min_hz":0.0,"hop_length":512,' +
  '"n_fft":2048,"n_mels":128,"power_floor":1e-10,"sample_rate_hz":16000}';
export const FRONT_END_SHA256 = "09599b7e97cef4afbd3f8213c13fc106816329963731e73ae4d9a21491034f43";
export const RATE_HZ = 16000, N_MELS = 128, N_FRAMES = 313;

export class Refusal extends Error {}
export const refuse = (sentence) => { throw new Refusal(sentence); };
const brief = (value) => String(JSON.stringify(value)).slice(0, 60);

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
    if (found.length !== 1) refuse(`the file holds ${found.length} entries ${key}; expected one: export it by osscl`);
    return found[0][1];
  };
  const manifest = only("osscl.manifest");
  if (await sha256(manifest) !== utf8(only("osscl.manifest_sha256"))) {
    refuse("the manifest is not the one whose hash the file states: the file is damaged; copy it again");
  }
  const others = new Uint8Array(await new Blob(rest).arrayBuffer());
  return { manifest: parseStrictly(manifest), graph: graphs[0], graph_sha256: await sha256(others) };
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
