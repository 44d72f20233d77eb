#include <CLI/App.hpp>
#include <iostream>
#include <memory>

#include "cli/commands.h"
#include "core/json.h"
#include "data/text_tools.h"
#include "model/model_report.h"
#include "report/format.h"
#include "report/table.h"
#include "tensor/machine.h"
#include "tensor/machine_probe.h"

namespace agro {
namespace {

struct Options {
  std::string folder;
  bool machine = false, json = false;
  int64_t threads = 0;
};

/// "name       value" with the values below one another.
void print_line(std::string_view name, const std::string& value) {
  std::cout << fmt::format("{:<16}{}\n", name, value);
}

std::string bytes_text(int64_t bytes) {
  constexpr double kStep = 1024;
  const double value = static_cast<double>(bytes);
  if (value < kStep * kStep) return fmt::format("{:.1f} KiB", value / kStep);
  if (value < kStep * kStep * kStep) return fmt::format("{:.1f} MiB", value / (kStep * kStep));
  return fmt::format("{:.2f} GiB", value / (kStep * kStep * kStep));
}

std::string joined(const std::vector<std::string>& words) {
  return words.empty() ? "none" : fmt::format("{}", fmt::join(words, ", "));
}

void print_facts(const MachineFacts& facts) {
  const SystemFacts& system = facts.system;
  std::vector<std::string> sets;
  for (const InstructionSet set : kInstructionSets)
    if (has(system, set)) sets.emplace_back(name_of(set));
  constexpr HeapSettings kHeap;
  print_line("CPU", system.cpu_model);
  print_line("CPUs", fmt::format("{} allowed, {}", facts.cpus,
                                 system.cpu_quota ? fmt::format("quota {:.3g}", *system.cpu_quota) : "no quota"));
  print_line("threads", fmt::format("{}, {}", facts.threads, facts.pinned ? "each on a CPU of its own" : "not pinned"));
  print_line("instructions", joined(sets));
  print_line("kernels", fmt::format("agro {} (Highway), LibTorch {}, BLAS {}", facts.kernel_target,
                                    facts.aten_capability, facts.blas_kernels));
  print_line("BLAS", facts.blas_library);
  print_line("memory", fmt::format("{}, {} available, {}; last cache {}", bytes_text(system.memory_bytes),
                                   bytes_text(system.available_bytes),
                                   system.memory_limit ? "limit " + bytes_text(*system.memory_limit) : "no limit",
                                   bytes_text(system.last_level_cache_bytes)));
  print_line("malloc", fmt::format("keeps freed blocks below {}, grows by {}", bytes_text(kHeap.mmap_threshold),
                                   bytes_text(kHeap.top_pad)));
}

void print_rates(const MachineRates& rates) {
  std::cout << fmt::format("\nMeasured, all threads, best of {} rounds; other programs make it less:\n", rates.rounds);
  print_line("float32 peak", fmt::format("{:.0f} GFLOP/s", rates.float32_gflops));
  print_line("bfloat16", rates.bfloat16_gflops
                             ? fmt::format("{:.0f} GFLOP/s ({})", *rates.bfloat16_gflops, rates.bfloat16_note)
                             : rates.bfloat16_note);
  print_line("memory, reading",
             fmt::format("{:.1f} GB/s ({})", rates.read_bytes_per_second / 1e9, bytes_text(rates.read_buffer_bytes)));
  Table table({{"product M×N×K", Align::kLeft}, {"GFLOP/s"}, {"of peak"}});
  for (const ProductRate& product : rates.products)
    table.add_row({fmt::format("{}×{}×{}", product.m, product.n, product.k), fmt::format("{:.0f}", product.gflops),
                   fmt::format("{:.0f} %", 100 * product.gflops / rates.float32_gflops)});
  std::cout << '\n' << table.text();
}

void inspect_machine(const Options& options) {
  set_up_machine(options.threads);
  const MachineFacts facts = read_machine();
  const MachineRates rates = measure_machine(facts);
  if (options.json) {
    OrderedJson json = to_json(facts);
    json["measured"] = to_json(rates);
    std::cout << to_line(json) << std::endl;
    return;
  }
  print_facts(facts);
  print_rates(rates);
  for (const MachineWarning& warning : warnings_of(facts))
    std::cout << fmt::format("\nwarning: {}\n  hint: {}\n", warning.what, warning.hint);
  std::cout << std::flush;
}

/// The text side of a model folder.
struct TextFacts {
  bool tokenizer = false, chat_template = false;
  std::string problem;  // why they cannot be used; empty where they can
};

TextFacts read_text_facts(const Path& folder) {
  TextFacts facts;
  try {
    const TextTools tools = load_text_tools(folder);
    facts.tokenizer = tools.tokenizer.has_value();
    facts.chat_template = tools.chat_template.has_value();
  } catch (const Error& error) {
    facts.problem = error.what();
  }
  return facts;
}

void print_model(const ModelFacts& facts, const TextFacts& text) {
  const ModelConfig& config = facts.config;
  std::vector<std::string> dtypes;
  for (const auto& [dtype, parameters] : facts.stored_as)
    dtypes.push_back(facts.stored_as.size() == 1
                         ? std::string(name_of(dtype))
                         : fmt::format("{} {}", compact_number(static_cast<double>(parameters)), name_of(dtype)));
  print_line("family", config.model_type);
  print_line("parameters",
             fmt::format("{} ({})", compact_number(static_cast<double>(facts.parameters)), facts.parameters));
  print_line("layers", fmt::format("{}, width {}, feed-forward {}", config.num_hidden_layers, config.hidden_size,
                                   config.intermediate_size));
  print_line("heads", fmt::format("{} of width {}, {} for keys and values", config.num_attention_heads, config.head_dim,
                                  config.num_key_value_heads));
  print_line("vocabulary", fmt::format("{}, {}", config.vocab_size,
                                       config.tie_word_embeddings ? "output layer tied to the embedding"
                                                                  : "output layer of its own"));
  print_line("context", fmt::format("{} tokens, {} of keys and values each", config.max_position_embeddings,
                                    bytes_text(facts.kv_cache_bytes_per_token())));
  print_line("on disk", facts.has_weights()
                            ? fmt::format("{}, {} in {} file{}", joined(dtypes), bytes_text(facts.bytes_on_disk),
                                          facts.files, facts.files == 1 ? "" : "s")
                            : "no weights (agro init writes random ones)");
  if (text.problem.empty()) {
    print_line("tokenizer", text.tokenizer ? "yes" : "none: works on ids alone");
    print_line("chat template", text.chat_template ? "yes" : "none");
  } else {
    print_line("tokenizer", "cannot be used: " + text.problem);
  }
  print_line("to train", fmt::format("{}: weights, gradients and moments in float32 {}, frozen reference {}",
                                     bytes_text(facts.training_bytes()), bytes_text(facts.trainable_bytes()),
                                     bytes_text(facts.reference_bytes)));
  print_line("", fmt::format("with LoRA of rank {}: {}, reference included", kExampleRank,
                             bytes_text(facts.lora_training_bytes(kExampleRank))));
  print_line("",
             fmt::format("and on top packed copies of the matrices, keys and values, and for each token of a pass {}",
                         bytes_text(facts.activation_bytes_per_token(false))));
  print_line("", fmt::format("of activations, or {} with train.recompute",
                             bytes_text(facts.activation_bytes_per_token(true))));
  std::cout << std::flush;
}

void inspect_model(const Options& options) {
  const ModelFacts facts = read_model_facts(options.folder);
  const TextFacts text = read_text_facts(options.folder);
  if (!options.json) return print_model(facts, text);
  OrderedJson json = to_json(facts);
  json["tokenizer"] = text.tokenizer;
  json["chat_template"] = text.chat_template;
  json["text_problem"] = text.problem.empty() ? OrderedJson() : OrderedJson(text.problem);
  std::cout << to_line(json) << std::endl;
}

}  // namespace

void add_inspect(CLI::App& program) {
  CLI::App* command = program.add_subcommand("inspect", "What is in a model folder; what this machine can do.")
                          ->group("Models and data");
  const auto options = std::make_shared<Options>();
  auto* folder = command->add_option("FOLDER", options->folder, "Model folder; its weights may be missing.");
  auto* machine =
      command->add_flag("--machine", options->machine,
                        "The machine instead: threads, instruction sets, libraries, and its measured limits "
                        "(about two seconds).");
  machine->excludes(folder);
  command->add_option("--threads", options->threads, "With --machine: worker threads; 0: one per CPU.")
      ->check(CLI::Range(0, 4096))
      ->needs(machine);
  command->add_flag("--json", options->json, "One JSON object.");
  command->footer(R"(Examples:
  agro inspect path/to/model
  agro inspect --machine --json)");
  command->callback([options] {
    if (options->machine) return inspect_machine(*options);
    if (options->folder.empty()) throw CLI::RequiredError("FOLDER or --machine");
    inspect_model(*options);
  });
}

}  // namespace agro
