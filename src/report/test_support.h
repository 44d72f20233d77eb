#pragma once
// For this room's tests: a folder of the test's own.
#include <gtest/gtest.h>
#include <unistd.h>

#include <string>

#include "core/file.h"
#include "core/test_error.h"

namespace agro {

/// An empty folder of the running test.
inline Path test_folder() {
  const auto* test = ::testing::UnitTest::GetInstance()->current_test_info();
  const Path folder =
      Path(::testing::TempDir()) / fmt::format("agro-{}-{}-{}", ::getpid(), test->test_suite_name(), test->name());
  std::filesystem::remove_all(folder);
  std::filesystem::create_directories(folder);
  return folder;
}

}  // namespace agro
