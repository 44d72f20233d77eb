#pragma once
// What a training run is: the sections of its TOML file.
#include <string>
#include <vector>

#include "evaluate/evaluator.h"
#include "generate/engine.h"
#include "model/lora.h"
#include "objective/config.h"
#include "reward/config.h"
#include "train/optimizer.h"

namespace agro {

/// [run]
struct RunConfig {
  std::string output;
  int64_t seed = 0;
  int64_t threads = 0;
  int64_t steps = 500;
  int64_t evaluate_every = 100;
  int64_t checkpoint_every = 100;
  int64_t keep_checkpoints = 2;
  int64_t save_completions_every = 0;
  std::string best_metric = "greedy_accuracy";
  int64_t max_failed_steps = 5;
  void visit(ConfigVisitor& v);
};

/// [model]
struct ModelSection {
  std::string path;
  std::string adapter;
  std::string reference;
  std::string reference_dtype = "same";
  std::string products = "float32";
  void visit(ConfigVisitor& v);
};

/// [data]
struct DataConfig {
  std::string prompts;
  std::string format = "auto";
  std::vector<std::string> completions;
  std::string prompt_key;
  std::string answer_key = "answer";
  std::string prompt_template;
  std::string prompt_template_file;
  std::string system_prompt;
  int64_t limit = 0;
  bool append_eos = true;
  std::string stored_behavior = "recorded";
  void visit(ConfigVisitor& v);
};

/// [group]
struct GroupConfig {
  int64_t prompts_per_step = 32;
  int64_t fresh_per_group = 8;
  int64_t stored_per_group = 0;
  void visit(ConfigVisitor& v);
};

/// [reference]
struct ReferenceConfig {
  int64_t update_every = 0;
  double ema = 0;
  int64_t samples = 8;
  void visit(ConfigVisitor& v);
};

/// [train]
struct TrainSection {
  int64_t micro_batch_tokens = 8192;
  bool recompute = false;
  int64_t updates_per_rollout = 1;
  bool sampler_logprobs = true;
  double value_learning_rate_scale = 10;
  double leak_warning_nats = 2.0;
  void visit(ConfigVisitor& v);
};

/// `agro train`
struct TrainConfig {
  RunConfig run;
  ModelSection model;
  LoraConfig lora;
  DataConfig data;
  GroupConfig group;
  SamplingConfig sampling;
  EngineOptions engine;
  RewardsConfig rewards;
  ObjectiveConfig objective;
  ReferenceConfig reference;
  OptimizerConfig optimizer;
  TrainSection train;
  EvaluateConfig evaluate;
  void visit(ConfigVisitor& v);
};

/// [sft]
struct SftSection {
  int64_t sequences_per_step = 32;
  std::string completion_key = "completion";
  int64_t micro_batch_tokens = 8192;
  bool recompute = false;
  void visit(ConfigVisitor& v);
};

/// `agro sft`
struct SftConfig {
  RunConfig run;
  ModelSection model;
  LoraConfig lora;
  DataConfig data;
  SftSection sft;
  SamplingConfig sampling;
  EngineOptions engine;
  RewardsConfig rewards;
  OptimizerConfig optimizer;
  EvaluateConfig evaluate;
  void visit(ConfigVisitor& v);
};

/// Prompt reading options of a [data] section; reads its template file. Throws Error for one that is broken, and where
/// the section asks for two templates or two system messages.
PromptOptions prompt_options(const DataConfig& data);

}  // namespace agro
