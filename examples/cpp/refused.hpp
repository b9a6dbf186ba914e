// What is refused, in one sentence that says what was got and what was expected.
#pragma once

#include <stdexcept>

class Refused : public std::runtime_error {
  public:
    using std::runtime_error::runtime_error;
};
