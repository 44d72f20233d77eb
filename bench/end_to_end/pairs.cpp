#include "bench/end_to_end/pairs.h"

#include <torch/nn/utils/clip_grad.h>

#include <cmath>

#include "bench/end_to_end/bench.h"
#include "bench/end_to_end/limits.h"

namespace agro {
namespace {

constexpr double kLearningRate = 1e-3, kClipNorm = 1.0;

CausalLm with_products(CausalLm model, Products products) {
  model.set_products(products);
  return model;
}

}  // namespace

TrainingPair::TrainingPair(const std::string& config_text, int64_t rows, int64_t tokens, Products products)
    : model_(with_products(random_model(config_text), products)),
      plain_(model_),
      sequences_(random_sequences(rows, tokens + 1, model_.config().vocab_size)),
      items_(as_items(sequences_)),
      optimizer_(std::vector<ParameterGroup>{{model_.parameters()}},
                 {.learning_rate = kLearningRate, .clip_norm = kClipNorm}),
      plain_optimizer_(plain_.parameters(),
                       torch::optim::AdamWOptions(kLearningRate).betas({0.9, 0.95}).weight_decay(0)) {
  const Tensor all = as_matrix(sequences_);
  ids_ = all.narrow(1, 0, tokens).contiguous();
  targets_ = all.narrow(1, 1, tokens).contiguous();
}

void TrainingPair::check(double tolerance) {
  for (int update = 0; update < 3; ++update) {
    const double ours = step(), reference = plain_step();
    expect_close(ours, reference, tolerance, "training loss");
  }
}

double TrainingPair::pass() {
  optimizer_.zero_gradients();
  const Tensor loss = -completion_logprobs(model_, items_).mean();
  loss.backward();
  return loss.item<double>();
}

double TrainingPair::plain_pass() {
  plain_optimizer_.zero_grad();
  const Tensor loss = -plain_.logprobs(ids_, targets_).mean();
  loss.backward();
  return loss.item<double>();
}

double TrainingPair::step() {
  const double loss = pass();
  optimizer_.step(kLearningRate, optimizer_.gradient_norm());
  return loss;
}

double TrainingPair::plain_step() {
  const double loss = plain_pass();
  torch::nn::utils::clip_grad_norm_(plain_.parameters(), kClipNorm);
  plain_optimizer_.step();
  return loss;
}

double TrainingPair::operations() const { return training_operations(model_.config(), pack_completions(items_)); }

SamplingPair::SamplingPair(const std::string& config_text, int64_t sequences, int64_t prompt_tokens, int64_t new_tokens)
    : model_(random_model(config_text)),
      plain_(model_),
      prompts_(random_sequences(sequences, prompt_tokens, model_.config().vocab_size)) {
  for (uint64_t s = 0; s < prompts_.size(); ++s) requests_.push_back({prompts_[s], s, 0, 1});
  sampling_.max_new_tokens = new_tokens;
  sampling_.ignore_eos = true;
}

std::vector<std::vector<Completion>> SamplingPair::generate() const {
  return Engine(model_, nullptr, {}).generate(requests_, sampling_, 3, Stream::kSampling);
}

double SamplingPair::sample() const {
  GenerationStatistics statistics;
  Engine(model_, nullptr, {}).generate(requests_, sampling_, 3, Stream::kSampling, &statistics);
  return static_cast<double>(statistics.new_tokens);
}

double SamplingPair::plain_sample() const {
  return static_cast<double>(
      agro::plain_sample(plain_, prompts_, {.max_new_tokens = sampling_.max_new_tokens}).ids.numel());
}

void SamplingPair::check(double tolerance) const {
  std::vector<TokenIds> ids;
  std::vector<float> ours;
  for (const auto& of_prompt : generate()) {
    ids.push_back(of_prompt.front().ids);
    ours.insert(ours.end(), of_prompt.front().logprobs.begin(), of_prompt.front().logprobs.end());
  }
  const Tensor plain =
      agro::plain_sample(plain_, prompts_, {.max_new_tokens = sampling_.max_new_tokens, .forced = as_matrix(ids)})
          .logprobs.contiguous();
  if (plain.numel() != static_cast<int64_t>(ours.size()))
    throw fail("agro sampled {} tokens, plain LibTorch {}", ours.size(), plain.numel());
  double difference = 0;
  for (size_t i = 0; i < ours.size(); ++i)
    difference += std::abs(static_cast<double>(ours[i]) - static_cast<double>(read_pointer<float>(plain)[i]));
  expect_near(difference / static_cast<double>(ours.size()), 0, tolerance,
              "mean difference of a sampled token's log-probability");
}

}  // namespace agro
