#pragma once
// Any verifier as a reward: 1 where the completion agrees with the answer, else 0.
#include <string>

#include "reward/reward.h"
#include "reward/verify.h"

namespace agro {

class VerifierReward final : public Reward {
 public:
  VerifierReward(std::string name, Verifier verifier, const VerifyOptions& options);
  std::string_view name() const override { return name_; }
  std::vector<double> score(std::span<const RewardQuery> queries) override;

 private:
  std::string name_;
  Verifier verifier_;
  VerifyOptions options_;
};

}  // namespace agro
