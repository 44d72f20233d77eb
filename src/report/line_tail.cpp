#include "report/line_tail.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <string>

#include "core/error.h"

namespace agro {
namespace {

constexpr size_t kChunk = size_t{1} << 18;
constexpr size_t kMaxLine = size_t{64} << 20;

/// Closes a descriptor on every way out.
struct Descriptor {
  int fd;
  ~Descriptor() {
    if (fd >= 0) ::close(fd);
  }
};

}  // namespace

void LineTail::read(const std::function<void(std::string_view, int64_t)>& visit) {
  const auto system_error = [&] { return fail("cannot read: {}", std::strerror(errno)).at(path_.string()); };
  const Descriptor file{::open(path_.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK)};
  if (file.fd < 0 && errno == ENOENT) return;
  struct stat info {};
  if (file.fd < 0 || ::fstat(file.fd, &info) != 0) throw system_error();
  if (!S_ISREG(info.st_mode)) throw Error("is not a regular file").at(path_.string());
  if (inode_ != 0 && (info.st_ino != inode_ || info.st_dev != device_)) return;  // replaced() says so from now on
  device_ = info.st_dev, inode_ = info.st_ino;

  std::string pending;  // what follows offset_
  for (;;) {
    const size_t known = pending.size();
    pending.resize(known + kChunk);
    const ssize_t size = ::pread(file.fd, pending.data() + known, kChunk, offset_ + static_cast<off_t>(known));
    if (size < 0) throw system_error();
    pending.resize(known + static_cast<size_t>(size));
    if (size == 0) return;

    size_t begin = 0;
    for (size_t end = known; (end = pending.find('\n', end)) != std::string::npos; begin = ++end) {
      try {
        visit(std::string_view(pending).substr(begin, end - begin), lines_ + 1);
      } catch (Error& error) {
        throw std::move(error).at(fmt::format("{}: line {}", path_.string(), lines_ + 1));
      }
      ++lines_;
      offset_ += static_cast<off_t>(end + 1 - begin);
    }
    pending.erase(0, begin);
    if (pending.size() > kMaxLine)
      throw fail("line {} is longer than {} MiB", lines_ + 1, kMaxLine >> 20).at(path_.string());
  }
}

bool LineTail::replaced() const {
  if (inode_ == 0) return false;
  struct stat info {};
  return ::stat(path_.c_str(), &info) != 0 || info.st_ino != inode_ || info.st_dev != device_ || info.st_size < offset_;
}

}  // namespace agro
