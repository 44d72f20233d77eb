"use strict";
// Curves: one Chart.js chart for each figure, a band under a line, hover values of every run, a range chosen by dragging.

const kBand = 1.96;  // standard errors to each side: a 95 % interval
const kFewLines = 4;  // up to so many the values that were smoothed are drawn too
const charts = new Map();  // figure id → Chart

/** Exponential moving average, corrected for its start, over the values that are there. */
function smoothed(points, weight) {
  let sum = 0, mass = 0;
  return points.map(p => {
    sum = weight * sum + (1 - weight) * p.y;
    mass = weight * mass + (1 - weight);
    return {...p, y: sum / mass};
  });
}

/** The rows of one run that have a value: {step, x, y, low, high}. */
function runPoints(run, series) {
  const steps = run[series.table]?.step ?? [], values = run[series.table]?.[series.column] ?? [];
  const errors = series.error ? run[series.table]?.[series.error] : null;
  const x = xValues(run, series.table), points = [];
  steps.forEach((step, i) => {
    const y = values[i], margin = kBand * (errors?.[i] ?? NaN);
    if (x[i] !== null && y !== null && y !== undefined) points.push({step, x: x[i], y, low: y - margin, high: y + margin});
  });
  return points;
}

/** One curve per step that all members have: their mean, and from the lowest to the highest of them. */
function joined(curves) {
  if (curves.length === 1) return curves[0];
  const rest = curves.slice(1).map(points => new Map(points.map(p => [p.step, p])));
  return curves[0].filter(p => rest.every(byStep => byStep.has(p.step))).map(first => {
    const seeds = [first, ...rest.map(byStep => byStep.get(first.step))], ys = seeds.map(p => p.y);
    const mean = name => seeds.reduce((sum, p) => sum + p[name], 0) / seeds.length;
    return {step: first.step, x: mean("x"), y: mean("y"), low: Math.min(...ys), high: Math.max(...ys)};
  });
}

/** The points of one line of a figure, and smoothed where the user asks for it and the figure scatters, else null. */
function linePoints(line, series, figure) {
  const curves = line.members.map(i => runPoints(report.runs[i], series)).filter(points => points.length > 0);
  if (curves.length === 0) return {plain: [], smooth: null};
  const smooths = view.smoothing > 0 && !series.points && !figure.exact;
  return {plain: joined(curves), smooth: smooths ? joined(curves.map(points => smoothed(points, view.smoothing))) : null};
}

/** The datasets of a figure: for each line a band, or faintly what was smoothed, and the line itself. */
function lineDatasets(figure) {
  const shown = visibleLines();
  return figure.series.flatMap(series => shown.flatMap(line => {
    const {plain, smooth} = linePoints(line, series, figure), drawn = smooth ?? plain;
    if (drawn.length === 0) return [];
    const label = figure.series.length > 1 ? `${line.name}, ${series.label}` : line.name, color = toneColor(line.tone);
    const base = {label, parsing: false, pointRadius: 0, pointHitRadius: 0, borderWidth: 0, fill: false, extra: true, order: 2};
    const sets = [];
    if (Number.isFinite(drawn[0].low)) {
      sets.push({...base, data: drawn.map(p => ({x: p.x, y: p.low}))});
      sets.push({...base, data: drawn.map(p => ({x: p.x, y: p.high})), fill: "-1",
                 backgroundColor: toneColor(line.tone, series.dash ? 0.1 : 0.18)});
    } else if (smooth && shown.length <= kFewLines) {
      sets.push({...base, data: plain.map(p => ({x: p.x, y: p.y})), borderWidth: 1, borderColor: toneColor(line.tone, 0.22)});
    }
    sets.push({...base, extra: false, order: 1, clip: 5, data: drawn, borderColor: color, backgroundColor: color, borderWidth: 2,
               borderDash: series.dash ? [6, 4] : [], pointRadius: series.points || drawn.length === 1 ? 3 : 0,
               pointStyle: series.dash ? "rectRot" : "circle"});
    return sets;
  }));
}

/** Marks the hovered place and the range being dragged. */
const marksPlugin = {
  id: "marks",
  beforeDatasetsDraw(chart) {
    const {ctx, chartArea: area} = chart, active = chart.tooltip?.getActiveElements?.() ?? [];
    ctx.save();
    if (active.length > 0 && chart.config.type === "line") {
      ctx.strokeStyle = themeColor("--quiet");
      ctx.globalAlpha = 0.5;
      ctx.beginPath();
      const x = Math.round(active[0].element.x) + 0.5;
      ctx.moveTo(x, area.top);
      ctx.lineTo(x, area.bottom);
      ctx.stroke();
    }
    if (chart.dragged) {
      ctx.globalAlpha = 0.15;
      ctx.fillStyle = themeColor("--accent");
      ctx.fillRect(chart.dragged.from, area.top, chart.dragged.to - chart.dragged.from, area.bottom - area.top);
    }
    ctx.restore();
  },
};

/** Hovering shows every line's nearest point, though runs need not share their x values. */
Chart.Interaction.modes.everyLine = (chart, event) => {
  const {x} = Chart.helpers.getRelativePosition(event, chart), items = [];
  let nearest = Infinity;
  for (const meta of chart.getSortedVisibleDatasetMetas()) {
    if (chart.data.datasets[meta.index].extra) continue;
    let best = -1, distance = Infinity;
    meta.data.forEach((point, i) => {
      const d = Math.abs(point.x - x);
      if (d < distance && !point.skip) [best, distance] = [i, d];
    });
    if (best < 0) continue;
    items.push({element: meta.data[best], datasetIndex: meta.index, index: best, distance});
    nearest = Math.min(nearest, distance);
  }
  return items.filter(item => item.distance <= nearest + 12).sort((a, b) => a.distance - b.distance);
};

const axisTitles = {step: "step", seconds: "time since the start", tokens: "tokens sampled and trained on"};
const axisFormats = {step: "compact", seconds: "seconds", tokens: "compact"};

function scaleStyle() {
  return {grid: {color: themeColor("--grid"), borderColor: themeColor("--grid")},
          ticks: {color: themeColor("--quiet"), maxRotation: 0, font: {size: 11}, autoSkipPadding: 16}};
}

/** Some room above and below the curves, but none beyond what the figure can be. */
function leaveRoom(scale, format) {
  const room = 0.05 * (scale.max - scale.min || Math.abs(scale.max) || 1), {min, max} = scale;
  scale.min = min >= 0 || format === "percent" ? Math.max(0, min - room) : min - room;
  scale.max = format === "percent" ? Math.min(1, max + room) : max + room;
}

function lineOptions(figure) {
  const format = figure.format ?? "number", style = scaleStyle();
  const tick = kind => value => kind === "percent" ? `${Number((100 * value).toPrecision(4))} %` : text(value, kind);
  return {
    ...commonOptions(),
    interaction: {mode: "everyLine", intersect: false},
    scales: {
      x: {...style, type: "linear", min: view.from ?? 0, max: view.to ?? undefined,
          ticks: {...style.ticks, maxTicksLimit: 7, callback: tick(axisFormats[view.axis])},
          title: {display: true, text: axisTitles[view.axis], color: themeColor("--quiet"), font: {size: 11}}},
      y: {...style, afterDataLimits: scale => leaveRoom(scale, format), ticks: {...style.ticks, maxTicksLimit: 6, callback: tick(format)}},
    },
    plugins: {
      legend: {display: false},
      decimation: {enabled: true, algorithm: "lttb", samples: 600},
      tooltip: {
        enabled: false, external: showTooltip, itemSort: (a, b) => b.parsed.y - a.parsed.y,
        filter: item => !item.dataset.extra,
        callbacks: {
          title: items => items.length === 0 ? "" : view.axis === "step"
              ? `step ${items[0].raw.step}` : `${text(items[0].raw.x, axisFormats[view.axis])} (step ${items[0].raw.step})`,
          label: ({dataset, raw}) => [dataset.label, text(raw.y, format),
                                      Number.isFinite(raw.low) ? `${text(raw.low, format)} to ${text(raw.high, format)}` : ""].join("\t"),
        },
      },
    },
  };
}

function commonOptions() {
  return {animation: false, responsive: true, maintainAspectRatio: false, normalized: true, layout: {padding: {right: 8}}};
}

function phaseData() {
  const shown = visibleLines();
  return {
    labels: shown.map(line => line.name),
    datasets: kPhases.map((phase, p) => ({
      label: phase.label, backgroundColor: themeColor(`--phase-${p}`), maxBarThickness: 26, stack: "phases",
      data: shown.map(line => line.members.reduce((sum, i) => sum + phaseSeconds(report.runs[i])[p], 0) / line.members.length),
    })),
  };
}

function phaseOptions() {
  const style = scaleStyle();
  return {
    ...commonOptions(), normalized: false, indexAxis: "y", interaction: {mode: "index", axis: "y", intersect: false},
    scales: {
      x: {...style, stacked: true, ticks: {...style.ticks, maxTicksLimit: 6, callback: v => text(v, "seconds")}},
      y: {...style, stacked: true, grid: {display: false}},
    },
    plugins: {
      legend: {display: false},
      tooltip: {enabled: false, external: showTooltip,
                callbacks: {label: ({dataset, raw}) => `${dataset.label}\t${text(raw, "seconds")}`}},
    },
  };
}

/** Draws a figure, or draws it again from the data and the view as they are now. */
function drawFigure(figure, canvas) {
  const type = figure.phases ? "bar" : "line";
  const data = figure.phases ? phaseData() : {datasets: lineDatasets(figure)};
  const options = figure.phases ? phaseOptions() : lineOptions(figure);
  let chart = charts.get(figure.id);
  if (chart) {
    chart.data = data;
    chart.options = options;
    chart.update("none");
  } else {
    chart = new Chart(canvas, {type, data, options, plugins: [marksPlugin]});
    charts.set(figure.id, chart);
    if (!figure.phases) rangeByDragging(chart, canvas);
  }
  if (figure.phases) canvas.parentElement.style.height = `max(15rem, ${3 + 1.6 * data.labels.length}rem)`;
  canvas.setAttribute("aria-label", `${figure.title}. ${lastValues(figure)}`);
}

/** In words, for those who do not see the curves. */
function lastValues(figure) {
  if (figure.phases) return "Its values are in the data table below.";
  const words = visibleLines().flatMap(line => figure.series.map(series => {
    const points = linePoints(line, series, figure).plain, last = points[points.length - 1];
    return last ? `${line.name}, ${series.label}: ${text(last.y, figure.format)} at step ${last.step}` : "";
  }));
  return `Last values: ${words.filter(Boolean).join("; ")}.`;
}

function rangeByDragging(chart, canvas) {
  const place = event => event.clientX - canvas.getBoundingClientRect().left;
  canvas.addEventListener("pointerdown", event => {
    if (event.pointerType === "touch" || event.button !== 0) return;
    canvas.setPointerCapture(event.pointerId);
    chart.dragged = {from: place(event), to: place(event)};
  });
  canvas.addEventListener("pointermove", event => {
    if (!chart.dragged) return;
    chart.dragged.to = place(event);
    chart.draw();
  });
  const end = () => {
    const {from, to} = chart.dragged ?? {};
    chart.dragged = null;
    if (from === undefined || Math.abs(to - from) < 8) return;
    const scale = chart.scales.x, values = [from, to].map(pixel => scale.getValueForPixel(pixel)).sort((a, b) => a - b);
    setRange(Math.max(values[0], scale.min), Math.min(values[1], scale.max));
  };
  canvas.addEventListener("pointerup", end);
  canvas.addEventListener("pointercancel", () => { chart.dragged = null; });
  canvas.addEventListener("dblclick", () => setRange(null, null));
}

/** The values behind a figure, at most `limit` rows. */
function dataTable(figure, limit = 50) {
  if (figure.phases) {
    const {labels, datasets} = phaseData();
    return table(["run", ...datasets.map(set => set.label)],
                 labels.map((label, i) => [label, ...datasets.map(set => text(set.data[i], "seconds"))]));
  }
  const curves = visibleLines().flatMap(line => figure.series.map(series => ({
    name: figure.series.length > 1 ? `${line.name}, ${series.label}` : line.name,
    byStep: new Map(linePoints(line, series, figure).plain.map(p => [p.step, p])),
  }))).filter(curve => curve.byStep.size > 0);
  const steps = [...new Set(curves.flatMap(curve => [...curve.byStep.keys()]))].sort((a, b) => a - b);
  const every = Math.ceil(steps.length / limit);
  const kept = steps.filter((_, i) => i % every === 0 || i === steps.length - 1);
  return table(["step", ...curves.map(curve => curve.name)], kept.map(step => [
    String(step), ...curves.map(curve => text(curve.byStep.get(step)?.y, figure.format))]));
}
