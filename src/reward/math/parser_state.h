#pragma once
// The recursive descent behind parse_math: one method for each level of binding.
#include <string>
#include <utility>
#include <vector>

#include "reward/math/budget.h"
#include "reward/math/expr.h"
#include "reward/math/lexer.h"

namespace agro {

class Parser {
 public:
  Parser(std::vector<Token> tokens, Budget& budget) : tokens_(std::move(tokens)), budget_(budget) {}

  /// Everything up to the end; what is left over is an error.
  Expr whole();

 private:
  /// Counts one level of recursion while it lives.
  class Nesting {
   public:
    explicit Nesting(Parser& parser) : parser_(parser) {
      if (++parser_.nesting_ > 2 * Expr::kMaxNesting) throw Undecided("nested too deep");
      parser_.budget_.spend(2);
    }
    ~Nesting() { --parser_.nesting_; }
    Nesting(const Nesting&) = delete;
    Nesting& operator=(const Nesting&) = delete;

   private:
    Parser& parser_;
  };

  // parser.cpp
  Expr list();
  Expr relation();
  Expr set_operation();
  Expr ratio();
  Expr sum();
  static Expr negated(Expr value);
  Expr product();
  Expr quantity();
  Expr signed_power();
  Expr power();
  Expr power_exponent();
  Expr postfix(Expr value);
  Expr with_unit(Expr value);
  Expr degrees(Expr value);

  // parser_primary.cpp
  Expr primary();
  Expr literal_number();
  Expr text();
  Expr symbol();
  Expr function();
  Expr function_argument();
  Expr command();
  Expr fraction();
  Expr root();
  Expr big_operator();
  std::string script();
  bool is_inverse(size_t at) const;
  bool defines_function() const;

  // parser_group.cpp
  Expr matrix();
  Expr brackets();
  Expr braces();
  Expr set();
  static Expr builder(Expr content, Expr condition);
  Expr between(const std::string& close, const std::string& function);
  Expr argument();

  const Token& peek() const { return tokens_[at_]; }
  static bool is_sign(const Token& token) {
    return token.is_symbol("-") || token.is_symbol("+") || token.is_symbol("pm") || token.is_symbol("mp");
  }
  bool starts_factor() const;
  bool ends_group() const;
  void close(const std::string& symbol);
  Undecided unexpected() const;

  /// Bounds constructs that deepen the tree in a loop rather than by recursion: at most kMaxNesting levels on any way
  /// from the root.
  class LoopDepth {
   public:
    explicit LoopDepth(Parser& parser) : parser_(parser), outer_(parser.loop_depth_) {}
    ~LoopDepth() { parser_.loop_depth_ = outer_; }
    LoopDepth(const LoopDepth&) = delete;
    LoopDepth& operator=(const LoopDepth&) = delete;
    void deepen() {
      if (++parser_.loop_depth_ > Expr::kMaxNesting) throw Undecided("nested too deep");
    }

   private:
    Parser& parser_;
    int outer_;
  };
  static std::vector<Expr> single(Expr child) {
    std::vector<Expr> children;
    children.push_back(std::move(child));
    return children;
  }
  static std::vector<Expr> pair(Expr first, Expr second) {
    std::vector<Expr> children = single(std::move(first));
    children.push_back(std::move(second));
    return children;
  }

  std::vector<Token> tokens_;
  Budget& budget_;
  size_t at_ = 0;
  int nesting_ = 0;
  int loop_depth_ = 0;
  int bars_ = 0;  // open |
  bool in_set_builder_ = false;
};

/// The digits of a number token to its value.
Expr number_from(const std::string& digits);

}  // namespace agro
