#include "reward/math/univariate.h"

#include <flint/fmpz_poly_factor.h>

#include <algorithm>

namespace agro {
namespace {

constexpr int64_t kMaxDegree = 24;
constexpr int64_t kMaxBits = 512;
// Steps per coefficient squared and word of 64 bits.
constexpr int64_t kDivisionCost = 10;  // of a greatest common divisor or a product
constexpr int64_t kRootsCost = 60;     // of a factorisation or a count of roots

void pay(const Univariate& a, int64_t cost, Budget& budget) {
  const int64_t terms = a.degree() + 2, words = 1 + std::abs(fmpz_poly_max_bits(a.raw())) / 64;
  budget.spend(terms * terms * words * cost);
}

/// Σ c xⁿ for terms whose only generator is `unknown`; negative powers are multiplied away by an even power of x, which
/// changes no sign. None for other terms.
std::optional<Univariate> from_terms(const Polynomial& terms, int unknown) {
  int64_t lowest = 0, highest = 0;
  Rational common(1);
  for (const Term& term : terms) {
    if (term.monomial.size() > 1) return {};
    const bool constant = term.monomial.empty();
    if (!constant && (term.monomial[0].generator != unknown || !term.monomial[0].exponent.is_integer())) return {};
    const int64_t power = constant ? 0 : term.monomial[0].exponent.top;
    lowest = std::min(lowest, power);
    highest = std::max(highest, power);
    fmpz_lcm(fmpq_numref(common.raw()), fmpq_numref(common.raw()), fmpq_denref(term.coefficient.raw()));
    if (common.bits() > kMaxBits) throw Undecided("the coefficients of an equation are too large");
  }
  const int64_t shift = (1 - lowest) / 2 * 2;
  if (highest + shift > kMaxDegree) throw Undecided("the degree of an equation is too large");
  Univariate result;
  for (const Term& term : terms) {
    const int64_t power = (term.monomial.empty() ? 0 : term.monomial[0].exponent.top) + shift;
    const Rational coefficient = term.coefficient * common;
    if (coefficient.bits() > kMaxBits) throw Undecided("the coefficients of an equation are too large");
    fmpz_poly_set_coeff_fmpz(result.raw(), power, fmpq_numref(coefficient.raw()));
  }
  return result;
}

bool mentions(const Expr& expr, const std::string& unknown) {
  const std::vector<std::string> names = symbols_of(expr);
  return std::ranges::binary_search(names, unknown);
}

/// Multiplies `excluded` by all denominators in which the unknown stands; false where one is no polynomial.
bool collect_denominators(const Expr& expr, const std::string& unknown, NormalForms& forms, Univariate& excluded) {
  const auto exclude = [&](const Expr& denominator) {
    if (!mentions(denominator, unknown)) return true;
    const Quotient form = forms.of(denominator);
    if (!constant_value(form.bottom)) return false;
    const auto factor = from_terms(form.top, forms.algebra().generator({.key = unknown}));
    if (!factor || factor->is_zero()) return false;
    excluded = product(excluded, *factor, forms.algebra().budget());
    return true;
  };
  if (expr.is(Kind::kQuotient) && !exclude(expr.children[1])) return false;
  if (expr.is(Kind::kPower)) {
    const auto exponent = literal(expr.children[1]);
    if (exponent && exponent->sign() < 0 && !exclude(expr.children[0])) return false;
  }
  return std::ranges::all_of(expr.children,
                             [&](const Expr& child) { return collect_denominators(child, unknown, forms, excluded); });
}

Univariate greatest_common_divisor(const Univariate& a, const Univariate& b, Budget& budget) {
  pay(a, kDivisionCost, budget);
  pay(b, kDivisionCost, budget);
  Univariate result;
  fmpz_poly_gcd(result.raw(), a.raw(), b.raw());
  return result;
}

Univariate quotient(const Univariate& a, const Univariate& divisor) {
  Univariate result;
  fmpz_poly_div(result.raw(), a.raw(), divisor.raw());
  return result;
}

/// (-b ± √(b² - 4ac)) / 2a, or -b/a; nothing where they are not real.
void append_roots(std::vector<RealRoot>& roots, const Univariate& factor, int64_t multiplicity) {
  const Rational c = factor.coefficient(0), b = factor.coefficient(1);
  if (factor.degree() == 1) {
    roots.push_back({number(-c / b), multiplicity});
    return;
  }
  const Rational a = factor.coefficient(2), two(2);
  const Rational discriminant = b * b - Rational(4) * a * c;
  if (discriminant.sign() < 0) return;
  const Expr half_width = node(Kind::kProduct, {number((Rational(1) / (two * a)).abs()),
                                                node(Kind::kFunction, {number(discriminant), number(two)}, "root")});
  const Expr middle = number(-b / (two * a));
  roots.push_back({difference_of(middle, half_width), multiplicity});
  roots.push_back({node(Kind::kSum, {middle, half_width}), multiplicity});
}

}  // namespace

Rational Univariate::coefficient(int64_t power) const {
  Rational result;
  fmpz_poly_get_coeff_fmpz(fmpq_numref(result.raw()), value_, power);
  return result;
}

std::optional<Fraction> univariate_fraction(const Expr& expr, const std::string& unknown, NormalForms& forms) {
  const Quotient form = forms.of(expr);
  const int generator = forms.algebra().generator({.key = unknown});
  auto top = from_terms(form.top, generator), bottom = from_terms(form.bottom, generator);
  if (!top || !bottom) return {};
  Fraction result{std::move(*top), std::move(*bottom), {}};
  fmpz_poly_one(result.excluded.raw());
  if (!collect_denominators(expr, unknown, forms, result.excluded)) return {};
  return result;
}

Univariate product(const Univariate& a, const Univariate& b, Budget& budget) {
  if (a.degree() + b.degree() > kMaxDegree) throw Undecided("the degree of an equation is too large");
  pay(a, kDivisionCost, budget);
  pay(b, kDivisionCost, budget);
  Univariate result;
  fmpz_poly_mul(result.raw(), a.raw(), b.raw());
  return result;
}

Univariate square_free(const Univariate& a, Budget& budget) {
  if (a.degree() < 1) return a;
  Univariate slope;
  fmpz_poly_derivative(slope.raw(), a.raw());
  Univariate result = quotient(a, greatest_common_divisor(a, slope, budget));
  fmpz_poly_primitive_part(result.raw(), result.raw());
  return result;
}

Univariate without_roots_of(const Univariate& a, const Univariate& b, Budget& budget) {
  return quotient(a, greatest_common_divisor(a, b, budget));
}

bool same_roots(const Univariate& a, const Univariate& b) {
  if (a.degree() < 1 || b.degree() < 1) return a.degree() == b.degree();
  return fmpz_poly_equal(a.raw(), b.raw()) != 0;
}

int64_t count_real_roots(const Univariate& a, Budget& budget) {
  if (a.degree() < 1) return 0;
  pay(a, kRootsCost, budget);
  return fmpz_poly_num_real_roots(a.raw());
}

std::vector<RealRoot> real_roots(const Univariate& a, Budget& budget) {
  pay(a, kRootsCost, budget);
  struct Factors {
    fmpz_poly_factor_t all;
    Factors() { fmpz_poly_factor_init(all); }
    ~Factors() { fmpz_poly_factor_clear(all); }
    Factors(const Factors&) = delete;
    Factors& operator=(const Factors&) = delete;
  };
  Factors factors;
  fmpz_poly_factor(factors.all, a.raw());
  std::vector<RealRoot> roots;
  for (slong i = 0; i < factors.all->num; ++i) {
    Univariate factor;
    fmpz_poly_set(factor.raw(), factors.all->p + i);
    if (factor.degree() > 2) {
      if (count_real_roots(factor, budget) > 0)
        throw Undecided("an equation of degree " + std::to_string(factor.degree()));
    } else {
      append_roots(roots, factor, factors.all->exp[i]);
    }
  }
  return roots;
}

}  // namespace agro
