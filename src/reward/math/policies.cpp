#include "reward/math/policies.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <optional>

#include "core/ascii.h"
#include "reward/excerpt.h"
#include "reward/math/choice.h"
#include "reward/math/comparison.h"
#include "reward/math/extract.h"
#include "reward/math/parser.h"
#include "reward/math/phrases.h"
#include "reward/math/unicode_math.h"
#include "reward/number.h"

namespace agro {
namespace {

/// An answer that was found and read.
struct Reading {
  Candidate candidate;
  Expr expr;
  bool is_formula = true;
};

/// "12", "-3.50", "$1,000": nothing but one number.
std::optional<Decimal> plain_number(std::string_view text) {
  if (text.empty() || text.size() > 40 || text.find_first_not_of("0123456789.,-$ ") != std::string_view::npos)
    return {};
  const std::optional<FoundNumber> number = first_number(text, Commas::kThousands);
  if (!number || text.find_first_not_of(' ') != number->begin) return {};
  return text.find_first_not_of(' ', number->end) == std::string_view::npos ? std::optional(number->value)
                                                                            : std::nullopt;
}

/// "1,22" for 1.22, where Math-Verify reads a number outside of a formula.
std::string with_decimal_point(const std::string& text) {
  const size_t comma = text.find(',');
  const bool decimal = comma != std::string::npos && comma > 0 && text.find(',', comma + 1) == std::string::npos &&
                       text.find_first_not_of("0123456789,-") == std::string::npos && text.size() - comma - 1 != 3 &&
                       comma + 1 < text.size();
  return decimal ? text.substr(0, comma) + "." + text.substr(comma + 1) : text;
}

/// Without "\text{Domain: }", "about" and the like before a formula.
std::string_view without_label(std::string_view text) {
  text = trimmed(text);
  if (text.starts_with("\\text{")) {
    const size_t end = text.find('}');
    const std::string_view label = end == std::string_view::npos ? "" : trimmed(text.substr(6, end - 6));
    const std::string_view rest = end == std::string_view::npos ? "" : trimmed(text.substr(end + 1));
    const bool names = label.ends_with(':') || label.ends_with(" is") || label.ends_with(" are");
    if (names && !rest.empty()) text = rest;
  }
  for (const std::string_view word : {"about ", "approximately ", "roughly "})
    if (text.starts_with(word) && text.size() > word.size() && is_digit(text[word.size()]))
      text.remove_prefix(word.size());
  return text;
}

/// The first candidate that is a formula; words where none is.
std::optional<Reading> read(std::string_view text, Extraction extraction) {
  Budget budget(Budget::kReading);
  std::vector<Candidate> candidates = find_answers(text, extraction);
  if (candidates.empty()) return {};
  std::optional<Reading> words;
  for (Candidate& candidate : candidates) {
    candidate.text = std::string(without_label(candidate.text));
    if (auto phrase = read_phrase(candidate.text)) return Reading{std::move(candidate), std::move(*phrase)};
    if (!candidate.prose) {
      try {
        const bool decimal_comma = extraction == Extraction::kMathVerify && text.find('$') == std::string_view::npos;
        Expr expr = parse_math(decimal_comma ? with_decimal_point(candidate.text) : candidate.text, budget);
        return Reading{std::move(candidate), std::move(expr)};
      } catch (const Undecided&) {
        // The next place may hold something that can be read.
      }
    }
    if (!words) words = Reading{candidate, node(Kind::kText, {}, candidate.text), candidate.prose};
  }
  return words;
}

bool is_choice(const Reading& reading) {
  const Expr& expr = reading.expr;
  return expr.is(Kind::kSymbol) && expr.name.size() == 1 && expr.name[0] >= 'A' && expr.name[0] <= 'J';
}

/// Where one answer is a letter (A) to (J), the other text's choice is what counts: "(C) 12" is C.
void prefer_choice(std::optional<Reading>& reading, std::string_view text, const Reading& other) {
  if (!is_choice(other) || is_choice(*reading)) return;
  for (const std::string_view source : {std::string_view(reading->candidate.text), text}) {
    const std::string letter = choice_in(source);
    if (letter.empty()) continue;
    reading = Reading{{letter, "the choice"}, node(Kind::kSymbol, {}, letter)};
    return;
  }
}

/// Words that answers are made of and that no formula means by their letters: "no" is not n·o.
bool is_answer_word(std::string_view text) {
  static constexpr std::array<std::string_view, 12> kWords{"yes", "no",   "true",    "false", "none",   "even",
                                                           "odd", "both", "neither", "never", "always", "undefined"};
  return std::ranges::any_of(kWords, [&](std::string_view word) { return equals_ignoring_case(word, text); });
}

/// The verdict on two plain words of which one is such an answer; none for any other texts.
std::optional<bool> same_word(std::string_view a, std::string_view b, bool same_case) {
  const auto plain = [](std::string_view text) { return !text.empty() && std::ranges::all_of(text, is_letter); };
  if (!plain(a) || !plain(b) || !(is_answer_word(a) || is_answer_word(b))) return std::nullopt;
  return same_case ? a == b : equals_ignoring_case(a, b);
}

Verdict undecided(std::string why) { return {std::nullopt, std::move(why), true}; }

Verdict compare(std::string_view gold, std::string_view pred, Extraction extraction, const Rules& rules) {
  std::optional<Reading> expected = read(gold, extraction);
  if (!expected) return {std::nullopt, "the gold text holds no answer"};
  std::optional<Reading> found = read(pred, extraction);
  if (!found) return {false, "the prediction holds no answer"};
  if (extraction != Extraction::kMarked) {
    prefer_choice(found, pred, *expected);
    prefer_choice(expected, gold, *found);
  }
  if (trimmed(expected->candidate.text) == trimmed(found->candidate.text))
    return {true, "the answers are written alike"};
  if (are_words_or_products(trimmed(expected->candidate.text), trimmed(found->candidate.text)))
    return undecided("whether the answers are words or products of their letters");
  Verdict verdict;
  Budget budget;
  try {
    const auto word = same_word(trimmed(expected->candidate.text), trimmed(found->candidate.text), rules.same_case);
    if (word)
      verdict = {*word, *word ? "the words are the same" : "these are different words"};
    else
      verdict = Comparison(rules, budget).compare(expected->expr, found->expr);
  } catch (const Undecided& problem) {
    verdict = {std::nullopt, problem.what()};
  }
  if (verdict.equal != true && !(expected->is_formula && found->is_formula)) {
    const Reading& unreadable = expected->is_formula ? *found : *expected;
    return undecided(fmt::format("\"{}\" cannot be read as a formula", excerpt(unreadable.candidate.text)));
  }
  verdict.why = fmt::format("expected {}, found {} ({}): {}", excerpt(expected->candidate.text),
                            excerpt(found->candidate.text), found->candidate.place, verdict.why);
  verdict.undecided = !verdict.equal;
  return verdict;
}

Verdict verify_with(std::string_view gold, std::string_view pred, Extraction extraction, const Rules& rules) {
  gold = trimmed(gold);
  pred = trimmed(pred);
  if (gold.empty()) return {std::nullopt, "the gold answer is empty"};
  if (gold == pred) return {true, "the texts are equal"};
  if (const auto expected = plain_number(gold)) {
    const auto found = plain_number(pred);
    if (found && *expected == *found) return {true, "both are " + expected->to_string()};
  }
  return compare(to_ascii_math(gold), to_ascii_math(pred), extraction, rules);
}

}  // namespace

Verdict verify_strict(std::string_view gold, std::string_view pred, const VerifyOptions& options) {
  Rules rules;
  rules.tolerance = options.tolerance;
  rules.relative_tolerance = options.relative_tolerance;
  return verify_with(gold, pred, Extraction::kMarked, rules);
}

Verdict verify_lenient(std::string_view gold, std::string_view pred, const VerifyOptions& options) {
  Rules rules{.other_forms = true,
              .ordered_lists = false,
              .percent_is_number = true,
              .agreement_counts = true,
              .same_case = false,
              .units = Rules::Units::kMayBeMissing,
              .rounding = Rules::Rounding::kCorrect};
  rules.tolerance = options.tolerance;
  rules.relative_tolerance = options.relative_tolerance;
  return verify_with(gold, pred, Extraction::kAnywhere, rules);
}

Verdict verify_math_verify(std::string_view gold, std::string_view pred, const VerifyOptions& options) {
  Rules rules{.other_forms = true,
              .ordered_lists = false,
              .sets_are_tuples = true,
              .percent_is_number = true,
              .agreement_counts = true,
              .same_case = false,
              .units = Rules::Units::kIgnored,
              .rounding = Rules::Rounding::kSixDecimals};
  rules.tolerance = options.tolerance;
  rules.relative_tolerance = options.relative_tolerance;
  Verdict verdict = verify_with(gold, pred, Extraction::kMathVerify, rules);
  if (!verdict.equal && verdict.undecided) return {false, verdict.why + "; not shown to be equal, so different"};
  return verdict;
}

}  // namespace agro
