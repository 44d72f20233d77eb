#include <iterator>
#include <utility>

#include "reward/math/parser_state.h"

// What brackets of all kinds hold: tuples, intervals, sets, groups, matrices, arguments.
namespace agro {

using enum TokenType;

Expr Parser::matrix() {
  std::vector<Expr> rows, cells;
  const auto end_row = [&] {
    if (!cells.empty()) rows.push_back(node(Kind::kTuple, std::move(cells), "()"));
    cells.clear();
  };
  while (!peek().is(kEnd) && !peek().is(kCommand, "end")) {
    if (peek().is(kRow)) {
      ++at_;
      end_row();
    } else if (peek().is_symbol("&")) {
      ++at_;
    } else {
      cells.push_back(relation());
    }
  }
  end_row();
  if (rows.empty()) throw unexpected();
  if (!peek().is(kEnd)) ++at_;
  return node(Kind::kMatrix, std::move(rows));
}

/// The argument of a command: a group, or one token, of a number one digit.
Expr Parser::argument() {
  const Nesting nesting(*this);
  if (peek().is_symbol("{")) {
    ++at_;
    Expr content = list();
    close("}");
    return content;
  }
  if (peek().is(kNumber) && peek().text.size() > 1 && peek().text[0] != '.') {
    Expr digit = number_from(peek().text.substr(0, 1));
    tokens_[at_].text.erase(0, 1);
    tokens_[at_].space_before = false;
    return digit;
  }
  if (peek().is(kNumber)) return number_from(tokens_[at_++].text);
  return primary();
}

Expr Parser::brackets() {
  const std::string open = peek().text;
  if (open == "{") return braces();
  if (open == "\\{") return set();
  if (open == "|") {
    ++bars_;
    ++at_;
    Expr inside = sum();
    --bars_;
    close("|");
    return node(Kind::kFunction, single(std::move(inside)), "abs");
  }
  if (open == "floor(" || open == "ceil(")
    return between(open == "floor(" ? ")floor" : ")ceil", open == "floor(" ? "floor" : "ceil");
  if (open == "...") return node(Kind::kSymbol, {}, tokens_[at_++].text);
  if (open != "(" && open != "[") throw unexpected();
  ++at_;
  const int outer_bars = std::exchange(bars_, 0);
  const bool outer_builder = std::exchange(in_set_builder_, false);
  Expr content = list();
  bars_ = outer_bars;
  in_set_builder_ = outer_builder;
  char right = open == "(" ? ')' : ']';
  if (peek().is_symbol(")") || peek().is_symbol("]")) {
    right = peek().text[0];
    ++at_;
  } else if (!peek().is(kEnd)) {
    throw unexpected();
  }
  if (!content.is(Kind::kList)) return content;
  return node(Kind::kTuple, std::move(content.children), {open[0], right});
}

Expr Parser::between(const std::string& end, const std::string& function) {
  ++at_;
  Expr inside = list();
  close(end);
  return node(Kind::kFunction, single(std::move(inside)), function);
}

/// A TeX group; one with commas is a set written without its backslashes.
Expr Parser::braces() {
  ++at_;
  if (peek().is_symbol("}")) {
    ++at_;
    return starts_factor() ? primary() : throw unexpected();
  }
  Expr content = list();
  close("}");
  if (content.is(Kind::kList)) content.kind = Kind::kSet;
  return content;
}

/// {x | condition} is its condition; where what stands before the bar restricts x, both at once; {2k | k in Z} stands
/// for nothing that could be compared with other sets.
Expr Parser::builder(Expr content, Expr condition) {
  if (content.is(Kind::kSymbol)) return condition;
  if (!content.is(Kind::kRelation)) return node(Kind::kFunction, pair(std::move(content), std::move(condition)), "all");
  const bool real =
      content.name == "i" && content.children[0].is(Kind::kSymbol) && content.children[1].is(Kind::kConstant, "reals");
  if (real) return condition;
  std::vector<Expr> both = single(std::move(content));
  if (condition.is(Kind::kList) && condition.name != "or")
    std::move(condition.children.begin(), condition.children.end(), std::back_inserter(both));
  else
    both.push_back(std::move(condition));
  return node(Kind::kList, std::move(both), "and");
}

/// {a, b} or {x | condition}.
Expr Parser::set() {
  ++at_;
  if (peek().is_symbol("\\}")) {
    ++at_;
    return node(Kind::kConstant, {}, "empty");
  }
  const bool outer = std::exchange(in_set_builder_, true);
  Expr content = list();
  in_set_builder_ = outer;
  if (peek().is_symbol("|") || peek().is_symbol(":")) {
    ++at_;
    Expr condition = list();
    close("\\}");
    return builder(std::move(content), std::move(condition));
  }
  close("\\}");
  std::vector<Expr> items;
  if (content.is(Kind::kList)) {
    items = std::move(content.children);
  } else {
    items.push_back(std::move(content));
  }
  return node(Kind::kSet, std::move(items));
}

}  // namespace agro
