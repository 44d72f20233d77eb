"use strict";
// While a run goes on: the data comes from the server that served the page, new rows by server-sent events.

function showConnection(state, words) {
  const badge = byId("connection");
  badge.hidden = false;
  badge.className = `badge ${state}`;
  badge.textContent = words;
}

/** Appends rows {step, name: value} to a columnar table; every column stays as long as `step`. */
function appendRows(columns, rows) {
  columns.step ??= [];
  for (const row of rows) {
    const length = columns.step.length;
    for (const name of Object.keys(row)) columns[name] ??= Array(length).fill(null);
    for (const name of Object.keys(columns)) columns[name].push(row[name] ?? null);
  }
}

function takeRows(message) {
  const run = report.runs[message.run];
  if (!run) return;
  for (const name of ["metrics", "evaluations", "timings"]) appendRows(run[name] ??= {}, message[name] ?? []);
  run.state = message.state ?? run.state;
  run.completion_steps = [...new Set([...run.completion_steps ?? [], ...message.completion_steps ?? []])].sort((a, b) => a - b);
}

async function fetchData() {
  const answer = await fetch("data.json");
  if (!answer.ok) throw new Error(`data.json: ${answer.status}`);
  report = await answer.json();
  browser.fetched.clear();
}

/** Follows the runs for as long as the page is open. `redraw(true)`: all data are new, otherwise rows were added. */
async function goLive(redraw) {
  let source = null, due = false;
  // Not more often than four times a second, however fast the steps.
  const soon = () => {
    if (!due) setTimeout(() => { due = false; redraw(false); }, 250);
    due = true;
  };
  const lost = () => {
    source?.close();
    showConnection("lost", "connection lost, retrying");
    setTimeout(connect, 2000);
  };
  async function connect() {
    source?.close();
    try {
      await fetchData();
    } catch {
      lost();
      return;
    }
    redraw(true);
    // The cursor says which rows data.json held already.
    source = new EventSource(`events?since=${encodeURIComponent(report.cursor ?? "")}`);
    source.addEventListener("open", () => showConnection("on", "live"));
    source.addEventListener("rows", event => {
      takeRows(JSON.parse(event.data));
      soon();
    });
    source.addEventListener("reload", connect);
    source.addEventListener("error", lost);
  }
  showConnection("lost", "connecting");
  await connect();
}
