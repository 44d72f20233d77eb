#include "cli/commands.h"
#include "cli/run_command.h"
#include "train/sft_trainer.h"

namespace agro {

void add_sft(CLI::App& program) {
  add_run_command<SftConfig>(program, "sft", "Train a model on given completions (supervised).", run_sft)
      ->footer(R"(The run directory is that of agro train.

Examples:
  agro sft --print-config                       every key, its default and its meaning
  agro sft experiment.toml --set sft.completion_key=answer
  agro sft experiment.toml --resume)");
}

}  // namespace agro
