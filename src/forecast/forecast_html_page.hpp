// The document around a forecast's data; /*DATA*/null is replaced by it. Values reach the page as text nodes
// only.
#pragma once

#include <string_view>

namespace chandler::forecast {

inline constexpr std::string_view kForecastPage = R"page(<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>Forecast</title><style>
:root{color-scheme:light dark;--ink:#222;--faint:#777;--paper:#fff;--line:#ddd}
@media(prefers-color-scheme:dark){:root{--ink:#ddd;--faint:#999;--paper:#16181c;--line:#333}}
body{font:15px/1.45 system-ui,sans-serif;color:var(--ink);background:var(--paper);margin:1.5rem auto;max-width:1100px;padding:0 1rem}
h1{font-size:1.4rem;margin:0 0 .4rem}#verdict{font-weight:600}nav button{font:inherit;padding:.2rem .7rem;margin-right:.3rem}
nav button[aria-pressed=true]{background:#0072b2;color:#fff}canvas{width:100%;height:440px;touch-action:none;cursor:crosshair}
#read{min-height:1.5em;color:var(--faint);font-variant-numeric:tabular-nums}table{border-collapse:collapse;margin-top:1rem}
td,th{padding:.2rem .7rem;border-bottom:1px solid var(--line);text-align:right;font-variant-numeric:tabular-nums}
td:first-child,th:first-child{text-align:left}.warn{color:#d55e00;font-weight:700}</style></head><body>
<h1 id="title"></h1><p id="verdict"></p><p id="kind" class="warn"></p>
<nav id="views"></nav><p id="read">Wheel or pinch zooms, dragging pans, a double click shows everything.</p>
<canvas id="plot" aria-label="chart of closes and forecasts"></canvas>
<table><thead id="head"></thead><tbody id="body"></tbody></table>
<script>
"use strict";
const data = /*DATA*/null;
const $ = id => document.getElementById(id);
const dayText = d => new Date(d * 864e5).toISOString().slice(0, 10);
const number = v => v == null ? "–" : Math.abs(v) >= 1000 ? v.toLocaleString("en", {maximumFractionDigits: 0}) : Number(v.toPrecision(5)).toString();
document.title = data.symbol + " forecast";
$("title").textContent = data.symbol + ": forecast by " + data.model;
$("verdict").textContent = data.verdict;
if (data.kind !== "forecast") $("kind").textContent = "Same-day regressors: these figures are not forecast errors.";

const ahead = {x: data.best.day};
const views = {
  Forecast: () => ({from: data.best.day[0] - 180, to: data.best.day.at(-1),
    bands: [{name: "95%", x: ahead.x, lower: data.best.lower95, upper: data.best.upper95, color: "#0072b2", alpha: .12},
            {name: "80%", x: ahead.x, lower: data.best.lower80, upper: data.best.upper80, color: "#0072b2", alpha: .25}],
    lines: [{name: "close", x: data.day, y: data.close, color: "#888"}, {name: data.model, x: ahead.x, y: data.best.yhat, color: "#0072b2"},
      ...(data.prophet ? [{name: data.prophet.model, x: data.prophet.day.slice(-ahead.x.length), y: data.prophet.yhat.slice(-ahead.x.length), color: "#e69f00"}] : [])]}),
  Test: () => ({from: data.untouched - 30, to: data.best.day[0],
    bands: data.tests.filter((t, i) => i % 2 === 0).map(t => ({name: "80%", x: t.yhat.map((_, i) => t.origin + 1 + i), lower: t.lower, upper: t.upper, color: "#0072b2", alpha: .2})),
    lines: [{name: "close", x: data.day, y: data.close, color: "#888"},
      ...data.tests.filter((t, i) => i % 2 === 0).map(t => ({name: "forecast of " + dayText(t.origin), x: t.yhat.map((_, i) => t.origin + 1 + i), y: t.yhat, color: "#0072b2"}))]}),
};
if (data.prophet) {
  views["Prophet fit"] = () => ({from: data.day[0], to: data.best.day.at(-1), bands: [], lines: [
    {name: "close", x: data.day, y: data.close, color: "#888"}, {name: "fit", x: data.prophet.day, y: data.prophet.yhat, color: "#0072b2"},
    {name: "trend", x: data.prophet.day, y: data.prophet.trend, color: "#e69f00"}]});
  for (const c of data.prophet.components) views[c.name] = () => ({from: c.name === "weekly" ? data.best.day.at(-1) - 60 : data.day[0],
    to: data.best.day.at(-1), bands: [], lines: [{name: c.name + " (" + c.mode + ")", x: data.prophet.day, y: c.effect, color: "#009e73"}]});
}

const canvas = $("plot"), pen = canvas.getContext("2d");
const margin = {left: 70, right: 12, top: 12, bottom: 26};
let view, from, to, pointer = null;

function first(x, value) { let a = 0, b = x.length; while (a < b) { const m = (a + b) >> 1; x[m] < value ? a = m + 1 : b = m; } return a; }
function extent() {
  let low = Infinity, high = -Infinity;
  const take = (x, y) => { for (let i = first(x, from); i < x.length && x[i] <= to; i++) if (y[i] != null) { low = Math.min(low, y[i]); high = Math.max(high, y[i]); } };
  for (const l of view.lines) take(l.x, l.y);
  for (const b of view.bands) { take(b.x, b.lower); take(b.x, b.upper); }
  if (!(low <= high)) return [0, 1];
  const pad = (high - low || Math.abs(high) || 1) * .06;
  return [low - pad, high + pad];
}
function draw() {
  const scale = devicePixelRatio || 1, width = canvas.clientWidth, height = canvas.clientHeight;
  canvas.width = width * scale; canvas.height = height * scale; pen.setTransform(scale, 0, 0, scale, 0, 0); pen.clearRect(0, 0, width, height);
  const [low, high] = extent(), style = getComputedStyle(document.documentElement);
  const X = d => margin.left + (d - from) / (to - from) * (width - margin.left - margin.right);
  const Y = v => height - margin.bottom - (v - low) / (high - low) * (height - margin.top - margin.bottom);
  pen.font = "12px system-ui"; pen.lineWidth = 1; pen.strokeStyle = style.getPropertyValue("--line"); pen.fillStyle = style.getPropertyValue("--faint");
  const rough = (high - low) / 6, power = 10 ** Math.floor(Math.log10(rough)), step = [1, 2, 5, 10].map(f => f * power).find(s => s >= rough);
  for (let v = Math.ceil(low / step) * step; v <= high; v += step) { pen.beginPath(); pen.moveTo(margin.left, Y(v)); pen.lineTo(width - margin.right, Y(v)); pen.stroke(); pen.textAlign = "right"; pen.fillText(number(Math.abs(v) < step / 1e6 ? 0 : v), margin.left - 6, Y(v) + 4); }
  const count = Math.max(2, Math.floor(width / 130));
  for (let i = 0; i <= count; i++) { const d = Math.round(from + (to - from) * i / count); pen.textAlign = i === 0 ? "left" : i === count ? "right" : "center"; pen.fillText(dayText(d), X(d), height - 8); }
  pen.save(); pen.beginPath(); pen.rect(margin.left, margin.top, width - margin.left - margin.right, height - margin.top - margin.bottom); pen.clip();
  for (const b of view.bands) { pen.globalAlpha = b.alpha; pen.fillStyle = b.color; pen.beginPath(); b.x.forEach((x, i) => b.upper[i] != null && pen.lineTo(X(x), Y(b.upper[i]))); for (let i = b.x.length - 1; i >= 0; i--) if (b.lower[i] != null) pen.lineTo(X(b.x[i]), Y(b.lower[i])); pen.fill(); }
  pen.globalAlpha = 1; pen.lineWidth = 1.6;
  for (const l of view.lines) { pen.strokeStyle = l.color; pen.beginPath(); let open = false;
    for (let i = Math.max(0, first(l.x, from) - 1); i < l.x.length && (i === 0 || l.x[i - 1] <= to); i++) { if (l.y[i] == null || (open && l.x[i] > l.x[i - 1] + 1)) open = false; if (l.y[i] == null) continue; open ? pen.lineTo(X(l.x[i]), Y(l.y[i])) : pen.moveTo(X(l.x[i]), Y(l.y[i])); open = true; } pen.stroke(); }
  if (pointer != null) { pen.strokeStyle = "#999"; pen.lineWidth = 1; pen.beginPath(); pen.moveTo(X(pointer), 0); pen.lineTo(X(pointer), height); pen.stroke(); }
  pen.restore();
}
function read() {
  if (pointer == null) return;
  const parts = [dayText(pointer)];
  for (const l of view.lines) { const i = first(l.x, pointer); if (l.x[i] === pointer && l.y[i] != null) parts.push(l.name + " " + number(l.y[i])); }
  for (const b of view.bands) { const i = first(b.x, pointer); if (b.x[i] === pointer && b.lower[i] != null) parts.push(b.name + " " + number(b.lower[i]) + " … " + number(b.upper[i])); }
  $("read").textContent = parts.join(" · ");
}
function dayAt(event) { const r = canvas.getBoundingClientRect(); return from + (event.clientX - r.left - margin.left) / (r.width - margin.left - margin.right) * (to - from); }
function show(name) { view = views[name](); from = view.from; to = view.to; pointer = null; for (const b of $("views").children) b.setAttribute("aria-pressed", b.textContent === name); draw(); }
for (const name of Object.keys(views)) { const b = document.createElement("button"); b.textContent = name; b.onclick = () => show(name); $("views").append(b); }
canvas.addEventListener("wheel", e => { e.preventDefault(); const d = dayAt(e), f = Math.exp(e.deltaY / 500); if ((to - from) * f < 5 || (to - from) * f > 20000) return; from = d - (d - from) * f; to = d + (to - d) * f; draw(); }, {passive: false});
let drag = null;
canvas.addEventListener("pointerdown", e => { drag = dayAt(e); canvas.setPointerCapture(e.pointerId); });
canvas.addEventListener("pointerup", () => drag = null);
canvas.addEventListener("pointermove", e => { if (drag != null) { const shift = drag - dayAt(e); from += shift; to += shift; } pointer = Math.round(dayAt(e)); draw(); read(); });
canvas.addEventListener("pointerleave", () => { pointer = null; draw(); });
canvas.addEventListener("dblclick", () => { from = data.day[0]; to = data.best.day.at(-1); draw(); });
addEventListener("resize", draw);
function row(target, tag, cells) { const tr = document.createElement("tr"); for (const c of cells) { const td = document.createElement(tag); td.textContent = c; tr.append(td); } target.append(tr); }
row($("head"), "th", ["model", "MASE", "MAPE %", "RMSE", "skill %", "80% covered", "95% covered", "own 80% covered", "MASE in training"]);
const percent = v => v == null ? "–" : (100 * v).toFixed(1);
for (const m of data.metrics) row($("body"), "td", [m.model, ...m.values.map((v, i) => i >= 3 && i <= 6 ? percent(v) : number(v))]);
show("Forecast");
</script></body></html>
)page";

}  // namespace chandler::forecast
