#pragma once
// For this room's tests: files in a folder of the test's own, and the text of an expected error.
#include <gtest/gtest.h>
#include <unistd.h>

#include <string>
#include <string_view>

#include "core/error.h"
#include "core/file.h"

namespace agro {

/// Writes `content` to a file in a folder of the running test.
inline Path test_file(const std::string& name, std::string_view content) {
  const auto* test = ::testing::UnitTest::GetInstance()->current_test_info();
  const Path folder =
      Path(::testing::TempDir()) / fmt::format("agro-{}-{}-{}", ::getpid(), test->test_suite_name(), test->name());
  write_atomically(folder / name, content);
  return folder / name;
}

/// what() of the Error that `action` throws; a failure of the test where it throws none.
template <class Action>
std::string error_of(Action&& action) {
  try {
    action();
  } catch (const Error& error) {
    return error.what();
  }
  ADD_FAILURE() << "expected an Error";
  return "";
}

}  // namespace agro
