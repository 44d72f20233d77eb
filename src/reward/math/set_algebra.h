#pragma once
// Union, intersection and complement of sets of real numbers whose ends are formulas.
#include <vector>

#include "reward/math/budget.h"
#include "reward/math/normal_form.h"
#include "reward/math/number_set.h"

namespace agro {

Piece point(const Expr& value);
void append(NumberSet& all, NumberSet more);

class SetAlgebra {
 public:
  SetAlgebra(NormalForms& forms, Budget& budget) : forms_(forms), budget_(budget) {}

  /// The sign of a - b. Throws Undecided, as all below, where it cannot be told.
  int order(const Expr& a, const Expr& b);
  bool is_empty(const Piece& piece);
  /// Pieces put in order and joined where they touch.
  NumberSet joined(NumberSet pieces);
  static NumberSet complement(const NumberSet& set);
  NumberSet intersection(const NumberSet& a, const NumberSet& b);
  /// The numbers (y - shift) × factor.
  NumberSet scaled(const NumberSet& set, const Expr& shift, const Expr& factor);

 private:
  bool starts_before(const Piece& a, const Piece& b);
  /// Nothing lies between the end of `a` and the start of `b`, which does not start before `a`.
  bool touch(const Piece& a, const Piece& b);
  /// `a` ends no earlier than `b`.
  bool reaches(const Piece& a, const Piece& b);

  NormalForms& forms_;
  Budget& budget_;
};

}  // namespace agro
