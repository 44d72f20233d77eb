#include "bench/end_to_end/report.h"

#include <gtest/gtest.h>

namespace agro {
namespace {

const Bench kBench{"training", "a step", 3, nullptr};

BenchResult example() {
  BenchResult result;
  result.lines = {{"float32",
                   "tokens",
                   {{100, 400, 300}, {50, 100, 300}},
                   Limit{"float32 peak", 500},
                   {.ratio = 2.5, .share = 0.5}},
                  {"ragged", "tokens", {{9}, {10}}, {}, {}, "ragged", "rows"}};
  result.figures = {{"extra memory", "bytes", 40, 1000, "the logits", 0.05}};
  result.growths = {{"length", {{10, 1, 100}, {20, 4, 200}}}};
  result.notes = {"A note."};
  return result;
}

TEST(BenchReport, AimsAreCompared) {
  const BenchResult result = example();
  EXPECT_EQ(reached(result.lines[0]), true);  // 300 / 100 and 300 / 500
  EXPECT_EQ(reached(result.lines[1]), std::nullopt);
  EXPECT_EQ(reached(result.figures[0]), true);
  Line slow = result.lines[0];
  slow.aim = {.ratio = 3.1};
  EXPECT_EQ(reached(slow), false);
  slow.aim = {.share = 0.61};
  EXPECT_EQ(reached(slow), false);
  Figure large = result.figures[0];
  large.value = 51;
  EXPECT_EQ(reached(large), false);
}

TEST(BenchReport, SlopesAreLogarithmic) {
  const Growth growth = example().growths[0];
  EXPECT_DOUBLE_EQ(slope_at(growth, 1).measured, 2);
  EXPECT_DOUBLE_EQ(slope_at(growth, 1).theory, 1);
}

TEST(BenchReport, MarkdownHasARowForEachLine) {
  const std::string text = result_text(kBench, example(), Layout::kMarkdown);
  EXPECT_TRUE(text.starts_with("### training: a step\n\n| ")) << text;
  EXPECT_NE(text.find("| float32 | tokens/s | 300 | 100 | 3.00× | 1.00 – 4.00 | 60.0 % of float32 peak | "
                      "≥ 2.5×, ≥ 50 %: yes |\n"),
            std::string::npos)
      << text;
  EXPECT_NE(text.find("| ragged: ragged beside rows | tokens/s | 9 | 10 | 0.90× |"), std::string::npos) << text;
  EXPECT_NE(text.find("| extra memory | bytes | 40 | 4.0 % of the logits (1k) | < 5 %: yes |"), std::string::npos)
      << text;
  EXPECT_NE(text.find("| 20 | 4000 | 2e-07 | 2.00 | 1.00 |"), std::string::npos) << text;
}

TEST(BenchReport, JsonHasEverything) {
  const std::vector<OrderedJson> records = result_json(kBench, example());
  ASSERT_EQ(records.size(), 5U);
  EXPECT_EQ(records[0]["bench"], "training");
  EXPECT_EQ(records[0]["ratio"]["median"], 3);
  EXPECT_EQ(records[0]["limit"]["share"], 0.6);
  EXPECT_EQ(records[0]["reached"], true);
  EXPECT_TRUE(records[1]["limit"].is_null());
  EXPECT_TRUE(records[1]["reached"].is_null());
  EXPECT_EQ(records[2]["whole"]["share"], 0.04);
  EXPECT_EQ(records[3]["sizes"][1]["theory"], 1);
  EXPECT_EQ(records[4]["name"], "A note.");
}

}  // namespace
}  // namespace agro
