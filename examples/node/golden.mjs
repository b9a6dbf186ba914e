// The golden clips of docs/format.md, and how far a network is from its checkpoint on them.

import { networkScore } from "./network.mjs";

const N_SAMPLES = 160000;

function hash(x) {
  x = Math.imul(x ^ (x >>> 16), 0x8411a90f);
  x = Math.imul(x ^ (x >>> 16), 0x4d0a6767);
  return (x ^ (x >>> 16)) >>> 0;
}

/** Samples of a golden clip, Int16Array [160000]. */
export function goldenClip(c) {
  const salt = hash(c + 1);
  return Int16Array.from({ length: N_SAMPLES }, (_, i) => {
    const noise = (hash((i + salt) >>> 0) >>> 16) - 32768;
    const saw = (Math.imul(i, 20000003 + 1234567 * c) >>> 16) - 32768;
    const t = Math.imul(i, 230000017 + 9876543 * c) >>> 16;
    const triangle = 2 * Math.min(t, 65535 - t) - 32768;
    return [
      (noise + saw) >> 1,
      noise >> 9,
      (saw >> 2) + (triangle >> (1 + 4 * ((i >> 13) & 1))) + (noise >> 10),
      noise >> ((i & 4095) >> 8),
    ][c % 4];
  });
}

const farthest = (got, expected) => got.reduce((most, each, i) => Math.max(most, Math.abs(each - expected[i])), 0);

/** Largest differences of a network from its checkpoint: embedding, cosine, score. */
export async function parityOf({ model, parity }, network) {
  const found = { embedding: 0, cosine: 0, score: 0 };
  for (let c = 0; c < parity.count; c++) {
    const outputs = await network(Float32Array.from(goldenClip(c), (sample) => sample / 32768));
    const scores = (cosine) => model.classes.map((_, t) => networkScore(model, cosine, t));
    const pairs = {
      embedding: [outputs.embedding, parity.embedding[c]], cosine: [outputs.cosine, parity.cosine[c]],
      score: [scores(outputs.cosine), scores(parity.cosine[c])],
    };
    for (const [name, pair] of Object.entries(pairs)) found[name] = Math.max(found[name], farthest(...pair));
  }
  return found;
}
