#include "report/summary.h"

#include <fmt/format.h>

#include <algorithm>

#include "report/format.h"
#include "report/table.h"

namespace agro {
namespace {

const EvaluationFile* find_results(const RunData& run, const std::string& name) {
  for (const EvaluationFile& file : run.results)
    if (file.name == name) return &file;
  return nullptr;
}

/// The evaluation file that all runs have, the one of most prompts where there are several; empty: none.
std::string shared_results(std::span<const RunData> runs) {
  std::string best;
  size_t most = 0;
  for (const EvaluationFile& file : runs[0].results) {
    const bool everywhere = std::all_of(runs.begin(), runs.end(),
                                        [&](const RunData& run) { return find_results(run, file.name) != nullptr; });
    if (everywhere && file.responses.size() > most) best = file.name, most = file.responses.size();
  }
  return best;
}

std::optional<double> figure(const OrderedJson& figures, const std::string& name) {
  const auto found = figures.find(name);
  return found != figures.end() && found->is_number() ? std::optional(found->get<double>()) : std::nullopt;
}

struct Figure {
  const char* header;
  const char* value;
  const char* error;  // name of its standard error; "": none
  bool share;         // shown in percent
};

constexpr Figure kFigures[] = {{"greedy %", "greedy_accuracy", "greedy_error", true},
                               {"sampled %", "sampled_accuracy", "sampled_error", true},
                               {"optimality gap", "optimality_gap", "optimality_gap_error", false},
                               {"value gap", "value_gap", "value_gap_error", false},
                               {"KL", "kl", "", false}};

std::string figure_text(const Figure& figure, std::optional<double> value, std::optional<double> error) {
  if (!value) return "–";
  const auto number = [&](double v) {
    return figure.share ? fmt::format("{:.1f}", 100 * v) : fmt::format("{:.3f}", v);
  };
  return error ? number(*value) + " ± " + number(*error) : number(*value);
}

/// Of steps and evaluations, as `agro runs` and the page count it.
double seconds_spent(const RunData& run) {
  return run.timings.sum("step_seconds") + run.timings.sum("evaluation_seconds");
}

std::string cost(const RunData& run, const char* column) {
  if (run.timings.empty()) return "–";
  return std::string_view(column) == "tokens" ? compact_number(run.timings.sum("tokens"))
                                              : duration_text(seconds_spent(run));
}

std::string steps(const RunData& run) { return run.metrics.empty() ? "–" : std::to_string(run.metrics.steps.back()); }

std::string results_table(std::span<const RunData> runs, const std::string& name) {
  std::vector<Column> columns{{"run", Align::kLeft}};
  std::vector<const Figure*> shown;
  for (const Figure& f : kFigures) {
    if (std::none_of(runs.begin(), runs.end(),
                     [&](const RunData& run) { return figure(find_results(run, name)->figures, f.value).has_value(); }))
      continue;
    shown.push_back(&f);
    columns.push_back({f.header});
  }
  for (const char* header : {"steps", "time", "tokens"}) columns.push_back({header});
  Table table(columns);
  for (const RunData& run : runs) {
    const OrderedJson& figures = find_results(run, name)->figures;
    std::vector<std::string> cells{run.name};
    for (const Figure* f : shown)
      cells.push_back(figure_text(*f, figure(figures, f->value), figure(figures, f->error)));
    for (const std::string& cell : {steps(run), cost(run, "time"), cost(run, "tokens")}) cells.push_back(cell);
    table.add_row(cells);
  }
  return fmt::format("On the {} prompts of '{}':\n\n{}", find_results(runs[0], name)->responses.size(), name,
                     table.text());
}

/// The runs' own evaluations: first → last.
std::string evaluations_table(std::span<const RunData> runs) {
  Table table(
      {{"run", Align::kLeft}, {"state", Align::kLeft}, {"steps"}, {"greedy %"}, {"sampled %"}, {"time"}, {"tokens"}});
  for (const RunData& run : runs) {
    const auto change = [&](const Figure& f) -> std::string {
      const StepTable::ColumnData* values = run.evaluations.find(f.value);
      const StepTable::ColumnData* errors = run.evaluations.find(f.error);
      if (values == nullptr) return "–";
      const auto at = [&](size_t row) {
        return figure_text(f, values->values[row], errors == nullptr ? std::nullopt : errors->values[row]);
      };
      const size_t last = values->values.size() - 1;
      return last == 0 ? at(0) : at(0) + " → " + at(last);
    };
    table.add_row({run.name, std::string(name_of(run.state)), steps(run), change(kFigures[0]), change(kFigures[1]),
                   cost(run, "time"), cost(run, "tokens")});
  }
  return table.text();
}

std::string indented(const std::string& text, size_t columns) {
  std::string result;
  for (const char c : text) {
    result += c;
    if (c == '\n') result += std::string(columns, ' ');
  }
  while (!result.empty() && (result.back() == ' ' || result.back() == '\n')) result.pop_back();
  return result;
}

}  // namespace

std::string summary_table(std::span<const RunData> runs) {
  if (runs.empty()) return {};
  const std::string name = shared_results(runs);
  const std::string table = name.empty() ? evaluations_table(runs) : results_table(runs, name);
  const bool any_cost = std::any_of(runs.begin(), runs.end(), [](const RunData& run) { return !run.timings.empty(); });
  return table + (any_cost ? "\nTokens are those of the training; time includes its evaluations.\n" : "");
}

std::string before_and_after(std::span<const RunData> runs, int64_t count) {
  if (runs.size() < 2) return {};
  const std::string name = shared_results(runs);
  if (name.empty()) return {};
  std::vector<const EvaluationFile*> files;
  for (const RunData& run : runs) files.push_back(find_results(run, name));
  const auto same_prompt = [&](size_t p) {
    return std::all_of(files.begin(), files.end(), [&](const EvaluationFile* file) {
      return p < file->responses.size() && file->responses[p].prompt == files[0]->responses[p].prompt &&
             file->responses[p].correct.has_value();
    });
  };
  std::vector<std::pair<size_t, size_t>> learnt;  // how many runs are right now, which prompt
  for (size_t p = 0; p < files[0]->responses.size(); ++p) {
    if (!same_prompt(p) || *files[0]->responses[p].correct) continue;
    const auto right = std::count_if(files.begin() + 1, files.end(),
                                     [&](const EvaluationFile* file) { return *file->responses[p].correct; });
    if (2 * right > static_cast<std::ptrdiff_t>(files.size() - 1)) learnt.emplace_back(right, p);
  }
  std::stable_sort(learnt.begin(), learnt.end(), [](const auto& a, const auto& b) { return a.first > b.first; });
  size_t width = 0;
  for (const RunData& run : runs) width = std::max(width, run.name.size());
  std::string text;
  for (size_t i = 0; i < std::min(learnt.size(), static_cast<size_t>(count)); ++i) {
    const EvaluatedPrompt& asked = files[0]->responses[learnt[i].second];
    text += fmt::format("{}{}. {}  (answer: {})\n", i == 0 ? "" : "\n", i + 1, indented(asked.prompt, 3), asked.answer);
    for (size_t r = 0; r < runs.size(); ++r) {
      const EvaluatedPrompt& answered = files[r]->responses[learnt[i].second];
      text += fmt::format("   {:<{}}  {}  {}\n", runs[r].name, width, *answered.correct ? "right" : "wrong",
                          indented(answered.text, width + 12));
    }
  }
  return text;
}

}  // namespace agro
