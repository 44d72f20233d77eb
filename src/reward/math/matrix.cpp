#include "reward/math/matrix.h"

#include <functional>
#include <utility>

namespace agro {
namespace {

using Rows = std::vector<Expr>;

size_t columns_of(const Expr& matrix) {
  const size_t columns = matrix.children[0].children.size();
  for (const Expr& row : matrix.children)
    if (row.children.size() != columns) throw Undecided("a matrix with rows of different lengths");
  return columns;
}

Expr entrywise(size_t rows, size_t columns, Budget& budget, const std::function<Expr(size_t, size_t)>& entry) {
  Rows result;
  for (size_t i = 0; i < rows; ++i) {
    std::vector<Expr> cells;
    for (size_t j = 0; j < columns; ++j) {
      cells.push_back(entry(i, j));
      for_each_node(cells.back(), [&](const Expr&) { budget.spend(1); });
    }
    result.push_back(node(Kind::kTuple, std::move(cells), "()"));
  }
  return node(Kind::kMatrix, std::move(result));
}

const Expr& cell(const Expr& matrix, size_t i, size_t j) { return matrix.children[i].children[j]; }

Expr sum(const Expr& a, const Expr& b, Budget& budget) {
  if (!a.is(Kind::kMatrix) || !b.is(Kind::kMatrix) || a.children.size() != b.children.size() ||
      columns_of(a) != columns_of(b))
    throw Undecided("a sum of matrices of different shapes");
  return entrywise(a.children.size(), columns_of(a), budget, [&](size_t i, size_t j) {
    return node(Kind::kSum, {cell(a, i, j), cell(b, i, j)});
  });
}

Expr product(const Expr& a, const Expr& b, Budget& budget) {
  const bool left = a.is(Kind::kMatrix), right = b.is(Kind::kMatrix);
  if (!left && !right) return node(Kind::kProduct, {a, b});
  if (left != right) {
    const Expr& matrix = left ? a : b;
    const Expr& scalar = left ? b : a;
    return entrywise(matrix.children.size(), columns_of(matrix), budget, [&](size_t i, size_t j) {
      return node(Kind::kProduct, {scalar, cell(matrix, i, j)});
    });
  }
  const size_t inner = columns_of(a);
  if (inner != b.children.size()) throw Undecided("a product of matrices whose shapes do not fit");
  return entrywise(a.children.size(), columns_of(b), budget, [&](size_t i, size_t j) {
    std::vector<Expr> terms;
    for (size_t k = 0; k < inner; ++k) terms.push_back(node(Kind::kProduct, {cell(a, i, k), cell(b, k, j)}));
    return node(Kind::kSum, std::move(terms));
  });
}

Expr determinant(const Expr& matrix, Budget& budget) {
  const size_t size = matrix.children.size();
  if (columns_of(matrix) != size || size > 4) throw Undecided("the determinant of a large matrix");
  if (size == 1) return cell(matrix, 0, 0);
  std::vector<Expr> terms;
  for (size_t skipped = 0; skipped < size; ++skipped) {
    const Expr minor = entrywise(size - 1, size - 1, budget,
                                 [&](size_t i, size_t j) { return cell(matrix, i + 1, j < skipped ? j : j + 1); });
    Expr term = node(Kind::kProduct, {cell(matrix, 0, skipped), determinant(minor, budget)});
    terms.push_back(skipped % 2 == 0 ? std::move(term) : node(Kind::kNegative, {std::move(term)}));
  }
  return node(Kind::kSum, std::move(terms));
}

Expr transposed(const Expr& matrix, Budget& budget) {
  return entrywise(columns_of(matrix), matrix.children.size(), budget,
                   [&](size_t i, size_t j) { return cell(matrix, j, i); });
}

/// By cofactors over the determinant.
Expr inverse(const Expr& matrix, Budget& budget) {
  const size_t size = matrix.children.size();
  if (columns_of(matrix) != size || size > 3) throw Undecided("the inverse of a large matrix");
  const Expr whole = determinant(matrix, budget);
  return entrywise(size, size, budget, [&](size_t i, size_t j) {
    if (size == 1) return node(Kind::kQuotient, {number(Rational(1)), whole});
    const Expr minor = entrywise(size - 1, size - 1, budget, [&](size_t row, size_t column) {
      return cell(matrix, row < j ? row : row + 1, column < i ? column : column + 1);
    });
    const Expr cofactor = determinant(minor, budget);
    return node(Kind::kQuotient, {(i + j) % 2 == 0 ? cofactor : node(Kind::kNegative, {cofactor}), whole});
  });
}

}  // namespace

Expr fold_matrices(const Expr& expr, Budget& budget) {
  if (!contains(expr, Kind::kMatrix) || expr.is(Kind::kMatrix)) return expr;
  Expr result{expr.kind, expr.name, expr.value, expr.decimals};
  for (const Expr& child : expr.children) result.children.push_back(fold_matrices(child, budget));
  const auto& parts = result.children;
  if (expr.is(Kind::kFunction, "det")) return determinant(parts[0], budget);
  const bool has_matrix = [&] {
    for (const Expr& part : parts)
      if (part.is(Kind::kMatrix)) return true;
    return false;
  }();
  if (!has_matrix) return result;
  if (expr.is(Kind::kSum)) {
    Expr folded = parts[0];
    for (size_t i = 1; i < parts.size(); ++i) folded = sum(folded, parts[i], budget);
    return folded;
  }
  if (expr.is(Kind::kProduct)) {
    std::vector<Expr> scalars, matrices;
    for (const Expr& part : parts) (part.is(Kind::kMatrix) ? matrices : scalars).push_back(part);
    Expr folded = matrices[0];
    for (size_t i = 1; i < matrices.size(); ++i) folded = product(folded, matrices[i], budget);
    return scalars.empty() ? folded : product(node(Kind::kProduct, std::move(scalars)), folded, budget);
  }
  if (expr.is(Kind::kNegative)) return product(number(Rational(-1)), parts[0], budget);
  if (expr.is(Kind::kQuotient))
    return product(node(Kind::kQuotient, {number(Rational(1)), parts[1]}), parts[0], budget);
  if (expr.is(Kind::kPower) && parts[1].is(Kind::kSymbol, "T")) return transposed(parts[0], budget);
  const auto exponent = expr.is(Kind::kPower) ? literal(parts[1]) : std::nullopt;
  if (exponent && *exponent == Rational(-1)) return inverse(parts[0], budget);
  if (exponent && exponent->is_small_integer(8) && exponent->sign() > 0) {
    Expr power = parts[0];
    for (int64_t i = 1; i < exponent->to_int(); ++i) power = product(power, parts[0], budget);
    return power;
  }
  return result;
}

}  // namespace agro
