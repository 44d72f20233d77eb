// The plain models against agro's, on the folders of tests/golden: they must be the same models to be a reference.
#include "bench/ref/model.h"

#include <ATen/Context.h>
#include <gtest/gtest.h>

#include <cmath>

#include "bench/ref/rl_loop.h"
#include "core/rng.h"
#include "model/completion_batch.h"
#include "model/model_folder.h"

namespace agro {
namespace {

class PlainModels : public testing::TestWithParam<const char*> {
 protected:
  CausalLm model_ = ModelFolder(Path(AGRO_SOURCE_DIR) / "tests/golden" / GetParam()).load(WeightDtype::kFloat32);
  PlainModel plain_{model_};

  TokenIds random_ids(uint64_t item, uint32_t length) const {
    TokenIds ids;
    for (uint32_t t = 0; t < length; ++t)
      ids.push_back(static_cast<TokenId>(
          uniform_below({1, Stream::kTest, item, 0, t}, static_cast<uint64_t>(model_.config().vocab_size))));
    return ids;
  }

  std::vector<double> own_logprobs(const TokenIds& prompt, const TokenIds& completion) const {
    const torch::NoGradGuard no_grad;
    const PromptCompletion item{prompt, completion};
    const Tensor values = completion_logprobs(model_, {&item, 1}).to(torch::kDouble);
    return {read_pointer<double>(values), read_pointer<double>(values) + values.numel()};
  }
};

TEST_P(PlainModels, GiveTheSameLogProbs) {
  const TokenIds all = random_ids(0, 12);
  const TokenIds prompt(all.begin(), all.begin() + 1), rest(all.begin() + 1, all.end());
  const Tensor ids = int64_tensor(all).unsqueeze(0);
  const Tensor plain = plain_.logprobs(ids.narrow(1, 0, 11), ids.narrow(1, 1, 11)).squeeze(0);
  const std::vector<double> own = own_logprobs(prompt, rest);
  for (size_t t = 0; t < own.size(); ++t) EXPECT_NEAR(plain[static_cast<int64_t>(t)].item<double>(), own[t], 1e-4) << t;
}

TEST_P(PlainModels, GiveTheSameGradients) {
  for (const NamedTensor& p : model_.parameters()) p.tensor.set_requires_grad(true);
  const TokenIds all = random_ids(1, 10);
  const PromptCompletion item{std::span(all).first(3), std::span(all).subspan(3)};
  completion_logprobs(model_, {&item, 1}).sum().backward();
  const Tensor ids = int64_tensor(all).unsqueeze(0).narrow(1, 0, 9);
  plain_.logprobs_at(ids, torch::arange(2, 9), int64_tensor({all.begin() + 3, all.end()})).sum().backward();
  for (size_t i = 0; i < plain_.parameters().size(); ++i) {
    const Tensor own = model_.parameters()[i].tensor.grad(), plain = plain_.parameters()[i].grad();
    const double norm = own.norm().item<double>();
    EXPECT_LE((own - plain).norm().item<double>(), 1e-4 * std::max(norm, 1e-3)) << model_.parameters()[i].name;
  }
}

TEST_P(PlainModels, SampleWithPaddedPromptsAsWithout) {
  constexpr int64_t kNew = 5;
  const std::vector<TokenIds> prompts = {random_ids(2, 3), random_ids(3, 7), random_ids(4, 1)};
  at::manual_seed(5);
  const PlainSamples samples = plain_sample(plain_, prompts, {.per_prompt = 2, .max_new_tokens = kNew});
  ASSERT_EQ(samples.ids.size(0), 6);
  for (int64_t row = 0; row < 6; ++row) {
    const auto* first = read_pointer<int64_t>(samples.ids) + row * kNew;
    const std::vector<double> own = own_logprobs(prompts[static_cast<size_t>(row) / 2], {first, first + kNew});
    for (int64_t t = 0; t < kNew; ++t)
      EXPECT_NEAR(samples.logprobs[row][t].item<double>(), own[static_cast<size_t>(t)], 1e-4) << row << ", " << t;
  }
}

TEST_P(PlainModels, LetFinishedSequencesGo) {
  const std::vector<TokenIds> prompts = {random_ids(5, 4), random_ids(6, 2), random_ids(7, 4), random_ids(8, 3)};
  // Ends come at steps 1, 2, 4 and never, so the batch is cut down twice on the way.
  const TokenId end = 7, other = 9;
  const std::vector<int64_t> forced = {end,   other, other, other, other, other, end,   other, other, other,
                                       other, other, other, end,   other, other, other, other, other, other};
  const PlainSamples samples = plain_sample(
      plain_, prompts, {.max_new_tokens = 5, .end_ids = {end}, .forced = int64_tensor(forced).view({4, 5})});
  EXPECT_EQ(samples.lengths, (std::vector<int64_t>{1, 2, 4, 5}));
  for (size_t row = 0; row < 4; ++row) {
    const auto first = forced.begin() + static_cast<int64_t>(row) * 5;
    const std::vector<double> own = own_logprobs(prompts[row], {first, first + samples.lengths[row]});
    for (size_t t = 0; t < own.size(); ++t)
      EXPECT_NEAR(samples.logprobs[static_cast<int64_t>(row)][static_cast<int64_t>(t)].item<double>(), own[t], 1e-4);
  }
}

TEST_P(PlainModels, FirstLossIsHalfTheVarianceOfRewards) {
  // Policy and reference are equal at first, so that R = r: the variance of {0, 1} is 1/2, that of {1, 1} is 0.
  PlainRlLoop loop(model_, {.beta = 0.25});
  const double loss =
      loop.update({random_ids(9, 3), random_ids(10, 2)},
                  {{random_ids(11, 2), random_ids(12, 4)}, {random_ids(13, 1), random_ids(14, 3)}}, {{0, 1}, {1, 1}});
  EXPECT_NEAR(loss, 0.5 * (0.5 + 0) / 2 / 0.25, 1e-5);
}

INSTANTIATE_TEST_SUITE_P(Families, PlainModels, testing::Values("gpt2", "llama_gqa", "smollm2_tied"));

}  // namespace
}  // namespace agro
