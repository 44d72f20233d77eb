#include "text/jinja_lexer.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>
#include <tuple>

#include "core/error.h"
#include "text/jinja_text.h"

namespace agro::detail::jinja {
namespace {

// Longer ones first.
constexpr auto kSymbols =
    std::to_array<std::string_view>({"//", "**", "==", "!=", ">=", "<=", "+", "-", "/", "*", "%", "~", "[",
                                     "]",  "(",  ")",  "{",  "}",  ">",  "<", "=", ".", ":", "|", ","});

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool starts_name(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || static_cast<unsigned char>(c) >= 0x80;
}
bool continues_name(char c) { return starts_name(c) || is_digit(c); }

// One kind of line end, and none after the last line.
std::string normalized(std::string_view source) {
  std::string text;
  text.reserve(source.size());
  for (size_t i = 0; i < source.size(); ++i) {
    const bool pair = source[i] == '\r' && i + 1 < source.size() && source[i + 1] == '\n';
    if (!pair) text += source[i] == '\r' ? '\n' : source[i];
  }
  if (text.ends_with('\n')) text.pop_back();
  return text;
}

class Lexer {
 public:
  explicit Lexer(std::string_view source) : source_(normalized(source)) {}

  std::vector<Token> run() {
    while (at_ < source_.size()) {
      const size_t open = find_opening(at_);
      text(at_, open);
      if (open == source_.size()) break;
      at_ = open + 2;
      switch (source_[open + 1]) {
        case '#':
          comment(open);
          break;
        case '%':
          if (!raw(open)) tag(open, TokenKind::tag_begin, "%}", TokenKind::tag_end);
          break;
        default:
          tag(open, TokenKind::output_begin, "}}", TokenKind::output_end);
      }
    }
    add(TokenKind::end, "", source_.size());
    return std::move(tokens_);
  }

 private:
  size_t find_opening(size_t from) const {
    for (size_t i = source_.find('{', from); i != std::string::npos; i = source_.find('{', i + 1)) {
      const char next = i + 1 < source_.size() ? source_[i + 1] : '\0';
      if (next == '{' || next == '%' || next == '#') return i;
    }
    return source_.size();
  }

  // The text before the tag that opens at `end`, less the whitespace that the tag takes away.
  void text(size_t begin, size_t end) {
    std::string_view content = view(begin, end);
    const char sign = end + 2 < source_.size() ? source_[end + 2] : '\0';
    const bool before_tag = end < source_.size();
    if (before_tag && sign == '-') {
      content = strip(content, Side::right);
    } else if (before_tag && sign != '+' && source_[end + 1] != '{') {
      const size_t newline = content.rfind('\n');
      const size_t line = newline == std::string_view::npos ? 0 : newline + 1;
      const bool starts_line = line > 0 || begin == 0 || source_[begin - 1] == '\n';
      if (starts_line && strip(content.substr(line)).empty()) content = content.substr(0, line);
    }
    if (!content.empty()) add(TokenKind::text, std::string(content), begin);
  }

  // Steps over a closing tag that ended before at_ and the whitespace it takes away.
  void close(char sign, bool trims_newline) {
    if (sign == '-') {
      at_ = source_.size() - strip(rest(), Side::left).size();
    } else if (trims_newline && sign != '+' && rest().starts_with('\n')) {
      ++at_;
    }
  }

  void comment(size_t open) {
    if (rest().starts_with('-') || rest().starts_with('+')) ++at_;
    const size_t begin = at_;
    const size_t end = source_.find("#}", begin);
    if (end == std::string::npos) throw error("the comment is not closed by '#}'", open);
    at_ = end + 2;
    close(end > begin ? source_[end - 1] : '\0', true);
  }

  struct RawTag {
    size_t end;
    char sign;
  };
  // "%}"-closed tag of the one word `word`, whose inside begins at `from`.
  std::optional<RawTag> word_tag(size_t from, std::string_view word) const {
    std::string_view inside = view(from, source_.size());
    if (inside.starts_with('-') || inside.starts_with('+')) inside.remove_prefix(1);
    inside = strip(inside, Side::left);
    if (!inside.starts_with(word)) return std::nullopt;
    inside = strip(inside.substr(word.size()), Side::left);
    const char sign = inside.starts_with('-') || inside.starts_with('+') ? inside[0] : '\0';
    if (sign) inside.remove_prefix(1);
    if (!inside.starts_with("%}")) return std::nullopt;
    return RawTag{source_.size() - inside.size() + 2, sign};
  }

  bool raw(size_t open) {
    const auto begin = word_tag(open + 2, "raw");
    if (!begin) return false;
    at_ = begin->end;
    close(begin->sign, false);
    for (size_t i = source_.find("{%", at_); i != std::string::npos; i = source_.find("{%", i + 1)) {
      if (const auto end = word_tag(i + 2, "endraw")) {
        text(at_, i);
        at_ = end->end;
        close(end->sign, true);
        return true;
      }
    }
    throw error("'raw' is not closed by 'endraw'", open);
  }

  void tag(size_t open, TokenKind begin_kind, std::string_view closing, TokenKind end_kind) {
    if (rest().starts_with('-') || rest().starts_with('+')) ++at_;
    add(begin_kind, "", open);
    std::string brackets;  // the closing bracket of every open one
    for (;;) {
      at_ = source_.size() - strip(rest(), Side::left).size();
      if (at_ == source_.size()) throw error(fmt::format("the tag is not closed by '{}'", closing), open);
      const char sign = rest()[0] == '-' || (rest()[0] == '+' && closing == "%}") ? rest()[0] : '\0';
      if (brackets.empty() && rest().substr(sign ? 1 : 0).starts_with(closing)) {
        add(end_kind, "", at_);
        at_ += (sign ? 1 : 0) + closing.size();
        return close(sign, end_kind == TokenKind::tag_end);
      }
      expression_token(brackets);
    }
  }

  void expression_token(std::string& brackets) {
    const char c = rest()[0];
    if (c == '\'' || c == '"') return string_literal();
    if (is_digit(c)) return number();
    if (starts_name(c)) {
      const size_t begin = at_;
      while (at_ < source_.size() && continues_name(source_[at_])) ++at_;
      return add(TokenKind::name, std::string(view(begin, at_)), begin);
    }
    const auto symbol = std::ranges::find_if(kSymbols, [&](std::string_view s) { return rest().starts_with(s); });
    if (symbol == kSymbols.end()) throw error(fmt::format("unexpected character '{}'", c), at_);
    balance(c, brackets);
    add(TokenKind::symbol, std::string(*symbol), at_);
    at_ += symbol->size();
  }

  void balance(char c, std::string& brackets) {
    if (c == '(') brackets += ')';
    if (c == '[') brackets += ']';
    if (c == '{') brackets += '}';
    if (c != ')' && c != ']' && c != '}') return;
    if (brackets.empty()) throw error(fmt::format("'{}' closes nothing", c), at_);
    if (brackets.back() != c) throw error(fmt::format("expected '{}', found '{}'", brackets.back(), c), at_);
    brackets.pop_back();
  }

  void number() {
    const size_t begin = at_;
    const auto digits = [&] {
      while (at_ < source_.size() && (is_digit(source_[at_]) || source_[at_] == '_')) ++at_;
    };
    digits();
    bool real = false;
    if (rest().size() > 1 && rest()[0] == '.' && is_digit(rest()[1])) {
      real = true;
      ++at_;
      digits();
    }
    if (rest().starts_with('e') || rest().starts_with('E')) {
      const size_t sign = rest().size() > 1 && (rest()[1] == '+' || rest()[1] == '-') ? 1 : 0;
      if (rest().size() > 1 + sign && is_digit(rest()[1 + sign])) {
        real = true;
        at_ += 1 + sign;
        digits();
      }
    }
    std::string text(view(begin, at_));
    std::erase(text, '_');
    add(real ? TokenKind::real : TokenKind::integer, std::move(text), begin);
  }

  void string_literal() {
    const size_t open = at_;
    const char quote = source_[at_++];
    std::string content;
    while (at_ < source_.size() && source_[at_] != quote) {
      if (source_[at_] == '\\' && at_ + 1 < source_.size()) {
        escape(content);
      } else {
        content += source_[at_++];
      }
    }
    if (at_ == source_.size()) throw error("the string is not closed", open);
    ++at_;
    add(TokenKind::string, std::move(content), open);
  }

  // Python's escapes; an unknown one stands for itself.
  void escape(std::string& content) {
    const char c = source_[at_ + 1];
    constexpr std::string_view kLetters = "ntrabfv0\\'\"", kMeaning{"\n\t\r\a\b\f\v\0\\'\"", 11};
    const size_t digits = c == 'x' ? 2 : c == 'u' ? 4 : c == 'U' ? 8 : 0;
    if (digits) {
      uint32_t code_point = 0;
      const std::string_view hex = view(at_ + 2, std::min(source_.size(), at_ + 2 + digits));
      const auto [end, failure] = std::from_chars(hex.data(), hex.data() + hex.size(), code_point, 16);
      if (failure != std::errc() || end != hex.data() + digits) {
        throw error(fmt::format("'\\{}' needs {} hexadecimal digits", c, digits), at_);
      }
      if (!is_scalar_value(code_point)) throw error(fmt::format("U+{:04X} is not a character", code_point), at_);
      append_code_point(content, code_point);
      at_ += 2 + digits;
      return;
    }
    const size_t letter = kLetters.find(c);
    if (letter != std::string_view::npos) {
      content += kMeaning[letter];
    } else if (c != '\n') {
      content.append(1, '\\').append(1, c);
    }
    at_ += 2;
  }

  std::string_view view(size_t begin, size_t end) const { return std::string_view(source_).substr(begin, end - begin); }
  std::string_view rest() const { return view(at_, source_.size()); }

  void add(TokenKind kind, std::string text, size_t offset) {
    const auto [line, column] = locate(offset);
    tokens_.push_back({kind, std::move(text), line, column});
  }

  std::pair<int, int> locate(size_t offset) {
    if (offset < located_) std::tie(located_, line_, column_) = std::tuple(size_t{0}, 1, 1);  // an error looks back
    for (; located_ < offset; ++located_) {
      const char c = source_[located_];
      const bool continuation = (static_cast<unsigned char>(c) & 0xC0) == 0x80;
      if (c == '\n') ++line_;
      column_ = c == '\n' ? 1 : column_ + (continuation ? 0 : 1);
    }
    return {line_, column_};
  }

  Error error(std::string_view message, size_t offset) {
    const auto [line, column] = locate(offset);
    return Error(std::string(message)).at(fmt::format("line {}, column {}", line, column));
  }

  const std::string source_;
  std::vector<Token> tokens_;
  size_t at_ = 0;
  size_t located_ = 0;  // the offset that line_ and column_ tell
  int line_ = 1, column_ = 1;
};

}  // namespace

std::vector<Token> tokenize(std::string_view source) { return Lexer(source).run(); }

}  // namespace agro::detail::jinja
