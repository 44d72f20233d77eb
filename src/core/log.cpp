#include "core/log.h"

#include <spdlog/sinks/stdout_color_sinks.h>
#include <spdlog/spdlog.h>
#include <unistd.h>

#include <memory>

namespace agro {
namespace {

spdlog::logger& logger() {
  static const std::shared_ptr<spdlog::logger> instance = [] {
    auto made = std::make_shared<spdlog::logger>("agro", std::make_shared<spdlog::sinks::stderr_color_sink_mt>());
    // On a terminal a live progress line may be standing there: the message takes its place.
    made->set_pattern(::isatty(STDERR_FILENO) != 0 ? "\r\x1b[K%^%v%$" : "%v");
    return made;
  }();
  return *instance;
}

}  // namespace

void log_info_text(std::string_view text) { logger().info("{}", text); }
void log_warning_text(std::string_view text) { logger().warn("warning: {}", text); }
void set_quiet(bool quiet) { logger().set_level(quiet ? spdlog::level::warn : spdlog::level::info); }

}  // namespace agro
