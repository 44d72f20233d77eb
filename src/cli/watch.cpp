#include <CLI/App.hpp>
#include <CLI/Validators.hpp>
#include <iostream>
#include <memory>
#include <thread>

#include "cli/commands.h"
#include "core/stop.h"
#include "report/live_server.h"

namespace agro {
namespace {

struct Options {
  std::vector<std::string> runs;
  LiveOptions server;
};

void run(const Options& options) {
  install_stop_signals();
  const LiveServer server({options.runs.begin(), options.runs.end()}, options.server);
  std::cout << "Watching at " << server.url() << "  (Ctrl-C ends it)" << std::endl;
  while (!stop_requested()) std::this_thread::sleep_for(std::chrono::milliseconds(200));
}

}  // namespace

void add_watch(CLI::App& program) {
  CLI::App* command = program.add_subcommand("watch", "The report page, live, while runs go on.")->group("Runs");
  const auto options = std::make_shared<Options>();
  command->add_option("RUN", options->runs, "Run directories, or folders with runs below them.")->required();
  command->add_option("--host", options->server.host, "Address to listen on; others than 127.0.0.1 let others read.")
      ->capture_default_str();
  command->add_option("--port", options->server.port, "Port to listen on; 0: any that is free.")
      ->capture_default_str()
      ->check(CLI::Range(0, 65535));
  command->footer(
      R"(Open the printed address in a browser. The server only reads: training is not disturbed, and nothing can be changed
through it. It listens to this machine alone; from elsewhere, forward the port: ssh -L 8765:127.0.0.1:8765 MACHINE

Examples:
  agro watch runs/a
  agro watch runs --port 0)");
  command->callback([options] { run(*options); });
}

}  // namespace agro
