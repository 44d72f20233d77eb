#include "train/run_loop.h"

#include <cmath>
#include <iostream>

#include "core/log.h"
#include "core/memory.h"
#include "core/stop.h"
#include "data/leak_check.h"
#include "report/run_data.h"

namespace agro {
namespace {

double now() { return std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count(); }

double percent(double share) { return 100.0 * share; }

std::string evaluation_line(int64_t step, const EvaluationResult& r) {
  std::string line = fmt::format("step {}: ", step);
  const auto add = [&](const std::string& text) { line += (line.back() == ' ' ? "" : ", ") + text; };
  if (r.greedy_accuracy)
    add(fmt::format("greedy {:.1f} ± {:.1f} %", percent(*r.greedy_accuracy), percent(*r.greedy_error)));
  if (r.sampled_accuracy)
    add(fmt::format("sampled {:.1f} ± {:.1f} %", percent(*r.sampled_accuracy), percent(*r.sampled_error)));
  if (r.answer_probability) add(fmt::format("answer probability {:.1f} %", percent(*r.answer_probability)));
  if (r.reward_mean) add(fmt::format("reward {:.3f}", *r.reward_mean));
  if (r.kl) add(fmt::format("KL {:.3f}", *r.kl));
  if (r.optimality_gap) add(fmt::format("gap {:.4f}", *r.optimality_gap));
  if (r.value_gap) add(fmt::format("value gap {:.4f}", *r.value_gap));
  return line;
}

std::optional<double> figure(const EvaluationResult& result, const std::string& name) {
  const OrderedJson json = result.to_json();
  return json.contains(name) ? std::optional(json.at(name).get<double>()) : std::nullopt;
}

ModelSection section_of(const Path& path, Products products) {
  ModelSection section;
  section.path = path;
  section.products = products == Products::kBFloat16 ? "bfloat16" : "float32";
  return section;
}

/// The adapter that training goes on with has the rank the configuration says.
void check_rank(const CausalLm& model, int64_t rank, const std::string& adapter) {
  for (const LinearWeight* w : model.linears())
    if (w->low_rank && w->low_rank->rank() != rank)
      throw fail("the adapter has rank {}, lora.rank is {}", w->low_rank->rank(), rank)
          .at(adapter)
          .hint(fmt::format("lora.rank = {} trains it further, 0 merges it into the weights", w->low_rank->rank()));
}

FileLock create_and_lock(const Path& run_folder) {
  if (run_folder.empty())
    throw Error("run.output is not set").hint("the folder for checkpoints, metrics and the trained model");
  std::filesystem::create_directories(run_folder);
  const Path path = run_lock_path(run_folder);
  if (std::optional<FileLock> lock = FileLock::try_acquire(path)) return std::move(*lock);
  throw fail("another process ({}) is training in this run directory", lock_holder(path).value_or(0))
      .at(run_folder.string())
      .hint("wait until it has ended, or choose another run.output");
}

}  // namespace

RunModel::RunModel(const Path& path, Products products) : RunModel(section_of(path, products), {}, false, 0) {}

RunModel::RunModel(const ModelSection& section, const LoraConfig& lora, bool recompute, int64_t seed)
    : folder(section.path),
      tools(load_text_tools(section.path)),
      policy(folder.load(lora.rank > 0 ? weight_dtype_named(section.reference_dtype) : WeightDtype::kFloat32)),
      section_(section) {
  policy.set_products(products_named(section.products));
  policy.set_recompute(recompute);
  if (!section.adapter.empty()) read_adapter(section.adapter, policy);
  if (lora.rank == 0) {
    merge_low_rank(policy);
    return;
  }
  if (section.adapter.empty()) add_lora(policy, lora, static_cast<uint64_t>(seed));
  check_rank(policy, lora.rank, section.adapter);
  make_ready(policy, folder, true);
}

CausalLm RunModel::starting_model(WeightDtype dtype) const {
  if (has_adapters()) {
    CausalLm model = policy;
    section_.adapter.empty() ? model.remove_low_rank() : model.copy_low_rank();
    return model;
  }
  CausalLm model = folder.load(dtype);
  if (!section_.adapter.empty()) {
    read_adapter(section_.adapter, model);
    merge_low_rank(model);
  }
  model.set_products(products_named(section_.products));
  make_ready(model, folder);
  return model;
}

void make_ready(const CausalLm& frozen, const ModelFolder& folder, bool for_gradient) {
  frozen.pack_weights(for_gradient);
  folder.forget_pages();
}

RunLoop::RunLoop(const RunConfig& run, const OptimizerConfig& optimizer, RunModel& model)
    : config_(run), optimizer_config_(optimizer), model_(model), output_(run.output), lock_(create_and_lock(output_)) {}

int64_t RunLoop::restore(Trainable& trainable, bool resume) {
  const std::vector<int64_t> steps = checkpoint_steps(output_);
  if (!resume) {
    if (!steps.empty() || std::filesystem::exists(output_ / "metrics.jsonl"))
      throw fail("the run directory already holds a run")
          .at(output_.string())
          .hint("resume it with --resume, or choose another run.output");
    return 0;
  }
  if (steps.empty()) {
    log_info("train", "{} has no checkpoint yet: starting from the beginning", output_.string());
    return 0;
  }
  const int64_t last = steps.back();
  try {
    const Json state = read_checkpoint(output_, last, *optimizer_, trainable.tensors());
    if (!state.at("best").is_null()) best_ = state.at("best").get<double>();
    best_step_ = state.at("best_step").get<int64_t>();
    failed_in_a_row_ = state.at("failed_in_a_row").get<int64_t>();
    trainable.restore(state.at("trainable"));
  } catch (const Json::exception& error) {
    throw fail("the checkpoint's training_state.json is damaged: {}", error.what())
        .at(checkpoint_path(output_, last).string())
        .hint("remove this checkpoint to resume from the one before");
  }
  log_info("train", "resuming after step {}", last);
  return last;
}

void RunLoop::run(Trainable& trainable, const std::string& config_text, bool resume) {
  std::vector<ParameterGroup> groups{{model_.policy.trainable_parameters()}};
  for (ParameterGroup& group : trainable.extra_parameters()) groups.push_back(std::move(group));
  optimizer_ = std::make_unique<AdamW>(groups, optimizer_config_);
  const int64_t first = restore(trainable, resume);
  for (const Path& folder : {output_, output_ / "checkpoints", output_ / "completions", output_ / "failed"})
    remove_unfinished(folder);
  write_atomically(output_ / "config.toml", config_text);
  const std::optional<int64_t> resumed = first > 0 ? std::optional(first) : std::nullopt;
  metrics_ = std::make_unique<MetricsWriter>(output_, resumed);
  tensorboard_ = std::make_unique<TensorBoardWriter>(output_, now(), resumed);
  progress_ = std::make_unique<Progress>(std::cerr, stderr_progress(config_.steps, first));
  if (first == 0) evaluate(trainable, 0);
  int64_t done = first;
  while (done < config_.steps && !(stop_requested() && trainable.resumable_at(done))) {
    one_step(trainable, done);
    ++done;
    const bool last = done == config_.steps;
    if (last || (config_.evaluate_every > 0 && done % config_.evaluate_every == 0)) evaluate(trainable, done);
    if (!last && config_.checkpoint_every > 0 && done % config_.checkpoint_every == 0) checkpoint(trainable, done);
  }
  progress_->finish();
  checkpoint(trainable, done);
  if (done < config_.steps) {
    log_info("train", "stopped after step {}; go on with --resume", done);
    return;
  }
  model_.folder.write(output_ / "final", model_.policy);
  if (model_.has_adapters()) write_adapter(output_ / "final-adapter", model_.policy, model_.folder.path());
  log_info("train", "peak memory {:.2f} GiB", peak_memory_gib());
  log_info("train", "done: {}{}", (output_ / "final").string(),
           best_ ? fmt::format(" (best {} {:.4f} at step {}: {})", config_.best_metric, *best_, best_step_,
                               (output_ / "best").string())
                 : "");
}

void RunLoop::one_step(Trainable& trainable, int64_t step) {
  const auto begin = std::chrono::steady_clock::now();
  optimizer_->zero_gradients();
  StepOutcome outcome = trainable.accumulate_gradients(step);
  const double norm = optimizer_->gradient_norm();
  const double learning_rate = learning_rate_at(optimizer_config_, step, config_.steps);
  const bool finite = std::isfinite(outcome.loss) && std::isfinite(norm);
  if (finite && !outcome.empty) optimizer_->step(learning_rate, norm);
  OrderedJson metrics = {{"loss", outcome.loss}, {"gradient_norm", norm}, {"learning_rate", learning_rate}};
  metrics.update(outcome.metrics);
  write_figures(step + 1, metrics, "train/");
  const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  outcome.timings["step_seconds"] = seconds;
  outcome.timings["peak_memory_gib"] = peak_memory_gib();
  if (outcome.timings.contains("tokens"))
    outcome.timings["tokens_per_second"] = outcome.timings["tokens"].get<double>() / seconds;
  metrics_->write_timing(step + 1, outcome.timings);
  if (outcome.timings.contains("tokens_per_second"))
    outcome.shown.push_back({"", fmt::format("{:.0f} tok/s", outcome.timings["tokens_per_second"].get<double>())});
  progress_->update(step + 1, outcome.shown);
  give_up_if_failing(outcome, step, norm);
}

void RunLoop::give_up_if_failing(const StepOutcome& outcome, int64_t step, double gradient_norm) {
  if (std::isfinite(outcome.loss) && std::isfinite(gradient_norm)) {
    failed_in_a_row_ = 0;
    return;
  }
  ++failed_in_a_row_;
  const Path file = output_ / "failed" / fmt::format("step-{}.jsonl", step + 1);
  if (outcome.write_prompts) outcome.write_prompts(file);
  progress_->keep(fmt::format("step {}: loss {} and gradient norm {}: not applied; its responses are in {}", step + 1,
                              outcome.loss, gradient_norm, file.string()));
  if (failed_in_a_row_ >= config_.max_failed_steps)
    throw fail("{} steps in a row had a non-finite loss or gradient; the last one is {}", failed_in_a_row_, step + 1)
        .at(output_.string())
        .hint(fmt::format("lower optimizer.learning_rate or raise objective.beta; the responses are in {}",
                          (output_ / "failed").string()));
}

void RunLoop::evaluate(Trainable& trainable, int64_t step) {
  const auto begin = std::chrono::steady_clock::now();
  const std::optional<EvaluationResult> result = trainable.evaluate();
  OrderedJson figures = result ? result->to_json() : OrderedJson::object();
  if (step > 0) figures.update(trainable.figures_since_evaluation());
  if (figures.empty()) return;
  write_figures(step, {{"evaluation", figures}}, "evaluate/");
  metrics_->write_timing(
      step, {{"evaluation_seconds", std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count()}});
  if (!result) return;
  progress_->keep(evaluation_line(step, *result));
  const std::optional<double> value = figure(*result, config_.best_metric);
  if (!value && step == 0)
    log_warning("train", "the evaluation does not measure run.best_metric = '{}': no best/ will be kept",
                config_.best_metric);
  if (value && (!best_ || *value > *best_)) {
    best_ = value, best_step_ = step;
    replace_folder_atomically(output_ / "best", [&](const Path& folder) {
      model_.folder.write_into(folder, model_.policy);
      write_atomically(folder / "best.json",
                       OrderedJson{{"step", step}, {"metric", config_.best_metric}, {"value", *value}}.dump(1) + "\n");
    });
    if (model_.has_adapters()) write_adapter(output_ / "best-adapter", model_.policy, model_.folder.path());
  }
}

void RunLoop::checkpoint(Trainable& trainable, int64_t step) {
  OrderedJson state;
  state["best"] = best_ ? OrderedJson(*best_) : OrderedJson(nullptr);
  state["best_step"] = best_step_;
  state["failed_in_a_row"] = failed_in_a_row_;
  state["trainable"] = trainable.state();
  write_checkpoint(output_, step, config_.keep_checkpoints, model_.folder, model_.policy, *optimizer_, state,
                   trainable.tensors());
}

void RunLoop::write_figures(int64_t step, const OrderedJson& metrics, const std::string& prefix) {
  metrics_->write(step, metrics);
  Scalars scalars;
  const OrderedJson& figures = metrics.contains("evaluation") ? metrics.at("evaluation") : metrics;
  for (const auto& [name, value] : figures.items())
    if (value.is_number()) scalars.emplace_back(prefix + name, value.get<double>());
  tensorboard_->write(step, now(), scalars);
}

std::unique_ptr<Evaluator> make_evaluator(const EvaluateConfig& config, const DataConfig& data,
                                          const SamplingConfig& sampling, const EngineOptions& engine,
                                          const RunModel& model, TotalReward& reward, uint64_t seed) {
  if (config.prompts.empty()) return nullptr;
  PromptOptions options = prompt_options(data);
  options.skip = config.skip;
  options.limit = config.limit;
  if (options.format != "plain") options.format = "auto";  // need not be the layout of the training prompts
  options.require_answer = reward.needs_answer() || config.answer_probability;
  EvaluationSetup setup;
  setup.prompts = read_prompts(config.prompts, options);
  for (PromptRecord& prompt : setup.prompts) add_system_prompt(prompt, data.system_prompt);
  setup.encoders = make_encoders(model.tools, model.folder.config().eos_token_ids, data.append_eos);
  setup.positions = model.limits().positions;
  setup.tokenizer = model.tools.tokenizer_or_null();
  setup.reward = &reward;
  setup.sampling = sampling;
  setup.engine = engine;
  setup.seed = seed;
  return std::make_unique<Evaluator>(config, std::move(setup));
}

void warn_of_leaks(std::span<const PromptRecord> training, std::span<const PromptRecord> evaluation) {
  const std::string leaks = describe_leaks(find_leaks(training, evaluation), evaluation.size());
  if (!leaks.empty()) log_warning("data", "{}", leaks);
}

}  // namespace agro
