"use strict";
// The catalogue of figures: which columns they draw and how they are to be read.
//   series: {table, column, error?: column of standard errors, label, dash?: true, points?: true}
//   leak series are found by the names of the columns, one pair for each source.

const kFigures = [
  {
    id: "evaluation-accuracy", chapter: "Is it getting better?", title: "Accuracy on held-out prompts", format: "percent",
    series: [
      {table: "evaluations", column: "greedy_accuracy", error: "greedy_error", label: "greedy", points: true},
      {table: "evaluations", column: "sampled_accuracy", error: "sampled_error", label: "sampled", points: true, dash: true},
    ],
    caption: "Share of evaluation prompts answered correctly: by the greedy response (solid) and on average over sampled " +
        "responses (dashed). Bands: 95 % interval, ±1.96 standard errors; with seeds joined, from the lowest to the highest seed.",
  },
  {
    id: "reward", chapter: "Is it getting better?", title: "Reward in training",
    series: [{table: "metrics", column: "reward_mean", label: "mean reward"}],
    caption: "Mean reward of each step's responses. Every step draws other prompts, so single steps scatter. Stored responses " +
        "in the groups count too and do not improve: judge such runs by the held-out accuracy.",
  },
  {
    id: "accuracy", chapter: "Is it getting better?", title: "Accuracy in training", format: "percent",
    series: [{table: "metrics", column: "accuracy", label: "accuracy"}],
    caption: "Share of each step's responses that count as correct (reward above evaluate.correct_above). As for the reward, " +
        "stored responses are included.",
  },
  {
    id: "loss", chapter: "Is it getting better?", title: "Loss",
    series: [{table: "metrics", column: "loss", label: "loss"}],
    caption: "What the optimiser minimises. For AGRO: half the variance of the regularised reward within a prompt's group, over β " +
        "by default. Comparable only between runs with the same objective and β. It can fall while accuracy falls: see the leak.",
  },
  {
    id: "optimality-gap", chapter: "How far from the optimum?", title: "Optimality gap",
    series: [
      {table: "metrics", column: "optimality_gap", label: "training"},
      {table: "evaluations", column: "optimality_gap", label: "evaluation", points: true, dash: true},
    ],
    caption: "Estimate of what the optimal policy for this β would gain, in reward: 0 when the policy is consistent on what it " +
        "samples. Biased low for few samples per prompt, and blind to what the policy no longer samples: a collapsed policy shows 0.",
  },
  {
    id: "value-gap", chapter: "How far from the optimum?", title: "Value gap",
    series: [{table: "evaluations", column: "value_gap", label: "evaluation", points: true}],
    caption: "Best attainable value, estimated from responses of the reference model, minus the policy's regularised reward. It sees " +
        "a collapse that the optimality gap misses. Biased low as well: where it is below 0, the reference samples were too few.",
  },
  {
    id: "kl", chapter: "How far from the optimum?", title: "Distance from the reference (KL)",
    series: [
      {table: "metrics", column: "log_ratio_mean", label: "training"},
      {table: "evaluations", column: "kl", label: "evaluation", points: true, dash: true},
    ],
    caption: "Mean log-ratio of policy to reference per response, in nats. On the policy's own samples (evaluation) it estimates the " +
        "KL divergence. In training stored responses count too, and their mean may be negative.",
  },
  {
    id: "leak", chapter: "How far from the optimum?", title: "Leak on stored responses", leak: true,
    caption: "Mean log-ratio of policy to reference over stored responses: rewarded (solid) and unrewarded (dashed). Healthy: rewarded " +
        "rises, unrewarded falls. Both well below 0: probability drains into responses nobody scored; a larger β, smaller steps or " +
        "fresh responses in each group help.",
  },
  {
    id: "length", chapter: "What do the responses look like?", title: "Response length", unit: "tokens",
    series: [
      {table: "metrics", column: "response_tokens", label: "training"},
      {table: "evaluations", column: "response_tokens", label: "evaluation", points: true, dash: true},
    ],
    caption: "Mean number of tokens. A steady climb towards the limit often means rambling, a collapse towards 1 a shortcut.",
  },
  {
    id: "truncated", chapter: "What do the responses look like?", title: "Responses cut at the limit", format: "percent",
    series: [
      {table: "metrics", column: "truncated", label: "training"},
      {table: "evaluations", column: "truncated", label: "evaluation", points: true, dash: true},
    ],
    caption: "Share of responses that reached the length limit without ending. Where it is high, raise sampling.max_new_tokens or " +
        "expect the answers to be missing. Tasks of fixed length sit at 100 %.",
  },
  {
    id: "equal-rewards", chapter: "What do the responses look like?", title: "Groups with equal rewards", format: "percent",
    series: [{table: "metrics", column: "equal_reward_groups", label: "share"}],
    caption: "Share of prompts whose responses all got the same reward. Near 100 % there is little left to learn from: prompts are " +
        "too easy or too hard.",
  },
  {
    id: "speed", chapter: "What does it cost?", title: "Speed", unit: "tokens per second", format: "compact",
    series: [{table: "timings", column: "tokens_per_second", label: "tokens per second"}],
    caption: "Tokens sampled and trained on per second of a step, evaluation left out.",
  },
  {
    id: "phases", chapter: "What does it cost?", title: "Time by phase", format: "seconds", phases: true,
    caption: "Where the time went, in total: sampling responses, updating the model, evaluating, and the rest of the steps (rewards, " +
        "writing files). With seeds joined, the mean of the seeds.",
  },
  {
    id: "gradient", chapter: "What does it cost?", title: "Gradient norm",
    series: [{table: "metrics", column: "gradient_norm", label: "norm"}],
    caption: "Norm of the gradient before clipping. Always far above optimizer.clip_norm: clipping sets the step size. Sudden " +
        "peaks: look at the responses of that step.",
  },
  {
    id: "learning-rate", chapter: "What does it cost?", title: "Learning rate", exact: true,
    series: [{table: "metrics", column: "learning_rate", label: "learning rate"}],
    caption: "The schedule as it was applied.",
  },
  {
    id: "memory", chapter: "What does it cost?", title: "Peak memory", unit: "GiB", exact: true,
    series: [{table: "timings", column: "peak_memory_gib", label: "GiB"}],
    caption: "Highest memory of the process so far. It should level off after the longest batch.",
  },
];

const kPhases = [
  {label: "sampling", column: "sampling_seconds"},
  {label: "update", column: "update_seconds"},
  {label: "other", column: null},
  {label: "evaluation", column: "evaluation_seconds"},
];

const hasValues = values => values?.some(v => v !== null) ?? false;

function leakSeries() {
  const series = new Map();
  for (const run of report.runs)
    for (const table of ["metrics", "evaluations"])
      for (const column of Object.keys(run[table] ?? {})) {
        const found = /^leak_(un)?rewarded_(.*)$/.exec(column);
        if (found)
          series.set(column, {table, column, dash: Boolean(found[1]), points: true,
                              label: `${found[2]}, ${found[1] ? "unrewarded" : "rewarded"}`});
      }
  return [...series.values()];
}

/** Seconds in each phase of a run, in the order of kPhases. */
function phaseSeconds(run) {
  const sum = name => (run.timings?.[name] ?? []).reduce((total, v) => total + (v ?? 0), 0);
  const known = kPhases.map(phase => phase.column ? sum(phase.column) : 0);
  known[2] = Math.max(0, sum("step_seconds") - known[0] - known[1]);
  return known;
}

/** The figures that have something to show, with their series found. */
function figures() {
  const shown = [];
  for (const figure of kFigures) {
    if (figure.phases) {
      if (report.runs.some(run => phaseSeconds(run).some(v => v > 0))) shown.push({...figure, series: []});
      continue;
    }
    const series = (figure.leak ? leakSeries() : figure.series)
        .filter(s => report.runs.some(run => hasValues(run[s.table]?.[s.column])));
    if (series.length > 0) shown.push({...figure, series});
  }
  return shown.concat(otherFigures());
}

/** Columns the catalogue does not name: parts of a reward, figures of other objectives. */
function otherFigures() {
  const named = new Set(["step", "groups", "responses", "tokens", "prompts", "prompts_too_long", "samples_per_prompt",
                         "step_seconds", "reward_mean", "kl_k3", "regularized_reward_mean", "consistency_loss"]);
  for (const figure of kFigures) for (const s of figure.series ?? []) named.add(s.column);
  for (const phase of kPhases) named.add(phase.column);
  const isError = (table, column) => table === "evaluations" && column.endsWith("_error");
  const others = new Map();
  for (const run of report.runs)
    for (const table of ["metrics", "evaluations", "timings"])
      for (const [column, values] of Object.entries(run[table] ?? {}))
        if (!named.has(column) && !isError(table, column) && !column.startsWith("leak_") &&
            values.some(v => v !== null && v !== 0))
          others.set(`${table}-${column}`, {
            id: `other-${table}-${column}`, chapter: "Other figures", title: column,
            series: [{table, column, label: column, points: table === "evaluations"}],
            caption: `${column}, as recorded in ${table === "timings" ? "timings.jsonl" : "metrics.jsonl"}.`});
  return [...others.values()];
}
