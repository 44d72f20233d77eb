#include "reward/math/number_set.h"

#include <algorithm>

#include "reward/math/evaluate.h"
#include "reward/math/normal_form.h"

namespace agro {
namespace {

bool is_infinity(const Expr& expr) {
  return expr.is(Kind::kConstant, "infinity") || (expr.is(Kind::kNegative) && is_infinity(expr.children[0]));
}

Piece everything() { return {}; }

class Solver {
 public:
  explicit Solver(Budget& budget) : budget_(budget), forms_(budget) {}

  SolutionSet solve(const Expr& expr) {
    switch (expr.kind) {
      case Kind::kConstant:
        if (expr.name == "reals") return {{everything()}, ""};
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
        return {joined(std::move(all)), ""};
      }
      case Kind::kIntersection: {
        NumberSet common = solve(expr.children[0]).numbers;
        for (size_t i = 1; i < expr.children.size(); ++i)
          common = intersection(common, solve(expr.children[i]).numbers);
        return {common, ""};
      }
      case Kind::kDifference: {
        NumberSet rest = solve(expr.children[0]).numbers;
        for (size_t i = 1; i < expr.children.size(); ++i)
          rest = intersection(rest, complement(solve(expr.children[i]).numbers));
        return {rest, ""};
      }
      case Kind::kRelation:
        return relation(expr);
      default:
        return {{point(expr)}, ""};
    }
  }

 private:
  static Piece point(const Expr& value) { return {value, value, true, true}; }
  static void append(NumberSet& all, NumberSet more) { std::move(more.begin(), more.end(), std::back_inserter(all)); }

  /// The sign of a - b.
  int order(const Expr& a, const Expr& b) {
    const auto x = literal(a), y = literal(b);
    if (x && y) return *x < *y ? -1 : *x > *y ? 1 : 0;
    if (forms_.same(forms_.of(a), forms_.of(b))) return 0;
    return sign_of(difference_of(a, b), budget_);
  }

  NumberSet interval(const Expr& expr) {
    if (expr.children.size() != 2) throw Undecided("no interval: " + brief(expr));
    Piece piece{{}, {}, expr.name[0] == '[', expr.name[1] == ']'};
    if (!is_infinity(expr.children[0])) piece.low = expr.children[0];
    if (!is_infinity(expr.children[1])) piece.high = expr.children[1];
    piece.low_closed = piece.low_closed && piece.low;
    piece.high_closed = piece.high_closed && piece.high;
    return is_empty(piece) ? NumberSet{} : NumberSet{piece};
  }

  bool is_empty(const Piece& piece) {
    if (!piece.low || !piece.high) return false;
    const int sign = order(*piece.low, *piece.high);
    return sign > 0 || (sign == 0 && !(piece.low_closed && piece.high_closed));
  }

  /// Pieces put in order and joined where they touch.
  NumberSet joined(NumberSet pieces) {
    budget_.spend(static_cast<int64_t>(pieces.size() * pieces.size()) / 4);
    std::sort(pieces.begin(), pieces.end(), [&](const Piece& a, const Piece& b) { return starts_before(a, b); });
    NumberSet result;
    for (Piece& piece : pieces) {
      if (!result.empty() && touch(result.back(), piece)) {
        if (!reaches(result.back(), piece)) {
          result.back().high = piece.high;
          result.back().high_closed = piece.high_closed;
        }
      } else {
        result.push_back(std::move(piece));
      }
    }
    return result;
  }

  bool starts_before(const Piece& a, const Piece& b) {
    if (!a.low || !b.low) return !a.low && b.low;
    const int sign = order(*a.low, *b.low);
    return sign < 0 || (sign == 0 && a.low_closed && !b.low_closed);
  }
  /// Nothing lies between the end of `a` and the start of `b`, which does not start before `a`.
  bool touch(const Piece& a, const Piece& b) {
    if (!a.high || !b.low) return true;
    const int sign = order(*b.low, *a.high);
    return sign < 0 || (sign == 0 && (a.high_closed || b.low_closed));
  }
  /// `a` ends no earlier than `b`.
  bool reaches(const Piece& a, const Piece& b) {
    if (!a.high) return true;
    if (!b.high) return false;
    const int sign = order(*a.high, *b.high);
    return sign > 0 || (sign == 0 && (a.high_closed || !b.high_closed));
  }

  static NumberSet complement(const NumberSet& set) {
    NumberSet gaps;
    Piece gap = everything();
    bool open_end = true;
    for (const Piece& piece : set) {
      if (piece.low) {
        gap.high = piece.low;
        gap.high_closed = !piece.low_closed;
        gaps.push_back(gap);
      }
      open_end = piece.high.has_value();
      gap = {piece.high, {}, !piece.high_closed, false};
    }
    if (open_end) gaps.push_back(gap);
    return gaps;
  }

  NumberSet intersection(const NumberSet& a, const NumberSet& b) {
    NumberSet outside = complement(a);
    append(outside, complement(b));
    return complement(joined(std::move(outside)));
  }

  /// Relations side by side: "x < 1 or x > 3" where nothing satisfies both, else all at once.
  SolutionSet several(const Expr& expr) {
    NumberSet all, common{everything()};
    std::string unknown;
    bool relations = true, solved = true;
    for (const Expr& child : expr.children) {
      const SolutionSet one = solve(child);
      relations = relations && child.is(Kind::kRelation) && child.name != "=";
      if (unknown.empty()) unknown = one.unknown;
      if (unknown != one.unknown) throw Undecided("relations of more than one unknown");
      solved = solved && one.solved;
      append(all, one.numbers);
      if (relations) common = intersection(common, one.numbers);
    }
    if (relations && !common.empty()) return {common, unknown, solved};
    return {joined(std::move(all)), unknown, solved};
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
    if (unknown_sides == 2 && sides.size() == 2)
      return subject_in(difference_of(sides[0], sides[1]), half_line(expr.name[0], number(Rational(0)), false));
    if (unknown_sides > 1) throw Undecided("a relation of more than one unknown");
    NumberSet allowed{everything()};
    if (subject > 0) allowed = intersection(allowed, half_line(expr.name[subject - 1], sides[subject - 1], true));
    if (subject + 1 < sides.size())
      allowed = intersection(allowed, half_line(expr.name[subject], sides[subject + 1], false));
    if (sides.size() > 3) throw Undecided("a long chain of relations");
    return subject_in(sides[subject], allowed);
  }

  /// The y with y R bound, or with bound R y.
  NumberSet half_line(char relation, const Expr& bound, bool bound_first) {
    if (is_infinity(bound)) return {everything()};
    if (relation == '=') return {point(bound)};
    if (relation == 'n') return complement({point(bound)});
    const bool closed = relation == 'l' || relation == 'g';
    const bool less = (relation == '<' || relation == 'l') != bound_first;
    if (relation != '<' && relation != '>' && !closed) throw Undecided("no order relation");
    return {less ? Piece{{}, bound, false, closed} : Piece{bound, {}, closed, false}};
  }

  /// The unknowns for which `subject` lies in `allowed`.
  SolutionSet subject_in(Expr subject, NumberSet allowed) {
    for (int step = 0; step < 8; ++step) {
      budget_.spend(10);
      if (subject.is(Kind::kSymbol)) break;
      if (subject.is(Kind::kFunction, "abs")) {
        allowed = intersection(allowed, {Piece{number(Rational(0)), {}, true, false}});
        append(allowed, scaled(allowed, number(Rational(0)), number(Rational(-1))));
        allowed = joined(std::move(allowed));
        subject = Expr(subject.children[0]);
        continue;
      }
      const Expr* inner = absolute_value_in(subject);
      const std::vector<std::string> names = symbols_of(subject);
      if (names.size() != 1) break;
      // subject = a u + b, where u is the unknown or the one absolute value of it
      const Expr unknown = inner != nullptr ? *inner : node(Kind::kSymbol, {}, names[0]);
      const auto at = [&](int64_t value) { return replaced(subject, unknown, number(Rational(value))); };
      const Expr b = at(0), a = difference_of(at(1), b);
      const Expr linear = node(Kind::kSum, {node(Kind::kProduct, {a, unknown}), b});
      if (!symbols_of(a).empty() || !forms_.same(forms_.of(subject), forms_.of(linear))) break;
      Expr factor = node(Kind::kQuotient, {number(Rational(1)), a});
      allowed = scaled(allowed, b, factor);
      subject = unknown;
    }
    const bool named = subject.is(Kind::kSymbol) || (subject.is(Kind::kFunction) && subject.name[0] == '.');
    return {allowed, to_string(subject), named};
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

  /// The numbers (y - shift) × factor.
  NumberSet scaled(const NumberSet& set, const Expr& shift, const Expr& factor) {
    const bool flip = sign_of(factor, budget_) < 0;
    const auto moved = [&](const std::optional<Expr>& end) -> std::optional<Expr> {
      if (!end) return {};
      return node(Kind::kProduct, {difference_of(*end, shift), factor});
    };
    NumberSet result;
    for (const Piece& piece : set) {
      Piece image{moved(piece.low), moved(piece.high), piece.low_closed, piece.high_closed};
      if (flip) {
        std::swap(image.low, image.high);
        std::swap(image.low_closed, image.high_closed);
      }
      result.push_back(std::move(image));
    }
    if (flip) std::reverse(result.begin(), result.end());
    return result;
  }

  Budget& budget_;
  NormalForms forms_;
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
