#include "report/run_list.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <sys/stat.h>

#include <array>

#include "report/test_support.h"

namespace agro {
namespace {

using std::chrono::system_clock;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

/// A run whose files changed at `time`, seconds since 1970.
void make_run(const Path& folder, time_t time, const std::string& metrics) {
  write_atomically(folder / "metrics.jsonl", metrics);
  const std::array<timespec, 2> times{timespec{time, 0}, timespec{time, 0}};
  ASSERT_EQ(::utimensat(AT_FDCWD, (folder / "metrics.jsonl").c_str(), times.data(), 0), 0);
}

std::vector<std::string> names(const std::vector<RunSummary>& runs) {
  std::vector<std::string> names;
  for (const RunSummary& run : runs) names.push_back(run.name);
  return names;
}

TEST(FindRuns, LooksBelowButNotIntoRuns) {
  const Path root = test_folder();
  for (const char* name : {"a", "a/checkpoints/step-1", "a/best", "b/c/d/e", "b/c/d/e/f", ".hidden", "a/inner"})
    make_run(root / name, 100, "");
  std::filesystem::create_directories(root / "only/evaluations");
  std::filesystem::create_directory_symlink(root, root / "b/circle");
  EXPECT_THAT(find_runs(root), ElementsAre(root / "a", root / "a/inner", root / "b/c/d/e", root / "only"));
  EXPECT_THAT(find_runs(root / "a/best"), ElementsAre(root / "a/best"));
  EXPECT_THAT(find_runs(root / "absent"), IsEmpty());
}

TEST(ListRuns, NewestFirstWithBestFigures) {
  const Path root = test_folder();
  make_run(root / "old", 1000,
           "{\"step\":0,\"evaluation\":{\"greedy_accuracy\":0.5}}\n"
           "{\"step\":1,\"reward_mean\":0.25}\n"
           "{\"step\":2,\"reward_mean\":0.75}\n"
           "{\"step\":2,\"evaluation\":{\"greedy_accuracy\":0.625,\"sampled_accuracy\":0.5}}\n"
           "{\"step\":3,\"reward_mean\":null}\n"
           "{\"step\":3,\"evaluation\":{\"greedy_accuracy\":0.25,\"sampled_accuracy\":0.25}}\n");
  write_atomically(root / "old/config.toml", "[run]\nsteps = 10\n[objective]\nname = \"agro\"\n");
  write_atomically(root / "old/timings.jsonl",
                   "{\"step\":1,\"step_seconds\":50}\n{\"step\":2,\"evaluation_seconds\":25}\n");
  const std::array<timespec, 2> times{timespec{1000, 0}, timespec{1000, 0}};
  ASSERT_EQ(::utimensat(AT_FDCWD, (root / "old/timings.jsonl").c_str(), times.data(), 0), 0);
  make_run(root / "damaged", 2000, "{\"step\":\n");
  make_run(root / "new", 3000, "{\"step\":4,\"loss\":1.0}\n");
  std::filesystem::create_directories(root / "new/final");

  const std::vector<RunSummary> runs = list_runs(root);
  EXPECT_THAT(names(runs), ElementsAre("new", "damaged", "old"));
  EXPECT_EQ(runs[0].state, RunState::kFinished);
  EXPECT_FALSE(runs[0].greedy);
  EXPECT_THAT(runs[1].problem, HasSubstr("damaged/metrics.jsonl: line 1: is not valid JSON"));
  EXPECT_EQ(runs[2].step, 3);
  EXPECT_EQ(runs[2].greedy->value, 0.625);
  EXPECT_EQ(runs[2].greedy->step, 2);
  EXPECT_EQ(runs[2].reward, 0.75);
  EXPECT_EQ(to_json(runs[2]).dump(),
            fmt::format(R"({{"name":"old","folder":"{}","state":"stopped","step":3,"steps":10,"objective":"agro",)"
                        R"("greedy_accuracy":0.625,"greedy_accuracy_step":2,"sampled_accuracy":0.5,)"
                        R"("sampled_accuracy_step":2,"reward_mean":0.75,"seconds":75.0,"changed":1000}})",
                        (root / "old").string()));
  const std::string table = run_table(std::span(runs).subspan(2), system_clock::from_time_t(1000 + 180));
  EXPECT_EQ(table,
            "run  state    step  objective  best greedy  best sampled  reward   time    changed\n"
            "───  ───────  ────  ─────────  ───────────  ────────────  ──────  ─────  ─────────\n"
            "old  stopped  3/10  agro         62.5 % @2     50.0 % @2    0.75  1m15s  3 min ago\n");
  EXPECT_THAT(run_table(runs, system_clock::now()), HasSubstr("\n\n" + runs[1].problem + "\n"));
}

TEST(ListRuns, ARunThatWasOnlyEvaluated) {
  const Path root = test_folder();
  write_atomically(root / "base/evaluations/before.json", R"({"figures":{"greedy_accuracy":0.5}})");
  const std::vector<RunSummary> runs = list_runs(root / "base");
  ASSERT_EQ(runs.size(), 1U);
  EXPECT_EQ(runs[0].name, (root / "base").string());
  EXPECT_EQ(runs[0].state, RunState::kEvaluated);
  EXPECT_EQ(runs[0].greedy->value, 0.5);
}

TEST(ListRuns, NamesAMissingFolder) {
  EXPECT_THAT(error_of([] { list_runs("absent-folder"); }), HasSubstr("absent-folder: there is no such folder"));
}

}  // namespace
}  // namespace agro
