#pragma once
// Owner of one file descriptor, and pipes made of them.
#include <utility>

namespace agro {

class FileDescriptor {
 public:
  FileDescriptor() = default;
  explicit FileDescriptor(int value) : value_(value) {}
  FileDescriptor(FileDescriptor&& other) noexcept : value_(std::exchange(other.value_, -1)) {}
  FileDescriptor& operator=(FileDescriptor&& other) noexcept {
    std::swap(value_, other.value_);
    return *this;
  }
  ~FileDescriptor() { close(); }

  int get() const { return value_; }
  bool is_open() const { return value_ >= 0; }
  void close() noexcept;

 private:
  int value_ = -1;
};

struct Pipe {
  FileDescriptor read_end, write_end;
};

/// A pipe that started programs do not inherit; both numbers are above those of the standard streams, so that wiring
/// up a child's streams cannot overwrite them. Throws Error when the system has none left.
Pipe make_pipe();

/// Makes reads and writes return at once. Throws Error on failure.
void set_non_blocking(const FileDescriptor& descriptor);

}  // namespace agro
