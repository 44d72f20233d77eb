#pragma once
// `agro train`: reinforcement learning from fresh and stored responses.
#include "train/config.h"

namespace agro {

/// Runs to config.run.steps, a stop request (Ctrl-C: a checkpoint is written) or an error. With `resume`, goes on from
/// the newest checkpoint of config.run.output, to the bit what an uninterrupted run would have done; without one there
/// it starts anew. Throws Error for a config that cannot work, bad data, or max_failed_steps non-finite steps in a row.
void run_rl(const TrainConfig& config, bool resume);

}  // namespace agro
