#pragma once
// Multiple choice: which letter a text decides for, and where an answer ends because its reason begins.
#include <string>
#include <string_view>

namespace agro {

/// The letter of the choice (A) to (J) that a text makes: the first where it begins the text and a reason follows ("A,
/// because (B) is wrong"), else the last that is bracketed or stands by itself. "A" and "I", which are words too, count
/// at the start of the text ("A) 21") and after a word of choosing ("I choose A."). Empty where there is none, or
/// several side by side ("B or C").
std::string choice_in(std::string_view text);

/// Whether an answer ends here and a reason, or what it is not, begins: ", since", " because", ", not".
bool begins_reason(std::string_view after);

}  // namespace agro
