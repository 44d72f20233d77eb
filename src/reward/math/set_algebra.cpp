#include "reward/math/set_algebra.h"

#include <algorithm>

#include "reward/math/evaluate.h"

namespace agro {

Piece point(const Expr& value) { return {value, value, true, true}; }

void append(NumberSet& all, NumberSet more) { std::move(more.begin(), more.end(), std::back_inserter(all)); }

int SetAlgebra::order(const Expr& a, const Expr& b) {
  const auto x = literal(a), y = literal(b);
  if (x && y) return *x < *y ? -1 : *x > *y ? 1 : 0;
  budget_.spend(40);
  if (forms_.same(forms_.of(a), forms_.of(b))) return 0;
  return sign_of(difference_of(a, b), budget_);
}

bool SetAlgebra::is_empty(const Piece& piece) {
  if (!piece.low || !piece.high) return false;
  const int sign = order(*piece.low, *piece.high);
  return sign > 0 || (sign == 0 && !(piece.low_closed && piece.high_closed));
}

NumberSet SetAlgebra::joined(NumberSet pieces) {
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

bool SetAlgebra::starts_before(const Piece& a, const Piece& b) {
  if (!a.low || !b.low) return !a.low && b.low;
  const int sign = order(*a.low, *b.low);
  return sign < 0 || (sign == 0 && a.low_closed && !b.low_closed);
}
bool SetAlgebra::touch(const Piece& a, const Piece& b) {
  if (!a.high || !b.low) return true;
  const int sign = order(*b.low, *a.high);
  return sign < 0 || (sign == 0 && (a.high_closed || b.low_closed));
}
bool SetAlgebra::reaches(const Piece& a, const Piece& b) {
  if (!a.high) return true;
  if (!b.high) return false;
  const int sign = order(*a.high, *b.high);
  return sign > 0 || (sign == 0 && (a.high_closed || !b.high_closed));
}

NumberSet SetAlgebra::complement(const NumberSet& set) {
  NumberSet gaps;
  Piece gap;
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

NumberSet SetAlgebra::intersection(const NumberSet& a, const NumberSet& b) {
  NumberSet outside = complement(a);
  append(outside, complement(b));
  return complement(joined(std::move(outside)));
}

NumberSet SetAlgebra::scaled(const NumberSet& set, const Expr& shift, const Expr& factor) {
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

}  // namespace agro
