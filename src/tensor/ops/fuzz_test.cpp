// Operators at random shapes, against float64, on every instruction set, with one and two threads. The seed is
// printed; AGRO_FUZZ_SEED=… and AGRO_FUZZ_ROUNDS=… choose others.
#include <cmath>
#include <cstdlib>
#include <iostream>
#include <optional>

#include "tensor/ops/activation.h"
#include "tensor/ops/attention.h"
#include "tensor/ops/embedding.h"
#include "tensor/ops/linear.h"
#include "tensor/ops/norm.h"
#include "tensor/ops/op_case_test.h"
#include "tensor/ops/token_logprob.h"
#include "tensor/ops/vocabulary_kl.h"

namespace agro {
namespace {

int64_t from_environment(const char* name, int64_t otherwise) {
  const char* text = std::getenv(name);
  return text == nullptr ? otherwise : std::strtoll(text, nullptr, 10);
}

/// Draws of one test, each from a place of its own.
class Draws {
 public:
  explicit Draws(uint64_t test) : test_(test) {}
  /// low … high, small numbers as often as large ones: uniform in the logarithm.
  int64_t size(int64_t low, int64_t high) {
    const double from = std::log(static_cast<double>(low)), to = std::log(static_cast<double>(high) + 1);
    return std::min(high, static_cast<int64_t>(std::exp(from + (to - from) * next())));
  }
  bool coin() { return next() < 0.5; }

 private:
  double next() { return uniform01({seed(), Stream::kTest, test_, 9, count_++}); }
  static uint64_t seed() { return static_cast<uint64_t>(from_environment("AGRO_FUZZ_SEED", 20261130)); }
  uint64_t test_;
  uint32_t count_ = 0;
};

/// Calls round(draws) again and again.
template <class Round>
void fuzz(uint64_t test, Round&& round) {
  const int64_t rounds = from_environment("AGRO_FUZZ_ROUNDS", 40);
  std::cout << "seed " << from_environment("AGRO_FUZZ_SEED", 20261130) << ", " << rounds << " rounds\n";
  Draws draws(test);
  for (int64_t i = 0; i < rounds && !::testing::Test::HasFailure(); ++i) round(draws);
}

TEST(FuzzedShapes, Linear) {
  fuzz(1, [](Draws& draws) {
    const int64_t n = draws.size(1, 300), in = draws.size(1, 900), out = draws.size(1, 300);
    const bool conv1d = draws.coin(), bias = draws.coin();
    const auto weight = [=](const std::vector<Tensor>& x) {
      LinearWeight w;
      w.weight = x[1];
      w.layout = conv1d ? WeightLayout::kInOut : WeightLayout::kOutIn;
      if (bias) w.bias = x[2];
      return w;
    };
    const double size = std::sqrt(static_cast<double>(std::max({n, in, out})));
    check_op(
        {fmt::format("[{}, {}] to {}, conv1d {}, bias {}", n, in, out, conv1d, bias),
         {random_tensor({n, in}, 1), random_tensor(conv1d ? std::vector<int64_t>{in, out} : std::vector{out, in}, 2),
          random_tensor({out}, 3)},
         [=](const std::vector<Tensor>& x) { return linear(x[0], weight(x)); },
         [=](const std::vector<Tensor>& x) { return linear_ref(x[0], weight(x)); },
         1e-6 * size,
         1e-6 * size});
  });
}

TEST(FuzzedShapes, Norms) {
  fuzz(2, [](Draws& draws) {
    const int64_t n = draws.size(1, 200), heads = draws.size(1, 4), c = draws.size(2, 700);
    check_op({fmt::format("rms_norm [{}, {} x {}]", n, heads, c),
              {random_tensor({n, heads * c}, 1), random_tensor({c}, 2)},
              [](const std::vector<Tensor>& x) { return rms_norm(x[0], x[1], 1e-5); },
              [](const std::vector<Tensor>& x) { return rms_norm_ref(x[0], x[1], 1e-5); },
              1e-6,
              1e-5});
    check_op({fmt::format("layer_norm [{}, {}]", n, c),
              {random_tensor({n, c}, 1), random_tensor({c}, 2), random_tensor({c}, 3)},
              [](const std::vector<Tensor>& x) { return layer_norm(x[0], x[1], x[2], 1e-3); },
              [](const std::vector<Tensor>& x) { return layer_norm_ref(x[0], x[1], x[2], 1e-3); },
              1e-5,
              1e-4});
  });
}

TEST(FuzzedShapes, Activations) {
  fuzz(3, [](Draws& draws) {
    const int64_t n = draws.size(1, 90), c = draws.size(1, 700);
    for (const Activation act : {Activation::kSilu, Activation::kGelu, Activation::kGeluTanh, Activation::kRelu}) {
      check_op({fmt::format("activation {} of [{}, {}]", static_cast<int>(act), n, c),
                {random_tensor({n, c}, 1, 2)},
                [=](const std::vector<Tensor>& x) { return activation(x[0], act); },
                [=](const std::vector<Tensor>& x) { return activation_ref(x[0], act); },
                2e-6,
                4e-6});
      check_op({fmt::format("gated activation {} of [{}, {}]", static_cast<int>(act), n, c),
                {random_tensor({n, c}, 1, 2), random_tensor({n, c}, 2)},
                [=](const std::vector<Tensor>& x) { return gated_activation(x[0], x[1], act); },
                [=](const std::vector<Tensor>& x) { return gated_activation_ref(x[0], x[1], act); },
                2e-6,
                4e-6});
    }
  });
}

TEST(FuzzedShapes, Attention) {
  fuzz(4, [](Draws& draws) {
    AttentionShape s;
    s.kv_heads = draws.size(1, 4);
    s.heads = s.kv_heads * draws.size(1, 4);
    s.head_dim = draws.size(1, 80);
    s.scale = static_cast<float>(1 / std::sqrt(static_cast<double>(s.head_dim)));
    s.window = draws.coin() ? 0 : draws.size(1, 60);
    Offsets offsets{0};
    Prefixes prefixes;
    for (int64_t group = draws.size(1, 4); group > 0; --group) {
      const auto prompt = static_cast<int64_t>(prefixes.size());
      prefixes.push_back(-1);
      offsets.push_back(offsets.back() + draws.size(1, 70));
      for (int64_t response = draws.size(1, 4); response > 1; --response) {
        prefixes.push_back(prompt);
        offsets.push_back(offsets.back() + draws.size(1, 50));
      }
    }
    check_op({fmt::format("{} heads on {} of {}, window {}, offsets {}, prefixes {}", s.heads, s.kv_heads, s.head_dim,
                          s.window, fmt::join(offsets, " "), fmt::join(prefixes, " ")),
              {random_tensor({offsets.back(), s.heads * s.head_dim}, 1),
               random_tensor({offsets.back(), s.kv_heads * s.head_dim}, 2),
               random_tensor({offsets.back(), s.kv_heads * s.head_dim}, 3)},
              [=](const std::vector<Tensor>& x) { return attention(x[0], x[1], x[2], s, offsets, prefixes); },
              [=](const std::vector<Tensor>& x) { return attention_ref(x[0], x[1], x[2], s, offsets, prefixes); },
              2e-6,
              1e-5});
  });
}

TEST(FuzzedShapes, TokenLogprobs) {
  fuzz(5, [](Draws& draws) {
    const int64_t n = draws.size(1, 80), c = draws.size(1, 90), vocabulary = draws.size(1, 9000);
    const double temperature = draws.coin() ? 1.0 : 0.7;
    const Tensor targets = random_ids(n, vocabulary, 7);
    const auto head = [](const Tensor& weight) {
      LinearWeight w;
      w.weight = weight;
      return w;
    };
    check_op({fmt::format("[{}, {}] over {} at temperature {}", n, c, vocabulary, temperature),
              {random_tensor({n, c}, 1, 1 / std::sqrt(static_cast<double>(c))), random_tensor({vocabulary, c}, 2)},
              [=](const std::vector<Tensor>& x) { return token_logprobs(x[0], head(x[1]), targets, temperature); },
              [=](const std::vector<Tensor>& x) { return token_logprobs_ref(x[0], head(x[1]), targets, temperature); },
              2e-6,
              2e-5});
  });
}

// What enters a product is rounded, forward and backward; the only other error is that of float32 sums.
TEST(FuzzedShapes, BFloat16Products) {
  fuzz(6, [](Draws& draws) {
    const int64_t n = draws.size(1, 300), in = draws.size(1, 2300), out = draws.size(1, 300);
    SCOPED_TRACE(fmt::format("[{}, {}] to {}", n, in, out));
    const auto rounded = [](const Tensor& x) { return x.to(torch::kBFloat16).to(torch::kDouble); };
    const std::vector<Tensor> inputs{random_tensor({n, in}, 1), random_tensor({out, in}, 2)};
    const Tensor x = rounded(inputs[0]), weight = rounded(inputs[1]), cotangent = rounded(random_tensor({n, out}, 777));
    const OpResult exact{x.matmul(weight.t()), {cotangent.matmul(weight), cotangent.t().matmul(x)}};
    const OpCase::Function product = [](const std::vector<Tensor>& leaves) {
      LinearWeight w;
      w.weight = leaves[1], w.products = Products::kBFloat16;
      return linear(leaves[0], w);
    };
    const double size = std::sqrt(static_cast<double>(std::max({n, in, out})));
    on_every_instruction_set([&] {
      std::optional<OpResult> first;
      for (const int threads : {1, 2}) {
        const ThreadsForTest set(threads);
        const OpResult found = evaluate(product, inputs, torch::kFloat32);
        EXPECT_LE(error_against(found.value, exact.value), 1e-6 * size);
        for (size_t i = 0; i < 2; ++i)
          EXPECT_LE(error_against(found.gradients[i], exact.gradients[i]), 2e-6 * size) << "gradient " << i;
        if (!first) first = found;
        expect_same_bits(found.value, first->value, "value");
        for (size_t i = 0; i < 2; ++i) expect_same_bits(found.gradients[i], first->gradients[i], "gradient");
      }
    });
  });
}

TEST(FuzzedShapes, LowRankParts) {
  fuzz(7, [](Draws& draws) {
    const int64_t n = draws.size(1, 200), in = draws.size(1, 300), out = draws.size(1, 300), rank = draws.size(1, 40);
    const auto with = [](const auto& apply) {
      return [apply](const std::vector<Tensor>& x) {
        LinearWeight w;
        w.weight = x[1];
        LowRank part;
        part.a = x[2], part.b = x[3], part.scale = 1.5;
        w.low_rank = part;
        return apply(x[0], w);
      };
    };
    const double size = std::sqrt(static_cast<double>(std::max({n, in, out})));
    check_op({fmt::format("[{}, {}] to {}, rank {}", n, in, out, rank),
              {random_tensor({n, in}, 1), random_tensor({out, in}, 2), random_tensor({rank, in}, 3),
               random_tensor({out, rank}, 4)},
              with(linear),
              with(linear_ref),
              2e-6 * size,
              2e-6 * size});
  });
}

// Some rows of each sequence are in the cache, the others come: the bits of the whole sequence.
TEST(FuzzedShapes, CachedAttention) {
  fuzz(8, [](Draws& draws) {
    AttentionShape s;
    s.kv_heads = draws.size(1, 4);
    s.heads = s.kv_heads * draws.size(1, 4);
    s.head_dim = draws.size(1, 80);
    s.scale = static_cast<float>(1 / std::sqrt(static_cast<double>(s.head_dim)));
    s.window = draws.coin() ? 0 : draws.size(1, 60);
    Offsets whole{0}, begins{0}, rests{0};
    std::vector<int64_t> first_rows, last_rows;
    std::vector<CachePlace> at_begin, at_rest;
    const int64_t sequences = draws.size(1, 9);
    for (int64_t i = 0; i < sequences; ++i) {
      const int64_t past = draws.size(1, 90), fresh = draws.coin() ? 1 : draws.size(1, 40);
      for (int64_t row = 0; row < past + fresh; ++row)
        (row < past ? first_rows : last_rows).push_back(whole.back() + row);
      whole.push_back(whole.back() + past + fresh);
      begins.push_back(begins.back() + past);
      rests.push_back(rests.back() + fresh);
      at_begin.push_back({sequences - 1 - i, 0});
      at_rest.push_back({sequences - 1 - i, past});
    }
    SCOPED_TRACE(fmt::format("{} heads on {} of {}, window {}, offsets {}, cached {}", s.heads, s.kv_heads, s.head_dim,
                             s.window, fmt::join(whole, " "), fmt::join(begins, " ")));
    const std::vector<Tensor> qkv{random_tensor({whole.back(), s.heads * s.head_dim}, 1),
                                  random_tensor({whole.back(), s.kv_heads * s.head_dim}, 2),
                                  random_tensor({whole.back(), s.kv_heads * s.head_dim}, 3)};
    on_every_instruction_set([&] {
      const Tensor together = attention(qkv[0], qkv[1], qkv[2], s, whole);
      Tensor keys = torch::full({sequences, 131, s.kv_heads * s.head_dim}, NAN), values = keys.clone();
      for (const auto& [rows, offsets, places] :
           {std::tuple(&first_rows, &begins, &at_begin), std::tuple(&last_rows, &rests, &at_rest)}) {
        const Tensor which = int64_tensor(*rows);
        const auto part = [&](size_t i) { return qkv[i].index_select(0, which); };
        expect_same_bits(attention_cached(part(0), part(1), part(2), s, *offsets, *places, keys, values),
                         together.index_select(0, which), "attention");
      }
    });
  });
}

TEST(FuzzedShapes, VocabularyKl) {
  fuzz(9, [](Draws& draws) {
    const int64_t n = draws.size(1, 60), c = draws.size(1, 60), ref_c = draws.size(1, 60),
                  vocabulary = draws.size(2, 9000);
    const Tensor ref_hidden = random_tensor({n, ref_c}, 3), ref_weight = random_tensor({vocabulary, ref_c}, 4);
    const auto with = [=](const auto& apply) {
      return [=](const std::vector<Tensor>& x) {
        LinearWeight head, ref_head;
        head.weight = x[1], ref_head.weight = ref_weight;
        return apply(x[0], head, ref_hidden.to(x[0].scalar_type()), ref_head);
      };
    };
    const double scale = 1 / std::sqrt(static_cast<double>(c));
    check_op({fmt::format("[{}, {}] beside {} over {}", n, c, ref_c, vocabulary),
              {random_tensor({n, c}, 1, scale), random_tensor({vocabulary, c}, 2)},
              with(vocabulary_kl),
              with(vocabulary_kl_ref),
              4e-6,
              4e-5});
  });
}

TEST(FuzzedShapes, EmbeddingAndRotary) {
  fuzz(10, [](Draws& draws) {
    const int64_t n = draws.size(1, 200), vocabulary = draws.size(1, 300), heads = draws.size(1, 4),
                  half = draws.size(1, 40);
    const Tensor ids = random_ids(n, vocabulary, 5), positions = random_ids(n, 64, 6);
    check_op({fmt::format("{} rows of [{}, {}]", n, vocabulary, half),
              {random_tensor({vocabulary, half}, 1)},
              [=](const std::vector<Tensor>& x) { return embed_rows(x[0], ids); },
              [=](const std::vector<Tensor>& x) { return x[0].index_select(0, ids); },
              1e-7,
              2e-6});
    const Tensor angles =
        torch::arange(64, torch::kFloat32).unsqueeze(1) * (1.0 + torch::arange(half, torch::kFloat32)).reciprocal();
    const Tensor table = torch::cat({angles.cos(), angles.sin()}, 1);
    check_op({fmt::format("rotary [{}, {} x {}]", n, heads, 2 * half),
              {random_tensor({n, heads * 2 * half}, 1)},
              [=](const std::vector<Tensor>& x) { return rotary(x[0], positions, table, heads); },
              [=](const std::vector<Tensor>& x) { return rotary_ref(x[0], positions, table, heads); },
              1e-6,
              2e-6});
  });
}

}  // namespace
}  // namespace agro
