#include "cli/eval_output.h"

#include "core/error.h"
#include "report/format.h"
#include "report/html_report.h"
#include "report/page_data.h"
#include "report/table.h"

namespace agro {
namespace {

std::string percent(double share) { return fmt::format("{:.1f} %", 100 * share); }

std::string percent_interval(const Interval& interval) {
  return fmt::format("{:.1f} – {:.1f}", 100 * interval.low, 100 * interval.high);
}

std::string signed_points(double share) { return fmt::format("{:+.1f}", 100 * share); }

/// "pass_at_8" as "pass@8".
std::string measure_name(const std::string& key) {
  const size_t at = key.find("_at_");
  if (at != std::string::npos) return key.substr(0, at) + '@' + key.substr(at + 4);
  if (key == "greedy_accuracy") return "greedy accuracy";
  if (key == "response_tokens") return "tokens per response";
  if (key == "answer_found") return "with an answer";
  if (key == "answer_marked") return "answer marked as such";
  if (key == "boxed") return "with \\boxed{}";
  return key;
}

std::string value_text(const Estimate& e) { return e.is_share ? percent(e.value) : short_number(e.value); }

std::string interval_text(const Estimate& e) {
  return e.is_share ? percent_interval(e.interval)
                    : fmt::format("{} – {}", short_number(e.interval.low), short_number(e.interval.high));
}

/// The accuracies of a part that its line on the screen has room for; the page and the file have all.
bool fits_on_screen(const Estimate& e, int64_t samples) {
  return e.name == "greedy_accuracy" || e.name.starts_with("avg_at_") || e.name == fmt::format("pass_at_{}", samples);
}

std::string parts_text(const EvaluationSummary& summary) {
  std::string text;
  for (size_t begin = 0, end = 0; begin < summary.parts.size(); begin = end) {
    const PartSummary& first = summary.parts[begin];
    std::vector<Column> columns = {{first.field, Align::kLeft}, {"prompts"}};
    for (const Estimate& e : first.estimates)
      if (fits_on_screen(e, summary.samples)) columns.push_back({measure_name(e.name)}), columns.push_back({"95 %"});
    Table table(columns);
    for (end = begin; end < summary.parts.size() && summary.parts[end].field == first.field; ++end) {
      const PartSummary& part = summary.parts[end];
      std::vector<std::string> cells = {part.value, std::to_string(part.prompts)};
      for (const Estimate& e : part.estimates)
        if (fits_on_screen(e, summary.samples)) cells.push_back(value_text(e)), cells.push_back(interval_text(e));
      table.add_row(std::move(cells));
    }
    text += '\n' + table.text();
  }
  return text;
}

std::string comparison_text(const PairedComparison& c) {
  std::string text = fmt::format("\ncompared on {} prompts", c.prompts);
  if (c.only_a + c.only_b > 0) text += fmt::format(" ({} here alone, {} there alone)", c.only_a, c.only_b);
  text += "; positive: this model is better\n";
  Table table({{"difference, points", Align::kLeft}, {"value"}, {"95 %"}, {"p"}});
  const auto interval = [](const Interval& i) { return signed_points(i.low) + " – " + signed_points(i.high); };
  if (c.greedy)
    table.add_row({"greedy accuracy", signed_points(c.greedy->difference), interval(c.greedy->interval),
                   fmt::format("{:.2g}", c.greedy->p)});
  if (c.sampled)
    table.add_row({"sampled accuracy", signed_points(c.sampled->difference), interval(c.sampled->interval), ""});
  text += table.text();
  if (c.greedy)
    text +=
        fmt::format("greedy: both right {}, only this one {}, only the other {}, neither {}; p: McNemar's exact test\n",
                    c.greedy->counts.both, c.greedy->counts.only_a, c.greedy->counts.only_b, c.greedy->counts.neither);
  return text;
}

}  // namespace

std::string evaluation_text(const EvaluationResult& result, const EvaluationSummary& summary,
                            const std::optional<PairedComparison>& comparison) {
  Table table({{"measure", Align::kLeft}, {"value"}, {"95 % interval"}});
  for (const Estimate& e : summary.estimates) table.add_row({measure_name(e.name), value_text(e), interval_text(e)});
  std::string text = table.text();
  Table others({{"measure", Align::kLeft}, {"value"}, {"± std. error"}});
  bool any = false;
  const auto row = [&](const std::string& name, const std::optional<double>& value, std::string (*shown)(double),
                       const std::optional<double>& error) {
    if (!value) return;
    others.add_row({name, shown(*value), error ? shown(*error) : "–"});
    any = true;
  };
  row("probability of the answer", result.answer_probability, percent, result.answer_probability_error);
  row("mean reward", result.reward_mean, short_number, result.reward_error);
  row("KL to the reference, nats per response", result.kl, short_number, result.kl_error);
  row("optimality gap", result.optimality_gap, short_number, result.optimality_gap_error);
  row("value gap", result.value_gap, short_number, result.value_gap_error);
  if (any) text += '\n' + others.text();
  text += parts_text(summary);
  const LengthFigures& l = summary.lengths;
  text += fmt::format("\n{} prompts", summary.prompts);
  if (result.prompts_too_long > 0)
    text += fmt::format(" ({} too long for the model: not asked, counted as wrong)", result.prompts_too_long);
  if (summary.samples > 0) text += fmt::format(", {} samples each", summary.samples);
  text += fmt::format("; tokens per response: median {}, 5 to 95 % {} to {}, most {}\n", short_number(l.median),
                      short_number(l.p5), short_number(l.p95), short_number(l.most));
  if (comparison) text += comparison_text(*comparison);
  return text;
}

std::string evaluation_page(const OrderedJson& record) {
  RunData run;
  run.folder = record.at("model").get<std::string>();
  run.name = run.folder.lexically_normal().string();
  run.state = RunState::kEvaluated;
  run.config = {{"model", record.at("model")}, {"prompts", record.at("prompts_file")}};
  run.config.update(record.at("settings"));
  run.results.push_back(parse_evaluation(record.at("name").get<std::string>(), record));
  PageOptions options;
  options.max_result_responses = 5000;
  return report_page(page_data(std::span(&run, 1), options));
}

}  // namespace agro
