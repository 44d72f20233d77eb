// Training on groups whose prompt is computed once, beside the same model with a prompt for every response.
#include "bench/end_to_end/bench.h"
#include "bench/end_to_end/models.h"

namespace agro {
namespace {

constexpr const char* kAdder = R"({"architectures": ["GPT2LMHeadModel"], "model_type": "gpt2", "n_embd": 128,
  "n_head": 1, "n_layer": 2, "n_positions": 9, "vocab_size": 10, "activation_function": "gelu_new",
  "tie_word_embeddings": false, "torch_dtype": "float32"})";

/// Prompts and responses of random tokens, packed with shared prompts and without.
class Groups {
 public:
  Groups(const std::string& config_text, int64_t groups, int64_t prompt, int64_t responses, int64_t response)
      : model_(random_model(config_text)),
        prompts_(random_sequences(groups, prompt, model_.config().vocab_size, 4)),
        completions_(random_sequences(groups * responses, response, model_.config().vocab_size, 5)) {
    std::vector<PromptCompletion> items;
    for (size_t i = 0; i < completions_.size(); ++i)
      items.push_back({prompts_[i / static_cast<size_t>(responses)], completions_[i]});
    shared_ = pack_completions(items);
    apart_ = pack_apart(items);
  }

  double step_shared() const { return step(shared_); }
  double step_apart() const { return step(apart_); }

 private:
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
    drop_gradients(model_);
    const Tensor loss = -model_.logprobs(batch.tokens, batch.rows, batch.targets).mean();
    loss.backward();
    return loss.item<double>();
  }

  CausalLm model_;
  std::vector<TokenIds> prompts_, completions_;
  CompletionBatch shared_, apart_;
};

}  // namespace

BenchResult bench_shared_prompts(const BenchRun& run) {
  BenchResult result;
  const auto add = [&](const std::string& name, const std::string& config, int64_t groups, int64_t p, int64_t n,
                       int64_t r, const Aim& aim) {
    const Groups both(config, groups, p, n, r);
    expect_close(both.step_shared(), both.step_apart(), 1e-5, name + ": loss");
    const Rounds rounds = take_turns(
        run.rounds, [&] { return both.step_shared(), 1.0; }, [&] { return both.step_apart(), 1.0; });
    const double ideal = static_cast<double>(n * (p + r)) / static_cast<double>(p + n * r);
    result.lines.push_back({fmt::format("{}, prompt {}, {} × {}", name, p, n, r), "steps", rounds,
                            Limit{fmt::format("ideal {:.2f}×", ideal), ideal * spread_of(rounds.reference).median}, aim,
                            "shared", "apart"});
  };
  add("width 128", llama_config(kSmallLlama), 1, 256, 8, 64, {.share = 0.8});
  add("width 576, 4 layers", llama_config(kSmolLayers), 1, 256, 8, 64, {.share = 0.8});
  add("adder, 32 groups", kAdder, 32, 6, 8, 4, {});
  result.notes = {
      "Both sides are agro, float32, forward and backward of one step; ideal is n(P + R) / (P + nR) for n "
      "responses of R tokens to a prompt of P."};
  return result;
}

}  // namespace agro
