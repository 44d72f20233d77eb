#include "train/config.h"

#include "core/error.h"
#include "data/datasets/formats.h"

namespace agro {

void RunConfig::visit(ConfigVisitor& v) {
  v.field("output", output, "Run directory; made if it is not there.");
  v.field("seed", seed, {.min = 0, .max = 9e15},
          "Seed of everything random. Equal config, data and seed give equal results.");
  v.field("threads", threads, {.min = 0, .max = 4096}, "Worker threads; 0: one per CPU this process may use.");
  v.field("steps", steps, {.min = 1, .max = 1e9}, "Optimiser steps.");
  v.field("evaluate_every", evaluate_every, {.min = 0, .max = 1e9},
          "Steps between evaluations; 0: only at start and end.");
  v.field("checkpoint_every", checkpoint_every, {.min = 0, .max = 1e9},
          "Steps between checkpoints; 0: only at the end and on Ctrl-C.");
  v.field("keep_checkpoints", keep_checkpoints, {.min = 1, .max = 1e6}, "Newest checkpoints that are kept.");
  v.field("save_completions_every", save_completions_every, {.min = 0, .max = 1e9},
          "Steps between files completions/step-N.jsonl, which hold all responses of their step; 0: never.");
  v.field("best_metric", best_metric, {"greedy_accuracy", "sampled_accuracy", "reward_mean", "answer_probability"},
          "Figure of the evaluations by which the model in best/ is chosen.");
  v.field("max_failed_steps", max_failed_steps, {.min = 1, .max = 1e6},
          "Steps in a row with a non-finite loss or gradient before the run stops.");
}

void ModelSection::visit(ConfigVisitor& v) {
  v.field("path", path, "HuggingFace model folder to start from.");
  v.field(
      "adapter", adapter,
      "PEFT adapter folder to start from, for the model in `path`. With lora.rank it is trained further and must be of "
      "that rank; without, it is merged into the weights, which are then trained.");
  v.field(
      "reference", reference,
      "Folder of the frozen reference that the KL is measured to; empty: the starting model. With lora.rank that is "
      "the policy without what its adapters learned, and takes no memory of its own.");
  v.field(
      "reference_dtype", reference_dtype, {"same", "float32", "bfloat16"},
      "Weights of the reference in memory, with lora.rank the frozen weights of the policy too; same: bfloat16 where "
      "its files are, else float32.");
  v.field("products", products, {"float32", "bfloat16"},
          "Numbers that enter the matrix products of all linear layers, of policy and reference, forward and backward. "
          "bfloat16: rounded as they enter; sums, weights, gradients and optimiser stay float32. Faster where the CPU "
          "has AMX.");
}

void DataConfig::visit(ConfigVisitor& v) {
  v.field(
      "prompts", prompts,
      "File of prompts: JSONL, a JSON list, or a folder of them. May be empty when completions are given: then their "
      "prompts are used.");
  v.field(
      "format", format, dataset_format_names(),
      "Layout of data.prompts. auto: recognised by its first record. plain: prompt, messages, question or ids, with "
      "answer. The others as data sets are published (docs/data-formats.md). evaluate.prompts is recognised by "
      "itself, unless this is plain.");
  v.field("completions", completions,
          "JSONL files of logged responses, with rewards or without. agro train takes group.stored_per_group of them "
          "into each group.");
  v.field("prompt_key", prompt_key,
          "Field that holds the prompt; empty: ids, prompt, messages or question, whichever is there.");
  v.field("answer_key", answer_key, "Field that holds the answer.");
  v.field("prompt_template", prompt_template,
          "Text around plain prompts: \"{prompt}\\nAnswer:\". Other {fields} of the record may be used.");
  v.field("prompt_template_file", prompt_template_file,
          "The same as a file, with worked examples or as a chat (configs/prompts); in place of prompt_template.");
  v.field("system_prompt", system_prompt,
          "With a chat template: plain prompts become a chat of this system message and the prompt as user.");
  v.field("limit", limit, {.min = 0, .max = 1e12}, "Use the first so many prompts; 0: all.");
  v.field("append_eos", append_eos,
          "Append the model's end token to stored responses that do not say how they finished.");
  v.field("stored_behavior", stored_behavior, {"recorded", "reference", "policy"},
          "For objectives that weigh responses by who wrote them: whose log-probabilities stored responses were drawn "
          "with. recorded: those in the file. reference: the reference's, where it wrote them. policy: the current "
          "policy's, so that every ratio is 1, as trainers have it that take any response for fresh.");
}

void ReferenceConfig::visit(ConfigVisitor& v) {
  v.field(
      "update_every", update_every, {.min = 0, .max = 1e9},
      "Steps after which the reference moves towards the policy; 0: never. A departure from the paper, whose optimum "
      "is that of a frozen reference: the KL, also that of evaluations, is then to the reference of the time.");
  v.field(
      "ema", ema, {.min = 0, .max = 1},
      "What the reference keeps of itself when it moves: ema * reference + (1 - ema) * policy. 0 copies the policy.");
  v.field("samples", samples, {.min = 1, .max = 65536},
          "astar_po: responses drawn from the reference for each prompt to estimate V*.");
}

void GroupConfig::visit(ConfigVisitor& v) {
  v.field("prompts_per_step", prompts_per_step, {.min = 1, .max = 1e6},
          "Prompts of one optimiser step; the responses to one prompt are a group.");
  v.field("fresh_per_group", fresh_per_group, {.min = 0, .max = 65536},
          "Responses drawn from the current policy for each prompt of the step.");
  v.field("stored_per_group", stored_per_group, {.min = 0, .max = 65536},
          "Stored responses taken into each group, in turn; fewer where a prompt has fewer.");
}

void TrainSection::visit(ConfigVisitor& v) {
  v.field(
      "micro_batch_tokens", micro_batch_tokens, {.min = 1, .max = 1e9},
      "Tokens of one forward and backward pass, prompts included; fewer need less memory. The gradient is that of the "
      "whole step all the same.");
  v.field("recompute", recompute,
          "Keep only each layer's input for the backward pass and compute the layer again there: a third more "
          "arithmetic, a fraction of the memory for activations. The gradient has the same bits.");
  v.field(
      "updates_per_rollout", updates_per_rollout, {.min = 1, .max = 1000},
      "Optimiser steps made from the same responses before new ones are drawn; each counts as a step of run.steps.");
  v.field(
      "sampler_logprobs", sampler_logprobs,
      "Where all responses of a step are fresh, take the policy's log-probabilities from the sampler, which saves a "
      "forward pass. The metric sampler_mismatch says how far they are from the trainer's: 0 on one machine. Beyond "
      "1e-5 (bfloat16 products: 5e-3) they are no "
      "longer used.");
  v.field("value_learning_rate_scale", value_learning_rate_scale, {.min = 0, .max = 1e6},
          "ppo, dro, agro_value: learning rate of the value head as a multiple of optimizer.learning_rate; the head "
          "starts at 0.");
  v.field("leak_warning_nats", leak_warning_nats, {.min = 0, .max = 1e6},
          "Warn when the mean log π/π_ref of stored responses, rewarded and unrewarded alike, falls below minus this.");
}

void TrainConfig::visit(ConfigVisitor& v) {
  v.section("run", run, "The run.");
  v.section("model", model, "The policy and its frozen reference.");
  v.section("lora", lora, "Low-rank adapters.");
  v.section("data", data, "Prompts and logged responses.");
  v.section("group", group, "What a group is made of.");
  v.section("sampling", sampling, "How responses are drawn, in training and evaluation.");
  v.section("engine", engine, "Limits of the sampling engine.");
  v.section("rewards", rewards, "What a response earns.");
  v.section("objective", objective, "The loss.");
  v.section("reference", reference, "What becomes of the reference during the run.");
  v.section("optimizer", optimizer, "AdamW.");
  v.section("train", train, "Updates, memory and warnings.");
  v.section("evaluate", evaluate, "Evaluation during the run.");
}

void SftSection::visit(ConfigVisitor& v) {
  v.field("sequences_per_step", sequences_per_step, {.min = 1, .max = 1e6}, "Sequences of one optimiser step.");
  v.field("completion_key", completion_key,
          "Field of a prompt record that holds the text to learn (\"completion\", \"answer\", …).");
  v.field(
      "micro_batch_tokens", micro_batch_tokens, {.min = 1, .max = 1e9},
      "Tokens of one forward and backward pass; fewer need less memory. The gradient is that of the whole step all the "
      "same.");
  v.field("recompute", recompute,
          "Keep only each layer's input for the backward pass and compute the layer again there: a third more "
          "arithmetic, a fraction of the memory for activations. The gradient has the same bits.");
}

void SftConfig::visit(ConfigVisitor& v) {
  v.section("run", run, "The run.");
  v.section("model", model, "The model; `reference` is not used.");
  v.section("lora", lora, "Low-rank adapters.");
  v.section("data", data, "Prompts with the completion to learn, or logged responses.");
  v.section("sft", sft, "Supervised training.");
  v.section("sampling", sampling, "How responses are drawn in evaluation.");
  v.section("engine", engine, "Limits of the sampling engine.");
  v.section("rewards", rewards, "What makes a response correct in evaluation.");
  v.section("optimizer", optimizer, "AdamW.");
  v.section("evaluate", evaluate, "Evaluation during the run.");
}

PromptOptions prompt_options(const DataConfig& data) {
  PromptOptions options;
  options.format = data.format;
  options.prompt_key = data.prompt_key;
  options.answer_key = data.answer_key;
  options.prompt_template = data.prompt_template;
  options.limit = data.limit;
  if (data.prompt_template_file.empty()) return options;
  if (!data.prompt_template.empty())
    throw Error("data.prompt_template and data.prompt_template_file are both given").hint("leave one of them empty");
  options.form = load_prompt_template(data.prompt_template_file);
  if (options.form->is_chat() && !data.system_prompt.empty())
    throw fail("data.system_prompt has no place beside the chat of {}", data.prompt_template_file)
        .hint("write it into the file, as its system");
  return options;
}

}  // namespace agro
