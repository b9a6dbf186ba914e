// A small pool of threads, shared by the whole process, made on first use and again after a fork.
#pragma once

#include <cstddef>
#include <functional>

namespace osscl {

// Calls body(0) .. body(n_tasks - 1), in any order, on up to n_threads threads, the calling one included;
// n_threads = 1 starts none. Returns when all are done; rethrows the first exception. Any number of threads
// may call it at once.
void parallel_for(std::size_t n_tasks, std::size_t n_threads, const std::function<void(std::size_t)>& body);

} // namespace osscl
