// Scores a clip by the memories of a model file, and decides: docs/format.md, "Decisions" and "Memory".
// Everything is float64 from the stored arrays on.

import { cholesky, gcd, mean, median, products, solved, sum, triangle } from "./arithmetic.mjs";
import { isArray, numbers } from "./arrays.mjs";
import {
  columnsOf, integer, isBoolean, isHash, isText, listOf, mapOf, networkScore, number, object, oneOf, orNull, since,
  within,
} from "./network.mjs";
import { refuse } from "./refusal.mjs";

const FEATURES_SHA256 = "96ebcf5321b25f95afee59473b7a0c17a78ce77d14d85217a01b70cb91346462";
const BLOCKS = { // of features
  level: { start: 0, size: 32, weight: 1, isWhole: true },
  modulation: { start: 32, size: 96, weight: 1, isWhole: false },
  flutter: { start: 128, size: 200, weight: 1, isWhole: false },
  event: { start: 328, size: 32, weight: 0.25, isWhole: false },
};
const FEATURES = { size: 360, blocks: BLOCKS, leastVariance: 1e-3 };
const EMBEDDING = {
  size: 128, blocks: { embedding: { start: 0, size: 128, weight: 1, isWhole: true } }, leastVariance: 1e-8,
};

// ---- What the manifest holds to decide by

const arrayOf = (type, ...counts) => within((value) => {
  if (!isArray(value, type)) return false;
  const found = numbers(value, type);
  return (counts.length === 0 || counts.includes(found.length)) && found.every(Number.isFinite);
}, `${counts.join(" or ") || "some"} finite numbers in base64`);
const RULES = ["network", "memory", "both", "embedding"];
const isShortHash = within((value) => /^[0-9a-f]{16}$/.test(value), "16 hexadecimal digits");
const isDate = within((value) => /^\d{4}-\d\d-\d\d$/.test(value), "a date");
const CLIPS = listOf(object({ sha256: isShortHash, recording: isText, added: isDate, flagged: isBoolean }));
const SOURCE = { n_machines: integer(1), n_clips: integer(1), source: isText };
const REMEMBERED = {
  machine: isText, clips: CLIPS, held_out: CLIPS, held_out_scores: arrayOf("f8"),
  fit: object({
    resample: isBoolean, pad: orNull(oneOf("repeat", "zero")),
    channel: orNull((value, at) => value === "mean" || integer()(value, at)),
  }),
  is_padded: isBoolean,
};
const DECISIONS = object({
  background: orNull(object({
    features_sha256: isHash, level: arrayOf("f4", 528), modulation: arrayOf("f4", 96), flutter: arrayOf("f4", 200),
    event: arrayOf("f4", 32), ...SOURCE,
  })),
  training_clips: orNull(listOf(isShortHash)),
  memories: listOf(object({
    ...REMEMBERED, features_sha256: isHash, mean: arrayOf("f4", 360), deviations: arrayOf("f2"),
    measures: since(5, arrayOf("f4")), domain: since(6, orNull(oneOf("source", "target"))),
  })),
  calibrations: listOf(object({
    machine: isText, rule: oneOf("network", "both"), precision: isText, scores: arrayOf("f8"), clips: CLIPS,
    log_median: orNull(number()), log_mad: orNull(number()), is_guaranteed: isBoolean,
  })),
  rules: mapOf(oneOf(...RULES)),
  limits: since(5, listOf(object({
    machine: isText, rule: oneOf("network", "memory", "both"), false_alarm_rate: number(0, 1), n_recordings: integer(),
    limits: listOf(object({
      change: oneOf("tone", "band", "modulation", "burst", "missing_beat", "shifted_line"), text: isText,
      low_hz: number(), high_hz: number(), rate_hz: orNull(number()), duration_s: orNull(number()),
      unit: oneOf("dB", "%", "Hz"), a50: orNull(number()), a90: orNull(number()), a90_95: orNull(number()),
      largest: number(),
    })),
  }))),
  embedding_background: since(6, orNull(object({
    checkpoint_sha256: isHash, embedding: arrayOf("f4", 8256), ...SOURCE,
  }))),
  embeddings: since(6, listOf(object({
    ...REMEMBERED, checkpoint_sha256: isHash, precision: isText, mean: arrayOf("f4", 128), deviations: arrayOf("f2"),
  }))),
});

/** Check what a manifest holds to decide by, and give it; without anything where there is nothing. */
export function decisionsOf(manifest) {
  const nothing = {
    background: null, memories: [], calibrations: [], rules: {}, embeddings: [], embedding_background: null,
  };
  if (!manifest.decisions) return nothing;
  DECISIONS(manifest.decisions, { path: "decisions", isReal: false, schema: manifest.schema_version });
  const held = { ...nothing, ...manifest.decisions };
  for (const stored of [...held.memories, ...held.embeddings]) {
    const size = numbers(stored.mean, "f4").length;
    const n = numbers(stored.deviations, "f2").length / size, n_held_out = numbers(stored.held_out_scores, "f8").length;
    if (n < 3 || n > 512 || n !== stored.clips.length || n_held_out !== stored.held_out.length) {
      refuse(`the memory of ${stored.machine} has ${n} clips and names ${stored.clips.length}; enroll it again`);
    }
  }
  for (const { machine, scores, clips } of held.calibrations) {
    const isKnown = columnsOf(manifest, machine).length > 0;
    if (!isKnown || numbers(scores, "f8").length !== clips.length) {
      refuse(`the calibration of ${machine} is of no class of the network, or has other scores than clips`);
    }
  }
  const owners = [held.memories.map((each) => `${each.machine}, domain ${each.domain ?? "none"}`),
    held.embeddings.map((each) => each.machine), held.calibrations.map((each) => `${each.machine}, ${each.rule}`)];
  for (const names of owners) {
    const twice = names.find((name, i) => names.indexOf(name) < i);
    if (twice) refuse(`the file holds twice what is to decide of ${twice}; enroll or calibrate it again`);
  }
  return held;
}

// ---- Memory: one block

/** Covariance without a background, by Ledoit and Wolf; u is centred. */
function ownCovariance(u, d, leastVariance) {
  const n = u.length, S = products(u, d).map((row) => row.map((each) => each / (n - 1)));
  const m = sum(S.map((row, i) => row[i])) / d, all = sum(S.map((row) => sum(row.map((each) => each * each))));
  const spread = all / d - m * m; // |S - m I|^2 / d
  const fourth = mean(u.map((row) => (sum(row.map((each) => each * each)) * n) / (n - 1)).map((each) => each * each));
  const error = (fourth - all) / n / d;
  const w = spread > 0 ? Math.min(Math.max(error, 0), spread) / spread : 1;
  const lift = w * m + Math.max(leastVariance - m, 0);
  return S.map((row, i) => row.map((each, j) => (1 - w) * each + (i === j ? lift : 0)));
}

function fitBlock(rows, prior, { isWhole, size }, leastVariance) {
  const n = rows.length, centre = Float64Array.from({ length: size }, (_, j) => mean(rows.map((row) => row[j])));
  const u = rows.map((row) => row.map((each, j) => each - centre[j]));
  const variances = centre.map((_, j) => sum(u.map((row) => row[j] * row[j]))); // times n - 1
  let whiten;
  if (isWhole) {
    let covariance;
    if (prior) {
      const c = Math.max(sum(variances) / (n - 1) / sum(prior.map((row, i) => row[i])), 0.001);
      covariance = products(u, size).map((row, i) =>
        row.map((each, j) => (each + 30 * c * prior[i][j]) / (n - 1 + 30)));
    } else covariance = ownCovariance(u, size, leastVariance);
    const lower = cholesky(covariance);
    whiten = (row) => solved(lower, row);
  } else {
    const m = Math.max(sum(variances) / (n - 1) / size, leastVariance);
    const c = prior && Math.max(sum(variances) / (n - 1) / sum(prior), 0.001);
    const deviations = variances.map((each, j) =>
      Math.sqrt(prior ? (each + 30 * c * prior[j]) / (n - 1 + 30) : (each + 5 * m) / (n - 1 + 5)));
    whiten = (row) => row.map((each, j) => each / deviations[j]);
  }
  const known = rows.map(whiten), k = Math.min(Math.max(4, Math.floor(n / 4)), n);
  return (row) => { // distance
    const white = whiten(row), away = known.map((each) => each.map((value, j) => value - white[j]));
    const far = away.map((each) => sum(each.map((value) => value * value)));
    const nearest = [...far.keys()].sort((a, b) => far[a] - far[b] || a - b).slice(0, k);
    return Math.hypot(...white.map((_, j) => mean(nearest.map((i) => away[i][j]))));
  };
}

/** Fit a memory: it gives the z of each block and the score of a clip's numbers, and its own normal scores. */
function fitMemory(rows, recordings, priors, { blocks, leastVariance }) {
  const names = [...new Set(recordings)];
  const groups = names.length < 3 ? [...rows.keys()] : recordings.map((each) => names.indexOf(each));
  const parts = Object.entries(blocks).map(([name, block]) => {
    const own = rows.map((row) => row.subarray(block.start, block.start + block.size));
    const without = new Map([...new Set(groups)].map((group) =>
      [group, fitBlock(own.filter((_, i) => groups[i] !== group), priors?.[name], block, leastVariance)]));
    const left = own.map((row, i) => without.get(groups[i])(row)), middle = mean(left);
    const variance = sum(left.map((each) => (each - middle) ** 2)) / (left.length - 1);
    const spread = Math.sqrt(variance + (0.05 * Math.max(middle, 0.1 * Math.sqrt(block.size))) ** 2);
    const distance = fitBlock(own, priors?.[name], block, leastVariance), z = (far) => (far - middle) / spread;
    const part = (row) => row.subarray(block.start, block.start + block.size);
    return { name, block, left: left.map(z), z: (row) => z(distance(part(row))) };
  });
  return {
    normal: rows.map((_, i) => sum(parts.map(({ block, left }) => block.weight * left[i]))),
    judge: (row) => {
      const z = Object.fromEntries(parts.map((part) => [part.name, part.z(row)]));
      return { z, score: sum(parts.map(({ name, block }) => block.weight * z[name])) };
    },
  };
}

function restored(stored, { size, blocks, leastVariance }, background) {
  const middle = numbers(stored.mean, "f4"), away = numbers(stored.deviations, "f2");
  const rows = stored.clips.map((_, i) => middle.map((each, j) => each + away[i * size + j]));
  const priors = background && Object.fromEntries(Object.entries(blocks).map(([name, block]) =>
    [name, block.isWhole ? triangle(numbers(background[name], "f4"), block.size) : numbers(background[name], "f4")]));
  const recordings = stored.clips.map(({ recording }) => recording);
  const { normal, judge } = fitMemory(rows, recordings, priors, { blocks, leastVariance });
  const held = stored.held_out.length > 0;
  return {
    judge, scores: held ? [...numbers(stored.held_out_scores, "f8")] : normal,
    recordings: (held ? stored.held_out : stored.clips).map(({ recording }) => recording),
  };
}

// ---- Decisions

const robust = (score, middle, mad) => (score - middle) / (1.4826 * mad);

/** p-value of a score: clips of one recording count as one. Whole numbers, so that p is rounded once. */
export function pValue({ scores, recordings }, score) {
  const sizes = new Map(), reached = new Map();
  recordings.forEach((name, i) => {
    sizes.set(name, (sizes.get(name) ?? 0) + 1);
    reached.set(name, (reached.get(name) ?? 0) + (scores[i] >= score ? 1 : 0));
  });
  if (sizes.size < 3) return null;
  const unit = [...sizes.values()].reduce((a, b) => (a / gcd(a, b)) * b);
  return (unit + sum([...sizes].map(([name, size]) => (reached.get(name) * unit) / size))) / (unit * (sizes.size + 1));
}

function decided(score, normals, askedRate, undecided) {
  const written = Math.fround(score), counts = normals.map(({ recordings }) => new Set(recordings).size);
  const fewest = Math.min(...counts), smallest = 1 / (fewest + 1), rate = askedRate ?? Math.max(0.05, smallest);
  const p = undecided || fewest < 3 ? null : Math.max(...normals.map((normal) => pValue(normal, written)));
  const why = undecided || (fewest < 3 || rate < smallest
    ? `${fewest} normal recordings are too few for a false-alarm rate of ${rate}` : null);
  return { score: written, pValue: p, rate, isAnomaly: why ? null : p <= rate, why };
}

/** Machines of a file, each with the rule that decides of it. */
export function rulesOf(manifest, held = decisionsOf(manifest)) {
  const classes = manifest.class_machines ?? manifest.model?.classes ?? [];
  const rules = new Map(held.embeddings.map(({ machine }) => [machine, "embedding"]));
  for (const { machine } of held.memories) rules.set(machine, "memory");
  for (const machine of classes) rules.set(machine, "network");
  for (const [machine, rule] of Object.entries(held.rules)) if (rules.has(machine)) rules.set(machine, rule);
  return rules;
}

/** Say how a machine is judged: which of "features" and "network" it needs, and what it makes of them. */
export function judgeOf(manifest, machine, { rule: asked, rate } = {}) {
  const held = decisionsOf(manifest), rules = rulesOf(manifest, held), columns = columnsOf(manifest, machine);
  const lacks = (what) => refuse(`${machine}: ${what}`);
  if (!rules.has(machine)) lacks(`the model does not know it; it knows ${[...rules.keys()].slice(0, 5).join(", ")}`);
  const rule = asked ?? rules.get(machine);
  if (!RULES.includes(rule)) refuse(`there is no rule ${rule}; expected ${RULES.join(", ")}`);
  if (rate !== undefined && !(rate > 0 && rate < 1)) refuse(`the false-alarm rate is ${rate}; expected 0 < rate < 1`);
  if (["network", "both"].includes(rule) && !columns.length) lacks(`the rule ${rule} needs a class of the network`);
  const ofMachine = (list) => list.filter((each) => each.machine === machine);
  const byNetwork = ({ cosine }) => Math.min(...columns.map((t) => networkScore(manifest.model, cosine, t)));
  const calibration = ofMachine(held.calibrations).find((each) => each.rule === rule);
  const about = { manifest, held, lacks, ofMachine, byNetwork, rate, calibration };
  const by = { network: judgeByNetwork, memory: judgeByMemory, embedding: judgeByEmbedding, both: judgeByBoth };
  return { rule, ...by[rule]({ ...about, ...calibratedBy(manifest, calibration) }) };
}

function calibratedBy({ precision }, calibration) {
  if (calibration?.precision !== precision) {
    return { normals: [], uncalibrated: "it is not calibrated in the precision of this model: run osscl calibrate" };
  }
  const recordings = calibration.clips.map(({ recording }) => recording);
  return { normals: [{ scores: numbers(calibration.scores, "f8"), recordings }], uncalibrated: null };
}

function judgeByNetwork({ byNetwork, normals, rate, uncalibrated }) {
  return { needs: ["network"], judge: (clip) => decided(byNetwork(clip), normals, rate, uncalibrated) };
}

const padded = (stored) =>
  (stored.some((each) => each.is_padded) ? "its memory is of recordings that were filled up" : null);

function memoriesOf({ held, ofMachine, lacks }) {
  const stored = ofMachine(held.memories);
  if (!stored.length) lacks("it has no memory; run osscl enroll");
  const isOther = stored.some((each) => each.features_sha256 !== FEATURES_SHA256);
  if (isOther) lacks("its memory is of other features than these; enroll it again");
  return { memories: stored.map((each) => restored(each, FEATURES, held.background)), unfit: padded(stored) };
}

function judgeByMemory(about) {
  const { memories, unfit } = memoriesOf(about); // of each domain, where it is by domain
  return { needs: ["features"], judge: ({ features }) => {
    const nearest = memories.map(({ judge }) => judge(features)).reduce((a, b) => (b.score < a.score ? b : a));
    return { z: nearest.z, ...decided(nearest.score, memories, about.rate, unfit) };
  } };
}

function judgeByEmbedding({ manifest, held, ofMachine, lacks, rate }) {
  const stored = ofMachine(held.embeddings);
  if (!stored.length) lacks("it has no memory of embeddings; run osscl enroll --rule embedding");
  const [{ checkpoint_sha256, precision }] = stored;
  if (checkpoint_sha256 !== manifest.checkpoint?.sha256 || precision !== manifest.precision) {
    lacks("its embeddings are of another network or precision; enroll it again");
  }
  const memory = restored(stored[0], EMBEDDING, held.embedding_background), unfit = padded(stored);
  return { needs: ["network"], judge: ({ embedding }) => {
    const norm = Math.sqrt(sum(embedding.map((each) => each * each)));
    const { z, score } = memory.judge(embedding.map((each) => each / norm));
    return { z, ...decided(score, [memory], rate, unfit) };
  } };
}

function judgeByBoth(about) {
  const { memories, unfit } = memoriesOf(about), { log_median, log_mad } = about.calibration ?? {};
  if (memories.length > 1) about.lacks("its memories are by domain, which the rule both does not know");
  if (log_median == null || log_mad == null) about.lacks("run osscl calibrate --rule both, which it lacks");
  const [{ judge, scores }] = memories, middle = median(scores);
  const mad = median(scores.map((each) => Math.abs(each - middle)));
  return { needs: ["features", "network"], judge: (clip) => {
    const { z, score } = judge(clip.features);
    const network = robust(Math.log(Math.max(about.byNetwork(clip), 1e-12)), log_median, log_mad);
    const larger = Math.max(robust(score, middle, mad), network);
    return { z, ...decided(larger, about.normals, about.rate, about.uncalibrated ?? unfit) };
  } };
}
