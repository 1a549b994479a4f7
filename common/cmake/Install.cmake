# What `cmake --install` copies, and how a stranger's build finds it:
#
#   find_package(stagecoach) → stagecoach::log, stagecoach::hash, …
#   pkg-config stagecoach    → the same for a Makefile
#
# Both work wherever the tree is moved to. The header of a store is
# "common/engine.h", that of a stage "log.h", below include/stagecoach.
include(CMakePackageConfigHelpers)

get_property(kv_engines GLOBAL PROPERTY KV_ENGINES)
get_property(kv_stages GLOBAL PROPERTY KV_STAGES)
set(kv_include ${CMAKE_INSTALL_INCLUDEDIR}/stagecoach)
set(kv_package ${CMAKE_INSTALL_LIBDIR}/cmake/stagecoach)

# engine.h and what it includes. engine_impl.h and thread.h are for those who
# write an engine: a plug-in is a kv_engine, and it cannot fill one in unseen.
install(FILES
  common/engine.h common/batch.h common/bytes.h common/disk.h common/explain.h
  common/knobs.h common/report.h common/status.h common/xray.h
  common/engine_impl.h common/thread.h
  DESTINATION ${kv_include}/common)
foreach(stage engine IN ZIP_LISTS kv_stages kv_engines)
  install(FILES ${stage}/${engine}.h DESTINATION ${kv_include})
endforeach()

list(TRANSFORM kv_engines PREPEND kv_ OUTPUT_VARIABLE kv_libraries)
install(TARGETS kv_common ${kv_libraries} EXPORT stagecoach
        ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR})
install(TARGETS ${kv_stages} RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
# bash looks for a program's completion under the program's name.
set(kv_programs ${kv_stages} compare)
foreach(program ${kv_programs})
  install(FILES ${CMAKE_BINARY_DIR}/completion.bash RENAME ${program}
          DESTINATION ${CMAKE_INSTALL_DATADIR}/bash-completion/completions)
endforeach()
list(GET kv_programs 0 kv_first_program)
list(JOIN kv_programs " " kv_programs)
configure_file(common/cli/completion.bash.in ${CMAKE_BINARY_DIR}/completion.bash @ONLY)
install(FILES LICENSE README.md DESTINATION ${CMAKE_INSTALL_DOCDIR})

# find_package
install(EXPORT stagecoach NAMESPACE stagecoach:: DESTINATION ${kv_package}
        FILE stagecoachTargets.cmake)
configure_package_config_file(common/cmake/stagecoachConfig.cmake.in
  ${CMAKE_BINARY_DIR}/stagecoachConfig.cmake INSTALL_DESTINATION ${kv_package})
# Before 1.0 a minor version may change the interface.
write_basic_package_version_file(${CMAKE_BINARY_DIR}/stagecoachConfigVersion.cmake
  COMPATIBILITY SameMinorVersion)
install(FILES ${CMAKE_BINARY_DIR}/stagecoachConfig.cmake
  ${CMAKE_BINARY_DIR}/stagecoachConfigVersion.cmake DESTINATION ${kv_package})

# pkg-config. The way from the .pc file back to the prefix keeps it movable.
file(RELATIVE_PATH kv_up /prefix/${CMAKE_INSTALL_LIBDIR}/pkgconfig /prefix)
list(TRANSFORM kv_libraries PREPEND -l OUTPUT_VARIABLE kv_l)
list(JOIN kv_l " " kv_l)
set(kv_requires "libxxhash liblz4 libzstd")
if(ISAL_FOUND)
  string(APPEND kv_requires " libisal")
endif()
configure_file(common/cmake/stagecoach.pc.in ${CMAKE_BINARY_DIR}/stagecoach.pc @ONLY)
install(FILES ${CMAKE_BINARY_DIR}/stagecoach.pc
  DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
