// Whether the build found nvcc, and kernels of our own are there for CUDA. Elsewhere nothing of this folder is defined, and
// libtorch does it all: what calls it stands behind `if constexpr (cuda::kBuilt)`.
#pragma once

namespace openbook::engine::cuda {

#ifdef OPENBOOK_CUDA_KERNELS
inline constexpr bool kBuilt = true;
#else
inline constexpr bool kBuilt = false;
#endif

}  // namespace openbook::engine::cuda
