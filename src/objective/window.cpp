#include "objective/window.h"

#include <ATen/ops/tensor.h>
#include <ATen/ops/zeros_like.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <unordered_map>

#include "core/error.h"

namespace agro {
namespace {

constexpr std::array<std::string_view, 9> kKeys = {"rewards",           "groups", "logprobs",   "ref_logprobs",
                                                   "behavior_logprobs", "values", "old_values", "pairs",
                                                   "optimal_values"};
constexpr double kOnPolicyNats = 1e-6;

/// Numbers of every response's tokens; one token each where the record gives one number per response.
struct Rows {
  std::vector<double> values;
  std::vector<int64_t> lengths;
  bool per_token = false;
};

double number(const Json& value, std::string_view key, size_t index) {
  if (!value.is_number() || !std::isfinite(value.get<double>()))
    throw fail("\"{}\": expected a finite number at index {}, found {}", key, index, value.dump());
  return value.get<double>();
}

/// Whether an optional key has something to say.
bool given(const Json& record, std::string_view key) {
  const auto found = record.find(key);
  return found != record.end() && !found->is_null();
}

const Json& array(const Json& record, std::string_view key) {
  const auto found = record.find(key);
  if (found == record.end() || !found->is_array()) throw fail("\"{}\": expected an array", key);
  return *found;
}

const Json& array(const Json& record, std::string_view key, size_t responses) {
  const Json& found = array(record, key);
  if (found.size() != responses)
    throw fail("\"{}\" has {} entries, but there are {} rewards", key, found.size(), responses);
  return found;
}

Rows rows(const Json& record, std::string_view key, size_t responses) {
  const Json& entries = array(record, key, responses);
  Rows result;
  result.per_token = !entries.empty() && entries.front().is_array();
  for (size_t i = 0; i < entries.size(); ++i) {
    if (entries[i].is_array() != result.per_token)
      throw fail("\"{}\" mixes numbers and arrays of numbers (index {})", key, i)
          .hint("give one array of numbers, a token's each, per response, or one number per response");
    if (!result.per_token) {
      result.values.push_back(number(entries[i], key, i));
      result.lengths.push_back(1);
      continue;
    }
    for (const Json& token : entries[i]) result.values.push_back(number(token, key, i));
    result.lengths.push_back(static_cast<int64_t>(entries[i].size()));
  }
  return result;
}

at::Tensor to_tensor(const std::vector<double>& values) {
  return at::tensor(at::ArrayRef<double>(values), at::kDouble);
}
at::Tensor to_tensor(const std::vector<int64_t>& values) {
  return at::tensor(at::ArrayRef<int64_t>(values), at::kLong);
}

/// Any integers or strings -> 0 … G-1 in order of appearance.
at::Tensor dense_groups(const Json& ids) {
  std::unordered_map<std::string, int64_t> number_of;
  std::vector<int64_t> dense;
  for (size_t i = 0; i < ids.size(); ++i) {
    if (!ids[i].is_number_integer() && !ids[i].is_string())
      throw fail("\"groups\": expected an integer or a string at index {}, found {}", i, ids[i].dump());
    // dump() keeps 1 and "1" apart.
    const std::string id = ids[i].dump(-1, ' ', false, Json::error_handler_t::replace);
    dense.push_back(number_of.try_emplace(id, static_cast<int64_t>(number_of.size())).first->second);
  }
  return to_tensor(dense);
}

/// Numbers in the very shape of `like`.
at::Tensor matching(const Json& record, std::string_view key, size_t responses, const Rows& like) {
  const Rows found = rows(record, key, responses);
  if (found.per_token != like.per_token)
    throw fail("\"{}\" and \"logprobs\" differ: one is per token, the other per response", key);
  const auto [length, expected] = std::mismatch(found.lengths.begin(), found.lengths.end(), like.lengths.begin());
  if (length != found.lengths.end())
    throw fail("\"{}\" has {} tokens at index {}, but \"logprobs\" has {}", key, *length,
               length - found.lengths.begin(), *expected);
  return to_tensor(found.values);
}

/// [P, 2]. What the pairs must be is for the objective's own check.
at::Tensor read_pairs(const Json& entries) {
  std::vector<int64_t> rows;
  for (size_t i = 0; i < entries.size(); ++i) {
    const Json& pair = entries[i];
    if (!pair.is_array() || pair.size() != 2 || !pair[0].is_number_integer() || !pair[1].is_number_integer())
      throw fail("\"pairs\": expected [chosen, rejected] as two response numbers at index {}, found {}", i,
                 pair.dump());
    rows.insert(rows.end(), {pair[0].get<int64_t>(), pair[1].get<int64_t>()});
  }
  return to_tensor(rows).reshape({-1, 2});
}

at::Tensor read_numbers(const Json& entries, std::string_view key) {
  std::vector<double> values;
  for (size_t i = 0; i < entries.size(); ++i) values.push_back(number(entries[i], key, i));
  return to_tensor(values);
}

ObjectiveInput read_input(const Json& record, const Rows& logprobs) {
  const size_t responses = logprobs.lengths.size();
  std::vector<int64_t> row;
  for (size_t i = 0; i < responses; ++i)
    row.insert(row.end(), static_cast<size_t>(logprobs.lengths[i]), static_cast<int64_t>(i));

  ObjectiveInput input;
  input.logprobs = to_tensor(logprobs.values);
  input.ref_logprobs = matching(record, "ref_logprobs", responses, logprobs);
  input.row = to_tensor(row);
  input.rewards = read_numbers(record["rewards"], "rewards");
  input.group = dense_groups(array(record, "groups", responses));
  if (given(record, "values")) input.values = matching(record, "values", responses, logprobs);
  if (given(record, "old_values")) input.old_values = matching(record, "old_values", responses, logprobs);
  if (given(record, "pairs")) input.pairs = read_pairs(array(record, "pairs"));
  if (given(record, "optimal_values"))
    input.optimal_values = read_numbers(array(record, "optimal_values"), "optimal_values");
  at::Tensor drift = at::zeros_like(input.rewards);
  if (given(record, "behavior_logprobs")) {
    input.behavior_logprobs = matching(record, "behavior_logprobs", responses, logprobs);
    drift = sum_per_response((input.logprobs - input.behavior_logprobs).abs(), input);
  }
  input.on_policy = drift.le(kOnPolicyNats);
  return input;
}

OrderedJson gradient_json(const at::Tensor& gradient, const Rows& shape) {
  const double* next = gradient.data_ptr<double>();
  OrderedJson result = OrderedJson::array();
  for (const int64_t length : shape.lengths) {
    if (shape.per_token) {
      result.push_back(std::vector<double>(next, next + length));
    } else {
      result.push_back(*next);
    }
    next += length;
  }
  return result;
}

}  // namespace

OrderedJson evaluate_record(const Objective& objective, const Json& record) {
  if (!record.is_object()) throw Error("expected a JSON object");
  for (const auto& item : record.items())
    if (std::find(kKeys.begin(), kKeys.end(), item.key()) == kKeys.end())
      throw fail("unknown key \"{}\"; known are {}", item.key(), fmt::join(kKeys, ", "));
  const auto rewards = record.find("rewards");
  if (rewards == record.end() || !rewards->is_array()) throw Error("\"rewards\": expected an array");
  if (rewards->empty()) throw Error("\"rewards\" is empty");

  const Rows logprobs = rows(record, "logprobs", rewards->size());
  const ObjectiveGradient gradient = evaluate_with_gradient(objective, read_input(record, logprobs));
  const auto finite = [](const at::Tensor& x) { return !x.defined() || x.isfinite().all().item<bool>(); };
  if (!std::isfinite(gradient.loss) || !finite(gradient.logprobs) || !finite(gradient.values))
    throw fail("objective '{}': the loss or its gradient overflows on these log-probabilities", objective.name());
  OrderedJson metrics = OrderedJson::object();
  for (const auto& [name, value] : gradient.metrics) metrics[name] = value;
  OrderedJson answer = {{"loss", gradient.loss}, {"grad", gradient_json(gradient.logprobs.contiguous(), logprobs)}};
  if (gradient.values.defined()) answer["grad_values"] = gradient_json(gradient.values.contiguous(), logprobs);
  answer["metrics"] = std::move(metrics);
  return answer;
}

}  // namespace agro
