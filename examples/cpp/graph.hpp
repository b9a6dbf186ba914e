// The graph, before anything runs it: nothing lies in other files, and it is what the manifest describes.
#pragma once

#include <string_view>

#include "manifest.hpp"

// Throws Refused where the file keeps tensors elsewhere, holds graphs in nodes, functions or sparse tensors.
void refuse_unsafe(std::string_view model);

// Throws Refused where inputs or outputs are others than the manifest's.
void check_values(std::string_view graph, const Manifest& manifest);
