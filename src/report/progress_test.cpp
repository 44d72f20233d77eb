#include "report/progress.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sstream>

#include "report/format.h"
#include "report/table.h"
#include "report/test_support.h"
#include "report/text_width.h"

namespace agro {
namespace {

/// What a terminal of one line shows after the bytes written so far: kept lines, and the live line.
struct Screen {
  std::vector<std::string> kept;
  std::string live;

  explicit Screen(const std::string& bytes) {
    for (size_t i = 0; i < bytes.size(); ++i) {
      if (bytes[i] == '\r') {
        column_ = 0;
      } else if (bytes.compare(i, 3, "\x1b[K") == 0) {
        live.resize(column_);
        i += 2;
      } else if (bytes[i] == '\n') {
        kept.push_back(std::exchange(live, ""));
        column_ = 0;
      } else {
        live.resize(std::max(live.size(), column_ + 1));
        live[column_++] = bytes[i];
      }
    }
  }

 private:
  size_t column_ = 0;
};

class ProgressTest : public ::testing::Test {
 protected:
  ProgressOptions options(bool terminal, int64_t first_step = 0) {
    ProgressOptions made;
    made.first_step = first_step;
    made.total_steps = 100;
    made.terminal = terminal;
    made.width = [this] { return width_; };
    made.clock = [this] { return now_; };
    return made;
  }
  Screen screen() const { return Screen(out_.str()); }

  std::ostringstream out_;
  double now_ = 1000;
  int width_ = 80;
};

TEST_F(ProgressTest, LiveLineIsRewrittenInPlace) {
  Progress progress(out_, options(true));
  now_ += 10;
  progress.update(10, {{"reward", "0.512345"}, {"", "1.2k tok/s"}});
  EXPECT_EQ(screen().live, "step 10/100  reward 0.512345  1.2k tok/s  1m30s left");
  now_ += 10;
  progress.update(20, {{"reward", "0.6"}});
  EXPECT_EQ(screen().live, "step 20/100  reward 0.6  1m20s left");
  EXPECT_TRUE(screen().kept.empty());
}

TEST_F(ProgressTest, RewritesAreRareAndTheLastUpdateIsNeverLost) {
  Progress progress(out_, options(true));
  progress.update(1, {});
  const std::string before = out_.str();
  now_ += 0.01;
  progress.update(2, {});
  EXPECT_EQ(out_.str(), before);
  progress.finish();
  EXPECT_THAT(screen().kept, ::testing::ElementsAre(::testing::StartsWith("step 2/100")));
  EXPECT_EQ(screen().live, "");
}

TEST_F(ProgressTest, KeptLinesStandAboveTheLiveOne) {
  Progress progress(out_, options(true));
  progress.update(1, {{"reward", "a long live line"}});
  progress.keep("eval: 50 %");
  EXPECT_EQ(screen().kept, std::vector<std::string>{"eval: 50 %"});
  EXPECT_THAT(screen().live, ::testing::StartsWith("step 1/100  reward a long live line"));
  progress.pause();
  EXPECT_EQ(screen().live, "");
  EXPECT_EQ(screen().kept.size(), 1U);
}

TEST_F(ProgressTest, NarrowTerminalsLoseTheLastItemsFirst) {
  Progress progress(out_, options(true));
  width_ = 42;
  now_ += 10;
  progress.update(10, {{"reward", "0.5"}, {"loss", "0.1"}, {"kl", "0.2"}});
  EXPECT_EQ(screen().live, "step 10/100  reward 0.5  1m30s left");
  width_ = 8;
  now_ += 1;
  progress.update(11, {{"reward", "0.5"}});
  EXPECT_EQ(screen().live, "step 1…");
  for (width_ = 1; width_ < 60; ++width_) {
    now_ += 1;
    progress.update(12, {{"größe", "0.5"}, {"loss", "0.1"}});
    EXPECT_LE(display_width(screen().live), static_cast<size_t>(std::max(width_ - 1, 1)));
  }
}

TEST_F(ProgressTest, AnExceptionLeavesAnEmptyLine) {
  try {
    Progress progress(out_, options(true));
    progress.update(1, {{"reward", "0.5"}});
    throw fail("the run broke");
  } catch (const Error&) {
  }
  EXPECT_EQ(screen().live, "");
  EXPECT_TRUE(screen().kept.empty());
}

TEST_F(ProgressTest, LogsGetPlainLinesAtIntervals) {
  Progress progress(out_, options(false));
  for (int64_t step = 1; step <= 100; ++step) {
    now_ += 1;
    progress.update(step, {{"reward", "0.5"}});
    if (step == 50) progress.keep("eval: 50 %");
  }
  progress.finish();
  const std::string text = out_.str();
  EXPECT_EQ(text.find('\r'), std::string::npos);
  EXPECT_EQ(text.find('\x1b'), std::string::npos);
  EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 12) << text;  // steps 1, 11, … 91, the last one, the kept line
  EXPECT_THAT(text, ::testing::StartsWith("step 1/100  reward 0.5  1m39s left\nstep 11/100"));
  EXPECT_THAT(text, ::testing::EndsWith("step 100/100  reward 0.5\n"));
}

TEST_F(ProgressTest, TimeLeftCountsThisRunsStepsOnly) {
  Progress progress(out_, options(true, 50));
  now_ += 20;
  progress.update(60, {});
  EXPECT_EQ(screen().live, "step 60/100  1m20s left");
}

TEST(Format, NumbersAndTimes) {
  EXPECT_EQ(short_number(0.51234), "0.5123");
  EXPECT_EQ(short_number(1.2e-5), "1.2e-05");
  EXPECT_EQ(compact_number(950), "950");
  EXPECT_EQ(compact_number(999.6), "1k");
  EXPECT_EQ(compact_number(1234), "1.23k");
  EXPECT_EQ(compact_number(45600), "45.6k");
  EXPECT_EQ(compact_number(7890000), "7.89M");
  EXPECT_EQ(duration_text(42.4), "42s");
  EXPECT_EQ(duration_text(59.6), "1m00s");
  EXPECT_EQ(duration_text(187), "3m07s");
  EXPECT_EQ(duration_text(7500), "2h05m");
  EXPECT_EQ(duration_text(274000), "3d04h");
  EXPECT_EQ(duration_text(-1), "?");
}

TEST(TextWidth, CountsColumnsNotBytes) {
  EXPECT_EQ(display_width("größe"), 5U);
  EXPECT_EQ(display_width("数学"), 4U);
  EXPECT_EQ(display_width("e\xCC\x81"), 1U);  // e and a combining acute
  EXPECT_EQ(display_width("\xFF\xE6"), 2U);   // not UTF-8
  EXPECT_EQ(cut_to_width("größer", 6), "größer");
  EXPECT_EQ(cut_to_width("größer", 4), "grö…");
  EXPECT_EQ(cut_to_width("数学数学", 4), "数…");
  EXPECT_EQ(cut_to_width("abc", 0), "");
}

TEST(Table, AlignsByColumns) {
  Table table({{"model", Align::kLeft}, {"greedy"}, {"±"}});
  table.add_row({"größer", "68.8", "0.1"});
  table.add_row({"数学", "100", "12"});
  EXPECT_EQ(table.text(),
            "model   greedy    ±\n"
            "──────  ──────  ───\n"
            "größer    68.8  0.1\n"
            "数学       100   12\n");
  EXPECT_THAT(error_of([&] { table.add_row({"one"}); }), ::testing::HasSubstr("1 cells, expected 3"));
}

}  // namespace
}  // namespace agro
