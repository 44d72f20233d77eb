#pragma once
// Written working for a problem, in the manners of several writers.
#include <array>
#include <string>
#include <string_view>

#include "data/problems/problem.h"

namespace agro {

enum class SolutionStyle {
  kTerse,      // the whole calculation at once
  kSteps,      // one calculation on each line
  kSentences,  // each calculation in a sentence
  kDigits      // one on each line, larger ones taken apart by place value
};

inline constexpr std::array kSolutionStyles = {SolutionStyle::kTerse, SolutionStyle::kSteps, SolutionStyle::kSentences,
                                               SolutionStyle::kDigits};

std::string_view name_of(SolutionStyle style);

/// Throws Error naming the nearest style.
SolutionStyle solution_style_named(std::string_view name);

/// The working, ending in "\n#### answer" (GSM8K's form).
std::string solution(const Problem& problem, SolutionStyle style);

}  // namespace agro
