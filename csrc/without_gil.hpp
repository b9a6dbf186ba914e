// How the bindings compute without the interpreter's lock (the GIL), also while the interpreter ends.
#pragma once

#include <pybind11/pybind11.h>

#include <chrono>
#include <thread>

// Lets other Python threads run while it lives. Used in place of pybind11::gil_scoped_release, everywhere.
//
// A daemon thread, or one whose end nobody waited for, may be in native code when the interpreter ends.
// Before Python 3.14, whoever then asks for the lock is ended by pthread_exit, which unwinds the stack:
// through the destructors and noexcept functions of C++, where it aborts the whole process. Here it gets no
// further than the call that asked. The thread sleeps in the handler until the process is gone, and holds
// nothing that anybody waits for.
class WithoutGil {
  public:
    WithoutGil() : thread_state_(PyEval_SaveThread()) {}

    ~WithoutGil() {
        try {
            PyEval_RestoreThread(thread_state_);
        } catch (...) { // no exception of anybody: it is C that was called
            for (;;) {
                std::this_thread::sleep_for(std::chrono::hours(1));
            }
        }
    }

    WithoutGil(const WithoutGil&) = delete;
    WithoutGil& operator=(const WithoutGil&) = delete;

  private:
    PyThreadState* thread_state_;
};
