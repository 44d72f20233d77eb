// Sampling from a small Llama with a key/value cache, log-probabilities included.
#include "bench/end_to_end/limits.h"
#include "bench/end_to_end/pairs.h"

namespace agro {

BenchResult bench_sampling(const BenchRun& run) {
  constexpr int64_t kPrompt = 16, kNew = 64;
  BenchResult result;
  for (const auto& [sequences, aim] : {std::pair<int64_t, double>{64, 4.5}, {256, 4.0}}) {
    const SamplingPair pair(llama_config(kSmallLlama), sequences, kPrompt, kNew);
    pair.check(1e-5);
    const Rounds rounds = take_turns(
        run.rounds, [&] { return pair.sample(); }, [&] { return pair.plain_sample(); });
    const GenerationWork work = generation_work(pair.config(), sequences, 1, kPrompt, kNew, 4);
    result.lines.push_back(
        {fmt::format("{} sequences", sequences),
         "tokens",
         rounds,
         arithmetic_limit(static_cast<double>(sequences * kNew), work.operations, Products::kFloat32, run.rates),
         {.ratio = aim}});
  }
  result.notes = {"Llama of 0.84M parameters, float32: 64 tokens after each prompt of 16, all different."};
  return result;
}

}  // namespace agro
