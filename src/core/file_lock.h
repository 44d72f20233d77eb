#pragma once
// A lock that says "a process is at work here" and ends with that process, however it ends.
#include <optional>
#include <string>

#include "core/file.h"

namespace agro {

/// An exclusive lock on a file. The file is created for it and removed with it; after a kill -9 a file without a lock
/// is left, which the next owner takes over.
class FileLock {
 public:
  /// nullopt where somebody else holds it: another process, or another FileLock of this one. On a file system without
  /// locks it is granted with a warning. Throws Error where the file cannot be created.
  static std::optional<FileLock> try_acquire(const Path& path);

  FileLock(FileLock&& other) noexcept;
  FileLock& operator=(FileLock&& other) noexcept;
  ~FileLock();

 private:
  FileLock(Path path, int fd) : path_(std::move(path)), fd_(fd) {}
  Path path_;
  int fd_ = -1;
};

/// Whether somebody holds the lock. Only asks: a look never keeps anybody from acquiring it.
bool is_locked(const Path& path);

/// Process id of the holder, for messages; nullopt where nobody holds it.
std::optional<int> lock_holder(const Path& path);

}  // namespace agro
