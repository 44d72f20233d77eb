#pragma once
// Running the built program from a test, as a script would.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <sstream>
#include <string>
#include <vector>

#include "core/error.h"
#include "core/file.h"
#include "core/json.h"
#include "core/test_folder.h"

namespace agro {

inline const Path kGolden = Path(AGRO_SOURCE_DIR) / "tests" / "golden";

/// What a finished program left behind.
struct Finished {
  int code = 0;  // 128 + signal where one ended it
  std::string out, err;

  /// Standard output as JSON lines.
  std::vector<Json> lines() const {
    std::vector<Json> records;
    std::istringstream stream(out);
    for (std::string line; std::getline(stream, line);) records.push_back(Json::parse(line));
    return records;
  }
};

/// Tests that run `agro`. Standard streams are files in the test's folder: no pipe can fill up.
class ProgramTest : public TestFolder {
 protected:
  Finished run(const std::vector<std::string>& arguments, const std::string& input = "") {
    write_atomically(folder_ / "stdin", input);
    return wait(start(arguments, folder_ / "stdin"));
  }

  /// Runs with one JSON record a line; a failure shows what the program said.
  std::vector<Json> ask(const std::vector<std::string>& arguments, const std::vector<Json>& records) {
    std::string input;
    for (const Json& record : records) input += record.dump() + '\n';
    const Finished finished = run(arguments, input);
    EXPECT_EQ(finished.code, 0) << finished.err;
    std::vector<Json> answers = finished.lines();
    EXPECT_EQ(answers.size(), records.size()) << finished.err;
    answers.resize(records.size());
    return answers;
  }

  pid_t start(const std::vector<std::string>& arguments, const Path& input) {
    std::vector<std::string> words = {AGRO_PROGRAM};
    words.insert(words.end(), arguments.begin(), arguments.end());
    std::vector<char*> argv;
    for (std::string& word : words) argv.push_back(word.data());
    argv.push_back(nullptr);
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    constexpr int kCreate = O_WRONLY | O_CREAT | O_TRUNC;
    posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, input.c_str(), O_RDONLY, 0);
    posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, (folder_ / "stdout").c_str(), kCreate, 0600);
    posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, (folder_ / "stderr").c_str(), kCreate, 0600);
    pid_t child = 0;
    const int refused = ::posix_spawn(&child, AGRO_PROGRAM, &actions, nullptr, argv.data(), environ);
    posix_spawn_file_actions_destroy(&actions);
    if (refused != 0) throw fail("cannot start {}", AGRO_PROGRAM);
    return child;
  }

  Finished wait(pid_t child) {
    int status = 0;
    while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
    }
    const int code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    return {code, read_file(folder_ / "stdout"), read_file(folder_ / "stderr")};
  }
};

}  // namespace agro
