# Imports libtorch from the PyPI wheel as openbook's targets see it: Libtorch::torch.
#
# torch's own package insists on nvcc and probes its architectures when the wheel was made for CUDA. openbook calls
# ATen alone and compiles on machines without a CUDA toolkit, so the libraries are imported directly. The CUDA libraries are
# linked when the wheel has them; nothing of them is touched before at::hasCUDA() says that a device is there.
#
# Looks in: Libtorch_ROOT (the folder `torch` of the wheel), then the virtual environment that cmake/setup.sh makes.
file(GLOB _libtorch_hints "${CMAKE_SOURCE_DIR}/build/venv/lib/python3*/site-packages/torch")
find_path(Libtorch_INCLUDE_DIR ATen/ATen.h
  HINTS ${Libtorch_ROOT} ${_libtorch_hints} PATH_SUFFIXES include NO_DEFAULT_PATH)
get_filename_component(_libtorch_root "${Libtorch_INCLUDE_DIR}" DIRECTORY)
foreach(_part c10 torch_cpu torch)
  find_library(Libtorch_${_part}_LIBRARY ${_part} HINTS "${_libtorch_root}/lib" NO_DEFAULT_PATH)
endforeach()
find_library(Libtorch_c10_cuda_LIBRARY c10_cuda HINTS "${_libtorch_root}/lib" NO_DEFAULT_PATH)   # in wheels for CUDA only

include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(Libtorch
  REQUIRED_VARS Libtorch_c10_LIBRARY Libtorch_torch_cpu_LIBRARY Libtorch_torch_LIBRARY Libtorch_INCLUDE_DIR
  REASON_FAILURE_MESSAGE "Run cmake/setup.sh, which installs the wheel, or set Libtorch_ROOT to the wheel's folder `torch`.")

if(Libtorch_FOUND AND NOT TARGET Libtorch::torch)
  file(GLOB _libtorch_cuda_runtime "${_libtorch_root}/../nvidia/*/lib")
  list(JOIN _libtorch_cuda_runtime ":" _libtorch_cuda_path)
  add_library(Libtorch::torch INTERFACE IMPORTED GLOBAL)
  target_include_directories(Libtorch::torch SYSTEM INTERFACE
    "${Libtorch_INCLUDE_DIR}" "${Libtorch_INCLUDE_DIR}/torch/csrc/api/include")
  # Two symbols stand in several libraries, and the first library on the link line gives them to all. The wheel exports a few
  # functions of another compiler's std::filesystem, which crash when ours are bound to them: the standard library comes
  # first. FAISS brings OpenBLAS, whose sgemm_ would take over libtorch's and fight its threads for the
  # cores: libtorch comes second. Options stand before all libraries, in whatever order a target names those.
  # libtorch.so is a stub that pulls in libtorch_cuda.so, whose kernels register themselves: it must stay though
  # no symbol of it is used.
  target_link_libraries(Libtorch::torch INTERFACE
    "-Wl,--no-as-needed" "${Libtorch_torch_LIBRARY}" "-Wl,--as-needed"
    "${Libtorch_torch_cpu_LIBRARY}" "${Libtorch_c10_LIBRARY}")
  if(Libtorch_c10_cuda_LIBRARY)
    target_link_libraries(Libtorch::torch INTERFACE "${Libtorch_c10_cuda_LIBRARY}")
  endif()
  target_link_options(Libtorch::torch INTERFACE
    "-Wl,--push-state,--no-as-needed,-lstdc++,${Libtorch_torch_cpu_LIBRARY},--pop-state"
    "-Wl,-rpath,${_libtorch_root}/lib" "-Wl,-rpath-link,${_libtorch_root}/lib:${_libtorch_cuda_path}")
endif()
mark_as_advanced(Libtorch_INCLUDE_DIR Libtorch_c10_LIBRARY Libtorch_c10_cuda_LIBRARY Libtorch_torch_cpu_LIBRARY Libtorch_torch_LIBRARY)
