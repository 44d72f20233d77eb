#include "bench/shared_prompts.h"

#include <algorithm>
#include <cmath>

#include "bench/comparison.h"
#include "core/rng.h"
#include "model/completion_batch.h"
#include "model/parameter_names.h"

namespace agro {
namespace {

constexpr const char* kSmallLlama = R"({"architectures": ["LlamaForCausalLM"], "model_type": "llama",
  "hidden_act": "silu", "hidden_size": 128, "intermediate_size": 344, "num_hidden_layers": 4,
  "num_attention_heads": 4, "num_key_value_heads": 4, "vocab_size": 256, "max_position_embeddings": 512,
  "rms_norm_eps": 1e-5, "rope_theta": 10000.0, "tie_word_embeddings": false, "torch_dtype": "float32"})";

// Four of SmolLM2-135M's thirty layers, and that share of its vocabulary.
constexpr const char* kSmolLayers = R"({"architectures": ["LlamaForCausalLM"], "model_type": "llama",
  "hidden_act": "silu", "hidden_size": 576, "intermediate_size": 1536, "num_hidden_layers": 4,
  "num_attention_heads": 9, "num_key_value_heads": 3, "vocab_size": 6554, "max_position_embeddings": 512,
  "rms_norm_eps": 1e-5, "rope_theta": 10000.0, "tie_word_embeddings": true, "torch_dtype": "float32"})";

constexpr const char* kAdder = R"({"architectures": ["GPT2LMHeadModel"], "model_type": "gpt2", "n_embd": 128,
  "n_head": 1, "n_layer": 2, "n_positions": 9, "vocab_size": 10, "activation_function": "gelu_new",
  "tie_word_embeddings": false, "torch_dtype": "float32"})";

CausalLm random_model(const char* config_text) {
  const ModelConfig config = parse_model_config(config_text);
  std::vector<ParameterSpec> specs = expected_parameters(config);
  return {config, [specs](const std::string& name) {
            const auto spec = std::find_if(specs.begin(), specs.end(), [&](const auto& s) { return s.name == name; });
            if (spec == specs.end()) throw fail("the model has no tensor '{}'", name);
            return (spec->shape.size() == 1 ? torch::ones(spec->shape) : 0.05 * torch::randn(spec->shape))
                .set_requires_grad(true);
          }};
}

/// Prompts and responses of random tokens, packed with shared prompts and without.
class Groups {
 public:
  Groups(const char* config, int64_t groups, int64_t prompt, int64_t responses, int64_t response)
      : model_(random_model(config)) {
    for (int64_t g = 0; g < groups; ++g) {
      prompts_.push_back(random_ids(prompt));
      for (int64_t r = 0; r < responses; ++r) completions_.push_back(random_ids(response));
    }
    std::vector<PromptCompletion> items;
    for (size_t i = 0; i < completions_.size(); ++i)
      items.push_back({prompts_[i / static_cast<size_t>(responses)], completions_[i]});
    shared_ = pack_completions(items);
    apart_ = pack_apart(items);
  }

  double step_shared() const { return step(shared_); }
  double step_apart() const { return step(apart_); }
  double ratio_of_tokens() const {
    return static_cast<double>(apart_.tokens.tokens()) / static_cast<double>(shared_.tokens.tokens());
  }

 private:
  TokenIds random_ids(int64_t count) {
    TokenIds ids;
    for (uint32_t t = 0; t < count; ++t)
      ids.push_back(static_cast<TokenId>(
          uniform_below({4, Stream::kTest, texts_, 0, t}, static_cast<uint64_t>(model_.config().vocab_size))));
    ++texts_;
    return ids;
  }

  static CompletionBatch pack_apart(const std::vector<PromptCompletion>& items) {
    std::vector<TokenIds> sequences;
    std::vector<Tensor> rows, targets;
    int64_t first = 0;
    for (const PromptCompletion& item : items) {
      const CompletionBatch alone = pack_completions({&item, 1});
      const auto* ids = read_pointer<int64_t>(alone.tokens.ids);
      sequences.emplace_back(ids, ids + alone.tokens.tokens());
      rows.push_back(alone.rows + first);
      targets.push_back(alone.targets);
      first += alone.tokens.tokens();
    }
    return {pack_sequences(sequences), torch::cat(rows), torch::cat(targets)};
  }

  double step(const CompletionBatch& batch) const {
    for (const NamedTensor& p : model_.parameters()) p.tensor.mutable_grad() = Tensor();
    const Tensor loss = -model_.logprobs(batch.tokens, batch.rows, batch.targets).mean();
    loss.backward();
    return loss.item<double>();
  }

  CausalLm model_;
  uint64_t texts_ = 0;
  std::vector<TokenIds> prompts_, completions_;
  CompletionBatch shared_, apart_;
};

}  // namespace

std::string compare_shared_prompts(int rounds) {
  Comparison comparison("steps/s", true, "shared", "apart");
  const auto add = [&](const std::string& name, const Groups& groups) {
    const double shared = groups.step_shared(), apart = groups.step_apart();
    if (!(std::abs(shared - apart) <= 1e-5 * std::abs(apart)))
      throw fail("{}: the loss is {} with shared prompts, {} without", name, shared, apart);
    const Rounds times = take_turns(
        rounds, [&] { groups.step_shared(); }, [&] { groups.step_apart(); });
    const auto per_second = [](std::vector<double> seconds) {
      for (double& s : seconds) s = 1 / s;
      return seconds;
    };
    comparison.add(fmt::format("{}; tokens {:.2f}x", name, groups.ratio_of_tokens()), per_second(times.ours),
                   per_second(times.reference));
  };
  add("width 128, prompt of 256, 8 x 64", Groups(kSmallLlama, 1, 256, 8, 64));
  add("width 576, prompt of 256, 8 x 64", Groups(kSmolLayers, 1, 256, 8, 64));
  add("adders, 32 prompts of 6, 8 x 4", Groups(kAdder, 32, 6, 8, 4));
  return comparison.text();
}

}  // namespace agro
