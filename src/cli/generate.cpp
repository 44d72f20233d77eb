#include <chrono>
#include <numeric>

#include "cli/commands.h"
#include "cli/config_options.h"
#include "cli/json_lines.h"
#include "cli/open_model.h"
#include "cli/prompt_options.h"
#include "core/log.h"
#include "data/completions_writer.h"
#include "data/prompt_lengths.h"
#include "evaluate/evaluator.h"
#include "report/format.h"

namespace agro {
namespace {

struct Options {
  ModelOptions model;
  DataConfig data;
  SamplingConfig sampling;
  EngineOptions engine;
  int64_t count = 1;
  uint64_t seed = 0;
  bool from_stdin = false, text_only = false;
  std::string prompts, output, source;
};

class Generator {
 public:
  explicit Generator(const Options& options)
      : options_(options),
        opened_(open_model(options.model)),
        engine_(opened_.model, opened_.text.tokenizer_or_null(), options.engine) {}

  int64_t positions() const { return opened_.model.config().max_position_embeddings; }

  /// Checked here, so that an error names its prompt and not the batch.
  TokenIds encode(const PromptRecord& prompt) const {
    TokenIds ids = encode_prompt(prompt, opened_.encoders);
    check_ids(ids, opened_.model.config());
    return ids;
  }

  /// The line is the key of the random numbers.
  GenerationRequest request(const PromptRecord& prompt, TokenIds ids) const {
    return {std::move(ids), static_cast<uint64_t>(prompt.line - 1), 0, options_.count};
  }

  std::vector<std::vector<Completion>> generate(std::span<const GenerationRequest> requests,
                                                GenerationStatistics* statistics = nullptr) const {
    return engine_.generate(requests, options_.sampling, options_.seed, Stream::kSampling, statistics);
  }

  std::string text(const Completion& completion) const {
    return completion_text(completion, opened_.text.tokenizer_or_null(), opened_.encoders.end_ids);
  }

 private:
  const Options& options_;
  OpenModel opened_;
  Engine engine_;
};

std::string_view name_of(FinishReason finish) { return finish == FinishReason::kStop ? "stop" : "length"; }

OrderedJson completions_json(const Generator& generator, const std::vector<Completion>& completions) {
  OrderedJson list = OrderedJson::array();
  for (const Completion& c : completions)
    list.push_back(
        {{"text", generator.text(c)}, {"ids", c.ids}, {"logprobs", c.logprobs}, {"finish_reason", name_of(c.finish)}});
  OrderedJson record;
  record["completions"] = std::move(list);
  return record;
}

void answer_stdin(const Options& options) {
  set_quiet(true);
  const Generator generator(options);
  std::vector<GenerationRequest> waiting;
  const PromptOptions reading = prompt_options(options.data);
  const auto accept = [&](const OrderedJson& record, int64_t line) {
    PromptRecord prompt = parse_prompt(Json(record), reading, line);
    add_system_prompt(prompt, options.data.system_prompt);
    TokenIds ids = generator.encode(prompt);
    if (static_cast<int64_t>(ids.size()) > generator.positions())
      throw fail("the prompt has {} tokens, more than the model's {} positions", ids.size(), generator.positions());
    waiting.push_back(generator.request(prompt, std::move(ids)));
  };
  const auto answer = [&] {
    std::vector<OrderedJson> answers;
    for (const auto& completions : generator.generate(std::exchange(waiting, {})))
      answers.push_back(completions_json(generator, completions));
    return answers;
  };
  answer_in_batches(static_cast<size_t>(4 * options.engine.max_sequences), accept, answer);
}

Group to_group(const Generator& generator, size_t prompt_index, const std::vector<Completion>& completions,
               const std::string& source, bool text_only) {
  Group group;
  group.prompt_index = prompt_index;
  for (const Completion& c : completions) {
    Response& response = group.responses.emplace_back();
    if (!text_only) response.ids = c.ids;
    response.text = generator.text(c);
    response.reward = std::numeric_limits<double>::quiet_NaN();  // not scored yet
    response.finished = c.finish == FinishReason::kStop;
    response.source = source;
    response.behavior_logprob = std::accumulate(c.logprobs.begin(), c.logprobs.end(), 0.0);
    if (!text_only) response.behavior_logprobs = c.logprobs;
  }
  return group;
}

void generate_file(const Options& options) {
  std::vector<PromptRecord> loaded = load_prompts(options.prompts, options.data, false);
  const Generator generator(options);
  PromptLengths lengths(options.prompts, generator.positions());
  std::vector<PromptRecord> prompts;  // those that fit
  std::vector<GenerationRequest> requests;
  for (PromptRecord& prompt : loaded) {
    try {
      TokenIds ids = generator.encode(prompt);
      if (!lengths.fits(ids)) continue;
      requests.push_back(generator.request(prompt, std::move(ids)));
    } catch (Error& error) {
      throw std::move(error).at(fmt::format("{}: line {}", options.prompts, prompt.line));
    }
    prompts.push_back(std::move(prompt));
  }
  lengths.report("left out");
  const std::string source = options.source.empty()
                                 ? std::filesystem::weakly_canonical(options.model.folder).filename().string()
                                 : options.source;
  const auto started = std::chrono::steady_clock::now();
  // In parts, each large enough to keep the engine full, so that a long run can say how far it is.
  const auto part = static_cast<size_t>(std::max<int64_t>(1, 16 * options.engine.max_sequences / options.count));
  GenerationStatistics statistics;
  std::vector<Group> groups;
  while (groups.size() < requests.size()) {
    const auto rest = std::span(requests).subspan(groups.size());
    for (const auto& completions : generator.generate(rest.first(std::min(part, rest.size())), &statistics))
      groups.push_back(to_group(generator, groups.size(), completions, source, options.text_only));
    const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - started).count();
    log_info("generate", "{} of {} prompts, {} tok/s", groups.size(), requests.size(),
             compact_number(static_cast<double>(statistics.new_tokens) / seconds));
  }
  write_completions(options.output, prompts, groups);
  log_info("generate", "{} responses written to {}", groups.size() * static_cast<size_t>(options.count),
           options.output);
}

void run(Options& options, bool length_given) {
  if (options.from_stdin == !options.prompts.empty()) throw CLI::ValidationError("give either PROMPTS or --stdin");
  if (options.from_stdin == !options.output.empty())
    throw CLI::ValidationError("PROMPTS needs --output, --stdin refuses it");
  if (options.from_stdin && options.text_only) throw CLI::ValidationError("--text-only is for --output");
  if (!length_given) options.sampling.max_new_tokens = default_max_new_tokens(options.model.folder);
  options.from_stdin ? answer_stdin(options) : generate_file(options);
}

}  // namespace

void add_generate(CLI::App& program) {
  CLI::App* command = program.add_subcommand("generate", "Sample responses to prompts (also a window: --stdin).")
                          ->group("Models and data");
  const auto options = std::make_shared<Options>();
  add_model_options(*command, options->model);
  command->add_option("PROMPTS", options->prompts, "Prompts: JSONL, a JSON list, or a folder.");
  command->add_flag("--stdin", options->from_stdin, "Read prompts from standard input and answer on standard output.");
  command->add_option("--output", options->output, "File for the responses, as agro score and agro train read it.");
  command->add_option("--source", options->source, "What the file calls their source; the folder's name unless given.");
  command->add_flag("--text-only", options->text_only,
                    "Leave token ids out of the file, for training a model that has another tokenizer.");
  command->add_option("--n", options->count, "Responses per prompt.")
      ->capture_default_str()
      ->check(CLI::Range(1, 65536));
  command->add_option("--seed", options->seed, "Seed; equal seeds give equal responses.")->capture_default_str();
  add_config_options(*command, options->sampling);
  add_config_options(*command, options->engine);
  add_prompt_options(*command, options->data);
  command->footer(R"(Unless --max-new-tokens is given, generation_config.json of the folder decides, else 256.

With --stdin, JSON lines on standard input, one answer each on standard output:
  {"prompt" | "ids" | "messages"} -> {"completions": [{"text", "ids", "logprobs", "finish_reason"}]}
ids include the token that ended the response, text does not; logprobs are those of the model itself,
before temperature and filters; finish_reason is "stop" or "length".

Examples:
  agro generate path/to/model prompts.jsonl --n 8 --output completions.jsonl
  echo '{"messages": [{"role": "user", "content": "Hello"}]}' | agro generate path/to/model --stdin --greedy)");
  command->callback([command, options] { run(*options, command->count("--max-new-tokens") > 0); });
}

}  // namespace agro
