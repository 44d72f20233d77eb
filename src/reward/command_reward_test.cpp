#include "reward/command_reward.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <fstream>

#include "core/error.h"
#include "core/test_folder.h"

namespace agro {
namespace {

using testing::HasSubstr;

/// Scripts find the query's id and its completion in $id and $text.
const std::string kRead =
    "get() { IFS= read -r line || exit 0; id=${line#*\\\"id\\\":}; id=${id%%,*}; "
    "text=${line#*\\\"completion\\\":\\\"}; text=${text%%\\\"*}; }\n"
    "give() { echo \"{\\\"id\\\":$1,\\\"reward\\\":$2}\"; }\n";
const std::string kEcho = "while :; do get; give $id $text; done";

CommandOptions script(const std::string& text, int restarts = 0, double timeout = 20) {
  return {{"sh", "-c", kRead + text}, timeout, restarts};
}

std::vector<RewardQuery> queries_of(const std::vector<std::string>& completions) {
  std::vector<RewardQuery> queries;
  for (const std::string& text : completions) queries.push_back({.prompt = "a \"prompt\"\n", .completion = text});
  return queries;
}

const std::vector<std::string> kNumbers = {"1", "2.5", "-3", "4e-1"};
const std::vector<double> kValues = {1, 2.5, -3, 0.4};

void expect_error(const CommandOptions& options, const std::vector<std::string>& parts) {
  CommandReward reward("mine", options);
  const std::vector<std::string> texts = {"1"};
  try {
    reward.score(queries_of(texts));
    FAIL() << "no error; expected one with " << parts[0];
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), HasSubstr("reward 'mine': command 'sh'"));
    for (const std::string& part : parts) EXPECT_THAT(error.what(), HasSubstr(part));
  }
}

TEST(CommandReward, ScoresBatchAfterBatchWithOneProcess) {
  CommandReward reward("mine", script("while :; do get; give $id $$; done"));
  const std::vector<double> first = reward.score(queries_of(kNumbers)), second = reward.score(queries_of(kNumbers));
  EXPECT_EQ(first, std::vector<double>(4, first[0]));
  EXPECT_EQ(first, second);
  EXPECT_EQ(reward.name(), "mine");
  EXPECT_TRUE(reward.score({}).empty());
}

TEST(CommandReward, SendsTheQueryAndItsRecord) {
  // The program hands back the line it got as its error output.
  CommandReward reward("mine", script("get; printf '%s\\n' \"$line\" >&2; exit 1"));
  const Json record = {{"prompt", "p"}, {"level", 3}};
  const RewardQuery query{.prompt = "p\n\"", .completion = "\xFF", .answer = "a", .record = &record, .truncated = true};
  try {
    reward.score({&query, 1});
    FAIL() << "no error";
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), HasSubstr(R"({"id":0,"prompt":"p\n\"","completion":")"
                                        "\uFFFD"
                                        R"(","truncated":true,"answer":"a","record":{"level":3,"prompt":"p"}})"));
  }
}

TEST(CommandReward, TakesAnswersInAnyOrder) {
  CommandReward reward("mine", script("get; a=$id; x=$text; get; b=$id; y=$text; get; c=$id; z=$text; get; "
                                      "give $c $z; give $id $text; give $a $x; give $b $y; cat"));
  EXPECT_EQ(reward.score(queries_of(kNumbers)), kValues);
}

TEST(CommandReward, TakesAnswersBeforeTheQueriesAreRead) {
  constexpr int kCount = 2000;
  const std::vector<std::string> texts(kCount, std::string(500, 'x'));
  CommandReward reward("mine", script("i=0; while [ $i -lt 2000 ]; do echo \"{\\\"id\\\":$i,\\\"reward\\\":$i,"
                                      "\\\"why\\\":\\\"0123456789012345678901234567890123456789\\\"}\"; "
                                      "i=$((i+1)); done; cat"));
  const std::vector<double> rewards = reward.score(queries_of(texts));
  for (int i = 0; i < kCount; ++i) EXPECT_EQ(rewards[static_cast<size_t>(i)], i);
}

TEST(CommandReward, ReportsACrash) {
  expect_error(script("get; echo 'no module named judge' >&2; exit 3", 1),
               {"exited with status 3", "(1 of 1 queries unanswered, the first for prompt \"a \"prompt\" \"",
                "giving up after 1 restarts", "no module named judge"});
  expect_error(script("exit 0"), {"exited with status 0"});
  expect_error(script("kill -SEGV $$"), {"was killed by signal 11"});
}

TEST(CommandReward, ReportsATimeOut) {
  expect_error(script("get; echo thinking >&2; sleep 1000", 1, 0.2),
               {"gave no reward for 0.2 s", "giving up after 1 restarts", "thinking"});
}

TEST(CommandReward, ReportsBrokenAnswersWithoutTryingAgain) {
  const auto answers = [](const std::string& line) { return script("get; echo '" + line + "'; sleep 1000", 5); };
  expect_error(answers("score: 1"), {"expected a line of JSON", "found: score: 1"});
  expect_error(answers(""), {"expected a line of JSON"});
  expect_error(answers(R"({"id":0,"reward":NaN})"), {"NaN", R"({"id":0,"reward":NaN})"});
  expect_error(answers(R"({"id":0,"reward":1e999})"), {"1e999"});
  expect_error(answers(R"({"id":0,"reward":null})"), {"expected a finite number as \"reward\""});
  expect_error(answers(R"({"id":0,"score":1})"), {"expected a finite number as \"reward\""});
  expect_error(answers(R"({"id":0,"reward":"1"})"), {"expected a finite number as \"reward\""});
  expect_error(answers(R"({"reward":1})"), {"expected an integer \"id\""});
  expect_error(answers("[0, 1]"), {"expected an integer \"id\""});
  expect_error(answers(R"({"id":1,"reward":1})"), {"id 1, which is not waiting"});
  expect_error(answers(R"({"id":-9223372036854775808,"reward":1})"), {"which is not waiting"});
  expect_error(answers(R"({"id":{"a":)" + std::string(500, '[') + R"(1)"), {"expected a line of JSON", "[[[..."});
  expect_error(script("get; exec cat /dev/zero", 5), {"line of more than 1048576 bytes"});
  expect_error({{"sh", "-c", "echo 'cannot load' >&2; sleep 0.2; echo hello; sleep 1000"}, 20, 5},
               {"found: hello", "cannot load"});
}

TEST(CommandReward, SurvivesADeeplyNestedAnswer) {
  expect_error(
      {{"sh", "-c", "head -c 500000 /dev/zero | tr '\\0' '['; head -c 500000 /dev/zero | tr '\\0' ']'; echo"}, 20, 0},
      {"expected an integer \"id\""});
}

TEST(CommandReward, RejectsASecondRewardForOneQuery) {
  CommandReward reward("mine", script("get; give $id 1; give $id 1; sleep 1000"));
  const std::vector<std::string> texts = {"1", "2"};
  EXPECT_THROW(reward.score(queries_of(texts)), Error);
}

TEST(CommandReward, StartsAfreshWhenTheProgramLeftBetweenBatches) {
  CommandReward reward("mine", script("get; give $id $text; get; give $id $text; exit 0", 1));
  const std::vector<std::string> texts = {"1", "2"};
  for (int batch = 0; batch < 3; ++batch) EXPECT_EQ(reward.score(queries_of(texts)), (std::vector<double>{1, 2}));
}

TEST(CommandReward, AsksAgainOnlyWhatIsUnanswered) {
  // One reward per life: each restart follows progress, so a single allowed restart suffices for four queries.
  CommandReward reward("mine", script("get; give $id $text", 1));
  EXPECT_EQ(reward.score(queries_of(kNumbers)), kValues);
}

using CommandRewardFiles = TestFolder;

TEST_F(CommandRewardFiles, RecoversFromOneHangAndOneCrash) {
  CommandOptions options = script(
      "echo life >> $0; lives=$(wc -l < $0); get; [ $lives -eq 1 ] && sleep 1000; [ $lives -eq 2 ] && exit 7; "
      "give $id $text; " +
          kEcho,
      2, 0.5);
  options.argv.push_back((folder_ / "lives").string());
  CommandReward reward("mine", options);
  EXPECT_EQ(reward.score(queries_of(kNumbers)), kValues);
}

TEST_F(CommandRewardFiles, CarriesNothingOverFromAFailedBatch) {
  CommandOptions options = script("[ -e $0 ] || { : > $0; get; give 0 1; give 0 1; sleep 1000; }; " + kEcho);
  options.argv.push_back((folder_ / "failed-once").string());
  CommandReward reward("mine", options);
  EXPECT_THROW(reward.score(queries_of(kNumbers)), Error);
  EXPECT_EQ(reward.score(queries_of(kNumbers)), kValues);
}

TEST(CommandReward, NeedsAProgram) {
  EXPECT_THROW(CommandReward("mine", {}), Error);
  CommandReward reward("mine", {{"agro-no-such-scorer"}, 1, 5});
  try {
    reward.score(queries_of(kNumbers));
    FAIL() << "no error";
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), HasSubstr("reward 'mine'"));
    EXPECT_THAT(error.what(), HasSubstr("cannot start 'agro-no-such-scorer': No such file"));
  }
}

}  // namespace
}  // namespace agro
