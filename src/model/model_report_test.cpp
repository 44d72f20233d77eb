#include "model/model_report.h"

#include <gtest/gtest.h>

#include "core/test_folder.h"
#include "model/lora.h"
#include "model/model_folder.h"

namespace agro {
namespace {

const Path kGolden = Path(AGRO_SOURCE_DIR) / "tests/golden";

class ModelReport : public TestFolder {};

/// Every tensor of these files is a parameter.
TEST_F(ModelReport, CountsWhatTheFilesHold) {
  for (const char* name :
       {"gpt2", "llama_gqa", "smollm2_tied", "qwen2_tied", "qwen3_qknorm_bf16", "e2e_qwen2_addition"}) {
    SCOPED_TRACE(name);
    const SafetensorsFolder weights(kGolden / name);
    int64_t elements = 0, bytes = 0;
    for (const std::string& tensor : weights.names()) {
      const TensorView& view = weights.get(tensor);
      elements += static_cast<int64_t>(view.bytes.size()) / size_of(view.dtype);
      bytes += static_cast<int64_t>(view.bytes.size());
    }
    const ModelFacts facts = read_model_facts(kGolden / name);
    EXPECT_EQ(facts.parameters, elements);
    EXPECT_GT(facts.bytes_on_disk, bytes);
    EXPECT_LT(facts.bytes_on_disk, bytes + 100'000);
    EXPECT_EQ(facts.files, 1);
    int64_t by_dtype = 0;
    for (const auto& [dtype, parameters] : facts.stored_as) by_dtype += parameters;
    EXPECT_EQ(by_dtype, elements);
  }
}

TEST_F(ModelReport, TheReferenceIsAsLargeAsItsTensors) {
  for (const char* name : {"llama_gqa", "qwen3_qknorm_bf16"}) {
    const CausalLm reference = ModelFolder(kGolden / name).load(WeightDtype::kSame);
    int64_t bytes = 0;
    for (const NamedTensor& parameter : reference.parameters())
      bytes += static_cast<int64_t>(parameter.tensor.nbytes());
    const ModelFacts facts = read_model_facts(kGolden / name);
    EXPECT_EQ(facts.reference_bytes, bytes) << name;
    EXPECT_EQ(facts.training_bytes(), 16 * facts.parameters + bytes) << name;
  }
}

TEST_F(ModelReport, AdaptersAreAsLargeAsTheirTensors) {
  for (const char* name : {"gpt2", "llama_gqa", "smollm2_tied", "qwen3_qknorm_bf16"}) {
    CausalLm model = ModelFolder(kGolden / name).load(WeightDtype::kSame);
    add_lora(model, {.rank = 3, .alpha = 1, .targets = {}}, 0);
    int64_t elements = 0;
    for (const NamedTensor& parameter : model.low_rank_parameters()) elements += parameter.tensor.numel();
    const ModelFacts facts = read_model_facts(kGolden / name);
    EXPECT_EQ(3 * facts.adapter_parameters_per_rank, elements) << name;
    EXPECT_EQ(facts.lora_training_bytes(3), 16 * elements + facts.reference_bytes) << name;
  }
}

TEST_F(ModelReport, RecomputationKeepsTheLayersInputs) {
  const ModelFacts facts = read_model_facts(kGolden / "llama_gqa");
  EXPECT_EQ(facts.activation_bytes_per_token(true), 4 * facts.config.num_hidden_layers * facts.config.hidden_size);
  EXPECT_GT(facts.activation_bytes_per_token(false), 5 * facts.activation_bytes_per_token(true));
}

TEST_F(ModelReport, AFolderWithoutWeightsCountsFromItsConfig) {
  write_atomically(folder_ / "config.json", read_file(kGolden / "llama_gqa/config.json"));
  const ModelFacts stored = read_model_facts(kGolden / "llama_gqa"), planned = read_model_facts(folder_);
  EXPECT_EQ(planned.parameters, stored.parameters);
  EXPECT_FALSE(planned.has_weights());
  EXPECT_TRUE(planned.stored_as.empty());
  EXPECT_EQ(to_json(planned)["bytes_on_disk"], 0);
}

TEST_F(ModelReport, KeysAndValuesOfAToken) {
  const ModelFacts facts = read_model_facts(kGolden / "llama_gqa");
  const ModelConfig& config = facts.config;
  ASSERT_LT(config.num_key_value_heads, config.num_attention_heads);
  EXPECT_EQ(facts.kv_cache_bytes_per_token(),
            8 * config.num_hidden_layers * config.num_key_value_heads * config.head_dim);
}

}  // namespace
}  // namespace agro
