// Gradients through a real model against central differences, in float64, for every objective: ragged groups, several
// micro-batches, a value head on the trunk.
#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "data/test_support.h"
#include "model/model_folder.h"
#include "objective/registry.h"
#include "train/policy_update.h"

namespace agro {
namespace {

/// What `objective` makes of the batch it saw last, as a linear function of the model's outputs.
class Linearized final : public Objective {
 public:
  explicit Linearized(const Objective& objective) : objective_(objective) {}
  std::string_view name() const override { return "linearized"; }
  ObjectiveNeeds needs() const override { return objective_.needs(); }

  void freeze() { frozen_ = true; }

 private:
  ObjectiveResult compute(const ObjectiveInput& input, const Groups&) const override {
    if (!frozen_) weights_ = evaluate_with_gradient(objective_, input);
    Tensor loss = (weights_.logprobs * input.logprobs).sum();
    if (weights_.values.defined()) loss = loss + (weights_.values * input.values).sum();
    if (weights_.full_vocabulary_kl.defined())
      loss = loss + (weights_.full_vocabulary_kl * input.full_vocabulary_kl).sum();
    return {loss, {}};
  }

  const Objective& objective_;
  mutable ObjectiveGradient weights_;
  bool frozen_ = false;
};

class ThroughAModel : public testing::TestWithParam<std::string> {
 protected:
  static constexpr size_t kPrompts = 3;
  static constexpr uint64_t kSeed = 11;

  ThroughAModel() {
    torch::manual_seed(kSeed);
    for (const CausalLm* model : {&reference_, &writer_})
      for (const NamedTensor& p : model->parameters()) p.tensor.add_(0.05 * torch::randn_like(p.tensor));
    const torch::NoGradGuard no_grad;
    for (const NamedTensor& p : head_.parameters()) p.tensor.copy_(0.3 * torch::randn_like(p.tensor));
    for (const auto* list : {&policy_.parameters(), &head_.parameters()})
      for (const NamedTensor& p : *list) parameters_.push_back(p.tensor.set_requires_grad(true));
    int64_t tokens = 0;
    for (size_t p = 0; p < kPrompts; ++p) {
      prompt_ids_.push_back(random_ids(p, 0, 2 + p));
      rollout_.groups.push_back({p, {}});
      for (uint32_t i = 0; i < 2 + p; ++i) {
        RolloutItem item;
        item.response.ids = random_ids(p, 1 + i, 1 + (i + p) % 4);
        item.response.reward = uniform01({kSeed, Stream::kTest, p, i, 50});
        const std::vector<PromptCompletion> one{{prompt_ids_[p], item.response.ids}};
        const Tensor drawn = completion_logprobs(writer_, one).to(torch::kFloat).contiguous();
        item.response.behavior_logprobs.assign(drawn.data_ptr<float>(), drawn.data_ptr<float>() + drawn.numel());
        tokens += drawn.numel();
        rollout_.groups.back().items.push_back(item);
      }
    }
    rollout_.old_values = 0.3 * torch::randn({tokens}, torch::kFloat64);
  }

  static TokenIds random_ids(uint64_t ordinal, uint32_t draw, uint64_t count) {
    TokenIds ids;
    for (uint32_t t = 0; t < count; ++t)
      ids.push_back(static_cast<TokenId>(uniform_below({kSeed, Stream::kTest, ordinal, draw, t}, 256)));
    return ids;
  }

  static std::unique_ptr<Objective> objective() {
    ObjectiveConfig config;
    config.beta = 0.4;
    const std::string name = GetParam();
    config.name = name.substr(0, name.find('-'));
    if (name.ends_with("-exact")) config.kl_estimator = "full_vocabulary";
    if (name == "agro-token") config.credit = "token";
    if (config.name == "dpo" || config.name == "ipo") config.pairing = "best_worst";
    return make_objective(config);
  }

  double loss(const Objective& of, bool gradients) {
    for (const Tensor& p : parameters_) p.mutable_grad() = torch::zeros_like(p);
    OptimalValues* values = of.needs().optimal_values ? &optimal_values_ : nullptr;
    PolicyUpdate update(policy_, reference_, of,
                        {.micro_batch_tokens = 12,
                         .sampler_logprobs = false,  // another model wrote the responses
                         .value_head = &head_,
                         .optimal_values = values});
    Rollout rollout = rollout_;
    const torch::AutoGradMode mode(gradients);
    return update.accumulate_gradients(rollout, prompt_ids_).loss;
  }

  /// The slope of the loss along a direction: by backpropagation, and by differences.
  void expect_slopes(const Objective& gradient_of, const Objective& loss_of, Linearized* frozen) {
    loss(gradient_of, true);
    if (frozen != nullptr) frozen->freeze();
    std::vector<Tensor> gradients, start;
    for (const Tensor& p : parameters_) gradients.push_back(p.grad().clone()), start.push_back(p.detach().clone());
    for (int direction = 0; direction < 3; ++direction) {
      constexpr double kStep = 1e-6;
      std::vector<Tensor> d;
      double slope = 0;
      for (size_t i = 0; i < start.size(); ++i) {
        d.push_back(torch::randn_like(start[i]));
        slope += (d[i] * gradients[i]).sum().item<double>();
      }
      const auto loss_at = [&](double offset) {
        {
          const torch::NoGradGuard no_grad;
          for (size_t i = 0; i < start.size(); ++i) parameters_[i].copy_(start[i] + offset * d[i]);
        }
        return loss(loss_of, true);
      };
      const double difference = (loss_at(kStep) - loss_at(-kStep)) / (2 * kStep);
      loss_at(0);
      EXPECT_GT(std::abs(slope), 1e-4) << "direction " << direction;
      EXPECT_NEAR(difference, slope, 1e-6 * (1 + std::abs(slope))) << "direction " << direction << ", seed " << kSeed;
    }
  }

  ModelFolder folder_{Path(AGRO_SOURCE_DIR) / "tests/golden/llama_gqa"};
  CausalLm policy_ = folder_.load(WeightDtype::kFloat64), reference_ = folder_.load(WeightDtype::kFloat64),
           writer_ = folder_.load(WeightDtype::kFloat64);
  ValueHead head_{policy_.config().hidden_size, policy_.activation_options()};
  std::vector<Tensor> parameters_;
  std::vector<TokenIds> prompt_ids_;
  Rollout rollout_;  // groups of 2, 3 and 4 responses of 1 to 4 tokens

  // Behind V*: two responses of the reference to each prompt.
  TrainingData data_ = [] {
    TrainingData data;
    for (size_t p = 0; p < kPrompts; ++p) {
      data.prompts.emplace_back().answer = "1";
      data.prompt_ids.push_back(random_ids(p, 0, 2 + p));
    }
    return data;
  }();
  RewardsConfig rewards_ = [] {
    RewardsConfig config;
    config.reward.resize(1);
    config.reward[0].kind = "exact";
    return config;
  }();
  TotalReward reward_{rewards_};
  OptimalValues optimal_values_{
      reference_, ResponseSampler(data_, SamplingConfig{.max_new_tokens = 2}, {}, nullptr, reward_, kSeed), 0.4, 2};
};

TEST_P(ThroughAModel, TheGradientIsThatOfTheObjectivesWeights) {
  const std::unique_ptr<Objective> of = objective();
  Linearized linearized(*of);
  expect_slopes(linearized, linearized, &linearized);
}

TEST_P(ThroughAModel, TheGradientIsThatOfTheLoss) {
  // Parts of these losses are there for their gradient alone, which differences of the loss cannot see.
  static const std::set<std::string> kSurrogates = {"agro-token",          "agro_value", "cispo", "dro",
                                                    "importance_weighted", "kto",        "topr"};
  if (kSurrogates.contains(GetParam())) return;
  const std::unique_ptr<Objective> of = objective();
  expect_slopes(*of, *of, nullptr);
}

std::vector<std::string> all_objectives() {
  std::vector<std::string> names = objective_names();
  for (const char* variant : {"agro-token", "kl_policy_gradient-exact", "grpo-exact"}) names.emplace_back(variant);
  return names;
}

INSTANTIATE_TEST_SUITE_P(Objectives, ThroughAModel, testing::ValuesIn(all_objectives()), [](const auto& test) {
  std::string name = test.param;
  std::replace(name.begin(), name.end(), '-', '_');
  return name;
});

}  // namespace
}  // namespace agro
