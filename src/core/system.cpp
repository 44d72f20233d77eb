#include "core/system.h"

#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <sstream>
#include <vector>

namespace agro {
namespace {

/// Files below /proc have no size to map.
std::vector<std::string> lines_of(const Path& path) {
  std::ifstream file(path);
  std::vector<std::string> lines;
  for (std::string line; lines.size() < 100'000 && std::getline(file, line);) lines.push_back(line);
  return lines;
}

std::vector<std::string> words_of(const std::string& text) {
  std::istringstream stream(text);
  std::vector<std::string> words;
  for (std::string word; stream >> word;) words.push_back(word);
  return words;
}

std::optional<int64_t> integer(const std::string& word) {
  std::istringstream stream(word);
  int64_t value = 0;
  if (!(stream >> value)) return std::nullopt;
  return value;
}

std::vector<std::string> first_words(const Path& path) {
  const std::vector<std::string> lines = lines_of(path);
  return lines.empty() ? std::vector<std::string>() : words_of(lines.front());
}

/// The value of "key   : value".
std::string value_of(const std::string& line) {
  const size_t begin = line.find_first_not_of(" \t", line.find(':') + 1);
  return line.find(':') == std::string::npos || begin == std::string::npos ? "" : line.substr(begin);
}

void read_processor(const Path& root, SystemFacts& facts) {
  for (const std::string& line : lines_of(root / "proc/cpuinfo")) {
    if (line.starts_with("model name")) facts.cpu_model = value_of(line);
    if (!line.starts_with("flags")) continue;
    for (const std::string& flag : words_of(value_of(line))) facts.cpu_flags.insert(flag);
    break;  // the other processors say the same
  }
}

void read_memory(const Path& root, SystemFacts& facts) {
  for (const std::string& line : lines_of(root / "proc/meminfo")) {
    const int64_t bytes = 1024 * std::clamp<int64_t>(integer(value_of(line)).value_or(0), 0, int64_t{1} << 50);
    if (line.starts_with("MemTotal:")) facts.memory_bytes = bytes;
    if (line.starts_with("MemAvailable:")) facts.available_bytes = bytes;
  }
}

void read_load(const Path& root, SystemFacts& facts) {
  std::ifstream file(root / "proc/loadavg");
  if (!(file >> facts.load_average)) facts.load_average = 0;
}

template <class T>
void lower(std::optional<T>& limit, T value) {
  limit = std::min(limit.value_or(value), value);
}

void read_memory_limit(const Path& group, SystemFacts& facts) {
  for (const char* name : {"memory.max", "memory.limit_in_bytes"}) {
    const auto words = first_words(group / name);
    const std::optional<int64_t> bytes = words.empty() ? std::nullopt : integer(words[0]);  // version 2 has "max"
    // "No limit" is a number near 2^63 in version 1.
    if (bytes && *bytes >= 0 && *bytes < facts.memory_bytes) lower(facts.memory_limit, *bytes);
  }
}

void read_cpu_quota(const Path& group, SystemFacts& facts) {
  std::vector<std::string> words = first_words(group / "cpu.max");  // "150000 100000" or "max 100000"
  if (words.empty())
    for (const char* name : {"cpu.cfs_quota_us", "cpu.cfs_period_us"})
      for (const std::string& word : first_words(group / name)) words.push_back(word);
  if (words.size() < 2) return;
  const std::optional<int64_t> quota = integer(words[0]), period = integer(words[1]);
  if (quota && period && *quota > 0 && *period > 0)
    lower(facts.cpu_quota, static_cast<double>(*quota) / static_cast<double>(*period));
}

/// A group is bound by its parents too. In a container its path may be one of the host's that is not mounted here.
void read_group(const Path& mount, const std::string& group, SystemFacts& facts) {
  Path folder = mount;
  read_memory_limit(folder, facts);
  read_cpu_quota(folder, facts);
  for (const Path& part : Path(group).relative_path()) {
    if (part == "..") return;
    folder /= part;
    read_memory_limit(folder, facts);
    read_cpu_quota(folder, facts);
  }
}

void read_control_groups(const Path& root, SystemFacts& facts) {
  const Path mounts = root / "sys/fs/cgroup";
  for (const std::string& line : lines_of(root / "proc/self/cgroup")) {  // "4:memory:/path", version 2 "0::/path"
    const size_t first = line.find(':'), second = line.find(':', first + 1);
    if (first == std::string::npos || second == std::string::npos) continue;
    const std::string controllers = line.substr(first + 1, second - first - 1), group = line.substr(second + 1);
    if (controllers.empty()) {
      read_group(mounts, group, facts);
      read_group(mounts / "unified", group, facts);
    } else if (controllers.find("cpu") != std::string::npos || controllers == "memory") {
      read_group(mounts / controllers, group, facts);
    }
  }
}

}  // namespace

SystemFacts read_system(const Path& root) {
  SystemFacts facts;
  read_processor(root, facts);
  read_memory(root, facts);
  read_control_groups(root, facts);
  read_load(root, facts);
  if (facts.memory_limit) facts.available_bytes = std::min(facts.available_bytes, *facts.memory_limit);
  facts.last_level_cache_bytes =
      std::max<int64_t>({0, ::sysconf(_SC_LEVEL2_CACHE_SIZE), ::sysconf(_SC_LEVEL3_CACHE_SIZE)});
  return facts;
}

}  // namespace agro
