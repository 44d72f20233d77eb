#pragma once
// The subcommands of `agro`, one file each. Each adds itself to the program: its options, its help, and what it does
// when it is chosen. That may throw agro::Error, or CLI::Error where the arguments themselves are wrong.

namespace CLI {
class App;
}

namespace agro {

void add_train(CLI::App& program);
void add_sft(CLI::App& program);
void add_config(CLI::App& program);
void add_init(CLI::App& program);
void add_inspect(CLI::App& program);
void add_generate(CLI::App& program);
void add_score(CLI::App& program);
void add_eval(CLI::App& program);
void add_report(CLI::App& program);
void add_watch(CLI::App& program);
void add_runs(CLI::App& program);
void add_problems(CLI::App& program);
void add_lab(CLI::App& program);
void add_bench(CLI::App& program);

// Windows: JSON lines in on standard input, JSON lines out on standard output.
void add_tokenize(CLI::App& program);
void add_logprobs(CLI::App& program);
void add_verify(CLI::App& program);
void add_objective(CLI::App& program);

}  // namespace agro
