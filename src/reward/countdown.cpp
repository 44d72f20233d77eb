#include "reward/countdown.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <numeric>
#include <optional>
#include <vector>

#include "core/ascii.h"
#include "reward/excerpt.h"

namespace agro {
namespace {

constexpr size_t npos = std::string_view::npos;
constexpr size_t kLongestExpression = 2000;
constexpr size_t kLongestNumber = 15;  // digits: any sum or product of two is within 64 bits or refused

struct Task {
  int64_t target = 0;
  std::vector<int64_t> numbers;  // ascending
};

/// The number at the start of the text, taken off it.
std::optional<int64_t> take_number(std::string_view& text) {
  size_t end = 0;
  while (end < text.size() && is_digit(text[end])) ++end;
  if (end == 0 || end > kLongestNumber) return {};
  int64_t value = 0;
  for (const char c : text.substr(0, end)) value = 10 * value + (c - '0');
  text.remove_prefix(end);
  return value;
}

std::optional<Task> read_task(std::string_view gold) {
  constexpr std::string_view kFrom = " from ";
  Task task;
  std::string_view rest = trimmed(gold);
  const auto target = take_number(rest);
  if (!target || !rest.starts_with(kFrom)) return {};
  task.target = *target;
  rest.remove_prefix(kFrom.size());
  while (true) {
    const auto number = take_number(rest);
    if (!number) return {};
    task.numbers.push_back(*number);
    if (rest.empty()) break;
    const size_t next = rest.find_first_not_of(", ");
    if (next == 0 || next == npos) return {};
    rest.remove_prefix(next);
  }
  std::sort(task.numbers.begin(), task.numbers.end());
  return task;
}

/// The line or group that holds the expression.
std::string_view find_expression(std::string_view pred) {
  constexpr std::string_view kMark = "####", kBox = "\\boxed{", kOpen = "<answer>", kClose = "</answer>";
  if (const size_t mark = pred.rfind(kMark); mark != npos) {
    const std::string_view rest = pred.substr(mark + kMark.size());
    return trimmed(rest.substr(0, rest.find('\n')));
  }
  if (const size_t box = pred.rfind(kBox); box != npos) {
    int depth = 1;
    for (size_t i = box + kBox.size(); i < pred.size(); ++i) {
      depth += pred[i] == '{' ? 1 : pred[i] == '}' ? -1 : 0;
      if (depth == 0) return trimmed(pred.substr(box + kBox.size(), i - box - kBox.size()));
    }
  }
  if (const size_t open = pred.rfind(kOpen); open != npos) {
    const std::string_view rest = pred.substr(open + kOpen.size());
    return trimmed(rest.substr(0, rest.find(kClose)));
  }
  const std::string_view text = trimmed(pred);
  const size_t line = text.rfind('\n');
  return trimmed(line == npos ? text : text.substr(line + 1));
}

/// Without "= 128" after or "128 =" before it.
std::string_view without_result(std::string_view text, int64_t target) {
  const size_t equals = text.find('=');
  if (equals == npos) return text;
  const std::string_view left = trimmed(text.substr(0, equals)), right = trimmed(text.substr(equals + 1));
  const std::string number = std::to_string(target);
  if (right == number || right == number + '.' || right.empty()) return left;
  return left == number ? right : text;
}

struct Value {
  int64_t num = 0, den = 1;
};

struct Written {
  std::string_view text;
  char meaning;  // ' ' means nothing
};
constexpr std::array<Written, 14> kSigns = {{{"\\times", '*'},
                                             {"\\cdot", '*'},
                                             {"\\div", '/'},
                                             {"\\left", ' '},
                                             {"\\right", ' '},
                                             {"\u00d7", '*'},
                                             {"\u00b7", '*'},
                                             {"\u22c5", '*'},
                                             {"\u00f7", '/'},
                                             {"\u2212", '-'},
                                             {"[", '('},
                                             {"]", ')'},
                                             {"$", ' '},
                                             {" ", ' '}}};

/// Evaluates as it reads, with a stack for values and one for operations.
class Calculator {
 public:
  /// What is wrong with the expression; empty: nothing.
  std::string read(std::string_view text) {
    while (!text.empty()) {
      if (is_digit(text.front())) {
        if (!expects_value_) return "two numbers stand side by side";
        const auto number = take_number(text);
        if (!number) return "a number is too long";
        numbers_.push_back(*number);
        values_.push_back({*number, 1});
        expects_value_ = false;
        continue;
      }
      char sign = text.front();
      size_t length = 1;
      for (const Written& written : kSigns) {
        if (!text.starts_with(written.text)) continue;
        sign = written.meaning, length = written.text.size();
        break;
      }
      if (const std::string wrong = take_sign(sign); !wrong.empty()) return wrong;
      text.remove_prefix(length);
    }
    if (expects_value_) return "the expression breaks off";
    while (!signs_.empty()) {
      if (signs_.back() == '(') return "a bracket is not closed";
      if (!apply_last()) return "a step has no result";
    }
    return {};
  }

  Value value() const { return values_.back(); }
  std::vector<int64_t>& numbers() { return numbers_; }

 private:
  static int rank(char sign) { return sign == '(' ? 0 : sign == '+' || sign == '-' ? 1 : 2; }

  std::string take_sign(char sign) {
    if (sign == ' ') return {};
    if (sign == '(') {
      if (!expects_value_) return "an operation is missing before a bracket";
      signs_.push_back('(');
      return {};
    }
    if (sign != ')' && sign != '+' && sign != '-' && sign != '*' && sign != '/')
      return "it is no expression of numbers, + - * / and brackets";
    if (expects_value_) return fmt::format("a number is missing before '{}'", sign);
    while (!signs_.empty() && signs_.back() != '(' && (sign == ')' || rank(signs_.back()) >= rank(sign)))
      if (!apply_last()) return "a step has no result";
    if (sign != ')') {
      signs_.push_back(sign);
      expects_value_ = true;
      return {};
    }
    if (signs_.empty()) return "a bracket closes that was not opened";
    signs_.pop_back();
    return {};
  }

  /// False for a division by 0 and for numbers beyond 64 bits.
  bool apply_last() {
    const char sign = signs_.back();
    signs_.pop_back();
    Value right = values_.back();
    values_.pop_back();
    Value& left = values_.back();
    if (sign == '/') {
      if (right.num == 0) return false;
      right = right.num < 0 ? Value{-right.den, -right.num} : Value{right.den, right.num};
    }
    int64_t num = 0, den = 0;
    if (sign == '+' || sign == '-') {
      int64_t a = 0, b = 0;
      if (__builtin_mul_overflow(left.num, right.den, &a) || __builtin_mul_overflow(right.num, left.den, &b) ||
          (sign == '+' ? __builtin_add_overflow(a, b, &num) : __builtin_sub_overflow(a, b, &num)))
        return false;
    } else if (__builtin_mul_overflow(left.num, right.num, &num)) {
      return false;
    }
    if (__builtin_mul_overflow(left.den, right.den, &den) || num == INT64_MIN) return false;
    const int64_t common = std::gcd(num, den);
    left = {num / common, den / common};
    return true;
  }

  bool expects_value_ = true;
  std::vector<Value> values_;
  std::vector<char> signs_;
  std::vector<int64_t> numbers_;
};

}  // namespace

Verdict verify_countdown(std::string_view gold, std::string_view pred, const VerifyOptions&) {
  const auto task = read_task(gold);
  if (!task) return {std::nullopt, "the gold answer is not of the form \"TARGET from NUMBER, NUMBER, …\""};
  std::string_view text = without_result(find_expression(pred), task->target);
  if (text.ends_with('.')) text.remove_suffix(1);
  if (text.empty()) return {false, "the prediction holds no expression"};
  if (text.size() > kLongestExpression) return {false, "the expression is too long"};
  Calculator calculator;
  if (const std::string wrong = calculator.read(text); !wrong.empty())
    return {false, fmt::format("\"{}\": {}", excerpt(text), wrong)};
  std::sort(calculator.numbers().begin(), calculator.numbers().end());
  if (!std::includes(task->numbers.begin(), task->numbers.end(), calculator.numbers().begin(),
                     calculator.numbers().end()))
    return {false, fmt::format("\"{}\" uses a number that is not given, or too often", excerpt(text))};
  const Value value = calculator.value();
  const std::string result = value.den == 1 ? std::to_string(value.num) : fmt::format("{}/{}", value.num, value.den);
  return {value.den == 1 && value.num == task->target,
          fmt::format("expected {}, \"{}\" is {}", task->target, excerpt(text), result)};
}

}  // namespace agro
