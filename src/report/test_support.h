#pragma once
// For this room's tests: a folder of the test's own, files as text, and the text of an expected error.
#include <gtest/gtest.h>
#include <unistd.h>

#include <string>

#include "core/error.h"
#include "core/file.h"

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
