#include "report/live_server.h"

#include <gmock/gmock.h>
#include <httplib.h>

#include <fstream>
#include <thread>

#include "core/json.h"
#include "report/test_support.h"

namespace agro {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

constexpr auto kPatience = std::chrono::seconds(60);  // only a failure waits that long

void append(const Path& path, std::string_view text) {
  std::filesystem::create_directories(path.parent_path());
  std::ofstream(path, std::ios::binary | std::ios::app) << text;
}

class LiveServerTest : public testing::Test {
 protected:
  void SetUp() override {
    root_ = test_folder();
    append(root_ / "run/metrics.jsonl", "{\"step\":1,\"loss\":2.5}\n");
    append(root_ / "run/completions/step-1.jsonl", "{\"id\":\"a\",\"completions\":[{\"text\":\"<b>\",\"ids\":[1]}]}\n");
    server_ = std::make_unique<LiveServer>(
        std::vector<Path>{root_},
        LiveOptions{.host = "127.0.0.1", .port = 0, .interval = std::chrono::milliseconds(5)});
  }

  httplib::Client client() const {
    httplib::Client client("127.0.0.1", server_->port());
    client.set_read_timeout(kPatience);
    return client;
  }
  httplib::Result get(const std::string& path, const httplib::Headers& headers = {}) const {
    return client().Get(path, headers);
  }
  Json data() const { return Json::parse(get("/data.json")->body); }

  /// Listens to events until `until` is among them, having called `started` with the first bytes.
  std::string events(const std::string& path, const std::string& until, const std::function<void()>& started,
                     const httplib::Headers& headers = {}) const {
    std::string heard;
    client().Get(path, headers, [&](const char* bytes, size_t size) {
      if (heard.empty()) started();
      heard.append(bytes, size);
      return heard.find(until) == std::string::npos;
    });
    return heard;
  }
  std::string since(const Json& data) const { return "/events?since=" + data["cursor"].get<std::string>(); }

  Path root_;
  std::unique_ptr<LiveServer> server_;
};

TEST_F(LiveServerTest, ServesThePageAndItsData) {
  EXPECT_EQ(server_->url(), fmt::format("http://127.0.0.1:{}/", server_->port()));
  const auto page = get("/");
  ASSERT_TRUE(page);
  EXPECT_EQ(page->status, 200);
  EXPECT_EQ(page->get_header_value("Content-Type"), "text/html; charset=utf-8");
  EXPECT_THAT(page->body, AllOf(HasSubstr("id=\"agro-data\""), HasSubstr("\"live\":true")));
  const Json content = data();
  EXPECT_EQ(content["live"], true);
  EXPECT_EQ(content["runs"][0]["name"], "run");
  EXPECT_EQ(content["runs"][0]["metrics"]["loss"][0], 2.5);
  const auto groups = get("/completions?run=0&step=1");
  EXPECT_EQ(Json::parse(groups->body), Json::parse(R"([{"id":"a","completions":[{"text":"<b>"}]}])"));
  EXPECT_EQ(client().Head("/data.json")->status, 200);
}

TEST_F(LiveServerTest, EveryAnswerIsGuarded) {
  for (const char* path : {"/", "/data.json", "/completions?run=9", "/absent"}) {
    const auto answer = get(path, {{"Accept-Encoding", "br, gzip, deflate"}});
    ASSERT_TRUE(answer) << path;
    EXPECT_THAT(answer->get_header_value("Content-Security-Policy"), StartsWith("default-src 'none'")) << path;
    EXPECT_EQ(answer->get_header_value("X-Content-Type-Options"), "nosniff") << path;
    EXPECT_EQ(answer->get_header_value("Content-Encoding"), "") << path;
    EXPECT_FALSE(answer->has_header("Access-Control-Allow-Origin")) << path;
  }
}

TEST_F(LiveServerTest, OnlyReads) {
  for (const char* method : {"POST", "PUT", "DELETE", "OPTIONS", "PATCH"}) {
    httplib::Request request;
    request.method = method;
    request.path = "/data.json";
    const auto answer = client().send(request);
    ASSERT_TRUE(answer) << method;
    EXPECT_EQ(answer->status, 405) << method;
    EXPECT_EQ(answer->get_header_value("Allow"), "GET, HEAD") << method;
  }
  EXPECT_EQ(get("/metrics.jsonl")->status, 404);
  EXPECT_EQ(get("/../run/metrics.jsonl")->status, 404);
}

TEST_F(LiveServerTest, AForeignNameIsRefused) {
  for (const char* host : {"evil.example", "evil.example:80", "127.0.0.1.evil.example", "localhost.evil.example", ""})
    EXPECT_EQ(get("/data.json", {{"Host", host}})->status, 403) << host;
  for (const char* host : {"localhost", "localhost:1234", "[::1]:80", "127.0.0.1"})
    EXPECT_EQ(get("/data.json", {{"Host", host}})->status, 200) << host;
}

TEST_F(LiveServerTest, BadArgumentsAreNamed) {
  for (const char* query :
       {"", "?run=0", "?step=1", "?run=x&step=1", "?run=0&step=-1", "?run=0&step=1x",
        "?run=0&step=99999999999999999999", "?run=7&step=1", "?run=0&step=2", "?run=-1&step=1", "?run=0&step=..%2F1"}) {
    const auto answer = get(std::string("/completions") + query);
    ASSERT_TRUE(answer) << query;
    EXPECT_EQ(answer->status, 400) << query;
    EXPECT_TRUE(Json::parse(answer->body)["error"].is_string()) << query;
  }
}

TEST_F(LiveServerTest, ARowThatIsAppendedArrives) {
  const std::string heard = events(since(data()), "event: rows", [&] {
    append(root_ / "run/metrics.jsonl", "{\"step\":2,\"loss\":1.25,\"kl\":null}\n");
  });
  ASSERT_THAT(heard, HasSubstr("event: rows"));
  EXPECT_THAT(heard,
              HasSubstr(R"(data: {"run":0,"state":"stopped","metrics":[{"step":2,"loss":1.25}],"evaluations":[],)"
                        R"("timings":[],"completion_steps":[1]})"));
  EXPECT_THAT(heard, Not(HasSubstr("event: reload")));
}

TEST_F(LiveServerTest, NothingIsLostBetweenDataAndEvents) {
  const Json before = data();
  append(root_ / "run/metrics.jsonl", "{\"step\":2,\"loss\":1.0}\n");
  while (data()["cursor"] == before["cursor"]) std::this_thread::sleep_for(std::chrono::milliseconds(5));
  EXPECT_THAT(events(since(before), "event: rows", [] {}), HasSubstr(R"("metrics":[{"step":2,"loss":1.0}])"));
  // The browser's own reconnection wins over the address.
  EXPECT_THAT(events("/events?since=unknown", "event: rows", [] {}, {{"Last-Event-ID", before["cursor"]}}),
              HasSubstr(R"("metrics":[{"step":2,"loss":1.0}])"));
}

TEST_F(LiveServerTest, WhoIsBehindLoadsAgain) {
  for (const char* cursor : {"", "?since=1-1", "?since=garbage"})
    EXPECT_THAT(events(std::string("/events") + cursor, "event:", [] {}), HasSubstr("event: reload")) << cursor;
  const Json before = data();
  write_atomically(root_ / "run/metrics.jsonl", "{\"step\":1,\"loss\":7.0}\n");  // as a resume does
  EXPECT_THAT(events(since(before), "event:", [] {}), HasSubstr("event: reload"));
  EXPECT_EQ(data()["runs"][0]["metrics"]["loss"][0], 7.0);
}

TEST_F(LiveServerTest, ANewRunIsFound) {
  const std::string heard =
      events(since(data()), "event:", [&] { append(root_ / "second/metrics.jsonl", "{\"step\":1,\"loss\":3.5}\n"); });
  EXPECT_THAT(heard, HasSubstr("event: reload"));
  EXPECT_EQ(data()["runs"][1]["metrics"]["loss"][0], 3.5);
}

TEST_F(LiveServerTest, ListenersAreLimitedAndTheirPlacesFreed) {
  std::atomic<bool> leave = false;
  std::atomic<int> listening = 0;
  std::vector<std::thread> listeners;
  for (int i = 0; i < 16; ++i)
    listeners.emplace_back([&] {
      bool counted = false;
      client().Get("/events", [&](const char*, size_t) {
        if (!counted) ++listening, counted = true;
        while (!leave) std::this_thread::sleep_for(std::chrono::milliseconds(5));
        return false;
      });
    });
  const auto end = std::chrono::steady_clock::now() + kPatience;
  while (listening < 16 && std::chrono::steady_clock::now() < end)
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  EXPECT_EQ(get("/events")->status, 503);
  EXPECT_EQ(get("/data.json")->status, 200);
  leave = true;
  for (std::thread& listener : listeners) listener.join();
  std::string heard;
  while (heard.find("event: reload") == std::string::npos && std::chrono::steady_clock::now() < end)
    heard = events("/events", "event: reload", [] {});
  EXPECT_THAT(heard, HasSubstr("event: reload"));
}

TEST_F(LiveServerTest, EndsWithListenersConnected) {
  const std::string heard = events("/events", "never", [&] { server_.reset(); });
  EXPECT_THAT(heard, StartsWith("retry:"));
}

TEST_F(LiveServerTest, APortThatIsTakenIsSaid) {
  EXPECT_THAT(error_of([&] { LiveServer({root_}, {.port = server_->port()}); }),
              AllOf(HasSubstr(fmt::format("127.0.0.1: port {} is taken", server_->port())), HasSubstr("--port 0")));
  EXPECT_THAT(error_of([&] { LiveServer({root_}, {.host = "192.0.2.1", .port = 0}); }),
              HasSubstr("192.0.2.1: cannot listen"));
}

TEST_F(LiveServerTest, NeedsARun) {
  std::filesystem::create_directories(root_ / "empty");
  EXPECT_THAT(error_of([&] { LiveServer({root_ / "empty"}, {.port = 0}); }), HasSubstr("is not a run directory"));
  append(root_ / "damaged/metrics.jsonl", "{\n");
  EXPECT_THAT(error_of([&] { LiveServer({root_ / "damaged"}, {.port = 0}); }), HasSubstr("is not valid JSON"));
}

}  // namespace
}  // namespace agro
