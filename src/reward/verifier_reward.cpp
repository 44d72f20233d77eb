#include "reward/verifier_reward.h"

#include "core/error.h"
#include "reward/excerpt.h"

namespace agro {

VerifierReward::VerifierReward(std::string name, Verifier verifier, const VerifyOptions& options)
    : name_(std::move(name)), verifier_(verifier), options_(options) {}

std::vector<double> VerifierReward::score(std::span<const RewardQuery> queries) {
  std::vector<double> rewards;
  rewards.reserve(queries.size());
  for (const RewardQuery& query : queries) {
    const auto place = [&] { return fmt::format("reward '{}': {}", name_, describe(query)); };
    if (!query.answer)
      throw fail("has no answer")
          .at(place())
          .hint("give every prompt an \"answer\", or use a reward of kind \"command\"");
    const Verdict verdict = verifier_(*query.answer, query.completion, options_);
    if (!verdict.equal && !verdict.undecided)
      throw fail("answer \"{}\" cannot be used: {}", excerpt(*query.answer), verdict.why).at(place());
    rewards.push_back(verdict.equal == true ? 1.0 : 0.0);
  }
  return rewards;
}

}  // namespace agro
