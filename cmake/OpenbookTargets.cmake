# One way to make a room's library, its tests and its benchmarks.
find_program(CCACHE ccache)
if(CCACHE AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
  # Precompiled headers defeat ccache unless it is told to look past their time stamps.
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CMAKE_COMMAND} -E env
    CCACHE_SLOPPINESS=pch_defines,time_macros,include_file_mtime,include_file_ctime CCACHE_BASEDIR=${CMAKE_SOURCE_DIR} ${CCACHE})
endif()

# openbook_room(NAME SOURCES ... DEPENDS ... PARTS ...): the static library openbook_NAME, alias openbook::NAME.
# DEPENDS are rooms and parts seen in its public headers; PARTS are seen by its sources only.
function(openbook_room name)
  cmake_parse_arguments(ROOM "" "" "SOURCES;DEPENDS;PARTS" ${ARGN})
  add_library(openbook_${name} STATIC ${ROOM_SOURCES})
  add_library(openbook::${name} ALIAS openbook_${name})
  set_target_properties(openbook_${name} PROPERTIES EXPORT_NAME ${name})
  target_compile_features(openbook_${name} PUBLIC cxx_std_20)
  target_compile_options(openbook_${name} PRIVATE -Wall -Wextra -Wno-unused-parameter -Wno-missing-field-initializers)
  target_include_directories(openbook_${name}
    PUBLIC $<BUILD_INTERFACE:${CMAKE_CURRENT_SOURCE_DIR}/include> $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>
    PRIVATE ${CMAKE_CURRENT_SOURCE_DIR}/src)
  target_link_libraries(openbook_${name} PUBLIC ${ROOM_DEPENDS} PRIVATE ${ROOM_PARTS})
  set_property(GLOBAL APPEND PROPERTY OPENBOOK_ROOMS openbook_${name})
endfunction()

# openbook_test(NAME LABEL unit|model|gpu SOURCES ... LINK ...). A unit test is one ctest entry per TEST; model and gpu
# tests are one entry per program, so that a model is loaded once; they use every core, so they run alone.
if(OPENBOOK_BUILD_TESTS)
  add_custom_target(unit_tests)   # for builds that run nothing else
endif()
function(openbook_test name)
  cmake_parse_arguments(TEST "" "LABEL" "SOURCES;LINK" ${ARGN})
  add_executable(${name} ${TEST_SOURCES})
  target_link_libraries(${name} PRIVATE ${TEST_LINK} openbook_test_support GTest::gmock GTest::gtest_main)
  if(TEST_LABEL STREQUAL "unit")
    add_dependencies(unit_tests ${name})
    gtest_discover_tests(${name} DISCOVERY_TIMEOUT 60 PROPERTIES LABELS unit TIMEOUT 300)
  else()
    add_test(NAME ${name} COMMAND ${name})
    set_tests_properties(${name} PROPERTIES LABELS ${TEST_LABEL} TIMEOUT 1200 RUN_SERIAL ON)
  endif()
endfunction()

# openbook_cuda_object(VARIABLE SOURCE): compiles a .cu file for every device since compute capability 7.5; newer ones than named take
# the code for the last, compiled when first run. A rule instead of CMake's CUDA language, which programs that link openbook would need.
function(openbook_cuda_object variable source)
  set(_source ${CMAKE_CURRENT_SOURCE_DIR}/${source})
  set(_object ${CMAKE_CURRENT_BINARY_DIR}/${source}.o)
  get_filename_component(_folder ${_object} DIRECTORY)
  file(MAKE_DIRECTORY ${_folder})
  add_custom_command(OUTPUT ${_object}
    COMMAND ${CUDAToolkit_NVCC_EXECUTABLE} -c ${_source} -o ${_object} -MD -MF ${_object}.d -std=c++20 -O3 -Xcompiler -fPIC
      -ccbin ${CMAKE_CXX_COMPILER} -I${CMAKE_CURRENT_SOURCE_DIR}/src -isystem ${Libtorch_INCLUDE_DIR}
      -gencode arch=compute_75,code=sm_75 -gencode arch=compute_80,code=sm_80 -gencode arch=compute_90,code=[sm_90,compute_90]
    DEPENDS ${_source} DEPFILE ${_object}.d VERBATIM COMMENT "Compiling CUDA kernels ${source}")
  set(${variable} ${_object} PARENT_SCOPE)
endfunction()
