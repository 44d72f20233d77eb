#pragma once
// Sampling in plain LibTorch: one prefill per prompt, a preallocated cache, no graph, finished sequences leave.
#include "bench/ref/model.h"

namespace agro {

struct PlainSampling {
  int64_t per_prompt = 1;
  int64_t max_new_tokens = 1;
  TokenIds end_ids{};  // a sequence ends behind one of them; none: at max_new_tokens
  Tensor forced{};     // [B, max_new_tokens] takes the place of drawing where it is defined
};

struct PlainSamples {
  Tensor ids;                    // [B, max_new_tokens] int64, B = prompts · per_prompt, those of a prompt together
  Tensor logprobs;               // [B, max_new_tokens] of each id
  std::vector<int64_t> lengths;  // [B] tokens drawn, the end token included; the rest of a row means nothing
};

PlainSamples plain_sample(const PlainModel& model, const std::vector<TokenIds>& prompts, const PlainSampling& sampling);

}  // namespace agro
