#pragma once
// What an objective is: a pure function of log-probabilities, rewards and the group layout. No model, no I/O.
//
// A batch holds B responses of G prompts. Their tokens are packed, response after response, into vectors of length N;
// who only has log-probabilities of whole responses passes them as responses of one token (N = B).
#include <ATen/core/Tensor.h>

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace agro {

class Groups;

/// One batch. Floating tensors share one dtype, float32 or float64, and all tensors one device; log-probabilities are
/// natural, of the untempered models (or all at one declared temperature). "undefined" is a default-constructed Tensor.
struct ObjectiveInput {
  at::Tensor logprobs;                    // [N] log π(token) of the policy; gradients flow here
  at::Tensor ref_logprobs;                // [N] the frozen reference
  at::Tensor behavior_logprobs;           // [N] of the model that drew the tokens; undefined where unknown
  at::Tensor behavior_response_logprobs;  // [B] their sums, where no more than these is known; or undefined
  at::Tensor full_vocabulary_kl;  // [N] exact KL(π‖π_ref) of the next-token distribution, with gradient; or undefined
  /// [N] a value head's V(prefix before the token), with gradient; or undefined. A prompt's value is the one before the
  /// first token of its responses.
  at::Tensor values;
  at::Tensor old_values;      // [N] the same when the responses were drawn; or undefined
  at::Tensor row;             // [N] int64, ascending: the response a token belongs to
  at::Tensor rewards;         // [B]
  at::Tensor group;           // [B] int64: the prompt of a response, numbered 0 … G-1
  at::Tensor on_policy;       // [B] bool: drawn from the current policy; undefined where unknown
  at::Tensor pairs;           // [P, 2] int64: chosen and rejected response, both of one prompt; or undefined
  at::Tensor optimal_values;  // [G] V*(x) of a prompt (A2), as from the reference's own responses; or undefined
};

/// What an objective reads beyond log-probabilities, rewards and groups; evaluate() refuses a batch without it.
struct ObjectiveNeeds {
  bool behavior_logprobs = false;           // of every token
  bool behavior_response_logprobs = false;  // of whole responses; those of the tokens serve as well
  bool behavior_where_known = false;        // does without, but computes something else then
  bool full_vocabulary_kl = false;
  bool on_policy = false;  // every response comes from the current policy
  bool values = false;
  bool pairs = false;
  bool optimal_values = false;
  int64_t group_size = 2;  // the fewest responses of a prompt: 1, or 2 where responses of a prompt are compared
};

/// Named figures in the order they are shown. Log-ratios and KL in nats per response.
using Metrics = std::vector<std::pair<std::string, double>>;

struct ObjectiveResult {
  at::Tensor loss;  // scalar, differentiable, dtype of the input
  Metrics metrics;
};

/// Immutable and thread-safe. To add one: a file beside this one, and a line in registry.cpp.
class Objective {
 public:
  virtual ~Objective() = default;
  virtual std::string_view name() const = 0;
  virtual ObjectiveNeeds needs() const { return {}; }

  /// Loss and metrics of a complete batch: every response of every prompt in it.
  /// Throws Error for mismatched shapes or dtypes, non-finite values, or unmet needs().
  ObjectiveResult evaluate(const ObjectiveInput& input) const;

 protected:
  /// `input` has been checked.
  virtual ObjectiveResult compute(const ObjectiveInput& input, const Groups& groups) const = 0;
};

/// A batch's loss and its derivatives, all detached.
struct ObjectiveGradient {
  double loss = 0;
  at::Tensor logprobs;            // [N] d loss / d logprobs
  at::Tensor full_vocabulary_kl;  // [N] d loss / d full_vocabulary_kl; undefined where the objective does not read it
  at::Tensor values;              // [N] d loss / d values; undefined where the objective does not read them
  Metrics metrics;
};

/// evaluate() on detached copies of the batch's log-probabilities and values, differentiated with respect to them.
///
/// This is how a batch is cut into micro-batches without splitting a group: run the model over all micro-batches
/// without gradients, call this once, then run each micro-batch again and backpropagate
/// (gradient.logprobs[its tokens] * logprobs).sum(), plus the same product for full_vocabulary_kl and values where they
/// are defined. By the chain rule the accumulated parameter gradient is that of the whole batch. Throws as evaluate()
/// does.
ObjectiveGradient evaluate_with_gradient(const Objective& objective, const ObjectiveInput& input);

/// Σ_t x of every response: x [N] -> [B], differentiable.
at::Tensor sum_per_response(const at::Tensor& x, const ObjectiveInput& input);

/// The mean over its tokens: x [N] -> [B], differentiable; 0 for a response without tokens.
at::Tensor mean_per_response(const at::Tensor& x, const ObjectiveInput& input);

/// The value of each token's response: x [B] -> [N].
at::Tensor spread_over_tokens(const at::Tensor& x, const ObjectiveInput& input);

/// log(π/π_ref) of every response, in nats, summed over its tokens and never divided by their number: [B],
/// differentiable.
at::Tensor log_ratio(const ObjectiveInput& input);

/// log(π/μ) of every response against whatever drew it, in nats: [B], differentiable. Needs behavior_logprobs or
/// behavior_response_logprobs.
at::Tensor behavior_log_ratio(const ObjectiveInput& input);

}  // namespace agro
