#pragma once
// Exact formulas: sums of rational multiples of products of generators with rational exponents. A generator is a
// variable, a prime (its root), -1 (its square root is i), pi, e, or a function value; the known relations between
// generators are applied at once, so that a formula is zero by its form or not by its form.
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "reward/math/budget.h"
#include "reward/math/rational.h"

namespace agro {

/// A small fraction in lowest terms.
struct Exponent {
  int64_t top = 0;
  int64_t bottom = 1;

  auto operator<=>(const Exponent&) const = default;
  bool is_integer() const { return bottom == 1; }
};
Exponent operator+(const Exponent& a, const Exponent& b);
Exponent operator*(const Exponent& a, const Exponent& b);
/// Throws Undecided where numerator or denominator is beyond 10^6.
Exponent exponent_from(const Rational& value);

struct Factor {
  int generator = 0;
  Exponent exponent;
  auto operator<=>(const Factor&) const = default;
};
using Monomial = std::vector<Factor>;  // by generator, exponents not 0

struct Term {
  Monomial monomial;
  Rational coefficient;
};
using Polynomial = std::vector<Term>;  // by monomial, coefficients not 0; empty is 0

/// One generator g means exp(c L) where it has the exponent c, for one fixed logarithm L of g.
struct Generator {
  enum class Rule {
    kFree,      // no relation
    kPrime,     // g = value, an integer above 1
    kMinusOne,  // g = -1
    kSine,      // g² = 1 - h², where h is the generator `partner`
    kBase,      // g = expansion, which is a sum
  };
  std::string key;
  Rule rule = Rule::kFree;
  bool positive = false;  // a positive real number
  Rational value = {};
  int partner = -1;
  Polynomial expansion = {};
};

class Algebra {
 public:
  explicit Algebra(Budget& budget) : budget_(budget) {}

  /// The generator with this key, made on first use.
  int generator(Generator wanted);
  const Generator& generator(int id) const { return generators_[static_cast<size_t>(id)]; }

  Polynomial constant(const Rational& value) const;
  /// coefficient × generator^exponent, relations applied.
  Polynomial power_of(int generator, const Exponent& exponent, const Rational& coefficient = Rational(1));
  Polynomial add(const Polynomial& a, const Polynomial& b);
  Polynomial multiply(const Polynomial& a, const Polynomial& b);
  Polynomial scale(const Polynomial& a, const Rational& factor);
  /// `exponent` >= 0.
  Polynomial power(const Polynomial& base, int64_t exponent);

  /// value^exponent for value > 0, over the primes of `value`.
  Polynomial rational_power(const Rational& value, const Exponent& exponent);
  /// The primes of an integer above 0 with their exponents; a large factor without small primes counts as one.
  std::vector<std::pair<Rational, int64_t>> factorize(const Rational& value);
  int prime(const Rational& value);

  /// Equal texts for equal polynomials.
  std::string key(const Polynomial& polynomial) const;
  Budget& budget() { return budget_; }

 private:
  void reduce(Term term, Polynomial& out);
  /// Takes one relation of `factor` out of `term` where it has one; what splits off goes to `open`. Whether it did.
  bool apply_relation(Term& term, Factor& factor, Polynomial& open);
  static Polynomial collect(Polynomial terms);
  void check(const Rational& value);

  Budget& budget_;
  std::vector<Generator> generators_;
  std::map<std::string, int> ids_;
};

/// The value of a polynomial without generators.
std::optional<Rational> constant_value(const Polynomial& polynomial);

}  // namespace agro
