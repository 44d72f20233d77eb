#include "reward/math/expr.h"

#include <algorithm>

namespace agro {
namespace {

std::string join(const std::vector<Expr>& children, std::string_view separator) {
  std::string text;
  for (size_t i = 0; i < children.size(); ++i) {
    if (i > 0) text += separator;
    text += to_string(children[i]);
  }
  return text;
}

std::string relation_text(const Expr& expr) {
  std::string text;
  for (size_t i = 0; i < expr.children.size(); ++i) {
    if (i > 0) {
      const char relation = expr.name[i - 1];
      text += relation == 'l'   ? " <= "
              : relation == 'g' ? " >= "
              : relation == 'n' ? " != "
              : relation == 'i' ? " in "
                                : std::string(" ") + relation + " ";
    }
    text += to_string(expr.children[i]);
  }
  return text;
}

/// Whether `expr` has at most `left` nodes; stops counting there.
bool is_small(const Expr& expr, int& left) {
  if (--left < 0) return false;
  return std::all_of(expr.children.begin(), expr.children.end(),
                     [&](const Expr& child) { return is_small(child, left); });
}

/// `upper`: the sign of ±; the sign of ∓ is the other one.
Expr with_signs(const Expr& expr, bool upper) {
  if (expr.is(Kind::kPlusMinus)) {
    Expr inner = with_signs(expr.children[0], upper);
    const bool plus = upper == (expr.name != "mp");
    return plus ? inner : node(Kind::kNegative, {std::move(inner)});
  }
  Expr copy{expr.kind, expr.name, expr.value, expr.decimals};
  for (const Expr& child : expr.children) copy.children.push_back(with_signs(child, upper));
  return copy;
}

}  // namespace

Expr number(const Rational& value) { return {.kind = Kind::kNumber, .value = value}; }

Expr node(Kind kind, std::vector<Expr> children, std::string name) {
  return {.kind = kind, .name = std::move(name), .children = std::move(children)};
}

Expr difference_of(Expr a, Expr b) {
  std::vector<Expr> terms;
  terms.push_back(std::move(a));
  terms.push_back(node(Kind::kNegative, {std::move(b)}));
  return node(Kind::kSum, std::move(terms));
}

std::string to_string(const Expr& expr) {
  const auto& children = expr.children;
  switch (expr.kind) {
    case Kind::kNumber:
      return expr.value.to_string();
    case Kind::kSymbol:
    case Kind::kConstant:
      return expr.name;
    case Kind::kText:
      return "\"" + expr.name + "\"";
    case Kind::kSum:
      return "(" + join(children, " + ") + ")";
    case Kind::kProduct:
      return "(" + join(children, "*") + ")";
    case Kind::kQuotient:
      return "(" + join(children, "/") + ")";
    case Kind::kPower:
      return "(" + join(children, "^") + ")";
    case Kind::kNegative:
      return "(-" + to_string(children[0]) + ")";
    case Kind::kPlusMinus:
      return (expr.name == "mp" ? "∓" : "±") + to_string(children[0]);
    case Kind::kFunction:
      return expr.name + "(" + join(children, ", ") + ")";
    case Kind::kUnit:
      return to_string(children[0]) + " " + expr.name;
    case Kind::kTuple:
      return expr.name.substr(0, 1) + join(children, ", ") + expr.name.substr(1);
    case Kind::kSet:
      return "{" + join(children, ", ") + "}";
    case Kind::kList:
      return join(children, expr.name.empty() ? ", " : " " + expr.name + " ");
    case Kind::kUnion:
      return join(children, " ∪ ");
    case Kind::kIntersection:
      return join(children, " ∩ ");
    case Kind::kDifference:
      return join(children, " \\ ");
    case Kind::kMatrix:
      return "matrix " + join(children, " ");
    case Kind::kRelation:
      return relation_text(expr);
    case Kind::kRatio:
      return join(children, " : ");
  }
  return {};
}

std::string brief(const Expr& expr) {
  int left = 40;
  return is_small(expr, left) ? to_string(expr).substr(0, 60) : "a long formula";
}

bool contains(const Expr& expr, Kind kind) {
  return expr.kind == kind || std::any_of(expr.children.begin(), expr.children.end(),
                                          [&](const Expr& child) { return contains(child, kind); });
}

std::vector<std::string> symbols_of(const Expr& expr) {
  std::vector<std::string> names;
  for_each_node(expr, [&](const Expr& part) {
    if (part.is(Kind::kSymbol)) names.push_back(part.name);
  });
  std::sort(names.begin(), names.end());
  names.erase(std::unique(names.begin(), names.end()), names.end());
  return names;
}

bool has_denominators(const Expr& expr) {
  if (expr.is(Kind::kQuotient) && !symbols_of(expr.children[1]).empty()) return true;
  if (expr.is(Kind::kPower)) {
    const auto exponent = literal(expr.children[1]);
    if (exponent && exponent->sign() < 0 && !symbols_of(expr.children[0]).empty()) return true;
  }
  return std::any_of(expr.children.begin(), expr.children.end(), has_denominators);
}

bool has_roots(const Expr& expr) {
  const auto exponent = expr.is(Kind::kPower) ? literal(expr.children[1]) : std::optional(Rational(1));
  const bool root = expr.is(Kind::kFunction, "root") || !exponent || !exponent->is_integer();
  if (root && !symbols_of(expr.children[0]).empty()) return true;
  return std::any_of(expr.children.begin(), expr.children.end(), has_roots);
}

Expr substitute(const Expr& expr, std::string_view name, const Expr& replacement) {
  if (expr.is(Kind::kSymbol, name)) return replacement;
  Expr copy{expr.kind, expr.name, expr.value, expr.decimals};
  for (const Expr& child : expr.children) copy.children.push_back(substitute(child, name, replacement));
  return copy;
}

std::vector<Expr> expand_plus_minus(const Expr& expr) {
  if (!contains(expr, Kind::kPlusMinus)) return {expr};
  std::vector<Expr> both;
  both.push_back(with_signs(expr, true));
  both.push_back(with_signs(expr, false));
  return both;
}

std::optional<Rational> literal(const Expr& expr) {
  if (expr.is(Kind::kNumber)) return expr.value;
  if (expr.is(Kind::kNegative) && expr.children[0].is(Kind::kNumber)) return -expr.children[0].value;
  return {};
}

}  // namespace agro
