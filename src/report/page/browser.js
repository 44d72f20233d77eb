"use strict";
// The browser of responses: a list of prompts on the left, the chosen prompt's group on the right.

const kListed = 300;  // prompts listed at once
const browser = {groups: [], matches: [], chosen: 0, fetched: new Map()};

/** A group of completions/step-N.jsonl as {prompt, answer, responses: [{text, reward, correct, source, note}]}. */
function groupOfCompletions(group, threshold) {
  const messages = Array.isArray(group.prompt) ? group.prompt : group.messages;
  const said = m => typeof m?.content !== "string" ? JSON.stringify(m)
      : messages.length === 1 ? m.content : `${m.role}: ${m.content}`;
  const prompt = messages?.map(said).join("\n") ?? group.prompt ?? group.question ?? group.id ?? "";
  return {
    prompt: String(prompt), answer: group.answer,
    responses: (group.completions ?? []).map(c => ({
      text: c.text ?? "", reward: c.reward ?? null, source: c.source ?? "stored",
      correct: c.reward === undefined || c.reward === null ? null : c.reward > threshold,
      note: c.finish_reason === "length" ? "cut at the length limit" : "",
      parts: Object.keys(c.reward_parts ?? {}).length > 1 ? c.reward_parts : null,
    })),
  };
}

/** "1 of 4 samples right"; the share where an evaluation did not keep its samples. */
function samplesRight(item) {
  const known = (item.samples ?? []).filter(r => typeof r?.correct === "boolean");
  if (known.length > 0) return `${known.filter(r => r.correct).length} of ${known.length} samples right`;
  const share = item.sampled_share ?? null;
  return share === null ? "" : `${text(share, "percent")} of the samples right`;
}

/** A prompt of an evaluation: its greedy response, where it has one, and its samples. */
function groupOfResult(item) {
  const cut = r => r.truncated ? "cut at the length limit" : "";
  const samples = (item.samples ?? []).filter(r => r && typeof r === "object").map((r, i) => ({
    text: String(r.text ?? ""), reward: r.reward ?? null, source: "sampled", correct: r.correct ?? null,
    note: [`sample ${i + 1}`, cut(r)].filter(Boolean).join(", ")}));
  const greedy = {text: item.text ?? "", reward: null, source: "greedy", correct: item.correct ?? null,
                  note: [samplesRight(item), cut(item)].filter(Boolean).join(", ")};
  const drawn = greedy.correct !== null || greedy.text !== "" || samples.length === 0;
  return {prompt: item.prompt ?? "", answer: item.answer, responses: [...(drawn ? [greedy] : []), ...samples],
          labels: Object.entries(item.labels ?? {}).map(([field, value]) => `${field}: ${value}`).join(" · ")};
}

/** What a run has to browse: {label, load() → groups or a promise of them}. */
function responseSets(runIndex) {
  const run = report.runs[runIndex], threshold = run.config["evaluate.correct_above"] ?? 0.5;
  const load = step => {
    if (!report.live) return run.completions[step] ?? [];
    const key = `${runIndex} ${step}`;
    if (!browser.fetched.has(key))
      browser.fetched.set(key, fetch(`completions?run=${runIndex}&step=${step}`).then(answer => answer.ok ? answer.json() : []));
    return browser.fetched.get(key);
  };
  const steps = (run.completion_steps ?? []).filter(step => report.live || run.completions?.[step]);
  return [
    ...steps.map(step => ({
      label: `training step ${step}`,
      load: async () => (await load(step)).map(group => groupOfCompletions(group, threshold))})),
    ...(run.results ?? []).filter(result => result.responses?.length > 0).map(result => ({
      label: `evaluation ${result.name}`, load: async () => result.responses.map(groupOfResult)})),
  ];
}

function fillSelect(select, labels) {
  const before = select.selectedOptions[0]?.textContent;
  select.replaceChildren(...labels.map((label, i) => element("option", {value: String(i)}, label)));
  const kept = labels.indexOf(before);
  if (kept >= 0) select.selectedIndex = kept;
  return kept >= 0;
}

const browsableRuns = () => report.runs.map((_, i) => i).filter(i => responseSets(i).length > 0);

async function showSet() {
  const runs = browsableRuns(), set = responseSets(runs[byId("browse-run").selectedIndex])[byId("browse-set").selectedIndex];
  browser.groups = set ? await set.load().catch(() => []) : [];
  fillSelect(byId("browse-source"), ["any", ...new Set(browser.groups.flatMap(g => g.responses.map(r => r.source)))]);
  filterGroups();
}

function showSets() {
  const select = byId("browse-set"), runs = browsableRuns();
  const sets = responseSets(runs[byId("browse-run").selectedIndex]);
  if (!fillSelect(select, sets.map(set => set.label))) select.selectedIndex = sets.length - 1;
  return showSet();
}

function matchingResponses(group) {
  const verdict = byId("browse-verdict").value, source = byId("browse-source").selectedOptions[0]?.textContent ?? "any";
  const wanted = byId("browse-text").value.trim().toLowerCase();
  const inPrompt = `${group.prompt}\n${group.answer ?? ""}\n${group.labels ?? ""}`.toLowerCase().includes(wanted);
  return group.responses.filter(r =>
      (verdict === "all" || r.correct === (verdict === "right")) && (source === "any" || r.source === source) &&
      (inPrompt || r.text.toLowerCase().includes(wanted)));
}

function filterGroups() {
  browser.matches = browser.groups.map(group => ({group, responses: matchingResponses(group)}))
      .filter(match => match.responses.length > 0);
  const responses = browser.matches.reduce((sum, match) => sum + match.responses.length, 0), count = browser.matches.length;
  byId("browse-count").textContent = `${responses} responses to ${count} of ${browser.groups.length} prompts` +
      (count > kListed ? `; the first ${kListed} prompts are listed` : "");
  byId("prompts").replaceChildren(...browser.matches.slice(0, kListed).map(listItem));
  choose(0);
}

function listItem({group}, index) {
  const known = group.responses.filter(r => r.correct !== null), right = known.filter(r => r.correct).length;
  const share = known.length === 0 ? "" : known.length === 1 ? (right ? "right" : "wrong") : `${right}/${known.length} right`;
  const item = element("li", {role: "option", id: `prompt-${index}`, "aria-selected": "false"},
    element("span", {class: "prompt-line"},
            group.prompt.replace(/\s+/g, " ").replace(/\\([$%])/g, "$1").slice(0, 160) || "(a prompt of token ids)"),
    element("span", {class: `share ${right === 0 ? "wrong" : right === known.length ? "right" : ""}`}, share));
  item.addEventListener("click", () => choose(index));
  return item;
}

function choose(index) {
  const list = byId("prompts"), count = Math.min(browser.matches.length, kListed);
  list.children[browser.chosen]?.setAttribute("aria-selected", "false");
  browser.chosen = Math.max(0, Math.min(index, count - 1));
  const item = list.children[browser.chosen];
  if (item) {
    item.setAttribute("aria-selected", "true");
    list.setAttribute("aria-activedescendant", item.id);
    if (item.offsetTop < list.scrollTop) list.scrollTop = item.offsetTop;
    const below = item.offsetTop + item.offsetHeight - list.clientHeight;
    if (below > list.scrollTop) list.scrollTop = below;
  } else {
    list.removeAttribute("aria-activedescendant");
  }
  showGroup(browser.matches[browser.chosen]);
}

function showGroup(match) {
  const box = byId("group");
  box.scrollTop = 0;
  if (!match) {
    box.replaceChildren(element("p", {class: "quiet"}, "No response matches."));
    return;
  }
  const {group, responses} = match, hidden = group.responses.length - responses.length;
  box.replaceChildren(
    element("h3", {}, "Prompt"), ...(group.labels ? [element("p", {class: "quiet"}, group.labels)] : []),
    element("div", {class: "prompt-text"}, richText(group.prompt)),
    ...(group.answer === null || group.answer === undefined ? []
        : [element("p", {class: "answer"}, element("b", {}, "Answer "), answerNode(String(group.answer)))]),
    element("h3", {}, group.responses.length === 1 ? "Response" : `${group.responses.length} responses`),
    ...(hidden > 0 ? [element("p", {class: "quiet"}, `${hidden} more do not match the filter.`)] : []),
    ...responses.map(responseCard));
}

function responseCard(response) {
  const verdict = response.correct === null ? "" : response.correct ? "right" : "wrong";
  const facts = [
    verdict && element("span", {class: `verdict ${verdict}`}, verdict),
    response.reward !== null && `reward ${text(response.reward)}`,
    response.parts && Object.entries(response.parts).map(([name, v]) => `${name} ${text(v)}`).join(", "),
    response.source, response.note,
  ].filter(Boolean).map(fact => element("span", {}, fact));
  return element("div", {class: `response ${verdict}`}, element("p", {class: "facts"}, ...facts),
                 response.text === "" ? element("p", {class: "quiet"}, "(empty)") : richText(response.text));
}

function startBrowser() {
  const keys = {ArrowDown: 1, ArrowUp: -1, PageDown: 10, PageUp: -10, Home: -Infinity, End: Infinity};
  byId("prompts").addEventListener("keydown", event => {
    if (!(event.key in keys)) return;
    event.preventDefault();
    const by = keys[event.key];
    choose(Number.isFinite(by) ? browser.chosen + by : by > 0 ? kListed : 0);
  });
  byId("filters").addEventListener("submit", event => event.preventDefault());
  byId("browse-run").addEventListener("change", showSets);
  byId("browse-set").addEventListener("change", showSet);
  for (const id of ["browse-verdict", "browse-source"]) byId(id).addEventListener("change", filterGroups);
  byId("browse-text").addEventListener("input", settled(filterGroups, 150));
  refreshBrowser();
}

/** After the data changed: keeps what is being read. */
function refreshBrowser() {
  const runs = browsableRuns(), select = byId("browse-run"), before = `${select.value} ${byId("browse-set").length}`;
  byId("responses-section").hidden = runs.length === 0;
  if (runs.length === 0) return;
  const kept = fillSelect(select, runs.map(i => report.runs[i].name));
  const sets = responseSets(runs[select.selectedIndex]);
  if (!kept) showSets();
  else if (before !== `${select.value} ${sets.length}`) fillSelect(byId("browse-set"), sets.map(set => set.label));
}
