#include <fmt/ranges.h>

#include <chrono>
#include <iostream>

#include "cli/commands.h"
#include "cli/config_options.h"
#include "cli/eval_output.h"
#include "cli/open_model.h"
#include "cli/prompt_options.h"
#include "cli/reward_options.h"
#include "core/log.h"
#include "data/leak_check.h"
#include "evaluate/evaluation_record.h"
#include "evaluate/evaluator.h"
#include "report/progress.h"

namespace agro {
namespace {

struct Options {
  ModelOptions model;
  DataConfig data;
  SamplingConfig sampling;
  EngineOptions engine;
  RewardOptions reward;
  EvaluateConfig evaluate;
  std::string reference, json, output, page, compare, training_prompts;
  std::vector<std::string> divide_by;
  double beta = 0.1;
  uint64_t seed = 0;
};

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
  std::vector<PromptLabels> labels;
  EvaluationResult result;
};

void warn_of_training_prompts(const Options& options, const std::vector<PromptRecord>& prompts) {
  if (options.training_prompts.empty()) return;
  DataConfig data = options.data;
  data.limit = 0;
  const std::string leaks =
      describe_leaks(find_leaks(load_prompts(options.training_prompts, data, false), prompts), prompts.size());
  if (!leaks.empty()) log_warning("data", "{}", leaks);
}

/// Why there is no KL to the reference and no gap; empty where there is one, or nobody asked.
std::string no_gaps_note(const Options& options) {
  if (options.reference.empty()) return {};
  constexpr std::string_view kMissing = "KL to the reference and gaps are not measured: ";
  if (options.evaluate.samples_per_prompt == 0)
    return fmt::format("{}they are means over samples, and --samples is 0", kMissing);
  if (options.sampling.unfiltered()) return {};
  const SamplingConfig plain;
  std::vector<std::string> changed;
  const auto note = [&changed](const char* option, auto value, auto usual) {
    if (value != usual) changed.push_back(fmt::format("{} {}", option, value));
  };
  note("--temperature", options.sampling.temperature, plain.temperature);
  note("--top-k", options.sampling.top_k, plain.top_k);
  note("--top-p", options.sampling.top_p, plain.top_p);
  note("--min-p", options.sampling.min_p, plain.min_p);
  note("--repetition-penalty", options.sampling.repetition_penalty, plain.repetition_penalty);
  const std::string options_text = fmt::format("{}", fmt::join(changed, " "));
  return fmt::format(
      "{}with {} the samples are not the model's own, and both are means over those\n"
      "  hint: for KL and gaps run once more without {}",
      kMissing, options_text, options_text);
}

Evaluated evaluate(const Options& options) {
  const RewardsConfig rewards = rewards_config(options.reward);
  TotalReward reward(rewards);
  EvaluationSetup setup;
  const std::vector<PromptRecord> prompts =
      load_prompts(options.evaluate.prompts, options.data, needs_answer(rewards), options.evaluate.skip);
  const std::vector<PromptLabels> labels = prompt_labels(prompts, options.divide_by);
  warn_of_training_prompts(options, prompts);
  if (!options.evaluate.greedy && options.evaluate.samples_per_prompt == 0)
    throw Error("nothing to measure: --no-greedy and --samples 0");
  setup.prompts = prompts;
  const OpenModel opened = open_model(options.model);
  if (!opened.text.tokenizer)
    throw Error("has no tokenizer.json, but rewards are given to text").at(options.model.folder);
  setup.encoders = opened.encoders;
  setup.positions = opened.model.config().max_position_embeddings;
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
  if (options.reference.empty() || !no_gaps_note(options).empty())
    return {prompts, labels, evaluator.evaluate(opened.model, nullptr, options.beta)};
  CausalLm reference = ModelFolder(options.reference).load(weight_dtype_named(options.model.dtype));
  reference.set_products(products_named(options.model.products));
  evaluator.prepare_reference(reference, options.beta);
  return {prompts, labels, evaluator.evaluate(opened.model, &reference, options.beta)};
}

/// What decides about the figures beside model and prompts, for those who read the file later.
OrderedJson settings_of(const Options& options) {
  OrderedJson settings = {{"reward", options.reward.kind},
                          {"seed", options.seed},
                          {"temperature", options.sampling.temperature},
                          {"max_new_tokens", options.sampling.max_new_tokens},
                          {"samples", options.evaluate.samples_per_prompt}};
  for (const std::string& setting : options.reward.overrides) settings["set"].push_back(setting);
  if (!options.data.prompt_template.empty()) settings["prompt_template"] = options.data.prompt_template;
  if (!options.data.prompt_template_file.empty()) settings["prompt_template_file"] = options.data.prompt_template_file;
  if (!options.data.system_prompt.empty()) settings["system_prompt"] = options.data.system_prompt;
  if (!options.reference.empty()) settings["reference"] = options.reference, settings["beta"] = options.beta;
  return settings;
}

void run(Options& options, bool length_given) {
  if (!length_given) options.sampling.max_new_tokens = default_max_new_tokens(options.model.folder);
  std::vector<PromptOutcome> others;  // read first: a wrong file should not cost an evaluation
  if (!options.compare.empty()) others = read_outcomes(options.compare);
  const std::string note = no_gaps_note(options);
  if (!note.empty()) log_warning("eval", "{}", note);
  const auto begin = std::chrono::steady_clock::now();
  const auto [prompts, labels, result] = evaluate(options);
  const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  const EvaluationSummary summary =
      summarise(result.measured, dividing_labels(labels, options.divide_by), options.seed);
  std::optional<PairedComparison> comparison;
  if (!others.empty()) comparison = compare_paired(outcomes_of(prompts, result.measured), others, options.seed);
  std::cout << evaluation_text(result, summary, comparison);
  if (!note.empty()) std::cout << "note: " << note << '\n';
  std::cout << std::flush;
  OrderedJson compared;
  if (comparison) {
    compared = comparison->to_json();
    compared["with"] = options.compare;
  }
  if (!options.json.empty()) {
    OrderedJson figures = result.to_json();
    figures["statistics"] = summary.to_json();
    if (comparison) figures["comparison"] = compared;
    write_atomically(options.json, to_line(figures) + '\n');
  }
  if (options.output.empty() && options.page.empty()) return;
  const Path named = options.output.empty() ? options.page : options.output;
  OrderedJson record = evaluation_record({.name = named.stem().string(),
                                          .model = options.model.folder,
                                          .prompts_file = options.evaluate.prompts,
                                          .settings = settings_of(options),
                                          .seconds = seconds},
                                         prompts, result.measured, labels, result.to_json(), summary);
  if (comparison) record["comparison"] = compared;
  if (!options.output.empty()) write_atomically(options.output, to_line(record) + '\n');
  if (options.page.empty()) return;
  write_atomically(options.page, evaluation_page(record));
  std::cout << "\npage: " << options.page << std::endl;
}

}  // namespace

void add_eval(CLI::App& program) {
  CLI::App* command =
      program.add_subcommand("eval", "Accuracy of a model on prompts with answers.")->group("Models and data");
  const auto options = std::make_shared<Options>();
  EvaluateConfig& evaluate = options->evaluate;
  evaluate.samples_per_prompt = evaluate.reference_samples = 16;
  add_model_options(*command, options->model);
  command->add_option("PROMPTS", evaluate.prompts, "Prompts with answers: JSONL, a JSON list, or a folder.")
      ->required();
  command->add_option("--samples", evaluate.samples_per_prompt, "Sampled responses per prompt; 0: none.")
      ->capture_default_str()
      ->check(CLI::Range(0, 4096));
  add_config_options(*command, evaluate, {"skip", "correct_above", "answer_probability"});
  command->add_flag_callback(
      "--no-greedy", [&evaluate] { evaluate.greedy = false; }, "Leave out the greedy response.");
  CLI::Option* reference =
      command->add_option("--reference", options->reference,
                          "Model folder: also measure KL to it and optimality gaps, where samples are the "
                          "model's own: at temperature 1, unfiltered.");
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
  command
      ->add_option("--by", options->divide_by,
                   "Also divide the prompts by this field of their records; without it, by level, type, subject or "
                   "kind where they have it.")
      ->allow_extra_args(false);
  command->add_option("--compare", options->compare,
                      "File that --output wrote for another model: who is better on the same prompts.");
  command->add_option("--training-prompts", options->training_prompts,
                      "Prompts the model was trained on: warns where some of PROMPTS are among them.");
  command->add_option("--json", options->json, "Also write the figures to this file.");
  command->add_option("--html", options->page, "Also write a page with the figures and all responses to browse.");
  command->add_option("-o,--output", options->output,
                      "Also write figures and responses to this file; `agro report RUN` shows RUN/evaluations/*.json.");
  command->add_option("--seed", options->seed, "Seed; equal seeds give equal samples.")->capture_default_str();
  add_reward_options(*command, options->reward);
  add_config_options(
      *command, options->sampling,
      {"temperature", "top_k", "top_p", "min_p", "repetition_penalty", "max_new_tokens", "stop_ids", "stop_strings"});
  add_config_options(*command, options->engine);
  add_prompt_options(*command, options->data);
  command->footer(
      R"(A response is correct if its reward exceeds --correct-above. "exact", the default, wants the answer and nothing
else: for responses with a working give --reward last_number, gsm8k or lenient. Intervals hold the true value with 95 %:
Wilson's for greedy accuracy, else bootstrap over prompts. avg@n: share of right samples. pass@k: at least one of k
samples is right. maj@k: the most frequent answer of k samples is right. Unless --max-new-tokens is given,
generation_config.json of the folder decides, else 256.

Examples:
  agro eval path/to/model eval.jsonl --reward last_number
  agro eval models/wordmath SVAMP.json --reward gsm8k --prompt-template-file configs/prompts/wordmath.toml
  agro eval path/to/model SVAMP.json --reward last_number --prompt-template-file configs/prompts/zero-shot.toml
  agro eval path/to/model MATH/test --reward lenient --prompt-template-file configs/prompts/boxed.toml --html math.html
  agro eval path/to/model eval.jsonl --reward last_number -o before.json
  agro eval runs/a/best eval.jsonl --reward last_number --compare before.json --html after.html
  agro eval runs/a/best eval.jsonl --reward last_number --reference path/to/model -o runs/a/evaluations/eval.json)");
  command->callback([command, options] { run(*options, command->count("--max-new-tokens") > 0); });
}

}  // namespace agro
