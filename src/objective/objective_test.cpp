#include "objective/objective.h"

#include <ATen/ops/arange.h>

#include <cmath>
#include <limits>

#include "objective/agro.h"
#include "objective/group.h"
#include "objective/rloo.h"
#include "objective/test_support.h"

namespace agro {
namespace {

using namespace testing;

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
  EXPECT_EQ(log_ratio(input)[1].item<double>(), 0);
  EXPECT_EQ(mean_per_response(input.logprobs, input)[1].item<double>(), 0);
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

TEST(Objective, BadPairsAndValuesGiveOneClearError) {
  const ObjectiveInput good = complete_batch(47, {2, 3});  // groups 0 1 0 1 1
  const auto message = [&](auto&& spoil) {
    ObjectiveInput bad = good;
    spoil(bad);
    return message_of([&] { evaluate_with_gradient(*make_agro({}), bad); });
  };
  EXPECT_EQ(message([](auto&) {}), "");
  const auto pairs = [](const std::vector<int64_t>& rows) { return integers(rows).reshape({-1, 2}); };
  const std::vector<std::pair<std::string, std::string>> found = {
      {message([&](auto& b) {
         b.pairs = integers({0, 2});
       }),
       "pairs must have two columns"},
      {message([&](auto& b) {
         b.pairs = pairs({0, 5});
       }),
       "pairs must name responses within 0 … 4"},
      {message([&](auto& b) {
         b.pairs = pairs({0, 2, 1, 1});
       }),
       "pairs[1] = (1, 1) pairs a response with itself"},
      {message([&](auto& b) {
         b.pairs = pairs({0, 1});
       }),
       "pairs[0] = (0, 1) pairs responses of different prompts"},
      {message([&](auto& b) { b.pairs = pairs({}); }), "pairs is empty"},
      {message([&](auto& b) { b.pairs = b.pairs.to(at::kInt); }), "pairs must be Long, found Int"},
      {message([&](auto& b) { b.values = b.values.slice(0, 1); }), "values must be a vector of"},
      {message([&](auto& b) { b.old_values = b.old_values / 0; }), "old_values[0] is "},
      {message([&](auto& b) { b.optimal_values = b.rewards; }),
       "optimal_values must be a vector of 2 values, found shape 5"}};
  for (const auto& [text, expected] : found)
    EXPECT_NE(text.find(expected), std::string::npos) << "expected '" << expected << "' in '" << text << "'";
}

}  // namespace
}  // namespace agro
