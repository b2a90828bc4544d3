// Where a model runs, by the name that a user gives.
#pragma once

#include <ATen/ATen.h>

#include <string>

namespace openbook::engine {

// "cpu", "cuda", "cuda:1", or "auto": CUDA when a device is there. Throws invalid_argument for another name, failed_precondition
// when the device is not there.
at::Device device_named(const std::string& name);

}  // namespace openbook::engine
