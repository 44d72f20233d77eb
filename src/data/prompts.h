#pragma once
// Prompt files in the forms users already have them: the layouts of published data sets (data/datasets/formats.h), and
// plain records, one JSON object on each line, in a list, or in a file each:
//   {"prompt": "text"}  {"prompt": [{"role", "content"}…]} or {"messages": […]}  {"question", "answer"} (GSM8K)
//   {"ids": […]} or {"prompt": [ids…]} where there is no tokenizer.  All may carry "answer" and "id".
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/file.h"
#include "core/json.h"
#include "core/tokens.h"
#include "data/prompt_template.h"

namespace agro {

struct PromptOptions {
  std::string format = "auto";        // a name of dataset_format_names()
  std::string prompt_key = {};        // empty: the first of "ids", "prompt", "messages", "question" that is there
  std::string answer_key = "answer";  // a string or a number
  bool require_answer = false;        // a record without answer is an Error: for rewards that compare with it

  std::string prompt_template = {};         // text around plain prompts, see fill_template; empty: as they come
  std::optional<PromptTemplate> form = {};  // in its place: everything a template file says

  int64_t skip = 0;   // leave out the first so many records
  int64_t limit = 0;  // then read so many; 0: all
};

/// One prompt: exactly one of text, messages and ids is filled.
struct PromptRecord {
  std::string id;        // as given (string or integer), else "line-N"
  std::string text;      // after the template
  std::string question;  // before it; of a chat the last message of the user; empty: ids
  OrderedJson messages;  // null where the prompt is not a chat
  TokenIds ids;
  std::optional<std::string> answer;  // numbers as their JSON text: 42 → "42"
  Json record;                        // everything the line said, for rewards that need more than the answer
  int64_t line = 0;                   // numbered from 1
};

/// Reads one record in the layout that options.format names; "auto" counts as "plain". Throws Error (without place) on
/// a missing prompt, an unknown template field or a wrong type.
PromptRecord parse_prompt(const Json& record, const PromptOptions& options, int64_t line);

/// Reads a JSONL file, a JSON file or a folder of such files (for_each_record) in order. With the format "auto" the
/// first record decides about the whole: "plain" where options name its keys or it matches no layout. Throws Error
/// naming path and line or record for what is broken and everything that parse_prompt refuses, for an id given twice,
/// and for a file without any prompt.
std::vector<PromptRecord> read_prompts(const Path& path, const PromptOptions& options = {});

/// Equal for two prompts exactly when the model is asked the same thing; id and answer do not count.
std::string prompt_identity(const PromptRecord& prompt);

}  // namespace agro
