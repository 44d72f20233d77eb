#pragma once
// The run's figures as JSON lines: metrics.jsonl holds what the run computed, so that an interrupted and resumed run
// leaves the same bytes as an uninterrupted one; timings.jsonl holds whatever depends on the clock.
#include <cstdint>
#include <fstream>
#include <optional>

#include "core/file.h"
#include "core/json.h"

namespace agro {

/// Appends {"step": N, …} records to one file; every record is handed to the system before append() returns.
class StepLog {
 public:
  /// Starts an empty file, or, where `resumed_step` is given, keeps the records of the existing one up to that step
  /// (a last line cut short by a crash is dropped too). Throws Error on a damaged record or where it cannot be written.
  StepLog(const Path& path, std::optional<int64_t> resumed_step);

  /// `values` is an object; NaN and infinities are written as null. Throws Error where the disk is full.
  void append(int64_t step, const OrderedJson& values);

 private:
  Path path_;
  std::ofstream out_;
};

class MetricsWriter {
 public:
  /// Opens RUN/metrics.jsonl and RUN/timings.jsonl; see StepLog.
  explicit MetricsWriter(const Path& run_folder, std::optional<int64_t> resumed_step = std::nullopt)
      : metrics_(run_folder / "metrics.jsonl", resumed_step), timings_(run_folder / "timings.jsonl", resumed_step) {}

  /// Values that depend on config, data and seed alone.
  void write(int64_t step, const OrderedJson& values) { metrics_.append(step, values); }

  /// Seconds, tokens per second, memory.
  void write_timing(int64_t step, const OrderedJson& values) { timings_.append(step, values); }

 private:
  StepLog metrics_;
  StepLog timings_;
};

}  // namespace agro
