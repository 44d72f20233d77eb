// Sampling against transformers' greedy outputs, and what a response may depend on.
#include "generate/engine.h"

#include <gtest/gtest.h>

#include <cmath>

#include "core/json.h"
#include "core/parallel.h"
#include "model/completion_batch.h"
#include "model/model_folder.h"

namespace agro {
namespace {

const Path kGolden = Path(AGRO_SOURCE_DIR) / "tests/golden";

SamplingConfig greedy(int64_t tokens) {
  SamplingConfig sampling;
  sampling.greedy = true;
  sampling.max_new_tokens = tokens;
  return sampling;
}

class GoldenGreedy : public ::testing::TestWithParam<std::string> {
 protected:
  GoldenGreedy()
      : model(ModelFolder(kGolden / GetParam()).load(WeightDtype::kFloat32)),
        golden(read_json(kGolden / GetParam() / "golden.json")) {}
  CausalLm model;
  Json golden;
};

TEST_P(GoldenGreedy, ContinuesAsTransformersDoes) {
  SamplingConfig sampling = greedy(16);
  sampling.ignore_eos = true;
  const std::vector<GenerationRequest> requests{{golden["greedy"]["prefix"].get<TokenIds>(), 0, 0, 1}};
  const auto result = Engine(model, nullptr, {}).generate(requests, sampling, 0, Stream::kEvaluation);
  EXPECT_EQ(result[0][0].ids, golden["greedy"]["new_tokens"].get<TokenIds>());
  EXPECT_EQ(result[0][0].finish, FinishReason::kLength);
}

TEST_P(GoldenGreedy, RaggedPromptsInOneBatch) {
  SamplingConfig sampling = greedy(16);
  sampling.ignore_eos = true;
  const Json& batch = golden["greedy_leftpad_batch"];
  std::vector<GenerationRequest> requests;
  for (size_t row = 0; row < batch["input_ids"].size(); ++row) {
    TokenIds prompt;
    for (size_t t = 0; t < batch["input_ids"][row].size(); ++t)
      if (batch["attention_mask"][row][t].get<int>() == 1) prompt.push_back(batch["input_ids"][row][t].get<TokenId>());
    requests.push_back({prompt, row, 0, 1});
  }
  const auto result = Engine(model, nullptr, {}).generate(requests, sampling, 0, Stream::kEvaluation);
  for (size_t row = 0; row < requests.size(); ++row)
    EXPECT_EQ(result[row][0].ids, batch["new_tokens"][row].get<TokenIds>()) << row;
}

TEST_P(GoldenGreedy, StopsAfterTheEndToken) {
  const Json& stop = golden["greedy_eos_stop"];
  SamplingConfig sampling = greedy(16);
  sampling.ignore_eos = true;  // the case names its own end token
  sampling.stop_ids = {stop["eos_token_id"].get<TokenId>()};
  const std::vector<GenerationRequest> requests{{stop["prefix"].get<TokenIds>(), 0, 0, 1}};
  const auto result = Engine(model, nullptr, {}).generate(requests, sampling, 0, Stream::kEvaluation);
  EXPECT_EQ(result[0][0].ids, stop["new_tokens_including_eos"].get<TokenIds>());
  EXPECT_EQ(result[0][0].finish, FinishReason::kStop);
}

INSTANTIATE_TEST_SUITE_P(Families, GoldenGreedy,
                         ::testing::Values("gpt2", "llama_gqa", "smollm2_tied", "qwen2_tied", "qwen3_qknorm_bf16"),
                         [](const auto& test) { return test.param; });

class EngineInvariance : public ::testing::TestWithParam<std::string> {
 protected:
  EngineInvariance() : model(ModelFolder(kGolden / GetParam()).load(WeightDtype::kSame)) {
    for (uint64_t p = 0; p < 7; ++p) {
      TokenIds prompt;
      for (uint64_t t = 0; t < 3 + 2 * p; ++t)
        prompt.push_back(static_cast<TokenId>(uniform_below({7, Stream::kTest, p, 0, static_cast<uint32_t>(t)}, 200)));
      requests.push_back({prompt, p, 0, static_cast<int64_t>(1 + p % 4)});
    }
    sampling.max_new_tokens = 20;
  }
  std::vector<std::vector<Completion>> run(EngineOptions options, std::span<const GenerationRequest> which,
                                           GenerationStatistics* statistics = nullptr) const {
    return Engine(model, nullptr, options).generate(which, sampling, 42, Stream::kSampling, statistics);
  }
  CausalLm model;
  std::vector<GenerationRequest> requests;
  SamplingConfig sampling;
};

void expect_equal(const std::vector<std::vector<Completion>>& a, const std::vector<std::vector<Completion>>& b) {
  ASSERT_EQ(a.size(), b.size());
  for (size_t r = 0; r < a.size(); ++r) {
    ASSERT_EQ(a[r].size(), b[r].size());
    for (size_t i = 0; i < a[r].size(); ++i) {
      EXPECT_EQ(a[r][i].ids, b[r][i].ids) << r << ", " << i;
      EXPECT_EQ(a[r][i].logprobs, b[r][i].logprobs) << "not equal to the bit: " << r << ", " << i;
    }
  }
}

TEST_P(EngineInvariance, BatchSizeDoesNotMatter) {
  const auto together = run({}, requests);
  expect_equal(together, run({.max_sequences = 4, .prefill_tokens = 1}, requests));
  for (size_t r = 0; r < requests.size(); ++r) expect_equal({together[r]}, run({}, std::span(requests).subspan(r, 1)));
}

TEST_P(EngineInvariance, ACacheOfLittleMemoryDoesNotMatter) {
  GenerationStatistics plenty, little;
  const auto together = run({}, requests, &plenty);
  expect_equal(together, run({.kv_cache_gib = 1e-9}, requests, &little));
  // What fits one prompt's responses only: every prompt waits for the one before.
  EXPECT_GT(little.passes, plenty.passes);
}

TEST_P(EngineInvariance, ThreadCountDoesNotMatter) {
  const int threads = thread_count();
  set_up_threads(1);
  const auto one = run({}, requests);
  set_up_threads(2);
  const auto two = run({}, requests);
  set_up_threads(threads);
  expect_equal(one, two);
}

// One forward pass for sampling and training: not close, equal.
TEST_P(EngineInvariance, SamplerLogprobsAreTheTrainersToTheBit) {
  const torch::NoGradGuard no_grad;
  const auto sampled = run({}, requests);
  for (size_t r = 0; r < requests.size(); ++r) {
    for (const Completion& c : sampled[r]) {
      const std::vector<PromptCompletion> items{{requests[r].prompt, c.ids}};
      const Tensor logprobs = completion_logprobs(model, items);
      for (size_t t = 0; t < c.ids.size(); ++t)
        ASSERT_EQ(logprobs[static_cast<int64_t>(t)].item<float>(), c.logprobs[t]) << r << " token " << t;
    }
  }
}

TEST_P(EngineInvariance, RevisitingAPromptDrawsNewResponses) {
  std::vector<GenerationRequest> first{requests[5]}, second{requests[5]}, both{requests[5]};
  first[0].count = second[0].count = 2;
  second[0].first_draw = 2;
  both[0].count = 4;
  auto joined = run({}, first);
  const auto later = run({}, second);
  EXPECT_NE(joined[0][0].ids, later[0][0].ids);
  joined[0].insert(joined[0].end(), later[0].begin(), later[0].end());
  expect_equal(joined, run({}, both));
}

INSTANTIATE_TEST_SUITE_P(Families, EngineInvariance, ::testing::Values("gpt2", "llama_gqa", "qwen3_qknorm_bf16"),
                         [](const auto& test) { return test.param; });

TEST(Engine, LastTokenNeedsNoPosition) {
  const CausalLm model = ModelFolder(kGolden / "gpt2").load(WeightDtype::kFloat32);
  ASSERT_EQ(model.config().max_position_embeddings, 64);
  SamplingConfig sampling = greedy(100);
  sampling.ignore_eos = true;
  const std::vector<GenerationRequest> requests{{TokenIds(60, 5), 0, 0, 1}};
  EXPECT_EQ(Engine(model, nullptr, {}).generate(requests, sampling, 0, Stream::kSampling)[0][0].ids.size(), 5U);
}

TEST(Engine, PromptLongerThanTheModelIsRefused) {
  const CausalLm model = ModelFolder(kGolden / "gpt2").load(WeightDtype::kFloat32);
  const std::vector<GenerationRequest> requests{{TokenIds(65, 5), 0, 0, 1}};
  try {
    Engine(model, nullptr, {}).generate(requests, greedy(4), 0, Stream::kSampling);
    FAIL() << "expected an Error";
  } catch (const Error& error) {
    EXPECT_NE(std::string(error.what()).find("65 tokens is longer than the model's 64 positions"), std::string::npos)
        << error.what();
  }
}

TEST(Engine, StopStringEndsAResponse) {
  const Path folder = kGolden / "e2e_qwen2_addition";
  const CausalLm model = ModelFolder(folder).load(WeightDtype::kFloat32);
  const Tokenizer tokenizer = Tokenizer::load(folder);
  SamplingConfig sampling;
  sampling.max_new_tokens = 60;
  sampling.ignore_eos = true;
  const std::vector<GenerationRequest> requests{{tokenizer.encode("What is 2+2?"), 0, 0, 8}};
  const auto free_running = Engine(model, &tokenizer, {}).generate(requests, sampling, 3, Stream::kSampling);
  sampling.stop_strings = {"1"};
  const auto stopped = Engine(model, &tokenizer, {}).generate(requests, sampling, 3, Stream::kSampling);
  int seen = 0;
  for (size_t i = 0; i < 8; ++i) {
    const size_t n = stopped[0][i].ids.size();
    EXPECT_EQ(TokenIds(free_running[0][i].ids.begin(), free_running[0][i].ids.begin() + static_cast<std::ptrdiff_t>(n)),
              stopped[0][i].ids);
    if (stopped[0][i].finish != FinishReason::kStop) continue;
    ++seen;
    EXPECT_NE(tokenizer.decode(stopped[0][i].ids).find('1'), std::string::npos);
    EXPECT_EQ(tokenizer.decode(std::span(stopped[0][i].ids).first(n - 1)).find('1'), std::string::npos);
  }
  EXPECT_GT(seen, 0) << "no response met the stop string: the test shows nothing";
}

}  // namespace
}  // namespace agro
