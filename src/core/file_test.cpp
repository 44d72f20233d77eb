#include "core/file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <stdexcept>
#include <utility>
#include <vector>

#include "core/error.h"
#include "core/test_disk.h"
#include "core/test_folder.h"

namespace agro {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::ThrowsMessage;

class FileTest : public TestFolder {
 protected:
  std::vector<std::string> names() const {
    std::vector<std::string> found;
    for (const auto& entry : std::filesystem::directory_iterator(folder_)) found.push_back(entry.path().filename());
    std::sort(found.begin(), found.end());
    return found;
  }
};

TEST_F(FileTest, ReadsBackWhatItWrote) {
  const std::string bytes("a\0b\r\n\xFF", 6);
  write_atomically(folder_ / "new" / "sub" / "x.bin", bytes);
  EXPECT_EQ(read_file(folder_ / "new" / "sub" / "x.bin"), bytes);
}

TEST_F(FileTest, MapsEmptyFilesAndMoves) {
  write_atomically(folder_ / "empty", "");
  EXPECT_EQ(MappedFile(folder_ / "empty").bytes().size(), 0U);
  write_atomically(folder_ / "full", "12345");
  MappedFile first(folder_ / "full");
  const std::byte* data = first.bytes().data();
  MappedFile second(std::move(first));
  MappedFile third(folder_ / "empty");
  third = std::move(second);
  EXPECT_EQ(third.bytes().data(), data);
  EXPECT_EQ(third.bytes().size(), 5U);
}

TEST_F(FileTest, ReadingNamesTheFileAndTheReason) {
  EXPECT_THAT([&] { read_file(folder_ / "absent.json"); },
              ThrowsMessage<Error>(AllOf(HasSubstr("absent.json"), HasSubstr("No such file"))));
  EXPECT_THAT([&] { read_file(folder_); }, ThrowsMessage<Error>(HasSubstr("is not a regular file")));
}

TEST_F(FileTest, AWriterThatThrowsLeavesTheOldContentAndNoRest) {
  write_atomically(folder_ / "x", "old");
  const auto write_half = [&](auto exception) {
    write_atomically(folder_ / "x", [&](std::ostream& out) {
      out << "half of the n" << std::flush;
      throw exception;
    });
  };
  EXPECT_THAT([&] { write_half(fail("bad row")); },
              ThrowsMessage<Error>(AllOf(HasSubstr("/x: "), HasSubstr("bad row"))));
  EXPECT_THAT([&] { write_half(std::runtime_error("odd")); },
              ThrowsMessage<Error>(AllOf(HasSubstr("/x: "), HasSubstr("cannot write: odd"))));
  EXPECT_EQ(read_file(folder_ / "x"), "old");
  EXPECT_THAT(names(), ElementsAre("x"));
}

TEST_F(FileTest, AFullDiskLeavesTheOldContentAndNoRest) {
  write_atomically(folder_ / "x", "old");
  {
    FileSizeLimit limit(65536);
    EXPECT_THAT([&] { write_atomically(folder_ / "x", std::string(1 << 20, 'n')); },
                ThrowsMessage<Error>(AllOf(HasSubstr("/x: cannot write"), HasSubstr("hint: is the disk full?"))));
  }
  EXPECT_EQ(read_file(folder_ / "x"), "old");
  EXPECT_THAT(names(), ElementsAre("x"));
}

TEST_F(FileTest, AParentThatIsAFileIsAnError) {
  write_atomically(folder_ / "x", "old");
  EXPECT_THAT([&] { write_atomically(folder_ / "x" / "y", "new"); }, ThrowsMessage<Error>(HasSubstr("/x/y: ")));
  EXPECT_THAT([&] { replace_folder_atomically(folder_ / "x" / "y", [](const Path&) {}); },
              ThrowsMessage<Error>(HasSubstr("/x/y: ")));
  EXPECT_EQ(read_file(folder_ / "x"), "old");
}

TEST_F(FileTest, ReplacesAFolderAsAWhole) {
  const auto fill = [](const std::string& name, const std::string& content) {
    return [=](const Path& folder) { write_atomically(folder / "sub" / name, content); };
  };
  replace_folder_atomically(folder_ / "model", fill("a", "1"));
  EXPECT_EQ(read_file(folder_ / "model" / "sub" / "a"), "1");
  replace_folder_atomically(folder_ / "model" / "", fill("b", "2"));
  EXPECT_EQ(read_file(folder_ / "model" / "sub" / "b"), "2");
  EXPECT_FALSE(std::filesystem::exists(folder_ / "model" / "sub" / "a"));
  EXPECT_THAT(names(), ElementsAre("model"));
}

TEST_F(FileTest, AFailedFolderKeepsTheOldOne) {
  replace_folder_atomically(folder_ / "model", [](const Path& f) { write_atomically(f / "weights", "old"); });
  EXPECT_THAT(
      [&] {
        replace_folder_atomically(folder_ / "model", [](const Path& f) {
          write_atomically(f / "weights", "new");
          throw std::runtime_error("out of memory");
        });
      },
      ThrowsMessage<Error>(AllOf(HasSubstr("/model: "), HasSubstr("out of memory"))));
  {
    FileSizeLimit limit(1024);
    EXPECT_THROW(
        replace_folder_atomically(folder_ / "model",
                                  [](const Path& f) { write_atomically(f / "weights", std::string(1 << 20, 'n')); }),
        Error);
  }
  EXPECT_EQ(read_file(folder_ / "model" / "weights"), "old");
  EXPECT_THAT(names(), ElementsAre("model"));
}

TEST_F(FileTest, LeftoversOfAKilledProcessAreRemoved) {
  const pid_t child = ::fork();
  if (child == 0) {
    replace_folder_atomically(folder_ / "model", [](const Path& f) {
      write_atomically(f / "weights", "half");
      ::raise(SIGKILL);
    });
    ::_exit(0);
  }
  ::waitpid(child, nullptr, 0);
  write_atomically(folder_ / ".mine.tmp", "");
  write_atomically(folder_ / ".theirs.tmp-1", "");  // process 1 is always there
  EXPECT_EQ(names().size(), 3U);
  remove_unfinished(folder_);
  EXPECT_THAT(names(), ElementsAre(".mine.tmp", ".theirs.tmp-1"));
  remove_unfinished(folder_ / "nowhere");
}

}  // namespace
}  // namespace agro
