#include "report/run_data.h"

#include <gmock/gmock.h>

#include <fstream>

#include "core/file_lock.h"
#include "report/page_data.h"
#include "report/run_tail.h"
#include "report/test_support.h"

namespace agro {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr const char* kMetrics =
    R"({"step":0,"evaluation":{"greedy_accuracy":0.25,"kl":0.0}}
{"step":1,"loss":2.5,"reward_mean":0.5}
{"step":2,"loss":null,"reward_mean":0.75,"note":"text","kl_k3":0.125}
{"step":2,"evaluation":{"greedy_accuracy":0.5,"kl":null}}
)";

constexpr const char* kTimings = R"({"step":0,"evaluation_seconds":3.0}
{"step":1,"tokens":100,"step_seconds":0.5}
{"step":2,"tokens":120,"step_seconds":0.25}
)";

constexpr const char* kConfig = R"([run]
steps = 2
output = "runs/a"
[data]
completions = ["a.jsonl", "b.jsonl"]
limit = 0
[[rewards.reward]]
kind = "exact"
[[rewards.reward]]
kind = "gsm8k"
[objective]
beta = 0.1
)";

void append(const Path& path, std::string_view text) {
  std::filesystem::create_directories(path.parent_path());
  std::ofstream(path, std::ios::binary | std::ios::app) << text;
}

/// A run of two steps with responses and one evaluation file.
Path make_run(const Path& folder) {
  append(folder / "metrics.jsonl", kMetrics);
  append(folder / "timings.jsonl", kTimings);
  append(folder / "config.toml", kConfig);
  for (const int step : {10, 2, 1})
    append(folder / "completions" / fmt::format("step-{}.jsonl", step),
           fmt::format("{{\"id\":\"{0}\",\"ids\":[1,2],\"completions\":[{{\"text\":\"a\",\"ids\":[3]}}]}}\n"
                       "{{\"id\":\"second\",\"completions\":[]}}\n",
                       step));
  append(folder / "completions/.step-3.jsonl.tmp-77", "{");
  append(folder / "evaluations/base.json",
         R"({"name":"base","figures":{"greedy_accuracy":0.5},"responses":[)"
         R"({"prompt":"1+1","answer":"2","text":"2","correct":true,"sampled_share":0.75},)"
         R"({"prompt":"1+2","answer":"3","text":"4","correct":false}]})");
  return folder;
}

TEST(ReadRun, RecordsBecomeColumns) {
  const RunData run = read_run(make_run(test_folder() / "one"));
  EXPECT_EQ(run.name, "one");
  EXPECT_THAT(run.metrics.steps, ElementsAre(1, 2));
  EXPECT_THAT(run.metrics.find("loss")->values, ElementsAre(2.5, std::nullopt));
  EXPECT_THAT(run.metrics.find("kl_k3")->values, ElementsAre(std::nullopt, 0.125));
  EXPECT_EQ(run.metrics.find("note"), nullptr);
  EXPECT_EQ(run.metrics.last("loss"), 2.5);
  EXPECT_EQ(run.metrics.last("absent"), std::nullopt);
  EXPECT_THAT(run.evaluations.steps, ElementsAre(0, 2));
  EXPECT_THAT(run.evaluations.find("kl")->values, ElementsAre(0.0, std::nullopt));
  EXPECT_THAT(run.timings.steps, ElementsAre(0, 1, 2));
  EXPECT_EQ(run.timings.sum("step_seconds"), 0.75);
  EXPECT_THAT(run.completion_steps, ElementsAre(1, 2, 10));
  ASSERT_EQ(run.results.size(), 1U);
  EXPECT_EQ(run.results[0].name, "base");
  EXPECT_EQ(run.results[0].figures["greedy_accuracy"], 0.5);
  EXPECT_EQ(run.results[0].responses[0].sampled_share, 0.75);
  EXPECT_EQ(run.results[0].responses[1].correct, false);
  EXPECT_EQ(run.results[0].responses[1].sampled_share, std::nullopt);
}

TEST(ReadRun, AChatIsShownByItsQuestion) {
  const auto shown = [](const std::string& response) {
    return parse_evaluation("a", OrderedJson::parse(R"({"figures":{},"responses":[)" + response + "]}"))
        .responses.at(0)
        .prompt;
  };
  const std::string messages = R"("messages":[{"role":"user","content":"1+1"}])", read = R"("prompt":"<user>1+1")";
  EXPECT_EQ(shown(R"({"question":"1+1",)" + read + "," + messages + "}"), "1+1");
  EXPECT_EQ(shown(R"({"question":"1+1","prompt":"Question: 1+1"})"), "Question: 1+1") << "of a text, what was read";
  EXPECT_EQ(shown("{" + read + "," + messages + "}"), R"([{"role":"user","content":"1+1"}])");
  EXPECT_EQ(shown(R"({"question":"1+1","prompt":"",)" + messages + "}"), "1+1");
  EXPECT_EQ(shown(R"({"prompt":"","ids":[1,2]})"), "[1,2]");
}

TEST(ReadRun, ConfigIsFlatInTheOrderOfTheFile) {
  const RunData run = read_run(make_run(test_folder()));
  EXPECT_EQ(run.config.dump(),
            R"({"run.steps":2,"run.output":"runs/a","data.completions":["a.jsonl","b.jsonl"],"data.limit":0,)"
            R"("rewards.reward.0.kind":"exact","rewards.reward.1.kind":"gsm8k","objective.beta":0.1})");
}

TEST(ReadRun, ALineThatIsBeingWrittenWaits) {
  const Path folder = test_folder();
  append(folder / "metrics.jsonl", "{\"step\":1,\"loss\":1.0}\n{\"step\":2,\"lo");
  EXPECT_THAT(read_run(folder).metrics.steps, ElementsAre(1));
  append(folder / "metrics.jsonl", "ss\":0.5}\n");
  EXPECT_THAT(read_run(folder).metrics.find("loss")->values, ElementsAre(1.0, 0.5));
}

TEST(ReadRun, LinesLongerThanOneReadAreWhole) {
  const Path folder = test_folder();
  const std::string note(700'000, 'x');
  append(folder / "metrics.jsonl", fmt::format("{{\"step\":1,\"note\":\"{0}\",\"loss\":1.0}}\n"
                                               "{{\"step\":2,\"note\":\"{0}\",\"loss\":2.0}}\n",
                                               note));
  EXPECT_THAT(read_run(folder).metrics.find("loss")->values, ElementsAre(1.0, 2.0));
}

TEST(ReadRun, StateSaysWhatIsThere) {
  const Path folder = test_folder();
  append(folder / "evaluations/base.json", R"({"figures":{}})");
  EXPECT_EQ(read_run(folder).state, RunState::kEvaluated);
  append(folder / "metrics.jsonl", "");
  EXPECT_EQ(read_run(folder).state, RunState::kStopped);
  std::filesystem::create_directories(folder / "final");
  EXPECT_EQ(read_run(folder).state, RunState::kFinished);
  {
    const auto lock = FileLock::try_acquire(run_lock_path(folder));
    EXPECT_EQ(read_run(folder).state, RunState::kRunning);
  }
  EXPECT_EQ(read_run(folder).state, RunState::kFinished);
}

TEST(ReadRun, SaysWhatIsWrong) {
  const Path folder = test_folder();
  EXPECT_THAT(error_of([&] { read_run(folder); }),
              AllOf(HasSubstr("neither metrics.jsonl nor evaluations/"), HasSubstr("agro runs")));
  EXPECT_THAT(error_of([&] { read_run(folder / "absent"); }), HasSubstr("absent: there is no such folder"));
  const auto error_with = [&](const char* file, std::string_view text) {
    const Path run = folder / "run";
    std::filesystem::remove_all(run);
    make_run(run);
    append(run / file, text);
    return error_of([&] { read_run(run); });
  };
  EXPECT_THAT(error_with("metrics.jsonl", "{]\n"), HasSubstr("metrics.jsonl: line 5: is not valid JSON"));
  EXPECT_THAT(error_with("metrics.jsonl", "[1]\n"), HasSubstr("metrics.jsonl: line 5: is not a JSON object but array"));
  EXPECT_THAT(error_with("timings.jsonl", "{\"step\":1.5}\n"), HasSubstr("timings.jsonl: line 4: has no whole number"));
  EXPECT_THAT(error_with("metrics.jsonl", "{\"step\":3,\"evaluation\":7}\n"), HasSubstr("is not an object"));
  EXPECT_THAT(error_with("metrics.jsonl", "{\"step\":3,\"x\":" + std::string(100'000, '[') + "\n"),
              HasSubstr("line 5: is nested deeper"));
  EXPECT_THAT(error_with("config.toml", "steps = \n"), HasSubstr("config.toml:13: is not valid TOML"));
  EXPECT_THAT(error_with("config.toml", std::string(2 << 20, '#')), HasSubstr("config.toml: is larger than 1024 KiB"));
  EXPECT_THAT(error_with("evaluations/base.json", "x"), HasSubstr("base.json: is not valid JSON"));
  EXPECT_THAT(error_with("evaluations/other.json", "{\"figures\":3}"), HasSubstr("other.json: has no object"));
  EXPECT_THAT(error_of([&] { read_completions_step(folder / "run", 7, 1); }), HasSubstr("step-7.jsonl: there are no"));
}

TEST(StepTable, ARowComesBackAsItsRecord) {
  StepTable table;
  const OrderedJson first = {{"step", 3}, {"a", 1.5}, {"b", 2.0}}, second = {{"step", 4}, {"b", 3.0}, {"c", 0.25}};
  table.append(3, first);
  table.append(4, second);
  table.append(5, {{"c", 1.0}, {"a", 2.0}});
  EXPECT_EQ(table.record(0), first);
  EXPECT_EQ(table.record(1), second);
  EXPECT_THAT(table.find("a")->values, ElementsAre(1.5, std::nullopt, 2.0));
}

TEST(RunTail, TakesUpWhatIsNew) {
  const Path folder = make_run(test_folder());
  RunTail tail(folder);
  EXPECT_EQ(tail.update(), RunTail::Change::kNone);
  append(folder / "metrics.jsonl", "{\"step\":3,\"loss\":9.0}\n{\"st");
  EXPECT_EQ(tail.update(), RunTail::Change::kGrown);
  EXPECT_THAT(tail.data().metrics.steps, ElementsAre(1, 2, 3));
  EXPECT_EQ(tail.update(), RunTail::Change::kNone);
  append(folder / "metrics.jsonl", "ep\":4,\"loss\":8.0}\n");
  EXPECT_EQ(tail.update(), RunTail::Change::kGrown);
  EXPECT_EQ(tail.data().metrics.last("loss"), 8.0);
  std::filesystem::create_directories(folder / "final");
  EXPECT_EQ(tail.update(), RunTail::Change::kGrown);
  EXPECT_EQ(tail.data().state, RunState::kFinished);
}

TEST(RunTail, AResumedRunIsReadAgain) {
  const Path folder = make_run(test_folder());
  RunTail tail(folder);
  write_atomically(folder / "metrics.jsonl", "{\"step\":1,\"loss\":2.5}\n");
  EXPECT_EQ(tail.update(), RunTail::Change::kReplaced);
  EXPECT_THAT(tail.data().metrics.steps, ElementsAre(1));
  std::filesystem::resize_file(folder / "metrics.jsonl", 0);
  EXPECT_EQ(tail.update(), RunTail::Change::kReplaced);
  EXPECT_TRUE(tail.data().metrics.empty());
}

TEST(PageData, HoldsEveryColumnOnce) {
  const Path folder = test_folder();
  const std::vector<RunData> runs = {read_run(make_run(folder / "a/same")), read_run(make_run(folder / "b/same"))};
  const OrderedJson page = page_data(runs, {});
  EXPECT_EQ(page["version"], 1);
  EXPECT_EQ(page["live"], false);
  const OrderedJson& run = page["runs"][0];
  EXPECT_EQ(run["name"], (folder / "a/same").string());
  EXPECT_EQ(run["state"], "stopped");
  EXPECT_EQ(run["config"]["objective.beta"], 0.1);
  EXPECT_EQ(run["metrics"].dump(), R"({"step":[1,2],"loss":[2.5,null],"reward_mean":[0.5,0.75],"kl_k3":[null,0.125]})");
  EXPECT_EQ(run["evaluations"]["greedy_accuracy"].dump(), "[0.25,0.5]");
  EXPECT_EQ(run["timings"]["tokens"].dump(), "[null,100.0,120.0]");
  EXPECT_EQ(run["completion_steps"].dump(), "[1,2,10]");
  EXPECT_EQ(run["completions"]["10"][0].dump(), R"({"id":"10","completions":[{"text":"a"}]})");
  EXPECT_EQ(run["results"][0]["figures"]["greedy_accuracy"], 0.5);
  EXPECT_EQ(run["results"][0]["responses"][1].dump(),
            R"({"prompt":"1+2","answer":"3","text":"4","correct":false,"sampled_share":null})");
}

TEST(PageData, KeepsToItsLimits) {
  const std::vector<RunData> runs = {read_run(make_run(test_folder() / "run"))};
  const OrderedJson small =
      page_data(runs, {.live = false, .max_completion_steps = 2, .max_groups = 1, .max_result_responses = 1});
  EXPECT_EQ(small["runs"][0]["name"], "run");
  EXPECT_EQ(small["runs"][0]["completion_steps"].dump(), "[1,10]");
  EXPECT_EQ(small["runs"][0]["completions"].size(), 2U);
  EXPECT_EQ(small["runs"][0]["completions"]["1"].size(), 1U);
  EXPECT_EQ(small["runs"][0]["results"][0]["responses"].size(), 1U);
  const OrderedJson live = page_data(runs, {.live = true});
  EXPECT_EQ(live["live"], true);
  EXPECT_EQ(live["runs"][0]["completion_steps"].size(), 3U);
  EXPECT_THAT(live["runs"][0]["completions"], IsEmpty());
}

}  // namespace
}  // namespace agro
