#include "reward/math/lexer.h"

#include <algorithm>
#include <array>

#include "core/ascii.h"
#include "reward/math/units.h"

namespace agro {
namespace {

using enum TokenType;

bool is_upper(char c) { return c >= 'A' && c <= 'Z'; }

class Lexer {
 public:
  Lexer(std::string_view text, Budget& budget, int nesting)
      : text_(trimmed(text)), budget_(budget), nesting_(nesting) {}

  std::vector<Token> run() {
    while (at_ < text_.size()) next();
    return std::move(tokens_);
  }

 private:
  static constexpr int kMaxNesting = 4;  // of \text{...} that holds formulas again
  static constexpr size_t kLongestCommand = 16;
  static constexpr std::string_view kLetters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";

  char peek(size_t ahead = 0) const { return at_ + ahead < text_.size() ? text_[at_ + ahead] : '\0'; }
  bool starts(std::string_view prefix) const { return text_.substr(at_).starts_with(prefix); }

  void add(TokenType type, std::string_view text) {
    budget_.spend(1);
    tokens_.push_back({type, std::string(text), space_});
    space_ = false;
  }

  void next() {
    const char c = peek();
    if (c == '$' && is_dollar_sign()) {
      take(1, kCurrency, "$");
    } else if (is_space(c) || c == '~' || c == '$' || c == '"') {
      space_ = space_ || c != '$';
      ++at_;
    } else if (is_digit(c) || (c == '.' && is_digit(peek(1)))) {
      number();
    } else if (is_letter(c)) {
      word();
    } else if (c == '\\') {
      command();
    } else {
      symbol();
    }
  }

  /// "$5": the only one, which begins no formula.
  bool is_dollar_sign() const {
    return is_digit(peek(1)) && text_.find('$', at_ + 1) == std::string_view::npos &&
           text_.substr(0, at_).find('$') == std::string_view::npos;
  }

  /// Length of a thousands separator at `place`, "," or ",\!" or "{,}" or "\," or one space, if three digits follow.
  size_t separator(size_t place) const {
    for (const std::string_view mark : {"{,}", ",\\!", ",\\ ", "\\,", "\\ ", ", \\!", ",\\! ", ",", " "}) {
      if (!text_.substr(place).starts_with(mark)) continue;
      const std::string_view rest = text_.substr(place + mark.size());
      const bool three = rest.size() >= 3 && is_digit(rest[0]) && is_digit(rest[1]) && is_digit(rest[2]);
      if (three && (rest.size() == 3 || !is_digit(rest[3]))) return mark.size();
    }
    return 0;
  }

  /// "(12,102)" is a pair, not a number in brackets.
  bool is_tight_pair() const {
    if (tokens_.empty() || space_ || peek() != ',') return false;
    const Token& before = tokens_.back();
    if (!before.is_symbol("(") && !before.is_symbol("[") && !before.is_symbol("\\{")) return false;
    const size_t end = text_.find_first_not_of("0123456789,", at_);
    return end != std::string_view::npos && (text_[end] == ')' || text_[end] == ']' || text_[end] == '\\');
  }

  void number() {
    std::string digits;
    const auto take_digits = [&] {
      while (is_digit(peek())) digits += text_[at_++];
    };
    take_digits();
    if (!digits.empty() && digits.size() <= 3 && digits[0] != '0' && !is_tight_pair()) {
      for (size_t length = separator(at_); length > 0; length = separator(at_)) {
        at_ += length;
        take_digits();
      }
    }
    if (peek() == '.' && is_digit(peek(1))) {
      digits += text_[at_++];
      take_digits();
    } else if (starts(".\\overline") || starts(".\\bar") || starts(".\\dot{")) {
      digits += text_[at_++];  // 0.\overline{3}
    } else if (peek() == '.' && at_ + 1 == text_.size()) {
      ++at_;
    }
    const bool power_of_ten = peek() == 'x' && text_.substr(at_ + 1).starts_with("10^");  // "1.5x10^3"
    if (const char e = peek(); e == 'e' || e == 'E') {
      size_t end = 1;
      if (peek(end) == '-' || peek(end) == '+') ++end;
      const size_t first = end;
      while (is_digit(peek(end)) && end - first < 4) ++end;
      if (end > first && end - first < 4 && !is_letter(peek(end))) {
        digits += text_.substr(at_, end);
        at_ += end;
      }
    }
    add(kNumber, digits);
    if (power_of_ten) take(1, kSymbol, "*");
  }

  bool after_value() const {
    return !tokens_.empty() &&
           (tokens_.back().is(kNumber) || tokens_.back().is_symbol(")") || tokens_.back().is_symbol("}"));
  }

  /// What stands behind the next `length` characters and spaces.
  char behind(size_t length) const {
    const size_t place = text_.find_first_not_of(" \t\n\r", std::min(at_ + length, text_.size()));
    return place == std::string_view::npos ? '\0' : text_[place];
  }

  /// Words that are units only behind a number, and with nothing behind them that they could be about.
  std::optional<std::string_view> short_unit(std::string_view run, char next) const {
    if (!after_value()) return {};
    if (run == "per" || run == "sq") return run;
    if (is_digit(next)) return run == "R" || run == "r" ? std::optional<std::string_view>("remainder") : std::nullopt;
    if (is_letter(next)) return {};
    if (next == '(' || next == '[' || next == '\\' || next == '{') return {};
    if (run == "in") return "inch";
    if (run == "min") return "minute";
    return {};
  }

  /// "red" of "12 red apples", "of" of "12 hours of work": no product of variables.
  bool is_word_of_unit(std::string_view run) const {
    if (!tokens_.empty() && tokens_.back().is(kText)) return true;
    if (!after_value() || !space_) return false;
    const size_t place = text_.find_first_not_of(' ', at_ + run.size());
    if (place == std::string_view::npos || place == at_ + run.size()) return false;
    const size_t end = std::min(text_.find_first_not_of(kLetters, place), text_.size());
    return end - place > 3 && !find_word(text_.substr(place, end - place));
  }

  void word() {
    size_t end = at_;
    while (end < text_.size() && is_letter(text_[end])) ++end;
    const std::string_view run = text_.substr(at_, end - at_);
    if (const auto unit = short_unit(run, behind(run.size())); unit && run.size() == 1) return take(1, kText, *unit);
    if (run.size() > 1) {
      if (const auto unit = short_unit(run, behind(run.size()))) return take(run.size(), kText, *unit);
      if (const auto known = find_word(run)) return take(run.size(), known->type, known->text);
      // "mi/hr"
      const bool below = tokens_.size() > 1 && tokens_.back().is_symbol("/") && tokens_[tokens_.size() - 2].is(kText);
      const auto unit = after_value() || below ? find_unit(run) : std::nullopt;
      if (unit) return take(run.size(), kText, *unit);
      if (is_word_of_unit(run)) return take(run.size(), kText, run);
      const bool capitals = std::all_of(run.begin(), run.end(), is_upper);
      if (run.size() > 3 && !capitals) {
        for (const std::string_view function : {"sin", "cos", "tan", "ln", "log", "sqrt"})
          if (run.starts_with(function) && run.size() == function.size() + 1) {
            const Word known = *find_word(function);
            return take(function.size(), known.type, known.text);
          }
        return take(run.size(), kText, run);
      }
    } else if (run == "x" && after_value() && text_.substr(at_ + 1).starts_with(" 10^")) {
      return take(1, kSymbol, "*");
    } else if (run == "U" && !tokens_.empty() && (tokens_.back().is_symbol(")") || tokens_.back().is_symbol("]"))) {
      return take(1, kSymbol, "U");
    }
    for (const char& letter : run) {
      add(kLetter, {&letter, 1});
      ++at_;
    }
  }

  void take(size_t length, TokenType type, std::string_view text) {
    add(type, text);
    at_ += length;
  }

  void command() {
    size_t end = at_ + 1;
    while (end < text_.size() && is_letter(text_[end])) ++end;
    if (end == at_ + 1) return escaped();
    std::string_view name = text_.substr(at_ + 1, end - at_ - 1);
    auto known = find_command(name);
    // "\pir", "\quadx": the longest command it begins with.
    for (size_t length = std::min(name.size() - 1, kLongestCommand); !known && length > 1; --length)
      if ((known = find_command(name.substr(0, length)))) name = name.substr(0, length);
    at_ += 1 + name.size();
    if (!known) return add(kLetter, "\\" + std::string(name));
    if (known->text == "text") return text_command();
    if (known->text == "begin" || known->text == "end") return environment(known->text);
    if (known->text == "mathbb") return number_set();
    if (known->text == "color") return static_cast<void>(raw_argument());
    if (known->text == "accent") return add(kCommand, name);
    if (!known->text.empty()) add(known->type, known->text);
    if ((name == "left" || name == "right" || name == "middle") && peek() == '.') ++at_;
  }

  /// A backslash before something that is no letter.
  void escaped() {
    const char c = peek(1);
    if (c == '\\' && environments_ == 0 && lines_ > 0) return next_line();
    if (c == '\\') {
      // In running text a doubled backslash is a badly escaped one.
      size_t end = at_ + 2;
      while (end < text_.size() && is_letter(text_[end])) ++end;
      if (environments_ == 0 && end > at_ + 3 && find_command(text_.substr(at_ + 2, end - at_ - 2))) {
        ++at_;
        return command();
      }
      at_ += 2;
      if (environments_ > 0 && peek() == '[' && is_digit(peek(1)))  // \\[2pt]
        at_ = std::min(text_.size(), text_.find(']', at_) == std::string_view::npos ? at_ : text_.find(']', at_) + 1);
      if (environments_ == 0 && std::string_view("{}%$()[]").find(peek()) != std::string_view::npos &&
          at_ < text_.size())
        --at_;
      else if (environments_ > 0)
        add(kRow, "\\\\");
      return;
    }
    at_ += 2;
    if (c == '{' || c == '}') return add(kSymbol, std::string("\\") + c);
    if (c == '|' || c == '%' || c == '&') return add(kSymbol, {&c, 1});
    if (c == '$') return add(kCurrency, "$");
    if (c == '\0' || at_ > text_.size()) at_ = text_.size();
    space_ = true;  // \, \! \; \: \( \[ and a backslash that stands alone
  }

  /// A line of a system is an item of a list; one that begins with a relation goes on with the line before.
  void next_line() {
    at_ += 2;
    size_t next = at_;
    while (next < text_.size() && (is_space(text_[next]) || text_[next] == '&')) ++next;
    const std::string_view rest = text_.substr(next);
    const bool goes_on = rest.empty() || rest.starts_with("\\end") ||
                         std::string_view("=<>").find(rest[0]) != std::string_view::npos || rest.starts_with("\\le") ||
                         rest.starts_with("\\ge") || rest.starts_with("\\approx");
    if (!goes_on) add(kSymbol, ",");
  }

  /// The content of {...} or one character, and moves past it.
  std::string_view raw_argument() {
    while (is_space(peek())) ++at_;
    if (peek() == '*') ++at_;
    if (peek() != '{') {
      const size_t length = at_ < text_.size() ? 1 : 0;
      at_ += length;
      return text_.substr(at_ - length, length);
    }
    size_t end = at_ + 1;
    for (int depth = 1; end < text_.size(); ++end) {
      if (text_[end] == '{') ++depth;
      if (text_[end] == '}' && --depth == 0) break;
    }
    const std::string_view content = text_.substr(at_ + 1, end - at_ - 1);
    at_ = std::min(end + 1, text_.size());
    return content;
  }

  void text_command() {
    std::string_view content = trimmed(raw_argument());
    while (content.starts_with('~') || content.starts_with("\\,")) content.remove_prefix(content[0] == '~' ? 1 : 2);
    if (content.empty()) return;
    if (after_value() && canonical_unit(content)) return add(kText, find_unit(content).value_or(content));
    if (const auto unit = short_unit(content, behind(0))) return add(kText, *unit);
    if (const auto known = find_word(content)) return add(known->type, known->text);
    const bool words = std::all_of(content.begin(), content.end(), [](char c) {
      return is_letter(c) || is_space(c) || c == '-' || c == '\'' || c == '.' || static_cast<unsigned char>(c) >= 0x80;
    });
    if (words && content.size() > 1) {
      const auto unit = find_unit(content);
      return add(kText, unit ? *unit : content);
    }
    if (nesting_ == kMaxNesting) throw Undecided("text is nested too deep");
    Lexer inner(content, budget_, nesting_ + 1);
    for (Token& token : inner.run()) tokens_.push_back(std::move(token));
  }

  void environment(std::string_view which) {
    std::string name(raw_argument());
    if (name.ends_with('*')) name.pop_back();
    constexpr std::array<std::string_view, 7> kMatrices = {"matrix",  "pmatrix",     "bmatrix", "vmatrix",
                                                           "Bmatrix", "smallmatrix", "array"};
    constexpr std::array<std::string_view, 7> kLines = {"cases",  "aligned", "align",   "gathered",
                                                        "gather", "split",   "equation"};
    if (std::find(kLines.begin(), kLines.end(), name) != kLines.end())
      lines_ = std::max(0, lines_ + (which == "begin" ? 1 : -1));
    if (std::find(kMatrices.begin(), kMatrices.end(), name) == kMatrices.end()) return;
    if (which == "begin" && name == "array") raw_argument();
    environments_ = std::max(0, environments_ + (which == "begin" ? 1 : -1));
    add(kCommand, which == "end" ? "end" : name == "vmatrix" ? "determinant" : "matrix");
  }

  void number_set() {
    const std::string_view letter = trimmed(raw_argument());
    const std::string_view known = letter == "R"   ? "reals"
                                   : letter == "Z" ? "integers"
                                   : letter == "N" ? "naturals"
                                   : letter == "Q" ? "rationals"
                                   : letter == "C" ? "complexes"
                                                   : "";
    if (known.empty())
      add(kLetter, letter);
    else
      add(kConstant, known);
  }

  void symbol() {
    constexpr std::array<std::pair<std::string_view, std::string_view>, 12> kLong = {{{"**", "^"},
                                                                                      {"<=", "l"},
                                                                                      {"=<", "l"},
                                                                                      {">=", "g"},
                                                                                      {"=>", ">>"},
                                                                                      {"!=", "n"},
                                                                                      {"==", "="},
                                                                                      {"->", ">>"},
                                                                                      {"...", "..."},
                                                                                      {"+-", "pm"},
                                                                                      {"+/-", "pm"},
                                                                                      {"||", "|"}}};
    for (const auto& [written, meaning] : kLong)
      if (starts(written) && written != "||") return take(written.size(), kSymbol, meaning);
    const char c = peek();
    ++at_;
    if (c == '&' && environments_ == 0 && lines_ > 0) return align();
    if (c == '.' || c == '`' || c == '?' || c == '#') {
      if (c == '.' && trimmed(text_.substr(at_)).empty()) return;  // the end of a sentence
      return add(kSymbol, {&c, 1});
    }
    add(kSymbol, {&c, 1});
  }

  /// "&" before a relation only puts lines under each other; elsewhere it separates cases from their conditions.
  void align() const {
    const char next = behind(0);
    const std::string_view rest = text_.substr(std::min(at_, text_.size()));
    const bool relation = next == '=' || next == '<' || next == '>' || trimmed(rest).starts_with("\\le") ||
                          trimmed(rest).starts_with("\\ge") || trimmed(rest).starts_with("\\approx");
    const bool at_start = tokens_.empty() || tokens_.back().is_symbol(",");
    if (!relation && !at_start && !tokens_.back().is(kSymbol)) throw Undecided("cases with conditions");
  }

  std::string_view text_;
  Budget& budget_;
  int nesting_;
  size_t at_ = 0;
  int environments_ = 0;  // of matrices that are open
  int lines_ = 0;         // of systems and chains of equations
  bool space_ = false;
  std::vector<Token> tokens_;
};

}  // namespace

std::vector<Token> tokenize(std::string_view text, Budget& budget) {
  Lexer lexer(text, budget, 0);
  std::vector<Token> tokens = lexer.run();
  tokens.emplace_back();
  return tokens;
}

}  // namespace agro
