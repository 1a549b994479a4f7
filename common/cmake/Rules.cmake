# The compile rules every target obeys, as one interface target: link it, and
# you have obeyed.
add_library(kv_rules INTERFACE)
target_compile_options(kv_rules INTERFACE
  -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wstrict-prototypes -Wmissing-prototypes
  -Wcast-qual -Wwrite-strings -Wundef -Wvla -Wformat=2
  $<$<BOOL:${KV_WERROR}>:-Werror>)
if(KV_SANITIZE)
  list(JOIN KV_SANITIZE "," kv_sanitize)
  target_compile_options(kv_rules INTERFACE
    -fsanitize=${kv_sanitize} -fno-omit-frame-pointer -fno-sanitize-recover=all)
  target_link_options(kv_rules INTERFACE -fsanitize=${kv_sanitize})
endif()

# Assertions are part of the engines, in every build: a broken promise between
# our own functions must never become a wrong byte on disk.
string(REPLACE "-DNDEBUG" "" CMAKE_C_FLAGS_RELEASE "${CMAKE_C_FLAGS_RELEASE}")
string(REPLACE "-O3" "-O2" CMAKE_C_FLAGS_RELEASE "${CMAKE_C_FLAGS_RELEASE}")

# kv_add_stage(stage4_lsm ENGINE lsm SOURCES engine.c ...)
#   library  kv_lsm   (alias stagecoach::lsm)   the engine
#   program  stage4_lsm                         the engine behind the shared
#                                               command line
# and the engine's name is in the global property KV_ENGINES, its directory in
# KV_STAGES, which tests, compare and install go through.
function(kv_add_stage dir)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "ENGINE" "SOURCES")
  add_library(kv_${arg_ENGINE} STATIC ${arg_SOURCES})
  add_library(stagecoach::${arg_ENGINE} ALIAS kv_${arg_ENGINE})
  set_target_properties(kv_${arg_ENGINE} PROPERTIES EXPORT_NAME ${arg_ENGINE})
  target_include_directories(kv_${arg_ENGINE} PUBLIC
    $<BUILD_INTERFACE:${CMAKE_CURRENT_SOURCE_DIR}>
    $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}/stagecoach>)
  target_link_libraries(kv_${arg_ENGINE}
    PUBLIC stagecoach::common PRIVATE $<BUILD_INTERFACE:kv_rules>)
  add_executable(${dir} main.c)
  target_link_libraries(${dir} PRIVATE kv_${arg_ENGINE} kv_cli kv_rules)
  set_target_properties(${dir} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/bin)
  set_property(GLOBAL APPEND PROPERTY KV_ENGINES ${arg_ENGINE})
  set_property(GLOBAL APPEND PROPERTY KV_STAGES ${dir})
endfunction()

# kv_engine_table(target) adds to `target` a generated file with all stages'
# engines, in order, as
#   extern const kv_engine *const kv_all_engines[];  NULL at the end
# so that a new stage is known to tests and compare by its kv_add_stage alone.
function(kv_engine_table target)
  get_property(engines GLOBAL PROPERTY KV_ENGINES)
  set(file ${CMAKE_CURRENT_BINARY_DIR}/all_engines.c)
  list(TRANSFORM engines REPLACE "(.+)" "&\\1_engine" OUTPUT_VARIABLE entries)
  list(TRANSFORM engines REPLACE "(.+)" "extern const kv_engine \\1_engine" OUTPUT_VARIABLE externs)
  list(JOIN entries ", " entries)
  list(JOIN externs ";\n" externs)
  file(CONFIGURE OUTPUT ${file} @ONLY CONTENT
"#include \"common/engine.h\"
@externs@;
extern const kv_engine *const kv_all_engines[];
const kv_engine *const kv_all_engines[] = {@entries@, NULL};
")
  target_sources(${target} PRIVATE ${file})
  list(TRANSFORM engines PREPEND kv_)
  target_link_libraries(${target} PUBLIC ${engines})
endfunction()
