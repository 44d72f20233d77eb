// What `make demo` stands on: the base model is as good as its README says and no better, can be right in several
// manners, and the demo's way from logged responses to the report holds together (a few steps of it).
#include <set>

#include "support.h"

namespace agro {
namespace {

const std::string kBase = Path(AGRO_SOURCE_DIR) / "models" / "wordmath";
const Path kConfigs = Path(AGRO_SOURCE_DIR) / "configs";

class Demo : public ProgramTest {
 protected:
  std::string path(const std::string& name) const { return folder_ / name; }

  void succeed(const std::vector<std::string>& arguments) {
    const Finished finished = run(arguments);
    ASSERT_EQ(finished.code, 0) << finished.err;
    screen_ = finished.out;
  }

  Json evaluation(const std::string& name) const { return Json::parse(read_file(folder_ / name)); }

  std::string screen_;
};

/// By the marks that each manner of working leaves.
std::string manner(const std::string& text) {
  const std::string working = text.substr(0, text.find("####"));
  if (working.find_first_of("abcdefghijklmnopqrstuvwxyz") != std::string::npos) return "sentences";
  const size_t line = working.find('\n'), equals = working.find('=');
  if (working.find('=', equals + 1) < line) return "digits";
  return std::count(working.begin(), working.end(), '=') == 1 ? "terse" : "steps";
}

TEST_F(Demo, TheBaseModelIsHalfTrainedAndRightInSeveralManners) {
  succeed({"problems", "--split", "selection", "--count", "200", "--min-level", "2", "--seed", "5", "-o", path("p")});
  succeed({"eval", kBase, path("p"), "--reward", "gsm8k", "--max-new-tokens", "96", "--samples", "0", "-o",
           path("e.json")});
  const double greedy = evaluation("e.json").at("figures").at("greedy_accuracy").get<double>();
  EXPECT_GT(greedy, 0.10);  // levels 2 and 3 alone
  EXPECT_LT(greedy, 0.60);
  succeed({"generate", kBase, path("p"), "--n", "4", "--max-new-tokens", "96", "--output", path("r.jsonl")});
  succeed({"score", path("r.jsonl"), "--reward", "gsm8k", "--output", path("s.jsonl")});
  std::set<std::string> right;
  for_each_jsonl(path("s.jsonl"), [&](const Json& record, int64_t) {
    for (const Json& completion : record.at("completions"))
      if (completion.at("reward") == 1.0) right.insert(manner(completion.at("text").get<std::string>()));
  });
  EXPECT_EQ(right, (std::set<std::string>{"digits", "sentences", "steps", "terse"}));
}

TEST_F(Demo, FromLoggedResponsesToTheReport) {
  succeed({"problems", "--count", "40", "--seed", "11", "-o", path("train.jsonl")});
  succeed({"problems", "--split", "test", "--count", "30", "-o", path("test.jsonl")});
  succeed({"generate", kBase, path("train.jsonl"), "--n", "4", "--max-new-tokens", "64", "--output", path("r.jsonl")});
  succeed({"score", path("r.jsonl"), "--reward", "gsm8k", "--output", path("logged.jsonl")});
  std::vector<std::string> report{"report"};
  const auto measure = [&](const std::string& model, const std::string& name) {
    succeed({"eval", model, path("test.jsonl"), "--reward", "gsm8k", "--max-new-tokens", "64", "--samples", "2",
             "--reference", kBase, "--reference-samples", "2", "-o", path(name + "/evaluations/test.json")});
    report.push_back(path(name));
  };
  measure(kBase, "before");
  for (const std::string name : {"fresh", "stored", "mixed", "supervised"}) {
    std::vector<std::string> arguments{name == "supervised" ? "sft" : "train", kConfigs / "demo" / (name + ".toml")};
    std::vector<std::string> settings{"run.output=" + path(name),
                                      "run.steps=2",
                                      "run.save_completions_every=2",
                                      "model.path=" + kBase,
                                      "data.prompts=" + path("train.jsonl"),
                                      "evaluate.prompts=" + path("test.jsonl"),
                                      "evaluate.samples_per_prompt=1"};
    if (name == "stored" || name == "mixed") settings.push_back("data.completions=['" + path("logged.jsonl") + "']");
    for (const std::string& setting : settings) arguments.insert(arguments.end(), {"--set", setting});
    succeed(arguments);
    measure(path(name + "/final"), name);
  }
  report.insert(report.end(), {"--examples", "3", "-o", path("report.html")});
  succeed(report);
  for (const std::string word : {"On the 30 prompts of 'test'", "greedy %", "value gap", "supervised", "report.html"})
    EXPECT_NE(screen_.find(word), std::string::npos) << word << " not in:\n" << screen_;
  EXPECT_GT(std::filesystem::file_size(path("report.html")), 100'000U);
}

TEST_F(Demo, EveryConfigurationInTheRepositoryLoads) {
  int found = 0;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(kConfigs)) {
    if (entry.path().extension() != ".toml" || entry.path().parent_path().filename() == "prompts") continue;
    ++found;
    const bool supervised = read_file(entry.path()).find("[sft]") != std::string::npos;
    const Finished finished = run({supervised ? "sft" : "train", entry.path(), "--print-config"});
    EXPECT_EQ(finished.code, 0) << entry.path() << ": " << finished.err;
  }
  EXPECT_GE(found, 9);
}

}  // namespace
}  // namespace agro
