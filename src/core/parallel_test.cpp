#include "core/parallel.h"

#include <gtest/gtest.h>
#include <omp.h>
#include <sched.h>

#include <algorithm>
#include <thread>
#include <vector>

#include "core/test_error.h"

namespace agro {
namespace {

int allowed_cpu_count() {
  cpu_set_t mask;
  CPU_ZERO(&mask);
  sched_getaffinity(0, sizeof(mask), &mask);
  return CPU_COUNT(&mask);
}

class ParallelTest : public testing::Test {
 protected:
  void SetUp() override {
#ifdef __SANITIZE_THREAD__
    GTEST_SKIP()
        << "SKIPPED: the thread sanitizer does not see the barriers inside libgomp and calls every handover a race";
#endif
  }
  void TearDown() override { unpin_this_thread(); }
};

TEST_F(ParallelTest, VisitsEveryIndexOnceWhateverTheNumberOfThreads) {
  for (const int threads : {1, 2, 5}) {
    set_up_threads(threads);
    EXPECT_EQ(thread_count(), threads);
    for (const int64_t count : {0, 1, 2, 7, 10000}) {
      std::vector<int> visits(static_cast<size_t>(count));
      parallel_for(count, [&](int64_t i) { visits[static_cast<size_t>(i)]++; });
      EXPECT_EQ(visits, std::vector<int>(static_cast<size_t>(count), 1)) << threads << " threads";
    }
  }
}

TEST_F(ParallelTest, WhatABodyThrowsReachesTheCaller) {
  for (const int threads : {1, 2, 5}) {
    set_up_threads(threads);
    std::vector<int> visits(40);
    const auto run = [&](const std::vector<int64_t>& throwing) {
      return error_of([&] {
        parallel_for_rethrowing(40, [&](int64_t i) {
          visits[static_cast<size_t>(i)]++;
          if (std::ranges::count(throwing, i) > 0) throw fail("from {}", i);
        });
      });
    };
    EXPECT_EQ(run({}), "");
    EXPECT_EQ(run({31, 7, 39}), "from 7") << threads << " threads";
    EXPECT_EQ(visits, std::vector<int>(40, 2)) << "the others are called all the same";
  }
}

TEST_F(ParallelTest, NestsWithoutMoreThreads) {
  set_up_threads(2);
  std::vector<int> visits(6 * 50), workers(6 * 50);
  EXPECT_FALSE(in_parallel());
  parallel_for(6, [&](int64_t i) {
    EXPECT_TRUE(in_parallel());
    parallel_for(50, [&](int64_t j) {
      visits[static_cast<size_t>(i * 50 + j)]++;
      workers[static_cast<size_t>(i * 50 + j)] = omp_get_num_threads();
    });
  });
  EXPECT_EQ(visits, std::vector<int>(300, 1));
  EXPECT_EQ(workers, std::vector<int>(300, 2));
}

TEST_F(ParallelTest, NegativeCountsDoNothing) {
  parallel_for(-3, [](int64_t) { ADD_FAILURE(); });
}

TEST_F(ParallelTest, FewerWorkersThanCpusAreNotPinned) {
  const int before = allowed_cpu_count();
  if (before < 2) GTEST_SKIP() << "SKIPPED: needs two CPUs";
  set_up_threads(before - 1);
  EXPECT_EQ(allowed_cpu_count(), before);
}

TEST_F(ParallelTest, UnpinningGivesAThreadBackEveryCpu) {
  const int before = allowed_cpu_count();
  set_up_threads(0);
  EXPECT_EQ(thread_count(), before);
  EXPECT_EQ(allowed_cpu_count(), 1);
  int inherited = 0, freed = 0;
  std::thread([&] {
    inherited = allowed_cpu_count();
    unpin_this_thread();
    freed = allowed_cpu_count();
  }).join();
  EXPECT_EQ(inherited, 1);
  EXPECT_EQ(freed, before);
  unpin_this_thread();
  EXPECT_EQ(allowed_cpu_count(), before);
}

}  // namespace
}  // namespace agro
