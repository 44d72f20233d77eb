#include "tensor/ops/vocabulary_kl.h"

#include "tensor/ops/op_case_test.h"

namespace agro {
namespace {

LinearWeight head_of(const Tensor& weight) {
  LinearWeight head;
  head.weight = weight;
  return head;
}

struct Shape {
  int64_t n, c, ref_c, vocabulary;
};

OpCase::Function kl(const Tensor& ref_hidden, const Tensor& ref_weight, bool reference) {
  return [=](const std::vector<Tensor>& x) {
    const Tensor states = ref_hidden.to(x[0].scalar_type());
    return reference ? vocabulary_kl_ref(x[0], head_of(x[1]), states, head_of(ref_weight))
                     : vocabulary_kl(x[0], head_of(x[1]), states, head_of(ref_weight));
  };
}

// The reference model may be of another width; 2050 rows over 4097 tokens take several chunks.
TEST(VocabularyKl, AgreesWithFloat64) {
  for (const Shape& s :
       {Shape{1, 1, 1, 1}, {2, 5, 3, 2}, {9, 8, 8, 10}, {3, 17, 4, 4095}, {3, 16, 16, 4097}, {2050, 3, 2, 4097}})
    check_op({fmt::format("[{}, {}] over {}", s.n, s.c, s.vocabulary),
              {random_tensor({s.n, s.c}, 1), random_tensor({s.vocabulary, s.c}, 2)},
              kl(random_tensor({s.n, s.ref_c}, 3), random_tensor({s.vocabulary, s.ref_c}, 4), false),
              kl(random_tensor({s.n, s.ref_c}, 3), random_tensor({s.vocabulary, s.ref_c}, 4), true),
              2e-6,
              2e-5});
}

TEST(VocabularyKl, BFloat16ReferenceAgreesWithFloat64) {
  const Tensor ref_weight = random_tensor({37, 8}, 4).to(torch::kBFloat16);
  check_op({"bfloat16 reference",
            {random_tensor({9, 8}, 1), random_tensor({37, 8}, 2)},
            kl(random_tensor({9, 8}, 3), ref_weight, false),
            kl(random_tensor({9, 8}, 3), ref_weight, true),
            2e-6,
            2e-5});
}

TEST(VocabularyKl, BFloat16ProductsAgreeWithFloat64OnRoundedInputs) {
  const auto rounded = [](const Tensor& x) { return x.to(torch::kBFloat16).to(torch::kFloat); };
  const std::vector<Tensor> inputs{rounded(random_tensor({9, 40}, 1, 0.3)), rounded(random_tensor({130, 40}, 2))};
  const Tensor ref_hidden = rounded(random_tensor({9, 8}, 3)), ref_weight = rounded(random_tensor({130, 8}, 4));
  const OpResult exact = evaluate(kl(ref_hidden, ref_weight, true), inputs, torch::kDouble);
  const OpResult found = evaluate(
      [&](const std::vector<Tensor>& x) {
        LinearWeight head = head_of(x[1]), ref_head = head_of(ref_weight);
        head.products = ref_head.products = Products::kBFloat16;
        return vocabulary_kl(x[0], head, ref_hidden, ref_head);
      },
      inputs, torch::kFloat32);
  EXPECT_LE(error_against(found.value, exact.value), 2e-6);
  for (size_t i = 0; i < 2; ++i) EXPECT_LE(error_against(found.gradients[i], exact.gradients[i]), 0x1p-8) << i;
}

TEST(VocabularyKl, IsZeroBetweenEqualsAndPositiveOtherwise) {
  const Tensor hidden = random_tensor({20, 6}, 1), weight = random_tensor({50, 6}, 2);
  EXPECT_LE(vocabulary_kl(hidden, head_of(weight), hidden, head_of(weight)).abs().max().item<float>(), 0.0F);
  EXPECT_GT(vocabulary_kl(hidden, head_of(weight), random_tensor({20, 6}, 3), head_of(weight)).min().item<float>(),
            0.0F);
}

TEST(VocabularyKl, ReferenceAgreesWithCentralDifferencesThroughTheHead) {
  const std::vector<Tensor> inputs{random_tensor({3, 4}, 1), random_tensor({5, 4}, 2)};
  const Tensor ref_hidden = random_tensor({3, 2}, 3), ref_weight = random_tensor({5, 2}, 4);
  check_central_differences(kl(ref_hidden, ref_weight, true), inputs);
}

TEST(VocabularyKl, BadShapesAreNamed) {
  const Tensor hidden = torch::zeros({2, 3});
  EXPECT_EQ(error_of([&] {
              vocabulary_kl(hidden, head_of(torch::zeros({5, 3})), hidden, head_of(torch::zeros({6, 3})));
            }),
            "policy and reference have vocabularies of 5 and 6 tokens");
  EXPECT_EQ(error_of([&] {
              vocabulary_kl(hidden, head_of(torch::zeros({5, 3})), torch::zeros({3, 3}), head_of(torch::zeros({5, 3})));
            }),
            "hidden states of the reference has shape [3, 3], expected [2, 3]");
}

}  // namespace
}  // namespace agro
