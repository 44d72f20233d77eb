#include "reward/math/evaluate.h"

#include <acb_hypgeom.h>

#include <array>
#include <string_view>
#include <utility>

namespace agro {
namespace {

uint64_t hash_of(std::string_view name, uint64_t seed) {
  uint64_t hash = 0xcbf29ce484222325ULL ^ (seed * 0x9e3779b97f4a7c15ULL);
  for (const char c : name) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3ULL;
  return hash ^ (hash >> 29);
}

/// Between 1/2 and 5/2; in later points also negative and larger.
Rational value_at(std::string_view name, int point) {
  const uint64_t hash = hash_of(name, static_cast<uint64_t>(point) + 1);
  const Rational positive(Rational(static_cast<int64_t>(512 + hash % 2039)), Rational(1021));
  if (point < 4) return positive;
  const Rational larger = positive * Rational(point);
  return (hash >> 40) % 2 == 0 ? larger : -larger;
}

class Evaluation {
 public:
  Evaluation(int point, int64_t precision, Budget& budget) : point_(point), precision_(precision), budget_(budget) {}

  Ball of(const Expr& expr) {
    Ball result = compute(expr);
    if (!result.is_finite()) throw Undecided("the value of " + brief(expr) + " is not defined");
    return result;
  }

 private:
  /// `cost` in steps at 64 bits.
  void pay(int64_t cost) { budget_.spend(cost * (1 + precision_ / 256)); }

  Ball compute(const Expr& expr) {
    pay(2);
    const auto& children = expr.children;
    switch (expr.kind) {
      case Kind::kNumber:
        budget_.spend(expr.value.bits() / 64);
        return Ball(expr.value, precision_);
      case Kind::kSymbol:
        return Ball(value_at(expr.name, point_), precision_);
      case Kind::kConstant:
        return constant(expr.name);
      case Kind::kSum:
        return fold(children, acb_add);
      case Kind::kProduct:
        return fold(children, acb_mul);
      case Kind::kQuotient:
      case Kind::kRatio:
        return fold(children, acb_div);
      case Kind::kPower:
        return power(of(children[0]), of(children[1]));
      case Kind::kNegative: {
        Ball value = of(children[0]);
        acb_neg(value.raw(), value.raw());
        return value;
      }
      case Kind::kFunction:
        return function(expr);
      case Kind::kUnit:
        return unit(expr);
      default:
        throw Undecided("no number: " + brief(expr));
    }
  }

  Ball fold(const std::vector<Expr>& children, void (*operation)(acb_t, const acb_t, const acb_t, slong)) {
    Ball result = of(children[0]);
    for (size_t i = 1; i < children.size(); ++i) {
      const Ball next = of(children[i]);
      pay(4);
      operation(result.raw(), result.raw(), next.raw(), precision_);
    }
    return result;
  }

  Ball constant(const std::string& name) {
    Ball result;
    if (name == "pi") {
      acb_const_pi(result.raw(), precision_);
    } else if (name == "e") {
      arb_const_e(acb_realref(result.raw()), precision_);
    } else if (name == "i") {
      acb_onei(result.raw());
    } else {
      throw Undecided(name + " is no number");
    }
    return result;
  }

  Ball unit(const Expr& expr) {
    Ball value = of(expr.children[0]);
    if (expr.name == "%") {
      acb_div_si(value.raw(), value.raw(), 100, precision_);
    } else if (expr.name == "°") {
      const Ball pi = constant("pi");
      acb_mul(value.raw(), value.raw(), pi.raw(), precision_);
      acb_div_si(value.raw(), value.raw(), 180, precision_);
    } else {
      const Ball unit(value_at("unit " + expr.name, point_), precision_);
      acb_mul(value.raw(), value.raw(), unit.raw(), precision_);
    }
    return value;
  }

  /// Arb spends as many bits as a magnitude has: towers of powers end here.
  static void require_moderate(const Ball& value) {
    if (!value.is_below(-60)) throw Undecided("a power is out of reach");
  }

  Ball power(const Ball& base, const Ball& exponent) {
    require_moderate(exponent);
    pay(arb_is_int(acb_realref(exponent.raw())) != 0 ? 20 : 150);
    Ball result;
    acb_pow(result.raw(), base.raw(), exponent.raw(), precision_);
    return result;
  }

  /// The real root of odd degree of a negative number, the principal root otherwise.
  Ball root(const Ball& radicand, const Expr& index) {
    const auto degree = literal(index);
    pay(60);
    if (!degree || !degree->is_small_integer(1'000) || degree->sign() <= 0) {
      Ball exponent = of(index);
      acb_inv(exponent.raw(), exponent.raw(), precision_);
      return power(radicand, exponent);
    }
    Ball result;
    const auto n = static_cast<ulong>(degree->to_int());
    if (n % 2 == 1 && radicand.is_negative()) {
      acb_neg(result.raw(), radicand.raw());
      acb_root_ui(result.raw(), result.raw(), n, precision_);
      acb_neg(result.raw(), result.raw());
    } else {
      acb_root_ui(result.raw(), radicand.raw(), n, precision_);
    }
    return result;
  }

  Ball function(const Expr& expr) {
    using Unary = void (*)(acb_t, const acb_t, slong);
    constexpr std::array<std::pair<std::string_view, Unary>, 19> kUnary = {{{"sin", acb_sin},
                                                                            {"cos", acb_cos},
                                                                            {"tan", acb_tan},
                                                                            {"cot", acb_cot},
                                                                            {"sec", acb_sec},
                                                                            {"csc", acb_csc},
                                                                            {"arcsin", acb_asin},
                                                                            {"arccos", acb_acos},
                                                                            {"arctan", acb_atan},
                                                                            {"sinh", acb_sinh},
                                                                            {"cosh", acb_cosh},
                                                                            {"tanh", acb_tanh},
                                                                            {"coth", acb_coth},
                                                                            {"arcsinh", acb_asinh},
                                                                            {"arccosh", acb_acosh},
                                                                            {"arctanh", acb_atanh},
                                                                            {"exp", acb_exp},
                                                                            {"ln", acb_log},
                                                                            {"gamma", acb_gamma}}};
    const std::string& name = expr.name;
    if (name[0] == '.') return unknown(expr);
    const Ball x = of(expr.children[0]);
    if (name == "root") return root(x, expr.children[1]);
    Ball result;
    for (const auto& [known, compute_it] : kUnary) {
      if (known != name) continue;
      require_moderate(x);
      pay(100);
      compute_it(result.raw(), x.raw(), precision_);
      return result;
    }
    const std::vector<Expr>& arguments = expr.children;
    if (name == "log") {
      const Ball base = arguments.size() > 1 ? of(arguments[1]) : Ball(10);
      pay(200);
      Ball divisor;
      acb_log(result.raw(), x.raw(), precision_);
      acb_log(divisor.raw(), base.raw(), precision_);
      acb_div(result.raw(), result.raw(), divisor.raw(), precision_);
      return result;
    }
    if (name == "abs") {
      acb_abs(acb_realref(result.raw()), x.raw(), precision_);
      return result;
    }
    if ((name == "floor" || name == "ceil") && x.is_real()) {
      (name == "floor" ? arb_floor : arb_ceil)(acb_realref(result.raw()), acb_realref(x.raw()), precision_);
      return result;
    }
    if (name == "factorial") return factorial(x);
    if (name == "binom" && arguments.size() == 2) {
      const Ball k = of(arguments[1]);
      Ball rest, divisor;
      acb_sub(rest.raw(), x.raw(), k.raw(), precision_);
      result = factorial(x);
      divisor = factorial(k);
      acb_div(result.raw(), result.raw(), divisor.raw(), precision_);
      divisor = factorial(rest);
      acb_div(result.raw(), result.raw(), divisor.raw(), precision_);
      return result;
    }
    if (name == "max" || name == "min") {
      result = x;
      for (size_t i = 1; i < arguments.size(); ++i) {
        const Ball next = of(arguments[i]);
        if (!next.is_real() || !result.is_real()) throw Undecided("the order of complex numbers");
        (name == "max" ? arb_max : arb_min)(acb_realref(result.raw()), acb_realref(result.raw()),
                                            acb_realref(next.raw()), precision_);
      }
      return result;
    }
    throw Undecided("no value is known for " + brief(expr));
  }

  Ball factorial(const Ball& x) {
    require_moderate(x);
    if (x.middle() > 1e6 || x.middle() < -1e6) throw Undecided("a factorial is out of reach");
    pay(600);
    Ball result;
    acb_add_ui(result.raw(), x.raw(), 1, precision_);
    acb_gamma(result.raw(), result.raw(), precision_);
    return result;
  }

  /// a + sum of b_i x_i + c_i x_i² over the arguments.
  Ball unknown(const Expr& expr) {
    Ball result(value_at(expr.name, 0), precision_);
    for (size_t i = 0; i < expr.children.size(); ++i) {
      const Ball x = of(expr.children[i]);
      const std::string key = expr.name + "#" + std::to_string(i);
      const Ball b(value_at(key, 1), precision_), c(value_at(key, 2), precision_);
      Ball term;
      acb_mul(term.raw(), c.raw(), x.raw(), precision_);
      acb_add(term.raw(), term.raw(), b.raw(), precision_);
      acb_addmul(result.raw(), term.raw(), x.raw(), precision_);
    }
    return result;
  }

  int point_;
  int64_t precision_;
  Budget& budget_;
};

}  // namespace

Ball evaluate(const Expr& expr, int point, int64_t precision, Budget& budget) {
  return Evaluation(point, precision, budget).of(expr);
}

int sign_of(const Expr& expr, Budget& budget) {
  if (const auto value = literal(expr)) return value->sign();
  for (const int64_t precision : {64, 192}) {
    const Ball value = evaluate(expr, 0, precision, budget);
    if (value.is_positive()) return 1;
    if (value.is_negative()) return -1;
  }
  throw Undecided("the sign of " + brief(expr));
}

}  // namespace agro
