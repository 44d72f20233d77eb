// The sampling filters against transformers' logits processors (tests/golden/misc/sampling_warpers.json).
#include "generate/sampling.h"

#include <gtest/gtest.h>

#include <cmath>

#include "core/json.h"
#include "core/rng.h"

namespace agro {
namespace {

TEST(Sampling, FiltersAsTransformersDoes) {
  const Json file = read_json(Path(AGRO_SOURCE_DIR) / "tests/golden/misc/sampling_warpers.json");
  ASSERT_FALSE(file["cases"].empty());
  for (const Json& c : file["cases"]) {
    SamplingConfig config;
    config.temperature = c["temperature"].get<double>();
    config.top_k = c["top_k"].get<int64_t>();
    config.top_p = c["top_p"].get<double>();
    config.min_p = c["min_p"].get<double>();
    config.repetition_penalty = c["repetition_penalty"].get<double>();
    const auto logits = c["logits"].get<std::vector<float>>();
    const auto context = c["context_ids"].get<TokenIds>();
    const auto candidates = filter_candidates(logits, config, context);
    TokenIds kept;
    for (const Candidate& candidate : candidates) kept.push_back(candidate.id);
    EXPECT_EQ(kept, c["kept"].get<TokenIds>()) << c["temperature"] << c["top_k"] << c["top_p"] << c["min_p"];
    const auto probs = c["probs"].get<std::vector<double>>();
    for (const Candidate& candidate : candidates) {
      const size_t at = probs.size() == logits.size() ? static_cast<size_t>(candidate.id)
                                                      : static_cast<size_t>(&candidate - candidates.data());
      EXPECT_NEAR(candidate.probability, probs[at], 1e-6);
    }
  }
}

TEST(Sampling, FrequenciesMatchProbabilities) {
  const std::vector<float> logits{0.5F, -1.0F, 2.0F, 0.0F, -3.0F};
  double sum = 0;
  for (const float x : logits) sum += std::exp(static_cast<double>(x));
  const auto log_sum_exp = static_cast<float>(std::log(sum));
  const uint64_t seed = 20261123;
  const int draws = 200000;
  std::vector<int> count(logits.size()), filtered(logits.size());
  const auto candidates = filter_candidates(logits, {});
  for (int i = 0; i < draws; ++i) {
    const double u = uniform01({seed, Stream::kTest, static_cast<uint64_t>(i), 0, 0});
    ++count[static_cast<size_t>(sample_unfiltered(logits, log_sum_exp, u))];
    ++filtered[static_cast<size_t>(sample_from(candidates, u))];
  }
  for (size_t i = 0; i < logits.size(); ++i) {
    const double p = std::exp(static_cast<double>(logits[i])) / sum;
    EXPECT_NEAR(count[i] / static_cast<double>(draws), p, 5 * std::sqrt(p * (1 - p) / draws)) << "seed " << seed;
    EXPECT_NEAR(filtered[i] / static_cast<double>(draws), p, 5 * std::sqrt(p * (1 - p) / draws)) << "seed " << seed;
  }
}

TEST(Sampling, ArgmaxTakesTheLowestIdAmongEquals) { EXPECT_EQ(argmax(std::vector<float>{1, 3, 3, 2}), 1); }

}  // namespace
}  // namespace agro
