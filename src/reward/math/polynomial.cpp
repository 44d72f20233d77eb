#include "reward/math/polynomial.h"

#include <flint/fmpz.h>

#include <algorithm>
#include <numeric>

namespace agro {
namespace {

constexpr size_t kMaxTerms = 2'000;
constexpr int64_t kMaxBits = 16'384;
constexpr int64_t kMaxExponent = 1'000'000;

Exponent reduced(int64_t top, int64_t bottom) {
  const int64_t divisor = std::gcd(top, bottom);
  const Exponent result{top / divisor, bottom / divisor};
  if (std::abs(result.top) > kMaxExponent || result.bottom > kMaxExponent) throw Undecided("an exponent is too large");
  return result;
}

int64_t floor_of(const Exponent& exponent) {
  const int64_t quotient = exponent.top / exponent.bottom;
  return exponent.top % exponent.bottom < 0 ? quotient - 1 : quotient;
}

Monomial product(const Monomial& a, const Monomial& b) {
  Monomial result;
  result.reserve(a.size() + b.size());
  auto i = a.begin(), j = b.begin();
  while (i != a.end() || j != b.end()) {
    if (j == b.end() || (i != a.end() && i->generator < j->generator)) {
      result.push_back(*i++);
    } else if (i == a.end() || j->generator < i->generator) {
      result.push_back(*j++);
    } else {
      const Exponent sum = i->exponent + j->exponent;
      if (sum.top != 0) result.push_back({i->generator, sum});
      ++i, ++j;
    }
  }
  return result;
}

}  // namespace

Exponent operator+(const Exponent& a, const Exponent& b) {
  return reduced(a.top * b.bottom + b.top * a.bottom, a.bottom * b.bottom);
}

Exponent operator*(const Exponent& a, const Exponent& b) { return reduced(a.top * b.top, a.bottom * b.bottom); }

Exponent exponent_from(const Rational& value) {
  const Rational top = value.numerator(), bottom = value.denominator();
  if (!top.is_small_integer(kMaxExponent) || !bottom.is_small_integer(kMaxExponent))
    throw Undecided("an exponent is too large");
  return {top.to_int(), bottom.to_int()};
}

int Algebra::generator(Generator wanted) {
  const auto [place, is_new] = ids_.emplace(wanted.key, static_cast<int>(generators_.size()));
  if (is_new) generators_.push_back(std::move(wanted));
  return place->second;
}

int Algebra::prime(const Rational& value) {
  return generator(
      {.key = "prime " + key(constant(value)), .rule = Generator::Rule::kPrime, .positive = true, .value = value});
}

Polynomial Algebra::constant(const Rational& value) const {
  if (value.is_zero()) return {};
  return {Term{{}, value}};
}

Polynomial Algebra::power_of(int generator, const Exponent& exponent, const Rational& coefficient) {
  Polynomial result;
  Term term{{}, coefficient};
  if (exponent.top != 0) term.monomial.push_back({generator, exponent});
  reduce(std::move(term), result);
  return collect(std::move(result));
}

Polynomial Algebra::add(const Polynomial& a, const Polynomial& b) {
  budget_.spend(static_cast<int64_t>(a.size() + b.size()));
  Polynomial result;
  result.reserve(a.size() + b.size());
  auto i = a.begin(), j = b.begin();
  while (i != a.end() || j != b.end()) {
    if (j == b.end() || (i != a.end() && i->monomial < j->monomial)) {
      result.push_back(*i++);
    } else if (i == a.end() || j->monomial < i->monomial) {
      result.push_back(*j++);
    } else {
      Rational sum = i->coefficient + j->coefficient;
      check(sum);
      if (!sum.is_zero()) result.push_back({i->monomial, std::move(sum)});
      ++i, ++j;
    }
  }
  return result;
}

Polynomial Algebra::multiply(const Polynomial& a, const Polynomial& b) {
  if (a.size() * b.size() > 20 * kMaxTerms) throw Undecided("the answers are too large to compare");
  Polynomial terms;
  terms.reserve(a.size() * b.size());
  for (const Term& x : a)
    for (const Term& y : b) reduce({product(x.monomial, y.monomial), x.coefficient * y.coefficient}, terms);
  Polynomial result = collect(std::move(terms));
  if (result.size() > kMaxTerms) throw Undecided("the answers are too large to compare");
  return result;
}

Polynomial Algebra::scale(const Polynomial& a, const Rational& factor) { return multiply(a, constant(factor)); }

Polynomial Algebra::power(const Polynomial& base, int64_t exponent) {
  Polynomial result = constant(Rational(1));
  if (base.size() > 1 && exponent > 200) throw Undecided("a power is too large to write out");
  Polynomial square = base;
  for (; exponent > 0; exponent /= 2) {
    if (exponent % 2 == 1) result = multiply(result, square);
    if (exponent > 1) square = multiply(square, square);
  }
  return result;
}

Polynomial Algebra::rational_power(const Rational& value, const Exponent& exponent) {
  if (exponent.is_integer()) return constant(value.power(exponent.top));
  Polynomial result = constant(Rational(1));
  const auto times = [&](const Rational& whole, int64_t sign) {
    for (const auto& [factor, count] : factorize(whole))
      result = multiply(result, power_of(prime(factor), exponent * Exponent{sign * count, 1}));
  };
  times(value.numerator(), 1);
  times(value.denominator(), -1);
  return result;
}

std::vector<std::pair<Rational, int64_t>> Algebra::factorize(const Rational& value) {
  check(value);
  std::vector<std::pair<Rational, int64_t>> factors;
  Rational rest = value;
  fmpz_t factor;
  fmpz_init(factor);
  for (ulong candidate = 2; candidate < 1'000 && !rest.is_one(); candidate += candidate == 2 ? 1 : 2) {
    fmpz_set_ui(factor, candidate);
    const slong count = fmpz_remove(fmpq_numref(rest.raw()), fmpq_numref(rest.raw()), factor);
    if (count > 0) factors.emplace_back(Rational(static_cast<int64_t>(candidate)), count);
    budget_.spend(1);
    if (rest < Rational(static_cast<int64_t>(candidate * candidate))) break;
  }
  if (!rest.is_one()) {
    const int power = fmpz_is_perfect_power(factor, fmpq_numref(rest.raw()));
    if (power > 1) fmpz_set(fmpq_numref(rest.raw()), factor);
    factors.emplace_back(rest, power > 1 ? power : 1);
  }
  fmpz_clear(factor);
  return factors;
}

std::string Algebra::key(const Polynomial& polynomial) const {
  std::string text;
  for (const Term& term : polynomial) {
    char* coefficient = fmpq_get_str(nullptr, 10, term.coefficient.raw());
    text += coefficient;
    flint_free(coefficient);
    for (const Factor& factor : term.monomial)
      text += "*" + std::to_string(factor.generator) + "^" + std::to_string(factor.exponent.top) + "/" +
              std::to_string(factor.exponent.bottom);
    text += ";";
  }
  return text;
}

bool Algebra::apply_relation(Term& term, Factor& factor, Polynomial& open) {
  const Generator& known = generator(factor.generator);
  const int64_t whole = floor_of(factor.exponent);
  const auto drop_whole = [&] { factor.exponent = factor.exponent + Exponent{-whole, 1}; };
  switch (known.rule) {
    case Generator::Rule::kFree:
      return false;
    case Generator::Rule::kPrime:
      if (whole == 0) return false;
      term.coefficient *= known.value.power(whole);
      drop_whole();
      return true;
    case Generator::Rule::kMinusOne:
      if (whole == 0) return false;
      if (whole % 2 != 0) term.coefficient = -term.coefficient;
      drop_whole();
      return true;
    case Generator::Rule::kSine: {
      if (!factor.exponent.is_integer() || whole < 2) return false;
      factor.exponent.top -= 2;
      Term less{term.monomial, -term.coefficient};
      std::erase_if(less.monomial, [](const Factor& f) { return f.exponent.top == 0; });
      less.monomial = product(less.monomial, {Factor{known.partner, {2, 1}}});
      open.push_back(std::move(less));
      return true;
    }
    case Generator::Rule::kBase: {
      if (whole < 1) return false;
      factor.exponent = factor.exponent + Exponent{-1, 1};
      Term rest = std::move(term);
      std::erase_if(rest.monomial, [](const Factor& f) { return f.exponent.top == 0; });
      for (const Term& part : known.expansion)
        open.push_back({product(rest.monomial, part.monomial), rest.coefficient * part.coefficient});
      term = Term{};
      return true;
    }
  }
  return false;
}

/// Applies the relations of the generators to a product and appends what comes of it.
void Algebra::reduce(Term term, Polynomial& out) {
  Polynomial open;
  open.push_back(std::move(term));
  while (!open.empty()) {
    Term next = std::move(open.back());
    open.pop_back();
    budget_.spend(2 + static_cast<int64_t>(next.monomial.size()));
    check(next.coefficient);
    for (size_t i = 0; i < next.monomial.size();) {
      if (!apply_relation(next, next.monomial[i], open)) {
        ++i;
      } else if (i < next.monomial.size() && next.monomial[i].exponent.top == 0) {
        next.monomial.erase(next.monomial.begin() + static_cast<std::ptrdiff_t>(i));
      }
    }
    if (!next.coefficient.is_zero()) out.push_back(std::move(next));
  }
}

Polynomial Algebra::collect(Polynomial terms) {
  if (terms.size() < 2) return terms;
  std::sort(terms.begin(), terms.end(), [](const Term& a, const Term& b) { return a.monomial < b.monomial; });
  Polynomial result;
  for (Term& term : terms) {
    if (!result.empty() && result.back().monomial == term.monomial) {
      result.back().coefficient += term.coefficient;
    } else {
      if (!result.empty() && result.back().coefficient.is_zero()) result.pop_back();
      result.push_back(std::move(term));
    }
  }
  if (result.back().coefficient.is_zero()) result.pop_back();
  return result;
}

/// Pays for arithmetic with a long number.
void Algebra::check(const Rational& value) {
  const int64_t bits = value.bits();
  if (bits > kMaxBits) throw Undecided("a number is too long");
  if (bits > 64) budget_.spend(bits / 64 + bits * bits / 65'536);
}

std::optional<Rational> constant_value(const Polynomial& polynomial) {
  if (polynomial.empty()) return Rational(0);
  if (polynomial.size() == 1 && polynomial[0].monomial.empty()) return polynomial[0].coefficient;
  return {};
}

}  // namespace agro
