#include "text/jinja_expression_parser.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>

namespace agro::detail::jinja {
namespace {

constexpr size_t kMaxArguments = 64;

std::optional<ComparisonOperator> comparison_symbol(std::string_view text) {
  constexpr std::string_view kSymbols[] = {"==", "!=", "<", "<=", ">", ">="};
  const auto found = std::ranges::find(kSymbols, text);
  if (found == std::end(kSymbols)) return std::nullopt;
  return static_cast<ComparisonOperator>(found - std::begin(kSymbols));
}

struct LevelOperator {
  int level;
  std::string_view symbol;
  BinaryOperator operation;
};
constexpr LevelOperator kLevels[] = {
    {0, "+", BinaryOperator::add},      {0, "-", BinaryOperator::subtract}, {1, "~", BinaryOperator::concatenate},
    {2, "*", BinaryOperator::multiply}, {2, "/", BinaryOperator::divide},   {2, "//", BinaryOperator::floor_divide},
    {2, "%", BinaryOperator::modulo},   {3, "**", BinaryOperator::power},
};
constexpr int kTightestLevel = 3;

}  // namespace

const Token& TokenReader::next() {
  const Token& token = peek();
  if (at_ + 1 < tokens_.size()) ++at_;
  return token;
}

bool TokenReader::skip(TokenKind kind, std::string_view text) {
  if (!at(kind, text)) return false;
  next();
  return true;
}

void TokenReader::expect_symbol(std::string_view text) {
  if (!skip_symbol(text)) throw unexpected(fmt::format("'{}'", text));
}

std::string TokenReader::expect_name(std::string_view what) {
  if (!at(TokenKind::name)) throw unexpected(what);
  return next().text;
}

void TokenReader::expect(TokenKind kind, std::string_view what) {
  if (!at(kind)) throw unexpected(what);
  next();
}

Error TokenReader::error(std::string_view message) const {
  return Error(std::string(message)).at(fmt::format("line {}, column {}", peek().line, peek().column));
}

Error TokenReader::unexpected(std::string_view wanted) const {
  const auto found = [this]() -> std::string {
    switch (peek().kind) {
      case TokenKind::end:
        return "the end of the template";
      case TokenKind::tag_end:
      case TokenKind::output_end:
        return "the end of the tag";
      case TokenKind::text:
      case TokenKind::output_begin:
      case TokenKind::tag_begin:
        return "the next part of the template";
      default:
        return fmt::format("'{}'", peek().text);
    }
  };
  return error(fmt::format("expected {}, found {}", wanted, found()));
}

Nesting::Nesting(int& depth, const TokenReader& reader) : depth_(depth) {
  if (depth_ >= kLimit) throw reader.error(fmt::format("the template nests more than {} deep", kLimit));
  ++depth_;
}

template <class Node>
ExpressionRef ExpressionParser::make(Node node) {
  return &store_.emplace_back(Expression{std::move(node), reader_.line()});
}

ExpressionRef ExpressionParser::parse_tuple() {
  const ExpressionRef first = parse();
  if (!reader_.at(TokenKind::symbol, ",")) return first;
  std::vector<ExpressionRef> items{first};
  while (reader_.skip_symbol(",")) {
    if (reader_.at(TokenKind::output_end) || reader_.at(TokenKind::tag_end)) break;
    items.push_back(parse());
  }
  return make(ListLiteral{std::move(items)});
}

ExpressionRef ExpressionParser::parse() {
  const Nesting nesting(depth_, reader_);
  ExpressionRef value = parse_or();
  while (reader_.skip_name("if")) {
    const ExpressionRef condition = parse_or();
    const ExpressionRef otherwise = reader_.skip_name("else") ? parse() : nullptr;
    value = make(Conditional{condition, value, otherwise});
  }
  return value;
}

ExpressionRef ExpressionParser::parse_or() {
  ExpressionRef left = parse_and();
  while (reader_.skip_name("or")) left = make(Or{left, parse_and()});
  return left;
}

ExpressionRef ExpressionParser::parse_and() {
  ExpressionRef left = parse_not();
  while (reader_.skip_name("and")) left = make(And{left, parse_not()});
  return left;
}

ExpressionRef ExpressionParser::parse_not() {
  if (!reader_.skip_name("not")) return parse_comparison();
  const Nesting nesting(depth_, reader_);
  return make(Not{parse_not()});
}

ExpressionRef ExpressionParser::parse_comparison() {
  const ExpressionRef first = parse_binary(0);
  std::vector<std::pair<ComparisonOperator, ExpressionRef>> rest;
  for (;;) {
    std::optional<ComparisonOperator> operation;
    if (reader_.at(TokenKind::symbol)) {
      operation = comparison_symbol(reader_.peek().text);
      if (operation) reader_.next();
    } else if (reader_.skip_name("in")) {
      operation = ComparisonOperator::in;
    } else if (reader_.at(TokenKind::name, "not") && reader_.peek(1).kind == TokenKind::name &&
               reader_.peek(1).text == "in") {
      reader_.next();
      reader_.next();
      operation = ComparisonOperator::not_in;
    }
    if (!operation) break;
    rest.emplace_back(*operation, parse_binary(0));
  }
  return rest.empty() ? first : make(Comparison{first, std::move(rest)});
}

ExpressionRef ExpressionParser::parse_binary(int level) {
  const auto operand = [&] { return level == kTightestLevel ? parse_signed(true) : parse_binary(level + 1); };
  ExpressionRef left = operand();
  while (reader_.at(TokenKind::symbol)) {
    const auto found = std::ranges::find_if(kLevels, [&](const LevelOperator& candidate) {
      return candidate.level == level && candidate.symbol == reader_.peek().text;
    });
    if (found == std::end(kLevels)) break;
    reader_.next();
    left = make(Binary{found->operation, left, operand()});
  }
  return left;
}

ExpressionRef ExpressionParser::parse_signed(bool with_filters) {
  const Nesting nesting(depth_, reader_);
  ExpressionRef value = nullptr;
  if (reader_.skip_symbol("-")) {
    value = make(Negation{parse_signed(false)});
  } else if (reader_.skip_symbol("+")) {
    const ExpressionRef zero = make(Constant{0});
    value = make(Binary{BinaryOperator::add, zero, parse_signed(false)});
  } else {
    value = parse_primary();
  }
  value = parse_postfix(value);
  return with_filters ? parse_filters(value) : value;
}

ExpressionRef ExpressionParser::parse_primary() {
  switch (reader_.peek().kind) {
    case TokenKind::name:
      return parse_named();
    case TokenKind::string: {
      std::string text;
      while (reader_.at(TokenKind::string)) text += reader_.next().text;
      return make(Constant{std::move(text)});
    }
    case TokenKind::integer:
    case TokenKind::real:
      return parse_number();
    default:
      break;
  }
  if (reader_.skip_symbol("(")) return parse_parenthesized();
  if (reader_.skip_symbol("[")) return parse_list();
  if (reader_.skip_symbol("{")) return parse_dict();
  throw reader_.unexpected("an expression");
}

ExpressionRef ExpressionParser::parse_named() {
  std::string name = reader_.next().text;
  if (name == "true" || name == "True") return make(Constant{true});
  if (name == "false" || name == "False") return make(Constant{false});
  if (name == "none" || name == "None") return make(Constant{None{}});
  return make(Name{std::move(name)});
}

ExpressionRef ExpressionParser::parse_number() {
  const Token& token = reader_.peek();
  const char* const end = token.text.data() + token.text.size();
  Value value;
  std::from_chars_result read{};
  if (token.kind == TokenKind::integer) {
    int64_t integer = 0;
    read = std::from_chars(token.text.data(), end, integer);
    value = integer;
  } else {
    double real = 0;
    read = std::from_chars(token.text.data(), end, real);
    value = real;
  }
  if (read.ec != std::errc() || read.ptr != end) throw reader_.error(fmt::format("'{}' is out of range", token.text));
  reader_.next();
  return make(Constant{std::move(value)});
}

ExpressionRef ExpressionParser::parse_parenthesized() {
  if (reader_.skip_symbol(")")) return make(ListLiteral{});
  const ExpressionRef first = parse();
  if (reader_.skip_symbol(")")) return first;
  std::vector<ExpressionRef> items{first};
  while (!reader_.skip_symbol(")")) {
    reader_.expect_symbol(",");
    if (!reader_.at(TokenKind::symbol, ")")) items.push_back(parse());
  }
  return make(ListLiteral{std::move(items)});
}

ExpressionRef ExpressionParser::parse_list() {
  std::vector<ExpressionRef> items;
  while (!reader_.skip_symbol("]")) {
    if (!items.empty()) reader_.expect_symbol(",");
    if (!reader_.at(TokenKind::symbol, "]")) items.push_back(parse());
  }
  return make(ListLiteral{std::move(items)});
}

ExpressionRef ExpressionParser::parse_dict() {
  std::vector<std::pair<ExpressionRef, ExpressionRef>> entries;
  while (!reader_.skip_symbol("}")) {
    if (!entries.empty()) reader_.expect_symbol(",");
    if (reader_.at(TokenKind::symbol, "}")) continue;
    const ExpressionRef key = parse();
    reader_.expect_symbol(":");
    entries.emplace_back(key, parse());
  }
  return make(DictLiteral{std::move(entries)});
}

ExpressionRef ExpressionParser::parse_postfix(ExpressionRef expression) {
  for (;;) {
    if (reader_.skip_symbol(".")) {
      expression = reader_.at(TokenKind::integer) ? make(Item{expression, parse_number()})
                                                  : make(Attribute{expression, reader_.expect_name("an attribute")});
    } else if (reader_.skip_symbol("[")) {
      expression = parse_subscript(expression);
    } else if (reader_.skip_symbol("(")) {
      expression = make(Call{expression, parse_arguments()});
    } else {
      return expression;
    }
  }
}

ExpressionRef ExpressionParser::parse_filters(ExpressionRef expression) {
  for (;;) {
    if (reader_.skip_symbol("|")) {
      expression = parse_filter(expression);
    } else if (reader_.skip_name("is")) {
      expression = parse_test(expression);
    } else if (reader_.skip_symbol("(")) {
      expression = make(Call{expression, parse_arguments()});
    } else {
      return expression;
    }
  }
}

ExpressionRef ExpressionParser::parse_subscript(ExpressionRef object) {
  std::array<ExpressionRef, 3> parts{};
  size_t part = 0;
  while (!reader_.skip_symbol("]")) {
    if (reader_.skip_symbol(":")) {
      if (++part == parts.size()) throw reader_.error("a slice has at most three parts");
    } else if (parts[part]) {
      throw reader_.unexpected("':' or ']'");
    } else {
      parts[part] = parse();
    }
  }
  if (part > 0) return make(Slice{object, parts[0], parts[1], parts[2]});
  if (!parts[0]) throw reader_.error("'[]' needs an index");
  return make(Item{object, parts[0]});
}

ExpressionRef ExpressionParser::parse_filter(ExpressionRef input) {
  if (!reader_.at(TokenKind::name)) throw reader_.unexpected("the name of a filter");
  const FilterFunction function = find_filter(reader_.peek().text);
  if (!function) throw reader_.error(fmt::format("there is no filter named '{}'", reader_.peek().text));
  reader_.next();
  return make(Filter{input, function, reader_.skip_symbol("(") ? parse_arguments() : CallArguments{}});
}

ExpressionRef ExpressionParser::parse_test(ExpressionRef input) {
  const bool negated = reader_.skip_name("not");
  if (!reader_.at(TokenKind::name)) throw reader_.unexpected("the name of a test");
  const TestFunction function = find_test(reader_.peek().text);
  if (!function) throw reader_.error(fmt::format("there is no test named '{}'", reader_.peek().text));
  reader_.next();

  CallArguments arguments;
  const Token& token = reader_.peek();
  constexpr std::string_view kEnding[] = {"else", "or", "and", "if", "is", "not", "in"};
  const bool is_value = token.kind == TokenKind::string || token.kind == TokenKind::integer ||
                        token.kind == TokenKind::real ||
                        (token.kind == TokenKind::symbol && (token.text == "[" || token.text == "{")) ||
                        (token.kind == TokenKind::name && std::ranges::find(kEnding, token.text) == std::end(kEnding));
  if (reader_.skip_symbol("(")) {
    arguments = parse_arguments();
  } else if (is_value) {  // one argument needs no parentheses: x is divisibleby 3
    arguments.positional.push_back(parse_postfix(parse_primary()));
  }
  const ExpressionRef test = make(Test{input, function, std::move(arguments)});
  return negated ? make(Not{test}) : test;
}

CallArguments ExpressionParser::parse_arguments() {
  CallArguments arguments;
  for (size_t count = 0; !reader_.skip_symbol(")"); ++count) {
    if (count == kMaxArguments) throw reader_.error(fmt::format("more than {} arguments", kMaxArguments));
    if (count > 0) reader_.expect_symbol(",");
    if (reader_.skip_symbol(")")) break;
    const Token& after = reader_.peek(1);
    if (reader_.at(TokenKind::name) && after.kind == TokenKind::symbol && after.text == "=") {
      std::string name = reader_.next().text;
      reader_.next();
      arguments.named.emplace_back(std::move(name), parse());
    } else {
      if (!arguments.named.empty()) throw reader_.error("a positional argument follows a named one");
      arguments.positional.push_back(parse());
    }
  }
  return arguments;
}

}  // namespace agro::detail::jinja
