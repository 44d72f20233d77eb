"use strict";
// Puts the page together and keeps it in step with what the user chooses.

const kThemeKey = "agro-theme";

function setTheme(theme) {
  document.documentElement.dataset.theme = theme;
  byId("theme").textContent = theme === "dark" ? "Light theme" : "Dark theme";
}

function startTheme() {
  const system = matchMedia("(prefers-color-scheme: dark)");
  let stored = null;
  try { stored = localStorage.getItem(kThemeKey); } catch { /* a page without storage follows the system */ }
  setTheme(stored ?? (system.matches ? "dark" : "light"));
  system.addEventListener("change", () => {
    if (stored === null) setTheme(system.matches ? "dark" : "light");
    drawCharts();
  });
  byId("theme").addEventListener("click", () => {
    stored = document.documentElement.dataset.theme === "dark" ? "light" : "dark";
    try { localStorage.setItem(kThemeKey, stored); } catch { /* as above */ }
    setTheme(stored);
    drawCharts();
  });
}

function showTitle() {
  const names = report.runs.map(run => run.name);
  const title = names.length === 0 ? "No run yet" : names.length <= 3 ? names.join(", ") : `${names.length} runs`;
  byId("title").textContent = title;
  document.title = `${title} · agro report`;
  const states = ["running", "finished", "stopped", "evaluated"].map(state => {
    const count = report.runs.filter(run => run.state === state).length;
    return count > 0 ? `${names.length > 1 ? `${count} ` : ""}${kStateWords[state]}` : "";
  });
  byId("subtitle").textContent = [states.filter(Boolean).join(", "), report.live ? "" : report.generated].filter(Boolean).join(" · ");
}

function showHeadline() {
  byId("headline").replaceChildren(headlineTable());
  const seeds = view.join && lines().some(line => line.members.length > 1);
  const note = byId("headline-note");
  note.hidden = !report.runs.some(run => measurements(run).length > 0);
  note.textContent = "± one standard error over the prompts" +
      (seeds ? "; of several seeds: their mean ± the standard deviation between them" : "") +
      ". Tokens are those of the training; time includes its evaluations" + (seeds ? ", the mean of the seeds." : ".");
}

function figureCard(figure) {
  const canvas = element("canvas", {role: "img"});
  const card = element("figure", {class: "card", id: `figure-${figure.id}`, "aria-label": figure.title},
    element("figcaption", {}, element("h3", {}, figure.title), figure.unit ? element("span", {class: "quiet"}, figure.unit) : ""));
  if (figure.phases) {
    card.append(element("p", {class: "legend"}, ...kPhases.map((phase, p) =>
      element("span", {}, element("span", {class: "block", style: `--tone: var(--phase-${p})`}), phase.label))));
  } else if (figure.series.length > 1) {
    card.append(element("p", {class: "legend"}, ...figure.series.map(s =>
      element("span", {}, element("span", {class: s.dash ? "dashes" : "stroke"}), s.label))));
  }
  const details = element("details", {}, element("summary", {}, "Data table"));
  details.addEventListener("toggle", () => {
    details.querySelector(".scroller")?.remove();
    if (details.open)
      details.append(element("div", {class: "scroller", tabIndex: 0, role: "region", "aria-label": `Data of ${figure.title}`},
                             dataTable(figure)));
  });
  card.append(element("div", {class: "canvas"}, canvas), element("p", {class: "caption"}, figure.caption), details);
  return card;
}

/** Cards of the figures there are; a card stays where it was when only its data changed. */
function drawCharts() {
  const box = byId("charts"), shown = figures();
  byId("curves").hidden = shown.length === 0;
  const ids = shown.map(figure => figure.id + (figure.series?.length ?? 0)).join();
  if (box.dataset.figures !== ids) {
    box.dataset.figures = ids;
    for (const chart of charts.values()) chart.destroy();
    charts.clear();
    box.replaceChildren();
    for (const chapter of new Set(shown.map(figure => figure.chapter))) {
      const grid = element("div", {class: "grid"});
      grid.append(...shown.filter(figure => figure.chapter === chapter).map(figureCard));
      const title = element("h2", {}, chapter);
      box.append(chapter === "Other figures" ? folded(chapter, grid) : element("section", {}, title, grid));
    }
  }
  for (const figure of shown) {
    const canvas = box.querySelector(`#figure-${CSS.escape(figure.id)} canvas`);
    if (!canvas.closest("details:not([open])")) drawFigure(figure, canvas);
  }
}

function folded(title, content) {
  const details = element("details", {class: "chapter"}, element("summary", {}, title), content);
  details.addEventListener("toggle", () => details.open && drawCharts());
  return details;
}

function showChips() {
  const all = lines();
  byId("lines").replaceChildren(...all.map(line => {
    const shown = line.members.some(i => !view.hidden.has(i));
    const chip = element("button", {type: "button", class: "chip", "aria-pressed": String(shown)}, swatch(line.tone), line.name);
    chip.addEventListener("click", () => {
      for (const i of line.members) shown ? view.hidden.add(i) : view.hidden.delete(i);
      const place = [...byId("lines").children].indexOf(chip);
      showChips();
      byId("lines").children[place].focus();
      drawCharts();
    });
    return chip;
  }));
  byId("lines").hidden = all.length < 2;
  byId("join-control").hidden = seedGroups().every(group => group.length < 2);
}

function setRange(from, to) {
  [view.from, view.to] = [from, to];
  const rounded = v => v === null ? "" : String(Number(v.toPrecision(5)));
  byId("from").value = rounded(from);
  byId("to").value = rounded(to);
  byId("whole").disabled = from === null && to === null;
  drawCharts();
}

function startControls() {
  byId("controls").addEventListener("submit", event => event.preventDefault());
  for (const radio of document.querySelectorAll("input[name=axis]"))
    radio.addEventListener("change", () => {
      view.axis = radio.value;
      setRange(null, null);
    });
  byId("smoothing").value = String(view.smoothing);
  byId("smoothing").addEventListener("input", settled(() => {
    view.smoothing = Number(byId("smoothing").value);
    drawCharts();
  }, 30));
  byId("join").checked = view.join;
  byId("join").addEventListener("change", () => {
    view.join = byId("join").checked;
    redraw();
  });
  const number = id => byId(id).value === "" ? null : Number(byId(id).value);
  for (const id of ["from", "to"]) byId(id).addEventListener("change", () => setRange(number("from"), number("to")));
  byId("whole").addEventListener("click", () => setRange(null, null));
}

function redraw() {
  showTitle();
  showHeadline();
  showEvaluations();
  showChips();
  drawCharts();
  refreshBrowser();
}

function showConfiguration() {
  byId("config").replaceChildren(configuration());
}

Chart.defaults.font.family = getComputedStyle(document.body).fontFamily;
startTheme();
startControls();
startBrowser();
redraw();
showConfiguration();
if (report.live) {
  byId("footer").textContent = "Served by agro watch, which only reads the runs.";
  goLive(fresh => {
    redraw();
    if (fresh) showConfiguration();
  });
}
