#include "data/encode.h"

#include <algorithm>
#include <limits>
#include <numeric>

#include "core/error.h"

namespace agro {
namespace {

TokenIds encode_text(std::string_view text, const Encoders& encoders) {
  if (!encoders.encode)
    throw fail("is text, but the model folder has no tokenizer").hint("give token ids: \"ids\": […]");
  return encoders.encode(text);
}

TokenIds prompt_ids(const PromptRecord& prompt, const Encoders& encoders) {
  if (!prompt.ids.empty()) return prompt.ids;
  if (prompt.messages.is_null()) return encode_text(prompt.text, encoders);
  if (!encoders.render_chat)
    throw fail("is a chat, but the model folder has no chat template").hint("give the prompt as plain text");
  return encode_text(encoders.render_chat(prompt.messages), encoders);
}

bool needs_end(const StoredCompletion& completion, const TokenIds& ids, const Encoders& encoders) {
  if (!encoders.append_end || encoders.end_ids.empty() || completion.finish_reason == "length") return false;
  if (!completion.ids.empty() && !completion.finish_reason.empty()) return false;
  return ids.empty() || std::count(encoders.end_ids.begin(), encoders.end_ids.end(), ids.back()) == 0;
}

std::string decoded(TokenIds ids, const Encoders& encoders) {
  if (!encoders.decode) return {};
  if (!ids.empty() && std::count(encoders.end_ids.begin(), encoders.end_ids.end(), ids.back()) > 0) ids.pop_back();
  return encoders.decode(ids);
}

}  // namespace

TokenIds encode_prompt(const PromptRecord& prompt, const Encoders& encoders) {
  try {
    TokenIds ids = prompt_ids(prompt, encoders);
    if (ids.empty()) throw fail("encodes to no token at all");
    return ids;
  } catch (Error& error) {
    throw std::move(error).at(fmt::format("prompt '{}'", prompt.id));
  }
}

Response to_response(const StoredCompletion& completion, const Encoders& encoders) {
  Response response;
  response.ids = completion.ids.empty() ? encode_text(completion.text, encoders) : completion.ids;
  const bool end_added = needs_end(completion, response.ids, encoders);
  if (end_added) response.ids.push_back(encoders.end_ids.front());
  if (response.ids.empty()) throw fail("a stored completion encodes to no token at all");
  response.text =
      completion.text.empty() && !completion.ids.empty() ? decoded(completion.ids, encoders) : completion.text;
  response.reward = completion.reward.value_or(std::numeric_limits<double>::quiet_NaN());
  response.finished = completion.finish_reason != "length";
  // What another run drew was fresh then.
  response.source = completion.source == "fresh" ? "stored" : completion.source;
  // Of ids to which an end token had to be added, the recorded figure is that of a part.
  if (completion.ids.empty() || !end_added) response.behavior_logprob = completion.logprob;
  if (completion.logprobs.size() == response.ids.size()) {
    response.behavior_logprobs = completion.logprobs;
    if (!completion.logprob)
      response.behavior_logprob = std::accumulate(completion.logprobs.begin(), completion.logprobs.end(), 0.0);
  }
  return response;
}

void check_fits(const PromptRecord& prompt, const TokenIds& prompt_ids, const TokenIds& completion_ids,
                const ModelLimits& limits) {
  const std::string who = fmt::format("prompt '{}'{}", prompt.id, completion_ids.empty() ? "" : " with its completion");
  const size_t unfed = completion_ids.empty() ? 0 : 1;
  const auto length = static_cast<int64_t>(prompt_ids.size() + completion_ids.size() - unfed);
  if (length > limits.positions)
    throw fail("{} tokens are more than the model's {} positions", length, limits.positions)
        .at(who)
        .hint("drop it, shorten it, or use a model with a longer context");
  for (const TokenIds* ids : {&prompt_ids, &completion_ids})
    for (const TokenId id : *ids)
      if (id < 0 || id >= limits.vocabulary)
        throw fail("token id {} is outside the model's vocabulary of {}", id, limits.vocabulary).at(who);
}

}  // namespace agro
