#pragma once
// The text side of a model folder: its tokenizer and chat template, where it has them, as the encoders of
// data/encode.h.
#include <memory>
#include <optional>
#include <string>

#include "data/encode.h"
#include "text/chat_template.h"
#include "text/tokenizer.h"

namespace agro {

struct TextTools {
  std::optional<Tokenizer> tokenizer;  // none: the folder works on ids alone
  std::optional<ChatTemplate> chat_template;

  const Tokenizer* tokenizer_or_null() const { return tokenizer ? &*tokenizer : nullptr; }
};

/// Reads what the folder has. Throws Error where a file is there but broken.
TextTools load_text_tools(const Path& folder);

/// Encoders over copies of the tools. `end_ids` are the model's end tokens.
Encoders make_encoders(const TextTools& tools, TokenIds end_ids, bool append_end);

/// Turns a plain-text prompt into a chat of a system message and the prompt as user; other prompts stay as they are.
void add_system_prompt(PromptRecord& prompt, const std::string& system_prompt);

}  // namespace agro
