#pragma once
// How a prompt file is read, as the commands that take one need it.
#include <CLI/App.hpp>
#include <string>
#include <vector>

#include "data/prompts.h"
#include "train/config.h"

namespace agro {

/// --prompt-key, --answer-key, --prompt-template, --system-prompt and --limit, as in a configuration's [data].
void add_prompt_options(CLI::App& command, DataConfig& data);

/// Reads the file; a system prompt is put before plain-text prompts. Throws Error as read_prompts does.
std::vector<PromptRecord> load_prompts(const std::string& path, const DataConfig& data, bool require_answer);

}  // namespace agro
