#include "bench/end_to_end/limits.h"

#include <gtest/gtest.h>

#include "bench/end_to_end/models.h"

namespace agro {
namespace {

constexpr ModelShape kTiny{.hidden = 8, .layers = 2, .heads = 2, .kv_heads = 1, .inner = 12, .vocabulary = 10};

TEST(Limits, AForwardPassCountedByHand) {
  const ModelConfig config = parse_model_config(llama_config(kTiny));
  // q and o 8·8, k and v 8·4, gate, up and down 8·12, in two layers.
  EXPECT_EQ(layer_weights(config), 2 * (2 * 64 + 2 * 32 + 3 * 96));
  const TokenIds prompt = {1, 2, 3}, a = {4, 5}, b = {6, 7, 8};
  // Prompt and all but the last token: 4 tokens, of which two predict; each sees itself and what is before.
  const std::vector<PromptCompletion> alone = {{prompt, a}};
  EXPECT_EQ(forward_operations(config, pack_completions(alone)),
            2.0 * 4 * layer_weights(config) + 4.0 * 2 * 8 * (1 + 2 + 3 + 4) + 2.0 * 2 * 8 * 10);
  // With a second response the prompt counts once; its last row predicts both first tokens.
  const std::vector<PromptCompletion> group = {{prompt, a}, {prompt, b}};
  EXPECT_EQ(forward_operations(config, pack_completions(group)),
            2.0 * (3 + 1 + 2) * layer_weights(config) + 4.0 * 2 * 8 * (1 + 2 + 3 + 4 + 4 + 5) + 2.0 * 4 * 8 * 10);
}

TEST(Limits, SamplingReadsEachMatrixOnceAPass) {
  const ModelConfig config = parse_model_config(llama_config(kTiny));
  const double weights = layer_weights(config) + 8 * 10, key_and_value = 2.0 * 4 * 2 * 4;
  // Passes of 3 prompt tokens, then of tokens that see 4 and 5.
  const GenerationWork one = generation_work(config, 1, 1, 3, 3, 4);
  EXPECT_EQ(one.bytes, 3 * 4 * weights + (4 + 5) * key_and_value);
  EXPECT_EQ(one.operations, 2 * 5 * layer_weights(config) + 4.0 * 2 * 8 * (1 + 2 + 3 + 4 + 5) + 3 * 2.0 * 8 * 10);
  // A second response to the same prompt adds its own tokens only, and no reading of weights.
  const GenerationWork two = generation_work(config, 2, 2, 3, 3, 4);
  EXPECT_EQ(two.bytes, one.bytes + (4 + 5) * key_and_value);
  EXPECT_EQ(two.operations - one.operations, 2 * 2 * layer_weights(config) + 4.0 * 2 * 8 * (4 + 5) + 2 * 2.0 * 8 * 10);
}

TEST(Limits, TheLowerLimitIsTaken) {
  MachineRates rates;
  rates.float32_gflops = 1;
  rates.read_bytes_per_second = 1e9;
  EXPECT_EQ(lower_limit(10, {1e9, 2e9}, Products::kFloat32, rates)->name, "memory bandwidth");
  EXPECT_EQ(lower_limit(10, {1e9, 2e9}, Products::kFloat32, rates)->rate, 5);
  EXPECT_EQ(lower_limit(10, {4e9, 2e9}, Products::kFloat32, rates)->name, "float32 peak");
  EXPECT_EQ(lower_limit(10, {4e9, 2e9}, Products::kFloat32, rates)->rate, 2.5);
  EXPECT_FALSE(arithmetic_limit(10, 1e9, Products::kBFloat16, rates).has_value()) << "there is no bfloat16 peak";
}

TEST(Measure, RatiosAreOfMediansAndSpreadIsOfRounds) {
  const Rounds rounds{{10, 40, 30}, {5, 10, 30}};
  const Spread ratio = speed_up(rounds);
  EXPECT_EQ(ratio.median, 3);  // 30 / 10
  EXPECT_EQ(ratio.least, 1);
  EXPECT_EQ(ratio.most, 4);
  EXPECT_EQ(spread_of({4, 1, 2, 9}).median, 3);
  EXPECT_THROW(spread_of({}), Error);
}

TEST(Measure, TheTwoTakeTurnsInGoingFirst) {
  std::string order;
  const Rounds rounds = take_turns(
      2, [&] { return order += 'a', 1; }, [&] { return order += 'b', 1; });
  EXPECT_EQ(order,
            "abab"
            "ba");
  EXPECT_EQ(rounds.ours.size(), 2U);
  EXPECT_EQ(rounds.reference.size(), 2U);
}

TEST(Checks, DifferentResultsAreRefused) {
  EXPECT_NO_THROW(expect_close(1.0001, 1, 1e-3, "loss"));
  EXPECT_THROW(expect_close(1.01, 1, 1e-3, "loss"), Error);
  EXPECT_THROW(expect_close(std::nan(""), 1, 1e-3, "loss"), Error);
}

}  // namespace
}  // namespace agro
