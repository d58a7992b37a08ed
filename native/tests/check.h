/* A test is a function; CHECK ends it at the first thing that does not hold, SKIP where the machine can't run it. */
#ifndef CHECK_H
#define CHECK_H

#include <setjmp.h>
#include <stdbool.h>

struct test {
    const char *name;
    void (*run)(void);
};

/* Runs the tests of one file, adds to the totals and prints each failure. */
void run_tests(const char *suite, const struct test *tests, int count);

_Noreturn void check_failed(const char *file, int line, const char *format, ...) __attribute__((format(printf, 3, 4)));
_Noreturn void test_skipped(const char *reason);

#define CHECK(condition) \
    do { \
        if (!(condition)) { \
            check_failed(__FILE__, __LINE__, "does not hold: %s", #condition); \
        } \
    } while (0)
#define CHECK_EQUAL(expected, actual) \
    do { \
        long long check_expected = (long long)(expected); \
        long long check_actual = (long long)(actual); \
        if (check_expected != check_actual) { \
            check_failed(__FILE__, __LINE__, "%s: expected %lld, got %lld", #actual, check_expected, check_actual); \
        } \
    } while (0)
#define SKIP(reason) test_skipped(reason)
#define TESTS(array) array, (int)(sizeof(array) / sizeof(array)[0])

void inflate_tests(void);
void deflate_tests(void);
void keeper_tests(void);

#endif
