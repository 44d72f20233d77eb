#include "tensor/ops/norm.h"

#include "tensor/ops/norm_cpu.h"
#include "tensor/ops/op_case_test.h"

namespace agro {
namespace {

constexpr double kEps = 1e-5;

struct Shape {
  int64_t n, c;
};
// Rows around the task (16) and the chunk of the weight's gradient (64); columns around every vector length.
const Shape kShapes[] = {{1, 1},   {1, 2},   {2, 3},   {15, 4}, {16, 7},   {17, 8},  {3, 15},
                         {63, 16}, {64, 17}, {65, 31}, {5, 33}, {129, 64}, {7, 577}, {2, 2048}};

TEST(RmsNorm, AgreesWithFloat64) {
  for (const Shape& s : kShapes)
    check_op({fmt::format("[{}, {}]", s.n, s.c),
              {random_tensor({s.n, s.c}, 1), random_tensor({s.c}, 2)},
              [](const std::vector<Tensor>& x) { return rms_norm(x[0], x[1], kEps); },
              [](const std::vector<Tensor>& x) { return rms_norm_ref(x[0], x[1], kEps); },
              1e-6,
              1e-5});
}

TEST(RmsNorm, NormalisesEveryHeadByItself) {
  for (const int64_t c : {1, 8, 17})
    for (const int64_t heads : {2, 3})
      check_op({fmt::format("{} heads of {}", heads, c),
                {random_tensor({13, heads * c}, 1), random_tensor({c}, 2)},
                [](const std::vector<Tensor>& x) { return rms_norm(x[0], x[1], kEps); },
                [](const std::vector<Tensor>& x) { return rms_norm_ref(x[0], x[1], kEps); },
                1e-6,
                1e-5});
}

TEST(LayerNorm, AgreesWithFloat64) {
  for (const Shape& s : kShapes) {
    if (s.c == 1) continue;  // x − mean(x) is zero: below
    check_op({fmt::format("[{}, {}]", s.n, s.c),
              {random_tensor({s.n, s.c}, 1), random_tensor({s.c}, 2), random_tensor({s.c}, 3)},
              [](const std::vector<Tensor>& x) { return layer_norm(x[0], x[1], x[2], kEps); },
              [](const std::vector<Tensor>& x) { return layer_norm_ref(x[0], x[1], x[2], kEps); },
              1e-6,
              1e-5});
  }
}

TEST(LayerNorm, OfOneColumnIsTheBias) {
  const Tensor x = random_tensor({5, 1}, 1).set_requires_grad(true), bias = torch::full({1}, 0.25F);
  const Tensor y = layer_norm(x, torch::ones({1}), bias, kEps);
  EXPECT_TRUE(torch::equal(y, torch::full({5, 1}, 0.25F)));
  y.sum().backward();
  EXPECT_TRUE(torch::equal(x.grad(), torch::zeros({5, 1})));
}

// The mean is taken off before squaring: a large common offset costs the digits of x itself and no more.
TEST(LayerNorm, LargeOffsetDoesNotCancel) {
  const Tensor x = random_tensor({4, 37}, 1) + 1000.0, weight = torch::ones({37}), bias = torch::zeros({37});
  on_every_instruction_set([&] {
    EXPECT_LE(
        error_against(layer_norm(x, weight, bias, kEps), layer_norm_ref(x.to(torch::kDouble), weight, bias, kEps)),
        2e-4);
  });
}

TEST(Norm, ARowAloneHasTheSameBitsAsInABatch) {
  const Tensor x = random_tensor({37, 45}, 1), weight = random_tensor({45}, 2), bias = random_tensor({45}, 3);
  on_every_instruction_set([&] {
    const Tensor rms = rms_norm(x, weight, kEps), layer = layer_norm(x, weight, bias, kEps);
    for (int64_t row = 0; row < 37; ++row) {
      expect_same_bits(rms_norm(x.narrow(0, row, 1), weight, kEps), rms.narrow(0, row, 1), "rms_norm");
      expect_same_bits(layer_norm(x.narrow(0, row, 1), weight, bias, kEps), layer.narrow(0, row, 1), "layer_norm");
    }
  });
}

TEST(Norm, ShapesThatDoNotFitAreNamed) {
  EXPECT_EQ(error_of([] {
              rms_norm(torch::zeros({2, 5}), torch::ones({3}), kEps);
            }),
            "norm: input of 5 columns does not fit a weight of 3");
  EXPECT_EQ(error_of([] {
              layer_norm(torch::zeros({2, 6}), torch::ones({3}), torch::zeros({3}), kEps);
            }),
            "input of layer_norm has shape [2, 6], expected [-1, 3]");
  EXPECT_EQ(error_of([] {
              layer_norm(torch::zeros({2, 3}), torch::ones({3}), torch::zeros({2}), kEps);
            }),
            "bias of layer_norm has shape [2], expected [3]");
}

TEST(ColumnSum, AgreesWithFloat64ForAnyNumberOfRows) {
  for (const int64_t n : {0, 1, 63, 64, 65, 200}) {
    for (const int64_t c : {1, 15, 33}) {
      const Tensor x = random_tensor({n, c}, 1);
      on_every_instruction_set([&] {
        Tensor out = torch::full({c}, 99.0F);
        column_sum(n, c, read_pointer<float>(x), write_pointer<float>(out));
        EXPECT_LE(error_against(out, x.to(torch::kDouble).sum(0)), 1e-6) << n << " x " << c;
      });
    }
  }
}

}  // namespace
}  // namespace agro
