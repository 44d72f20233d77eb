#include "tensor/ops/activation.h"

#include "tensor/ops/op_case_test.h"

namespace agro {
namespace {

const std::pair<Activation, const char*> kActivations[] = {{Activation::kSilu, "silu"},
                                                           {Activation::kGelu, "gelu"},
                                                           {Activation::kGeluTanh, "gelu_tanh"},
                                                           {Activation::kRelu, "relu"}};
// Around every vector length and the 8192 elements of a task.
const std::vector<int64_t> kSizes = {1, 3, 4, 7, 8, 9, 15, 16, 17, 31, 33, 1009, 8191, 8193};

TEST(Activation, AgreesWithFloat64) {
  for (const auto& [act, name] : kActivations)
    for (const int64_t n : kSizes)
      check_op({fmt::format("{} of {}", name, n),
                {random_tensor({n}, 1, 3.0)},
                [a = act](const std::vector<Tensor>& x) { return activation(x[0], a); },
                [a = act](const std::vector<Tensor>& x) { return activation_ref(x[0], a); }});
}

TEST(GatedActivation, AgreesWithFloat64) {
  for (const auto& [act, name] : kActivations)
    for (const int64_t n : kSizes)
      check_op({fmt::format("gated {} of {}", name, n),
                {random_tensor({1, n}, 1, 3.0), random_tensor({1, n}, 2)},
                [a = act](const std::vector<Tensor>& x) { return gated_activation(x[0], x[1], a); },
                [a = act](const std::vector<Tensor>& x) { return gated_activation_ref(x[0], x[1], a); }});
}

// Where exp overflows, the function has long reached 0 or x.
TEST(Activation, SaturatesFarFromZero) {
  for (const auto& [act, name] : kActivations) {
    constexpr float kNothing = 1e-24F;
    const Tensor x = torch::tensor({-1e4F, -200.0F, -90.0F, 90.0F, 200.0F, 1e4F}).set_requires_grad(true);
    on_every_instruction_set([&, a = act, label = name] {
      x.mutable_grad() = Tensor();
      const Tensor y = activation(x, a);
      EXPECT_LE((y - x.relu()).abs().max().item<float>(), kNothing) << label;
      y.sum().backward();
      EXPECT_LE((x.grad() - x.gt(0).to(torch::kFloat32)).abs().max().item<float>(), kNothing) << label;
    });
  }
}

TEST(Activation, AnElementsBitsDoNotDependOnItsPlace) {
  const Tensor x = random_tensor({53}, 1, 3.0);
  for (const auto& [act, name] : kActivations) {
    on_every_instruction_set([&, a = act, label = name] {
      const Tensor all = activation(x, a);
      for (int64_t i = 0; i < 53; ++i) expect_same_bits(activation(x.narrow(0, i, 1), a), all.narrow(0, i, 1), label);
    });
  }
}

TEST(GatedActivation, UnequalShapesAreRefused) {
  EXPECT_EQ(error_of([] {
              gated_activation(torch::zeros({2, 3}), torch::zeros({2, 2}), Activation::kSilu);
            }),
            "gated activation: gate has 6 elements, the other factor 4");
}

}  // namespace
}  // namespace agro
