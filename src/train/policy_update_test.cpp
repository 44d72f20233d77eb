// From groups to parameter gradients: what the cut into micro-batches, the order and the source of responses may change
// (nothing), and what the loss is (spec A6).
#include "train/policy_update.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "data/test_support.h"
#include "model/model_folder.h"
#include "objective/registry.h"

namespace agro {
namespace {

using testing::HasSubstr;

/// A copy of the model with normal noise on every weight.
CausalLm perturbed(const ModelFolder& folder, double scale) {
  CausalLm model = folder.load(WeightDtype::kFloat32);
  torch::manual_seed(1);
  for (const NamedTensor& p : model.parameters()) p.tensor.add_(scale * torch::randn_like(p.tensor));
  return model;
}

double metric(const Metrics& metrics, const std::string& name) {
  return std::find_if(metrics.begin(), metrics.end(), [&](const auto& m) { return m.first == name; })->second;
}

class Update : public testing::Test {
 protected:
  Update() {
    for (const NamedTensor& p : policy.parameters()) p.tensor.set_requires_grad(true);
    std::vector<GenerationRequest> requests;
    for (uint64_t p = 0; p < kPrompts; ++p) {
      prompt_ids.push_back(random_ids(p, 0, 3 + p));
      requests.push_back({prompt_ids.back(), p, 0, static_cast<int64_t>(1 + p)});
    }
    SamplingConfig sampling;
    sampling.max_new_tokens = 6;
    const auto completions = Engine(policy, nullptr, {}).generate(requests, sampling, 9, Stream::kSampling);
    for (uint64_t p = 0; p < kPrompts; ++p) {
      rollout.groups.push_back({p, {}});
      for (const Completion& completion : completions[p]) {
        RolloutItem item;
        item.response.ids = completion.ids;
        item.response.behavior_logprobs = completion.logprobs;
        rollout.groups.back().items.push_back(item);
      }
      for (uint32_t stored = 0; stored < 2; ++stored) {
        RolloutItem item;
        item.response.ids = random_ids(p, 1 + stored, 2 + 3 * stored);
        item.stored_index = stored;
        rollout.groups.back().items.push_back(item);
      }
      for (size_t i = 0; i < rollout.groups.back().items.size(); ++i)
        rollout.groups.back().items[i].response.reward = uniform01({4, Stream::kTest, p, static_cast<uint32_t>(i), 0});
    }
  }

  static TokenIds random_ids(uint64_t ordinal, uint32_t draw, uint64_t count) {
    TokenIds ids;
    for (uint32_t t = 0; t < count; ++t)
      ids.push_back(static_cast<TokenId>(uniform_below({2, Stream::kTest, ordinal, draw, t}, 256)));
    return ids;
  }

  struct Outcome {
    UpdateResult result;
    Tensor gradient;  // of all parameters, one vector
  };

  Outcome update(Rollout of, const ObjectiveConfig& objective, int64_t micro_batch_tokens,
                 StoredBehavior behavior = StoredBehavior::kRecorded, bool sampler_logprobs = true) const {
    std::vector<Tensor> parts;
    for (const NamedTensor& p : policy.parameters()) p.tensor.mutable_grad() = torch::zeros_like(p.tensor);
    const auto loss = make_objective(objective);
    PolicyUpdate updater(
        policy, reference, *loss,
        {.micro_batch_tokens = micro_batch_tokens, .stored_behavior = behavior, .sampler_logprobs = sampler_logprobs});
    Outcome outcome{updater.accumulate_gradients(of, prompt_ids), {}};
    for (const NamedTensor& p : policy.parameters()) parts.push_back(p.tensor.grad().flatten());
    outcome.gradient = torch::cat(parts);
    return outcome;
  }

  static double distance(const Outcome& a, const Outcome& b) {
    return (a.gradient - b.gradient).norm().item<double>() / a.gradient.norm().item<double>();
  }

  /// Same gradients, loss and metrics, to the rounding of sums in another order.
  static void expect_same(const Outcome& expected, const Outcome& found) {
    ASSERT_GT(expected.gradient.norm().item<double>(), 1e-3);
    EXPECT_LT(distance(expected, found), 1e-5);
    EXPECT_NEAR(found.result.loss, expected.result.loss, 1e-5 * std::abs(expected.result.loss));
    ASSERT_EQ(found.result.metrics.size(), expected.result.metrics.size());
    for (size_t i = 0; i < found.result.metrics.size(); ++i) {
      EXPECT_EQ(found.result.metrics[i].first, expected.result.metrics[i].first);
      EXPECT_NEAR(found.result.metrics[i].second, expected.result.metrics[i].second, 1e-5)
          << found.result.metrics[i].first;
    }
  }

  double sequence_logprob(const CausalLm& model, size_t prompt, const TokenIds& completion) const {
    const torch::NoGradGuard no_grad;
    const std::vector<PromptCompletion> items{{prompt_ids[prompt], completion}};
    return completion_logprobs(model, items).to(torch::kDouble).sum().item<double>();
  }

  static constexpr uint64_t kPrompts = 4;
  ModelFolder folder{Path(AGRO_SOURCE_DIR) / "tests/golden/llama_gqa"};
  CausalLm policy = folder.load(WeightDtype::kFloat32), reference = perturbed(folder, 0.02);
  std::vector<TokenIds> prompt_ids;
  Rollout rollout;  // ragged groups of 3 … 6: fresh responses, then two stored ones
};

class MicroBatches : public Update, public testing::WithParamInterface<std::string> {
 protected:
  static ObjectiveConfig objective() {
    ObjectiveConfig config;
    config.beta = 0.3;
    if (GetParam() == "surrogate") {
      config.form = "surrogate";
    } else if (GetParam() == "full_vocabulary") {
      config.name = "kl_policy_gradient";
      config.kl_estimator = "full_vocabulary";
    } else if (GetParam() != "variance") {
      config.name = GetParam();
    }
    return config;
  }
};

TEST_P(MicroBatches, DoNotChangeTheGradient) {
  const Outcome whole = update(rollout, objective(), 1'000'000);
  for (const int64_t budget : {1, 17, 64}) expect_same(whole, update(rollout, objective(), budget));
}

TEST_P(MicroBatches, NeitherDoesTheOrderOfPromptsAndResponses) {
  Rollout shuffled = rollout;
  std::rotate(shuffled.groups.begin(), shuffled.groups.begin() + 1, shuffled.groups.end());
  for (RolloutGroup& group : shuffled.groups) std::reverse(group.items.begin(), group.items.end());
  for (const int64_t budget : {17, 1'000'000})
    expect_same(update(rollout, objective(), 1'000'000), update(shuffled, objective(), budget));
}

INSTANTIATE_TEST_SUITE_P(Objectives, MicroBatches,
                         testing::Values("variance", "surrogate", "kl_policy_gradient", "full_vocabulary"),
                         [](const auto& test) { return test.param; });

// The same responses in groups cut in two are another loss: the tests above could not pass with split means.
TEST_F(Update, AGroupSplitInTwoWouldChangeTheGradient) {
  Rollout split;
  for (const RolloutGroup& group : rollout.groups) {
    const auto half = group.items.begin() + static_cast<std::ptrdiff_t>(group.items.size() / 2);
    if (group.items.size() < 4) {
      split.groups.push_back(group);
      continue;
    }
    split.groups.push_back({group.prompt_index, {group.items.begin(), half}});
    split.groups.push_back({group.prompt_index, {half, group.items.end()}});
  }
  EXPECT_GT(distance(update(rollout, {}, 64), update(split, {}, 64)), 0.05);
}

TEST_F(Update, LossOfRaggedGroupsIsA6) {
  const double beta = 0.2;
  double loss = 0;
  std::vector<double> log_ratios;
  for (const RolloutGroup& group : rollout.groups) {
    std::vector<double> regularized;
    for (const RolloutItem& item : group.items) {
      log_ratios.push_back(sequence_logprob(policy, group.prompt_index, item.response.ids) -
                           sequence_logprob(reference, group.prompt_index, item.response.ids));
      regularized.push_back(item.response.reward - beta * log_ratios.back());
    }
    const auto n = static_cast<double>(regularized.size());
    double mean = 0;
    for (const double r : regularized) mean += r / n;
    for (const double r : regularized) loss += (r - mean) * (r - mean) / (2 * (n - 1)) / static_cast<double>(kPrompts);
  }
  ObjectiveConfig config;
  config.beta = beta;
  const UpdateResult divided = update(rollout, config, 50).result;
  EXPECT_NEAR(divided.loss, loss / beta, 1e-5 * loss / beta);
  EXPECT_THAT(divided.log_ratios, testing::Pointwise(testing::DoubleNear(1e-4), log_ratios));
  config.loss_scale = "none";
  EXPECT_NEAR(update(rollout, config, 50).result.loss, loss, 1e-5 * loss);
}

// Where a response came from does not enter AGRO (spec §2), and the reference's cached log-probs are those computed
// anew.
TEST_F(Update, FreshAndStoredResponsesWeighTheSame) {
  Rollout all_fresh = rollout;
  for (RolloutGroup& group : all_fresh.groups)
    for (RolloutItem& item : group.items) item.stored_index = -1;
  expect_same({update(rollout, {}, 64).result, update(rollout, {}, 64).gradient}, [&] {
    Outcome outcome = update(all_fresh, {}, 64);
    std::erase_if(outcome.result.metrics, [](const auto& m) { return m.first == "optimality_gap"; });
    return outcome;
  }());
}

TEST_F(Update, TheReferenceIsAskedOnceForStoredResponses) {
  ReferenceLogprobs logprobs(reference, 64);
  const Tensor before = logprobs.of(rollout, prompt_ids);
  {
    const torch::NoGradGuard no_grad;
    for (const NamedTensor& p : reference.parameters()) p.tensor.mul_(1.1);
  }
  const Tensor after = logprobs.of(rollout, prompt_ids);
  int64_t token = 0;
  for (const RolloutGroup& group : rollout.groups) {
    for (const RolloutItem& item : group.items) {
      const auto length = static_cast<int64_t>(item.response.ids.size());
      EXPECT_EQ(torch::equal(before.narrow(0, token, length), after.narrow(0, token, length)), item.stored_index >= 0);
      token += length;
    }
  }
}

// The sampler's log-probs have the trainer's bits: loss and metrics are equal, gradients to the order of sums.
TEST_F(Update, TheSamplersLogprobsSpareAPass) {
  for (RolloutGroup& group : rollout.groups)
    std::erase_if(group.items, [](const RolloutItem& item) { return !item.fresh(); });
  std::erase_if(rollout.groups, [](const RolloutGroup& group) { return group.items.size() < 2; });
  for (const int64_t tokens : {16, 4096}) {
    const Outcome with = update(rollout, {}, tokens), without = update(rollout, {}, tokens, {}, false);
    expect_same(without, with);
    EXPECT_EQ(with.result.loss, without.result.loss);
    EXPECT_EQ(with.result.sampler_mismatch.value(), 0.0);
    // They are read indeed: with others the loss is another, and the pass itself tells.
    Rollout wrong = rollout;
    wrong.groups[0].items[0].response.behavior_logprobs[0] += 0.5F;
    const Outcome misled = update(wrong, {}, tokens), unaffected = update(wrong, {}, tokens, {}, false);
    EXPECT_NE(misled.result.loss, with.result.loss);
    EXPECT_EQ(unaffected.result.loss, with.result.loss);
    EXPECT_GT(misled.result.sampler_mismatch.value(), 1e-3);
  }
}

TEST_F(Update, SamplerAndTrainerAgreeAndADifferenceWouldShow) {
  EXPECT_EQ(update(rollout, {}, 64).result.sampler_mismatch.value(), 0.0);
  for (RolloutGroup& group : rollout.groups)
    for (RolloutItem& item : group.items)
      for (float& logprob : item.response.behavior_logprobs) logprob += 0.5F;
  EXPECT_NEAR(*update(rollout, {}, 64).result.sampler_mismatch, 0.5, 1e-6);
  rollout.updates = 1;  // the policy has moved on: a difference says nothing about the sampler
  EXPECT_FALSE(update(rollout, {}, 64).result.sampler_mismatch.has_value());
}

// Weights of importance_weighted say under whom a response was drawn: all 1 where that is the policy itself.
TEST_F(Update, StoredResponsesWereDrawnByWhomTheSettingSays) {
  ObjectiveConfig config;
  config.name = "importance_weighted";
  config.truncate = 1e6;
  const auto share = [&](const Rollout& of, StoredBehavior behavior) {
    return metric(update(of, config, 64, behavior).result.metrics, "effective_sample_share");
  };
  EXPECT_NEAR(share(rollout, StoredBehavior::kPolicy), 1, 1e-9);
  EXPECT_LT(share(rollout, StoredBehavior::kReference), 0.999);
  EXPECT_THAT(error_of([&] { share(rollout, StoredBehavior::kRecorded); }), HasSubstr("needs behavior_logprobs"));
  Rollout recorded = rollout;  // the reference's sums, as a file would have them
  for (RolloutGroup& group : recorded.groups)
    for (RolloutItem& item : group.items)
      if (!item.fresh())
        item.response.behavior_logprob = sequence_logprob(reference, group.prompt_index, item.response.ids);
  EXPECT_NEAR(share(recorded, StoredBehavior::kRecorded), share(rollout, StoredBehavior::kReference), 1e-6);
  expect_same(update(recorded, config, 64), update(rollout, config, 17, StoredBehavior::kReference));
}

// A second update from the same responses: their ratio is to the policy that drew them (or is said to have drawn
// them), not to the one that learned.
TEST_F(Update, LaterUpdatesKeepTheBehaviorOfTheFirst) {
  ObjectiveConfig config;
  config.name = "grpo";
  const auto loss = make_objective(config);
  for (const bool fresh : {true, false}) {
    Rollout part = rollout;
    for (RolloutGroup& group : part.groups)
      std::erase_if(group.items, [&](const RolloutItem& i) { return i.fresh() != fresh; });
    std::erase_if(part.groups, [](const RolloutGroup& g) { return g.items.size() < 2; });
    PolicyUpdate updater(policy, reference, *loss,
                         {.micro_batch_tokens = 64, .stored_behavior = StoredBehavior::kPolicy});
    const auto clipped = [&] {
      for (const NamedTensor& p : policy.parameters()) p.tensor.mutable_grad() = torch::zeros_like(p.tensor);
      return metric(updater.accumulate_gradients(part, prompt_ids).metrics, "clip_fraction");
    };
    EXPECT_EQ(clipped(), 0);
    {
      const torch::NoGradGuard no_grad;
      for (const NamedTensor& p : policy.parameters()) p.tensor.sub_(0.5 * p.tensor.grad());
    }
    EXPECT_GT(clipped(), 0.05) << (fresh ? "fresh" : "stored");
    EXPECT_EQ(part.updates, 2);
  }
}

TEST_F(Update, WithoutAWeightTheExactKlIsNotAsked) {
  ObjectiveConfig config;
  config.name = "kl_policy_gradient";
  config.kl_estimator = "full_vocabulary";
  config.beta = 0;
  const Outcome exact = update(rollout, config, 64);
  config.kl_estimator = "k3";
  expect_same(exact, update(rollout, config, 64));
}

TEST_F(Update, WhatIsNotFiniteGivesNoGradient) {
  {
    const torch::NoGradGuard no_grad;
    reference.parameters().back().tensor.fill_(std::numeric_limits<float>::quiet_NaN());
  }
  const Outcome outcome = update(rollout, {}, 64);
  EXPECT_TRUE(std::isnan(outcome.result.loss));
  EXPECT_EQ(outcome.gradient.abs().max().item<double>(), 0);
}

TEST_F(Update, ThroughSamplingRefusesStoredResponses) {
  ObjectiveConfig config;
  config.through_sampling = true;
  EXPECT_THAT(error_of([&] { update(rollout, config, 64); }),
              testing::AllOf(HasSubstr("valid only for responses drawn from the current policy, and 8 of 18 are not"),
                             HasSubstr("through_sampling = false")));
  for (RolloutGroup& group : rollout.groups)
    std::erase_if(group.items, [](const RolloutItem& i) { return i.stored_index >= 0; });
  std::erase_if(rollout.groups, [](const RolloutGroup& g) { return g.items.size() < 2; });
  expect_same(update(rollout, config, 1'000'000), update(rollout, config, 20));
}

}  // namespace
}  // namespace agro
