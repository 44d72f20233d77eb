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
      const Vector rest = selected_rest_point(prompt, random_logprobs(8, 40, i), {.selection = selection},
                                              Random(40, Random::Purpose::kDraws, i));
      EXPECT_LT(std::abs(kl_divergence(rest, optimal_logprobs(prompt))), 1e-6) << name_of(selection);
    }
}

double distance_at_rest(const TabularPrompt& prompt, Selection selection, double noise) {
  return kl_divergence(selected_rest_point(prompt, random_logprobs(8, 41, 0), {.selection = selection, .noise = noise},
                                           Random(41, Random::Purpose::kDraws)),
                       optimal_logprobs(prompt));
}

TEST(Selection, ByNoisyRewardMovesTheRestPointAndFixedCountsDoNot) {
  const TabularPrompt prompt = random_problem({1, 8, 0.5}, 41, 0)[0];
  EXPECT_LT(distance_at_rest(prompt, Selection::kFirst, 0.3), 2e-3);
  EXPECT_LT(distance_at_rest(prompt, Selection::kFixedCounts, 0.3), 2e-3);
  EXPECT_GT(distance_at_rest(prompt, Selection::kBestAndWorst, 0.3), 2e-2);
}

// At π* the residuals are noise alone, the same law for every response: keeping the largest prefers none of them.
TEST(Selection, ByResidualLeavesTheOptimumAtRestUnderNoiseThatIsTheSameForAll) {
  for (size_t i = 0; i < 3; ++i)
    for (const double noise : {0.1, 0.3, 0.5}) {
      const TabularPrompt prompt = random_problem({1, 8, 0.5}, 42, i)[0];
      EXPECT_LT(distance_at_rest(prompt, Selection::kLargestResidual, noise), 1e-3)
          << "prompt " << i << ", noise " << noise;
    }
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

TEST(Laboratory, AddsTheAskedBetaToTheTables) {
  EXPECT_EQ(with_own_beta({0.1, 1}, {.beta = 0.3}), (std::vector<double>{0.1, 0.3, 1}));
  EXPECT_EQ(with_own_beta({0.1, 1}, {.beta = 1}), (std::vector<double>{0.1, 1}));
}

TEST(Laboratory, RefusesAnUnknownObjectiveBeforeItComputes) {
  bool computed = false;
  LabOptions options = {.objectives = {"agro", "agrow"}};
  options.progress = [&](const std::string&) { computed = true; };
  EXPECT_THROW(fixed_point_experiment(options), Error);
  EXPECT_THROW(gradient_experiment(options), Error);
  EXPECT_FALSE(computed);
}

class LaboratoryFiles : public TestFolder {};

TEST_F(LaboratoryFiles, NeedAFolderThatCanBeMade) {
  prepare_folder(folder_ / "a/b");
  EXPECT_TRUE(std::filesystem::is_directory(folder_ / "a/b"));
  write_atomically(folder_ / "file", "");
  try {
    prepare_folder(folder_ / "file/csv");
    FAIL();
  } catch (const Error& error) {
    EXPECT_NE(std::string(error.what()).find("file/csv"), std::string::npos) << error.what();
  }
}

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
