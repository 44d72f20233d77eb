#include "report/svg_plot.h"

#include <cmath>
#include <cstdlib>

#include "report/svg_export.h"
#include "report/test_support.h"

namespace agro {
namespace {

/// Whether an XML parser that is not ours accepts every file of the folder.
bool well_formed(const Path& folder) {
  const std::string program =
      "import glob, sys, xml.dom.minidom as m; [m.parse(f) for f in glob.glob(sys.argv[1] + '/*.svg')]";
  return std::system(fmt::format("python3 -c \"{}\" '{}'", program, folder.string()).c_str()) == 0;
}

bool well_formed_text(const std::string& svg) {
  const Path folder = test_folder();
  write_atomically(folder / "plot.svg", svg);
  return well_formed(folder);
}

SvgSeries line_named(const std::string& name) {
  return {.name = name, .x = {0, 1, 2}, .y = {1, 2, 4}, .low = {}, .high = {}};
}

size_t count(const std::string& text, const std::string& what) {
  size_t found = 0;
  for (size_t i = text.find(what); i != std::string::npos; i = text.find(what, i + 1)) ++found;
  return found;
}

TEST(SvgPlot, TextsAreEscaped) {
  const std::string svg = svg_text({.title = "a < b & \"c\" \x01",
                                    .x_label = "</text><script>",
                                    .y_label = "y",
                                    .series = {line_named("<1>"), line_named("naïve β")}});
  EXPECT_NE(svg.find("a &lt; b &amp; &quot;c&quot;  <"), std::string::npos) << svg;
  EXPECT_EQ(svg.find("<script"), std::string::npos);
  EXPECT_NE(svg.find(">&lt;1&gt;</text>"), std::string::npos);
  EXPECT_TRUE(well_formed_text(svg));
}

TEST(SvgPlot, PointsLieWhereTheScaleSays) {
  const std::string svg = svg_text({.title = "", .x_label = "", .y_label = "", .series = {line_named("one")}});
  // A single series has no legend: x runs from 84 to 696, the middle point halves it; y has 5 % of room on each side.
  EXPECT_NE(svg.find("M84.00 347.55L390.00 251.18L696.00 58.45"), std::string::npos) << svg;
}

TEST(SvgPlot, LogScalesPutDecadesAtEqualDistances) {
  SvgSeries s = {.name = "s", .x = {0.01, 0.1, 1, 10, 0, -1}, .y = {1, 1, 1, 1, 1, 1}, .low = {}, .high = {}};
  const std::string svg = svg_text({.title = "", .x_label = "", .y_label = "", .series = {s}, .log_x = true});
  EXPECT_NE(svg.find("M84.00 203.00L288.00 203.00L492.00 203.00L696.00 203.00\""), std::string::npos) << svg;
  for (const char* tick : {">0.01<", ">0.1<", ">1<", ">10<"}) EXPECT_NE(svg.find(tick), std::string::npos) << tick;
}

TEST(SvgPlot, AGapInterruptsLineAndBand) {
  SvgSeries s = line_named("gap");
  s.x.insert(s.x.end(), {3, 4});
  s.y = {1, 2, std::nan(""), 4, 5};
  s.low = {0, 1, 0, 3, 4};
  s.high = {2, 3, 9, 5, INFINITY};
  const std::string svg = svg_text({.title = "", .x_label = "", .y_label = "", .series = {s}});
  const size_t line = svg.find("stroke-width=\"1.8\"");
  ASSERT_NE(line, std::string::npos);
  const std::string path = svg.substr(svg.rfind("<path", line), line - svg.rfind("<path", line));
  EXPECT_EQ(count(path, "M"), 2u) << path;
  EXPECT_EQ(count(svg, "fill-opacity"), 1u) << "the band has no gap before its infinite end";
  EXPECT_EQ(svg.find("nan"), std::string::npos);
  EXPECT_EQ(svg.find("inf"), std::string::npos);
}

TEST(SvgPlot, OddPlotsAreDrawnToo) {
  for (const std::vector<double>& y : {std::vector<double>{}, {5}, {0, 0}, {1e300, 1e-300}, {NAN, NAN}, {-3, -3}}) {
    SvgSeries s = {.name = "s", .x = {}, .y = y, .low = {}, .high = {}};
    for (size_t i = 0; i < y.size(); ++i) s.x.push_back(static_cast<double>(i));
    for (const bool log : {false, true}) {
      const std::string svg = svg_text({.title = "t", .x_label = "x", .y_label = "y", .series = {s, s}, .log_y = log});
      EXPECT_LT(svg.size(), 20'000u);
      EXPECT_TRUE(well_formed_text(svg));
    }
  }
}

TEST(SvgPlot, TinyNumbersOnALogarithmicAxisAreNotZero) {
  const SvgSeries s = {.name = "s", .x = {0, 1, 2}, .y = {1, 1e-8, 1e-16}, .low = {}, .high = {}};
  const std::string svg = svg_text({.title = "", .x_label = "", .y_label = "", .series = {s}, .log_y = true});
  EXPECT_EQ(count(svg, ">1e-15<"), 1u);
  const SvgSeries around = {.name = "s", .x = {0, 1}, .y = {-1, 1}, .low = {}, .high = {}};
  const std::string linear = svg_text({.title = "", .x_label = "", .y_label = "", .series = {around}});
  EXPECT_EQ(count(linear, ">0<"), 2u);  // one on each axis
  EXPECT_EQ(count(linear, ">-0<"), 0u);
}

TEST(SvgPlot, AColorMayBeChosen) {
  SvgSeries s = line_named("s");
  s.color = 2;
  EXPECT_EQ(count(svg_text({.title = "", .x_label = "", .y_label = "", .series = {s}}), "#009e73"), 1u);
}

TEST(SvgPlot, UnequalLengthsAreRefused) {
  SvgSeries s = line_named("short");
  s.y.pop_back();
  EXPECT_NE(error_of([&] { svg_text({.title = "", .x_label = "", .y_label = "", .series = {s}}); }).find("'short'"),
            std::string::npos);
  s = line_named("half a band");
  s.low = {1, 2, 3};
  EXPECT_NE(
      error_of([&] { svg_text({.title = "", .x_label = "", .y_label = "", .series = {s}}); }).find("3 low and 0 high"),
      std::string::npos);
}

RunData seeded(int seed, double rise) {
  RunData run;
  run.name = fmt::format("fresh-{}", seed);
  run.config = {{"run.seed", seed}, {"run.output", run.name}, {"objective.beta", 0.1}};
  for (int step = 1; step <= 3 + seed; ++step) run.metrics.append(step, {{"reward_mean", rise * step}});
  run.evaluations.append(0, {{"greedy_accuracy", 0.5}, {"greedy_error", 0.01}});
  return run;
}

TEST(SvgExport, SmoothingIsAnAverageOverThePastStartingUnbiased) {
  EXPECT_EQ(smoothed({1, 1, 1}, 0.9), (std::vector<double>{1, 1, 1}));
  const std::vector<double> values = smoothed({0, 3, 3}, 0.5);
  EXPECT_DOUBLE_EQ(values[1], 2);
  EXPECT_DOUBLE_EQ(values[2], 18.0 / 7);
  EXPECT_EQ(smoothed({4, -2}, 0), (std::vector<double>{4, -2}));
}

TEST(SvgExport, SeedsAreJoined) {
  std::vector<RunData> runs = {seeded(0, 1), seeded(1, 3), seeded(2, 2)};
  runs[2].config["objective.beta"] = 0.2;
  EXPECT_EQ(seed_groups(runs), (std::vector<std::vector<size_t>>{{0, 1}, {2}}));
  const Path folder = test_folder();
  export_svg(runs, folder, 0.5);
  const std::string svg = read_file(folder / "reward.svg");
  EXPECT_NE(svg.find(">fresh</text>"), std::string::npos);
  EXPECT_NE(svg.find(">fresh-2</text>"), std::string::npos);
  EXPECT_EQ(count(svg, "fill-opacity"), 1u) << "a band for the two seeds only";
  EXPECT_EQ(count(read_file(folder / "greedy-accuracy.svg"), "fill-opacity"), 2u);
  EXPECT_FALSE(std::filesystem::exists(folder / "loss.svg"));
  EXPECT_TRUE(well_formed(folder));
  const Path again = folder / "again";
  export_svg(runs, again, 0.5);
  EXPECT_EQ(read_file(again / "reward.svg"), svg);
}

}  // namespace
}  // namespace agro
