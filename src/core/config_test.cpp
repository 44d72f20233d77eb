#include "core/config.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <limits>

#include "core/error.h"
#include "core/test_folder.h"

namespace agro {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::StrEq;
using testing::ThrowsMessage;

constexpr double kInfinity = std::numeric_limits<double>::infinity();

struct Reward {
  std::string type = "exact";
  double weight = 1;
  void visit(ConfigVisitor& v) {
    v.field("type", type, {"exact", "last_number", "command"}, "Verifier.");
    v.field("weight", weight, {.min = -100, .max = 100}, "Factor of this reward.");
  }
};

struct Schedule {
  std::string shape = "constant";
  void visit(ConfigVisitor& v) { v.field("shape", shape, {"constant", "cosine"}, "Course of the rate."); }
};

struct Optimizer {
  Schedule schedule;
  double learning_rate = 1e-5;
  bool fused = true;
  void visit(ConfigVisitor& v) {
    // Deliberately before the keys: TOML wants it after them.
    v.section("schedule", schedule, "Rate over time.");
    v.field("learning_rate", learning_rate, {.min = 0, .max = 10}, "Peak step size.");
    v.field("fused", fused, "One pass | two passes.");
  }
};

struct Settings {
  int64_t steps = 100;
  int64_t seed = 0;
  double scale = 0.5;
  std::string name;
  std::vector<std::string> stop;
  std::vector<int64_t> ids = {1, 2};
  Optimizer optimizer;
  std::vector<Reward> rewards = {Reward{}};
  void visit(ConfigVisitor& v) {
    v.section("optimizer", optimizer, "How weights move.");
    v.list("rewards", rewards, "What is good.");
    v.field("steps", steps, {.min = 1}, "Updates.");
    v.field("seed", seed, {}, "Seed.");
    v.field("scale", scale, {}, "Any number.");
    v.field("name", name, "Any text.");
    v.field("stop", stop, "Stop strings.");
    v.field("ids", ids, "Stop ids.");
  }
};

class ConfigTest : public TestFolder {
 protected:
  Settings load(std::string_view text, const std::vector<std::string>& overrides = {}) const {
    write_atomically(folder_ / "c.toml", text);
    Settings settings;
    load_config(settings, folder_ / "c.toml", overrides);
    return settings;
  }

  /// The message of a failed load, without the folder.
  std::string refusal(std::string_view text, const std::vector<std::string>& overrides = {}) const {
    try {
      load(text, overrides);
    } catch (const Error& error) {
      std::string message = error.what();
      const std::string prefix = folder_.string() + "/";
      return message.starts_with(prefix) ? message.substr(prefix.size()) : message;
    }
    return "accepted";
  }

  static Settings set(const std::vector<std::string>& overrides) {
    Settings settings;
    load_config(settings, {}, overrides);
    return settings;
  }
};

TEST_F(ConfigTest, ReadsEveryTypeAndKeepsTheRest) {
  const Settings s = load(R"(
    steps = 7
    scale = 3
    name = "run \"1\""
    stop = ["\n", "###"]
    ids = []
    [optimizer]
    learning_rate = 2.5e-4
    [optimizer.schedule]
    shape = "cosine"
    [[rewards]]
    weight = 0.5
    [[rewards]]
    type = "command"
  )");
  EXPECT_EQ(s.steps, 7);
  EXPECT_EQ(s.seed, 0);
  EXPECT_EQ(s.scale, 3.0);
  EXPECT_EQ(s.name, "run \"1\"");
  EXPECT_THAT(s.stop, ElementsAre("\n", "###"));
  EXPECT_THAT(s.ids, IsEmpty());
  EXPECT_EQ(s.optimizer.learning_rate, 2.5e-4);
  EXPECT_TRUE(s.optimizer.fused);
  EXPECT_EQ(s.optimizer.schedule.shape, "cosine");
  ASSERT_EQ(s.rewards.size(), 2U);
  EXPECT_EQ(s.rewards[0].weight, 0.5);
  EXPECT_EQ(s.rewards[1].type, "command");
  EXPECT_EQ(s.rewards[1].weight, 1.0);
}

TEST_F(ConfigTest, AListInAFileStartsFromDefaultsNotFromTheDefaultItems) {
  Settings s;
  s.rewards = {Reward{.type = "command", .weight = 9}};
  write_atomically(folder_ / "c.toml", "[[rewards]]\nweight = 2");
  load_config(s, folder_ / "c.toml");
  ASSERT_EQ(s.rewards.size(), 1U);
  EXPECT_EQ(s.rewards[0].type, "exact");
}

TEST_F(ConfigTest, OverridesComeAfterTheFileAndInOrder) {
  const Settings s = load("steps = 7\n[optimizer]\nlearning_rate = 0.1",
                          {"optimizer.learning_rate=1", "steps = 8", "steps=9", "optimizer.schedule.shape=cosine",
                           "optimizer.fused=false", "stop=[\"a\", \"b\"]"});
  EXPECT_EQ(s.optimizer.learning_rate, 1.0);
  EXPECT_EQ(s.steps, 9);
  EXPECT_EQ(s.optimizer.schedule.shape, "cosine");
  EXPECT_FALSE(s.optimizer.fused);
  EXPECT_THAT(s.stop, ElementsAre("a", "b"));
}

TEST_F(ConfigTest, OverridesReachIntoLists) {
  EXPECT_EQ(set({"rewards.0.weight=2"}).rewards.at(0).weight, 2);
  const Settings appended = set({"rewards.1.type=command", "rewards.1.weight=3", "rewards.0.weight=4"});
  ASSERT_EQ(appended.rewards.size(), 2U);
  EXPECT_EQ(appended.rewards[0].weight, 4);
  EXPECT_EQ(appended.rewards[1].type, "command");
  EXPECT_EQ(appended.rewards[1].weight, 3);
  EXPECT_THAT(set({"rewards=[]"}).rewards, IsEmpty());
  EXPECT_EQ(set({"rewards=[{type=\"command\"}, {weight=5}]"}).rewards.at(1).weight, 5);
}

TEST_F(ConfigTest, BareWordsAreStrings) {
  for (const auto& [text, expected] : std::vector<std::pair<std::string, std::string>>{{"a/b-c.json", "a/b-c.json"},
                                                                                       {"007", "007"},
                                                                                       {"42", "42"},
                                                                                       {"true", "true"},
                                                                                       {"2024-01-02", "2024-01-02"},
                                                                                       {"a = b", "a = b"},
                                                                                       {"x\nsteps = 3", "x\nsteps = 3"},
                                                                                       {"1\nsteps = 3", "1\nsteps = 3"},
                                                                                       {"say \"hi\"", "say \"hi\""},
                                                                                       {"\"quoted\\n\"", "quoted\n"},
                                                                                       {"", ""}})
    EXPECT_EQ(set({"name=" + text}).name, expected);
}

TEST_F(ConfigTest, SyntaxErrorsNameLineAndColumn) {
  EXPECT_THAT(refusal("steps = 1\nname = \n"), testing::StartsWith("c.toml:2:8: is not valid TOML: "));
  EXPECT_THAT(refusal("steps = 1\nsteps = 2\n"), testing::StartsWith("c.toml:2:"));
  EXPECT_THAT(refusal("name = \"\xFF\"\n"), testing::StartsWith("c.toml:1:"));
}

TEST_F(ConfigTest, UnknownKeysNameTheNearestKnownOne) {
  EXPECT_EQ(refusal("[optimizer]\nfused = true\nlearning_rat = 1\n"),
            "c.toml:3: unknown key 'learning_rat' in section [optimizer]\n"
            "  hint: did you mean 'optimizer.learning_rate'?");
  EXPECT_EQ(refusal("[optimzer]\n"),
            "c.toml:1: unknown section 'optimzer' at the top level\n  hint: did you mean 'optimizer'?");
  EXPECT_EQ(refusal("[[rewards]]\n[[rewards]]\nwieght = 1\n"),
            "c.toml:3: unknown key 'wieght' in section [rewards.1]\n  hint: did you mean 'rewards.1.weight'?");
}

TEST_F(ConfigTest, UnknownKeysThatLiveElsewhereAreFoundThere) {
  EXPECT_EQ(refusal("learning_rate = 1\n"),
            "c.toml:1: unknown key 'learning_rate' at the top level\n  hint: did you mean 'optimizer.learning_rate'?");
  EXPECT_EQ(refusal("[optimizer]\nweight = 1\n"),
            "c.toml:2: unknown key 'weight' in section [optimizer]\n  hint: did you mean 'rewards.0.weight'?");
}

TEST_F(ConfigTest, UnknownKeysLikeNothingListTheKnownOnes) {
  EXPECT_EQ(refusal("[optimizer]\nbananas = 1\n"),
            "c.toml:2: unknown key 'bananas' in section [optimizer]\n"
            "  hint: known here: fused, learning_rate, schedule");
}

TEST_F(ConfigTest, WrongTypesSayWhatWasFound) {
  EXPECT_EQ(refusal("steps = \"many\""), "c.toml:1: steps must be an integer, found the string \"many\"");
  EXPECT_EQ(refusal("steps = 1.5"), "c.toml:1: steps must be an integer, found the number 1.5");
  EXPECT_EQ(refusal("name = 5"), "c.toml:1: name must be a string, found the integer 5");
  EXPECT_EQ(refusal("scale = true"), "c.toml:1: scale must be a number, found the boolean true");
  EXPECT_EQ(refusal("\n[optimizer]\nfused = 1"),
            "c.toml:3: optimizer.fused must be true or false, found the integer 1");
  EXPECT_EQ(refusal("optimizer = 3"), "c.toml:1: optimizer must be a table, found the integer 3");
  EXPECT_EQ(refusal("scale = {}"), "c.toml:1: scale must be a number, found a table");
  EXPECT_EQ(refusal("scale = [1]"), "c.toml:1: scale must be a number, found a list");
  EXPECT_EQ(refusal("name = 1979-05-27"), "c.toml:1: name must be a string, found a date or time");
  EXPECT_EQ(refusal("stop = \"x\""),
            "c.toml:1: stop must be a list of strings like [\"a\", \"b\"], found the string \"x\"");
  EXPECT_EQ(refusal("ids = [1, 2.5]"), "c.toml:1: ids.1 must be an integer, found the number 2.5");
  EXPECT_EQ(refusal("[rewards]\nweight = 1"),
            "c.toml:1: rewards must be a list of tables, each headed [[rewards]], found a table");
  EXPECT_EQ(refusal("rewards = [1]"), "c.toml:1: rewards.0 must be a table, found the integer 1");
}

TEST_F(ConfigTest, RangesAreStated) {
  EXPECT_EQ(refusal("steps = 0"), "c.toml:1: steps must be at least 1, found 0");
  EXPECT_EQ(refusal("[optimizer]\nlearning_rate = 11"),
            "c.toml:2: optimizer.learning_rate must be between 0 and 10, found 11");
  EXPECT_EQ(refusal("[optimizer]\nlearning_rate = nan"),
            "c.toml:2: optimizer.learning_rate must be between 0 and 10, found nan");
  EXPECT_EQ(refusal("[optimizer]\nlearning_rate = inf"),
            "c.toml:2: optimizer.learning_rate must be between 0 and 10, found inf");
  EXPECT_EQ(load("[optimizer]\nlearning_rate = 10").optimizer.learning_rate, 10.0) << "ends are included";
  EXPECT_EQ(load("[optimizer]\nlearning_rate = 0").optimizer.learning_rate, 0.0);
  EXPECT_TRUE(std::isnan(load("scale = nan").scale)) << "a number without a range may be anything";
}

TEST_F(ConfigTest, ChoicesAreListed) {
  EXPECT_EQ(refusal("[optimizer.schedule]\nshape = \"cosin\""),
            "c.toml:2: optimizer.schedule.shape must be one of constant, cosine, found \"cosin\"\n"
            "  hint: did you mean \"cosine\"?");
  EXPECT_EQ(refusal("[[rewards]]\ntype = \"?\""),
            "c.toml:2: rewards.0.type must be one of exact, last_number, command, found \"?\"");
}

TEST_F(ConfigTest, OverridesNameThemselvesInErrors) {
  EXPECT_EQ(refusal("", {"optimizer.learning_rat=1"}),
            "--set optimizer.learning_rat=1: unknown key 'learning_rat' in section [optimizer]\n"
            "  hint: did you mean 'optimizer.learning_rate'?");
  EXPECT_EQ(refusal("", {"steps=many"}), "--set steps=many: steps must be an integer, found the string \"many\"");
  EXPECT_EQ(refusal("", {"steps=0"}), "--set steps=0: steps must be at least 1, found 0");
  EXPECT_EQ(refusal("", {"steps"}), "--set steps: has no '='\n  hint: write --set section.key=value");
  for (const std::string key : {"", ".steps", "optimizer..fused", "steps."})
    EXPECT_EQ(refusal("", {key + "=1"}),
              fmt::format("--set {}=1: '{}' is not a key\n  hint: write --set section.key=value", key, key));
  EXPECT_THAT(refusal("", {"a" + std::string(100000, '.') + "b=1"}), HasSubstr("is not a key"));
  std::string deep = "a";
  for (int i = 0; i < 100000; ++i) deep += ".a";
  EXPECT_THAT(refusal("", {deep + "=1"}), HasSubstr("is not a key"));
  EXPECT_THAT(refusal("", {"stop=[a]"}), HasSubstr("--set stop=[a]: the value is not valid TOML: "));
  EXPECT_THAT(refusal("", {"name=\xFF"}), HasSubstr("the value is not valid TOML: "));
  EXPECT_EQ(refusal("", {"rewards.2.weight=1"}),
            "--set rewards.2.weight=1: rewards is a list of 1 items: the index must be from 0 to 1, found \"2\"");
  EXPECT_EQ(refusal("", {"rewards.weight=1"}),
            "--set rewards.weight=1: rewards is a list of 1 items: the index must be from 0 to 1, found \"weight\"");
  EXPECT_EQ(refusal("", {"rewards={}"}),
            "--set rewards={}: rewards must be a list of tables, each headed [[rewards]], found a table");
}

TEST_F(ConfigTest, AFailedLoadChangesNothing) {
  Settings s;
  EXPECT_THROW(load_config(s, {}, {"steps=5", "rewards=[]", "oops=1"}), Error);
  EXPECT_EQ(s.steps, 100);
  EXPECT_EQ(s.rewards.size(), 1U);
}

TEST_F(ConfigTest, AMissingFileIsNamed) {
  Settings s;
  EXPECT_THAT([&] { load_config(s, folder_ / "absent.toml"); },
              ThrowsMessage<Error>(HasSubstr("absent.toml: cannot open")));
}

TEST_F(ConfigTest, DumpReadsBackToTheLastBit) {
  Settings s;
  s.steps = std::numeric_limits<int64_t>::max();
  s.seed = std::numeric_limits<int64_t>::min();
  s.name = "quote \" backslash \\ tab \t line \n bell \a delete \x7F nul " + std::string(1, '\0') + " \xC3\xA9 '''";
  s.stop = {"", "]", "#", "\r\n"};
  s.ids = {};
  s.optimizer.fused = false;
  s.optimizer.schedule.shape = "cosine";
  s.rewards = {Reward{.type = "command", .weight = 0.1}, Reward{.type = "exact", .weight = -1}};
  for (const double scale : {0.1, 1.0, -0.0, 1e-5, 1e16, 1e22, 123456789012345680.0, 5e-324, 2.2250738585072014e-308,
                             1.7976931348623157e308, 1.0 / 3, kInfinity, -kInfinity}) {
    s.scale = scale;
    const std::string text = dump_config(s);
    const Settings back = load(text);
    EXPECT_EQ(std::bit_cast<uint64_t>(back.scale), std::bit_cast<uint64_t>(scale)) << text;
    EXPECT_EQ(dump_config(back), text);
    EXPECT_EQ(back.steps, s.steps);
    EXPECT_EQ(back.seed, s.seed);
    EXPECT_EQ(back.name, s.name);
    EXPECT_EQ(back.stop, s.stop);
    EXPECT_EQ(back.ids, s.ids);
    EXPECT_EQ(back.rewards.size(), 2U);
    EXPECT_EQ(back.rewards.at(0).weight, 0.1);
    EXPECT_EQ(back.optimizer.schedule.shape, "cosine");
  }
  s.rewards.clear();
  EXPECT_THAT(load(dump_config(s, true)).rewards, IsEmpty());
}

TEST_F(ConfigTest, DumpIsReadableToml) {
  EXPECT_THAT(dump_config(Settings{}), StrEq(R"(steps = 100
seed = 0
scale = 0.5
name = ""
stop = []
ids = [1, 2]

[optimizer]
learning_rate = 1e-05
fused = true

[optimizer.schedule]
shape = "constant"

[[rewards]]
type = "exact"
weight = 1.0
)"));
  EXPECT_THAT(dump_config(Settings{}, true),
              HasSubstr("\n# How weights move.\n[optimizer]\n# Peak step size.\nlearning_rate = "));
}

TEST_F(ConfigTest, DescribesOneTablePerSection) {
  Settings s;
  s.rewards.clear();
  EXPECT_THAT(describe_config(s), StrEq(R"(| key | type | default | allowed | meaning |
|---|---|---|---|---|
| `steps` | integer | `100` | at least 1 | Updates. |
| `seed` | integer | `0` |  | Seed. |
| `scale` | number | `0.5` |  | Any number. |
| `name` | string | `""` |  | Any text. |
| `stop` | list of strings | `[]` |  | Stop strings. |
| `ids` | list of integers | `[1, 2]` |  | Stop ids. |

### `[optimizer]`

How weights move.

| key | type | default | allowed | meaning |
|---|---|---|---|---|
| `learning_rate` | number | `1e-05` | between 0 and 10 | Peak step size. |
| `fused` | boolean | `true` |  | One pass \| two passes. |

### `[optimizer.schedule]`

Rate over time.

| key | type | default | allowed | meaning |
|---|---|---|---|---|
| `shape` | string | `"constant"` | one of constant, cosine | Course of the rate. |

### `[[rewards]]`

What is good.

| key | type | default | allowed | meaning |
|---|---|---|---|---|
| `type` | string | `"exact"` | one of exact, last_number, command | Verifier. |
| `weight` | number | `1.0` | between -100 and 100 | Factor of this reward. |
)"));
}

}  // namespace
}  // namespace agro
