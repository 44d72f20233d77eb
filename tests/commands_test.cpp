// The commands on files, and what a user sees when something is wrong.
#include "support.h"

namespace agro {
namespace {

const std::string kAddition = kGolden / "e2e_qwen2_addition";

class Commands : public ProgramTest {
 protected:
  std::string file(const std::string& name, const std::string& content) {
    write_atomically(folder_ / name, content);
    return folder_ / name;
  }

  std::vector<Json> records(const Path& path) {
    std::vector<Json> result;
    for_each_jsonl(path, [&](const Json& record, int64_t) { result.push_back(record); });
    return result;
  }

  /// The program must refuse: one message, nothing on standard output.
  void expect_refusal(const std::vector<std::string>& arguments, const std::string& input, int code,
                      const std::vector<std::string>& said) {
    const Finished finished = run(arguments, input);
    EXPECT_EQ(finished.code, code) << finished.err;
    EXPECT_EQ(finished.out, "");
    EXPECT_TRUE(finished.err.starts_with("agro: error: ")) << finished.err;
    for (const std::string& text : said)
      EXPECT_NE(finished.err.find(text), std::string::npos) << text << " not in: " << finished.err;
  }
};

TEST_F(Commands, HelpAndVersion) {
  const Finished help = run({"--help"}), version = run({"--version"});
  EXPECT_EQ(help.code, 0);
  EXPECT_EQ(version.code, 0);
  EXPECT_TRUE(version.out.starts_with("agro ")) << version.out;
  for (const std::string name : {"train", "sft", "config", "init", "inspect", "generate", "score", "eval", "problems",
                                 "report", "watch", "runs", "bench", "tokenize", "logprobs", "verify", "objective"}) {
    EXPECT_NE(help.out.find("\n  " + name), std::string::npos) << name;
    const Finished own = run({name, "--help"});
    EXPECT_EQ(own.code, 0) << name;
    EXPECT_NE(own.out.find("Example"), std::string::npos) << name;
  }
}

TEST_F(Commands, AWrongCommandLineIsCode2) {
  expect_refusal({}, "", 2, {"subcommand", "agro --help"});
  expect_refusal({"generate", kAddition}, "", 2, {"PROMPTS", "--stdin"});
  expect_refusal({"generate", kAddition, "--stdin", "--temperature", "-1"}, "", 2,
                 {"--temperature", "-1", "agro generate --help"});
  expect_refusal({"logprobs"}, "", 2, {"FOLDER"});
  expect_refusal({"train"}, "", 2, {"CONFIG"});
  expect_refusal({"eval", kAddition, "prompts.jsonl", "--sample", "4"}, "", 2, {"--sample"});
}

TEST_F(Commands, BadInputIsCode1AndNamesItsLine) {
  expect_refusal({"tokenize", kAddition}, "{\"text\": \"a\"", 1, {"standard input: line 1", "JSON"});
  expect_refusal({"tokenize", kAddition}, "\n\n[1]\n", 1, {"line 3", "expected a JSON object"});
  expect_refusal({"tokenize", kAddition}, "{\"text\": \"a\", \"ids\": [1]}", 1, {"exactly one"});
  expect_refusal({"tokenize", kAddition}, "{\"text\": " + std::string(100, '[') + std::string(100, ']') + "}", 1,
                 {"nested"});
  expect_refusal({"logprobs", kAddition}, "{\"ids\": [1, 400]}", 1, {"line 1", "400", "index 1"});
  expect_refusal({"logprobs", kGolden / "gpt2", "--eos"}, "{\"prompt\": \"a\", \"completion\": \"b\"}", 1,
                 {"no tokenizer", "line 1"});
  expect_refusal({"generate", kAddition, "--stdin"}, "{\"text\": \"a\"}", 1, {"line 1", "has no prompt"});
  expect_refusal({"verify", "--policy", "exact"}, "{\"gold\": \"1\"}", 1, {"line 1", "pred"});
  expect_refusal({"verify", "--policy", "last_numbr"}, "", 1, {"last_number"});
  expect_refusal({"objective", "agr"}, "", 1, {"did you mean", "agro"});
  expect_refusal({"objective", "agro", "--set", "objective.beat=1"}, "", 1, {"beat", "beta"});
  expect_refusal({"objective", "agro"}, "{\"rewards\": [1]}", 1, {"line 1", "logprobs"});
  expect_refusal({"generate", folder_ / "nowhere", "--stdin"}, "", 1, {"nowhere", "config.json"});
}

TEST_F(Commands, GoodLinesBeforeABadOneAreAnswered) {
  const std::string good = R"({"prompt": "What is 1+1?"})"
                           "\n";
  const Finished finished =
      run({"generate", kAddition, "--stdin", "--greedy", "--max-new-tokens", "3"}, good + good + "{\n" + good);
  EXPECT_EQ(finished.code, 1);
  EXPECT_EQ(finished.lines().size(), 2U);
  EXPECT_NE(finished.err.find("line 3"), std::string::npos) << finished.err;
}

TEST_F(Commands, ThePrintedConfigIsOneThatCanBeRead) {
  for (const std::string command : {"train", "sft"}) {
    const Finished printed = run({command, "--print-config", "--set", "optimizer.learning_rate=0.25"});
    ASSERT_EQ(printed.code, 0) << printed.err;
    EXPECT_NE(printed.out.find("learning_rate = 0.25"), std::string::npos);
    const Finished again = run({command, file("config.toml", printed.out), "--print-config"});
    EXPECT_EQ(again.out, printed.out) << again.err;
  }
}

TEST_F(Commands, GenerateScoreAndEvalWorkOnEachOthersFiles) {
  const std::string prompts =
      file("prompts.jsonl",
           R"({"id": "a", "messages": [{"role": "user", "content": "What is 2+2?"}], "answer": "4"}
{"id": "b", "messages": [{"role": "user", "content": "What is 9+9?"}], "answer": 1}
)");
  const std::string drawn = folder_ / "drawn.jsonl", scored = folder_ / "scored.jsonl";
  const Finished generated = run({"generate", kAddition, prompts, "--n", "3", "--output", drawn});
  ASSERT_EQ(generated.code, 0) << generated.err;
  EXPECT_EQ(generated.out, "");
  ASSERT_EQ(records(drawn).size(), 2U);
  for (const Json& record : records(drawn)) {
    ASSERT_EQ(record["completions"].size(), 3U);
    for (const Json& c : record["completions"]) {
      EXPECT_LT(c["logprob"].get<double>(), 0);
      EXPECT_EQ(c["source"], "e2e_qwen2_addition");
      EXPECT_EQ(c["finish_reason"], "stop");
    }
  }
  const Finished rewarded = run({"score", drawn, "--output", scored});
  ASSERT_EQ(rewarded.code, 0) << rewarded.err;
  EXPECT_NE(rewarded.out.find("e2e_qwen2_addition"), std::string::npos) << rewarded.out;
  const auto result = records(scored);
  ASSERT_EQ(result.size(), 2U);
  for (const Json& record : result)
    for (const Json& c : record["completions"]) EXPECT_EQ(c["reward"], c["text"] == record["answer"] ? 1.0 : 0.0);

  const std::string figures = folder_ / "figures.json";
  const Finished evaluated = run({"eval", kAddition, prompts, "--samples", "0", "--json", figures});
  ASSERT_EQ(evaluated.code, 0) << evaluated.err;
  EXPECT_NE(evaluated.out.find("50.0 %"), std::string::npos) << evaluated.out;
  EXPECT_EQ(read_json(figures)["greedy_accuracy"], 0.5);
}

TEST_F(Commands, GeneratedTextsWithoutIdsAreForModelsWithOtherTokenizers) {
  const std::string prompts = file("prompts.jsonl", R"({"id": "a", "prompt": "What is 2+2?", "answer": "4"})");
  const std::string whole = folder_ / "whole.jsonl", texts = folder_ / "texts.jsonl";
  ASSERT_EQ(run({"generate", kAddition, prompts, "--n", "2", "--output", whole}).code, 0);
  const Finished generated = run({"generate", kAddition, prompts, "--n", "2", "--text-only", "--output", texts});
  ASSERT_EQ(generated.code, 0) << generated.err;
  const Json with_ids = records(whole)[0]["completions"], without = records(texts)[0]["completions"];
  ASSERT_EQ(without.size(), 2U);
  for (size_t i = 0; i < 2; ++i) {
    EXPECT_TRUE(with_ids[i].contains("ids"));
    EXPECT_FALSE(without[i].contains("ids") || without[i].contains("logprobs")) << without[i];
    EXPECT_EQ(without[i]["text"], with_ids[i]["text"]);
    EXPECT_EQ(without[i]["logprob"], with_ids[i]["logprob"]);
  }
  expect_refusal({"generate", kAddition, "--stdin", "--text-only"}, "", 2, {"--text-only"});
}

TEST_F(Commands, ScoreKeepsWhatItDoesNotKnow) {
  const std::string given = file("given.jsonl", R"({"prompt": "1+1", "completion": "= 2", "model": "m", "reward": 7}
{"prompt": "1+1", "completion": "= 3", "answer": "2"}
{"prompt": "1+2", "answer": "3", "completions": [{"text": "3", "level": 1}, {"text": "3 or 4", "finish_reason": "length"}]}
)");
  const std::string scored = folder_ / "scored.jsonl";
  Finished finished =
      run({"score", given, "--output", scored, "--reward", "last_number", "--set", "rewards.truncated=drop"});
  ASSERT_EQ(finished.code, 0) << finished.err;
  auto result = records(scored);
  ASSERT_EQ(result.size(), 3U);
  EXPECT_EQ(result[0], Json::parse(R"({"prompt": "1+1", "completion": "= 2", "model": "m", "reward": 1.0})"));
  EXPECT_EQ(result[1]["reward"], 0.0);
  EXPECT_EQ(result[2]["completions"], Json::parse(R"([{"text": "3", "level": 1, "reward": 1.0}])"));
  finished = run({"score", given, "--output", scored, "--reward", "last_number", "--only-missing"});
  ASSERT_EQ(finished.code, 0) << finished.err;
  result = records(scored);
  EXPECT_EQ(result[0]["reward"], 7);
  EXPECT_EQ(result[2]["completions"][1]["reward"], 0.0);
}

TEST_F(Commands, EvalFindsThePublishedAccuracyOfTheAdder) {
  const Path adders = Path(AGRO_SHARED_DIR) / "models" / "mathgpt-adders";
  if (!std::filesystem::exists(adders)) GTEST_SKIP() << "SKIPPED: the adders need the shared folder";
  const std::string figures = folder_ / "figures.json";
  const Finished finished = run({"eval", adders / "2l-1h-128d", adders / "tasks" / "eval_prompts.jsonl",
                                 "--answer-probability", "--json", figures});
  ASSERT_EQ(finished.code, 0) << finished.err;
  EXPECT_NE(finished.out.find("68.8 %"), std::string::npos) << finished.out;
  const Json result = read_json(figures);
  EXPECT_NEAR(result["answer_probability"].get<double>(), 0.533, 0.0005);
  // 16 draws for each of 1000 prompts: a standard error of at most 0.004 around the expectation.
  EXPECT_NEAR(result["sampled_accuracy"].get<double>(), result["answer_probability"].get<double>(), 0.012);
}

}  // namespace
}  // namespace agro
