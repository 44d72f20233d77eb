#include "tensor/safetensors.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>
#include <fstream>
#include <random>

#include "core/rng.h"
#include "tensor/safetensors_test_support.h"

namespace agro {
namespace {

using ::testing::AllOf;
using ::testing::AnyOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

const Path kGolden = Path(AGRO_SOURCE_DIR) / "tests/golden";

std::string error_of_bytes(const std::string& bytes) {
  TemporaryFolder folder;
  write_atomically(folder / "x.safetensors", bytes);
  return error_of([&] { SafetensorsFile file(folder / "x.safetensors"); });
}

std::string error_of_file(const std::string& header, const std::string& data) {
  return error_of_bytes(safetensors_bytes(header, data));
}

/// The error of a file with one tensor 'a' described by `entry` and 8 bytes of data.
std::string error_of_entry(const std::string& entry) { return error_of_file("{\"a\":" + entry + "}", "12345678"); }

TEST(Safetensors, ReadsTensorsInTheOrderOfTheirData) {
  TemporaryFolder folder;
  const std::string header =
      R"({"late":{"dtype":"U8","shape":[3],"data_offsets":[8,11]},"__metadata__":{"z":"1","a":"2"},)"
      R"("early":{"dtype":"F32","shape":[1,2],"data_offsets":[0,8]},"none":{"dtype":"BF16","shape":[0,5],"data_offsets":[8,8]}})";
  const float values[2] = {1.5F, -2.0F};
  std::string data(8, '\0');
  std::memcpy(data.data(), values, 8);
  write_atomically(folder / "x", safetensors_bytes(header, data + "abc"));

  const SafetensorsFile file(folder / "x");
  EXPECT_THAT(file.names(), ElementsAre("early", "none", "late"));
  EXPECT_THAT(file.metadata(), ElementsAre(std::pair("z", "1"), std::pair("a", "2")));
  EXPECT_EQ(file.get("early").dtype, Dtype::kF32);
  EXPECT_THAT(file.get("early").shape, ElementsAre(1, 2));
  EXPECT_EQ(std::memcmp(file.get("early").bytes.data(), values, 8), 0);
  EXPECT_EQ(file.get("none").bytes.size(), 0U);
  EXPECT_EQ(std::memcmp(file.get("late").bytes.data(), "abc", 3), 0);
  EXPECT_TRUE(file.contains("late"));
  EXPECT_FALSE(file.contains("__metadata__"));
}

TEST(Safetensors, ReadsAFileOfTheReferenceWriter) {
  const SafetensorsFile file(kGolden / "qwen3_qknorm_bf16/model.safetensors");
  const TensorView& embedding = file.get("model.embed_tokens.weight");
  EXPECT_EQ(embedding.dtype, Dtype::kBF16);
  EXPECT_THAT(embedding.shape, ElementsAre(288, 64));
  EXPECT_EQ(embedding.bytes.size(), 288U * 64U * 2U);
  EXPECT_THAT(file.metadata(), ElementsAre(std::pair("format", "pt")));
}

TEST(Safetensors, ViewsSurviveAMove) {
  SafetensorsFile first(kGolden / "gpt2/model.safetensors");
  const TensorView view = first.get("transformer.wte.weight");
  const SafetensorsFile second = std::move(first);
  EXPECT_EQ(second.get("transformer.wte.weight").bytes.data(), view.bytes.data());
}

TEST(Safetensors, NamesTheNearestTensorsWhenOneIsMissing) {
  const SafetensorsFile file(kGolden / "gpt2/model.safetensors");
  EXPECT_THAT(error_of([&] { file.get("transformer.wte.weigth"); }),
              AllOf(HasSubstr("model.safetensors: has no tensor 'transformer.wte.weigth'"),
                    HasSubstr("the most similar names are 'transformer.wte.weight'")));
}

TEST(Safetensors, NamesAndSizesOfDtypes) {
  for (const char* name : {"F64", "F32", "F16", "BF16", "I64", "I32", "I16", "I8", "U8", "BOOL"})
    EXPECT_EQ(name_of(dtype_of(name)), name);
  EXPECT_EQ(size_of(Dtype::kF64), 8);
  EXPECT_EQ(size_of(Dtype::kBF16), 2);
  EXPECT_EQ(size_of(Dtype::kBool), 1);
  EXPECT_EQ(byte_count(Dtype::kI64, std::vector<int64_t>{}), 8);
  EXPECT_EQ(byte_count(Dtype::kF16, std::vector<int64_t>{3, 0, 7}), 0);
}

TEST(SafetensorsBadInput, Truncated) {
  EXPECT_THAT(error_of_bytes(""), HasSubstr("this file has 0 bytes"));
  EXPECT_THAT(error_of_bytes("1234567"), HasSubstr("is truncated: a safetensors file starts with 8 bytes"));
  const std::string whole = read_file(kGolden / "gpt2/model.safetensors");
  EXPECT_THAT(error_of_bytes(whole.substr(0, whole.size() - 1)),
              AllOf(HasSubstr("end beyond the file's 482559 bytes of data"), HasSubstr("the file is truncated")));
  EXPECT_THAT(error_of_bytes(whole.substr(0, 1000)), HasSubstr("ends beyond the file (1000 bytes)"));
}

TEST(SafetensorsBadInput, HeaderClaimsBeyondTheFile) {
  std::string bytes = safetensors_bytes("{}", "");
  bytes[0] = 3;
  EXPECT_THAT(error_of_bytes(bytes), HasSubstr("claims a header of 3 bytes, which ends beyond the file (10 bytes)"));
  EXPECT_THAT(error_of_bytes(std::string(16, '\xff')),
              HasSubstr("claims a header of 18446744073709551615 bytes; at most 100000000 are allowed"));
}

TEST(SafetensorsBadInput, Oversized) {
  const std::string whole = read_file(kGolden / "gpt2/model.safetensors");
  EXPECT_THAT(error_of_bytes(whole + "xyz"),
              HasSubstr("is 3 bytes too long: its tensors end at byte 482560 of 482563 bytes of data"));
  EXPECT_THAT(error_of_file("{}", "x"), HasSubstr("is 1 bytes too long"));
}

TEST(SafetensorsBadInput, OverlapsAndHoles) {
  EXPECT_THAT(error_of_file(R"({"a":{"dtype":"U8","shape":[5],"data_offsets":[0,5]},)"
                            R"("b":{"dtype":"U8","shape":[4],"data_offsets":[4,8]}})",
                            "12345678"),
              HasSubstr("tensors 'a' [0, 5] and 'b' [4, 8] overlap"));
  EXPECT_THAT(error_of_file(R"({"a":{"dtype":"U8","shape":[8],"data_offsets":[0,8]},)"
                            R"("b":{"dtype":"U8","shape":[8],"data_offsets":[0,8]}})",
                            "12345678"),
              HasSubstr("overlap"));
  EXPECT_THAT(error_of_file(R"({"a":{"dtype":"U8","shape":[3],"data_offsets":[0,3]},)"
                            R"("b":{"dtype":"U8","shape":[4],"data_offsets":[4,8]}})",
                            "12345678"),
              HasSubstr("bytes 3 to 4 of the data, before tensor 'b', belong to no tensor"));
}

TEST(SafetensorsBadInput, HeaderIsNotWhatItShouldBe) {
  EXPECT_THAT(error_of_file("{\"a\":", ""), HasSubstr("x.safetensors: header: is not valid JSON"));
  EXPECT_THAT(error_of_file("{\"\xff\":1}", ""), HasSubstr("header: is not valid JSON"));
  EXPECT_THAT(error_of_file("", ""), HasSubstr("header: is not valid JSON"));
  EXPECT_THAT(error_of_file("[1]", ""), HasSubstr("header: must be a JSON object, found array"));
  EXPECT_THAT(error_of_file(R"([{"a":1}])", ""), HasSubstr("header: must be a JSON object, found array"));
  EXPECT_THAT(error_of_file(R"({"a":1,"a":2})", ""), HasSubstr("header: has the key 'a' twice"));
  EXPECT_THAT(error_of_file(R"({"a":{"dtype":"U8","dtype":"I8"}})", ""),
              HasSubstr("header: has the key 'dtype' twice"));
  EXPECT_THAT(error_of_file(R"({"__metadata__":{"a":"1","a":"2"}})", ""), HasSubstr("header: has the key 'a' twice"));
  EXPECT_THAT(error_of_file(R"({"__metadata__":7})", ""), HasSubstr("__metadata__: must be an object, found number"));
  EXPECT_THAT(error_of_file(R"({"__metadata__":{"a":[]}})", ""), HasSubstr("__metadata__: 'a' must be a string"));
  EXPECT_THAT(error_of_file(std::string(1'000'000, '['), ""), HasSubstr("header: is nested deeper than 3 levels"));
  const std::string long_token = error_of_file("\"" + std::string(1'000'000, 'a'), "");
  EXPECT_LT(long_token.size(), 1000U) << "the message must not repeat a long token";
}

TEST(SafetensorsBadInput, EntryIsNotWhatItShouldBe) {
  EXPECT_THAT(error_of_entry("5"), HasSubstr("x.safetensors: tensor 'a': must be an object, found number"));
  EXPECT_THAT(error_of_entry(R"({"shape":[8],"data_offsets":[0,8]})"), HasSubstr("tensor 'a': has no 'dtype'"));
  EXPECT_THAT(error_of_entry(R"({"dtype":"U8","data_offsets":[0,8]})"), HasSubstr("has no 'shape'"));
  EXPECT_THAT(error_of_entry(R"({"dtype":"U8","shape":[8]})"), HasSubstr("has no 'data_offsets'"));
  EXPECT_THAT(error_of_entry(R"({"dtype":4,"shape":[8],"data_offsets":[0,8]})"), HasSubstr("'dtype' must be a string"));
  EXPECT_THAT(error_of_entry(R"({"dtype":"F8_E4M3","shape":[8],"data_offsets":[0,8]})"),
              HasSubstr("dtype 'F8_E4M3' is not supported; supported are F64, F32, F16, BF16, I64"));
  EXPECT_THAT(error_of_entry(R"({"dtype":"U8","shape":8,"data_offsets":[0,8]})"), HasSubstr("must be a list of sizes"));
  for (const char* size : {"-8", "8.0", "\"8\"", "null", "9223372036854775808", "1e30"})
    EXPECT_THAT(error_of_entry(fmt::format(R"({{"dtype":"U8","shape":[{}],"data_offsets":[0,8]}})", size)),
                AllOf(HasSubstr("tensor 'a'"), HasSubstr("'shape' must hold non-negative integers")))
        << size;
  EXPECT_THAT(error_of_entry(R"({"dtype":"F32","shape":[4611686018427387904],"data_offsets":[0,8]})"),
              HasSubstr("shape [4611686018427387904] is too large"));
  EXPECT_THAT(error_of_entry(R"({"dtype":"U8","shape":[4294967296,4294967296],"data_offsets":[0,8]})"),
              HasSubstr("shape [4294967296, 4294967296] is too large"));
  for (const char* offsets : {"[0]", "[0,8,8]", "[-1,7]", "[0,8.5]", "8", "[\"0\",8]"})
    EXPECT_THAT(error_of_entry(fmt::format(R"({{"dtype":"U8","shape":[8],"data_offsets":{}}})", offsets)),
                HasSubstr("'data_offsets' must be two non-negative integers"))
        << offsets;
  EXPECT_THAT(error_of_entry(R"({"dtype":"U8","shape":[8],"data_offsets":[8,0]})"), HasSubstr("end before they begin"));
  EXPECT_THAT(error_of_entry(R"({"dtype":"U8","shape":[9],"data_offsets":[0,9]})"),
              HasSubstr("end beyond the file's 8 bytes of data"));
  EXPECT_THAT(error_of_entry(R"({"dtype":"U8","shape":[9],"data_offsets":[1,18446744073709551615]})"),
              HasSubstr("end beyond the file's 8 bytes of data"));
  EXPECT_THAT(error_of_entry(R"({"dtype":"F16","shape":[8],"data_offsets":[0,8]})"),
              HasSubstr("shape [8] of F16 needs 16 bytes, 'data_offsets' [0, 8] give 8"));
}

TEST(SafetensorsBadInput, MissingFileAndFolder) {
  TemporaryFolder folder;
  EXPECT_THAT(error_of([&] { SafetensorsFile file(folder / "absent"); }), HasSubstr("absent: cannot open"));
  EXPECT_THAT(error_of([&] { SafetensorsFile file(folder.path()); }), HasSubstr("is not a regular file"));
}

// Whatever the bytes say, a file either loads, and then every view can be read, or is refused with an Error.
TEST(SafetensorsBadInput, MutatedFilesNeverCrash) {
  const uint64_t seed = std::random_device{}();
  SCOPED_TRACE(fmt::format("seed {}", seed));
  uint64_t ordinal = 0;
  const auto below = [&](uint64_t bound) {
    return uniform_below({.seed = seed, .stream = Stream::kTest, .ordinal = ordinal++}, bound);
  };
  const std::string valid =
      safetensors_bytes(R"({"__metadata__":{"format":"pt"},"a":{"dtype":"F32","shape":[2,2],"data_offsets":[0,16]},)"
                        R"("b":{"dtype":"BF16","shape":[3],"data_offsets":[16,22]}})",
                        std::string(22, 'x'));
  const std::string telling = "{}[]\",:0123456789-e.\\ab\xff";
  TemporaryFolder folder;
  const Path path = folder / "mutated";
  int loaded = 0;
  for (int round = 0; round < 3000; ++round) {
    std::string bytes = valid;
    for (uint64_t n = below(4); n > 0; --n) bytes[below(bytes.size())] = telling[below(telling.size())];
    if (below(4) == 0) bytes[below(9)] = static_cast<char>(below(256));
    if (below(8) == 0) bytes.resize(below(bytes.size() + 20), 'y');
    std::ofstream(path, std::ios::binary) << bytes;
    const std::string error = error_of([&] {
      const SafetensorsFile file(path);
      ++loaded;
      std::byte sum{};
      for (const std::string& name : file.names())
        for (const std::byte byte : file.get(name).bytes) sum ^= byte;
      EXPECT_LE(std::to_integer<int>(sum), 255);
    });
    EXPECT_THAT(error, AnyOf("", HasSubstr("mutated: ")));
  }
  EXPECT_GT(loaded, 100) << "some mutations touch only data or names and must load";
  EXPECT_LT(loaded, 2900) << "most mutations of the header must be refused";
}

}  // namespace
}  // namespace agro
