#include "model/families.h"

namespace agro {
namespace {

using Parameter = std::function<Tensor(const std::string& name)>;

LinearWeight linear_weight(const Parameter& parameter, const std::string& name, bool bias,
                           WeightLayout layout = WeightLayout::kOutIn) {
  LinearWeight w;
  w.name = name;
  w.weight = parameter(name + ".weight");
  if (bias) w.bias = parameter(name + ".bias");
  w.layout = layout;
  return w;
}

AttentionShape attention_shape(const ModelConfig& config, int64_t layer) {
  return {config.num_attention_heads, config.num_key_value_heads, config.head_dim,
          static_cast<float>(config.attention_scale(layer)), config.attention_windows[static_cast<size_t>(layer)]};
}

LinearWeight output_head(const ModelConfig& config, const Parameter& parameter, const Tensor& embedding) {
  LinearWeight head;
  head.weight = config.tie_word_embeddings ? embedding : parameter("lm_head.weight");
  return head;
}

/// Llama, Qwen2 (biases on q, k, v) and Qwen3 (norms on query and key heads).
FamilyParts build_llama(const ModelConfig& config, const Parameter& parameter) {
  FamilyParts parts;
  parts.token_embedding = parameter("model.embed_tokens.weight");
  for (int64_t i = 0; i < config.num_hidden_layers; ++i) {
    const std::string prefix = fmt::format("model.layers.{}.", i);
    const auto rms = [&](const std::string& name) {
      return Norm{parameter(prefix + name + ".weight"), Tensor(), config.norm_epsilon};
    };
    DecoderLayer layer;
    layer.shape = attention_shape(config, i);
    layer.act = config.hidden_act;
    layer.attention_norm = rms("input_layernorm");
    layer.q = linear_weight(parameter, prefix + "self_attn.q_proj", config.attention_bias);
    layer.k = linear_weight(parameter, prefix + "self_attn.k_proj", config.attention_bias);
    layer.v = linear_weight(parameter, prefix + "self_attn.v_proj", config.attention_bias);
    layer.o = linear_weight(parameter, prefix + "self_attn.o_proj", config.attention_output_bias);
    if (config.qk_norm) {
      layer.q_norm = rms("self_attn.q_norm");
      layer.k_norm = rms("self_attn.k_norm");
    }
    layer.feed_forward_norm = rms("post_attention_layernorm");
    layer.gate = linear_weight(parameter, prefix + "mlp.gate_proj", config.mlp_bias);
    layer.up = linear_weight(parameter, prefix + "mlp.up_proj", config.mlp_bias);
    layer.down = linear_weight(parameter, prefix + "mlp.down_proj", config.mlp_bias);
    parts.layers.push_back(std::move(layer));
  }
  parts.final_norm = {parameter("model.norm.weight"), Tensor(), config.norm_epsilon};
  parts.head = output_head(config, parameter, parts.token_embedding);
  return parts;
}

/// GPT-2: learned positions, LayerNorm, fused qkv, weights stored [in, out].
FamilyParts build_gpt2(const ModelConfig& config, const Parameter& parameter) {
  FamilyParts parts;
  parts.token_embedding = parameter("transformer.wte.weight");
  parts.position_embedding = parameter("transformer.wpe.weight");
  const auto norm = [&](const std::string& name) {
    return Norm{parameter(name + ".weight"), parameter(name + ".bias"), config.norm_epsilon};
  };
  for (int64_t i = 0; i < config.num_hidden_layers; ++i) {
    const std::string prefix = fmt::format("transformer.h.{}.", i);
    const auto conv1d = [&](const std::string& name) {
      return linear_weight(parameter, prefix + name, true, WeightLayout::kInOut);
    };
    DecoderLayer layer;
    layer.shape = attention_shape(config, i);
    layer.act = config.hidden_act;
    layer.attention_norm = norm(prefix + "ln_1");
    layer.qkv = conv1d("attn.c_attn");
    layer.o = conv1d("attn.c_proj");
    layer.feed_forward_norm = norm(prefix + "ln_2");
    layer.up = conv1d("mlp.c_fc");
    layer.down = conv1d("mlp.c_proj");
    parts.layers.push_back(std::move(layer));
  }
  parts.final_norm = norm("transformer.ln_f");
  parts.head = output_head(config, parameter, parts.token_embedding);
  return parts;
}

}  // namespace

FamilyParts build_family(const ModelConfig& config, const Parameter& parameter) {
  switch (config.family) {
    case ModelFamily::kGpt2:
      return build_gpt2(config, parameter);
    case ModelFamily::kLlama:
    case ModelFamily::kQwen2:
    case ModelFamily::kQwen3:
      return build_llama(config, parameter);
  }
  throw Error("unknown model family");
}

}  // namespace agro
