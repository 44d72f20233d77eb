#include "reward/math/hendrycks.h"

#include <algorithm>

#include "reward/excerpt.h"
#include "reward/math/budget.h"
#include "reward/math/extract.h"

namespace agro {
namespace {

void replace_all(std::string& text, std::string_view what, std::string_view with) {
  std::string result;
  size_t from = 0;
  for (size_t at = text.find(what); at != std::string::npos; at = text.find(what, from)) {
    result.append(text, from, at - from);
    result += with;
    from = at + what.size();
  }
  if (from == 0) return;
  text = result.append(text, from);
}

bool is_integer(std::string_view text) {
  if (!text.empty() && (text[0] == '-' || text[0] == '+')) text.remove_prefix(1);
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

/// \sqrt3 becomes \sqrt{3}: one character after the command.
std::string braced_roots(std::string_view text) {
  constexpr std::string_view kRoot = "\\sqrt";
  std::string result;
  for (size_t i = 0; i < text.size(); ++i) {
    if (!text.substr(i).starts_with(kRoot) || i + kRoot.size() >= text.size()) {
      result += text[i];
      continue;
    }
    i += kRoot.size();
    const char next = text[i];
    result += kRoot;
    result += next == '{' ? "{" : std::string("{") + next + "}";
  }
  return result;
}

/// \frac12 and \frac1{72} become \frac{1}{2} and \frac{1}{72}.
std::string braced_fractions(std::string_view text) {
  constexpr std::string_view kFraction = "\\frac";
  std::string result;
  size_t i = text.find(kFraction);
  if (i == std::string_view::npos) return std::string(text);
  result = text.substr(0, i);
  while (i < text.size()) {
    i += kFraction.size();
    const size_t end = std::min(text.find(kFraction, i), text.size());
    const std::string_view part = text.substr(i, end - i);
    result += kFraction;
    if (part.starts_with('{')) {
      result += part;
    } else {
      if (part.size() < 2) return std::string(text);
      result += std::string("{") + part[0] + "}";
      if (part[1] == '{') {
        result += part.substr(1);
      } else {
        result += std::string("{") + part[1] + "}";
        result += part.substr(2);
      }
    }
    i = end;
  }
  return result;
}

std::string as_fraction(const std::string& text) {
  const size_t slash = text.find('/');
  if (slash == std::string::npos || text.find('/', slash + 1) != std::string::npos) return text;
  const std::string top = text.substr(0, slash), bottom = text.substr(slash + 1);
  return is_integer(top) && is_integer(bottom) ? "\\frac{" + top + "}{" + bottom + "}" : text;
}

}  // namespace

std::string hendrycks_normal(std::string_view text) {
  std::string s(text);
  replace_all(s, "\n", "");
  replace_all(s, "\\!", "");
  replace_all(s, "\\\\", "\\");
  replace_all(s, "tfrac", "frac");
  replace_all(s, "dfrac", "frac");
  for (const std::string_view gone : {"\\left", "\\right", "^{\\circ}", "^\\circ", "\\$"}) replace_all(s, gone, "");
  if (const size_t unit = s.find("\\text{ "); unit != std::string::npos) {
    if (s.find("\\text{ ", unit + 1) != std::string::npos) throw Undecided("more than one unit");
    s.resize(unit);
  }
  replace_all(s, "\\%", "");
  replace_all(s, " .", " 0.");
  replace_all(s, "{.", "{0.");
  if (s.starts_with('.')) s.insert(s.begin(), '0');
  const size_t equals = s.find('=');
  if (equals != std::string::npos && equals <= 2 && s.find('=', equals + 1) == std::string::npos)
    s.erase(0, equals + 1);
  s = braced_roots(s);
  replace_all(s, " ", "");
  s = braced_fractions(s);
  if (s == "0.5") return "\\frac{1}{2}";
  return as_fraction(s);
}

Verdict verify_hendrycks(std::string_view gold, std::string_view pred, const VerifyOptions&) {
  const auto answer = [](std::string_view text) {
    std::string boxed = boxed_answer(text, 0);
    return boxed.empty() ? std::string(text) : boxed;
  };
  const std::string expected = answer(gold), found = answer(pred);
  std::string left = expected, right = found;
  try {
    left = hendrycks_normal(expected);
    right = hendrycks_normal(found);
  } catch (const Undecided&) {
    left = expected;
    right = found;
  }
  if (left == right) return {true, "both read \"" + excerpt(left) + "\" after normalisation"};
  return {false, "\"" + excerpt(left) + "\" and \"" + excerpt(right) + "\" differ after normalisation"};
}

}  // namespace agro
