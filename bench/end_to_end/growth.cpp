// How the time of agro grows with one size at a time, beside what counting operations says.
#include "bench/end_to_end/limits.h"
#include "bench/end_to_end/pairs.h"

namespace agro {
namespace {

/// Something whose time is measured at one size.
struct Case {
  int64_t size;
  double operations;
  std::function<void()> work;
};

/// Each of the cases once in every round, after one that is not measured.
Growth measure(std::string name, int rounds, const std::vector<Case>& cases) {
  std::vector<std::vector<double>> seconds(cases.size());
  for (int round = -1; round < rounds; ++round)
    for (size_t i = 0; i < cases.size(); ++i) {
      const double time = seconds_of(cases[i].work);
      if (round >= 0) seconds[i].push_back(time);
    }
  Growth growth{std::move(name), {}};
  for (size_t i = 0; i < cases.size(); ++i)
    growth.sizes.push_back({cases[i].size, spread_of(seconds[i]).median, cases[i].operations});
  return growth;
}

/// Forward and backward pass over `groups` prompts with `responses` each; all that is needed is kept by the function.
Case training_case(int64_t size, const ModelShape& shape, int64_t groups, int64_t prompt, int64_t responses,
                   int64_t response) {
  struct Kept {
    CausalLm model;
    std::vector<TokenIds> prompts, completions;
    std::vector<PromptCompletion> items;
  };
  auto kept = std::make_shared<Kept>(Kept{random_model(llama_config(shape)),
                                          random_sequences(groups, prompt, shape.vocabulary, 4),
                                          random_sequences(groups * responses, response, shape.vocabulary, 5),
                                          {}});
  for (size_t i = 0; i < kept->completions.size(); ++i)
    kept->items.push_back({kept->prompts[i / static_cast<size_t>(responses)], kept->completions[i]});
  return {size, training_operations(kept->model.config(), pack_completions(kept->items)), [kept] {
            drop_gradients(kept->model);
            (-completion_logprobs(kept->model, kept->items).mean()).backward();
          }};
}

ModelShape small_with(int64_t vocabulary, int64_t width) {
  ModelShape shape = kSmallLlama;
  shape.vocabulary = vocabulary;
  shape.hidden = width, shape.inner = 8 * width / 3, shape.heads = shape.kv_heads = width / 32;
  shape.positions = 1024;
  return shape;
}

}  // namespace

BenchResult bench_growth(const BenchRun& run) {
  BenchResult result;
  const ModelShape base = small_with(256, 128);
  const auto add = [&](const char* name, std::initializer_list<int64_t> sizes, const auto& make) {
    std::vector<Case> cases;
    for (const int64_t size : sizes) cases.push_back(make(size));
    result.growths.push_back(measure(name, run.rounds, cases));
  };
  add("sequence length", {64, 128, 256, 512, 1024},
      [&](int64_t length) { return training_case(length, base, 8, 1, 1, length); });
  add("responses to a prompt", {1, 2, 4, 8, 16, 32},
      [&](int64_t count) { return training_case(count, base, 1, 256, count, 64); });
  add("sequences", {8, 16, 32, 64, 128}, [&](int64_t count) { return training_case(count, base, count, 1, 1, 64); });
  add("vocabulary", {512, 2048, 8192, 32768},
      [&](int64_t vocabulary) { return training_case(vocabulary, small_with(vocabulary, 128), 16, 1, 1, 64); });
  add("width", {64, 128, 256, 512},
      [&](int64_t width) { return training_case(width, small_with(256, width), 16, 1, 1, 64); });
  add("sequences sampled at a time", {1, 4, 16, 64, 256}, [&](int64_t count) {
    const auto pair = std::make_shared<SamplingPair>(llama_config(base), count, 16, 32);
    return Case{count, generation_work(pair->config(), count, 1, 16, 32, 4).operations, [pair] { pair->sample(); }};
  });
  result.notes = {
      "Llama of width 128 and 4 layers, float32, one size changed at a time: 8 sequences of the given "
      "length; one prompt of 256 tokens with responses of 64; sequences of 64; 16 sequences of 64 for "
      "vocabulary and width; 32 tokens sampled after 16. Training is forward and backward.",
      "A slope is log(time ratio) / log(size ratio) between a size and the one before; theory is the same of "
      "the operations, counted by formula."};
  return result;
}

}  // namespace agro
