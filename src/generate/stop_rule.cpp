#include "generate/stop_rule.h"

#include <algorithm>

#include "core/error.h"

namespace agro {

StopRule::StopRule(const SamplingConfig& sampling, const TokenIds& end_ids, const Tokenizer* tokenizer)
    : strings_(sampling.stop_strings), tokenizer_(tokenizer) {
  if (!sampling.ignore_eos) ids_.insert(end_ids.begin(), end_ids.end());
  ids_.insert(sampling.stop_ids.begin(), sampling.stop_ids.end());
  length_is_the_end_ = !sampling.ignore_eos && ids_.empty() && strings_.empty();
  if (!strings_.empty() && tokenizer == nullptr)
    throw Error("stop strings need a tokenizer, and the model folder has none").hint("use stop_ids");
  for (const std::string& s : strings_) {
    if (s.empty()) throw Error("a stop string is empty");
    tail_tokens_ = std::max(tail_tokens_, s.size() + 4);
  }
}

bool StopRule::ends(const TokenIds& ids) const {
  if (ids.empty()) return false;
  if (ids_.contains(ids.back())) return true;
  if (strings_.empty()) return false;
  const size_t count = std::min(ids.size(), tail_tokens_);
  const std::string tail = tokenizer_->decode(std::span(ids).last(count));
  return std::any_of(strings_.begin(), strings_.end(),
                     [&](const std::string& s) { return tail.find(s) != std::string::npos; });
}

}  // namespace agro
