#include "train/rl_trainer.h"

#include <cmath>

#include "core/log.h"
#include "data/completions_writer.h"
#include "objective/diagnostics.h"
#include "objective/registry.h"
#include "train/policy_update.h"
#include "train/run_loop.h"

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

/// Mean log π/π_ref of stored responses by source since the last evaluation (spec §9).
class LeakWatch {
 public:
  void add(const std::map<std::string, LeakStatistics>& step) {
    for (const auto& [source, s] : step) {
      if (source == "fresh") continue;
      LeakStatistics& total = totals_[source];
      total.rewarded += s.rewarded * static_cast<double>(s.rewarded_count);
      total.unrewarded += s.unrewarded * static_cast<double>(s.unrewarded_count);
      total.rewarded_count += s.rewarded_count;
      total.unrewarded_count += s.unrewarded_count;
    }
  }

  /// The means so far, which start anew.
  std::map<std::string, LeakStatistics> take() {
    auto means = std::exchange(totals_, {});
    for (auto& [source, s] : means) {
      s.rewarded /= static_cast<double>(std::max<int64_t>(1, s.rewarded_count));
      s.unrewarded /= static_cast<double>(std::max<int64_t>(1, s.unrewarded_count));
    }
    return means;
  }

  OrderedJson state() const {
    OrderedJson json = OrderedJson::object();
    for (const auto& [source, s] : totals_)
      json[source] = {s.rewarded, s.unrewarded, s.rewarded_count, s.unrewarded_count};
    return json;
  }
  void restore(const Json& json) {
    totals_.clear();
    for (const auto& [source, s] : json.items())
      totals_[source] = {s.at(0).get<double>(), s.at(1).get<double>(), s.at(2).get<int64_t>(), s.at(3).get<int64_t>()};
  }

 private:
  std::map<std::string, LeakStatistics> totals_;  // sums, not yet divided
};

/// Refuses, before the first step, an objective that needs what a run does not give it.
void check_supplied(const Objective& objective, const GroupConfig& group) {
  const ObjectiveNeeds needs = objective.needs();
  if (group.stored_per_group > 0 && needs.on_policy)
    throw fail(
        "objective '{}' with these settings learns from responses of the current policy only, and "
        "group.stored_per_group is {}",
        objective.name(), group.stored_per_group)
        .hint("through_sampling = false and credit = \"sequence\" are valid for responses from anywhere");
  if (group.stored_per_group > 0 && needs.behavior_logprobs)
    throw fail(
        "objective '{}' weighs responses by the log-probabilities of whoever wrote them, token by token, and stored "
        "responses do not carry these (group.stored_per_group = {})",
        objective.name(), group.stored_per_group)
        .hint("agro, trajectory_balance and copg learn from stored responses without them");
  const char* missing = needs.values           ? "the estimates of a value head"
                        : needs.optimal_values ? "V* of every prompt"
                        : needs.pairs          ? "given pairs of responses"
                                               : nullptr;
  if (missing != nullptr)
    throw fail("objective '{}' needs {}, which training does not supply", objective.name(), missing)
        .hint(needs.pairs ? "objective.pairing = \"best_worst\" forms pairs by reward"
                          : "`agro objective` computes it on figures of your own");
}

/// "rewarded −3.10 nats, unrewarded −4.25 nats": the classes that occur.
std::string leak_text(const LeakStatistics& s) {
  std::vector<std::string> parts;
  if (s.rewarded_count > 0) parts.push_back(fmt::format("rewarded {:.2f} nats", s.rewarded));
  if (s.unrewarded_count > 0) parts.push_back(fmt::format("unrewarded {:.2f} nats", s.unrewarded));
  return fmt::format("{}", fmt::join(parts, ", "));
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
        data_(load_training_data(config, encoders_, reward_, model.limits())),
        source_(data_, config.group, config.sampling, config.engine, model.tools.tokenizer_or_null(), reward_, seed_),
        update_(model.policy, reference_, *objective_, config.train.micro_batch_tokens),
        evaluator_(
            make_evaluator(config.evaluate, config.data, config.sampling, config.engine, model, reward_, seed_)) {
    check_supplied(*objective_, config.group);
    if (evaluator_) evaluator_->prepare_reference(reference_, config.objective.beta);
  }

  StepOutcome accumulate_gradients(int64_t step) override {
    const auto begin = std::chrono::steady_clock::now();
    const auto rollout = std::make_shared<Rollout>(source_.next(model_.policy, step));
    const auto sampled = std::chrono::steady_clock::now();
    StepOutcome outcome;
    outcome.write_prompts = [this, rollout](const Path& path) { save(path, *rollout); };
    describe(*rollout, outcome);
    if (rollout->groups.empty()) {
      outcome.empty = true;
      return outcome;
    }
    UpdateResult update;
    try {
      update = update_.accumulate_gradients(*rollout, data_.prompt_ids);
    } catch (const Error& error) {
      // Log-probs that are not finite: the policy is broken. The loop reports it as a failed step.
      log_warning("train", "step {}: {}", step + 1, error.what());
      outcome.loss = std::nan("");
      return outcome;
    }
    outcome.loss = update.loss;
    for (const auto& [name, value] : update.metrics) outcome.metrics[name] = value;
    if (rollout->generation.new_tokens > 0) outcome.metrics["sampler_mismatch"] = update.sampler_mismatch;
    watch_leak(*rollout, update.log_ratios);
    const auto seconds = [](auto from, auto to) { return std::chrono::duration<double>(to - from).count(); };
    outcome.timings["tokens"] = rollout->generation.new_tokens + update.tokens;
    outcome.timings["sampling_seconds"] = seconds(begin, sampled);
    outcome.timings["update_seconds"] = seconds(sampled, std::chrono::steady_clock::now());
    show(outcome);
    if (config_.run.save_completions_every > 0 && (step + 1) % config_.run.save_completions_every == 0)
      save(completions_path(config_.run.output, step + 1), *rollout);
    return outcome;
  }

  OrderedJson state() const override {
    const RolloutState& s = source_.state();
    return {{"position", s.position}, {"draws", s.draws}, {"visits", s.visits}, {"leak", leak_.state()}};
  }

  void restore(const Json& state) override {
    source_.restore({state.at("position").get<uint64_t>(), state.at("draws").get<std::vector<uint32_t>>(),
                     state.at("visits").get<std::vector<uint64_t>>()});
    leak_.restore(state.at("leak"));
  }

  std::optional<EvaluationResult> evaluate() override {
    if (!evaluator_) return std::nullopt;
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
    if (config_.model.reference.empty()) return model_.folder.load(dtype);
    const ModelFolder folder{Path(config_.model.reference)};
    if (folder.config().vocab_size != model_.folder.config().vocab_size)
      throw fail("the reference has {} tokens, the policy {}", folder.config().vocab_size,
                 model_.folder.config().vocab_size)
          .at(config_.model.reference);
    return folder.load(dtype);
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

  static void show(StepOutcome& outcome) {
    const auto item = [&](const char* label, const char* metric, const char* format) {
      if (outcome.metrics.contains(metric))
        outcome.shown.push_back({label, fmt::format(fmt::runtime(format), outcome.metrics[metric].get<double>())});
    };
    item("reward", "reward_mean", "{:.3f}");
    item("accuracy", "accuracy", "{:.3f}");
    outcome.shown.push_back({"loss", fmt::format("{:.4f}", outcome.loss)});
    item("gap", "optimality_gap", "{:.4f}");
    item("KL", "log_ratio_mean", "{:.3f}");
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
  PolicyUpdate update_;
  std::unique_ptr<Evaluator> evaluator_;
  LeakWatch leak_;
};

}  // namespace

void run_rl(const TrainConfig& config, bool resume) {
  RunModel model{Path(config.model.path)};
  RlTrainer trainer(config, model);
  RunLoop(config.run, config.optimizer, model).run(trainer, dump_config(config), resume);
}

}  // namespace agro
