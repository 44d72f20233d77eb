#include "train/rl_trainer.h"

#include <cmath>

#include "core/log.h"
#include "data/completions_writer.h"
#include "objective/registry.h"
#include "tensor/machine.h"
#include "train/leak_watch.h"
#include "train/policy_update.h"
#include "train/run_loop.h"
#include "train/supply.h"

namespace agro {
namespace {

std::vector<Group> to_groups(const Rollout& rollout, const std::vector<TokenIds>& prompt_ids) {
  std::vector<Group> groups;
  for (const RolloutGroup& g : rollout.groups) {
    groups.push_back({g.prompt_index, prompt_ids[g.prompt_index], {}});
    for (const RolloutItem& item : g.items) groups.back().responses.push_back(item.response);
  }
  return groups;
}

/// The value head an objective needs, if it does.
std::optional<ValueHead> make_value_head(const Objective& objective, const CausalLm& policy) {
  if (!objective.needs().values) return std::nullopt;
  return ValueHead(policy.config().hidden_size, policy.activation_options());
}

class RlTrainer : public Trainable {
 public:
  RlTrainer(const TrainConfig& config, RunModel& model)
      : config_(config),
        model_(model),
        seed_(static_cast<uint64_t>(config.run.seed)),
        reward_(config.rewards),
        objective_(make_objective(config.objective)),
        encoders_(make_encoders(model.tools, model.folder.config().eos_token_ids, config.data.append_eos)),
        reference_(load_reference()),
        data_(load_training_data(config, objective_->needs(), encoders_, reward_, model.limits())),
        source_(data_, config.group, sampler(config.sampling), seed_, objective_->needs().group_size),
        value_head_(make_value_head(*objective_, model.policy)),
        optimal_values_(reference_, sampler(unfiltered_version(config.sampling)), config.objective.beta,
                        config.reference.samples),
        update_(model.policy, reference_, *objective_,
                {.micro_batch_tokens = config.train.micro_batch_tokens,
                 .stored_behavior = stored_behavior_named(config.data.stored_behavior),
                 .fresh_are_policys = draws_from_policy(config),
                 .sampler_logprobs = config.train.sampler_logprobs,
                 .value_head = value_head_ ? &*value_head_ : nullptr,
                 .optimal_values = objective_->needs().optimal_values ? &optimal_values_ : nullptr}),
        evaluator_(
            make_evaluator(config.evaluate, config.data, config.sampling, config.engine, model, reward_, seed_)) {
    if (evaluator_ && !config.sampling.unfiltered() && config.evaluate.samples_per_prompt > 0)
      log_info("evaluate",
               "KL to the reference and gaps are not measured: with this temperature or filter the samples are not the "
               "model's own");
    check_supply(*objective_, config, data_, reward_);
    check_rollout_lengths();
    if (evaluator_) warn_of_leaks(data_.prompts, evaluator_->prompts());
    if (evaluator_) evaluator_->prepare_reference(reference_, config.objective.beta);
  }

  std::vector<ParameterGroup> extra_parameters() override {
    if (!value_head_) return {};
    return {{value_head_->parameters(), config_.train.value_learning_rate_scale}};
  }

  bool resumable_at(int64_t step) const override { return step % config_.train.updates_per_rollout == 0; }

  StepOutcome accumulate_gradients(int64_t step) override {
    move_reference(step);
    const auto begin = std::chrono::steady_clock::now();
    const bool draw = !rollout_ || step % config_.train.updates_per_rollout == 0;
    if (draw) rollout_ = std::make_shared<Rollout>(source_.next(model_.policy, step));
    // Where memory is short, keys and values of sampling make room for the activations of the update.
    if (config_.train.recompute) release_freed_memory();
    const std::shared_ptr<Rollout> rollout = rollout_;
    const auto sampled = std::chrono::steady_clock::now();
    StepOutcome outcome;
    outcome.write_prompts = [this, rollout](const Path& path) { save(path, *rollout); };
    describe(*rollout, outcome);
    if (rollout->groups.empty()) {
      outcome.empty = true;
      return outcome;
    }
    const UpdateResult update = update_.accumulate_gradients(*rollout, data_.prompt_ids);
    outcome.loss = update.loss;
    if (update.log_ratios.empty()) {  // the loop reports a failed step
      log_warning("train", "step {}: log-probabilities or values that are not finite", step + 1);
      return outcome;
    }
    for (const auto& [name, value] : update.metrics) outcome.metrics[name] = value;
    if (update.sampler_mismatch) note_mismatch(*update.sampler_mismatch, outcome);
    watch_leak(*rollout, update.log_ratios);
    const auto seconds = [](auto from, auto to) { return std::chrono::duration<double>(to - from).count(); };
    outcome.timings["tokens"] = (draw ? rollout->generation.new_tokens : 0) + update.tokens;
    outcome.timings["sampling_seconds"] = seconds(begin, sampled);
    outcome.timings["update_seconds"] = seconds(sampled, std::chrono::steady_clock::now());
    show(outcome);
    if (draw && config_.run.save_completions_every > 0 && (step + 1) % config_.run.save_completions_every == 0)
      save(completions_path(config_.run.output, step + 1), *rollout);
    return outcome;
  }

  std::vector<NamedTensor> tensors() const override {
    std::vector<NamedTensor> saved;
    if (config_.reference.update_every > 0)
      for (const NamedTensor& p : reference_.parameters()) saved.push_back({"reference." + p.name, p.tensor});
    return saved;
  }

  OrderedJson state() const override {
    const RolloutState& s = source_.state();
    return {{"position", s.position},
            {"draws", s.draws},
            {"visits", s.visits},
            {"leak", leak_.state()},
            {"moving_reference", config_.reference.update_every > 0},
            {"sampler_distrusted", sampler_distrusted_}};
  }

  void restore(const Json& state) override {
    if (state.value("moving_reference", false) && config_.reference.update_every == 0)
      throw Error("the checkpoint's reference has moved, and reference.update_every is 0 now")
          .hint("resume with the settings the run began with");
    source_.restore({state.at("position").get<uint64_t>(), state.at("draws").get<std::vector<uint32_t>>(),
                     state.at("visits").get<std::vector<uint64_t>>()});
    leak_.restore(state.at("leak"));
    if (state.value("sampler_distrusted", false)) distrust_sampler();
  }

  std::optional<EvaluationResult> evaluate() override {
    if (!evaluator_) return std::nullopt;
    if (config_.reference.update_every > 0) evaluator_->prepare_reference(reference_, config_.objective.beta);
    return evaluator_->evaluate(model_.policy, &reference_, config_.objective.beta);
  }

  OrderedJson figures_since_evaluation() override {
    OrderedJson figures = OrderedJson::object();
    for (const auto& [source, s] : leak_.take()) {
      if (s.rewarded_count > 0) figures["leak_rewarded_" + source] = s.rewarded;
      if (s.unrewarded_count > 0) figures["leak_unrewarded_" + source] = s.unrewarded;
      if (s.leaks(config_.train.leak_warning_nats))
        log_warning(
            "train",
            "stored responses of '{}' lose probability ({}): it drains into responses nobody scored. What helps: "
            "a larger objective.beta, a smaller optimizer.learning_rate, a share of fresh responses "
            "(group.fresh_per_group)",
            source, leak_text(s));
    }
    return figures;
  }

 private:
  CausalLm load_reference() const {
    const WeightDtype dtype = weight_dtype_named(config_.model.reference_dtype);
    CausalLm reference = config_.model.reference.empty() ? model_.starting_model(dtype) : load_other_reference(dtype);
    if (config_.reference.update_every == 0) return reference;
    if (model_.has_adapters())
      throw Error("reference.update_every moves the reference, and under lora.rank it shares the policy's weights")
          .hint("reference.update_every = 0 keeps it as it is, lora.rank = 0 trains all weights");
    const std::vector<NamedTensor>&mine = model_.policy.parameters(), &its = reference.parameters();
    const bool same =
        std::equal(mine.begin(), mine.end(), its.begin(), its.end(), [](const NamedTensor& a, const NamedTensor& b) {
          return a.name == b.name && a.tensor.sizes() == b.tensor.sizes();
        });
    if (!same)
      throw Error("reference.update_every moves the reference towards the policy, and it is another kind of model")
          .at(config_.model.reference)
          .hint("reference.update_every = 0 keeps it as it is");
    for (const NamedTensor& p : its)
      if (p.tensor.scalar_type() != torch::kFloat32)
        throw Error("reference.update_every needs a float32 reference: smaller ones lose the small moves")
            .hint("set model.reference_dtype = \"float32\"");
    return reference;
  }

  CausalLm load_other_reference(WeightDtype dtype) const {
    const ModelFolder folder{Path(config_.model.reference)};
    if (folder.config().vocab_size != model_.folder.config().vocab_size)
      throw fail("the reference has {} tokens, the policy {}", folder.config().vocab_size,
                 model_.folder.config().vocab_size)
          .at(config_.model.reference);
    CausalLm reference = folder.load(dtype);
    reference.set_products(products_named(config_.model.products));
    make_ready(reference, folder);
    return reference;
  }

  ResponseSampler sampler(const SamplingConfig& sampling) {
    return {data_, sampling, config_.engine, model_.tools.tokenizer_or_null(), reward_, seed_};
  }

  /// A run can stop only between rollouts.
  void check_rollout_lengths() const {
    const int64_t updates = config_.train.updates_per_rollout;
    for (const auto& [value, key] :
         {std::pair{config_.run.steps, "run.steps"}, {config_.run.checkpoint_every, "run.checkpoint_every"}})
      if (value % updates != 0)
        throw fail("{} must be a multiple of train.updates_per_rollout = {}, found {}", key, updates, value)
            .hint("a checkpoint is written between two rollouts, so that a resumed run goes on exactly");
  }

  /// θ_ref ← ema θ_ref + (1 − ema) θ every reference.update_every steps, before the step that follows them.
  void move_reference(int64_t step) {
    const ReferenceConfig& c = config_.reference;
    if (c.update_every == 0 || step == 0 || step % c.update_every != 0) return;
    const torch::NoGradGuard no_grad;
    for (size_t i = 0; i < reference_.parameters().size(); ++i) {
      const Tensor& own = reference_.parameters()[i].tensor;
      own.lerp_(model_.policy.parameters()[i].tensor, 1 - c.ema);
      mark_changed(own);
    }
    update_.forget_reference();
    if (rollout_) rollout_->ref_logprobs = Tensor();
  }

  /// Rewards, lengths and counts of a step.
  void describe(const Rollout& rollout, StepOutcome& outcome) const {
    double correct = 0, tokens = 0, truncated = 0, count = 0;
    std::vector<double> parts(reward_.names().size());
    double scored = 0;
    for (const RolloutGroup& group : rollout.groups) {
      for (const RolloutItem& item : group.items) {
        ++count;
        correct += item.response.reward > config_.evaluate.correct_above ? 1 : 0;
        tokens += static_cast<double>(item.response.ids.size());
        truncated += item.response.finished ? 0 : 1;
        if (item.response.reward_parts.size() != parts.size()) continue;
        ++scored;
        for (size_t i = 0; i < parts.size(); ++i) parts[i] += item.response.reward_parts[i];
      }
    }
    outcome.metrics["groups"] = rollout.groups.size();
    outcome.metrics["responses"] = count;
    outcome.metrics["skipped_groups"] = rollout.skipped_groups;
    outcome.metrics["dropped_responses"] = rollout.dropped_responses;
    if (count == 0) return;
    outcome.metrics["accuracy"] = correct / count;
    outcome.metrics["response_tokens"] = tokens / count;
    outcome.metrics["truncated"] = truncated / count;
    const std::vector<std::string> names = reward_.names();
    if (scored > 0)
      for (size_t i = 0; i < parts.size(); ++i) outcome.metrics["reward_" + names[i]] = parts[i] / scored;
  }

  void note_mismatch(double mismatch, StepOutcome& outcome) {
    outcome.metrics["sampler_mismatch"] = mismatch;
    const double bound = config_.model.products == "bfloat16" ? 5e-3 : 1e-5;
    if (mismatch <= bound || !config_.train.sampler_logprobs || sampler_distrusted_) return;
    distrust_sampler();
    log_warning("train",
                "sampler and trainer differ by {:.1e} nats per token, more than {:.0e}: from the next step on the loss "
                "reads the trainer's log-probabilities",
                mismatch, bound);
  }

  void distrust_sampler() {
    sampler_distrusted_ = true;
    update_.distrust_sampler();
  }

  void show(StepOutcome& outcome) const {
    const auto item = [&](const char* label, const char* metric, const char* format) {
      if (outcome.metrics.contains(metric))
        outcome.shown.push_back({label, fmt::format(fmt::runtime(format), outcome.metrics[metric].get<double>())});
    };
    item("reward", "reward_mean", "{:.3f}");
    item("accuracy", "accuracy", "{:.3f}");
    outcome.shown.push_back({"loss", fmt::format("{:.4f}", outcome.loss)});
    item("gap", "optimality_gap", "{:.4f}");
    item(config_.group.stored_per_group > 0 ? "log π/π_ref" : "KL", "log_ratio_mean", "{:.3f}");
  }

  void watch_leak(const Rollout& rollout, const std::vector<double>& log_ratios) {
    std::vector<double> rewards;
    std::vector<std::string> sources;
    for (const RolloutGroup& group : rollout.groups)
      for (const RolloutItem& item : group.items)
        rewards.push_back(item.response.reward), sources.push_back(item.response.source);
    leak_.add(leak_statistics(log_ratios, rewards, sources, config_.evaluate.correct_above));
  }

  void save(const Path& path, const Rollout& rollout) const {
    write_completions(path, data_.prompts, to_groups(rollout, data_.prompt_ids), reward_.names());
  }

  const TrainConfig& config_;
  RunModel& model_;
  uint64_t seed_;
  TotalReward reward_;
  std::unique_ptr<Objective> objective_;
  Encoders encoders_;
  CausalLm reference_;
  TrainingData data_;
  RolloutSource source_;
  std::optional<ValueHead> value_head_;
  OptimalValues optimal_values_;
  PolicyUpdate update_;
  std::unique_ptr<Evaluator> evaluator_;
  std::shared_ptr<Rollout> rollout_;  // of this step, and of the next ones under updates_per_rollout
  LeakWatch leak_;
  bool sampler_distrusted_ = false;  // it differed from the trainer by more than the bound
};

}  // namespace

void run_rl(const TrainConfig& config, bool resume) {
  if (config.train.recompute) give_back_large_blocks();
  RunModel model(config.model, config.lora, config.train.recompute, config.run.seed);
  RlTrainer trainer(config, model);
  RunLoop(config.run, config.optimizer, model).run(trainer, dump_config(config), resume);
}

}  // namespace agro
