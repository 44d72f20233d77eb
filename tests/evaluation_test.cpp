// Evaluation as a user meets it: a published layout in, figures with intervals, a comparison and a page out.
#include <gmock/gmock.h>

#include "training.h"

namespace agro {
namespace {

using testing::HasSubstr;

const std::string kAddition = kGolden / "e2e_qwen2_addition";

class Evaluation : public TrainingTest {
 protected:
  /// Sums in GSM8K's layout, with a field to divide by.
  std::string sums() const {
    std::string text;
    for (int a = 1; a <= 4; ++a)
      for (int b = 1; b <= 5; ++b)
        text += Json{{"question", fmt::format("What is {}+{}?", a, b)},
                     {"answer", fmt::format("{0} + {1} = {2}\n#### {2}", a, b, a + b)},
                     {"level", a <= 2 ? "Level 1" : "Level 2"},
                     {"type", "Sums"}}
                    .dump() +
                '\n';
    return file("sums.jsonl", text);
  }

  std::string as_chat() const { return file("chat.toml", "form = \"chat\"\ntext = \"{prompt}\"\n"); }

  std::vector<std::string> eval(const std::vector<std::string>& more) const {
    std::vector<std::string> words = {
        "eval", kAddition, sums(), "--prompt-template-file", as_chat(), "--max-new-tokens", "4", "--samples", "4"};
    words.insert(words.end(), more.begin(), more.end());
    return words;
  }
};

TEST_F(Evaluation, FiguresHaveIntervalsAndPartsAndAPage) {
  const Path figures = folder_ / "figures.json", output = folder_ / "before.json", page = folder_ / "page.html";
  const Finished finished = run(eval({"--json", figures, "-o", output, "--html", page}));
  ASSERT_EQ(finished.code, 0) << finished.err;
  for (const char* text : {"greedy accuracy", "avg@4", "pass@2", "pass@4", "maj@4", "truncated", "Level 1", "Level 2",
                           "20 prompts, 4 samples each", "page: "})
    EXPECT_THAT(finished.out, HasSubstr(text));
  EXPECT_THAT(finished.out, testing::ContainsRegex("mean reward +[0-9.]+ +[0-9.]+\n")) << "value and standard error";
  const Json json = read_json(figures), estimates = json["statistics"]["estimates"];
  EXPECT_EQ(estimates["greedy_accuracy"]["value"], json["greedy_accuracy"]);
  EXPECT_NEAR(estimates["avg_at_4"]["value"].get<double>(), json["sampled_accuracy"].get<double>(), 1e-12);
  EXPECT_EQ(json["reward_error"], json["sampled_error"]) << "the reward is 1 for right responses, else 0";
  for (const auto& [name, e] : estimates.items()) {
    EXPECT_LE(e["low"], e["value"]) << name;
    EXPECT_GE(e["high"], e["value"]) << name;
  }
  EXPECT_LE(estimates["avg_at_4"]["value"], estimates["pass_at_2"]["value"]);
  EXPECT_LE(estimates["pass_at_2"]["value"], estimates["pass_at_4"]["value"]);
  // From the responses themselves.
  const Json record = read_json(output);
  ASSERT_EQ(record["responses"].size(), 20U);
  double right = 0, passed = 0, greedy = 0;
  for (const Json& response : record["responses"]) {
    EXPECT_EQ(response["prompt"], fmt::format("<|im_start|>user\n{}<|im_end|>\n<|im_start|>assistant\n",
                                              response["question"].get<std::string>()));
    EXPECT_EQ(response["labels"]["type"], "Sums") << "what all prompts share divides nothing, and is said all the same";
    EXPECT_EQ(response["answer"].get<std::string>().find('#'), std::string::npos);
    greedy += response["text"] == response["answer"] ? 1 : 0;
    int count = 0;
    for (const Json& sample : response["samples"]) {
      EXPECT_EQ(sample["correct"], sample["text"] == response["answer"]);
      count += sample["correct"] ? 1 : 0;
    }
    right += count / 4.0;
    passed += count > 0 ? 1 : 0;
  }
  EXPECT_NEAR(estimates["greedy_accuracy"]["value"].get<double>(), greedy / 20, 1e-12);
  EXPECT_NEAR(estimates["avg_at_4"]["value"].get<double>(), right / 20, 1e-12);
  EXPECT_NEAR(estimates["pass_at_4"]["value"].get<double>(), passed / 20, 1e-12);
  const std::string html = read_file(page);
  EXPECT_THAT(html, testing::StartsWith("<!DOCTYPE html>"));
  EXPECT_THAT(html, HasSubstr("\"samples\":[{\"text\""));
  EXPECT_THAT(html, HasSubstr("{\"prompt\":\"What is 4+5?\"")) << "a chat is shown by its question";
  EXPECT_THAT(finished.out, testing::Not(HasSubstr("Sums"))) << "a part that is the whole";
}

TEST_F(Evaluation, ComparesTwoModelsOnTheSamePrompts) {
  const Path before = folder_ / "before.json", after = folder_ / "after.json";
  ASSERT_EQ(run(eval({"-o", before})).code, 0);
  // Fewer prompts of the same file, and other draws.
  const Finished finished = run(eval({"--skip", "5", "--seed", "9", "--compare", before, "-o", after}));
  ASSERT_EQ(finished.code, 0) << finished.err;
  EXPECT_THAT(finished.out, HasSubstr("compared on 15 prompts (0 here alone, 5 there alone)"));
  const Json comparison = read_json(after)["comparison"];
  EXPECT_EQ(comparison["prompts"], 15);
  EXPECT_EQ(comparison["greedy"]["difference"], 0) << "the greedy responses are the same";
  EXPECT_EQ(comparison["greedy"]["mcnemar_p"], 1);
  EXPECT_EQ(comparison["greedy"]["only_a_right"], 0);
  EXPECT_LT(comparison["greedy"]["low"], 0);
  EXPECT_LE(comparison["sampled"]["low"], comparison["sampled"]["difference"]);
  EXPECT_EQ(run(eval({"--compare", sums()})).code, 1);
}

/// The commands that `agro eval --help` shows, with the models and the files that lie here.
TEST_F(Evaluation, TheExamplesOfItsHelpRun) {
  file("eval.jsonl", read_file(sums()));
  file("SVAMP.json", R"([{"ID": "chal-1", "Body": "Tom has 5 pens. He gives 2 away", "Question": "How many are left?",
    "Answer": 3.0, "Type": "Subtraction"}])");
  std::filesystem::create_directories(folder_ / "MATH/test/algebra");
  file("MATH/test/algebra/1.json", R"({"problem": "$1+1$?", "solution": "It is $\\boxed{2}$.", "type": "Algebra"})");
  const Path root = AGRO_SOURCE_DIR;
  const auto placed = [&](const std::string& word) -> std::string {
    if (word == "path/to/model" || word == "runs/a/best") return kAddition;
    if (word.starts_with("configs/") || word.starts_with("models/")) return root / word;
    return word.find('.') != std::string::npos || word.starts_with("MATH") ? (folder_ / word).string() : word;
  };
  std::istringstream lines(run({"eval", "--help"}).out);
  int examples = 0;
  for (std::string line; std::getline(lines, line);) {
    if (!line.starts_with("  agro eval ")) continue;
    std::istringstream stream(line);
    std::vector<std::string> words;
    for (std::string word; stream >> word;) words.push_back(placed(word));
    words.erase(words.begin());
    words.insert(words.end(), {"--samples", "2", "--max-new-tokens", "4"});
    const Finished finished = run(words);
    EXPECT_EQ(finished.code, 0) << line << ": " << finished.err;
    EXPECT_THAT(line, HasSubstr("--reward ")) << "the default would call every working wrong";
    ++examples;
  }
  EXPECT_GE(examples, 5);
  EXPECT_TRUE(std::filesystem::exists(folder_ / "runs/a/evaluations/eval.json"));
}

TEST_F(Evaluation, SaysWhyItHasNoGaps) {
  const auto ask = [&](std::vector<std::string> more) {
    more.insert(more.end(), {"--reference", kAddition, "--reference-samples", "2"});
    return run(eval(more));
  };
  const Finished measured = ask({"--temperature", "1"});
  EXPECT_THAT(measured.out, testing::AllOf(HasSubstr("KL to the reference, nats per response"), HasSubstr("value gap"),
                                           testing::Not(HasSubstr("note:"))));
  const Finished tempered = ask({"--temperature", "0.7", "--top-k", "5"});
  EXPECT_EQ(tempered.code, 0);
  EXPECT_THAT(tempered.out, HasSubstr("note: KL to the reference and gaps are not measured: with --temperature 0.7 "
                                      "--top-k 5 the samples are not the model's own"));
  EXPECT_THAT(tempered.out, HasSubstr("hint: for KL and gaps run once more without --temperature 0.7 --top-k 5\n"));
  EXPECT_THAT(tempered.err, HasSubstr("not measured")) << "said before the time is spent, too";
  EXPECT_THAT(tempered.out, testing::Not(HasSubstr("value gap")));
  const Finished greedy = run({"eval", kAddition, sums(), "--prompt-template-file", as_chat(), "--max-new-tokens", "4",
                               "--samples", "0", "--reference", kAddition});
  EXPECT_THAT(greedy.out, HasSubstr("they are means over samples, and --samples is 0"));
}

TEST_F(Evaluation, AFieldThatNoPromptHasIsRefusedFirst) {
  const Finished finished = run(eval({"--by", "flavour"}));
  EXPECT_EQ(finished.code, 1);
  EXPECT_THAT(finished.err, HasSubstr("no prompt has a field 'flavour'"));
  EXPECT_THAT(finished.err, testing::Not(HasSubstr("responses"))) << "nothing was generated";
}

TEST_F(Evaluation, SaysWhatIsTrainedOn) {
  const Finished finished = run(eval({"--training-prompts", sums()}));
  ASSERT_EQ(finished.code, 0) << finished.err;
  EXPECT_THAT(finished.err,
              HasSubstr("20 of 20 evaluation prompts are training prompts, too (line-1, line-2, line-3, …)"));
  const Finished trained = run(train(config(), "run", {"--set", "run.steps=1"}));
  ASSERT_EQ(trained.code, 0) << trained.err;
  EXPECT_THAT(trained.err, HasSubstr("12 of 12 evaluation prompts are training prompts"));
}

TEST_F(Evaluation, TrainsOnAPublishedLayoutWithATemplateFile) {
  const Finished finished =
      run(train(config(), "run",
                {"--set", "run.steps=2", "--set", "data.prompts=" + sums(), "--set", "data.limit=10", "--set",
                 "data.prompt_template_file=" + as_chat(), "--set", "evaluate.prompts=" + sums(), "--set",
                 "evaluate.skip=10", "--set", "rewards.reward=[{kind=\"last_number\"}]"}));
  ASSERT_EQ(finished.code, 0) << finished.err;
  EXPECT_THAT(finished.err, HasSubstr("10 prompts"));
  EXPECT_THAT(finished.err, testing::Not(HasSubstr("are training prompts")));
  const Finished refused =
      run(train(config(), "other",
                {"--set", "data.prompt_template_file=" + as_chat(), "--set", "data.prompt_template=\"{prompt}\""}));
  EXPECT_EQ(refused.code, 1);
  EXPECT_THAT(refused.err, HasSubstr("data.prompt_template and data.prompt_template_file are both given"));
}

TEST_F(Evaluation, CountdownProblemsEarnTheirOwnWorkings) {
  const Finished made = run({"problems", "--kind", "countdown", "--max-level", "3", "--count", "30"});
  ASSERT_EQ(made.code, 0) << made.err;
  std::vector<Json> pairs;
  for (const Json& problem : made.lines())
    pairs.push_back({{"gold", problem["answer"]}, {"pred", problem["completion"]}});
  for (const Json& answer : ask({"verify", "--policy", "countdown"}, pairs)) EXPECT_EQ(answer["equal"], true) << answer;
  const Finished fractions = run({"problems", "--kind", "fraction", "equation", "--max-level", "6", "--count", "60"});
  ASSERT_EQ(fractions.code, 0) << fractions.err;
  pairs.clear();
  for (const Json& problem : fractions.lines())
    pairs.push_back({{"gold", problem["answer"]}, {"pred", problem["completion"]}});
  for (const Json& answer : ask({"verify", "--policy", "strict"}, pairs)) EXPECT_EQ(answer["equal"], true) << answer;
}

}  // namespace
}  // namespace agro
