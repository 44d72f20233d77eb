#include "train/sft_trainer.h"

#include "core/error.h"
#include "core/log.h"
#include "data/packing.h"
#include "data/schedule.h"
#include "model/completion_batch.h"
#include "tensor/machine.h"
#include "tensor/ops/token_logprob.h"
#include "train/run_loop.h"

namespace agro {
namespace {

struct Example {
  size_t prompt;
  TokenIds completion;
};

/// Prompts with what to answer: a field of the prompt records, or logged responses (all of them).
struct SftData {
  std::vector<PromptRecord> prompts;
  std::vector<TokenIds> prompt_ids;
  std::vector<Example> examples;
};

SftData load_sft_data(const SftConfig& config, const Encoders& encoders, const ModelLimits& limits) {
  SftData data;
  const auto add = [&](PromptRecord prompt, const std::vector<StoredCompletion>& completions) {
    add_system_prompt(prompt, config.data.system_prompt);
    data.prompt_ids.push_back(encode_prompt(prompt, encoders));
    for (const StoredCompletion& completion : completions) {
      data.examples.push_back({data.prompts.size(), to_response(completion, encoders).ids});
      check_fits(prompt, data.prompt_ids.back(), data.examples.back().completion, limits);
    }
    data.prompts.push_back(std::move(prompt));
  };
  const std::vector<Path> logged(config.data.completions.begin(), config.data.completions.end());
  if (!logged.empty())
    for (StoredGroup& group : read_completions(logged, prompt_options(config.data)))
      add(std::move(group.prompt), group.completions);
  if (!config.data.prompts.empty()) {
    for (PromptRecord& prompt : read_prompts(config.data.prompts, prompt_options(config.data))) {
      const auto found = prompt.record.find(config.sft.completion_key);
      if (found == prompt.record.end() || !found->is_string())
        throw fail("line {} has no text in '{}'", prompt.line, config.sft.completion_key)
            .at(config.data.prompts)
            .hint("sft.completion_key names the field that holds the text to learn");
      StoredCompletion completion;
      completion.text = found->get<std::string>();
      add(std::move(prompt), {completion});
    }
  }
  if (data.examples.empty()) throw Error("no training data").hint("set data.prompts or data.completions");
  log_info("data", "{} sequences to learn from", data.examples.size());
  return data;
}

class SftTrainer : public Trainable {
 public:
  SftTrainer(const SftConfig& config, RunModel& model)
      : config_(config),
        model_(model),
        reward_(config.rewards),
        data_(load_sft_data(config,
                            make_encoders(model.tools, model.folder.config().eos_token_ids, config.data.append_eos),
                            model.limits())),
        schedule_(data_.examples.size(), static_cast<uint64_t>(config.run.seed)),
        evaluator_(make_evaluator(config.evaluate, config.data, config.sampling, config.engine, model, reward_,
                                  static_cast<uint64_t>(config.run.seed))) {
    if (evaluator_) warn_of_leaks(data_.prompts, evaluator_->prompts());
  }

  StepOutcome accumulate_gradients(int64_t) override {
    std::vector<PromptCompletion> items;
    std::vector<int64_t> lengths;
    int64_t targets = 0, tokens = 0;
    for (const size_t index : schedule_.batch(position_, static_cast<size_t>(config_.sft.sequences_per_step))) {
      const Example& example = data_.examples[index];
      items.push_back({data_.prompt_ids[example.prompt], example.completion});
      lengths.push_back(packed_length(items.back()));
      targets += static_cast<int64_t>(example.completion.size());
      tokens += lengths.back();
    }
    position_ += static_cast<uint64_t>(config_.sft.sequences_per_step);
    StepOutcome outcome;
    for (const IndexRange range : pack_by_tokens(lengths, config_.sft.micro_batch_tokens)) {
      const CompletionBatch batch = pack_completions(std::span(items).subspan(range.begin, range.end - range.begin));
      const Tensor hidden = model_.policy.hidden_states(batch.tokens).index_select(0, batch.rows);
      const Tensor weights = torch::full({hidden.size(0)}, -1.0 / static_cast<double>(targets), hidden.options());
      const WeightedLogprobs nll = weighted_token_logprobs(hidden, model_.policy.head(), batch.targets, weights);
      nll.sum.backward();
      outcome.loss += nll.sum.item<double>();
    }
    outcome.metrics["tokens_learned"] = targets;
    outcome.timings["tokens"] = tokens;
    outcome.shown.push_back({"loss", fmt::format("{:.4f}", outcome.loss)});
    return outcome;
  }

  OrderedJson state() const override { return {{"position", position_}}; }
  void restore(const Json& state) override { position_ = state.at("position").get<uint64_t>(); }

  std::optional<EvaluationResult> evaluate() override {
    if (!evaluator_) return std::nullopt;
    return evaluator_->evaluate(model_.policy, nullptr, 0.0);
  }

 private:
  const SftConfig& config_;
  RunModel& model_;
  TotalReward reward_;
  SftData data_;
  PromptSchedule schedule_;
  std::unique_ptr<Evaluator> evaluator_;
  uint64_t position_ = 0;
};

}  // namespace

void run_sft(const SftConfig& config, bool resume) {
  if (config.sft.recompute) give_back_large_blocks();
  RunModel model(config.model, config.lora, config.sft.recompute, config.run.seed);
  SftTrainer trainer(config, model);
  RunLoop(config.run, config.optimizer, model).run(trainer, dump_config(config), resume);
}

}  // namespace agro
