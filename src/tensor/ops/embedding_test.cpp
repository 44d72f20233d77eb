#include "tensor/ops/embedding.h"

#include "tensor/ops/op_case_test.h"

namespace agro {
namespace {

TEST(EmbedRows, RepeatedIdsAddTheirGradients) {
  for (const int64_t c : {1, 63, 64, 65, 200}) {
    for (const int64_t vocabulary : {1, 10, 4097}) {
      const Tensor ids = random_ids(50, vocabulary, 7);
      const auto lookup = [ids](const std::vector<Tensor>& x) { return embed_rows(x[0], ids); };
      check_op({fmt::format("{} x {}", vocabulary, c),
                {random_tensor({vocabulary, c}, 1)},
                lookup,
                [ids](const std::vector<Tensor>& x) { return x[0].index_select(0, ids); },
                0.0});
    }
  }
}

TEST(EmbedRows, NoIdsGiveNoRowsAndNoGradient) {
  const Tensor weight = random_tensor({4, 3}, 1).set_requires_grad(true);
  const Tensor y = embed_rows(weight, torch::empty({0}, torch::kInt64));
  EXPECT_EQ(y.sizes(), (std::vector<int64_t>{0, 3}));
  y.sum().backward();
  EXPECT_TRUE(torch::equal(weight.grad(), torch::zeros({4, 3})));
}

// Where a gradient is there already, only the rows that occur are added; a tied output layer adds its part as well.
TEST(EmbedRows, AddedToAGradientItHasTheSameBits) {
  const int64_t vocabulary = 300, c = 70;
  const Tensor weight = random_tensor({vocabulary, c}, 1), before = random_tensor({vocabulary, c}, 2),
               head = random_tensor({vocabulary, c}, 3), ids = random_ids(90, 40, 7);
  const auto gradient = [&](bool tied, bool added) {
    const Tensor leaf = weight.clone().set_requires_grad(true);
    if (added) leaf.mutable_grad() = before.clone();
    Tensor sum = embed_rows(leaf, ids).pow(2).sum();
    if (tied) sum = sum + (leaf * head).sum();
    sum.backward();
    return leaf.grad();
  };
  for (const bool tied : {false, true}) {
    for (const int threads : {1, 2}) {
      const ThreadsForTest set(threads);
      const Tensor found = gradient(tied, true);
      ASSERT_FALSE(found.is_sparse());
      expect_same_bits(found, before + gradient(tied, false), tied ? "tied gradient" : "gradient");
    }
  }
}

TEST(EmbedRows, BFloat16IsWidened) {
  const Tensor weight = random_tensor({9, 5}, 1).to(torch::kBFloat16), ids = random_ids(20, 9, 7);
  const Tensor rows = embed_rows(weight, ids);
  ASSERT_EQ(rows.scalar_type(), torch::kFloat32);
  EXPECT_TRUE(torch::equal(rows, weight.to(torch::kFloat32).index_select(0, ids)));
}

TEST(EmbedRows, IdsMayBeAView) {
  const Tensor weight = random_tensor({9, 5}, 1), ids = random_ids(20, 9, 7).view({10, 2}).select(1, 1);
  const auto gradient = [&](const Tensor& which) {
    const Tensor leaf = weight.clone().set_requires_grad(true);
    embed_rows(leaf, which).pow(2).sum().backward();
    return leaf.grad();
  };
  expect_same_bits(gradient(ids), gradient(ids.contiguous()), "gradient");
}

TEST(EmbedRows, IdOutsideTheVocabularyIsNamed) {
  const Tensor weight = random_tensor({9, 5}, 1);
  EXPECT_EQ(error_of([&] {
              embed_rows(weight, int64_tensor({0, 9}));
            }),
            "token id 9 is outside the model's vocabulary of 9");
  EXPECT_EQ(error_of([&] { embed_rows(weight, int64_tensor({-1})); }),
            "token id -1 is outside the model's vocabulary of 9");
}

}  // namespace
}  // namespace agro
