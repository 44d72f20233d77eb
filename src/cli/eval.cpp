#include <chrono>
#include <iostream>

#include "cli/commands.h"
#include "cli/config_options.h"
#include "cli/open_model.h"
#include "cli/prompt_options.h"
#include "cli/reward_options.h"
#include "core/log.h"
#include "evaluate/evaluator.h"
#include "report/format.h"
#include "report/progress.h"
#include "report/table.h"

namespace agro {
namespace {

struct Options {
  ModelOptions model;
  DataConfig data;
  SamplingConfig sampling;
  EngineOptions engine;
  RewardOptions reward;
  EvaluateConfig evaluate;
  std::string reference, json, output;
  double beta = 0.1;
  uint64_t seed = 0;
};

std::string percent(double share) { return fmt::format("{:.1f} %", 100 * share); }

std::string summary(const EvaluationResult& result) {
  Table table({{"measure", Align::kLeft}, {"value"}, {"± std. error"}});
  const auto row = [&](const std::string& name, const std::optional<double>& value, std::string (*text)(double),
                       const std::optional<double>& error = {}) {
    if (value) table.add_row({name, text(*value), error ? text(*error) : ""});
  };
  row("greedy accuracy", result.greedy_accuracy, percent, result.greedy_error);
  row("sampled accuracy", result.sampled_accuracy, percent, result.sampled_error);
  row("probability of the answer", result.answer_probability, percent);
  row("mean reward", result.reward_mean, short_number);
  row("tokens per response", result.response_tokens, short_number);
  row("truncated", result.truncated, percent);
  row("KL to the reference, nats per response", result.kl, short_number);
  row("optimality gap", result.optimality_gap, short_number, result.optimality_gap_error);
  row("value gap", result.value_gap, short_number, result.value_gap_error);
  std::string text = table.text() + fmt::format("\n{} prompts", result.prompts);
  if (result.samples > 0) text += fmt::format(", {} samples each", result.samples);
  return text + '\n';
}

/// What `agro report` reads: the figures, and what became of each prompt.
OrderedJson record(const Options& options, const std::vector<PromptRecord>& prompts, const EvaluationResult& result,
                   double seconds) {
  OrderedJson responses = OrderedJson::array();
  for (size_t p = 0; p < prompts.size(); ++p) {
    OrderedJson response = {{"prompt", prompts[p].text}};
    if (!prompts[p].messages.is_null()) response["messages"] = prompts[p].messages;
    if (prompts[p].answer) response["answer"] = *prompts[p].answer;
    if (!result.greedy_texts.empty()) {
      response["text"] = result.greedy_texts[p];
      response["correct"] = result.greedy_by_prompt[p] > 0;
    }
    if (!result.sampled_by_prompt.empty()) response["sampled_share"] = result.sampled_by_prompt[p];
    responses.push_back(std::move(response));
  }
  return {{"name", Path(options.output).stem().string()},
          {"model", options.model.folder},
          {"prompts_file", options.evaluate.prompts},
          {"figures", result.to_json()},
          {"seconds", seconds},
          {"responses", std::move(responses)}};
}

/// How far the responses are, on standard error. A log gets a line when a kind of them is complete, and now and then
/// where that takes long.
class Meter {
 public:
  void show(std::string_view what, int64_t finished, int64_t total) {
    if (what != what_) begin(what, total);
    const bool soon = std::chrono::steady_clock::now() - begun_ < std::chrono::seconds(10);
    if (terminal_ || finished == total || !soon) line_->update(finished, {});
  }

 private:
  void begin(std::string_view what, int64_t total) {
    line_.reset();
    what_ = what;
    begun_ = std::chrono::steady_clock::now();
    ProgressOptions options = stderr_progress(total);
    options.unit = what_ + " responses";
    terminal_ = options.terminal;
    line_ = std::make_unique<Progress>(std::cerr, std::move(options));
  }

  std::string what_;
  std::chrono::steady_clock::time_point begun_;
  bool terminal_ = false;
  std::unique_ptr<Progress> line_;
};

struct Evaluated {
  std::vector<PromptRecord> prompts;
  EvaluationResult result;
};

Evaluated evaluate(const Options& options) {
  const RewardsConfig rewards = rewards_config(options.reward);
  TotalReward reward(rewards);
  EvaluationSetup setup;
  const std::vector<PromptRecord> prompts = load_prompts(options.evaluate.prompts, options.data, needs_answer(rewards));
  setup.prompts = prompts;
  const OpenModel opened = open_model(options.model);
  if (!opened.text.tokenizer)
    throw Error("has no tokenizer.json, but rewards are given to text").at(options.model.folder);
  setup.encoders = opened.encoders;
  setup.tokenizer = opened.text.tokenizer_or_null();
  setup.reward = &reward;
  setup.sampling = options.sampling;
  setup.engine = options.engine;
  setup.seed = options.seed;
  Meter meter;
  setup.progress = [&meter](std::string_view what, int64_t finished, int64_t total) {
    meter.show(what, finished, total);
  };
  Evaluator evaluator(options.evaluate, std::move(setup));
  if (options.reference.empty()) return {prompts, evaluator.evaluate(opened.model, nullptr, options.beta)};
  CausalLm reference = ModelFolder(options.reference).load(weight_dtype_named(options.model.dtype));
  reference.set_products(products_named(options.model.products));
  evaluator.prepare_reference(reference, options.beta);
  return {prompts, evaluator.evaluate(opened.model, &reference, options.beta)};
}

void run(Options& options, bool length_given) {
  if (!length_given) options.sampling.max_new_tokens = default_max_new_tokens(options.model.folder);
  const auto begin = std::chrono::steady_clock::now();
  const auto [prompts, result] = evaluate(options);
  const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  std::cout << summary(result) << std::flush;
  if (!options.json.empty()) write_atomically(options.json, to_line(result.to_json()) + '\n');
  if (options.output.empty()) return;
  write_atomically(options.output, to_line(record(options, prompts, result, seconds)) + '\n');
}

}  // namespace

void add_eval(CLI::App& program) {
  CLI::App* command =
      program.add_subcommand("eval", "Accuracy of a model on prompts with answers.")->group("Models and data");
  const auto options = std::make_shared<Options>();
  EvaluateConfig& evaluate = options->evaluate;
  evaluate.samples_per_prompt = evaluate.reference_samples = 16;
  add_model_options(*command, options->model);
  command->add_option("PROMPTS", evaluate.prompts, "JSONL file of prompts with answers.")->required();
  command->add_option("--samples", evaluate.samples_per_prompt, "Sampled responses per prompt; 0: none.")
      ->capture_default_str()
      ->check(CLI::Range(0, 4096));
  add_config_options(*command, evaluate, {"correct_above", "answer_probability"});
  command->add_flag_callback(
      "--no-greedy", [&evaluate] { evaluate.greedy = false; }, "Leave out the greedy response.");
  CLI::Option* reference = command->add_option("--reference", options->reference,
                                               "Model folder: also measure KL to it and optimality gaps.");
  command->add_option("--beta", options->beta, "Strength of the KL in the gaps, reward per nat.")
      ->capture_default_str()
      ->check(CLI::PositiveNumber)
      ->needs(reference);
  command
      ->add_option("--reference-samples", evaluate.reference_samples,
                   "Samples of the reference per prompt for the value gap.")
      ->capture_default_str()
      ->check(CLI::Range(0, 4096))
      ->needs(reference);
  command->add_option("--json", options->json, "Also write the figures to this file.");
  command->add_option("-o,--output", options->output,
                      "Also write figures and responses to this file; `agro report RUN` shows RUN/evaluations/*.json.");
  command->add_option("--seed", options->seed, "Seed; equal seeds give equal samples.")->capture_default_str();
  add_reward_options(*command, options->reward);
  add_config_options(
      *command, options->sampling,
      {"temperature", "top_k", "top_p", "min_p", "repetition_penalty", "max_new_tokens", "stop_ids", "stop_strings"});
  add_config_options(*command, options->engine);
  add_prompt_options(*command, options->data);
  command->footer(R"(A response is correct if its reward exceeds --correct-above. Standard errors are over prompts.
Unless --max-new-tokens is given, generation_config.json of the folder decides, else 256.

Examples:
  agro eval path/to/model eval.jsonl
  agro eval runs/a/best eval.jsonl --reward gsm8k --samples 0
  agro eval runs/a/best eval.jsonl --reference path/to/model --beta 0.1 -o runs/a/evaluations/eval.json)");
  command->callback([command, options] { run(*options, command->count("--max-new-tokens") > 0); });
}

}  // namespace agro
