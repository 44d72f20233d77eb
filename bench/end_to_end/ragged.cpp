// Training on sequences as long as grade-school problems with worked answers, beside full rows.
#include <cmath>

#include "bench/end_to_end/bench.h"
#include "bench/end_to_end/models.h"
#include "core/rng.h"

namespace agro {
namespace {

struct Lengths {
  int64_t prompt, response;

  /// Of the packed sequence, which leaves the last token out.
  int64_t packed() const { return prompt + response - 1; }
};

/// A log-normal number within the bounds: drawn again until it is.
int64_t log_normal(uint64_t item, uint32_t what, double median, double sigma, int64_t least, int64_t most) {
  for (uint32_t attempt = 0;; ++attempt) {
    const double z = normal({6, Stream::kTest, item, attempt, what});
    const auto value = static_cast<int64_t>(std::llround(median * std::exp(sigma * z)));
    if (value >= least && value <= most) return value;
  }
}

std::vector<Lengths> ragged_lengths(int64_t count) {
  std::vector<Lengths> lengths;
  for (uint64_t i = 0; i < static_cast<uint64_t>(count); ++i)
    lengths.push_back({log_normal(i, 0, 90, 0.4, 40, 200), log_normal(i, 1, 100, 0.5, 30, 250)});
  return lengths;
}

/// Rows of equal length (to one token) with as many tokens in all, as many of them predicted, and as nearly as a whole
/// number of rows allows the same number of query-key pairs: for a row of L tokens L(L + 1)/2.
std::vector<Lengths> full_rows(const std::vector<Lengths>& ragged) {
  int64_t tokens = 0, responses = 0;
  double pairs = 0;
  for (const Lengths& l : ragged) {
    tokens += l.packed(), responses += l.response;
    pairs += 0.5 * static_cast<double>(l.packed() * (l.packed() + 1));
  }
  const double length = 2 * pairs / static_cast<double>(tokens) - 1;
  const auto rows = std::max<int64_t>(1, std::llround(static_cast<double>(tokens) / length));
  std::vector<Lengths> full;
  for (int64_t i = 0; i < rows; ++i) {
    const auto part = [&](int64_t whole) { return whole * (i + 1) / rows - whole * i / rows; };
    full.push_back({part(tokens) - part(responses) + 1, part(responses)});
  }
  return full;
}

/// A batch of random tokens with the given lengths.
class Texts {
 public:
  Texts(const std::vector<Lengths>& lengths, int64_t vocabulary) {
    for (size_t i = 0; i < lengths.size(); ++i)
      sequences_.push_back(random_sequences(1, lengths[i].packed() + 1, vocabulary, 100 + i).front());
    for (size_t i = 0; i < lengths.size(); ++i) {
      const std::span<const TokenId> all(sequences_[i]);
      const auto prompt = static_cast<size_t>(lengths[i].prompt);
      items_.push_back({all.first(prompt), all.subspan(prompt)});
      tokens_ += static_cast<double>(lengths[i].packed());
    }
  }

  const std::vector<PromptCompletion>& items() const { return items_; }
  const std::vector<TokenIds>& sequences() const { return sequences_; }
  double tokens() const { return tokens_; }

 private:
  std::vector<TokenIds> sequences_;
  std::vector<PromptCompletion> items_;
  double tokens_ = 0;
};

double pass(const CausalLm& model, const Texts& texts) {
  drop_gradients(model);
  const Tensor loss = -completion_logprobs(model, texts.items()).mean();
  loss.backward();
  return loss.item<double>();
}

/// The same loss from a plain model, one sequence at a time.
double plain_loss(const PlainModel& plain, const Texts& texts) {
  const torch::NoGradGuard no_grad;
  double sum = 0, count = 0;
  for (size_t i = 0; i < texts.sequences().size(); ++i) {
    const TokenIds& all = texts.sequences()[i];
    const auto length = static_cast<int64_t>(all.size()) - 1,
               response = static_cast<int64_t>(texts.items()[i].completion.size());
    const Tensor ids = int64_tensor(all).unsqueeze(0);
    const Tensor logprobs = plain.logprobs(ids.narrow(1, 0, length), ids.narrow(1, 1, length));
    sum -= logprobs.narrow(1, length - response, response).sum().item<double>();
    count += static_cast<double>(response);
  }
  return sum / count;
}

}  // namespace

BenchResult bench_ragged(const BenchRun& run) {
  BenchResult result;
  const auto add = [&](const char* name, const ModelShape& shape, int64_t sequences) {
    const CausalLm model = random_model(llama_config(shape));
    const std::vector<Lengths> lengths = ragged_lengths(sequences), rows = full_rows(lengths);
    const Texts ragged(lengths, shape.vocabulary), full(rows, shape.vocabulary);
    if (ragged.tokens() != full.tokens())
      throw fail("{} ragged tokens, {} in full rows", ragged.tokens(), full.tokens());
    const PlainModel plain(model);
    for (const Texts* texts : {&ragged, &full})
      expect_close(pass(model, *texts), plain_loss(plain, *texts), 1e-4, std::string(name) + ": loss");
    const Rounds rounds = take_turns(
        run.rounds, [&] { return pass(model, ragged), ragged.tokens(); },
        [&] { return pass(model, full), full.tokens(); });
    result.lines.push_back({fmt::format("{}, {} sequences, {:.0f} tokens", name, sequences, ragged.tokens()),
                            "tokens",
                            rounds,
                            {},
                            {.ratio = 0.9},
                            "ragged",
                            fmt::format("{} rows of {}", rows.size(), rows.front().packed())});
  };
  add("width 128", kSmallLlama, 48);
  add("width 576, 4 layers", kSmolLayers, 16);
  result.notes = {
      "Both sides are agro, float32, forward and backward. Prompts of 40 to 200 tokens, responses of 30 to "
      "250, log-normal around 90 and 100; the full rows have the same number of tokens, of predicted tokens "
      "and, as nearly as whole rows allow, of query-key pairs."};
  return result;
}

}  // namespace agro
