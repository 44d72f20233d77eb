#pragma once
// Responses of a model to a run's prompts: drawn, decoded, rewarded.
#include <vector>

#include "generate/engine.h"
#include "train/training_data.h"

namespace agro {

struct DrawRequest {
  size_t prompt_index = 0;  // into the training data
  uint32_t first_draw = 0;  // responses drawn for this prompt before, so that new ones come
  int64_t count = 1;
};

struct DrawnResponse {
  Response response;
  bool dropped = false;  // by rewards.truncated = "drop"
};

class ResponseSampler {
 public:
  /// The references must outlive the sampler; `tokenizer` may be null.
  ResponseSampler(const TrainingData& data, SamplingConfig sampling, EngineOptions engine, const Tokenizer* tokenizer,
                  TotalReward& reward, uint64_t seed);

  /// result[r]: the responses of request r. `policy_version` is noted in them.
  std::vector<std::vector<DrawnResponse>> draw(const CausalLm& model, const std::vector<DrawRequest>& requests,
                                               Stream stream, int64_t policy_version,
                                               GenerationStatistics* statistics = nullptr) const;

 private:
  const TrainingData& data_;
  SamplingConfig sampling_;
  EngineOptions engine_;
  const Tokenizer* tokenizer_;
  TotalReward& reward_;
  uint64_t seed_;
};

}  // namespace agro
