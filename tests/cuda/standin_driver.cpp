// A stand-in for NVIDIA's driver library, for machines without a GPU: the calls that osscl makes, with their
// real order and asynchrony, on the host's memory. Streams are threads; kernels are functions of the host.
// What a card would only do wrongly now and then is an error here: foreign addresses, work of a thread
// without context, pinned memory that is not.
#include <dlfcn.h>

#include <algorithm>
#include <array>
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

namespace {

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
    std::chrono::steady_clock::time_point time;

    void wait_for(std::uint64_t number) {
        std::unique_lock lock(mutex);
        changed.wait(lock, [&] { return n_done >= number; });
    }
};

std::mutex state_mutex;
std::array<Device, 16> devices; // of all that may ever be: work of cards that were lost may still be queued
std::size_t n_devices = 0;
int generation = 0; // of cards, since a test started anew
int driver_version = 13000, capability_major = 9, capability_minor = 0, max_delay_us = 0;
bool is_initialized = false;
std::map<Address, std::pair<int, std::size_t>> device_memory; // address -> device, size
std::map<std::uintptr_t, std::size_t> pinned_memory;
std::map<std::string, HostKernel> kernels;
std::map<std::string, long long> counts;
long long max_pinned = 1000; // pieces of pinned memory
thread_local int current = -1;
thread_local std::vector<int> context_stack;

void count(const std::string& what, long long by = 1) {
    const std::lock_guard lock(state_mutex);
    counts[what] += by;
}

// A random pause before each piece of work: what does not wait as it should goes wrong soon.
void dawdle() {
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

Result state_of_context() {
    const std::lock_guard lock(state_mutex);
    if (current < 0) {
        return invalid_context;
    }
    return devices[static_cast<std::size_t>(current)].is_lost ? illegal_address : success;
}

bool lies_on_device(int device, Address address, std::size_t size) {
    const std::lock_guard lock(state_mutex);
    auto found = device_memory.upper_bound(address);
    if (found == device_memory.begin()) {
        return false;
    }
    --found;
    return found->second.first == device && address + size <= found->first + found->second.second;
}

bool is_pinned(const void* memory, std::size_t size) {
    const std::lock_guard lock(state_mutex);
    const auto at = reinterpret_cast<std::uintptr_t>(memory);
    auto found = pinned_memory.upper_bound(at);
    if (found == pinned_memory.begin()) {
        return false;
    }
    --found;
    return at + size <= found->first + found->second;
}

void* host(Address address) {
    return reinterpret_cast<void*>(address);
}

// Work of a card that is lost is not done, nor what is left of it when a test starts anew.
Task unless_lost(int device, Task task) {
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

} // namespace

#define EXPORT extern "C" __attribute__((visibility("default")))
#define RETURN_UNLESS_USABLE()                                                                               \
    if (const Result state = state_of_context(); state != success)                                           \
    return state

EXPORT Result cuGetProcAddress_v2(const char* name, void** function, int, std::uint64_t, int* status) {
    Dl_info here{};
    dladdr(reinterpret_cast<void*>(&cuGetProcAddress_v2), &here);
    void* self = dlopen(here.dli_fname, RTLD_NOW | RTLD_NOLOAD);
    *function = dlsym(self, name);
    dlclose(self);
    if (status != nullptr) {
        *status = *function == nullptr ? 1 : 0;
    }
    return *function == nullptr ? not_found : success;
}

EXPORT Result cuGetErrorName(Result, const char** name) {
    *name = "stand-in";
    return success;
}

EXPORT Result cuInit(unsigned) {
    if (n_devices == 0) {
        return no_device;
    }
    is_initialized = true;
    return success;
}

EXPORT Result cuDriverGetVersion(int* version) {
    *version = driver_version;
    return success;
}

EXPORT Result cuDeviceGetCount(int* n) {
    if (!is_initialized) {
        return not_initialized;
    }
    *n = static_cast<int>(n_devices);
    return success;
}

EXPORT Result cuDeviceGet(int* device, int ordinal) {
    *device = ordinal;
    return ordinal >= 0 && static_cast<std::size_t>(ordinal) < n_devices ? success : invalid_device;
}

EXPORT Result cuDeviceGetName(char* name, int length, int device) {
    const std::string text = "Stand-in " + std::to_string(device);
    std::strncpy(name, text.c_str(), static_cast<std::size_t>(length));
    return success;
}

EXPORT Result cuDeviceGetAttribute(int* value, int attribute, int) {
    constexpr int major = 75, minor = 76;
    *value = attribute == major ? capability_major : attribute == minor ? capability_minor : 0;
    return success;
}

EXPORT Result cuDeviceTotalMem(std::size_t* n_bytes, int device) {
    *n_bytes = devices[static_cast<std::size_t>(device)].memory_limit;
    return success;
}

EXPORT Result cuDevicePrimaryCtxRetain(void** context, int device) {
    *context = reinterpret_cast<void*>(static_cast<std::intptr_t>(device + 1));
    count("contexts");
    return success;
}

EXPORT Result cuDevicePrimaryCtxRelease(int) {
    count("contexts", -1);
    return success;
}

EXPORT Result cuCtxSetCurrent(void* context) {
    current = static_cast<int>(reinterpret_cast<std::intptr_t>(context)) - 1;
    return success;
}

EXPORT Result cuCtxPushCurrent(void* context) {
    context_stack.push_back(current);
    return cuCtxSetCurrent(context);
}

EXPORT Result cuCtxPopCurrent(void** context) {
    if (context_stack.empty()) {
        return invalid_context;
    }
    *context = reinterpret_cast<void*>(static_cast<std::intptr_t>(current + 1));
    current = context_stack.back();
    context_stack.pop_back();
    return success;
}

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

EXPORT Result cuMemGetInfo(std::size_t* free, std::size_t* total) {
    RETURN_UNLESS_USABLE();
    const Device& device = devices[static_cast<std::size_t>(current)];
    *total = device.memory_limit;
    *free = device.memory_limit - device.memory_used;
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

EXPORT Result cuMemcpyHtoD(Address to, const void* from, std::size_t n_bytes) {
    RETURN_UNLESS_USABLE();
    if (!lies_on_device(current, to, n_bytes)) {
        return invalid_value;
    }
    std::memcpy(host(to), from, n_bytes);
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

EXPORT Result cuStreamCreate(void** stream, unsigned) {
    RETURN_UNLESS_USABLE();
    *stream = new Stream(current);
    count("streams");
    return success;
}

EXPORT Result cuStreamDestroy(void* stream) {
    RETURN_UNLESS_USABLE();
    delete static_cast<Stream*>(stream);
    count("streams", -1);
    return success;
}

EXPORT Result cuStreamSynchronize(void* stream) {
    RETURN_UNLESS_USABLE();
    static_cast<Stream*>(stream)->synchronize();
    return state_of_context();
}

EXPORT Result cuEventCreate(void** event, unsigned) {
    RETURN_UNLESS_USABLE();
    *event = new Event;
    count("events");
    return success;
}

EXPORT Result cuEventDestroy(void* event) {
    RETURN_UNLESS_USABLE();
    delete static_cast<Event*>(event);
    count("events", -1);
    return success;
}

EXPORT Result cuEventRecord(void* handle, void* stream) {
    RETURN_UNLESS_USABLE();
    auto* event = static_cast<Event*>(handle);
    std::uint64_t number = 0;
    {
        const std::lock_guard lock(event->mutex);
        number = ++event->n_recorded;
    }
    static_cast<Stream*>(stream)->queue([event, number] {
        const std::lock_guard lock(event->mutex);
        event->n_done = std::max(event->n_done, number);
        event->time = std::chrono::steady_clock::now();
        event->changed.notify_all();
    });
    return success;
}

EXPORT Result cuStreamWaitEvent(void* stream, void* handle, unsigned) {
    RETURN_UNLESS_USABLE();
    auto* event = static_cast<Event*>(handle);
    std::uint64_t number = 0;
    {
        const std::lock_guard lock(event->mutex);
        number = event->n_recorded;
    }
    static_cast<Stream*>(stream)->queue([event, number] { event->wait_for(number); });
    return success;
}

EXPORT Result cuEventSynchronize(void* handle) {
    RETURN_UNLESS_USABLE();
    auto* event = static_cast<Event*>(handle);
    std::uint64_t number = 0;
    {
        const std::lock_guard lock(event->mutex);
        number = event->n_recorded;
    }
    event->wait_for(number);
    return state_of_context();
}

EXPORT Result cuEventElapsedTime(float* ms, void* start, void* end) {
    RETURN_UNLESS_USABLE();
    *ms = std::chrono::duration<float, std::milli>(static_cast<Event*>(end)->time -
                                                   static_cast<Event*>(start)->time)
              .count();
    return success;
}

EXPORT Result cuModuleLoadData(void** module, const void* image) {
    RETURN_UNLESS_USABLE();
    *module = new std::string(static_cast<const char*>(image));
    return success;
}

EXPORT Result cuModuleUnload(void* module) {
    delete static_cast<std::string*>(module);
    return success;
}

// Only what the code names as an entry, and what the test lent a function of the host for.
EXPORT Result cuModuleGetFunction(void** function, void* module, const char* name) {
    RETURN_UNLESS_USABLE();
    const std::string& code = *static_cast<std::string*>(module);
    const std::lock_guard lock(state_mutex);
    const auto found = kernels.find(name);
    if (found == kernels.end() || code.find(".entry " + found->first) == std::string::npos) {
        return not_found;
    }
    *function = &found->second;
    return success;
}

EXPORT Result cuLaunchKernel(void* function, unsigned grid_x, unsigned grid_y, unsigned grid_z,
                             unsigned block_x, unsigned block_y, unsigned block_z, unsigned, void* stream,
                             void** arguments, void**) {
    RETURN_UNLESS_USABLE();
    if (grid_x * grid_y * grid_z * block_x * block_y * block_z == 0) {
        return invalid_value;
    }
    const HostKernel kernel = *static_cast<HostKernel*>(function);
    std::vector<Argument> values; // copied when the driver is called
    for (std::size_t i = 0; i < kernel.argument_sizes.size(); ++i) {
        const auto* bytes = static_cast<const char*>(arguments[i]);
        values.emplace_back(bytes, bytes + kernel.argument_sizes[i]);
    }
    count("launches");
    static_cast<Stream*>(stream)->queue(unless_lost(current, [kernel, grid_x, grid_y, block_x, values] {
        std::vector<Argument> copies = values;
        std::vector<void*> pointers;
        for (Argument& value : copies) {
            pointers.push_back(value.data());
        }
        kernel.run(grid_x, grid_y, block_x, pointers.data());
    }));
    return success;
}

EXPORT Result cuLaunchHostFunc(void* stream, void (*function)(void*), void* data) {
    RETURN_UNLESS_USABLE();
    static_cast<Stream*>(stream)->queue(unless_lost(current, [function, data] { function(data); }));
    return success;
}

EXPORT Result cuStreamBeginCapture(void* stream, int) {
    RETURN_UNLESS_USABLE();
    static_cast<Stream*>(stream)->recording_ = std::make_unique<std::vector<Task>>();
    return success;
}

EXPORT Result cuStreamEndCapture(void* stream, void** graph) {
    auto* recorded = static_cast<Stream*>(stream)->recording_.release();
    *graph = recorded;
    return recorded == nullptr ? capture_invalid : success;
}

EXPORT Result cuGraphInstantiateWithFlags(void** executable, void* graph, std::uint64_t) {
    RETURN_UNLESS_USABLE();
    *executable = new std::vector<Task>(*static_cast<std::vector<Task>*>(graph));
    count("graphs");
    return success;
}

EXPORT Result cuGraphInstantiate(void** executable, void* graph, std::uint64_t flags) {
    return cuGraphInstantiateWithFlags(executable, graph, flags);
}

EXPORT Result cuGraphDestroy(void* graph) {
    delete static_cast<std::vector<Task>*>(graph);
    return success;
}

EXPORT Result cuGraphExecDestroy(void* executable) {
    RETURN_UNLESS_USABLE();
    delete static_cast<std::vector<Task>*>(executable);
    count("graphs", -1);
    return success;
}

EXPORT Result cuGraphLaunch(void* executable, void* stream) {
    RETURN_UNLESS_USABLE();
    count("graph_launches");
    for (const Task& task : *static_cast<std::vector<Task>*>(executable)) {
        static_cast<Stream*>(stream)->queue(task);
    }
    return success;
}

// What a test sets and asks.

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
    is_initialized = false;
    counts.clear();
}

EXPORT void standin_set_delay(int us) {
    max_delay_us = us;
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
