# The libraries we stand on, found once. The first group is required; each of
# the others is used where it is there, and its absence is said.
find_package(PkgConfig REQUIRED)
find_package(Threads REQUIRED)
pkg_check_modules(XXHASH REQUIRED IMPORTED_TARGET libxxhash)
pkg_check_modules(LZ4 REQUIRED IMPORTED_TARGET liblz4)
pkg_check_modules(ZSTD REQUIRED IMPORTED_TARGET libzstd)

function(kv_optional variable module without)
  pkg_check_modules(${variable} IMPORTED_TARGET ${module})
  if(NOT ${variable}_FOUND)
    message(NOTICE "-- ${module} is not installed: ${without} (setup.sh installs it)")
  endif()
  set(${variable}_FOUND ${${variable}_FOUND} PARENT_SCOPE)
endfunction()

kv_optional(ISAL    libisal "checksums are computed a byte at a time")
kv_optional(EDITLINE libedit "the repl reads plain lines")
