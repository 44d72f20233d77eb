// A prompt that is longer than the model's context does not end a command: it is left out, or wrong, and said so.
#include "training.h"

namespace agro {
namespace {

using testing::AllOf;
using testing::HasSubstr;

class OverlongPrompts : public TrainingTest {
 protected:
  /// A sum of 200 ones, in more tokens than the model has positions.
  static std::string overlong() {
    std::string question = "What is 1";
    for (int i = 1; i < 200; ++i) question += "+1";
    return Json{{"id", "endless"}, {"messages", {{{"role", "user"}, {"content", question + "?"}}}}, {"answer", "200"}}
               .dump() +
           '\n';
  }

  static std::string sum(const std::string& id, int a, int b) {
    const std::string question = fmt::format("What is {}+{}?", a, b);
    return Json{
               {"id", id}, {"messages", {{{"role", "user"}, {"content", question}}}}, {"answer", std::to_string(a + b)}}
               .dump() +
           '\n';
  }

  std::string with_an_overlong_one() const { return file("some.jsonl", sum("a", 2, 2) + overlong() + sum("b", 3, 4)); }

  const Path kModel = kGolden / "e2e_qwen2_addition";
};

TEST_F(OverlongPrompts, GenerateLeavesThemOut) {
  const Path drawn = folder_ / "drawn.jsonl", alone = folder_ / "alone.jsonl";
  const Finished finished = run({"generate", kModel, with_an_overlong_one(), "--n", "2", "--output", drawn});
  ASSERT_EQ(finished.code, 0) << finished.err;
  EXPECT_THAT(finished.err,
              AllOf(HasSubstr("1 of 3 prompts of "), HasSubstr("some.jsonl is left out: longer than the "),
                    HasSubstr("model's 256 positions (the longest has "), HasSubstr("shorten them")));
  std::vector<Json> records;
  for_each_jsonl(drawn, [&](const Json& record, int64_t) { records.push_back(record); });
  ASSERT_EQ(records.size(), 2U);
  EXPECT_EQ(records[0]["id"], "a");
  EXPECT_EQ(records[1]["id"], "b");
  EXPECT_EQ(records[1]["completions"].size(), 2U);
  // The others' responses do not depend on it.
  const std::string third = file("third.jsonl", "\n\n" + sum("b", 3, 4));
  ASSERT_EQ(run({"generate", kModel, third, "--n", "2", "--output", alone}).code, 0);
  for_each_jsonl(alone,
                 [&](const Json& record, int64_t) { EXPECT_EQ(record["completions"], records[1]["completions"]); });

  const Finished none = run({"generate", kModel, file("none.jsonl", overlong()), "--output", drawn});
  EXPECT_EQ(none.code, 1);
  EXPECT_THAT(none.err, HasSubstr("none.jsonl: no prompt fits into the model's 256 positions"));
  const Finished asked = run({"generate", kModel, "--stdin"}, overlong());
  EXPECT_EQ(asked.code, 1) << "a window owes each line an answer";
  EXPECT_THAT(asked.err, AllOf(HasSubstr("line 1"), HasSubstr("more than the model's 256 positions")));
}

TEST_F(OverlongPrompts, TrainLeavesThemOutAndItsEvaluationsCountThemAsWrong) {
  const std::string some = with_an_overlong_one();
  const Finished finished = run(train(config(), "run",
                                      {"--set", "run.steps=2", "--set", "group.prompts_per_step=2", "--set",
                                       "data.prompts=" + some, "--set", "evaluate.prompts=" + some}));
  ASSERT_EQ(finished.code, 0) << finished.err;
  EXPECT_THAT(finished.err, AllOf(HasSubstr("1 of 3 prompts of " + some + " is left out: "),
                                  HasSubstr("1 of 3 prompts of " + some + " is counted as wrong without being asked: "),
                                  HasSubstr("[data] 2 prompts, 0 stored responses")));
  int evaluations = 0;
  for_each_jsonl(folder_ / "run" / "metrics.jsonl", [&](const Json& record, int64_t) {
    if (!record.contains("evaluation")) return;
    ++evaluations;
    EXPECT_EQ(record["evaluation"]["prompts"], 3);
    EXPECT_EQ(record["evaluation"]["prompts_too_long"], 1);
    EXPECT_LE(record["evaluation"]["greedy_accuracy"].get<double>(), 2.0 / 3 + 1e-12);
  });
  EXPECT_EQ(evaluations, 2);
}

TEST_F(OverlongPrompts, EvalCountsThemAsWrong) {
  const Path figures = folder_ / "figures.json", others = folder_ / "others.json", page = folder_ / "page.html";
  const auto eval = [&](const std::string& asked, const std::vector<std::string>& more) {
    std::vector<std::string> words = {"eval", kModel, asked, "--samples", "2", "--max-new-tokens", "4", "--json"};
    words.insert(words.end(), more.begin(), more.end());
    return run(words);
  };
  ASSERT_EQ(eval(prompts(), {others}).code, 0);
  const std::string longer = file("longer.jsonl", read_file(prompts()) + overlong());
  const Finished finished = eval(longer, {figures, "--html", page});
  ASSERT_EQ(finished.code, 0) << finished.err;
  EXPECT_THAT(finished.err, HasSubstr("1 of 13 prompts of " + longer + " is counted as wrong without being asked: "));
  EXPECT_THAT(finished.out,
              HasSubstr("13 prompts (1 too long for the model: not asked, counted as wrong), 2 samples each"));
  const Json found = read_json(figures), without = read_json(others);
  EXPECT_EQ(found["prompts_too_long"], 1);
  EXPECT_FALSE(without.contains("prompts_too_long"));
  for (const char* accuracy : {"greedy_accuracy", "sampled_accuracy"})
    EXPECT_NEAR(13 * found[accuracy].get<double>(), 12 * without[accuracy].get<double>(), 1e-9) << accuracy;
  EXPECT_NEAR(found["statistics"]["estimates"]["greedy_accuracy"]["value"].get<double>(),
              found["greedy_accuracy"].get<double>(), 1e-12);
  EXPECT_THAT(read_file(page), HasSubstr("\"prompts_too_long\":1"));
}

}  // namespace
}  // namespace agro
