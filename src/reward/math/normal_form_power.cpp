#include <algorithm>

#include "reward/math/normal_form.h"

namespace agro {
namespace {

/// The largest positive rational number that divides all coefficients into integers without common factor.
Rational content_of(const Polynomial& polynomial) {
  Rational content;
  for (const Term& term : polynomial) fmpq_gcd(content.raw(), content.raw(), term.coefficient.raw());
  return content;
}

}  // namespace

bool NormalForms::is_positive(const Monomial& monomial) const {
  return std::all_of(monomial.begin(), monomial.end(),
                     [&](const Factor& factor) { return algebra_.generator(factor.generator).positive; });
}

int NormalForms::base_generator(const Quotient& base) {
  const std::string name = "base " + key(base);
  if (!constant_value(base.bottom) || base.top.size() < 2) return algebra_.generator({.key = name});
  return algebra_.generator({.key = name, .rule = Generator::Rule::kBase, .expansion = base.top});
}

Quotient NormalForms::power(const Quotient& base, const Quotient& exponent) {
  const auto constant_exponent = value(exponent);
  if (!constant_exponent) return symbolic_power(base, exponent);
  if (constant_exponent->is_integer()) {
    if (!constant_exponent->is_small_integer(1'000'000)) throw Undecided("an exponent is too large");
    return integer_power(base, constant_exponent->to_int());
  }
  return rational_power(base, exponent_from(*constant_exponent));
}

Quotient NormalForms::integer_power(const Quotient& base, int64_t exponent) {
  if (exponent < 0) return invert(integer_power(base, -exponent));
  if (exponent == 0) return constant(Rational(1));
  if (base.top.size() == 1 && base.bottom.size() == 1) {
    const Term& term = base.top[0];
    Polynomial result = algebra_.constant(term.coefficient.power(exponent));
    for (const Factor& factor : term.monomial)
      result = algebra_.multiply(result, algebra_.power_of(factor.generator, factor.exponent * Exponent{exponent, 1}));
    return {result, base.bottom};
  }
  return {algebra_.power(base.top, exponent), algebra_.power(base.bottom, exponent)};
}

Quotient NormalForms::rational_power(const Quotient& base, const Exponent& exponent) {
  if (base.top.empty()) {
    if (exponent.top < 0) throw Undecided("division by zero");
    return base;
  }
  // Only a positive factor may be drawn out of a power that is no integer.
  Quotient rest = base;
  Rational positive = content_of(base.top);
  Polynomial outside = algebra_.constant(Rational(1));
  if (base.top.size() == 1 && base.bottom.size() == 1) {
    const Term& term = base.top[0];
    positive = term.coefficient.abs();
    if (is_positive(term.monomial)) {
      for (const Factor& factor : term.monomial)
        outside = algebra_.multiply(outside, algebra_.power_of(factor.generator, factor.exponent * exponent));
      rest = constant(Rational(term.coefficient.sign()));
    } else if (term.monomial.size() == 1 && term.monomial[0].exponent == Exponent{1, 1} &&
               term.coefficient.sign() > 0) {
      outside = algebra_.power_of(term.monomial[0].generator, exponent);
      rest = constant(Rational(1));
    } else {
      rest.top[0].coefficient = Rational(term.coefficient.sign());
    }
  } else {
    rest.top = algebra_.scale(base.top, Rational(1) / positive);
  }
  Quotient result{algebra_.multiply(outside, algebra_.rational_power(positive, exponent)),
                  algebra_.constant(Rational(1))};
  const auto unit = value(rest);
  if (unit && unit->is_one()) return result;
  if (unit && *unit == Rational(-1)) {
    const int minus_one = algebra_.generator({.key = "-1", .rule = Generator::Rule::kMinusOne});
    result.top = algebra_.multiply(result.top, algebra_.power_of(minus_one, exponent));
    return result;
  }
  const int64_t whole = static_cast<int64_t>(exponent.top / exponent.bottom) - (exponent.top < 0 ? 1 : 0);
  const int id = base_generator(rest);
  result.top = algebra_.multiply(result.top, algebra_.power_of(id, exponent + Exponent{-whole, 1}));
  return multiply(result, integer_power(rest, whole));
}

/// a^(c m + d n + ...) is the product of (a^m)^c, (a^n)^d, ... for one logarithm of a.
Quotient NormalForms::symbolic_power(const Quotient& base, const Quotient& exponent) {
  if (base.top.empty()) throw Undecided("a power of zero");
  if (exponent.bottom.size() > 1) {
    const int id = algebra_.generator({.key = "power " + key(base) + " to " + key(exponent)});
    return {algebra_.power_of(id, {1, 1}), algebra_.constant(Rational(1))};
  }
  // The base as generators that are positive, or as one that is itself.
  std::vector<Factor> parts;
  const bool one_term = base.top.size() == 1 && base.bottom.size() == 1;
  if (one_term && base.top[0].coefficient.sign() > 0 && is_positive(base.top[0].monomial)) {
    parts = base.top[0].monomial;
    for (const auto& [prime, count] : algebra_.factorize(base.top[0].coefficient.numerator()))
      parts.push_back({algebra_.prime(prime), {count, 1}});
    for (const auto& [prime, count] : algebra_.factorize(base.top[0].coefficient.denominator()))
      parts.push_back({algebra_.prime(prime), {-count, 1}});
  } else if (one_term && base.top[0].coefficient.is_one() && base.top[0].monomial.size() == 1 &&
             base.top[0].monomial[0].exponent == Exponent{1, 1}) {
    parts = base.top[0].monomial;
  } else {
    parts.push_back({base_generator(base), {1, 1}});
  }
  Quotient result = constant(Rational(1));
  for (const Term& term : exponent.top) {
    const Exponent count = exponent_from(term.coefficient);
    if (term.monomial.empty()) {
      result = multiply(result, count.is_integer() ? integer_power(base, count.top) : rational_power(base, count));
      continue;
    }
    const std::string monomial = algebra_.key({Term{term.monomial, Rational(1)}});
    const Quotient i_pi = multiply(named_constant("i"), named_constant("pi"));
    for (const Factor& part : parts) {
      int id = 0;
      const Exponent scaled = part.exponent * count;
      if (const Quotient* argument = logarithm_in(term.monomial, part.generator); argument && scaled.is_integer()) {
        result = multiply(result, integer_power(*argument, scaled.top));
        continue;
      }
      if (algebra_.generator(part.generator).key == "e" && monomial == algebra_.key(i_pi.top)) {
        id = algebra_.generator({.key = "-1", .rule = Generator::Rule::kMinusOne});
      } else {
        id = algebra_.generator({.key = "power " + std::to_string(part.generator) + " to " + monomial});
      }
      result.top = algebra_.multiply(result.top, algebra_.power_of(id, scaled));
    }
  }
  return result;
}

const Quotient* NormalForms::logarithm_in(const Monomial& exponent, int base) const {
  const auto argument_of = [&](const Factor& factor, const Exponent& wanted) -> const Quotient* {
    const auto found = logarithms_.find(factor.generator);
    return found == logarithms_.end() || factor.exponent != wanted ? nullptr : &found->second;
  };
  if (algebra_.generator(base).key == "e") return exponent.size() == 1 ? argument_of(exponent[0], {1, 1}) : nullptr;
  if (exponent.size() != 2) return nullptr;
  for (const size_t below : {0, 1}) {
    const Quotient* divisor = argument_of(exponent[below], {-1, 1});
    const bool of_base = divisor && divisor->top.size() == 1 && divisor->top[0].coefficient.is_one() &&
                         divisor->top[0].monomial == Monomial{{base, {1, 1}}};
    if (of_base) return argument_of(exponent[1 - below], {1, 1});
  }
  return nullptr;
}

/// The real root where there is one.
Quotient NormalForms::root(const Quotient& radicand, const Quotient& index) {
  const auto degree = value(index);
  if (!degree || !degree->is_small_integer(1'000) || degree->sign() <= 0) return power(radicand, invert(index));
  const bool odd = degree->to_int() % 2 == 1;
  Quotient inside = radicand;
  const bool negative = odd && !inside.top.empty() && flip_sign(inside);
  const Quotient result = degree->is_one() ? inside : rational_power(inside, {1, degree->to_int()});
  return negative ? negate(result) : result;
}

}  // namespace agro
