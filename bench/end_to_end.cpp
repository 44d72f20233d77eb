#include "bench/end_to_end.h"

#include <torch/nn/utils/clip_grad.h>
#include <torch/optim/adamw.h>

#include <cmath>

#include "bench/comparison.h"
#include "bench/ref/llama.h"
#include "core/rng.h"
#include "generate/engine.h"
#include "model/completion_batch.h"
#include "train/optimizer.h"

namespace agro {
namespace {

constexpr int64_t kSequences = 64, kTokens = 64, kPromptTokens = 16, kVocabulary = 256;
constexpr double kLearningRate = 1e-3, kClipNorm = 1.0, kTolerance = 1e-4;

constexpr const char* kConfig = R"({"architectures": ["LlamaForCausalLM"], "model_type": "llama", "hidden_act": "silu",
  "hidden_size": 128, "intermediate_size": 344, "num_hidden_layers": 4, "num_attention_heads": 4,
  "num_key_value_heads": 4, "vocab_size": 256, "max_position_embeddings": 128, "rms_norm_eps": 1e-5,
  "rope_theta": 10000.0, "tie_word_embeddings": false, "torch_dtype": "float32"})";

/// Weights as a fresh model has them: norms 1, the rest N(0, 0.02²) with a wider head, so that the distributions
/// differ.
class RandomWeights {
 public:
  explicit RandomWeights(const ModelConfig& config) : config_(config) {}

  Tensor operator()(const std::string& name) {
    if (name.find("norm") != std::string::npos) return torch::ones({config_.hidden_size});
    const int64_t c = config_.hidden_size, inner = config_.intermediate_size;
    const bool tokens = name.find("embed_tokens") != std::string::npos || name == "lm_head.weight";
    const bool widening = name.find("gate_proj") != std::string::npos || name.find("up_proj") != std::string::npos;
    const bool narrowing = name.find("down_proj") != std::string::npos;
    Tensor t = torch::empty({tokens ? kVocabulary : widening ? inner : c, narrowing ? inner : c});
    auto* values = write_pointer<float>(t);
    for (int64_t i = 0; i < t.numel(); ++i)
      values[i] =
          static_cast<float>((tokens ? 0.1 : 0.02) * normal({1, Stream::kInit, tensors_, 0, static_cast<uint32_t>(i)}));
    ++tensors_;
    return t;
  }

 private:
  const ModelConfig& config_;
  uint64_t tensors_ = 0;
};

CausalLm random_model() {
  const ModelConfig config = parse_model_config(kConfig);
  return {config, RandomWeights(config)};
}

std::vector<TokenIds> random_sequences(int64_t length) {
  std::vector<TokenIds> sequences(kSequences);
  for (uint64_t s = 0; s < sequences.size(); ++s)
    for (uint32_t t = 0; t < length; ++t)
      sequences[s].push_back(static_cast<TokenId>(uniform_below({2, Stream::kTest, s, 0, t}, kVocabulary)));
  return sequences;
}

Tensor as_matrix(const std::vector<TokenIds>& rows) {
  std::vector<int64_t> all;
  for (const TokenIds& row : rows) all.insert(all.end(), row.begin(), row.end());
  return int64_tensor(all).view({static_cast<int64_t>(rows.size()), -1});
}

void expect_close(double ours, double reference, double scale, const char* what) {
  if (!(std::abs(ours - reference) <= kTolerance * scale))
    throw fail("{}: agro has {}, plain LibTorch {}: they do not compute the same", what, ours, reference);
}

/// Forward, backward, clipping and AdamW on 64 sequences of 64 tokens, each way.
class Training {
 public:
  Training()
      : sequences_(random_sequences(kTokens + 1)),
        model_(random_model()),
        plain_(model_),
        optimizer_(std::vector<ParameterGroup>{{model_.parameters()}},
                   {.learning_rate = kLearningRate, .clip_norm = kClipNorm}),
        plain_optimizer_(plain_.parameters(),
                         torch::optim::AdamWOptions(kLearningRate).betas({0.9, 0.95}).weight_decay(0)) {
    for (const TokenIds& s : sequences_) items_.push_back({std::span(s).first(1), std::span(s).subspan(1)});
    const Tensor all = as_matrix(sequences_);
    ids_ = all.narrow(1, 0, kTokens).contiguous();
    targets_ = all.narrow(1, 1, kTokens).contiguous();
  }

  double step() {
    optimizer_.zero_gradients();
    const Tensor loss = -completion_logprobs(model_, items_).mean();
    loss.backward();
    optimizer_.step(kLearningRate, optimizer_.gradient_norm());
    return loss.item<double>();
  }

  double plain_step() {
    plain_optimizer_.zero_grad();
    const Tensor loss = -plain_.logprobs(ids_, targets_).mean();
    loss.backward();
    torch::nn::utils::clip_grad_norm_(plain_.parameters(), kClipNorm);
    plain_optimizer_.step();
    return loss.item<double>();
  }

 private:
  std::vector<TokenIds> sequences_;
  CausalLm model_;
  PlainLlama plain_;
  AdamW optimizer_;
  torch::optim::AdamW plain_optimizer_;
  std::vector<PromptCompletion> items_;
  Tensor ids_, targets_;
};

/// 64 new tokens after each of 64 prompts, log-probs included, each way.
class Sampling {
 public:
  Sampling()
      : model_(random_model()),
        plain_(model_),
        prompts_(random_sequences(kPromptTokens)),
        prompt_ids_(as_matrix(prompts_)) {
    for (uint64_t s = 0; s < prompts_.size(); ++s) requests_.push_back({prompts_[s], s, 0, 1});
    sampling_.max_new_tokens = kTokens;
    sampling_.ignore_eos = true;
  }

  std::vector<std::vector<Completion>> generate() const {
    return Engine(model_, nullptr, {}).generate(requests_, sampling_, 3, Stream::kSampling);
  }
  PlainLlama::Samples plain_generate() const { return plain_.sample(prompt_ids_, kTokens); }

  /// Feeds agro's tokens to the plain sampler, which must give them the same log-probs.
  void check() const {
    const auto completions = generate();
    std::vector<TokenIds> ids;
    for (const auto& of_prompt : completions) ids.push_back(of_prompt.front().ids);
    const Tensor logprobs = plain_.sample(prompt_ids_, kTokens, as_matrix(ids)).logprobs;
    for (int64_t s = 0; s < kSequences; ++s)
      for (int64_t t = 0; t < kTokens; ++t)
        expect_close(static_cast<double>(completions[static_cast<size_t>(s)][0].logprobs[static_cast<size_t>(t)]),
                     logprobs[s][t].item<double>(), 1.0, "log-probability of a sampled token");
  }

 private:
  CausalLm model_;
  PlainLlama plain_;
  std::vector<TokenIds> prompts_;
  Tensor prompt_ids_;
  std::vector<GenerationRequest> requests_;
  SamplingConfig sampling_;
};

std::vector<double> tokens_per_second(std::vector<double> seconds) {
  for (double& s : seconds) s = static_cast<double>(kSequences * kTokens) / s;
  return seconds;
}

}  // namespace

std::string compare_end_to_end(int rounds) {
  Training training;
  for (int update = 0; update < 3; ++update) {
    const double ours = training.step(), reference = training.plain_step();
    expect_close(ours, reference, std::abs(reference), "training loss");
  }
  const Sampling sampling;
  sampling.check();

  Comparison comparison("tokens/s", true);
  const Rounds train = take_turns(
      rounds, [&] { training.step(); }, [&] { training.plain_step(); });
  comparison.add("training step", tokens_per_second(train.ours), tokens_per_second(train.reference));
  const Rounds sample = take_turns(
      rounds, [&] { sampling.generate(); }, [&] { sampling.plain_generate(); });
  comparison.add("sampling", tokens_per_second(sample.ours), tokens_per_second(sample.reference));
  return comparison.text();
}

}  // namespace agro
