#include <CLI/App.hpp>
#include <memory>

#include "cli/commands.h"
#include "core/log.h"
#include "model/random_init.h"
#include "tensor/machine.h"

namespace agro {

void add_init(CLI::App& program) {
  struct Options {
    std::string folder;
    RandomInit init;
  };
  CLI::App* command =
      program.add_subcommand("init", "Write random weights beside a config.json: a model to train from nothing.")
          ->group("Training");
  const auto options = std::make_shared<Options>();
  command->add_option("FOLDER", options->folder, "Folder with a config.json and no weights.")->required();
  command->add_option("--seed", options->init.seed, "Seed of the weights.");
  command->add_option("--std", options->init.standard_deviation, "Standard deviation of the matrices.")
      ->check(CLI::Range(0.0, 10.0));
  command->footer(R"(Example:
  agro init my-model            my-model/config.json says family, sizes and torch_dtype)");
  command->callback([options] {
    set_up_machine(0);
    write_random_weights(options->folder, options->init);
    log_info("model", "wrote {}/model.safetensors", options->folder);
  });
}

}  // namespace agro
