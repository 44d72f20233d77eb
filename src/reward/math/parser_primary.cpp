#include <algorithm>
#include <array>
#include <cstdlib>

#include "reward/math/parser_state.h"

// What stands by itself: numbers, names, functions, commands.
namespace agro {

using enum TokenType;

Expr number_from(const std::string& digits) {
  const size_t e = digits.find_first_of("eE");
  std::string mantissa = digits.substr(0, e);
  int64_t exponent = e == std::string::npos ? 0 : std::atoi(digits.c_str() + e + 1);
  const size_t point = mantissa.find('.');
  int decimals = -1;
  if (point != std::string::npos) {
    decimals = static_cast<int>(mantissa.size() - point - 1);
    mantissa.erase(point, 1);
    exponent -= decimals;
  }
  Expr result = number(Rational::decimal(mantissa, exponent));
  result.decimals = decimals;
  return result;
}

namespace {

/// "5" of "5", "(5)" and "five".
std::string base_name(std::string written) {
  constexpr std::array<std::string_view, 15> kNames{"two",    "three",    "four",     "five",    "six",
                                                    "seven",  "eight",    "nine",     "ten",     "eleven",
                                                    "twelve", "thirteen", "fourteen", "fifteen", "sixteen"};
  std::erase_if(written, [](char c) { return c == '(' || c == ')'; });
  const auto found = std::ranges::find(kNames, std::string_view(written));
  return found == kNames.end() ? written : std::to_string(found - kNames.begin() + 2);
}

}  // namespace

Expr Parser::whole() {
  if (peek().is(kEnd)) throw Undecided("there is no answer");
  Expr result = list();
  if (!peek().is(kEnd)) throw unexpected();
  return result;
}

bool Parser::starts_factor() const {
  const Token& token = peek();
  switch (token.type) {
    case kNumber:
    case kLetter:
    case kConstant:
    case kFunction:
      return true;
    case kCommand:
      return token.text != "end" && token.text != "not" && token.text != "over";
    case kSymbol:
      return token.text == "(" || token.text == "[" || token.text == "{" || token.text == "\\{" ||
             token.text == "floor(" || token.text == "ceil(" || token.text == "..." ||
             (token.text == "|" && bars_ == 0 && !in_set_builder_);
    default:
      return false;
  }
}

bool Parser::ends_group() const {
  const Token& token = peek();
  if (token.is(kEnd) || token.is(kRow) || token.is(kCommand, "end")) return true;
  return token.is_symbol(")") || token.is_symbol("]") || token.is_symbol("}") || token.is_symbol("\\}") ||
         token.is_symbol(")floor") || token.is_symbol(")ceil") || token.is_symbol("&");
}

/// A bracket that is missing at the end of the text counts as there.
void Parser::close(const std::string& symbol) {
  if (peek().is(kEnd)) return;
  if (!peek().is_symbol(symbol)) throw unexpected();
  ++at_;
}

Undecided Parser::unexpected() const {
  return Undecided(peek().is(kEnd) ? "the formula breaks off" : "unexpected \"" + peek().text.substr(0, 40) + "\"");
}

Expr Parser::primary() {
  const Nesting nesting(*this);
  switch (peek().type) {
    case kNumber:
      return literal_number();
    case kLetter:
      return symbol();
    case kConstant:
      return node(Kind::kConstant, {}, tokens_[at_++].text);
    case kText:
      return text();
    case kCurrency: {
      const std::string sign = tokens_[at_++].text;
      return node(Kind::kUnit, single(signed_power()), sign);
    }
    case kFunction:
      return function();
    case kCommand:
      return command();
    default:
      return brackets();
  }
}

Expr Parser::literal_number() {
  const std::string digits = peek().text;
  ++at_;
  Expr value = number_from(digits);
  budget_.spend(value.value.bits() / 16);
  if (peek().is(kCommand, "overline") || peek().is(kCommand, "bar") || peek().is(kCommand, "dot")) {
    // 0.1\overline{6}: the period as a geometric series
    if (digits.find('.') == std::string::npos) return value;
    ++at_;
    const std::string period = script();
    if (period.empty() || period.size() > 64 || period.find_first_not_of("0123456789") != std::string::npos)
      throw unexpected();
    const auto length = static_cast<int64_t>(period.size());
    const Rational shift = Rational(10).power(std::max(value.decimals, 0));
    value.value += Rational::decimal(period, 0) / ((Rational(10).power(length) - Rational(1)) * shift);
    value.decimals = -1;
    return value;
  }
  if (peek().is_symbol("_")) {
    ++at_;
    return node(Kind::kUnit, single(std::move(value)), "base " + base_name(script()));
  }
  const bool whole = value.decimals < 0 && value.value.is_integer();
  const auto& next = tokens_[at_];
  if (whole && next.is(kNumber) && next.space_before && at_ + 2 < tokens_.size() && tokens_[at_ + 1].is_symbol("/") &&
      tokens_[at_ + 2].is(kNumber)) {
    const Expr top = number_from(next.text), bottom = number_from(tokens_[at_ + 2].text);
    at_ += 3;
    value.value += top.value / bottom.value;
    return value;
  }
  if (whole && next.is(kCommand, "frac")) {
    const size_t before = at_;
    ++at_;
    const Expr part = fraction();
    if (part.children[0].is(Kind::kNumber) && part.children[1].is(Kind::kNumber) &&
        part.children[0].value < part.children[1].value && part.children[0].value.is_integer() &&
        part.children[0].decimals < 0 && !peek().is_symbol("^")) {
      value.value += part.children[0].value / part.children[1].value;
      return value;
    }
    at_ = before;
  }
  return value;
}

Expr Parser::text() {
  std::string words = peek().text;
  for (++at_; peek().is(kText); ++at_) words += " " + peek().text;
  return node(Kind::kText, {}, words);
}

/// The tokens of a subscript as one name: "x_1", "S_{MBCN}".
std::string Parser::script() {
  if (!peek().is_symbol("{")) return peek().is(kEnd) ? "" : tokens_[at_++].text;
  std::string name;
  int depth = 0;
  do {
    if (peek().is(kEnd)) return name;
    const std::string& part = peek().text;
    if (part == "{") {
      ++depth;
    } else if (part == "}") {
      --depth;
    } else {
      name += part;
    }
    ++at_;
  } while (depth > 0);
  return name;
}

Expr Parser::symbol() {
  std::string name = peek().text;
  ++at_;
  while (peek().is_symbol("_")) {
    ++at_;
    name += "_" + script();
  }
  while (peek().is_symbol("'")) {
    name += "'";
    ++at_;
  }
  if (name == "e" || name == "i") return node(Kind::kConstant, {}, name);
  if (name == "\\angle") {
    while (peek().is(kLetter)) name += tokens_[at_++].text;
    return node(Kind::kSymbol, {}, name);
  }
  const bool usual = name[0] == 'f' || name[0] == 'g' || name[0] == 'h';
  if (usual && peek().is_symbol("^") && is_inverse(at_ + 1)) {
    name += "^-1";
    at_ += tokens_[at_ + 1].is_symbol("{") ? 5 : 3;
  }
  if (peek().is_symbol("(") && (usual || defines_function())) {
    ++at_;
    Expr content = list();
    close(")");
    if (content.is(Kind::kList)) return node(Kind::kFunction, std::move(content.children), "." + name);
    return node(Kind::kFunction, single(std::move(content)), "." + name);
  }
  return node(Kind::kSymbol, {}, name);
}

/// "{-1}(" or "-1(" from token `at` on.
bool Parser::is_inverse(size_t at) const {
  const bool braced = tokens_[at].is_symbol("{");
  if (at + (braced ? 4 : 2) >= tokens_.size()) return false;
  const size_t sign = at + (braced ? 1 : 0);
  return tokens_[sign].is_symbol("-") && tokens_[sign + 1].is(kNumber, "1") &&
         (!braced || tokens_[sign + 2].is_symbol("}")) && tokens_[sign + (braced ? 3 : 2)].is_symbol("(");
}

/// Whether the brackets that open here are followed by "=": "p(x) = x + 1", "P(A) = 1/4", but not "x(x + 1) = 0".
bool Parser::defines_function() const {
  constexpr size_t kLongest = 24;
  int depth = 0;
  for (size_t i = at_; i < std::min(tokens_.size(), at_ + kLongest); ++i) {
    depth += tokens_[i].is_symbol("(") ? 1 : tokens_[i].is_symbol(")") ? -1 : 0;
    if (depth > 0) continue;
    const bool one_letter = i == at_ + 2 && tokens_[at_ + 1].is(kLetter);
    const std::string& name = tokens_[at_ - 1].text;
    const bool capital = name.size() == 1 && name[0] >= 'A' && name[0] <= 'Z';
    return at_ == 1 && tokens_[i + 1].is_symbol("=") && (one_letter || capital);
  }
  return false;
}

Expr Parser::function() {
  std::string name = peek().text;
  ++at_;
  std::vector<Expr> arguments;
  Expr base;
  const bool has_base = peek().is_symbol("_");
  if (has_base) {
    ++at_;
    base = argument();
  }
  Expr exponent;
  bool has_exponent = peek().is_symbol("^");
  if (has_exponent) {
    ++at_;
    exponent = peek().is_symbol("-") ? signed_power() : argument();
    const auto value = literal(exponent);
    constexpr std::array<std::string_view, 6> kInvertible = {"sin", "cos", "tan", "cot", "sec", "csc"};
    const bool invertible = std::find(kInvertible.begin(), kInvertible.end(), name) != kInvertible.end();
    if (value && *value == Rational(-1) && invertible) {
      name = "arc" + name;
      has_exponent = false;
    }
  }
  Expr argument = function_argument();
  if (argument.is(Kind::kList)) {
    arguments = std::move(argument.children);
  } else {
    arguments.push_back(std::move(argument));
  }
  if (name == "lg") name = "log";
  if (has_base) arguments.push_back(std::move(base));
  if (name == "sqrt" || name == "cbrt") {
    arguments.push_back(number(Rational(name == "sqrt" ? 2 : 3)));
    name = "root";
  }
  Expr result = node(Kind::kFunction, std::move(arguments), name);
  return has_exponent ? node(Kind::kPower, pair(std::move(result), std::move(exponent))) : result;
}

/// "(x+1)", "{x}" or the product of what follows: \sin 2x is sin(2x), \sin x \cos x two functions.
Expr Parser::function_argument() {
  if (peek().is_symbol("(") || peek().is_symbol("[")) {
    const std::string end = peek().text == "(" ? ")" : "]";
    ++at_;
    Expr content = list();
    close(end);
    return content;
  }
  std::vector<Expr> factors;
  factors.push_back(signed_power());
  while (starts_factor() && !peek().is(kFunction) && !peek().is_symbol("(") && !peek().is_symbol("[") &&
         !peek().is(kCommand, "choose") && !peek().is(kCommand, "mod") && !peek().is(kCommand, "pmod"))
    factors.push_back(power());
  return factors.size() == 1 ? std::move(factors[0]) : node(Kind::kProduct, std::move(factors));
}

Expr Parser::command() {
  const std::string name = peek().text;
  if (name == "end" || name == "not" || name == "mod" || name == "pmod" || name == "choose" || name == "over")
    throw unexpected();
  ++at_;
  if (name == "frac") return fraction();
  if (name == "sqrt") return root();
  if (name == "matrix") return matrix();
  if (name == "determinant") return node(Kind::kFunction, single(matrix()), "det");
  if (name == "sum" || name == "prod" || name == "int" || name == "lim") {
    --at_;
    return big_operator();
  }
  if (name == "binom") {
    Expr top = argument();
    return node(Kind::kFunction, pair(std::move(top), argument()), "binom");
  }
  return node(Kind::kSymbol, {}, name + " " + to_string(argument()));  // an accent
}

Expr Parser::fraction() {
  Expr top = argument();
  Expr bottom = argument();
  return node(Kind::kQuotient, pair(std::move(top), std::move(bottom)));
}

Expr Parser::root() {
  Expr index = number(Rational(2));
  if (peek().is_symbol("[")) {
    ++at_;
    index = list();
    close("]");
  }
  return node(Kind::kFunction, pair(argument(), std::move(index)), "root");
}

Expr Parser::big_operator() {
  const std::string name = peek().text;
  ++at_;
  std::vector<Expr> parts;
  while (peek().is_symbol("_") || peek().is_symbol("^")) {
    ++at_;
    parts.push_back(argument());
  }
  parts.push_back(product());
  return node(Kind::kFunction, std::move(parts), name);
}

}  // namespace agro
