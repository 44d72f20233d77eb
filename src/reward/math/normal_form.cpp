#include "reward/math/normal_form.h"

namespace agro {
namespace {

bool is_one(const Polynomial& polynomial) {
  return polynomial.size() == 1 && polynomial[0].monomial.empty() && polynomial[0].coefficient.is_one();
}

bool equal(const Polynomial& a, const Polynomial& b) {
  if (a.size() != b.size()) return false;
  for (size_t i = 0; i < a.size(); ++i)
    if (a[i].monomial != b[i].monomial || a[i].coefficient != b[i].coefficient) return false;
  return true;
}

}  // namespace

Quotient NormalForms::of(const Expr& expr) {
  algebra_.budget().spend(2);
  switch (expr.kind) {
    case Kind::kNumber:
      return constant(expr.value);
    case Kind::kSymbol:
      return symbol(expr.name);
    case Kind::kConstant:
      return named_constant(expr.name);
    case Kind::kSum: {
      Quotient sum = of(expr.children[0]);
      for (size_t i = 1; i < expr.children.size(); ++i) sum = add(sum, of(expr.children[i]));
      return sum;
    }
    case Kind::kProduct: {
      Quotient product = of(expr.children[0]);
      for (size_t i = 1; i < expr.children.size(); ++i) product = multiply(product, of(expr.children[i]));
      return product;
    }
    case Kind::kQuotient:
      return multiply(of(expr.children[0]), invert(of(expr.children[1])));
    case Kind::kRatio: {
      Quotient ratio = of(expr.children[0]);
      for (size_t i = 1; i < expr.children.size(); ++i) ratio = multiply(ratio, invert(of(expr.children[i])));
      return ratio;
    }
    case Kind::kPower:
      return power(of(expr.children[0]), of(expr.children[1]));
    case Kind::kNegative:
      return negate(of(expr.children[0]));
    case Kind::kFunction:
      return function(expr);
    case Kind::kUnit: {
      const Quotient inner = of(expr.children[0]);
      if (expr.name == "%") return multiply(inner, constant(Rational(Rational(1), Rational(100))));
      if (expr.name == "°")
        return multiply(multiply(inner, constant(Rational(Rational(1), Rational(180)))), symbol("pi", true));
      return multiply(inner, symbol("unit " + expr.name));
    }
    default:
      throw Undecided("no number: " + brief(expr));
  }
}

bool NormalForms::same(const Quotient& a, const Quotient& b) {
  if (equal(a.bottom, b.bottom)) return equal(a.top, b.top);
  return equal(algebra_.multiply(a.top, b.bottom), algebra_.multiply(b.top, a.bottom));
}

std::optional<Rational> NormalForms::constant_ratio(const Quotient& a, const Quotient& b) {
  const Polynomial left = algebra_.multiply(a.top, b.bottom), right = algebra_.multiply(b.top, a.bottom);
  if (left.empty() || left.size() != right.size()) return {};
  const Rational ratio = left[0].coefficient / right[0].coefficient;
  if (!equal(left, algebra_.scale(right, ratio))) return {};
  return ratio;
}

std::optional<Rational> NormalForms::value(const Quotient& a) const {
  if (!is_one(a.bottom)) return {};
  return constant_value(a.top);
}

Quotient NormalForms::symbol(const std::string& key, bool positive) {
  const int id = algebra_.generator({.key = key, .positive = positive});
  return {algebra_.power_of(id, {1, 1}), algebra_.constant(Rational(1))};
}

Quotient NormalForms::named_constant(const std::string& name) {
  if (name == "pi" || name == "e") return symbol(name, true);
  if (name == "i") {
    const int minus_one = algebra_.generator({.key = "-1", .rule = Generator::Rule::kMinusOne});
    return {algebra_.power_of(minus_one, {1, 2}), algebra_.constant(Rational(1))};
  }
  throw Undecided(name + " is no number");
}

Quotient NormalForms::add(const Quotient& a, const Quotient& b) {
  if (equal(a.bottom, b.bottom)) return {algebra_.add(a.top, b.top), a.bottom};
  return {algebra_.add(algebra_.multiply(a.top, b.bottom), algebra_.multiply(b.top, a.bottom)),
          algebra_.multiply(a.bottom, b.bottom)};
}

Quotient NormalForms::multiply(const Quotient& a, const Quotient& b) {
  if (equal(a.top, b.bottom)) return {b.top, a.bottom};
  if (equal(b.top, a.bottom)) return {a.top, b.bottom};
  Quotient product{algebra_.multiply(a.top, b.top), {}};
  product.bottom = is_one(b.bottom) ? a.bottom : algebra_.multiply(a.bottom, b.bottom);
  return product;
}

Quotient NormalForms::invert(const Quotient& a) {
  if (a.top.empty()) throw Undecided("division by zero");
  if (a.top.size() > 1) return {a.bottom, a.top};
  // One term divides by changing the signs of its exponents.
  Polynomial inverse = algebra_.constant(Rational(1) / a.top[0].coefficient);
  for (const Factor& factor : a.top[0].monomial)
    inverse = algebra_.multiply(inverse, algebra_.power_of(factor.generator, factor.exponent * Exponent{-1, 1}));
  return {algebra_.multiply(a.bottom, inverse), algebra_.constant(Rational(1))};
}

Quotient NormalForms::negate(const Quotient& a) { return {algebra_.scale(a.top, Rational(-1)), a.bottom}; }

}  // namespace agro
