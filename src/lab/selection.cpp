#include "lab/selection.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "core/error.h"

namespace agro {
namespace {

constexpr int kRounds = 100;      // of selecting and solving; two suffice where selection does not see the policy
constexpr double kAtRest = 1e-6;  // nats by which a full step would still move the policy: below the sampling error
constexpr double kSmallestShare = 0.05;  // of a step
constexpr double kRidge = 1e-12;         // of what no group determines

struct Draw {
  size_t response = 0;
  double reward = 0;       // with its noise
  double regularized = 0;  // at the current policy
};

std::vector<Draw> draw_pool(const TabularPrompt& prompt, const Vector& other_model, const SelectionSetup& setup,
                            Random& random) {
  const Vector reference = probabilities(prompt.ref_logprobs), other = probabilities(other_model);
  const bool all_kept = setup.selection == Selection::kFixedCounts || setup.selection == Selection::kFirst;
  std::vector<Draw> pool(all_kept ? setup.group_size : setup.pool);
  for (size_t i = 0; i < pool.size(); ++i) {
    const bool from_other = setup.selection == Selection::kFixedCounts && 2 * i >= pool.size();
    pool[i].response = random.index(from_other ? other : reference);
    pool[i].reward = prompt.rewards[pool[i].response] + setup.noise * random.normal();
  }
  return pool;
}

template <class Key>
void sort_descending(std::vector<Draw>& pool, const Key& key) {
  std::stable_sort(pool.begin(), pool.end(), [&](const Draw& a, const Draw& b) { return key(a) > key(b); });
}

/// The n draws that are kept.
std::vector<Draw> select(std::vector<Draw> pool, const SelectionSetup& setup) {
  const size_t n = setup.group_size;
  const double mean =
      std::accumulate(pool.begin(), pool.end(), 0.0, [](double sum, const Draw& d) { return sum + d.regularized; }) /
      static_cast<double>(pool.size());
  if (setup.selection == Selection::kBestAndWorst || setup.selection == Selection::kBest)
    sort_descending(pool, [](const Draw& d) { return d.reward; });
  if (setup.selection == Selection::kBestAndWorst)
    std::rotate(pool.begin() + static_cast<std::ptrdiff_t>(n / 2), pool.end() - static_cast<std::ptrdiff_t>(n - n / 2),
                pool.end());
  if (setup.selection == Selection::kLargestResidual)
    sort_descending(pool, [mean](const Draw& d) { return std::abs(d.regularized - mean); });
  pool.resize(n);
  return pool;
}

/// Curvature and slope of the loss by logits, less common factors.
struct NormalEquations {
  explicit NormalEquations(size_t n) : matrix(n), right(n) {}

  void add(const std::vector<Draw>& group) {
    const double share = 1 / static_cast<double>(group.size());
    double mean = 0;
    Vector counts(right.size());
    for (const Draw& d : group) {
      mean += share * d.regularized;
      counts[d.response] += 1;
    }
    for (const Draw& d : group) right[d.response] += d.regularized - mean;
    for (size_t i = 0; i < counts.size(); ++i) {
      if (counts[i] == 0) continue;
      matrix(i, i) += counts[i];
      for (size_t j = 0; j < counts.size(); ++j) matrix(i, j) -= share * counts[i] * counts[j];
    }
  }

  SquareMatrix matrix;
  Vector right;
};

/// By logits, from the groups that are selected at this policy.
Vector newton_step(const TabularPrompt& prompt, const Vector& logprobs, std::vector<std::vector<Draw>>& pools,
                   const SelectionSetup& setup) {
  NormalEquations equations(logprobs.size());
  for (auto& pool : pools) {
    for (Draw& d : pool)
      d.regularized = d.reward - prompt.beta * (logprobs[d.response] - prompt.ref_logprobs[d.response]);
    equations.add(select(pool, setup));
  }
  // The loss is blind to a common shift; fixing the sum of the logits removes that direction.
  const auto scale = static_cast<double>(pools.size());
  for (double& x : equations.matrix.values) x += scale;
  for (size_t y = 0; y < logprobs.size(); ++y) equations.matrix(y, y) += kRidge * scale;
  auto step = solve_with_positive_pivots(std::move(equations.matrix), std::move(equations.right));
  if (!step) throw Error("the selected groups leave the rest point undetermined").hint("draw more groups");
  for (double& x : *step) x /= prompt.beta;
  return *std::move(step);
}

Vector moved(Vector logprobs, const Vector& step, double share) {
  for (size_t y = 0; y < logprobs.size(); ++y) logprobs[y] += share * step[y];
  return log_softmax(logprobs);
}

}  // namespace

std::string_view name_of(Selection selection) {
  switch (selection) {
    case Selection::kFirst:
      return "none";
    case Selection::kBestAndWorst:
      return "best and worst";
    case Selection::kBest:
      return "best";
    case Selection::kLargestResidual:
      return "largest residual";
    case Selection::kFixedCounts:
      return "fixed counts";
  }
  return "";
}

Vector selected_rest_point(const TabularPrompt& prompt, const Vector& other_model, const SelectionSetup& setup,
                           Random random) {
  if (setup.group_size < 2 || setup.group_size > setup.pool)
    throw fail("group_size must be between 2 and the pool's {}, found {}", setup.pool, setup.group_size);
  std::vector<std::vector<Draw>> pools;
  for (size_t g = 0; g < setup.groups; ++g) pools.push_back(draw_pool(prompt, other_model, setup, random));
  // The selection changes with the policy, so that full steps may jump to and fro across the point that they look for.
  Vector logprobs = prompt.ref_logprobs;
  double share = 1, before = HUGE_VAL;
  for (int round = 0; round < kRounds; ++round) {
    const Vector step = newton_step(prompt, logprobs, pools, setup);
    const double move = kl_divergence(logprobs, moved(logprobs, step, 1));
    if (move < kAtRest) return logprobs;
    if (move > before / 2) share = std::max(share / 2, kSmallestShare);
    before = move;
    logprobs = moved(logprobs, step, share);
  }
  throw fail("selection by {} did not come to rest in {} rounds", name_of(setup.selection), kRounds)
      .hint("draw more groups");
}

}  // namespace agro
