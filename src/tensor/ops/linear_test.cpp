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

LinearWeight with_bfloat16_products(LinearWeight w) {
  w.products = Products::kBFloat16;
  return w;
}

/// In float64, where every product of two bfloat16 numbers is exact.
Tensor rounded(const Tensor& x) { return x.to(torch::kBFloat16).to(torch::kDouble); }

struct LinearResult {
  Tensor value, dx, dweight, dbias;
};

LinearResult evaluate_rounded(const Tensor& x, const Tensor& weight, const Tensor& bias, WeightLayout layout,
                              const Tensor& cotangent) {
  const Tensor leaves[] = {x.clone().set_requires_grad(true), weight.clone().set_requires_grad(true),
                           bias.clone().set_requires_grad(true)};
  const Tensor value = linear(leaves[0], with_bfloat16_products(linear_weight(leaves[1], leaves[2], layout)));
  value.backward(cotangent);
  return {value.detach(), leaves[0].grad(), leaves[1].grad(), leaves[2].grad()};
}

// What enters a product is rounded, forward and backward; the only other error is that of float32 sums.
TEST(Linear, BFloat16ProductsAgreeWithFloat64OnRoundedInputs) {
  std::vector<Shape> shapes(std::begin(kShapes), std::end(kShapes));
  shapes.push_back({2100, 40, 70});  // more rows than the gradient sums over in one kernel
  for (const Shape& s : shapes) {
    for (const WeightLayout layout : {WeightLayout::kOutIn, WeightLayout::kInOut}) {
      SCOPED_TRACE(fmt::format("x [{}, {}], {} outputs, {}", s.n, s.in, s.out,
                               layout == WeightLayout::kOutIn ? "[out, in]" : "[in, out]"));
      const Tensor x = random_tensor({s.n, s.in}, 1), weight = random_tensor(weight_shape(s, layout), 2),
                   bias = random_tensor({s.out}, 3), cotangent = random_tensor({s.n, s.out}, 4);
      const bool stored_out_in = layout == WeightLayout::kOutIn;
      const Tensor out_in = stored_out_in ? rounded(weight) : rounded(weight).t();
      const Tensor exact_value = rounded(x).matmul(out_in.t()) + bias.to(torch::kDouble);
      const Tensor exact_dx = rounded(cotangent).matmul(out_in);
      const Tensor exact_dweight = rounded(cotangent).t().matmul(rounded(x));
      on_every_instruction_set([&] {
        LinearResult one, two;
        {
          const ThreadsForTest threads(1);
          one = evaluate_rounded(x, weight, bias, layout, cotangent);
        }
        {
          const ThreadsForTest threads(2);
          two = evaluate_rounded(x, weight, bias, layout, cotangent);
        }
        EXPECT_LE(error_against(one.value, exact_value), 1e-6);
        EXPECT_LE(error_against(one.dx, exact_dx), 2e-6);
        EXPECT_LE(error_against(one.dweight, stored_out_in ? exact_dweight : exact_dweight.t()), 2e-6);
        EXPECT_LE(error_against(one.dbias, cotangent.to(torch::kDouble).sum(0)), 2e-6) << "no product: not rounded";
        expect_same_bits(one.value, two.value, "value with two threads");
        expect_same_bits(one.dx, two.dx, "dx with two threads");
        expect_same_bits(one.dweight, two.dweight, "dweight with two threads");
      });
    }
  }
}

TEST(Linear, BFloat16ProductsOfAFrozenBFloat16Weight) {
  const Tensor x = random_tensor({21, 70}, 1), weight = random_tensor({65, 70}, 2).to(torch::kBFloat16);
  const LinearWeight w = with_bfloat16_products(linear_weight(weight, Tensor(), WeightLayout::kOutIn));
  EXPECT_LE(error_against(linear(x, w), rounded(x).matmul(weight.to(torch::kDouble).t())), 1e-6);
}

TEST(Linear, ProductsAreNamed) {
  EXPECT_EQ(products_named("float32"), Products::kFloat32);
  EXPECT_EQ(products_named("bfloat16"), Products::kBFloat16);
  EXPECT_EQ(error_of([] { products_named("float16"); }),
            "products of 'float16' are not known\n  hint: known: float32, bfloat16");
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
  const auto panel = [&] { return std::get<PackedMatrix>(w.pack->get(w.weight, w.layout, w.products)).panel(0); };
  const std::byte* before_call = panel();
  EXPECT_EQ(panel(), before_call);
}

TEST_F(WeightPackRefresh, AfterAnUpdateInPlace) {
  w.weight.mul_(1.5);
  expect_fresh();
}

TEST_F(WeightPackRefresh, AfterAnUpdateThroughAView) {
  w.weight.select(0, 3).zero_();
  expect_fresh();
}

TEST_F(WeightPackRefresh, AfterTheProductsChange) {
  w.products = Products::kBFloat16;
  EXPECT_LE(error_against(linear(x, w), rounded(x).matmul(rounded(w.weight).t())), 1e-6);
  w.products = Products::kFloat32;
  expect_same_bits(linear(x, w), before, "back with float32 products, the value");
}

TEST_F(WeightPackRefresh, BothCopiesOfBFloat16ProductsAfterAnUpdate) {
  w.products = Products::kBFloat16;
  const auto value_and_gradient = [&] {
    const Tensor leaf = x.clone().set_requires_grad(true);
    const Tensor value = linear(leaf, w);
    value.backward(torch::ones_like(value));
    return std::pair{value.detach(), leaf.grad()};
  };
  value_and_gradient();
  w.weight.mul_(1.5);
  const auto [value, gradient] = value_and_gradient();
  EXPECT_LE(error_against(value, rounded(x).matmul(rounded(w.weight).t())), 1e-6);
  EXPECT_LE(error_against(gradient, rounded(w.weight).sum(0).expand({4, 40})), 2e-6);
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
