#include "core/file.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <cstring>
#include <fstream>
#include <sstream>
#include <utility>
#include <vector>

#include "core/error.h"

namespace agro {
namespace {

std::string errno_text() { return std::strerror(errno); }

/// Closes a descriptor on every way out.
struct Descriptor {
  int fd;
  ~Descriptor() {
    if (fd >= 0) ::close(fd);
  }
};

void sync_path(const Path& path) {
  Descriptor d{::open(path.c_str(), O_RDONLY | O_CLOEXEC)};
  if (d.fd < 0 || ::fsync(d.fd) != 0) throw fail("cannot flush to disk: {}", errno_text()).at(path.string());
}

Path beside(const Path& path, std::string_view mark) {
  return path.parent_path() / fmt::format(".{}{}{}", path.filename().string(), mark, ::getpid());
}

constexpr std::string_view kTemporary = ".tmp-", kRetired = ".old-";

/// Whether the name was made by beside() in a process that is no more (or by a namesake of ours).
bool is_unfinished(const std::string& name) {
  for (const std::string_view mark : {kTemporary, kRetired}) {
    const size_t at = name.rfind(mark);
    if (!name.starts_with('.') || at == std::string::npos) continue;
    pid_t owner = 0;
    const char* const end = name.data() + name.size();
    if (std::from_chars(name.data() + at + mark.size(), end, owner).ptr != end || owner <= 0) continue;
    if (owner == ::getpid() || (::kill(owner, 0) != 0 && errno == ESRCH)) return true;
  }
  return false;
}

}  // namespace

MappedFile::MappedFile(const Path& path) {
  Descriptor d{::open(path.c_str(), O_RDONLY | O_CLOEXEC)};
  if (d.fd < 0) throw fail("cannot open: {}", errno_text()).at(path.string());
  struct stat info {};
  if (::fstat(d.fd, &info) != 0 || !S_ISREG(info.st_mode)) throw fail("is not a regular file").at(path.string());
  size_ = static_cast<size_t>(info.st_size);
  if (size_ == 0) return;
  void* mapped = ::mmap(nullptr, size_, PROT_READ, MAP_PRIVATE, d.fd, 0);
  if (mapped == MAP_FAILED) throw fail("cannot map into memory: {}", errno_text()).at(path.string());
  data_ = static_cast<const std::byte*>(mapped);
}

MappedFile::MappedFile(MappedFile&& other) noexcept
    : data_(std::exchange(other.data_, nullptr)), size_(std::exchange(other.size_, 0)) {}

MappedFile& MappedFile::operator=(MappedFile&& other) noexcept {
  std::swap(data_, other.data_);
  std::swap(size_, other.size_);
  return *this;
}

MappedFile::~MappedFile() {
  if (data_ != nullptr) ::munmap(const_cast<std::byte*>(data_), size_);
}

std::string read_file(const Path& path) {
  MappedFile file(path);
  auto bytes = file.bytes();
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

void write_atomically(const Path& path, const std::function<void(std::ostream&)>& write) {
  const Path temporary = beside(path, kTemporary);
  try {
    if (path.has_parent_path()) std::filesystem::create_directories(path.parent_path());
    std::ofstream out(temporary, std::ios::binary | std::ios::trunc);
    if (!out) throw fail("cannot create: {}", errno_text());
    write(out);
    out.flush();
    if (!out) throw fail("cannot write: {}", errno_text()).hint("is the disk full?");
    out.close();
    sync_path(temporary);
    std::filesystem::rename(temporary, path);
  } catch (Error& error) {
    std::error_code ignored;
    std::filesystem::remove(temporary, ignored);
    throw std::move(error).at(path.string());
  } catch (const std::exception& error) {
    std::error_code ignored;
    std::filesystem::remove(temporary, ignored);
    throw fail("cannot write: {}", error.what()).at(path.string());
  }
}

void write_atomically(const Path& path, std::string_view content) {
  write_atomically(path,
                   [&](std::ostream& out) { out.write(content.data(), static_cast<std::streamsize>(content.size())); });
}

void replace_folder_atomically(const Path& folder, const std::function<void(const Path&)>& fill) {
  namespace fs = std::filesystem;
  const Path path = folder.has_filename() ? folder : folder.parent_path();  // "out/" means "out"
  const Path temporary = beside(path, kTemporary);
  const Path retired = beside(path, kRetired);
  std::error_code ignored;
  fs::remove_all(temporary, ignored);
  try {
    if (path.has_parent_path()) fs::create_directories(path.parent_path());
    fs::create_directory(temporary);
    fill(temporary);
    for (const auto& entry : fs::recursive_directory_iterator(temporary))
      if (entry.is_regular_file()) sync_path(entry.path());
    if (fs::exists(path)) {
      // One system call swaps the two names, so that a crash never leaves `path` missing.
      if (::renameat2(AT_FDCWD, temporary.c_str(), AT_FDCWD, path.c_str(), RENAME_EXCHANGE) == 0) {
        fs::remove_all(temporary, ignored);
      } else {
        fs::rename(path, retired);
        std::error_code failed;
        fs::rename(temporary, path, failed);
        if (failed) {
          fs::rename(retired, path);
          throw fs::filesystem_error("rename", temporary, path, failed);
        }
        fs::remove_all(retired, ignored);
      }
    } else {
      fs::rename(temporary, path);
    }
  } catch (Error& error) {
    fs::remove_all(temporary, ignored);
    throw std::move(error);
  } catch (const std::exception& error) {
    fs::remove_all(temporary, ignored);
    throw fail("cannot write the folder: {}", error.what()).at(path.string());
  }
}

void remove_unfinished(const Path& folder) {
  std::error_code ignored;
  std::vector<Path> unfinished;
  for (const auto& entry : std::filesystem::directory_iterator(folder, ignored))
    if (is_unfinished(entry.path().filename().string())) unfinished.push_back(entry.path());
  for (const Path& path : unfinished) std::filesystem::remove_all(path, ignored);
}

}  // namespace agro
