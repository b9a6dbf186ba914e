// As much of CUDA as a kernel needs to run on a CPU, one block after the other. Each thread of a block is a
// fiber that runs until it meets a barrier, and the order in which they run can be chosen: where a barrier is
// missing, the order shows in the result. Before each block, shared memory is filled with NaN.
// Launches of several threads of the host take turns.
#pragma once

#include <setjmp.h>
#include <ucontext.h>

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <mutex>
#include <numeric>
#include <random>
#include <tuple>
#include <utility>
#include <vector>

#define __global__
#define __grid_constant__
#define __launch_bounds__(...)
#define __shared__ static __attribute__((section("emulated_shared")))

extern "C" char __start_emulated_shared[], __stop_emulated_shared[];

struct alignas(4) short2 {
    short x, y;
};
struct alignas(8) float2 {
    float x, y;
};
struct alignas(16) float4 {
    float x, y, z, w;
};
struct Index {
    unsigned x, y, z;
};

inline Index threadIdx, blockIdx;

inline int __float_as_int(float x) {
    return std::bit_cast<int>(x);
}
inline float __int_as_float(int x) {
    return std::bit_cast<float>(x);
}

namespace emulation {

constexpr unsigned warp_size = 32;
constexpr std::size_t stack_bytes = 128 << 10;

enum class State { ready, at_warp_barrier, at_block_barrier, done };

// Its context is for its first steps alone: each switch between contexts asks the system for the signal mask,
// which takes longer than what the threads compute; the jumps do not.
struct Fiber {
    ucontext_t context;
    jmp_buf place;
    std::unique_ptr<char[]> stack = std::make_unique_for_overwrite<char[]>(stack_bytes);
    State state = State::done;
    bool has_begun = false;
};

inline jmp_buf scheduler;
inline std::vector<Fiber> fibers; // kept from launch to launch
inline std::size_t current;
inline void (*call_kernel)();
inline std::mutex turns;
inline unsigned order_seed; // threads run forwards (0), backwards (1), or shuffled (2 ...)

[[gnu::noinline]] inline void leave(State state) {
    fibers[current].state = state;
    if (_setjmp(fibers[current].place) == 0) {
        _longjmp(scheduler, 1);
    }
}

// Runs the current fiber until it leaves.
[[gnu::noinline]] inline void enter() {
    if (_setjmp(scheduler) == 0) {
        Fiber& fiber = fibers[current];
        if (fiber.has_begun) {
            _longjmp(fiber.place, 1);
        }
        fiber.has_begun = true;
        setcontext(&fiber.context);
    }
}

inline void run_fiber() {
    for (;;) { // one block after the other
        call_kernel();
        leave(State::done);
    }
}

inline void make_fibers(unsigned count) {
    fibers = std::vector<Fiber>(count);
    for (Fiber& fiber : fibers) {
        getcontext(&fiber.context);
        fiber.context.uc_stack.ss_sp = fiber.stack.get();
        fiber.context.uc_stack.ss_size = stack_bytes;
        makecontext(&fiber.context, run_fiber, 0);
    }
}

// Lets all of [first, last) go on where all of them wait at the barrier; whether it did.
inline bool open_barrier(std::size_t first, std::size_t last, State barrier) {
    for (std::size_t i = first; i < last; ++i) {
        if (fibers[i].state != barrier) {
            return false;
        }
    }
    for (std::size_t i = first; i < last; ++i) {
        fibers[i].state = State::ready;
    }
    return true;
}

inline bool open_barriers() {
    bool is_open = open_barrier(0, fibers.size(), State::at_block_barrier);
    for (std::size_t warp = 0; warp < fibers.size(); warp += warp_size) {
        is_open |= open_barrier(warp, warp + warp_size, State::at_warp_barrier);
    }
    return is_open;
}

// False where threads wait at a barrier that the others do not reach.
inline bool run_block(const std::vector<std::size_t>& order) {
    std::memset(__start_emulated_shared, 0xff,
                static_cast<std::size_t>(__stop_emulated_shared - __start_emulated_shared)); // NaN
    for (Fiber& fiber : fibers) {
        fiber.state = State::ready;
    }
    do {
        for (const std::size_t i : order) {
            if (fibers[i].state == State::ready) {
                current = i;
                threadIdx = {static_cast<unsigned>(i), 0, 0};
                enter();
            }
        }
    } while (open_barriers());
    return std::all_of(fibers.begin(), fibers.end(),
                       [](const Fiber& fiber) { return fiber.state == State::done; });
}

inline std::vector<std::size_t> thread_order(unsigned count) {
    std::vector<std::size_t> order(count);
    std::iota(order.begin(), order.end(), 0);
    if (order_seed == 1) {
        std::reverse(order.begin(), order.end());
    } else if (order_seed > 1) {
        std::shuffle(order.begin(), order.end(), std::mt19937(order_seed));
    }
    return order;
}

// A kernel with the arguments of a launch, given as cuLaunchKernel takes them: an address for each.
template <class... Arguments> struct Launch {
    inline static void (*kernel)(Arguments...);
    inline static void** arguments;

    template <std::size_t... i> static void call(std::index_sequence<i...>) {
        kernel(*static_cast<std::remove_cv_t<Arguments>*>(arguments[i])...);
    }
    static void call_one() { call(std::index_sequence_for<Arguments...>{}); }
};

// False where threads wait at a barrier that the others do not reach.
template <class... Arguments>
bool launch(void (*kernel)(Arguments...), unsigned grid_x, unsigned grid_y, unsigned block,
            void** arguments) {
    const std::lock_guard turn(turns);
    Launch<Arguments...>::kernel = kernel;
    Launch<Arguments...>::arguments = arguments;
    call_kernel = Launch<Arguments...>::call_one;
    if (fibers.size() != block) {
        make_fibers(block);
    }
    const std::vector<std::size_t> order = thread_order(block);
    for (unsigned y = 0; y < grid_y; ++y) {
        for (unsigned x = 0; x < grid_x; ++x) {
            blockIdx = {x, y, 0};
            if (!run_block(order)) {
                fibers.clear(); // some are in the middle of the kernel
                return false;
            }
        }
    }
    return true;
}

} // namespace emulation

inline void __syncwarp() {
    emulation::leave(emulation::State::at_warp_barrier);
}
inline void __syncthreads() {
    emulation::leave(emulation::State::at_block_barrier);
}
