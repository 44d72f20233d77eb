#pragma once
// Where the responses come from: the behaviour distributions μ that the laboratory compares.
#include <array>
#include <string_view>

#include "lab/tabular.h"

namespace agro {

enum class Source {
  kPolicy,      // the policy of the moment
  kReference,   // π_ref
  kUniform,     // every response alike
  kMixture,     // ½ π_ref + ½ π_θ
  kReplay,      // the mean of the policies remembered so far
  kOtherModel,  // a random distribution that has nothing to do with the problem
};

inline constexpr std::array kSources = {Source::kPolicy,  Source::kReference, Source::kUniform,
                                        Source::kMixture, Source::kReplay,    Source::kOtherModel};

std::string_view name_of(Source source);

/// Does μ stay as it is while the policy moves?
constexpr bool is_fixed(Source source) {
  return source == Source::kReference || source == Source::kUniform || source == Source::kOtherModel;
}

/// μ(·|x) of one prompt, as a function of the current policy.
class Behavior {
 public:
  /// other_model: [Y] log-probabilities, read by kOtherModel only.
  Behavior(Source source, const TabularPrompt& prompt, const Vector& other_model);

  /// Puts a policy into the replay; before the first one the replay holds π_ref.
  void remember(const Vector& logprobs);

  /// [Y] μ, each above zero as long as no probability of the sources is.
  Vector probabilities(const Vector& policy_logprobs) const;

  Source source() const { return source_; }

  /// How much of μ is the policy itself.
  double policy_share() const { return source_ == Source::kPolicy ? 1 : source_ == Source::kMixture ? 0.5 : 0; }

 private:
  Source source_;
  Vector stored_;  // of the fixed sources, and the sum over the remembered policies
  double remembered_ = 0;
};

}  // namespace agro
