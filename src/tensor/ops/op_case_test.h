#pragma once
// One list of cases per operator; every case compares value and gradients with the operator's `_ref` version in
// float64, on every instruction set and with one and two threads.
#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <string>
#include <vector>

#include "core/rng.h"
#include "core/test_error.h"
#include "tensor/ops/instruction_sets_test.h"
#include "tensor/torch_compat.h"

namespace agro {

/// float32 deviates from N(0, scale²), the same on every run; `which` tells tensors of one test apart.
inline Tensor random_tensor(const std::vector<int64_t>& shape, uint64_t which, double scale = 1.0) {
  Tensor t = torch::empty(shape, torch::kFloat32);
  auto* values = write_pointer<float>(t);
  for (int64_t i = 0; i < t.numel(); ++i)
    values[i] = static_cast<float>(scale * normal({20240607, Stream::kTest, which, 0, static_cast<uint32_t>(i)}));
  return t;
}

inline Tensor random_ids(int64_t count, int64_t bound, uint64_t which) {
  std::vector<int64_t> ids;
  for (uint32_t i = 0; i < count; ++i)
    ids.push_back(
        static_cast<int64_t>(uniform_below({20240607, Stream::kTest, which, 1, i}, static_cast<uint64_t>(bound))));
  return int64_tensor(ids);
}

struct OpCase {
  using Function = std::function<Tensor(const std::vector<Tensor>& inputs)>;

  std::string name;
  std::vector<Tensor> inputs;  // float32; the gradient is taken in each
  Function op;
  Function reference;  // gets the inputs in float64
  // Largest |found − exact| allowed, relative to the largest |exact| of the tensor where that exceeds 1.
  double value_error = 1e-6;
  double gradient_error = 2e-6;
};

struct OpResult {
  Tensor value;
  std::vector<Tensor> gradients;
};

/// Value, and gradients of Σ value · (fixed random numbers). Inputs start one element off their allocation, so that
/// kernels meet rows that are not aligned to vectors.
inline OpResult evaluate(const OpCase::Function& function, const std::vector<Tensor>& inputs, at::ScalarType dtype) {
  std::vector<Tensor> leaves;
  for (const Tensor& input : inputs) {
    Tensor leaf = torch::empty({input.numel() + 1}, dtype).narrow(0, 1, input.numel()).view(input.sizes());
    leaf.copy_(input);
    leaves.push_back(leaf.detach().set_requires_grad(true));
  }
  OpResult result{function(leaves), {}};
  result.value.backward(random_tensor(result.value.sizes().vec(), 777).to(dtype));
  result.value = result.value.detach();
  for (const Tensor& leaf : leaves)
    result.gradients.push_back(leaf.grad().defined() ? leaf.grad() : torch::zeros_like(leaf));
  return result;
}

inline double error_against(const Tensor& found, const Tensor& exact) {
  if (exact.numel() == 0) return 0;
  const double difference = (found.to(torch::kDouble) - exact).abs().max().item<double>();
  return difference / std::max(1.0, exact.abs().max().item<double>());
}

inline void expect_same_bits(const Tensor& a, const Tensor& b, const std::string& what) {
  EXPECT_TRUE(a.sizes() == b.sizes() && (a.numel() == 0 || torch::equal(a, b))) << what << " differs in its bits";
}

inline void check_op(const OpCase& c) {
  SCOPED_TRACE(c.name);
  const OpResult exact = evaluate(c.reference, c.inputs, torch::kDouble);
  on_every_instruction_set([&] {
    OpResult one, two;
    {
      const ThreadsForTest threads(1);
      one = evaluate(c.op, c.inputs, torch::kFloat32);
    }
    {
      const ThreadsForTest threads(2);
      two = evaluate(c.op, c.inputs, torch::kFloat32);
    }
    ASSERT_EQ(one.value.sizes(), exact.value.sizes());
    EXPECT_LE(error_against(one.value, exact.value), c.value_error) << "value";
    expect_same_bits(one.value, two.value, "value with two threads");
    for (size_t i = 0; i < c.inputs.size(); ++i) {
      EXPECT_LE(error_against(one.gradients[i], exact.gradients[i]), c.gradient_error) << "gradient of input " << i;
      expect_same_bits(one.gradients[i], two.gradients[i], "gradient with two threads");
    }
  });
}

/// Gradients of `function` in float64 against central differences.
inline void check_central_differences(const OpCase::Function& function, const std::vector<Tensor>& inputs,
                                      double tolerance = 1e-7) {
  constexpr double kStep = 1e-5;
  const OpResult exact = evaluate(function, inputs, torch::kDouble);
  const Tensor cotangent = random_tensor(exact.value.sizes().vec(), 777).to(torch::kDouble);
  const torch::NoGradGuard no_grad;
  std::vector<Tensor> point;
  for (const Tensor& input : inputs) point.push_back(input.to(torch::kDouble));
  for (size_t which = 0; which < inputs.size(); ++which) {
    const Tensor flat = point[which].view({-1});
    for (int64_t i = 0; i < flat.size(0); ++i) {
      const double before = flat[i].item<double>();
      const auto loss_at = [&](double x) {
        flat[i] = x;
        return (function(point) * cotangent).sum().item<double>();
      };
      const double slope = (loss_at(before + kStep) - loss_at(before - kStep)) / (2 * kStep);
      flat[i] = before;
      ASSERT_NEAR(exact.gradients[which].view({-1})[i].item<double>(), slope, tolerance)
          << "input " << which << ", element " << i;
    }
  }
}

}  // namespace agro
