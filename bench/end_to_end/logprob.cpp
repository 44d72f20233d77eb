// Log-probabilities under an output layer of 152k tokens, forward and backward: time beside plain LibTorch in the same
// type, and the memory that is not the arguments' or the results'.
#include <cmath>
#include <initializer_list>

#include "bench/end_to_end/limits.h"
#include "bench/end_to_end/peak_memory.h"
#include "bench/ref/operators.h"
#include "core/error.h"
#include "tensor/ops/token_logprob.h"

namespace agro {
namespace {

constexpr int64_t kTokens = 4096, kHidden = 896, kVocabulary = 151936;
// Rows of logits that plain LibTorch holds at a time: all of them are 2.5 GB, and autograd keeps several copies.
constexpr int64_t kPlainRows = 1024;

/// Σ weight · log-prob of the tokens, and its gradients, each way.
class Head {
 public:
  Head()
      : hidden_((torch::randn({kTokens, kHidden})).set_requires_grad(true)),
        weight_((0.02 * torch::randn({kVocabulary, kHidden})).set_requires_grad(true)),
        targets_(torch::randint(kVocabulary, {kTokens}, torch::kInt64)),
        token_weights_(torch::randn({kTokens}) / kTokens) {
    head_.weight = weight_;
  }

  void set_products(Products products) {
    head_.products = products;
    known_ = Tensor();
    const at::ScalarType type = products == Products::kBFloat16 ? at::kBFloat16 : at::kFloat;
    plain_hidden_ = hidden_.detach().to(type).set_requires_grad(true);
    plain_weight_ = weight_.detach().to(type).set_requires_grad(true);
  }

  double two_passes() {
    forget();
    const Tensor loss = (token_logprobs(hidden_, head_, targets_) * token_weights_).sum();
    loss.backward();
    return loss.item<double>();
  }

  /// Value and gradient from one computation of the logits.
  double one_pass() { return weighted(Tensor()); }
  /// The same where the log-probabilities are known as well, as a sampler knows them.
  double known_pass() {
    if (!known_.defined()) {
      const torch::NoGradGuard no_grad;
      known_ = token_logprobs(hidden_, head_, targets_);
    }
    return weighted(known_);
  }

  double plain() {
    forget();
    double sum = 0;
    for (int64_t first = 0; first < kTokens; first += kPlainRows) {
      const auto part = [&](const Tensor& x) { return x.narrow(0, first, kPlainRows); };
      const Tensor loss =
          (plain_token_logprobs(part(plain_hidden_), plain_weight_, part(targets_)) * part(token_weights_)).sum();
      loss.backward();
      sum += loss.item<double>();
    }
    return sum;
  }

  /// Drops all gradients.
  void forget() {
    for (const Tensor& x : {hidden_, weight_, plain_hidden_, plain_weight_})
      if (x.defined()) x.mutable_grad() = Tensor();
  }

  const Tensor& hidden_gradient() const { return hidden_.grad(); }
  const Tensor& weight_gradient() const { return weight_.grad(); }
  const Tensor& plain_hidden_gradient() const { return plain_hidden_.grad(); }
  const Tensor& plain_weight_gradient() const { return plain_weight_.grad(); }

  static int64_t gradient_bytes() { return 4 * kHidden * (kTokens + kVocabulary); }

 private:
  double weighted(const Tensor& known) {
    forget();
    const Tensor loss = weighted_token_logprobs(hidden_, head_, targets_, token_weights_, known).sum;
    loss.backward();
    return loss.item<double>();
  }

  Tensor hidden_, weight_, targets_, token_weights_, plain_hidden_, plain_weight_, known_;
  LinearWeight head_;
};

/// The norm of the difference as a share of the reference's.
double difference(const Tensor& ours, const Tensor& reference) {
  const torch::NoGradGuard no_grad;
  const Tensor wanted = reference.to(torch::kFloat);
  return (ours - wanted).norm().item<double>() / wanted.norm().item<double>();
}

using Way = double (Head::*)();

void check(Head& head, std::initializer_list<Way> ways, double tolerance) {
  const double reference = head.plain();
  const Tensor hidden = head.plain_hidden_gradient(), weight = head.plain_weight_gradient();
  for (const Way ours : ways) {
    // Log-probs are near −12 and their weights of either sign: an absolute bound.
    expect_near((head.*ours)(), reference, tolerance, "weighted sum of log-probs");
    expect_near(difference(head.hidden_gradient(), hidden), 0, tolerance, "gradient of the hidden states");
    expect_near(difference(head.weight_gradient(), weight), 0, tolerance, "gradient of the output layer");
  }
}

}  // namespace

BenchResult bench_logprob(const BenchRun& run) {
  BenchResult result;
  Head head;
  const double operations = 3 * 2.0 * kTokens * kHidden * kVocabulary, tokens = kTokens;
  const auto name = [](const char* what, Products products) {
    return fmt::format("{}, {}", what, products == Products::kFloat32 ? "float32" : "bfloat16");
  };
  const auto add = [&](const char* what, Products products, Way ours, double most_of_reference) {
    const Rounds rounds = take_turns(
        run.rounds, [&] { return (head.*ours)(), tokens; }, [&] { return head.plain(), tokens; });
    result.lines.push_back({name(what, products),
                            "tokens",
                            rounds,
                            arithmetic_limit(tokens, operations, products, run.rates),
                            {.ratio = 1 / most_of_reference}});
  };
  for (const Products products : {Products::kFloat32, Products::kBFloat16}) {
    head.set_products(products);
    check(head, {&Head::two_passes, &Head::one_pass, &Head::known_pass}, products == Products::kFloat32 ? 1e-4 : 2e-2);
    const auto add_memory = [&](const char* what, Way ours) {
      head.forget();
      const auto extra = static_cast<double>(peak_growth([&] { (head.*ours)(); }) - Head::gradient_bytes());
      result.figures.push_back({name(what, products), "bytes", std::max(extra, 0.0), 4.0 * kTokens * kVocabulary,
                                "the float32 logits", 0.05});
    };
    add_memory("peak extra memory, forward, then backward", &Head::two_passes);
    add_memory("peak extra memory, one pass", &Head::one_pass);
    add_memory("peak extra memory, one pass with known log-probs", &Head::known_pass);
    // Ways of computing it, each with the most of the reference's time that it may take.
    add("forward, then backward", products, &Head::two_passes, 1.35);
    add("one pass, weights known", products, &Head::one_pass, 0.9);
    add("one pass, weights and log-probs known", products, &Head::known_pass, 0.9);
  }
  result.notes = {
      fmt::format("{} tokens, hidden {}, vocabulary {}; the reference has the type of the line, its weights converted "
                  "beforehand, and runs forward and backward over {} tokens at a time.",
                  kTokens, kHidden, kVocabulary, kPlainRows),
      "The share of the peak counts three products of tokens, hidden and vocabulary. Memory: the highest resident set "
      "during forward and backward, less what was there before and less the gradients."};
  return result;
}

}  // namespace agro
