#pragma once
// The report page while its runs go on: a web server on this machine that only reads.
#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "core/file.h"

namespace agro {

struct LiveOptions {
  std::string host = "127.0.0.1";
  int port = 8765;                           // 0: any that is free
  std::chrono::milliseconds interval{1000};  // between looks at the files
};

/// Serves from construction to destruction, on its own threads:
///   /                         the page                        /data.json   page_data() of all runs
///   /completions?run=0&step=1 the responses of one step       /events      server-sent events: rows, reload
/// Only GET and HEAD. Bound to loopback it answers only requests that name this machine, so that no web page can reach
/// it through a name of its own. At most 16 clients listen to events at a time.
class LiveServer {
 public:
  /// `folders`: runs, or folders of runs. Throws Error where there is no run, or the address cannot be used.
  LiveServer(std::vector<Path> folders, const LiveOptions& options);
  LiveServer(const LiveServer&) = delete;
  ~LiveServer();

  int port() const;
  std::string url() const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace agro
