#include "core/stop.h"

#include <signal.h>

#include <atomic>
#include <cerrno>
#include <cstring>

#include "core/error.h"

namespace agro {
namespace {

// A signal handler can reach nothing but namespace-scope state.
std::atomic<bool> stop_flag{false};
static_assert(std::atomic<bool>::is_always_lock_free, "only lock-free atomics may be used in a signal handler");

extern "C" void on_stop_signal(int signal) {
  if (!stop_flag.exchange(true)) return;
  ::signal(signal, SIG_DFL);
  ::raise(signal);  // delivered once this handler has returned
}

}  // namespace

void install_stop_signals() {
  struct sigaction action {};
  action.sa_handler = on_stop_signal;
  action.sa_flags = SA_RESTART;
  sigemptyset(&action.sa_mask);
  for (const int signal : {SIGINT, SIGTERM})
    if (::sigaction(signal, &action, nullptr) != 0)
      throw fail("cannot install the handler of signal {}: {}", signal, std::strerror(errno));
}

bool stop_requested() { return stop_flag.load(); }
void request_stop() { stop_flag.store(true); }
void clear_stop_request() { stop_flag.store(false); }

}  // namespace agro
