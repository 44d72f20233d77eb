#include "model/model_report.h"

#include "model/parameter_names.h"
#include "tensor/safetensors_folder.h"

namespace agro {
namespace {

int64_t element_count(const std::vector<int64_t>& shape) { return byte_count(Dtype::kU8, shape); }

bool is_embedding_or_head(const ModelConfig& config, std::string_view name) {
  return name == output_weight_name() || name == embedding_weight_name(config) || name.ends_with("wpe.weight");
}

void count(ModelFacts& facts, const ParameterSpec& spec, Dtype dtype) {
  const std::vector<int64_t>& shape = spec.shape;
  const int64_t elements = element_count(shape);
  if (shape.size() == 2 && !is_embedding_or_head(facts.config, spec.name))
    facts.adapter_parameters_per_rank += shape[0] + shape[1];
  facts.parameters += elements;
  facts.reference_bytes += elements * (shape.size() >= 2 && dtype == Dtype::kBF16 ? 2 : 4);
}

void count_stored(ModelFacts& facts, const Path& folder) {
  const SafetensorsFolder weights(folder);
  StoredShapes shapes;
  for (const std::string& name : weights.names()) shapes.emplace(name, weights.get(name).shape);
  for (const auto& parameter : match_parameters(facts.config, shapes).parameters) {
    const TensorView& view = weights.get(parameter.stored_name);
    count(facts, parameter.spec, view.dtype);
    facts.stored_as[view.dtype] += element_count(view.shape);
  }
  for (const SafetensorsLayout::Shard& shard : weights.layout().shards) {
    facts.bytes_on_disk += static_cast<int64_t>(std::filesystem::file_size(folder / shard.file));
    ++facts.files;
  }
}

}  // namespace

int64_t ModelFacts::kv_cache_bytes_per_token() const {
  return 2 * config.num_hidden_layers * config.num_key_value_heads * config.head_dim * 4;
}

int64_t ModelFacts::activation_bytes_per_token(bool recompute) const {
  const int64_t layers = config.num_hidden_layers, width = config.hidden_size;
  if (recompute) return 4 * layers * width;
  const int64_t query = config.num_attention_heads * config.head_dim,
                key_value = config.num_key_value_heads * config.head_dim;
  // Inputs of both norms and what they give; queries, keys, values and what attention gives; inside the feed-forward.
  const int64_t inner = config.intermediate_size * (config.family == ModelFamily::kGpt2 ? 2 : 3);
  return 4 * layers * (4 * width + 2 * query + 2 * key_value + inner);
}

ModelFacts read_model_facts(const Path& folder) {
  ModelFacts facts;
  facts.config = load_model_config(folder);
  if (std::filesystem::exists(folder / "model.safetensors") ||
      std::filesystem::exists(folder / "model.safetensors.index.json")) {
    count_stored(facts, folder);
  } else {
    for (const ParameterSpec& spec : expected_parameters(facts.config))
      count(facts, spec, facts.config.torch_dtype.value_or(Dtype::kF32));
  }
  return facts;
}

OrderedJson to_json(const ModelFacts& facts) {
  const ModelConfig& config = facts.config;
  OrderedJson json;
  json["family"] = config.model_type;
  json["parameters"] = facts.parameters;
  json["layers"] = config.num_hidden_layers;
  json["hidden_size"] = config.hidden_size;
  json["intermediate_size"] = config.intermediate_size;
  json["attention_heads"] = config.num_attention_heads;
  json["key_value_heads"] = config.num_key_value_heads;
  json["head_dim"] = config.head_dim;
  json["vocabulary"] = config.vocab_size;
  json["context_length"] = config.max_position_embeddings;
  json["tied_embeddings"] = config.tie_word_embeddings;
  json["stored_as"] = OrderedJson::object();
  for (const auto& [dtype, parameters] : facts.stored_as) json["stored_as"][std::string(name_of(dtype))] = parameters;
  json["files"] = facts.files;
  json["bytes_on_disk"] = facts.bytes_on_disk;
  json["training_bytes"] = {{"weights", 4 * facts.parameters},
                            {"gradients", 4 * facts.parameters},
                            {"moments", 8 * facts.parameters},
                            {"reference", facts.reference_bytes},
                            {"sum", facts.training_bytes()}};
  json["lora_training_bytes"] = {{"rank", kExampleRank}, {"sum", facts.lora_training_bytes(kExampleRank)}};
  json["activation_bytes_per_token"] = {{"kept", facts.activation_bytes_per_token(false)},
                                        {"recompute", facts.activation_bytes_per_token(true)}};
  json["kv_cache_bytes_per_token"] = facts.kv_cache_bytes_per_token();
  return json;
}

}  // namespace agro
