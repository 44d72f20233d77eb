#pragma once
// V*(x) of a run's prompts, estimated from the reference's own responses (A2), for objectives that regress onto it.
#include <unordered_map>

#include "train/response_sampler.h"
#include "train/rollout.h"

namespace agro {

class OptimalValues {
 public:
  /// From `samples` responses of the reference to each prompt. A2 is an expectation under the reference itself, so
  /// `sampler` should not filter. `reference` must outlive the object.
  OptimalValues(const CausalLm& reference, ResponseSampler sampler, double beta, int64_t samples);

  /// One value for each group of the rollout: [G] float64, units of reward. A prompt's responses are drawn when it
  /// first comes up, and are the same in a resumed run. Truncated ones count with the reward they get.
  Tensor of(const Rollout& rollout);

 private:
  void estimate(const std::vector<DrawRequest>& missing);

  const CausalLm& reference_;
  ResponseSampler sampler_;
  double beta_;
  int64_t samples_;
  std::unordered_map<size_t, double> by_prompt_;
};

}  // namespace agro
