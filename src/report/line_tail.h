#pragma once
// The lines of a file that somebody else is still writing, each handed out once.
#include <sys/types.h>

#include <cstdint>
#include <functional>
#include <string_view>

#include "core/file.h"

namespace agro {

class LineTail {
 public:
  explicit LineTail(Path path) : path_(std::move(path)) {}

  /// Calls `visit(line, number)` for every complete line that was appended since the last call (the first: for all),
  /// numbered from 1, in bounded memory. A last line without its end waits for the next call; a missing file, or one
  /// that has been replaced, has no lines. An Error of `visit` gains the place, and that line comes again. Throws Error
  /// where the file cannot be read or a line exceeds 64 MiB.
  void read(const std::function<void(std::string_view, int64_t)>& visit);

  /// Whether lines already handed out are gone: the file was cut, replaced or removed.
  bool replaced() const;

 private:
  Path path_;
  off_t offset_ = 0;  // behind the last line handed out
  int64_t lines_ = 0;
  dev_t device_ = 0;
  ino_t inode_ = 0;  // of the file that was read; 0 before
};

}  // namespace agro
