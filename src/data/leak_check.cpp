#include "data/leak_check.h"

#include <fmt/ranges.h>

#include <unordered_set>

#include "core/stable_hash.h"
#include "text/unicode.h"

namespace agro {
namespace {

uint64_t question_hash(const PromptRecord& prompt) {
  if (prompt.question.empty()) return stable_hash(prompt_identity(prompt));
  return stable_hash("question:" + normalized_question(prompt.question));
}

}  // namespace

std::string normalized_question(std::string_view question) {
  const std::string text = normalize(to_valid_utf8(question), NormalForm::kNfkc);
  std::string plain;
  bool space = false;
  for (std::string_view rest = text; !rest.empty();) {
    const Utf8Step step = first_code_point(rest);
    const std::string_view bytes = rest.substr(0, step.length);
    rest.remove_prefix(step.length);
    if (is_white_space(step.code)) {
      space = true;
      continue;
    }
    if (space && !plain.empty()) plain += ' ';
    space = false;
    if (step.code >= 'A' && step.code <= 'Z')
      plain += static_cast<char>(step.code + 32);
    else
      plain += bytes;
  }
  constexpr std::string_view kAtEnds = ".,;:!? ";
  const size_t begin = plain.find_first_not_of(kAtEnds);
  if (begin == std::string::npos) return plain;
  return plain.substr(begin, plain.find_last_not_of(kAtEnds) - begin + 1);
}

PromptLeak find_leaks(std::span<const PromptRecord> training, std::span<const PromptRecord> evaluation) {
  std::unordered_set<uint64_t> trained;
  for (const PromptRecord& prompt : training) trained.insert(question_hash(prompt));
  PromptLeak leak;
  for (const PromptRecord& prompt : evaluation) {
    if (!trained.contains(question_hash(prompt))) continue;
    ++leak.count;
    if (leak.examples.size() < 3) leak.examples.push_back(prompt.id);
  }
  return leak;
}

std::string describe_leaks(const PromptLeak& leak, size_t evaluation_prompts) {
  if (leak.count == 0) return {};
  return fmt::format(
      "{} of {} evaluation prompts are training prompts, too ({}{}): their accuracy says nothing about new problems",
      leak.count, evaluation_prompts, fmt::join(leak.examples, ", "), leak.count > leak.examples.size() ? ", …" : "");
}

}  // namespace agro
