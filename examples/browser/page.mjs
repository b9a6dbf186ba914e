// The page: takes files, asks what it needs, and shows score, decision and pictures.

import { N_SAMPLES, RATE_HZ, features, logMel } from "../node/features.mjs";
import { judgeOf, rulesOf } from "../node/memory.mjs";
import { openNetwork, readModel } from "../node/network.mjs";
import { Refusal, refuse } from "../node/refusal.mjs";
import { readWav } from "../node/wav.mjs";
import { lackingOf } from "./needs.mjs";
import { drawLogMel, drawWaveform } from "./pictures.mjs";

const ORT = "./node_modules/onnxruntime-web/dist/";
const at = (id) => document.getElementById(id);
const state = { model: null, network: null, file: null, recording: null, outputs: null, judges: new Map() };

const say = (text) => { at("status").textContent = text; };
const drawn = () => new Promise((done) => requestAnimationFrame(() => setTimeout(done))); // what was said is seen

function complain(sentence) {
  at("problem").textContent = sentence;
  at("problem").hidden = !sentence;
}

async function runtime() {
  const ort = await import(`${ORT}ort.wasm.min.mjs`).catch(
    () => refuse("onnxruntime-web is not there: run npm ci in the page's folder, and load the page again"));
  ort.env.wasm.wasmPaths = new URL(ORT, import.meta.url).href;
  ort.env.wasm.numThreads = 1; // more would need headers that a plain server does not send
  return ort;
}

async function bytesOf(file) {
  return new Uint8Array(await file.arrayBuffer().catch(() => refuse(`${file.name} cannot be read; choose it again`)));
}

function fill(select, names, chosen) {
  select.replaceChildren(...names.map((name) => new Option(name, name, false, name === chosen)));
  select.disabled = names.length === 0;
}

async function takeModel(file) {
  Object.assign(state, { model: null, network: null, outputs: null, judges: new Map() });
  fill(at("machine"), []);
  fill(at("rule"), []);
  say(`reading ${file.name} ...`);
  await drawn();
  const model = await readModel(await bytesOf(file));
  state.model = { ...model, rules: rulesOf(model.manifest) };
  fill(at("machine"), [...state.model.rules.keys()]);
  fillRules();
}

function fillRules() {
  const own = state.model.rules.get(at("machine").value);
  fill(at("rule"), [own, ...["memory", "embedding", "network", "both"].filter((rule) => rule !== own)], own);
}

async function takeRecording(file) {
  Object.assign(state, { file, recording: null, outputs: null });
  at("pictures").hidden = true;
  say(`reading ${file.name} ...`);
  await drawn();
  const typed = at("channel").value.trim();
  if (typed && !/^\d+$/.test(typed)) refuse(`the channel is ${typed}; expected a number from 0`);
  const samples = readWav(await bytesOf(file), RATE_HZ, N_SAMPLES, typed === "" ? undefined : Number(typed));
  const mel = logMel(samples);
  state.recording = { name: file.name, samples, mel, features: features(samples, mel) };
  at("pictures").hidden = false;
  draw();
}

function draw() {
  if (!state.recording) return;
  drawWaveform(at("waveform"), state.recording.samples);
  drawLogMel(at("mel"), state.recording.mel);
}

function judge() {
  const [machine, rule, rate] = [at("machine").value, at("rule").value, at("rate").value.trim()];
  const key = JSON.stringify([machine, rule, rate]);
  if (!state.judges.has(key)) {
    const options = { rule, rate: rate === "" ? undefined : Number(rate) };
    state.judges.set(key, judgeOf(state.model.manifest, machine, options));
  }
  return state.judges.get(key);
}

async function score() {
  at("result").hidden = true;
  if (!state.model || !state.recording) {
    say(state.model ? "now a recording" : "now a model file");
    return;
  }
  say("scoring ...");
  await drawn();
  const { rule, needs, judge: judged } = judge(), clip = { ...state.recording };
  if (needs.includes("network")) {
    state.network ??= await openNetwork(await runtime(), state.model);
    state.outputs ??= await state.network(clip.samples);
    Object.assign(clip, state.outputs);
  }
  show(rule, judged(clip));
  say(`${clip.name}: scored`);
}

function show(rule, { score: found, pValue, isAnomaly, rate, why, z = {} }) {
  const said = { true: ["Anomalous", "odd"], false: ["Normal", "normal"], null: ["Not decided", ""] }[isAnomaly];
  at("decision").textContent = said[0];
  at("decision").className = `decision ${said[1]}`;
  at("result").dataset.found = JSON.stringify({ score: found, pValue, isAnomaly });
  at("score").textContent = found.toPrecision(6);
  at("p").textContent = pValue === null ? "none" : pValue.toPrecision(3);
  at("by").textContent = rule;
  at("at").textContent = isAnomaly === null ? "none" : `${(100 * rate).toPrecision(3)} %`;
  at("why").textContent = why ? `${why}.` : "";
  at("blocks").hidden = Object.keys(z).length === 0;
  const rows = Object.entries(z).map(([name, value]) => {
    const [head, bar, figure] = ["th", "td", "td"].map((kind) => document.createElement(kind));
    const meter = Object.assign(document.createElement("meter"), { min: 0, max: 10, value: Math.max(0, value) });
    meter.setAttribute("aria-label", name);
    head.textContent = name;
    figure.textContent = value.toFixed(2);
    bar.append(meter);
    const row = document.createElement("tr");
    row.append(head, bar, figure);
    return row;
  });
  at("blocks").tBodies[0].replaceChildren(...rows);
  at("result").hidden = false;
}

let turn = Promise.resolve();

/** Do one thing after another, and say what is refused. */
function next(...steps) {
  turn = turn.then(async () => {
    complain("");
    try {
      for (const step of steps) await step();
    } catch (error) {
      at("result").hidden = true;
      say("");
      complain(error instanceof Refusal ? `${error.message}.` : `The browser failed: ${error.message}`);
    }
    document.body.dataset.turns = Number(document.body.dataset.turns ?? 0) + 1;
  });
}

function takeFiles(files) {
  const taken = [...files].map((file) => {
    if (/\.onnx$/i.test(file.name)) return () => takeModel(file);
    if (/\.wav$/i.test(file.name)) return () => takeRecording(file);
    return () => refuse(`${file.name} is neither a model file (.onnx) nor a recording (.wav)`);
  });
  next(...taken, score);
}

function listen() {
  for (const id of ["model", "recording"]) at(id).addEventListener("change", ({ target }) => takeFiles(target.files));
  at("machine").addEventListener("change", () => next(fillRules, score));
  for (const id of ["rule", "rate"]) at(id).addEventListener("change", () => next(score));
  at("channel").addEventListener("change", () => next(() => state.file && takeRecording(state.file), score));
  at("asked").addEventListener("submit", (event) => event.preventDefault());
  const over = (is) => (event) => { event.preventDefault(); at("drop").classList.toggle("over", is); };
  for (const [name, is] of [["dragenter", true], ["dragover", true], ["dragleave", false], ["drop", false]]) {
    document.addEventListener(name, over(is));
  }
  document.addEventListener("drop", ({ dataTransfer }) => takeFiles(dataTransfer.files));
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", draw);
}

const lacking = lackingOf();
complain(lacking ?? "");
if (!lacking) {
  listen();
  at("asked").hidden = false;
  say("a model file, and a recording of 10 s or more at 16 kHz");
}
