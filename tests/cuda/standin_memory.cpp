// Memory of cards and of the host, and copies between them.
#include "standin_state.hpp"

using namespace standin;

EXPORT Result cuMemAlloc(Address* address, std::size_t n_bytes) {
    RETURN_UNLESS_USABLE();
    const std::lock_guard lock(state_mutex);
    Device& device = devices[static_cast<std::size_t>(current)];
    if (device.memory_used + n_bytes > device.memory_limit) {
        return out_of_memory;
    }
    device.memory_used += n_bytes;
    char* memory = new char[n_bytes];
    std::memset(memory, 0xFF, n_bytes); // NaN, so that what was never written shows
    *address = reinterpret_cast<Address>(memory);
    device_memory[*address] = {current, n_bytes};
    return success;
}

EXPORT Result cuMemFree(Address address) {
    RETURN_UNLESS_USABLE();
    const std::lock_guard lock(state_mutex);
    const auto found = device_memory.find(address);
    if (found == device_memory.end()) {
        return invalid_value;
    }
    devices[static_cast<std::size_t>(found->second.first)].memory_used -= found->second.second;
    device_memory.erase(found);
    delete[] static_cast<char*>(host(address));
    return success;
}

EXPORT Result cuMemHostAlloc(void** memory, std::size_t n_bytes, unsigned) {
    RETURN_UNLESS_USABLE();
    const std::lock_guard lock(state_mutex);
    if (counts["pinned"] >= max_pinned) {
        return out_of_memory;
    }
    *memory = new char[n_bytes];
    pinned_memory[reinterpret_cast<std::uintptr_t>(*memory)] = n_bytes;
    counts["pinned"] += 1;
    return success;
}

EXPORT Result cuMemFreeHost(void* memory) {
    RETURN_UNLESS_USABLE();
    const std::lock_guard lock(state_mutex);
    if (pinned_memory.erase(reinterpret_cast<std::uintptr_t>(memory)) == 0) {
        return invalid_value;
    }
    counts["pinned"] -= 1;
    delete[] static_cast<char*>(memory);
    return success;
}

// As on a card: pinned memory is read when the copy's turn comes, other memory before the call returns.
EXPORT Result cuMemcpyHtoDAsync(Address to, const void* from, std::size_t n_bytes, void* stream) {
    RETURN_UNLESS_USABLE();
    if (!lies_on_device(current, to, n_bytes)) {
        return invalid_value;
    }
    const bool is_direct = is_pinned(from, n_bytes);
    count(is_direct ? "pinned_copies" : "staged_copies");
    std::vector<char> staged;
    if (!is_direct) {
        staged.assign(static_cast<const char*>(from), static_cast<const char*>(from) + n_bytes);
    }
    static_cast<Stream*>(stream)->queue(unless_lost(current, [to, from, n_bytes, staged = std::move(staged)] {
        std::memcpy(host(to), staged.empty() ? from : staged.data(), n_bytes);
    }));
    return success;
}

EXPORT Result cuMemcpyDtoHAsync(void* to, Address from, std::size_t n_bytes, void* stream) {
    RETURN_UNLESS_USABLE();
    if (!lies_on_device(current, from, n_bytes) || !is_pinned(to, n_bytes)) {
        return invalid_value;
    }
    static_cast<Stream*>(stream)->queue(
        unless_lost(current, [to, from, n_bytes] { std::memcpy(to, host(from), n_bytes); }));
    return success;
}
