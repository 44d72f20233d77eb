#pragma once
// What every training run shares: the run directory, the optimiser, evaluation, checkpoints, resume, the screen. A
// trainer supplies one step.
#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <span>

#include "core/file_lock.h"
#include "data/text_tools.h"
#include "report/metrics_writer.h"
#include "report/progress.h"
#include "report/tensorboard_writer.h"
#include "train/checkpoint.h"
#include "train/config.h"

namespace agro {

/// The model of a run with its folder and text tools.
struct RunModel {
  explicit RunModel(const Path& path, Products products = Products::kFloat32);
  /// With `lora.rank` the folder's weights are frozen and the policy has adapters: fresh ones drawn with `seed`, or
  /// those of section.adapter. Throws Error where those have another rank.
  RunModel(const ModelSection& section, const LoraConfig& lora, bool recompute, int64_t seed);

  ModelFolder folder;
  TextTools tools;
  CausalLm policy;  // trained: float32; under adapters the weights may be bfloat16

  bool has_adapters() const { return !policy.low_rank_parameters().empty(); }

  /// The model the run starts from, to be called before the first step. Under adapters it shares the frozen weights;
  /// else it has weights of its own in `dtype`.
  CausalLm starting_model(WeightDtype dtype) const;

  ModelLimits limits() const { return {folder.config().max_position_embeddings, folder.config().vocab_size}; }

 private:
  ModelSection section_;
};

/// Packs the weights of a model whose matrices do not change any more, also for the backward pass `for_gradient`, and
/// then lets go of the pages of `folder` they were read from: the packed weights are what is used.
void make_ready(const CausalLm& frozen, const ModelFolder& folder, bool for_gradient = false);

/// What a step hands back. A loss or gradient that is not finite makes the loop leave the parameters alone.
struct StepOutcome {
  double loss = 0;
  OrderedJson metrics = OrderedJson::object();  // depend on config, data and seed alone
  OrderedJson timings = OrderedJson::object();  // tokens and seconds
  std::vector<ProgressItem> shown;
  bool empty = false;                              // nothing to learn from: no update
  std::function<void(const Path&)> write_prompts;  // for the file that explains a failed step
};

/// The trainer's side of the loop.
class Trainable {
 public:
  virtual ~Trainable() = default;
  /// Adds this step's gradients; parameters are not to be touched. `step` counts from 0.
  virtual StepOutcome accumulate_gradients(int64_t step) = 0;
  /// Parameters that are trained beside the policy's; asked once, before the first step.
  virtual std::vector<ParameterGroup> extra_parameters() { return {}; }
  /// Whether the run can stop after `step` updates and go on from a checkpoint.
  virtual bool resumable_at(int64_t /*step*/) const { return true; }
  /// Everything to remember beyond weights and optimiser: figures, and float32 tensors to be restored in place.
  virtual std::vector<NamedTensor> tensors() const { return {}; }
  virtual OrderedJson state() const = 0;
  virtual void restore(const Json& state) = 0;
  /// Evaluates the policy; empty where no evaluation is configured.
  virtual std::optional<EvaluationResult> evaluate() = 0;
  /// Figures gathered since the last evaluation, to be shown with it (and warnings, given by the callee).
  virtual OrderedJson figures_since_evaluation() { return OrderedJson::object(); }
};

class RunLoop {
 public:
  /// Creates the run directory and holds it locked from now on. The references must outlive the loop. Throws Error
  /// where another loop is at work in it.
  RunLoop(const RunConfig& run, const OptimizerConfig& optimizer, RunModel& model);

  /// There from run() on.
  const AdamW& optimizer() const { return *optimizer_; }

  /// Steps until run.steps or a stop request. `config_text` goes to RUN/config.toml.
  void run(Trainable& trainable, const std::string& config_text, bool resume);

 private:
  int64_t restore(Trainable& trainable, bool resume);
  void one_step(Trainable& trainable, int64_t step);
  void evaluate(Trainable& trainable, int64_t step);
  void checkpoint(Trainable& trainable, int64_t step);
  void give_up_if_failing(const StepOutcome& outcome, int64_t step, double gradient_norm);
  void write_figures(int64_t step, const OrderedJson& metrics, const std::string& prefix);

  RunConfig config_;
  OptimizerConfig optimizer_config_;
  RunModel& model_;
  Path output_;
  FileLock lock_;
  std::unique_ptr<AdamW> optimizer_;
  std::unique_ptr<MetricsWriter> metrics_;
  std::unique_ptr<TensorBoardWriter> tensorboard_;
  std::unique_ptr<Progress> progress_;
  std::optional<double> best_;
  int64_t best_step_ = 0;
  int64_t failed_in_a_row_ = 0;
};

/// Loads what an evaluation during training runs on. nullptr where config.prompts is empty.
std::unique_ptr<Evaluator> make_evaluator(const EvaluateConfig& config, const DataConfig& data,
                                          const SamplingConfig& sampling, const EngineOptions& engine,
                                          const RunModel& model, TotalReward& reward, uint64_t seed);

/// Logs a warning where prompts of the evaluation are trained on.
void warn_of_leaks(std::span<const PromptRecord> training, std::span<const PromptRecord> evaluation);

}  // namespace agro
