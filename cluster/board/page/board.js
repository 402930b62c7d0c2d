// The page: it reads the event stream of its own server, and draws. What comes from the server is only ever put in as text.
"use strict";

const $ = (id) => document.getElementById(id);
const number = new Intl.NumberFormat("en");
const shown = 60; // events
const span = 120; // points of a plot, one a second
const points = [];
const seen = new Map(); // events by who and which
let latest = null;
let heardAt = 0;

// node makes an element: attributes, then children, which are nodes or text.
function node(name, attributes = {}, ...children) {
  const drawn = ["svg", "rect", "path", "line", "title"].includes(name);
  const e = drawn ? document.createElementNS("http://www.w3.org/2000/svg", name) : document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) e.setAttribute(key, value);
  e.append(...children);
  return e;
}

function compact(n) {
  if (n < 10000) return number.format(Math.round(n));
  return new Intl.NumberFormat("en", { notation: "compact", maximumFractionDigits: 1 }).format(n);
}

function bytes(n) {
  const units = ["B", "kB", "MB", "GB", "TB"];
  let i = 0;
  for (; n >= 1000 && i < units.length - 1; i++) n /= 1000;
  return `${n < 10 && i > 0 ? n.toFixed(1) : Math.round(n)}\u00a0${units[i]}`;
}

function lasting(seconds) {
  const [n, unit] = seconds < 0.9995 ? [(seconds * 1000).toFixed(seconds < 0.00995 ? 1 : 0), "ms"]
    : seconds < 99.5 ? [seconds < 9.95 ? seconds.toFixed(1) : Math.round(seconds), "s"]
    : seconds < 5970 ? [Math.round(seconds / 60), "min"]
    : seconds < 172800 ? [Math.round(seconds / 3600), "h"] : [Math.round(seconds / 86400), "d"];
  return `${n}\u00a0${unit}`;
}

const clock = (at) => new Date(at).toLocaleTimeString("en-GB");

// mood is how good a status is: its color says the same as its word.
function mood(m) {
  if (!m.reachable) return "bad";
  return m.status === "VOTING" ? "good" : "work";
}

const state = (m) => node("span", { class: `status ${mood(m)}` }, m.reachable ? m.status : "UNREACHABLE");

function verdict(v) {
  const all = v.members.length;
  const e = $("verdict");
  if (v.voting === all) [e.className, e.textContent] = ["good", `All ${all} members vote: ${v.survives || "none"} may fail`];
  else if (v.voting >= v.quorum) [e.className, e.textContent] = ["work", `${v.voting} of ${all} members vote: a quorum, ${v.survives ? `and ${v.survives}` : "but none"} may fail`];
  else [e.className, e.textContent] = ["bad", `${v.voting} of ${all} members vote: no quorum, the log takes no appends`];
}

function figure(id, text, unit) {
  $(id).replaceChildren(text, ...(unit ? [" ", node("small", {}, unit)] : []));
}

function glance(v) {
  const writer = v.members.find((m) => m.id === v.writer);
  figure("writer", writer ? `Member ${writer.id}` : "nobody");
  $("writer-note").textContent = writer ? `proposal ${writer.writer}` : "the next append elects one";
  const length = v.begin > 0 && v.end >= v.begin ? v.end - v.begin + 1 : 0;
  figure("entries", compact(length));
  $("entries").title = number.format(length);
  $("entries-note").textContent = length > 0 ? `positions ${number.format(v.begin)} to ${number.format(v.end)}` : "an empty log";
  figure("rate", compact(v.appends_per_second), "/s");
  const p99 = v.p99_seconds > 0 ? lasting(v.p99_seconds).split("\u00a0") : ["–", ""];
  figure("p99", p99[0], p99[1]);
}

// plot draws one figure of the last two minutes. A gap in the points is a time without an answer.
function plot(id, key, say) {
  const list = points.slice(-span);
  const most = Math.max(...list.map((p) => p[key]), 0);
  $(`${id}-note`).textContent = most > 0 ? `peak ${say(most)} in 2 min` : "none in 2 min";
  const now = list.length ? Date.parse(list[list.length - 1].at) : 0;
  const place = (p) => [120 - (now - Date.parse(p.at)) / 1000, most > 0 ? 34 - 32 * p[key] / most : 34];
  const visible = list.map(place).filter(([x]) => x >= 0);
  const line = visible.map(([x, y], i) => `${i ? "L" : "M"}${x.toFixed(1)} ${y.toFixed(1)}`).join("");
  const children = [node("line", { class: "floor", x1: 0, x2: 120, y1: 35, y2: 35 })];
  if (visible.length > 1) {
    children.push(node("path", { class: "area", d: `${line}L120 35L${visible[0][0].toFixed(1)} 35Z` }), node("path", { class: "curve", d: line }));
  }
  $(`${id}-plot`).replaceChildren(...children);
}

// strip draws the positions of one member, from the first that anybody keeps to the last that anybody holds.
function strip(m, v) {
  const length = Math.max(v.end - v.begin + 1, 1);
  const box = node("svg", { viewBox: "0 0 1000 10", preserveAspectRatio: "none", role: "img" });
  const mark = (kind, first, last) => {
    if (last < first) return;
    const x = (first - v.begin) / length * 1000;
    const width = Math.max((last - first + 1) / length * 1000, kind === "missing" ? 2 : 0);
    box.append(node("rect", { class: kind, x: Math.min(x, 1000 - Math.min(width, 1000)).toFixed(2), y: 0, width: width.toFixed(2), height: 10 }));
  };
  let said = "cannot be reached";
  if (m.reachable && v.end >= v.begin) {
    mark("dropped", v.begin, Math.min(m.begin - 1, v.end));
    mark("learned", m.begin, m.end);
    for (const gap of m.gaps || []) mark("missing", gap.first, gap.last);
    said = `has learned ${number.format(m.end + 1 - m.begin - m.holes)} positions; ${number.format(m.holes)} are missing, ${number.format(m.lag)} behind in all`;
  }
  box.setAttribute("aria-label", `Member ${m.id} ${said}`);
  box.prepend(node("title", {}, `Member ${m.id} ${said}`));
  const row = node("div", { class: `strip${m.reachable ? "" : " away"}`, "data-member": m.id },
    node("div", { class: "who" }, node("b", {}, `${m.id}`), state(m), ...(m.leader ? [node("span", { class: "writes" }, "writes")] : [])), box);
  const progress = catchup(m);
  if (progress) row.append(progress);
  return row;
}

// catchup tells how far a catch-up is while it runs.
function catchup(m) {
  const c = m.catchup;
  if (!m.reachable || c.total === 0 || c.done >= c.total) return null;
  const parts = [`${Math.floor(100 * c.done / c.total)} %`, `${number.format(c.done)} of ${number.format(c.total)} positions`];
  const elapsed = c.elapsed_nanoseconds / 1e9;
  if (c.done > 0 && elapsed > 0) parts.push(`${compact(c.done / elapsed)}/s`, `${bytes(c.bytes_per_second)}/s`);
  if (c.left_nanoseconds > 0) parts.push(`${lasting(c.left_nanoseconds / 1e9)} left`);
  return node("div", { class: "catchup" },
    node("progress", { value: c.done, max: c.total, "aria-label": `Member ${m.id} catches up` }), node("span", {}, parts.join(" · ")));
}

// cells are the row of one member, and a second one where there is something to say.
function cells(m, v) {
  const cell = (label, text, kind = "") => node("td", { "data-label": label, class: kind }, text);
  const counted = (label, n) => node("td", { "data-label": label, class: "n" }, n > 0 ? node("span", { class: "some" }, number.format(n)) : "0");
  const name = node("td", { "data-label": "Member", class: "id" }, node("b", {}, `${m.id}`), node("span", { class: "address" }, m.address),
    ...(m.leader ? [node("span", { class: "writes" }, "writes")] : []));
  const status = node("td", { "data-label": "Status", class: "state" }, state(m));
  const row = node("tr", { class: m.error ? "explained" : "", "data-member": m.id }, name, status);
  if (m.reachable) {
    row.append(cell("For", lasting((Date.parse(v.at) - Date.parse(m.since)) / 1000)), cell("Begin", number.format(m.begin), "n"),
      cell("Learned", number.format(m.learned), "n"), cell("End", number.format(m.end), "n"), counted("Holes", m.holes), counted("Lag", m.lag),
      cell("Promised", m.promised), cell("Hears", (m.present || []).join(" ")));
  } else {
    row.append(node("td", { colspan: 8, class: "empty id" }, ""));
  }
  if (!m.error) return [row];
  return [row, node("tr", { class: "why" }, node("td", { colspan: 10 }, m.error))];
}

// Each kind of event: how bad it is, and what it says.
const kinds = {
  status: (e) => [e.to === "VOTING" ? "good" : "work", `${e.from} → ${e.to}`],
  recovered: () => ["good", "votes, and serves clients"],
  advice: (e) => (e.detail ? ["work", e.detail] : ["", "no longer waits"]),
  catchup: (e) => ["work", `copied ${number.format(e.catchup.done)} of ${number.format(e.catchup.total)} positions, ${bytes(e.catchup.bytes_per_second)}/s` +
    (e.catchup.left_nanoseconds > 0 ? `, ${lasting(e.catchup.left_nanoseconds / 1e9)} left` : "")],
  caught_up: (e) => ["", `caught up on ${number.format(e.catchup.total)} positions (${bytes(e.catchup.bytes)}) in ${lasting(e.catchup.elapsed_nanoseconds / 1e9)}`],
  elected: (e) => ["good", `is elected, and writes under ${e.to}`],
  election_lost: (e) => ["work", `lost an election: ${e.detail}${e.to ? `, ${e.to}` : ""}`],
  fenced: (e) => ["work", `is fenced: it wrote under ${e.from}, and now ${e.to} stands`],
  resigned: (e) => ["", `writes no more under ${e.from}`],
  peer_present: (e) => ["", `hears member ${e.peer}`],
  peer_absent: (e) => ["work", `hears member ${e.peer} no more`],
  peer_refuses: (e) => [e.detail.includes("is known as incarnation") ? "work" : "bad", `is refused by member ${e.peer}: ${e.detail}`],
  directory_damaged: (e) => ["bad", `found its data directory damaged, and recovers: ${e.detail}`],
  records_damaged: (e) => ["bad", `found learned records damaged on its disk, and copies them from another member: ${e.detail}`],
  records_mended: () => ["good", "has copied all damaged records"],
  members_changed: (e) => ["", `knows other members: ${e.detail}`],
  failed: (e) => ["bad", `stops: ${e.detail}`],
  missed: (e) => ["", `${number.format(e.missed)} events before are not kept any more`],
};

function happened(e) {
  const key = `${e.member}/${e.sequence}/${e.at}/${e.kind}`;
  if (seen.has(key)) return;
  seen.set(key, e);
  const list = [...seen.entries()].sort(([, a], [, b]) => Date.parse(b.at) - Date.parse(a.at) || b.sequence - a.sequence);
  for (const [old] of list.splice(300)) seen.delete(old);
  const items = list.slice(0, shown).map(([, one]) => {
    const [how, text] = kinds[one.kind] ? kinds[one.kind](one) : ["", [one.kind, one.from, one.to, one.detail].filter(Boolean).join(" ")];
    return node("li", { "data-kind": one.kind, "data-member": one.member }, node("time", { datetime: one.at }, clock(one.at)),
      node("span", { class: "who", title: `member ${one.member}` }, `${one.member}`), node("span", { class: `what ${how}` }, text));
  });
  $("events").replaceChildren(...items);
}

function draw(v) {
  latest = v;
  verdict(v);
  glance(v);
  plot("rate", "appends_per_second", (n) => `${compact(n)}/s`);
  plot("p99", "p99_seconds", lasting);
  $("strips").replaceChildren(...v.members.map((m) => strip(m, v)));
  $("axis-begin").textContent = v.end > 0 ? number.format(v.begin) : "";
  $("axis-end").textContent = v.end > 0 ? number.format(v.end) : "an empty log";
  $("members").replaceChildren(...v.members.flatMap((m) => cells(m, v)));
}

function alive() {
  heardAt = Date.now();
  document.body.className = "live";
  $("heard").textContent = `live, ${clock(heardAt)}`;
}

function lost() {
  document.body.className = "lost";
  $("heard").textContent = heardAt ? `no answer since ${clock(heardAt)}: trying again` : "no answer: trying again";
}

function listen() {
  const stream = new EventSource("api/events/stream" + location.search);
  stream.addEventListener("points", (e) => { points.splice(0, points.length, ...JSON.parse(e.data)); });
  stream.addEventListener("view", (e) => {
    const v = JSON.parse(e.data);
    points.push({ at: v.at, appends_per_second: v.appends_per_second, p99_seconds: v.p99_seconds });
    points.splice(0, points.length - 2 * span);
    alive();
    draw(v);
  });
  stream.addEventListener("happening", (e) => happened(JSON.parse(e.data)));
  stream.addEventListener("error", () => {
    lost();
    if (stream.readyState === EventSource.CLOSED) setTimeout(() => listen(), 2000); // it was refused: the member is not up yet, say
  });
}

// choose offers the other logs of the member, where it has some.
async function choose() {
  const answer = await fetch("api/logs").catch(() => null);
  if (!answer || !answer.ok) { setTimeout(choose, 2000); return; } // the member is not up yet, say
  const { logs } = await answer.json();
  const shown = new URLSearchParams(location.search).get("log") || "";
  $("logs").replaceChildren(...logs.map((name) => new Option(name || "(no name)", name, false, name === shown)));
  $("log").hidden = logs.length < 2 && !shown;
  $("logs").addEventListener("change", (e) => { location.search = e.target.value ? `?log=${e.target.value}` : ""; });
}

choose();
setInterval(() => { if (latest && Date.now() - heardAt > 5000) lost(); }, 1000);
listen();
