// A training step of a small Llama: forward, backward, clipping and AdamW on 64 sequences of 64 tokens.
#include "bench/end_to_end/limits.h"
#include "bench/end_to_end/pairs.h"

namespace agro {

BenchResult bench_training(const BenchRun& run) {
  BenchResult result;
  const auto add = [&](const char* name, Products products, double tolerance, const Aim& aim) {
    TrainingPair pair(llama_config(kSmallLlama), 64, 64, products);
    pair.check(tolerance);
    const double tokens = pair.tokens();
    const Rounds rounds = take_turns(
        run.rounds, [&] { return pair.step(), tokens; }, [&] { return pair.plain_step(), tokens; });
    result.lines.push_back(
        {name, "tokens", rounds, arithmetic_limit(tokens, pair.operations(), products, run.rates), aim});
  };
  add("training step, float32", Products::kFloat32, 1e-4, {.ratio = 1 / 0.55, .share = 0.5});
  add("training step, bfloat16 products", Products::kBFloat16, 1e-2, {.ratio = 1 / 0.4});
  result.notes = {
      "Llama of 0.84M parameters, 64 sequences of 64 tokens, clipping and AdamW included; the reference is "
      "float32 in both lines."};
  return result;
}

}  // namespace agro
