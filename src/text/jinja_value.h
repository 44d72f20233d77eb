#pragma once
// What a template computes with: Python's data model as far as chat templates see it. Values are immutable and shared
// (transformers' sandbox forbids mutation too); only a namespace changes, and it is owned by the rendering.
#include <concepts>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <variant>
#include <vector>

#include "core/json.h"
#include "text/jinja_meter.h"

namespace agro::detail::jinja {

struct List;
class Dict;
struct Namespace;
struct Loop;
struct Function;

/// A name, key or position that does not exist; `reason` is the message of an error that needs the value.
struct Undefined {
  std::shared_ptr<const std::string> reason;
};
struct None {};

class Value {
 public:
  Value() = default;
  Value(None none) : data_(none) {}
  template <std::same_as<bool> B>
  Value(B value) : data_(value) {}
  template <std::integral I>
  requires(!std::same_as<I, bool>) Value(I value) : data_(static_cast<int64_t>(value)) {}
  Value(double value) : data_(value) {}
  Value(std::string value) : data_(std::make_shared<const std::string>(std::move(value))) {}
  Value(std::string_view value) : Value(std::string(value)) {}
  Value(const char* value) : Value(std::string(value)) {}
  Value(std::shared_ptr<const List> list) : data_(std::move(list)) {}
  Value(std::shared_ptr<const Loop> loop) : data_(std::move(loop)) {}
  Value(Namespace* space) : data_(space) {}
  Value(Function function);
  Value(Dict dict);

  /// Throws Error where the result would nest more than kMaxDepth deep.
  static Value list(std::vector<Value> items);
  static Value undefined(std::string reason);

  /// The content if the value is of that kind, else null.
  const std::string* string() const { return get<std::string>(); }
  const List* list() const { return get<List>(); }
  const Dict* dict() const { return get<Dict>(); }
  const Loop* loop() const { return get<Loop>(); }
  const Function* function() const { return get<Function>(); }
  const Undefined* undefined() const { return std::get_if<Undefined>(&data_); }
  const bool* boolean() const { return std::get_if<bool>(&data_); }
  const double* real() const { return std::get_if<double>(&data_); }
  Namespace* space() const { return std::holds_alternative<Namespace*>(data_) ? std::get<Namespace*>(data_) : nullptr; }
  bool is_none() const { return std::holds_alternative<None>(data_); }
  bool is_integer() const { return std::holds_alternative<int64_t>(data_); }
  bool is_number() const { return number().has_value(); }

  /// An integer or a boolean as Python's int.
  std::optional<int64_t> integer() const;
  /// An integer, boolean or float.
  std::optional<double> number() const;
  const std::shared_ptr<const List>& shared_list() const { return std::get<std::shared_ptr<const List>>(data_); }

  static constexpr int kMaxDepth = 128;
  int depth() const;

 private:
  template <class T>
  const T* get() const {
    const auto* shared = std::get_if<std::shared_ptr<const T>>(&data_);
    return shared ? shared->get() : nullptr;
  }

  std::variant<Undefined, None, bool, int64_t, double, std::shared_ptr<const std::string>, std::shared_ptr<const List>,
               std::shared_ptr<const Dict>, std::shared_ptr<const Loop>, std::shared_ptr<const Function>, Namespace*>
      data_;
};

/// A list or a tuple: chat templates cannot tell them apart except by printing one.
struct List {
  std::vector<Value> items;
  int depth = 1;
};

/// A dictionary with string keys, in order of insertion.
class Dict {
 public:
  using Entry = std::pair<std::string, Value>;

  /// A repeated key keeps its first place and takes the last value.
  explicit Dict(std::vector<Entry> entries);
  Dict(Dict&&) = default;

  const std::vector<Entry>& entries() const { return entries_; }
  const Value* find(std::string_view key) const;
  int depth() const { return depth_; }

 private:
  std::vector<Entry> entries_;
  std::unordered_map<std::string_view, size_t> places_;  // views into entries_, which never changes
  int depth_ = 1;
};

/// namespace(): the one thing a template can assign to from inside a loop.
struct Namespace {
  std::map<std::string, Value, std::less<>> attributes;
};

/// The variable `loop` of one iteration.
struct Loop {
  std::shared_ptr<const List> items;
  size_t index;
};

struct Arguments;
struct Function {
  std::string name;
  std::function<Value(const Arguments&, Meter&)> call;
  int depth = 0;  // of the value that `call` holds
};

/// Python's name of the type, for messages.
std::string_view type_name(const Value& value);
/// Message of an operation that needs a value which is undefined; throws Error.
void require_defined(const Value& value);

bool is_true(const Value& value);
bool equal(const Value& left, const Value& right, Meter& meter);
/// Negative, zero or positive as left is below, equal to or above right. Throws Error for types without an order.
int compare(const Value& left, const Value& right, Meter& meter);

/// What {{ value }} prints, Python's str(): undefined is empty, a list is written as its source.
std::string to_text(const Value& value, Meter& meter);

Value from_json(const OrderedJson& json);

/// json.dumps(value, ensure_ascii=False, ...). Throws Error for a value that JSON cannot express.
struct JsonStyle {
  std::optional<int64_t> indent;
  std::string item_separator = ", ";
  std::string key_separator = ": ";
  bool sort_keys = false;
};
std::string to_json(const Value& value, const JsonStyle& style, Meter& meter);

/// Shortest decimal that reads back as the same number, as Python writes it; inf and nan as given.
std::string real_text(double value, std::string_view inf, std::string_view nan);

}  // namespace agro::detail::jinja
