#pragma once
// Prompts of the evaluation that are also trained on: accuracy on them says nothing about new problems.
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "data/prompts.h"

namespace agro {

/// The question as it is compared: Unicode form NFKC, ASCII letters small, runs of white space one space, none at the
/// ends, nor the punctuation . , ; : ! ? there. Signs inside stay, since "3 + 4" and "3 - 4" are two problems.
std::string normalized_question(std::string_view question);

struct PromptLeak {
  size_t count = 0;                   // evaluation prompts that are among the training prompts
  std::vector<std::string> examples;  // ids of the first of them, at most 3
};

/// Compares 64-bit hashes of the normalised questions, without the templates around them (of chats, the last message of
/// the user). Prompts of token ids compare by their ids.
PromptLeak find_leaks(std::span<const PromptRecord> training, std::span<const PromptRecord> evaluation);

/// One line for people, empty where nothing leaks: "12 of 200 evaluation prompts are training prompts, too (…)".
std::string describe_leaks(const PromptLeak& leak, size_t evaluation_prompts);

}  // namespace agro
