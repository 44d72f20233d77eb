#include <flint/fmpz.h>

#include "reward/math/normal_form.h"

namespace agro {

bool NormalForms::flip_sign(Quotient& a) {
  if (a.top.empty() || a.top[0].coefficient.sign() > 0) return false;
  a = negate(a);
  return true;
}

Quotient NormalForms::opaque(const std::string& name, const std::vector<Quotient>& arguments) {
  std::string text = name;
  for (const Quotient& argument : arguments) text += "(" + key(argument) + ")";
  return symbol(text);
}

Quotient NormalForms::function(const Expr& expr) {
  const std::string& name = expr.name;
  std::vector<Quotient> arguments;
  for (const Expr& child : expr.children) {
    // A sum's limits and the like are no numbers; such a function is equal only to itself.
    if (child.is(Kind::kRelation)) return symbol("function " + to_string(expr));
    arguments.push_back(of(child));
  }
  Quotient& first = arguments[0];
  if (name == "root") return root(first, arguments[1]);
  if (name == "sin" || name == "cos") return sine(first, name == "cos");
  if (name == "tan" || name == "cot" || name == "sec" || name == "csc") {
    const bool top_is_sine = name == "tan", bottom_is_sine = name == "cot" || name == "csc";
    const Quotient top = name == "sec" || name == "csc" ? constant(Rational(1)) : sine(first, !top_is_sine);
    return multiply(top, invert(sine(first, !bottom_is_sine)));
  }
  if (name == "exp") return power(named_constant("e"), first);
  if (name == "ln") return logarithm(first);
  if (name == "log") {
    const Quotient base = arguments.size() > 1 ? arguments[1] : constant(Rational(10));
    return multiply(logarithm(first), invert(logarithm(base)));
  }
  if (auto exact = integer_function(name, arguments)) return *exact;
  if (name == "abs") flip_sign(first);
  if (name == "arccos") {
    const Quotient right_angle = multiply(named_constant("pi"), constant(Rational(Rational(1), Rational(2))));
    return add(right_angle, negate(inverse_sine(first, false)));
  }
  if (name == "arcsin" || name == "arctan") return inverse_sine(first, name == "arctan");
  const bool odd = name == "sinh" || name == "tanh";
  if (odd && flip_sign(first)) return negate(opaque(name, arguments));
  return opaque(name, arguments);
}

/// The arc sine, or the arc tangent, of `value`: a multiple of pi where it is one of the known ones.
Quotient NormalForms::inverse_sine(const Quotient& value, bool tangent) {
  Quotient positive = value;
  const bool flipped = flip_sign(positive);
  Quotient result = opaque(tangent ? "arctan" : "arcsin", {positive});
  for (const int64_t sixtieths : {0, 5, 6, 10, 15, 18, 20, 25, 30}) {
    const Rational turns(Rational(sixtieths), Rational(60));
    if (tangent && sixtieths == 30) break;
    Quotient known = *sine_of_pi_times(turns);
    if (tangent) {
      const auto cosine = sine_of_pi_times(Rational(Rational(1), Rational(2)) - turns);
      if (!cosine) continue;
      known = multiply(known, invert(*cosine));
    }
    if (!same(positive, known)) continue;
    result = multiply(named_constant("pi"), constant(turns));
    break;
  }
  return flipped ? negate(result) : result;
}

Quotient NormalForms::sine(const Quotient& angle, bool cosine) {
  Quotient positive = angle;
  const bool flipped = flip_sign(positive);
  if (positive.top.empty()) return constant(Rational(cosine ? 1 : 0));
  const Quotient result = sine_of_positive(positive, cosine);
  return flipped && !cosine ? negate(result) : result;
}

Quotient NormalForms::sine_of_positive(const Quotient& angle, bool cosine) {
  constexpr size_t kMostTerms = 4;
  constexpr int64_t kLargestMultiple = 8;
  if (angle.bottom.size() > 1 || !constant_value(angle.bottom)) return sine_generator(angle, cosine);
  if (angle.top.size() > 1 && angle.top.size() <= kMostTerms) {
    const Quotient first{{angle.top[0]}, angle.bottom};
    const Quotient rest{Polynomial(angle.top.begin() + 1, angle.top.end()), angle.bottom};
    return sine_of_sum(first, rest, cosine);
  }
  if (angle.top.size() > 1) return sine_generator(angle, cosine);
  const Term& term = angle.top[0];
  const Rational half(Rational(1), Rational(2)), one(1), two(2);
  const int pi = algebra_.generator({.key = "pi", .positive = true});
  if (term.monomial == Monomial{{pi, {1, 1}}}) {
    Rational turns = cosine ? half - term.coefficient : term.coefficient;
    if (auto exact = sine_of_pi_times(turns)) return *exact;
    // sin(pi t) for t in the first quarter of a half turn, or the cosine there.
    turns = turns - (turns / two).floor() * two;
    const bool negative = turns > one;
    if (negative) turns = turns - one;
    if (turns > half) turns = one - turns;
    const bool swap = turns > half * half;
    const Quotient acute{algebra_.power_of(pi, {1, 1}, swap ? half - turns : turns), algebra_.constant(one)};
    const Quotient result = sine_generator(acute, swap);
    return negative ? negate(result) : result;
  }
  const Rational multiple = term.coefficient.numerator();
  if (multiple.is_one() || !multiple.is_small_integer(kLargestMultiple)) return sine_generator(angle, cosine);
  const Quotient base{algebra_.scale(angle.top, one / multiple), angle.bottom};
  return sine_of_sum(base, multiply(base, constant(multiple - one)), cosine);
}

/// sin(a + b) = sin a cos b + cos a sin b; cos(a + b) = cos a cos b - sin a sin b
Quotient NormalForms::sine_of_sum(const Quotient& a, const Quotient& b, bool cosine) {
  const Quotient left = multiply(sine(a, cosine), sine(b, true));
  const Quotient right = multiply(sine(a, !cosine), sine(b, false));
  return add(left, cosine ? negate(right) : right);
}

Quotient NormalForms::sine_generator(const Quotient& angle, bool cosine) {
  const int cos = algebra_.generator({.key = "cos(" + key(angle) + ")"});
  const int sin =
      algebra_.generator({.key = "sin(" + key(angle) + ")", .rule = Generator::Rule::kSine, .partner = cos});
  return {algebra_.power_of(cosine ? cos : sin, {1, 1}), algebra_.constant(Rational(1))};
}

std::optional<Quotient> NormalForms::sine_of_pi_times(Rational turns) {
  const Rational one(1), two(2);
  turns = turns - (turns / two).floor() * two;
  bool negative = false;
  if (turns >= one) {
    turns = turns - one;
    negative = true;
  }
  if (turns > Rational(one, two)) turns = one - turns;
  // sin(pi/60 × index) = (a sqrt(m) + b sqrt(n)) / 4
  struct Exact {
    int64_t sixtieths, a, m, b, n;
  };
  constexpr Exact kExact[] = {{0, 0, 1, 0, 1},  {5, 1, 6, -1, 2}, {6, 1, 5, -1, 1}, {10, 2, 1, 0, 1}, {15, 2, 2, 0, 1},
                              {18, 1, 5, 1, 1}, {20, 2, 3, 0, 1}, {25, 1, 6, 1, 2}, {30, 4, 1, 0, 1}};
  for (const Exact& exact : kExact) {
    if (turns != Rational(Rational(exact.sixtieths), Rational(60))) continue;
    const auto part = [&](int64_t count, int64_t radicand) {
      const Rational coefficient(Rational(negative ? -count : count), Rational(4));
      return algebra_.scale(algebra_.rational_power(Rational(radicand), {1, 2}), coefficient);
    };
    return Quotient{algebra_.add(part(exact.a, exact.m), part(exact.b, exact.n)), algebra_.constant(one)};
  }
  return {};
}

/// Of a product of positive constants: the sum of the logarithms.
Quotient NormalForms::logarithm(const Quotient& argument) {
  const bool one_term = argument.top.size() == 1 && argument.bottom.size() == 1;
  if (argument.top.empty()) throw Undecided("the logarithm of zero");
  if (!one_term || argument.top[0].coefficient.sign() <= 0 || !is_positive(argument.top[0].monomial)) {
    Quotient result = opaque("ln", {argument});
    logarithms_.emplace(result.top[0].monomial[0].generator, argument);
    return result;
  }
  const Term term = argument.top[0];
  Polynomial sum;
  const auto add_log = [&](int generator, const Exponent& count) {
    const bool is_e = algebra_.generator(generator).key == "e";
    const Rational coefficient(Rational(count.top), Rational(count.bottom));
    const int log = is_e ? 0 : algebra_.generator({.key = "ln " + std::to_string(generator)});
    if (!is_e) logarithms_.emplace(log, Quotient{algebra_.power_of(generator, {1, 1}), algebra_.constant(Rational(1))});
    sum = algebra_.add(sum, is_e ? algebra_.constant(coefficient) : algebra_.power_of(log, {1, 1}, coefficient));
  };
  for (const Factor& factor : term.monomial) add_log(factor.generator, factor.exponent);
  for (const auto& [prime, count] : algebra_.factorize(term.coefficient.numerator()))
    add_log(algebra_.prime(prime), {count, 1});
  for (const auto& [prime, count] : algebra_.factorize(term.coefficient.denominator()))
    add_log(algebra_.prime(prime), {-count, 1});
  return {sum, algebra_.constant(Rational(1))};
}

std::optional<Quotient> NormalForms::integer_function(const std::string& name, const std::vector<Quotient>& arguments) {
  constexpr int64_t kLargest = 1'000;
  std::vector<Rational> values;
  for (const Quotient& argument : arguments) {
    const auto known = value(argument);
    if (!known) return {};
    values.push_back(*known);
  }
  const Rational& x = values[0];
  if (name == "abs") return constant(x.abs());
  if (name == "floor") return constant(x.floor());
  if (name == "ceil") return constant(-(-x).floor());
  if (name == "max" || name == "min") {
    Rational best = x;
    for (const Rational& other : values)
      if (name == "max" ? other > best : other < best) best = other;
    return constant(best);
  }
  Rational result;
  fmpz* out = fmpq_numref(result.raw());
  if (name == "factorial" && x.is_small_integer(kLargest) && x.sign() >= 0) {
    algebra_.budget().spend(x.to_int());
    fmpz_fac_ui(out, static_cast<ulong>(x.to_int()));
    return constant(result);
  }
  if (values.size() < 2) return {};
  const Rational& y = values[1];
  if (name == "binom" && x.is_small_integer(kLargest) && y.is_small_integer(kLargest) && x.sign() >= 0 &&
      y.sign() >= 0) {
    algebra_.budget().spend(x.to_int());
    fmpz_bin_uiui(out, static_cast<ulong>(x.to_int()), static_cast<ulong>(y.to_int()));
    return constant(result);
  }
  if (name == "mod" && y.sign() > 0) return constant(x - (x / y).floor() * y);
  if ((name == "gcd" || name == "lcm") && x.is_integer() && y.is_integer() && values.size() == 2) {
    (name == "gcd" ? fmpz_gcd : fmpz_lcm)(out, fmpq_numref(x.raw()), fmpq_numref(y.raw()));
    return constant(result);
  }
  return {};
}

}  // namespace agro
