"use strict";
(() => {
  const root = document.documentElement, by = id => document.getElementById(id);

  // light and dark
  const button = by("theme");
  const isDark = () => (root.dataset.theme || (matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light")) === "dark";
  const show = theme => { if (theme) root.dataset.theme = theme; button.setAttribute("aria-pressed", isDark()); };
  const keep = theme => { try { localStorage.setItem("osscl-theme", theme); } catch { /* a page of a file may keep nothing */ } };
  const kept = () => { try { return localStorage.getItem("osscl-theme"); } catch { return null; } };
  show(kept());
  button.hidden = false;
  button.addEventListener("click", () => { const theme = isDark() ? "light" : "dark"; show(theme); keep(theme); });

  // a link to a machine opens its part
  const open = () => { const at = location.hash.length > 1 && by(location.hash.slice(1)); if (at && at.tagName === "DETAILS") { at.open = true; at.scrollIntoView(); } };
  addEventListener("hashchange", open);
  document.addEventListener("click", event => { const link = event.target.closest("a[href^='#']"); if (link && link.hash === location.hash) open(); });
  open();

  // one sound at a time
  document.addEventListener("play", event => { for (const other of document.querySelectorAll("audio")) if (other !== event.target) other.pause(); }, true);

  // the list
  const packed = by("rows");
  if (!packed) return;
  const PER_PAGE = 50, COLUMNS = ["flagged", "path", "machine", "score", "excess", "p", "time", "said"];
  const NAMES = {score: "score", excess: "excess", p: "p", time: "recorded"};
  let data, shown = [], page = 0, order = {by: "", down: true};

  const unpack = async () => {
    const bytes = Uint8Array.from(atob(packed.textContent), char => char.charCodeAt(0));
    const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"));
    return JSON.parse(await new Response(stream).text());
  };
  const text = line => `${data.path[line]} ${data.machines[data.machine[line]]} ${data.said[line] || ""} ${data.doubt[line] || ""} ${data.time[line] || ""}`.toLowerCase();

  const select = () => {
    const words = by("find").value.toLowerCase().split(/\s+/).filter(Boolean), which = by("which").value, only = by("flagged-only").checked;
    shown = [];
    for (let line = 0; line < data.path.length; line++) {
      if (only && data.flagged[line] !== 1) continue;
      if (which && data.machine[line] !== +which) continue;
      if (words.length) { const all = text(line); if (!words.every(word => all.includes(word))) continue; }
      shown.push(line);
    }
    if (order.by) {
      const column = data[order.by], sign = order.down ? -1 : 1;
      shown.sort((a, b) => {
        const x = column[a], y = column[b];
        if (x === null || y === null) return (x === null) - (y === null);
        return x < y ? -sign : x > y ? sign : a - b;
      });
    }
    page = 0;
    draw();
  };

  const cell = (row, name, content, kind) => {
    const td = row.insertCell();
    if (content !== "" && NAMES[name]) td.dataset.name = NAMES[name];
    if (kind) td.className = kind;
    td.append(content);
    return td;
  };
  const number = (value, digits) => value === null ? "" : Math.abs(value) >= 1000 ? value.toFixed(0) : String(+value.toPrecision(digits));

  const draw = () => {
    const body = by("list").tBodies[0], last = Math.max(0, Math.ceil(shown.length / PER_PAGE) - 1);
    body.replaceChildren();
    for (const line of shown.slice(page * PER_PAGE, (page + 1) * PER_PAGE)) {
      const row = body.insertRow(), flag = data.flagged[line], clip = data.clip[line];
      cell(row, "flagged", flag === 1 ? "\u25b2 flagged" : "", "is-flagged");
      const path = cell(row, "path", clip === null ? data.path[line] : "");
      if (clip !== null) {
        const link = document.createElement("a");
        link.href = `#clip-${clip}`;
        link.textContent = data.path[line];
        path.append(link);
      }
      cell(row, "machine", data.machines[data.machine[line]]);
      for (const [name, digits] of [["score", 4], ["excess", 3], ["p", 2]]) cell(row, name, number(data[name][line], digits), "number");
      cell(row, "time", (data.time[line] || "").replace("T", " "));
      const said = cell(row, "said", data.said[line] || "");
      if (data.doubt[line]) {
        const doubt = document.createElement("span");
        doubt.className = "doubt";
        doubt.textContent = (data.said[line] ? " \u2013 " : "") + data.doubt[line];
        said.append(doubt);
      }
    }
    const first = page * PER_PAGE, end = Math.min(first + PER_PAGE, shown.length);
    by("count").value = shown.length ? `${(first + 1).toLocaleString("en")} to ${end.toLocaleString("en")} of ${shown.length.toLocaleString("en")} clips` : "no clip";
    by("back").disabled = page === 0;
    by("on").disabled = page >= last;
    by("pages").hidden = last === 0;
  };

  const sort = name => {
    // numbers begin with the highest, texts with the first
    const falls = !["path", "machine", "time", "said"].includes(name);
    order = {by: name, down: order.by === name ? !order.down : falls};
    for (const head of document.querySelectorAll("#list thead button")) {
      if (head.dataset.by === name) head.parentNode.setAttribute("aria-sort", order.down ? "descending" : "ascending");
      else head.parentNode.removeAttribute("aria-sort");
    }
    select();
  };

  const turn = by_ => { page += by_; draw(); by("list").scrollIntoView(); };

  unpack().then(found => {
    data = found;
    data.machines.forEach((name, at) => by("which").append(new Option(name, at)));
    by("find").addEventListener("input", select);
    by("which").addEventListener("change", select);
    by("flagged-only").addEventListener("change", select);
    by("filter").addEventListener("submit", event => event.preventDefault());
    for (const head of document.querySelectorAll("#list thead button")) head.addEventListener("click", () => sort(head.dataset.by));
    by("back").addEventListener("click", () => turn(-1));
    by("on").addEventListener("click", () => turn(1));
    by("filter").hidden = by("list").hidden = false;
    select();
  }, () => { by("broken").hidden = false; });
})();
