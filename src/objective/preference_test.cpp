// DPO, IPO and KTO: learning from better and worse instead of from rewards.
#include <cmath>

#include "objective/dpo.h"
#include "objective/group.h"
#include "objective/ipo.h"
#include "objective/kto.h"
#include "objective/pairs.h"
#include "objective/test_support.h"

namespace agro {
namespace {

using namespace testing;

/// The golden file's rows: chosen and rejected response of pair 0, of pair 1, …; every pair is a prompt.
ObjectiveInput paired_input(const Json& inputs) {
  Json complete = inputs;
  complete["n"] = 2;
  complete["old_logp"] = inputs["logp"];
  complete["rewards"] = std::vector<double>(inputs["mask"].size(), 0);
  ObjectiveInput input = golden_input(complete);
  std::vector<int64_t> rows(inputs["mask"].size());
  for (size_t i = 0; i < rows.size(); ++i) rows[i] = static_cast<int64_t>(i);
  input.pairs = integers(rows).reshape({-1, 2});
  return input;
}

TEST(Preferences, MatchTheGoldenCases) {
  for (const Json& item : golden_cases("dpo_ipo")) {
    const ObjectiveInput input = paired_input(item["inputs"]);
    const Json &params = item["params"], &outputs = item["outputs"];
    const double beta = params["beta"], tau = params["tau_ipo"], smoothing = params["label_smoothing"];
    std::vector<std::pair<std::string, std::unique_ptr<Objective>>> objectives;
    objectives.emplace_back("dpo", make_dpo({.beta = beta}));
    objectives.emplace_back("cdpo", make_dpo({.beta = beta, .label_smoothing = smoothing}));
    objectives.emplace_back("ipo_sum", make_ipo({.beta = tau}));
    objectives.emplace_back("ipo_mean", make_ipo({.beta = tau, .length_normalize = true}));
    for (const auto& [name, objective] : objectives) {
      const auto result = evaluate_with_gradient(*objective, input);
      EXPECT_NEAR(result.loss, outputs[name]["loss"].get<double>(), 1e-10) << name;
      EXPECT_LT(largest_difference(result.logprobs, packed(outputs[name]["grad_logp"], item["inputs"]["mask"])), 1e-10)
          << name;
      for (const auto& [key, peer] : item["trl"].items())
        if (key.substr(key.find(':') + 1) == name) {
          EXPECT_NEAR(result.loss, peer["loss"].get<double>(), 1e-10) << key;
        }
    }
    const Metrics metrics = objectives[0].second->evaluate(input).metrics;
    EXPECT_NEAR(metric(metrics, "pair_accuracy"), outputs["implicit_rewards"]["accuracy"].get<double>(), 1e-12);
    EXPECT_NEAR(metric(metrics, "pair_margin"), outputs["implicit_rewards"]["margin"].get<double>(), 1e-10);
  }
}

TEST(Pairs, BestAgainstWorstOfEveryPrompt) {
  ObjectiveInput input = random_batch(131, {3, 2, 4});
  input.group = integers({0, 0, 0, 1, 1, 2, 2, 2, 2});
  input.rewards = doubles({0.5, -1.0, 2.0, 3.0, 3.0, 1.0, 0.0, 1.0, 0.0});
  const at::Tensor pairs = pairs_of(input, Pairing::kBestWorst);
  EXPECT_TRUE(pairs.equal(integers({2, 1, 5, 6, 5, 8, 7, 6, 7, 8}).reshape({5, 2})));
  // A prompt counts once, whatever the number of its pairs; the one of equal rewards does not.
  EXPECT_NEAR(mean_over_pairs(doubles({10.0, 1.0, 2.0, 3.0, 4.0}), pairs, input).item<double>(), 6.25, 1e-15);
  EXPECT_TRUE(all_pairs(integers({0, 1, 0, 0})).equal(integers({0, 2, 0, 3, 2, 3}).reshape({3, 2})));
}

TEST(Pairs, OfEqualRewardsGiveNoLossAndNoGradient) {
  ObjectiveInput input = random_batch(132, {3, 2});
  input.rewards.fill_(1.0);
  for (const auto& objective :
       {make_dpo({.pairing = Pairing::kBestWorst}), make_ipo({.pairing = Pairing::kBestWorst})}) {
    const auto result = evaluate_with_gradient(*objective, input);
    EXPECT_EQ(result.loss, 0);
    EXPECT_EQ(result.logprobs.abs().max().item<double>(), 0);
    EXPECT_EQ(metric(result.metrics, "pairs"), 0);
    EXPECT_EQ(metric(result.metrics, "pair_accuracy"), 0);
  }
}

TEST(Preferences, NeedPairsOrRewardsToFormThem) {
  const ObjectiveInput input = random_batch(133, {3, 2});
  for (const auto& objective : {make_dpo({}), make_ipo({})})
    EXPECT_NE(message_of([&] { objective->evaluate(input); }).find("needs pairs"), std::string::npos);
  EXPECT_EQ(metric(make_dpo({.pairing = Pairing::kBestWorst})->evaluate(input).metrics, "pairs"), 2);
}

TEST(Preferences, AgreeWithCentralDifferences) {
  const ObjectiveInput input = complete_batch(134, {3, 2, 4});
  EXPECT_LT(central_difference_gap(*make_dpo({.beta = 0.7}), input), 1e-9);
  EXPECT_LT(central_difference_gap(*make_dpo({.beta = 0.7, .label_smoothing = 0.2}), input), 1e-9);
  EXPECT_LT(central_difference_gap(*make_dpo({.beta = 0.7, .pairing = Pairing::kBestWorst}), input), 1e-9);
  EXPECT_LT(central_difference_gap(*make_ipo({.beta = 0.7}), input), 1e-8);
  EXPECT_LT(central_difference_gap(*make_ipo({.beta = 0.7, .length_normalize = true}), input), 1e-8);
  EXPECT_LT(central_difference_gap(*make_kto({.beta = 0.7, .reference_point = ReferencePoint::kZero}), input), 1e-9);
}

TEST(Dpo, OfAHugeMarginIsFinite) {
  ObjectiveInput input = complete_batch(135, {2});
  input.logprobs[0] = -1e5;
  const auto result = evaluate_with_gradient(*make_dpo({}), input);
  EXPECT_TRUE(std::isfinite(result.loss));
  EXPECT_TRUE(result.logprobs.isfinite().all().item<bool>());
}

TEST(Kto, IsThePapersValueFunction) {
  ObjectiveInput input = random_batch(136, {3, 1, 2});
  input.rewards = doubles({1.0, 0.0, 1.0, 0.0, 0.0, 1.0});
  const KtoOptions options{.beta = 0.4, .desirable_weight = 1.2, .undesirable_weight = 0.7};
  const auto result = evaluate_with_gradient(*make_kto(options), input);
  const Groups groups(input.group, at::kDouble, 1);
  const at::Tensor ratio = log_ratio(input);
  const double point = std::max(0.0, groups.batch_mean(ratio).item<double>());
  EXPECT_NEAR(metric(result.metrics, "reference_point"), point, 1e-15);
  double loss = 0;
  for (int64_t i = 0; i < 6; ++i) {
    const double gain = 0.4 * (ratio[i].item<double>() - point);
    const double value =
        input.rewards[i].item<double>() == 1 ? 1.2 / (1 + std::exp(gain)) : 0.7 / (1 + std::exp(-gain));
    loss += value / groups.size()[input.group[i].item<int64_t>()].item<double>() / 3;
  }
  EXPECT_NEAR(result.loss, loss, 1e-14);
}

TEST(Kto, HoldsTheReferencePointFixed) {
  ObjectiveInput input = random_batch(137, {2, 2});
  input.ref_logprobs = input.logprobs - 0.5;  // the mean log-ratio is positive
  input.rewards = doubles({1.0, 0.0, 0.0, 1.0});
  const auto result = evaluate_with_gradient(*make_kto({.beta = 0.4}), input);
  const double point = metric(result.metrics, "reference_point");
  ASSERT_GT(point, 0);
  const at::Tensor sigmoid = (0.4 * (log_ratio(input) - point)).sigmoid();
  const at::Tensor expected = (1 - 2 * input.rewards) * 0.4 * sigmoid * (1 - sigmoid) / 4;
  EXPECT_LT(largest_difference(result.logprobs, expected.index_select(0, input.row)), 1e-15);
}

TEST(Preferences, RefuseBadOptions) {
  EXPECT_NE(message_of([] { make_dpo({.label_smoothing = 0.5}); }).find("[0, 0.5)"), std::string::npos);
  EXPECT_NE(message_of([] { make_ipo({.beta = 0}); }).find("beta must be above 0"), std::string::npos);
  EXPECT_NE(message_of([] { make_kto({.undesirable_weight = -1}); }).find("undesirable_weight"), std::string::npos);
}

}  // namespace
}  // namespace agro
