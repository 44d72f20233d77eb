#include "data/datasets/formats.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "core/ascii.h"
#include "core/error.h"
#include "core/words.h"
#include "data/fields.h"

namespace agro {
namespace {

using detail::find_field;

bool has(const Json& record, std::initializer_list<const char*> keys) {
  return std::all_of(keys.begin(), keys.end(), [&](const char* key) { return find_field(record, key) != nullptr; });
}

bool is_text(const Json& record, const char* key) {
  const Json* value = find_field(record, key);
  return value != nullptr && value->is_string();
}

std::string required_text(const Json& record, const char* key) {
  auto text = detail::string_field(record, key);
  if (!text) throw fail("has no '{}'", key);
  return std::move(*text);
}

std::string trimmed_copy(std::string_view text) { return std::string(trimmed(text)); }

/// A string as it is, a number as people write it; empty where the field is not there.
std::string text_or_number(const Json& record, const char* key) {
  const Json* value = find_field(record, key);
  if (value == nullptr) return {};
  if (value->is_string()) return trimmed_copy(value->get<std::string>());
  if (value->is_number()) return plain_number(*value);
  throw fail("'{}' must be a string or a number, found {}", key, value->type_name());
}

std::string required_answer(const Json& record, const char* key) {
  std::string answer = text_or_number(record, key);
  if (answer.empty()) throw fail("has no '{}'", key);
  return answer;
}

constexpr std::string_view kMark = "####";

bool fits_gsm8k(const Json& record) {
  return is_text(record, "question") && is_text(record, "answer") &&
         record["answer"].get_ref<const std::string&>().find(kMark) != std::string::npos;
}

PublishedProblem read_gsm8k(const Json& record) {
  const std::string solution = required_text(record, "answer");
  const size_t mark = solution.rfind(kMark);
  if (mark == std::string::npos) throw fail("'answer' holds no \"#### ANSWER\"");
  std::string_view rest = std::string_view(solution).substr(mark + kMark.size());
  std::string answer = trimmed_copy(rest.substr(0, rest.find('\n')));
  std::erase(answer, ',');
  if (answer.empty()) throw fail("'answer' has nothing after \"####\"");
  return {required_text(record, "question"), std::move(answer), {}};
}

bool fits_math(const Json& record) { return is_text(record, "problem") && is_text(record, "solution"); }

PublishedProblem read_math(const Json& record) {
  auto answer = last_boxed(required_text(record, "solution"));
  if (!answer || answer->empty()) throw fail("'solution' holds no \\boxed{{…}} to take the answer from");
  return {required_text(record, "problem"), std::move(answer), text_or_number(record, "unique_id")};
}

bool fits_math500(const Json& record) { return is_text(record, "problem") && has(record, {"answer", "subject"}); }

PublishedProblem read_math500(const Json& record) {
  return {required_text(record, "problem"), required_answer(record, "answer"), text_or_number(record, "unique_id")};
}

bool fits_svamp(const Json& record) { return is_text(record, "Question") && has(record, {"Body", "Answer"}); }

PublishedProblem read_svamp(const Json& record) {
  std::string body = trimmed_copy(required_text(record, "Body"));
  // Bodies are published with and without their full stop.
  if (!body.empty() && std::string_view(".!?,;:").find(body.back()) == std::string_view::npos) body += '.';
  return {body + (body.empty() ? "" : " ") + trimmed_copy(required_text(record, "Question")),
          required_answer(record, "Answer"), text_or_number(record, "ID")};
}

bool fits_aqua(const Json& record) {
  const Json* options = find_field(record, "options");
  return is_text(record, "question") && options != nullptr && options->is_array() && is_text(record, "correct");
}

/// "A)21" as "(A) 21".
std::string choice_line(const Json& option, std::string& letters) {
  if (!option.is_string()) throw fail("'options' must hold strings, found {}", option.type_name());
  const std::string text = trimmed_copy(option.get_ref<const std::string&>());
  const size_t letter = text.starts_with('(') ? 1 : 0;
  if (text.size() < letter + 2 || text[letter] < 'A' || text[letter] > 'Z' || text[letter + 1] != ')')
    throw fail("'options' must hold choices like \"A)21\", found \"{}\"", text.substr(0, 40));
  letters += text[letter];
  return fmt::format("\n({}) {}", text[letter], trimmed_copy(std::string_view(text).substr(letter + 2)));
}

PublishedProblem read_aqua(const Json& record) {
  const Json* options = find_field(record, "options");
  if (options == nullptr || !options->is_array()) throw fail("has no list 'options'");
  std::string question = trimmed_copy(required_text(record, "question")), letters;
  for (const Json& option : *options) question += choice_line(option, letters);
  std::string answer = trimmed_copy(required_text(record, "correct"));
  if (answer.size() != 1 || letters.find(answer) == std::string::npos)
    throw fail("'correct' must be the letter of one of the options ({}), found \"{}\"", letters, answer);
  return {std::move(question), std::move(answer), {}};
}

bool fits_mawps(const Json& record) {
  const Json* solutions = find_field(record, "lSolutions");
  return is_text(record, "sQuestion") && solutions != nullptr && solutions->is_array();
}

PublishedProblem read_mawps(const Json& record) {
  const Json* solutions = find_field(record, "lSolutions");
  if (solutions == nullptr || !solutions->is_array() || solutions->empty())
    throw fail("has no solution in 'lSolutions'");
  std::string answer;
  for (const Json& solution : *solutions) {
    if (!solution.is_number() && !solution.is_string())
      throw fail("'lSolutions' must hold numbers, found {}", solution.type_name());
    answer += (answer.empty() ? "" : ", ") +
              (solution.is_number() ? plain_number(solution) : trimmed_copy(solution.get_ref<const std::string&>()));
  }
  return {trimmed_copy(required_text(record, "sQuestion")), std::move(answer), text_or_number(record, "iIndex")};
}

const char* either(const Json& record, const char* small, const char* capital) {
  return find_field(record, small) != nullptr ? small : capital;
}

bool fits_aime(const Json& record) {
  return is_text(record, either(record, "problem", "Problem")) && has(record, {either(record, "answer", "Answer")});
}

PublishedProblem read_aime(const Json& record) {
  return {trimmed_copy(required_text(record, either(record, "problem", "Problem"))),
          required_answer(record, either(record, "answer", "Answer")),
          text_or_number(record, either(record, "id", "ID"))};
}

// In the order in which they are tried: a layout that asks for more comes before one that asks for less.
constexpr std::array kFormats = {
    DatasetFormat{"gsm8k", fits_gsm8k, read_gsm8k}, DatasetFormat{"math500", fits_math500, read_math500},
    DatasetFormat{"svamp", fits_svamp, read_svamp}, DatasetFormat{"aqua", fits_aqua, read_aqua},
    DatasetFormat{"mawps", fits_mawps, read_mawps}, DatasetFormat{"aime", fits_aime, read_aime},
    DatasetFormat{"math", fits_math, read_math},
};

}  // namespace

std::vector<std::string> dataset_format_names() {
  std::vector<std::string> names = {"auto", "plain"};
  for (const DatasetFormat& format : kFormats) names.emplace_back(format.name);
  return names;
}

const DatasetFormat* dataset_format_named(std::string_view name) {
  if (name == "plain") return nullptr;
  for (const DatasetFormat& format : kFormats)
    if (format.name == name) return &format;
  const std::vector<std::string> names = dataset_format_names();
  throw fail("unknown format '{}': expected one of {}", name, fmt::join(names, ", "));
}

const DatasetFormat* detect_dataset_format(const Json& record) {
  if (!record.is_object()) return nullptr;
  for (const char* key : {"ids", "prompt", "messages"})
    if (find_field(record, key) != nullptr) return nullptr;
  for (const DatasetFormat& format : kFormats)
    if (format.fits(record)) return &format;
  return nullptr;
}

std::string math_problem_id(const Path& file) {
  const Path path = std::filesystem::absolute(file).lexically_normal();
  const std::string number = path.stem(), subject = path.parent_path().filename(),
                    split = path.parent_path().parent_path().filename();
  const bool numbered = !number.empty() && number.find_first_not_of("0123456789") == std::string::npos;
  if (!numbered || path.extension() != ".json" || (split != "train" && split != "test")) return {};
  return fmt::format("{}/{}/{}.json", split, subject, number);
}

std::string plain_number(const Json& number) {
  const double value = number.get<double>();
  if (number.is_number_float() && std::abs(value) < 1e15 && value == std::trunc(value))
    return fmt::format("{:.0f}", value == 0 ? 0 : value);
  return number.dump();
}

std::optional<std::string> last_boxed(std::string_view solution) {
  size_t begin = std::string_view::npos;
  for (const std::string_view box : {"\\boxed", "\\fbox"}) {
    const size_t at = solution.rfind(box);
    if (at != std::string_view::npos && (begin == std::string_view::npos || at + box.size() > begin))
      begin = at + box.size();
  }
  if (begin == std::string_view::npos) return {};
  begin = solution.find_first_not_of(' ', begin);
  if (begin == std::string_view::npos) return {};
  if (solution[begin] != '{') {
    const size_t end = std::min(solution.find_first_of(" $\n", begin), solution.size());
    return std::string(solution.substr(begin, end - begin));
  }
  int depth = 0;
  for (size_t i = begin; i < solution.size(); ++i) {
    if (solution[i] == '\\')
      ++i;  // \{ and \} are no braces of a group
    else if (solution[i] == '{')
      ++depth;
    else if (solution[i] == '}' && --depth == 0)
      return trimmed_copy(solution.substr(begin + 1, i - begin - 1));
  }
  return {};
}

}  // namespace agro
