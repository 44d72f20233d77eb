#pragma once
// Answers that are neither formulas nor just words: phrases with a mathematical meaning, dates, times of day.
#include <optional>
#include <string>
#include <string_view>

#include "reward/math/expr.h"

namespace agro {

/// Lower case, without \text{}, dots and doubled spaces.
std::string plain_words(std::string_view text);

/// "all real numbers" is the set of reals, "no solution" the empty set, "DNE" the words "does not exist"; a date is the
/// words "date 2020-05-17" (or "date 05-17" without year), a time with AM or PM a ratio with that unit ("8 AM" is 8:00
/// am). None for any other text.
std::optional<Expr> read_phrase(std::string_view text);

/// Whether both are one run of letters, the same ones in another order, that may be words ("tea", "eat") as well as
/// products of variables.
bool are_words_or_products(std::string_view a, std::string_view b);

}  // namespace agro
