"use strict";
// Text with mathematics: $…$, $$…$$, \(…\), \[…\] and a \boxed{…} by itself are set by KaTeX, everything else stays text.

const kMathForms = [
  {open: "$$", close: "$$", display: true},
  {open: "\\[", close: "\\]", display: true},
  {open: "\\(", close: "\\)", display: false},
  {open: "$", close: "$", display: false},
];
const kLongestFormula = 2000;

/** A \boxed{…} that stands outside of a formula, or null. */
function boxAt(content, start) {
  if (!content.startsWith("\\boxed{", start)) return null;
  for (let i = start + 6, depth = 0; i < content.length && i - start < kLongestFormula; ++i) {
    if (content[i] === "\\") ++i;
    else if (content[i] === "{") ++depth;
    else if (content[i] === "}" && --depth === 0) return {formula: content.slice(start, i + 1), display: false, after: i + 1};
  }
  return null;
}

/** The formula that begins at `start`, or null. A dollar sign before a price opens none. */
function formulaAt(content, start) {
  const form = kMathForms.find(f => content.startsWith(f.open, start));
  if (!form) return boxAt(content, start);
  const begin = start + form.open.length, end = content.indexOf(form.close, begin);
  if (end <= begin || end - begin > kLongestFormula) return null;
  const formula = content.slice(begin, end), after = end + form.close.length;
  if (form.open === "$") {
    // As pandoc reads it: no space inside the signs, no digit after the closing one, all on one line.
    if (/^\s|\s$|\n/.test(formula) || /\d/.test(content[after] ?? "")) return null;
  }
  return {formula, display: form.display, after};
}

/** A node that shows `content`. */
function richText(content) {
  const box = element("span", {class: "text"});
  let plain = 0, i = 0;
  while (i < content.length) {
    if (content[i] !== "$" && content[i] !== "\\") { ++i; continue; }
    const found = formulaAt(content, i);
    if (!found) { ++i; continue; }
    box.append(content.slice(plain, i));
    const span = element("span", {class: "formula"});
    katex.render(found.formula, span, {displayMode: found.display, throwOnError: false, maxExpand: 200, maxSize: 20});
    box.append(span);
    plain = i = found.after;
  }
  box.append(content.slice(plain));
  return box;
}
