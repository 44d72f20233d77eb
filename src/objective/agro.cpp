#include "objective/agro.h"

#include <ATen/TensorOperators.h>

#include "core/error.h"
#include "objective/diagnostics.h"
#include "objective/group.h"

namespace agro {
namespace {

/// Zero, with derivative 1: turns a detached weight into a gradient that leaves the loss's value alone.
at::Tensor gradient_only(const at::Tensor& x) { return x - x.detach(); }

/// Σ_{s<t} log π/π_ref within each response: [N], detached, in float64 because it is a difference of long sums.
at::Tensor log_ratio_before(const ObjectiveInput& input) {
  const at::Tensor ratio = (input.logprobs - input.ref_logprobs).detach().to(at::kDouble);
  const at::Tensor per_response = sum_per_response(ratio, input);
  const at::Tensor before_response = per_response.cumsum(0) - per_response;
  return ratio.cumsum(0) - ratio - before_response.index_select(0, input.row);
}

class Agro final : public Objective {
 public:
  explicit Agro(const AgroOptions& options) : options_(options) {
    const double beta = options.beta;
    if (!(beta >= 0)) throw fail("beta must be at least 0, found {}", beta);
    if (beta == 0 && options.loss_scale == LossScale::kNone)
      throw Error("beta = 0 with loss_scale = \"none\" has no gradient at all")
          .hint("loss_scale = \"one_over_beta\" turns beta = 0 into leave-one-out REINFORCE");
    if (beta == 0 && options.through_sampling)
      throw Error("beta = 0 with through_sampling is not defined: its first term grows as 1/beta")
          .hint("use beta > 0, or through_sampling = false");
  }

  std::string_view name() const override { return "agro"; }

  ObjectiveNeeds needs() const override {
    return {.on_policy = options_.through_sampling || options_.credit == Credit::kToken};
  }

 private:
  ObjectiveResult compute(const ObjectiveInput& input, const Groups& groups) const override {
    const double beta = options_.beta;
    const at::Tensor rewards = regularized_rewards(input, beta);
    const at::Tensor advantage = groups.advantage(rewards.detach());
    const at::Tensor consistency = groups.variance(rewards).mean() / 2;
    at::Tensor loss = scaled_loss(input, groups, consistency, advantage);
    if (options_.through_sampling) {
      const double scale = options_.loss_scale == LossScale::kOneOverBeta ? 1 / beta : 1;
      const at::Tensor logprob = sum_per_response(input.logprobs, input);
      loss = loss + scale * groups.batch_mean(advantage.square() / 2 * gradient_only(logprob));
    }
    Metrics metrics = common_metrics(input);
    metrics.emplace_back("regularized_reward_mean", groups.batch_mean(rewards).item<double>());
    metrics.emplace_back("consistency_loss", consistency.item<double>());
    if (const auto gap = mean_optimality_gap(rewards, input, beta)) metrics.emplace_back("optimality_gap", *gap);
    return {std::move(loss), std::move(metrics)};
  }

  at::Tensor scaled_loss(const ObjectiveInput& input, const Groups& groups, const at::Tensor& consistency,
                         const at::Tensor& advantage) const {
    const double beta = options_.beta;
    const bool divided = options_.loss_scale == LossScale::kOneOverBeta;
    const double surrogate_scale = divided ? 1 : beta;
    const auto surrogate = [&](const at::Tensor& weight, const at::Tensor& token_value) {
      return -surrogate_scale * groups.batch_mean(sum_per_response(weight * token_value, input));
    };
    const at::Tensor token_advantage = advantage.index_select(0, input.row);
    const at::Tensor loss = beta == 0 || options_.form == AgroForm::kSurrogate
                                ? surrogate(token_advantage, input.logprobs)
                                : consistency / (divided ? beta : 1);
    if (options_.credit == Credit::kSequence) return loss;
    // The return from t on, less R̄_{-i}, is the sequence's advantage plus β times the log-ratios before t.
    const at::Tensor credit = token_advantage + (beta * log_ratio_before(input)).to(token_advantage.scalar_type());
    return loss.detach() + surrogate(credit, gradient_only(input.logprobs));
  }

  AgroOptions options_;
};

}  // namespace

at::Tensor regularized_rewards(const ObjectiveInput& input, double beta) {
  return input.rewards - beta * log_ratio(input);
}

std::unique_ptr<Objective> make_agro(const AgroOptions& options) { return std::make_unique<Agro>(options); }

}  // namespace agro
