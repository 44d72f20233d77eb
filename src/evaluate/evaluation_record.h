#pragma once
// What an evaluation leaves in its file: figures, statistics, and every response. `agro report` and `agro eval
// --compare` read it.
#include <span>
#include <string>
#include <vector>

#include "core/file.h"
#include "data/prompts.h"
#include "evaluate/comparison.h"
#include "evaluate/summary.h"

namespace agro {

struct EvaluationAbout {
  std::string name, model, prompts_file;
  OrderedJson settings = OrderedJson::object();  // what else decides about the figures
  double seconds = 0;
};

/// {"name", "model", "prompts_file", "settings", "figures", "statistics": summary, "comparison"?, "seconds",
///  "responses": [{"id", "question", "prompt", "messages" | "ids", "answer"?, "labels": {field: value}, "text",
///                 "correct", "tokens", "truncated", "sampled_share", "samples": [{"text", "correct", "reward",
///                 "tokens", "truncated"}]}]}
/// "question" is the problem by itself, "prompt" the text that the model read, of chats and token ids too. The fields
/// from "text" on are the greedy response's, where there is one.
OrderedJson evaluation_record(const EvaluationAbout& about, std::span<const PromptRecord> prompts,
                              std::span<const MeasuredPrompt> measured, std::span<const PromptLabels> labels,
                              const OrderedJson& figures, const EvaluationSummary& summary);

/// Who was right on what, for compare_paired. Prompts are told apart by their question, before any template: two models
/// may be asked in different forms.
std::vector<PromptOutcome> outcomes_of(std::span<const PromptRecord> prompts, std::span<const MeasuredPrompt> measured);

/// The same from a file that evaluation_record made. Throws Error naming the file where it is none.
std::vector<PromptOutcome> read_outcomes(const Path& path);

/// What the prompts' records say of them: the fields given, in their order, then level, type, subject, kind, category
/// and difficulty (also with a capital) where some record has them. Throws Error for a given field that no record has,
/// or that has more than 200 values.
std::vector<PromptLabels> prompt_labels(std::span<const PromptRecord> prompts, const std::vector<std::string>& fields);

/// Those of prompt_labels(…, fields) by which figures are divided: the fields given; without any, those that have from
/// 2 to 40 values.
std::vector<PromptLabels> dividing_labels(const std::vector<PromptLabels>& labels,
                                          const std::vector<std::string>& fields);

}  // namespace agro
