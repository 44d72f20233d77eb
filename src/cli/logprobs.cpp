#include <numeric>

#include "cli/commands.h"
#include "cli/json_lines.h"
#include "cli/open_model.h"
#include "core/log.h"
#include "data/fields.h"
#include "generate/sampling.h"
#include "model/completion_batch.h"
#include "tensor/ops/token_logprob.h"

namespace agro {
namespace {

struct Options {
  ModelOptions model;
  bool end = false;
};

constexpr int64_t kLogitsAtATime = int64_t{1} << 24;  // 64 MiB

/// The most probable token of each row of hidden [N, C]; never [N, vocabulary] at once.
TokenIds best_tokens(const CausalLm& model, const Tensor& hidden) {
  const int64_t vocabulary = model.config().vocab_size,
                rows_at_a_time = std::max<int64_t>(1, kLogitsAtATime / vocabulary);
  TokenIds best;
  for (int64_t row = 0; row < hidden.size(0); row += rows_at_a_time) {
    const int64_t rows = std::min(rows_at_a_time, hidden.size(0) - row);
    const Tensor logits = linear(hidden.narrow(0, row, rows), model.head()).contiguous();
    for (int64_t r = 0; r < rows; ++r)
      best.push_back(argmax({read_pointer<float>(logits) + r * logits.size(1), static_cast<size_t>(logits.size(1))}));
  }
  return best;
}

OrderedJson score(const CausalLm& model, const TokenIds& prompt, const TokenIds& completion) {
  std::vector<float> logprobs;
  TokenIds best;
  if (!completion.empty()) {
    const torch::NoGradGuard no_grad;
    const PromptCompletion item{prompt, completion};
    const CompletionBatch batch = pack_completions({&item, 1});
    const Tensor hidden = model.hidden_states(batch.tokens).index_select(0, batch.rows);
    const Tensor values = token_logprobs(hidden, model.head(), batch.targets).contiguous();
    logprobs.assign(read_pointer<float>(values), read_pointer<float>(values) + values.size(0));
    best = best_tokens(model, hidden);
  }
  const double sum = std::accumulate(logprobs.begin(), logprobs.end(), 0.0);
  return {{"logprobs", logprobs}, {"sum", sum}, {"argmax", best}};
}

TokenIds completion_ids(const Json& value, const Encoders& encoders) {
  if (value.is_array()) return value.empty() ? TokenIds() : detail::token_ids(value, "completion");
  if (!value.is_string())
    throw fail("'completion' must be a string or a list of token ids, found {}", value.type_name());
  if (!encoders.encode)
    throw Error("'completion' is text, but the model folder has no tokenizer").hint("give token ids");
  return encoders.encode(value.get_ref<const std::string&>());
}

OrderedJson answer(const Json& record, int64_t line, const OpenModel& opened, bool end) {
  if (!record.contains("completion")) {
    if (!record.contains("ids")) throw Error("expected \"ids\", or \"prompt\" and \"completion\"");
    const TokenIds ids = detail::token_ids(record["ids"], "ids");
    check_ids(ids, opened.model.config());
    return score(opened.model, {ids.front()}, {ids.begin() + 1, ids.end()});
  }
  TokenIds completion = completion_ids(record["completion"], opened.encoders);
  if (end) completion.push_back(opened.encoders.end_ids.front());
  const TokenIds prompt = encode_prompt(parse_prompt(record, {}, line), opened.encoders);
  check_ids(prompt, opened.model.config());
  check_ids(completion, opened.model.config());
  return score(opened.model, prompt, completion);
}

void run(const Options& options) {
  set_quiet(true);
  const OpenModel opened = open_model(options.model);
  if (options.end && opened.encoders.end_ids.empty())
    throw Error("--eos: the model has no end token").at(options.model.folder);
  answer_lines(
      [&](const OrderedJson& record, int64_t line) { return answer(Json(record), line, opened, options.end); });
}

}  // namespace

void add_logprobs(CLI::App& program) {
  CLI::App* command =
      program.add_subcommand("logprobs", "Log-probabilities of given tokens.")->group("Windows for scripts");
  const auto options = std::make_shared<Options>();
  add_model_options(*command, options->model);
  command->add_flag("--eos", options->end, "Score the model's end token after each \"completion\".");
  command->footer(R"(JSON lines on standard input, one answer each on standard output:
  {"ids"}                  -> {"logprobs", "sum", "argmax"}: natural log of the probability of token
                              t+1 given tokens 0..t, and the most probable token there; n - 1 of each
  {"prompt", "completion"} -> the same for the tokens of the completion; both are tokenised separately

Example:
  echo '{"prompt": "1 + 1 = ", "completion": "2"}' | agro logprobs path/to/model)");
  command->callback([options] { run(*options); });
}

}  // namespace agro
