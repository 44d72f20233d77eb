#pragma once
// What a verifier says about one prediction, and the settings all verifiers share.
#include <optional>
#include <string>

namespace agro {

struct Verdict {
  std::optional<bool> equal;  // no value: the gold answer itself is unreadable, or `undecided`
  std::string why;            // one line for people
  bool undecided = false;     // both answers are readable, but neither equality nor difference could be shown
};

struct VerifyOptions {
  double tolerance = 0;           // numbers may differ by this much ...
  double relative_tolerance = 0;  // ... or by this share of the gold number's magnitude, whichever is larger
  bool trim = true;               // exact: surrounding whitespace does not count
  bool ignore_case = false;       // exact: A-Z and a-z count as equal
};

}  // namespace agro
