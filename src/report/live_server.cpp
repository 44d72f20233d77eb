#include "report/live_server.h"

#include <httplib.h>

#include <atomic>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <thread>

#include "core/error.h"
#include "report/html_report.h"
#include "report/live_feed.h"

namespace agro {
namespace {

using httplib::Request;
using httplib::Response;
using Clock = std::chrono::steady_clock;

constexpr int kMaxListeners = 16;
constexpr size_t kThreads = kMaxListeners + 8;  // a listener keeps a thread; the others answer requests
constexpr int kSearchEvery = 10;                // looks at the files between searches for new runs
constexpr auto kKeepAlive = std::chrono::seconds(15);

// The page is one file with everything in it: nothing may be loaded from elsewhere.
constexpr const char* kContentPolicy =
    "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; img-src 'self' data: blob:; "
    "font-src data:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

bool is_loopback(const std::string& host) { return host == "localhost" || host == "::1" || host.starts_with("127."); }

std::string in_url(const std::string& host) { return host.find(':') == std::string::npos ? host : "[" + host + "]"; }

/// "name:port" without the port.
std::string_view name_in(std::string_view host_header) {
  if (host_header.starts_with('[')) return host_header.substr(0, host_header.find(']') + 1);
  return host_header.substr(0, host_header.find(':'));
}

void answer_error(Response& response, int status, const std::string& message) {
  response.status = status;
  response.set_content(to_line(OrderedJson{{"error", message}}), "application/json; charset=utf-8");
}

/// A text whose length is known is sent as it is; the library would compress any other, slowly.
void answer(Response& response, std::shared_ptr<const std::string> text, const char* type) {
  const size_t size = text->size();
  response.set_content_provider(size, type,
                                [text = std::move(text)](size_t at, size_t length, httplib::DataSink& sink) {
                                  return sink.write(text->data() + at, length);
                                });
}

int64_t whole_number(const Request& request, const char* name) {
  const std::string text = request.get_param_value(name);
  int64_t value = -1;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || value < 0)
    throw fail("expected {} as a whole number: /completions?run=0&step=1", name);
  return value;
}

}  // namespace

class LiveServer::Impl {
 public:
  Impl(std::vector<Path> folders, const LiveOptions& options)
      : options_(options),
        feed_(std::move(folders)),
        page_(std::make_shared<const std::string>(
            report_page({{"version", 1}, {"live", true}, {"runs", OrderedJson::array()}}))) {
    guard();
    route();
    bind();
    serving_ = std::thread([this] { server_.listen_after_bind(); });
    while (!server_.is_running()) std::this_thread::sleep_for(std::chrono::milliseconds(1));  // stop() needs it
    polling_ = std::thread([this] { poll(); });
  }
  Impl(const Impl&) = delete;

  ~Impl() {
    feed_.close();
    server_.stop();
    polling_.join();
    serving_.join();
  }

  int port() const { return port_; }
  std::string url() const { return fmt::format("http://{}:{}/", in_url(options_.host), port_); }

 private:
  /// What holds for every request.
  void guard() {
    server_.set_default_headers({{"Content-Security-Policy", kContentPolicy},
                                 {"X-Content-Type-Options", "nosniff"},
                                 {"Cross-Origin-Resource-Policy", "same-origin"},
                                 {"Referrer-Policy", "no-referrer"},
                                 {"Cache-Control", "no-store"}});
    server_.set_pre_routing_handler([this](const Request& request, Response& response) {
      using Handled = httplib::Server::HandlerResponse;
      if (request.method != "GET" && request.method != "HEAD") {
        response.set_header("Allow", "GET, HEAD");
        answer_error(response, 405, "only GET and HEAD: this server changes nothing");
        return Handled::Handled;
      }
      const std::string_view name = name_in(request.get_header_value("Host"));
      const bool named = name == "localhost" || name == "127.0.0.1" || name == "[::1]" || name == in_url(options_.host);
      if (is_loopback(options_.host) && !named) {
        answer_error(response, 403, "this server answers only to the name of its own machine: open " + url());
        return Handled::Handled;
      }
      return Handled::Unhandled;
    });
    server_.set_error_handler([](const Request& request, Response& response) {
      if (response.body.empty()) answer_error(response, response.status, "there is nothing at " + request.path);
    });
    server_.set_exception_handler([](const Request&, Response& response, std::exception_ptr thrown) {
      try {
        std::rethrow_exception(thrown);
      } catch (const Error& error) {
        answer_error(response, 400, error.what());
      } catch (const std::exception& error) {
        answer_error(response, 500, error.what());
      }
    });
  }

  void route() {
    server_.Get("/",
                [this](const Request&, Response& response) { answer(response, page_, "text/html; charset=utf-8"); });
    server_.Get("/data.json", [this](const Request&, Response& response) {
      answer(response, feed_.data(), "application/json; charset=utf-8");
    });
    server_.Get("/completions", [this](const Request& request, Response& response) {
      const auto run = static_cast<size_t>(whole_number(request, "run"));
      const OrderedJson groups = feed_.completions(run, whole_number(request, "step"));
      answer(response, std::make_shared<const std::string>(to_line(groups)), "application/json; charset=utf-8");
    });
    server_.Get("/events", [this](const Request& request, Response& response) { listen(request, response); });
  }

  void listen(const Request& request, Response& response) {
    if (++listeners_ > kMaxListeners) {
      --listeners_;
      return answer_error(response, 503, fmt::format("{} pages are open already", kMaxListeners));
    }
    struct Listener {
      std::atomic<int>& count;
      LiveFeed::Position position;
      Clock::time_point written = Clock::time_point::min();
      ~Listener() { --count; }
    };
    const std::string cursor = request.has_header("Last-Event-ID") ? request.get_header_value("Last-Event-ID")
                                                                   : request.get_param_value("since");
    const auto listener = std::shared_ptr<Listener>(new Listener{listeners_, feed_.position_of(cursor)});
    response.set_chunked_content_provider("text/event-stream", [this, listener](size_t, httplib::DataSink& sink) {
      if (feed_.wait_closed()) {
        sink.done();
        return true;
      }
      if (!sink.is_writable()) return false;  // the client has gone
      const bool first = listener->written == Clock::time_point::min();
      std::string text = first ? "retry: 2000\n\n" : feed_.wait(listener->position, std::chrono::seconds(1));
      if (text.empty() && Clock::now() - listener->written >= kKeepAlive) text = ":\n\n";
      if (text.empty()) return true;
      listener->written = Clock::now();
      return sink.write(text.data(), text.size());
    });
  }

  void bind() {
    server_.new_task_queue = [] { return new httplib::ThreadPool(kThreads); };
    server_.set_keep_alive_timeout(1);  // an idle connection keeps a thread, and the program from ending
    server_.set_tcp_nodelay(true);
    // Not the library's own choice, which would let two servers share one port.
    server_.set_socket_options([](int socket) {
      const int yes = 1;
      ::setsockopt(socket, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    });
    errno = 0;
    port_ = options_.port;
    const bool bound = options_.port == 0 ? (port_ = server_.bind_to_any_port(options_.host)) > 0
                                          : server_.bind_to_port(options_.host, options_.port);
    if (bound) return;
    if (errno == EADDRINUSE)
      throw fail("port {} is taken by another program", options_.port)
          .at(options_.host)
          .hint("--port 0 takes any free port, --port NUMBER another one");
    throw fail("cannot listen on port {}: {}", options_.port, errno == 0 ? "no such address" : std::strerror(errno))
        .at(options_.host)
        .hint("--host takes an address of this machine; ports below 1024 need special rights");
  }

  void poll() {
    for (int looks = 1; !feed_.wait_closed(options_.interval); ++looks) feed_.poll(looks % kSearchEvery == 0);
  }

  const LiveOptions options_;
  LiveFeed feed_;
  const std::shared_ptr<const std::string> page_;
  httplib::Server server_;
  int port_ = 0;
  std::atomic<int> listeners_ = 0;
  std::thread serving_, polling_;
};

LiveServer::LiveServer(std::vector<Path> folders, const LiveOptions& options)
    : impl_(std::make_unique<Impl>(std::move(folders), options)) {}
LiveServer::~LiveServer() = default;
int LiveServer::port() const { return impl_->port(); }
std::string LiveServer::url() const { return impl_->url(); }

}  // namespace agro
