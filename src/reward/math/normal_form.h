#pragma once
// The normal form of a formula: a quotient of two polynomials in generators (polynomial.h). Formulas with the same
// normal form are equal wherever both are defined; roots of variables are those of positive numbers.
#include <map>

#include "reward/math/expr.h"
#include "reward/math/polynomial.h"

namespace agro {

struct Quotient {
  Polynomial top;
  Polynomial bottom;  // never empty; 1 where it would have a single term
};

class NormalForms {
 public:
  explicit NormalForms(Budget& budget) : algebra_(budget) {}

  /// Throws Undecided for sets, relations and words, for division by zero, and beyond the budget.
  Quotient of(const Expr& expr);

  /// Whether a - b is zero by its form.
  bool same(const Quotient& a, const Quotient& b);

  /// Whether a = c b for a constant c, which is returned; b must not be 0.
  std::optional<Rational> constant_ratio(const Quotient& a, const Quotient& b);

  Algebra& algebra() { return algebra_; }

 private:
  Quotient constant(const Rational& value) { return {algebra_.constant(value), algebra_.constant(Rational(1))}; }
  Quotient symbol(const std::string& key, bool positive = false);
  Quotient add(const Quotient& a, const Quotient& b);
  Quotient multiply(const Quotient& a, const Quotient& b);
  Quotient invert(const Quotient& a);
  Quotient negate(const Quotient& a);
  std::string key(const Quotient& a) const { return algebra_.key(a.top) + "|" + algebra_.key(a.bottom); }
  std::optional<Rational> value(const Quotient& a) const;
  Quotient named_constant(const std::string& name);

  // normal_form_power.cpp
  Quotient power(const Quotient& base, const Quotient& exponent);
  Quotient integer_power(const Quotient& base, int64_t exponent);
  Quotient rational_power(const Quotient& base, const Exponent& exponent);
  Quotient symbolic_power(const Quotient& base, const Quotient& exponent);
  /// b of the exponent log_a(b), which is written ln b / ln a; null where it is no such exponent of the generator
  /// `base`.
  const Quotient* logarithm_in(const Monomial& exponent, int base) const;
  Quotient root(const Quotient& radicand, const Quotient& index);
  bool is_positive(const Monomial& monomial) const;
  /// The generator whose value is `base`.
  int base_generator(const Quotient& base);

  // normal_form_function.cpp
  Quotient function(const Expr& expr);
  Quotient sine(const Quotient& angle, bool cosine);
  Quotient sine_of_positive(const Quotient& angle, bool cosine);
  Quotient sine_of_sum(const Quotient& a, const Quotient& b, bool cosine);
  Quotient sine_generator(const Quotient& angle, bool cosine);
  Quotient inverse_sine(const Quotient& value, bool tangent);
  std::optional<Quotient> sine_of_pi_times(Rational turns);
  Quotient logarithm(const Quotient& argument);
  Quotient opaque(const std::string& name, const std::vector<Quotient>& arguments);
  std::optional<Quotient> integer_function(const std::string& name, const std::vector<Quotient>& arguments);
  /// Makes the first coefficient positive; whether the sign changed.
  bool flip_sign(Quotient& a);

  Algebra algebra_;
  std::map<int, Quotient> logarithms_;  // what the generators that are logarithms are the logarithms of
};

}  // namespace agro
