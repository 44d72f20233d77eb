#include "core/file_lock.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <utility>

#include "core/error.h"
#include "core/log.h"

namespace agro {
namespace {

// Locks of the open file description: unlike flock they can be asked about without being taken, unlike plain fcntl
// locks they hold within a process too.
struct ::flock whole_file(short type) {
  struct ::flock lock {};
  lock.l_type = type;
  lock.l_whence = SEEK_SET;
  return lock;
}

bool is_the_file_at(int fd, const Path& path) {
  struct stat opened {
  }, named{};
  return ::fstat(fd, &opened) == 0 && ::stat(path.c_str(), &named) == 0 && opened.st_dev == named.st_dev &&
         opened.st_ino == named.st_ino;
}

void write_owner(int fd) {
  const std::string owner = fmt::format("{}\n", ::getpid());
  if (::ftruncate(fd, 0) != 0 || ::pwrite(fd, owner.data(), owner.size(), 0) < 0)
    log_warning("file", "cannot write the process id into the lock: {}", std::strerror(errno));
}

bool is_locked_by_another(int fd) {
  struct ::flock lock = whole_file(F_RDLCK);
  return ::fcntl(fd, F_OFD_GETLK, &lock) == 0 && lock.l_type != F_UNLCK;
}

}  // namespace

std::optional<FileLock> FileLock::try_acquire(const Path& path) {
  for (;;) {
    const int fd = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
    if (fd < 0) throw fail("cannot create the lock file: {}", std::strerror(errno)).at(path.string());
    struct ::flock lock = whole_file(F_WRLCK);
    if (::fcntl(fd, F_OFD_SETLK, &lock) != 0) {
      if (errno == EAGAIN || errno == EACCES) {
        ::close(fd);
        return std::nullopt;
      }
      log_warning("file", "{}: this file system has no locks ({}): nothing keeps two processes apart", path.string(),
                  std::strerror(errno));
    } else if (!is_the_file_at(fd, path)) {  // its last owner removed it after we had opened it
      ::close(fd);
      continue;
    }
    write_owner(fd);
    return FileLock(path, fd);
  }
}

FileLock::FileLock(FileLock&& other) noexcept : path_(std::move(other.path_)), fd_(std::exchange(other.fd_, -1)) {}

FileLock& FileLock::operator=(FileLock&& other) noexcept {
  std::swap(path_, other.path_);
  std::swap(fd_, other.fd_);
  return *this;
}

FileLock::~FileLock() {
  if (fd_ < 0) return;
  if (is_the_file_at(fd_, path_)) ::unlink(path_.c_str());
  // Not only by closing: a child process that is being started may still have the descriptor.
  struct ::flock lock = whole_file(F_UNLCK);
  ::fcntl(fd_, F_OFD_SETLK, &lock);
  ::close(fd_);
}

bool is_locked(const Path& path) { return lock_holder(path).has_value(); }

std::optional<int> lock_holder(const Path& path) {
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return std::nullopt;
  std::optional<int> holder;
  if (is_locked_by_another(fd)) {
    std::array<char, 16> text{};
    const ssize_t size = ::pread(fd, text.data(), text.size(), 0);
    int id = 0;
    if (size > 0) std::from_chars(text.data(), text.data() + size, id);
    holder = id;
  }
  ::close(fd);
  return holder;
}

}  // namespace agro
