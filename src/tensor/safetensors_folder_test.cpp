#include "tensor/safetensors_folder.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/json.h"
#include "tensor/safetensors_test_support.h"

namespace agro {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr const char* kFirst = "model-00001-of-00002.safetensors";
constexpr const char* kSecond = "model-00002-of-00002.safetensors";
constexpr const char* kIndex = "model.safetensors.index.json";

TensorToWrite letters(std::string name, std::string text) {
  return {std::move(name), Dtype::kU8, {static_cast<int64_t>(text.size())}, [text](const ByteSink& sink) {
            sink(std::as_bytes(std::span(text)));
          }};
}

/// Two shards: a, b in the first, c in the second.
void write_sharded(const Path& folder) {
  write_safetensors(folder / kFirst, {letters("b", "bee"), letters("a", "ay")});
  write_safetensors(folder / kSecond, {letters("c", "sea!")});
  const Json index = {{"metadata", {{"total_size", 9}, {"note", "kept"}}},
                      {"weight_map", {{"a", kFirst}, {"b", kFirst}, {"c", kSecond}}}};
  write_atomically(folder / kIndex, index.dump(2) + "\n");
}

std::string error_with_index(const TemporaryFolder& folder, const std::string& index) {
  write_atomically(folder / kIndex, index);
  return error_of([&] { SafetensorsFolder opened(folder.path()); });
}

std::string text_of(const TensorView& view) {
  return {reinterpret_cast<const char*>(view.bytes.data()), view.bytes.size()};
}

TEST(SafetensorsFolder, OpensASingleFile) {
  const SafetensorsFolder folder(Path(AGRO_SOURCE_DIR) / "tests/golden/gpt2");
  EXPECT_EQ(folder.names().size(), 28U);
  EXPECT_EQ(folder.shard_of("transformer.wpe.weight"), "model.safetensors");
  EXPECT_THAT(folder.get("transformer.wpe.weight").shape, ElementsAre(64, 64));
  EXPECT_FALSE(folder.layout().index_metadata.has_value());
}

TEST(SafetensorsFolder, OpensShards) {
  TemporaryFolder folder;
  write_sharded(folder.path());
  const SafetensorsFolder opened(folder.path());
  EXPECT_THAT(opened.names(), ElementsAre("b", "a", "c"));
  EXPECT_EQ(text_of(opened.get("b")), "bee");
  EXPECT_EQ(text_of(opened.get("c")), "sea!");
  EXPECT_EQ(opened.shard_of("a"), kFirst);
  EXPECT_EQ(opened.shard_of("c"), kSecond);
  EXPECT_THAT(error_of([&] { opened.get("d"); }), HasSubstr("has no tensor 'd' among its 3 tensors"));
  EXPECT_THAT(error_of([&] { opened.shard_of("d"); }), HasSubstr("has no tensor 'd'"));
}

TEST(SafetensorsFolder, WritesTheSameFilesBack) {
  TemporaryFolder folder, copy;
  write_sharded(folder.path());
  const SafetensorsFolder opened(folder.path());
  write_safetensors_folder(copy.path(), opened.layout(),
                           [&](const std::string& name) { return to_write(name, opened.get(name)); });
  for (const char* file : {kFirst, kSecond, kIndex})
    EXPECT_EQ(read_file(copy / file), read_file(folder / file)) << file;
}

TEST(SafetensorsFolder, BringsTotalSizeUpToDate) {
  TemporaryFolder folder, copy;
  write_sharded(folder.path());
  write_safetensors_folder(copy.path(), SafetensorsFolder(folder.path()).layout(),
                           [&](const std::string& name) { return letters(name, "12345"); });
  const Json index = read_json(copy / kIndex);
  EXPECT_EQ(index["metadata"]["total_size"], 15);
  EXPECT_EQ(index["metadata"]["note"], "kept");
}

TEST(SafetensorsFolder, SaysWhatIsMissing) {
  TemporaryFolder folder;
  const auto error = [&] { return error_of([&] { SafetensorsFolder opened(folder.path()); }); };
  EXPECT_THAT(error(), HasSubstr("has neither model.safetensors nor model.safetensors.index.json"));
  write_atomically(folder / "pytorch_model.bin", "x");
  EXPECT_THAT(error(), HasSubstr("save the model as safetensors first"));
}

TEST(SafetensorsFolder, RefusesShardsOutsideTheFolder) {
  TemporaryFolder folder;
  for (const char* file : {"../x.safetensors", "/x.safetensors", "a/b.safetensors", "..\\\\x.safetensors", "..", "",
                           "config.json", "x.safetensors\\u0000.safetensors"})
    EXPECT_THAT(error_with_index(folder, fmt::format(R"({{"weight_map":{{"a":"{}"}}}})", file)),
                AllOf(HasSubstr(kIndex), HasSubstr("a shard must be a plain file name ending in .safetensors")))
        << file;
}

TEST(SafetensorsFolder, RefusesABadIndex) {
  TemporaryFolder folder;
  EXPECT_THAT(error_with_index(folder, "{"), HasSubstr("index.json: is not valid JSON"));
  EXPECT_THAT(error_with_index(folder, "[]"), HasSubstr("has no object 'weight_map'"));
  EXPECT_THAT(error_with_index(folder, R"({"weight_map":[]})"), HasSubstr("has no object 'weight_map'"));
  EXPECT_THAT(error_with_index(folder, R"({"weight_map":{}})"), HasSubstr("lists no tensors"));
  EXPECT_THAT(error_with_index(folder, R"({"metadata":5,"weight_map":{}})"), HasSubstr("'metadata' must be an object"));
  EXPECT_THAT(error_with_index(folder, R"({"weight_map":{"a":1}})"),
              HasSubstr("the file of tensor 'a' must be a string"));
  EXPECT_THAT(error_with_index(folder, R"({"weight_map":{"a":"x.safetensors","a":"y.safetensors"}})"),
              HasSubstr("has the key 'a' twice"));
  EXPECT_THAT(error_with_index(folder, R"({"weight_map":{"a":"gone.safetensors"}})"),
              HasSubstr("gone.safetensors: cannot open"));
}

TEST(SafetensorsFolder, RefusesAnIndexThatDisagreesWithItsShards) {
  TemporaryFolder folder;
  write_sharded(folder.path());
  const auto error = [&](const Json& weight_map) {
    return error_with_index(folder, Json({{"weight_map", weight_map}}).dump());
  };
  EXPECT_THAT(error({{"a", kFirst}, {"b", kFirst}, {"c", kSecond}, {"d", kSecond}}),
              HasSubstr(fmt::format("puts tensor 'd' into {}, which does not hold it", kSecond)));
  EXPECT_THAT(error({{"a", kFirst}, {"c", kSecond}}),
              HasSubstr(fmt::format("does not list tensor 'b', which {} holds", kFirst)));
  EXPECT_THAT(error({{"a", kSecond}, {"b", kFirst}, {"c", kSecond}}),
              HasSubstr(fmt::format("puts tensor 'a' into {}, but {} holds it", kSecond, kFirst)));
  write_safetensors(folder / kSecond, {letters("c", "x"), letters("a", "y")});
  EXPECT_THAT(error({{"a", kFirst}, {"b", kFirst}, {"c", kSecond}}),
              HasSubstr(fmt::format("puts tensor 'a' into {}, but {} holds it", kFirst, kSecond)));
}

}  // namespace
}  // namespace agro
