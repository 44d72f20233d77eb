"use strict";
// Tables: the figures of each run, and how the configurations differ.

const cell = (tag, content, attributes = {}) => element(tag, attributes, content);

/** A head and rows of cells, each a string or a node; the first cell names its row. */
function table(head, rows) {
  return tableOf(head, rows.map(([name, ...cells]) =>
      element("tr", {}, cell("th", name, {scope: "row"}), ...cells.map(content => cell("td", content)))));
}

function tableOf(head, rows) {
  return element("table", {}, element("thead", {}, element("tr", {}, ...head.map(title => cell("th", title, {scope: "col"})))),
                 element("tbody", {}, ...rows));
}

const swatch = tone => element("span", {class: "swatch", style: `--tone: var(--run-${tone % kPalette})`, "aria-hidden": "true"});

const kStateWords = {running: "running", finished: "finished", stopped: "stopped early", evaluated: "evaluated"};

/** A measurement of a run: {when, figures}, first and last evaluation of the training, then evaluation files. */
function measurements(run) {
  const found = [], e = run.evaluations ?? {}, count = e.step?.length ?? 0;
  const row = i => Object.fromEntries(Object.keys(e).map(name => [name, e[name][i]]));
  if (count > 0) found.push({when: e.step[0] === 0 ? "before" : `step ${e.step[0]}`, figures: row(0)});
  if (count > 1) found.push({when: `step ${e.step[count - 1]}`, figures: row(count - 1), last: true});
  for (const result of run.results ?? []) found.push({when: result.name, figures: result.figures});
  return found;
}

/** value ± error; over several runs their mean ± the standard deviation between them. */
function plusMinus(measured, name, errorName, format) {
  const values = measured.map(m => m.figures[name]).filter(v => v !== null && v !== undefined);
  if (values.length === 0) return "–";
  const mean = values.reduce((a, b) => a + b, 0) / values.length;
  let error = errorName && values.length === 1 ? measured[0].figures[errorName] ?? null : null;
  if (values.length > 1) error = Math.sqrt(values.reduce((sum, v) => sum + (v - mean) ** 2, 0) / (values.length - 1));
  const digits = format === "percent" ? v => (100 * v).toFixed(1) : v => v.toFixed(3);
  return digits(mean) + (error === null ? "" : ` ± ${digits(error)}`) + (format === "percent" ? " %" : "");
}

function cost(members) {
  const totals = members.map(i => [...spent(report.runs[i]).values()].pop() ?? {seconds: null, tokens: null});
  const mean = name => totals.every(t => t[name] !== null) ? totals.reduce((sum, t) => sum + t[name], 0) / totals.length : null;
  return {tokens: text(mean("tokens") || null, "compact"), seconds: text(mean("seconds") || null, "seconds")};
}

function runState(members) {
  const states = [...new Set(members.map(i => kStateWords[report.runs[i].state] ?? report.runs[i].state))];
  const words = members.length > 1 ? `${members.length} seeds, ${states.join(", ")}` : states.join(", ");
  return element("span", {class: `state ${states.length === 1 ? report.runs[members[0]].state : ""}`}, words);
}

function headlineTable() {
  const columns = [
    {title: "greedy", name: "greedy_accuracy", error: "greedy_error", format: "percent"},
    {title: "sampled", name: "sampled_accuracy", error: "sampled_error", format: "percent"},
    {title: "optimality gap", name: "optimality_gap", error: "optimality_gap_error"},
    {title: "value gap", name: "value_gap", error: "value_gap_error"}, {title: "KL, nats", name: "kl"},
  ];
  const rows = [];
  const everything = report.runs.flatMap(measurements);
  const shown = columns.filter(c => everything.some(m => m.figures[c.name] !== undefined && m.figures[c.name] !== null));
  for (const line of lines()) {
    const byRun = line.members.map(i => measurements(report.runs[i]));
    const price = cost(line.members);
    const count = Math.max(1, ...byRun.map(m => m.length));
    for (let k = 0; k < count; ++k) {
      const measured = byRun.map(m => m[k]).filter(Boolean);
      const trained = measured[0]?.last || count === 1;
      const cells = [measured[0]?.when ?? "not evaluated", ...shown.map(c => plusMinus(measured, c.name, c.error, c.format)),
                     trained ? price.tokens : "", trained ? price.seconds : ""].map(content => cell("td", content));
      const name = element("span", {class: "run-name"}, swatch(line.tone), line.name);
      if (k === 0) cells.unshift(element("th", {scope: "rowgroup", rowSpan: count}, name, " ", runState(line.members)));
      rows.push(element("tr", {class: k === 0 ? "first" : ""}, ...cells));
    }
  }
  return tableOf(["run", "when", ...shown.map(c => c.title), "tokens", "time"], rows);
}

const shownValue = value => typeof value === "string" ? value : JSON.stringify(value);

/** Keys whose values differ, every key folded away; runs that differ only in the seed share a column. */
function configuration() {
  const groups = seedGroups().filter(members => Object.keys(report.runs[members[0]].config).length > 0);
  if (groups.length === 0) return element("p", {class: "quiet"}, "These runs have no configuration file.");
  const keys = [...new Set(groups.flatMap(members => Object.keys(report.runs[members[0]].config)))];
  const values = (key, members) => [...new Set(members.map(i => report.runs[i].config[key]).map(value =>
      value === undefined ? "–" : shownValue(value)))].join(", ");
  const scroller = (label, some) => element("div", {class: "scroller config", tabIndex: 0, role: "region", "aria-label": label},
      table([label, ...groups.map(groupName)], some.map(key => [key, ...groups.map(members => values(key, members))])));
  const box = element("div");
  const differing = keys.filter(key => key !== "run.output" && new Set(groups.map(members => values(key, members))).size > 1);
  if (differing.length > 0) box.append(scroller("differs in", differing));
  else if (report.runs.length > 1) box.append(element("p", {}, "The runs differ in nothing but their seeds and folders."));
  const details = element("details", {}, element("summary", {}, `All ${keys.length} keys`));
  details.addEventListener("toggle", () => {
    if (details.open && !details.querySelector("table")) details.append(scroller("key", keys));
  });
  box.append(details);
  return box;
}
