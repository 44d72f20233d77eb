#pragma once
// For this room's tests: files in a folder of the test's own.
#include <gtest/gtest.h>
#include <unistd.h>

#include <string>
#include <string_view>

#include "core/file.h"
#include "core/test_error.h"

namespace agro {

/// Writes `content` to a file in a folder of the running test.
inline Path test_file(const std::string& name, std::string_view content) {
  const auto* test = ::testing::UnitTest::GetInstance()->current_test_info();
  const Path folder =
      Path(::testing::TempDir()) / fmt::format("agro-{}-{}-{}", ::getpid(), test->test_suite_name(), test->name());
  write_atomically(folder / name, content);
  return folder / name;
}

}  // namespace agro
