// What Python sees of the processor's peak.
#include "bindings.hpp"

#include <pybind11/stl.h>

#include <stdexcept>
#include <string>

#include "multiply_add.hpp"
#include "without_gil.hpp"

namespace py = pybind11;

void bind_multiply_add(py::module_& module) {
    module.def("multiply_add_precisions", &osscl::multiply_add_precisions,
               "Precisions whose multiply-adds can be timed on this processor.");
    module.def(
        "multiply_adds",
        [](const std::string& precision, std::size_t n_steps, std::size_t n_threads) {
            if (n_threads == 0) {
                throw std::invalid_argument("n_threads must be at least 1");
            }
            const WithoutGil released;
            return osscl::multiply_adds(precision, n_steps, n_threads);
        },
        py::kw_only(), py::arg("precision"), py::arg("n_steps"), py::arg("n_threads"),
        "Compute multiply-adds in registers; returns the floating-point operations done.");
}
