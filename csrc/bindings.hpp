// What each file of bindings adds to the module.
#pragma once

#include <pybind11/pybind11.h>

void bind_features(pybind11::module_& module); // after LogMel is bound
void bind_multiply_add(pybind11::module_& module);
void bind_quality(pybind11::module_& module);
void bind_tfgram(pybind11::module_& module);
void bind_wav(pybind11::module_& module);
