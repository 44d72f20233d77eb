"use strict";
// Evaluations in detail: estimates with their intervals, parts of the prompts, and comparisons with another model.

const kMeasureNames = {
  greedy_accuracy: "greedy accuracy", response_tokens: "tokens per response", truncated: "cut at the length limit",
  answer_found: "with an answer", answer_marked: "answer marked as such", boxed: "with \\boxed{}",
};

const measureName = key => kMeasureNames[key] ?? key.replace("_at_", "@");
const isShare = key => key !== "response_tokens";

const shownEstimate = (key, v) => isShare(key) ? (100 * v).toFixed(1) : text(v);
const shownInterval = (key, low, high) => `${shownEstimate(key, low)} – ${shownEstimate(key, high)}`;
const signed = v => `${v > 0 ? "+" : v < 0 ? "−" : ""}${Math.abs(100 * v).toFixed(1)}`;

/** The interval as a bar from 0 to 100 %, the estimate a mark in it. */
function intervalBar({value, low, high}) {
  const percent = v => `${(100 * Math.min(1, Math.max(0, v))).toFixed(2)}%`;
  return element("span", {class: "interval", "aria-hidden": "true"},
    element("span", {class: "reach", style: `left: ${percent(low)}; width: ${percent(high - low)}`}),
    element("span", {class: "mark", style: `left: ${percent(value)}`}));
}

function estimateTable(estimates) {
  return table(["measure", "value", "95 % interval", ""], Object.entries(estimates).map(([key, e]) => {
    const unit = isShare(key) ? " %" : "";
    return [measureName(key), shownEstimate(key, e.value) + unit, shownInterval(key, e.low, e.high) + unit,
            isShare(key) ? intervalBar(e) : ""];
  }));
}

/** One table for each field by which the prompts are divided. */
function partTables(parts) {
  return [...new Set(parts.map(part => part.field))].map(field => {
    const rows = parts.filter(part => part.field === field), keys = Object.keys(rows[0].estimates);
    return element("div", {class: "scroller", tabIndex: 0, role: "region", "aria-label": `By ${field}`},
      table([field, "prompts", ...keys.map(key => `${measureName(key)}, %`)], rows.map(part => [
        part.value, String(part.prompts), ...keys.map(key => {
          const e = part.estimates[key];
          return e ? element("span", {}, shownEstimate(key, e.value), " ",
                             element("span", {class: "quiet"}, shownInterval(key, e.low, e.high))) : "–";
        })])));
  });
}

function comparisonTable(comparison) {
  const rows = [["greedy", comparison.greedy], ["sampled", comparison.sampled]].filter(([, c]) => c).map(([name, c]) => [
    `${name} accuracy`, signed(c.difference), `${signed(c.low)} – ${signed(c.high)}`,
    c.mcnemar_p === undefined ? "" : String(Number(c.mcnemar_p.toPrecision(2))),
  ]);
  const g = comparison.greedy;
  return element("div", {}, element("h3", {}, `Compared with ${comparison.with ?? "another model"}`),
    element("div", {class: "scroller"}, table(["difference, points", "value", "95 % interval", "p"], rows)),
    element("p", {class: "caption"}, `On ${comparison.prompts} prompts that both answered; above 0 this model is better.` +
      (g ? ` Greedy: both right ${g.both_right}, only this one ${g.only_a_right}, only the other ${g.only_b_right}, ` +
           `neither ${g.neither_right}. p: McNemar's exact test.` : "")));
}

function evaluationBlock(run, result) {
  const s = result.statistics, of = s.form_of === "samples" ? "sampled" : "greedy";
  const lengths = s.lengths ?? {}, tooLong = result.figures?.prompts_too_long ?? 0;
  return element("article", {class: "evaluation"},
    element("div", {class: "evaluation-tables"},
      element("div", {class: "scroller", tabIndex: 0, role: "region", "aria-label": `Figures of ${result.name}`},
              estimateTable(s.estimates ?? {})),
      ...partTables(s.by ?? [])),
    element("p", {class: "caption"}, `${s.prompts} prompts` +
      (tooLong > 0 ? ` (${tooLong} too long for the model: not asked, counted as wrong)` : "") +
      (s.samples_per_prompt > 0 ? `, ${s.samples_per_prompt} samples each` : "") +
      `. Lengths and forms are of the ${of} responses; tokens: median ${text(lengths.median)}, 5 to 95 % ` +
      `${text(lengths.p5)} to ${text(lengths.p95)}, most ${text(lengths.max)}. Intervals: Wilson's for greedy accuracy, ` +
      "else bootstrap over prompts. pass@k: at least one of k samples right; maj@k: their most frequent answer right."),
    ...(result.comparison ? [comparisonTable(result.comparison)] : []));
}

/** One evaluation stands open; several are folded away under their names, and stay as the user left them. */
function showEvaluations() {
  const box = byId("evaluation");
  const open = new Set([...box.querySelectorAll("details[open] > summary")].map(summary => summary.textContent));
  const found = report.runs.flatMap(run => (run.results ?? []).filter(result => result.statistics).map(result => (
      {name: report.runs.length > 1 ? `${run.name}: ${result.name}` : result.name, block: evaluationBlock(run, result)})));
  byId("evaluation-section").hidden = found.length === 0;
  box.replaceChildren(...found.map(({name, block}) => found.length === 1 ? element("div", {}, element("h3", {}, name), block)
      : element("details", {open: open.has(name)}, element("summary", {}, name), block)));
}
