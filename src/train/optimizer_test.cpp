// AdamW's groups of parameters; its arithmetic is checked against PyTorch in golden_trajectory_test.cpp.
#include "train/optimizer.h"

#include <gtest/gtest.h>

namespace agro {
namespace {

NamedTensor parameter(const std::string& name, std::vector<int64_t> shape) {
  torch::manual_seed(3);
  return {name, torch::randn(shape, torch::kFloat32)};
}

TEST(AdamWGroups, MoveAtTheirOwnRates) {
  const NamedTensor slow = parameter("slow", {2, 3}), other = parameter("other", {5}), fast = parameter("fast", {4});
  const Tensor before[] = {slow.tensor.clone(), other.tensor.clone(), fast.tensor.clone()};
  AdamW optimizer(std::vector<ParameterGroup>{{{slow, other}}, {{fast}, 10}}, {.clip_norm = 0});
  for (const NamedTensor* p : {&slow, &other, &fast}) p->tensor.mutable_grad().fill_(2);
  optimizer.step(1e-3, optimizer.gradient_norm());
  // The first step of Adam is the learning rate against the sign of the gradient.
  EXPECT_TRUE(torch::allclose(before[0] - slow.tensor, torch::full({2, 3}, 1e-3F), 0, 1e-6));
  EXPECT_TRUE(torch::allclose(before[1] - other.tensor, torch::full({5}, 1e-3F), 0, 1e-6));
  EXPECT_TRUE(torch::allclose(before[2] - fast.tensor, torch::full({4}, 1e-2F), 0, 1e-6));
}

TEST(AdamWGroups, ShareOneGradientNorm) {
  const NamedTensor a = parameter("a", {3}), b = parameter("b", {1});
  AdamW optimizer(std::vector<ParameterGroup>{{{a}}, {{b}, 10}}, {});
  a.tensor.mutable_grad().fill_(2);
  b.tensor.mutable_grad().fill_(2);
  EXPECT_NEAR(optimizer.gradient_norm(), 4, 1e-6);
  optimizer.zero_gradients();
  EXPECT_EQ(optimizer.gradient_norm(), 0);
}

}  // namespace
}  // namespace agro
