#include "reward/math/phrases.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <vector>

#include "core/ascii.h"

namespace agro {
namespace {

constexpr size_t kLongest = 64;

struct Phrase {
  std::string_view words;
  Kind kind;
  std::string_view name;
};
constexpr auto kPhrases = std::to_array<Phrase>({{"all real numbers", Kind::kConstant, "reals"},
                                                 {"all reals", Kind::kConstant, "reals"},
                                                 {"the real numbers", Kind::kConstant, "reals"},
                                                 {"the set of real numbers", Kind::kConstant, "reals"},
                                                 {"the set of all real numbers", Kind::kConstant, "reals"},
                                                 {"no solution", Kind::kConstant, "empty"},
                                                 {"no solutions", Kind::kConstant, "empty"},
                                                 {"no real solution", Kind::kConstant, "empty"},
                                                 {"no real solutions", Kind::kConstant, "empty"},
                                                 {"there is no solution", Kind::kConstant, "empty"},
                                                 {"there are no solutions", Kind::kConstant, "empty"},
                                                 {"the empty set", Kind::kConstant, "empty"},
                                                 {"empty set", Kind::kConstant, "empty"},
                                                 {"dne", Kind::kText, "does not exist"},
                                                 {"does not exist", Kind::kText, "does not exist"},
                                                 {"doesn't exist", Kind::kText, "does not exist"}});

constexpr std::array<std::string_view, 12> kMonths{"january",   "february", "march",    "april",
                                                   "may",       "june",     "july",     "august",
                                                   "september", "october",  "november", "december"};

/// Runs of letters and runs of digits; what stands between them is dropped.
std::vector<std::string_view> pieces_of(std::string_view text) {
  std::vector<std::string_view> pieces;
  for (size_t i = 0; i < text.size();) {
    const auto same_kind = [&](char c) { return is_digit(text[i]) ? is_digit(c) : is_letter(c); };
    size_t end = i + 1;
    if (is_digit(text[i]) || is_letter(text[i])) {
      while (end < text.size() && same_kind(text[end])) ++end;
      pieces.push_back(text.substr(i, end - i));
    }
    i = end;
  }
  return pieces;
}

std::optional<int> small_number(std::string_view digits, size_t most_digits) {
  if (digits.empty() || digits.size() > most_digits || !std::ranges::all_of(digits, is_digit)) return {};
  int value = 0;
  for (const char c : digits) value = 10 * value + (c - '0');
  return value;
}

/// 7 of "july" and "jul".
std::optional<int> month_number(std::string_view name) {
  for (size_t i = 0; i < kMonths.size(); ++i)
    if (name == kMonths[i] || (name.size() == 3 && kMonths[i].starts_with(name)) || (name == "sept" && i == 8))
      return static_cast<int>(i) + 1;
  return {};
}

std::optional<Expr> date(std::optional<int> year, std::optional<int> month, std::optional<int> day) {
  if (!month || !day || *month < 1 || *month > 12 || *day < 1 || *day > 31) return {};
  const std::string month_and_day = fmt::format("{:02}-{:02}", *month, *day);
  return node(Kind::kText, {}, year ? fmt::format("date {}-{}", *year, month_and_day) : "date " + month_and_day);
}

/// "july 4", "july 4th, 2021", "4 july 2021", "2021-07-04".
std::optional<Expr> read_date(std::string_view words) {
  if (words.find_first_not_of("0123456789abcdefghijklmnopqrstuvwxyz, -") != std::string_view::npos) return {};
  std::vector<std::string_view> pieces = pieces_of(words);
  const bool iso = words.size() >= 8 && words.size() <= 10 && std::ranges::count(words, '-') == 2 &&
                   pieces.size() == 3 && pieces[0].size() == 4;
  if (iso) return date(small_number(pieces[0], 4), small_number(pieces[1], 2), small_number(pieces[2], 2));
  std::erase_if(pieces,
                [](std::string_view p) { return p == "st" || p == "nd" || p == "rd" || p == "th" || p == "of"; });
  if (pieces.size() < 2 || pieces.size() > 3) return {};
  const bool month_first = month_number(pieces[0]).has_value();
  const auto month = month_number(pieces[month_first ? 0 : 1]);
  const auto day = small_number(pieces[month_first ? 1 : 0], 2);
  if (pieces.size() == 2) return date({}, month, day);
  const auto year = pieces[2].size() == 4 ? small_number(pieces[2], 4) : std::nullopt;
  return year ? date(year, month, day) : std::nullopt;
}

/// "3:30 pm", "8 am"
std::optional<Expr> read_time(std::string_view words) {
  if (!words.ends_with('m') || words.find_first_not_of("0123456789: apm") != std::string_view::npos) return {};
  const std::vector<std::string_view> pieces = pieces_of(words);
  if (pieces.size() < 2 || (pieces.back() != "am" && pieces.back() != "pm")) return {};
  if (static_cast<size_t>(std::ranges::count(words, ':')) + 2 != pieces.size()) return {};
  std::vector<Expr> parts;
  for (size_t i = 0; i + 1 < pieces.size(); ++i) {
    const auto value = small_number(pieces[i], 2);
    if (!value) return {};
    parts.push_back(number(Rational(*value)));
  }
  if (parts.size() == 1) parts.push_back(number(Rational(0)));
  return node(Kind::kUnit, {node(Kind::kRatio, std::move(parts))}, std::string(pieces.back()));
}

}  // namespace

std::string plain_words(std::string_view text) {
  std::string words;
  for (size_t i = 0; i < text.size();) {
    if (text.substr(i).starts_with("\\text{")) {
      i += 6;
    } else if (text[i] == '{' || text[i] == '}' || text[i] == '.' || text[i] == '$') {
      ++i;
    } else if (is_space(text[i]) || text[i] == '~') {
      if (!words.empty() && words.back() != ' ') words += ' ';
      ++i;
    } else {
      words += lower(text[i]);
      ++i;
    }
  }
  if (words.ends_with(' ')) words.pop_back();
  return words;
}

std::optional<Expr> read_phrase(std::string_view text) {
  if (text.size() > kLongest) return {};
  if (std::ranges::none_of(text, is_letter) && std::ranges::count(text, '-') != 2) return {};
  const std::string words = plain_words(text);
  const auto known = std::ranges::find(kPhrases, std::string_view(words), &Phrase::words);
  if (known != kPhrases.end()) return node(known->kind, {}, std::string(known->name));
  // All others have digits, and letters or two dashes.
  if (!std::ranges::any_of(words, is_digit)) return {};
  if (auto time = read_time(words)) return time;
  return read_date(words);
}

bool are_words_or_products(std::string_view a, std::string_view b) {
  if (a.size() < 3 || a == b || !std::ranges::all_of(a, is_letter)) return false;
  if (!std::ranges::is_permutation(a, b)) return false;
  return a.find_first_of("eioEIO") != std::string_view::npos;
}

}  // namespace agro
