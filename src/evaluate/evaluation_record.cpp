#include "evaluate/evaluation_record.h"

#include <algorithm>
#include <unordered_set>

#include "core/error.h"

namespace agro {
namespace {

constexpr size_t kMostLabels = 40, kMostLabelsGiven = 200;

OrderedJson sample_json(const MeasuredResponse& r) {
  return {
      {"text", r.text}, {"correct", r.correct}, {"reward", r.reward}, {"tokens", r.tokens}, {"truncated", r.truncated}};
}

double right_share(std::span<const MeasuredResponse> samples) {
  double right = 0;
  for (const MeasuredResponse& r : samples) right += r.correct ? 1 : 0;
  return right / static_cast<double>(samples.size());
}

OrderedJson prompt_json(const PromptRecord& prompt, const MeasuredPrompt& measured) {
  OrderedJson json = {{"id", prompt.id}};
  if (!prompt.question.empty()) json["question"] = prompt.question;
  if (!measured.prompt.empty()) json["prompt"] = measured.prompt;
  if (!prompt.messages.is_null()) json["messages"] = prompt.messages;
  if (!prompt.ids.empty()) json["ids"] = prompt.ids;
  if (prompt.answer) json["answer"] = *prompt.answer;
  if (measured.greedy) {
    json["text"] = measured.greedy->text;
    json["correct"] = measured.greedy->correct;
    json["tokens"] = measured.greedy->tokens;
    json["truncated"] = measured.greedy->truncated;
  }
  if (!measured.samples.empty()) {
    json["sampled_share"] = right_share(measured.samples);
    json["samples"] = OrderedJson::array();
    for (const MeasuredResponse& r : measured.samples) json["samples"].push_back(sample_json(r));
  }
  return json;
}

/// Strings and numbers are labels; anything else, and nothing, is none.
std::string label_of(const Json& record, const std::string& field) {
  const auto found = record.find(field);
  if (found == record.end()) return {};
  if (found->is_string()) return found->get<std::string>();
  return found->is_number() || found->is_boolean() ? found->dump() : std::string();
}

PromptLabels labels_by(std::span<const PromptRecord> prompts, const std::string& field) {
  PromptLabels labels = {field, {}};
  for (const PromptRecord& prompt : prompts) labels.second.push_back(label_of(prompt.record, field));
  return labels;
}

size_t different_values(const PromptLabels& labels) {
  std::unordered_set<std::string> values(labels.second.begin(), labels.second.end());
  values.erase("");
  return values.size();
}

PromptOutcome outcome(const OrderedJson& response) {
  PromptOutcome outcome;
  if (!response.is_object()) throw Error("a response is not an object");
  for (const char* key : {"question", "messages", "ids", "prompt"}) {
    const auto found = response.find(key);
    if (found == response.end() || found->is_null()) continue;
    outcome.prompt = found->is_string() ? found->get<std::string>() : to_line(Json(*found));
    break;
  }
  if (const auto found = response.find("correct"); found != response.end() && found->is_boolean())
    outcome.greedy = found->get<bool>();
  if (const auto found = response.find("sampled_share"); found != response.end() && found->is_number())
    outcome.sampled_share = found->get<double>();
  return outcome;
}

}  // namespace

OrderedJson evaluation_record(const EvaluationAbout& about, std::span<const PromptRecord> prompts,
                              std::span<const MeasuredPrompt> measured, std::span<const PromptLabels> labels,
                              const OrderedJson& figures, const EvaluationSummary& summary) {
  OrderedJson responses = OrderedJson::array();
  for (size_t p = 0; p < prompts.size(); ++p) {
    OrderedJson response = prompt_json(prompts[p], measured[p]);
    for (const auto& [field, label] : labels)
      if (!label[p].empty()) response["labels"][field] = label[p];
    responses.push_back(std::move(response));
  }
  return {{"name", about.name},
          {"model", about.model},
          {"prompts_file", about.prompts_file},
          {"settings", about.settings},
          {"figures", figures},
          {"statistics", summary.to_json()},
          {"seconds", about.seconds},
          {"responses", std::move(responses)}};
}

std::vector<PromptOutcome> outcomes_of(std::span<const PromptRecord> prompts,
                                       std::span<const MeasuredPrompt> measured) {
  std::vector<PromptOutcome> outcomes;
  for (size_t p = 0; p < prompts.size(); ++p) outcomes.push_back(outcome(prompt_json(prompts[p], measured[p])));
  return outcomes;
}

std::vector<PromptOutcome> read_outcomes(const Path& path) {
  const OrderedJson record = read_ordered_json(path);
  try {
    const auto responses = record.is_object() ? record.find("responses") : record.end();
    if (responses == record.end() || !responses->is_array() || responses->empty())
      throw Error("holds no responses of an evaluation").hint("agro eval --output writes such files");
    std::vector<PromptOutcome> outcomes;
    for (const OrderedJson& response : *responses) outcomes.push_back(outcome(response));
    return outcomes;
  } catch (Error& error) {
    throw std::move(error).at(path.string());
  }
}

std::vector<PromptLabels> prompt_labels(std::span<const PromptRecord> prompts, const std::vector<std::string>& fields) {
  std::vector<PromptLabels> all;
  for (const std::string& field : fields) {
    all.push_back(labels_by(prompts, field));
    const size_t different = different_values(all.back());
    if (different == 0) throw fail("no prompt has a field '{}' to divide by", field);
    if (different > kMostLabelsGiven)
      throw fail("the field '{}' has {} values, too many to divide by (at most {})", field, different,
                 kMostLabelsGiven);
  }
  for (const char* field : {"level", "type", "subject", "kind", "category", "difficulty", "Level", "Type", "Subject",
                            "Kind", "Category", "Difficulty"}) {
    if (std::find(fields.begin(), fields.end(), field) != fields.end()) continue;
    PromptLabels labels = labels_by(prompts, field);
    if (different_values(labels) > 0) all.push_back(std::move(labels));
  }
  return all;
}

std::vector<PromptLabels> dividing_labels(const std::vector<PromptLabels>& labels,
                                          const std::vector<std::string>& fields) {
  if (!fields.empty()) return {labels.begin(), labels.begin() + static_cast<std::ptrdiff_t>(fields.size())};
  std::vector<PromptLabels> dividing;
  for (const PromptLabels& each : labels)
    if (const size_t different = different_values(each); different >= 2 && different <= kMostLabels)
      dividing.push_back(each);
  return dividing;
}

}  // namespace agro
