#include "data/problems/story_words.h"

#include <fmt/format.h>

namespace agro {
namespace {

constexpr std::array kNames = {"Anna", "Ben", "Carla", "David", "Emma", "Felix", "Grace", "Hugo", "Iris", "Jack",
                               "Kim",  "Leo", "Mia",   "Noah",  "Olga", "Paul",  "Rosa",  "Sam",  "Tina", "Victor"};

constexpr std::array<ThingName, 16> kItems = {{{"apple", "apples"},
                                               {"book", "books"},
                                               {"card", "cards"},
                                               {"coin", "coins"},
                                               {"cookie", "cookies"},
                                               {"egg", "eggs"},
                                               {"flower", "flowers"},
                                               {"marble", "marbles"},
                                               {"orange", "oranges"},
                                               {"pencil", "pencils"},
                                               {"shell", "shells"},
                                               {"stamp", "stamps"},
                                               {"sticker", "stickers"},
                                               {"stone", "stones"},
                                               {"ticket", "tickets"},
                                               {"toy", "toys"}}};

constexpr std::array<Happening, 6> kGains = {{{"{name} buys {n} more."},
                                              {"{friend} gives {name} {n} {items}."},
                                              {"{name} finds {n} {items} in a drawer."},
                                              {"A parcel brings another {n} {items}."},
                                              {"Then {n} {items} are added."},
                                              {"{name} gets {n} {items} for helping {third}."}}};

constexpr std::array<Happening, 6> kLosses = {{{"{name} gives {n} of them to {friend}."},
                                               {"{name} loses {n} {items} on the way."},
                                               {"{name} sells {n} {items}."},
                                               {"{friend} takes {n} {items} away."},
                                               {"Then {n} {items} turn out to be broken and are thrown away."},
                                               {"{n} of them are used up."}}};

constexpr std::array<Happening, 3> kTimes = {
    {{"A lucky trade leaves {name} with {n} times as many."},
     {"A month later there are {n} times as many."},
     {"{friend} helps, and the number of {items} grows to {n} times what it was."}}};

constexpr std::array<Happening, 3> kShares = {
    {{"They are shared equally among {n} people, and {name} keeps one share."},
     {"{name} sorts them into {n} equal piles and keeps one pile."},
     {"They are split evenly between {n} bags, and {name} keeps one bag."}}};

}  // namespace

Cast random_cast(Chance& chance) {
  Cast cast;
  const auto size = static_cast<int64_t>(kNames.size());
  const int64_t first = chance.between(0, size - 1), second = chance.between(1, size - 1);
  int64_t third = chance.between(1, size - 2);
  if (third >= second) ++third;
  const auto name = [&](int64_t offset) { return kNames[static_cast<size_t>((first + offset) % size)]; };
  cast.name = name(0), cast.friend_name = name(second), cast.third = name(third);
  cast.item = chance.pick(kItems);
  return cast;
}

std::string tell(const char* sentence, const Cast& cast, int64_t n, int64_t m) {
  return fmt::format(fmt::runtime(sentence), fmt::arg("name", cast.name), fmt::arg("friend", cast.friend_name),
                     fmt::arg("third", cast.third), fmt::arg("item", cast.item.one), fmt::arg("items", cast.item.many),
                     fmt::arg("n", n), fmt::arg("m", m), fmt::arg("calc", "{calc}"));
}

const Happening& random_happening(Chance& chance, char op) {
  switch (op) {
    case '+':
      return chance.pick(kGains);
    case '-':
      return chance.pick(kLosses);
    case '*':
      return chance.pick(kTimes);
    default:
      return chance.pick(kShares);
  }
}

}  // namespace agro
