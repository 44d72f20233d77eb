#include "data/completions_writer.h"

#include <algorithm>
#include <cmath>

#include "core/error.h"

namespace agro {
namespace {

OrderedJson parts_record(const std::vector<double>& parts, std::span<const std::string> names) {
  if (parts.size() != names.size())
    throw fail("a response has {} reward parts, expected {} (one per reward)", parts.size(), names.size());
  OrderedJson record = OrderedJson::object();
  for (size_t i = 0; i < parts.size(); ++i) record[names[i]] = parts[i];
  return record;
}

bool has_readable_logprobs(const Response& response) {
  const std::vector<float>& logprobs = response.behavior_logprobs;
  return !logprobs.empty() && logprobs.size() == response.ids.size() &&
         std::all_of(logprobs.begin(), logprobs.end(), [](float x) { return std::isfinite(x); });
}

OrderedJson response_record(const Response& response, std::span<const std::string> reward_names) {
  OrderedJson record;
  record["text"] = response.text;
  if (!response.ids.empty()) record["ids"] = response.ids;
  record["reward"] = response.reward;
  if (!response.reward_parts.empty()) record["reward_parts"] = parts_record(response.reward_parts, reward_names);
  record["finish_reason"] = response.finished ? "stop" : "length";
  record["source"] = response.source;
  if (response.behavior_logprob) record["logprob"] = *response.behavior_logprob;
  if (has_readable_logprobs(response)) record["logprobs"] = response.behavior_logprobs;
  record["policy_version"] = response.policy_version;
  return record;
}

}  // namespace

OrderedJson group_record(const PromptRecord& prompt, std::span<const Response> responses,
                         std::span<const std::string> reward_names) {
  OrderedJson record;
  record["id"] = prompt.id;
  if (!prompt.ids.empty())
    record["ids"] = prompt.ids;
  else if (!prompt.messages.is_null())
    record["messages"] = prompt.messages;
  else
    record["prompt"] = prompt.text;
  if (prompt.answer) record["answer"] = *prompt.answer;
  record["completions"] = OrderedJson::array();
  for (const Response& response : responses) record["completions"].push_back(response_record(response, reward_names));
  return record;
}

void write_completions(const Path& path, std::span<const PromptRecord> prompts, std::span<const Group> groups,
                       std::span<const std::string> reward_names) {
  write_atomically(path, [&](std::ostream& out) {
    for (const Group& group : groups) {
      if (group.prompt_index >= prompts.size())
        throw fail("a group refers to prompt {}, but there are {}", group.prompt_index, prompts.size());
      out << to_line(group_record(prompts[group.prompt_index], group.responses, reward_names)) << '\n';
    }
  });
}

Path completions_path(const Path& run_folder, int64_t step) {
  return run_folder / "completions" / fmt::format("step-{}.jsonl", step);
}

}  // namespace agro
