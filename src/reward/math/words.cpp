#include "reward/math/words.h"

#include <unordered_map>

namespace agro {
namespace {

using Table = std::unordered_map<std::string_view, Word>;
using enum TokenType;

/// Names that mean the same with and without backslash.
const Table& common() {
  static const Table table = [] {
    Table words = {{"pi", {kConstant, "pi"}},
                   {"infty", {kConstant, "infinity"}},
                   {"asin", {kFunction, "arcsin"}},
                   {"acos", {kFunction, "arccos"}},
                   {"atan", {kFunction, "arctan"}},
                   {"sqrt", {kCommand, "sqrt"}},
                   {"varepsilon", {kLetter, "epsilon"}},
                   {"varphi", {kLetter, "phi"}},
                   {"vartheta", {kLetter, "theta"}},
                   {"cup", {kSymbol, "U"}},
                   {"mod", {kCommand, "mod"}}};
    for (const std::string_view name :
         {"sin",    "cos",  "tan",  "cot",  "sec",  "csc", "arcsin", "arccos", "arctan", "arccot", "arcsec",
          "arccsc", "sinh", "cosh", "tanh", "coth", "ln",  "log",    "lg",     "exp",    "max",    "min",
          "gcd",    "lcm",  "det",  "sgn",  "Re",   "Im",  "arg",    "deg",    "dim",    "ker"})
      words.emplace(name, Word{kFunction, name});
    for (const std::string_view name :
         {"alpha", "beta",  "gamma",  "delta", "epsilon", "zeta",  "eta", "theta", "iota",  "kappa", "lambda",
          "mu",    "nu",    "xi",     "rho",   "sigma",   "tau",   "phi", "chi",   "psi",   "omega", "Gamma",
          "Delta", "Theta", "Lambda", "Xi",    "Pi",      "Sigma", "Phi", "Psi",   "Omega", "ell"})
      words.emplace(name, Word{kLetter, name});
    return words;
  }();
  return table;
}

const Table& commands() {
  static const Table table = [] {
    Table words = {{"cdot", {kSymbol, "*"}},
                   {"times", {kSymbol, "*"}},
                   {"ast", {kSymbol, "*"}},
                   {"div", {kSymbol, "/"}},
                   {"le", {kSymbol, "l"}},
                   {"leq", {kSymbol, "l"}},
                   {"leqslant", {kSymbol, "l"}},
                   {"ge", {kSymbol, "g"}},
                   {"geq", {kSymbol, "g"}},
                   {"geqslant", {kSymbol, "g"}},
                   {"ne", {kSymbol, "n"}},
                   {"neq", {kSymbol, "n"}},
                   {"lt", {kSymbol, "<"}},
                   {"gt", {kSymbol, ">"}},
                   {"in", {kSymbol, "i"}},
                   {"approx", {kSymbol, "~"}},
                   {"simeq", {kSymbol, "~"}},
                   {"sim", {kSymbol, "~"}},
                   {"cong", {kSymbol, "~"}},
                   {"equiv", {kSymbol, "≡"}},
                   {"cap", {kSymbol, "I"}},
                   {"setminus", {kSymbol, "D"}},
                   {"backslash", {kSymbol, "D"}},
                   {"pm", {kSymbol, "pm"}},
                   {"mp", {kSymbol, "mp"}},
                   {"lbrace", {kSymbol, "\\{"}},
                   {"rbrace", {kSymbol, "\\}"}},
                   {"lbrack", {kSymbol, "["}},
                   {"rbrack", {kSymbol, "]"}},
                   {"mid", {kSymbol, "|"}},
                   {"vert", {kSymbol, "|"}},
                   {"lvert", {kSymbol, "|"}},
                   {"rvert", {kSymbol, "|"}},
                   {"Vert", {kSymbol, "|"}},
                   {"colon", {kSymbol, ":"}},
                   {"land", {kSymbol, "and"}},
                   {"wedge", {kSymbol, "and"}},
                   {"lor", {kSymbol, "or"}},
                   {"vee", {kSymbol, "or"}},
                   {"to", {kSymbol, ">>"}},
                   {"rightarrow", {kSymbol, ">>"}},
                   {"Rightarrow", {kSymbol, ">>"}},
                   {"implies", {kSymbol, ">>"}},
                   {"mapsto", {kSymbol, ">>"}},
                   {"langle", {kSymbol, "("}},
                   {"rangle", {kSymbol, ")"}},
                   {"lfloor", {kSymbol, "floor("}},
                   {"rfloor", {kSymbol, ")floor"}},
                   {"lceil", {kSymbol, "ceil("}},
                   {"rceil", {kSymbol, ")ceil"}},
                   {"circ", {kSymbol, "°"}},
                   {"degree", {kSymbol, "°"}},
                   {"degrees", {kSymbol, "°"}},
                   {"emptyset", {kConstant, "empty"}},
                   {"varnothing", {kConstant, "empty"}},
                   {"R", {kConstant, "reals"}},
                   {"frac", {kCommand, "frac"}},
                   {"dfrac", {kCommand, "frac"}},
                   {"tfrac", {kCommand, "frac"}},
                   {"cfrac", {kCommand, "frac"}},
                   {"nicefrac", {kCommand, "frac"}},
                   {"sfrac", {kCommand, "frac"}},
                   {"binom", {kCommand, "binom"}},
                   {"dbinom", {kCommand, "binom"}},
                   {"tbinom", {kCommand, "binom"}},
                   {"choose", {kCommand, "choose"}},
                   {"over", {kCommand, "over"}},
                   {"color", {kCommand, "color"}},
                   {"textcolor", {kCommand, "color"}},
                   {"subset", {kSymbol, "c"}},
                   {"subseteq", {kSymbol, "b"}},
                   {"begin", {kCommand, "begin"}},
                   {"end", {kCommand, "end"}},
                   {"mathbb", {kCommand, "mathbb"}},
                   {"pmod", {kCommand, "pmod"}},
                   {"bmod", {kCommand, "mod"}},
                   {"ldots", {kSymbol, "..."}},
                   {"dots", {kSymbol, "..."}},
                   {"cdots", {kSymbol, "..."}},
                   {"sum", {kCommand, "sum"}},
                   {"prod", {kCommand, "prod"}},
                   {"int", {kCommand, "int"}},
                   {"lim", {kCommand, "lim"}},
                   {"prime", {kSymbol, "'"}},
                   {"underline", {kSymbol, ""}},
                   {"not", {kCommand, "not"}}};
    for (const auto& [name, sign] :
         std::initializer_list<std::pair<std::string_view, std::string_view>>{{"textdollar", "$"},
                                                                              {"dollar", "$"},
                                                                              {"pounds", "£"},
                                                                              {"euro", "€"},
                                                                              {"yen", "¥"},
                                                                              {"rupee", "₹"},
                                                                              {"ruble", "₽"},
                                                                              {"won", "₩"}})
      words.emplace(name, Word{kCurrency, sign});
    for (const std::string_view name :
         {"overline", "bar", "vec", "hat", "tilde", "dot", "ddot", "widehat", "overrightarrow", "overarc"})
      words.emplace(name, Word{kCommand, "accent"});
    for (const std::string_view name : {"text", "textbf", "textit", "textrm", "textnormal", "texttt", "textsf", "mbox",
                                        "hbox", "mathrm", "operatorname", "emph"})
      words.emplace(name, Word{kCommand, "text"});
    for (const std::string_view name : {"left",       "right",         "big",        "Big",
                                        "bigl",       "bigr",          "Bigl",       "Bigr",
                                        "bigg",       "Bigg",          "biggl",      "biggr",
                                        "middle",     "displaystyle",  "textstyle",  "scriptstyle",
                                        "limits",     "nolimits",      "quad",       "qquad",
                                        "boxed",      "fbox",          "mathbf",     "boldsymbol",
                                        "bm",         "mathit",        "mathcal",    "mathsf",
                                        "mathnormal", "pmb",           "bf",         "rm",
                                        "it",         "Large",         "large",      "hline",
                                        "ensuremath", "displaylimits", "thinspace",  "enspace",
                                        "phantom",    "hfill",         "cr",         "newline",
                                        "noindent",   "therefore",     "because",    "space",
                                        "allowbreak", "mathopen",      "mathclose",  "mathstrut",
                                        "tiny",       "small",         "normalsize", "hspace",
                                        "vspace",     "checkmark"})
      words.emplace(name, Word{kSymbol, ""});
    return words;
  }();
  return table;
}

const Table& plain_words() {
  static const Table table = {
      {"and", {kSymbol, "and"}},        {"or", {kSymbol, "or"}},       {"infinity", {kConstant, "infinity"}},
      {"inf", {kConstant, "infinity"}}, {"percent", {kSymbol, "%"}},   {"percentage", {kSymbol, "%"}},
      {"pct", {kSymbol, "%"}},          {"union", {kSymbol, "U"}},     {"degrees", {kSymbol, "°"}},
      {"degree", {kSymbol, "°"}},       {"abs", {kFunction, "abs"}},   {"floor", {kFunction, "floor"}},
      {"ceil", {kFunction, "ceil"}},    {"cbrt", {kFunction, "cbrt"}}, {"sqrt", {kFunction, "sqrt"}},
      {"in", {kSymbol, "i"}},           {"frac", {kCommand, "frac"}}};
  return table;
}

std::optional<Word> find(const Table& table, std::string_view name) {
  const auto found = table.find(name);
  return found == table.end() ? std::nullopt : std::optional(found->second);
}

}  // namespace

std::optional<Word> find_command(std::string_view name) {
  const auto word = find(commands(), name);
  return word ? word : find(common(), name);
}

std::optional<Word> find_word(std::string_view name) {
  const auto word = find(plain_words(), name);
  return word ? word : find(common(), name);
}

}  // namespace agro
