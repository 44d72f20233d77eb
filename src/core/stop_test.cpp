#include "core/stop.h"

#include <gtest/gtest.h>
#include <signal.h>

namespace agro {
namespace {

class StopTest : public testing::Test {
 protected:
  void SetUp() override { clear_stop_request(); }
  void TearDown() override {
    ::signal(SIGINT, SIG_DFL);
    ::signal(SIGTERM, SIG_DFL);
    clear_stop_request();
  }
};

TEST_F(StopTest, ByHand) {
  EXPECT_FALSE(stop_requested());
  request_stop();
  EXPECT_TRUE(stop_requested());
}

TEST_F(StopTest, TheFirstSignalOnlySetsTheFlag) {
  for (const int signal : {SIGINT, SIGTERM}) {
    clear_stop_request();
    install_stop_signals();
    ::raise(signal);
    EXPECT_TRUE(stop_requested()) << signal;
  }
}

using StopDeathTest = StopTest;

TEST_F(StopDeathTest, TheSecondSignalEndsTheProcess) {
  testing::FLAGS_gtest_death_test_style = "threadsafe";
  for (const int second : {SIGINT, SIGTERM}) {
    EXPECT_EXIT(
        {
          install_stop_signals();
          ::raise(SIGINT);
          ::raise(second);
        },
        testing::KilledBySignal(second), "");
  }
}

}  // namespace
}  // namespace agro
