#include "report/metrics_writer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>

#include "report/test_support.h"

namespace agro {
namespace {

using ::testing::HasSubstr;

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

void run_steps(MetricsWriter& writer, int64_t from, int64_t to) {
  for (int64_t step = from; step <= to; ++step) {
    writer.write(step, {{"train/loss", 1.0 / static_cast<double>(step)}, {"train/gap", step % 3 == 0 ? kNan : 0.25}});
    if (step % 2 == 0) writer.write(step, {{"eval/accuracy", 0.1}});
    writer.write_timing(step, {{"seconds", 0.5}});
  }
}

TEST(MetricsWriter, LinesHoldStepFirstAndExactNumbers) {
  const Path run = test_folder();
  MetricsWriter writer(run);
  writer.write(
      3,
      {{"train/reward", 0.1}, {"train/loss", kNan}, {"train/kl", std::numeric_limits<double>::infinity()}, {"n", 8}});
  EXPECT_EQ(read_file(run / "metrics.jsonl"),
            "{\"step\":3,\"train/reward\":0.1,\"train/loss\":null,\"train/kl\":null,\"n\":8}\n");
  EXPECT_EQ(read_file(run / "timings.jsonl"), "");
}

TEST(MetricsWriter, AResumedRunLeavesTheBytesOfAnUninterruptedOne) {
  const Path run = test_folder();
  const auto both = [](const Path& folder) {
    return read_file(folder / "metrics.jsonl") + read_file(folder / "timings.jsonl");
  };
  {
    MetricsWriter whole(run / "whole");
    run_steps(whole, 1, 10);
  }
  {
    MetricsWriter killed(run / "resumed");
    run_steps(killed, 1, 8);
  }
  // The run died at step 8 in the middle of a line; its last checkpoint is that of step 6.
  std::ofstream(run / "resumed/metrics.jsonl", std::ios::app) << "{\"step\":9,\"train/lo";
  MetricsWriter resumed(run / "resumed", 6);
  run_steps(resumed, 7, 10);
  EXPECT_EQ(both(run / "resumed"), both(run / "whole"));
}

TEST(MetricsWriter, AFreshRunStartsEmptyFiles) {
  const Path run = test_folder();
  {
    MetricsWriter earlier(run);
    run_steps(earlier, 1, 2);
  }
  MetricsWriter fresh(run);
  EXPECT_EQ(read_file(run / "metrics.jsonl"), "");
  MetricsWriter resumed_without_files(run / "new", 4);
  EXPECT_EQ(read_file(run / "new/metrics.jsonl"), "");
}

TEST(MetricsWriter, ADamagedRecordIsNamedAndTheFileLeftAlone) {
  const Path run = test_folder();
  const std::string content = "{\"step\":1}\n\x01garbage\n{\"step\":2}\n";
  write_atomically(run / "metrics.jsonl", content);
  EXPECT_THAT(error_of([&] { MetricsWriter(run, 2); }),
              HasSubstr("metrics.jsonl: line 2: is not a record with a 'step'"));
  EXPECT_EQ(read_file(run / "metrics.jsonl"), content);
}

TEST(MetricsWriter, ValuesMustBeNamed) {
  MetricsWriter writer(test_folder());
  EXPECT_THAT(error_of([&] {
                writer.write(1, OrderedJson::array({1, 2}));
              }),
              HasSubstr("must be an object, found array"));
}

}  // namespace
}  // namespace agro
