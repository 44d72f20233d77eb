#include "train/response_sampler.h"

#include "evaluate/evaluator.h"

namespace agro {

ResponseSampler::ResponseSampler(const TrainingData& data, SamplingConfig sampling, EngineOptions engine,
                                 const Tokenizer* tokenizer, TotalReward& reward, uint64_t seed)
    : data_(data),
      sampling_(std::move(sampling)),
      engine_(engine),
      tokenizer_(tokenizer),
      reward_(reward),
      seed_(seed) {}

std::vector<std::vector<DrawnResponse>> ResponseSampler::draw(const CausalLm& model,
                                                              const std::vector<DrawRequest>& requests, Stream stream,
                                                              int64_t policy_version,
                                                              GenerationStatistics* statistics) const {
  std::vector<GenerationRequest> generation;
  for (const DrawRequest& r : requests)
    generation.push_back({data_.prompt_ids[r.prompt_index], r.prompt_index, r.first_draw, r.count});
  auto completions = Engine(model, tokenizer_, engine_).generate(generation, sampling_, seed_, stream, statistics);

  std::vector<std::vector<DrawnResponse>> drawn(requests.size());
  std::vector<const PromptRecord*> prompts;
  std::vector<Response*> responses;
  for (size_t r = 0; r < requests.size(); ++r) {
    for (Completion& completion : completions[r]) {
      Response response;
      response.text = completion_text(completion, tokenizer_, model.config().eos_token_ids);
      response.ids = std::move(completion.ids);
      response.finished = completion.finish == FinishReason::kStop;
      response.policy_version = policy_version;
      double sum = 0;
      for (const float logprob : completion.logprobs) sum += static_cast<double>(logprob);
      response.behavior_logprob = sum;
      response.behavior_logprobs = std::move(completion.logprobs);
      drawn[r].push_back({std::move(response)});
    }
    for (DrawnResponse& d : drawn[r]) {
      prompts.push_back(&data_.prompts[requests[r].prompt_index]);
      responses.push_back(&d.response);
    }
  }
  const std::vector<bool> dropped = reward_responses(reward_, prompts, responses);
  size_t next = 0;
  for (auto& group : drawn)
    for (DrawnResponse& d : group) d.dropped = dropped[next++];
  return drawn;
}

}  // namespace agro
