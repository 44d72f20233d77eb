#pragma once
// What a policy counts as the same answer.
#include "reward/verdict.h"

namespace agro {

struct Rules {
  /// When a decimal fraction counts as a number that it does not equal.
  enum class Rounding {
    kNever,
    kCorrect,      // it is the other's correct rounding to three decimals or more, and the other has no finite decimal
    kSixDecimals,  // both round to the same six decimals
  };
  enum class Units { kMustAgree, kMayBeMissing, kIgnored };

  bool other_forms = false;        // x = 5 is 5, 0 < x < 1 is (0, 1), {3} is 3, a column is a tuple
  bool ordered_lists = true;       // 1, 2 is not 2, 1 (a set {1, 2} has no order anyway)
  bool sets_are_tuples = false;    // {1, 2} is (1, 2)
  bool percent_is_number = false;  // 20% is 20 as well as 1/5
  bool agreement_counts = false;   // two formulas that agree to 100 digits at every point tried are equal
  bool same_case = true;           // of words
  Units units = Units::kMustAgree;
  Rounding rounding = Rounding::kNever;
  double tolerance = 0;           // as VerifyOptions
  double relative_tolerance = 0;  // of the larger of the two magnitudes
};

}  // namespace agro
