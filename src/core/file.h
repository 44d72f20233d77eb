#pragma once
// Files: memory-mapped reading, and writing that leaves either the old content or the new, never a part of it.
#include <cstddef>
#include <filesystem>
#include <functional>
#include <ostream>
#include <span>
#include <string>
#include <string_view>

namespace agro {

using Path = std::filesystem::path;

/// A read-only mapping of a whole file. Movable; the bytes live as long as the object.
class MappedFile {
 public:
  /// Throws Error if the file is missing, unreadable or not a regular file.
  explicit MappedFile(const Path& path);
  MappedFile(MappedFile&& other) noexcept;
  MappedFile& operator=(MappedFile&& other) noexcept;
  ~MappedFile();

  std::span<const std::byte> bytes() const { return {data_, size_}; }

 private:
  const std::byte* data_ = nullptr;
  size_t size_ = 0;
};

/// The whole file as a string. Throws Error if it cannot be read.
std::string read_file(const Path& path);

/// Calls `write` with a stream on a temporary file beside `path`, flushes it to disk and renames it over `path`.
/// On any failure (disk full, exception in `write`) the temporary is removed, `path` keeps its old content, and Error
/// is thrown.
void write_atomically(const Path& path, const std::function<void(std::ostream&)>& write);
void write_atomically(const Path& path, std::string_view content);

/// Calls `fill` with a fresh temporary folder beside `path`, syncs its files and renames it to `path`; a folder that
/// was there is replaced and removed only after the new one is in place. On failure the old folder survives untouched.
void replace_folder_atomically(const Path& path, const std::function<void(const Path&)>& fill);

/// Removes from `folder` (if it exists) the temporaries of the functions above whose process was killed. Not while
/// another thread writes there.
void remove_unfinished(const Path& folder);

}  // namespace agro
