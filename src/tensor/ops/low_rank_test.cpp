// Linear layers with a low-rank part (LoRA).
#include "tensor/ops/linear.h"
#include "tensor/ops/op_case_test.h"

namespace agro {
namespace {

struct Shape {
  int64_t n, in, out, rank;
};
const Shape kShapes[] = {{1, 1, 1, 1}, {3, 64, 31, 4}, {17, 65, 96, 16}, {97, 33, 10, 40}, {130, 129, 64, 8}};
constexpr double kScale = 1.75;

LinearWeight with_low_rank(const Tensor& weight, const Tensor& bias, WeightLayout layout, const Tensor& a,
                           const Tensor& b, Products products = Products::kFloat32) {
  LinearWeight w;
  w.weight = weight, w.bias = bias, w.layout = layout, w.products = products;
  LowRank part;
  part.a = a, part.b = b, part.scale = kScale;
  w.low_rank = part;
  return w;
}

std::vector<int64_t> weight_shape(const Shape& s, WeightLayout layout) {
  return layout == WeightLayout::kOutIn ? std::vector<int64_t>{s.out, s.in} : std::vector<int64_t>{s.in, s.out};
}

/// x, W, A, B and perhaps a bias, all inputs of the operator.
std::vector<Tensor> inputs_of(const Shape& s, WeightLayout layout, bool bias) {
  std::vector<Tensor> inputs{random_tensor({s.n, s.in}, 1), random_tensor(weight_shape(s, layout), 2),
                             random_tensor({s.rank, s.in}, 5), random_tensor({s.out, s.rank}, 6)};
  if (bias) inputs.push_back(random_tensor({s.out}, 3));
  return inputs;
}

OpCase::Function applied(Tensor (*apply)(const Tensor&, const LinearWeight&), WeightLayout layout) {
  return [=](const std::vector<Tensor>& x) {
    return apply(x[0], with_low_rank(x[1], x.size() > 4 ? x[4] : Tensor(), layout, x[2], x[3]));
  };
}

TEST(LowRank, Float32AgainstFloat64) {
  for (const Shape& s : kShapes)
    for (const WeightLayout layout : {WeightLayout::kOutIn, WeightLayout::kInOut})
      for (const bool bias : {false, true})
        check_op({fmt::format("x [{}, {}], {} outputs, rank {}{}", s.n, s.in, s.out, s.rank, bias ? ", bias" : ""),
                  inputs_of(s, layout, bias), applied(linear, layout), applied(linear_ref, layout)});
}

TEST(LowRank, ReferenceAgainstCentralDifferences) {
  for (const WeightLayout layout : {WeightLayout::kOutIn, WeightLayout::kInOut})
    check_central_differences(applied(linear_ref, layout), inputs_of({5, 7, 6, 2}, layout, true));
}

TEST(LowRank, AFrozenBFloat16WeightIsWidened) {
  const Shape s{21, 70, 65, 8};
  const Tensor weight = random_tensor({s.out, s.in}, 2).to(torch::kBFloat16);
  const auto with = [&](const auto& apply) {
    return [=](const std::vector<Tensor>& x) {
      return apply(x[0], with_low_rank(weight, Tensor(), WeightLayout::kOutIn, x[1], x[2]));
    };
  };
  check_op({"frozen bfloat16",
            {random_tensor({s.n, s.in}, 1), random_tensor({s.rank, s.in}, 5), random_tensor({s.out, s.rank}, 6)},
            with(linear),
            with(linear_ref)});
}

/// In float64, where every product of two bfloat16 numbers is exact.
Tensor rounded(const Tensor& x) { return x.to(torch::kBFloat16).to(torch::kDouble); }

// The inner factors u and v are rounded once more as they enter the second product.
TEST(LowRank, BFloat16ProductsAgreeWithFloat64OnRoundedInputs) {
  const Shape s{37, 96, 70, 16};
  const Tensor leaf = random_tensor({s.n, s.in}, 1).set_requires_grad(true),
               weight = random_tensor({s.out, s.in}, 2).to(torch::kBFloat16),
               a = random_tensor({s.rank, s.in}, 5).set_requires_grad(true),
               b = random_tensor({s.out, s.rank}, 6).set_requires_grad(true), dy = random_tensor({s.n, s.out}, 4);
  const Tensor y = linear(leaf, with_low_rank(weight, Tensor(), WeightLayout::kOutIn, a, b, Products::kBFloat16));
  y.backward(dy);
  const torch::NoGradGuard no_grad;
  const Tensor w = weight.to(torch::kDouble), ra = rounded(a), rb = rounded(b), rx = rounded(leaf), rdy = rounded(dy);
  const Tensor u = kScale * rx.matmul(ra.t()), v = kScale * rdy.matmul(rb);
  // u and v reach half an ulp of bfloat16 apart where float32 and float64 round to different neighbours.
  const double tolerance = 1e-4;
  EXPECT_LE(error_against(y, rx.matmul(w.t()) + rounded(u.to(torch::kFloat)).matmul(rb.t())), tolerance);
  EXPECT_LE(error_against(leaf.grad(), rdy.matmul(w) + rounded(v.to(torch::kFloat)).matmul(ra)), tolerance);
  EXPECT_LE(error_against(a.grad(), rounded(v.to(torch::kFloat)).t().matmul(rx)), tolerance);
  EXPECT_LE(error_against(b.grad(), rdy.t().matmul(rounded(u.to(torch::kFloat)))), tolerance);
}

TEST(LowRank, ZeroBGivesTheBitsOfTheBase) {
  const Shape s{19, 96, 70, 16};
  const Tensor x = random_tensor({s.n, s.in}, 1), bias = random_tensor({s.out}, 3);
  for (const Products products : {Products::kFloat32, Products::kBFloat16}) {
    for (const at::ScalarType dtype : {at::kFloat, at::kBFloat16}) {
      LinearWeight w = with_low_rank(random_tensor({s.out, s.in}, 2).to(dtype), bias, WeightLayout::kOutIn,
                                     random_tensor({s.rank, s.in}, 5), torch::zeros({s.out, s.rank}), products);
      const Tensor with = linear(x, w);
      EXPECT_TRUE(merged_weight(w).is_same(w.weight.detach()) || torch::equal(merged_weight(w), w.weight));
      EXPECT_EQ(merged_weight(w).data_ptr(), w.weight.data_ptr()) << "nothing to merge: nothing is computed";
      w.low_rank.reset();
      expect_same_bits(with, linear(x, w), "output with B = 0");
    }
  }
}

// A row's bits depend on that row alone, so that the sampler and the trainer agree.
TEST(LowRank, ARowHasTheSameBitsInAnyBatch) {
  const Shape s{41, 96, 70, 16};
  const Tensor x = random_tensor({s.n, s.in}, 1);
  for (const Products products : {Products::kFloat32, Products::kBFloat16}) {
    const LinearWeight w = with_low_rank(random_tensor({s.out, s.in}, 2), Tensor(), WeightLayout::kOutIn,
                                         random_tensor({s.rank, s.in}, 5), random_tensor({s.out, s.rank}, 6), products);
    const Tensor all = linear(x, w);
    for (const int64_t row : {0, 7, 40}) expect_same_bits(linear(x.narrow(0, row, 1), w), all.narrow(0, row, 1), "row");
  }
}

TEST(LowRank, TheMergedWeightDoesTheSame) {
  for (const Shape& s : kShapes) {
    for (const WeightLayout layout : {WeightLayout::kOutIn, WeightLayout::kInOut}) {
      const std::vector<Tensor> in = inputs_of(s, layout, false);
      const LinearWeight w = with_low_rank(in[1], Tensor(), layout, in[2], in[3]);
      LinearWeight merged;
      merged.weight = merged_weight(w), merged.layout = layout;
      EXPECT_EQ(merged.weight.sizes(), in[1].sizes());
      EXPECT_LE(error_against(linear(in[0], merged), linear_ref(in[0].to(torch::kDouble), w)), 2e-6);
    }
  }
}

TEST(LowRank, OnlyWhatRequiresAGradientGetsOne) {
  const Shape s{9, 12, 10, 3};
  std::vector<Tensor> in = inputs_of(s, WeightLayout::kOutIn, true);
  in[2].set_requires_grad(true), in[3].set_requires_grad(true);
  linear(in[0], with_low_rank(in[1], in[4], WeightLayout::kOutIn, in[2], in[3])).sum().backward();
  EXPECT_TRUE(in[2].grad().defined() && in[3].grad().defined());
  for (const size_t frozen : {0, 1, 4}) EXPECT_FALSE(in[frozen].grad().defined()) << frozen;
}

TEST(LowRank, AfterAnUpdateInPlaceTheNewPartsAreUsed) {
  const Shape s{9, 12, 10, 3};
  const std::vector<Tensor> in = inputs_of(s, WeightLayout::kOutIn, false);
  const LinearWeight w = with_low_rank(in[1], Tensor(), WeightLayout::kOutIn, in[2], in[3]);
  linear(in[0], w);
  in[2].mul_(1.5), in[3].add_(0.25);
  EXPECT_LE(error_against(linear(in[0], w), linear_ref(in[0].to(torch::kDouble), w)), 2e-6);
}

TEST(LowRank, WrongShapesAreNamed) {
  const Tensor x = random_tensor({2, 3}, 1), weight = random_tensor({5, 3}, 2);
  const auto error = [&](std::vector<int64_t> a, std::vector<int64_t> b) {
    return error_of(
        [&] { linear(x, with_low_rank(weight, Tensor(), WeightLayout::kOutIn, torch::zeros(a), torch::zeros(b))); });
  };
  EXPECT_EQ(error({2, 4}, {5, 2}), "matrix A of a low-rank part has shape [2, 4], expected [-1, 3]");
  EXPECT_EQ(error({2, 3}, {5, 1}), "matrix B of a low-rank part has shape [5, 1], expected [5, 2]");
  EXPECT_EQ(error({2, 3}, {4, 2}), "matrix B of a low-rank part has shape [4, 2], expected [5, 2]");
  EXPECT_EQ(error({0, 3}, {5, 0}), "a low-rank part has rank 0");
}

}  // namespace
}  // namespace agro
