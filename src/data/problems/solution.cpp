#include "data/problems/solution.h"

#include <algorithm>

#include "core/error.h"
#include "core/words.h"

namespace agro {
namespace {

std::string calculation(const Step& step) {
  return fmt::format("{} {} {} = {}", step.left.value, step.op, step.right.value, step.result);
}

/// "47 + 38 = 70 + 15 = 85", "52 - 17 = 42 - 7 = 35", "6 * 14 = 60 + 24 = 84"; plain where there is nothing to take
/// apart.
std::string by_digits(const Step& step) {
  const int64_t left = step.left.value, right = step.right.value;
  const int64_t left_ones = left % 10, right_ones = right % 10;
  const auto through = [&](int64_t a, char op, int64_t b) {
    return fmt::format("{} {} {} = {} {} {} = {}", left, step.op, right, a, op, b, step.result);
  };
  if (step.op == '+' && left > 9 && right > 9 && left_ones > 0 && right_ones > 0)
    return through(left - left_ones + right - right_ones, '+', left_ones + right_ones);
  if (step.op == '-' && right > 9 && right_ones > 0) return through(left - (right - right_ones), '-', right_ones);
  if (step.op == '*' && right < 10 && left > 10 && left_ones > 0)
    return through((left - left_ones) * right, '+', left_ones * right);
  if (step.op == '*' && left < 10 && right > 10 && right_ones > 0)
    return through(left * (right - right_ones), '+', left * right_ones);
  return calculation(step);
}

std::string in_a_sentence(const Step& step) {
  constexpr std::string_view kPlace = "{calc}";
  std::string text = step.told;
  return text.replace(text.find(kPlace), kPlace.size(), calculation(step));
}

std::string working(const Problem& problem, SolutionStyle style) {
  if (style == SolutionStyle::kTerse) return fmt::format("{} = {}", expression(problem), problem.answer());
  std::string text;
  for (const Step& step : problem.steps) {
    if (!text.empty()) text += style == SolutionStyle::kSentences ? " " : "\n";
    text += style == SolutionStyle::kSteps    ? calculation(step)
            : style == SolutionStyle::kDigits ? by_digits(step)
                                              : in_a_sentence(step);
  }
  return text;
}

}  // namespace

std::string_view name_of(SolutionStyle style) {
  switch (style) {
    case SolutionStyle::kTerse:
      return "terse";
    case SolutionStyle::kSteps:
      return "steps";
    case SolutionStyle::kSentences:
      return "sentences";
    case SolutionStyle::kDigits:
      break;
  }
  return "digits";
}

SolutionStyle solution_style_named(std::string_view name) {
  std::vector<std::string> names;
  for (const SolutionStyle style : kSolutionStyles) {
    if (name_of(style) == name) return style;
    names.emplace_back(name_of(style));
  }
  throw fail("unknown style of working '{}': expected one of {}", name, fmt::join(names, ", "))
      .hint(fmt::format("did you mean '{}'?", nearest_word(std::string(name), names)));
}

std::string solution(const Problem& problem, SolutionStyle style) {
  return fmt::format("{}\n#### {}", working(problem, style), problem.answer());
}

}  // namespace agro
