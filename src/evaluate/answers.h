#pragma once
// What a response looks like: which answer stands in it, and whether it is marked as asked for.
#include <string>
#include <string_view>

namespace agro {

struct AnswerFacts {
  std::string answer;   // as it is written; empty: the response holds nothing that could be one
  bool boxed = false;   // it has a \boxed{…} with something in it
  bool marked = false;  // the answer stands in a \boxed{…}, after ####, or after "the answer is"
};

/// Finds the answer as the verifier "lenient" does: marked, else the last formula, choice or number. Linear in the
/// response's length.
AnswerFacts answer_facts(std::string_view response);

}  // namespace agro
