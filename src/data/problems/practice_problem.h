#pragma once
// A practice problem of any kind, ready to be written down.
#include <optional>
#include <string>

#include "data/problems/problem.h"

namespace agro {

struct PracticeProblem {
  std::string kind;
  int64_t level = 1;
  std::string question, answer;
  std::string key;               // what is asked, without its clothes: decides about the split
  std::string working;           // ends in "\n#### " and the answer (of countdown: the expression)
  std::optional<Problem> chain;  // arithmetic and word: the calculation, from which the working is written in a style
};

}  // namespace agro
