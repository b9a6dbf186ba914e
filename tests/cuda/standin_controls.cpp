// What a test sets and asks of the stand-in driver.
#include "standin_state.hpp"

using namespace standin;

EXPORT void standin_reset(int n, std::size_t memory, int version, int major, int minor) {
    const std::lock_guard lock(state_mutex);
    n_devices = static_cast<std::size_t>(n);
    ++generation;
    devices.fill(Device{memory, 0, false});
    driver_version = version;
    capability_major = major;
    capability_minor = minor;
    max_delay_us = 0;
    max_pinned = 1000;
    is_time_simulated = false;
    is_initialized = false;
    counts.clear();
}

EXPORT void standin_set_delay(int us) {
    max_delay_us = us;
}

EXPORT void standin_simulate_time() {
    simulated_us = 0;
    is_time_simulated = true;
}

EXPORT void standin_pass_time(long long us) {
    simulated_us += us;
}

EXPORT double standin_now_s() {
    return now_ms() / 1000.0;
}

EXPORT void standin_limit_pinned(int pieces) {
    const std::lock_guard lock(state_mutex);
    max_pinned = pieces;
}

EXPORT void standin_lose(int device) {
    const std::lock_guard lock(state_mutex);
    devices[static_cast<std::size_t>(device)].is_lost = true;
}

EXPORT void standin_set_memory(int device, std::size_t memory) {
    const std::lock_guard lock(state_mutex);
    devices[static_cast<std::size_t>(device)].memory_limit = memory;
}

EXPORT std::size_t standin_memory_used(int device) {
    const std::lock_guard lock(state_mutex);
    return devices[static_cast<std::size_t>(device)].memory_used;
}

EXPORT void standin_add_kernel(const char* name, Kernel kernel, const std::size_t* sizes,
                               std::size_t n_arguments) {
    const std::lock_guard lock(state_mutex);
    kernels[name] = {kernel, {sizes, sizes + n_arguments}};
}

EXPORT long long standin_count(const char* what) {
    const std::lock_guard lock(state_mutex);
    const auto found = counts.find(what);
    return found == counts.end() ? 0 : found->second;
}
