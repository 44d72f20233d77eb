// Recomputed layers give the bits of kept ones.
#include <gtest/gtest.h>

#include "model/completion_batch.h"
#include "model/lora.h"
#include "model/model_folder.h"

namespace agro {
namespace {

const Path kGolden = Path(AGRO_SOURCE_DIR) / "tests/golden";

struct Gradients {
  Tensor logprobs;
  std::vector<NamedTensor> of;
};

class Recompute : public ::testing::TestWithParam<std::string> {
 protected:
  static TokenIds ids(int64_t first, int64_t count) {
    TokenIds tokens;
    for (int64_t i = 0; i < count; ++i) tokens.push_back(static_cast<TokenId>(3 + (first + 7 * i) % 60));
    return tokens;
  }

  /// Two groups with shared prompts and a lone response, in two micro-batches whose gradients add up.
  static Gradients gradients(CausalLm& model, bool recompute) {
    model.set_recompute(recompute);
    for (const NamedTensor& p : model.trainable_parameters()) {
      p.tensor.set_requires_grad(true);
      p.tensor.mutable_grad() = Tensor();
    }
    const TokenIds prompts[] = {ids(1, 6), ids(2, 4), ids(3, 5)};
    const TokenIds completions[] = {ids(10, 5), ids(11, 3), ids(12, 4), ids(13, 6)};
    const std::vector<PromptCompletion> items{{prompts[0], completions[0]},
                                              {prompts[0], completions[1]},
                                              {prompts[1], completions[2]},
                                              {prompts[2], completions[3]}};
    Gradients result;
    std::vector<Tensor> logprobs;
    for (const auto& part : {std::span(items).first(3), std::span(items).subspan(3)}) {
      logprobs.push_back(completion_logprobs(model, part));
      (logprobs.back() * logprobs.back()).sum().backward();
    }
    result.logprobs = torch::cat(logprobs).detach();
    for (const NamedTensor& p : model.trainable_parameters()) result.of.push_back({p.name, p.tensor.grad().clone()});
    return result;
  }

  static void expect_same(const Gradients& kept, const Gradients& recomputed) {
    EXPECT_TRUE(torch::equal(kept.logprobs, recomputed.logprobs));
    ASSERT_EQ(kept.of.size(), recomputed.of.size());
    for (size_t i = 0; i < kept.of.size(); ++i) {
      EXPECT_GT(kept.of[i].tensor.abs().sum().item<double>(), 0) << kept.of[i].name;
      EXPECT_TRUE(torch::equal(kept.of[i].tensor, recomputed.of[i].tensor)) << kept.of[i].name;
    }
  }
};

TEST_P(Recompute, AllWeights) {
  const ModelFolder folder(kGolden / GetParam());
  for (const Products products : {Products::kFloat32, Products::kBFloat16}) {
    CausalLm model = folder.load(WeightDtype::kFloat32);
    model.set_products(products);
    expect_same(gradients(model, false), gradients(model, true));
  }
}

TEST_P(Recompute, Float64) {
  CausalLm model = ModelFolder(kGolden / GetParam()).load(WeightDtype::kFloat64);
  expect_same(gradients(model, false), gradients(model, true));
}

// No input of the first layer requires a gradient, yet its adapters get theirs.
TEST_P(Recompute, AdaptersOfFrozenWeights) {
  CausalLm model = ModelFolder(kGolden / GetParam()).load(WeightDtype::kSame);
  add_lora(model, {.rank = 4, .alpha = 8, .targets = {}}, 1);
  for (const NamedTensor& p : model.low_rank_parameters())
    if (p.name.find("lora_B") != std::string::npos) p.tensor.fill_(0.01);
  expect_same(gradients(model, false), gradients(model, true));
  for (const NamedTensor& p : model.parameters()) EXPECT_FALSE(p.tensor.grad().defined()) << p.name;
}

INSTANTIATE_TEST_SUITE_P(Families, Recompute,
                         ::testing::Values("gpt2", "llama_gqa", "smollm2_tied", "qwen2_tied", "qwen3_qknorm_bf16"),
                         [](const auto& test) { return test.param; });

TEST(RecomputeLayer, AParameterChangedInBetweenIsNoticed) {
  CausalLm model = ModelFolder(kGolden / "llama_gqa").load(WeightDtype::kFloat32);
  model.set_recompute(true);
  for (const NamedTensor& p : model.parameters()) p.tensor.set_requires_grad(true);
  const TokenIds ids{1, 2, 3, 4};
  const Tensor sum = model.hidden_states(pack_sequences({ids})).sum();
  {
    const torch::NoGradGuard no_grad;
    model.linears().front()->weight.mul_(2);
  }
  EXPECT_THROW(sum.backward(), c10::Error);
}

}  // namespace
}  // namespace agro
