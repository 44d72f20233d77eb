#pragma once
// Files of logged responses, JSONL, grouped, flat or as preferences; the prompt takes any form of data/prompts.h:
//   {"prompt", "answer"?, "completions": [{"text" | "ids", "reward"?, "finish_reason"?, "source"?, "logprob"?,
//                                          "logprobs"?}…]}
//   {"prompt", "answer"?, "completion": "text" | [ids], "reward"?, …}
//   {"prompt", "answer"?, "chosen": "text" | [ids], "rejected": "text" | [ids], "finish_reason"?, "source"?}
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "data/prompts.h"

namespace agro {

struct StoredCompletion {
  std::string text = {};               // may be empty: a model that ends at once
  TokenIds ids = {};                   // win over text where not empty
  std::optional<double> reward = {};   // none: the verifier computes it
  std::string finish_reason = {};      // "stop", "length" or "" where the file does not say
  std::string source = {};             // of the completion, else of its record, else "stored"
  std::optional<double> logprob = {};  // natural log, summed, under the model that wrote it
  std::vector<float> logprobs = {};    // the same by token of the file; with ids, one for each of them. Empty: unknown
};

/// All stored responses of one prompt. prompt.record is the first record without its completions.
struct StoredGroup {
  PromptRecord prompt;
  std::vector<StoredCompletion> completions;
};

/// Reads the files in turn; records of one prompt (prompt_identity), wherever they stand, become one group, groups in
/// order of first appearance. A preference record is two responses: the chosen one with reward 1, then the rejected one
/// with reward 0. Equal responses are all kept. options.limit counts prompts. The answer may stand on any of a prompt's
/// records. Throws Error with path and line for a broken line, a missing or wrong field, logprobs that are not as many
/// as the ids beside them, two different answers to one prompt; and where the files hold no completion at all.
std::vector<StoredGroup> read_completions(std::span<const Path> paths, const PromptOptions& options = {});
std::vector<StoredGroup> read_completions(const Path& path, const PromptOptions& options = {});

}  // namespace agro
