#pragma once
// For this room's tests: small runs on the models of tests/golden, and what they leave behind.
#include <gmock/gmock.h>

#include "core/json.h"
#include "core/log.h"
#include "core/test_folder.h"
#include "data/test_support.h"
#include "train/config.h"
#include "train/sft_trainer.h"

namespace agro {

class RunTest : public TestFolder {
 protected:
  void SetUp() override {
    TestFolder::SetUp();
    set_quiet(true);
  }

  static Path golden(const std::string& name) { return Path(AGRO_SOURCE_DIR) / "tests/golden" / name; }

  std::string lines(const std::string& name, const std::vector<Json>& records) const {
    std::string text;
    for (const Json& record : records) text += to_line(record) + '\n';
    write_atomically(folder_ / name, text);
    return folder_ / name;
  }

  /// Twelve sums as a chat, with their answers.
  static std::vector<Json> sums() {
    std::vector<Json> records;
    for (int a = 1; a <= 4; ++a) {
      for (int b = 2; b <= 4; ++b) {
        const std::string question = fmt::format("What is {}+{}?", a, b);
        records.push_back({{"id", fmt::format("{}+{}", a, b)},
                           {"messages", {{{"role", "user"}, {"content", question}}}},
                           {"answer", std::to_string(a + b)}});
      }
    }
    return records;
  }

  /// The sums with two to four rewarded responses each; the first is right, the others are not.
  static std::vector<Json> answered_sums() {
    std::vector<Json> records = sums();
    for (size_t i = 0; i < records.size(); ++i) {
      const int answer = std::stoi(records[i]["answer"].get<std::string>());
      for (int wrong = 0; wrong < 2 + static_cast<int>(i % 3); ++wrong)
        records[i]["completions"].push_back({{"text", std::to_string(answer + wrong)}, {"reward", wrong == 0 ? 1 : 0}});
    }
    return records;
  }

  /// Prompts and responses of random ids, for models without a tokenizer.
  static std::vector<Json> rewarded_ids() {
    std::vector<Json> records;
    for (uint64_t p = 0; p < 6; ++p) {
      const auto ids = [p](uint32_t draw, uint32_t count) {
        TokenIds tokens;
        for (uint32_t t = 0; t < count; ++t)
          tokens.push_back(static_cast<TokenId>(3 + uniform_below({5, Stream::kTest, p, draw, t}, 200)));
        return tokens;
      };
      Json record = {{"ids", ids(0, 4)}};
      for (uint32_t i = 1; i <= 3; ++i)
        record["completions"].push_back({{"ids", ids(i, 2 + i)}, {"reward", 0.25 * i}, {"finish_reason", "length"}});
      records.push_back(record);
    }
    return records;
  }

  /// Six steps of four sums with four fresh responses each by a model that half knows them; evaluated on the same sums.
  TrainConfig addition(const std::string& run) const {
    TrainConfig config;
    config.run = {.output = folder_ / run, .seed = 3, .steps = 6, .evaluate_every = 3, .checkpoint_every = 0};
    config.model.path = golden("e2e_qwen2_addition");
    config.data.prompts = lines("sums.jsonl", sums());
    config.group = {.prompts_per_step = 4, .fresh_per_group = 4};
    config.sampling.max_new_tokens = 4;
    config.rewards.reward.resize(1);
    config.optimizer.learning_rate = 1e-3;
    config.train.micro_batch_tokens = 100;
    config.evaluate.prompts = config.data.prompts;
    config.evaluate.samples_per_prompt = 2;
    config.evaluate.reference_samples = 2;
    return config;
  }

  /// The same from the stored responses alone.
  TrainConfig stored_addition(const std::string& run) const {
    TrainConfig config = addition(run);
    config.data.prompts.clear();
    config.data.completions = {lines("answered.jsonl", answered_sums())};
    config.group.fresh_per_group = 0;
    config.group.stored_per_group = 3;
    return config;
  }

  static std::vector<Json> read_lines(const Path& path) {
    std::vector<Json> records;
    for_each_jsonl(path, [&](const Json& record, int64_t) { records.push_back(record); });
    return records;
  }

  /// metrics.jsonl of a run: the training steps, or the evaluations.
  std::vector<Json> steps_of(const std::string& run) const { return metrics(run, false); }
  std::vector<Json> evaluations_of(const std::string& run) const { return metrics(run, true); }

 private:
  std::vector<Json> metrics(const std::string& run, bool evaluations) const {
    std::vector<Json> records = read_lines(folder_ / run / "metrics.jsonl");
    std::erase_if(records, [&](const Json& record) { return record.contains("evaluation") != evaluations; });
    return records;
  }
};

}  // namespace agro
