#pragma once
// Where the answer stands in a response.
#include <string>
#include <string_view>
#include <vector>

namespace agro {

/// A piece of text that may be the answer, and what marks it.
struct Candidate {
  std::string text;
  std::string_view place;
  bool prose = false;  // running text, to be compared as words
};

enum class Extraction {
  kMarked,      // \boxed, <answer>, ####, "the answer is"; else the whole text
  kAnywhere,    // then also the last formula, a choice (A) to (J), the last number
  kMathVerify,  // the order of Math-Verify: "final answer is ... I hope", \boxed, "answer ...", formula, number
};

/// The candidates of `text` (as to_ascii_math gives it), best first. Linear in the input.
std::vector<Candidate> find_answers(std::string_view text, Extraction extraction);

/// What the last \boxed{...} holds; of several boxes with nothing but "and", "or" or "," and `loose_gap` further
/// characters between them all, joined by commas. Braces may be nested; a missing one ends with the line.
std::string boxed_answer(std::string_view text, size_t loose_gap);

}  // namespace agro
