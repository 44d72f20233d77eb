#include "reward/math/unicode_math.h"

#include <algorithm>
#include <array>
#include <optional>
#include <unordered_map>

#include "text/unicode.h"

namespace agro {
namespace {

using Table = std::unordered_map<char32_t, std::string_view>;

const Table& meanings() {
  static const Table table = {
      {U'−', "-"},
      {U'–', "-"},
      {U'—', "-"},
      {U'‐', "-"},
      {U'‑', "-"},
      {U'‒', "-"},
      {U'﹣', "-"},
      {U'－', "-"},
      {U'×', "\\times "},
      {U'⋅', "\\cdot "},
      {U'·', "\\cdot "},
      {U'∙', "\\cdot "},
      {U'•', "\\cdot "},
      {U'∗', "*"},
      {U'÷', "/"},
      {U'⁄', "/"},
      {U'∕', "/"},
      {U'±', "\\pm "},
      {U'∓', "\\mp "},
      {U'≤', "\\le "},
      {U'⩽', "\\le "},
      {U'≥', "\\ge "},
      {U'⩾', "\\ge "},
      {U'≠', "\\ne "},
      {U'≈', "\\approx "},
      {U'≃', "\\approx "},
      {U'≅', "\\approx "},
      {U'∼', "\\approx "},
      {U'∈', "\\in "},
      {U'∪', "\\cup "},
      {U'∩', "\\cap "},
      {U'∖', "\\setminus "},
      {U'∅', "\\emptyset "},
      {U'∞', "\\infty "},
      {U'π', "\\pi "},
      {U'ℝ', "\\mathbb{R}"},
      {U'ℤ', "\\mathbb{Z}"},
      {U'ℕ', "\\mathbb{N}"},
      {U'ℚ', "\\mathbb{Q}"},
      {U'ℂ', "\\mathbb{C}"},
      {U'°', "^\\circ "},
      {U'º', "^\\circ "},
      {U'˚', "^\\circ "},
      {U'∘', "^\\circ "},
      {U'′', "'"},
      {U'’', "'"},
      {U'‘', "'"},
      {U'“', "\""},
      {U'”', "\""},
      {U'…', "\\dots "},
      {U'→', "\\to "},
      {U'⇒', "\\to "},
      {U'∧', "\\land "},
      {U'∨', "\\lor "},
      {U'∣', "|"},
      {U'⌊', "\\lfloor "},
      {U'⌋', "\\rfloor "},
      {U'⌈', "\\lceil "},
      {U'⌉', "\\rceil "},
      {U'⟨', "\\langle "},
      {U'⟩', "\\rangle "},
      {U'½', "\\frac{1}{2}"},
      {U'⅓', "\\frac{1}{3}"},
      {U'⅔', "\\frac{2}{3}"},
      {U'¼', "\\frac{1}{4}"},
      {U'¾', "\\frac{3}{4}"},
      {U'⅕', "\\frac{1}{5}"},
      {U'⅖', "\\frac{2}{5}"},
      {U'⅗', "\\frac{3}{5}"},
      {U'⅘', "\\frac{4}{5}"},
      {U'⅙', "\\frac{1}{6}"},
      {U'⅚', "\\frac{5}{6}"},
      {U'⅛', "\\frac{1}{8}"},
      {U'⅜', "\\frac{3}{8}"},
      {U'⅝', "\\frac{5}{8}"},
      {U'⅞', "\\frac{7}{8}"},
      {U'α', "\\alpha "},
      {U'β', "\\beta "},
      {U'γ', "\\gamma "},
      {U'δ', "\\delta "},
      {U'ε', "\\epsilon "},
      {U'ζ', "\\zeta "},
      {U'η', "\\eta "},
      {U'θ', "\\theta "},
      {U'κ', "\\kappa "},
      {U'λ', "\\lambda "},
      {U'μ', "\\mu "},
      {U'ν', "\\nu "},
      {U'ξ', "\\xi "},
      {U'ρ', "\\rho "},
      {U'σ', "\\sigma "},
      {U'τ', "\\tau "},
      {U'φ', "\\phi "},
      {U'ϕ', "\\phi "},
      {U'χ', "\\chi "},
      {U'ψ', "\\psi "},
      {U'ω', "\\omega "},
      {U'Δ', "\\Delta "},
      {U'Γ', "\\Gamma "},
      {U'Σ', "\\Sigma "},
      {U'Ω', "\\Omega "},
      {U'€', "\\euro "},
      {U'£', "\\pounds "},
      {U'¥', "\\yen "},
      {U'₹', "\\rupee "},
      {U'₽', "\\ruble "},
      {U'₩', "\\won "},
      {U'￥', "\\yen "},
      {U'，', ","},
      {U'。', "."},
      {U'：', ":"},
      {U'；', ";"},
      {U'、', ","},
      {U'（', "("},
      {U'）', ")"},
      {U'％', "%"},
      {U'٫', "."},
      {U'٬', ","},
  };
  return table;
}

/// The digit that `code` is in any script.
std::optional<char> digit_of(char32_t code) {
  constexpr std::array<char32_t, 24> kZeros = {0x660,  0x6F0,  0x7C0,  0x966,   0x9E6,   0xA66,   0xAE6,   0xB66,
                                               0xBE6,  0xC66,  0xCE6,  0xD66,   0xE50,   0xED0,   0xF20,   0x1040,
                                               0x17E0, 0x1810, 0xFF10, 0x1D7CE, 0x1D7D8, 0x1D7E2, 0x1D7EC, 0x1D7F6};
  for (const char32_t zero : kZeros)
    if (code >= zero && code < zero + 10) return static_cast<char>('0' + (code - zero));
  return {};
}

/// The character that a raised or lowered one stands for; '\0' where `code` is neither.
char plain_of(char32_t code, std::u32string_view variants) {
  constexpr std::string_view kPlain = "0123456789+-=()n";
  const size_t place = variants.find(code);
  return place == std::u32string_view::npos ? '\0' : kPlain[place];
}
char raised(char32_t code) { return plain_of(code, U"⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁼⁽⁾ⁿ"); }
char lowered(char32_t code) { return plain_of(code, U"₀₁₂₃₄₅₆₇₈₉₊₋₌₍₎ₙ"); }

class Converter {
 public:
  explicit Converter(std::string_view text) : rest_(text) {}

  std::string run() {
    while (!rest_.empty()) {
      const Utf8Step step = first_code_point(rest_);
      if (script(step, raised, "^{") || script(step, lowered, "_{")) continue;
      const std::string_view bytes = rest_.substr(0, step.length);
      rest_.remove_prefix(step.length);
      if (step.code == U'√' || step.code == U'∛') {
        root(step.code == U'∛' ? "\\sqrt[3]" : "\\sqrt");
      } else {
        add(step, bytes);
      }
    }
    return std::move(out_);
  }

 private:
  void add(const Utf8Step& step, std::string_view bytes) {
    if (step.code < 0x80) {
      out_ += bytes;
    } else if (!step.valid) {
      out_ += "\uFFFD";
    } else if (const auto found = meanings().find(step.code); found != meanings().end()) {
      out_ += found->second;
    } else if (const auto digit = digit_of(step.code)) {
      out_ += *digit;
    } else if (is_white_space(step.code) || step.code == 0x200B || step.code == 0xFEFF || step.code == 0x2061) {
      out_ += ' ';
    } else {
      out_ += normalize(bytes, NormalForm::kNfkc);
    }
  }

  bool script(const Utf8Step& first, char (*plain)(char32_t), std::string_view open) {
    if (first.code < 0x80 || plain(first.code) == '\0') return false;
    out_ += open;
    for (Utf8Step step = first; plain(step.code) != '\0'; step = first_code_point(rest_)) {
      out_ += plain(step.code);
      rest_.remove_prefix(step.length);
      if (rest_.empty()) break;
    }
    out_ += '}';
    return true;
  }

  /// In running text the sign holds for the whole number after it.
  void root(std::string_view command) {
    out_ += command;
    size_t digits = std::min(rest_.find_first_not_of("0123456789."), rest_.size());
    if (digits > 0 && rest_[digits - 1] == '.') --digits;  // the end of a sentence
    if (digits == 0) return;
    out_ += '{';
    out_ += rest_.substr(0, digits);
    out_ += '}';
    rest_.remove_prefix(digits);
  }

  std::string_view rest_;
  std::string out_;
};

}  // namespace

std::string to_ascii_math(std::string_view text) {
  const bool ascii = std::all_of(text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) < 0x80; });
  return ascii ? std::string(text) : Converter(text).run();
}

}  // namespace agro
