#pragma once
// The report page in a browser, with a script that looks at it from inside.
#include "support.h"

namespace agro {

inline constexpr const char* kNoBrowser = "SKIPPED: the report page is not tried: Chromium is not installed";

/// Chromium's window is never narrower than 500 units: the page stands in a frame of the width wanted.
inline constexpr const char* kFrame = R"(<!DOCTYPE html><meta name="color-scheme" content="light dark">
<script>addEventListener("message", event => {{
  const node = document.createElement("pre");
  node.id = "probe";
  node.textContent = btoa(unescape(encodeURIComponent(JSON.stringify(event.data))));
  document.body.append(node);
}});</script>
<body><iframe src="probed.html" width="{}" height="900" style="border: 0"></iframe></body>)";

inline constexpr const char* kErrorCatcher = R"(<script>
window.pageErrors = [];
window.alert = () => { window.alerted = (window.alerted ?? 0) + 1; };
for (const kind of ["error", "warn"]) console[kind] = (...words) => window.pageErrors.push(words.join(" "));
addEventListener("error", event => window.pageErrors.push(String(event.message)));
addEventListener("unhandledrejection", event => window.pageErrors.push(String(event.reason)));
addEventListener("securitypolicyviolation", event => window.pageErrors.push("refused: " + event.blockedURI));
</script>)";

inline std::string decoded_base64(std::string_view text) {
  constexpr std::string_view kDigits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string bytes;
  uint32_t bits = 0;
  int count = 0;
  for (const char c : text) {
    const size_t digit = kDigits.find(c);
    if (digit == std::string_view::npos) break;
    bits = bits << 6 | static_cast<uint32_t>(digit);
    if ((count += 6) >= 8) bytes += static_cast<char>(bits >> (count -= 8) & 0xff);
  }
  return bytes;
}

inline Path browser_program() {
  for (const char* path : {"/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"})
    if (std::filesystem::exists(path)) return path;
  return {};
}

/// What `script` leaves in the object `found`, in a window of this size. It runs in the page after the page's own
/// scripts and defines `async function probe()`; found.errors are the page's errors and its own.
inline Json probed_page(const Path& folder, std::string page, const std::string& script, int width, bool dark) {
  page.insert(page.find("<style>"), kErrorCatcher);
  page.insert(
      page.rfind("</body>"),
      "<script>const found = {errors: window.pageErrors};\n" + script +
          "probe().catch(error => found.errors.push(String(error))).then(() => parent.postMessage(found, \"*\"));"
          "</script>");
  const Path frame = folder / "frame.html", profile = folder / "profile", out = folder / "dom";
  write_atomically(folder / "probed.html", page);
  write_atomically(frame, fmt::format(kFrame, width));
  std::filesystem::remove_all(profile);
  const std::string command = fmt::format(
      "timeout 120 '{}' --headless --no-sandbox --disable-gpu --disable-quic --no-first-run "
      "--disable-background-networking --disable-component-update --disable-sync --hide-scrollbars "
      "--user-data-dir='{}' --window-size=1400,1000 {} --virtual-time-budget=6000 --dump-dom 'file://{}' >'{}' "
      "2>'{}'",
      browser_program().string(), profile.string(), dark ? "--blink-settings=preferredColorScheme=0" : "",
      frame.string(), out.string(), (folder / "browser.log").string());
  EXPECT_EQ(std::system(command.c_str()), 0) << read_file(folder / "browser.log");
  const std::string dom = read_file(out), mark = "<pre id=\"probe\">";
  const size_t begin = dom.rfind(mark);
  if (begin == std::string::npos) throw fail("the probe did not end:\n{}", read_file(folder / "browser.log"));
  return Json::parse(decoded_base64(std::string_view(dom).substr(begin + mark.size())));
}

}  // namespace agro
