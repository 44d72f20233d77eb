// `agro bench`: that it runs, checks and reports. Nothing here depends on what it measures.
#include "support.h"

namespace agro {
namespace {

using Bench = ProgramTest;

TEST_F(Bench, ReportsEveryLineOfABench) {
  const Finished finished = run({"bench", "training", "--rounds", "1", "--blas", "own", "--json"});
  ASSERT_EQ(finished.code, 0) << finished.err;
  const std::vector<Json> lines = finished.lines();
  ASSERT_EQ(lines.size(), 4U) << finished.out;
  EXPECT_EQ(lines[0]["kind"], "machine");
  EXPECT_GT(lines[0]["measured"]["float32_gflops"].get<double>(), 0);
  for (size_t i : {1, 2}) {
    EXPECT_EQ(lines[i]["bench"], "training");
    EXPECT_EQ(lines[i]["rounds"], 1);
    // One round: the ratio is that of its rates.
    EXPECT_DOUBLE_EQ(
        lines[i]["ratio"]["median"].get<double>(),
        lines[i]["ours"]["rate"]["median"].get<double>() / lines[i]["reference"]["rate"]["median"].get<double>());
    EXPECT_EQ(lines[i]["ratio"]["median"], lines[i]["ratio"]["least"]);
    EXPECT_TRUE(lines[i]["reached"].is_boolean());
  }
  EXPECT_EQ(lines[3]["kind"], "note");
}

TEST_F(Bench, UnknownNamesAreRefused) {
  const Finished finished = run({"bench", "trainig"});
  EXPECT_EQ(finished.code, 2);
  EXPECT_NE(finished.err.find("trainig"), std::string::npos) << finished.err;
}

}  // namespace
}  // namespace agro
