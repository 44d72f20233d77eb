// The forward and backward pass against transformers' reference outputs (tests/golden/README.md, section 1).
#include <gtest/gtest.h>

#include <cmath>

#include "core/json.h"
#include "model/completion_batch.h"
#include "model/model_folder.h"

namespace agro {
namespace {

const Path kGolden = Path(AGRO_SOURCE_DIR) / "tests/golden";

std::vector<double> numbers(const Json& json) { return json.get<std::vector<double>>(); }

/// log p(ids[t+1] | ids[≤ t]) for a whole sequence.
Tensor sequence_logprobs(const CausalLm& model, const TokenIds& ids) {
  const std::vector<PromptCompletion> items{{std::span(ids).first(1), std::span(ids).subspan(1)}};
  return completion_logprobs(model, items);
}

void expect_close(const Tensor& found, const std::vector<double>& expected, double tolerance, const std::string& what) {
  ASSERT_EQ(found.numel(), static_cast<int64_t>(expected.size())) << what;
  const Tensor flat = found.detach().to(torch::kDouble).reshape({-1});
  for (int64_t i = 0; i < flat.size(0); ++i)
    ASSERT_NEAR(flat[i].item<double>(), expected[static_cast<size_t>(i)], tolerance) << what << " at " << i;
}

class GoldenModel : public ::testing::TestWithParam<std::string> {
 protected:
  GoldenModel() : folder(kGolden / GetParam()), golden(read_json(folder.path() / "golden.json")) {
    for (size_t row = 0; row < 2; ++row) {
      TokenIds ids;
      for (size_t t = 0; t < golden["input_ids"][row].size(); ++t)
        if (golden["attention_mask"][row][t].get<int>() == 1) ids.push_back(golden["input_ids"][row][t].get<TokenId>());
      rows.push_back(ids);
    }
  }
  ModelFolder folder;
  Json golden;
  std::vector<TokenIds> rows;
};

TEST_P(GoldenModel, LogprobsOfBothRowsPackedTogether) {
  const CausalLm model = folder.load(WeightDtype::kFloat32);
  const torch::NoGradGuard no_grad;
  const std::vector<PromptCompletion> items{{std::span(rows[0]).first(1), std::span(rows[0]).subspan(1)},
                                            {std::span(rows[1]).first(1), std::span(rows[1]).subspan(1)}};
  const Tensor logprobs = completion_logprobs(model, items);
  std::vector<double> expected = numbers(golden["logprobs"][0]);
  const std::vector<double> second = numbers(golden["logprobs"][1]);
  expected.insert(expected.end(), second.begin(), second.end());
  expect_close(logprobs, expected, 1e-4, "logprobs");
  EXPECT_NEAR(-logprobs.mean().item<double>(), golden["mean_nll"].get<double>(), 2e-5);
}

TEST_P(GoldenModel, FullLogits) {
  const CausalLm model = folder.load(WeightDtype::kFloat32);
  const torch::NoGradGuard no_grad;
  const SafetensorsFile file(folder.path() / "golden.safetensors");
  const Tensor expected = to_tensor(file.get("logits"), torch::kFloat32);
  for (int64_t row = 0; row < 2; ++row) {
    const TokenIds& ids = rows[static_cast<size_t>(row)];
    const Tensor logits = linear(model.hidden_states(pack_sequences({ids})), model.head());
    const double difference =
        (logits - expected[row].narrow(0, 0, static_cast<int64_t>(ids.size()))).abs().max().item<double>();
    EXPECT_LE(difference, 1e-4) << "row " << row;
  }
}

TEST_P(GoldenModel, LongRow) {
  const CausalLm model = folder.load(WeightDtype::kFloat32);
  const torch::NoGradGuard no_grad;
  const auto ids = golden["long"]["input_ids"].get<TokenIds>();
  expect_close(sequence_logprobs(model, ids), numbers(golden["long"]["logprobs"]), 1e-4, "long row");
  const Tensor last = model.hidden_states(pack_sequences({ids})).narrow(0, static_cast<int64_t>(ids.size()) - 1, 1);
  expect_close(linear(last, model.head()).reshape({-1}).narrow(0, 0, 16),
               numbers(golden["long"]["last_logits_first16"]), 1e-4, "last logits");
}

TEST_P(GoldenModel, GradientsOfTheMeanNll) {
  const CausalLm model = folder.load(WeightDtype::kFloat32);
  for (const NamedTensor& p : model.parameters()) p.tensor.set_requires_grad(true);
  const std::vector<PromptCompletion> items{{std::span(rows[0]).first(1), std::span(rows[0]).subspan(1)},
                                            {std::span(rows[1]).first(1), std::span(rows[1]).subspan(1)}};
  (-completion_logprobs(model, items).mean()).backward();
  const SafetensorsFile file(folder.path() / "golden.safetensors");
  double squares = 0;
  size_t compared = 0;
  for (const NamedTensor& p : model.parameters()) {
    const Tensor grad = p.tensor.grad();
    ASSERT_TRUE(grad.defined()) << p.name;
    const double norm = grad.norm().item<double>();
    squares += norm * norm;
    const double expected = golden["grad_norms_all"].at(p.name).get<double>();
    EXPECT_NEAR(norm, expected, 1e-4 * expected + 1e-9) << p.name;
    if (!file.contains("grad." + p.name)) continue;
    const Tensor full = to_tensor(file.get("grad." + p.name), torch::kFloat32);
    EXPECT_LE((grad - full).norm().item<double>(), 1e-4 * full.norm().item<double>()) << p.name;
    ++compared;
  }
  EXPECT_EQ(compared, golden["grad_named"].size());
  EXPECT_NEAR(std::sqrt(squares), golden["grad_global_norm"].get<double>(),
              1e-4 * golden["grad_global_norm"].get<double>());
}

// Rounding to 8 bits at every product moves the logits of these random models by about 1 % of their spread.
TEST_P(GoldenModel, BFloat16ProductsMoveLogprobsByLittle) {
  CausalLm model = folder.load(WeightDtype::kFloat32);
  const torch::NoGradGuard no_grad;
  const auto ids = golden["long"]["input_ids"].get<TokenIds>();
  const Tensor exact = sequence_logprobs(model, ids);
  model.set_products(Products::kBFloat16);
  const double difference = (sequence_logprobs(model, ids) - exact).abs().mean().item<double>();
  EXPECT_LE(difference, 0.02 * exact.std().item<double>());
  EXPECT_GT(difference, 1e-4) << "nothing was rounded";
  model.set_products(Products::kFloat32);
  EXPECT_TRUE(torch::equal(sequence_logprobs(model, ids), exact));
}

// The plain LibTorch path in float64 tells rounding from error: it must agree with the kernels within float32's
// rounding.
TEST_P(GoldenModel, Float64ReferencePathAgrees) {
  const torch::NoGradGuard no_grad;
  const Tensor exact = sequence_logprobs(folder.load(WeightDtype::kFloat64), rows[0]);
  ASSERT_EQ(exact.scalar_type(), at::kDouble);
  const Tensor fast = sequence_logprobs(folder.load(WeightDtype::kFloat32), rows[0]);
  EXPECT_LE((exact - fast.to(torch::kDouble)).abs().max().item<double>(), 3e-5);
}

TEST_P(GoldenModel, WritesBackTheSameBytes) {
  const Path copy = Path(::testing::TempDir()) / ("agro-write-" + GetParam());
  folder.write(copy, folder.load(WeightDtype::kFloat32));
  for (const char* name : {"config.json", "generation_config.json", "model.safetensors"})
    EXPECT_EQ(read_file(copy / name), read_file(folder.path() / name)) << name;
  std::filesystem::remove_all(copy);
}

// A trained model's own answers: within the bound that sampler_mismatch has to keep.
TEST(GoldenTrainedModel, BFloat16ProductsKeepLogprobsOfAnswers) {
  const ModelFolder folder(kGolden / "e2e_qwen2_addition");
  CausalLm model = folder.load(WeightDtype::kFloat32);
  model.set_products(Products::kBFloat16);
  const torch::NoGradGuard no_grad;
  double difference = 0;
  int64_t tokens = 0;
  const Json golden = read_json(folder.path() / "golden.json");
  for (const Json& example : golden["cases"]) {
    const auto prompt = example["prompt_ids"].get<TokenIds>(), answer = example["greedy_ids"].get<TokenIds>();
    const std::vector<PromptCompletion> items{{prompt, answer}};
    const Tensor logprobs = completion_logprobs(model, items).to(torch::kDouble);
    const Tensor expected = torch::tensor(numbers(example["token_logprobs"]), torch::kDouble);
    difference += (logprobs - expected).abs().sum().item<double>();
    tokens += logprobs.numel();
  }
  EXPECT_LE(difference / static_cast<double>(tokens), 5e-3);
}

INSTANTIATE_TEST_SUITE_P(Families, GoldenModel,
                         ::testing::Values("gpt2", "llama_gqa", "smollm2_tied", "qwen2_tied", "qwen3_qknorm_bf16"),
                         [](const auto& test) { return test.param; });

}  // namespace
}  // namespace agro
