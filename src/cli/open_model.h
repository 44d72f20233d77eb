#pragma once
// A model folder made ready to be asked, as several commands need it.
#include <CLI/App.hpp>
#include <string>

#include "data/text_tools.h"
#include "model/model_folder.h"

namespace agro {

struct ModelOptions {
  std::string folder;
  std::string adapter;
  std::string dtype = "float32";
  std::string products = "float32";
  int64_t threads = 0;
};

/// FOLDER, --adapter, --dtype, --products and --threads.
void add_model_options(CLI::App& command, ModelOptions& options);

struct OpenModel {
  ModelFolder folder;
  CausalLm model;
  TextTools text;
  Encoders encoders;  // stored completions get their end token
};

/// Sets the machine up and reads the folder. Throws Error as ModelFolder and load_text_tools do.
OpenModel open_model(const ModelOptions& options);

/// Throws Error naming the first id that the model does not have.
void check_ids(const TokenIds& ids, const ModelConfig& config);

/// max_new_tokens of the folder's generation_config.json, else 256.
int64_t default_max_new_tokens(const Path& folder);

}  // namespace agro
