// Memory that a thread keeps from call to call, so that hot paths neither allocate nor touch fresh pages.
#pragma once

#include <cstddef>
#include <cstdlib>
#include <memory>
#include <new>

namespace osscl {

class Scratch {
  public:
    // At least `bytes` bytes, aligned to 64, of any content; valid until the next call.
    void* get(std::size_t bytes) {
        constexpr std::size_t alignment = 64;
        if (bytes > size_) {
            size_ = 0;
            memory_.reset(std::aligned_alloc(alignment, (bytes + alignment - 1) / alignment * alignment));
            if (!memory_) {
                throw std::bad_alloc();
            }
            size_ = bytes;
        }
        return memory_.get();
    }

    float* floats(std::size_t count) { return static_cast<float*>(get(count * sizeof(float))); }

  private:
    struct Free {
        void operator()(void* memory) const { std::free(memory); }
    };

    std::unique_ptr<void, Free> memory_;
    std::size_t size_ = 0;
};

} // namespace osscl
