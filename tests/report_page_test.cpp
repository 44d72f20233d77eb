// The report page in a browser: it loads without an error or a network request, fits its window, draws its charts, and
// its controls do what they say.
#include <algorithm>

#include "browser.h"

namespace agro {
namespace {

/// See probed_page.
constexpr const char* kProbe = R"JS(
found.steps = {};
const after = milliseconds => new Promise(done => setTimeout(done, milliseconds));
const listed = () => document.querySelectorAll("#prompts li").length;
const set = (id, value, event) => {
  const node = document.getElementById(id);
  node.type === "checkbox" ? node.checked = value : node.value = value;
  node.dispatchEvent(new Event(event, {bubbles: true}));
};
/** Pixels of each chart that are not the background. */
const painted = () => Object.fromEntries([...document.querySelectorAll("figure")].map(figure => {
  const canvas = figure.querySelector("canvas");
  const pixels = canvas.width * canvas.height === 0 ? [] :
      canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data;
  let count = 0;
  for (let i = 3; i < pixels.length; i += 4) count += pixels[i] > 0 ? 1 : 0;
  return [figure.id.replace("figure-", ""), count];
}));
const width = () => document.documentElement.scrollWidth;
const unlabelled = () => [...document.querySelectorAll("canvas, input, select, button")].filter(node =>
    !(node.getAttribute("aria-label") || node.textContent.trim() || node.labels?.length > 0)).map(node => node.outerHTML);

async function probe() {
  await after(200);
  found.viewport = innerWidth;
  found.dark = getComputedStyle(document.documentElement).colorScheme;
  found.charts = painted();
  found.alerts = window.alerted ?? 0;
  found.formulas = 0;
  found.evaluation = document.getElementById("evaluation").innerText;
  found.intervals = document.querySelectorAll("#evaluation .interval .mark").length;
  found.steps.start = listed();
  set("browse-text", "needle", "input");
  await after(400);
  found.steps.search = listed();
  set("browse-text", "", "input");
  set("browse-verdict", "wrong", "change");
  await after(400);
  found.steps.wrong = listed();
  set("browse-verdict", "all", "change");
  await after(100);
  const list = document.getElementById("prompts");
  list.dispatchEvent(new KeyboardEvent("keydown", {key: "ArrowDown"}));
  found.chosen = [...list.children].findIndex(item => item.getAttribute("aria-selected") === "true");
  found.group = document.getElementById("group").innerText;
  found.formulas = document.querySelectorAll("#group .katex").length;
  for (const details of document.querySelectorAll("details")) details.open = true;
  await after(300);
  found.rows = document.querySelectorAll("#figure-reward tbody tr").length;
  set("join", false, "change");
  set("smoothing", "0", "input");
  document.querySelector("input[value=seconds]").click();
  set("from", "0.5", "change");
  await after(300);
  found.widths = [width()];
  document.getElementById("theme").click();
  await after(100);
  found.switched = getComputedStyle(document.documentElement).colorScheme;
  found.unlabelled = unlabelled();
  set("browse-run", "2", "change");
  await after(100);
  set("browse-set", "1", "change");
  await after(100);
  found.answered = document.getElementById("group").innerText;
  document.querySelectorAll("#prompts li")[1].click();
  found.shared = document.getElementById("group").innerText;
  found.requests = performance.getEntriesByType("resource").map(entry => entry.name).filter(name => !name.startsWith("data:"));
}
)JS";

const std::string kLongName = "a-run-with-a-very-long-name-that-nobody-would-want-to-type-twice";

class Report : public ProgramTest {
 protected:
  static void write_run(const Path& folder, int seed, double beta) {
    std::filesystem::create_directories(folder / "completions");
    write_atomically(folder / "config.toml",
                     fmt::format("[run]\noutput = \"{}\"\nseed = {}\n[objective]\nname = \"agro\"\nbeta = {}\n",
                                 folder.filename().string(), seed, beta));
    std::string metrics, timings;
    for (int step = 0; step <= 40; ++step) {
      const double rise = 0.3 + 0.01 * step + 0.02 * seed;
      if (step > 0) {
        metrics += Json{{"step", step},
                        {"loss", 1 / rise},
                        {"reward_mean", rise},
                        {"accuracy", rise},
                        {"optimality_gap", 0.5 - rise / 2},
                        {"log_ratio_mean", 0.01 * step},
                        {"response_tokens", 20},
                        {"truncated", 0.1},
                        {"gradient_norm", nullptr},
                        {"learning_rate", 1e-4}}
                       .dump() +
                   '\n';
        timings += Json{{"step", step},          {"tokens", 1000},      {"sampling_seconds", 0.2},
                        {"update_seconds", 0.3}, {"step_seconds", 0.6}, {"tokens_per_second", 1700},
                        {"peak_memory_gib", 1.5}}
                       .dump() +
                   '\n';
      }
      if (step % 20 == 0) {
        metrics += Json{{"step", step},
                        {"evaluation",
                         {{"greedy_accuracy", rise},
                          {"greedy_error", 0.02},
                          {"sampled_accuracy", rise - 0.1},
                          {"sampled_error", 0.01},
                          {"kl", 0.01 * step},
                          {"optimality_gap", 0.4},
                          {"optimality_gap_error", 0.05},
                          {"value_gap", 0.3},
                          {"leak_rewarded_logged", 0.1},
                          {"leak_unrewarded_logged", -0.2}}}}
                       .dump() +
                   '\n';
        timings += Json{{"step", step}, {"evaluation_seconds", 1.5}}.dump() + '\n';
      }
    }
    write_atomically(folder / "metrics.jsonl", metrics);
    write_atomically(folder / "timings.jsonl", timings);
    const auto response = [](const std::string& text, double reward) {
      return Json{{"text", text}, {"reward", reward}, {"source", "fresh"}, {"finish_reason", "stop"}};
    };
    std::string groups;
    groups += Json{{"prompt", "What is 1+1?"},
                   {"answer", "2"},
                   {"completions", {response("2", 1), response("</script><script>alert(1)</script><!--", 0)}}}
                  .dump() +
              '\n';
    groups += Json{{"prompt", "Half of $\\frac{1}{2}$ is worth $5 or $6?"},
                   {"answer", "\\(\\tfrac14\\)"},
                   {"completions", {response("\\[x = \\sqrt{2}\\]", 1), response(std::string(400, 'w'), 1)}}}
                  .dump() +
              '\n';
    groups += Json{{"messages", {{{"role", "user"}, {"content", "<b>needle</b> & thread"}}}},
                   {"answer", "3"},
                   {"completions", {response("0", 0), response("1", 0)}}}
                  .dump() +
              '\n';
    write_atomically(folder / "completions" / "step-20.jsonl", groups);
  }
};

/// What `agro eval --output` leaves, with texts that would like to be more than text.
Json evaluation_file() {
  const auto share = [](double value) {
    return Json{{"value", value}, {"low", value / 2}, {"high", 1}, {"interval", "bootstrap"}};
  };
  const Json accuracies = {{"greedy_accuracy", share(0.5)}, {"pass_at_2", share(0.7512)}};
  Json estimates = accuracies;
  estimates["response_tokens"] = {{"value", 12.5}, {"low", 10}, {"high", 15}, {"interval", "bootstrap"}};
  const Json statistics = {
      {"prompts", 4},
      {"samples_per_prompt", 2},
      {"estimates", estimates},
      {"form_of", "samples"},
      {"lengths", {{"p5", 3}, {"median", 9}, {"p95", 40}, {"max", 44}}},
      {"by", {{{"field", "level"}, {"value", "<i>Level</i> 5"}, {"prompts", 3}, {"estimates", accuracies}}}}};
  const Json comparison = {{"prompts", 4},
                           {"with", "before.json"},
                           {"greedy",
                            {{"difference", 0.25},
                             {"low", -0.1},
                             {"high", 0.5},
                             {"mcnemar_p", 0.625},
                             {"both_right", 1},
                             {"only_a_right", 2},
                             {"only_b_right", 1},
                             {"neither_right", 0}}}};
  const Json response = {{"prompt", "Which?"},
                         {"text", "It is \\boxed{\\frac12}."},
                         {"correct", true},
                         {"labels", {{"level", "Level 5"}}},
                         {"sampled_share", 0.5},
                         {"samples",
                          {{{"text", "<script>alert(2)</script>"}, {"correct", false}, {"reward", 0}},
                           {{"text", "\\boxed{0.5}"}, {"correct", true}, {"reward", 1}, {"truncated", true}}}}};
  const Json without_samples = {{"prompt", "And this?"}, {"text", "1"}, {"correct", true}, {"sampled_share", 0.75}};
  return {{"name", "final"},
          {"figures", {{"greedy_accuracy", 0.5}, {"greedy_error", 0.1}}},
          {"statistics", statistics},
          {"comparison", comparison},
          {"responses", {response, without_samples}}};
}

class ReportPage : public Report {
 protected:
  void SetUp() override {
    Report::SetUp();
    if (browser_program().empty()) GTEST_SKIP() << kNoBrowser;
    for (int seed = 0; seed < 2; ++seed) write_run(folder_ / fmt::format("fresh-{}", seed), seed, 0.5);
    write_run(folder_ / kLongName, 0, 0.1);
    std::filesystem::create_directories(folder_ / kLongName / "evaluations");
    write_atomically(folder_ / kLongName / "evaluations" / "final.json", evaluation_file().dump());
    const Finished finished = run({"report", folder_ / "fresh-0", folder_ / "fresh-1", folder_ / kLongName});
    ASSERT_EQ(finished.code, 0) << finished.err;
    page_ = read_file(folder_ / "report.html");
  }

  /// What the probe finds in a window of this size.
  Json probe(int width, bool dark) const { return probed_page(folder_, page_, kProbe, width, dark); }

  std::string page_;
};

TEST_F(Report, TellsWhereThePageIs) {
  write_run(folder_ / "one", 0, 0.5);
  write_run(folder_ / "deep" / "one", 1, 0.5);
  const Finished alone = run({"report", folder_ / "one/"}),
                 both = run({"report", folder_ / "one", folder_ / "deep/one"});
  EXPECT_EQ(alone.code, 0) << alone.err;
  EXPECT_NE(alone.out.find((folder_ / "one" / "report.html").string() + "\n"), std::string::npos) << alone.out;
  EXPECT_TRUE(std::filesystem::exists(folder_ / "one" / "report.html"));
  EXPECT_EQ(both.code, 0) << both.err;
  const std::string page = read_file(folder_ / "report.html");
  EXPECT_NE(page.find("\"name\":\"one\""), std::string::npos);
  EXPECT_NE(page.find("\"name\":\"deep/one\""), std::string::npos) << "runs of one name are told apart";
}

TEST_F(Report, ExportsTablesAndDrawings) {
  write_run(folder_ / "one", 0, 0.5);
  const Finished finished = run({"report", folder_ / "one", "-o", folder_ / "page.html", "--csv", folder_ / "tables",
                                 "--svg", folder_ / "figures", "--max-prompts", "1"});
  EXPECT_EQ(finished.code, 0) << finished.err;
  const std::string metrics = read_file(folder_ / "tables" / "metrics.csv");
  EXPECT_TRUE(metrics.starts_with("run,step,accuracy,")) << metrics.substr(0, 80);
  EXPECT_EQ(std::count(metrics.begin(), metrics.end(), '\n'), 41);
  EXPECT_TRUE(read_file(folder_ / "figures" / "reward.svg").starts_with("<svg"));
  const std::string page = read_file(folder_ / "page.html");
  EXPECT_NE(page.find("What is 1+1?"), std::string::npos);
  EXPECT_EQ(page.find("needle"), std::string::npos) << "--max-prompts";
}

TEST_F(Report, AFolderThatIsNoRunIsNamed) {
  std::filesystem::create_directories(folder_ / "empty");
  for (const char* name : {"empty", "missing"}) {
    const Finished finished = run({"report", folder_ / name});
    EXPECT_EQ(finished.code, 1);
    EXPECT_NE(finished.err.find(name), std::string::npos) << finished.err;
    EXPECT_FALSE(std::filesystem::exists(folder_ / name / "report.html"));
  }
}

TEST_F(ReportPage, LoadsFitsDrawsAndFilters) {
  for (const int width : {1280, 390})
    for (const bool dark : {false, true}) {
      SCOPED_TRACE(fmt::format("{} wide, {}", width, dark ? "dark" : "light"));
      const Json found = probe(width, dark);
      EXPECT_EQ(found["errors"], Json::array());
      EXPECT_EQ(found["requests"], Json::array());
      EXPECT_EQ(found["viewport"], width);
      EXPECT_EQ(found["alerts"], 0) << "a response became a script";
      for (const Json& wide : found["widths"]) EXPECT_LE(wide, width) << "the page scrolls sideways";
      EXPECT_EQ(found["dark"], dark ? "dark" : "light");
      EXPECT_EQ(found["switched"], dark ? "light" : "dark");
      for (const char* chart : {"evaluation-accuracy", "reward", "accuracy", "loss", "optimality-gap", "value-gap",
                                "kl", "leak", "length", "truncated", "speed", "phases", "learning-rate", "memory"})
        EXPECT_GT(found["charts"].value(chart, 0), 500) << chart << " is not drawn";
      EXPECT_FALSE(found["charts"].contains("gradient")) << "a chart without a value";
      EXPECT_FALSE(found["charts"].contains("other-evaluations-optimality_gap_error")) << "errors belong to figures";
      const std::string evaluation = found["evaluation"];
      for (const char* text :
           {"greedy accuracy", "pass@2", "37.6 – 100.0", "<i>Level</i> 5", "before.json", "+25.0", "−10.0 – +50.0",
            "0.63", "median 9, 5 to 95 % 3 to 40", "50.0 %", "37.6 – 100.0 %", "tokens per response\t12.5\t10 – 15"})
        EXPECT_NE(evaluation.find(text), std::string::npos) << text << " not in " << evaluation;
      EXPECT_EQ(evaluation.find("number"), std::string::npos) << "a number is no unit: " << evaluation;
      EXPECT_EQ(found["intervals"], 2) << "shares have bars, numbers of tokens have none";
      EXPECT_EQ(found["unlabelled"], Json::array());
      EXPECT_EQ(found["rows"], 40);
      EXPECT_EQ(found["steps"]["start"], 3);
      EXPECT_EQ(found["steps"]["search"], 1);
      EXPECT_EQ(found["steps"]["wrong"], 2);
      EXPECT_EQ(found["chosen"], 1);
      EXPECT_EQ(found["formulas"], 3);
      EXPECT_NE(found["group"].get<std::string>().find("worth $5 or $6?"), std::string::npos) << found["group"];
      EXPECT_NE(found["answered"].get<std::string>().find("1 of 2 samples right"), std::string::npos)
          << found["answered"];
      EXPECT_NE(found["shared"].get<std::string>().find("75.0 % of the samples right"), std::string::npos)
          << found["shared"];
    }
}

}  // namespace
}  // namespace agro
