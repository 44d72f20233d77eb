#include "bench/end_to_end/bench.h"

#include <array>
#include <cmath>

#include "core/error.h"

namespace agro {

std::span<const Bench> all_benches() {
  static constexpr std::array<Bench, 8> kBenches = {{
      {"training", "training step of a Llama of 0.84M parameters", 9, bench_training},
      {"sampling", "64 and 256 sequences from the same model", 9, bench_sampling},
      {"smollm", "the shape of SmolLM2-135M: training and sampling", 3, bench_smollm},
      {"shared-prompts", "groups whose prompt is computed once, beside a prompt for every response", 9,
       bench_shared_prompts},
      {"ragged", "training on ragged lengths, beside full rows", 9, bench_ragged},
      {"logprob", "log-probabilities over a vocabulary of 152k: time and memory", 3, bench_logprob},
      {"rl-step", "whole on-policy RL steps, sampling and rewards included", 9, bench_rl_step},
      {"growth", "time against size: length, group, batch, vocabulary, width", 5, bench_growth},
  }};
  return kBenches;
}

double share_of_limit(const Line& line) { return spread_of(line.rounds.ours).median / line.limit.value().rate; }

void expect_near(double ours, double reference, double tolerance, std::string_view what) {
  if (!(std::abs(ours - reference) <= tolerance))
    throw fail("{}: {} on one side, {} on the other, apart by more than {}: they do not compute the same", what, ours,
               reference, tolerance);
}

void expect_close(double ours, double reference, double tolerance, std::string_view what) {
  expect_near(ours, reference, tolerance * std::abs(reference), what);
}

}  // namespace agro
