// What is computed of a clip before anything judges it: the log-mel, and the features of memories.
// docs/format.md, "Log-mel" and "Features"; everything in float64.

import { mean } from "./arithmetic.mjs";

export const N_SAMPLES = 160000, RATE_HZ = 16000;
const N_MELS = 128, N_FRAMES = 313;

const tables = new Map();

/** Squared magnitudes of the Fourier transform of a frame, [n] -> [n / 2 + 1]. */
export function powerSpectrum(frame) {
  const n = frame.length;
  if (!tables.has(n)) {
    const angles = Float64Array.from({ length: n }, (_, i) => (2 * Math.PI * i) / n);
    tables.set(n, [angles.map(Math.cos), angles.map(Math.sin)]);
  }
  const [cos, sin] = tables.get(n), power = new Float64Array(n / 2 + 1);
  if (n & (n - 1)) { // no power of two: by the definition
    return power.map((_, k) => {
      let re = 0, im = 0;
      for (let i = 0, at = 0; i < n; i++, at = (at + k) % n) {
        re += frame[i] * cos[at];
        im += frame[i] * sin[at];
      }
      return re * re + im * im;
    });
  }
  let from = [Float64Array.from(frame), new Float64Array(n)], to = [new Float64Array(n), new Float64Array(n)];
  for (let half = n / 2, stride = 1; half >= 1; half /= 2, stride *= 2) { // Stockham's: nothing is reordered
    const [re, im] = from, [toRe, toIm] = to;
    for (let p = 0; p < half; p++) {
      const c = cos[p * stride], s = sin[p * stride];
      for (let q = 0; q < stride; q++) {
        const a = q + stride * p, b = a + stride * half, at = q + stride * 2 * p;
        const dRe = re[a] - re[b], dIm = im[a] - im[b];
        toRe[at] = re[a] + re[b];
        toIm[at] = im[a] + im[b];
        toRe[at + stride] = dRe * c + dIm * s;
        toIm[at + stride] = dIm * c - dRe * s;
      }
    }
    [from, to] = [to, from];
  }
  return power.map((_, k) => from[0][k] ** 2 + from[1][k] ** 2);
}

function melFilters() { // [{ first, weights }] of the bins that a triangle meets
  const logStep = Math.log(6.4) / 27, top = 15 + Math.log(8) / logStep; // mel of 8000 Hz
  const edge = (j) => {
    const mel = (j * top) / (N_MELS + 1);
    return mel < 15 ? (200 * mel) / 3 : 1000 * Math.exp((mel - 15) * logStep);
  };
  return Array.from({ length: N_MELS }, (_, m) => {
    const [low, middle, high] = [edge(m), edge(m + 1), edge(m + 2)], bin = RATE_HZ / 2048;
    const first = Math.ceil(low / bin), weights = [];
    for (let f = first * bin; f <= high; f += bin) {
      const height = Math.min((f - low) / (middle - low), (high - f) / (high - middle));
      weights.push((Math.max(0, height) * 2) / (high - low));
    }
    return { first, weights: weights.slice(0, 1025 - first) };
  });
}

/** Log-mel of 160,000 samples at full scale 1, dB: Float64Array [128, 313]. */
export function logMel(samples) {
  const found = new Float64Array(N_MELS * N_FRAMES), filters = melFilters(), frame = new Float64Array(2048);
  const window = frame.map((_, n) => 0.5 - 0.5 * Math.cos((2 * Math.PI * n) / 2048));
  for (let t = 0; t < N_FRAMES; t++) {
    const power = powerSpectrum(frame.map((_, n) => window[n] * (samples[t * 512 - 1024 + n] ?? 0)));
    filters.forEach(({ first, weights }, m) => {
      const energy = weights.reduce((sum, weight, k) => sum + weight * power[first + k], 0);
      found[m * N_FRAMES + t] = 10 * Math.log10(Math.max(1e-10, energy));
    });
  }
  return found;
}

// ---- Features

const SLOW_HZ = [0.4, 0.8, 1.2, 1.7, 2.3, 3, 4, 5.2, 6.5, 8, 10, 12.5, 15.7];
const FAST_HZ = Array.from({ length: 41 }, (_, i) => (i < 19 ? 2 + 2 * i : 4 * i - 36));
const SHORT_BANDS = [1, 4, 8, 13, 19, 27, 37, 50, 67, 91, 129]; // first bin of each, and the end

/** Means of so many neighbouring rows, [n][T] -> [n / count][T]. */
function meanOfRows(rows, count) {
  return Array.from({ length: rows.length / count }, (_, m) =>
    rows[m * count].map((_, t) => mean(rows.slice(m * count, (m + 1) * count).map((row) => row[t]))));
}

/** Power of an envelope between each two of the edges, dB, averaged over segments. */
function fluctuation(envelope, rateHz, length, edgesHz) {
  const window = Array.from({ length }, (_, n) => 0.5 - 0.5 * Math.cos((2 * Math.PI * n) / (length - 1)));
  const spectra = [];
  for (let start = 0; start + length <= envelope.length; start += length / 2) {
    const segment = envelope.slice(start, start + length), middle = mean(segment);
    spectra.push(powerSpectrum(segment.map((value, n) => (value - middle) * window[n])));
  }
  const power = spectra[0].map((_, k) => mean(spectra.map((each) => each[k])) / length);
  return edgesHz.slice(0, -1).map((low, i) => 10 * Math.log10(1e-6 + mean(power.filter((_, k) => {
    const f = (k * rateHz) / length;
    return low <= f && f < edgesHz[i + 1];
  }))));
}

/** Power of short frames in ten bands, dB: [10][2497]. */
function shortEnvelopes(samples) {
  const n = 1 + (samples.length - 256) / 64, found = SHORT_BANDS.slice(1).map(() => new Float64Array(n));
  const window = Float64Array.from({ length: 256 }, (_, i) => 0.5 - 0.5 * Math.cos((2 * Math.PI * i) / 256));
  for (let t = 0; t < n; t++) {
    const power = powerSpectrum(window.map((weight, i) => weight * samples[t * 64 + i]));
    found.forEach((band, b) => {
      const energy = power.subarray(SHORT_BANDS[b], SHORT_BANDS[b + 1]).reduce((sum, each) => sum + each, 0);
      band[t] = 10 * Math.log10(Math.max(energy, 1e-7));
    });
  }
  return found;
}

/** Features of 160,000 samples at full scale 1, dB: [360], level, modulation, flutter, event. */
export function features(samples, mel = logMel(samples)) {
  const rows = Array.from({ length: N_MELS }, (_, m) => mel.subarray(m * N_FRAMES, (m + 1) * N_FRAMES));
  const bands = meanOfRows(rows, 4), level = bands.map(mean);
  const slow = meanOfRows(rows, 8).map((envelope) => fluctuation(envelope, RATE_HZ / 512, 128, SLOW_HZ));
  const fast = shortEnvelopes(samples).map((envelope) => fluctuation(envelope, RATE_HZ / 64, 250, FAST_HZ));
  const event = bands.map((row, b) =>
    Math.max(...Array.from(row.subarray(2), (last, t) => (row[t] + row[t + 1] + last) / 3)) - level[b]);
  return Float64Array.from([level, ...meanOfRows(slow, 2), ...meanOfRows(fast, 2), event].flat());
}
