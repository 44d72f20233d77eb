#pragma once
// How fast the machine is, measured: the limits of arithmetic and memory, and how near our matrix product comes.
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/json.h"
#include "tensor/machine_report.h"

namespace agro {

/// [m, k] · [k, n], float32, right-hand side packed beforehand.
struct ProductRate {
  int64_t m, n, k;
  double gflops = 0;
};

/// All threads together, the best of several interleaved rounds; other programs make it less.
struct MachineRates {
  double float32_gflops = 0;  // multiply-adds in registers: the limit of float32 arithmetic
  std::optional<double> bfloat16_gflops;
  std::string bfloat16_note;  // how it was measured, or why it was not
  double read_bytes_per_second = 0;
  int64_t read_buffer_bytes = 0;
  std::vector<ProductRate> products;
  int rounds = 0;
};

/// Takes about two seconds and up to half a GiB of memory. Call outside any parallel region.
MachineRates measure_machine(const MachineFacts& facts);

OrderedJson to_json(const MachineRates& rates);

}  // namespace agro
