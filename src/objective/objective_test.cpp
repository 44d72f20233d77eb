#include "objective/objective.h"

#include <ATen/ops/arange.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/log_softmax.h>

#include <cmath>
#include <limits>

#include "objective/agro.h"
#include "objective/group.h"
#include "objective/kl_policy_gradient.h"
#include "objective/rloo.h"
#include "objective/test_support.h"

namespace agro {
namespace {

using namespace testing;

std::vector<std::unique_ptr<Objective>> all_objectives() {
  std::vector<std::unique_ptr<Objective>> all;
  all.push_back(make_agro({.beta = 0.4}));
  all.push_back(make_agro({.beta = 0.4, .through_sampling = true}));
  all.push_back(make_agro({.beta = 0.4, .credit = Credit::kToken}));
  all.push_back(make_rloo({.beta = 0.4}));
  all.push_back(make_rloo({.beta = 0.4, .clip_epsilon = 0.2}));
  all.push_back(make_kl_policy_gradient({.beta = 0.4}));
  all.push_back(make_kl_policy_gradient({.beta = 0.4, .kl_estimator = KlEstimator::kFullVocabulary}));
  return all;
}

ObjectiveInput complete_batch(uint64_t seed, const std::vector<int64_t>& sizes) {
  ObjectiveInput input = random_batch(seed, sizes);
  input.on_policy = input.rewards.isfinite();
  input.full_vocabulary_kl = (input.logprobs * input.logprobs) / 7;
  return input;
}

TEST(Groups, AverageRaggedGroupsInAnyOrder) {
  const Groups groups(integers({1, 0, 1, 1, 0}), at::kDouble);
  const at::Tensor x = doubles({1.0, 10.0, 2.0, 6.0, 20.0});
  EXPECT_EQ(largest_difference(groups.mean(x), doubles({15.0, 3.0})), 0);
  EXPECT_NEAR(largest_difference(groups.variance(x), doubles({50.0, 7.0})), 0, 1e-13);
  // Mean of the others: 4, 20, 3.5, 1.5, 10.
  EXPECT_NEAR(largest_difference(groups.advantage(x), doubles({-3.0, -10.0, -1.5, 4.5, 10.0})), 0, 1e-13);
  EXPECT_EQ(groups.batch_mean(x).item<double>(), 9);
}

TEST(Groups, RefuseOneResponseAndGaps) {
  EXPECT_NE(message_of([] {
              Groups(integers({0, 0, 1}), at::kDouble);
            }).find("response 2 is alone in its group"),
            std::string::npos);
  EXPECT_NE(message_of([] { Groups(integers({0, 0, 2, 2}), at::kDouble); }).find("1 is unused"), std::string::npos);
}

TEST(Objective, OrderOfResponsesDoesNotMatter) {
  const ObjectiveInput input = complete_batch(41, {3, 2, 4});
  const int64_t responses = input.rewards.size(0);
  std::vector<int64_t> order(static_cast<size_t>(responses)), tokens, new_row;
  for (size_t i = 0; i < order.size(); ++i) order[i] = (static_cast<int64_t>(i) * 4 + 5) % responses;
  for (size_t place = 0; place < order.size(); ++place)
    for (int64_t t = 0; t < input.row.size(0); ++t)
      if (input.row[t].item<int64_t>() == order[place]) {
        tokens.push_back(t);
        new_row.push_back(static_cast<int64_t>(place));
      }
  const at::Tensor by_response = integers(order), by_token = integers(tokens);
  ObjectiveInput permuted = input;
  for (at::Tensor* x :
       {&permuted.logprobs, &permuted.ref_logprobs, &permuted.behavior_logprobs, &permuted.full_vocabulary_kl})
    *x = x->index_select(0, by_token);
  permuted.row = integers(new_row);
  permuted.rewards = input.rewards.index_select(0, by_response);
  permuted.group = (input.group.index_select(0, by_response) + 1) % 3;  // and groups renamed
  permuted.on_policy = input.on_policy.index_select(0, by_response);
  for (const auto& objective : all_objectives()) {
    const auto a = evaluate_with_gradient(*objective, input), b = evaluate_with_gradient(*objective, permuted);
    EXPECT_NEAR(a.loss, b.loss, 1e-13) << objective->name();
    EXPECT_LT(largest_difference(a.logprobs.index_select(0, by_token), b.logprobs), 1e-13) << objective->name();
  }
}

TEST(Objective, MicroBatchesThatCutGroupsGiveTheWholeBatchsGradient) {
  ObjectiveInput input = complete_batch(42, {4, 3, 2});
  const int64_t tokens = input.row.size(0);
  constexpr int64_t kVocabulary = 5;
  std::vector<double> values;
  for (uint64_t i = 0; i < static_cast<uint64_t>(3 * kVocabulary); ++i)
    values.push_back(normal({.seed = 43, .stream = Stream::kTest, .ordinal = i}));
  // A little model: logits of a token depend on its position modulo 3.
  at::Tensor weight = doubles(values).reshape({3, kVocabulary}).requires_grad_();
  const at::Tensor position = at::arange(tokens, at::kLong) % 3, target = at::arange(tokens, at::kLong) % kVocabulary;
  const at::Tensor ref = at::log_softmax(doubles(values).reshape({3, kVocabulary}).flip(0), 1);
  const auto forward = [&](int64_t begin, int64_t end) {
    const at::Tensor all = at::log_softmax(weight.index_select(0, position.slice(0, begin, end)), 1);
    const at::Tensor kl = (all.exp() * (all - ref.index_select(0, position.slice(0, begin, end)))).sum(1);
    return std::pair{all.gather(1, target.slice(0, begin, end).unsqueeze(1)).squeeze(1), kl};
  };
  for (const auto& objective : all_objectives()) {
    std::tie(input.logprobs, input.full_vocabulary_kl) = forward(0, tokens);
    weight.mutable_grad() = at::Tensor();
    objective->evaluate(input).loss.backward();
    const at::Tensor whole = weight.grad().clone();

    const ObjectiveGradient gradient = evaluate_with_gradient(*objective, input);
    weight.mutable_grad() = at::Tensor();
    for (int64_t begin = 0; begin < tokens; begin += 4) {
      const int64_t end = std::min(begin + 4, tokens);
      const auto [logprobs, kl] = forward(begin, end);
      at::Tensor product = (gradient.logprobs.slice(0, begin, end) * logprobs).sum();
      if (gradient.full_vocabulary_kl.defined())
        product = product + (gradient.full_vocabulary_kl.slice(0, begin, end) * kl).sum();
      product.backward();
    }
    EXPECT_GT(whole.abs().max().item<double>(), 1e-3) << objective->name();
    EXPECT_LT(largest_difference(weight.grad(), whole), 1e-13) << objective->name();
  }
}

TEST(Objective, WholeResponsesGiveTheSameLossAsTheirTokens) {
  const ObjectiveInput input = random_batch(44, {3, 3});
  ObjectiveInput whole = input;
  for (at::Tensor* x : {&whole.logprobs, &whole.ref_logprobs, &whole.behavior_logprobs})
    *x = sum_per_response(*x, input);
  whole.row = at::arange(6, at::kLong);
  for (const auto& objective : {make_agro({}), make_rloo({}), make_rloo({.clip_epsilon = 0.2})}) {
    const auto a = evaluate_with_gradient(*objective, input), b = evaluate_with_gradient(*objective, whole);
    EXPECT_NEAR(a.loss, b.loss, 1e-13);
    EXPECT_LT(largest_difference(a.logprobs, b.logprobs.index_select(0, input.row)), 1e-13);
  }
}

TEST(Objective, AResponseWithoutTokensHasRatioOne) {
  ObjectiveInput input = random_batch(45, {3});
  const at::Tensor kept = input.row.ne(1);
  for (at::Tensor* x : {&input.logprobs, &input.ref_logprobs, &input.row}) *x = x->masked_select(kept);
  input.behavior_logprobs = at::Tensor();
  EXPECT_EQ(log_ratio(input)[1].item<double>(), 0);
  EXPECT_TRUE(std::isfinite(evaluate_with_gradient(*make_agro({}), input).loss));
}

TEST(Objective, K3IsZeroAtTheReferenceAndConvex) {
  const at::Tensor ref = doubles({-1.0, -2.0, -3.0});
  EXPECT_EQ(largest_difference(kl_k3(ref, ref), doubles({0.0, 0.0, 0.0})), 0);
  const at::Tensor value = kl_k3(doubles({-1.0, -2.5, -2.0}), ref);
  EXPECT_NEAR(largest_difference(value, doubles({0.0, std::exp(0.5) - 1.5, std::exp(-1.0)})), 0, 1e-15);
}

TEST(Objective, BadBatchesGiveOneClearError) {
  const ObjectiveInput good = random_batch(46, {2, 3});
  const auto message = [&](auto&& spoil) {
    ObjectiveInput bad = good;
    spoil(bad);
    return message_of([&] { evaluate_with_gradient(*make_agro({}), bad); });
  };
  const auto spoiled = [](const at::Tensor& x, int64_t index, double value) {
    at::Tensor copy = x.clone();
    copy[index] = value;
    return copy;
  };
  const double infinity = std::numeric_limits<double>::infinity();
  const std::vector<std::pair<std::string, std::string>> found = {
      {message([&](auto& b) { b.logprobs = spoiled(b.logprobs, 2, -infinity); }), "logprobs[2] is -inf"},
      {message([&](auto& b) { b.rewards = spoiled(b.rewards, 1, std::nan("")); }), "rewards[1] is nan"},
      {message([&](auto& b) { b.ref_logprobs = b.ref_logprobs.slice(0, 1); }), "ref_logprobs must be a vector of"},
      {message([&](auto& b) { b.rewards = b.rewards.to(at::kFloat); }), "rewards must be Double, found Float"},
      {message([&](auto& b) { b.logprobs = b.logprobs.to(at::kHalf); }), "float32 or float64, found Half"},
      {message([&](auto& b) { b.row = b.row.flip(0); }), "row must ascend"},
      {message([&](auto& b) { b.row = b.row + 1; }), "row must ascend within 0 … 4"},
      {message([&](auto& b) { b.group = b.group + 100; }), "group must lie within"},
      {message([&](auto& b) {
         b.group = integers({0, 0, 0, 0, 1});
       }),
       "response 4 is alone"},
      {message([&](auto& b) { b.ref_logprobs = at::Tensor(); }), "ref_logprobs is missing"},
      {message([&](auto& b) { b.rewards = b.rewards.slice(0, 0, 0); }), "no responses"}};
  for (const auto& [text, expected] : found) {
    EXPECT_NE(text.find(expected), std::string::npos) << "expected '" << expected << "' in '" << text << "'";
    EXPECT_EQ(text.find("objective 'agro': "), 0u) << text;
  }
}

TEST(Objective, SaysWhatItNeeds) {
  ObjectiveInput input = random_batch(47, {2, 2});
  input.behavior_logprobs = at::Tensor();
  EXPECT_NE(message_of([&] { make_rloo({.clip_epsilon = 0.2})->evaluate(input); }).find("needs behavior_logprobs"),
            std::string::npos);
  const auto full = make_kl_policy_gradient({.kl_estimator = KlEstimator::kFullVocabulary});
  EXPECT_NE(message_of([&] { full->evaluate(input); }).find("needs the full-vocabulary KL"), std::string::npos);
}

}  // namespace
}  // namespace agro
