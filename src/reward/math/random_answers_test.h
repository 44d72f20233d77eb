#pragma once
// Random answers for property tests: formulas, sets, relations, words, written the way models write them.
#include <array>
#include <string>
#include <string_view>

#include "core/rng.h"

namespace agro {

class RandomAnswers {
 public:
  explicit RandomAnswers(uint64_t seed) : seed_(seed) {}

  uint64_t below(uint64_t bound) {
    return uniform_below({.seed = seed_, .stream = Stream::kTest, .ordinal = count_++}, bound);
  }

  std::string answer() {
    switch (below(12)) {
      case 0:
        return "(" + formula(1) + ", " + formula(1) + (below(2) == 0 ? ")" : "]");
      case 1:
        return "\\{" + number() + ", " + number() + ", " + formula(1) + "\\}";
      case 2:
        return formula(1) + ", " + formula(1);
      case 3:
        return "x = " + formula(1);
      case 4:
        return formula(1) + (below(2) == 0 ? " < " : " \\ge ") + formula(1);
      case 5:
        return "(-\\infty, " + number() + ") \\cup [" + number() + ", \\infty)";
      case 6:
        return "\\begin{pmatrix}" + number() + " & " + formula(1) + " \\\\ " + number() + " & " + number() +
               "\\end{pmatrix}";
      case 7:
        return number() +
               pick({"\\%", "^\\circ", " \\text{ cm}", " hours", " km/h", " red apples", " million", " in", "€"});
      case 8:
        return pick({"\\text{Monday}", "\\text{yes}", "no", "(C)", "Even", "odd", "no solution", "July 4", "3:30 PM",
                     "\\$5", "2020-05-17", "tea"});
      case 9:
        return number() + " \\pm " + formula(1);
      default:
        return formula(3);
    }
  }

  std::string formula(int depth) {
    if (depth == 0) return below(2) == 0 ? number() : pick({"x", "y", "\\pi", "n", "e", "i"});
    const auto inner = [&] { return formula(depth - 1); };
    switch (below(10)) {
      case 0:
        return "\\frac{" + inner() + "}{" + inner() + "}";
      case 1:
        return "\\sqrt{" + inner() + "}";
      case 2:
        return "(" + inner() + ")^{" + std::to_string(below(5)) + "}";
      case 3: {
        const std::string open = pick({"\\sin(", "\\cos(", "\\ln(", "f(", "|"});
        return open + inner() + (open == "|" ? "|" : ")");
      }
      case 4:
      case 5:
        return "(" + inner() + ")(" + inner() + ")";
      case 6:
        return "(" + inner() + ") / (" + inner() + ")";
      default:
        return inner() + (below(2) == 0 ? " + " : " - ") + "(" + inner() + ")";
    }
  }

  std::string number() {
    std::string whole = std::to_string(below(20));
    switch (below(6)) {
      case 0:
        return "-" + whole;
      case 1:
        return whole + "." + std::to_string(below(100));
      case 2:
        return "\\frac{" + whole + "}{" + std::to_string(1 + below(12)) + "}";
      case 3:
        return "1," + std::to_string(100 + below(900));
      default:
        return whole;
    }
  }

  template <size_t n>
  std::string pick(const char* const (&choices)[n]) {
    return choices[below(n)];
  }

 private:
  uint64_t seed_;
  uint64_t count_ = 0;
};

/// `text` in another spelling of the same answer.
inline std::string respelled(std::string text) {
  constexpr std::array<std::pair<std::string_view, std::string_view>, 5> kSpellings = {
      {{"\\frac", "\\dfrac"}, {"\\ge", "\\geq"}, {"(", "\\left("}, {")", "\\right)"}, {" + ", "+"}}};
  for (const auto& [from, to] : kSpellings)
    for (size_t at = text.find(from); at != std::string::npos; at = text.find(from, at + to.size()))
      text.replace(at, from.size(), to);
  return text;
}

}  // namespace agro
