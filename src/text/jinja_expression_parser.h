#pragma once
// Tokens to expressions, with Jinja's precedence: if-else, or, and, not, comparison, + -, ~, * / // %, **, sign,
// filters.
#include <deque>
#include <span>
#include <string>
#include <string_view>

#include "text/jinja_ast.h"
#include "text/jinja_lexer.h"

namespace agro::detail::jinja {

/// Reads tokens one after the other. Every failure is an Error that names line and column.
class TokenReader {
 public:
  /// `tokens` end with TokenKind::end and outlive the reader.
  explicit TokenReader(std::span<const Token> tokens) : tokens_(tokens) {}

  const Token& peek(size_t ahead = 0) const { return tokens_[std::min(at_ + ahead, tokens_.size() - 1)]; }
  const Token& next();
  /// The line of the token read last.
  int line() const { return tokens_[at_ > 0 ? at_ - 1 : 0].line; }
  bool at(TokenKind kind) const { return peek().kind == kind; }
  bool at(TokenKind kind, std::string_view text) const { return at(kind) && peek().text == text; }
  bool skip(TokenKind kind, std::string_view text);
  bool skip_symbol(std::string_view text) { return skip(TokenKind::symbol, text); }
  bool skip_name(std::string_view text) { return skip(TokenKind::name, text); }
  void expect_symbol(std::string_view text);
  std::string expect_name(std::string_view what);
  void expect(TokenKind kind, std::string_view what);

  Error error(std::string_view message) const;
  Error unexpected(std::string_view wanted) const;

 private:
  std::span<const Token> tokens_;
  size_t at_ = 0;
};

/// Counts the nesting of what is being parsed for as long as it lives. Throws Error beyond kLimit.
class Nesting {
 public:
  static constexpr int kLimit = 100;
  Nesting(int& depth, const TokenReader& reader);
  ~Nesting() { --depth_; }
  Nesting(const Nesting&) = delete;
  Nesting& operator=(const Nesting&) = delete;

 private:
  int& depth_;
};

class ExpressionParser {
 public:
  ExpressionParser(TokenReader& reader, std::deque<Expression>& store) : reader_(reader), store_(store) {}

  /// An expression; `a, b` without parentheses is a tuple.
  ExpressionRef parse_tuple();
  ExpressionRef parse();
  /// Without "x if y else z", whose "if" would be taken for a loop's filter.
  ExpressionRef parse_unconditional() { return parse_or(); }

 private:
  template <class Node>
  ExpressionRef make(Node node);

  ExpressionRef parse_or();
  ExpressionRef parse_and();
  ExpressionRef parse_not();
  ExpressionRef parse_comparison();
  ExpressionRef parse_binary(int level);
  ExpressionRef parse_signed(bool with_filters);
  ExpressionRef parse_primary();
  ExpressionRef parse_named();
  ExpressionRef parse_number();
  ExpressionRef parse_parenthesized();
  ExpressionRef parse_list();
  ExpressionRef parse_dict();
  ExpressionRef parse_postfix(ExpressionRef expression);
  ExpressionRef parse_filters(ExpressionRef expression);
  ExpressionRef parse_subscript(ExpressionRef object);
  ExpressionRef parse_filter(ExpressionRef input);
  ExpressionRef parse_test(ExpressionRef input);
  CallArguments parse_arguments();

  TokenReader& reader_;
  std::deque<Expression>& store_;
  int depth_ = 0;
};

}  // namespace agro::detail::jinja
