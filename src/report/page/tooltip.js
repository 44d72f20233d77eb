"use strict";
// Hover values: a box beside the pointer with the value of every line there, large enough for many runs.

const tooltipBox = element("div", {class: "tooltip", "aria-hidden": "true"});
document.body.append(tooltipBox);

/** For Chart.js: options.plugins.tooltip.external. */
function showTooltip({chart, tooltip}) {
  if (tooltip.opacity === 0) {
    tooltipBox.classList.remove("shown");
    return;
  }
  const rows = (tooltip.dataPoints ?? []).map((point, i) => element("tr", {},
    element("td", {}, element("span", {class: "swatch", style: `--tone: ${tooltip.labelColors[i].backgroundColor}`})),
    ...tooltip.body[i].lines[0].split("\t").map(words => element("td", {}, words))));
  tooltipBox.replaceChildren(element("b", {}, tooltip.title.join(" ")), element("table", {}, element("tbody", {}, ...rows)));
  tooltipBox.classList.add("shown");
  const canvas = chart.canvas.getBoundingClientRect(), {width, height} = tooltipBox.getBoundingClientRect();
  const x = canvas.left + tooltip.caretX, right = x + 16 + width <= document.documentElement.clientWidth;
  const left = right ? x + 16 : Math.max(4, x - 16 - width);
  const top = Math.min(Math.max(4, canvas.top + 8), Math.max(4, window.innerHeight - height - 4));
  tooltipBox.style.transform = `translate(${Math.round(left)}px, ${Math.round(top)}px)`;
}

addEventListener("scroll", () => tooltipBox.classList.remove("shown"), {passive: true});
