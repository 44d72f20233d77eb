// What users get wrong: exit code 1 and one message that names the file, the line, the key or the tensor.
#include "training.h"

namespace agro {
namespace {

class BadInput : public TrainingTest {
 protected:
  /// `agro train` with further arguments must refuse and say all of `said`.
  void expect_refusal(const std::vector<std::string>& overrides, const std::vector<std::string>& said) {
    std::vector<std::string> more;
    for (const std::string& text : overrides) more.insert(more.end(), {"--set", text});
    const Finished finished = run(train(config(), "run", more));
    EXPECT_EQ(finished.code, 1) << finished.err;
    EXPECT_EQ(finished.out, "");
    EXPECT_NE(finished.err.find("agro: error: "), std::string::npos) << finished.err;
    for (const std::string& text : said)
      EXPECT_NE(finished.err.find(text), std::string::npos) << "'" << text << "' is not in: " << finished.err;
    for (const char* noise : {"terminate", "frame #", "Exception raised", "Segmentation"})
      EXPECT_EQ(finished.err.find(noise), std::string::npos) << finished.err;
    EXPECT_FALSE(std::filesystem::exists(folder_ / "run/metrics.jsonl")) << "the run had begun";
  }

  /// A copy of the model whose `name` holds `content`; the override that chooses it.
  std::string model_with(const std::string& name, const std::string& content) const {
    std::filesystem::remove_all(folder_ / "model");
    std::filesystem::copy(kModel, folder_ / "model");
    std::filesystem::remove(folder_ / "model" / name);
    write_atomically(folder_ / "model" / name, content);
    return "model.path=" + (folder_ / "model").string();
  }

  std::string model_with_json(const std::string& name, const std::function<void(OrderedJson&)>& change) const {
    OrderedJson json = read_ordered_json(kModel / name);
    change(json);
    return model_with(name, json.dump());
  }

  /// The weights with another header over the same data.
  std::string weights_with(const std::function<void(OrderedJson&)>& change) const {
    const std::string bytes = read_file(kModel / "model.safetensors");
    uint64_t length = 0;
    std::memcpy(&length, bytes.data(), 8);
    OrderedJson header = OrderedJson::parse(bytes.substr(8, length));
    change(header);
    const std::string text = header.dump();
    const uint64_t new_length = text.size();
    std::string result(8, '\0');
    std::memcpy(result.data(), &new_length, 8);
    return model_with("model.safetensors", result + text + bytes.substr(8 + length));
  }

  const Path kModel = kGolden / "e2e_qwen2_addition";
};

TEST_F(BadInput, WeightFiles) {
  const std::string bytes = read_file(kModel / "model.safetensors");
  expect_refusal({model_with("model.safetensors", bytes.substr(0, bytes.size() - 10))}, {"model.safetensors", "bytes"});
  expect_refusal({model_with("model.safetensors", bytes + "more")}, {"model.safetensors", "bytes"});
  std::string beyond = bytes;
  beyond[5] = '\1';  // a header of a terabyte
  expect_refusal({model_with("model.safetensors", beyond)}, {"model.safetensors", "header"});
  expect_refusal({weights_with([](OrderedJson& header) {
                   header["model.layers.0.self_attn.v_proj.bias"]["data_offsets"] =
                       header["model.layers.0.self_attn.k_proj.bias"]["data_offsets"];
                 })},
                 {"model.safetensors", "_proj.bias"});
  expect_refusal({weights_with([](OrderedJson& header) {
                   header["model.norm.weight"]["shape"] = {8, 8};
                 })},
                 {"model.norm.weight", "[64]", "[8, 8]"});
  expect_refusal({weights_with([](OrderedJson& header) {
                   header["model.norm.wait"] = header["model.norm.weight"];
                   header.erase("model.norm.weight");
                 })},
                 {"model.norm.weight"});
}

TEST_F(BadInput, ModelFolders) {
  expect_refusal({"model.path=" + (folder_ / "nowhere").string()}, {"nowhere", "config.json"});
  expect_refusal({model_with_json("config.json",
                                  [](OrderedJson& json) {
                                    json["architectures"] = {"MambaForCausalLM"};
                                    json["model_type"] = "mamba";
                                  })},
                 {"config.json", "mamba", "qwen2"});
  expect_refusal({model_with_json("config.json", [](OrderedJson& json) { json["intermediate_size"] = 128; })},
                 {"mlp", "[128, 64]", "[160, 64]"});
  expect_refusal({model_with_json("config.json", [](OrderedJson& json) { json.erase("hidden_size"); })},
                 {"config.json", "hidden_size"});
  expect_refusal({model_with("config.json", "{\"model_type\": ")}, {"config.json", "JSON"});
  expect_refusal({model_with_json("tokenizer.json", [](OrderedJson& json) { json["model"].erase("merges"); })},
                 {"tokenizer.json", "merges"});
}

TEST_F(BadInput, Data) {
  const auto data = [&](const std::string& content) { return "data.prompts=" + file("bad.jsonl", content); };
  const std::string good = R"({"prompt": "What is 1+1?", "answer": "2"})"
                           "\n";
  expect_refusal({data(good + "\n" + "{\"prompt\": \n")}, {"bad.jsonl: line 3", "not valid JSON"});
  expect_refusal({data(good + R"({"prompt": "What is 1+2?"})")}, {"bad.jsonl: line 2", "'answer'", "data.answer_key"});
  expect_refusal({data(good + R"({"answer": "2"})")}, {"bad.jsonl: line 2", "no prompt"});
  expect_refusal({data("")}, {"bad.jsonl", "holds no prompts"});
  expect_refusal({data("\n  \n")}, {"bad.jsonl", "holds no prompts"});
  expect_refusal({"data.prompts=" + (folder_ / "missing.jsonl").string()}, {"missing.jsonl", "No such file"});
  expect_refusal({"data.prompts="}, {"no training data", "data.prompts"});
  std::string sum = "1";
  for (int i = 0; i < 200; ++i) sum += "+1";
  const std::string endless = R"({"id": "endless", "answer": "2", "prompt": ")" + sum + "\"}";
  expect_refusal({data(endless)}, {"bad.jsonl: no prompt fits into the model's 256 positions", "hint: shorten"});
  expect_refusal({"evaluate.prompts=" + file("eval.jsonl", endless)}, {"eval.jsonl: no prompt fits"});
}

TEST_F(BadInput, StoredResponses) {
  const auto stored = [&](const std::string& content) {
    return std::vector<std::string>{"data.completions=[\"" + file("log.jsonl", content) + "\"]",
                                    "data.prompts=", "group.stored_per_group=2", "group.fresh_per_group=0"};
  };
  const std::string good = R"({"prompt": "a", "completions": [{"text": "1", "reward": 1}, {"text": "2", "reward": 0}]})"
                           "\n";
  expect_refusal(stored(good + R"({"prompt": "b", "completion": "1", "reward": NaN})"),
                 {"log.jsonl: line 2", "not valid JSON"});
  expect_refusal(stored(good + R"({"prompt": "b", "completion": "1", "reward": "high"})"),
                 {"log.jsonl: line 2", "'reward'", "string"});
  expect_refusal(stored(good + R"({"prompt": "b", "completions": []})"),
                 {"log.jsonl: line 2", "'completions' is empty"});
  expect_refusal(stored(good + R"({"id": "b", "prompt": "b", "completions": [{"text": "1"}]})"),
                 {"exact", "no answer"});
  expect_refusal(stored(""), {"log.jsonl", "no completions found"});
  std::vector<std::string> through = stored(good);
  through.push_back("objective.through_sampling=true");
  expect_refusal(through, {"responses of the current policy only", "through_sampling = false"});
}

TEST_F(BadInput, Configuration) {
  expect_refusal({"optimizer.learning_rat=1"}, {"learning_rat", "learning_rate"});
  expect_refusal({"objective.beta=-1"}, {"objective.beta", "between 0 and"});
  expect_refusal({"objective.name=argo"}, {"objective.name", "agro"});
  expect_refusal({"group.prompts_per_step=many"}, {"group.prompts_per_step", "integer"});
  expect_refusal({"group.fresh_per_group=1"}, {"at least two responses", "fresh_per_group = 1"});
  expect_refusal({"rewards.reward=[]"}, {"no reward"});
  const Finished syntax = run({"train", file("broken.toml", "[run]\nsteps = 3\n[model\n")});
  EXPECT_EQ(syntax.code, 1);
  EXPECT_THAT(syntax.err, testing::HasSubstr("broken.toml:3:"));
  const Finished missing = run({"train", folder_ / "nothing.toml"});
  EXPECT_EQ(missing.code, 1);
  EXPECT_THAT(missing.err, testing::HasSubstr("nothing.toml: cannot open"));
}

}  // namespace
}  // namespace agro
