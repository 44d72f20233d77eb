// The shape of SmolLM2-135M with random weights, against float32 plain LibTorch: a small model that people really use.
#include "bench/end_to_end/limits.h"
#include "bench/end_to_end/pairs.h"

namespace agro {
namespace {

constexpr Products kFloat32 = Products::kFloat32, kBFloat16 = Products::kBFloat16;

void add_training(const BenchRun& run, BenchResult& result) {
  TrainingPair pair(llama_config(kSmolLm135M), 4, 128, kBFloat16);
  pair.check(1e-2);
  const double tokens = pair.tokens();
  const std::optional<Limit> limit = arithmetic_limit(tokens, pair.operations(), kBFloat16, run.rates);
  result.lines.push_back(
      {"training 4 × 128, bfloat16 products",
       "tokens",
       take_turns(
           run.rounds, [&] { return pair.step(), tokens; }, [&] { return pair.plain_step(), tokens; }),
       limit,
       {.ratio = 2.5}});
  result.lines.push_back(
      {"the same without the optimiser",
       "tokens",
       take_turns(
           run.rounds, [&] { return pair.pass(), tokens; }, [&] { return pair.plain_pass(), tokens; }),
       limit,
       {.share = 0.6}});
}

void add_sampling(const BenchRun& run, int64_t sequences, int64_t prompt, int64_t count, BenchResult& result) {
  SamplingPair pair(llama_config(kSmolLm135M), sequences, prompt, count);
  for (const Products products : {kFloat32, kBFloat16}) {
    const bool rounded = products == kBFloat16, single = sequences == 1;
    pair.set_products(products);
    pair.check(rounded ? 3e-2 : 1e-5);
    const Rounds rounds = take_turns(
        run.rounds, [&] { return pair.sample(); }, [&] { return pair.plain_sample(); });
    const GenerationWork work = generation_work(pair.config(), sequences, 1, prompt, count, rounded ? 2 : 4);
    const auto tokens = static_cast<double>(sequences * count);
    result.lines.push_back(
        {fmt::format("sampling {} sequence{}, {}", sequences, single ? "" : "s",
                     rounded ? "bfloat16 products" : "float32"),
         "tokens", rounds,
         single ? memory_limit(tokens, work.bytes, run.rates) : lower_limit(tokens, work, products, run.rates),
         single ? Aim{.share = 0.7} : Aim{.ratio = rounded ? std::optional(4.0) : std::nullopt}});
  }
}

}  // namespace

BenchResult bench_smollm(const BenchRun& run) {
  BenchResult result;
  add_training(run, result);
  add_sampling(run, 32, 16, 16, result);
  add_sampling(run, 1, 8, 24, result);
  result.notes = {
      "Width 576, 30 layers, 9 heads of which 3 for keys and values, vocabulary 49152, tied; masters, "
      "gradients and AdamW float32; the reference is float32 in every line.",
      "bfloat16 products read 2 bytes of each weight, float32 ones 4."};
  return result;
}

}  // namespace agro
