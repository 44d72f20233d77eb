#include "model/parameter_names.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/error.h"
#include "tensor/safetensors.h"

namespace agro {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

const Path kGolden = Path(AGRO_SOURCE_DIR) / "tests/golden";

StoredShapes stored_in(const Path& folder) {
  const SafetensorsFile file(folder / "model.safetensors");
  StoredShapes stored;
  for (const std::string& name : file.names()) stored[name] = file.get(name).shape;
  return stored;
}

std::string error_of(const ModelConfig& config, const StoredShapes& stored) {
  try {
    match_parameters(config, stored);
  } catch (const Error& error) {
    return error.what();
  }
  return "";
}

// Files of the reference implementation: the names and shapes are all there and nothing is left over.
TEST(ParameterNames, AgreeWithReferenceFiles) {
  for (const char* model :
       {"gpt2", "llama_gqa", "smollm2_tied", "qwen2_tied", "qwen3_qknorm_bf16", "e2e_qwen2_addition"}) {
    const ModelConfig config = load_model_config(kGolden / model);
    const StoredShapes stored = stored_in(kGolden / model);
    const ParameterMatch match = match_parameters(config, stored);
    EXPECT_EQ(match.parameters.size(), stored.size()) << model;
    EXPECT_EQ(match.parameters.size(), expected_parameters(config).size()) << model;
    EXPECT_THAT(match.tied_copies, IsEmpty()) << model;
    EXPECT_THAT(match.buffers, IsEmpty()) << model;
    for (const auto& parameter : match.parameters) EXPECT_EQ(parameter.stored_name, parameter.spec.name);
  }
}

TEST(ParameterNames, AgreeWithPretrainedModels) {
  const Path adders = Path(AGRO_SHARED_DIR) / "models/mathgpt-adders";
  if (!std::filesystem::exists(adders)) GTEST_SKIP() << "SKIPPED: the pretrained adders need the shared folder";
  for (const char* model : {"2l-1h-128d", "2l-2h-128d", "4l-4h-128d"}) {
    const ModelConfig config = load_model_config(adders / model);
    EXPECT_FALSE(config.tie_word_embeddings) << "the file overrides the family's default";
    EXPECT_THAT(config.eos_token_ids, IsEmpty()) << model;
    const StoredShapes stored = stored_in(adders / model);
    EXPECT_EQ(match_parameters(config, stored).parameters.size(), stored.size()) << model;
  }
}

TEST(ParameterNames, ComeInTheOrderOfTheStateDict) {
  const auto specs = expected_parameters(load_model_config(kGolden / "qwen3_qknorm_bf16"));
  std::vector<std::string> first;
  for (size_t i = 0; i < 8; ++i) first.push_back(specs[i].name);
  EXPECT_THAT(first, ElementsAre("model.embed_tokens.weight", "model.layers.0.self_attn.q_proj.weight",
                                 "model.layers.0.self_attn.k_proj.weight", "model.layers.0.self_attn.v_proj.weight",
                                 "model.layers.0.self_attn.o_proj.weight", "model.layers.0.self_attn.q_norm.weight",
                                 "model.layers.0.self_attn.k_norm.weight", "model.layers.0.mlp.gate_proj.weight"));
  EXPECT_EQ(specs.back().name, "model.norm.weight") << "a tied output layer is not a parameter of its own";
  EXPECT_EQ(expected_parameters(load_model_config(kGolden / "llama_gqa")).back().name, output_weight_name());
}

TEST(ParameterNames, FilesWithoutTheBasePrefix) {
  const ModelConfig config = load_model_config(kGolden / "gpt2");
  StoredShapes bare;
  for (const auto& [name, shape] : stored_in(kGolden / "gpt2"))
    bare[name.substr(std::string("transformer.").size())] = shape;
  const ParameterMatch match = match_parameters(config, bare);
  EXPECT_EQ(match.parameters.front().spec.name, embedding_weight_name(config));
  EXPECT_EQ(match.parameters.front().stored_name, "wte.weight");
}

TEST(ParameterNames, BuffersAndTiedCopiesAreRecognised) {
  const ModelConfig config = load_model_config(kGolden / "gpt2");
  StoredShapes stored = stored_in(kGolden / "gpt2");
  stored["transformer.h.0.attn.bias"] = {1, 1, 64, 64};
  stored["transformer.h.0.attn.masked_bias"] = {};
  stored["lm_head.weight"] = {257, 64};
  const ParameterMatch match = match_parameters(config, stored);
  EXPECT_THAT(match.buffers, ElementsAre("transformer.h.0.attn.bias", "transformer.h.0.attn.masked_bias"));
  EXPECT_THAT(match.tied_copies, ElementsAre("lm_head.weight"));
  stored["lm_head.weight"] = {256, 64};
  EXPECT_THAT(error_of(config, stored), HasSubstr("tensor 'lm_head.weight' has the wrong shape"));

  StoredShapes llama = stored_in(kGolden / "llama_gqa");
  llama["model.layers.1.self_attn.rotary_emb.inv_freq"] = {8};
  EXPECT_THAT(match_parameters(load_model_config(kGolden / "llama_gqa"), llama).buffers,
              ElementsAre("model.layers.1.self_attn.rotary_emb.inv_freq"));
}

TEST(ParameterNames, BadFiles) {
  const ModelConfig config = load_model_config(kGolden / "llama_gqa");
  const StoredShapes good = stored_in(kGolden / "llama_gqa");

  StoredShapes stored = good;
  stored["model.layers.1.self_attn.k_proj.weight"] = {64, 64};
  EXPECT_THAT(error_of(config, stored),
              HasSubstr("tensor 'model.layers.1.self_attn.k_proj.weight' has the wrong shape: "
                        "expected [32, 64], found [64, 64]"));
  stored = good;
  stored.erase("model.norm.weight");
  stored.erase("lm_head.weight");
  EXPECT_THAT(error_of(config, stored),
              HasSubstr("lack 2 tensors that config.json asks for: 'model.norm.weight', 'lm_head.weight'"));

  stored = good;
  for (const char* name : {"d", "c", "b", "a", "model.layers.2.mlp.up_proj.weight"}) stored[name] = {1};
  EXPECT_THAT(error_of(config, stored),
              HasSubstr("hold 5 tensors that a llama model has no place for: 'a', 'b', 'c' and 2 more"));
  EXPECT_THAT(error_of(config, {}), AllOf(HasSubstr("lack 21 tensors"), HasSubstr("and 18 more")));
}

}  // namespace
}  // namespace agro
