#pragma once
// An answer as an expression tree: numbers, formulas, relations, sets, tuples, matrices, text.
// The parser bounds nesting (kMaxNesting) and size, so that recursion over a tree is bounded too.
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "reward/math/rational.h"

namespace agro {

enum class Kind : uint8_t {
  kNumber,     // value; decimals counts the digits written after the point, -1 where there was none
  kSymbol,     // name: a variable, subscripts and primes included
  kConstant,   // name: "pi", "e", "i", "infinity", "reals", ... (and other sets that have a letter)
  kSum,        // any number of children
  kProduct,    // any number of children
  kQuotient,   // numerator, denominator
  kPower,      // base, exponent
  kNegative,   // of its child
  kPlusMinus,  // ± its child; name "mp" for ∓
  kFunction,   // name and arguments; "root" has argument and index
  kUnit,       // its child with the unit `name`: "%", "°", "cm", any text
  kText,       // name: words
  kTuple,      // name: the brackets, "()", "[)", ...; an interval where there are two children
  kSet,        // {children}
  kList,       // children separated by commas, semicolons, "and", "or"; name: "and" or "or" where that joins the last
  kUnion,      // children are sets
  kIntersection,
  kDifference,  // first set without the others
  kMatrix,      // children are rows, each a kTuple
  kRelation,  // children joined by the relations in `name`, one character each: = < > l(≤) g(≥) n(≠) ~(≈) i(∈) c(⊂)
              // b(⊆)
  kRatio,  // a : b : ...
};

struct Expr {
  static constexpr int kMaxNesting = 48;  // of brackets, arguments and exponents

  Kind kind = Kind::kNumber;
  std::string name = {};
  Rational value = {};
  int decimals = -1;
  std::vector<Expr> children = {};

  bool is(Kind other) const { return kind == other; }
  bool is(Kind other, std::string_view other_name) const { return kind == other && name == other_name; }
};

Expr number(const Rational& value);
Expr node(Kind kind, std::vector<Expr> children, std::string name = {});
Expr difference_of(Expr a, Expr b);

/// The same text for the same tree.
std::string to_string(const Expr& expr);

/// For messages: to_string where that is short, in time that does not depend on the size of `expr`.
std::string brief(const Expr& expr);

/// Visits every node, parents first.
template <class Visit>
void for_each_node(const Expr& expr, Visit&& visit) {
  visit(expr);
  for (const Expr& child : expr.children) for_each_node(child, visit);
}

bool contains(const Expr& expr, Kind kind);

/// The names of all variables, sorted, each once.
std::vector<std::string> symbols_of(const Expr& expr);

/// Whether a variable stands below a fraction line or under a negative exponent.
bool has_denominators(const Expr& expr);

/// Whether a variable stands under a root or an exponent that is no integer.
bool has_roots(const Expr& expr);

/// `expr` with every variable `name` replaced.
Expr substitute(const Expr& expr, std::string_view name, const Expr& replacement);

/// A formula with ± stands for two: all upper signs, then all lower signs. Others stand for themselves.
std::vector<Expr> expand_plus_minus(const Expr& expr);

/// A number, or a sign before one.
std::optional<Rational> literal(const Expr& expr);

}  // namespace agro
