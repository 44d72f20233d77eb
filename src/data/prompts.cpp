#include "data/prompts.h"

#include <fmt/ranges.h>

#include <unordered_map>

#include "core/error.h"
#include "data/datasets/formats.h"
#include "data/datasets/records.h"
#include "data/fields.h"

namespace agro {
namespace {

using detail::find_field;

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
  std::vector<std::string> names;
  for (const auto& [name, value] : record.items())
    if (names.size() < 12) names.push_back(name);
  throw fail("has no prompt: its fields are {}", names.empty() ? "none" : fmt::format("{}", fmt::join(names, ", ")))
      .hint(fmt::format("a record holds \"prompt\", \"messages\", \"question\" or \"ids\"; data.prompt_key names "
                        "another field, data.format a published layout ({})",
                        fmt::join(dataset_format_names(), ", ")));
}

/// Puts a question into the form of the template.
void ask(PromptRecord& prompt, std::string question, const PromptOptions& options) {
  prompt.question = std::move(question);
  if (options.form && options.form->is_chat())
    prompt.messages = options.form->fill_chat(prompt.record, prompt.question);
  else if (options.form)
    prompt.text = options.form->fill_text(prompt.record, prompt.question);
  else if (!options.prompt_template.empty())
    prompt.text = fill_template(options.prompt_template, prompt.record, prompt.question);
  else
    prompt.text = prompt.question;
  if (prompt.text.empty() && prompt.messages.is_null()) throw Error("the prompt is empty");
}

/// What the user says last.
std::string last_question(const OrderedJson& messages) {
  for (auto message = messages.rbegin(); message != messages.rend(); ++message)
    if (message->value("role", "") == "user" && message->contains("content") && (*message)["content"].is_string())
      return (*message)["content"].get<std::string>();
  return {};
}

void fill_prompt(PromptRecord& prompt, const PromptOptions& options) {
  const std::string key = prompt_key_of(prompt.record, options);
  const Json& value = *find_field(prompt.record, key);
  if (value.is_string()) {
    if (value.get_ref<const std::string&>().empty()) throw fail("'{}' is empty", key);
    ask(prompt, value.get<std::string>(), options);
  } else if (!value.is_array()) {
    throw fail("'{}' must be a string, a list of messages or a list of token ids, found {}", key, value.type_name());
  } else if (key == "ids" || (!value.empty() && value.front().is_number())) {
    prompt.ids = detail::token_ids(value, key);
  } else {
    prompt.messages = check_messages(value, key);
    prompt.question = last_question(prompt.messages);
  }
}

std::string record_id(const Json& record, int64_t line) {
  const Json* id = find_field(record, "id");
  if (id == nullptr) return fmt::format("line-{}", line);
  if (id->is_string()) return id->get<std::string>();
  if (id->is_number_integer()) return id->dump();
  throw fail("'id' must be a string or an integer, found {}", id->type_name());
}

void read_published(PromptRecord& prompt, const DatasetFormat& format, const PromptOptions& options) {
  if (!options.prompt_key.empty())
    throw fail("data.prompt_key = '{}' has no place beside the format '{}', which says where the prompt is",
               options.prompt_key, format.name);
  PublishedProblem published;
  try {
    published = format.read(prompt.record);
    if (published.question.empty()) throw Error("the question is empty");
  } catch (Error& error) {
    throw std::move(error).hint(fmt::format("the file is read as '{}'; data.format names another layout", format.name));
  }
  prompt.id = std::move(published.id);
  prompt.answer = std::move(published.answer);
  ask(prompt, std::move(published.question), options);
}

/// The layout of a file that begins with `record`. Whoever names keys means a plain file.
std::string format_of(const Json& record, const PromptOptions& options) {
  if (options.format != "auto") return options.format;
  if (!options.prompt_key.empty() || options.answer_key != PromptOptions().answer_key) return "plain";
  const DatasetFormat* format = detect_dataset_format(record);
  return format == nullptr ? "plain" : std::string(format->name);
}

/// The name of a record that gives itself none. A file of MATH has that of its problem, however deep in the data set
/// the reading began; where several data sets lie in one folder, the path in it tells them apart.
std::string name_of_place(const RecordPlace& place, const Path& path, std::string_view format) {
  if (format != "math" || place.file.empty()) return place.name;
  const Path within = place.file.lexically_relative(path);
  std::string id = std::distance(within.begin(), within.end()) <= 3 ? math_problem_id(place.file) : std::string();
  return id.empty() ? place.name : id;
}

}  // namespace

PromptRecord parse_prompt(const Json& record, const PromptOptions& options, int64_t line) {
  detail::check_record(record);
  const DatasetFormat* format = options.format == "auto" ? nullptr : dataset_format_named(options.format);
  PromptRecord prompt;
  prompt.record = record;
  prompt.line = line;
  if (format != nullptr) {
    read_published(prompt, *format, options);
  } else {
    prompt.id = record_id(record, line);
    fill_prompt(prompt, options);
    prompt.answer = detail::text_field(record, options.answer_key);
  }
  if (options.require_answer && !prompt.answer)
    throw fail("has no '{}'", options.answer_key)
        .hint("the reward compares with it; data.answer_key names another field");
  return prompt;
}

std::vector<PromptRecord> read_prompts(const Path& path, const PromptOptions& options) {
  std::vector<PromptRecord> prompts;
  std::unordered_map<std::string, std::string> place_of_id;
  PromptOptions found = options;
  int64_t skipped = 0;
  for_each_record(path, [&](const Json& record, const RecordPlace& place) {
    if (skipped < options.skip) return ++skipped, true;
    if (prompts.empty()) found.format = format_of(record, options);
    PromptRecord prompt = parse_prompt(record, found, place.number);
    if (prompt.id.empty() || prompt.id == fmt::format("line-{}", place.number))
      prompt.id = name_of_place(place, path, found.format);
    const auto [earlier, is_new] = place_of_id.emplace(prompt.id, place.where);
    if (!is_new)
      throw fail("id '{}' was given {} already", prompt.id, earlier->second)
          .hint("ids name prompts in reports: make them distinct or leave them out");
    prompts.push_back(std::move(prompt));
    return options.limit == 0 || static_cast<int64_t>(prompts.size()) < options.limit;
  });
  if (prompts.empty() && skipped > 0) throw fail("holds {} prompts, and all are skipped", skipped).at(path.string());
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
