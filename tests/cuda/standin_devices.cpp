// Cards and contexts of the stand-in driver.
#include <dlfcn.h>

#include "standin_state.hpp"

using namespace standin;

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
    // as the real one: what lies behind the zero is not zeros throughout
    std::memset(name, ' ', static_cast<std::size_t>(length));
    std::memcpy(name, text.c_str(), text.size() + 1);
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
