#include <algorithm>
#include <deque>
#include <iostream>
#include <map>
#include <unordered_map>
#include <unordered_set>

#include "cli/commands.h"
#include "cli/config_options.h"
#include "cli/prompt_options.h"
#include "cli/reward_options.h"
#include "core/error.h"
#include "data/completions.h"
#include "data/fields.h"
#include "report/format.h"
#include "report/table.h"
#include "reward/total_reward.h"
#include "text/tokenizer.h"

namespace agro {
namespace {

struct Options {
  std::string completions, output, tokenizer;
  DataConfig data;
  RewardOptions reward;
  bool only_missing = false;
};

struct StoredResponse {
  Json* json;  // where the file says it
  const PromptRecord* prompt;
  size_t group;  // responses with equal prompts have equal numbers
  std::string text, source;
  bool truncated, dropped;
};

/// A file of responses, kept as its author wrote it: scoring changes rewards only. Addresses stay.
struct ResponseFile {
  std::deque<Json> records;
  std::deque<PromptRecord> prompts;
  std::vector<StoredResponse> responses;
  size_t groups = 0;
};

/// The objects that hold a response: those of "completions", or a flat record itself.
std::vector<Json*> response_objects(Json& record) {
  if (record.contains("completion")) return {&record};
  if (record.contains("chosen"))
    throw Error("a record with \"chosen\" and \"rejected\" is rewarded already: 1 and 0")
        .hint("write its two responses as \"completions\" to score them anew");
  std::vector<Json*> objects;
  for (Json& item : record["completions"]) objects.push_back(&item);
  return objects;
}

std::string text_of(const Json& response, const std::optional<Tokenizer>& tokenizer) {
  for (const char* key : {"text", "completion"})
    if (response.contains(key) && response[key].is_string()) return response[key].get<std::string>();
  if (!tokenizer)
    throw Error("a response has token ids only").hint("name the folder of their tokenizer with --tokenizer");
  return tokenizer->decode(response[response.contains("ids") ? "ids" : "completion"].get<TokenIds>(), true);
}

ResponseFile read_responses(const Options& options, bool require_answer) {
  PromptOptions reading = prompt_options(options.data);
  reading.require_answer = require_answer;
  // Checks every field, and finds answers that stand on another record of the same prompt.
  const std::vector<StoredGroup> groups = read_completions(options.completions, reading);
  std::unordered_map<std::string, size_t> group_of;
  for (const StoredGroup& group : groups) group_of.emplace(prompt_identity(group.prompt), group_of.size());
  std::optional<Tokenizer> tokenizer;
  if (!options.tokenizer.empty()) tokenizer = Tokenizer::load(options.tokenizer);

  ResponseFile file;
  file.groups = groups.size();
  reading.require_answer = false;
  reading.limit = 0;
  for_each_jsonl(options.completions, [&](const Json& json, int64_t line) {
    PromptRecord parsed = parse_prompt(json, reading, line);
    const auto group = group_of.find(prompt_identity(parsed));
    if (group == group_of.end()) return;  // beyond --limit
    const PromptRecord& prompt = file.prompts.emplace_back(std::move(parsed));
    file.prompts.back().answer = groups[group->second].prompt.answer;
    for (const char* key : {"completions", "completion"}) file.prompts.back().record.erase(key);
    Json& record = file.records.emplace_back(json);
    const std::string source = detail::string_field(record, "source").value_or("stored");
    for (Json* response : response_objects(record))
      file.responses.push_back({response, &prompt, group->second, text_of(*response, tokenizer),
                                detail::string_field(*response, "source").value_or(source),
                                detail::string_field(*response, "finish_reason") == "length", false});
  });
  return file;
}

void score(ResponseFile& file, TotalReward& reward, bool only_missing) {
  std::vector<StoredResponse*> scored;
  std::vector<RewardQuery> queries;
  for (StoredResponse& r : file.responses) {
    if (only_missing && detail::number_field(*r.json, "reward")) continue;
    scored.push_back(&r);
    queries.push_back({r.prompt->text, r.text, r.prompt->answer, &r.prompt->record, r.truncated});
  }
  const RewardScores scores = reward.score(queries);
  const std::vector<std::string> names = reward.names();
  for (size_t i = 0; i < scored.size(); ++i) {
    (*scored[i]->json)["reward"] = scores.total[i];
    for (size_t part = 0; part < names.size() && names.size() > 1; ++part)
      (*scored[i]->json)["reward_parts"][names[part]] = scores.parts[part][i];
    scored[i]->dropped = scores.dropped[i];
  }
}

/// Without dropped responses, and without the records they leave empty.
void write(const Path& path, ResponseFile& file) {
  std::unordered_set<const Json*> dropped;
  for (const StoredResponse& r : file.responses)
    if (r.dropped) dropped.insert(r.json);
  write_atomically(path, [&](std::ostream& out) {
    for (Json& record : file.records) {
      std::vector<Json*> kept = response_objects(record);
      const size_t before = kept.size();
      std::erase_if(kept, [&](const Json* response) { return dropped.contains(response); });
      if (kept.empty()) continue;
      if (kept.size() < before) {
        Json completions = Json::array();
        for (const Json* response : kept) completions.push_back(*response);
        record["completions"] = std::move(completions);
      }
      out << to_line(record) << '\n';
    }
  });
}

struct Tally {
  int64_t count = 0, truncated = 0, dropped = 0;
  double sum = 0, min = 0, max = 0;

  void add(double reward, const StoredResponse& response) {
    truncated += response.truncated ? 1 : 0;
    dropped += response.dropped ? 1 : 0;
    min = count == 0 ? reward : std::min(min, reward);
    max = count == 0 ? reward : std::max(max, reward);
    sum += reward;
    ++count;
  }
};

void print_summary(const ResponseFile& file) {
  Tally all;
  std::map<std::string, Tally> by_source;
  std::vector<Tally> by_prompt(file.groups);
  for (const StoredResponse& r : file.responses) {
    const double reward = (*r.json)["reward"].get<double>();
    for (Tally* tally : {&all, &by_source[r.source], &by_prompt[r.group]}) tally->add(reward, r);
  }
  Table table(
      {{"source", Align::kLeft}, {"responses"}, {"mean reward"}, {"lowest"}, {"highest"}, {"truncated"}, {"dropped"}});
  const auto add = [&](const std::string& name, const Tally& t) {
    table.add_row({name, std::to_string(t.count), short_number(t.sum / static_cast<double>(t.count)),
                   short_number(t.min), short_number(t.max), std::to_string(t.truncated), std::to_string(t.dropped)});
  };
  for (const auto& [source, tally] : by_source) add(source, tally);
  if (by_source.size() > 1) add("all", all);
  const auto mixed = std::count_if(by_prompt.begin(), by_prompt.end(), [](const Tally& t) { return t.min < t.max; });
  std::cout << table.text() << fmt::format("\n{} prompts; the responses of {} differ in reward\n", file.groups, mixed)
            << std::flush;
}

void run(const Options& options) {
  const RewardsConfig rewards = rewards_config(options.reward);
  TotalReward reward(rewards);
  ResponseFile file = read_responses(options, needs_answer(rewards));
  score(file, reward, options.only_missing);
  print_summary(file);
  write(options.output, file);
}

}  // namespace

void add_score(CLI::App& program) {
  CLI::App* command = program.add_subcommand("score", "Give logged responses their rewards.")->group("Models and data");
  const auto options = std::make_shared<Options>();
  command->add_option("COMPLETIONS", options->completions, "JSONL file of responses, grouped or flat.")->required();
  command->add_option("--output", options->output, "The same file with rewards.")->required();
  command->add_flag("--only-missing", options->only_missing, "Leave rewards that are there as they are.");
  command->add_option("--tokenizer", options->tokenizer,
                      "Model folder whose tokenizer reads responses given as token ids.");
  add_reward_options(*command, options->reward);
  add_config_options(*command, options->data, {"prompt_key", "answer_key", "prompt_template", "limit"});
  command->footer(R"(Examples:
  agro score completions.jsonl --output scored.jsonl
  agro score completions.jsonl --output scored.jsonl --reward gsm8k --set rewards.truncated=zero_reward
  agro score completions.jsonl --output scored.jsonl --reward command \
    --set 'rewards.reward.0.command=["python3", "grade.py"]')");
  command->callback([options] { run(*options); });
}

}  // namespace agro
