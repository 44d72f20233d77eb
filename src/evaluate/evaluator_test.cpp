// The evaluator's figures against computations of their own, on models that others trained.
#include "evaluate/evaluator.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <sstream>

#include "data/test_support.h"
#include "data/text_tools.h"
#include "model/completion_batch.h"
#include "model/model_folder.h"

namespace agro {
namespace {

using testing::AllOf;
using testing::HasSubstr;

constexpr uint64_t kSeed = 11;

RewardsConfig exact_match() {
  RewardsConfig rewards;
  rewards.reward.resize(1);
  return rewards;
}

/// A model with its text tools, and prompts to evaluate it on.
struct Subject {
  Subject(const Path& path, std::vector<PromptRecord> asked)
      : folder(path),
        model(folder.load(WeightDtype::kFloat32)),
        tools(load_text_tools(path)),
        prompts(std::move(asked)) {}

  Evaluator evaluator(const EvaluateConfig& config, const SamplingConfig& sampling) {
    EvaluationSetup setup;
    setup.prompts = prompts;
    setup.encoders = encoders();
    setup.positions = model.config().max_position_embeddings;
    setup.tokenizer = tools.tokenizer_or_null();
    setup.reward = &reward;
    setup.sampling = sampling;
    setup.seed = kSeed;
    return {config, std::move(setup)};
  }

  Encoders encoders() const { return make_encoders(tools, model.config().eos_token_ids, true); }

  double sequence_logprob(const CausalLm& of, const TokenIds& prompt, const TokenIds& completion) const {
    const torch::NoGradGuard no_grad;
    const std::vector<PromptCompletion> items{{prompt, completion}};
    return completion_logprobs(of, items).to(torch::kDouble).sum().item<double>();
  }

  ModelFolder folder;
  CausalLm model;
  TextTools tools;
  std::vector<PromptRecord> prompts;
  TotalReward reward{exact_match()};
};

/// All hundred one-digit sums, as a chat.
std::vector<PromptRecord> sums() {
  std::vector<PromptRecord> prompts;
  for (int a = 0; a < 10; ++a) {
    for (int b = 0; b < 10; ++b) {
      const Json record = {{"messages", {{{"role", "user"}, {"content", fmt::format("What is {}+{}?", a, b)}}}},
                           {"answer", std::to_string(a + b)}};
      prompts.push_back(parse_prompt(record, {}, static_cast<int64_t>(prompts.size()) + 1));
    }
  }
  return prompts;
}

class Addition : public testing::Test, protected Subject {
 protected:
  Addition() : Subject(Path(AGRO_SOURCE_DIR) / "tests/golden/e2e_qwen2_addition", sums()) {
    sampling.max_new_tokens = 4;
  }

  /// The model with noise on its weights: another policy for the same prompts.
  CausalLm neighbour() const {
    CausalLm other = folder.load(WeightDtype::kFloat32);
    torch::manual_seed(2);
    for (const NamedTensor& p : other.parameters()) p.tensor.add_(0.02 * torch::randn_like(p.tensor));
    return other;
  }

  SamplingConfig sampling;
};

TEST_F(Addition, AccuraciesAreTheReferences) {
  const EvaluationResult result = evaluator({.samples_per_prompt = 8}, sampling).evaluate(model, nullptr, 0);
  const Json golden = read_json(folder.path() / "golden.json");
  EXPECT_EQ(*result.greedy_accuracy, golden["greedy_accuracy_100"].get<double>());
  EXPECT_NEAR(*result.sampled_accuracy, golden["sampled_accuracy_T1_mean_of_5"].get<double>(), 0.06);
  const double p = *result.greedy_accuracy;
  EXPECT_NEAR(*result.greedy_error, std::sqrt(p * (1 - p) / 99), 1e-12);
  EXPECT_FALSE(result.kl || result.optimality_gap || result.value_gap || result.answer_probability);
}

TEST_F(Addition, TheTextThatTheModelReadIsKept) {
  prompts.resize(3);
  prompts[1].messages = nullptr, prompts[1].text = "2+2=";
  prompts[2].messages = nullptr, prompts[2].ids = tools.tokenizer->encode("3+3=");
  const EvaluationResult result = evaluator({.samples_per_prompt = 0}, sampling).evaluate(model, nullptr, 0);
  EXPECT_EQ(result.measured[0].prompt, "<|im_start|>user\nWhat is 0+0?<|im_end|>\n<|im_start|>assistant\n");
  EXPECT_EQ(result.measured[1].prompt, "2+2=");
  EXPECT_EQ(result.measured[2].prompt, "3+3=");
}

TEST_F(Addition, FiguresOfTheSamplesByHand) {
  const double beta = 0.2;
  const CausalLm policy = neighbour();
  Evaluator measured = evaluator({.greedy = false, .samples_per_prompt = 3, .reference_samples = 5}, sampling);
  measured.prepare_reference(model, beta);
  const EvaluationResult result = measured.evaluate(policy, &model, beta);

  const auto draw = [&](const CausalLm& of, int64_t count, uint64_t seed, Stream stream) {
    std::vector<GenerationRequest> requests;
    for (size_t p = 0; p < prompts.size(); ++p)
      requests.push_back({encode_prompt(prompts[p], encoders()), p, 0, count});
    return Engine(of, tools.tokenizer_or_null(), {}).generate(requests, sampling, seed, stream);
  };
  const auto reward_of = [&](size_t p, const Completion& completion) {
    std::istringstream text(completion_text(completion, tools.tokenizer_or_null(), encoders().end_ids));
    std::string word, more;  // whitespace around the answer does not count
    return text >> word && !(text >> more) && word == *prompts[p].answer ? 1.0 : 0.0;
  };
  const auto samples = draw(policy, 3, kSeed, Stream::kEvaluation);
  const auto of_reference = draw(model, 5, kSeed + 1, Stream::kEvaluation);
  double right = 0, tokens = 0, cut = 0, kl = 0, gap = 0, value_gap = 0;
  double reward_squares = 0, kl_squares = 0, gap_squares = 0, value_gap_squares = 0;
  for (size_t p = 0; p < prompts.size(); ++p) {
    const TokenIds ids = encode_prompt(prompts[p], encoders());
    double exponentials = 0, mean = 0, reference_exponentials = 0, own_reward = 0, own_kl = 0;
    for (const Completion& c : samples[p]) {
      const double log_ratio = sequence_logprob(policy, ids, c.ids) - sequence_logprob(model, ids, c.ids);
      const double regularized = reward_of(p, c) - beta * log_ratio;
      right += reward_of(p, c) / 300;
      tokens += static_cast<double>(c.ids.size()) / 300;
      cut += c.finish == FinishReason::kLength ? 1.0 / 300 : 0;
      kl += log_ratio / 300;
      own_reward += reward_of(p, c) / 3, own_kl += log_ratio / 3;
      exponentials += std::exp(regularized / beta) / 3;
      mean += regularized / 3;
    }
    for (const Completion& c : of_reference[p]) reference_exponentials += std::exp(reward_of(p, c) / beta) / 5;
    const double own_gap = beta * std::log(exponentials) - mean;
    const double own_value_gap = beta * std::log(reference_exponentials) - mean;
    reward_squares += own_reward * own_reward / 100, kl_squares += own_kl * own_kl / 100;
    gap += own_gap / 100, gap_squares += own_gap * own_gap / 100;
    value_gap += own_value_gap / 100, value_gap_squares += own_value_gap * own_value_gap / 100;
  }
  EXPECT_NEAR(*result.sampled_accuracy, right, 1e-12);
  EXPECT_NEAR(*result.reward_mean, right, 1e-12);
  EXPECT_NEAR(*result.response_tokens, tokens, 1e-12);
  EXPECT_NEAR(*result.truncated, cut, 1e-12);
  EXPECT_NEAR(*result.kl, kl, 1e-5);
  EXPECT_NEAR(*result.optimality_gap, gap, 1e-5);
  EXPECT_NEAR(*result.value_gap, value_gap, 1e-5);
  EXPECT_NEAR(*result.reward_error, std::sqrt((reward_squares - right * right) / 99), 1e-9);
  EXPECT_NEAR(*result.kl_error, std::sqrt((kl_squares - kl * kl) / 99), 1e-5);
  EXPECT_NEAR(*result.optimality_gap_error, std::sqrt((gap_squares - gap * gap) / 99), 1e-5);
  EXPECT_NEAR(*result.value_gap_error, std::sqrt((value_gap_squares - value_gap * value_gap) / 99), 1e-5);
  EXPECT_GT(*result.kl, 0);
  EXPECT_GT(*result.optimality_gap, 0);

  // Training with the same seed draws other responses.
  const auto in_training = draw(policy, 3, kSeed, Stream::kSampling);
  size_t same = 0;
  for (size_t p = 0; p < prompts.size(); ++p)
    for (size_t i = 0; i < 3; ++i) same += samples[p][i].ids == in_training[p][i].ids ? 1 : 0;
  EXPECT_LT(same, 200U);
}

TEST_F(Addition, TheSameModelGivesTheSameResult) {
  EvaluateConfig config;
  config.answer_probability = true;
  Evaluator measured = evaluator(config, sampling);
  measured.prepare_reference(model, 0.1);
  const EvaluationResult first = measured.evaluate(model, &model, 0.1), second = measured.evaluate(model, &model, 0.1);
  EXPECT_EQ(first.to_json(), second.to_json());
  EXPECT_EQ(first.sampled_by_prompt, second.sampled_by_prompt);
  EXPECT_EQ(*first.kl, 0.0);
}

/// So sure of its first choice that sampling is greedy.
CausalLm certain(CausalLm model) {
  const torch::NoGradGuard no_grad;
  for (const NamedTensor& p : model.parameters())
    if (p.name == "model.norm.weight") p.tensor.mul_(1000), mark_changed(p.tensor);
  return model;
}

// A policy that always says the same is consistent (gap 0), and worth what the reference reaches if that does so too.
TEST_F(Addition, GapsOfADeterministicPolicyAreZero) {
  const CausalLm reference = certain(neighbour()), policy = certain(model);
  Evaluator measured = evaluator({.samples_per_prompt = 3, .reference_samples = 3}, sampling);
  measured.prepare_reference(reference, 0.1);
  const EvaluationResult result = measured.evaluate(reference, &reference, 0.1);
  EXPECT_EQ(*result.sampled_accuracy, *result.greedy_accuracy);
  EXPECT_EQ(*result.optimality_gap, 0.0);
  EXPECT_NEAR(*result.value_gap, 0.0, 1e-12);
  EXPECT_NEAR(*measured.evaluate(policy, &reference, 0.1).optimality_gap, 0.0, 1e-9);
  EXPECT_GT(*measured.evaluate(policy, &reference, 0.1).value_gap, 0.0) << "only the reference's value tells";
}

// Samples under a temperature or a filter are not the model's own: they say nothing of its KL or its gaps.
TEST_F(Addition, FilteredSamplesHaveNoDivergence) {
  sampling.temperature = 0.5;
  Evaluator measured = evaluator({.samples_per_prompt = 3, .reference_samples = 3}, sampling);
  measured.prepare_reference(model, 0.1);
  const EvaluationResult result = measured.evaluate(model, &model, 0.1);
  EXPECT_TRUE(result.sampled_accuracy.has_value());
  EXPECT_FALSE(result.kl.has_value());
  EXPECT_FALSE(result.optimality_gap.has_value());
  EXPECT_FALSE(result.value_gap.has_value());
}

TEST_F(Addition, AnswerProbabilityIncludesTheEndToken) {
  const EvaluateConfig config{.greedy = false, .samples_per_prompt = 0, .answer_probability = true};
  double expected = 0, squares = 0;
  for (const PromptRecord& prompt : prompts) {
    TokenIds answer = tools.tokenizer->encode(*prompt.answer);
    answer.push_back(model.config().eos_token_ids.front());
    const double probability = std::exp(sequence_logprob(model, encode_prompt(prompt, encoders()), answer));
    expected += probability / 100, squares += probability * probability / 100;
  }
  const EvaluationResult result = evaluator(config, sampling).evaluate(model, nullptr, 0);
  EXPECT_NEAR(*result.answer_probability, expected, 1e-6);
  EXPECT_NEAR(*result.answer_probability_error, std::sqrt((squares - expected * expected) / 99), 1e-6);
  EXPECT_FALSE(result.greedy_accuracy || result.sampled_accuracy);
}

TEST_F(Addition, BadPromptsAreNamed) {
  prompts[42].answer.reset();
  EXPECT_THAT(error_of([&] { evaluator({}, sampling).evaluate(model, nullptr, 0); }),
              AllOf(HasSubstr("exact"), HasSubstr("has no answer")));
  EXPECT_THAT(error_of([&] {
                evaluator({.greedy = false, .samples_per_prompt = 0, .answer_probability = true}, sampling)
                    .evaluate(model, nullptr, 0);
              }),
              HasSubstr("prompt 'line-43' has no answer"));
  prompts[42].messages = nullptr;
  prompts[42].ids = {1'000'000};
  EXPECT_THAT(error_of([&] { evaluator({}, sampling).evaluate(model, nullptr, 0); }),
              HasSubstr("prompt 'line-43': token id 1000000 is outside the model's vocabulary"));
}

// Leaving it out would flatter the model.
TEST_F(Addition, APromptThatIsTooLongIsWrong) {
  const CausalLm policy = neighbour();
  EvaluateConfig config{.samples_per_prompt = 2, .reference_samples = 2, .answer_probability = true};
  const auto evaluate = [&] {
    Evaluator measured = evaluator(config, sampling);
    measured.prepare_reference(model, 0.1);
    return measured.evaluate(policy, &model, 0.1);
  };
  EvaluationResult expected = evaluate();
  EXPECT_FALSE(expected.to_json().contains("prompts_too_long"));
  prompts[42].messages = nullptr;
  prompts[42].ids = TokenIds(257, 5);
  const EvaluationResult result = evaluate();
  expected.greedy_by_prompt[42] = expected.sampled_by_prompt[42] = 0;
  EXPECT_EQ(result.greedy_by_prompt, expected.greedy_by_prompt);
  EXPECT_EQ(result.sampled_by_prompt, expected.sampled_by_prompt) << "the others draw what they drew";
  EXPECT_EQ(result.prompts, 100);
  EXPECT_EQ(result.to_json()["prompts_too_long"], 1);
  EXPECT_LT(*result.answer_probability, *expected.answer_probability);
  EXPECT_TRUE(std::isfinite(*result.kl) && std::isfinite(*result.optimality_gap) && std::isfinite(*result.value_gap));
  ASSERT_EQ(result.measured[42].samples.size(), 2U);
  EXPECT_EQ(result.measured[42].samples[1].text, "");
  EXPECT_EQ(result.measured[42].samples[1].tokens, 0);
  EXPECT_TRUE(result.measured[42].samples[1].truncated);
  config.correct_above = -1;
  EXPECT_EQ(*evaluate().greedy_accuracy, 0.99) << "wrong, whatever the reward says of an empty response";
  prompts = {prompts[42]};
  EXPECT_THAT(error_of(evaluate), HasSubstr("no prompt fits into the model's 256 positions: found 1"));
}

/// A pretrained model without end token whose positions end right after the last answer token.
class Adder : public testing::Test {
 protected:
  void SetUp() override {
    if (!std::filesystem::exists(home)) GTEST_SKIP() << "SKIPPED: " << home << " is missing: needs the shared folder";
  }
  const Path home = Path(AGRO_SHARED_DIR) / "models/mathgpt-adders";
};

TEST_F(Adder, AccuraciesAreItsReadmes) {
  Subject adder(home / "2l-1h-128d", read_prompts(home / "tasks/eval_prompts.jsonl"));
  ASSERT_TRUE(adder.model.config().eos_token_ids.empty());
  SamplingConfig sampling;
  sampling.max_new_tokens = 100;  // the positions end before
  EvaluateConfig config{.samples_per_prompt = 1, .answer_probability = true};
  const EvaluationResult result = adder.evaluator(config, sampling).evaluate(adder.model, nullptr, 0);
  EXPECT_NEAR(*result.greedy_accuracy, 0.688, 1e-9);
  EXPECT_NEAR(*result.answer_probability, 0.533, 0.0006);
  EXPECT_NEAR(*result.sampled_accuracy, 0.533, 0.05);
  EXPECT_EQ(*result.response_tokens, 4);
}

}  // namespace
}  // namespace agro
