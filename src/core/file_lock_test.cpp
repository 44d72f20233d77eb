#include "core/file_lock.h"

#include <gmock/gmock.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>

#include "core/error.h"
#include "core/test_folder.h"

namespace agro {
namespace {

using testing::HasSubstr;
using testing::ThrowsMessage;

class FileLockTest : public TestFolder {
 protected:
  Path path() const { return folder_ / "lock"; }
};

/// A process that takes a lock and holds it until it is killed.
class Holder {
 public:
  explicit Holder(const Path& path) {
    std::array<int, 2> pipe{};
    if (::pipe(pipe.data()) != 0) return;
    id_ = ::fork();
    if (id_ == 0) {
      const auto lock = FileLock::try_acquire(path);
      const char answer = lock ? '1' : '0';
      if (::write(pipe[1], &answer, 1) != 1) ::_exit(1);
      for (;;) ::pause();
    }
    char answer = '0';
    holds_ = ::read(pipe[0], &answer, 1) == 1 && answer == '1';
    ::close(pipe[0]);
    ::close(pipe[1]);
  }
  Holder(const Holder&) = delete;
  ~Holder() { kill(); }

  bool holds() const { return holds_; }
  pid_t id() const { return id_; }
  void kill() {
    if (id_ <= 0) return;
    ::kill(id_, SIGKILL);
    ::waitpid(id_, nullptr, 0);
    id_ = 0;
  }

 private:
  pid_t id_ = 0;
  bool holds_ = false;
};

TEST_F(FileLockTest, OneProcessAtATime) {
  Holder other(path());
  ASSERT_TRUE(other.holds());
  EXPECT_EQ(lock_holder(path()), other.id());
  EXPECT_FALSE(FileLock::try_acquire(path()));
  other.kill();
  EXPECT_TRUE(std::filesystem::exists(path()));
  EXPECT_FALSE(is_locked(path()));
  const auto own = FileLock::try_acquire(path());
  ASSERT_TRUE(own);
  EXPECT_EQ(lock_holder(path()), ::getpid());
  EXPECT_FALSE(Holder(path()).holds());
}

TEST_F(FileLockTest, OneOwnerWithinAProcess) {
  auto first = FileLock::try_acquire(path());
  ASSERT_TRUE(first);
  EXPECT_FALSE(FileLock::try_acquire(path()));
  FileLock moved = std::move(*first);
  first.reset();
  EXPECT_TRUE(is_locked(path()));
}

TEST_F(FileLockTest, LeavesNothingBehind) {
  EXPECT_FALSE(is_locked(path()));
  EXPECT_TRUE(FileLock::try_acquire(path()));
  EXPECT_FALSE(std::filesystem::exists(path()));
}

TEST_F(FileLockTest, AskingDoesNotTakeIt) {
  const auto lock = FileLock::try_acquire(path());
  ASSERT_TRUE(lock);
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(is_locked(path()));
}

TEST_F(FileLockTest, ARemovedFileIsNotTakenForTheOwners) {
  auto first = FileLock::try_acquire(path());
  std::filesystem::remove(path());
  const auto second = FileLock::try_acquire(path());
  ASSERT_TRUE(second);
  first.reset();
  EXPECT_TRUE(is_locked(path()));
}

TEST_F(FileLockTest, SaysWhyItCannotBeCreated) {
  EXPECT_THAT([&] { FileLock::try_acquire(folder_ / "absent/lock"); },
              ThrowsMessage<Error>(HasSubstr("absent/lock: cannot create the lock file: No such file")));
}

}  // namespace
}  // namespace agro
