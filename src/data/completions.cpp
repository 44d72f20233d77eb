#include "data/completions.h"

#include <array>
#include <limits>
#include <unordered_map>

#include "core/error.h"
#include "data/fields.h"

namespace agro {
namespace {

using detail::find_field;

// A product of probabilities is at most 1; a little above 0 is rounding, more is another quantity.
constexpr double kLogprobSlack = 1e-3;
constexpr double kTokenLogprobSlack = 1e-6;

// The fields that hold a record's responses.
constexpr std::array kResponseKeys = {"completions", "completion", "chosen", "rejected"};

/// Everything of a completion but its tokens; `record` is the completion's object or the flat record.
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

std::vector<float> parse_logprobs(const Json& record, const TokenIds& ids) {
  const Json* list = find_field(record, "logprobs");
  if (list == nullptr) return {};
  if (!list->is_array()) throw fail("'logprobs' must be an array of numbers, found {}", list->type_name());
  if (!ids.empty() && list->size() != ids.size())
    throw fail("'logprobs' must hold one number per id: expected {}, found {}", ids.size(), list->size());
  std::vector<float> logprobs;
  logprobs.reserve(list->size());
  for (const Json& element : *list) {
    const double value = element.is_number() ? element.get<double>() : std::numeric_limits<double>::quiet_NaN();
    if (!(value >= std::numeric_limits<float>::lowest() && value <= kTokenLogprobSlack))
      throw fail("'logprobs' must hold natural logs of probabilities (finite, at most 0), found {} at index {}",
                 element.is_number() ? element.dump() : std::string(element.type_name()), logprobs.size());
    logprobs.push_back(static_cast<float>(value));
  }
  return logprobs;
}

StoredCompletion parse_grouped(const Json& item, const std::string& default_source) {
  if (!item.is_object()) throw fail("expected an object with \"text\" or \"ids\", found {}", item.type_name());
  StoredCompletion completion = parse_outcome(item, default_source);
  const auto text = detail::string_field(item, "text");
  const Json* ids = find_field(item, "ids");
  if (!text && ids == nullptr) throw fail("has neither 'text' nor 'ids'");
  completion.text = text.value_or("");
  if (ids != nullptr) completion.ids = detail::token_ids(*ids, "ids");
  completion.logprobs = parse_logprobs(item, completion.ids);
  return completion;
}

/// The completion that stands, text or ids, in the field `key` of the record.
StoredCompletion parse_flat(const Json& record, const std::string& key) {
  StoredCompletion completion = parse_outcome(record, "stored");
  const Json& value = *find_field(record, key);
  if (value.is_string())
    completion.text = value.get<std::string>();
  else if (value.is_array())
    completion.ids = detail::token_ids(value, key);
  else
    throw fail("'{}' must be a string or a list of token ids, found {}", key, value.type_name());
  completion.logprobs = parse_logprobs(record, completion.ids);
  return completion;
}

std::vector<StoredCompletion> parse_preference(const Json& record) {
  for (const char* key : {"reward", "logprob", "logprobs"})
    if (find_field(record, key) != nullptr)
      throw fail("has '{}', which is of one response, with 'chosen' and 'rejected'", key)
          .hint("write the two as \"completions\" to say it of each");
  StoredCompletion chosen = parse_flat(record, "chosen"), rejected = parse_flat(record, "rejected");
  chosen.reward = 1;
  rejected.reward = 0;
  return {std::move(chosen), std::move(rejected)};
}

/// The first field of the record's form: "completions", "completion", or "chosen" with its "rejected".
std::string response_key(const Json& record) {
  std::vector<std::string> keys;
  for (const char* key : kResponseKeys)
    if (find_field(record, key) != nullptr) keys.emplace_back(key);
  if (keys.empty()) throw fail("has neither 'completions' nor 'completion' nor 'chosen' and 'rejected'");
  if (keys.front() == "chosen" && keys.back() == "rejected") return "chosen";
  if (keys.size() > 1)
    throw fail("has both '{}' and '{}'", keys[0], keys[1])
        .hint("a record holds \"completions\", or \"completion\", or \"chosen\" and \"rejected\"");
  if (keys.front() == "chosen" || keys.front() == "rejected")
    throw fail("has '{}' alone", keys.front()).hint("a preference holds both \"chosen\" and \"rejected\"");
  return keys.front();
}

std::vector<StoredCompletion> parse_completions(const Json& record) {
  const std::string key = response_key(record);
  if (key == "completion") return {parse_flat(record, key)};
  if (key == "chosen") return parse_preference(record);
  const Json* list = find_field(record, key);
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
  explicit Grouping(const PromptOptions& options) : options_(options) {
    options_.require_answer = false;
    options_.format = "plain";
  }

  void add(const Json& record, int64_t line) {
    PromptRecord prompt = parse_prompt(record, options_, line);
    std::vector<StoredCompletion> completions = parse_completions(record);
    const std::string identity = prompt_identity(prompt);
    const auto known = index_.find(identity);
    if (known == index_.end()) {
      if (options_.limit > 0 && static_cast<int64_t>(groups_.size()) >= options_.limit) return;
      // The completions are kept once, parsed: a log's records can be large.
      for (const char* key : kResponseKeys) prompt.record.erase(key);
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
