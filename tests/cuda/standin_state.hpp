// A stand-in for NVIDIA's driver library, for machines without a GPU: the calls that osscl makes, with their
// real order and asynchrony, on the host's memory. Streams are threads; kernels are functions of the host.
// What a card would only do wrongly now and then is an error here: foreign addresses, work of a thread
// without context, pinned memory that is not.
#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <cstring>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <random>
#include <string>
#include <thread>
#include <vector>

namespace standin {

using Result = int;
using Task = std::function<void()>;
using Address = unsigned long long;
using Argument = std::vector<char>;
using Kernel = void (*)(unsigned grid_x, unsigned grid_y, unsigned block, void** arguments);

constexpr Result success = 0, invalid_value = 1, out_of_memory = 2, not_initialized = 3, no_device = 100,
                 invalid_device = 101, invalid_context = 201, not_found = 500, illegal_address = 700,
                 capture_invalid = 901;

struct HostKernel {
    Kernel run;
    std::vector<std::size_t> argument_sizes;
};

struct Device {
    std::size_t memory_limit = 0, memory_used = 0;
    bool is_lost = false;
};

struct Event {
    std::mutex mutex;
    std::condition_variable changed;
    std::uint64_t n_recorded = 0, n_done = 0;
    double time_ms = 0.0;

    void wait_for(std::uint64_t number) {
        std::unique_lock lock(mutex);
        changed.wait(lock, [&] { return n_done >= number; });
    }
};

inline std::mutex state_mutex;
// All that may ever be, since work of cards that were lost may still be queued.
inline std::array<Device, 16> devices;
inline std::size_t n_devices = 0;
inline int generation = 0; // of cards, since a test started anew
inline int driver_version = 13000, capability_major = 9, capability_minor = 0, max_delay_us = 0;
inline bool is_initialized = false;
inline std::map<Address, std::pair<int, std::size_t>> device_memory; // address -> device, size
inline std::map<std::uintptr_t, std::size_t> pinned_memory;
inline std::map<std::string, HostKernel> kernels;
inline std::map<std::string, long long> counts;
inline long long max_pinned = 1000; // pieces of pinned memory
inline thread_local int current = -1;
inline thread_local std::vector<int> context_stack;

// Time of the cards: the machine's, or one that passes only where a test says so.
inline std::atomic<bool> is_time_simulated = false;
inline std::atomic<long long> simulated_us = 0;

inline double now_ms() {
    if (is_time_simulated) {
        return static_cast<double>(simulated_us) / 1000.0;
    }
    return std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now().time_since_epoch())
        .count();
}

inline void count(const std::string& what, long long by = 1) {
    const std::lock_guard lock(state_mutex);
    counts[what] += by;
}

// A random pause before each piece of work: what does not wait as it should goes wrong soon.
inline void dawdle() {
    if (max_delay_us > 0) {
        thread_local std::minstd_rand generator(std::random_device{}());
        std::this_thread::sleep_for(
            std::chrono::microseconds(generator() % static_cast<unsigned>(max_delay_us)));
    }
}

class Stream {
  public:
    explicit Stream(int device) : device_(device), thread_([this] { work(); }) {}

    ~Stream() {
        {
            const std::lock_guard lock(mutex_);
            is_ending_ = true;
        }
        changed_.notify_all();
        thread_.join();
    }

    void queue(Task task) {
        if (recording_) {
            recording_->push_back(std::move(task));
            return;
        }
        const std::lock_guard lock(mutex_);
        tasks_.push_back(std::move(task));
        changed_.notify_all();
    }

    void synchronize() {
        std::unique_lock lock(mutex_);
        changed_.wait(lock, [&] { return tasks_.empty() && !is_busy_; });
    }

    int device() const { return device_; }
    std::unique_ptr<std::vector<Task>> recording_;

  private:
    void work() {
        std::unique_lock lock(mutex_);
        for (;;) {
            changed_.wait(lock, [&] { return is_ending_ || !tasks_.empty(); });
            if (tasks_.empty()) {
                return;
            }
            const Task task = std::move(tasks_.front());
            tasks_.pop_front();
            is_busy_ = true;
            lock.unlock();
            dawdle();
            task();
            lock.lock();
            is_busy_ = false;
            changed_.notify_all();
        }
    }

    int device_;
    std::mutex mutex_;
    std::condition_variable changed_;
    std::deque<Task> tasks_;
    bool is_busy_ = false, is_ending_ = false;
    std::thread thread_;
};

inline Result state_of_context() {
    const std::lock_guard lock(state_mutex);
    if (current < 0) {
        return invalid_context;
    }
    return devices[static_cast<std::size_t>(current)].is_lost ? illegal_address : success;
}

inline bool lies_on_device(int device, Address address, std::size_t size) {
    const std::lock_guard lock(state_mutex);
    auto found = device_memory.upper_bound(address);
    if (found == device_memory.begin()) {
        return false;
    }
    --found;
    return found->second.first == device && address + size <= found->first + found->second.second;
}

inline bool is_pinned(const void* memory, std::size_t size) {
    const std::lock_guard lock(state_mutex);
    const auto at = reinterpret_cast<std::uintptr_t>(memory);
    auto found = pinned_memory.upper_bound(at);
    if (found == pinned_memory.begin()) {
        return false;
    }
    --found;
    return at + size <= found->first + found->second;
}

inline void* host(Address address) {
    return reinterpret_cast<void*>(address);
}

// Work of a card that is lost is not done, nor what is left of it when a test starts anew.
inline Task unless_lost(int device, Task task) {
    return [device, task = std::move(task), queued_in = generation] {
        {
            const std::lock_guard lock(state_mutex);
            if (devices[static_cast<std::size_t>(device)].is_lost || queued_in != generation) {
                return;
            }
        }
        task();
    };
}

} // namespace standin

#define EXPORT extern "C" __attribute__((visibility("default")))
#define RETURN_UNLESS_USABLE()                                                                               \
    if (const Result state = state_of_context(); state != success)                                           \
    return state
