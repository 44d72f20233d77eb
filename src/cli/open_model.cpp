#include "cli/open_model.h"

#include "core/json.h"
#include "generate/sampling.h"
#include "model/config_reader.h"
#include "model/lora.h"
#include "tensor/machine.h"

namespace agro {

void add_model_options(CLI::App& command, ModelOptions& options) {
  command.add_option("FOLDER", options.folder, "Model folder: config.json, safetensors, tokenizer.json.")->required();
  command.add_option("--adapter", options.adapter, "PEFT adapter folder: measure the model with it.");
  command.add_option("--dtype", options.dtype, "Weights in memory; same: as in the file.")
      ->capture_default_str()
      ->check(CLI::IsMember({"float32", "bfloat16", "same"}));
  command.add_option("--products", options.products, "Numbers that enter the matrix products; sums are float32.")
      ->capture_default_str()
      ->check(CLI::IsMember({"float32", "bfloat16"}));
  command.add_option("--threads", options.threads, "Worker threads; 0: one per CPU this process may use.")
      ->check(CLI::Range(0, 4096));
}

OpenModel open_model(const ModelOptions& options) {
  set_up_machine(options.threads);
  ModelFolder folder(options.folder);
  CausalLm model = folder.load(weight_dtype_named(options.dtype));
  if (!options.adapter.empty()) read_adapter(options.adapter, model);
  model.set_products(products_named(options.products));
  TextTools text = load_text_tools(options.folder);
  Encoders encoders = make_encoders(text, folder.config().eos_token_ids, true);
  return {std::move(folder), std::move(model), std::move(text), std::move(encoders)};
}

void check_ids(const TokenIds& ids, const ModelConfig& config) {
  for (size_t i = 0; i < ids.size(); ++i)
    if (ids[i] < 0 || ids[i] >= config.vocab_size)
      throw fail("token id {} at index {} is not below the model's vocab_size {}", ids[i], i, config.vocab_size);
}

int64_t default_max_new_tokens(const Path& folder) {
  const int64_t otherwise = SamplingConfig().max_new_tokens;
  const Path path = folder / "generation_config.json";
  if (!std::filesystem::exists(path)) return otherwise;
  const Json json = read_json(path);
  try {
    return detail::ConfigReader(json).integer("max_new_tokens", 1, 1'000'000'000, otherwise);
  } catch (Error& error) {
    throw std::move(error).at(path.string());
  }
}

}  // namespace agro
