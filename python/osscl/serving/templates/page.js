"use strict";
const at = (id) => document.getElementById(id);
const digits = (number) => Number(number.toPrecision(4)).toString();
let token = "";
let chosen = null; // the recording
let asked = 0; // counts questions: an answer that comes late is not shown

function headers(more) {
  return token ? { Authorization: `Bearer ${token}`, ...more } : { ...more };
}

async function ask(address, options = {}) {
  const response = await fetch(address, { ...options, headers: headers(options.headers) });
  at("token-form").hidden = response.status !== 401;
  return [response.ok, await response.json()];
}

function address(route, file) {
  const words = new URLSearchParams({ machine: at("machine").value, name: file.name });
  if (at("resample").checked) words.set("resample", "true");
  for (const option of ["channel", "pad"]) if (at(option).value) words.set(option, at(option).value);
  if (route === "score") words.set("explain", "true");
  return `v1/${route}?${words}`;
}

async function post(route, file) {
  const headers = { "Content-Type": file.type.startsWith("audio/") ? file.type : "audio/wav" };
  return ask(address(route, file), { method: "POST", body: file, headers });
}

function verdict(answer) {
  if (answer.is_anomaly === true) return "Anomalous";
  if (answer.is_anomaly === false) return "Not anomalous";
  return "Scored, and nothing is decided";
}

function show(ok, answer) {
  at("answer").hidden = false;
  at("answer").className = answer.is_anomaly === true ? "flagged" : answer.is_anomaly === false ? "normal" : "";
  at("verdict").textContent = ok ? verdict(answer) : "Not scored";
  at("reason").textContent = answer.reason || "";
  at("explanation").textContent = answer.explanation || "";
  at("findings").replaceChildren();
  at("explain").hidden = !ok;
  showScale(ok ? answer : {});
  const facts = ok
    ? [
        ["score", digits(answer.score) + (answer.rule ? ` by ${answer.rule}` : "")],
        ["p-value", answer.p_value],
        ["false-alarm rate", answer.false_alarm_rate],
        ["recorded at", answer.recorded_at],
        ["doubts", answer.quality],
        ["note", answer.note],
      ]
    : [["status", answer.status]];
  at("facts").replaceChildren(
    ...facts
      .filter(([, value]) => value !== null && value !== undefined)
      .flatMap(([name, value]) => [element("dt", name), element("dd", value)]),
  );
}

function showScale(answer) {
  const known = Number.isFinite(answer.score) && Number.isFinite(answer.threshold);
  at("scale").hidden = !known;
  if (!known) return;
  const values = [answer.score, answer.threshold, 0];
  const low = Math.min(...values);
  const place = (value) => (380 * (value - low)) / (Math.max(...values) - low || 1);
  at("bar").setAttribute("width", place(answer.score));
  for (const end of ["x1", "x2"]) at("threshold").setAttribute(end, place(answer.threshold));
  const text = `score ${digits(answer.score)}, threshold ${digits(answer.threshold)}`;
  at("caption").textContent = text;
  at("scale-text").textContent = text;
}

function element(name, text) {
  const made = document.createElement(name);
  made.textContent = typeof text === "number" ? digits(text) : text;
  return made;
}

async function score() {
  if (!chosen || !at("machine").value) return;
  const number = ++asked;
  at("answer").hidden = false;
  at("verdict").textContent = `Listening to ${chosen.name} …`;
  const [ok, answer] = await post("score", chosen).catch(notReached);
  if (number === asked) show(ok, answer);
}

async function explain() {
  const number = asked;
  at("explain").hidden = true;
  const [ok, answer] = await post("explain", chosen).catch(notReached);
  if (number !== asked) return;
  at("explanation").textContent = ok ? answer.explanation : answer.reason;
  at("findings").replaceChildren(...(answer.findings || []).map((found) => element("li", found.text)));
}

function notReached() {
  return [false, { status: "not reached", reason: "The server does not answer." }];
}

function choose(file) {
  if (!file) return;
  chosen = file;
  URL.revokeObjectURL(at("sound").src);
  at("sound").src = URL.createObjectURL(file);
  score();
}

async function begin() {
  const [known, machines] = await ask("v1/machines").catch(notReached);
  if (!known) return;
  at("machine").replaceChildren(...machines.map((each) => element("option", each.machine)));
  const [, model] = await ask("v1/model").catch(notReached);
  at("model").textContent = `${model.model}, ${model.n_machines} machines, at most ${model.limits.max_bytes} bytes`;
}

at("token-form").addEventListener("submit", (event) => {
  event.preventDefault();
  token = at("token").value;
  begin();
});
at("question").addEventListener("submit", (event) => event.preventDefault());
at("question").addEventListener("change", (event) => (event.target.id === "file" ? choose(event.target.files[0]) : score()));
at("explain").addEventListener("click", explain);
for (const name of ["dragover", "dragleave", "drop"])
  document.addEventListener(name, (event) => {
    event.preventDefault();
    at("drop").classList.toggle("over", name === "dragover");
    if (name === "drop") choose(event.dataTransfer.files[0]);
  });
begin();
