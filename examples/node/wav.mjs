// Reads a WAV file: PCM of 16, 24 and 32 bits and float32, at full scale 1.

import { refuse } from "./refusal.mjs";

const PCM = 1, FLOAT = 3, EXTENSIBLE = 0xfffe;

function chunksOf(view) { // { name, at, size }, as far as they are whole
  const nameAt = (at) => String.fromCharCode(...new Uint8Array(view.buffer, view.byteOffset + at, 4));
  if (view.byteLength < 12 || nameAt(0) !== "RIFF" || nameAt(8) !== "WAVE") {
    refuse("the recording is no WAV file; expected RIFF WAVE, convert it first");
  }
  const chunks = [];
  for (let at = 12; at + 8 <= view.byteLength;) {
    const size = view.getUint32(at + 4, true);
    chunks.push({ name: nameAt(at), at: at + 8, size });
    at += 8 + size + (size % 2);
  }
  return chunks;
}

function formatOf(view, chunks) {
  const format = chunks.find(({ name }) => name === "fmt ");
  if (!format || format.size < 16 || format.at + format.size > view.byteLength) {
    refuse("the WAV file has no whole fmt chunk; copy it again");
  }
  const [tag, channels] = [view.getUint16(format.at, true), view.getUint16(format.at + 2, true)];
  const kind = tag === EXTENSIBLE && format.size >= 40 ? view.getUint16(format.at + 24, true) : tag;
  const [rateHz, bits] = [view.getUint32(format.at + 4, true), view.getUint16(format.at + 14, true)];
  const isKnown = (kind === PCM && [16, 24, 32].includes(bits)) || (kind === FLOAT && bits === 32);
  if (!isKnown || !channels) {
    const got = `format ${kind} of ${bits} bits in ${channels} channels`;
    refuse(`the WAV file has ${got}; expected PCM of 16, 24 or 32 bits, or float of 32 bits: convert it first`);
  }
  return { kind, channels, rateHz, bits };
}

/**
 * Read the first samples of one channel.
 *
 * file: Uint8Array; rateHz, count: which sample rate it must have, and how many samples; channel: which one of
 * several, counted from 0, or undefined where there must be one.
 * Gives Float32Array [count].
 */
export function readWav(file, rateHz, count, channel) {
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength), chunks = chunksOf(view);
  const format = formatOf(view, chunks), data = chunks.find(({ name }) => name === "data");
  const { kind, channels, bits } = format, bytes = bits / 8;
  if (format.rateHz !== rateHz) {
    refuse(`the recording has ${format.rateHz} Hz, expected ${rateHz} Hz; resample it first`);
  }
  if ((channel ?? (channels > 1 ? channels : 0)) >= channels) {
    const got = channel === undefined ? "none is chosen" : `${channel} is chosen`;
    refuse(`the recording has ${channels} channels, and ${got}; choose one from 0 to ${channels - 1}`);
  }
  if (!data || data.at + data.size > view.byteLength) refuse("the WAV file ends before its samples do; copy it again");
  const n = Math.floor(data.size / (bytes * channels));
  if (n < count) refuse(`the recording has ${n / rateHz} s, expected at least ${count / rateHz} s`);
  const readers = {
    16: (at) => view.getInt16(at, true) / 2 ** 15,
    24: (at) => (view.getInt8(at + 2) * 2 ** 16 + view.getUint16(at, true)) / 2 ** 23,
    32: (at) => (kind === FLOAT ? view.getFloat32(at, true) : view.getInt32(at, true) / 2 ** 31),
  };
  const first = data.at + (channel ?? 0) * bytes;
  const samples = Float32Array.from({ length: count }, (_, i) => readers[bits](first + i * channels * bytes));
  if (!samples.every(Number.isFinite)) refuse("the recording holds samples that are no numbers; record it again");
  if (samples.every((sample) => sample === 0)) refuse("all samples are zero: a dead microphone or channel?");
  return samples;
}
