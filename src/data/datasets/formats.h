#pragma once
// The layouts in which data sets are published, each read into question and answer.
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/file.h"
#include "core/json.h"

namespace agro {

/// What a published record asks, and what is right.
struct PublishedProblem {
  std::string question;
  std::optional<std::string> answer;
  std::string id;  // empty: the record has none
};

/// A layout by name:
///   gsm8k    {"question", "answer": "working\n#### 72"}: the answer is what follows the last ####, without commas
///   math     {"problem", "solution", "level"?, "type"?, "unique_id"?}: the answer is in the solution's last \boxed{}
///   math500  {"problem", "answer", "subject", "level"?, "solution"?, "unique_id"?}
///   svamp    {"Body", "Question", "Answer", "Type"?, "ID"?}
///   aqua     {"question", "options": ["A)21", …], "correct": "A"}: choices on lines of their own, the answer a letter
///   mawps    {"sQuestion", "lSolutions": [51.0], "iIndex"?}
///   aime     {"problem", "answer", "id"?}, also with capitals
struct DatasetFormat {
  std::string_view name;
  bool (*fits)(const Json& record);              // whether a record has the layout's fields
  PublishedProblem (*read)(const Json& record);  // throws Error (without place) where a field is missing or wrong
};

/// The names, and before them "auto" and "plain": what data.format takes. "plain" is the layout of data/prompts.h.
std::vector<std::string> dataset_format_names();

/// nullptr for "plain". Throws Error for an unknown name (not for "auto", which is no layout): lists the known ones.
const DatasetFormat* dataset_format_named(std::string_view name);

/// The layout of a file that begins with `record`; nullptr where it is plain or none is recognised.
const DatasetFormat* detect_dataset_format(const Json& record);

/// "test/algebra/1.json" of the file MATH/test/algebra/1.json, wherever it lies: the name by which MATH-500 and others
/// call the problem. Empty for a file elsewhere.
std::string math_problem_id(const Path& file);

/// "51.0" → "51", "0.50" → "0.5", 1e2 → "100": a JSON number as people write it.
std::string plain_number(const Json& number);

/// What stands in the last \boxed{} (also \fbox{}, and "\boxed 5") of a published solution; nullopt where there is none
/// or its braces do not close.
std::optional<std::string> last_boxed(std::string_view solution);

}  // namespace agro
