#include "lab/laboratory.h"

#include <gtest/gtest.h>

#include <cmath>
#include <map>

#include "core/error.h"
#include "core/test_folder.h"
#include "lab/selection.h"
#include "lab/test_support.h"

namespace agro {
namespace {

using namespace testing;

TEST(Selection, MovesNothingWhileRewardsAreDeterministic) {
  for (const Selection selection :
       {Selection::kFirst, Selection::kFixedCounts, Selection::kLargestResidual, Selection::kBestAndWorst})
    for (size_t i = 0; i < 3; ++i) {
      const TabularPrompt prompt = random_problem({1, 8, 0.5}, 40, i)[0];
      const Vector minimizer = selected_minimizer(prompt, random_logprobs(8, 40, i), {.selection = selection},
                                                  Random(40, Random::Purpose::kDraws, i));
      EXPECT_LT(std::abs(kl_divergence(minimizer, optimal_logprobs(prompt))), 1e-6) << name_of(selection);
    }
}

TEST(Selection, ByNoisyRewardMovesTheMinimizerAndFixedCountsDoNot) {
  const TabularPrompt prompt = random_problem({1, 8, 0.5}, 41, 0)[0];
  const auto distance = [&](Selection selection) {
    return kl_divergence(selected_minimizer(prompt, random_logprobs(8, 41, 0), {.selection = selection, .noise = 0.3},
                                            Random(41, Random::Purpose::kDraws)),
                         optimal_logprobs(prompt));
  };
  EXPECT_LT(distance(Selection::kFirst), 2e-3);
  EXPECT_LT(distance(Selection::kFixedCounts), 2e-3);
  EXPECT_GT(distance(Selection::kBestAndWorst), 2e-2);
}

TEST(Gap, EstimatesLieBelowTheTruthAndRiseWithTheGroup) {
  const LabSheet sheet = gap_experiment({.instances = 4}).sheets[0];
  std::map<std::string, double> last;
  for (const auto& row : sheet.rows) {
    const double gap = std::stod(row[3]), estimate = std::stod(row[4]);
    EXPECT_LT(estimate, 1.05 * gap);
    const std::string curve = row[0] + " " + row[1];
    EXPECT_GT(estimate, 0.95 * last[curve]) << curve << ", n = " << row[2];
    last[curve] = estimate;
    if (row[2] == "2" && row[1] == "0") {
      EXPECT_LT(estimate, 0.7 * gap);
    }
  }
}

TEST(Leak, StoredDataDoNotSeeTheShiftAndFreshResponsesDo) {
  const LabSheet sheet = leak_experiment({}).sheets[0];
  for (const auto& row : sheet.rows) {
    EXPECT_LT(std::stod(row[2]), 1e-24);
    if (row[0] == "-12") {
      EXPECT_LT(std::stod(row[1]), 1e-3);
      EXPECT_GT(std::stod(row[3]), 1);
    }
  }
}

TEST(Laboratory, RefusesOptionsOutOfRange) {
  for (const LabOptions& options : {LabOptions{.instances = 0}, LabOptions{.beta = 0}, LabOptions{.beta = std::nan("")},
                                    LabOptions{.responses = 1}, LabOptions{.group_size = 1}})
    EXPECT_THROW(check(options), Error);
  EXPECT_NO_THROW(check({}));
}

TEST(Laboratory, QuantilesInterpolate) {
  EXPECT_EQ(quantile({3, 1, 2}, 0.5), 2);
  EXPECT_EQ(quantile({1, 2}, 0.25), 1.25);
  EXPECT_EQ(quantile({5}, 0.75), 5);
}

class LaboratoryFiles : public TestFolder {};

TEST_F(LaboratoryFiles, AreOneForEachSheetAndFigure) {
  LabResult result;
  result.sheets.push_back({"numbers", {"name", "value"}, {{"a, b", "1"}}});
  result.figures.push_back({"figure", {.title = "T", .x_label = "x", .y_label = "y", .series = {}}});
  write_result(result, folder_ / "csv", "");
  EXPECT_EQ(read_file(folder_ / "csv/numbers.csv"), "name,value\n\"a, b\",1\n");
  EXPECT_FALSE(std::filesystem::exists(folder_ / "csv/figure.svg"));
  write_result(result, "", folder_ / "svg");
  EXPECT_NE(read_file(folder_ / "svg/figure.svg").find("<title>T</title>"), std::string::npos);
}

}  // namespace
}  // namespace agro
