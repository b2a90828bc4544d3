# What find_package(openbook) finds. The parts are looked up again on the user's machine, by the same file that the
# build reads, so both see the same targets.
include(CMakePackageConfigHelpers)
get_property(_rooms GLOBAL PROPERTY OPENBOOK_ROOMS)
install(TARGETS ${_rooms} EXPORT openbookTargets ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR})
foreach(_room engine retriever attribution guard)
  install(DIRECTORY ${_room}/include/ DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
endforeach()
install(EXPORT openbookTargets NAMESPACE openbook:: DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/openbook)
install(FILES cmake/FindLibtorch.cmake cmake/OpenbookDependencies.cmake DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/openbook)
get_filename_component(_torch_root "${Libtorch_INCLUDE_DIR}" DIRECTORY)
set(_policy_folder "${CMAKE_INSTALL_DATADIR}/openbook/policies")
configure_package_config_file(cmake/openbookConfig.cmake.in ${CMAKE_CURRENT_BINARY_DIR}/openbookConfig.cmake
  INSTALL_DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/openbook PATH_VARS _policy_folder)
write_basic_package_version_file(${CMAKE_CURRENT_BINARY_DIR}/openbookConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/openbookConfig.cmake ${CMAKE_CURRENT_BINARY_DIR}/openbookConfigVersion.cmake
  DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/openbook)
