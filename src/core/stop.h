#pragma once
// Asking a long run to stop: Ctrl-C sets a flag that loops look at between steps.

namespace agro {

/// From now on the first SIGINT or SIGTERM only sets the flag; the second one ends the process at once, as without a
/// handler. Throws Error if the system refuses.
void install_stop_signals();

/// Whether a signal has arrived or request_stop() was called.
bool stop_requested();

/// Sets the flag by hand. Safe inside a signal handler and from any thread.
void request_stop();

/// Clears the flag (tests, and a second run in one process).
void clear_stop_request();

}  // namespace agro
