#pragma once
// TensorBoard event files (scalars), written without TensorFlow or protobuf: TFRecord framing with masked CRC-32C
// around Event messages encoded by hand.
#include <cstdint>
#include <fstream>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/file.h"

namespace agro {

using Scalars = std::vector<std::pair<std::string, double>>;  // tag ("train/reward") and value

class TensorBoardWriter {
 public:
  /// Creates RUN/events.out.tfevents.SECONDS.agro (a number is appended where that exists). `wall_time` is in seconds
  /// since 1970. On resuming, tells TensorBoard to forget what earlier files of the folder say after `resumed_step`.
  TensorBoardWriter(const Path& run_folder, double wall_time, std::optional<int64_t> resumed_step = std::nullopt);

  /// One event with all scalars (stored as float32; NaN and infinities are kept). Handed to the system before it
  /// returns. Throws Error where the disk is full.
  void write(int64_t step, double wall_time, const Scalars& scalars);

  const Path& path() const { return path_; }

 private:
  void write_record(std::string_view event);

  Path path_;
  std::ofstream out_;
};

}  // namespace agro
