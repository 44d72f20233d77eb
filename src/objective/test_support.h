#pragma once
// Batches for the tests of this room: golden cases and random ragged groups.
#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/tensor.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <stdexcept>
#include <string>
#include <vector>

#include "core/json.h"
#include "core/rng.h"
#include "objective/objective.h"

namespace agro::testing {

inline at::Tensor doubles(const std::vector<double>& values) {
  return at::tensor(at::ArrayRef<double>(values), at::kDouble);
}
inline at::Tensor integers(const std::vector<int64_t>& values) {
  return at::tensor(at::ArrayRef<int64_t>(values), at::kLong);
}

inline double largest_difference(const at::Tensor& a, const at::Tensor& b) {
  return (a - b).abs().max().item<double>();
}

inline double metric(const Metrics& metrics, std::string_view name) {
  const auto found = std::find_if(metrics.begin(), metrics.end(), [&](const auto& m) { return m.first == name; });
  if (found == metrics.end()) throw std::runtime_error("no metric " + std::string(name));
  return found->second;
}
inline bool has_metric(const Metrics& metrics, std::string_view name) {
  return std::any_of(metrics.begin(), metrics.end(), [&](const auto& m) { return m.first == name; });
}

/// The message of the Error that `action` throws, "" if it throws none.
template <class Action>
std::string message_of(Action&& action) {
  try {
    action();
  } catch (const std::exception& error) {
    return error.what();
  }
  return {};
}

inline Json golden_cases(const std::string& name) {
  return read_json(AGRO_SOURCE_DIR "/tests/golden/rl/" + name + ".json").at("cases");
}

/// The entries of a padded matrix where the mask is 1, row after row.
inline at::Tensor packed(const Json& matrix, const Json& mask) {
  std::vector<double> values;
  for (size_t i = 0; i < mask.size(); ++i)
    for (size_t t = 0; t < mask[i].size(); ++t)
      if (mask[i][t] == 1.0) values.push_back(matrix[i][t]);
  return doubles(values);
}

inline at::Tensor flat(const Json& nested) {
  std::vector<double> values;
  for (const Json& item : nested.flatten()) values.push_back(item);
  return doubles(values);
}

/// Rows of a golden file are grouped by prompt: row = prompt * n + generation.
inline ObjectiveInput golden_input(const Json& inputs) {
  const Json& mask = inputs.at("mask");
  std::vector<int64_t> row, group;
  for (size_t i = 0; i < mask.size(); ++i) {
    group.push_back(static_cast<int64_t>(i) / inputs.at("n").get<int64_t>());
    for (const Json& valid : mask[i])
      if (valid == 1.0) row.push_back(static_cast<int64_t>(i));
  }
  ObjectiveInput input;
  input.logprobs = packed(inputs.at("logp"), mask);
  input.ref_logprobs = packed(inputs.at("ref_logp"), mask);
  input.behavior_logprobs = packed(inputs.at("old_logp"), mask);
  input.row = integers(row);
  input.rewards = doubles(inputs.at("rewards").get<std::vector<double>>());
  input.group = integers(group);
  return input;
}

/// Groups of the given sizes, their responses interleaved, 1 … 5 tokens each, float64.
inline ObjectiveInput random_batch(uint64_t seed, const std::vector<int64_t>& sizes) {
  std::vector<int64_t> group, row;
  for (int64_t k = 0; k < *std::max_element(sizes.begin(), sizes.end()); ++k)
    for (size_t g = 0; g < sizes.size(); ++g)
      if (k < sizes[g]) group.push_back(static_cast<int64_t>(g));
  std::vector<double> logprobs, ref, behavior, rewards;
  for (size_t i = 0; i < group.size(); ++i) {
    DrawKey key{.seed = seed, .stream = Stream::kTest, .ordinal = i};
    rewards.push_back(normal(key));
    const uint64_t length = 1 + uniform_below({.seed = seed, .stream = Stream::kTest, .ordinal = i, .draw = 9}, 5);
    for (uint64_t t = 0; t < length; ++t) {
      row.push_back(static_cast<int64_t>(i));
      for (auto* values : {&logprobs, &ref, &behavior}) {
        ++key.draw;
        key.position = static_cast<uint32_t>(t);
        values->push_back(-1 + 0.5 * normal(key));
      }
      key.draw = 0;
    }
  }
  ObjectiveInput input;
  input.logprobs = doubles(logprobs);
  input.ref_logprobs = doubles(ref);
  input.behavior_logprobs = doubles(behavior);
  input.row = integers(row);
  input.rewards = doubles(rewards);
  input.group = integers(group);
  return input;
}

/// random_batch() with everything an objective may need: two pairs for every prompt (its first response against its
/// second and the reverse), values, V*, an exact KL, and all responses on-policy.
inline ObjectiveInput complete_batch(uint64_t seed, const std::vector<int64_t>& sizes) {
  ObjectiveInput input = random_batch(seed, sizes);
  const auto draws = [&](int64_t count, uint32_t draw) {
    std::vector<double> values;
    for (int64_t i = 0; i < count; ++i)
      values.push_back(
          normal({.seed = seed, .stream = Stream::kTest, .ordinal = static_cast<uint64_t>(i), .draw = draw}));
    return doubles(values);
  };
  const int64_t tokens = input.row.size(0), groups = static_cast<int64_t>(sizes.size());
  input.full_vocabulary_kl = input.logprobs * input.logprobs / 7;
  input.values = draws(tokens, 20);
  input.old_values = input.values + 0.3 * draws(tokens, 30);
  input.on_policy = input.rewards.isfinite();
  input.optimal_values = draws(groups, 40);
  std::vector<int64_t> pairs;
  for (int64_t g = 0; g < groups; ++g) {
    const at::Tensor members = input.group.eq(g).nonzero().flatten();
    if (members.size(0) < 2) continue;
    const int64_t first = members[0].item<int64_t>(), second = members[1].item<int64_t>();
    pairs.insert(pairs.end(), {first, second, second, first});
  }
  if (!pairs.empty()) input.pairs = integers(pairs).reshape({-1, 2});
  return input;
}

/// The largest gap between the gradient and central differences of the loss, both with respect to one of the batch's
/// tensors: logprobs, or values or full_vocabulary_kl with the gradient's member of that name.
inline double central_difference_gap(const Objective& objective, const ObjectiveInput& input,
                                     at::Tensor ObjectiveInput::*variable = &ObjectiveInput::logprobs,
                                     at::Tensor ObjectiveGradient::*derivative = &ObjectiveGradient::logprobs) {
  constexpr double kStep = 1e-5;
  const at::Tensor gradient = evaluate_with_gradient(objective, input).*derivative;
  double gap = 0;
  for (int64_t i = 0; i < gradient.size(0); ++i) {
    const auto loss_at = [&](double offset) {
      ObjectiveInput moved = input;
      moved.*variable = (input.*variable).clone();
      (moved.*variable)[i] += offset;
      return objective.evaluate(moved).loss.item<double>();
    };
    const double slope = (loss_at(kStep) - loss_at(-kStep)) / (2 * kStep);
    gap = std::max(gap, std::abs(slope - gradient[i].item<double>()));
  }
  return gap;
}

}  // namespace agro::testing
