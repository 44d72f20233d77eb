#include "data/completions.h"

#include <unordered_map>

#include "core/error.h"
#include "data/fields.h"

namespace agro {
namespace {

using detail::find_field;

// A product of probabilities is at most 1; a little above 0 is rounding, more is another quantity.
constexpr double kLogprobSlack = 1e-3;

/// Everything of a completion but its text and ids; `record` is the completion's object or the flat record.
StoredCompletion parse_outcome(const Json& record, const std::string& default_source) {
  StoredCompletion completion;
  completion.reward = detail::number_field(record, "reward");
  completion.finish_reason = detail::string_field(record, "finish_reason").value_or("");
  if (completion.finish_reason != "" && completion.finish_reason != "stop" && completion.finish_reason != "length")
    throw fail("'finish_reason' must be \"stop\" or \"length\", found \"{}\"", completion.finish_reason);
  completion.source = detail::string_field(record, "source").value_or(default_source);
  completion.logprob = detail::number_field(record, "logprob");
  if (completion.logprob.value_or(0) > kLogprobSlack)
    throw fail("'logprob' must be at most 0 (natural log of a probability), found {}", *completion.logprob);
  return completion;
}

StoredCompletion parse_grouped(const Json& item, const std::string& default_source) {
  if (!item.is_object()) throw fail("expected an object with \"text\" or \"ids\", found {}", item.type_name());
  StoredCompletion completion = parse_outcome(item, default_source);
  const auto text = detail::string_field(item, "text");
  const Json* ids = find_field(item, "ids");
  if (!text && ids == nullptr) throw fail("has neither 'text' nor 'ids'");
  completion.text = text.value_or("");
  if (ids != nullptr) completion.ids = detail::token_ids(*ids, "ids");
  return completion;
}

StoredCompletion parse_flat(const Json& record) {
  StoredCompletion completion = parse_outcome(record, "stored");
  const Json& value = *find_field(record, "completion");
  if (value.is_string())
    completion.text = value.get<std::string>();
  else if (value.is_array())
    completion.ids = detail::token_ids(value, "completion");
  else
    throw fail("'completion' must be a string or a list of token ids, found {}", value.type_name());
  return completion;
}

std::vector<StoredCompletion> parse_completions(const Json& record) {
  const Json* list = find_field(record, "completions");
  const bool flat = find_field(record, "completion") != nullptr;
  if (flat && list != nullptr) throw fail("has both 'completion' and 'completions'");
  if (flat) return {parse_flat(record)};
  if (list == nullptr) throw fail("has neither 'completions' nor 'completion'");
  if (!list->is_array()) throw fail("'completions' must be an array, found {}", list->type_name());
  if (list->empty()) throw fail("'completions' is empty");
  const std::string source = detail::string_field(record, "source").value_or("stored");
  std::vector<StoredCompletion> completions;
  completions.reserve(list->size());
  for (const Json& item : *list) {
    try {
      completions.push_back(parse_grouped(item, source));
    } catch (Error& error) {
      throw std::move(error).at(fmt::format("completion {}", completions.size() + 1));
    }
  }
  return completions;
}

void merge_answer(PromptRecord& prompt, const std::optional<std::string>& answer) {
  if (!answer || prompt.answer == answer) return;
  if (prompt.answer)
    throw fail("the answer '{}' differs from '{}', given for the same prompt before", *answer, *prompt.answer);
  prompt.answer = answer;
}

/// Collects records into groups by prompt.
class Grouping {
 public:
  explicit Grouping(const PromptOptions& options) : options_(options) { options_.require_answer = false; }

  void add(const Json& record, int64_t line) {
    PromptRecord prompt = parse_prompt(record, options_, line);
    std::vector<StoredCompletion> completions = parse_completions(record);
    const std::string identity = prompt_identity(prompt);
    const auto known = index_.find(identity);
    if (known == index_.end()) {
      if (options_.limit > 0 && static_cast<int64_t>(groups_.size()) >= options_.limit) return;
      // The completions are kept once, parsed: a log's records can be large.
      for (const char* key : {"completions", "completion"}) prompt.record.erase(key);
      index_.emplace(identity, groups_.size());
      groups_.push_back({std::move(prompt), std::move(completions)});
      return;
    }
    StoredGroup& group = groups_[known->second];
    merge_answer(group.prompt, prompt.answer);
    std::move(completions.begin(), completions.end(), std::back_inserter(group.completions));
  }

  std::vector<StoredGroup> take() { return std::move(groups_); }

 private:
  PromptOptions options_;
  std::vector<StoredGroup> groups_;
  std::unordered_map<std::string, size_t> index_;
};

void check_answers(const std::vector<StoredGroup>& groups, const std::string& answer_key) {
  for (const StoredGroup& group : groups)
    if (!group.prompt.answer)
      throw fail("prompt '{}' (line {}) has no '{}' on any of its records", group.prompt.id, group.prompt.line,
                 answer_key)
          .hint("the reward compares with it; data.answer_key names another field");
}

}  // namespace

std::vector<StoredGroup> read_completions(std::span<const Path> paths, const PromptOptions& options) {
  Grouping grouping(options);
  std::string names;
  for (const Path& path : paths) {
    for_each_jsonl(path, [&](const Json& record, int64_t line) { grouping.add(record, line); });
    names += (names.empty() ? "" : ", ") + path.string();
  }
  std::vector<StoredGroup> groups = grouping.take();
  if (groups.empty()) throw fail("no completions found").at(names.empty() ? "stored responses" : names);
  if (options.require_answer) check_answers(groups, options.answer_key);
  return groups;
}

std::vector<StoredGroup> read_completions(const Path& path, const PromptOptions& options) {
  return read_completions(std::span(&path, 1), options);
}

}  // namespace agro
