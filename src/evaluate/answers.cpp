#include "evaluate/answers.h"

#include "reward/math/extract.h"
#include "reward/math/unicode_math.h"

namespace agro {

AnswerFacts answer_facts(std::string_view response) {
  const std::string text = to_ascii_math(response);
  AnswerFacts facts;
  facts.boxed = !boxed_answer(text, 0).empty();
  const std::vector<Candidate> marked = find_answers(text, Extraction::kMarked);
  facts.marked = !marked.empty() && marked.front().place != "the whole text";
  for (Candidate& candidate : find_answers(text, Extraction::kAnywhere)) {
    if (candidate.prose) continue;
    facts.answer = std::move(candidate.text);
    break;
  }
  return facts;
}

}  // namespace agro
