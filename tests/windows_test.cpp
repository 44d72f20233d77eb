// The windows for scripts: JSON lines in, JSON lines out, against the golden references.
#include <sys/stat.h>

#include <chrono>
#include <thread>

#include "support.h"

namespace agro {
namespace {

const std::vector<std::string> kModels = {"gpt2", "llama_gqa", "smollm2_tied", "qwen2_tied", "qwen3_qknorm_bf16"};

Json golden(const std::string& name) { return read_json(kGolden / name); }

void expect_near(const Json& found, const Json& expected, double tolerance, const std::string& what) {
  ASSERT_EQ(found.size(), expected.size()) << what;
  for (size_t i = 0; i < found.size(); ++i)
    EXPECT_NEAR(found[i].get<double>(), expected[i].get<double>(), tolerance) << what << " at " << i;
}

class Tokenize : public ProgramTest {
 protected:
  const std::string model_ = kGolden / "e2e_qwen2_addition";
  const Json golden_ = golden("e2e_qwen2_addition/golden.json");
};

TEST_F(Tokenize, TextToIdsAndBack) {
  std::vector<Json> texts, ids;
  for (const Json& c : golden_["tokenizer_cases"]) {
    texts.push_back({{"text", c["text"]}});
    ids.push_back({{"ids", c["ids"]}});
  }
  const auto encoded = ask({"tokenize", model_}, texts), decoded = ask({"tokenize", model_}, ids);
  for (size_t i = 0; i < texts.size(); ++i) {
    EXPECT_EQ(encoded[i]["ids"], ids[i]["ids"]);
    EXPECT_EQ(encoded[i]["tokens"].size(), ids[i]["ids"].size());
    EXPECT_EQ(decoded[i], texts[i]);
  }
  EXPECT_EQ(encoded[0]["tokens"][2], "Ġ");
}

TEST_F(Tokenize, ChatsGoThroughTheTemplate) {
  std::vector<Json> records;
  for (const Json& c : golden_["cases"])
    records.push_back({{"messages", c["messages"]}, {"add_generation_prompt", true}});
  const auto answers = ask({"tokenize", model_}, records);
  for (size_t i = 0; i < records.size(); ++i) {
    EXPECT_EQ(answers[i]["text"], golden_["cases"][i]["rendered"]);
    EXPECT_EQ(answers[i]["ids"], golden_["cases"][i]["prompt_ids"]);
  }
  const Json messages = golden_["cases"][0]["messages"];
  EXPECT_EQ(ask({"tokenize", model_}, {{{"messages", messages}}})[0]["text"],
            "<|im_start|>user\nWhat is 2+2?<|im_end|>\n");
}

TEST_F(Tokenize, SpecialTokensAreSkippedOnRequest) {
  const Json ids = {{"ids", {377, 19, 378}}}, none = {{"ids", Json::array()}};
  EXPECT_EQ(ask({"tokenize", model_}, {ids})[0]["text"], "<|im_start|>4<|im_end|>");
  const auto skipped = ask({"tokenize", model_, "--skip-special"}, {ids, none});
  EXPECT_EQ(skipped[0]["text"], "4");
  EXPECT_EQ(skipped[1]["text"], "");
}

class Logprobs : public ProgramTest {};

TEST_F(Logprobs, AreThoseOfTheReference) {
  for (const std::string& model : kModels) {
    const Json reference = golden(model + "/golden.json");
    std::vector<Json> records;
    Json expected = reference["logprobs"];
    for (size_t row = 0; row < 2; ++row) {
      Json ids = reference["input_ids"][row];
      ids.erase(ids.begin() + static_cast<std::ptrdiff_t>(expected[row].size()) + 1, ids.end());
      records.push_back({{"ids", ids}});
    }
    // "long" holds one row, with or without a batch dimension.
    const auto row_of = [](const Json& value) { return value[0].is_array() ? value[0] : value; };
    records.push_back({{"ids", row_of(reference["long"]["input_ids"])}});
    expected.push_back(row_of(reference["long"]["logprobs"]));
    const auto answers = ask({"logprobs", kGolden / model}, records);
    for (size_t i = 0; i < records.size(); ++i) {
      expect_near(answers[i]["logprobs"], expected[i], 1e-4, model);
      double sum = 0;
      for (const Json& value : expected[i]) sum += value.get<double>();
      EXPECT_NEAR(answers[i]["sum"].get<double>(), sum, 1e-4 * static_cast<double>(expected[i].size())) << model;
      EXPECT_EQ(answers[i]["argmax"].size(), expected[i].size());
    }
  }
}

TEST_F(Logprobs, ArgmaxIsTheGreedyToken) {
  const Json greedy = golden("llama_gqa/golden.json")["greedy"];
  Json ids = greedy["prefix"];
  ids.insert(ids.end(), greedy["new_tokens"].begin(), greedy["new_tokens"].end());
  const Json argmax = ask({"logprobs", kGolden / "llama_gqa"}, {{{"ids", ids}}})[0]["argmax"];
  const auto prompt = static_cast<std::ptrdiff_t>(greedy["prefix"].size());
  EXPECT_EQ(Json(std::vector<Json>(argmax.begin() + prompt - 1, argmax.end())), greedy["new_tokens"]);
}

TEST_F(Logprobs, OfACompletionAndItsEndToken) {
  const Json reference = golden("e2e_qwen2_addition/golden.json");
  std::vector<Json> records;
  for (const Json& c : reference["cases"])
    records.push_back({{"prompt", c["rendered"]}, {"completion", c["greedy_text"]}});
  const auto answers = ask({"logprobs", kGolden / "e2e_qwen2_addition", "--eos"}, records);
  for (size_t i = 0; i < records.size(); ++i)
    expect_near(answers[i]["logprobs"], reference["cases"][i]["token_logprobs"], 1e-4, "with end");
  const auto without = ask({"logprobs", kGolden / "e2e_qwen2_addition"}, records);
  EXPECT_EQ(without[0]["logprobs"].size(), answers[0]["logprobs"].size() - 1);
}

TEST_F(Logprobs, OfOneTokenThereAreNone) {
  const Json answer = ask({"logprobs", kGolden / "gpt2"}, {{{"ids", {3}}}})[0];
  EXPECT_EQ(answer, Json({{"logprobs", Json::array()}, {"sum", 0.0}, {"argmax", Json::array()}}));
}

class Generate : public ProgramTest {
 protected:
  const std::string addition_ = kGolden / "e2e_qwen2_addition";
};

TEST_F(Generate, GreedyTextsAreThoseOfTheReference) {
  const Json reference = golden("e2e_qwen2_addition/golden.json");
  std::vector<Json> chats, texts, ids;
  for (const Json& c : reference["cases"]) {
    chats.push_back({{"messages", c["messages"]}});
    texts.push_back({{"prompt", c["rendered"]}});
    ids.push_back({{"ids", c["prompt_ids"]}});
  }
  const auto answers = ask({"generate", addition_, "--stdin", "--greedy"}, chats);
  for (size_t i = 0; i < chats.size(); ++i) {
    const Json& expected = reference["cases"][i];
    ASSERT_EQ(answers[i]["completions"].size(), 1U);
    const Json& found = answers[i]["completions"][0];
    EXPECT_EQ(found["text"], expected["greedy_text"]);
    EXPECT_EQ(found["ids"], expected["greedy_ids"]);
    EXPECT_EQ(found["finish_reason"], "stop");
    expect_near(found["logprobs"], expected["token_logprobs"], 1e-4, "greedy");
  }
  EXPECT_EQ(ask({"generate", addition_, "--stdin", "--greedy"}, texts), answers);
  EXPECT_EQ(ask({"generate", addition_, "--stdin", "--greedy"}, ids), answers);
}

TEST_F(Generate, WorksOnIdsWithoutATokenizer) {
  for (const std::string& model : kModels) {
    const Json reference = golden(model + "/golden.json");
    const Json& greedy = reference["greedy"];
    const std::string folder = kGolden / model;
    const Json free = ask({"generate", folder, "--stdin", "--greedy", "--ignore-eos", "--max-new-tokens", "16"},
                          {{{"ids", greedy["prefix"]}}})[0]["completions"][0];
    EXPECT_EQ(free["ids"], greedy["new_tokens"]) << model;
    EXPECT_EQ(free["finish_reason"], "length") << model;
    const Json& stop = reference["greedy_eos_stop"];
    const Json ended = ask({"generate", folder, "--stdin", "--greedy", "--stop-id", stop["eos_token_id"].dump()},
                           {{{"ids", stop["prefix"]}}})[0]["completions"][0];
    EXPECT_EQ(ended["ids"], stop["new_tokens_including_eos"]) << model;
    EXPECT_EQ(ended["finish_reason"], "stop") << model;
  }
}

TEST_F(Generate, SamplesDependOnSeedAndLineNotOnTheBatch) {
  const Json prompt = {{"messages", {{{"role", "user"}, {"content", "What is 8+9?"}}}}};
  const std::vector<Json> same(3, prompt);
  const std::vector<std::string> command = {"generate", addition_, "--stdin", "--n", "4", "--temperature", "2"};
  const auto with = [&](std::vector<std::string> more) {
    more.insert(more.begin(), command.begin(), command.end());
    return ask(more, same);
  };
  const auto answers = with({"--seed", "5"});
  EXPECT_EQ(answers[0]["completions"].size(), 4U);
  EXPECT_NE(answers[0], answers[1]);
  const auto ids_of = [](const std::vector<Json>& records) {
    std::vector<Json> ids;
    for (const Json& record : records)
      for (const Json& completion : record["completions"]) ids.push_back(completion["ids"]);
    return ids;
  };
  EXPECT_EQ(ids_of(with({"--seed", "5", "--max-sequences", "4"})), ids_of(answers));
  EXPECT_EQ(ids_of(with({"--seed", "5", "--threads", "1"})), ids_of(answers));
  EXPECT_NE(ids_of(with({"--seed", "6"})), ids_of(answers));
}

TEST_F(Generate, AnswersWhatHasBeenAskedBeforeTheInputEnds) {
  const Path fifo = folder_ / "questions";
  ASSERT_EQ(::mkfifo(fifo.c_str(), 0600), 0);
  // Open for reading too, so that neither side waits for the other; not inherited, or the child would hold it open.
  const int questions = ::open(fifo.c_str(), O_RDWR | O_CLOEXEC);
  ASSERT_GE(questions, 0);
  const std::string question = "{\"prompt\": \"What\"}\n";
  const auto put = [&] { return ::write(questions, question.data(), question.size()); };
  const pid_t child = start({"generate", addition_, "--stdin", "--greedy"}, fifo);
  EXPECT_EQ(put(), static_cast<ssize_t>(question.size()));
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::minutes(2);
  std::string answer;
  while (!answer.ends_with('\n') && std::chrono::steady_clock::now() < deadline) {
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
    answer = read_file(folder_ / "stdout");
  }
  EXPECT_TRUE(answer.ends_with('\n'));
  EXPECT_EQ(put(), static_cast<ssize_t>(question.size()));
  ::close(questions);
  const Finished finished = wait(child);
  EXPECT_EQ(finished.code, 0) << finished.err;
  EXPECT_EQ(finished.out, answer + answer);
}

class Verify : public ProgramTest {};

TEST_F(Verify, SaysWhetherAndWhy) {
  const auto answers = ask({"verify", "--policy", "last_number"}, {{{"gold", "1,000"}, {"pred", "It is 1000."}},
                                                                   {{"gold", 5}, {"pred", "6"}},
                                                                   {{"gold", 5}, {"pred", nullptr}},
                                                                   {{"gold", "none"}, {"pred", "6"}}});
  EXPECT_EQ(answers[0]["equal"], true);
  EXPECT_EQ(answers[1]["equal"], false);
  EXPECT_EQ(answers[2]["equal"], false);
  EXPECT_EQ(answers[3]["equal"], nullptr);
  for (const Json& answer : answers) EXPECT_FALSE(answer["why"].get<std::string>().empty());
  const Json near = {{"gold", "10"}, {"pred", "10.5"}};
  EXPECT_EQ(ask({"verify", "--policy", "last_number", "--tolerance", "0.6"}, {near})[0]["equal"], true);
  EXPECT_EQ(ask({"verify", "--policy", "last_number"}, {near})[0]["equal"], false);
  const Json padded = {{"gold", "a"}, {"pred", " a"}};
  EXPECT_EQ(ask({"verify", "--policy", "exact"}, {padded})[0]["equal"], true);
  EXPECT_EQ(ask({"verify", "--policy", "exact", "--no-trim"}, {padded})[0]["equal"], false);
}

class ObjectiveWindow : public ProgramTest {};

/// The values of a golden matrix where its mask is 1.
Json unmasked(const Json& matrix, const Json& mask) {
  Json rows = Json::array();
  for (size_t r = 0; r < matrix.size(); ++r) {
    rows.push_back(Json::array());
    for (size_t t = 0; t < matrix[r].size(); ++t)
      if (mask[r][t].get<double>() != 0) rows.back().push_back(matrix[r][t]);
  }
  return rows;
}

TEST_F(ObjectiveWindow, AgroIsThatOfTheReference) {
  for (const Json& c : golden("rl/agro.json")["cases"]) {
    const Json &in = c["inputs"], &out = c["outputs"];
    const double beta = c["params"]["beta"].get<double>();
    Json groups = Json::array();
    for (size_t row = 0; row < in["logp"].size(); ++row) groups.push_back(row / in["n"].get<size_t>());
    const Json record = {{"rewards", in["rewards"]},
                         {"groups", groups},
                         {"logprobs", unmasked(in["logp"], in["mask"])},
                         {"ref_logprobs", unmasked(in["ref_logp"], in["mask"])}};
    const std::string set_beta = fmt::format("objective.beta={}", beta);
    const Json plain = ask({"objective", "agro", "--set", set_beta, "--set", "objective.loss_scale=none"}, {record})[0];
    EXPECT_NEAR(plain["loss"].get<double>(), out["variance_loss"].get<double>(), 1e-10);
    const Json scaled = ask({"objective", "agro", "--set", set_beta}, {record})[0];
    EXPECT_NEAR(scaled["loss"].get<double>(), out["variance_loss"].get<double>() / beta, 1e-10 / beta);
    const Json expected = unmasked(out["grad_logp_variance"], in["mask"]);
    const Json per_beta = unmasked(out["grad_logp_loo_pg"], in["mask"]);
    for (size_t row = 0; row < expected.size(); ++row) {
      expect_near(plain["grad"][row], expected[row], 1e-10, "loss_scale = none");
      expect_near(scaled["grad"][row], per_beta[row], 1e-10, "loss_scale = one_over_beta");
    }
    EXPECT_TRUE(plain["metrics"].is_object());
  }
}

}  // namespace
}  // namespace agro
