#include "lab/behavior.h"

namespace agro {

std::string_view name_of(Source source) {
  switch (source) {
    case Source::kPolicy:
      return "policy";
    case Source::kReference:
      return "reference";
    case Source::kUniform:
      return "uniform";
    case Source::kMixture:
      return "mixture";
    case Source::kReplay:
      return "replay";
    case Source::kOtherModel:
      return "other model";
  }
  return "";
}

Behavior::Behavior(Source source, const TabularPrompt& prompt, const Vector& other_model)
    : source_(source), stored_(agro::probabilities(prompt.ref_logprobs)) {
  if (source == Source::kUniform) stored_.assign(stored_.size(), 1 / static_cast<double>(stored_.size()));
  if (source == Source::kOtherModel) stored_ = agro::probabilities(other_model);
}

void Behavior::remember(const Vector& logprobs) {
  if (source_ != Source::kReplay) return;
  const Vector policy = agro::probabilities(logprobs);
  for (size_t y = 0; y < policy.size(); ++y) stored_[y] = (remembered_ > 0 ? stored_[y] : 0) + policy[y];
  ++remembered_;
}

Vector Behavior::probabilities(const Vector& policy_logprobs) const {
  const Vector policy = agro::probabilities(policy_logprobs);
  if (source_ == Source::kPolicy) return policy;
  Vector result = stored_;
  for (size_t y = 0; y < result.size(); ++y) {
    if (source_ == Source::kMixture) result[y] = (stored_[y] + policy[y]) / 2;
    if (remembered_ > 0) result[y] /= remembered_;
  }
  return result;
}

}  // namespace agro
