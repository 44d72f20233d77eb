// Whole on-policy AGRO steps: sampling, rewards, the reference's log-probabilities, loss, backward, clipping, AdamW.
// Beside them a plain LibTorch loop that does the same with its own samples.
#include <cmath>

#include "bench/end_to_end/limits.h"
#include "bench/end_to_end/models.h"
#include "bench/ref/rl_loop.h"
#include "data/problems/problem_set.h"
#include "data/prompts.h"
#include "data/text_tools.h"
#include "evaluate/evaluator.h"
#include "model/model_folder.h"
#include "objective/registry.h"
#include "train/policy_update.h"

namespace agro {
namespace {

constexpr int64_t kPromptsPerStep = 32, kResponses = 8;
constexpr uint64_t kSeed = 1;

struct Task {
  std::string name;
  Path folder;
  std::vector<PromptRecord> prompts;
  std::string reward;  // kind
  int64_t max_new_tokens;
  double beta, learning_rate;
};

ObjectiveConfig agro_objective(double beta) {
  ObjectiveConfig config;
  config.name = "agro";
  config.beta = beta;
  return config;
}

RewardsConfig rewards(const Task& task) {
  RewardsConfig config;
  config.reward.resize(1);
  config.reward.front().kind = task.reward;
  return config;
}

TrainingData training_data(const Task& task, const Encoders& encoders) {
  TrainingData data;
  data.prompts = task.prompts;
  for (const PromptRecord& prompt : data.prompts) data.prompt_ids.push_back(encode_prompt(prompt, encoders));
  data.stored.resize(data.prompts.size());
  return data;
}

SamplingConfig sampling_of(const Task& task) {
  SamplingConfig sampling;
  sampling.max_new_tokens = task.max_new_tokens;
  return sampling;
}

/// agro's step, put together as `agro train` does it.
class OwnStep {
 public:
  explicit OwnStep(const Task& task)
      : learning_rate_(task.learning_rate),
        folder_(task.folder),
        policy_(folder_.load(WeightDtype::kFloat32)),
        reference_(folder_.load(WeightDtype::kSame)),
        tools_(load_text_tools(task.folder)),
        data_(training_data(task, make_encoders(tools_, folder_.config().eos_token_ids, true))),
        reward_(rewards(task)),
        objective_(make_objective(agro_objective(task.beta))),
        source_(data_, {.prompts_per_step = kPromptsPerStep, .fresh_per_group = kResponses},
                {data_, sampling_of(task), {}, tools_.tokenizer_or_null(), reward_, kSeed}, kSeed),
        update_(policy_, reference_, *objective_, {}),
        optimizer_(std::vector<ParameterGroup>{{policy_.parameters()}}, {.learning_rate = task.learning_rate}) {}

  const CausalLm& policy() const { return policy_; }
  const TrainingData& data() const { return data_; }
  const TextTools& tools() const { return tools_; }
  TotalReward& reward() { return reward_; }

  Rollout draw() { return source_.next(policy_, 0); }

  double update(Rollout& rollout) {
    optimizer_.zero_gradients();
    const double loss = update_.accumulate_gradients(rollout, data_.prompt_ids).loss;
    if (!std::isfinite(loss)) throw Error("the loss is not finite");
    optimizer_.step(learning_rate_, optimizer_.gradient_norm());
    return loss;
  }

  /// Returns the number of response tokens.
  double step() {
    Rollout rollout = draw();
    update(rollout);
    return static_cast<double>(rollout.generation.new_tokens);
  }

 private:
  double learning_rate_;
  ModelFolder folder_;
  CausalLm policy_, reference_;
  TextTools tools_;
  TrainingData data_;
  TotalReward reward_;
  std::unique_ptr<Objective> objective_;
  RolloutSource source_;
  PolicyUpdate update_;
  AdamW optimizer_;
};

/// The plain loop with the same prompts and the same rewards.
class PlainStep {
 public:
  PlainStep(const Task& task, OwnStep& own)
      : own_(own),
        loop_(own.policy(), {.beta = task.beta, .learning_rate = task.learning_rate}),
        schedule_(task.prompts.size(), kSeed),
        sampling_{.per_prompt = kResponses,
                  .max_new_tokens = task.max_new_tokens,
                  .end_ids = own.policy().config().eos_token_ids} {}

  /// Feeds agro's responses, whose log-probs and loss must come out the same, and makes the same update.
  void check(const Rollout& rollout, double loss) {
    std::vector<size_t> prompts;
    std::vector<std::vector<TokenIds>> responses;
    std::vector<std::vector<double>> rewards;
    std::vector<TokenIds> forced;
    std::vector<float> logprobs;
    for (const RolloutGroup& group : rollout.groups) {
      prompts.push_back(group.prompt_index);
      responses.emplace_back(), rewards.emplace_back();
      for (const RolloutItem& item : group.items) {
        const Response& r = item.response;
        responses.back().push_back(r.ids), rewards.back().push_back(r.reward);
        forced.push_back(r.ids), forced.back().resize(static_cast<size_t>(sampling_.max_new_tokens));
        logprobs.insert(logprobs.end(), r.behavior_logprobs.begin(), r.behavior_logprobs.end());
      }
    }
    PlainSampling forcing = sampling_;
    forcing.forced = as_matrix(forced);
    const PlainSamples samples = loop_.sample(ids_of(prompts), forcing);
    size_t token = 0;
    for (size_t i = 0; i < samples.lengths.size(); ++i)
      for (int64_t t = 0; t < samples.lengths[i]; ++t, ++token)
        expect_near(static_cast<double>(logprobs.at(token)),
                    samples.logprobs[static_cast<int64_t>(i)][t].item<double>(), 1e-3,
                    "log-probability of a sampled token");
    if (token != logprobs.size())
      throw fail("agro sampled {} tokens, the plain loop ends the same responses after {}", logprobs.size(), token);
    expect_close(loss, loop_.update(ids_of(prompts), responses, rewards), 2e-3, "loss of a step");
  }

  double step() {
    const std::vector<size_t> prompts = schedule_.batch(position_, kPromptsPerStep);
    position_ += kPromptsPerStep;
    const PlainSamples samples = loop_.sample(ids_of(prompts), sampling_);
    const auto* ids = read_pointer<int64_t>(samples.ids);
    std::vector<std::vector<TokenIds>> responses(prompts.size());
    double tokens = 0;
    for (size_t i = 0; i < samples.lengths.size(); ++i) {
      const int64_t* first = ids + static_cast<int64_t>(i) * samples.ids.size(1);
      responses[i / kResponses].emplace_back(first, first + samples.lengths[i]);
      tokens += static_cast<double>(samples.lengths[i]);
    }
    loop_.update(ids_of(prompts), responses, rewards_of(prompts, responses));
    return tokens;
  }

 private:
  std::vector<TokenIds> ids_of(const std::vector<size_t>& prompts) const {
    std::vector<TokenIds> ids;
    for (const size_t p : prompts) ids.push_back(own_.data().prompt_ids[p]);
    return ids;
  }

  std::vector<std::vector<double>> rewards_of(const std::vector<size_t>& prompts,
                                              const std::vector<std::vector<TokenIds>>& responses) {
    std::vector<std::string> texts;
    for (const auto& of_prompt : responses)
      for (const TokenIds& ids : of_prompt)
        texts.push_back(completion_text({.ids = ids, .logprobs = {}}, own_.tools().tokenizer_or_null(),
                                        own_.policy().config().eos_token_ids));
    std::vector<RewardQuery> queries;
    for (size_t i = 0; i < texts.size(); ++i) {
      const PromptRecord& prompt = own_.data().prompts[prompts[i / kResponses]];
      queries.push_back({prompt.text, texts[i], prompt.answer, &prompt.record});
    }
    const std::vector<double> all = own_.reward().score(queries).total;
    std::vector<std::vector<double>> rewards;
    for (size_t g = 0; g < prompts.size(); ++g)
      rewards.emplace_back(all.begin() + static_cast<int64_t>(g * kResponses),
                           all.begin() + static_cast<int64_t>((g + 1) * kResponses));
    return rewards;
  }

  OwnStep& own_;
  PlainRlLoop loop_;
  PromptSchedule schedule_;
  uint64_t position_ = 0;
  PlainSampling sampling_;
};

/// Operations of a step for each response token, with prompts shared: one forward pass to sample, one of the reference,
/// forward and backward of the policy.
double operations_per_token(const OwnStep& own, const Rollout& rollout) {
  std::vector<PromptCompletion> items;
  for (const RolloutGroup& group : rollout.groups)
    for (const RolloutItem& item : group.items)
      items.push_back({own.data().prompt_ids[group.prompt_index], item.response.ids});
  return 5 * forward_operations(own.policy().config(), pack_completions(items)) /
         static_cast<double>(rollout.generation.new_tokens);
}

void add(const BenchRun& run, const Task& task, const Aim& aim, BenchResult& result) {
  OwnStep own(task);
  PlainStep plain(task, own);
  double operations = 0;
  for (int i = 0; i < 3; ++i) {
    Rollout rollout = own.draw();
    operations = operations_per_token(own, rollout);
    plain.check(rollout, own.update(rollout));
    if (i == 0)
      result.notes.push_back(fmt::format("{}: {} response tokens and {:.2f} GFLOP a step.", task.name,
                                         rollout.generation.new_tokens,
                                         operations * static_cast<double>(rollout.generation.new_tokens) / 1e9));
  }
  const Rounds rounds = take_turns(
      run.rounds, [&] { return own.step(); }, [&] { return plain.step(); });
  result.lines.push_back({fmt::format("{}, 32 prompts × 8", task.name), "response tokens", rounds,
                          arithmetic_limit(1, operations, Products::kFloat32, run.rates), aim});
}

Task wordmath(const Path& repository) {
  std::vector<PromptRecord> prompts;
  const std::vector<PracticeProblem> problems = make_problems({.count = 1024, .seed = kSeed});
  for (size_t i = 0; i < problems.size(); ++i)
    prompts.push_back(parse_prompt(Json::parse(to_line(problem_record(problems[i], std::to_string(i)))),
                                   {.require_answer = true}, static_cast<int64_t>(i) + 1));
  return {"wordmath", repository / "models/wordmath", std::move(prompts), "gsm8k", 96, 0.1, 1e-4};
}

}  // namespace

BenchResult bench_rl_step(const BenchRun& run) {
  if (run.repository.empty())
    throw Error("models/wordmath was not found above the program's folder or the current one")
        .hint("run it from a clone of the repository");
  BenchResult result;
  const Path adders = run.repository / "../shared/models/mathgpt-adders";
  const Path prompts = adders / "tasks/train_prompts.jsonl";
  if (std::filesystem::exists(prompts))
    add(run,
        {"adder", adders / "2l-1h-128d", read_prompts(prompts, {.require_answer = true, .limit = 4000}), "exact", 4,
         0.2, 2e-4},
        {.ratio = 3}, result);
  else
    result.notes.push_back(fmt::format("SKIPPED: the adder needs {}", prompts.lexically_normal().string()));
  add(run, wordmath(run.repository), {.ratio = 3}, result);
  result.notes.emplace_back(
      "float32; rewards are computed by the same verifier on both sides. The plain loop samples with a key/value "
      "cache, "
      "one prefill per prompt, and drops finished sequences; it trains on one padded batch.");
  return result;
}

}  // namespace agro
