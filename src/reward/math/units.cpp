#include "reward/math/units.h"

#include <algorithm>
#include <array>
#include <unordered_map>
#include <utility>
#include <vector>

#include "core/ascii.h"

namespace agro {
namespace {

using Table = std::unordered_map<std::string_view, std::string_view>;

struct Names {
  std::string_view unit, written;  // separated by spaces
};
constexpr auto kUnits = std::to_array<Names>({{"mm", "mm millimeters millimeter millimetre millimetres"},
                                              {"cm", "cm centimeter centimeters centimetres centimetre"},
                                              {"dm", "dm"},
                                              {"km", "km kilometers kilometres kilometer kilometre"},
                                              {"m", "m meter meters metre metres"},
                                              {"inch", "inch inches"},
                                              {"foot", "ft foot feet"},
                                              {"yard", "yd yard yards"},
                                              {"mile", "mile miles mi"},
                                              {"g", "g gram grams"},
                                              {"kg", "kg kilograms kilogram kilo kilos"},
                                              {"mg", "mg milligram milligrams"},
                                              {"pound", "lb lbs pound pounds GBP"},
                                              {"ounce", "oz ounce ounces"},
                                              {"second", "s second seconds sec secs"},
                                              {"minute", "minute minutes mins min"},
                                              {"hour", "hr hrs hour hours"},
                                              {"day", "day days"},
                                              {"week", "week weeks wk"},
                                              {"month", "month months"},
                                              {"year", "year years yr yrs"},
                                              {"ml", "ml mL milliliter milliliters millilitres"},
                                              {"l", "l L liter liters litres litre"},
                                              {"cent", "cent cents penny pennies"},
                                              {"dollar", "dollar dollars USD"},
                                              {"am", "am AM"},
                                              {"pm", "pm PM"},
                                              {"radian", "rad radians radian"},
                                              {"Hz", "Hz"},
                                              {"kHz", "kHz"},
                                              {"gallon", "gallon gallons"},
                                              {"quart", "quart quarts"},
                                              {"pint", "pint pints"},
                                              {"ton", "ton tons"},
                                              {"tonne", "tonne tonnes"},
                                              {"acre", "acre acres"},
                                              {"pence", "pence"},
                                              {"euro", "euro euros EUR"},
                                              {"rupee", "rupee rupees Rs"},
                                              {"yen", "yen"},
                                              {"yuan", "yuan"},
                                              {"ruble", "ruble rubles"},
                                              {"won", "won"},
                                              {"°", "degree degrees"},
                                              {"celsius", "Celsius celsius"},
                                              {"fahrenheit", "Fahrenheit fahrenheit"},
                                              {"kelvin", "Kelvin kelvin kelvins"},
                                              {"calorie", "cal calorie calories"},
                                              {"joule", "joule joules"},
                                              {"newton", "newton newtons"},
                                              {"watt", "watt watts"},
                                              {"volt", "volt volts"},
                                              {"mph", "mph"},
                                              {"kph", "kph kmh"}});

/// Only behind a number and beside another unit: alone they are variables.
constexpr auto kLetters = std::to_array<Names>({{"hour", "h"},
                                                {"minute", "min"},
                                                {"degree", "°"},
                                                {"celsius", "°C"},
                                                {"fahrenheit", "°F"},
                                                {"dollar", "$"},
                                                {"pound", "£"},
                                                {"euro", "€"},
                                                {"yen", "¥"},
                                                {"rupee", "₹"},
                                                {"ruble", "₽"},
                                                {"won", "₩"}});

template <size_t n>
Table table_of(const std::array<Names, n>& names) {
  Table table;
  for (const auto& [unit, written] : names)
    for (size_t begin = 0; begin < written.size();) {
      const size_t end = std::min(written.find(' ', begin), written.size());
      table.emplace(written.substr(begin, end - begin), unit);
      begin = end + 1;
    }
  return table;
}

std::optional<std::string_view> find_in(const Table& table, std::string_view name) {
  const auto found = table.find(name);
  return found == table.end() ? std::nullopt : std::optional(found->second);
}

/// The words of a unit; "/" is one.
std::vector<std::string> words_of(std::string_view written) {
  std::vector<std::string> words(1);
  for (const char c : written) {
    if (c == ' ' || c == '/') {
      if (!words.back().empty()) words.emplace_back();
      if (c == '/') words.back() = "/", words.emplace_back();
    } else {
      words.back() += c;
    }
  }
  if (words.back().empty()) words.pop_back();
  return words;
}

/// "apple" of "Apples".
std::string singular(std::string word) {
  for (char& c : word) c = lower(c);
  if (word.size() > 3 && word.ends_with("es") && (word[word.size() - 3] == 'h' || word[word.size() - 3] == 'x'))
    word.resize(word.size() - 2);
  else if (word.size() > 2 && word.ends_with('s') && !word.ends_with("ss"))
    word.pop_back();
  return word;
}

}  // namespace

std::optional<std::string_view> find_unit(std::string_view name) {
  static const Table table = table_of(kUnits);
  return find_in(table, name);
}

std::optional<std::string> canonical_unit(std::string_view written) {
  static const Table letters = table_of(kLetters);
  std::string canonical, power;
  for (const std::string& word : words_of(written)) {
    if (word == "/" || word == "per") {
      canonical += '/';
      continue;
    }
    if (word == "square" || word == "sq" || word == "cu" || word == "cubic") {
      power = word[0] == 'c' ? "^3" : "^2";
      continue;
    }
    if (word == "squared" || word == "cubed") {
      canonical += word == "cubed" ? "^3" : "^2";
      continue;
    }
    const size_t mark = std::min(word.find('^'), word.size());
    const std::string_view name = std::string_view(word).substr(0, mark);
    auto unit = find_unit(name);
    if (!unit) unit = find_in(letters, name);
    if (!unit) return {};
    if (!canonical.empty() && canonical.back() != '/') canonical += ' ';
    canonical += *unit == "mph" ? "mile/hour" : *unit == "kph" ? "km/hour" : *unit == "°" ? "degree" : *unit;
    canonical += word.substr(mark) + std::exchange(power, {});
  }
  if (canonical.starts_with("degree ")) canonical.erase(0, 7);  // degrees Celsius
  return canonical;
}

bool is_currency_sign(std::string_view unit) { return std::ranges::find(kCurrencySigns, unit) != kCurrencySigns.end(); }

bool same_thing(std::string_view a, std::string_view b) {
  std::vector<std::string> left = words_of(a), right = words_of(b);
  for (std::vector<std::string>* words : {&left, &right}) std::ranges::transform(*words, words->begin(), singular);
  return left == right;
}

bool is_part_of_other(std::string_view a, std::string_view b) {
  const auto names_of = [](std::string_view written) {
    std::vector<std::string> names = words_of(written);
    for (std::string& name : names) name = std::string(find_unit(name).value_or(singular(name)));
    return names;
  };
  std::vector<std::string> few = names_of(a), many = names_of(b);
  if (few.size() > many.size()) few.swap(many);
  return std::ranges::all_of(few, [&](const std::string& name) { return std::ranges::find(many, name) != many.end(); });
}

}  // namespace agro
