#pragma once
// What an end-to-end bench is, and the list of all. Each is a file here with one function; it first checks that the two
// ways it compares compute the same, and throws Error where they do not.
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "bench/end_to_end/measure.h"
#include "core/file.h"
#include "tensor/machine_probe.h"

namespace agro {

/// What the machine, or the mathematics, allows at most.
struct Limit {
  std::string name;  // "float32 peak"
  double rate = 0;   // units of the line's work per second
};

/// What a line must reach; none where nothing was asked.
struct Aim {
  std::optional<double> ratio{};  // of ours to the reference
  std::optional<double> share{};  // of the limit
};

/// Speed beside a reference.
struct Line {
  std::string name;
  std::string unit;  // of one unit of work: "tokens"
  Rounds rounds;
  std::optional<Limit> limit;
  Aim aim;
  std::string ours = "agro", reference = "LibTorch";
};

/// Median speed as a share of the limit's.
double share_of_limit(const Line& line);

/// Something measured that is no speed.
struct Figure {
  std::string name, unit;
  double value = 0, whole = 0;   // value as a share of what
  std::string whole_name;        // "of the float32 logits"
  std::optional<double> most{};  // aim: the share must be below
};

/// Time of agro alone at growing size.
struct Growth {
  std::string name;  // "sequence length"
  struct Size {
    int64_t size = 0;
    double seconds = 0;     // median
    double operations = 0;  // floating-point, by formula (limits.h)
  };
  std::vector<Size> sizes;
};

struct BenchResult {
  std::vector<Line> lines;
  std::vector<Figure> figures;
  std::vector<Growth> growths;
  std::vector<std::string> notes;  // what was compared, in a sentence each
};

/// What a bench is given.
struct BenchRun {
  int rounds = 1;
  MachineRates rates;
  Path repository;  // where models/wordmath is; empty where it was not found
};

struct Bench {
  std::string_view name, what;
  int rounds;  // unless the user says otherwise
  BenchResult (*run)(const BenchRun&);
};

/// In the order in which they run.
std::span<const Bench> all_benches();

BenchResult bench_training(const BenchRun& run);
BenchResult bench_sampling(const BenchRun& run);
BenchResult bench_smollm(const BenchRun& run);
BenchResult bench_shared_prompts(const BenchRun& run);
BenchResult bench_ragged(const BenchRun& run);
BenchResult bench_logprob(const BenchRun& run);
BenchResult bench_rl_step(const BenchRun& run);
BenchResult bench_growth(const BenchRun& run);

/// Throws Error unless |ours − reference| ≤ tolerance · |reference|: the two do not compute the same, so comparing
/// their speed would mean nothing.
void expect_close(double ours, double reference, double tolerance, std::string_view what);

/// The same for an absolute difference.
void expect_near(double ours, double reference, double tolerance, std::string_view what);

}  // namespace agro
