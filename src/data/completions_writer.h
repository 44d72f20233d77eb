#pragma once
// Writing responses in the grouped form that read_completions reads: what a training step generated, what it scored.
#include <span>
#include <string>

#include "data/group.h"
#include "data/prompts.h"

namespace agro {

/// One line: {"id", "prompt" | "messages" | "ids", "answer"?, "completions": [{"text", "ids"?, "reward",
/// "reward_parts"?, "finish_reason", "source", "logprob"?, "logprobs"?, "policy_version"}…]}. `reward_names` name the
/// reward parts, in their order. A response without ids is its text alone. logprobs read back to the bit; they are left
/// out where they are not one per id, or one is not finite (JSON has no such number).
OrderedJson group_record(const PromptRecord& prompt, std::span<const Response> responses,
                         std::span<const std::string> reward_names = {});

/// Writes one group a line, atomically; prompts[group.prompt_index] is the group's prompt. Throws Error on a full disk
/// (an earlier file of that name survives) and where a prompt_index is out of range.
void write_completions(const Path& path, std::span<const PromptRecord> prompts, std::span<const Group> groups,
                       std::span<const std::string> reward_names = {});

/// RUN/completions/step-N.jsonl
Path completions_path(const Path& run_folder, int64_t step);

}  // namespace agro
