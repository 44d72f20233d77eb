#include "data/problems/word_problem.h"

#include <vector>

#include "data/problems/growth.h"
#include "data/problems/story_words.h"

namespace agro {
namespace {

/// A story being told.
struct Story {
  Story(Chance& random, int64_t wanted) : chance(random), level(wanted), cast(random_cast(random)) {}

  int64_t missing() const { return level - problem.level(); }
  void say(const char* sentence, int64_t n = 0, int64_t m = 0) {
    problem.question += (problem.question.empty() ? "" : " ") + tell(sentence, cast, n, m);
  }
  Operand calculate(Operand left, char op, Operand right, const char* told) {
    return add_step(problem, left, op, right, tell(told, cast));
  }
  /// Things come and go until one step is missing less than none.
  Operand happenings(Operand value) {
    while (missing() > 0) {
      const NextStep next = random_next(chance, level, value.value);
      say(random_happening(chance, next.op).text, next.number);
      value = calculate(value, next.op, {next.number}, "Now there are {calc} {items}.");
    }
    return value;
  }

  Chance& chance;
  int64_t level;
  Cast cast;
  Problem problem{.kind = "word", .question = {}, .steps = {}};
};

constexpr std::array kHowManyHas = {"How many {items} does {name} have now?",
                                    "How many {items} does {name} have in the end?",
                                    "How many {items} are left with {name}?"};

/// Somebody has some things; things happen.
void collection(Story& s) {
  const Operand start{random_term(s.chance, s.level)};
  constexpr std::array kStarts = {"{name} has {n} {items}.", "{name} owns {n} {items}.",
                                  "There are {n} {items} on {name}'s table.",
                                  "{name} starts the day with {n} {items}."};
  s.say(s.chance.pick(kStarts), start.value);
  s.happenings(start);
  s.say(s.chance.pick(kHowManyHas));
}

/// Equal boxes, then things happen to what is in them.
void boxes(Story& s) {
  const Operand count{small_factor(s.chance)}, each{large_factor(s.chance, s.level)};
  constexpr std::array kStarts = {"{name} has {n} boxes with {m} {items} in each.",
                                  "{name} packs {n} bags of {m} {items} each.",
                                  "{name} fills {n} shelves with {m} {items} each."};
  s.say(s.chance.pick(kStarts), count.value, each.value);
  s.happenings(s.calculate(count, '*', each, "There are {calc} {items} at first."));
  s.say(s.chance.pick(kHowManyHas));
}

/// What two people have together; where more is to happen to it, one of them has it all from now on.
void pool(Story& s, Operand together) {
  if (s.missing() == 0) return s.say("How many {items} do they have together?");
  s.say("Then {friend} hands all of these {items} over to {name}.");
  s.happenings(together);
  s.say(s.chance.pick(kHowManyHas));
}

/// Two sorts of packs: three steps before anything happens.
void two_packs(Story& s) {
  const Operand a{small_factor(s.chance)}, b{large_factor(s.chance, s.level)};
  const Operand c{small_factor(s.chance)}, d{large_factor(s.chance, s.level)};
  s.say("{name} brings {n} bags of {m} {items}.", a.value, b.value);
  s.say("{friend} brings {n} baskets of {m} {items}.", c.value, d.value);
  const Operand first = s.calculate(a, '*', b, "{name} brings {calc} {items}.");
  const Operand second = s.calculate(c, '*', d, "{friend} brings {calc} {items}.");
  pool(s, s.calculate(first, '+', second, "Together that makes {calc} {items}."));
}

/// A purchase of one or two sorts, and the change.
void shop(Story& s) {
  const Operand price{s.chance.between(2, 9)}, count{large_factor(s.chance, s.level)};
  s.say("Each {item} costs {n} dollars.", price.value);
  s.say("{name} buys {n} {items}.", count.value);
  Operand total = s.calculate(count, '*', price, "The {items} cost {calc} dollars.");
  if (s.missing() >= 2 && s.chance.percent(60)) {
    const Operand other_count{small_factor(s.chance)}, other_price{large_factor(s.chance, s.level)};
    s.say("{name} also buys {n} bags for {m} dollars each.", other_count.value, other_price.value);
    const Operand other = s.calculate(other_count, '*', other_price, "The bags cost {calc} dollars.");
    total = s.calculate(total, '+', other, "That is {calc} dollars in all.");
  }
  while (s.missing() > 1) {
    const Operand extra{random_term(s.chance, s.level)};
    s.say(s.chance.percent(50) ? "A lamp costs another {n} dollars." : "The wrapping costs {n} dollars more.",
          extra.value);
    total = s.calculate(total, '+', extra, "With that it is {calc} dollars.");
  }
  if (s.missing() == 0) return s.say("How many dollars does {name} pay?");
  const Operand paid{total.value + s.chance.between(1, 60)};
  s.say("{name} had {n} dollars.", paid.value);
  s.calculate(paid, '-', total, "{name} has {calc} dollars left.");
  s.say("How many dollars are left?");
}

/// Two people compared, then their sum, then things happen to it.
void comparison(Story& s) {
  const Operand own{random_term(s.chance, s.level)};
  s.say("{name} has {n} {items}.", own.value);
  Operand other;
  if (s.chance.percent(35)) {
    const Operand factor{s.chance.between(2, 4)};
    s.say("{friend} has {n} times as many as {name}.", factor.value);
    other = s.calculate(own, '*', factor, "{friend} has {calc} {items}.");
  } else if (s.chance.percent(50) || own.value < 6) {
    const Operand more{random_term(s.chance, s.level)};
    s.say("{friend} has {n} more than {name}.", more.value);
    other = s.calculate(own, '+', more, "{friend} has {calc} {items}.");
  } else {
    const Operand fewer{s.chance.between(2, own.value - 2)};
    s.say("{friend} has {n} fewer than {name}.", fewer.value);
    other = s.calculate(own, '-', fewer, "{friend} has {calc} {items}.");
  }
  if (s.missing() == 0) return s.say("How many {items} does {friend} have?");
  if (s.missing() == 1 && s.chance.percent(30)) {
    const Operand more{random_term(s.chance, s.level)};
    s.say("{third} has {n} more than {friend}.", more.value);
    s.calculate(other, '+', more, "{third} has {calc} {items}.");
    return s.say("How many {items} does {third} have?");
  }
  const Operand together = s.calculate(own, '+', other, "Together they have {calc} {items}.");
  pool(s, together);
}

/// So many a day, something extra, and what is left of a whole.
void days(Story& s) {
  const Operand pages{large_factor(s.chance, s.level)}, count{small_factor(s.chance)};
  s.say(s.chance.percent(50) ? "{name} reads {n} pages a day for {m} days."
                             : "For {m} days {name} reads {n} pages each day.",
        pages.value, count.value);
  Operand total = s.calculate(pages, '*', count, "{name} reads {calc} pages in these days.");
  while (s.missing() > 1) {
    const Operand extra{random_term(s.chance, s.level)};
    s.say(s.chance.percent(50) ? "On the next day {name} reads {n} pages." : "A rainy evening adds {n} pages.",
          extra.value);
    total = s.calculate(total, '+', extra, "That makes {calc} pages.");
  }
  if (s.missing() == 0) return s.say("How many pages does {name} read?");
  const Operand book{total.value + s.chance.between(2, 80)};
  s.say("The book has {n} pages.", book.value);
  s.calculate(book, '-', total, "{calc} pages are left.");
  s.say("How many pages are still to be read?");
}

}  // namespace

Problem word_problem(Chance& chance, int64_t level) {
  Story story(chance, level);
  const std::vector<void (*)(Story&)> short_stories = {collection, boxes, comparison, shop, days};
  const std::vector<void (*)(Story&)> long_stories = {collection, boxes, comparison, shop, days, two_packs};
  chance.pick(level >= 3 ? long_stories : short_stories)(story);
  return std::move(story.problem);
}

}  // namespace agro
