#pragma once
// tokenizer.json's regular expressions are written for Oniguruma in Ruby's syntax; PCRE2 reads a few things
// differently.
#include <string>
#include <string_view>

namespace agro {

/// The pattern for PCRE2 (with UTF, UCP and MULTILINE) that matches the same: \s, \w and scripts by Unicode's own
/// definitions, a class inside a class as a union. Throws Error for what has no counterpart.
std::string oniguruma_to_pcre2(std::string_view pattern);

}  // namespace agro
