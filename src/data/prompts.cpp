#include "data/prompts.h"

#include <algorithm>
#include <string_view>
#include <unordered_map>

#include "core/error.h"
#include "data/fields.h"

namespace agro {
namespace {

using detail::find_field;

bool is_name(std::string_view text) {
  const auto word = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; };
  const auto digit = [](char c) { return c >= '0' && c <= '9'; };
  return !text.empty() && word(text.front()) &&
         std::all_of(text.begin(), text.end(), [&](char c) { return word(c) || digit(c); });
}

std::string field_text(const Json& record, std::string_view name) {
  const auto text = detail::text_field(record, std::string(name));
  if (!text)
    throw fail("the prompt template asks for '{}', which this record does not have", name)
        .hint("a literal {name} is written {{name}} in the template");
  return *text;
}

std::string fill_template(std::string_view pattern, const Json& record, std::string_view prompt) {
  std::string filled;
  bool any = false;
  for (size_t i = 0; i < pattern.size();) {
    const size_t close = pattern[i] == '{' ? pattern.find('}', i) : std::string_view::npos;
    const bool doubled = pattern.substr(i, 2) == "{{" && pattern.substr(std::min(close, pattern.size()), 2) == "}}";
    const size_t name_begin = i + (doubled ? 2 : 1);
    const std::string_view name =
        close == std::string_view::npos || close < name_begin ? "" : pattern.substr(name_begin, close - name_begin);
    if (!is_name(name)) {
      filled += pattern[i++];
    } else if (doubled) {
      filled.append("{").append(name).append("}");
      i = close + 2;
    } else {
      filled += name == "prompt" ? std::string(prompt) : field_text(record, name);
      any = true;
      i = close + 1;
    }
  }
  if (!any)
    throw fail("the prompt template has no {{prompt}} or other field in braces: every prompt would be the same");
  return filled;
}

OrderedJson check_messages(const Json& messages, const std::string& key) {
  if (messages.empty()) throw fail("'{}' must hold at least one message, found none", key);
  for (size_t i = 0; i < messages.size(); ++i) {
    const Json& message = messages[i];
    const auto place = [&] { return fmt::format("message {} of '{}'", i + 1, key); };
    if (!message.is_object()) throw fail("expected an object, found {}", message.type_name()).at(place());
    try {
      if (!detail::string_field(message, "role")) throw fail("has no 'role'");
      // An assistant's turn may consist of tool calls alone.
      if (!detail::string_field(message, "content") && find_field(message, "tool_calls") == nullptr)
        throw fail("has no 'content'");
    } catch (Error& error) {
      throw std::move(error).at(place());
    }
  }
  return OrderedJson(messages);
}

std::string prompt_key_of(const Json& record, const PromptOptions& options) {
  if (!options.prompt_key.empty()) {
    if (find_field(record, options.prompt_key) == nullptr) throw fail("has no '{}'", options.prompt_key);
    return options.prompt_key;
  }
  for (const char* key : {"ids", "prompt", "messages", "question"})
    if (find_field(record, key) != nullptr) return key;
  throw fail("has no prompt").hint("a record holds \"prompt\", \"messages\", \"question\" or \"ids\"");
}

void fill_prompt(PromptRecord& prompt, const PromptOptions& options) {
  const std::string key = prompt_key_of(prompt.record, options);
  const Json& value = *find_field(prompt.record, key);
  if (value.is_string()) {
    prompt.text = value.get<std::string>();
    if (!options.prompt_template.empty())
      prompt.text = fill_template(options.prompt_template, prompt.record, prompt.text);
    if (prompt.text.empty()) throw fail("'{}' is empty", key);
  } else if (!value.is_array()) {
    throw fail("'{}' must be a string, a list of messages or a list of token ids, found {}", key, value.type_name());
  } else if (key == "ids" || (!value.empty() && value.front().is_number())) {
    prompt.ids = detail::token_ids(value, key);
  } else {
    prompt.messages = check_messages(value, key);
  }
}

std::string record_id(const Json& record, int64_t line) {
  const Json* id = find_field(record, "id");
  if (id == nullptr) return fmt::format("line-{}", line);
  if (id->is_string()) return id->get<std::string>();
  if (id->is_number_integer()) return id->dump();
  throw fail("'id' must be a string or an integer, found {}", id->type_name());
}

}  // namespace

PromptRecord parse_prompt(const Json& record, const PromptOptions& options, int64_t line) {
  detail::check_record(record);
  PromptRecord prompt;
  prompt.record = record;
  prompt.line = line;
  prompt.id = record_id(record, line);
  fill_prompt(prompt, options);
  prompt.answer = detail::text_field(record, options.answer_key);
  if (options.require_answer && !prompt.answer)
    throw fail("has no '{}'", options.answer_key)
        .hint("the reward compares with it; data.answer_key names another field");
  return prompt;
}

std::vector<PromptRecord> read_prompts(const Path& path, const PromptOptions& options) {
  std::vector<PromptRecord> prompts;
  std::unordered_map<std::string, int64_t> line_of_id;
  for_each_jsonl(path, [&](const Json& record, int64_t line) {
    if (options.limit > 0 && static_cast<int64_t>(prompts.size()) >= options.limit) return;
    PromptRecord prompt = parse_prompt(record, options, line);
    const auto [earlier, is_new] = line_of_id.emplace(prompt.id, line);
    if (!is_new)
      throw fail("id '{}' was given on line {} already", prompt.id, earlier->second)
          .hint("ids name prompts in reports: make them distinct or leave them out");
    prompts.push_back(std::move(prompt));
  });
  if (prompts.empty()) throw fail("holds no prompts").at(path.string());
  return prompts;
}

std::string prompt_identity(const PromptRecord& prompt) {
  if (!prompt.ids.empty()) return "ids:" + to_line(Json(prompt.ids));
  // Through Json, whose keys are sorted: the order in which a message names its fields does not matter.
  if (!prompt.messages.is_null()) return "messages:" + to_line(Json(prompt.messages));
  return "text:" + prompt.text;
}

}  // namespace agro
