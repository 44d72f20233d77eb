#pragma once
// A small training run of the program: one-digit sums by the two-layer model of tests/golden.
#include <gmock/gmock.h>

#include <charconv>

#include "support.h"

namespace agro {

class TrainingTest : public ProgramTest {
 protected:
  std::string file(const std::string& name, const std::string& content) const {
    write_atomically(folder_ / name, content);
    return folder_ / name;
  }

  std::string prompts() const {
    std::string text;
    for (int a = 1; a <= 4; ++a)
      for (int b = 2; b <= 4; ++b)
        text += fmt::format(R"({{"messages": [{{"role": "user", "content": "What is {}+{}?"}}], "answer": "{}"}})"
                            "\n",
                            a, b, a + b);
    return file("prompts.jsonl", text);
  }

  std::string completions() const {
    std::string text;
    for (int a = 1; a <= 4; ++a)
      for (int b = 2; b <= 4; ++b)
        text += fmt::format(
            R"({{"messages": [{{"role": "user", "content": "What is {0}+{1}?"}}], "answer": "{2}", "completions": [)"
            R"({{"text": "{2}", "reward": 1}}, {{"text": "{3}", "reward": 0}}, {{"text": "{4}"}}]}})"
            "\n",
            a, b, a + b, a + b + 1, a * b);
    return file("completions.jsonl", text);
  }

  /// Ten steps with a checkpoint each. `data` is "fresh", "stored" or "mixed".
  std::string config(const std::string& data = "fresh") const {
    const std::string source = data == "fresh" ? fmt::format("prompts = \"{}\"", prompts())
                                               : fmt::format("completions = [\"{}\"]", completions());
    return file("experiment.toml", fmt::format(R"(
[run]
seed = 5
steps = 10
evaluate_every = 4
checkpoint_every = 1
[model]
path = "{}"
[data]
{}
[group]
prompts_per_step = 4
fresh_per_group = {}
stored_per_group = {}
[sampling]
max_new_tokens = 4
[[rewards.reward]]
kind = "exact"
[optimizer]
learning_rate = 1e-3
schedule = "cosine"
warmup_steps = 2
[evaluate]
prompts = "{}"
samples_per_prompt = 2
)",
                                               (kGolden / "e2e_qwen2_addition").string(), source,
                                               data == "stored" ? 0 : 3, data == "fresh" ? 0 : 2, prompts()));
  }

  std::vector<std::string> train(const std::string& config, const std::string& run,
                                 const std::vector<std::string>& more = {}) const {
    std::vector<std::string> words = {"train", config, "--set", "run.output=" + (folder_ / run).string()};
    words.insert(words.end(), more.begin(), more.end());
    return words;
  }

  /// Step of the newest checkpoint, 0 where there is none.
  int64_t newest_checkpoint(const std::string& run) const {
    int64_t newest = 0;
    std::error_code missing;
    for (const auto& entry : std::filesystem::directory_iterator(folder_ / run / "checkpoints", missing)) {
      const std::string name = entry.path().filename();
      int64_t step = 0;
      if (name.starts_with("step-")) std::from_chars(name.data() + 5, name.data() + name.size(), step);
      newest = std::max(newest, step);
    }
    return newest;
  }

  void expect_same_run(const std::string& expected, const std::string& found) const {
    for (const char* name : {"metrics.jsonl", "final/model.safetensors", "best/model.safetensors", "best/best.json",
                             "checkpoints/step-10/model.safetensors", "checkpoints/step-10/training_state.safetensors",
                             "checkpoints/step-10/training_state.json"})
      EXPECT_TRUE(read_file(folder_ / expected / name) == read_file(folder_ / found / name)) << name << " differs";
    for (const auto& entry : std::filesystem::recursive_directory_iterator(folder_ / found))
      EXPECT_FALSE(entry.path().filename().string().starts_with('.')) << entry.path() << " was left behind";
  }
};

}  // namespace agro
