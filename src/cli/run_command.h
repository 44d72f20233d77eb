#pragma once
// What `agro train` and `agro sft` share: a TOML file with overrides in, a run directory out.
#include <CLI/App.hpp>
#include <iostream>
#include <memory>
#include <string>
#include <vector>

#include "cli/config_options.h"
#include "core/stop.h"
#include "tensor/machine.h"

namespace agro {

/// Adds a command that loads a Config and hands it to `run`. Config has a section `run` (train/config.h).
template <class Config>
CLI::App* add_run_command(CLI::App& program, const std::string& name, const std::string& help,
                          void (*run)(const Config& config, bool resume)) {
  struct Options {
    std::string config;
    std::vector<std::string> overrides;
    bool resume = false, print = false;
  };
  CLI::App* command = program.add_subcommand(name, help)->group("Training");
  const auto options = std::make_shared<Options>();
  command->add_option("CONFIG", options->config, "Experiment file (TOML).");
  add_set_option(*command, options->overrides, "Override a key of the file: optimizer.learning_rate=1e-4.");
  command->add_flag("--resume", options->resume, "Go on from the newest checkpoint of the run directory.");
  command->add_flag("--print-config", options->print,
                    "Print the resolved configuration, every key explained, and exit; without CONFIG: the defaults.");
  command->callback([options, run] {
    if (options->config.empty() && !options->print) throw CLI::RequiredError("CONFIG");
    Config config;
    load_config(config, options->config, options->overrides);
    if (options->print) {
      std::cout << dump_config(config, true) << std::flush;
      return;
    }
    install_stop_signals();
    set_up_machine(config.run.threads);
    run(config, options->resume);
  });
  return command;
}

}  // namespace agro
