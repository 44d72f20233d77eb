#include "cli/commands.h"
#include "cli/run_command.h"
#include "train/rl_trainer.h"

namespace agro {

void add_train(CLI::App& program) {
  add_run_command<TrainConfig>(program, "train", "Fine-tune a model with RL on fresh and stored responses.", run_rl)
      ->footer(R"(The run directory (run.output) receives config.toml, metrics.jsonl, TensorBoard events, completions,
checkpoints/, best/ and final/, the last two being model folders like the one read. Ctrl-C stops
after the current step with a checkpoint; --resume goes on exactly where it stopped.

Examples:
  agro train --print-config                     every key, its default and its meaning
  agro train experiment.toml
  agro train experiment.toml --set objective.beta=0.05 --set run.output=runs/b005
  agro train experiment.toml --resume)");
}

}  // namespace agro
