#include "failure.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

int fail(struct failure *failure, int error, const char *format, ...)
{
    va_list arguments;
    failure->error = error;
    va_start(arguments, format);
    vsnprintf(failure->text, sizeof failure->text, format, arguments);
    va_end(arguments);
    return -1;
}

void log_line(const char *format, ...)
{
    char line[1400];
    struct tm parts;
    time_t now = time(NULL);
    va_list arguments;

    gmtime_r(&now, &parts);
    size_t length = strftime(line, sizeof line, "%Y-%m-%dT%H:%M:%SZ modelfs-keeper: ", &parts);
    va_start(arguments, format);
    int written = vsnprintf(line + length, sizeof line - length - 1, format, arguments);
    va_end(arguments);
    if (written > 0) {
        length += (size_t)written < sizeof line - length - 1 ? (size_t)written : sizeof line - length - 2;
    }
    line[length++] = '\n';
    /* One write, so that the lines of keeper and daemon never mix in the file that both append to. */
    if (write(STDERR_FILENO, line, length) < 0) {
        return;
    }
}
