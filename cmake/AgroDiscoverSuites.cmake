# Run as a script after a test program was linked: writes one ctest test for each of its suites.
#   cmake -DPROGRAM=… -DPREFIX=… -DOUTPUT=… -P AgroDiscoverSuites.cmake
execute_process(COMMAND "${PROGRAM}" --gtest_list_tests OUTPUT_VARIABLE listing RESULT_VARIABLE result)
if(NOT result EQUAL 0)
  message(FATAL_ERROR "${PROGRAM} does not list its tests:\n${listing}")
endif()
string(REGEX MATCHALL "[^\n]+" lines "${listing}")
set(tests "")
foreach(line IN LISTS lines)
  # Suites end with a dot and begin the line; their tests are indented.
  if(line MATCHES "^([^ ]+\\.)")
    set(suite "${CMAKE_MATCH_1}")
    string(REGEX REPLACE "\\.$" "" name "${suite}")
    string(APPEND tests
      "add_test([==[${PREFIX}.${name}]==] [==[${PROGRAM}]==] [==[--gtest_filter=${suite}*]==])\n"
      # A skipped test would go unseen among its suite's others.
      "set_tests_properties([==[${PREFIX}.${name}]==] PROPERTIES TIMEOUT 600 FAIL_REGULAR_EXPRESSION [==[\\[  SKIPPED \\]]==])\n")
  endif()
endforeach()
file(WRITE "${OUTPUT}" "${tests}")
