// What holds for every objective: order, micro-batches, padding, derivatives, precision.
#include <ATen/ops/arange.h>
#include <ATen/ops/log_softmax.h>
#include <fmt/format.h>

#include <cmath>
#include <ostream>
#include <set>

#include "objective/registry.h"
#include "objective/test_support.h"

namespace agro {
namespace {

using namespace testing;

struct Variant {
  ObjectiveConfig config;
  /// False where part of the loss is only there for its gradient, which differences of the loss cannot see.
  bool gradient_is_of_loss = true;
};

void PrintTo(const Variant& variant, std::ostream* out) { *out << variant.config.name; }

std::vector<Variant> on_policy_variants() {
  return {{{.name = "kl_policy_gradient", .beta = 0.4}},
          {{.name = "kl_policy_gradient", .beta = 0.4, .kl_estimator = "k1"}},
          {{.name = "kl_policy_gradient", .beta = 0.4, .kl_estimator = "k2"}},
          {{.name = "kl_policy_gradient", .beta = 0.4, .kl_estimator = "full_vocabulary"}},
          {{.name = "reinforce", .beta = 0.4, .standardize = "batch"}},
          {{.name = "reinforce", .beta = 0.4, .kl_estimator = "full_vocabulary", .standardize = "group"}},
          {{.name = "rloo", .beta = 0.4}},
          {{.name = "rloo", .beta = 0.4, .clip_epsilon = 0.2}},
          {{.name = "ppo", .beta = 0.4}},
          {{.name = "ppo", .beta = 0.4, .standardize = "none", .gamma = 0.9, .value_coefficient = 2, .value_clip = 0}},
          {{.name = "grpo", .beta = 0.4}},
          {{.name = "grpo", .beta = 0.4, .kl_estimator = "full_vocabulary", .normalization = "bnpo"}},
          {{.name = "grpo", .beta = 0.4, .clip_high = 0.5, .normalization = "dapo"}},
          {{.name = "grpo", .beta = 0.4, .normalization = "dr_grpo", .normalization_length = 5}},
          {{.name = "gspo", .beta = 0.4, .clip_epsilon = 0.3}},
          {{.name = "cispo", .beta = 0.4, .truncate = 1.2}, false},
          {{.name = "reinforce_pp", .beta = 0.4, .gamma = 0.95}}};
}

std::vector<Variant> off_policy_variants() {
  return {{{.name = "agro", .beta = 0.4}},
          {{.name = "agro", .beta = 0.4, .form = "surrogate"}, false},
          {{.name = "agro", .beta = 0.4, .through_sampling = true}, false},
          {{.name = "agro", .beta = 0.4, .credit = "token"}, false},
          {{.name = "agro_value", .beta = 0.4}, false},
          {{.name = "importance_weighted", .beta = 0.4}, false},
          {{.name = "topr"}, false},
          {{.name = "asymmetric_reinforce"}},
          {{.name = "trajectory_balance", .beta = 0.9}},
          {{.name = "gvpo", .beta = 0.4}},
          {{.name = "astar_po", .beta = 0.4}},
          {{.name = "opmd", .beta = 0.4}},
          {{.name = "opmd", .beta = 0.4, .partition = "log_mean_exp"}},
          {{.name = "copg", .beta = 0.4}},
          {{.name = "dro", .beta = 0.4}, false},
          {{.name = "dpo", .beta = 0.4, .label_smoothing = 0.1}},
          {{.name = "dpo", .beta = 0.4, .pairing = "best_worst"}},
          {{.name = "ipo", .beta = 0.9}},
          {{.name = "ipo", .beta = 0.9, .pairing = "best_worst", .length_normalize = true}},
          {{.name = "kto", .beta = 0.4}, false},
          {{.name = "kto", .beta = 0.4, .reference_point = "zero"}},
          {{.name = "rejection_sft", .reward_threshold = 0}},
          {{.name = "rejection_sft", .length_normalize = true, .reward_threshold = 0}}};
}

std::vector<Variant> variants() {
  std::vector<Variant> all = on_policy_variants();
  for (Variant& variant : off_policy_variants()) all.push_back(std::move(variant));
  return all;
}

class Properties : public ::testing::TestWithParam<Variant> {
 protected:
  std::unique_ptr<Objective> objective_ = make_objective(GetParam().config);
};

INSTANTIATE_TEST_SUITE_P(Every, Properties, ::testing::ValuesIn(variants()),
                         [](const auto& test) { return fmt::format("{}_{}", test.param.config.name, test.index); });

TEST(Registry, EveryObjectiveIsAmongTheVariants) {
  std::set<std::string> names;
  for (const Variant& variant : variants()) names.insert(variant.config.name);
  for (const std::string& name : objective_names()) EXPECT_TRUE(names.contains(name)) << name;
}

/// The batch with its responses in another order and its prompts renumbered; `tokens` maps new places to old.
struct Permuted {
  ObjectiveInput input;
  at::Tensor tokens;
};

Permuted permuted(const ObjectiveInput& input) {
  const int64_t responses = input.rewards.size(0), groups = input.group.max().item<int64_t>() + 1;
  std::vector<int64_t> order, place(static_cast<size_t>(responses)), tokens, row;
  for (int64_t i = 0; i < responses; ++i) order.push_back((i * 4 + 5) % responses);
  for (int64_t i = 0; i < responses; ++i) {
    place[static_cast<size_t>(order[static_cast<size_t>(i)])] = i;
    for (int64_t t = 0; t < input.row.size(0); ++t)
      if (input.row[t].item<int64_t>() == order[static_cast<size_t>(i)]) {
        tokens.push_back(t);
        row.push_back(i);
      }
  }
  const at::Tensor by_response = integers(order), by_token = integers(tokens);
  ObjectiveInput result = input;
  for (at::Tensor* x : {&result.logprobs, &result.ref_logprobs, &result.behavior_logprobs, &result.full_vocabulary_kl,
                        &result.values, &result.old_values})
    *x = x->index_select(0, by_token);
  for (at::Tensor* x : {&result.rewards, &result.group, &result.on_policy}) *x = x->index_select(0, by_response);
  result.row = integers(row);
  result.group = (result.group + 1) % groups;
  result.optimal_values = input.optimal_values.roll(1);
  result.pairs = integers(place).index_select(0, input.pairs.flatten()).reshape({-1, 2}).flip(0);
  return {std::move(result), by_token};
}

TEST_P(Properties, TheOrderOfResponsesDoesNotMatter) {
  const ObjectiveInput input = complete_batch(41, {3, 2, 4});
  const auto [other, tokens] = permuted(input);
  const auto a = evaluate_with_gradient(*objective_, input), b = evaluate_with_gradient(*objective_, other);
  EXPECT_NEAR(a.loss, b.loss, 1e-12);
  EXPECT_LT(largest_difference(a.logprobs.index_select(0, tokens), b.logprobs), 1e-12);
  ASSERT_EQ(a.values.defined(), b.values.defined());
  if (a.values.defined()) {
    EXPECT_LT(largest_difference(a.values.index_select(0, tokens), b.values), 1e-12);
  }
  for (const auto& [name, value] : a.metrics) EXPECT_NEAR(value, metric(b.metrics, name), 1e-11) << name;
}

TEST_P(Properties, GradientsAreThoseOfTheLoss) {
  const ObjectiveInput input = complete_batch(46, {2, 5, 3});
  const auto gradient = evaluate_with_gradient(*objective_, input);
  EXPECT_GT(gradient.logprobs.abs().max().item<double>(), 1e-4);
  if (!GetParam().gradient_is_of_loss) return;
  EXPECT_LT(central_difference_gap(*objective_, input), 1e-8);
  if (gradient.values.defined()) {
    EXPECT_LT(central_difference_gap(*objective_, input, &ObjectiveInput::values, &ObjectiveGradient::values), 1e-8);
  }
  if (gradient.full_vocabulary_kl.defined()) {
    EXPECT_LT(central_difference_gap(*objective_, input, &ObjectiveInput::full_vocabulary_kl,
                                     &ObjectiveGradient::full_vocabulary_kl),
              1e-8);
  }
}

TEST_P(Properties, ReadsWhatItSaysItNeeds) {
  const ObjectiveNeeds needs = objective_->needs();
  const ObjectiveInput input = complete_batch(47, {2, 3});
  const auto message_without = [&](at::Tensor ObjectiveInput::*what) {
    ObjectiveInput lacking = input;
    lacking.*what = at::Tensor();
    return message_of([&] { objective_->evaluate(lacking); });
  };
  const auto expect = [&](bool needed, at::Tensor ObjectiveInput::*what, const std::string& words) {
    const std::string message = message_without(what);
    EXPECT_EQ(message.find(fmt::format("objective '{}': needs {}", objective_->name(), words)) == 0, needed) << message;
    if (!needed) {
      EXPECT_EQ(message, "");
    }
  };
  expect(needs.behavior_logprobs || needs.behavior_response_logprobs, &ObjectiveInput::behavior_logprobs,
         "behavior_logprobs");
  expect(needs.full_vocabulary_kl, &ObjectiveInput::full_vocabulary_kl, "the full-vocabulary KL");
  expect(needs.values, &ObjectiveInput::values, "values");
  expect(needs.pairs, &ObjectiveInput::pairs, "pairs");
  expect(needs.optimal_values, &ObjectiveInput::optimal_values, "optimal_values");
  expect(needs.on_policy, &ObjectiveInput::on_policy, "responses drawn from the current policy");
  expect(false, &ObjectiveInput::old_values, "old_values");
  const auto gradient = evaluate_with_gradient(*objective_, input);
  EXPECT_EQ(gradient.values.defined(), needs.values);
  EXPECT_EQ(gradient.full_vocabulary_kl.defined(), needs.full_vocabulary_kl);
}

TEST_P(Properties, SumsOverResponsesServeWhereTheyAreAllItNeeds) {
  if (!objective_->needs().behavior_response_logprobs) return;
  ObjectiveInput input = complete_batch(52, {3, 2, 4});
  const ObjectiveGradient by_token = evaluate_with_gradient(*objective_, input);
  input.behavior_response_logprobs = sum_per_response(input.behavior_logprobs, input);
  input.behavior_logprobs = at::Tensor();
  const ObjectiveGradient by_response = evaluate_with_gradient(*objective_, input);
  EXPECT_NEAR(by_token.loss, by_response.loss, 1e-12);
  EXPECT_LT(largest_difference(by_token.logprobs, by_response.logprobs), 1e-12);
}

TEST_P(Properties, APromptOfOneResponseIsTakenOrRefused) {
  ObjectiveInput input = complete_batch(48, {1, 3, 2});
  const std::string message = message_of([&] { evaluate_with_gradient(*objective_, input); });
  if (objective_->needs().group_size == 1) {
    EXPECT_EQ(message, "");
    EXPECT_TRUE(std::isfinite(evaluate_with_gradient(*objective_, input).loss));
  } else {
    EXPECT_NE(message.find("response 0 is alone in its group"), std::string::npos) << message;
  }
}

TEST_P(Properties, AResponseWithoutTokensLeavesEverythingFinite) {
  ObjectiveInput input = complete_batch(45, {3, 2});
  const at::Tensor kept = input.row.ne(1);
  for (at::Tensor* x : {&input.logprobs, &input.ref_logprobs, &input.behavior_logprobs, &input.full_vocabulary_kl,
                        &input.values, &input.old_values, &input.row})
    *x = x->masked_select(kept);
  const auto gradient = evaluate_with_gradient(*objective_, input);
  EXPECT_TRUE(std::isfinite(gradient.loss));
  EXPECT_TRUE(gradient.logprobs.isfinite().all().item<bool>());
}

TEST_P(Properties, KeepsTheInputsPrecision) {
  ObjectiveInput input = complete_batch(49, {2, 5, 3});
  const double exact = objective_->evaluate(input).loss.item<double>();
  for (at::Tensor* x : {&input.logprobs, &input.ref_logprobs, &input.behavior_logprobs, &input.full_vocabulary_kl,
                        &input.values, &input.old_values, &input.rewards, &input.optimal_values})
    *x = x->to(at::kFloat);
  const auto gradient = evaluate_with_gradient(*objective_, input);
  EXPECT_EQ(objective_->evaluate(input).loss.scalar_type(), at::kFloat);
  EXPECT_EQ(gradient.logprobs.scalar_type(), at::kFloat);
  EXPECT_NEAR(gradient.loss, exact, 1e-5 * (1 + std::abs(exact)));
}

/// A little model over a padded batch: next-token logits from an embedding of the token before, and a value head.
class LittleModel {
 public:
  LittleModel(const ObjectiveInput& batch, uint64_t seed) : row_(batch.row) {
    const int64_t responses = batch.rewards.size(0);
    const at::Tensor length = row_.bincount({}, responses);
    width_ = length.max().item<int64_t>() + 1;  // one column is padding in every row
    mask_ = at::arange(width_, at::kLong).unsqueeze(0).lt(length.unsqueeze(1));
    tokens_ = (at::arange(responses * width_, at::kLong) * 7 + 3).remainder(kVocabulary).reshape({responses, width_});
    std::vector<double> values;
    for (uint64_t i = 0; i < static_cast<uint64_t>(kVocabulary * (kVocabulary + 1)); ++i)
      values.push_back(0.7 * normal({.seed = seed, .stream = Stream::kTest, .ordinal = i, .draw = 60}));
    weight = doubles(values).reshape({kVocabulary, kVocabulary + 1}).requires_grad_();
    ref_ = at::log_softmax(doubles(values).reshape({kVocabulary, kVocabulary + 1}).flip(0).slice(1, 0, kVocabulary), 1);
  }

  struct Output {
    at::Tensor logprobs, full_vocabulary_kl, values;  // of the tokens in [begin, end)
    at::Tensor hidden;                                // the padded activations, gradient kept
  };

  Output forward(int64_t begin, int64_t end) const {
    const at::Tensor before = tokens_.roll(1, 1);
    Output out;
    out.hidden = weight.index_select(0, before.flatten()).reshape({-1, width_, kVocabulary + 1});
    out.hidden.retain_grad();
    const at::Tensor all = at::log_softmax(out.hidden.slice(2, 0, kVocabulary), 2);
    const at::Tensor kl = (all.exp() * (all - ref_.index_select(0, before.flatten()).reshape(all.sizes()))).sum(2);
    const auto packed = [&](const at::Tensor& x) { return x.masked_select(mask_).slice(0, begin, end); };
    out.logprobs = packed(all.gather(2, tokens_.unsqueeze(2)).squeeze(2));
    out.full_vocabulary_kl = packed(kl);
    out.values = packed(out.hidden.select(2, kVocabulary));
    return out;
  }

  const at::Tensor& mask() const { return mask_; }

  at::Tensor weight;

 private:
  static constexpr int64_t kVocabulary = 5;
  at::Tensor row_, mask_, tokens_, ref_;
  int64_t width_ = 0;
};

ObjectiveInput with(ObjectiveInput input, const LittleModel::Output& out) {
  input.logprobs = out.logprobs;
  input.full_vocabulary_kl = out.full_vocabulary_kl;
  input.values = out.values;
  return input;
}

TEST_P(Properties, MicroBatchesThatCutGroupsGiveTheWholeBatchsGradient) {
  const ObjectiveInput batch = complete_batch(42, {4, 3, 2});
  const int64_t tokens = batch.row.size(0);
  LittleModel model(batch, 43);
  const auto whole = model.forward(0, tokens);
  objective_->evaluate(with(batch, whole)).loss.backward();
  const at::Tensor expected = model.weight.grad().clone();
  EXPECT_GT(expected.abs().max().item<double>(), 1e-4);
  EXPECT_EQ(whole.hidden.grad().masked_select(model.mask().logical_not().unsqueeze(2)).abs().max().item<double>(), 0)
      << "padding has a gradient";

  const ObjectiveGradient gradient = evaluate_with_gradient(*objective_, with(batch, model.forward(0, tokens)));
  model.weight.mutable_grad() = at::Tensor();
  for (int64_t begin = 0; begin < tokens; begin += 4) {
    const int64_t end = std::min(begin + 4, tokens);
    const auto part = model.forward(begin, end);
    at::Tensor product = (gradient.logprobs.slice(0, begin, end) * part.logprobs).sum();
    if (gradient.full_vocabulary_kl.defined())
      product = product + (gradient.full_vocabulary_kl.slice(0, begin, end) * part.full_vocabulary_kl).sum();
    if (gradient.values.defined()) product = product + (gradient.values.slice(0, begin, end) * part.values).sum();
    product.backward();
  }
  EXPECT_LT(largest_difference(model.weight.grad(), expected), 1e-12);
}

TEST_P(Properties, AgreesWithCentralDifferencesThroughAModel) {
  if (!GetParam().gradient_is_of_loss) return;
  constexpr double kStep = 1e-5;
  const ObjectiveInput batch = complete_batch(50, {2, 4, 3});
  const int64_t tokens = batch.row.size(0);
  LittleModel model(batch, 51);
  objective_->evaluate(with(batch, model.forward(0, tokens))).loss.backward();
  const at::Tensor gradient = model.weight.grad().flatten();
  const at::Tensor start = model.weight.detach().clone();
  for (int64_t i = 0; i < gradient.size(0); i += 3) {
    const auto loss_at = [&](double offset) {
      at::Tensor moved = start.clone();
      moved.flatten()[i] += offset;
      model.weight = moved.requires_grad_();
      return objective_->evaluate(with(batch, model.forward(0, tokens))).loss.item<double>();
    };
    EXPECT_NEAR((loss_at(kStep) - loss_at(-kStep)) / (2 * kStep), gradient[i].item<double>(), 1e-7) << "weight " << i;
  }
}

}  // namespace
}  // namespace agro
