#pragma once
// Polynomials in one unknown with integer coefficients: their common factors and their real roots, exactly.
#include <flint/fmpz_poly.h>

#include <optional>
#include <string>
#include <vector>

#include "reward/math/normal_form.h"

namespace agro {

class Univariate {
 public:
  Univariate() { fmpz_poly_init(value_); }
  Univariate(const Univariate& other) : Univariate() { fmpz_poly_set(value_, other.value_); }
  Univariate(Univariate&& other) noexcept : Univariate() { fmpz_poly_swap(value_, other.value_); }
  Univariate& operator=(Univariate other) noexcept {
    fmpz_poly_swap(value_, other.value_);
    return *this;
  }
  ~Univariate() { fmpz_poly_clear(value_); }

  int64_t degree() const { return fmpz_poly_degree(value_); }  // -1 of zero
  bool is_zero() const { return degree() < 0; }
  int sign_of_leading() const { return fmpz_sgn(fmpz_poly_lead(value_)); }
  Rational coefficient(int64_t power) const;

  fmpz_poly_struct* raw() { return value_; }
  const fmpz_poly_struct* raw() const { return value_; }

 private:
  fmpz_poly_t value_;
};

/// A formula in one unknown as a quotient of such polynomials, up to a positive factor: it is positive, zero and
/// negative where top × bottom is, and not defined where `excluded` is zero (the denominators as they were written).
struct Fraction {
  Univariate top, bottom, excluded;
};

/// None where it is no such formula (roots, functions, other letters, irrational numbers). Throws Undecided where its
/// degree or its coefficients are too large.
std::optional<Fraction> univariate_fraction(const Expr& expr, const std::string& unknown, NormalForms& forms);

Univariate product(const Univariate& a, const Univariate& b, Budget& budget);
/// The same roots, each once.
Univariate square_free(const Univariate& a, Budget& budget);
/// The roots of `a` that are none of `b`, for `a` square-free and `b` not zero.
Univariate without_roots_of(const Univariate& a, const Univariate& b, Budget& budget);
/// For two that square_free returned, or what without_roots_of left of them.
bool same_roots(const Univariate& a, const Univariate& b);
/// Of one that is square-free and not zero.
int64_t count_real_roots(const Univariate& a, Budget& budget);

struct RealRoot {
  Expr value;
  int64_t multiplicity = 1;
};
/// All real roots, in no order, of one that is not zero. Throws Undecided where one is neither rational nor the root of
/// a quadratic equation.
std::vector<RealRoot> real_roots(const Univariate& a, Budget& budget);

}  // namespace agro
