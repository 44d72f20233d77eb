"use strict";
// Text with mathematics: $…$, $$…$$, \(…\) and \[…\] are set by KaTeX, everything else stays text.

const kMathForms = [
  {open: "$$", close: "$$", display: true},
  {open: "\\[", close: "\\]", display: true},
  {open: "\\(", close: "\\)", display: false},
  {open: "$", close: "$", display: false},
];
const kLongestFormula = 2000;

/** The formula that begins at `start`, or null. A dollar sign before a price opens none. */
function formulaAt(content, start) {
  const form = kMathForms.find(f => content.startsWith(f.open, start));
  if (!form) return null;
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
