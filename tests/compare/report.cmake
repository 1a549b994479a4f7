# Charts, page and recipes.
add_executable(test_report_draw test_report_draw.c) # DIR: what `compare chart DIR` does
target_link_libraries(test_report_draw PRIVATE cmp_report kv_rules)
add_executable(test_report_records test_report_records.c)
target_link_libraries(test_report_records PRIVATE stagecoach::common kv_rules)

kv_test(compare.report_tables ROOM compare SOURCES test_report_tables.c LIBS cmp_report m)
kv_test(compare.report_race ROOM compare SOURCES test_report_race.c LIBS cmp_report m)
kv_test(compare.report_charts ROOM compare SOURCES test_report_charts.c LIBS cmp_report m)
target_compile_definitions(test_compare_report_charts PRIVATE
  STYLE_FILE="${PROJECT_SOURCE_DIR}/compare/charts/style.gp")
kv_register_test(compare.report_page ROOM compare TIMEOUT 180
  COMMAND sh ${CMAKE_CURRENT_SOURCE_DIR}/test_report_page.sh $<TARGET_FILE:test_report_draw>)
foreach(name wordnet unicode packages)
  kv_register_test(compare.report_recipe_${name} ROOM compare TIMEOUT 180
    COMMAND sh ${CMAKE_CURRENT_SOURCE_DIR}/test_report_recipes.sh
            ${PROJECT_SOURCE_DIR}/compare/data/make.sh $<TARGET_FILE:test_report_records> ${name})
endforeach()
