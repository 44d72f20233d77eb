#include "tensor/ops/attention.h"

#include <cmath>

#include "tensor/ops/op_case_test.h"

namespace agro {
namespace {

AttentionShape shape_of(int64_t heads, int64_t kv_heads, int64_t head_dim) {
  return {heads, kv_heads, head_dim, static_cast<float>(1.0 / std::sqrt(static_cast<double>(head_dim)))};
}

std::vector<Tensor> random_qkv(const AttentionShape& s, int64_t n) {
  return {random_tensor({n, s.heads * s.head_dim}, 1), random_tensor({n, s.kv_heads * s.head_dim}, 2),
          random_tensor({n, s.kv_heads * s.head_dim}, 3)};
}

void check_attention(const AttentionShape& s, const Offsets& offsets, const Prefixes& prefixes = {}) {
  const auto with = [=](const auto& apply) {
    return [=](const std::vector<Tensor>& x) { return apply(x[0], x[1], x[2], s, offsets, prefixes); };
  };
  check_op(
      {fmt::format("{} heads, {} key heads of {}, window {}, {} rows in {} sequences, prefixes [{}]", s.heads,
                   s.kv_heads, s.head_dim, s.window, offsets.back(), offsets.size() - 1, fmt::join(prefixes, ", ")),
       random_qkv(s, offsets.back()), with(attention), with(attention_ref), 1e-6, 4e-6});
}

// Lengths around the vector, the 4 keys of a step and the 32 rows of a task; one sequence may be empty.
const Offsets kRagged = {0, 1, 3, 3, 20, 51, 84};

TEST(Attention, GroupedHeads) {
  for (const auto& [heads, kv_heads] : {std::pair<int64_t, int64_t>{1, 1}, {2, 1}, {3, 3}, {4, 2}, {6, 2}, {8, 1}})
    check_attention(shape_of(heads, kv_heads, 16), kRagged);
}

TEST(Attention, HeadSizes) {
  for (const int64_t head_dim : {1, 2, 7, 8, 15, 17, 32, 63, 64, 65, 128})
    check_attention(shape_of(4, 2, head_dim), {0, 5, 38});
}

TEST(Attention, SequenceLengths) {
  for (const int64_t length : {1, 2, 15, 16, 17, 31, 32, 33, 65, 129}) check_attention(shape_of(2, 1, 8), {0, length});
}

TEST(Attention, Windows) {
  for (const int64_t window : {1, 2, 15, 16, 17, 33, 1000}) {
    AttentionShape s = shape_of(4, 2, 8);
    s.window = window;
    check_attention(s, kRagged);
  }
}

TEST(Attention, AWindowHidesOlderKeys) {
  AttentionShape s = shape_of(1, 1, 2);
  s.window = 2;
  const Tensor same = torch::ones({4, 2}), values = torch::tensor({1.0F, 2.0F, 4.0F, 8.0F}).unsqueeze(1).repeat({1, 2});
  for (const Tensor& mean : {attention(same, same, values, s, {0, 4}), attention_ref(same, same, values, s, {0, 4})})
    EXPECT_TRUE(torch::allclose(mean.select(1, 0), torch::tensor({1.0F, 1.5F, 3.0F, 6.0F}))) << mean;
}

// A prompt and its responses, another sequence, a prompt that nobody continues, and a group of long responses.
const Offsets kTrees = {0, 7, 10, 11, 17, 20, 25, 65, 100, 133, 170, 174};
const Prefixes kTreePrefixes = {-1, 0, 0, 0, -1, -1, -1, 6, 6, 6, 6};

TEST(AttentionPrefixes, AgreeWithTheReference) {
  for (const auto& [heads, kv_heads] : {std::pair<int64_t, int64_t>{1, 1}, {2, 1}, {6, 2}, {20, 1}})
    for (const int64_t head_dim : {3, 16, 33})
      for (const int64_t window : {0, 1, 5, 38}) {
        AttentionShape s = shape_of(heads, kv_heads, head_dim);
        s.window = window;
        check_attention(s, kTrees, kTreePrefixes);
      }
}

/// The same sequences one by one, each with its prefix before it: rows of the trees that every such row stands for.
struct Unshared {
  Offsets offsets{0};
  std::vector<int64_t> rows;  // row of the trees
  std::vector<int64_t> own;   // rows[own[r]] = r: where each row of the trees is computed first
};

Unshared unshare(const Offsets& offsets, const Prefixes& prefixes) {
  Unshared result;
  for (size_t s = 0; s < prefixes.size(); ++s) {
    const auto add = [&](size_t which, bool first) {
      for (int64_t row = offsets[which]; row < offsets[which + 1]; ++row) {
        if (first) result.own.push_back(static_cast<int64_t>(result.rows.size()));
        result.rows.push_back(row);
      }
    };
    if (prefixes[s] >= 0) add(static_cast<size_t>(prefixes[s]), false);
    add(s, true);
    result.offsets.push_back(static_cast<int64_t>(result.rows.size()));
  }
  return result;
}

TEST(AttentionPrefixes, AreTheSequencesComputedOneByOne) {
  const Unshared apart = unshare(kTrees, kTreePrefixes);
  const Tensor rows = int64_tensor(apart.rows), own = int64_tensor(apart.own);
  for (const int64_t window : {0, 9}) {
    AttentionShape s = shape_of(4, 2, 16);
    s.window = window;
    const auto shared = [&](const std::vector<Tensor>& x) {
      return attention(x[0], x[1], x[2], s, kTrees, kTreePrefixes);
    };
    const auto one_by_one = [&](const std::vector<Tensor>& x) {
      return attention(x[0].index_select(0, rows), x[1].index_select(0, rows), x[2].index_select(0, rows), s,
                       apart.offsets)
          .index_select(0, own);
    };
    const auto qkv = random_qkv(s, kTrees.back());
    const OpResult exact = evaluate(one_by_one, qkv, torch::kDouble), found = evaluate(shared, qkv, torch::kDouble);
    EXPECT_LE(error_against(found.value, exact.value), 1e-14);
    for (size_t i = 0; i < 3; ++i) EXPECT_LE(error_against(found.gradients[i], exact.gradients[i]), 1e-14);
    on_every_instruction_set([&] { expect_same_bits(shared(qkv), one_by_one(qkv), "attention"); });
  }
}

TEST(AttentionPrefixes, WrongOnesAreNamed) {
  const Tensor x = torch::zeros({6, 4});
  const auto error = [&](const Prefixes& prefixes) {
    return error_of([&] { attention(x, x, x, shape_of(1, 1, 4), {0, 2, 4, 6}, prefixes); });
  };
  EXPECT_EQ(error({-1, 0}), "2 prefixes were given for 3 sequences");
  const std::string hint = "\n  hint: a prefix comes earlier in the batch and has no prefix itself";
  EXPECT_EQ(error({-1, 1, -1}), "sequence 1 cannot continue sequence 1" + hint);
  EXPECT_EQ(error({-1, 0, 1}), "sequence 2 cannot continue sequence 1" + hint);
}

TEST(Attention, LargeScoresDoNotOverflow) {
  AttentionShape s = shape_of(2, 1, 8);
  s.scale = 100.0F;
  const auto x = random_qkv(s, 20);
  const std::vector<Tensor> exact_x{x[0].to(torch::kDouble), x[1].to(torch::kDouble), x[2].to(torch::kDouble)};
  on_every_instruction_set([&] {
    EXPECT_LE(error_against(attention(x[0], x[1], x[2], s, {0, 20}),
                            attention_ref(exact_x[0], exact_x[1], exact_x[2], s, {0, 20})),
              2e-4);
  });
}

// What all keys have in common changes no probability, however large the scores it makes; in the queries' gradient it
// cancels only if the slopes of a row add up to 0.
TEST(Attention, WhatKeysHaveInCommonLeavesGradientsAlone) {
  const AttentionShape s = shape_of(4, 2, 32);
  auto x = random_qkv(s, 84);
  x[1] += 60.0 * random_tensor({s.kv_heads * s.head_dim}, 4);
  const auto with = [&](const auto& apply) {
    return [&](const std::vector<Tensor>& in) { return apply(in[0], in[1], in[2], s, kRagged, Prefixes{}); };
  };
  check_op({"common keys", x, with(attention), with(attention_ref), 1e-4, 1e-4});
}

TEST(Attention, ReferenceAgreesWithCentralDifferences) {
  const AttentionShape s = shape_of(4, 2, 3);
  check_central_differences(
      [&](const std::vector<Tensor>& x) {
        return attention_ref(x[0], x[1], x[2], s, {0, 1, 6});
      },
      random_qkv(s, 6));
}

TEST(Attention, WrongShapesAreNamed) {
  const AttentionShape s = shape_of(4, 2, 3);
  EXPECT_EQ(error_of([&] {
              attention(torch::zeros({5, 11}), torch::zeros({5, 6}), torch::zeros({5, 6}), s, {0, 5});
            }),
            "attention queries has shape [5, 11], expected [5, 12]");
  EXPECT_EQ(error_of([&] {
              attention(torch::zeros({5, 12}), torch::zeros({4, 6}), torch::zeros({5, 6}), s, {0, 5});
            }),
            "attention keys has shape [4, 6], expected [5, 6]");
}

/// Sequences fed through the cache in pieces, as prefill and decoding do.
struct CachedRun {
  Offsets offsets;                           // of the whole sequences
  std::vector<int64_t> slots;                // of each sequence
  std::vector<std::vector<int64_t>> pieces;  // rows of each sequence per call
};

Tensor run_cached(const CachedRun& run, const AttentionShape& s, const std::vector<Tensor>& qkv, at::ScalarType dtype) {
  Tensor keys = torch::full({5, 24, s.kv_heads * s.head_dim}, NAN, dtype), values = keys.clone();
  Tensor out = torch::zeros({run.offsets.back(), s.heads * s.head_dim}, dtype);
  std::vector<int64_t> past(run.slots.size(), 0);
  for (const auto& lengths : run.pieces) {
    Offsets offsets{0};
    std::vector<int64_t> rows;
    std::vector<CachePlace> places;
    for (size_t i = 0; i < lengths.size(); ++i) {
      places.push_back({run.slots[i], past[i]});
      for (int64_t row = 0; row < lengths[i]; ++row) rows.push_back(run.offsets[i] + past[i]++);
      offsets.push_back(static_cast<int64_t>(rows.size()));
    }
    const Tensor which = int64_tensor(rows);
    const auto part = [&](size_t i) { return qkv[i].to(dtype).index_select(0, which); };
    out.index_copy_(0, which, attention_cached(part(0), part(1), part(2), s, offsets, places, keys, values));
  }
  return out;
}

TEST(AttentionCached, PiecesHaveTheBitsOfTheWholeSequence) {
  const CachedRun run{{0, 7, 24}, {3, 0}, {{2, 9}, {1, 1}, {1, 3}, {3, 4}}};
  for (const int64_t head_dim : {5, 16, 33}) {
    AttentionShape s = shape_of(4, 2, head_dim);
    s.window = head_dim == 16 ? 6 : 0;
    const auto qkv = random_qkv(s, run.offsets.back());
    on_every_instruction_set([&] {
      expect_same_bits(run_cached(run, s, qkv, torch::kFloat32), attention(qkv[0], qkv[1], qkv[2], s, run.offsets),
                       "attention");
    });
  }
}

TEST(AttentionCached, Float64PathAgreesWithTheWholeSequence) {
  const CachedRun run{{0, 7, 24}, {3, 0}, {{2, 9}, {1, 1}, {1, 3}, {3, 4}}};
  AttentionShape s = shape_of(4, 2, 6);
  s.window = 8;
  const auto qkv = random_qkv(s, run.offsets.back());
  const Tensor whole =
      attention_ref(qkv[0].to(torch::kDouble), qkv[1].to(torch::kDouble), qkv[2].to(torch::kDouble), s, run.offsets);
  EXPECT_LE(error_against(run_cached(run, s, qkv, torch::kDouble), whole), 1e-14);
}

TEST(AttentionCached, FullCacheIsRefused) {
  const AttentionShape s = shape_of(1, 1, 4);
  Tensor keys = torch::zeros({2, 8, 4}), values = torch::zeros({2, 8, 4});
  const Tensor x = torch::zeros({3, 4});
  EXPECT_EQ(error_of([&] {
              attention_cached(x, x, x, s, {0, 3}, {{1, 6}}, keys, values);
            }),
            "key/value cache of 8 positions cannot hold 3 more after 6");
}

Tensor angle_table(int64_t positions, int64_t head_dim) {
  const Tensor angles = torch::arange(positions, torch::kFloat32).unsqueeze(1) *
                        (1.0 + torch::arange(head_dim / 2, torch::kFloat32)).reciprocal();
  return torch::cat({angles.cos(), angles.sin()}, 1);
}

TEST(Rotary, AgreesWithFloat64) {
  for (const int64_t head_dim : {2, 6, 16, 30, 32, 34, 64, 128}) {
    for (const int64_t n : {1, 31, 32, 65}) {
      const Tensor table = angle_table(50, head_dim), positions = random_ids(n, 50, 7);
      const auto with = [=](const auto& apply) {
        return [=](const std::vector<Tensor>& x) { return apply(x[0], positions, table, 3); };
      };
      check_op({fmt::format("{} rows, heads of {}", n, head_dim),
                {random_tensor({n, 3 * head_dim}, 1)},
                with(rotary),
                with(rotary_ref)});
    }
  }
}

TEST(Rotary, TurnsBack) {
  const Tensor table = angle_table(50, 24), positions = random_ids(40, 50, 7), x = random_tensor({40, 48}, 1);
  on_every_instruction_set([&] {
    Tensor turned = x.clone();
    for (const bool inverse : {false, true})
      rotary_embedding(40, 2, 24, read_pointer<int64_t>(positions), read_pointer<float>(table),
                       read_pointer<float>(turned), write_pointer<float>(turned), inverse);
    EXPECT_LE(error_against(turned, x.to(torch::kDouble)), 1e-6);
  });
}

TEST(Rotary, PositionsMayBeAView) {
  const Tensor table = angle_table(50, 8), positions = random_ids(40, 50, 7).view({20, 2}).select(1, 0),
               x = random_tensor({20, 8}, 1);
  expect_same_bits(rotary(x, positions, table, 1), rotary(x, positions.contiguous(), table, 1), "rotation");
}

}  // namespace
}  // namespace agro
