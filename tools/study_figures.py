#!/usr/bin/env python3
"""Tables and drawings of scripts/study.sh, from the results it has left so far. Needs Python alone.

    tools/study_figures.py RUNS_FOLDER STAGE IMAGE_FOLDER      writes RUNS_FOLDER/STAGE/tables.md and two SVG files

Intervals are 95 % t-intervals over the seeds of the chosen point; a difference is paired by seed. The drawings are of one
colour scheme on a white ground, so that they can be read on pages of either kind.
"""
import glob
import html
import json
import math
import os
import sys

OBJECTIVES = ["agro", "kl_policy_gradient", "ppo", "grpo", "rloo", "dpo", "ipo"]
KINDS = ["fresh", "stored-itself", "stored-other", "mixed"]
COLOURS = dict(zip(OBJECTIVES, ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#8a6d00", "#666666", "#56b4e9"]))
SWEEP_RATE, EQUAL_KL = "1e-4", 0.1
# Upper 2.5 % points of Student's t, by degrees of freedom.
T = [0, 12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228]


class Cell:
    """The runs of one objective on one kind of data: candidates by (β, learning rate), and the seeds of the chosen one."""

    def __init__(self, folder):
        self.grid, self.seeds, self.chosen = {}, {}, None
        for path in glob.glob(folder + "/grid/*/result.json"):
            self.grid[os.path.basename(os.path.dirname(path))] = figures(path)
        for path in glob.glob(folder + "/seed-*/result.json"):
            self.seeds[int(os.path.dirname(path).rsplit("-", 1)[1])] = figures(path)
        if os.path.exists(folder + "/chosen"):
            self.chosen = open(folder + "/chosen", encoding="utf-8").read().strip()

    def values(self, name):
        return [self.seeds[seed][name] for seed in sorted(self.seeds)]


def figures(path):
    with open(path, encoding="utf-8") as file:
        record = json.loads(file.read())
    record = record.get("evaluation", record)
    sampled = record.get("answer_probability", record.get("sampled_accuracy"))
    return {"greedy": 100 * record["greedy_accuracy"], "sampled": 100 * sampled, "kl": record.get("kl"),
            "diverged": record.get("diverged", False)}


def interval(values):
    """Mean and half the width of its 95 % t-interval; NaN for a single value."""
    n, mean = len(values), sum(values) / len(values)
    if n < 2:
        return mean, math.nan
    return mean, T[n - 1] * math.sqrt(sum((v - mean) ** 2 for v in values) / (n - 1) / n)


def plus_minus(values, sign=""):
    mean, half = interval(values)
    return f"{mean:{sign}.1f} ± {half:.1f}".replace("-", "−")


def table(cells, kinds, entry):
    rows = [f"| objective | {' | '.join(kinds)} |", "|---|" + "---|" * len(kinds)]
    for objective in OBJECTIVES:
        if any((objective, kind) in cells for kind in kinds):
            entries = [entry(cells[objective, kind], objective, kind) if (objective, kind) in cells else "" for kind in kinds]
            rows.append(f"| `{objective}` | {' | '.join(entries)} |")
    return "\n".join(rows) + "\n"


def by_numbers(point):
    return tuple(float(number) for number in point.split(","))


def sweep(cell):
    """(β, KL, sampled accuracy) of the candidates that differ in β alone, from the largest β on."""
    return sorted(((by_numbers(point)[0], f["kl"], f["sampled"]) for point, f in cell.grid.items()
                   if point.endswith("," + SWEEP_RATE) and f["kl"] is not None), reverse=True)


def tables(cells, kinds):
    def accuracies(cell, *_):
        if len(cell.seeds) < 2:
            return ""
        short = "" if len(cell.seeds) == 5 else f" ({len(cell.seeds)} seeds)"
        return f"{plus_minus(cell.values('greedy'))} / {plus_minus(cell.values('sampled'))}{short}"

    def difference(cell, objective, kind):
        agro = cells.get(("agro", kind))
        shared = sorted(agro.seeds.keys() & cell.seeds.keys()) if agro else []
        if objective == "agro" or len(shared) < 2:
            return ""
        parts = []
        for name in ("greedy", "sampled"):
            values = [agro.seeds[seed][name] - cell.seeds[seed][name] for seed in shared]
            mean, half = interval(values)
            clear = "**" if abs(mean) > half else ""
            parts.append(clear + plus_minus(values, "+") + clear)
        return " / ".join(parts)

    def kl(cell, *_):
        values = [seed["kl"] for seed in cell.seeds.values() if seed["kl"] is not None]
        return f"{interval(values)[0]:.2f}" if values else ""

    def at_equal_kl(cell, *_):
        """Along the sweep of β from large to small, interpolated in log KL, where it first passes EQUAL_KL."""
        swept = sweep(cell)
        for (_, kl, right), (_, next_kl, next_right) in zip(swept, swept[1:]):
            if 0 < kl <= EQUAL_KL <= next_kl:
                share = math.log(EQUAL_KL / kl) / math.log(next_kl / kl)
                return f"{right + share * (next_right - right):.1f}"
        return "not reached" if swept else ""

    def candidates(cell, *_):
        return "".join(
            f"{point.replace(',', ', ')}: {'diverged' if f['diverged'] else '%.1f / %.1f' % (f['greedy'], f['sampled'])}<br>"
            for point, f in sorted(cell.grid.items(), key=lambda item: by_numbers(item[0])))

    return "\n".join([
        "Greedy / sampled accuracy on the evaluation prompts:\n", table(cells, kinds, accuracies),
        "AGRO minus the row, paired by seed; bold where 0 is outside:\n", table(cells, kinds, difference),
        "KL to the starting model, nats:\n", table(cells, kinds, kl),
        f"Sampled accuracy aside at a KL of {EQUAL_KL} nats, from the sweep of β:\n", table(cells, kinds, at_equal_kl),
        "Chosen β, learning rate:\n", table(cells, kinds, lambda cell, *_: (cell.chosen or "").replace(",", ", ")),
        "Every candidate aside, greedy / sampled:\n", table(cells, kinds, candidates)])


class Drawing:
    def __init__(self, width, height, title):
        self.parts = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" '
                      f'font-family="Helvetica, Arial, sans-serif" font-size="12" fill="#333">',
                      f"<title>{html.escape(title)}</title>", f'<rect width="{width}" height="{height}" fill="#fff"/>']
        self.text(20, 26, title, size=15, weight=600)

    def text(self, x, y, text, anchor="start", size=12, weight=400, colour="#333", turn=None):
        turned = f' transform="rotate({turn} {x:.1f} {y:.1f})"' if turn else ""
        self.parts.append(f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" font-size="{size}" font-weight="{weight}" '
                          f'fill="{colour}"{turned}>{html.escape(text)}</text>')

    def line(self, x1, y1, x2, y2, colour="#ddd", width=0.7):
        self.parts.append(f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" stroke="{colour}" '
                          f'stroke-width="{width}"/>')

    def path(self, points, colour, width=1.5):
        self.parts.append('<path d="M' + "L".join(f"{x:.1f} {y:.1f}" for x, y in points) +
                          f'" fill="none" stroke="{colour}" stroke-width="{width}" stroke-linejoin="round"/>')

    def dot(self, x, y, colour, filled=True, radius=4.0):
        self.parts.append(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{radius}" stroke="{colour}" stroke-width="1.6" '
                          f'fill="{colour if filled else "#fff"}"/>')

    def band(self, x1, y1, x2, y2, colour):
        self.parts.append(f'<rect x="{x1:.1f}" y="{y1:.1f}" width="{x2 - x1:.1f}" height="{y2 - y1:.1f}" fill="{colour}" '
                          'fill-opacity="0.15"/>')

    def save(self, path):
        with open(path, "w", encoding="utf-8") as file:
            file.write("\n".join(self.parts) + "\n</svg>\n")


def draw_accuracies(cells, kinds, before, title, path):
    """A panel for each kind of data, a line for each objective: greedy accuracy above, sampled below."""
    objectives = [o for o in OBJECTIVES if any(cells[o, k].seeds for k in kinds if (o, k) in cells)]
    left, top, width, gap, row = 140, 64, 200, 18, 22
    height = row * len(objectives) + 8
    drawing = Drawing(left + len(kinds) * (width + gap), top + 2 * (height + 54) + 2, title)
    for line, name in enumerate(("greedy", "sampled")):
        y0 = top + line * (height + 54)
        intervals = {(o, k): interval(cells[o, k].values(name)) for o in objectives for k in kinds
                     if (o, k) in cells and cells[o, k].seeds}
        low = 5 * math.floor(before[name] / 5)
        high = max(mean + (half if half == half else 0) for mean, half in intervals.values()) + 1
        drawing.text(20, y0 - 10, name, weight=600)
        for column, kind in enumerate(kinds):
            x0 = left + column * (width + gap)
            x_of = lambda value: x0 + 8 + (width - 12) * (value - low) / (high - low)
            drawing.text(x0 + width / 2, y0 - 10, kind, "middle", weight=600)
            for tick in range(low, math.ceil(high), 5):
                drawing.line(x_of(tick), y0, x_of(tick), y0 + height)
                drawing.text(x_of(tick), y0 + height + 16, str(tick), "middle", 11)
            drawing.line(x_of(before[name]), y0, x_of(before[name]), y0 + height, "#333", 1)
            if ("agro", kind) in intervals:
                mean, half = intervals["agro", kind]
                if half == half:
                    drawing.band(x_of(mean - half), y0, x_of(mean + half), y0 + height, COLOURS["agro"])
            for number, objective in enumerate(objectives):
                y = y0 + 4 + row * (number + 0.5)
                if column == 0:
                    drawing.text(left - 8, y + 4, objective, "end", colour=COLOURS[objective], weight=600)
                if (objective, kind) not in intervals:
                    continue
                mean, half = intervals[objective, kind]
                if mean < low:
                    drawing.text(x0 + 6, y + 4, f"◂ {mean:.1f}", size=11, colour=COLOURS[objective])
                    continue
                if half == half:
                    drawing.line(x_of(max(low, mean - half)), y, x_of(mean + half), y, COLOURS[objective], 2)
                drawing.dot(x_of(mean), y, COLOURS[objective], radius=3.5)
            drawing.path([(x0, y0), (x0, y0 + height), (x0 + width, y0 + height)], "#555", 1)
    drawing.text(left, y0 + height + 36, "percent right on the evaluation prompts; bars and AGRO's shade: 95 % intervals over "
                 "seeds; upright line: before training", size=11)
    drawing.save(path)


def draw_frontier(cells, kinds, title, path):
    """Sampled accuracy over KL to the reference, one line for each objective through its values of β, largest first."""
    points = {key: sweep(cell) for key, cell in cells.items()}
    seen = [point for swept in points.values() for point in swept]
    most_right = 5 * math.ceil(max(right for _, _, right in seen) / 5)
    least_right = most_right - 25
    least, most = 0.01, 30.0
    columns, left, top, width, height, gap = 2, 56, 84, 380, 230, 60
    rows = math.ceil(len(kinds) / columns)
    drawing = Drawing(left + columns * (width + gap) - gap + 24, top + rows * (height + gap) - 8, title)
    x = left
    for objective in OBJECTIVES:
        if any(points.get((objective, kind)) for kind in kinds):
            drawing.dot(x, 46, COLOURS[objective])
            drawing.text(x + 8, 50, objective, colour=COLOURS[objective], weight=600)
            x += 30 + 7.8 * len(objective)
    drawing.text(x, 50, f"hollow: below {least_right}", size=11)
    for number, kind in enumerate(kinds):
        x0, y0 = left + number % columns * (width + gap), top + number // columns * (height + gap)
        x_of = lambda kl: x0 + width * math.log(min(most, max(least, kl)) / least) / math.log(most / least)
        y_of = lambda value: y0 + height * (most_right - max(least_right, value)) / (most_right - least_right)
        drawing.text(x0 + 6, y0 - 6, kind, weight=600)
        for exponent in range(-2, 2):
            drawing.line(x_of(10.0 ** exponent), y0, x_of(10.0 ** exponent), y0 + height)
            drawing.text(x_of(10.0 ** exponent), y0 + height + 15, f"{10.0 ** exponent:g}", "middle", 11)
        for tick in range(least_right, most_right + 1, 5):
            drawing.line(x0, y_of(tick), x0 + width, y_of(tick))
            drawing.text(x0 - 6, y_of(tick) + 4, str(tick), "end", 11)
        drawing.path([(x0, y0), (x0, y0 + height), (x0 + width, y0 + height)], "#555", 1)
        for objective in reversed(OBJECTIVES):
            swept = [(x_of(kl), y_of(right), right >= least_right) for _, kl, right in points.get((objective, kind), [])]
            if swept:
                drawing.path([place[:2] for place in swept], COLOURS[objective])
                for px, py, inside in swept:
                    drawing.dot(px, py, COLOURS[objective], inside, 3)
        if number // columns == rows - 1:
            drawing.text(x0 + width / 2, y0 + height + 34, "KL to the starting model, nats per response", "middle")
        if number % columns == 0:
            drawing.text(x0 - 38, y0 + height / 2, "sampled accuracy, percent", "middle", turn=-90)
    drawing.save(path)


def main():
    runs, stage, images = sys.argv[1:]
    cells = {}
    for objective in OBJECTIVES:
        for kind in KINDS:
            if os.path.isdir(f"{runs}/{stage}/{objective}/{kind}"):
                cells[objective, kind] = Cell(f"{runs}/{stage}/{objective}/{kind}")
    kinds = [kind for kind in KINDS if any(k == kind for _, k in cells)]
    with open(f"{runs}/{stage}/tables.md", "w", encoding="utf-8") as file:
        file.write(tables(cells, kinds))
    name = {"adders": "Three-digit addition", "wordmath": "Word problems, models/wordmath"}[stage]
    draw_accuracies(cells, kinds, figures(f"{runs}/{stage}/before.json"), f"{name}: objectives by where responses come from",
                    f"{images}/study-{stage}-accuracy.svg")
    draw_frontier(cells, kinds, f"{name}: accuracy against KL, one point for each β", f"{images}/study-{stage}-frontier.svg")


if __name__ == "__main__":
    main()
