#include "objective/kl.h"

#include <ATen/ops/arange.h>
#include <ATen/ops/log_softmax.h>

#include <cmath>

#include "objective/agro.h"
#include "objective/group.h"
#include "objective/kl_policy_gradient.h"
#include "objective/test_support.h"

namespace agro {
namespace {

using namespace testing;

TEST(Kl, K3IsZeroAtTheReferenceAndConvex) {
  const at::Tensor ref = doubles({-1.0, -2.0, -3.0});
  EXPECT_EQ(largest_difference(kl_k3(ref, ref), doubles({0.0, 0.0, 0.0})), 0);
  const at::Tensor value = kl_k3(doubles({-1.0, -2.5, -2.0}), ref);
  EXPECT_NEAR(largest_difference(value, doubles({0.0, std::exp(0.5) - 1.5, std::exp(-1.0)})), 0, 1e-15);
}

/// Expectations over a vocabulary of four, exactly: value and gradient of each estimator under tokens of the policy.
class KlExpectation : public ::testing::Test {
 protected:
  at::Tensor logits_ = doubles({0.3, -1.1, 0.8, 0.1}).requires_grad_();
  at::Tensor policy_ = at::log_softmax(logits_, 0);
  at::Tensor ref_ = at::log_softmax(doubles({1.0, 0.2, -0.4, 0.0}), 0);

  at::Tensor gradient_of(const at::Tensor& scalar) {
    logits_.mutable_grad() = at::Tensor();
    scalar.backward({}, true);
    return logits_.grad().clone();
  }
  at::Tensor mean(const at::Tensor& estimate) const { return (policy_.detach().exp() * estimate).sum(); }
};

TEST_F(KlExpectation, ValuesAndGradientsAreAsDocumented) {
  const at::Tensor kl = (policy_.exp() * (policy_ - ref_)).sum();
  const at::Tensor reverse = (ref_.exp() * (ref_ - policy_)).sum();
  const at::Tensor k1 = mean(kl_k1(policy_, ref_)), k2 = mean(kl_k2(policy_, ref_)), k3 = mean(kl_k3(policy_, ref_));
  EXPECT_NEAR(k1.item<double>(), kl.item<double>(), 1e-15);
  EXPECT_NEAR(k3.item<double>(), kl.item<double>(), 1e-15);
  EXPECT_GT(std::abs(k2.item<double>() - kl.item<double>()), 1e-3);
  EXPECT_LT(gradient_of(k1).abs().max().item<double>(), 1e-15);
  EXPECT_LT(largest_difference(gradient_of(k2), gradient_of(kl)), 1e-15);
  EXPECT_LT(largest_difference(gradient_of(k3), gradient_of(reverse)), 1e-15);
  EXPECT_GT(largest_difference(gradient_of(kl), gradient_of(reverse)), 1e-3);
}

TEST(Kl, K2WithCentredLogRatiosIsAgro) {
  ObjectiveInput input = random_batch(81, {4, 4, 4});
  const at::Tensor whole = sum_per_response(input.logprobs - input.ref_logprobs, input);
  const Groups groups(input.group, at::kDouble);
  input.logprobs = whole - groups.spread(groups.mean(whole)) - 1.0;
  input.ref_logprobs = input.logprobs * 0 - 1.0;
  input.behavior_logprobs = at::Tensor();
  input.row = at::arange(12, at::kLong);  // one token each
  const double beta = 0.3;
  const at::Tensor agro = evaluate_with_gradient(*make_agro({.beta = beta}), input).logprobs;
  const KlPolicyGradientOptions foil{.beta = beta * 4 / 3, .kl_estimator = KlEstimator::kK2};
  EXPECT_LT(largest_difference(evaluate_with_gradient(*make_kl_policy_gradient(foil), input).logprobs, agro), 1e-14);
}

}  // namespace
}  // namespace agro
