#include "report/tensorboard_writer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <cstdio>
#include <limits>

#include "report/crc32c.h"
#include "report/test_support.h"

namespace agro {
namespace {

TEST(Crc32c, KnownAnswers) {
  EXPECT_EQ(crc32c(""), 0U);
  EXPECT_EQ(crc32c("123456789"), 0xE3069283U);
  // RFC 3720, B.4.
  EXPECT_EQ(crc32c(std::string(32, '\0')), 0x8A9136AAU);
  EXPECT_EQ(crc32c(std::string(32, '\xFF')), 0x62A8AB43U);
  std::string ascending;
  for (int i = 0; i < 32; ++i) ascending += static_cast<char>(i);
  EXPECT_EQ(crc32c(ascending), 0x46DD794EU);
  EXPECT_EQ(masked_crc32c(""), 0xA282EAD8U);
}

struct CommandResult {
  int status;
  std::string output;
};

CommandResult run(const std::string& command) {
  std::string output;
  std::FILE* pipe = ::popen((command + " 2>&1").c_str(), "r");
  if (pipe == nullptr) return {-1, "cannot start a shell"};
  std::array<char, 4096> buffer;
  for (size_t n; (n = std::fread(buffer.data(), 1, buffer.size(), pipe)) > 0;) output.append(buffer.data(), n);
  return {::pclose(pipe), output};
}

/// A python that has the crc32c module, or "". A second python (pyenv, conda) often hides the distribution's.
std::string python_with_crc32c() {
  for (const char* python : {"python3", "/usr/bin/python3"})
    if (run(fmt::format("{} -c 'import crc32c'", python)).status == 0) return python;
  return "";
}

class TensorBoardFile : public ::testing::Test {
 protected:
  /// Splits the file into records, its checksums checked from outside; their number.
  int split(const Path& file) {
    const std::string python = python_with_crc32c();
    if (python.empty()) return -1;
    const auto result = run(fmt::format("{} '{}' '{}' '{}'", python, AGRO_SOURCE_DIR "/tests/report/check_tfrecords.py",
                                        file.string(), folder_.string()));
    EXPECT_EQ(result.status, 0) << result.output;
    return result.status == 0 ? std::stoi(result.output) : 0;
  }

  std::string decode(int record) {
    const auto result =
        run(fmt::format("protoc --decode_raw < '{}'", (folder_ / fmt::format("{}.bin", record)).string()));
    EXPECT_EQ(result.status, 0) << result.output;
    return result.output;
  }

  Path folder_ = test_folder();
};

TEST_F(TensorBoardFile, ChecksumsAndMessagesReadFromOutside) {
  if (run("protoc --version").status != 0 || python_with_crc32c().empty())
    GTEST_SKIP() << "SKIPPED: reading event files from outside needs protoc and python3 with the crc32c module";
  TensorBoardWriter writer(folder_, 1.75e9);
  EXPECT_EQ(writer.path().filename(), "events.out.tfevents.1750000000.agro");
  writer.write(300, 1.75e9 + 0.5, {{"train/reward", 0.5}, {"eval/genauigkeit_ü", -2.0}});
  writer.write(int64_t{1} << 40, 1.75e9, {{"x", std::numeric_limits<double>::quiet_NaN()}});
  writer.write(1, 1.75e9, {{std::string(200, 't'), 1.0}});  // a length that takes two bytes

  ASSERT_EQ(split(writer.path()), 4);
  // Fields: 1 wall time, 2 step, 3 file version, 5 summary {1 value {1 tag, 2 simple_value}}. Floating-point values are
  // shown as bits: 0x3f000000 = 0.5f, 0xc0000000 = -2.0f, 0x41da13b860000000 = 1.75e9.
  EXPECT_EQ(decode(0), "1: 0x41da13b860000000\n3: \"brain.Event:2\"\n");
  EXPECT_EQ(decode(1),
            "1: 0x41da13b860200000\n2: 300\n5 {\n"
            "  1 {\n    1: \"train/reward\"\n    2: 0x3f000000\n  }\n"
            "  1 {\n    1: \"eval/genauigkeit_\\303\\274\"\n    2: 0xc0000000\n  }\n}\n");
  EXPECT_THAT(decode(2), ::testing::HasSubstr("2: 1099511627776\n5 {\n  1 {\n    1: \"x\"\n    2: 0x7fc00000\n"));
  EXPECT_THAT(decode(3), ::testing::HasSubstr("    1: \"" + std::string(200, 't') + "\"\n    2: 0x3f800000\n"));
}

TEST_F(TensorBoardFile, ResumingMarksWhereTheEarlierFileEnds) {
  if (run("protoc --version").status != 0 || python_with_crc32c().empty())
    GTEST_SKIP() << "SKIPPED: reading event files from outside needs protoc and python3 with the crc32c module";
  TensorBoardWriter first(folder_, 1.75e9);
  TensorBoardWriter resumed(folder_, 1.75e9, 40);
  EXPECT_EQ(resumed.path().filename(), "events.out.tfevents.1750000000.agro.1");
  ASSERT_EQ(split(resumed.path()), 2);
  // Field 7, the session log, says START (1): TensorBoard forgets steps from 41 on.
  EXPECT_EQ(decode(1), "1: 0x41da13b860000000\n2: 41\n7 {\n  1: 1\n}\n");
}

TEST_F(TensorBoardFile, RecordsAreOnDiskAtOnce) {
  TensorBoardWriter writer(folder_, 0);
  const auto before = std::filesystem::file_size(writer.path());
  writer.write(1, 0, {{"a", 1.0}});
  // 16 bytes of framing, wall time 9, step 2, summary 2 + value 2 + tag 3 + simple value 5.
  EXPECT_EQ(std::filesystem::file_size(writer.path()) - before, 16U + 9 + 2 + 2 + 2 + 3 + 5);
}

}  // namespace
}  // namespace agro
