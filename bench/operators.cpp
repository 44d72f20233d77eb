#include "bench/operators.h"

#include <benchmark/benchmark.h>

#include <functional>
#include <map>

#include "bench/comparison.h"
#include "bench/ref/operators.h"
#include "tensor/ops/activation.h"
#include "tensor/ops/adamw_cpu.h"
#include "tensor/ops/attention.h"
#include "tensor/ops/linear.h"
#include "tensor/ops/norm.h"
#include "tensor/ops/token_logprob.h"

namespace agro {
namespace {

const std::string kOurs = "agro", kReference = "LibTorch";

/// Registers both ways of one operator under "NAME|agro" and "NAME|LibTorch".
void compare(const std::string& name, const std::function<void()>& ours, const std::function<void()>& reference) {
  for (const auto& [who, work] : {std::pair{kOurs, ours}, std::pair{kReference, reference}})
    benchmark::RegisterBenchmark((name + "|" + who).c_str(),
                                 [w = work](benchmark::State& state) {
                                   for ([[maybe_unused]] auto _ : state) w();
                                 })
        ->UseRealTime()
        ->Unit(benchmark::kMicrosecond);
}

Tensor leaf(std::initializer_list<int64_t> shape) { return torch::randn(shape).set_requires_grad(true); }

/// Forward and backward pass of f over its leaves, whose gradients are dropped.
template <class F>
std::function<void()> with_backward(std::vector<Tensor> leaves, F f) {
  return [leaves, f, cotangent = f().detach().clone()] {
    f().backward(cotangent);
    for (const Tensor& x : leaves) x.mutable_grad() = Tensor();
  };
}

LinearWeight weight_of(const Tensor& weight, Products products = Products::kFloat32) {
  LinearWeight w;
  w.weight = weight;
  w.products = products;
  return w;
}

void add_products() {
  // Rows, outputs, inputs: prefill and training of two sizes, decoding, then a vocabulary.
  for (const auto& [m, n, k] : {std::array<int64_t, 3>{4096, 128, 128},
                                {2048, 1536, 576},
                                {64, 576, 576},
                                {8, 576, 576},
                                {1, 576, 576},
                                {64, 49152, 576}}) {
    const Tensor x = torch::randn({m, k}), w = torch::randn({n, k});
    for (const Products products : {Products::kFloat32, Products::kBFloat16})
      compare(
          fmt::format("product {}x{}x{}{}", m, n, k, products == Products::kBFloat16 ? ", bfloat16" : ""),
          [x, p = weight_of(w, products)] { benchmark::DoNotOptimize(linear(x, p)); },
          [x, w] { benchmark::DoNotOptimize(at::linear(x, w)); });
  }
  for (const auto& [m, n, k] : {std::array<int64_t, 3>{4096, 344, 128}, {512, 1536, 576}}) {
    const Tensor x = leaf({m, k}), w = leaf({n, k});
    for (const Products products : {Products::kFloat32, Products::kBFloat16})
      compare(
          fmt::format("linear {}x{}x{}, with backward{}", m, n, k, products == Products::kBFloat16 ? ", bfloat16" : ""),
          with_backward({x, w}, [x, p = weight_of(w, products)] { return linear(x, p); }),
          with_backward({x, w}, [x, w] { return at::linear(x, w); }));
  }
}

void add_rows() {
  const Tensor x = leaf({4096, 128}), w = leaf({128});
  compare("rms_norm 4096x128, with backward", with_backward({x, w}, [x, w] { return rms_norm(x, w, 1e-5); }),
          with_backward({x, w}, [x, w] { return plain_rms_norm(x, w, 1e-5); }));
  const Tensor gate = leaf({4096, 344}), up = leaf({4096, 344});
  compare("swiglu 4096x344, with backward",
          with_backward({gate, up}, [gate, up] { return gated_activation(gate, up, Activation::kSilu); }),
          with_backward({gate, up}, [gate, up] { return plain_swiglu(gate, up); }));
}

void add_attention() {
  constexpr int64_t kB = 64, kH = 4, kT = 64, kD = 32;
  const AttentionShape shape{kH, kH, kD, 0.176776695F};
  Offsets packed{0}, single{0};
  std::vector<CachePlace> places;
  for (int64_t s = 0; s < kB; ++s) {
    packed.push_back((s + 1) * kT);
    single.push_back(s + 1);
    places.push_back({s, kT - 1});
  }
  const Tensor q = leaf({kB * kT, kH * kD}), k = leaf({kB * kT, kH * kD}), v = leaf({kB * kT, kH * kD});
  const Tensor bq = leaf({kB, kH, kT, kD}), bk = leaf({kB, kH, kT, kD}), bv = leaf({kB, kH, kT, kD}),
               mask = causal_mask(kT);
  compare("attention 64 x 64 rows, with backward",
          with_backward({q, k, v}, [=] { return attention(q, k, v, shape, packed); }),
          with_backward({bq, bk, bv}, [=] { return plain_attention(bq, bk, bv, mask); }));

  // A prompt of 256 with 8 responses of 64; the reference repeats the prompt.
  constexpr int64_t kN = 8, kPrompt = 256, kRows = kPrompt + kN * kT;
  Offsets group{0, kPrompt};
  for (int64_t s = 0; s < kN; ++s) group.push_back(kPrompt + (s + 1) * kT);
  Prefixes prefixes(kN + 1, 0);
  prefixes[0] = -1;
  const Tensor gq = leaf({kRows, kH * kD}), gk = leaf({kRows, kH * kD}), gv = leaf({kRows, kH * kD});
  const Tensor rq = leaf({kN, kH, kPrompt + kT, kD}), rk = leaf({kN, kH, kPrompt + kT, kD}),
               rv = leaf({kN, kH, kPrompt + kT, kD}), long_mask = causal_mask(kPrompt + kT);
  compare("attention 256 + 8 x 64 rows, with backward",
          with_backward({gq, gk, gv}, [=] { return attention(gq, gk, gv, shape, group, prefixes); }),
          with_backward({rq, rk, rv}, [=] { return plain_attention(rq, rk, rv, long_mask); }));

  const Tensor one = torch::randn({kB, kH * kD}), batched = one.view({kB, kH, 1, kD});
  Tensor keys = torch::randn({kB, kT, kH * kD}), values = torch::randn({kB, kT, kH * kD});
  const Tensor plain_keys = torch::randn({kB, kH, kT, kD}), plain_values = torch::randn({kB, kH, kT, kD});
  compare(
      "attention of 64 new rows over 64 cached",
      [=]() mutable { benchmark::DoNotOptimize(attention_cached(one, one, one, shape, single, places, keys, values)); },
      [=] {
        plain_keys.narrow(2, kT - 1, 1).copy_(batched);
        plain_values.narrow(2, kT - 1, 1).copy_(batched);
        benchmark::DoNotOptimize(plain_decode_attention(batched, plain_keys, plain_values, kT));
      });
}

void add_heads() {
  for (const auto& [n, c, vocabulary] : {std::array<int64_t, 3>{4096, 128, 256}, {256, 576, 49152}}) {
    const Tensor hidden = leaf({n, c}), w = leaf({vocabulary, c}),
                 targets = torch::randint(vocabulary, {n}, torch::kInt64);
    compare(fmt::format("token log-probs {}x{} over {}, with backward", n, c, vocabulary),
            with_backward({hidden, w}, [=, p = weight_of(w)] { return token_logprobs(hidden, p, targets); }),
            with_backward({hidden, w}, [=] { return plain_token_logprobs(hidden, w, targets); }));
  }
}

void add_adamw() {
  constexpr int64_t kParameters = 840'000;
  const Tensor g = torch::randn({kParameters}), w = torch::randn({kParameters}), m = torch::zeros({kParameters}),
               v = torch::zeros({kParameters});
  const AdamwStep step{.learning_rate = 1e-3F, .weight_decay = 0.1F};
  compare(
      "AdamW of 840000 parameters",
      [=] {
        adamw_step(step, kParameters, read_pointer<float>(g), write_pointer<float>(w), write_pointer<float>(m),
                   write_pointer<float>(v));
      },
      [=] {
        const torch::NoGradGuard no_grad;
        w.mul_(1 - 1e-4);
        m.mul_(0.9).add_(g, 0.1);
        v.mul_(0.999).addcmul_(g, g, 0.001);
        w.addcdiv_(m, v.sqrt().add_(1e-8), -1e-3);
      });
}

/// Keeps the microseconds of every repetition by benchmark name.
class Collector : public benchmark::BenchmarkReporter {
 public:
  bool ReportContext(const Context&) override { return true; }
  void ReportRuns(const std::vector<Run>& runs) override {
    for (const Run& run : runs) {
      if (run.run_type != Run::RT_Iteration) continue;
      const std::string& full = run.run_name.function_name;
      const size_t bar = full.find('|');
      const std::string name = full.substr(0, bar);
      if (!times_.contains(name)) order_.push_back(name);
      times_[name][full.substr(bar + 1)].push_back(run.GetAdjustedRealTime());
    }
  }
  std::string table() {
    std::sort(order_.begin(), order_.end());
    Comparison comparison("microseconds");
    for (const std::string& name : order_) comparison.add(name, times_[name][kOurs], times_[name][kReference]);
    return comparison.text();
  }

 private:
  std::vector<std::string> order_;
  std::map<std::string, std::map<std::string, std::vector<double>>> times_;
};

}  // namespace

std::string compare_operators() {
  add_products();
  add_rows();
  add_attention();
  add_heads();
  add_adamw();
  Collector collector;
  benchmark::RunSpecifiedBenchmarks(&collector);
  return collector.table();
}

}  // namespace agro
