// SHA-256 over pieces of bytes.
#pragma once

#include <memory>
#include <string>
#include <string_view>

class Sha256 {
  public:
    Sha256();
    void add(std::string_view bytes);
    std::string hex(); // 64 lower-case digits; nothing is added after it

  private:
    std::shared_ptr<void> context_;
};
