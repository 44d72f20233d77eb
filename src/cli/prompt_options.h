#pragma once
// How a prompt file is read, as the commands that take one need it.
#include <CLI/App.hpp>
#include <string>
#include <vector>

#include "data/prompts.h"
#include "train/config.h"

namespace agro {

/// --format, --prompt-key, --answer-key, --prompt-template, --prompt-template-file, --system-prompt and --limit, as in
/// a configuration's [data].
void add_prompt_options(CLI::App& command, DataConfig& data);

/// Reads the file without its first `skip` records; a system prompt is put before plain-text prompts. Throws Error as
/// read_prompts does.
std::vector<PromptRecord> load_prompts(const std::string& path, const DataConfig& data, bool require_answer,
                                       int64_t skip = 0);

}  // namespace agro
