#include "tensor/safetensors_writer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>

#include <array>
#include <csignal>
#include <cstdlib>
#include <iostream>

#include "tensor/safetensors_test_support.h"

namespace agro {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

TensorToWrite bytes_tensor(std::string name, std::vector<int64_t> shape, std::vector<std::string> pieces) {
  return {std::move(name), Dtype::kU8, std::move(shape), [pieces = std::move(pieces)](const ByteSink& sink) {
            for (const std::string& piece : pieces) sink(std::as_bytes(std::span(piece)));
          }};
}

// The golden files were written by the reference implementation.
TEST(SafetensorsWriter, RewritesReferenceFilesByteForByte) {
  TemporaryFolder folder;
  for (const char* model :
       {"gpt2", "llama_gqa", "smollm2_tied", "qwen2_tied", "qwen3_qknorm_bf16", "e2e_qwen2_addition"}) {
    const Path original = Path(AGRO_SOURCE_DIR) / "tests/golden" / model / "model.safetensors";
    const SafetensorsFile file(original);
    std::vector<TensorToWrite> tensors;
    for (const std::string& name : file.names()) tensors.push_back(to_write(name, file.get(name)));
    write_safetensors(folder / "copy", tensors, file.metadata());
    EXPECT_EQ(read_file(folder / "copy"), read_file(original)) << model;
  }
}

TEST(SafetensorsWriter, WritesPiecesInOrderWithAnAlignedHeader) {
  TemporaryFolder folder;
  write_safetensors(folder / "x", {bytes_tensor("b \"\n", {5}, {"he", "", "llo"}), bytes_tensor("a", {}, {"!"})},
                    {{"note", "a \"b\" é"}, {"format", "pt"}});
  const std::string bytes = read_file(folder / "x");
  EXPECT_EQ(bytes.size() % 8, 6U) << "an aligned header, then six bytes of data";
  EXPECT_TRUE(bytes.ends_with("hello!"));
  const SafetensorsFile file(folder / "x");
  EXPECT_THAT(file.names(), ElementsAre("b \"\n", "a"));
  EXPECT_THAT(file.get("a").shape, ElementsAre());
  EXPECT_THAT(file.metadata(), ElementsAre(std::pair("note", "a \"b\" é"), std::pair("format", "pt")));
}

TEST(SafetensorsWriter, WritesAnEmptyFile) {
  TemporaryFolder folder;
  write_safetensors(folder / "x", {}, {});
  EXPECT_TRUE(SafetensorsFile(folder / "x").names().empty());
}

TEST(SafetensorsWriter, RefusesBadTensorsAndKeepsTheOldFile) {
  TemporaryFolder folder;
  const Path path = folder / "x";
  write_atomically(path, "old");
  const auto error = [&](std::vector<TensorToWrite> tensors) {
    return error_of([&] { write_safetensors(path, tensors); });
  };
  EXPECT_THAT(error({bytes_tensor("a", {5}, {"four"})}), HasSubstr("tensor 'a': produced 4 bytes, its shape needs 5"));
  EXPECT_THAT(error({bytes_tensor("a", {3}, {"four"})}), HasSubstr("produced 4 bytes, its shape needs 3"));
  EXPECT_THAT(error({bytes_tensor("a", {1}, {"x"}), bytes_tensor("a", {1}, {"x"})}),
              HasSubstr("used twice or reserved"));
  EXPECT_THAT(error({bytes_tensor("__metadata__", {1}, {"x"})}), HasSubstr("used twice or reserved"));
  EXPECT_THAT(error({bytes_tensor("a", {-1}, {})}), HasSubstr("negative size"));
  EXPECT_EQ(read_file(path), "old");
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(folder.path()), {}), 1) << "no temporary is left";
}

// A file-size limit makes writes fail in mid-file as a full disk does.
TEST(SafetensorsWriterDeathTest, FullDiskKeepsTheOldFile) {
  TemporaryFolder folder;
  const Path path = folder / "model.safetensors";
  write_atomically(path, "old");
  const auto write_on_full_disk = [&] {
    std::signal(SIGXFSZ, SIG_IGN);
    const rlimit limit{1 << 16, 1 << 16};
    ::setrlimit(RLIMIT_FSIZE, &limit);
    std::cerr << error_of([&] {
      write_safetensors(path,
                        {bytes_tensor("small", {1}, {"x"}),
                         bytes_tensor("large", {1 << 20}, std::vector<std::string>(1024, std::string(1024, 'x')))});
    });
    std::_Exit(7);
  };
  EXPECT_EXIT(write_on_full_disk(), ::testing::ExitedWithCode(7), "model.safetensors: tensor 'large': cannot write");
  EXPECT_EQ(read_file(path), "old");
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(folder.path()), {}), 1) << "no temporary is left";
}

}  // namespace
}  // namespace agro
