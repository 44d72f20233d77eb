#pragma once
// From records to token ids. The tokenizer and the chat template come in as functions, so that a folder without them
// works on `ids` alone and this room does not depend on theirs.
#include <functional>
#include <string>
#include <string_view>

#include "data/completions.h"
#include "data/group.h"

namespace agro {

struct Encoders {
  std::function<TokenIds(std::string_view text)> encode;                // empty: the folder has no tokenizer
  std::function<std::string(const OrderedJson& messages)> render_chat;  // empty: the folder has no chat template
  TokenIds end_ids;        // end tokens; the first is appended. May be empty
  bool append_end = true;  // data.append_eos
};

/// The prompt's token ids: its own, or its text or rendered chat encoded. Throws Error naming the prompt's id where the
/// needed function is missing or nothing comes out.
TokenIds encode_prompt(const PromptRecord& prompt, const Encoders& encoders);

/// A stored completion as a response; ids win over text. The end token is appended (once) unless the completion was cut
/// (finish_reason "length"), append_end is off, the model has none, or ids come with a finish_reason: those are exact.
/// The reward is NaN where the file has none. Throws Error where text needs a tokenizer or no token comes out.
Response to_response(const StoredCompletion& completion, const Encoders& encoders);

}  // namespace agro
