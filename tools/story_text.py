#!/usr/bin/env python3
"""Short word problems with working for `agro sft`, told in more ways than those of `agro problems`: something is gained,
lost, shared, compared or bought, any of the quantities may be the unknown one, and a sentence that has nothing to do with
the question may stand in between. One or two calculations each. Needs Python alone.

    tools/story_text.py --count 30000 --seed 1 > stories.jsonl
"""
import argparse
import json
import random
import sys

HE = "Adam Ben Carl David Frank Jack Leo Mark Paul Ryan Sam Tom Victor Will Omar Luis Peter Hugo".split()
SHE = "Anna Beth Clara Diana Emma Faye Grace Helen Julia Kate Lisa Mary Nora Rosa Sara Tina Wendy Zoe".split()
THINGS = ("apples pears plums cookies marbles stickers cards books pencils pens stamps shells coins toys balls eggs "
          "flowers roses candies muffins cakes oranges peaches bananas games crayons beads buttons photos balloons nails "
          "tickets magazines bottles shirts cupcakes puzzles stones notebooks erasers action figures").replace(
              "action figures", "figures").split()
COLOURS = "red blue green yellow white black large small old new sweet salty".split()
HOLDERS = "box bag shelf basket jar tray album row drawer pack crate carton".split()
PLACES = "class park zoo bus train farm school library shop garden museum town".split()
PEOPLE = "children students people visitors boys girls adults passengers players teachers".split()
DAYS = "Monday Tuesday Wednesday Thursday Friday Saturday Sunday".split()
ACTS = (("reads", "read", "pages"), ("runs", "run", "miles"), ("does", "do", "push-ups"), ("writes", "write", "letters"),
        ("earns", "earn", "dollars"), ("catches", "catch", "fish"), ("bakes", "bake", "loaves"), ("works", "work", "hours"))


def plural(holder):
    return holder[:-1] + "ves" if holder.endswith("f") else holder + ("es" if holder.endswith("x") else "s")


class Story:
    """The words of one story, drawn once, and the numbers that its scheme asks for."""

    def __init__(self, rng):
        self.rng = rng
        people = rng.sample([(n, "he", "his", "him") for n in HE] + [(n, "she", "her", "her") for n in SHE], 2)
        (self.n, self.he, self.his, self.him), (self.m, _, _, _) = people
        self.He = self.he.capitalize()
        self.t, self.u = rng.sample(THINGS, 2)
        self.c, self.d = rng.sample(COLOURS, 2)
        self.h = rng.choice(HOLDERS)
        self.hs = plural(self.h)
        self.place, self.who = rng.choice(PLACES), rng.choice(PEOPLE)
        self.day, self.day2 = rng.sample(DAYS, 2)
        self.act, self.acts, self.unit = rng.choice(ACTS)

    def number(self):
        return self.rng.randint(2, self.rng.choice([12, 20, 50, 99, 99, 300, 900]))

    def two(self):
        """The larger one first, never equal."""
        a, b = self.number(), self.number()
        while a == b:
            b = self.number()
        return max(a, b), min(a, b)

    def factors(self):
        return self.rng.randint(2, self.rng.choice([9, 12, 30, 60])), self.rng.randint(2, 9)

    def one(self, *texts):
        return self.rng.choice(texts)


# Each scheme gives (sentences, question, calculations, the unit of the answer).
def gain(s):
    a, b = s.number(), s.number()
    return ([s.one(f"{s.n} had {a} {s.t}.", f"{s.n} has {a} {s.t} in {s.his} {s.h}.", f"There were {a} {s.t} in the {s.h}."),
             s.one(f"{s.m} gave {s.him} {b} more.", f"{s.He} bought {b} more {s.t}.", f"Then {s.n} found another {b} {s.t}.",
                   f"Later {s.he} added {b} more {s.t}.")],
            s.one(f"How many {s.t} does {s.n} have now?", f"How many {s.t} are there altogether?",
                  f"How many {s.t} does {s.he} have in total?"), [f"{a} + {b}"], s.t)


def lose(s):
    a, b = s.two()
    return ([s.one(f"{s.n} had {a} {s.t}.", f"There are {a} {s.t} in the {s.h}.", f"{s.n} picked {a} {s.t}."),
             s.one(f"{s.He} gave {b} of them to {s.m}.", f"{s.n} lost {b} of them.", f"{s.He} sold {b} {s.t}.",
                   f"{s.n} used {b} {s.t}.", f"{s.m} took {b} {s.t} away.")],
            s.one(f"How many {s.t} are left?", f"How many {s.t} does {s.n} have left?", f"How many {s.t} does {s.he} have now?"),
            [f"{a} - {b}"], s.t)


def unknown_loss(s):
    a, b = s.two()
    return ([f"{s.n} had {a} {s.t}.",
             s.one(f"{s.He} gave some of them to {s.m}.", f"{s.He} sold some.", f"{s.n} lost some of the {s.t}."),
             s.one(f"Now {s.he} has {b} {s.t} left.", f"Then there were {b} {s.t} left.")],
            s.one(f"How many {s.t} did {s.he} give away?", f"How many {s.t} are gone?", f"How many {s.t} did {s.n} lose?"),
            [f"{a} - {b}"], s.t)


def unknown_gain(s):
    a, b = s.two()
    return ([s.one(f"{s.n} had {b} {s.t}.", f"There were {b} {s.t} in the {s.h}."),
             s.one(f"{s.m} gave {s.him} some more.", f"{s.He} bought some more {s.t}.", f"{s.n} added some more."),
             s.one(f"Now there are {a} {s.t}.", f"In the end {s.he} had {a} {s.t}.", f"Now {s.n} has a total of {a} {s.t}.")],
            s.one(f"How many {s.t} were added?", f"How many {s.t} did {s.n} get?", f"How many more {s.t} did {s.he} buy?"),
            [f"{a} - {b}"], s.t)


def unknown_start(s):
    a, b = s.two()
    if s.rng.random() < 0.5:
        return ([f"{s.n} had some {s.t}.", s.one(f"{s.He} gave {b} to {s.m}.", f"{s.He} lost {b} of them.", f"{s.n} ate {b}."),
                 s.one(f"Now {s.he} has {a} left.", f"Then {a} {s.t} were left.")],
                s.one(f"How many {s.t} did {s.n} have at first?", f"How many {s.t} did {s.he} have in the beginning?",
                      f"How many {s.t} did {s.n} start with?"), [f"{a} + {b}"], s.t)
    return ([f"{s.n} had some {s.t} in {s.his} {s.h}.", f"Later {s.he} added {b} more {s.t}.",
             s.one(f"Now there are {a} {s.t}.", f"There are a total of {a} {s.t} now.")],
            s.one(f"How many {s.t} were there at first?", f"How many {s.t} did {s.he} have initially?"), [f"{a} - {b}"], s.t)


def together(s):
    a, b = s.number(), s.number()
    return (s.one([f"There are {a} {s.c} {s.t} and {b} {s.d} {s.t} in the {s.h}."],
                  [f"{s.n} has {a} {s.t}.", f"{s.m} has {b} {s.t}."],
                  [f"{s.n} picked {a} {s.t} on {s.day} and {b} on {s.day2}."],
                  [f"{a} {s.who} came to the {s.place} on {s.day}.", f"{b} {s.who} came on {s.day2}."]),
            "How many are there altogether?" if s.rng.random() < 0.4 else "How many is that in all?", [f"{a} + {b}"], "")


def part(s):
    a, b = s.two()
    return ([s.one(f"There are {a} {s.t} in the {s.h}.", f"{s.n} has {a} {s.t}."),
             s.one(f"{b} of them are {s.c} and the others are {s.d}.", f"{b} are {s.c}, the rest are {s.d}.")],
            f"How many {s.t} are {s.d}?", [f"{a} - {b}"], f"{s.d} {s.t}")


def difference(s):
    a, b = s.two()
    swap = s.rng.random() < 0.5
    first, second = (b, a) if swap else (a, b)
    return s.one(
        ([f"{s.n} has {first} {s.t}.", f"{s.m} has {second} {s.t}."],
         f"How many more {s.t} does {s.m if swap else s.n} have than {s.n if swap else s.m}?", [f"{a} - {b}"], f"more {s.t}"),
        ([f"{s.n} has {first} {s.t} and {second} {s.u}."],
         f"How many {'fewer' if swap else 'more'} {s.t} than {s.u} does {s.he} have?", [f"{a} - {b}"], s.t),
        ([f"{s.n} {s.act} {first} {s.unit} on {s.day} and {second} {s.unit} on {s.day2}."],
         f"How many more {s.unit} is that on {s.day2 if swap else s.day} than on {s.day if swap else s.day2}?",
         [f"{a} - {b}"], s.unit),
        ([f"Every day {s.n} spends {first} hours on reading and {second} hours on sports."],
         f"How many more hours does {s.he} spend on {'sports' if swap else 'reading'} than on "
         f"{'reading' if swap else 'sports'}?", [f"{a} - {b}"], "hours"))


def compared(s):
    a, b = s.two()
    return s.one(
        ([f"{s.n} has {a} {s.t}.", f"{s.m} has {b} more {s.t} than {s.n}."], f"How many {s.t} does {s.m} have?", [f"{a} + {b}"], s.t),
        ([f"{s.n} has {a} {s.t}.", f"{s.m} has {b} fewer {s.t} than {s.n}."], f"How many {s.t} does {s.m} have?", [f"{a} - {b}"], s.t),
        ([f"{s.n} has {b} more {s.t} than {s.m}.", f"{s.n} has {a} {s.t}."], f"How many {s.t} does {s.m} have?", [f"{a} - {b}"], s.t),
        ([f"{s.n} {s.act} {a} {s.unit} a week.", f"{s.m} {s.act} {b} {s.unit} less than {s.n}."], f"How many {s.unit} does {s.m} {s.acts} a week?", [f"{a} - {b}"], s.unit),
        ([f"Today {s.m} {s.act} {b} more {s.unit} than {s.n}.", f"{s.n} {s.act} {a} {s.unit}."], f"How many {s.unit} does {s.m} {s.acts}?", [f"{a} + {b}"], s.unit),
        ([f"{s.n} ate {b} fewer {s.t} than {s.m}.", f"{s.n} ate {a} {s.t}."], f"How many {s.t} did {s.m} eat?", [f"{a} + {b}"], s.t))


def times(s):
    a, b = s.factors()
    if s.rng.random() < 0.5:
        a, b = b, a
    return s.one(
        ([f"There are {a} {s.hs}.", f"Each {s.h} holds {b} {s.t}."], f"How many {s.t} are there?", [f"{a} * {b}"], s.t),
        ([f"{s.n} has {a} {s.hs} with {b} {s.t} in each."], f"How many {s.t} does {s.he} have in all?", [f"{a} * {b}"], s.t),
        ([f"Each of the {s.t} costs {b} dollars.", f"{s.n} buys {a} of them."], f"How much does {s.he} have to pay?", [f"{a} * {b}"], "dollars"),
        ([f"{s.n} {s.act} {b} {s.unit} every day."], f"How many {s.unit} are that in {a} days?", [f"{a} * {b}"], s.unit),
        ([f"{s.n} made {b} dollars for each {s.h}.", f"{s.He} sold {a} {s.hs}."], f"How much money did {s.he} make?", [f"{a} * {b}"], "dollars"))


def divided(s):
    a, b = s.factors()
    c = a * b
    return s.one(
        ([f"{s.n} has {c} {s.t}.", f"{s.He} puts them into {a} {s.hs}, the same number in each."], f"How many {s.t} are in each {s.h}?", [f"{c} / {a}"], s.t),
        ([f"{s.n} has {c} {s.t}.", f"{s.He} puts {a} {s.t} into each {s.h}."], f"How many {s.hs} does {s.he} need?", [f"{c} / {a}"], s.hs),
        ([f"{c} {s.t} are shared equally among {a} {s.who}."], f"How many {s.t} does each one get?", [f"{c} / {a}"], s.t),
        ([f"{s.n} paid {c} dollars for {a} {s.t}."], f"How much did each of them cost?", [f"{c} / {a}"], "dollars"),
        ([f"A {s.h} of {s.t} costs {a} dollars."], f"How many {s.hs} can {s.n} buy with {c} dollars?", [f"{c} / {a}"], s.hs),
        ([f"{s.n} {s.act} {a} {s.unit} a day."], f"How many days does {s.he} need for {c} {s.unit}?", [f"{c} / {a}"], "days"),
        ([f"There are {c} {s.who} in {a} groups of the same size."], f"How big is each group?", [f"{c} / {a}"], s.who))


def discount(s):
    a, b = s.two()
    if s.rng.random() < 0.6:
        return ([f"Each {s.h} of {s.t} costs {a} dollars.", f"There is a discount of {b} dollars on each {s.h}."],
                f"How much do you have to pay for one {s.h}?", [f"{a} - {b}"], "dollars")
    k = s.rng.randint(2, 9)
    return ([f"Each {s.h} of {s.t} costs {a} dollars.", f"The shop takes {b} dollars off each {s.h}."],
            f"How much do {k} {s.hs} cost?", [f"{a} - {b}", f"_ * {k}"], "dollars")


def two_kinds(s):
    (a, x), (b, y) = s.two(), s.two()
    kept, used = (s.c, (a, x)) if s.rng.random() < 0.5 else (s.d, (b, y))
    verb, did = s.one(("ate", "eat"), ("sold", "sell"), ("lost", "lose"))
    order = s.one(f"{s.He} {verb} {x} {s.c} {s.t} and {y} {s.d} ones.", f"{s.He} {verb} {y} {s.d} {s.t} and {x} {s.c} {s.t}.")
    if s.rng.random() < 0.6:
        return ([f"{s.n} had {a} {s.c} {s.t} and {b} {s.d} {s.t}.", order], f"How many {kept} {s.t} did {s.n} have left?",
                [f"{used[0]} - {used[1]}"], f"{kept} {s.t}")
    return ([f"{s.n} had {a} {s.c} {s.t} and {b} {s.d} {s.t}.", order], f"How many {s.t} did {s.he} {did}?", [f"{x} + {y}"], s.t)


def two_steps(s):
    a, b = s.factors()
    c = s.number()
    less = s.rng.randint(1, a * b - 1)
    x, y = s.two()
    return s.one(
        ([f"{s.n} has {a} {s.hs} with {b} {s.t} in each.", f"{s.m} gives {s.him} {c} more."], f"How many {s.t} does {s.n} have now?", [f"{a} * {b}", f"_ + {c}"], s.t),
        ([f"{s.n} bought {a} {s.hs} of {s.t}.", f"Each {s.h} had {b} {s.t}.", f"{s.He} gave away {less} of them."], f"How many {s.t} are left?", [f"{a} * {b}", f"_ - {less}"], s.t),
        ([f"{s.n} had {x} {s.t}.", f"{s.He} lost {y} of them and then found {c} more."], f"How many {s.t} does {s.he} have now?", [f"{x} - {y}", f"_ + {c}"], s.t),
        ([f"{s.n} had {x} {s.t}.", f"{s.He} bought {c} more and used {y}."], f"How many {s.t} are left?", [f"{x} + {c}", f"_ - {y}"], s.t),
        ([f"{s.n} has {x} {s.t}.", f"{s.m} has {y} more than {s.n}."], f"How many {s.t} do they have together?", [f"{x} + {y}", f"{x} + _"], s.t),
        ([f"{s.n} has {c} {s.t}.", f"{s.m} has {b} times as many."], f"How many {s.t} do they have together?", [f"{c} * {b}", f"{c} + _"], s.t),
        ([f"There were {x} {s.who} in the {s.place}.", f"{y} left and {c} more came."], f"How many {s.who} are there now?", [f"{x} - {y}", f"_ + {c}"], s.who),
        ([f"{s.n} has {a} {s.c} {s.t}, {b} {s.d} {s.t} and {c} {s.u}."], f"How many things does {s.he} have in all?", [f"{a} + {b}", f"_ + {c}"], "things"),
        ([f"{s.n} bought {a} {s.t} for {b} dollars each and {s.u} for {c} dollars."], f"How much did {s.he} spend?", [f"{a} * {b}", f"_ + {c}"], "dollars"),
        ([f"{s.n} {s.act} {a} {s.unit} on {s.day} and twice as many on {s.day2}."], f"How many {s.unit} are that together?", [f"{a} * 2", f"{a} + _"], s.unit),
        ([f"{s.n} had {a * b + c} {s.t}.", f"{s.He} kept {c} and shared the others equally among {a} {s.who}."], f"How many {s.t} did each of them get?", [f"{a * b + c} - {c}", f"_ / {a}"], s.t))


def aside(s):
    k = s.number()
    return s.one(f"{s.n} also has {k} {s.u}.", f"{s.m} has {k} {s.u}.", f"{s.He} is {s.rng.randint(6, 40)} years old.",
                 f"There are also {k} {s.u} in the {s.h}.", f"{s.He} bought {k} {s.u} too.", f"{k} {s.who} watched.",
                 f"The {s.h} weighs {k} pounds.", f"{s.He} paid {k} dollars.")


SCHEMES = (gain, lose, unknown_loss, unknown_gain, unknown_start, together, part, difference, compared, times, divided,
           discount, two_kinds, two_steps)
SHARES = (2, 3, 2, 2, 3, 2, 2, 4, 4, 3, 4, 1, 3, 8)


def worked(rng):
    s = Story(rng)
    sentences, question, calculations, unit = rng.choices(SCHEMES, SHARES)[0](s)
    if rng.random() < 0.3:
        sentences = list(sentences)
        sentences.insert(rng.randint(1, len(sentences)), aside(s))
    lines, value = [], None
    for calculation in calculations:
        calculation = calculation.replace("_", str(value))
        value = int(eval(calculation))
        lines.append(f"{calculation} = {value}")
    if rng.random() < 0.3 and unit:
        lines[-1] = rng.choice(["That is {} {}.", "There are {} {}.", "The answer is {} {}."]).format(lines[-1], unit)
    return {"kind": "story", "prompt": " ".join([*sentences, question]) + "\n", "answer": str(value),
            "completion": "\n".join([*lines, f"#### {value}"])}


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--count", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    rng = random.Random(arguments.seed)
    for _ in range(arguments.count):
        print(json.dumps(worked(rng)))


if __name__ == "__main__":
    sys.exit(main())
