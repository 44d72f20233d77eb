#include "report/html_report.h"

#include <gtest/gtest.h>

#include "core/error.h"
#include "report/embedded.h"
#include "report/test_support.h"

namespace agro {
namespace {

const std::string kOpening = R"(<script id="agro-data" type="application/json">)";

size_t count(std::string_view text, std::string_view what) {
  size_t found = 0;
  for (size_t i = text.find(what); i != std::string_view::npos; i = text.find(what, i + 1)) ++found;
  return found;
}

/// The text of the data element, as a browser finds its end.
std::string data_text(const std::string& page) {
  const size_t begin = page.find(kOpening) + kOpening.size();
  return page.substr(begin, page.find("</script", begin) - begin);
}

OrderedJson data_with(const std::string& response) {
  OrderedJson run = {{"name", "a"}, {"completions", {{"1", {{{"completions", {{{"text", response}}}}}}}}}};
  return {{"version", 1}, {"live", false}, {"runs", OrderedJson::array({run})}};
}

TEST(HtmlReport, HoldsItsDataUnchanged) {
  const OrderedJson data = data_with("two\nlines, \"quotes\", \\ and ünïcode \xE2\x80\xA8 {{style.css}} $x<y$");
  EXPECT_EQ(OrderedJson::parse(data_text(report_page(data))), data);
}

TEST(HtmlReport, NoResponseEndsItsElement) {
  const std::string plain = report_page(data_with("harmless"));
  for (const std::string attack : {"</script><script>alert(1)</script>", "<!--", "<!--<script>", "]]>", "</SCRIPT >"}) {
    const OrderedJson data = data_with(attack);
    const std::string page = report_page(data);
    EXPECT_EQ(data_text(page).find('<'), std::string::npos) << attack;
    EXPECT_EQ(OrderedJson::parse(data_text(page)), data) << attack;
    for (const char* tag : {"<script", "</script", "<!--"}) EXPECT_EQ(count(page, tag), count(plain, tag)) << attack;
  }
}

TEST(HtmlReport, InvalidUtf8IsReplaced) {
  const std::string page = report_page(data_with("bad \xff byte"));
  EXPECT_NE(data_text(page).find("bad \xEF\xBF\xBD byte"), std::string::npos);
}

TEST(HtmlReport, EqualDataGiveEqualPages) { EXPECT_EQ(report_page(data_with("a")), report_page(data_with("a"))); }

TEST(HtmlReport, EveryFileHasFoundItsPlace) {
  std::string page = report_page(data_with("a"));
  for (const char* name : {"style.css", "data.js", "figures.js", "charts.js", "tooltip.js", "tables.js", "math.js",
                           "browser.js", "live.js", "main.js", "chart.js", "katex.js"}) {
    ASSERT_FALSE(embedded_file(name).empty()) << name;
    EXPECT_EQ(count(page, embedded_file(name)), 1u) << name;
  }
  EXPECT_EQ(count(page, "</script>"), count(page, "<script>") + 1) << "a library ends its element early";
}

TEST(HtmlReport, FontsAreInThePage) {
  const std::string page = report_page(data_with("a"));
  EXPECT_EQ(page.find("url(fonts/"), std::string::npos);
  // "wOF2", the beginning of every woff2 file, in base64.
  EXPECT_GE(count(page, "src:url(data:font/woff2;base64,d09GMg"), 20u);
}

TEST(HtmlReport, IsSmallWithoutData) { EXPECT_LT(report_page(data_with("a")).size(), 1'500'000u); }

TEST(HtmlReport, AnUnknownFileIsEmpty) { EXPECT_EQ(embedded_file("no such file"), ""); }

}  // namespace
}  // namespace agro
