#include "report/csv_export.h"

#include "report/test_support.h"

namespace agro {
namespace {

RunData run_named(const std::string& name) {
  RunData run;
  run.name = name;
  return run;
}

TEST(CsvExport, QuotesWhatNeedsIt) {
  EXPECT_EQ(csv_field("plain text"), "plain text");
  EXPECT_EQ(csv_field(""), "");
  EXPECT_EQ(csv_field("a,b"), "\"a,b\"");
  EXPECT_EQ(csv_field("say \"hi\""), "\"say \"\"hi\"\"\"");
  EXPECT_EQ(csv_field("two\nlines"), "\"two\nlines\"");
  EXPECT_EQ(csv_field("\r"), "\"\r\"");
}

TEST(CsvExport, RunsStandBelowOneAnother) {
  RunData a = run_named("a"), b = run_named("b, the second");
  a.metrics.append(1, OrderedJson{{"loss", 0.1}, {"reward_mean", 1}});
  a.metrics.append(2, OrderedJson{{"loss", nullptr}, {"reward_mean", 0.30000000000000004}});
  b.metrics.append(1, OrderedJson{{"kl", 2.5}, {"loss", -1e-9}});
  const Path folder = test_folder() / "made";
  export_csv(std::vector{a, b}, folder);
  EXPECT_EQ(read_file(folder / "metrics.csv"),
            "run,step,loss,reward_mean,kl\n"
            "a,1,0.1,1,\n"
            "a,2,,0.30000000000000004,\n"
            "\"b, the second\",1,-1e-09,,2.5\n");
  EXPECT_FALSE(std::filesystem::exists(folder / "timings.csv"));
  EXPECT_FALSE(std::filesystem::exists(folder / "results.csv"));
}

TEST(CsvExport, ResultsHaveARowForEachFile) {
  RunData run = run_named("a");
  run.results.push_back({.name = "test", .figures = {{"greedy_accuracy", 0.5}, {"model", "x,y"}}, .responses = {}});
  run.results.push_back({.name = "train", .figures = {{"greedy_accuracy", nullptr}}, .responses = {}});
  const Path folder = test_folder();
  export_csv(std::vector{run}, folder);
  EXPECT_EQ(read_file(folder / "results.csv"),
            "run,name,greedy_accuracy,model\n"
            "a,test,0.5,\"x,y\"\n"
            "a,train,,\n");
}

}  // namespace
}  // namespace agro
