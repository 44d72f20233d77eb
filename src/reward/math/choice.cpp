#include "reward/math/choice.h"

#include <algorithm>
#include <array>

#include "core/ascii.h"

namespace agro {
namespace {

bool starts_with_one_of(std::string_view text, std::string_view characters) {
  return !text.empty() && characters.find(text[0]) != std::string_view::npos;
}

bool ends_in_choosing(std::string_view before) {
  constexpr std::array<std::string_view, 9> kWords = {"choose", "chose",  "select", "pick",  "picked",
                                                      "option", "choice", "is",     "answer"};
  while (!before.empty() && !is_letter(before.back())) before.remove_suffix(1);
  size_t begin = before.size();
  while (begin > 0 && is_letter(before[begin - 1])) --begin;
  return std::ranges::any_of(kWords,
                             [&](std::string_view word) { return equals_ignoring_case(before.substr(begin), word); });
}

/// Whether the letter before was the last of its clause: "A.", "A)", but not "A pen".
bool ends_clause(std::string_view after) {
  const std::string_view rest = trimmed(after);
  return rest.empty() || starts_with_one_of(rest, ".,*)") || begins_reason(after) || after.starts_with('\n');
}

}  // namespace

bool begins_reason(std::string_view after) {
  constexpr std::array<std::string_view, 9> kWords = {"because",  "since",  "not",        "rather than", "instead of",
                                                      "in total", "in all", "altogether", "which"};
  while (!after.empty() && (is_space(after[0]) || starts_with_one_of(after, ",;)*("))) after.remove_prefix(1);
  return std::ranges::any_of(kWords, [&](std::string_view word) {
    return after.starts_with(word) && (after.size() == word.size() || !is_letter(after[word.size()]));
  });
}

namespace {

/// Whether `gap` between two letters only joins them: "B or C", "A, B", "(A) (B)".
bool joins_letters(std::string_view gap) {
  std::string rest(gap);
  for (const std::string_view word : {"and", "or"})
    for (size_t at = rest.find(word); at != std::string::npos; at = rest.find(word)) rest.erase(at, word.size());
  return rest.find_first_not_of(" ,;/()*\t\n") == std::string::npos;
}

}  // namespace

std::string choice_in(std::string_view text) {
  const size_t start = text.find_first_not_of("(*\" \t\n\r");
  char last = '\0', before_it = '\0';
  size_t place = 0;  // of the letter before, whether it was a choice or may be a word
  bool several = false;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] < 'A' || text[i] > 'J') continue;
    const std::string_view before = text.substr(0, i), after = text.substr(i + 1);
    const bool bracketed = before.ends_with('(') && after.starts_with(')');
    const bool alone = (before.empty() || is_space(before.back()) || before.back() == '*' || before.back() == '{') &&
                       (after.empty() || is_space(after[0]) || starts_with_one_of(after, ".,*):"));
    if (!bracketed && !alone) continue;
    if (i == start && begins_reason(after)) return std::string(1, text[i]);
    // "A" and "I" are words too.
    const bool word = (text[i] == 'A' || text[i] == 'I') && !bracketed;
    const bool named = i == start ? starts_with_one_of(after, ").:") : ends_in_choosing(before) && ends_clause(after);
    if (!word || named) {
      several = before_it != '\0' && before_it != text[i] && i - place < 16 &&
                joins_letters(text.substr(place + 1, i - place - 1));
      last = text[i];
    }
    before_it = text[i];
    place = i;
  }
  return last == '\0' || several ? std::string() : std::string(1, last);
}

}  // namespace agro
