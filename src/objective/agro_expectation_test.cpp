// Expectations of AGRO's estimators, computed exactly: a policy over two-token responses is small enough to sum over
// every possible group.
#include <ATen/ops/arange.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/stack.h>
#include <ATen/ops/zeros.h>
#include <ATen/ops/zeros_like.h>

#include "objective/agro.h"
#include "objective/test_support.h"

namespace agro {
namespace {

using namespace testing;

constexpr double kBeta = 0.6;
constexpr int64_t kResponses = 9;  // two tokens out of three

/// An autoregressive table: logits of the first token, and of the second given the first.
struct Table {
  at::Tensor first, second;

  static Table random(uint64_t seed) {
    std::vector<double> values;
    for (uint64_t i = 0; i < 12; ++i) values.push_back(normal({.seed = seed, .stream = Stream::kTest, .ordinal = i}));
    const at::Tensor all = doubles(values);
    return {all.slice(0, 0, 3).clone(), all.slice(0, 3, 12).reshape({3, 3}).clone()};
  }

  /// [9, 2] log-probabilities of the two tokens of every response.
  at::Tensor token_logprobs() const {
    return at::stack({first.log_softmax(0).repeat_interleave(3), second.log_softmax(1).flatten()}, 1);
  }

  at::Tensor gradient_of(const at::Tensor& scalar) {
    for (at::Tensor* x : {&first, &second}) x->mutable_grad() = at::Tensor();
    scalar.backward();
    return at::cat({first.grad(), second.grad().flatten()});
  }
};

class AgroExpectation : public ::testing::Test {
 protected:
  AgroExpectation() {
    policy_.first.requires_grad_();
    policy_.second.requires_grad_();
    rewards_ = doubles({0.0, 1.0, 0.3, -0.7, 0.2, 1.1, 0.5, 0.0, 2.0});
    ref_ = Table::random(32).token_logprobs();
  }

  at::Tensor regularized() const { return rewards_ - kBeta * (policy_.token_logprobs() - ref_).sum(1); }

  static at::Tensor half_variance(const at::Tensor& probability, const at::Tensor& x) {
    return (probability * (x - (probability * x).sum()).square()).sum() / 2;
  }

  /// Parameter gradient of `objective`, averaged over every group of n responses drawn i.i.d. from `source` [9].
  at::Tensor expected_gradient(const Objective& objective, const at::Tensor& source, int64_t n) {
    const at::Tensor logprobs = policy_.token_logprobs().detach();
    at::Tensor per_token = at::zeros_like(logprobs);
    int64_t combinations = 1;
    for (int64_t k = 0; k < n; ++k) combinations *= kResponses;
    for (int64_t code = 0; code < combinations; ++code) {
      std::vector<int64_t> drawn;
      for (int64_t k = 0, rest = code; k < n; ++k, rest /= kResponses) drawn.push_back(rest % kResponses);
      const at::Tensor index = integers(drawn);
      ObjectiveInput input;
      input.logprobs = logprobs.index_select(0, index).flatten();
      input.ref_logprobs = ref_.index_select(0, index).flatten();
      input.row = at::arange(n, at::kLong).repeat_interleave(2);
      input.rewards = rewards_.index_select(0, index);
      input.group = at::zeros({n}, at::kLong);
      input.on_policy = input.group.eq(0);
      const at::Tensor probability = source.index_select(0, index).prod();
      const at::Tensor gradient = evaluate_with_gradient(objective, input).logprobs.reshape({n, 2});
      per_token.index_add_(0, index, probability * gradient);
    }
    return policy_.gradient_of((per_token * policy_.token_logprobs()).sum());
  }

  Table policy_ = Table::random(31);
  at::Tensor ref_, rewards_;
};

TEST_F(AgroExpectation, OffPolicyIsTheGradientOfHalfTheVariance) {
  const at::Tensor source = Table::random(33).token_logprobs().sum(1).exp();
  const at::Tensor exact = policy_.gradient_of(half_variance(source, regularized()));  // A5
  const auto objective = make_agro({.beta = kBeta, .loss_scale = LossScale::kNone});
  for (const int64_t n : {2, 3}) EXPECT_LT(largest_difference(expected_gradient(*objective, source, n), exact), 1e-12);
}

TEST_F(AgroExpectation, OnPolicyIsTheNegativeGradientOfTheObjective) {
  const at::Tensor probability = policy_.token_logprobs().sum(1).exp();
  const at::Tensor ascent = policy_.gradient_of((probability * regularized()).sum());  // ∇J; A8
  const auto objective = make_agro({.beta = kBeta});
  EXPECT_LT(largest_difference(expected_gradient(*objective, probability.detach(), 3), -ascent), 1e-12);
}

TEST_F(AgroExpectation, ThroughSamplingIsTheGradientOfTheOnPolicyVariance) {
  const at::Tensor probability = policy_.token_logprobs().sum(1).exp();
  const at::Tensor source = probability.detach();
  const at::Tensor exact = policy_.gradient_of(half_variance(probability, regularized()));  // A9
  for (const AgroForm form : {AgroForm::kVariance, AgroForm::kSurrogate}) {
    const auto objective =
        make_agro({.beta = kBeta, .loss_scale = LossScale::kNone, .form = form, .through_sampling = true});
    EXPECT_LT(largest_difference(expected_gradient(*objective, source, 3), exact), 1e-12);
  }
  const auto scaled = make_agro({.beta = kBeta, .through_sampling = true});
  EXPECT_LT(largest_difference(kBeta * expected_gradient(*scaled, source, 2), exact), 1e-12);
  EXPECT_GT(largest_difference(expected_gradient(*make_agro({.beta = kBeta}), source, 2), exact), 1e-3);
}

TEST_F(AgroExpectation, TokenCreditHasTheExpectationOfSequenceCredit) {
  const at::Tensor probability = policy_.token_logprobs().sum(1).exp();
  const at::Tensor ascent = policy_.gradient_of((probability * regularized()).sum());
  const auto objective = make_agro({.beta = kBeta, .credit = Credit::kToken});  // A10
  EXPECT_LT(largest_difference(expected_gradient(*objective, probability.detach(), 3), -ascent), 1e-12);
}

TEST_F(AgroExpectation, OnPolicyCorrectionsLeaveTheReportedLoss) {
  ObjectiveInput input = random_batch(34, {3, 4});
  input.on_policy = input.rewards.isfinite();
  const double loss = make_agro({})->evaluate(input).loss.item<double>();
  EXPECT_EQ(make_agro({.through_sampling = true})->evaluate(input).loss.item<double>(), loss);
  EXPECT_EQ(make_agro({.credit = Credit::kToken})->evaluate(input).loss.item<double>(), loss);
  const at::Tensor sequence = evaluate_with_gradient(*make_agro({}), input).logprobs;
  const at::Tensor token = evaluate_with_gradient(*make_agro({.credit = Credit::kToken}), input).logprobs;
  const at::Tensor begins = at::cat({at::ones({1}, at::kLong), input.row.diff()}).gt(0);
  EXPECT_LT(largest_difference(sequence.masked_select(begins), token.masked_select(begins)), 1e-14);
  EXPECT_GT(largest_difference(sequence, token), 1e-3);
}

}  // namespace
}  // namespace agro
