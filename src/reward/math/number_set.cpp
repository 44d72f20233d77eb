#include "reward/math/number_set.h"

#include <algorithm>

#include "reward/math/evaluate.h"
#include "reward/math/normal_form.h"
#include "reward/math/set_algebra.h"
#include "reward/math/univariate.h"

namespace agro {
namespace {

bool is_infinity(const Expr& expr) {
  return expr.is(Kind::kConstant, "infinity") || (expr.is(Kind::kNegative) && is_infinity(expr.children[0]));
}

class Solver {
 public:
  explicit Solver(Budget& budget) : budget_(budget), forms_(budget), sets_(forms_, budget) {}

  SolutionSet solve(const Expr& expr) {
    switch (expr.kind) {
      case Kind::kConstant:
        if (expr.name == "reals") return {{Piece{}}, ""};
        if (expr.name == "empty") return {};
        throw Undecided("the set " + expr.name);
      case Kind::kTuple:
        return {interval(expr), ""};
      case Kind::kSet:
      case Kind::kList:
        return several(expr);
      case Kind::kUnion: {
        NumberSet all;
        for (const Expr& child : expr.children) append(all, solve(child).numbers);
        return {sets_.joined(std::move(all)), ""};
      }
      case Kind::kIntersection: {
        NumberSet common = solve(expr.children[0]).numbers;
        for (size_t i = 1; i < expr.children.size(); ++i)
          common = sets_.intersection(common, solve(expr.children[i]).numbers);
        return {common, ""};
      }
      case Kind::kDifference: {
        NumberSet rest = solve(expr.children[0]).numbers;
        for (size_t i = 1; i < expr.children.size(); ++i)
          rest = sets_.intersection(rest, SetAlgebra::complement(solve(expr.children[i]).numbers));
        return {rest, ""};
      }
      case Kind::kRelation:
        return relation(expr);
      default:
        return {{point(expr)}, ""};
    }
  }

 private:
  NumberSet interval(const Expr& expr) {
    if (expr.children.size() != 2) throw Undecided("no interval: " + brief(expr));
    Piece piece{{}, {}, expr.name[0] == '[', expr.name[1] == ']'};
    if (!is_infinity(expr.children[0])) piece.low = expr.children[0];
    if (!is_infinity(expr.children[1])) piece.high = expr.children[1];
    piece.low_closed = piece.low_closed && piece.low;
    piece.high_closed = piece.high_closed && piece.high;
    return sets_.is_empty(piece) ? NumberSet{} : NumberSet{piece};
  }

  /// Relations side by side: "x < 1 or x > 3" where nothing satisfies both, else all at once.
  SolutionSet several(const Expr& expr) {
    NumberSet all, common{Piece{}};
    std::string unknown;
    bool relations = true, solved = true;
    for (const Expr& child : expr.children) {
      const SolutionSet one = solve(child);
      relations = relations && child.is(Kind::kRelation) && child.name != "=";
      if (unknown.empty()) unknown = one.unknown;
      if (unknown != one.unknown) throw Undecided("relations of more than one unknown");
      solved = solved && one.solved;
      append(all, one.numbers);
      if (relations) common = sets_.intersection(common, one.numbers);
    }
    // "or" and "and" as they are written; a comma means whichever says something.
    if (relations && expr.name != "or" && (expr.name == "and" || !common.empty())) return {common, unknown, solved};
    return {sets_.joined(std::move(all)), unknown, solved};
  }

  SolutionSet relation(const Expr& expr) {
    const auto& sides = expr.children;
    if (expr.name == "i") return subject_in(sides[0], solve(sides[1]).numbers);
    size_t subject = sides.size(), unknown_sides = 0;
    for (size_t i = 0; i < sides.size(); ++i) {
      if (symbols_of(sides[i]).empty() && !contains(sides[i], Kind::kText)) continue;
      subject = i;
      ++unknown_sides;
    }
    if (unknown_sides == 0) throw Undecided("a relation without unknown");
    if (unknown_sides > 1) return links(expr);
    NumberSet allowed{Piece{}};
    if (subject > 0) allowed = sets_.intersection(allowed, half_line(expr.name[subject - 1], sides[subject - 1], true));
    if (subject + 1 < sides.size())
      allowed = sets_.intersection(allowed, half_line(expr.name[subject], sides[subject + 1], false));
    if (sides.size() > 3) throw Undecided("a long chain of relations");
    return subject_in(sides[subject], allowed);
  }

  /// A chain with the unknown in more than one place: all its links at once.
  SolutionSet links(const Expr& expr) {
    SolutionSet common;
    for (size_t i = 0; i + 1 < expr.children.size(); ++i) {
      const Expr sides = difference_of(expr.children[i], expr.children[i + 1]);
      SolutionSet link = subject_in(sides, half_line(expr.name[i], number(Rational(0)), false));
      if (i == 0) {
        common = std::move(link);
        continue;
      }
      if (link.unknown != common.unknown) throw Undecided("relations of more than one unknown");
      common.numbers = sets_.intersection(common.numbers, link.numbers);
      common.solved = common.solved && link.solved;
    }
    return common;
  }

  /// The y with y R bound, or with bound R y.
  NumberSet half_line(char relation, const Expr& bound, bool bound_first) {
    if (is_infinity(bound)) return {Piece{}};
    if (relation == '=') return {point(bound)};
    if (relation == 'n') return SetAlgebra::complement({point(bound)});
    const bool closed = relation == 'l' || relation == 'g';
    const bool less = (relation == '<' || relation == 'l') != bound_first;
    if (relation != '<' && relation != '>' && !closed) throw Undecided("no order relation");
    return {less ? Piece{{}, bound, false, closed} : Piece{bound, {}, closed, false}};
  }

  /// The unknowns for which `subject` lies in `allowed`.
  SolutionSet subject_in(Expr subject, NumberSet allowed) {
    // (√x)² < 4 holds for no negative x, which its normal form does not tell.
    if (has_roots(subject)) return {allowed, to_string(subject), false};
    for (int step = 0; step < 8; ++step) {
      budget_.spend(10);
      if (subject.is(Kind::kSymbol)) break;
      if (subject.is(Kind::kFunction, "abs")) {
        allowed = sets_.intersection(allowed, {Piece{number(Rational(0)), {}, true, false}});
        append(allowed, sets_.scaled(allowed, number(Rational(0)), number(Rational(-1))));
        allowed = sets_.joined(std::move(allowed));
        subject = Expr(subject.children[0]);
        continue;
      }
      const std::vector<std::string> names = symbols_of(subject);
      if (names.size() != 1) break;
      // subject = a u + b, where u is the unknown or the one absolute value of it
      const Expr* inner = absolute_value_in(subject);
      const Expr unknown = inner != nullptr ? *inner : node(Kind::kSymbol, {}, names[0]);
      const auto linear = has_denominators(subject) ? std::nullopt : linear_in(subject, unknown);
      if (!linear) break;
      allowed = sets_.scaled(allowed, linear->second, node(Kind::kQuotient, {number(Rational(1)), linear->first}));
      subject = unknown;
    }
    const bool named = subject.is(Kind::kSymbol) || (subject.is(Kind::kFunction) && subject.name[0] == '.');
    const std::vector<std::string> names = symbols_of(subject);
    if (!named && names.size() == 1 && !contains(subject, Kind::kText))
      if (auto numbers = preimage(subject, names[0], allowed)) return {std::move(*numbers), names[0]};
    return {allowed, to_string(subject), named};
  }

  /// The numbers for which a quotient of polynomials lies in `allowed`; none where it is no such quotient or an end is
  /// no rational number.
  std::optional<NumberSet> preimage(const Expr& subject, const std::string& unknown, const NumberSet& allowed) {
    NumberSet all;
    for (const Piece& piece : allowed) {
      NumberSet inside{Piece{}};
      const auto meet = [&](const Expr& bound, char relation) {
        const auto side = univariate_fraction(difference_of(subject, bound), unknown, forms_);
        if (side) inside = sets_.intersection(inside, solutions(*side, relation));
        return side.has_value();
      };
      const bool single = piece.low && piece.high && sets_.order(*piece.low, *piece.high) == 0;
      bool known = true;
      if (single) {
        known = meet(*piece.low, '=');
      } else {
        if (piece.low) known = meet(*piece.low, piece.low_closed ? 'g' : '>');
        if (known && piece.high) known = meet(*piece.high, piece.high_closed ? 'l' : '<');
        if (known && !piece.low && !piece.high) known = meet(number(Rational(0)), '*');
      }
      if (!known) return {};
      append(all, std::move(inside));
    }
    return sets_.joined(std::move(all));
  }

  /// The numbers whose fraction stands in `relation` to 0; '*' is any value.
  NumberSet solutions(const Fraction& fraction, char relation) {
    const Univariate signs = product(fraction.top, fraction.bottom, budget_);
    const auto holds = [&](int sign) {
      return relation == '*' || (sign == 0 && (relation == '=' || relation == 'l' || relation == 'g')) ||
             (sign < 0 && (relation == '<' || relation == 'l')) || (sign > 0 && (relation == '>' || relation == 'g'));
    };
    struct Mark {
      RealRoot root;
      bool is_hole;
    };
    std::vector<Mark> marks;
    const std::vector<RealRoot> holes = real_roots(fraction.excluded, budget_);
    const auto is_hole = [&](const Expr& value) {
      return std::ranges::any_of(holes, [&](const RealRoot& hole) { return sets_.order(hole.value, value) == 0; });
    };
    if (!signs.is_zero())
      for (RealRoot& root : real_roots(signs, budget_)) {
        const bool hole = is_hole(root.value);
        marks.push_back({std::move(root), hole});
      }
    for (const RealRoot& hole : holes) {
      const bool known =
          std::ranges::any_of(marks, [&](const Mark& mark) { return sets_.order(mark.root.value, hole.value) == 0; });
      if (!known) marks.push_back({{hole.value, 0}, true});
    }
    std::ranges::sort(marks, [&](const Mark& a, const Mark& b) { return sets_.order(a.root.value, b.root.value) < 0; });
    // From the right end on: a root of odd multiplicity turns the sign.
    NumberSet result;
    int sign = signs.is_zero() ? 0 : signs.sign_of_leading();
    std::optional<Expr> high;
    for (size_t i = marks.size(); i-- > 0;) {
      const auto& [root, hole] = marks[i];
      if (holds(sign)) result.push_back({root.value, high, false, false});
      if (!hole && holds(0)) result.push_back(point(root.value));
      if (root.multiplicity % 2 == 1) sign = -sign;
      high = root.value;
    }
    if (holds(sign)) result.push_back({{}, high, false, false});
    return sets_.joined(std::move(result));
  }

  /// a and b of a u + b; none where it is no such sum.
  std::optional<std::pair<Expr, Expr>> linear_in(const Expr& subject, const Expr& unknown) {
    const auto at = [&](int64_t value) { return replaced(subject, unknown, number(Rational(value))); };
    const Expr b = at(0), a = difference_of(at(1), b);
    if (!symbols_of(a).empty()) return {};
    const Expr linear = node(Kind::kSum, {node(Kind::kProduct, {a, unknown}), b});
    try {
      if (!forms_.same(forms_.of(subject), forms_.of(linear))) return {};
    } catch (const Undecided&) {
      return {};  // 1/u at 0
    }
    return std::pair(a, b);
  }

  static const Expr* absolute_value_in(const Expr& expr) {
    if (expr.is(Kind::kFunction, "abs")) return &expr;
    for (const Expr& child : expr.children)
      if (const Expr* found = absolute_value_in(child)) return found;
    return nullptr;
  }

  static Expr replaced(const Expr& expr, const Expr& what, const Expr& with) {
    if (expr.kind == what.kind && to_string(expr) == to_string(what)) return with;
    Expr copy{expr.kind, expr.name, expr.value, expr.decimals};
    for (const Expr& child : expr.children) copy.children.push_back(replaced(child, what, with));
    return copy;
  }

  Budget& budget_;
  NormalForms forms_;
  SetAlgebra sets_;
};

}  // namespace

bool is_number_set(const Expr& expr) {
  switch (expr.kind) {
    case Kind::kUnion:
    case Kind::kIntersection:
    case Kind::kDifference:
      return true;
    case Kind::kConstant:
      return expr.name == "reals" || expr.name == "empty";
    case Kind::kTuple:
      return expr.children.size() == 2 &&
             (expr.name != "()" || is_infinity(expr.children[0]) || is_infinity(expr.children[1]));
    default:
      return false;
  }
}

SolutionSet solution_set(const Expr& expr, Budget& budget) { return Solver(budget).solve(expr); }

}  // namespace agro
