#include "reward/math/extract.h"

#include <algorithm>
#include <array>
#include <optional>

#include "core/ascii.h"
#include "reward/math/choice.h"
#include "reward/math/units.h"
#include "reward/math/words.h"

namespace agro {
namespace {

constexpr size_t kNone = std::string_view::npos;

/// Without the quotes, stars and full stop that surround an answer in a sentence.
std::string_view bare(std::string_view text) {
  constexpr std::string_view kAround = "*\"`:, ";
  text = trimmed(text);
  while (!text.empty() && kAround.find(text.front()) != kNone) text.remove_prefix(1);
  while (!text.empty() && (kAround.find(text.back()) != kNone || text.back() == '.' || is_space(text.back())))
    text.remove_suffix(1);
  return text;
}

/// Where the group that opens before `begin` ends: its "}", or the end of the line or formula it breaks off in.
size_t group_end(std::string_view text, size_t begin) {
  constexpr size_t kLongest = 2'000;
  int depth = 1;
  for (size_t i = begin; i < std::min(text.size(), begin + kLongest); ++i) {
    if (text[i] == '\\' && i + 1 < text.size() && (text[i + 1] == '{' || text[i + 1] == '}')) {
      ++i;
    } else if (text[i] == '{') {
      ++depth;
    } else if (text[i] == '}' && --depth == 0) {
      return i;
    }
  }
  return std::min(text.find('\n', begin), text.size());
}

struct Span {
  size_t begin, end;  // with its marks
  std::string_view content;
  bool closed = true;
};

std::optional<Span> last_box(std::string_view text) {
  if (text.find('\\') == kNone) return {};  // most texts: much faster than to look for "boxed" from the end
  for (size_t place = text.rfind("boxed"); place != kNone && place > 0; place = text.rfind("boxed", place - 1)) {
    if (text[place - 1] != '\\') continue;
    size_t open = place + 5;
    while (open < text.size() && text[open] == ' ') ++open;
    if (open == text.size()) continue;
    if (text[open] != '{') {  // \boxed 5
      const size_t end = std::min(text.find_first_of(" $\n", open), text.size());
      return Span{place - 1, end, text.substr(open, end - open)};
    }
    const size_t end = group_end(text, open + 1);
    const bool closed = end < text.size() && text[end] == '}';
    return Span{place - 1, std::min(end + 1, text.size()), text.substr(open + 1, end - open - 1), closed};
  }
  return {};
}

/// Whether `gap` only joins two parts of one answer: "and", ", or", spaces of LaTeX; up to `loose` other characters
/// are forgiven within a sentence.
bool joins(std::string_view gap, size_t loose) {
  if (gap.size() > 60) return false;
  std::string rest(gap);
  for (const std::string_view noise :
       {"\\quad", "\\qquad", "\\text", "\\(", "\\)", "\\[", "\\]", "and", "or", "\\,", "\\ "})
    for (size_t at = rest.find(noise); at != std::string::npos; at = rest.find(noise)) rest.erase(at, noise.size());
  std::erase_if(rest, [](char c) { return is_space(c) || c == '$' || c == ',' || c == ';' || c == '{' || c == '}'; });
  return rest.size() <= loose && rest.find_first_of(".<>") == std::string::npos;
}

/// The formulas of a text: $...$, $$...$$, \(...\), \[...\].
std::vector<Span> formulas_in(std::string_view text) {
  std::vector<Span> spans;
  for (size_t i = 0; i < text.size();) {
    std::string_view open, close;
    if (text[i] == '$' && (i == 0 || text[i - 1] != '\\')) {
      open = close = text.substr(i, 2) == "$$" ? "$$" : "$";
    } else if (text[i] == '\\' && i + 1 < text.size() && (text[i + 1] == '(' || text[i + 1] == '[')) {
      open = text.substr(i, 2);
      close = text[i + 1] == '(' ? "\\)" : "\\]";
    } else {
      ++i;
      continue;
    }
    const size_t begin = i + open.size();
    size_t end = text.find(close, begin);
    if (close == "$")
      while (end != kNone && end > 0 && text[end - 1] == '\\') end = text.find(close, end + 1);
    // An inline formula ends in its line.
    const bool broken = end == kNone || (open == "$" && text.substr(begin, end - begin).find('\n') != kNone);
    if (broken && end == kNone && open != "$") break;
    if (broken || end == begin) {
      i = begin;
      continue;
    }
    spans.push_back({i, end + close.size(), text.substr(begin, end - begin)});
    i = end + close.size();
  }
  return spans;
}

/// Whether words stand around the formulas of a text, other than "and", "or", units and "percent".
bool has_words_outside(std::string_view text, const std::vector<Span>& spans) {
  size_t from = 0;
  for (size_t i = 0; i <= spans.size(); ++i) {
    const size_t to = i < spans.size() ? spans[i].begin : text.size();
    for (size_t at = from; at < to;) {
      size_t end = at;
      while (end < to && is_letter(text[end])) ++end;
      const std::string_view word = text.substr(at, end - at);
      if (word.size() > 1 && !find_word(word) && !find_unit(word)) return true;
      at = std::max(end, at + 1);
    }
    if (i < spans.size()) from = spans[i].end;
  }
  return false;
}

/// "%" and its words right after a formula belong to it.
std::string_view percent_after(std::string_view text, size_t end) {
  const std::string_view rest = trimmed(text.substr(end, 12));
  for (const std::string_view sign : {"%", "\\%", "percent", "pct"})
    if (rest.starts_with(sign)) return "\\%";
  return "";
}

/// The last formula with those before it that belong to the same enumeration.
std::string last_formulas(std::string_view text, const std::vector<Span>& spans) {
  std::string answer = std::string(spans.back().content) + std::string(percent_after(text, spans.back().end));
  for (size_t i = spans.size() - 1; i-- > 0;) {
    const std::string_view gap = text.substr(spans[i].end, spans[i + 1].begin - spans[i].end);
    if (!joins(gap, 0) || trimmed(gap).empty()) break;
    answer.insert(0, ", ").insert(0, spans[i].content);
    if (answer.size() > 2'000) break;
  }
  return answer;
}

/// Where a sentence ends: a line break, or a full stop before a space.
size_t sentence_end(std::string_view text, size_t begin) {
  for (size_t i = begin; i < text.size(); ++i) {
    if (text[i] == '\n' && i > begin + 1) return i;
    if (text[i] == '.' && (i + 1 == text.size() || is_space(text[i + 1]) || text[i + 1] == '"')) return i;
  }
  return text.size();
}

/// Up to where it goes on to a reason, or to what it is not.
std::string_view without_reason(std::string_view sentence) {
  for (size_t i = 1; i < sentence.size(); ++i)
    if ((is_space(sentence[i]) || sentence[i] == ',' || sentence[i] == '(') && !is_space(sentence[i - 1]) &&
        begins_reason(sentence.substr(i)))
      return sentence.substr(0, i);
  return sentence;
}

/// What follows the last "answer" with "is" or ":" behind it.
std::string after_answer(std::string_view text) {
  // "answer", "Answer" or "ANSWER", from the last on; kNone + 1 is 0.
  const auto before = [&](size_t end) {
    return std::max(text.rfind("nswer", end) + 1, text.rfind("NSWER", end) + 1) - 1;
  };
  for (size_t place = before(kNone); place != kNone && place > 0; place = before(place - 1)) {
    const char first = text[place - 1];
    if (first != 'a' && first != 'A') continue;
    const size_t begin = place + 5;
    const std::string_view near = text.substr(begin, 60);
    size_t after = kNone;
    if (const size_t is = near.find(" is"); is != kNone && near.substr(0, is).find_first_of(".\n$") == kNone &&
                                            (is + 3 == near.size() || !is_letter(near[is + 3])))
      after = begin + is + 3;
    if (const size_t colon = near.find(':'); after == kNone && colon != kNone && colon < 12) after = begin + colon + 1;
    if (after == kNone) continue;
    while (after < text.size() && (is_space(text[after]) || text[after] == ':' || text[after] == '*')) ++after;
    const std::string_view rest = text.substr(after, 2'000);
    const std::string_view start = rest.substr(0, 4);
    if (start.starts_with('$') || start.starts_with("\\(") || start.starts_with("\\[") || start.starts_with("\"$")) {
      std::vector<Span> spans = formulas_in(rest);
      size_t count = spans.empty() || spans[0].begin > 1 ? 0 : 1;
      while (count > 0 && count < spans.size() &&
             joins(rest.substr(spans[count - 1].end, spans[count].begin - spans[count - 1].end), 0))
        ++count;
      spans.resize(count);
      if (!spans.empty()) return last_formulas(rest, spans);
    }
    const std::string_view sentence = bare(without_reason(rest.substr(0, sentence_end(rest, 0))));
    if (!sentence.empty()) return std::string(sentence);
  }
  return {};
}

/// Words of running text: at least three that mean nothing in a formula, or one that only sentences have.
bool is_prose(std::string_view text) {
  constexpr std::array<std::string_view, 16> kSentence = {"is",   "the",  "are",   "so",       "we",  "it",
                                                          "this", "that", "there", "thus",     "has", "was",
                                                          "have", "then", "hence", "therefore"};
  int words = 0;
  for (size_t i = 0; i < text.size();) {
    if (text[i] == '\\') {
      // A command; \text{...} holds words that belong to the formula.
      size_t end = i + 1;
      while (end < text.size() && is_letter(text[end])) ++end;
      const std::string_view name = text.substr(i + 1, end - i - 1);
      const bool is_text = name.starts_with("text") || name.starts_with("m") || name == "operatorname" ||
                           name == "begin" || name == "end";
      i = is_text && end < text.size() && text[end] == '{' ? group_end(text, end + 1) : std::max(end, i + 2);
      continue;
    }
    if (!is_letter(text[i])) {
      ++i;
      continue;
    }
    size_t end = i;
    while (end < text.size() && is_letter(text[end])) ++end;
    const std::string_view word = text.substr(i, end - i);
    for (const std::string_view known : kSentence)
      if (equals_ignoring_case(word, known)) return true;
    if (word.size() > 1 && !find_word(word) && !find_unit(word)) ++words;
    i = end;
  }
  return words >= 3;
}

struct LastNumber {
  std::string text;
  size_t begin = 0, end = 0;
};

/// The last number, fraction or sum of numbers that stands by itself.
LastNumber last_number_in(std::string_view text) {
  constexpr std::string_view kInside = "0123456789.,/+-*^() ";
  size_t end = text.size();
  while (end > 0) {
    while (end > 0 && !is_digit(text[end - 1])) --end;
    if (end == 0) return {};
    size_t begin = end;
    while (begin > 0 && kInside.find(text[begin - 1]) != kNone) --begin;
    const char before = begin > 0 ? text[begin - 1] : ' ';
    // Not the digits of "AZYUK2", "x_2", "m^{2}", "\frac{1}{2}".
    if (is_letter(before) || before == '_' || before == '{' || before == '^') {
      const size_t gap = text.substr(begin, end - begin).find(' ');
      if (gap == kNone) {
        end = begin;
        continue;
      }
      begin += gap;
    }
    std::string_view run = text.substr(begin, end - begin);
    // The closing brackets that belong to the run.
    for (auto open = std::count(run.begin(), run.end(), '(') - std::count(run.begin(), run.end(), ')');
         open > 0 && end < text.size() && text[end] == ')'; --open)
      ++end;
    run = text.substr(begin, end - begin);
    // "10 4" and "3, 4" end with the last of them.
    const auto operates = [](char c) { return c == '+' || c == '-' || c == '*' || c == '/' || c == '^' || c == '('; };
    for (size_t i = run.size(); i-- > 1;) {
      const bool breaks = run[i] == ' ' && !operates(run[i - 1]) && i + 1 < run.size() && !operates(run[i + 1]);
      const bool grouped = breaks && is_digit(run[i - 1]) && run.size() - i > 3 && is_digit(run[i + 1]) &&
                           is_digit(run[i + 2]) && is_digit(run[i + 3]) &&
                           (run.size() - i == 4 || !is_digit(run[i + 4]));
      const bool glued = run[i] == '-' && i > 0 && run[i - 1] == ' ' && i + 1 < run.size() && is_digit(run[i + 1]);
      if ((breaks && !grouped) || glued) {
        run.remove_prefix(glued ? i : i + 1);
        break;
      }
    }
    while (!run.empty() && (is_space(run.front()) || run.front() == ',' || run.front() == '*' || run.front() == '/' ||
                            run.front() == ')' || run.front() == '^' || (run.front() == '.' && !is_digit(run[1]))))
      run.remove_prefix(1);
    if (std::any_of(run.begin(), run.end(), is_digit))
      return {std::string(run) + std::string(percent_after(text, end)), static_cast<size_t>(run.data() - text.data()),
              end};
    end = begin;
  }
  return {};
}

struct Word {
  size_t begin, end;
};

/// The words of `text` between `from` and `to`, without the spaces around them.
std::vector<Word> words_between(std::string_view text, size_t from, size_t to) {
  std::vector<Word> words;
  for (size_t i = from; i < to;) {
    while (i < to && is_space(text[i])) ++i;
    size_t end = i;
    while (end < to && !is_space(text[end])) ++end;
    if (end > i) words.push_back({i, end});
    i = end;
  }
  return words;
}

bool is_operator(std::string_view word) {
  constexpr std::array<std::string_view, 18> kOperators = {"+",    "-",       "*",      "/",        "=",     "<",
                                                           ">",    "\\times", "\\cdot", "\\pm",     "\\mp",  "\\le",
                                                           "\\ge", "\\leq",   "\\geq",  "\\approx", "\\div", "^"};
  return std::ranges::find(kOperators, word) != kOperators.end();
}

/// "x^2", "3\sqrt{5}", "(a+b)": no word of two letters and more that is not mathematics.
bool is_operand(std::string_view word) {
  for (size_t i = 0; i < word.size();) {
    if (!is_letter(word[i])) {
      ++i;
      continue;
    }
    size_t end = i;
    while (end < word.size() && is_letter(word[end])) ++end;
    const bool command = i > 0 && word[i - 1] == '\\';
    if (end - i > 1 && !command && !find_word(word.substr(i, end - i))) return false;
    i = end;
  }
  return std::ranges::any_of(word, [](char c) { return is_letter(c) || is_digit(c); });
}

/// The formula of running text in which the number at `begin` … `end` stands: "2 + \sqrt{3}", "x > 2", "12\pi".
std::string formula_around(std::string_view text, size_t begin, size_t end) {
  constexpr size_t kReach = 120;
  const size_t line_begin = text.rfind('\n', begin) == kNone ? 0 : text.rfind('\n', begin) + 1;
  const size_t from = std::max(line_begin, begin > kReach ? text.find(' ', begin - kReach) : 0);
  const size_t line_end = std::min({text.find('\n', end), text.size(), end + kReach});
  const std::vector<Word> words = words_between(text, std::min(from, begin), line_end);
  const auto at = [&](size_t i) { return text.substr(words[i].begin, words[i].end - words[i].begin); };
  size_t first = words.size(), last = 0;
  for (size_t i = 0; i < words.size(); ++i)
    if (words[i].end > begin && words[i].begin < end) first = std::min(first, i), last = i;
  if (first == words.size()) return {};
  // "+ 1" and "/2" go on with what stands before them.
  if (first > 0 && (is_operator(at(first)) || std::string_view("/*^").find(at(first)[0]) != kNone) &&
      is_operand(at(first - 1)))
    --first;
  while (first > 1 && is_operator(at(first - 1)) && is_operand(at(first - 2))) first -= 2;
  if (first > 0 && is_operator(at(first - 1)) && at(first - 1).starts_with('\\') && at(first - 1) != "\\times") --first;
  const auto continues = [&](size_t i) {
    return at(i).starts_with("\\pi") || at(i).starts_with("\\sqrt") || at(i).starts_with("\\frac");
  };
  while (last + 1 < words.size()) {
    if (last + 2 < words.size() && is_operator(at(last + 1)) && is_operand(at(last + 2)))
      last += 2;
    else if (continues(last + 1))
      last += 1;
    else
      break;
  }
  for (size_t i = first; i <= last; ++i)
    if (!is_operator(at(i)) && !is_operand(at(i))) return {};
  return std::string(bare(text.substr(words[first].begin, words[last].end - words[first].begin)));
}

/// "4 or 5", "are 1 and 2": several numbers that are offered together.
std::string numbers_before(std::string_view text, const LastNumber& number) {
  for (const std::string_view joint : {" or ", " and "}) {
    const std::string_view before = text.substr(0, number.begin);
    const size_t place = before.rfind(joint);
    if (place == kNone || place + joint.size() != before.size() || place == 0 || !is_digit(before[place - 1])) continue;
    const size_t begin = before.substr(0, place).find_last_of(" \n") + 1;
    const std::string_view other = before.substr(begin, place - begin);
    if (!std::ranges::all_of(other, [](char c) { return is_digit(c) || c == '.' || c == '-' || c == '/'; })) continue;
    if (joint == " and " && !before.substr(0, begin).ends_with("are ")) continue;
    return std::string(other) + std::string(joint) + number.text;
  }
  return {};
}

std::string after_marks(std::string_view text) {
  const size_t mark = text.rfind("####");
  if (mark == kNone) return {};
  const std::string_view rest = text.substr(mark + 4);
  return std::string(bare(rest.substr(0, rest.find('\n'))));
}

/// What stands in the last <answer>…</answer>.
std::string in_answer_tags(std::string_view text) {
  constexpr std::string_view kOpen = "<answer>", kClose = "</answer>";
  if (text.find('<') == kNone) return {};
  const size_t open = text.rfind(kOpen);
  if (open == kNone) return {};
  const std::string_view rest = text.substr(open + kOpen.size());
  return std::string(bare(rest.substr(0, rest.find(kClose))));
}

}  // namespace

std::string boxed_answer(std::string_view text, size_t loose_gap) {
  auto box = last_box(text);
  if (!box) return {};
  std::string answer(box->content);
  constexpr int kMostBoxes = 16;
  for (int boxes = 1; boxes < kMostBoxes; ++boxes) {
    const auto earlier = last_box(text.substr(0, box->begin));
    if (!earlier || !earlier->closed || answer.size() > 2'000) break;
    const std::string_view gap = text.substr(earlier->end, box->begin - earlier->end);
    if (!joins(gap, loose_gap) || (loose_gap == 0 && trimmed(gap).empty())) break;
    answer.insert(0, ", ").insert(0, earlier->content);
    box = earlier;
  }
  return answer;
}

std::vector<Candidate> find_answers(std::string_view text, Extraction extraction) {
  std::vector<Candidate> found;
  const auto add = [&](std::string answer, std::string_view place) {
    const bool prose = !answer.empty() && is_prose(answer);
    if (!trimmed(answer).empty()) found.push_back({std::move(answer), place, prose});
  };
  const bool math_verify = extraction == Extraction::kMathVerify;
  std::string phrase;
  if (math_verify && text.find("I hope") != kNone) {
    const size_t hope = text.rfind("I hope");
    const size_t final_answer = text.substr(0, hope).rfind("inal answer is");
    if (final_answer != kNone && hope - final_answer < 300) add(after_answer(text.substr(0, hope)), "the final answer");
  }
  add(boxed_answer(text, math_verify ? 16 : 0), "\\boxed");
  if (found.empty()) add(in_answer_tags(text), "<answer>");
  if (found.empty()) add(after_marks(text), "####");
  if (found.empty()) add(after_answer(text), "the sentence with the answer");
  if (extraction == Extraction::kMarked) {
    if (found.empty()) add(std::string(bare(text)), "the whole text");
    return found;
  }
  if (!found.empty() && !found.back().prose) return found;
  const std::string part = found.empty() ? std::string(text) : found.back().text;
  const std::vector<Span> formulas = formulas_in(part);
  const bool sentence = is_prose(part) || (!formulas.empty() && has_words_outside(part, formulas));
  if (part.size() <= 400 && !sentence) add(std::string(bare(part)), "the whole text");
  if (!found.empty() && !found.back().prose) return found;
  std::vector<Candidate> inside;
  std::swap(inside, found);
  LastNumber number = last_number_in(part);
  if (!math_verify && !number.text.empty()) {
    if (std::string several = numbers_before(part, number); !several.empty()) {
      number.text = std::move(several);
    } else if (std::string formula = formula_around(part, number.begin, number.end); !formula.empty()) {
      number.text = std::move(formula);
    }
  }
  // Math-Verify takes what stands last.
  const bool number_first = math_verify && !formulas.empty() && number.begin >= formulas.back().end;
  if (number_first) add(number.text, "the last number");
  if (!formulas.empty()) add(last_formulas(part, formulas), "the last formula");
  if (!number_first) add(number.text, "the last number");
  std::move(inside.begin(), inside.end(), std::back_inserter(found));
  if (found.empty() || inside.empty()) add(std::string(bare(std::string_view(part).substr(0, 400))), "the whole text");
  return found;
}

}  // namespace agro
