#pragma once
// Single operators beside plain LibTorch, on Google Benchmark.
#include <string>

namespace agro {

/// Runs all repetitions of all operators in random order and returns the table of microseconds per call.
std::string compare_operators();

}  // namespace agro
