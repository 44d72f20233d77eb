#include "text/jinja_evaluator.h"

#include <algorithm>
#include <deque>
#include <map>
#include <unordered_map>

namespace agro::detail::jinja {
namespace {

constexpr int kMaxDepth = 400;
constexpr size_t kScope = 8 * Meter::kStep;  // work of opening a scope

struct Scope {
  const Scope* parent;
  std::unordered_map<std::string, Value> variables;

  const Value* find(const std::string& name) const {
    for (const Scope* scope = this; scope; scope = scope->parent) {
      if (const auto found = scope->variables.find(name); found != scope->variables.end()) return &found->second;
    }
    return nullptr;
  }
};

class Evaluator {
 public:
  std::string run(const Template& source, std::vector<Dict::Entry> variables) {
    root_.variables.emplace("namespace", Function{"namespace", [this](const Arguments& arguments, Meter&) {
                                                    return make_namespace(arguments);
                                                  }});
    for (auto& [name, value] : global_functions()) root_.variables.emplace(name, std::move(value));
    for (auto& [name, value] : variables) root_.variables.insert_or_assign(std::move(name), std::move(value));
    try {
      run(source.body);
    } catch (Error& error) {
      throw std::move(error).at(fmt::format("line {}", line_));
    }
    return std::move(out_);
  }

 private:
  enum class Flow { next, break_loop, continue_loop };

  // One level of the walk through the template; bounds recursion by macros and by long chains of operators.
  class Level {
   public:
    Level(Evaluator& evaluator, int line) : evaluator_(evaluator) {
      evaluator_.line_ = line;
      evaluator_.meter_.spend(Meter::kStep);
      if (evaluator_.depth_ == kMaxDepth) throw fail("the template recurses more than {} deep", kMaxDepth);
      ++evaluator_.depth_;
    }
    ~Level() { --evaluator_.depth_; }
    Level(const Level&) = delete;
    Level& operator=(const Level&) = delete;

   private:
    Evaluator& evaluator_;
  };

  // Makes `scope` the current one for as long as it lives.
  class Inside {
   public:
    Inside(Evaluator& evaluator, Scope& scope) : evaluator_(evaluator), outer_(evaluator.scope_) {
      evaluator_.scope_ = &scope;
    }
    ~Inside() { evaluator_.scope_ = outer_; }
    Inside(const Inside&) = delete;
    Inside& operator=(const Inside&) = delete;

   private:
    Evaluator& evaluator_;
    Scope* outer_;
  };

  Flow run(const Block& block) {
    for (const Statement& statement : block) {
      const Level level(*this, statement.line);
      const Flow flow = std::visit([this](const auto& node) { return execute(node); }, statement.node);
      if (flow != Flow::next) return flow;
    }
    return Flow::next;
  }

  Flow execute(const Text& node) { return print(node.text); }
  Flow execute(const Output& node) {
    const Value value = evaluate(node.value);
    return print(value.string() ? *value.string() : to_text(value, meter_));
  }
  Flow execute(const Break&) { return Flow::break_loop; }
  Flow execute(const Continue&) { return Flow::continue_loop; }

  Flow execute(const Set& node) {
    assign(node.target, evaluate(node.value));
    return Flow::next;
  }

  Flow execute(const Capture& node) {
    Scope scope{scope_, {}};
    assign(node.target, captured(node.body, scope));
    return Flow::next;
  }

  Flow execute(const If& node) {
    for (const auto& branch : node.branches) {
      if (is_true(evaluate(branch.condition))) return run(branch.body);
    }
    return run(node.otherwise);
  }

  Flow execute(const For& node) {
    auto items = iterate(evaluate(node.iterable), meter_);
    if (node.condition) items = selected(node, *items);
    if (items->items.empty()) return run(node.otherwise);
    for (size_t i = 0; i < items->items.size(); ++i) {
      meter_.spend(kScope);
      Scope scope{scope_, {}};
      const Inside inside(*this, scope);
      scope.variables.emplace("loop", std::make_shared<const Loop>(Loop{items, i}));
      assign(node.target, items->items[i]);
      if (run(node.body) == Flow::break_loop) break;
    }
    return Flow::next;
  }

  Flow execute(const Macro& node) {
    scope_->variables.insert_or_assign(
        node.name,
        Function{node.name, [this, &node](const Arguments& arguments, Meter&) { return call(node, arguments); }});
    return Flow::next;
  }

  std::shared_ptr<const List> selected(const For& node, const List& items) {
    std::vector<Value> kept;
    for (const Value& item : items.items) {
      meter_.spend(kScope);
      Scope scope{scope_, {}};
      const Inside inside(*this, scope);
      assign(node.target, item);
      if (is_true(evaluate(node.condition))) kept.push_back(item);
    }
    return Value::list(std::move(kept)).shared_list();
  }

  // A macro sees its arguments and the variables of the whole template, not those of the place that calls it.
  Value call(const Macro& macro, const Arguments& arguments) {
    const int caller_line = line_;
    Scope scope{&root_, {}};
    if (arguments.positional.size() > macro.parameters.size()) {
      throw fail("{} takes at most {} arguments, found {}", macro.name, macro.parameters.size(),
                 arguments.positional.size());
    }
    for (const auto& [name, value] : arguments.named) {
      if (std::ranges::find(macro.parameters, name, &std::pair<std::string, ExpressionRef>::first) ==
          macro.parameters.end()) {
        throw fail("{} has no parameter '{}'", macro.name, name);
      }
      scope.variables.emplace(name, value);
    }
    const Inside inside(*this, scope);
    for (size_t i = 0; i < macro.parameters.size(); ++i) {
      const auto& [name, fallback] = macro.parameters[i];
      if (i < arguments.positional.size()) {
        scope.variables.insert_or_assign(name, arguments.positional[i]);
      } else if (!scope.variables.contains(name)) {
        scope.variables.emplace(
            name, fallback ? evaluate(fallback) : Value::undefined(fmt::format("parameter '{}' was not given", name)));
      }
    }
    Value result = captured(macro.body, scope);
    line_ = caller_line;
    return result;
  }

  // What `body` prints, run in `scope`.
  Value captured(const Block& body, Scope& scope) {
    const Inside inside(*this, scope);
    std::string outer = std::exchange(out_, {});
    run(body);
    return std::exchange(out_, std::move(outer));
  }

  Flow print(std::string_view text) {
    meter_.spend(text.size());
    out_ += text;
    return Flow::next;
  }

  Value make_namespace(const Arguments& arguments) {
    if (!arguments.positional.empty()) throw fail("namespace takes named arguments only");
    return &namespaces_.emplace_back(Namespace{{arguments.named.begin(), arguments.named.end()}});
  }

  void assign(const Target& target, const Value& value) {
    if (!target.attribute.empty()) return assign_attribute(target, value);
    if (!target.unpacks) return assign(target.names[0], value);
    const auto parts = iterate(value, meter_);
    if (parts->items.size() != target.names.size()) {
      throw fail("expected {} values to unpack, found {}", target.names.size(), parts->items.size());
    }
    for (size_t i = 0; i < target.names.size(); ++i) assign(target.names[i], parts->items[i]);
  }

  void assign(const std::string& name, const Value& value) { scope_->variables.insert_or_assign(name, value); }

  void assign_attribute(const Target& target, const Value& value) {
    const Value* const holder = scope_->find(target.names[0]);
    Namespace* const space = holder ? holder->space() : nullptr;
    if (!space) throw fail("'{}' is not a namespace: only a namespace's attributes can be set", target.names[0]);
    space->attributes.insert_or_assign(target.attribute, value);
  }

  Value evaluate(ExpressionRef expression) {
    if (!expression) return None{};
    const Level level(*this, expression->line);
    return std::visit([this](const auto& node) { return compute(node); }, expression->node);
  }

  Value compute(const Constant& node) { return node.value; }
  Value compute(const Name& node) {
    const Value* const found = scope_->find(node.name);
    return found ? *found : Value::undefined(fmt::format("'{}' is undefined", node.name));
  }
  Value compute(const ListLiteral& node) {
    std::vector<Value> items;
    for (const ExpressionRef item : node.items) items.push_back(evaluate(item));
    return Value::list(std::move(items));
  }
  Value compute(const DictLiteral& node) {
    std::vector<Dict::Entry> entries;
    for (const auto& [key, value] : node.entries) {
      const Value name = evaluate(key);
      if (!name.string()) throw fail("a dict's key must be a string, not {}", type_name(name));
      entries.emplace_back(*name.string(), evaluate(value));
    }
    return Dict(std::move(entries));
  }
  Value compute(const Not& node) { return !is_true(evaluate(node.operand)); }
  Value compute(const Negation& node) { return negate(evaluate(node.operand)); }
  Value compute(const And& node) {
    Value left = evaluate(node.left);
    return is_true(left) ? evaluate(node.right) : left;
  }
  Value compute(const Or& node) {
    Value left = evaluate(node.left);
    return is_true(left) ? left : evaluate(node.right);
  }
  Value compute(const Binary& node) {
    const Value left = evaluate(node.left);
    return apply(node.operation, left, evaluate(node.right), meter_);
  }
  Value compute(const Comparison& node) {
    Value left = evaluate(node.first);
    for (const auto& [operation, operand] : node.rest) {
      Value right = evaluate(operand);
      if (!holds(operation, left, right, meter_)) return false;
      left = std::move(right);
    }
    return true;
  }
  Value compute(const Conditional& node) {
    if (is_true(evaluate(node.condition))) return evaluate(node.then);
    return node.otherwise ? evaluate(node.otherwise) : Value::undefined("the condition is false and there is no else");
  }
  Value compute(const Attribute& node) { return attribute(evaluate(node.object), node.name); }
  Value compute(const Item& node) {
    const Value object = evaluate(node.object);
    return item(object, evaluate(node.key), meter_);
  }
  Value compute(const Slice& node) {
    const Value object = evaluate(node.object), begin = evaluate(node.begin), end = evaluate(node.end);
    return slice(object, begin, end, evaluate(node.step), meter_);
  }
  Value compute(const Call& node) {
    const Value callee = evaluate(node.callee);
    require_defined(callee);
    if (!callee.function()) throw fail("a value of type {} cannot be called", type_name(callee));
    return callee.function()->call(evaluate(node.arguments), meter_);
  }
  Value compute(const Filter& node) {
    const Value input = evaluate(node.input);
    return node.function(input, evaluate(node.arguments), meter_);
  }
  Value compute(const Test& node) {
    const Value input = evaluate(node.input);
    return node.function(input, evaluate(node.arguments), meter_);
  }

  Arguments evaluate(const CallArguments& arguments) {
    Arguments values;
    for (const ExpressionRef argument : arguments.positional) values.positional.push_back(evaluate(argument));
    for (const auto& [name, argument] : arguments.named) values.named.emplace_back(name, evaluate(argument));
    return values;
  }

  Meter meter_;
  std::deque<Namespace> namespaces_;  // values refer to them, so that a namespace may hold itself
  Scope root_{nullptr, {}};
  Scope* scope_ = &root_;
  std::string out_;
  int depth_ = 0;
  int line_ = 1;
};

}  // namespace

std::string render(const Template& source, std::vector<Dict::Entry> variables) {
  return Evaluator().run(source, std::move(variables));
}

}  // namespace agro::detail::jinja
