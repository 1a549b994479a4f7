# embed.cmake -- writes C source that holds files as text:
#   cmake -DOUT=assets.c "-DFILES=cmp_page_css=page.css;..." -P embed.cmake
set(text "#include \"compare/report/assets.h\"\n")
foreach(entry ${FILES})
  string(REGEX MATCH "^([^=]+)=(.+)$" entry "${entry}")
  set(name ${CMAKE_MATCH_1})
  file(READ "${CMAKE_MATCH_2}" bytes HEX)
  string(REGEX REPLACE "(................................)" "\\1\n" bytes "${bytes}")
  string(REGEX REPLACE "([0-9a-f][0-9a-f])" "'\\\\x\\1'," bytes "${bytes}")
  string(APPEND text "\nconst char ${name}[] = {\n${bytes}'\\0'};\n")
endforeach()
file(WRITE "${OUT}" "${text}")
