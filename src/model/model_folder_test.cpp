// Folders as they are found: sharded, without the base model's prefix, with a repeated output layer, in bfloat16. What
// is written has the same files, names and bytes, and loads as the same model.
#include "model/model_folder.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "core/json.h"
#include "core/test_folder.h"

namespace agro {
namespace {

using testing::AllOf;
using testing::HasSubstr;

const Path kGolden = Path(AGRO_SOURCE_DIR) / "tests/golden";

class ModelFolders : public TestFolder {
 protected:
  /// Tensors of a golden model under the names `rename` gives them, in `files` files, in folder_/name.
  Path variant(
      const std::string& name, const std::string& model, size_t files,
      const std::function<std::string(const std::string&)>& rename = [](const std::string& n) { return n; },
      const std::vector<std::pair<std::string, std::string>>& copies = {}) const {
    const Path folder = folder_ / name;
    for (const char* file : {"config.json", "generation_config.json"})
      write_atomically(folder / file, read_file(kGolden / model / file));
    const SafetensorsFolder source(kGolden / model);
    SafetensorsLayout layout;
    std::map<std::string, std::string> original;
    for (const std::string& tensor : source.names()) original[rename(tensor)] = tensor;
    for (const auto& [copy, of] : copies) original[copy] = of;
    if (files > 1) layout.index_metadata = R"({"total_size": 0})";
    for (size_t i = 0; i < files; ++i)
      layout.shards.push_back(
          {files == 1 ? "model.safetensors" : fmt::format("model-{:05}-of-{:05}.safetensors", i + 1, files),
           {},
           {{"format", "pt"}}});
    size_t next = 0;
    for (const auto& [tensor, of] : original) layout.shards[next++ % files].names.push_back(tensor);
    write_safetensors_folder(
        folder, layout, [&](const std::string& tensor) { return to_write(tensor, source.get(original.at(tensor))); });
    return folder;
  }

  static std::set<std::string> files_of(const Path& folder) {
    std::set<std::string> names;
    for (const auto& entry : std::filesystem::directory_iterator(folder)) names.insert(entry.path().filename());
    return names;
  }

  void expect_round_trip(const Path& folder, const std::string& model) const {
    const ModelFolder opened(folder);
    const CausalLm expected = ModelFolder(kGolden / model).load(WeightDtype::kFloat32);
    const CausalLm loaded = opened.load(WeightDtype::kFloat32);
    ASSERT_EQ(loaded.parameters().size(), expected.parameters().size());
    for (size_t i = 0; i < loaded.parameters().size(); ++i) {
      EXPECT_EQ(loaded.parameters()[i].name, expected.parameters()[i].name);
      EXPECT_TRUE(torch::equal(loaded.parameters()[i].tensor, expected.parameters()[i].tensor));
    }
    opened.write(folder_ / "written", loaded);
    EXPECT_EQ(files_of(folder_ / "written"), files_of(folder));
    for (const std::string& file : files_of(folder))
      EXPECT_TRUE(read_file(folder / file) == read_file(folder_ / "written" / file)) << file << " differs";
  }
};

TEST_F(ModelFolders, ShardedWithAnIndex) {
  const Path folder = variant("sharded", "llama_gqa", 3);
  EXPECT_EQ(files_of(folder).size(), 6U);
  expect_round_trip(folder, "llama_gqa");
}

TEST_F(ModelFolders, Gpt2WithoutPrefix) {
  const Path folder = variant("bare", "gpt2", 1,
                              [](const std::string& name) { return name.substr(std::string("transformer.").size()); });
  EXPECT_TRUE(SafetensorsFolder(folder).contains("h.0.attn.c_attn.weight"));
  expect_round_trip(folder, "gpt2");
}

TEST_F(ModelFolders, BFloat16) {
  expect_round_trip(variant("half", "qwen3_qknorm_bf16", 2), "qwen3_qknorm_bf16");
  EXPECT_FALSE(ModelFolder(folder_ / "half").stores_float32());
}

// After training, the copy must be the trained embedding, not the old one.
TEST_F(ModelFolders, ATiedOutputLayerStoredTwiceStaysTied) {
  const Path folder = variant("tied", "qwen2_tied", 1, [](const std::string& n) { return n; },
                              {{"lm_head.weight", "model.embed_tokens.weight"}});
  expect_round_trip(folder, "qwen2_tied");
  const ModelFolder opened(folder);
  const CausalLm model = opened.load(WeightDtype::kFloat32);
  for (const NamedTensor& p : model.parameters())
    if (p.name == "model.embed_tokens.weight") p.tensor.mul_(2);
  opened.write(folder_ / "trained", model);
  const SafetensorsFolder trained(folder_ / "trained");
  const TensorView &head = trained.get("lm_head.weight"), &embedding = trained.get("model.embed_tokens.weight");
  EXPECT_TRUE(std::equal(head.bytes.begin(), head.bytes.end(), embedding.bytes.begin(), embedding.bytes.end()));
  const SafetensorsFolder before(folder);
  EXPECT_TRUE(torch::equal(to_tensor(head, at::kFloat), 2 * to_tensor(before.get("lm_head.weight"), at::kFloat)));
}

TEST_F(ModelFolders, StaleWeightsInOtherFormatsAreLeftBehindAndTheRestComesAlong) {
  const Path folder = variant("cluttered", "gpt2", 1);
  for (const char* file :
       {"pytorch_model.bin", "pytorch_model.bin.index.json", "model.gguf", "README.md", "merges.txt"})
    write_atomically(folder / file, file);
  const ModelFolder opened(folder);
  opened.write(folder_ / "written", opened.load(WeightDtype::kFloat32));
  EXPECT_EQ(files_of(folder_ / "written"), (std::set<std::string>{"README.md", "config.json", "generation_config.json",
                                                                  "merges.txt", "model.safetensors"}));
}

TEST_F(ModelFolders, AWrongShapeNamesTensorExpectedAndFound) {
  const Path folder = variant("wrong", "gpt2", 1);
  const SafetensorsFolder source(kGolden / "gpt2");
  write_safetensors_folder(folder, source.layout(), [&](const std::string& name) {
    TensorToWrite tensor = to_write(name, source.get(name));
    if (name == "transformer.wpe.weight") tensor.shape = {32, 128};
    return tensor;
  });
  try {
    ModelFolder{folder};
    FAIL() << "expected an Error";
  } catch (const Error& error) {
    EXPECT_THAT(error.what(),
                AllOf(HasSubstr("transformer.wpe.weight"), HasSubstr("[64, 64]"), HasSubstr("[32, 128]")));
  }
}

}  // namespace
}  // namespace agro
