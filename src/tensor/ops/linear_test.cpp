#include "tensor/ops/linear.h"

#include "tensor/ops/op_case_test.h"

namespace agro {
namespace {

struct Shape {
  int64_t n, in, out;
};
const Shape kShapes[] = {{1, 1, 1}, {1, 7, 33}, {3, 64, 31}, {17, 65, 96}, {97, 33, 10}, {130, 129, 64}};

LinearWeight linear_weight(const Tensor& weight, const Tensor& bias, WeightLayout layout) {
  LinearWeight w;
  w.weight = weight, w.bias = bias, w.layout = layout;
  return w;
}

std::vector<int64_t> weight_shape(const Shape& s, WeightLayout layout) {
  return layout == WeightLayout::kOutIn ? std::vector<int64_t>{s.out, s.in} : std::vector<int64_t>{s.in, s.out};
}

TEST(Linear, Float32AgainstFloat64) {
  for (const Shape& s : kShapes) {
    for (const WeightLayout layout : {WeightLayout::kOutIn, WeightLayout::kInOut}) {
      for (const bool bias : {false, true}) {
        std::vector<Tensor> inputs{random_tensor({s.n, s.in}, 1), random_tensor(weight_shape(s, layout), 2)};
        if (bias) inputs.push_back(random_tensor({s.out}, 3));
        const auto with = [=](const auto& apply) {
          return [=](const std::vector<Tensor>& x) {
            return apply(x[0], linear_weight(x[1], bias ? x[2] : Tensor(), layout));
          };
        };
        check_op({fmt::format("x [{}, {}], {} outputs, {}, {}", s.n, s.in, s.out,
                              layout == WeightLayout::kOutIn ? "[out, in]" : "[in, out]", bias ? "bias" : "no bias"),
                  inputs, with(linear), with(linear_ref)});
      }
    }
  }
}

// Widening bfloat16 is exact: measured against the rounded weights, the error is float32's.
TEST(Linear, BFloat16WeightsAgainstFloat64) {
  for (const Shape& s : kShapes) {
    for (const WeightLayout layout : {WeightLayout::kOutIn, WeightLayout::kInOut}) {
      const Tensor weight = random_tensor(weight_shape(s, layout), 2).to(torch::kBFloat16),
                   bias = random_tensor({s.out}, 3);
      const auto with = [=](const auto& apply) {
        return [=](const std::vector<Tensor>& x) { return apply(x[0], linear_weight(weight, bias, layout)); };
      };
      check_op({fmt::format("x [{}, {}], {} bfloat16 outputs", s.n, s.in, s.out),
                {random_tensor({s.n, s.in}, 1)},
                with(linear),
                with(linear_ref)});
    }
  }
}

// Against weights before rounding, bfloat16's 2⁻⁹ per weight shows, and no more.
TEST(Linear, BFloat16RoundingStaysWithinItsBound) {
  const Tensor x = random_tensor({9, 256}, 1), exact_weight = random_tensor({65, 256}, 2);
  const Tensor found =
      linear(x, linear_weight(exact_weight.to(torch::kBFloat16), Tensor(), WeightLayout::kOutIn)).to(torch::kDouble);
  const Tensor exact = x.to(torch::kDouble).matmul(exact_weight.to(torch::kDouble).t());
  const Tensor bound = 0x1p-8 * x.to(torch::kDouble).abs().matmul(exact_weight.to(torch::kDouble).abs().t());
  EXPECT_TRUE(((found - exact).abs() <= bound).all().item<bool>());
  EXPECT_GT(error_against(found, exact), 1e-5) << "the weights were not rounded: the test shows nothing";
}

TEST(Linear, NoRowsGiveNoRows) {
  const LinearWeight w = linear_weight(random_tensor({5, 3}, 2), Tensor(), WeightLayout::kOutIn);
  EXPECT_EQ(linear(torch::empty({0, 3}), w).sizes(), (std::vector<int64_t>{0, 5}));
}

TEST(Linear, ATransposedViewIsReadAsItLooks) {
  const Tensor x = random_tensor({12, 4}, 1).t(), weight = random_tensor({12, 5}, 2).t();
  const LinearWeight w = linear_weight(weight, Tensor(), WeightLayout::kOutIn);
  EXPECT_LE(error_against(linear(x, w), linear_ref(x.to(torch::kDouble), w)), 1e-6);
}

TEST(Linear, WrongInputShapeIsNamed) {
  const LinearWeight w = linear_weight(random_tensor({5, 3}, 2), Tensor(), WeightLayout::kOutIn);
  EXPECT_EQ(error_of([&] {
              linear(torch::zeros({2, 4}), w);
            }),
            "input of a linear layer has shape [2, 4], expected [-1, 3]");
  EXPECT_EQ(error_of([&] { linear(torch::zeros({3}), w); }), "input of a linear layer has shape [3], expected [-1, 3]");
  EXPECT_EQ(error_of([&] { check_shape(Tensor(), {2}, "the thing"); }), "the thing is missing, expected shape [2]");
}

TEST(Linear, WrongBiasIsNamed) {
  const LinearWeight w = linear_weight(random_tensor({5, 3}, 2), torch::zeros({4}), WeightLayout::kOutIn);
  EXPECT_EQ(error_of([&] { linear(torch::zeros({2, 3}), w); }), "bias of a linear layer has shape [4], expected [5]");
}

class WeightPackRefresh : public ::testing::Test {
 protected:
  WeightPackRefresh()
      : x(random_tensor({4, 40}, 1)), w(linear_weight(random_tensor({33, 40}, 2), Tensor(), WeightLayout::kOutIn)) {
    before = linear(x, w);
  }
  void expect_fresh() const {
    const Tensor after = linear(x, w);
    EXPECT_FALSE(torch::equal(before, after));
    EXPECT_LE(error_against(after, linear_ref(x.to(torch::kDouble), w)), 1e-6);
  }
  Tensor x;
  LinearWeight w;
  Tensor before;
};

TEST_F(WeightPackRefresh, UnchangedWeightIsPackedOnce) {
  const std::byte* panel = w.pack->get(w.weight, w.layout).panel(0);
  EXPECT_EQ(w.pack->get(w.weight, w.layout).panel(0), panel);
}

TEST_F(WeightPackRefresh, AfterAnUpdateInPlace) {
  w.weight.mul_(1.5);
  expect_fresh();
}

TEST_F(WeightPackRefresh, AfterAnUpdateThroughAView) {
  w.weight.select(0, 3).zero_();
  expect_fresh();
}

TEST_F(WeightPackRefresh, AfterMarkChanged) {
  write_pointer<float>(w.weight)[7] += 1.0F;  // LibTorch cannot see this
  expect_same_bits(linear(x, w), before, "the packed copy, before mark_changed,");
  mark_changed(w.weight);
  expect_fresh();
}

TEST_F(WeightPackRefresh, AfterTheTensorIsExchanged) {
  w.weight.set_data(random_tensor({33, 40}, 5));
  expect_fresh();
}

}  // namespace
}  // namespace agro
