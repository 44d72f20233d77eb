#include "model/config.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "core/error.h"
#include "core/json.h"

namespace agro {
namespace {

using ::testing::AllOf;
using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

const Path kGolden = Path(AGRO_SOURCE_DIR) / "tests/golden";

Json gpt2() {
  return {{"model_type", "gpt2"}, {"vocab_size", 100}, {"n_embd", 24},
          {"n_layer", 3},         {"n_head", 4},       {"n_positions", 32}};
}

Json llama_like(const char* model_type) {
  return {{"model_type", model_type}, {"vocab_size", 100},        {"hidden_size", 64},       {"intermediate_size", 96},
          {"num_hidden_layers", 4},   {"num_attention_heads", 8}, {"num_key_value_heads", 2}};
}

Json with(Json config, const Json& changes) {
  config.update(changes);
  return config;
}

ModelConfig parse(const Json& config, const Json& generation = Json::object()) {
  return parse_model_config(config.dump(), generation.dump());
}

std::string error_of(const Json& config, const Json& generation = Json::object()) {
  try {
    parse(config, generation);
  } catch (const Error& error) {
    return error.what();
  }
  return "";
}

TEST(ModelConfig, ReadsGpt2Folder) {
  const ModelConfig config = load_model_config(kGolden / "gpt2");
  EXPECT_EQ(config.family, ModelFamily::kGpt2);
  EXPECT_EQ(config.vocab_size, 257);
  EXPECT_EQ(config.hidden_size, 64);
  EXPECT_EQ(config.intermediate_size, 256) << "n_inner null means four times n_embd";
  EXPECT_EQ(config.num_hidden_layers, 2);
  EXPECT_EQ(config.num_attention_heads, 4);
  EXPECT_EQ(config.num_key_value_heads, 4);
  EXPECT_EQ(config.head_dim, 16);
  EXPECT_EQ(config.max_position_embeddings, 64);
  EXPECT_EQ(config.norm_epsilon, 1e-5);
  EXPECT_EQ(config.hidden_act, Activation::kGeluTanh);
  EXPECT_TRUE(config.tie_word_embeddings);
  EXPECT_TRUE(config.attention_bias && config.attention_output_bias && config.mlp_bias);
  EXPECT_THAT(config.eos_token_ids, ElementsAre(2));
  EXPECT_EQ(config.bos_token_id, 1);
  EXPECT_EQ(config.pad_token_id, 0);
  EXPECT_EQ(config.torch_dtype, Dtype::kF32);
  EXPECT_EQ(config.json_text, read_file(kGolden / "gpt2/config.json"));
}

TEST(ModelConfig, ReadsLlamaFolders) {
  const ModelConfig config = load_model_config(kGolden / "llama_gqa");
  EXPECT_EQ(config.family, ModelFamily::kLlama);
  EXPECT_EQ(config.intermediate_size, 176);
  EXPECT_EQ(config.num_key_value_heads, 2);
  EXPECT_EQ(config.head_dim, 16);
  EXPECT_EQ(config.max_position_embeddings, 128);
  EXPECT_EQ(config.norm_epsilon, 1e-5);
  EXPECT_EQ(config.rope_theta, 1e4);
  EXPECT_EQ(config.rope_scaling.kind, RopeScaling::Kind::kNone);
  EXPECT_EQ(config.hidden_act, Activation::kSilu);
  EXPECT_FALSE(config.tie_word_embeddings || config.attention_bias || config.attention_output_bias);
  EXPECT_FALSE(config.mlp_bias || config.qk_norm);
  EXPECT_THAT(config.attention_windows, ElementsAre(0, 0));

  const ModelConfig smol = load_model_config(kGolden / "smollm2_tied");
  EXPECT_TRUE(smol.tie_word_embeddings);
  EXPECT_EQ(smol.num_key_value_heads, 1);
  EXPECT_EQ(smol.rope_theta, 1e5);
}

TEST(ModelConfig, ReadsQwenFolders) {
  const ModelConfig qwen2 = load_model_config(kGolden / "qwen2_tied");
  EXPECT_EQ(qwen2.family, ModelFamily::kQwen2);
  EXPECT_TRUE(qwen2.attention_bias && qwen2.tie_word_embeddings);
  EXPECT_FALSE(qwen2.attention_output_bias || qwen2.qk_norm);
  EXPECT_EQ(qwen2.rope_theta, 1e6);
  EXPECT_EQ(qwen2.norm_epsilon, 1e-6);

  const ModelConfig qwen3 = load_model_config(kGolden / "qwen3_qknorm_bf16");
  EXPECT_EQ(qwen3.family, ModelFamily::kQwen3);
  EXPECT_TRUE(qwen3.qk_norm);
  EXPECT_FALSE(qwen3.attention_bias);
  EXPECT_EQ(qwen3.head_dim, 32) << "not hidden_size / num_attention_heads";
  EXPECT_EQ(qwen3.torch_dtype, Dtype::kBF16);
}

TEST(ModelConfig, GenerationConfigWinsForTokenIds) {
  EXPECT_THAT(load_model_config(kGolden / "e2e_qwen2_addition").eos_token_ids, ElementsAre(378, 376));
  const Json config = with(gpt2(), {{"eos_token_id", 7}, {"pad_token_id", 3}});
  EXPECT_THAT(parse(config, {{"max_new_tokens", 4}}).eos_token_ids, ElementsAre(7));
  EXPECT_THAT(parse(config, {{"eos_token_id", 8}}).eos_token_ids, ElementsAre(8));
  EXPECT_EQ(parse(config, {{"pad_token_id", 4}}).pad_token_id, 4);
}

TEST(ModelConfig, ModelsWithoutSpecialTokens) {
  const ModelConfig config = parse(with(gpt2(), {{"eos_token_id", nullptr}, {"bos_token_id", nullptr}}));
  EXPECT_THAT(config.eos_token_ids, IsEmpty());
  EXPECT_FALSE(config.bos_token_id.has_value());
  EXPECT_FALSE(parse(with(gpt2(), {{"pad_token_id", -1}})).pad_token_id.has_value());
  EXPECT_FALSE(parse(with(gpt2(), {{"pad_token_id", 100}})).pad_token_id.has_value());
}

TEST(ModelConfig, DefaultsAreThoseOfEachFamily) {
  const ModelConfig gpt = parse(gpt2());
  EXPECT_TRUE(gpt.tie_word_embeddings);
  EXPECT_EQ(gpt.intermediate_size, 96);
  EXPECT_EQ(gpt.norm_epsilon, 1e-5);
  EXPECT_FALSE(gpt.torch_dtype.has_value());
  for (const char* family : {"llama", "qwen2", "qwen3"}) {
    const ModelConfig config = parse(llama_like(family));
    EXPECT_FALSE(config.tie_word_embeddings) << family;
    EXPECT_EQ(config.norm_epsilon, 1e-6) << family;
    EXPECT_EQ(config.rope_theta, 1e4) << family;
    EXPECT_EQ(config.head_dim, config.family == ModelFamily::kQwen3 ? 128 : 8) << family;
    EXPECT_EQ(config.max_position_embeddings, config.family == ModelFamily::kLlama ? 2048 : 32768) << family;
  }
  EXPECT_EQ(parse(with(llama_like("llama"), {{"num_key_value_heads", nullptr}})).num_key_value_heads, 8);
}

TEST(ModelConfig, Biases) {
  const ModelConfig llama = parse(with(llama_like("llama"), {{"attention_bias", true}, {"mlp_bias", true}}));
  EXPECT_TRUE(llama.attention_bias && llama.attention_output_bias && llama.mlp_bias);
  const ModelConfig qwen3 = parse(with(llama_like("qwen3"), {{"attention_bias", true}, {"mlp_bias", true}}));
  EXPECT_TRUE(qwen3.attention_bias && qwen3.attention_output_bias);
  EXPECT_FALSE(qwen3.mlp_bias) << "the family has none, whatever the file says";
}

TEST(ModelConfig, Activations) {
  const auto activation = [](const char* name) {
    return parse(with(gpt2(), {{"activation_function", name}})).hidden_act;
  };
  EXPECT_EQ(activation("gelu"), Activation::kGelu);
  EXPECT_EQ(activation("gelu_new"), Activation::kGeluTanh);
  EXPECT_EQ(activation("gelu_pytorch_tanh"), Activation::kGeluTanh);
  EXPECT_EQ(activation("relu"), Activation::kRelu);
  EXPECT_EQ(activation("silu"), Activation::kSilu);
  EXPECT_THAT(error_of(with(gpt2(), {{"activation_function", "quick_gelu"}})),
              HasSubstr("'activation_function' is 'quick_gelu'; supported are silu, gelu, gelu_new"));
}

TEST(ModelConfig, RopeScaling) {
  const auto rope = [](const Json& changes) { return parse(with(llama_like("llama"), changes)); };
  const Json llama3 = {{"rope_type", "llama3"},
                       {"factor", 32.0},
                       {"low_freq_factor", 1.0},
                       {"high_freq_factor", 4.0},
                       {"original_max_position_embeddings", 8192}};
  const RopeScaling scaling = rope({{"rope_scaling", llama3}}).rope_scaling;
  EXPECT_EQ(scaling.kind, RopeScaling::Kind::kLlama3);
  EXPECT_EQ(scaling.factor, 32);
  EXPECT_EQ(scaling.low_freq_factor, 1);
  EXPECT_EQ(scaling.high_freq_factor, 4);
  EXPECT_EQ(scaling.original_max_position_embeddings, 8192);

  const RopeScaling linear = rope({{"rope_scaling", {{"type", "linear"}, {"factor", 2}}}}).rope_scaling;
  EXPECT_EQ(linear.kind, RopeScaling::Kind::kLinear);
  EXPECT_EQ(linear.factor, 2);

  const ModelConfig nested = rope({{"rope_parameters", with(llama3, {{"rope_theta", 500000}})}});
  EXPECT_EQ(nested.rope_theta, 500000);
  EXPECT_EQ(nested.rope_scaling.kind, RopeScaling::Kind::kLlama3);
  EXPECT_EQ(rope({{"rope_parameters", {{"rope_type", "default"}, {"rope_theta", 7.0}}}}).rope_theta, 7);
}

TEST(ModelConfig, RefusesRopeItCannotCompute) {
  const auto error = [](const Json& scaling) {
    return error_of(with(llama_like("llama"), {{"rope_scaling", scaling}}));
  };
  EXPECT_THAT(error({{"rope_type", "yarn"}, {"factor", 4}}),
              HasSubstr("rope_scaling: 'rope_type' is 'yarn'; supported are default, linear, llama3"));
  EXPECT_THAT(error({{"type", "dynamic"}, {"factor", 4}}), HasSubstr("'type' is 'dynamic'"));
  EXPECT_THAT(error({{"type", "linear"}}), HasSubstr("rope_scaling: lacks 'factor'"));
  EXPECT_THAT(error({{"type", "linear"}, {"factor", 0.5}}), HasSubstr("'factor' must be a number between 1 and"));
  EXPECT_THAT(error({{"type", "llama3"}, {"factor", 2}}),
              HasSubstr("lacks 'low_freq_factor', 'high_freq_factor', 'original_max_position_embeddings'"));
  EXPECT_THAT(error({{"type", "llama3"},
                     {"factor", 2},
                     {"low_freq_factor", 4},
                     {"high_freq_factor", 4},
                     {"original_max_position_embeddings", 64}}),
              HasSubstr("'low_freq_factor' 4 must be below 'high_freq_factor' 4"));
  EXPECT_THAT(error("linear"), HasSubstr("rope_scaling: must be a JSON object, found string"));
  EXPECT_THAT(error({{"full_attention", {{"rope_type", "default"}}}}),
              HasSubstr("per kind of layer ('full_attention')"));
  EXPECT_THAT(error_of(with(llama_like("llama"), {{"partial_rotary_factor", 0.5}})),
              HasSubstr("partial_rotary_factor"));
}

TEST(ModelConfig, SlidingWindows) {
  const auto windows = [](const char* family, const Json& changes) {
    return parse(with(llama_like(family), changes)).attention_windows;
  };
  EXPECT_THAT(windows("qwen2", {{"use_sliding_window", false}, {"sliding_window", 16}, {"max_window_layers", 0}}),
              AllOf(SizeIs(4), Each(0)));
  EXPECT_THAT(windows("qwen2", {{"use_sliding_window", true}, {"sliding_window", 16}, {"max_window_layers", 3}}),
              ElementsAre(0, 0, 0, 16));
  EXPECT_THAT(windows("qwen2", {{"use_sliding_window", true}, {"sliding_window", 16}, {"max_window_layers", 28}}),
              Each(0));
  const Json mixed = {"sliding_attention", "full_attention", "sliding_attention", "full_attention"};
  EXPECT_THAT(windows("qwen3", {{"use_sliding_window", true}, {"sliding_window", 9}, {"layer_types", mixed}}),
              ElementsAre(9, 0, 9, 0));
  EXPECT_THAT(windows("llama", {{"use_sliding_window", true}, {"sliding_window", 16}, {"max_window_layers", 0}}),
              Each(0));
  EXPECT_THAT(
      error_of(with(llama_like("qwen3"),
                    {{"use_sliding_window", true}, {"sliding_window", 9}, {"layer_types", {"full_attention"}}})),
      HasSubstr("'layer_types' must list 4 layers"));
}

TEST(ModelConfig, AttentionScale) {
  ModelConfig config = parse(with(gpt2(), {{"n_head", 6}}));  // heads of 4
  EXPECT_DOUBLE_EQ(config.attention_scale(2), 0.5);
  config.scale_attn_by_inverse_layer_idx = true;
  EXPECT_DOUBLE_EQ(config.attention_scale(0), 0.5);
  EXPECT_DOUBLE_EQ(config.attention_scale(1), 0.25);
  config.scale_attn_weights = false;
  EXPECT_DOUBLE_EQ(config.attention_scale(1), 0.5);
}

TEST(ModelConfig, DropoutIsNeverRead) {
  const Json dropout = {
      {"attn_pdrop", 0.9}, {"resid_pdrop", "much"}, {"embd_pdrop", nullptr}, {"attention_dropout", -3}};
  EXPECT_EQ(error_of(with(gpt2(), dropout)), "");
  EXPECT_EQ(error_of(with(llama_like("llama"), dropout)), "");
}

TEST(ModelConfigBadInput, UnknownArchitecture) {
  const auto lists_supported = HasSubstr(
      "supported are gpt2 (GPT2LMHeadModel), llama (LlamaForCausalLM), qwen2 (Qwen2ForCausalLM), qwen3 "
      "(Qwen3ForCausalLM)");
  EXPECT_THAT(error_of(with(gpt2(), {{"model_type", "mamba"}})),
              AllOf(HasSubstr("config.json: model_type 'mamba' is not supported"), lists_supported));
  EXPECT_THAT(error_of({{"vocab_size", 5}}), AllOf(HasSubstr("lacks 'model_type'"), lists_supported));
  EXPECT_THAT(
      error_of(with(llama_like("llama"), {{"architectures", {"LlamaForSequenceClassification"}}})),
      AllOf(HasSubstr(R"(architectures ["LlamaForSequenceClassification"] are not supported)"), lists_supported));
  EXPECT_EQ(error_of(with(llama_like("llama"), {{"architectures", {"LlamaForCausalLM"}}})), "");
}

TEST(ModelConfigBadInput, MissingKeysAreAllNamed) {
  EXPECT_THAT(error_of({{"model_type", "gpt2"}, {"n_embd", 8}, {"n_head", nullptr}}),
              HasSubstr("config.json: lacks 'vocab_size', 'n_layer', 'n_head', 'n_positions'"));
  EXPECT_THAT(error_of({{"model_type", "qwen3"}, {"vocab_size", 8}}),
              HasSubstr("lacks 'hidden_size', 'intermediate_size', 'num_hidden_layers', 'num_attention_heads'"));
}

TEST(ModelConfigBadInput, ValuesOutOfRangeOrOfTheWrongType) {
  EXPECT_THAT(error_of(with(gpt2(), {{"vocab_size", 0}})),
              HasSubstr("'vocab_size' must be an integer between 1 and 16777216, found 0"));
  EXPECT_THAT(error_of(with(gpt2(), {{"n_layer", 1000000}})),
              HasSubstr("'n_layer' must be an integer between 1 and 4096"));
  EXPECT_THAT(error_of(with(gpt2(), {{"n_embd", UINT64_MAX}})), HasSubstr("found 18446744073709551615"));
  EXPECT_THAT(error_of(with(gpt2(), {{"n_embd", "64"}})), HasSubstr("'n_embd' must be an integer between"));
  EXPECT_THAT(error_of(with(gpt2(), {{"n_embd", 64.5}})), HasSubstr("found 64.5"));
  EXPECT_THAT(error_of(with(gpt2(), {{"layer_norm_epsilon", 0}})), HasSubstr("'layer_norm_epsilon' must be a number"));
  EXPECT_THAT(error_of(with(llama_like("llama"), {{"rope_theta", -1}})), HasSubstr("'rope_theta' must be a number"));
  EXPECT_THAT(error_of(with(gpt2(), {{"tie_word_embeddings", 1}})), HasSubstr("must be true or false, found 1"));
  EXPECT_THAT(error_of(with(gpt2(), {{"torch_dtype", "float8"}})),
              HasSubstr("'torch_dtype' is 'float8'; supported are"));
  EXPECT_THAT(error_of(Json::array()), HasSubstr("config.json: must be a JSON object, found array"));
}

TEST(ModelConfigBadInput, HeadsThatDoNotDivide) {
  EXPECT_THAT(error_of(with(gpt2(), {{"n_head", 5}})),
              HasSubstr("hidden size 24 is not divisible by 5 attention heads"));
  EXPECT_THAT(error_of(with(llama_like("llama"), {{"num_key_value_heads", 3}})),
              HasSubstr("'num_attention_heads' 8 is not divisible by 'num_key_value_heads' 3"));
  EXPECT_THAT(error_of(with(llama_like("llama"), {{"head_dim", 7}})), HasSubstr("'head_dim' 7 must be even"));
}

TEST(ModelConfigBadInput, EndTokens) {
  EXPECT_THAT(error_of(with(gpt2(), {{"eos_token_id", 100}})),
              HasSubstr("config.json: 'eos_token_id' 100 is not a token id below 'vocab_size' 100"));
  EXPECT_THAT(error_of(gpt2(), {{"eos_token_id", {1, -2}}}),
              HasSubstr("generation_config.json: 'eos_token_id' [1,-2] is not a token id"));
  EXPECT_THAT(error_of(gpt2(), {{"eos_token_id", "end"}}), HasSubstr("is not a token id"));
  EXPECT_THAT(error_of(gpt2(), {{"eos_token_id", UINT64_MAX}}), HasSubstr("is not a token id"));
}

TEST(ModelConfigBadInput, QuantisedWeights) {
  EXPECT_THAT(error_of(with(llama_like("llama"), {{"quantization_config", {{"quant_method", "gptq"}}}})),
              HasSubstr("quantised weights cannot be trained"));
}

TEST(ModelConfigBadInput, NotJson) {
  const auto error = [](const char* config, const char* generation) -> std::string {
    try {
      parse_model_config(config, generation);
    } catch (const Error& caught) {
      return caught.what();
    }
    return "";
  };
  EXPECT_THAT(error("{\"vocab_size\":", ""), HasSubstr("config.json: is not valid JSON"));
  EXPECT_THAT(error(gpt2().dump().c_str(), "eos"), HasSubstr("generation_config.json: is not valid JSON"));
  EXPECT_EQ(error(gpt2().dump().c_str(), ""), "");
}

TEST(ModelConfigBadInput, FolderWithoutConfig) {
  try {
    load_model_config(kGolden / "rl");
    FAIL();
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), HasSubstr("golden/rl: has no config.json"));
  }
}

}  // namespace
}  // namespace agro
