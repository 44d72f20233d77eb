#include "model/config.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "core/error.h"
#include "model/config_reader.h"

namespace agro {
namespace {

using detail::ConfigReader;
using detail::excerpt;

// Far above any published model, low enough that no product of two sizes overflows.
constexpr int64_t kMaxVocabulary = 1 << 24;
constexpr int64_t kMaxWidth = 1 << 20;
constexpr int64_t kMaxLayers = 1 << 12;
constexpr int64_t kMaxHeads = 1 << 12;
constexpr int64_t kMaxPositions = 1 << 28;

struct Architecture {
  ModelFamily family;
  std::string_view model_type;
  std::string_view class_name;
};

constexpr std::array<Architecture, 4> kArchitectures = {{{ModelFamily::kGpt2, "gpt2", "GPT2LMHeadModel"},
                                                         {ModelFamily::kLlama, "llama", "LlamaForCausalLM"},
                                                         {ModelFamily::kQwen2, "qwen2", "Qwen2ForCausalLM"},
                                                         {ModelFamily::kQwen3, "qwen3", "Qwen3ForCausalLM"}}};

/// The value that `name` stands for in a table of {name, value}. Throws Error listing the names.
template <class Value, size_t n>
Value look_up(const std::array<std::pair<std::string_view, Value>, n>& table, const char* key, std::string_view name) {
  std::vector<std::string_view> known;
  for (const auto& [text, value] : table) {
    if (text == name) return value;
    known.push_back(text);
  }
  throw fail("'{}' is '{}'; supported are {}", key, name, fmt::join(known, ", "));
}

Json parse_text(std::string_view text) {
  try {
    return Json::parse(text);
  } catch (const nlohmann::json::exception& error) {
    throw fail("is not valid JSON: {}", std::string_view(error.what()).substr(0, 200));
  }
}

const Architecture& parse_architecture(const ConfigReader& in) {
  std::vector<std::string> supported;
  for (const Architecture& known : kArchitectures)
    supported.push_back(fmt::format("{} ({})", known.model_type, known.class_name));
  const std::string hint = fmt::format("supported are {}", fmt::join(supported, ", "));
  if (!in.has("model_type")) throw fail("lacks 'model_type'").hint(hint);
  const std::string model_type = in.word("model_type", "");
  const auto found = std::find_if(kArchitectures.begin(), kArchitectures.end(),
                                  [&](const Architecture& known) { return known.model_type == model_type; });
  if (found == kArchitectures.end()) throw fail("model_type '{}' is not supported", model_type).hint(hint);
  if (in.has("architectures") && in.at("architectures") != Json::array({found->class_name}))
    throw fail("architectures {} are not supported for model_type '{}'", excerpt(in.at("architectures")), model_type)
        .hint(hint);
  return *found;
}

void refuse_unsupported(const ConfigReader& in) {
  if (in.has("quantization_config"))
    throw fail("has a 'quantization_config': quantised weights cannot be trained")
        .hint("use the model's original weights in float32, float16 or bfloat16");
  if (in.boolean("add_cross_attention", false)) throw fail("'add_cross_attention' is not supported");
}

Activation parse_activation(const ConfigReader& in, const char* key, std::string_view fallback) {
  constexpr std::array<std::pair<std::string_view, Activation>, 5> kTable = {
      {{"silu", Activation::kSilu},
       {"gelu", Activation::kGelu},
       {"gelu_new", Activation::kGeluTanh},
       {"gelu_pytorch_tanh", Activation::kGeluTanh},
       {"relu", Activation::kRelu}}};
  return look_up(kTable, key, in.word(key, fallback));
}

std::optional<Dtype> parse_dtype(const ConfigReader& in) {
  constexpr std::array<std::pair<std::string_view, Dtype>, 4> kTable = {
      {{"float32", Dtype::kF32}, {"float16", Dtype::kF16}, {"bfloat16", Dtype::kBF16}, {"float64", Dtype::kF64}}};
  for (const char* key : {"torch_dtype", "dtype"})
    if (in.has(key)) return look_up(kTable, key, in.word(key, ""));
  return std::nullopt;
}

double parse_rope_theta(const ConfigReader& in, double fallback) {
  if (in.number("partial_rotary_factor", 0, 1, 1) != 1)
    throw fail("'partial_rotary_factor' other than 1 is not supported");
  return in.number("rope_theta", 1e-6, 1e12, fallback);
}

RopeScaling parse_rope_scaling(const ConfigReader& in) {
  using Kind = RopeScaling::Kind;
  constexpr std::array<std::pair<std::string_view, Kind>, 3> kTable = {
      {{"default", Kind::kNone}, {"linear", Kind::kLinear}, {"llama3", Kind::kLlama3}}};
  const char* key = in.has("rope_type") ? "rope_type" : "type";
  RopeScaling scaling;
  scaling.kind = look_up(kTable, key, in.word(key, "default"));
  if (scaling.kind == Kind::kNone) return scaling;
  in.require({"factor"});
  scaling.factor = in.number("factor", 1, 1e6, 1);
  if (scaling.kind == Kind::kLinear) return scaling;
  in.require({"low_freq_factor", "high_freq_factor", "original_max_position_embeddings"});
  scaling.low_freq_factor = in.number("low_freq_factor", 1e-6, 1e6, 1);
  scaling.high_freq_factor = in.number("high_freq_factor", 1e-6, 1e6, 4);
  scaling.original_max_position_embeddings = in.integer("original_max_position_embeddings", 1, kMaxPositions);
  if (scaling.low_freq_factor >= scaling.high_freq_factor)
    throw fail("'low_freq_factor' {} must be below 'high_freq_factor' {}", scaling.low_freq_factor,
               scaling.high_freq_factor);
  return scaling;
}

/// Both spellings: rope_theta beside rope_scaling (null or an object), and transformers 5's rope_parameters with all.
void parse_rope(const ConfigReader& in, ModelConfig& config) {
  config.rope_theta = parse_rope_theta(in, 10000);
  for (const char* key : {"rope_scaling", "rope_parameters"}) {
    if (!in.has(key)) continue;
    try {
      const ConfigReader rope(in.at(key));
      for (const auto& [name, value] : in.at(key).items())
        if (value.is_object()) throw fail("different parameters per kind of layer ('{}') are not supported", name);
      config.rope_theta = parse_rope_theta(rope, config.rope_theta);
      config.rope_scaling = parse_rope_scaling(rope);
    } catch (Error& error) {
      throw std::move(error).at(key);
    }
  }
}

/// Qwen's sliding windows: off unless use_sliding_window; then layer_types says where, or else every layer from
/// max_window_layers on.
std::vector<int64_t> parse_windows(const ConfigReader& in, int64_t layers) {
  std::vector<int64_t> windows(static_cast<size_t>(layers), 0);
  if (!in.boolean("use_sliding_window", false) || !in.has("sliding_window")) return windows;
  const int64_t window = in.integer("sliding_window", 1, kMaxPositions);
  if (!in.has("layer_types")) {
    const int64_t first = std::min(in.integer("max_window_layers", 0, INT64_MAX, 28), layers);
    std::fill(windows.begin() + first, windows.end(), window);
    return windows;
  }
  const Json& types = in.at("layer_types");
  if (!types.is_array() || types.size() != windows.size())
    throw fail("'layer_types' must list {} layers, found {}", layers, excerpt(types));
  for (size_t i = 0; i < windows.size(); ++i) {
    if (types[i] == "sliding_attention")
      windows[i] = window;
    else if (types[i] != "full_attention")
      throw fail("'layer_types' holds {}; supported are full_attention, sliding_attention", excerpt(types[i]));
  }
  return windows;
}

void parse_gpt2(const ConfigReader& in, ModelConfig& config) {
  in.require({"vocab_size", "n_embd", "n_layer", "n_head", "n_positions"});
  config.hidden_size = in.integer("n_embd", 1, kMaxWidth);
  config.intermediate_size = in.integer("n_inner", 1, kMaxWidth, 4 * config.hidden_size);
  config.num_hidden_layers = in.integer("n_layer", 1, kMaxLayers);
  config.num_attention_heads = config.num_key_value_heads = in.integer("n_head", 1, kMaxHeads);
  config.max_position_embeddings = in.integer("n_positions", 1, kMaxPositions);
  config.norm_epsilon = in.number("layer_norm_epsilon", 1e-12, 1, 1e-5);
  config.hidden_act = parse_activation(in, "activation_function", "gelu_new");
  config.tie_word_embeddings = in.boolean("tie_word_embeddings", true);
  config.attention_bias = config.attention_output_bias = config.mlp_bias = true;
  config.scale_attn_weights = in.boolean("scale_attn_weights", true);
  config.scale_attn_by_inverse_layer_idx = in.boolean("scale_attn_by_inverse_layer_idx", false);
}

void parse_llama_like(const ConfigReader& in, ModelConfig& config) {
  const bool llama = config.family == ModelFamily::kLlama;
  const bool qwen2 = config.family == ModelFamily::kQwen2;
  const bool qwen3 = config.family == ModelFamily::kQwen3;
  in.require({"vocab_size", "hidden_size", "intermediate_size", "num_hidden_layers", "num_attention_heads"});
  config.hidden_size = in.integer("hidden_size", 1, kMaxWidth);
  config.intermediate_size = in.integer("intermediate_size", 1, kMaxWidth);
  config.num_hidden_layers = in.integer("num_hidden_layers", 1, kMaxLayers);
  config.num_attention_heads = in.integer("num_attention_heads", 1, kMaxHeads);
  config.num_key_value_heads = in.integer("num_key_value_heads", 1, kMaxHeads, config.num_attention_heads);
  config.head_dim = in.integer("head_dim", 1, kMaxWidth, qwen3 ? 128 : 0);
  config.max_position_embeddings = in.integer("max_position_embeddings", 1, kMaxPositions, llama ? 2048 : 32768);
  config.norm_epsilon = in.number("rms_norm_eps", 1e-12, 1, 1e-6);
  config.hidden_act = parse_activation(in, "hidden_act", "silu");
  config.tie_word_embeddings = in.boolean("tie_word_embeddings", false);
  config.attention_bias = qwen2 || in.boolean("attention_bias", false);
  config.attention_output_bias = !qwen2 && config.attention_bias;
  config.mlp_bias = llama && in.boolean("mlp_bias", false);
  config.qk_norm = qwen3;
  parse_rope(in, config);
  if (!llama) config.attention_windows = parse_windows(in, config.num_hidden_layers);
}

/// Fills in head_dim where the file leaves it open, and checks what must divide.
void settle_heads(ModelConfig& config) {
  if (config.head_dim == 0) {
    if (config.hidden_size % config.num_attention_heads != 0)
      throw fail("hidden size {} is not divisible by {} attention heads", config.hidden_size,
                 config.num_attention_heads);
    config.head_dim = config.hidden_size / config.num_attention_heads;
  }
  if (config.num_attention_heads % config.num_key_value_heads != 0)
    throw fail("'num_attention_heads' {} is not divisible by 'num_key_value_heads' {}", config.num_attention_heads,
               config.num_key_value_heads);
  if (config.family != ModelFamily::kGpt2 && config.head_dim % 2 != 0)
    throw fail("'head_dim' {} must be even for rotary position embeddings", config.head_dim);
}

/// One id or a list of ids.
TokenIds parse_end_tokens(const ConfigReader& in, int64_t vocab_size) {
  TokenIds ids;
  const Json& value = in.at("eos_token_id");
  for (const Json& id : value.is_array() ? value : Json::array({value})) {
    if (!id.is_number_integer() || id < 0 || id >= vocab_size)
      throw fail("'eos_token_id' {} is not a token id below 'vocab_size' {}", excerpt(value), vocab_size);
    ids.push_back(id.get<TokenId>());
  }
  return ids;
}

void parse_special_tokens(const ConfigReader& in, ModelConfig& config) {
  if (in.has("eos_token_id")) config.eos_token_ids = parse_end_tokens(in, config.vocab_size);
  // Folders say -1, or one past the vocabulary, for "none".
  const auto optional_id = [&](const char* key, std::optional<TokenId>& id) {
    if (!in.has(key)) return;
    const int64_t value = in.integer(key, INT64_MIN, INT64_MAX);
    id = value >= 0 && value < config.vocab_size ? std::optional(value) : std::nullopt;
  };
  optional_id("bos_token_id", config.bos_token_id);
  optional_id("pad_token_id", config.pad_token_id);
}

}  // namespace

double ModelConfig::attention_scale(int64_t layer) const {
  const double scale = scale_attn_weights ? 1 / std::sqrt(static_cast<double>(head_dim)) : 1;
  return scale_attn_by_inverse_layer_idx ? scale / static_cast<double>(layer + 1) : scale;
}

ModelConfig parse_model_config(std::string_view config_text, std::string_view generation_text) {
  ModelConfig config;
  config.json_text = config_text;
  try {
    const Json json = parse_text(config_text);
    const ConfigReader in(json);
    const Architecture& architecture = parse_architecture(in);
    refuse_unsupported(in);
    config.family = architecture.family;
    config.model_type = architecture.model_type;
    config.vocab_size = in.integer("vocab_size", 1, kMaxVocabulary);
    config.torch_dtype = parse_dtype(in);
    if (config.family == ModelFamily::kGpt2)
      parse_gpt2(in, config);
    else
      parse_llama_like(in, config);
    config.attention_windows.resize(static_cast<size_t>(config.num_hidden_layers), 0);
    settle_heads(config);
    parse_special_tokens(in, config);
  } catch (Error& error) {
    throw std::move(error).at("config.json");
  }
  if (generation_text.empty()) return config;
  try {
    const Json json = parse_text(generation_text);
    parse_special_tokens(ConfigReader(json), config);
  } catch (Error& error) {
    throw std::move(error).at("generation_config.json");
  }
  return config;
}

ModelConfig load_model_config(const Path& folder) {
  const Path path = folder / "config.json", generation_path = folder / "generation_config.json";
  if (!std::filesystem::exists(path))
    throw fail("has no config.json").at(folder.string()).hint("a model folder holds config.json and its safetensors");
  const std::string generation = std::filesystem::exists(generation_path) ? read_file(generation_path) : "";
  try {
    return parse_model_config(read_file(path), generation);
  } catch (Error& error) {
    throw std::move(error).at(folder.string());
  }
}

}  // namespace agro
