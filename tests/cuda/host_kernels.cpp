// The CUDA kernels as functions of the host; tests/host_kernels.py builds and calls them.
#include "host_shim.hpp"

#include "cuda/logmel.cu"

extern "C" int launch(const char* name, unsigned grid_x, unsigned grid_y, unsigned block, void** arguments,
                      unsigned order_seed) {
    const auto run = [&](auto* kernel) {
        return emulation::launch(kernel, grid_x, grid_y, block, arguments, order_seed) ? 0 : 1;
    };
    if (std::strcmp(name, "log_mel_int16") == 0) {
        return run(&log_mel_int16);
    }
    if (std::strcmp(name, "log_mel_float32") == 0) {
        return run(&log_mel_float32);
    }
    return 2;
}
