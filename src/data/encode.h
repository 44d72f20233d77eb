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
  std::function<std::string(const TokenIds& ids)> decode;               // empty as encode is
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
/// A completion that is ids alone gets their text, as far as it can be had. Its logprobs are kept where there is one
/// for each of the response's ids; else they are dropped whole, because nobody knows the appended end token's, or which
/// tokens of a text were meant. A missing logprob is the sum of the kept ones.
Response to_response(const StoredCompletion& completion, const Encoders& encoders);

/// What a model can be asked.
struct ModelLimits {
  int64_t positions = 0;
  int64_t vocabulary = 0;
};

/// Throws Error naming the prompt where it, with its completion (may be empty), is longer than the model or holds an id
/// outside its vocabulary. The last token of a completion is never fed back and needs no position.
void check_fits(const PromptRecord& prompt, const TokenIds& prompt_ids, const TokenIds& completion_ids,
                const ModelLimits& limits);

}  // namespace agro
