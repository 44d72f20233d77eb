#include "core/memory.h"

#include <gtest/gtest.h>

#include <fstream>
#include <numeric>

#include "core/test_folder.h"

namespace agro {
namespace {

class Memory : public TestFolder {
 protected:
  /// Resident pages of mapped files, from /proc/self/statm.
  static int64_t resident_file_pages() {
    std::ifstream in("/proc/self/statm");
    int64_t size = 0, resident = 0, shared = 0;
    in >> size >> resident >> shared;
    return shared;
  }
};

TEST_F(Memory, ForgottenPagesAreReadAgain) {
  constexpr size_t kBytes = 32 << 20;
  constexpr int64_t kPages = kBytes / 4096;
  write_atomically(folder_ / "file", std::string(kBytes, 'a'));
  const MappedFile file(folder_ / "file");
  const auto sum = [&] {
    return std::accumulate(file.bytes().begin(), file.bytes().end(), int64_t{0},
                           [](int64_t s, std::byte b) { return s + static_cast<int64_t>(b); });
  };
  const int64_t expected = int64_t{'a'} * static_cast<int64_t>(kBytes);
  EXPECT_EQ(sum(), expected);
  const int64_t before = resident_file_pages();
  forget_pages(file.bytes());
  EXPECT_LT(resident_file_pages(), before - kPages / 2);
  EXPECT_EQ(sum(), expected);
  forget_pages({});
}

}  // namespace
}  // namespace agro
