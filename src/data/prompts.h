#pragma once
// Prompt files: one JSON object per line, in the forms users already have them.
//   {"prompt": "text"}  {"prompt": [{"role", "content"}…]} or {"messages": […]}  {"question", "answer"} (GSM8K)
//   {"ids": […]} or {"prompt": [ids…]} where there is no tokenizer.  All may carry "answer" and "id".
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/file.h"
#include "core/json.h"
#include "core/tokens.h"

namespace agro {

struct PromptOptions {
  std::string prompt_key = {};        // empty: the first of "ids", "prompt", "messages", "question" that is there
  std::string answer_key = "answer";  // a string or a number
  bool require_answer = false;        // a record without answer is an Error: for rewards that compare with it

  /// Wraps plain-text prompts ("{question}\nAnswer:"; empty: as they come). {prompt} stands for the prompt, any other
  /// {name} for that field of the record; {{name}} is a literal {name}, and other braces (\boxed{}) are left alone.
  std::string prompt_template = {};

  int64_t limit = 0;  // read the first so many records; 0: all
};

/// One prompt: exactly one of text, messages and ids is filled.
struct PromptRecord {
  std::string id;        // as given (string or integer), else "line-N"
  std::string text;      // after the template
  OrderedJson messages;  // null where the prompt is not a chat
  TokenIds ids;
  std::optional<std::string> answer;  // numbers as their JSON text: 42 → "42"
  Json record;                        // everything the line said, for rewards that need more than the answer
  int64_t line = 0;                   // numbered from 1
};

/// Reads one record. Throws Error (without place) on a missing prompt, an unknown template field or a wrong type.
PromptRecord parse_prompt(const Json& record, const PromptOptions& options, int64_t line);

/// Reads a JSONL prompt file in its order. Throws Error naming path and line for a broken line and everything that
/// parse_prompt refuses, for an id given twice, and for a file without any prompt.
std::vector<PromptRecord> read_prompts(const Path& path, const PromptOptions& options = {});

/// Equal for two prompts exactly when the model is asked the same thing; id and answer do not count.
std::string prompt_identity(const PromptRecord& prompt);

}  // namespace agro
