#include "reward/math/parser.h"

#include <array>

#include "reward/math/parser_state.h"
#include "reward/math/unicode_math.h"

// From loosest to tightest: list, relation, set operation, ratio, sum, product, sign, power; then parser_primary.cpp
// and parser_group.cpp.
namespace agro {

using enum TokenType;

Expr Parser::list() {
  const Nesting nesting(*this);
  std::vector<Expr> items;
  std::string joint;
  const auto separates = [&] {
    const bool word = peek().is_symbol("and") || peek().is_symbol("or");
    if (word) joint = peek().text;
    return word || peek().is_symbol(",") || peek().is_symbol(";");
  };
  while (separates()) ++at_;
  do {
    items.push_back(relation());
    if (peek().is(kCommand, "over")) {  // {a \over b}
      ++at_;
      Expr below = relation();
      items.back() = node(Kind::kQuotient, pair(std::move(items.back()), std::move(below)));
    }
    if (!separates()) break;
    while (separates()) ++at_;
  } while (!ends_group());
  return items.size() == 1 ? std::move(items[0]) : node(Kind::kList, std::move(items), joint);
}

Expr Parser::relation() {
  constexpr std::string_view kRelations = "=<>lgn~icb";
  std::string relations;
  std::vector<Expr> sides;
  const auto next_relation = [&]() -> char {
    if (peek().is(kCommand, "not") && tokens_[at_ + 1].is_symbol("=")) {
      ++at_;
      return 'n';
    }
    if (peek().is_symbol(">>")) return 'a';
    if (peek().is_symbol("≡")) return '=';
    if (!peek().is(kSymbol) || peek().text.size() != 1) return '\0';
    const size_t place = kRelations.find(peek().text[0]);
    return place == std::string_view::npos ? '\0' : kRelations[place];
  };
  if (next_relation() == '=' || next_relation() == '~') ++at_;  // "= 5", "\approx 3.14"
  sides.push_back(set_operation());
  for (char found = next_relation(); found != '\0'; found = next_relation()) {
    const bool congruence = peek().is_symbol("≡");
    ++at_;
    // "x =" with nothing behind it, as before a formula that was cut out.
    if (ends_group()) break;
    relations += found;
    sides.push_back(set_operation());
    if (Expr& side = sides.back(); congruence && side.is(Kind::kFunction, "mod"))  // "\equiv 2 \mod 5"
      side = node(Kind::kUnit, single(std::move(side.children[0])), "mod " + to_string(side.children[1]));
  }
  return sides.size() == 1 ? std::move(sides[0]) : node(Kind::kRelation, std::move(sides), relations);
}

Expr Parser::set_operation() {
  LoopDepth depth(*this);
  std::vector<Expr> sets;
  sets.push_back(ratio());
  while (true) {
    const Kind kind = peek().is_symbol("U")   ? Kind::kUnion
                      : peek().is_symbol("I") ? Kind::kIntersection
                      : peek().is_symbol("D") ? Kind::kDifference
                                              : Kind::kNumber;
    if (kind == Kind::kNumber) return std::move(sets[0]);
    ++at_;
    Expr right = ratio();
    if (sets[0].kind == kind) {
      sets[0].children.push_back(std::move(right));
    } else {
      std::vector<Expr> both;
      both.push_back(std::move(sets[0]));
      both.push_back(std::move(right));
      depth.deepen();
      sets[0] = node(kind, std::move(both));
    }
  }
}

Expr Parser::ratio() {
  std::vector<Expr> parts;
  parts.push_back(sum());
  while (peek().is_symbol(":") && !in_set_builder_) {
    ++at_;
    parts.push_back(sum());
  }
  return parts.size() == 1 ? std::move(parts[0]) : node(Kind::kRatio, std::move(parts));
}

/// A unit stays outermost: -5 cm is minus five of them.
Expr Parser::negated(Expr value) {
  if (!value.is(Kind::kUnit)) return node(Kind::kNegative, single(std::move(value)));
  Expr& amount = value.children[0];
  if (amount.is(Kind::kNumber))
    amount.value = -amount.value;
  else
    amount = negated(Expr(amount));
  return value;
}

Expr Parser::sum() {
  std::vector<Expr> terms;
  while (true) {
    bool negative = false;
    std::string plus_minus;
    for (; is_sign(peek()); ++at_) {
      if (peek().is_symbol("-")) negative = !negative;
      if (peek().is_symbol("pm") || peek().is_symbol("mp")) plus_minus = peek().text;
    }
    Expr term = product();
    if (negative && term.is(Kind::kNumber)) {
      term.value = -term.value;
    } else if (negative) {
      term = negated(std::move(term));
    }
    if (!plus_minus.empty()) term = node(Kind::kPlusMinus, single(std::move(term)), plus_minus);
    terms.push_back(std::move(term));
    if (!is_sign(peek())) break;
  }
  return terms.size() == 1 ? std::move(terms[0]) : node(Kind::kSum, std::move(terms));
}

/// "5 feet 6 inches" and "4 R 2" are sums.
Expr Parser::product() {
  std::vector<Expr> quantities = single(quantity());
  while (peek().is(kNumber) && tokens_[at_ - 1].is(kText)) quantities.push_back(quantity());
  return quantities.size() == 1 ? std::move(quantities[0]) : node(Kind::kSum, std::move(quantities));
}

Expr Parser::quantity() {
  LoopDepth depth(*this);
  std::vector<Expr> factors;
  const auto so_far = [&] {
    Expr whole = factors.size() == 1 ? std::move(factors[0]) : node(Kind::kProduct, std::move(factors));
    factors.clear();
    return whole;
  };
  factors.push_back(signed_power());
  bool plain = true;  // nothing but the first factor yet
  while (true) {
    if (peek().is_symbol("*")) {
      ++at_;
      factors.push_back(signed_power());
    } else if (peek().is_symbol("/")) {
      ++at_;
      Expr divisor = signed_power();
      Expr dividend = number(Rational(1));
      if (plain) {
        dividend = std::move(factors[0]);
        factors.clear();
      }
      factors.push_back(node(Kind::kQuotient, pair(std::move(dividend), std::move(divisor))));
    } else if (peek().is(kText)) {
      depth.deepen();
      Expr value = so_far();
      factors.push_back(with_unit(std::move(value)));
    } else if (peek().is(kCommand, "mod") || peek().is(kCommand, "choose")) {
      const std::string name = peek().text == "mod" ? "mod" : "binom";
      ++at_;
      depth.deepen();
      Expr left = so_far();
      factors.push_back(node(Kind::kFunction, pair(std::move(left), signed_power()), name));
    } else if (peek().is(kCommand, "pmod")) {
      ++at_;
      Expr value = so_far();
      factors.push_back(node(Kind::kUnit, single(std::move(value)), "mod " + to_string(argument())));
    } else if (starts_factor() && !(peek().is(kNumber) && tokens_[at_ - 1].is(kText))) {
      if (peek().is(kNumber) && tokens_[at_ - 1].is(kNumber)) throw unexpected();
      factors.push_back(power());
    } else {
      return so_far();
    }
    plain = false;
  }
}

Expr Parser::signed_power() {
  bool negative = false;
  for (; peek().is_symbol("-") || peek().is_symbol("+"); ++at_) negative = negative != peek().is_symbol("-");
  Expr value = power();
  return negative ? negated(std::move(value)) : value;
}

Expr Parser::power() {
  const Nesting nesting(*this);
  Expr base = postfix(primary());
  if (!peek().is_symbol("^")) return base;
  ++at_;
  if (peek().is_symbol("°")) return postfix(std::move(base));
  if (peek().is_symbol("{") && tokens_[at_ + 1].is_symbol("°")) {
    at_ += 2;
    if (peek().is_symbol("}")) ++at_;
    return degrees(std::move(base));
  }
  Expr exponent = peek().is_symbol("-") || peek().is_symbol("+") ? signed_power() : power_exponent();
  if (exponent.is(Kind::kText)) return node(Kind::kUnit, single(std::move(base)), exponent.name);
  // x^{-1} after a function's name is read in function(); here sin(x)^2 is (sin x)^2.
  return postfix(node(Kind::kPower, pair(std::move(base), std::move(exponent))));
}

Expr Parser::power_exponent() {
  if (peek().is_symbol("{")) return postfix(primary());
  return power();
}

Expr Parser::postfix(Expr value) {
  LoopDepth depth(*this);
  while (true) {
    if (peek().is_symbol("!")) {
      ++at_;
      depth.deepen();
      value = node(Kind::kFunction, single(std::move(value)), "factorial");
    } else if (peek().is_symbol("%") || peek().is_symbol("°")) {
      if (value.is(Kind::kUnit)) throw unexpected();
      const std::string unit = tokens_[at_++].text;
      value = unit == "°" ? degrees(std::move(value)) : node(Kind::kUnit, single(std::move(value)), unit);
    } else if (peek().is(kCurrency) && !value.is(Kind::kUnit)) {  // "5€"
      value = node(Kind::kUnit, single(std::move(value)), tokens_[at_++].text);
    } else {
      return value;
    }
  }
}

/// Of an angle, or of a temperature where C or F follows a number.
Expr Parser::degrees(Expr value) {
  std::string unit = "°";
  if (literal(value) && (peek().is(kLetter, "C") || peek().is(kLetter, "F"))) unit += tokens_[at_++].text;
  return node(Kind::kUnit, single(std::move(value)), unit);
}

namespace {

/// "million" at the start of the words of a unit, which are left without it.
std::optional<Rational> take_multiplier(std::string& words) {
  constexpr std::array<std::pair<std::string_view, int64_t>, 5> kMultipliers{
      {{"hundred", 2}, {"thousand", 3}, {"million", 6}, {"billion", 9}, {"trillion", 12}}};
  for (const auto& [name, zeros] : kMultipliers) {
    if (!words.starts_with(name) || (words.size() > name.size() && words[name.size()] != ' ')) continue;
    words.erase(0, std::min(words.size(), name.size() + 1));
    return Rational(10).power(zeros);
  }
  return {};
}

}  // namespace

Expr Parser::with_unit(Expr value) {
  std::string unit;
  const auto add_word = [&](const std::string& word) {
    if (!unit.empty() && unit.back() != '/') unit += ' ';
    unit += word;
    ++at_;
  };
  while (true) {
    if (peek().is(kText)) {
      add_word(peek().text);
    } else if (peek().is_symbol("^") && (tokens_[at_ + 1].is(kNumber) || tokens_[at_ + 1].is_symbol("{"))) {
      ++at_;
      unit += "^" + to_string(argument());
    } else if (peek().is_symbol("/") && (tokens_[at_ + 1].is(kText) || tokens_[at_ + 1].is(kLetter))) {
      ++at_;
      unit += '/';
      add_word(peek().text);
    } else {
      break;
    }
  }
  Expr& amount = value.is(Kind::kUnit) ? value.children[0] : value;
  if (const auto multiplier = take_multiplier(unit)) {
    amount = literal(amount) ? number(*literal(amount) * *multiplier)
                             : node(Kind::kProduct, pair(std::move(amount), number(*multiplier)));
    if (unit.empty()) return value;
  }
  if (!value.is(Kind::kUnit)) return node(Kind::kUnit, single(std::move(value)), unit);
  value.name += " " + unit;
  return value;
}

Expr parse_math(std::string_view text, Budget& budget) {
  Parser parser(tokenize(to_ascii_math(text), budget), budget);
  return parser.whole();
}

}  // namespace agro
