#include "report/tensorboard_writer.h"

#include <bit>

#include "core/error.h"
#include "report/crc32c.h"

namespace agro {
namespace {

void append_little_endian(std::string& bytes, uint64_t value, int size) {
  for (int i = 0; i < size; ++i) bytes += static_cast<char>(value >> (8 * i) & 0xFF);
}

/// Protocol-buffer wire format, the few kinds that events need. Field numbers are those of TensorFlow's event.proto and
/// summary.proto.
class Message {
 public:
  Message& varint(int field, uint64_t value) {
    key(field, 0);
    append_varint(value);
    return *this;
  }
  Message& float64(int field, double value) {
    key(field, 1);
    append_little_endian(bytes_, std::bit_cast<uint64_t>(value), 8);
    return *this;
  }
  Message& float32(int field, float value) {
    key(field, 5);
    append_little_endian(bytes_, std::bit_cast<uint32_t>(value), 4);
    return *this;
  }
  Message& bytes(int field, std::string_view value) {
    key(field, 2);
    append_varint(value.size());
    bytes_ += value;
    return *this;
  }
  const std::string& encoded() const { return bytes_; }

 private:
  void key(int field, unsigned wire_type) { append_varint(static_cast<uint64_t>(field) << 3 | wire_type); }
  void append_varint(uint64_t value) {
    for (; value >= 0x80; value >>= 7) bytes_ += static_cast<char>((value & 0x7F) | 0x80);
    bytes_ += static_cast<char>(value);
  }

  std::string bytes_;
};

constexpr int kEventWallTime = 1, kEventStep = 2, kEventFileVersion = 3, kEventSummary = 5, kEventSessionLog = 7;
constexpr int kSummaryValue = 1, kValueTag = 1, kValueSimple = 2;
constexpr int kSessionStatus = 1, kSessionStart = 1;

std::string masked_crc(std::string_view data) {
  std::string bytes;
  append_little_endian(bytes, masked_crc32c(data), 4);
  return bytes;
}

Path unused_path(const Path& folder, double wall_time) {
  const std::string name = fmt::format("events.out.tfevents.{:010d}.agro", static_cast<int64_t>(wall_time));
  Path path = folder / name;
  for (int i = 1; std::filesystem::exists(path); ++i) path = folder / fmt::format("{}.{}", name, i);
  return path;
}

}  // namespace

TensorBoardWriter::TensorBoardWriter(const Path& run_folder, double wall_time, std::optional<int64_t> resumed_step) {
  std::filesystem::create_directories(run_folder);
  path_ = unused_path(run_folder, wall_time);
  out_.open(path_, std::ios::binary);
  if (!out_) throw fail("cannot create").at(path_.string());
  write_record(Message().float64(kEventWallTime, wall_time).bytes(kEventFileVersion, "brain.Event:2").encoded());
  if (resumed_step) {
    // A session start makes TensorBoard purge events of this and later steps.
    const Message start = Message().varint(kSessionStatus, kSessionStart);
    write_record(Message()
                     .float64(kEventWallTime, wall_time)
                     .varint(kEventStep, static_cast<uint64_t>(*resumed_step + 1))
                     .bytes(kEventSessionLog, start.encoded())
                     .encoded());
  }
}

void TensorBoardWriter::write(int64_t step, double wall_time, const Scalars& scalars) {
  Message values;
  for (const auto& [tag, value] : scalars) {
    const Message scalar = Message().bytes(kValueTag, tag).float32(kValueSimple, static_cast<float>(value));
    values.bytes(kSummaryValue, scalar.encoded());
  }
  write_record(Message()
                   .float64(kEventWallTime, wall_time)
                   .varint(kEventStep, static_cast<uint64_t>(step))
                   .bytes(kEventSummary, values.encoded())
                   .encoded());
}

void TensorBoardWriter::write_record(std::string_view event) {
  std::string length;
  append_little_endian(length, event.size(), 8);
  out_ << length << masked_crc(length) << event << masked_crc(event);
  out_.flush();
  if (!out_) throw fail("cannot write").at(path_.string()).hint("is the disk full?");
}

}  // namespace agro
