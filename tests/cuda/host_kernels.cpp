// The CUDA kernels as functions of the host; tests/host_kernels.py builds and calls them.
#include "host_shim.hpp"

#include "cuda/logmel.cu"

extern "C" {

void set_thread_order(unsigned seed) {
    emulation::order_seed = seed;
}

bool run_log_mel_int16(unsigned grid_x, unsigned grid_y, unsigned block, void** arguments) {
    return emulation::launch(&log_mel_int16, grid_x, grid_y, block, arguments);
}

bool run_log_mel_float32(unsigned grid_x, unsigned grid_y, unsigned block, void** arguments) {
    return emulation::launch(&log_mel_float32, grid_x, grid_y, block, arguments);
}
}
