#pragma once
// The words of the stories, and sentences with places for them.
#include <array>
#include <string>

#include "data/problems/chance.h"

namespace agro {

struct ThingName {
  const char* one;
  const char* many;
};

/// Who and what a story is about. Sentences may say {name}, {friend}, {third}, {item}, {items} and {n}.
struct Cast {
  std::string name, friend_name, third;
  ThingName item;
};

Cast random_cast(Chance& chance);

/// Fills the places of a sentence; {calc} stays for the working.
std::string tell(const char* sentence, const Cast& cast, int64_t n = 0, int64_t m = 0);

/// What happens to somebody's things, by operation.
struct Happening {
  const char* text;
};
const Happening& random_happening(Chance& chance, char op);

}  // namespace agro
