// Every operator at random shapes, against float64, on every instruction set, with one and two threads. The seed is
// printed; AGRO_FUZZ_SEED=… and AGRO_FUZZ_ROUNDS=… choose others.
#include <cmath>
#include <cstdlib>
#include <iostream>

#include "tensor/ops/activation.h"
#include "tensor/ops/attention.h"
#include "tensor/ops/linear.h"
#include "tensor/ops/norm.h"
#include "tensor/ops/op_case_test.h"
#include "tensor/ops/token_logprob.h"

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

}  // namespace
}  // namespace agro
