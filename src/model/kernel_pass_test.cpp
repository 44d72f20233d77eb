// Passes without a graph beside the differentiable one: not close, equal, whatever the threads' shares are.
#include "model/kernel_pass.h"

#include <gtest/gtest.h>

#include "core/test_error.h"
#include "model/inference_pass.h"
#include "model/lora.h"
#include "model/model_folder.h"
#include "model/packed_batch_test.h"
#include "tensor/ops/instruction_sets_test.h"
#include "tensor/ops/linear.h"

namespace agro {
namespace {

const Path kGolden = Path(AGRO_SOURCE_DIR) / "tests/golden";

struct Variant {
  std::string folder;
  Products products;
  bool adapters;
};

class KernelPasses : public ::testing::TestWithParam<Variant> {
 protected:
  KernelPasses() : model_(ModelFolder(kGolden / GetParam().folder).load(WeightDtype::kSame)) {
    model_.set_products(GetParam().products);
    if (!GetParam().adapters) return;
    add_lora(model_, {.rank = 3, .alpha = 6, .targets = {}}, 5);
    const torch::NoGradGuard no_grad;
    for (const NamedTensor& p : model_.low_rank_parameters())
      if (p.name.find("lora_B") != std::string::npos) p.tensor.fill_(0.05);
  }
  CausalLm model_;
};

TEST_P(KernelPasses, HiddenStatesHaveTheDifferentiablePassesBits) {
  const PackedBatch batch = mixed_batch();
  const Tensor with_graph = model_.hidden_states(batch).detach();
  for (const int threads : {1, 2, 3}) {
    const ThreadsForTest set(threads);
    const torch::NoGradGuard no_grad;
    EXPECT_TRUE(torch::equal(model_.hidden_states(batch), with_graph)) << threads << " threads";
  }
}

TEST_P(KernelPasses, LogitsOfACacheHaveTheTensorsBits) {
  const torch::NoGradGuard no_grad;
  constexpr int64_t kSequences = 40, kCapacity = 24;
  const at::TensorOptions options = model_.activation_options();
  KvCache cache(model_.config(), kSequences, kCapacity, options),
      tensors_cache(model_.config(), kSequences, kCapacity, options);
  InferencePass pass(model_, cache);
  std::vector<CachePlace> places;
  for (int64_t s = 0; s < kSequences; ++s) places.push_back({kSequences - 1 - s, 0});
  for (uint64_t step = 0; step < 4; ++step) {
    std::vector<TokenIds> sequences;
    std::vector<int64_t> past, last;
    TokenIds ids;
    Offsets offsets{0};
    for (size_t s = 0; s < places.size(); ++s) {
      sequences.push_back(random_ids(step == 0 ? 1 + static_cast<int64_t>(s % 7) : 1, 100 * step + s));
      past.push_back(places[s].past);
      ids.insert(ids.end(), sequences.back().begin(), sequences.back().end());
      offsets.push_back(static_cast<int64_t>(ids.size()));
      last.push_back(offsets.back() - 1);
    }
    const Tensor hidden = model_.hidden_states(pack_sequences(sequences, past), tensors_cache, places);
    const Tensor expected = linear(hidden.index_select(0, int64_tensor(last)), model_.head());
    Tensor logits = torch::zeros_like(expected), normalizers = torch::zeros({kSequences});
    pass.run(ids, offsets, places, [&](int64_t s, std::span<const float> row, float log_sum_exp) {
      std::copy(row.begin(), row.end(), write_pointer<float>(logits) + s * static_cast<int64_t>(row.size()));
      write_pointer<float>(normalizers)[s] = log_sum_exp;
    });
    EXPECT_TRUE(torch::equal(logits, expected)) << "step " << step;
    EXPECT_LE((normalizers - expected.logsumexp(1)).abs().max().item<float>(), 2e-6F * 16) << "step " << step;
    for (size_t s = 0; s < places.size(); ++s) places[s].past += static_cast<int64_t>(sequences[s].size());
  }
}

INSTANTIATE_TEST_SUITE_P(Families, KernelPasses,
                         ::testing::Values(Variant{"gpt2", Products::kFloat32, false},
                                           Variant{"gpt2", Products::kFloat32, true},
                                           Variant{"llama_gqa", Products::kFloat32, false},
                                           Variant{"llama_gqa", Products::kBFloat16, true},
                                           Variant{"qwen2_tied", Products::kFloat32, false},
                                           Variant{"qwen3_qknorm_bf16", Products::kFloat32, false},
                                           Variant{"qwen3_qknorm_bf16", Products::kBFloat16, false}),
                         [](const auto& test) {
                           return fmt::format("{}_{}{}", test.param.folder,
                                              test.param.products == Products::kFloat32 ? "float32" : "bfloat16",
                                              test.param.adapters ? "_adapters" : "");
                         });

/// The shares of one pass over a batch.
std::vector<Share> shares_of(const CausalLm& model, const PackedBatch& batch) {
  model.provide_positions(64);
  KernelPass pass(model.parts());
  std::vector<Share> shares(static_cast<size_t>(batch.tokens()));
  pass.run({read_pointer<int64_t>(batch.ids), read_pointer<int64_t>(batch.positions), batch.offsets, batch.prefixes,
            model.rope()},
           [&](size_t index, const Share& share, const float*) { shares[index] = share; });
  shares.resize(pass.shares());
  return shares;
}

TEST(KernelPass, SharesCoverTheBatchAndKeepGroupsWhole) {
  const CausalLm model = ModelFolder(kGolden / "llama_gqa").load(WeightDtype::kFloat32);
  const PackedBatch batch = mixed_batch();
  for (const int threads : {1, 2, 3}) {
    const ThreadsForTest set(threads);
    const std::vector<Share> shares = shares_of(model, batch);
    EXPECT_GE(static_cast<int>(shares.size()), threads) << "nothing was divided: the test shows nothing";
    int64_t next = 0;
    for (const Share& share : shares) {
      EXPECT_EQ(share.begin, next);
      EXPECT_LT(batch.prefixes[static_cast<size_t>(share.begin)], 0) << "a share begins amid a group";
      EXPECT_EQ(share.first_row, batch.offsets[static_cast<size_t>(share.begin)]);
      EXPECT_EQ(share.first_row + share.rows, batch.offsets[static_cast<size_t>(share.end)]);
      next = share.end;
    }
    EXPECT_EQ(next + 1, static_cast<int64_t>(batch.offsets.size()));
  }
}

TEST(KernelPass, AnErrorOfAWorkerReachesTheCaller) {
  const CausalLm model = ModelFolder(kGolden / "llama_gqa").load(WeightDtype::kFloat32);
  const PackedBatch batch = mixed_batch();
  model.provide_positions(64);
  KernelPass pass(model.parts());
  EXPECT_EQ(error_of([&] {
              pass.run({read_pointer<int64_t>(batch.ids), read_pointer<int64_t>(batch.positions), batch.offsets,
                        batch.prefixes, model.rope()},
                       [](size_t, const Share&, const float*) { throw Error("from a worker"); });
            }),
            "from a worker");
}

TEST(InferencePass, BadInputIsRefused) {
  const CausalLm model = ModelFolder(kGolden / "llama_gqa").load(WeightDtype::kFloat32);
  KvCache cache(model.config(), 2, 4, model.activation_options());
  InferencePass pass(model, cache);
  const auto run = [&](const TokenIds& ids, CachePlace place) {
    pass.run(ids, {0, static_cast<int64_t>(ids.size())}, {place}, [](int64_t, std::span<const float>, float) {});
  };
  const auto error = [&](const TokenIds& ids, CachePlace place) { return error_of([&] { run(ids, place); }); };
  EXPECT_EQ(error({3, -1}, {0, 0}),
            fmt::format("token id -1 is outside the model's vocabulary of {}", model.config().vocab_size));
  EXPECT_EQ(error({1, 2, 3}, {1, 2}), "key/value cache of 4 positions cannot hold 3 more after 2");
  EXPECT_NO_THROW(run({1, 2, 3}, {1, 1}));
}

}  // namespace
}  // namespace agro
