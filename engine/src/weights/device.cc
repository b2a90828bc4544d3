#include "weights/device.h"

#include "openbook/base/error.h"
#include "openbook/base/utf8.h"

namespace openbook::engine {
namespace {

// CUDA's parts of libtorch are touched only after it said that there is a device.
int64_t cuda_devices() { return at::hasCUDA() ? static_cast<int64_t>(at::getNumGPUs()) : 0; }

}  // namespace

at::Device device_named(const std::string& name) {
  if (name == "cpu") return at::kCPU;
  const bool numbered = name.size() == 6 && name.starts_with("cuda:") && name[5] >= '0' && name[5] <= '9';
  if (name != "auto" && name != "cuda" && !numbered)
    throw Error(Code::kInvalidArgument,
                "device \"" + escape_for_terminal(name) + "\" is not known; known: cpu, cuda, cuda:0 to cuda:9, auto");
  const int64_t there = cuda_devices();
  if (name == "auto" && there == 0) return at::kCPU;
  const int64_t index = numbered ? name[5] - '0' : 0;
  if (index >= there)
    throw Error(Code::kFailedPrecondition,
                "device \"" + name + "\" is not there; this machine has " + std::to_string(there) + " CUDA devices",
                "Use cpu or auto.");
  return at::Device(at::kCUDA, static_cast<at::DeviceIndex>(index));
}

}  // namespace openbook::engine
