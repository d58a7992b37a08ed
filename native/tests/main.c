#include "check.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static jmp_buf test_end;
static int passed;
static int failed;
static int skipped;
static const char *current_suite;
static const char *current_test;
static const char *only;

enum { FAILED = 1, SKIPPED = 2 };

void check_failed(const char *file, int line, const char *format, ...)
{
    va_list arguments;
    printf("FAILED %s: %s\n  %s:%d: ", current_suite, current_test, file, line);
    va_start(arguments, format);
    vprintf(format, arguments);
    va_end(arguments);
    printf("\n");
    longjmp(test_end, FAILED);
}

void test_skipped(const char *reason)
{
    printf("skipped %s: %s: %s\n", current_suite, current_test, reason);
    longjmp(test_end, SKIPPED);
}

static void run_test(const struct test *test)
{
    current_test = test->name;
    switch (setjmp(test_end)) {
    case 0:
        test->run();
        passed++;
        break;
    case FAILED:
        failed++;
        break;
    default:
        skipped++;
        break;
    }
    fflush(stdout);
}

void run_tests(const char *suite, const struct test *tests, int count)
{
    current_suite = suite;
    for (int i = 0; i < count; i++) {
        if (only == NULL || strstr(tests[i].name, only) != NULL) {
            run_test(&tests[i]);
        }
    }
}

int main(int argc, char **argv)
{
    only = argc > 1 ? argv[1] : NULL;
    inflate_tests();
    deflate_tests();
    keeper_tests();
    printf("%d passed, %d failed", passed, failed);
    if (skipped > 0) {
        printf(", %d skipped", skipped);
    }
    printf("\n");
    return failed > 0 || passed == 0 ? 1 : 0;
}
