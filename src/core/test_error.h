#pragma once
// What a test expects of an error.
#include <string>

#include "core/error.h"

namespace agro {

/// what() of the Error that `action` throws; empty, and so unlike any that a test expects, where it throws none.
template <class Action>
std::string error_of(Action&& action) {
  try {
    action();
  } catch (const Error& error) {
    return error.what();
  }
  return {};
}

}  // namespace agro
