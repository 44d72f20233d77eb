// Prompts computed once for the responses of their group: what is packed, and that values and gradients are those of
// every response computed with a prompt of its own.
#include "model/completion_batch.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/parallel.h"
#include "core/rng.h"
#include "model/model_folder.h"

namespace agro {
namespace {

using testing::ElementsAre;

std::vector<int64_t> values_of(const Tensor& t) {
  return {read_pointer<int64_t>(t), read_pointer<int64_t>(t) + t.numel()};
}

/// Tokens that items point to.
struct Texts {
  std::vector<std::pair<TokenIds, TokenIds>> pairs;  // prompt, completion

  std::vector<PromptCompletion> items() const {
    std::vector<PromptCompletion> result;
    for (const auto& [prompt, completion] : pairs) result.push_back({prompt, completion});
    return result;
  }
};

TEST(PackCompletions, NeighboursShareTheirPrompt) {
  const Texts texts{{{{1, 2, 3}, {4, 5, 6}}, {{1, 2, 3}, {7}}, {{1, 2, 3}, {8, 9}}, {{1, 2}, {3, 4}}}};
  const CompletionBatch batch = pack_completions(texts.items());
  EXPECT_THAT(values_of(batch.tokens.ids), ElementsAre(1, 2, 3, 4, 5, 8, 1, 2, 3));
  EXPECT_THAT(values_of(batch.tokens.positions), ElementsAre(0, 1, 2, 3, 4, 3, 0, 1, 2));
  EXPECT_THAT(batch.tokens.offsets, ElementsAre(0, 3, 5, 6, 9));
  EXPECT_THAT(batch.tokens.prefixes, ElementsAre(-1, 0, 0, -1));
  EXPECT_THAT(values_of(batch.rows), ElementsAre(2, 3, 4, 2, 2, 5, 7, 8));
  EXPECT_THAT(values_of(batch.targets), ElementsAre(4, 5, 6, 7, 8, 9, 3, 4));
}

TEST(PackCompletions, OnlyNeighboursWithEqualPromptsShare) {
  const Texts texts{{{{1, 2}, {5, 6}}, {{1, 3}, {5, 6}}, {{1, 2}, {7, 8}}, {{1}, {2, 7}}}};
  const CompletionBatch batch = pack_completions(texts.items());
  EXPECT_THAT(values_of(batch.tokens.ids), ElementsAre(1, 2, 5, 1, 3, 5, 1, 2, 7, 1, 2));
  EXPECT_THAT(batch.tokens.offsets, ElementsAre(0, 3, 6, 9, 11));
  EXPECT_TRUE(batch.tokens.prefixes.empty());
}

TEST(PackCompletions, PackedTokensAreThoseOfTheBatch) {
  const Texts texts{{{{1, 2, 3}, {4, 5, 6}}, {{1, 2, 3}, {7}}, {{1, 2}, {3, 4}}, {{1, 2, 3}, {7}}, {{9}, {7}}}};
  const auto items = texts.items();
  int64_t upper_bound = 0;
  for (size_t count = 1; count <= items.size(); ++count) {
    const auto some = std::span(items).first(count);
    upper_bound += packed_length(some.back());
    EXPECT_EQ(packed_tokens(some), pack_completions(some).tokens.tokens());
    EXPECT_LE(packed_tokens(some), upper_bound);
  }
}

TEST(PackCompletions, PrefixesAreNotForTheCache) {
  const CausalLm model = ModelFolder(Path(AGRO_SOURCE_DIR) / "tests/golden/llama_gqa").load(WeightDtype::kFloat32);
  KvCache cache(model.config(), 2, 8, model.activation_options());
  EXPECT_THROW(model.hidden_states(pack_sequences({{1, 2}, {3}}, {}, {-1, 0}), cache, {{0, 0}, {1, 0}}), Error);
}

struct Case {
  std::string model;
  std::vector<int64_t> windows;  // empty: those of the config
};

class SharedPrompts : public testing::TestWithParam<Case> {
 protected:
  SharedPrompts() {
    // Ragged groups, a group of one, one whose responses are all one token, and the first prompt once more.
    add_group(0, 7, {5, 1, 9, 2});
    add_group(1, 12, {3});
    add_group(2, 17, {1, 1});
    add_group(3, 1, {4, 6});
    add_group(0, 7, {3, 8});
  }

  void add_group(uint32_t prompt, int64_t length, const std::vector<int64_t>& completions) {
    const auto draw = [&](uint64_t which, uint32_t draw_index, int64_t count) {
      TokenIds ids;
      for (uint32_t t = 0; t < count; ++t)
        ids.push_back(static_cast<TokenId>(uniform_below({3, Stream::kTest, which, draw_index, t}, 256)));
      return ids;
    };
    for (const int64_t completion : completions)
      texts.pairs.push_back({draw(0, prompt, length), draw(1, static_cast<uint32_t>(texts.pairs.size()), completion)});
  }

  CausalLm model(WeightDtype dtype) const {
    const ModelFolder folder(Path(AGRO_SOURCE_DIR) / "tests/golden" / GetParam().model);
    CausalLm loaded = folder.load(dtype);
    for (const NamedTensor& p : loaded.parameters()) p.tensor.set_requires_grad(true);
    if (GetParam().windows.empty()) return loaded;
    ModelConfig config = folder.config();
    config.attention_windows = GetParam().windows;
    return {config, [&](const std::string& name) {
              for (const NamedTensor& p : loaded.parameters())
                if (p.name == name) return p.tensor;
              throw fail("no tensor {}", name);
            }};
  }

  struct Outcome {
    Tensor logprobs;
    std::vector<Tensor> gradients;
  };

  /// Log-probabilities, and the gradients of Σ weight · log-probability, weights from −1 to 1.
  static Outcome outcome(const CausalLm& model, const std::function<Tensor()>& logprobs) {
    for (const NamedTensor& p : model.parameters()) p.tensor.mutable_grad() = Tensor();
    Outcome result{logprobs(), {}};
    const Tensor weights = torch::linspace(-1, 1, result.logprobs.size(0), torch::kDouble).mul(7).sin();
    (result.logprobs * weights.to(result.logprobs.scalar_type())).sum().backward();
    result.logprobs = result.logprobs.detach();
    for (const NamedTensor& p : model.parameters()) result.gradients.push_back(p.tensor.grad().clone());
    return result;
  }

  Outcome shared(const CausalLm& model) const {
    return outcome(model, [&] { return completion_logprobs(model, texts.items()); });
  }
  Outcome one_by_one(const CausalLm& model) const {
    return outcome(model, [&] {
      std::vector<Tensor> parts;
      for (const PromptCompletion& item : texts.items()) parts.push_back(completion_logprobs(model, {&item, 1}));
      return torch::cat(parts);
    });
  }

  static void expect_close(const CausalLm& model, const Outcome& found, const Outcome& expected, double tolerance) {
    for (size_t i = 0; i < expected.gradients.size(); ++i)
      EXPECT_LE((found.gradients[i] - expected.gradients[i]).norm().item<double>(),
                tolerance * std::max(1e-3, expected.gradients[i].norm().item<double>()))
          << model.parameters()[i].name;
  }

  Texts texts;
};

TEST_P(SharedPrompts, Float64GradientsAreThoseOfEveryResponseAlone) {
  const CausalLm exact = model(WeightDtype::kFloat64);
  const Outcome found = shared(exact), expected = one_by_one(exact);
  EXPECT_LE((found.logprobs - expected.logprobs).abs().max().item<double>(), 1e-12);
  expect_close(exact, found, expected, 1e-10);
}

// The kernels compute every row in one order, whatever shares it; only gradients are summed in another.
TEST_P(SharedPrompts, Float32ValuesHaveTheBitsOfEveryResponseAlone) {
  const CausalLm fast = model(WeightDtype::kFloat32);
  const Outcome found = shared(fast), expected = one_by_one(fast);
  EXPECT_TRUE(torch::equal(found.logprobs, expected.logprobs));
  expect_close(fast, found, expected, 1e-5);
}

TEST_P(SharedPrompts, Float32GradientsAgreeWithFloat64) {
  const Outcome exact = one_by_one(model(WeightDtype::kFloat64));
  const CausalLm fast = model(WeightDtype::kFloat32);
  Outcome found = shared(fast);
  for (Tensor& gradient : found.gradients) gradient = gradient.to(torch::kDouble);
  expect_close(fast, found, exact, 1e-5);
}

TEST_P(SharedPrompts, ThreadsDoNotChangeTheBits) {
  const CausalLm fast = model(WeightDtype::kFloat32);
  const int before = thread_count();
  std::vector<Outcome> outcomes;
  for (const int threads : {1, 2, 3}) {
    set_up_threads(threads);
    outcomes.push_back(shared(fast));
  }
  set_up_threads(before);
  for (size_t t = 1; t < outcomes.size(); ++t) {
    EXPECT_TRUE(torch::equal(outcomes[t].logprobs, outcomes[0].logprobs));
    for (size_t i = 0; i < outcomes[0].gradients.size(); ++i)
      EXPECT_TRUE(torch::equal(outcomes[t].gradients[i], outcomes[0].gradients[i])) << fast.parameters()[i].name;
  }
}

// Windows shorter and longer than the prompts, the same in every layer and not.
INSTANTIATE_TEST_SUITE_P(Models, SharedPrompts,
                         testing::Values(Case{"gpt2", {}}, Case{"llama_gqa", {}}, Case{"smollm2_tied", {}},
                                         Case{"qwen2_tied", {}}, Case{"qwen3_qknorm_bf16", {}},
                                         Case{"llama_gqa", {1, 1}}, Case{"qwen2_tied", {3, 3}},
                                         Case{"qwen3_qknorm_bf16", {0, 10}}),
                         [](const auto& test) {
                           std::string name = test.param.model;
                           for (const int64_t window : test.param.windows) name += fmt::format("_{}", window);
                           return name;
                         });

}  // namespace
}  // namespace agro
