#pragma once
// Row operations over the vocabulary: log-sum-exp in blocks, and the gradient of a token's log-probability.
#include <cmath>
#include <cstdint>

namespace agro {

/// Columns of the vocabulary handled at a time. One constant for sampler and trainer: the order of summation, and so
/// every bit of a log-probability, is the same in both.
inline constexpr int64_t kVocabularyBlock = 4096;

/// Running log-sum-exp of one row: value() is log Σ exp(x).
struct LogSumExp {
  float max;
  float sum;
  float value() const { return max + std::log(sum); }
};
inline constexpr LogSumExp kEmptyLogSumExp{-3.4e38F, 0.0F};

/// Adds the block logits [rows, columns] (rows `stride` apart), each divided by `temperature`, to state[row].
void log_sum_exp_update(int64_t rows, int64_t columns, const float* logits, int64_t stride, float temperature,
                        LogSumExp* state);

/// Replaces logits by d loss / d logits for loss = Σ_row grad[row] · log softmax(logits / temperature)[target[row]],
/// block [first, first + columns) of the vocabulary: grad · (1[v = target] − p_v) / temperature.
void token_logprob_gradient(int64_t rows, int64_t columns, int64_t first, float* logits, int64_t stride,
                            float temperature, const float* log_sum_exp, const int64_t* target, const float* grad);

/// kl[row] = KL(softmax(logits) ‖ softmax(ref_logits)), natural log; both [rows, n].
void kl_divergence(int64_t rows, int64_t n, const float* logits, const float* ref_logits, float* kl);

/// Replaces logits by grad[row] · d kl[row] / d logits, given kl as kl_divergence computed it.
void kl_divergence_gradient(int64_t rows, int64_t n, float* logits, const float* ref_logits, const float* kl,
                            const float* grad);

/// out[i] = exp(logits[i] − log_sum_exp), one row of n.
void probabilities(int64_t n, const float* logits, float log_sum_exp, float* out);

}  // namespace agro
