// Mathematics on the report page: what becomes a formula in prompts, responses and answers, and what stays text.
#include <optional>

#include "browser.h"

namespace agro {
namespace {

/// See probed_page; `texts` are shown as prompts and responses are, and as answers.
constexpr const char* kProbe = R"JS(
/** What a node shows, each formula as what KaTeX was given: "half of <x>", <<x>> where it is displayed. */
const shownAs = node => {
  for (const formula of node.querySelectorAll(".formula")) {
    const source = formula.querySelector(".katex-error, .base [style*=color]") ? "error" : formula.querySelector("annotation").textContent;
    formula.replaceWith(formula.querySelector(".katex-display") ? `<<${source}>>` : `<${source}>`);
  }
  return node.textContent;
};
async function probe() {
  const words = document.body.appendChild(richText("$$\\begin{cases}1&\\text{if it is odd}\\\\2&\\text{otherwise}\\end{cases}$$"));
  found.lines = [...words.querySelectorAll(".katex .text")].map(node => node.getClientRects().length);
  words.remove();
  found.texts = texts.map(text => shownAs(richText(text)));
  found.answers = texts.map(text => shownAs(answerNode(text)));
}
)JS";

class ReportMath : public ProgramTest {
 protected:
  void SetUp() override {
    ProgramTest::SetUp();
    if (browser_program().empty()) GTEST_SKIP() << kNoBrowser;
    std::filesystem::create_directories(folder_ / "run");
    write_atomically(folder_ / "run/metrics.jsonl", "{\"step\":1,\"loss\":2}\n");
    const Finished finished = run({"report", folder_ / "run", "-o", folder_ / "report.html"});
    ASSERT_EQ(finished.code, 0) << finished.err;
  }
};

TEST_F(ReportMath, IsSetAsItIsWritten) {
  struct Case {
    std::string text, shown;
    std::optional<std::string> as_answer = {};  // where an answer is shown otherwise
  };
  const std::vector<Case> cases = {
      {R"(costs \$5, or $\$6$ at 20\% more)", R"(costs $5, or <\$6> at 20% more)"},
      {"worth $5 or $6, so \\boxed{$6}", "worth $5 or $6, so <\\boxed{\\$6}>"},
      {R"(\boxed{$\frac12$})", R"(<\boxed{\frac12}>)"},
      {"inside \\boxed{}.", "inside \\boxed{}."},
      {"so $x +\n1$, \\(y\\) and \\[z\\]", "so <x +\n1>, <y> and <<z>>"},
      {"\\[x\\] \n y\n$$z$$\n\n", "<<x>> y\n<<z>>\n"},
      {"no $x\n\n1$ and $ y$", "no $x\n\n1$ and $ y$"},
      {R"(so \begin{align*}a&=b\\c&=d\end{align*} holds)", R"(so <<\begin{align*}a&=b\\c&=d\end{align*}>>holds)"},
      {R"(\begin{equation}a\end{equation})", R"(<<\begin{equation*}a\end{equation*}>>)"},
      {R"($\begin{gather}a\end{gather}$)", R"(<<\begin{gather*}a\end{gather*}>>)"},
      {R"(\begin{eqnarray}a&=&b\end{eqnarray})", R"(<<\begin{array}{rcl}a&=&b\end{array}>>)"},
      {R"(\begin{multline*}a\\b\end{multline*})", R"(<<\begin{gathered}a\\b\end{gathered}>>)"},
      {R"(f: \begin{cases}1&\text{if $x>0$}\\2\end{cases}.)",
       R"(f: <<\begin{cases}1&\text{if $x>0$}\\2\end{cases}>>.)"},
      {R"($\begin{cases}1&\text{if $x>0$}\\2\end{cases}$.)", R"(<\begin{cases}1&\text{if $x>0$}\\2\end{cases}>.)"},
      {R"(\begin{array}{c}\begin{array}{c}1\end{array}\end{array})",
       R"(<<\begin{array}{c}\begin{array}{c}1\end{array}\end{array}>>)",
       R"(<\begin{array}{c}\begin{array}{c}1\end{array}\end{array}>)"},
      {R"(\begin{tabular}{|l|c|}\hline Day & $x$\\ \hline\end{tabular})",
       R"(<<\begin{array}{|l|c|}\hline \text{Day} & \text{$x$} \\ \hline\end{array}>>)"},
      {R"(\begin{align*}a and \begin{itemize}\end{itemize})", R"(\begin{align*}a and \begin{itemize}\end{itemize})"},
      {R"(\frac{1}{2})", R"(\frac{1}{2})", R"(<\frac{1}{2}>)"},
      {R"(\$32,\!348)", R"($32,\!348)", R"(<\$32,\!348>)"},
      {R"(\text{Evelyn and Tom})", R"(\text{Evelyn and Tom})", R"(<\text{Evelyn and Tom}>)"},
      {R"(\begin{pmatrix}1\\2\end{pmatrix})", R"(<<\begin{pmatrix}1\\2\end{pmatrix}>>)",
       R"(<\begin{pmatrix}1\\2\end{pmatrix}>)"},
      {"2^5", "2^5", "<2^5>"},
      {"101_2", "101_2", "<101_2>"},
      {R"(about $\frac12$)", R"(about <\frac12>)"},
      {"10\\%", "10%"},
      {"\\$5", "$5"},
      {"file_name", "file_name"},
      {R"(the answer is \frac12)", R"(the answer is \frac12)"},
      {R"(\frac{1)", R"(\frac{1)"},
      {"\\", "\\"},
      {R"($\nothing$)", "<error>"},
  };
  Json texts = Json::array();
  for (const Case& each : cases) texts.push_back(each.text);
  const Json found = probed_page(folder_, read_file(folder_ / "report.html"),
                                 fmt::format("const texts = {};\n{}", texts.dump(), kProbe), 1280, false);
  EXPECT_EQ(found["errors"], Json::array());
  EXPECT_EQ(found["lines"], Json({1, 1})) << "words in a formula are broken over lines";
  for (size_t i = 0; i < cases.size(); ++i) {
    EXPECT_EQ(found["texts"].at(i), cases[i].shown);
    EXPECT_EQ(found["answers"].at(i), cases[i].as_answer.value_or(cases[i].shown)) << "as an answer";
  }
}

}  // namespace
}  // namespace agro
