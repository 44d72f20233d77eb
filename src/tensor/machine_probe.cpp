#include "tensor/machine_probe.h"

#include <sys/mman.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <memory>

#include "core/parallel.h"
#include "tensor/machine_probe_cpu.h"
#include "tensor/ops/matmul_cpu.h"
#include "tensor/torch_compat.h"

namespace agro {
namespace {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point begin) { return std::chrono::duration<double>(Clock::now() - begin).count(); }

/// Calls run() for about 25 ms and raises `best` to the highest rate at which it did its work, which it returns. Many
/// short measurements: on a busy machine some of them fall between the other programs.
template <class Run>
void keep_best(double& best, Run&& run) {
  const auto slice = Clock::now();
  do {
    const auto begin = Clock::now();
    const auto work = static_cast<double>(run());
    best = std::max(best, work / std::max(seconds_since(begin), 1e-9));
  } while (seconds_since(slice) < 0.025);
}

class ArithmeticProbe {
 public:
  /// Floating-point operations of all threads in about 2 ms.
  int64_t run() {
    std::vector<int64_t> operations(sinks_.size());
    parallel_for(static_cast<int64_t>(sinks_.size()), [&](int64_t i) {
      const auto thread = static_cast<size_t>(i);
      operations[thread] = multiply_add_chains(kRounds, &sinks_[thread]);
    });
    int64_t sum = 0;
    for (const int64_t count : operations) sum += count;
    return sum;
  }

 private:
  static constexpr int64_t kRounds = 800'000;  // of six cycles or more
  std::vector<float> sinks_ = std::vector<float>(static_cast<size_t>(thread_count()));
};

/// Memory that no cache holds, each thread's part touched by that thread.
class ReadProbe {
 public:
  explicit ReadProbe(const SystemFacts& system)
      : floats_(buffer_bytes(system) / 4), per_part_(floats_ / thread_count() / 256 * 256) {
    void* memory = std::aligned_alloc(kHugePage, static_cast<size_t>(floats_) * 4);
    if (memory == nullptr) throw std::bad_alloc();
    // Translating addresses would cost as much as reading; a refusal does not matter.
    ::madvise(memory, static_cast<size_t>(floats_) * 4, MADV_HUGEPAGE);
    buffer_.reset(static_cast<float*>(memory));
    parallel_for(thread_count(), [&](int64_t part) { std::fill_n(buffer_.get() + part * per_part_, per_part_, 1.0F); });
  }

  int64_t bytes() const { return floats_ * 4; }

  /// Reads the next piece of every thread's part and returns how many bytes that were.
  int64_t run() {
    const int64_t piece = std::min(kPiece, per_part_);
    if (at_ + piece > per_part_) at_ = 0;
    parallel_for(thread_count(), [&](int64_t part) {
      sums_[static_cast<size_t>(part)] = streamed_sum(piece, buffer_.get() + part * per_part_ + at_);
    });
    at_ += piece;
    return piece * thread_count() * 4;
  }

 private:
  static constexpr int64_t kHugePage = 2 << 20;
  static constexpr int64_t kPiece = 16 << 20;  // floats: several milliseconds

  static int64_t buffer_bytes(const SystemFacts& system) {
    constexpr int64_t kLeast = 64 << 20, kUsual = 256 << 20, kMost = 512 << 20;
    const int64_t wanted = std::clamp(4 * system.last_level_cache_bytes, kUsual, kMost);
    return std::max(kLeast, std::min(wanted, system.available_bytes / 4)) / kHugePage * kHugePage;
  }

  struct Free {
    void operator()(float* p) const { std::free(p); }
  };
  int64_t floats_, per_part_, at_ = 0;
  std::unique_ptr<float, Free> buffer_;
  std::vector<float> sums_ = std::vector<float>(static_cast<size_t>(thread_count()));
};

class ProductProbe {
 public:
  ProductProbe(int64_t m, int64_t n, int64_t k)
      : rate_{m, n, k},
        left_(static_cast<size_t>(m * k), 0.5F),
        right_(PackedMatrix::from_transposed(std::vector<float>(static_cast<size_t>(n * k), 0.25F).data(), n, k)),
        out_(static_cast<size_t>(m * n)) {}

  void run() {
    // As often as makes half a GFLOP: a single small product would measure how threads wake up.
    const int64_t flops = 2 * rate_.m * rate_.n * rate_.k, repeats = std::max<int64_t>(1, 500'000'000 / flops);
    double best = rate_.gflops * 1e9;
    keep_best(best, [&] {
      for (int64_t i = 0; i < repeats; ++i) matmul({left_.data(), rate_.m, rate_.k}, right_, out_.data(), rate_.n);
      return flops * repeats;
    });
    rate_.gflops = best / 1e9;
  }

  const ProductRate& rate() const { return rate_; }

 private:
  ProductRate rate_;
  std::vector<float> left_;
  PackedMatrix right_;
  std::vector<float> out_;
};

/// bfloat16 has no portable instructions in Highway 1.0: the nearest to a limit is oneDNN's product of large matrices,
/// which LibTorch calls.
class BFloat16Probe {
 public:
  explicit BFloat16Probe(const SystemFacts& system) {
    if (!has(system, InstructionSet::kAvx512Bf16) && !has(system, InstructionSet::kAmxBf16)) {
      note_ = "not measured: the CPU has no bfloat16 products";
    } else if (!at::hasMKLDNN()) {
      note_ = "not measured: this LibTorch was built without oneDNN";
    } else {
      note_ = fmt::format("LibTorch's oneDNN product {0}×{0}×{0}", kSize);
      left_ = torch::ones({kSize, kSize}, torch::kBFloat16);
      right_ = torch::ones({kSize, kSize}, torch::kBFloat16);
      at::mm(left_, right_);  // oneDNN compiles its kernel at the first call
    }
  }

  bool possible() const { return left_.defined(); }
  const std::string& note() const { return note_; }
  int64_t run() {
    at::mm(left_, right_);
    return 2 * kSize * kSize * kSize;
  }

 private:
  static constexpr int64_t kSize = 2048;
  Tensor left_, right_;
  std::string note_;
};

}  // namespace

MachineRates measure_machine(const MachineFacts& facts) {
  constexpr double kSeconds = 1.0;
  constexpr int kLeastRounds = 3, kMostRounds = 30;
  ArithmeticProbe arithmetic;
  ReadProbe reading(facts.system);
  BFloat16Probe bfloat16(facts.system);
  std::vector<ProductProbe> products;
  products.emplace_back(4096, 128, 128);
  products.emplace_back(2048, 1536, 576);

  MachineRates rates;
  double float32 = 0, half = 0;
  const auto begin = Clock::now();
  // Interleaved, so that a busy moment does not fall on one of them alone.
  while (rates.rounds < kLeastRounds || (rates.rounds < kMostRounds && seconds_since(begin) < kSeconds)) {
    ++rates.rounds;
    keep_best(float32, [&] { return arithmetic.run(); });
    for (ProductProbe& product : products) product.run();
    if (bfloat16.possible()) keep_best(half, [&] { return bfloat16.run(); });
    keep_best(rates.read_bytes_per_second, [&] { return reading.run(); });
  }
  rates.float32_gflops = float32 / 1e9;
  if (bfloat16.possible()) rates.bfloat16_gflops = half / 1e9;
  rates.bfloat16_note = bfloat16.note();
  rates.read_buffer_bytes = reading.bytes();
  for (const ProductProbe& product : products) rates.products.push_back(product.rate());
  return rates;
}

OrderedJson to_json(const MachineRates& rates) {
  OrderedJson json;
  json["rounds"] = rates.rounds;
  json["float32_gflops"] = rates.float32_gflops;
  json["bfloat16_gflops"] = rates.bfloat16_gflops ? OrderedJson(*rates.bfloat16_gflops) : OrderedJson();
  json["bfloat16_note"] = rates.bfloat16_note;
  json["read_bytes_per_second"] = rates.read_bytes_per_second;
  json["read_buffer_bytes"] = rates.read_buffer_bytes;
  json["products"] = OrderedJson::array();
  for (const ProductRate& product : rates.products)
    json["products"].push_back({{"m", product.m},
                                {"n", product.n},
                                {"k", product.k},
                                {"gflops", product.gflops},
                                {"share_of_peak", product.gflops / rates.float32_gflops}});
  return json;
}

}  // namespace agro
