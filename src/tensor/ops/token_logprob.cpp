#include "tensor/ops/token_logprob.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "tensor/ops/embedding.h"
#include "tensor/ops/vocabulary_cpu.h"

namespace agro {
namespace {

constexpr int64_t kTokenChunk = 1024;  // × kVocabularyBlock floats = 16 MiB of scratch

struct Chunk {
  int64_t begin, rows;
};

std::vector<Chunk> chunks_of(int64_t n) {
  std::vector<Chunk> chunks;
  for (int64_t begin = 0; begin < n; begin += kTokenChunk) chunks.push_back({begin, std::min(kTokenChunk, n - begin)});
  return chunks;
}

/// Calls use(first, columns) for each block of the vocabulary.
template <class F>
void for_vocabulary(int64_t vocabulary, F&& use) {
  for (int64_t first = 0; first < vocabulary; first += kVocabularyBlock)
    use(first, std::min(kVocabularyBlock, vocabulary - first));
}

struct TokenLogprobFunction : torch::autograd::Function<TokenLogprobFunction> {
  static Tensor forward(AutogradContext* ctx, const Tensor& hidden_in, const Tensor& weight, const Tensor& targets_in,
                        const LinearWeight* head, double temperature) {
    const Tensor hidden = hidden_in.contiguous(), targets = targets_in.contiguous();
    const RightHandSide& packed = head->pack->get(weight, head->layout, head->products);
    const int64_t n = hidden.size(0), c = hidden.size(1), vocabulary = head->out_features();
    const auto t = static_cast<float>(temperature);
    Tensor out = torch::empty({n}, hidden.options()), lse = torch::empty({n}, hidden.options());
    std::vector<float> logits(static_cast<size_t>(std::min(n, kTokenChunk) * std::min(vocabulary, kVocabularyBlock)));
    const int64_t* target = read_pointer<int64_t>(targets);
    float *logprob = write_pointer<float>(out), *normalizer = write_pointer<float>(lse);
    for (const Chunk& chunk : chunks_of(n)) {
      std::vector<LogSumExp> state(static_cast<size_t>(chunk.rows), kEmptyLogSumExp);
      for_vocabulary(vocabulary, [&](int64_t first, int64_t columns) {
        matmul({read_pointer<float>(hidden) + chunk.begin * c, chunk.rows, c}, packed, logits.data(), columns,
               {.first_column = first, .last_column = first + columns});
        log_sum_exp_update(chunk.rows, columns, logits.data(), columns, t, state.data());
        for (int64_t row = 0; row < chunk.rows; ++row) {
          const int64_t hit = target[chunk.begin + row] - first;
          if (hit >= 0 && hit < columns)
            logprob[chunk.begin + row] = logits[static_cast<size_t>(row * columns + hit)] / t;
        }
      });
      for (int64_t row = 0; row < chunk.rows; ++row) {
        const LogSumExp& s = state[static_cast<size_t>(row)];
        normalizer[chunk.begin + row] = s.max + std::log(s.sum);
        logprob[chunk.begin + row] -= normalizer[chunk.begin + row];
      }
    }
    ctx->save_for_backward({hidden, weight, targets, lse});
    ctx->saved_data["temperature"] = temperature;
    ctx->saved_data["bfloat16"] = head->products == Products::kBFloat16;
    return out;
  }

  static variable_list backward(AutogradContext* ctx, const variable_list& grads) {
    const auto saved = ctx->get_saved_variables();
    const Tensor &hidden = saved[0], &weight = saved[1], &targets = saved[2], &lse = saved[3],
                 grad = grads[0].contiguous();
    const auto t = static_cast<float>(ctx->saved_data["temperature"].toDouble());
    const Products products = ctx->saved_data["bfloat16"].toBool() ? Products::kBFloat16 : Products::kFloat32;
    const int64_t n = hidden.size(0), c = hidden.size(1), vocabulary = weight.size(0);
    Tensor dhidden = torch::zeros_like(hidden), dweight;
    if (ctx->needs_input_grad(1)) dweight = torch::zeros(weight.sizes(), hidden.options());
    std::vector<float> logits(static_cast<size_t>(std::min(n, kTokenChunk) * std::min(vocabulary, kVocabularyBlock)));
    for_vocabulary(vocabulary, [&](int64_t first, int64_t columns) {
      const Tensor block = weight.narrow(0, first, columns);
      const RightHandSide forward_block = pack_weight(block, WeightLayout::kOutIn, false, products);
      const RightHandSide backward_block = pack_weight(block, WeightLayout::kOutIn, true, products);
      for (const Chunk& chunk : chunks_of(n)) {
        const float* rows = read_pointer<float>(hidden) + chunk.begin * c;
        matmul({rows, chunk.rows, c}, forward_block, logits.data(), columns);
        token_logprob_gradient(chunk.rows, columns, first, logits.data(), columns, t,
                               read_pointer<float>(lse) + chunk.begin, read_pointer<int64_t>(targets) + chunk.begin,
                               read_pointer<float>(grad) + chunk.begin);
        matmul({logits.data(), chunk.rows, columns}, backward_block, write_pointer<float>(dhidden) + chunk.begin * c, c,
               {.accumulate = true});
        if (dweight.defined())
          matmul({logits.data(), columns, 1, columns}, pack_rows(rows, chunk.rows, c, products),
                 write_pointer<float>(dweight) + first * c, c, {.accumulate = true});
      }
    });
    return {dhidden, dweight, Tensor(), Tensor(), Tensor()};
  }
};

}  // namespace

Tensor token_logprobs(const Tensor& hidden, const LinearWeight& head, const Tensor& targets, double temperature) {
  check_shape(hidden, {targets.size(0), head.in_features()}, "hidden states of the output head");
  if (head.layout != WeightLayout::kOutIn || head.bias.defined())
    throw Error("the output head must be [vocabulary, hidden] without bias");
  if (targets.device().is_cpu()) check_ids(targets, head.out_features());
  if (!on_kernel_path(hidden)) return token_logprobs_ref(hidden, head, targets, temperature);
  if (head.weight.scalar_type() != at::kFloat && head.weight.requires_grad())
    throw Error("a trainable output head must be float32");
  return TokenLogprobFunction::apply(hidden, head.weight, targets, &head, temperature);
}

}  // namespace agro
