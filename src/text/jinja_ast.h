#pragma once
// A parsed template. Expressions are owned by one flat store and refer to each other by pointer, so that a long chain
// of operators is freed without recursion.
#include <deque>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "text/jinja_builtins.h"
#include "text/jinja_operators.h"

namespace agro::detail::jinja {

struct Expression;
using ExpressionRef = const Expression*;  // null where an optional part is absent

struct CallArguments {
  std::vector<ExpressionRef> positional;
  std::vector<std::pair<std::string, ExpressionRef>> named;
};

struct Constant {
  Value value;
};
struct Name {
  std::string name;
};
struct ListLiteral {
  std::vector<ExpressionRef> items;
};
struct DictLiteral {
  std::vector<std::pair<ExpressionRef, ExpressionRef>> entries;
};
struct Not {
  ExpressionRef operand;
};
struct Negation {
  ExpressionRef operand;
};
struct And {
  ExpressionRef left, right;
};
struct Or {
  ExpressionRef left, right;
};
struct Binary {
  BinaryOperator operation;
  ExpressionRef left, right;
};
struct Comparison {  // a < b <= c: every pair must hold
  ExpressionRef first;
  std::vector<std::pair<ComparisonOperator, ExpressionRef>> rest;
};
struct Conditional {
  ExpressionRef condition, then, otherwise;
};
struct Attribute {
  ExpressionRef object;
  std::string name;
};
struct Item {
  ExpressionRef object, key;
};
struct Slice {
  ExpressionRef object, begin, end, step;
};
struct Call {
  ExpressionRef callee;
  CallArguments arguments;
};
struct Filter {
  ExpressionRef input;
  FilterFunction function;
  CallArguments arguments;
};
struct Test {
  ExpressionRef input;
  TestFunction function;
  CallArguments arguments;
};

struct Expression {
  std::variant<Constant, Name, ListLiteral, DictLiteral, Not, Negation, And, Or, Binary, Comparison, Conditional,
               Attribute, Item, Slice, Call, Filter, Test>
      node;
  int line;
};

struct Statement;
using Block = std::vector<Statement>;

/// What set and for assign to: one name, several names that a sequence is unpacked into, or namespace.attribute.
struct Target {
  std::vector<std::string> names;
  bool unpacks = false;
  std::string attribute;
};

struct Text {
  std::string text;
};
struct Output {
  ExpressionRef value;
};
struct Set {
  Target target;
  ExpressionRef value;
};
struct Capture {  // {% set x %}...{% endset %}
  Target target;
  Block body;
};
struct If {
  struct Branch {
    ExpressionRef condition;
    Block body;
  };
  std::vector<Branch> branches;
  Block otherwise;
};
struct For {
  Target target;
  ExpressionRef iterable, condition;
  Block body, otherwise;
};
struct Macro {
  std::string name;
  std::vector<std::pair<std::string, ExpressionRef>> parameters;  // with their defaults
  Block body;
};
struct Break {};
struct Continue {};

struct Statement {
  std::variant<Text, Output, Set, Capture, If, For, Macro, Break, Continue> node;
  int line;
};

struct Template {
  std::deque<Expression> expressions;
  Block body;
};

}  // namespace agro::detail::jinja
