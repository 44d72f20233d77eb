#include "data/prompt_lengths.h"

#include <algorithm>

#include "core/error.h"
#include "core/log.h"

namespace agro {
namespace {

constexpr std::string_view kHint = "shorten them, or use a model with a longer context";

}  // namespace

bool PromptLengths::fits(const TokenIds& prompt) {
  const auto length = static_cast<int64_t>(prompt.size());
  ++prompts_;
  longest_ = std::max(longest_, length);
  if (length <= positions_) return true;
  ++too_long_;
  return false;
}

std::string PromptLengths::describe(std::string_view outcome) const {
  if (too_long_ == 0) return {};
  return fmt::format(
      "{} of {} prompts of {} {} {}: longer than the model's {} positions (the longest has {} tokens); {}", too_long_,
      prompts_, file_, too_long_ == 1 ? "is" : "are", outcome, positions_, longest_, kHint);
}

void PromptLengths::require_one_that_fits() const {
  if (too_long_ == 0 || too_long_ < prompts_) return;
  throw fail("no prompt fits into the model's {} positions: found {}, the longest has {} tokens", positions_, prompts_,
             longest_)
      .at(file_)
      .hint(kHint);
}

void PromptLengths::report(std::string_view outcome) const {
  require_one_that_fits();
  if (too_long_ > 0) log_warning("data", "{}", describe(outcome));
}

}  // namespace agro
