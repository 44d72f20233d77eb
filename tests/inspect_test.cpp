// What `agro inspect` says of a machine and of a model folder.
#include <algorithm>
#include <thread>

#include "support.h"

namespace agro {
namespace {

class Inspect : public ProgramTest {
 protected:
  Json json(std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), "inspect");
    arguments.emplace_back("--json");
    const Finished finished = run(arguments);
    EXPECT_EQ(finished.code, 0) << finished.err;
    EXPECT_EQ(finished.lines().size(), 1U) << finished.out;
    return finished.lines().at(0);
  }
};

TEST_F(Inspect, TheMachineAsJson) {
  const Json machine = json({"--machine"});
  EXPECT_FALSE(machine["cpu"].get<std::string>().empty());
  EXPECT_GT(machine["cpus"].get<int>(), 0);
  EXPECT_EQ(machine["threads"], machine["cpus"]);
  EXPECT_TRUE(machine["pinned"].is_boolean());
  for (const char* set : {"AVX2", "AVX-512", "AVX-512-BF16", "AMX-BF16"})
    EXPECT_TRUE(machine["instruction_sets"][set].is_boolean()) << set;
  for (const char* key : {"kernel_target", "aten_capability"}) EXPECT_NE(machine[key], "") << key;
  for (const char* key : {"library", "kernels"}) EXPECT_NE(machine["blas"][key], "") << key;
  const Json& memory = machine["memory"];
  EXPECT_GT(memory["bytes"].get<int64_t>(), 0);
  EXPECT_GT(memory["available_bytes"].get<int64_t>(), 0);
  EXPECT_LE(memory["available_bytes"].get<int64_t>(), memory["bytes"].get<int64_t>());
  EXPECT_GT(machine["malloc"]["mmap_threshold"].get<int64_t>(), 0);
  EXPECT_TRUE(machine["warnings"].is_array());

  const Json& measured = machine["measured"];
  EXPECT_GT(measured["float32_gflops"].get<double>(), 0);
  EXPECT_GT(measured["read_bytes_per_second"].get<double>(), 0);
  EXPECT_EQ(measured["bfloat16_gflops"].is_null(),
            measured["bfloat16_note"].get<std::string>().starts_with("not measured"));
  ASSERT_EQ(measured["products"].size(), 2U);
  for (const Json& product : measured["products"]) {
    EXPECT_GT(product["gflops"].get<double>(), 0);
    EXPECT_NEAR(product["share_of_peak"].get<double>(),
                product["gflops"].get<double>() / measured["float32_gflops"].get<double>(), 1e-9);
  }
}

TEST_F(Inspect, MoreThreadsThanCpusAreWarnedOf) {
  const unsigned threads = std::thread::hardware_concurrency() + 1;
  const Json machine = json({"--machine", "--threads", std::to_string(threads)});
  EXPECT_EQ(machine["threads"], threads);
  EXPECT_EQ(machine["pinned"], false);
  EXPECT_NE(machine["warnings"].dump().find("share"), std::string::npos) << machine["warnings"];
}

TEST_F(Inspect, AModelFolder) {
  const Json model = json({kGolden / "e2e_qwen2_addition"});
  const Json config = read_json(kGolden / "e2e_qwen2_addition/config.json");
  EXPECT_EQ(model["family"], config["model_type"]);
  EXPECT_EQ(model["layers"], config["num_hidden_layers"]);
  EXPECT_EQ(model["vocabulary"], config["vocab_size"]);
  EXPECT_EQ(model["tokenizer"], true);
  EXPECT_EQ(model["chat_template"], true);
  EXPECT_EQ(model["text_problem"], nullptr);
  const int64_t parameters = model["parameters"].get<int64_t>();
  EXPECT_EQ(model["stored_as"], Json({{"F32", parameters}}));
  EXPECT_EQ(model["training_bytes"]["sum"], 20 * parameters);

  const Json half = json({kGolden / "qwen3_qknorm_bf16"});
  EXPECT_EQ(half["tokenizer"], false);
  EXPECT_LT(half["training_bytes"]["reference"].get<int64_t>(), 4 * half["parameters"].get<int64_t>());
}

TEST_F(Inspect, OnAScreen) {
  const Finished finished = run({"inspect", kGolden / "llama_gqa"});
  EXPECT_EQ(finished.code, 0) << finished.err;
  for (const char* said : {"\nparameters ", "\nheads ", "\ncontext ", "none: works on ids alone", "\nto train "})
    EXPECT_NE(finished.out.find(said), std::string::npos) << said << " not in:\n" << finished.out;
  EXPECT_LT(std::count(finished.out.begin(), finished.out.end(), '\n'), 20);
}

TEST_F(Inspect, ABrokenTokenizerIsSaid) {
  for (const char* name : {"config.json", "model.safetensors"})
    write_atomically(folder_ / "model" / name, read_file(kGolden / "llama_gqa" / name));
  write_atomically(folder_ / "model/tokenizer.json", "{");
  const Json model = json({folder_ / "model"});
  EXPECT_NE(model["text_problem"].get<std::string>().find("tokenizer.json"), std::string::npos) << model;
}

TEST_F(Inspect, OneOfBothMustBeAskedFor) {
  EXPECT_EQ(run({"inspect"}).code, 2);
  EXPECT_EQ(run({"inspect", kGolden / "gpt2", "--machine"}).code, 2);
  const Finished missing = run({"inspect", folder_ / "nothing"});
  EXPECT_EQ(missing.code, 1);
  EXPECT_NE(missing.err.find("nothing"), std::string::npos) << missing.err;
}

}  // namespace
}  // namespace agro
