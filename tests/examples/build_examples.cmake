# Installs openbook into a folder of its own, and builds the examples against what lies there. Each step that fails says which
# it was and shows all that it printed.
#
#   cmake -D OPENBOOK_BUILD=build/release -D EXAMPLES=examples -D WORK=... -D GENERATOR=Ninja -D CXX=g++ -D CONFIG=Release
#         -D CXX_FLAGS= -P build_examples.cmake
function(step what)
  execute_process(COMMAND ${ARGN} RESULT_VARIABLE result OUTPUT_VARIABLE output ERROR_VARIABLE output)
  if(NOT result EQUAL 0)
    list(JOIN ARGN " " command)
    message("${output}")   # as it is: a fatal message is wrapped
    message(FATAL_ERROR "${what} failed (${result}): ${command}")
  endif()
endfunction()

# From nothing each time: a header that is no longer installed must not be found where an older run left it.
file(REMOVE_RECURSE ${WORK}/prefix ${WORK}/build)
step("installing openbook" ${CMAKE_COMMAND} --install ${OPENBOOK_BUILD} --config ${CONFIG} --prefix ${WORK}/prefix)
step("find_package(openbook) in the examples" ${CMAKE_COMMAND} -S ${EXAMPLES} -B ${WORK}/build -G ${GENERATOR}
  -D CMAKE_PREFIX_PATH=${WORK}/prefix -D CMAKE_BUILD_TYPE=${CONFIG} -D CMAKE_CXX_COMPILER=${CXX} -D CMAKE_CXX_FLAGS=${CXX_FLAGS})
step("building the examples against the installed package" ${CMAKE_COMMAND} --build ${WORK}/build)
