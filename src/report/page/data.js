"use strict";
// The runs and what is derived from them: x axes, runs that differ only in the seed, and numbers as text.

let report = JSON.parse(document.getElementById("agro-data").textContent);

const kPalette = 8;  // colours --run-0 … --run-7 of the style sheet

/** What the user chose; everything is drawn from it. */
const view = {axis: "step", smoothing: 0.8, join: true, from: null, to: null, hidden: new Set()};

const byId = id => document.getElementById(id);

function element(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name === "class") node.className = value;
    else if (name in node && typeof value !== "string") node[name] = value;
    else node.setAttribute(name, value);
  }
  node.append(...children);
  return node;
}

/** Calls `action` once the calls have ceased for `milliseconds`. */
function settled(action, milliseconds) {
  let timer = 0;
  return () => {
    clearTimeout(timer);
    timer = setTimeout(action, milliseconds);
  };
}

const themeColor = name => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

/** The colour of `tone` with an opacity from 0 to 1. */
function toneColor(tone, opacity = 1) {
  const hex = themeColor(`--run-${tone % kPalette}`);
  return hex + Math.round(opacity * 255).toString(16).padStart(2, "0");
}

const kFormats = {
  number: v => Math.abs(v) >= 1e5 || (v !== 0 && Math.abs(v) < 1e-3)
      ? v.toExponential(2).replace(/\.?0+e/, "e") : String(Number(v.toPrecision(4))),
  percent: v => `${(100 * v).toFixed(1)} %`,
  compact: v => Math.abs(v) < 1e4 ? String(Math.round(v))
      : Intl.NumberFormat("en", {notation: "compact", maximumSignificantDigits: 3}).format(v),
  seconds: v => {
    if (v < 60) return `${Number(v.toPrecision(3))} s`;
    const s = Math.round(v);
    if (s < 3600) return `${Math.floor(s / 60)} min ${s % 60} s`;
    return `${Math.floor(s / 3600)} h ${Math.floor(s / 60) % 60} min`;
  },
};

function text(value, format = "number") {
  return value === null || value === undefined || !Number.isFinite(value) ? "–" : kFormats[format](value);
}

/** The last value of a column that is there, or null. */
function lastValue(run, table, name) {
  const values = run[table]?.[name] ?? [];
  for (let i = values.length - 1; i >= 0; --i) if (values[i] !== null) return values[i];
  return null;
}

/** Seconds and tokens spent until the end of each step, by step. */
function spent(run) {
  const t = run.timings ?? {}, at = new Map();
  let seconds = 0, tokens = 0;
  (t.step ?? []).forEach((step, i) => {
    seconds += (t.step_seconds?.[i] ?? 0) + (t.evaluation_seconds?.[i] ?? 0);
    tokens += t.tokens?.[i] ?? 0;
    at.set(step, {seconds, tokens});
  });
  return at;
}

/** The table's rows on the chosen axis; null where a row has no place there. */
function xValues(run, table) {
  const steps = run[table]?.step ?? [];
  if (view.axis === "step") return steps;
  const at = spent(run);
  return steps.map(step => at.get(step)?.[view.axis] ?? null);
}

/** Runs whose configurations are equal but for seed and folder, in order of first appearance. */
function seedGroups() {
  const groups = new Map();
  report.runs.forEach((run, index) => {
    const config = Object.entries(run.config).filter(([key]) => key !== "run.seed" && key !== "run.output");
    const key = config.length > 0 ? JSON.stringify(config) : `run ${index}`;
    if (!groups.has(key)) groups.set(key, []);
    groups.get(key).push(index);
  });
  return [...groups.values()];
}

function groupName(members) {
  const names = members.map(i => report.runs[i].name);
  if (names.length === 1) return names[0];
  let length = 0;
  while (length < names[0].length && names.every(name => name[length] === names[0][length])) ++length;
  return names[0].slice(0, length).replace(/[-_.\s]+$/, "").replace(/[-_.\s]+seed$/, "") || names[0];
}

/** Runs drawn as one line each, or one line for each seed group: {name, tone, members}. */
function lines() {
  const groups = seedGroups();
  if (view.join) return groups.map((members, tone) => ({name: groupName(members), tone, members}));
  // With more runs than colours, the seeds of a group share theirs.
  const byGroup = report.runs.length > kPalette;
  return report.runs.map((run, index) => (
      {name: run.name, tone: byGroup ? groups.findIndex(g => g.includes(index)) : index, members: [index]}));
}

const visibleLines = () => lines()
    .map(line => ({...line, members: line.members.filter(i => !view.hidden.has(i))}))
    .filter(line => line.members.length > 0);
