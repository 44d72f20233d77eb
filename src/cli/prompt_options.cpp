#include "cli/prompt_options.h"

#include "cli/config_options.h"
#include "data/text_tools.h"

namespace agro {

void add_prompt_options(CLI::App& command, DataConfig& data) {
  add_config_options(
      command, data,
      {"format", "prompt_key", "answer_key", "prompt_template", "prompt_template_file", "system_prompt", "limit"});
}

std::vector<PromptRecord> load_prompts(const std::string& path, const DataConfig& data, bool require_answer,
                                       int64_t skip) {
  PromptOptions options = prompt_options(data);
  options.skip = skip;
  options.require_answer = require_answer;
  std::vector<PromptRecord> prompts = read_prompts(path, options);
  for (PromptRecord& prompt : prompts) add_system_prompt(prompt, data.system_prompt);
  return prompts;
}

}  // namespace agro
