"use strict";
// Text with mathematics: $…$, $$…$$, \(…\), \[…\], environments as \begin{align*}…\end{align*} and a \boxed{…} by itself are
// set by KaTeX; of the rest, \$ and \% lose their backslash, and everything else stays as it is.

const kMathForms = [
  {open: "$$", close: "$$", display: true},
  {open: "\\[", close: "\\]", display: true},
  {open: "\\(", close: "\\)", display: false},
  {open: "$", close: "$", display: false},
];
const kNumbered = "align|alignat|equation|gather|multline|flalign|eqnarray";  // unless a star follows
const kEnvironment = new RegExp(
    `\\\\begin\\{((?:${kNumbered})\\*?|aligned|gathered|split|[dr]?cases|[pbBvV]?matrix|array|tabular)\\}`, "y");
const kDisplayOnly = new RegExp(`\\\\begin\\{(?:${kNumbered}|split)\\*?\\}`);
const kLongestFormula = 5000;

/** Where `close` stands next, neither escaped nor in braces, as the signs of \text{if $x > 0$} are; -1 if nowhere near. */
function closingPlace(content, begin, close) {
  const limit = Math.min(content.length, begin + kLongestFormula);
  let inBraces = -1;  // braces that never close hide no sign
  for (let i = begin, depth = 0; i < limit; ++i) {
    if (content.startsWith(close, i)) {
      if (depth <= 0) return i;
      if (inBraces < 0) inBraces = i;
    }
    if (content[i] === "\\") ++i;
    else if (content[i] === "{") ++depth;
    else if (content[i] === "}") --depth;
  }
  return inBraces;
}

/** An environment that stands outside of a formula, or null. */
function environmentAt(content, start) {
  kEnvironment.lastIndex = start;
  const name = kEnvironment.exec(content)?.[1];
  if (!name) return null;
  const begin = `\\begin{${name}}`, end = `\\end{${name}}`;
  for (let i = start + begin.length, depth = 1; i < content.length && i - start < kLongestFormula; ++i) {
    if (content.startsWith(begin, i)) ++depth;
    else if (content.startsWith(end, i) && --depth === 0) {
      const after = i + end.length, formula = content.slice(start, after);
      return {formula: name === "tabular" ? tableOfTexts(formula) : formula, display: true, after};
    }
  }
  return null;
}

/** A tabular, whose cells are text, as an array, whose cells are formulas. */
function tableOfTexts(tabular) {
  const [, columns, body] = /^\\begin\{tabular\}\s*(?:\[\w*\])?\s*(\{[^{}]*\}|)([^]*)\\end\{tabular\}$/.exec(tabular);
  const cell = text => text.replace(/^((?:\s|\\hline)*)([^]*)$/, (_, lines, said) => lines + (said.trim() && `\\text{${said.trim()}}`));
  const rows = body.split("\\\\").map(row => row.split(/(?<!\\)&/).map(cell).join(" &"));
  return `\\begin{array}${columns || "{l}"}${rows.join(" \\\\")}\\end{array}`;
}

/** A \boxed{…} that stands outside of a formula, or null. A price in it, \boxed{$5}, is no beginning of one. */
function boxAt(content, start) {
  if (!content.startsWith("\\boxed{", start)) return null;
  const begin = start + "\\boxed{".length, end = closingPlace(content, begin, "}");
  if (end < 0 || content.slice(begin, end).trim() === "") return null;
  const inside = content.slice(begin, end), signs = inside.replace(/\\[^]/g, "").split("$").length - 1;
  const formula = signs === 2 && /^\$.*\$$/s.test(inside) ? inside.slice(1, -1)
      : signs === 1 ? inside.replace(/\\[^]|\$/g, found => found === "$" ? "\\$" : found) : inside;
  return {formula: `\\boxed{${formula}}`, display: false, after: end + 1};
}

/** The formula that begins at `start`, or null. A dollar sign before a price opens none. */
function formulaAt(content, start) {
  const form = kMathForms.find(f => content.startsWith(f.open, start));
  if (!form) return environmentAt(content, start) ?? boxAt(content, start);
  const begin = start + form.open.length, end = closingPlace(content, begin, form.close);
  if (end <= begin) return null;
  const formula = content.slice(begin, end), after = end + form.close.length;
  // As pandoc reads it: no space inside the signs, no digit after the closing one, no empty line between them.
  if (form.open === "$" && (/^\s|\s$|\n\s*\n/.test(formula) || /\d/.test(content[after] ?? ""))) return null;
  return {formula, display: form.display || kDisplayOnly.test(formula), after};
}

/** The formula in the words that KaTeX knows. Nothing refers to numbers of equations here: they are left out. */
function forKatex(formula) {
  return formula.replace(new RegExp(`\\\\(begin|end)\\{(${kNumbered})\\*?\\}`, "g"), (_, side, name) =>
      name === "eqnarray" ? (side === "begin" ? "\\begin{array}{rcl}" : "\\end{array}")
      : `\\${side}{${name === "multline" ? "gathered" : name === "flalign" ? "align*" : `${name}*`}}`);
}

/** The formula set, in a span. What KaTeX cannot read is shown as it is written, or thrown as an error. */
function formulaNode(formula, display, throwOnError = false) {
  const span = element("span", {class: "formula"});
  katex.render(forKatex(formula), span,
               {displayMode: display, throwOnError, errorColor: "var(--wrong)", maxExpand: 200, maxSize: 20});
  return span;
}

/** A node that shows `content`. */
function richText(content) {
  const box = element("span", {class: "rich-text"});
  let plain = 0, i = 0;
  while (i < content.length) {
    if (content[i] !== "$" && content[i] !== "\\") { ++i; continue; }
    const found = formulaAt(content, i);
    if (found) {
      box.append(content.slice(plain, i), formulaNode(found.formula, found.display));
      // What is displayed has lines of its own: it needs no line break after it.
      plain = i = found.after + (found.display ? /^[ \t]*\n?/.exec(content.slice(found.after))[0].length : 0);
    } else if (/^\\[$%]/.test(content.slice(i, i + 2))) {
      box.append(content.slice(plain, i));
      plain = i + 1;
      i += 2;
    } else {
      i += content.startsWith("\\\\", i) ? 2 : 1;
    }
  }
  box.append(content.slice(plain));
  return box;
}

/** Whether a whole answer is LaTeX without the signs around it, as the answers of MATH are: \frac{1}{2}, 2^5, 10,\!080, 101_2. */
function isBareFormula(answer) {
  if (/(^|[^\\])\$|\n|\\[([]|\\boxed/.test(answer) || kDisplayOnly.test(answer) || answer.length > kLongestFormula) return false;
  if (!/\\[a-zA-Z!,;:{}|]|[\w)}]\^[\w{(\\-]|(^|[^A-Za-z])[A-Za-z]_[\w{]|\d_(\{|\d\d?(?!\d))/.test(answer)) return false;
  const words = answer.replace(/\\(text\w*|mbox|mathrm|operatorname)\s*\{[^{}]*\}|\\[a-zA-Z]+/g, " ; ");
  return !/[A-Za-z]{2,}\s+[A-Za-z]{2,}/.test(words);
}

/** A node that shows a given answer: its formulas, also where it is nothing else. */
function answerNode(answer) {
  if (!isBareFormula(answer)) return richText(answer);
  try {
    return element("span", {class: "rich-text"}, formulaNode(answer, false, true));
  } catch {
    return richText(answer);
  }
}
